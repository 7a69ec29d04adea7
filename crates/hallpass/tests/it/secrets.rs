//! Secrets that were planted must turn up nowhere: not in logs at their most talkative, not in
//! answers that refuse, not in metrics, not in the process list, not in what a crash prints, and in
//! no file but the ones that exist to hold them.

mod crash;
mod planted;
mod steps;

use std::cell::RefCell;
use std::fmt::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use reqwest::Method;
use serde_json::json;

use planted::Planted;

use crate::http::{
    Reply, get, get_with, post_form, send_as, send_bytes, send_json, token_form, token_of,
};
use crate::server::Server;
use crate::world::{ANN, Credential, World, files, run, run_with_input, text};

#[test]
fn planted_secrets_are_found_nowhere() {
    hunt_with("greenlake");
}

/// Its secrets look different, and so do its tokens.
#[test]
fn planted_secrets_of_the_other_profile_are_found_nowhere() {
    let secret = hunt_with("rfc9068");
    assert!(secret.starts_with("hps_"));
}

/// The whole hunt. Gives back a secret that is worth nothing any more.
fn hunt_with(profile: &str) -> String {
    let mut hunt = Hunt::begin(profile);
    hunt.a_person_chooses_a_password();
    let platform = hunt.credential("global", "secret of the platform credential");
    let nightly = hunt.credential("us1", "secret before the reset");
    let owner = hunt.token(&platform, "token of the platform");
    hunt.a_credential_is_made_over_rest(&owner);
    let first = hunt.token(&nightly, "token before the reset");
    hunt.strangers_are_refused(&nightly, &first);
    hunt.secrets_stand_where_none_belong(&nightly, &first);
    hunt.a_private_key_is_imported();
    hunt.a_client_signs_assertions();
    hunt.a_second_secret_comes();
    hunt.a_token_is_exchanged(&first);
    hunt.a_token_is_asked_about_and_revoked();
    let nightly = hunt.the_secret_is_reset(nightly, &owner, &first);
    hunt.the_client_is_talkative(&nightly);
    hunt.look_everywhere();
    nightly.client_secret
}

/// A talkative server, and what must not be found.
struct Hunt {
    world: World,
    server: Server,
    planted: Planted,
    /// The secret of the link that the server told when it started.
    start_link: String,
    /// The secret of a set-up link that nobody used yet.
    link: String,
    /// What commands printed.
    said: String,
    /// Every answer that refuses, with its headers.
    answers: RefCell<String>,
}

const TALKATIVE: [(&str, &str); 1] = [("HALLPASS_LOG", "trace")];
const PASSWORD: &str = "tin+lamp+orbit+nine";
const WRONG_PASSWORD: &str = "tin+lamp+orbit+ten";
const WRONG: &str = "00112233445566778899aabbccddeeff";
const NOTHING: [&str; 0] = [];

impl Hunt {
    fn begin(profile: &str) -> Self {
        let world = World::new();
        let mut folder = std::fs::DirBuilder::new();
        folder.mode(0o700).create(world.data()).unwrap();
        let configuration = format!("[tokens]\nprofile = \"{profile}\"\n");
        std::fs::write(world.data().join("hallpass.toml"), configuration).unwrap();
        let server = Server::start_with(&world, &NOTHING, &TALKATIVE);
        let mut planted = Planted::default();
        let master_key = std::fs::read_to_string(world.data().join("master.key")).unwrap();
        planted.plant("master key", master_key.trim());
        // It is told to whoever started the server, once, and is nowhere else.
        let told = server.process.stderr.wait_for("/setup/");
        let (_, start_link) = told.rsplit_once('/').unwrap();
        planted.plant("set-up link of the start", start_link);
        planted.plant("wrong secret", WRONG);
        Self {
            world,
            server,
            planted,
            start_link: start_link.to_owned(),
            link: String::new(),
            said: String::new(),
            answers: RefCell::default(),
        }
    }

    /// Keeps an answer that refuses.
    fn heard(&self, reply: Reply) -> Reply {
        if reply.status >= 300 {
            let Reply { headers, text, .. } = &reply;
            let kept = writeln!(self.answers.borrow_mut(), "{headers:?}\n{text}");
            kept.unwrap();
        }
        reply
    }

    /// The same for whatever came back for bytes.
    fn heard_bytes(&self, answer: &str) {
        if !answer.starts_with("HTTP/1.1 2") {
            self.answers.borrow_mut().push_str(answer);
        }
    }

    fn a_person_chooses_a_password(&mut self) {
        let ann = self.world.create_user(ANN, "administrator");
        let link = ann["setupUrl"].as_str().unwrap();
        let (_, secret) = link.rsplit_once('/').unwrap();
        self.planted.plant("set-up secret", secret);
        self.planted.plant("password as it was sent", PASSWORD);
        self.planted.plant("password", PASSWORD.replace('+', " "));
        get(link).is(200);
        let choose = |again| post_form(link, &format!("password={PASSWORD}&again={again}"));
        self.heard(choose("another")).is(422);
        let entered = choose(PASSWORD).is(303);
        let cookie = entered.headers["set-cookie"].to_str().unwrap();
        let (_, cookie) = cookie.split(';').next().unwrap().split_once('=').unwrap();
        self.planted.plant("cookie of a session", cookie);
        self.planted
            .plant("wrong password", WRONG_PASSWORD.replace('+', " "));
        let sign_in = format!("{}/sign-in", self.server.base());
        let refused = format!("email={ANN}&password={WRONG_PASSWORD}");
        self.heard(post_form(&sign_in, &refused)).is(422);
        // A password in the wrong field is not kept either.
        let swapped = format!("email={WRONG_PASSWORD}&password={ANN}");
        post_form(&sign_in, &swapped).is(422);
        self.heard(get(link)).is(404);
        let bob = self.world.create_user("bob@example.com", "observer");
        let (_, secret) = bob["setupUrl"].as_str().unwrap().rsplit_once('/').unwrap();
        self.planted.plant("set-up secret that waits", secret);
        secret.clone_into(&mut self.link);
    }

    fn credential(&mut self, instance: &str, name: &'static str) -> Credential {
        let credential = self.world.create_credential(ANN, instance, instance);
        self.planted.plant(name, &credential.client_secret);
        credential
    }

    fn token(&mut self, credential: &Credential, name: &'static str) -> String {
        let token = token_of(credential);
        self.planted.plant_signed(name, &token);
        token
    }

    fn post(&self, path: &str, token: &str, body: &serde_json::Value) -> Reply {
        let url = format!("{}/workspaces/v1/credentials{path}", self.server.base());
        send_json(&Method::POST, &url, token, body)
    }

    fn a_credential_is_made_over_rest(&mut self, owner: &str) {
        let instances = self.world.admin(&["instance", "list"]);
        let mut items = instances["items"].as_array().unwrap().iter();
        let us1 = items.find(|item| item["name"] == "us1").unwrap();
        let id = us1["applicationInstanceId"].as_str().unwrap();
        let uri = format!("/service-catalog/v1beta1/service-manager-provisions/{id}");
        let body = json!({
            "credentialName": "over rest",
            "associatedServiceManagerProvision": {"resourceUri": uri},
        });
        let made = self.post("", owner, &body).is(201).json();
        let secret = made["clientSecret"].as_str().unwrap();
        self.planted.plant("secret made over REST", secret);
    }

    /// Secrets in the wrong place, and wrong secrets in the right one.
    fn strangers_are_refused(&mut self, known: &Credential, token: &str) {
        let (url, secret) = (self.server.token_url(), &known.client_secret);
        let post = |url: &str, form: &str| self.heard(post_form(url, form));
        post(url, &token_form(&known.client_id, WRONG)).is(401);
        post(url, &token_form(secret, "swapped")).is(401);
        let in_query = format!("{url}?client_secret={secret}");
        post(&in_query, "grant_type=client_credentials").is(400);
        let good = token_form(&known.client_id, secret);
        post(url, &good.replace("client_credentials", secret)).is(400);
        // Who repeats a parameter is told its name, so only the log is looked at.
        let twice = format!("{good}&{secret}={secret}&{secret}={secret}");
        post_form(url, &twice).is(400);
        let systems = self.server.us1("/api/v1/storage-systems");
        get_with(&systems, token).is(200);
        self.heard(get_with(&systems, &format!("{token}x"))).is(401);
        let in_query = self.heard(get(&format!("{systems}?access_token={token}")));
        assert!(matches!(in_query.status, 400 | 401));
        // Past the token: places that are nobody's. A parameter of the API is quoted to whoever sent
        // it, as it must be.
        for odd in [secret, WRONG] {
            let with = |path: &str| self.heard(get_with(&self.server.us1(path), token));
            with(&format!("/api/v1/{odd}")).is(404);
            with(&format!("/api/v1/{odd}?{odd}={odd}")).is(404);
        }
    }

    /// Each secret, in each part of a request and in requests that are none, at each listener.
    fn secrets_stand_where_none_belong(&mut self, known: &Credential, token: &str) {
        let link = self.link.clone();
        let metrics = self.server.metrics().to_owned();
        let listeners = [
            self.server.base().to_owned(),
            self.server.us1(""),
            metrics.trim_end_matches("/metrics").to_owned(),
        ];
        let header = format!("Authorization: Bearer {token}\r\n");
        for secret in [&known.client_secret, token, WRONG, &link] {
            for base in &listeners {
                for path in ["", "/setup", "/api/v1/volumes", "/as/token.oauth2"] {
                    let status = self.heard(get(&format!("{base}{path}/{secret}"))).status;
                    // The set-up link alone opens something.
                    assert!((200..500).contains(&status), "{base}{path}: {status}");
                    self.heard(get(&format!("{base}{path}/x;{secret}?{secret}={secret}")));
                }
                let short = &secret[..secret.len().min(32)];
                let method = Method::from_bytes(short.as_bytes()).unwrap();
                self.heard(send_as(&method, base));
                for (line, fields) in [
                    ("GET / HTTP/1.1".to_owned(), format!("{secret}: x\r\n")),
                    ("GET / HTTP/1.1".to_owned(), format!("{secret} x\r\n")),
                    (
                        "GET / HTTP/1.1".to_owned(),
                        format!("x-request-id: {secret}\r\n"),
                    ),
                    (
                        "GET / HTTP/1.1".to_owned(),
                        format!("traceparent: 00-{secret}-b7ad6b7169203331\r\n"),
                    ),
                    ("GET / HTTP/1.1".to_owned(), format!("Host: {secret}\r\n")),
                    (
                        "GET / HTTP/1.1".to_owned(),
                        format!("Authorization: {secret}\r\n{header}"),
                    ),
                    (
                        "GET / HTTP/1.1".to_owned(),
                        format!("Authorization: Basic {secret}\r\n"),
                    ),
                    (
                        "GET / HTTP/1.1".to_owned(),
                        format!("Content-Length: {secret}\r\n"),
                    ),
                    (format!("GET /{secret}"), header.clone()),
                    (format!("{secret} / HTTP/1.1"), header.clone()),
                    (format!("GET http://x:{secret}@a/ HTTP/1.1"), header.clone()),
                    (format!("CONNECT {short}:80 HTTP/1.1"), header.clone()),
                    (secret.to_owned(), String::new()),
                ] {
                    let request = format!("{line}\r\nHost: a\r\nConnection: close\r\n{fields}\r\n");
                    self.heard_bytes(&send_bytes(base, request.as_bytes()));
                }
                // One whose body breaks off.
                let cut = format!(
                    "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 999\r\n{header}\r\n"
                );
                let cut = format!("{cut}client_secret={secret}");
                self.heard_bytes(&send_bytes(base, cut.as_bytes()));
            }
        }
    }

    fn the_secret_is_reset(&mut self, old: Credential, owner: &str, token: &str) -> Credential {
        let reset = self.post(&format!("/{}/reset", old.client_id), owner, &json!({}));
        let reset = reset.is(200).json();
        let systems = self.server.us1("/api/v1/storage-systems");
        self.heard(get_with(&systems, token)).is(401);
        let form = token_form(&old.client_id, &old.client_secret);
        self.heard(post_form(self.server.token_url(), &form))
            .is(401);
        let client_secret = reset["clientSecret"].as_str().unwrap().to_owned();
        self.planted.plant("secret", &client_secret);
        Credential {
            client_secret,
            ..old
        }
    }

    fn the_client_is_talkative(&mut self, credential: &Credential) {
        let world = &self.world;
        let add = ["profile", "add", "us1", "--secret-file", "-"];
        let who = ["--client-id", &credential.client_id];
        let urls = [
            "--token-url",
            &credential.token_url,
            "--base-url",
            &credential.base_url,
        ];
        let mut add = world.command(&[&add[..], &who, &urls].concat());
        self.said += &run_with_input(&mut add, &credential.client_secret)
            .ok()
            .stderr;
        let token = run(world.command(&["token", "-v"]).envs(TALKATIVE)).ok();
        self.said += &token.stderr;
        self.planted.plant("token", token.stdout.trim());
        for arguments in [
            &["call", "SystemsList", "-v"][..],
            &["get", "/api/v1/nowhere", "-v"],
            &["call", "VolumeGetById", "id=none", "-v"],
            &["profile", "show", "--json"],
        ] {
            let done = run(world.command(arguments).envs(TALKATIVE));
            self.said += &done.stderr;
            self.said += &done.stdout;
        }
        let mut wrong = world.command(&["token", "-v", "--renew"]);
        wrong.envs(TALKATIVE).env("HALLPASS_CLIENT_SECRET", WRONG);
        self.said += &run(&mut wrong).ended(3).stderr;
    }

    fn look_everywhere(mut self) {
        assert!(self.said.contains("> GET ") && self.said.contains("< 404"));
        self.look_into("what commands said", self.said.as_bytes());
        let answers = self.answers.take();
        for code in ["invalid_client", "invalid_request", "WWW-Authenticate"] {
            let holds = answers.to_lowercase().contains(&code.to_lowercase());
            assert!(holds, "no answer said `{code}`");
        }
        self.look_into("the answers that refuse", answers.as_bytes());
        let addresses = std::fs::read(self.world.path("addresses.json")).unwrap();
        self.look_into("the address file", &addresses);
        let metrics = get(self.server.metrics()).is(200).text;
        self.look_into("the metrics", metrics.as_bytes());
        let most = ["audit", "list", "--limit", "10000"];
        let audit = self.world.admin(&most).to_string();
        for event in [
            "Client authentication failed",
            "Signing key imported",
            "given a second secret",
            "got in exchange",
            "revoked",
        ] {
            assert!(audit.contains(event), "{event}: {audit}");
        }
        self.look_into("the audit log", audit.as_bytes());
        // Where there is such a list.
        if let Ok(line) = std::fs::read(format!("/proc/{}/cmdline", self.server.process.id())) {
            self.look_into("the process list", &line);
        }
        self.look_into_files();
        self.server.process.signal("TERM");
        assert!(self.server.process.end().success());
        let log = self.server.process.stderr.to_end();
        for talk in [
            " DEBUG ",
            "path=\"/setup/[hidden]\"",
            "request answered",
            "request refused before it was read",
        ] {
            assert!(log.contains(talk), "the log did not say `{talk}`");
        }
        assert_eq!(log.matches(&self.start_link).count(), 1);
        let log = log.replacen(&self.start_link, "", 1);
        self.look_into("the server's log", log.as_bytes());
        assert_eq!(self.server.process.stdout.to_end(), "");
        self.look_into_files();
    }

    fn look_into(&self, what: &str, bytes: &[u8]) {
        assert_eq!(self.planted.found_in(bytes), NOTHING, "in {what}");
    }

    /// Each secret is where it belongs and nowhere else.
    fn look_into_files(&self) {
        let (data, home) = (self.world.data(), self.world.home());
        let mut looked = 0;
        let mut found: Vec<&str> = Vec::new();
        for folder in [&data, &home, &self.world.temporary()] {
            for file in files(folder) {
                // A socket has nothing to read.
                let Ok(content) = std::fs::read(&file) else {
                    continue;
                };
                looked += 1;
                let belongs: &[&str] = if file == data.join("master.key") {
                    &["master key"]
                } else if file.starts_with(home.join("share")) {
                    &["secret"]
                } else if file.starts_with(home.join("cache")) && is_json(&file) {
                    &["token"]
                } else {
                    &[]
                };
                assert_eq!(
                    self.planted.found_in(&content),
                    belongs,
                    "in {}",
                    text(&file)
                );
                found.extend(belongs);
            }
        }
        found.sort_unstable();
        assert_eq!(
            found,
            ["master key", "secret", "token"],
            "in {looked} files"
        );
    }
}

fn is_json(file: &Path) -> bool {
    file.extension().is_some_and(|known| known == "json")
}
