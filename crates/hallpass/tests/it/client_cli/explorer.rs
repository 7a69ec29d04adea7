//! `hallpass explorer`: who comes in, what is kept in which files, and what is not reached.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use reqwest::Method;
use serde_json::{Value, json};

use super::odd::Odd;
use crate::http::{Reply, plain_request, send_bytes, try_send};
use crate::server::Running;
use crate::world::{World, eventually, files, text};

/// What a browser says of requests that the explorer's own page makes.
const OWN_PAGE: (&str, &str) = ("sec-fetch-site", "same-origin");

const PLANTED: &str = "planted+5ecret";

/// A running explorer, and the browser that it let in.
struct Local {
    running: Running,
    invitation: String,
    browser: Browser,
}

/// A browser.
#[derive(Clone, Default)]
struct Browser {
    /// `http://127.0.0.1:PORT`
    origin: String,
    cookie: String,
    form_token: String,
}

impl std::ops::Deref for Local {
    type Target = Browser;

    fn deref(&self) -> &Browser {
        &self.browser
    }
}

impl Local {
    fn start(world: &World, arguments: &[&str]) -> Self {
        Self::entered(&mut world.command(&[&["explorer"], arguments].concat()))
    }

    /// An explorer that a browser came into.
    fn entered(command: &mut Command) -> Self {
        let mut local = Self::outside(command);
        let opened = local
            .ask(&Method::GET, &local.invitation.clone(), &[])
            .is(200);
        let cookie = opened.headers["set-cookie"].to_str().unwrap();
        cookie
            .split(';')
            .next()
            .unwrap()
            .clone_into(&mut local.browser.cookie);
        let page = local.get("/explorer").is(200).text;
        let (_, after) = page.split_once("name=\"form_token\" value=\"").unwrap();
        after
            .split('"')
            .next()
            .unwrap()
            .clone_into(&mut local.browser.form_token);
        local
    }

    /// An explorer that nobody came into.
    fn outside(command: &mut Command) -> Self {
        let running = Running::start(command);
        let invitation = running.stdout.wait_for("http://");
        let (origin, _) = invitation.split_once("/explorer/").unwrap();
        let browser = Browser {
            origin: origin.to_owned(),
            ..Browser::default()
        };
        Self {
            running,
            invitation,
            browser,
        }
    }

    fn stop(mut self) -> String {
        self.running.signal("TERM");
        assert!(self.running.end().success());
        self.running.stderr.to_end()
    }
}

impl Browser {
    #[expect(clippy::unused_self, reason = "it is the browser that asks")]
    fn ask(&self, method: &Method, url: &str, headers: &[(&str, &str)]) -> Reply {
        let request = plain_request(method, url);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        try_send(request).unwrap()
    }

    fn get(&self, path: &str) -> Reply {
        let url = format!("{}{path}", self.origin);
        self.ask(&Method::GET, &url, &[("cookie", &self.cookie), OWN_PAGE])
    }

    /// Sends JSON as the page would.
    fn send(&self, method: &Method, path: &str, body: &Value) -> Reply {
        let request = plain_request(method, &format!("{}{path}", self.origin))
            .header("cookie", &self.cookie)
            .header("origin", &self.origin)
            .header("sec-fetch-site", "same-origin")
            .header("x-csrf-token", &self.form_token)
            .header("content-type", "application/json")
            .body(body.to_string());
        try_send(request).unwrap()
    }

    /// A new workspace; its id.
    fn workspace(&self, name: &str) -> String {
        let new = json!({"name": name, "builtIn": true});
        let made = self.send(&Method::POST, "/explorer/api/workspaces", &new);
        made.is(201).json()["id"].as_str().unwrap().to_owned()
    }

    fn rename(&self, workspace: &str, name: &str) -> Reply {
        let path = format!("/explorer/api/w/{workspace}");
        self.send(&Method::PATCH, &path, &json!({ "name": name }))
    }

    /// Puts a secret variable into the first environment of a workspace.
    fn set_secret(&self, workspace: &str, value: &str) {
        let path = format!("/explorer/api/w/{workspace}");
        let shown = self.get(&path).is(200).json();
        let id = shown["environments"][0]["id"].as_str().unwrap();
        let variable = json!({"name": "clientSecret", "on": true, "secret": true, "value": value});
        let body = json!({"name": "Testing", "variables": [variable]});
        let changed = self.send(&Method::PUT, &format!("{path}/environments/{id}"), &body);
        let changed = changed.is(200);
        assert_eq!(changed.json()["variables"][0]["set"], true);
        assert!(!changed.text.contains(value));
    }

    /// What is said when a definition is looked at that is at a URL.
    fn look(&self, workspace: &str, url: &str) -> Reply {
        let path = format!("/explorer/api/w/{workspace}/definitions/look");
        self.send(&Method::POST, &path, &json!({ "url": url }))
    }
}

#[test]
fn one_browser_comes_in_and_the_address_is_worth_nothing_then() {
    let world = World::new();
    let local = Local::outside(&mut world.command(&["explorer"]));
    let page = format!("{}/explorer", local.origin);
    let stranger = local.ask(&Method::GET, &page, &[]).is(401);
    assert!(
        stranger.text.contains("has not been let in"),
        "{stranger:?}"
    );
    // Whoever looks ahead does not use it up.
    let link = &local.invitation;
    local.ask(&Method::HEAD, link, &[]).is(403);
    local
        .ask(&Method::GET, link, &[("sec-purpose", "prefetch")])
        .is(403);
    local.ask(&Method::GET, &format!("{link}0"), &[]).is(403);
    // The file that `--open` makes is a page of nobody.
    let followed = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
    ];
    let opened = local.ask(&Method::GET, link, &followed).is(200);
    assert_eq!(opened.headers["refresh"], "0; url=/explorer");
    let port = local.origin.rsplit(':').next().unwrap();
    let cookie = opened.headers["set-cookie"].to_str().unwrap();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert!(
        pair.starts_with(&format!("hallpass-explorer-{port}=")),
        "{cookie}"
    );
    assert_eq!(attributes, "Path=/explorer; HttpOnly; SameSite=Strict");
    local.ask(&Method::GET, link, &[]).is(403);
    // Another local server may have been sent the cookie.
    let alone = local.ask(&Method::GET, &page, &[("cookie", pair)]).is(403);
    assert!(alone.text.contains("by which page"), "{}", alone.text);
    for says in ["none", "same-origin"] {
        let headers = [("cookie", pair), ("sec-fetch-site", says)];
        local.ask(&Method::GET, &page, &headers).is(200);
    }
    assert_eq!(
        local
            .ask(&Method::GET, link, &[("cookie", pair)])
            .is(303)
            .headers["location"],
        "/explorer"
    );
    // The token is no cookie, and no other explorer's cookie is.
    let token = link.rsplit('/').next().unwrap();
    let other = Local::start(&world, &[]);
    let (_, value) = other.cookie.split_once('=').unwrap();
    for wrong in [
        format!("hallpass-explorer-{port}={token}"),
        format!("hallpass-explorer-{port}={value}"),
        other.cookie.clone(),
    ] {
        local
            .ask(&Method::GET, &page, &[("cookie", &wrong)])
            .is(401);
    }
    local.stop();
}

#[test]
fn pages_of_others_stay_outside() {
    let world = World::new();
    let local = Local::start(&world, &[]);
    let api = "/explorer/api/workspaces";
    let host = local.origin.strip_prefix("http://").unwrap();
    let port = host.rsplit(':').next().unwrap();
    // A name that resolves to this machine (DNS rebinding).
    for host in [format!("rebound.example:{port}"), "127.0.0.1".to_owned()] {
        let asked = format!(
            "GET {api} HTTP/1.1\r\nHost: {host}\r\nCookie: {}\r\nConnection: close\r\n\r\n",
            local.cookie
        );
        let answer = send_bytes(&local.origin, asked.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 421"), "{answer}");
    }
    let url = format!("{}{api}", local.origin);
    let cookie = ("cookie", &*local.cookie);
    for field in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1:1"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let refused = local
            .ask(&Method::GET, &url, &[cookie, field])
            .is(403)
            .json();
        assert!(
            refused["error"]["what"]
                .as_str()
                .unwrap()
                .contains("another page")
        );
    }
    // Without the token of our pages nothing is changed, whatever the browser says.
    let own = ("origin", &*local.origin);
    local
        .ask(&Method::POST, &url, &[cookie, own, OWN_PAGE])
        .is(403);
    let wrong = ("x-csrf-token", "0");
    local
        .ask(&Method::POST, &url, &[cookie, own, OWN_PAGE, wrong])
        .is(403);
    let form = |fields: String| {
        let request = plain_request(
            &Method::POST,
            &format!("{}/explorer/workspaces", local.origin),
        )
        .header("cookie", &local.cookie)
        .header("origin", "null")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(fields);
        try_send(request).unwrap()
    };
    form("name=x&form_token=0".to_owned()).is(403);
    assert_eq!(local.get(api).json(), json!([]));
    form(format!("name=x&form_token={}", local.form_token)).is(303);
    assert_eq!(local.get(api).json()[0]["name"], "x");
}

#[test]
fn the_browser_is_led_in_by_a_file_of_its_owner() {
    let world = World::new();
    let (tools, told) = (world.path("tools"), world.path("told"));
    fs::create_dir(&tools).unwrap();
    for name in ["xdg-open", "open"] {
        let script = format!(
            "#!/bin/sh\necho \"$*\" > '{0}.new' && mv '{0}.new' '{0}'\n",
            text(&told)
        );
        let file = tools.join(name);
        fs::write(&file, script).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = world.command(&["explorer", "--open"]);
    command.env("PATH", format!("{}:/usr/bin:/bin", text(&tools)));
    let local = Local::outside(&mut command);
    let arguments = eventually("the browser", || fs::read_to_string(&told).ok());
    let token = local.invitation.rsplit('/').next().unwrap();
    assert!(!arguments.contains(token));
    let file = Path::new(arguments.trim());
    assert_eq!(
        fs::metadata(file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(
        fs::read_to_string(file)
            .unwrap()
            .contains(&format!("url={}\"", local.invitation))
    );
    local.ask(&Method::GET, &local.invitation, &[]).is(200);
    assert!(!file.exists());
    local.stop();
    // Without a browser it says so, and takes its file with it.
    command.env("PATH", "/nowhere");
    let local = Local::outside(&mut command);
    local.running.stderr.wait_for("no browser was opened");
    local.stop();
    assert_eq!(files(&world.temporary()).len(), 0);
}

#[test]
fn it_listens_to_this_machine_only_and_needs_a_folder() {
    let world = World::new();
    let refused = world.run(&["explorer", "--listen", "0.0.0.0:0"]);
    refused.ended(2).says(&["0.0.0.0", "hint: use 127.0.0.1"]);
    let file = world.path("file");
    fs::write(&file, "").unwrap();
    let refused = world.run(&["explorer", "--workspaces", text(&file)]);
    refused
        .ended(2)
        .says(&[text(&file), "hint: name another folder"]);
}

#[test]
fn two_explorers_work_on_one_folder() {
    let world = World::new();
    let folder = world.path("shared");
    let start = || Local::start(&world, &["--workspaces", text(&folder)]);
    let (one, other) = (start(), start());
    let id = one.workspace("First");
    assert_eq!(
        other.get("/explorer/api/workspaces").json()[0]["id"],
        id.as_str()
    );
    let file = folder.join(&id).join("workspace.json");
    for turn in 0..10 {
        let name = format!("Name {turn}");
        let who = if turn % 2 == 0 { &one } else { &other };
        who.rename(&id, &name).is(204);
        let kept: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        assert_eq!(kept["name"], name.as_str());
    }
    // At the same time, somebody may be told to try again, and the file stays whole.
    std::thread::scope(|scope| {
        for (who, letter) in [(&one, 'a'), (&other, 'b')] {
            let (id, who) = (&id, who.browser.clone());
            scope.spawn(move || {
                for turn in 0..20 {
                    let status = who.rename(id, &format!("{letter}{turn}")).status;
                    assert!([204, 503].contains(&status), "{status}");
                }
            });
        }
    });
    let kept: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(
        one.get(&format!("/explorer/api/w/{id}")).json()["name"],
        kept["name"]
    );
    // What is in the folder may be committed: no half-written files, and nothing of one person.
    let names: Vec<_> = files(&folder)
        .iter()
        .map(|path| path.file_name().unwrap().to_owned())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    // A file that somebody broke is told, not overwritten, and hides no other.
    let second = one.workspace("Second");
    fs::write(&file, "{").unwrap();
    let mut listed = one.get("/explorer/api/workspaces").is(200).json();
    let listed = listed.as_array_mut().unwrap();
    listed.sort_by_key(|one| one["problem"].is_string());
    assert_eq!(listed[0]["id"], second.as_str());
    assert!(
        listed[1]["problem"]
            .as_str()
            .unwrap()
            .contains("cannot be read")
    );
    let broken = one.rename(&id, "x").is(422).json();
    assert!(
        broken["error"]["what"]
            .as_str()
            .unwrap()
            .contains("cannot be read")
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "{");
}

/// Every file of the world in which the planted secret stands.
fn found(world: &World) -> Vec<std::path::PathBuf> {
    let mut found = files(&world.path(""));
    found.retain(|file| {
        fs::read(file)
            .unwrap()
            .windows(PLANTED.len())
            .any(|part| part == PLANTED.as_bytes())
    });
    found
}

#[test]
fn a_secret_is_in_the_key_store_and_nowhere_else() {
    let world = World::new();
    let mut command = world.command(&["explorer"]);
    let local = Local::entered(command.env("HALLPASS_LOG", "trace"));
    let id = local.workspace("Mine");
    local.set_secret(&id, PLANTED);
    let found_at = found(&world);
    assert_eq!(found_at.len(), 1, "{found_at:?}");
    assert!(
        text(&found_at[0]).contains("hallpass-client/secrets/"),
        "{found_at:?}"
    );
    assert_eq!(
        fs::metadata(&found_at[0]).unwrap().permissions().mode() & 0o777,
        0o600
    );
    for path in [
        format!("/explorer/api/w/{id}"),
        format!("/explorer/api/w/{id}/export"),
        format!("/explorer/w/{id}"),
    ] {
        assert!(!local.get(&path).is(200).text.contains(PLANTED), "{path}");
    }
    assert!(!local.stop().contains(PLANTED));
    // It is there for the next start, in this folder only: a workspace of the same name elsewhere, which
    // somebody else may have written, does not get at it.
    let local = Local::start(&world, &[]);
    let is_set = |local: &Local| {
        let shown = local.get(&format!("/explorer/api/w/{id}")).is(200).json();
        shown["environments"][0]["variables"][0]["set"].clone()
    };
    assert_eq!(is_set(&local), true);
    let theirs = world.path("theirs");
    let kept = world
        .home()
        .join("share/hallpass-client/workspaces")
        .join(&id);
    fs::create_dir_all(theirs.join(&id)).unwrap();
    fs::copy(
        kept.join("workspace.json"),
        theirs.join(&id).join("workspace.json"),
    )
    .unwrap();
    let other = Local::start(&world, &["--workspaces", text(&theirs)]);
    assert_eq!(is_set(&other), false);
    local
        .send(
            &Method::DELETE,
            &format!("/explorer/api/w/{id}"),
            &Value::Null,
        )
        .is(204);
    assert_eq!(found(&world).len(), 0);
    assert!(!kept.exists());
}

#[test]
fn a_passphrase_file_keeps_secrets_encrypted_and_nobody_is_asked() {
    let world = World::new();
    let passphrase = world.path("passphrase");
    fs::write(&passphrase, "open sesame").unwrap();
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
    let mut command = world.command(&["explorer"]);
    command.env("HALLPASS_PASSPHRASE_FILE", &passphrase);
    let local = Local::entered(&mut command);
    let id = local.workspace("Mine");
    local.set_secret(&id, PLANTED);
    assert_eq!(found(&world).len(), 0);
    let kept = files(&world.home().join("share/hallpass-client/encrypted"));
    assert_eq!(kept.len(), 1, "{kept:?}");
    local.stop();
}

#[test]
fn definitions_come_from_urls_but_not_from_the_machines_own_link() {
    let definition = fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../api/storage-api.yaml"
    ))
    .unwrap();
    let odd = Odd::start(move |path| match path {
        "/api.yaml" => (200, Vec::new(), definition.clone()),
        "/moved" => (302, vec![("location", "/api.yaml".to_owned())], Vec::new()),
        "/away" => {
            let to = "http://169.254.169.254/latest".to_owned();
            (302, vec![("location", to)], Vec::new())
        }
        "/round" => (302, vec![("location", "/round".to_owned())], Vec::new()),
        _ => (404, Vec::new(), Vec::new()),
    });
    let local = Local::start(&odd.world, &[]);
    let id = local.workspace("Mine");
    let at = |path: &str| format!("{}{path}", odd.address());
    for path in ["/api.yaml", "/moved"] {
        let looked = local.look(&id, &at(path)).is(200).json();
        assert_eq!(looked["title"], "Hallpass storage API core", "{path}");
    }
    for (url, status, says) in [
        (
            "http://169.254.169.254/latest".to_owned(),
            403,
            "169.254.169.254",
        ),
        (
            "http://[::ffff:169.254.169.254]/".to_owned(),
            403,
            "nothing is sent",
        ),
        ("http://[fe80::1]/".to_owned(), 403, "fe80::1"),
        (at("/away"), 403, "169.254.169.254"),
        (at("/round"), 502, "on and on"),
        (at("/nothing"), 502, "404"),
    ] {
        let refused = local.look(&id, &url).is(status).json();
        let what = refused["error"]["what"].as_str().unwrap();
        assert!(what.contains(says), "{url}: {what}");
    }
    assert_ne!(local.look(&id, "file:///etc/passwd").status, 200);
}
