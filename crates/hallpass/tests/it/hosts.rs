//! The stand-in under the names of the real system: over TLS, through the proxy, with issuers and
//! addresses of the name that was asked.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Certificate, Client, Proxy, RequestBuilder};
use serde_json::Value;

use crate::http::{Reply, get, get_with, post_form, send_bytes, token_form, token_of, try_send};
use crate::server::Server;
use crate::world::{ANN, Credential, World, run, text};

const SSO: &str = "https://sso.common.cloud.hpe.com";
const US1: &str = "https://us1.data.cloud.hpe.com";
const VOLUMES: &str = "/api/v1/volumes?limit=1";

/// A server, a credential for its us1, and a program that was told what `--trust` tells.
struct Stage {
    world: World,
    server: Server,
    credential: Credential,
    client: Client,
}

impl Stage {
    fn set() -> Self {
        let world = World::owner();
        let server = Server::start(&world);
        let credential = world.create_credential(ANN, "us1", "by name");
        let client = program(&world, &server);
        Self {
            world,
            server,
            credential,
            client,
        }
    }

    fn get(&self, url: &str) -> Reply {
        try_send(self.client.get(url)).unwrap()
    }

    fn get_with(&self, url: &str, token: &str) -> Reply {
        try_send(self.client.get(url).bearer_auth(token)).unwrap()
    }

    fn post_form(&self, url: &str, form: String) -> Reply {
        let request = self.client.post(url).body(form);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        try_send(request).unwrap()
    }

    /// A token that was asked for by name.
    fn token(&self) -> String {
        self.token_of(&self.credential)
    }

    fn token_of(&self, credential: &Credential) -> String {
        let form = token_form(&credential.client_id, &credential.client_secret);
        let answer = self.post_form(&format!("{SSO}/as/token.oauth2"), form);
        let answer = answer.is(200).json();
        answer["access_token"].as_str().unwrap().to_owned()
    }
}

/// A program behind the proxy that trusts the authority and no other.
fn program(world: &World, server: &Server) -> Client {
    let authority = std::fs::read(world.data().join("ca.pem")).unwrap();
    Client::builder()
        .proxy(Proxy::all(server.proxy()).unwrap())
        .tls_certs_only([Certificate::from_pem(&authority).unwrap()])
        .pool_max_idle_per_host(0)
        .build()
        .unwrap()
}

fn issuer(token: &str) -> String {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap());
    let claims: Value = serde_json::from_slice(&claims.unwrap()).unwrap();
    claims["iss"].as_str().unwrap().to_owned()
}

#[test]
fn a_token_of_the_real_name_opens_both_names_of_its_region_and_no_other() {
    let stage = Stage::set();
    let token = stage.token();
    assert_eq!(issuer(&token), SSO);
    for host in [US1, "https://us-west.api.greenlake.hpe.com"] {
        let list = stage.get_with(&format!("{host}{VOLUMES}"), &token).is(200);
        assert_eq!(list.json()["requestUri"], format!("{host}{VOLUMES}"));
    }
    // The same instance by its plain address, and its own name there.
    let plain = stage.server.us1(VOLUMES);
    let list = get_with(&plain, &token).is(200);
    assert_eq!(list.json()["requestUri"], plain);
    for host in [
        "eu1.data.cloud.hpe.com",
        "ap-northeast.api.greenlake.hpe.com",
    ] {
        let refused = stage.get_with(&format!("https://{host}{VOLUMES}"), &token);
        assert!(
            refused
                .is(401)
                .text
                .contains("another application instance")
        );
    }
    let nowhere = stage.get_with(
        &format!("https://eu-west.api.greenlake.hpe.com{VOLUMES}"),
        &token,
    );
    assert!(
        nowhere
            .is(404)
            .text
            .contains("eu-west.api.greenlake.hpe.com; it has eu1, jp1, us1")
    );
}

#[test]
fn a_token_of_the_plain_address_is_good_under_the_real_names() {
    let stage = Stage::set();
    let token = token_of(&stage.credential);
    assert_eq!(issuer(&token), stage.server.base());
    stage.get_with(&format!("{US1}{VOLUMES}"), &token).is(200);
}

#[test]
fn each_name_has_metadata_of_its_own_and_knows_the_tokens_of_the_others() {
    let stage = Stage::set();
    let path = "/.well-known/oauth-authorization-server";
    let tls = stage.server.tls();
    let port = tls.rsplit_once(':').unwrap().1;
    let direct = Client::builder()
        .no_proxy()
        .tls_certs_only([Certificate::from_pem(
            &std::fs::read(stage.world.data().join("ca.pem")).unwrap(),
        )
        .unwrap()])
        .build()
        .unwrap();
    let local = format!("https://localhost:{port}");
    for (issuer, answer) in [
        (SSO.to_owned(), stage.get(&format!("{SSO}{path}"))),
        (
            local.clone(),
            try_send(direct.get(format!("{tls}{path}"))).unwrap(),
        ),
        (
            stage.server.base().to_owned(),
            get(&format!("{}{path}", stage.server.base())),
        ),
    ] {
        let metadata = answer.is(200).json();
        assert_eq!(metadata["issuer"], issuer);
        let token_url = format!("{issuer}/as/token.oauth2");
        assert_eq!(metadata["token_endpoint"], token_url);
        assert_eq!(
            metadata["jwks_uri"],
            format!("{issuer}/.well-known/jwks.json")
        );
    }
    let token = stage.token();
    let Credential {
        client_id,
        client_secret,
        ..
    } = &stage.credential;
    let form = format!("token={token}&client_id={client_id}&client_secret={client_secret}");
    let plain = format!("{}/as/introspect.oauth2", stage.server.base());
    let seen = post_form(&plain, &form).is(200).json();
    assert_eq!((&seen["active"], &seen["iss"]), (&true.into(), &SSO.into()));
}

#[test]
fn a_token_of_any_name_can_be_exchanged_under_any_other() {
    let stage = Stage::set();
    let create = ["workspace", "create", "Tenant", "--managed-by", "Main"];
    let tenant = stage.world.admin(&create);
    let plain = tenant["tokenUrl"].as_str().unwrap();
    let path = plain.strip_prefix(stage.server.base()).unwrap();
    let named = format!("https://global.api.greenlake.hpe.com{path}");
    let form = |token: &str| {
        format!(
            "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token={token}\
             &subject_token_type=urn:ietf:params:oauth:token-type:access_token"
        )
    };
    let issuer_of = |answer: Reply| {
        let answer = answer.is(200).json();
        issuer(answer["access_token"].as_str().unwrap())
    };
    let token = token_of(&stage.credential);
    assert_eq!(issuer_of(stage.post_form(&named, form(&token))), SSO);
    let token = stage.token();
    assert_eq!(
        issuer_of(post_form(plain, &form(&token))),
        stage.server.base()
    );
}

#[test]
fn the_console_the_credential_api_and_the_definition_have_their_names() {
    let stage = Stage::set();
    for host in ["common.cloud.hpe.com", "console-us1.data.cloud.hpe.com"] {
        let page = stage.get(&format!("https://{host}/")).is(200);
        let text = page.text.replace("<wbr>", "");
        assert!(
            text.contains(&format!("{SSO}/as/token.oauth2")) && text.contains(US1),
            "{text}"
        );
        stage
            .get(&format!("https://{host}/as/token.oauth2"))
            .is(404);
    }
    let console = "https://console-us1.data.cloud.hpe.com/doc/api/v1/storage-api";
    let json = stage.get(&format!("{console}.json")).is(200).json();
    let yaml = stage.get(&format!("{console}.yaml")).is(200);
    assert_eq!(yaml.content_type, "application/yaml");
    let read = hallpass_openapi::Definition::read(&yaml.text).unwrap();
    assert_eq!(read.definition.document(), &json);
    assert!(json["paths"]["/api/v1/volumes"].is_object());

    let credentials = "https://global.api.greenlake.hpe.com/workspaces/v1/credentials";
    let platform = stage.world.create_credential(ANN, "global", "platform");
    let list = stage.get_with(credentials, &stage.token_of(&platform));
    let list = list.is(200);
    assert!(list.text.contains("by name"));
    stage.get(credentials).is(401);
}

#[test]
fn a_request_for_another_name_than_its_connection_is_misdirected() {
    let stage = Stage::set();
    let token = stage.token();
    let ask = |host: &str| -> Reply {
        let request: RequestBuilder = stage.client.get(format!("{US1}{VOLUMES}"));
        try_send(request.bearer_auth(&token).header("host", host)).unwrap()
    };
    ask("us1.data.cloud.hpe.com").is(200);
    for other in ["us-west.api.greenlake.hpe.com", "localhost", "example.com"] {
        let refused = ask(other).is(421).json();
        assert_eq!(refused["errorCode"], "MISDIRECTED_REQUEST");
    }
}

#[test]
fn the_proxy_leads_to_the_stand_in_and_to_nowhere_else() {
    let stage = Stage::set();
    let proxy = stage.server.proxy();
    let metrics = stage.server.metrics().strip_prefix("http://").unwrap();
    let metrics = metrics.split('/').next().unwrap();
    for target in ["example.com:443", "us1.data.cloud.hpe.com:80", metrics] {
        let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n");
        let answer = send_bytes(proxy, request.as_bytes());
        // All that most programs tell of it.
        let line = "HTTP/1.1 403 Forbidden: not a host and port of this stand-in\r\n";
        assert!(answer.starts_with(line), "{answer}");
        assert!(
            answer.contains("leads to a stand-in and to nowhere else"),
            "{answer}"
        );
    }
    let forward = format!("GET http://{metrics}/metrics HTTP/1.1\r\nHost: {metrics}\r\n\r\n");
    let answer = send_bytes(proxy, forward.as_bytes());
    assert!(
        answer.starts_with("HTTP/1.1 403 ") && answer.contains("is for https"),
        "{answer}"
    );
    let elsewhere = try_send(stage.client.get("https://example.com/"));
    assert!(elsewhere.unwrap_err().is_connect());
}

/// As axios does it with an agent of its own.
#[test]
fn a_request_that_a_program_sends_to_the_proxy_in_clear_is_answered_by_name() {
    let stage = Stage::set();
    let (proxy, token) = (stage.server.proxy(), stage.token());
    let host = "us1.data.cloud.hpe.com";
    let ask = |named: &str| {
        let request = format!(
            "GET {US1}{VOLUMES} HTTP/1.1\r\nHost: {named}\r\nAuthorization: Bearer {token}\r\n\
             Connection: close\r\n\r\n"
        );
        send_bytes(proxy, request.as_bytes())
    };
    let answer = ask(host);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(
        answer.contains(&format!("\"requestUri\":\"{US1}{VOLUMES}\"")),
        "{answer}"
    );
    assert!(ask("eu1.data.cloud.hpe.com").starts_with("HTTP/1.1 421 "));
}

#[test]
fn the_authority_outlives_a_restart_and_its_tokens_outlive_the_listener() {
    let Stage {
        world,
        server,
        credential,
        client,
    } = Stage::set();
    let file = world.data().join("ca.pem");
    let first = std::fs::read(&file).unwrap();
    drop(client);
    server.stop();
    let server = Server::start(&world);
    assert_eq!(std::fs::read(&file).unwrap(), first);
    assert_eq!(server.addresses["caFile"].as_str().unwrap(), text(&file));
    let stage = Stage {
        client: program(&world, &server),
        world,
        server,
        credential,
    };
    let token = stage.token();
    stage.server.stop();

    let off = "[listen]\ntls = \"off\"\n";
    std::fs::write(stage.world.data().join("hallpass.toml"), off).unwrap();
    let server = Server::start(&stage.world);
    for name in ["tls", "proxy", "caFile"] {
        assert_eq!(server.addresses[name], Value::Null, "{name}");
    }
    get_with(&server.us1(VOLUMES), &token).is(200);
    let data = stage.world.data();
    let trust = stage
        .world
        .run(&["serve", "--data", text(&data), "--trust"]);
    trust.ended(1).says(&["switched off", "hint: take `tls"]);
}

#[test]
fn trust_is_told_for_the_server_that_runs() {
    let world = World::owner();
    let data = world.data();
    let trust = ["serve", "--data", text(&data), "--trust"];
    world
        .run(&trust)
        .ended(1)
        .says(&["there is no certificate authority", "hint: it is made when"]);
    let server = Server::start(&world);
    let told = world.run(&trust).ok().stdout;
    for word in [
        &format!("HTTPS_PROXY={}", server.proxy()),
        &format!(
            "CURL_CA_BUNDLE={}",
            server.addresses["caFile"].as_str().unwrap()
        ),
        server.tls(),
    ] {
        assert!(told.contains(word), "`{word}` is not told: {told}");
    }
    assert!(server.words().contains("--trust"));
}

/// The built-in region names, and nothing else but what `--trust` says.
#[test]
fn hallpass_works_with_the_names_of_the_regions() {
    let stage = Stage::set();
    let secret = stage.world.path("secret");
    std::fs::write(&secret, &stage.credential.client_secret).unwrap();
    let ca = stage.world.data().join("ca.pem");
    let (ca, proxy) = (text(&ca), stage.server.proxy());
    let hallpass = |arguments: &[&str]| {
        let mut command = stage.world.command(arguments);
        command.env("HTTPS_PROXY", proxy);
        run(&mut command)
    };
    let id = &stage.credential.client_id;
    for region in ["us1", "us-west"] {
        let add = [
            "profile",
            "add",
            region,
            "--region",
            region,
            "--client-id",
            id,
        ];
        let rest = ["--secret-file", text(&secret), "--ca-file", ca];
        hallpass(&[&add[..], &rest].concat()).ok();
        let get = ["get", "/api/v1/volumes", "limit=1", "--profile", region];
        let list = hallpass(&get).ok().json();
        let uri = list["requestUri"].as_str().unwrap();
        assert!(uri.starts_with(&format!("https://{region}.")), "{uri}");
    }
    let add = [
        "profile",
        "add",
        "wrong",
        "--region",
        "eu1",
        "--client-id",
        id,
    ];
    let rest = ["--secret-file", text(&secret), "--ca-file", ca, "--no-test"];
    hallpass(&[&add[..], &rest].concat()).ok();
    hallpass(&["get", "/api/v1/volumes", "--profile", "wrong"]).ended(3);
}
