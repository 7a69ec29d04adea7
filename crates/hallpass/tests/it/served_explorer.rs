//! `/explorer` inside `hallpass serve`: open to people signed in, each to their own, under every name of
//! the console, and closed to everybody else.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::Path;

use reqwest::{Certificate, Client, Method, Proxy};
use serde_json::{Value, json};

use crate::http::{Reply, form_request, get, plain_request, post_form, send_as, try_send};
use crate::server::Server;
use crate::world::{ANN, World, files};

const PASSWORD: &str = "password=tin+lamp+orbit+nine&again=tin+lamp+orbit+nine";

/// A workspace that nobody has.
const NOWHERE: &str = "0000000000000000";

const METHODS: [Method; 5] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

/// Somebody signed in in a browser.
struct Person<'a> {
    server: &'a Server,
    cookie: String,
    form_token: String,
}

impl<'a> Person<'a> {
    /// Somebody who has just chosen a password.
    fn new(server: &'a Server, user: &Value) -> Self {
        let link = user["setupUrl"].as_str().unwrap();
        let (_, secret) = link.rsplit_once('/').unwrap();
        let url = format!("{}/setup/{secret}", server.base());
        let entered = post_form(&url, PASSWORD).is(303);
        let cookie = entered.headers["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let request = plain_request(&Method::GET, &format!("{}/explorer", server.base()));
        let page = try_send(request.header("cookie", &cookie)).unwrap().is(200);
        let (_, token) = page
            .text
            .split_once("name=\"form_token\" value=\"")
            .unwrap();
        let form_token = token.split('"').next().unwrap().to_owned();
        Self {
            server,
            cookie,
            form_token,
        }
    }

    fn open(&self, path: &str) -> Reply {
        let url = format!("{}{path}", self.server.base());
        let request = plain_request(&Method::GET, &url);
        try_send(request.header("cookie", &self.cookie)).unwrap()
    }

    /// A request as the page's script sends it.
    fn ask(&self, method: &Method, path: &str, body: &Value) -> Reply {
        self.ask_with(Some(&self.form_token), method, path, body)
    }

    fn ask_with(&self, token: Option<&str>, method: &Method, path: &str, body: &Value) -> Reply {
        let request = plain_request(method, &format!("{}{path}", self.server.base()));
        let mut request = request.header("cookie", &self.cookie);
        if let Some(token) = token {
            request = request.header("x-csrf-token", token);
        }
        if !body.is_null() {
            request = request.header("content-type", "application/json");
            request = request.body(body.to_string());
        }
        try_send(request).unwrap()
    }

    /// A new workspace with the built-in definition; its id.
    fn workspace(&self, name: &str) -> String {
        let new = json!({"name": name, "builtIn": true});
        let made = self.ask(&Method::POST, "/explorer/api/workspaces", &new);
        made.is(201).json()["id"].as_str().unwrap().to_owned()
    }
}

/// Every address of the interface.
const ADDRESSES: [&str; 34] = [
    "/explorer/api/regions",
    "/explorer/api/workspaces",
    "/explorer/api/workspaces/import",
    "/explorer/api/w/{workspace}",
    "/explorer/api/w/{workspace}/answers/{answer}/body",
    "/explorer/api/w/{workspace}/authorization",
    "/explorer/api/w/{workspace}/authorization/draft",
    "/explorer/api/w/{workspace}/definitions",
    "/explorer/api/w/{workspace}/definitions/look",
    "/explorer/api/w/{workspace}/definitions/{definition}",
    "/explorer/api/w/{workspace}/definitions/{definition}/download",
    "/explorer/api/w/{workspace}/definitions/{definition}/library",
    "/explorer/api/w/{workspace}/definitions/{definition}/operations/{operation}",
    "/explorer/api/w/{workspace}/definitions/{definition}/source",
    "/explorer/api/w/{workspace}/draft",
    "/explorer/api/w/{workspace}/environments",
    "/explorer/api/w/{workspace}/environments/{environment}",
    "/explorer/api/w/{workspace}/export",
    "/explorer/api/w/{workspace}/favourites",
    "/explorer/api/w/{workspace}/history",
    "/explorer/api/w/{workspace}/history/{entry}",
    "/explorer/api/w/{workspace}/preview",
    "/explorer/api/w/{workspace}/samples",
    "/explorer/api/w/{workspace}/saved",
    "/explorer/api/w/{workspace}/saved/{saved}",
    "/explorer/api/w/{workspace}/send",
    "/explorer/api/w/{workspace}/tasks/look",
    "/explorer/api/w/{workspace}/tokens",
    "/explorer/api/w/{workspace}/tokens/{token}",
    "/explorer/api/w/{workspace}/tokens/{token}/use",
    "/explorer/api/w/{workspace}/tokens/{token}/value",
    "/explorer/api/w/{workspace}/trust",
    "/explorer/api/w/{workspace}/variables",
    "/explorer/api/w/{workspace}/variables/look",
];

/// How many addresses the explorer's sources have, but for its pages.
fn routes() -> usize {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../explorer/src");
    let files = files(&sources).into_iter();
    let of_interface = files.filter(|file| !file.ends_with("page.rs"));
    let texts = of_interface.map(|file| std::fs::read_to_string(file).unwrap());
    let routing = texts.filter(|text| text.contains("fn routes() -> Router"));
    routing.map(|text| text.matches(".route(").count()).sum()
}

#[test]
fn every_address_of_the_interface_has_a_row() {
    assert_eq!(ADDRESSES.len(), routes());
}

/// An address with a workspace, and something in the places of what is in it.
fn filled(address: &str, workspace: &str, definition: &str) -> String {
    let mut filled = address.replace("{workspace}", workspace);
    filled = filled.replace("{definition}", definition);
    while let Some((before, rest)) = filled.split_once('{') {
        let (_, after) = rest.split_once('}').unwrap();
        filled = format!("{before}{NOWHERE}{after}");
    }
    filled
}

#[test]
fn somebody_signed_in_makes_a_workspace_that_outlives_the_server() {
    let world = World::new();
    let ann = world.create_user(ANN, "administrator");
    let server = Server::start(&world);
    let person = Person::new(&server, &ann);
    let list = person.open("/explorer").is(200);
    assert!(
        list.text
            .contains(r#"<a href="/explorer" aria-current="page">"#)
    );
    assert!(list.text.contains(ANN), "{}", list.text);

    // By the form of the page, which carries the token itself.
    let url = format!("{}/explorer/workspaces", server.base());
    let form = |token: &str| format!("name=Arrays&built_in=on&form_token={token}");
    let request = |form: &str| form_request(&url, form).header("cookie", &person.cookie);
    try_send(request(&form("x"))).unwrap().is(403);
    try_send(request("name=Arrays")).unwrap().is(403);
    let made = try_send(request(&form(&person.form_token)))
        .unwrap()
        .is(303);
    let page = made.headers["location"].to_str().unwrap().to_owned();
    let workspace = page.rsplit('/').next().unwrap().to_owned();
    assert!(person.open(&page).is(200).text.contains(&workspace));

    let view = person.open(&format!("/explorer/api/w/{workspace}")).is(200);
    let view = view.json();
    let environments = view["environments"].as_array().unwrap().iter();
    let base_urls: Vec<&str> = environments
        .map(|one| one["variables"][0]["initial"].as_str().unwrap())
        .collect();
    let instances = &server.addresses["instances"];
    for instance in ["eu1", "jp1", "us1"] {
        let base_url = instances[instance].as_str().unwrap();
        assert!(base_urls.contains(&base_url), "{instance}: {base_urls:?}");
    }
    assert_eq!(base_urls.len(), 3, "the platform is no place of the API");
    let token_url = &view["authorization"]["accessTokenUrl"];
    assert_eq!(*token_url, server.addresses["tokenUrl"]);
    let cookie = person.cookie.clone();
    server.stop();

    let server = Server::start(&world);
    let url = format!("{}/explorer/api/workspaces", server.base());
    let request = plain_request(&Method::GET, &url).header("cookie", cookie);
    let kept = try_send(request).unwrap().is(200).json();
    assert_eq!(kept[0]["id"], workspace.as_str());
    assert_eq!(kept[0]["name"], "Arrays");
    server.stop();
}

#[test]
fn nobody_reaches_anything_of_somebody_elses_workspace() {
    let world = World::new();
    let users = [ANN, "bob@example.com"].map(|email| world.create_user(email, "administrator"));
    let server = Server::start(&world);
    let [ann, bob] = users.map(|user| Person::new(&server, &user));
    let workspace = ann.workspace("Ann's");
    let view = format!("/explorer/api/w/{workspace}");
    let before = ann.open(&view).is(200).json();
    let definition = before["definitions"][0]["id"].as_str().unwrap();

    let own = bob.open("/explorer/api/workspaces").is(200).json();
    assert_eq!(own, json!([]));
    bob.open(&format!("/explorer/w/{workspace}")).is(404);
    let mut answered = 0;
    for address in ADDRESSES {
        if !address.contains("{workspace}") {
            continue;
        }
        for method in METHODS {
            for body in [Value::Null, json!({}), json!({"name": "Mine"})] {
                let there = filled(address, &workspace, definition);
                let nowhere = filled(address, NOWHERE, definition);
                let there = bob.ask(&method, &there, &body);
                let nowhere = bob.ask(&method, &nowhere, &body);
                let what = format!("{method} {address} {body}: {there:?}");
                assert!(matches!(there.status, 404 | 405), "{what}");
                assert_eq!(there.status, nowhere.status, "{what}");
                let same = nowhere.text.replace(NOWHERE, "") == there.text.replace(&workspace, "");
                assert!(same, "{what} {nowhere:?}");
                answered += usize::from(there.status == 404);
            }
        }
    }
    assert!(answered >= 30, "{answered} were not found");
    assert_eq!(ann.open(&view).is(200).json(), before);
    server.stop();
}

/// What is sent from the server's own place in the network goes to what it serves, and nowhere else.
#[test]
fn nothing_is_sent_to_where_the_server_does_not_serve() {
    let world = World::new();
    let ann = world.create_user(ANN, "administrator");
    let server = Server::start(&world);
    let person = Person::new(&server, &ann);
    let workspace = person.workspace("Elsewhere");
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let port = elsewhere.local_addr().unwrap().port();
    let path = |rest: &str| format!("/explorer/api/w/{workspace}/{rest}");
    let draft = |url: &str| {
        json!({
            "method": "GET", "url": url, "parameters": [], "headers": [], "body": null,
            "authorization": {"type": "none"},
        })
    };
    let sent = |url: &str| person.ask(&Method::POST, &path("send"), &draft(url));
    let there = sent(&server.us1("/api/v1/storage-systems")).is(200).json();
    assert_eq!(there["status"], 401, "what is served is reached: {there}");

    let metrics = server.metrics();
    let console = format!("{}/sign-in", server.base());
    for url in [
        format!("http://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://2130706433:{port}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        metrics.to_owned(),
        console,
    ] {
        let refused = sent(&url);
        assert!(matches!(refused.status, 403 | 422), "{url}: {refused:?}");
        let error = &refused.json()["error"];
        assert!(error["hint"].is_string(), "{url}: {error}");
    }

    // Nor is a client's secret sent there, a definition fetched, or a task looked at.
    let tokens = json!({"authorization": {
        "type": "oauth2", "tokenName": "", "grantType": "client_credentials",
        "accessTokenUrl": format!("http://127.0.0.1:{port}/as/token.oauth2"), "clientId": "x",
        "clientSecret": {"kind": "reference", "text": "{{baseUrl}}"}, "scope": "",
        "clientAuthentication": "body", "headerPrefix": "Bearer", "addTo": "header", "renew": true,
    }});
    let look = json!({"url": format!("http://127.0.0.1:{port}/definition.json")});
    let task = format!("http://127.0.0.1:{port}/task");
    let task = json!({"uri": task, "draft": draft(&task)});
    for (rest, body) in [
        ("tokens", tokens),
        ("definitions/look", look),
        ("tasks/look", task),
    ] {
        let refused = person.ask(&Method::POST, &path(rest), &body);
        assert!(matches!(refused.status, 403 | 422), "{rest}: {refused:?}");
    }
    let nobody = elsewhere.accept().unwrap_err();
    assert_eq!(nobody.kind(), ErrorKind::WouldBlock);
    server.stop();
}

#[test]
fn strangers_and_other_sites_get_nothing_and_change_nothing() {
    let world = World::new();
    let users = [ANN, "bob@example.com"].map(|email| world.create_user(email, "administrator"));
    let server = Server::start(&world);
    let [ann, bob] = users.map(|user| Person::new(&server, &user));
    let workspace = ann.workspace("Ann's");
    let path = |address: &str| filled(address, &workspace, NOWHERE);
    for address in ADDRESSES {
        let path = path(address);
        let url = format!("{}{path}", server.base());
        let mut routed = 0;
        for method in METHODS {
            let stranger = send_as(&method, &url);
            if stranger.status == 405 {
                continue;
            }
            routed += 1;
            let stranger = stranger.is(401);
            assert!(
                stranger.json()["error"]["hint"].is_string(),
                "{method} {path}"
            );
            if method == Method::GET {
                continue;
            }
            for token in [None, Some("x"), Some(bob.form_token.as_str())] {
                let refused = ann.ask_with(token, &method, &path, &json!({"name": "X"}));
                assert_eq!(refused.status, 403, "{method} {path}: {refused:?}");
            }
        }
        assert!(routed > 0, "{path} is answered to no method");
    }
    for page in ["/explorer", &format!("/explorer/w/{workspace}")] {
        let away = get(&format!("{}{page}", server.base())).is(303);
        let to = away.headers["location"].to_str().unwrap();
        assert!(to.starts_with("/sign-in?to=%2Fexplorer"), "{to}");
    }
    assert_eq!(
        ann.open("/explorer/api/workspaces").is(200).json()[0]["name"],
        "Ann's"
    );

    // Who was removed has nothing there any more, and is out at once.
    let mine = bob.workspace("Bob's");
    world.admin(&["user", "remove", "--email", "bob@example.com"]);
    bob.open(&format!("/explorer/api/w/{mine}")).is(401);
    server.stop();
}

#[test]
fn the_explorer_is_under_the_names_of_the_console_and_can_be_switched_off() {
    let world = World::new();
    let ann = world.create_user(ANN, "administrator");
    let server = Server::start(&world);
    let person = Person::new(&server, &ann);
    let authority = std::fs::read(world.data().join("ca.pem")).unwrap();
    let client = Client::builder()
        .proxy(Proxy::all(server.proxy()).unwrap())
        .tls_certs_only([Certificate::from_pem(&authority).unwrap()])
        .pool_max_idle_per_host(0)
        .build()
        .unwrap();
    let host = "https://console-us1.data.cloud.hpe.com";
    let open = |path: &str| {
        let request = client.get(format!("{host}{path}"));
        try_send(request.header("cookie", &person.cookie)).unwrap()
    };
    let list = open("/explorer").is(200);
    assert_eq!(
        list.headers["strict-transport-security"],
        "max-age=31536000"
    );
    let regions = open("/explorer/api/regions").is(200).json();
    let us1 = regions.as_array().unwrap().iter();
    let us1 = us1.clone().find(|one| one["name"] == "us1").unwrap();
    assert_eq!(us1["baseUrl"], "https://us1.data.cloud.hpe.com");
    assert_eq!(us1["title"], "US West");
    let plain = person.open("/explorer/api/regions").is(200).json();
    assert!(
        plain
            .to_string()
            .contains(server.addresses["instances"]["us1"].as_str().unwrap())
    );
    let cookie = person.cookie.clone();
    server.stop();

    std::fs::write(
        world.data().join("hallpass.toml"),
        "[explorer]\nenabled = false\n",
    )
    .unwrap();
    let server = Server::start(&world);
    get(&format!("{}/explorer", server.base())).is(404);
    let url = format!("{}/console/credentials", server.base());
    let request = plain_request(&Method::GET, &url).header("cookie", cookie);
    let page = try_send(request).unwrap().is(200);
    assert!(!page.text.contains("/explorer"), "{}", page.text);
    server.stop();
}
