//! An explorer, a sandbox for its requests, and a window in which somebody is let in.
//!
//! A test begins with [`Stage::served`] or [`Stage::local`], opens a workspace with
//! [`Stage::create_workspace`] and then does what a person would, by the words of labels and buttons, with
//! the functions of [`Window`]: `press`, `fill`, `says`, `finds`. [`Stage::ask`] sends what the page's
//! scripts would, for what a test needs but is not about.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::super::is_installed;
use super::super::stage::PASSWORD;
use super::super::window::Window;
use crate::foreign::scripts::Installed;
use crate::server::{Running, Server};
use crate::world::{ANN, Credential, World};

/// What a test of the explorer begins with. The window closes before the servers stop.
pub(super) struct Stage {
    pub(super) window: Window,
    /// Where the explorer is, without a path.
    pub(super) origin: String,
    /// A credential of the server's instance `us1`.
    pub(super) credential: Credential,
    /// The server with the sandbox.
    pub(super) server: Server,
    _explorer: Option<Running>,
    world: World,
}

impl Stage {
    /// `/explorer` of `hallpass serve` over TLS; Ann, an administrator, is signed in. `None`, and a word,
    /// where there is no browser or no axe-core.
    #[track_caller]
    pub(super) fn served() -> Option<Self> {
        Self::served_with("")
    }

    /// The same with these settings of the server.
    #[track_caller]
    pub(super) fn served_with(settings: &str) -> Option<Self> {
        if !is_ready() {
            return None;
        }
        let world = World::new();
        let ann = world.create_user(ANN, "administrator");
        std::fs::write(world.data().join("hallpass.toml"), settings).unwrap();
        let server = Server::start(&world);
        let credential = own_credential(&world, &server);
        let window = Window::start_trusting(&world.path(""));
        let origin = server.tls().trim_end_matches('/').to_owned();
        window.allow_clipboard(&origin);
        let link = ann["setupUrl"].as_str().unwrap();
        let (_, secret) = link.split_once("/setup/").unwrap();
        window.open(&format!("{origin}/setup/{secret}"));
        window.fill("Password", PASSWORD);
        window.fill("The same password again", PASSWORD);
        window.press("Set the password and sign in");
        window.says(ANN);
        Some(Self {
            window,
            origin,
            credential,
            server,
            _explorer: None,
            world,
        })
    }

    /// `hallpass explorer`, opened by the address that it prints.
    #[track_caller]
    pub(super) fn local() -> Option<Self> {
        if !is_ready() {
            return None;
        }
        let world = World::owner();
        let server = Server::start(&world);
        let credential = own_credential(&world, &server);
        let explorer = Running::start(&mut world.command(&["explorer"]));
        let invitation = explorer.stdout.wait_for("http://");
        let (origin, _) = invitation.split_once("/explorer").unwrap();
        let origin = origin.to_owned();
        let window = Window::start(&world.path(""));
        window.allow_clipboard(&origin);
        window.open(&invitation);
        window.says("Create a workspace");
        Some(Self {
            window,
            origin,
            credential,
            server,
            _explorer: Some(explorer),
            world,
        })
    }

    /// Makes a workspace on the page for it, and waits until it can be used.
    #[track_caller]
    pub(super) fn create_workspace(&self, name: &str, definition: Definition) {
        self.window.open(&format!("{}/explorer", self.origin));
        self.window.fill("Name", name);
        if definition != Definition::BuiltIn {
            self.window.click_on("input[name=built_in]");
        }
        self.window.press("Create workspace");
        self.is_usable();
        if let Definition::Real(path) = definition {
            self.import(&path);
        }
    }

    /// Waits until the page of a workspace can be used.
    #[track_caller]
    pub(super) fn is_usable(&self) {
        self.window.finds("#explorer[data-ready=true]");
    }

    /// Opens a view by what stands behind the `#`: `/authorization`.
    #[track_caller]
    pub(super) fn go(&self, view: &str) {
        let go = "location.hash = arguments[0]";
        self.window.script(go, &json!([view]));
    }

    /// What the server answers to a request below the workspace's address; it must do it.
    #[track_caller]
    pub(super) fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let send = "const [method, path, body, done] = arguments;
            const { workspace, formToken } = document.getElementById('explorer').dataset;
            const isText = typeof body === 'string';
            fetch(`/explorer/api/w/${workspace}${path}`, {
              method,
              headers: { 'x-csrf-token': formToken,
                'content-type': isText ? 'application/octet-stream' : 'application/json' },
              body: body === null ? undefined : isText ? body : JSON.stringify(body),
            }).then(async (answer) => {
              const text = await answer.text();
              done(answer.ok ? { said: text ? JSON.parse(text) : null } : { status: answer.status, text });
            }, (error) => done({ text: String(error) }))";
        let mut answer = self
            .window
            .wait_for_script(send, &json!([method, path, body]));
        assert!(
            answer.get("said").is_some(),
            "{method} {path}: {}",
            answer["text"]
        );
        answer["said"].take()
    }

    /// The workspace as its page knows it.
    #[track_caller]
    pub(super) fn workspace(&self) -> Value {
        self.ask("GET", "", &Value::Null)
    }

    /// Makes the workspace's requests go to the instance `us1`, with tokens of the credential.
    #[track_caller]
    pub(super) fn authorize(&self) {
        let own = &self.credential;
        let workspace = self.workspace();
        let all = workspace["environments"].as_array().unwrap();
        let us1 = all
            .iter()
            .find(|one| one["variables"][0]["initial"] == *own.base_url);
        self.ask(
            "PATCH",
            "",
            &json!({ "activeEnvironment": us1.unwrap()["id"] }),
        );
        let authorization = json!({
            "type": "oauth2", "tokenName": "Mine", "grantType": "client_credentials",
            "accessTokenUrl": own.token_url, "clientId": own.client_id,
            "clientSecret": { "kind": "typed", "text": own.client_secret }, "scope": "",
            "clientAuthentication": "body", "headerPrefix": "Bearer", "addTo": "header", "renew": true,
        });
        self.ask("PUT", "/authorization", &authorization);
        self.window.script("location.reload()", &json!([]));
        self.is_usable();
    }

    /// A file of this text that the browser can take.
    pub(super) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.world.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// No secret is in the page, to be seen or not.
    #[track_caller]
    pub(super) fn hides(&self, secret: &str) {
        let held = "return document.documentElement.outerHTML.includes(arguments[0])
            || [...document.querySelectorAll('input, textarea')].some((one) => one.value.includes(arguments[0]))
            || JSON.stringify([{ ...localStorage }, { ...sessionStorage }]).includes(arguments[0])";
        let held = self.window.script(held, &json!([secret]));
        assert_eq!(held, false, "{} holds a secret", self.window.url());
    }

    /// Takes a definition into the workspace, and loads the page anew.
    #[track_caller]
    fn import(&self, path: &Path) {
        let text = std::fs::read_to_string(path).unwrap();
        let looked = self.ask(
            "POST",
            "/definitions/look?source=storage-api.json",
            &json!(text),
        );
        let import = json!({ "look": looked["look"], "documentation": true, "replaces": null });
        self.ask("POST", "/definitions", &import);
        self.window.script("location.reload()", &json!([]));
        self.window
            .finds("#explorer[data-ready=true] [role=treeitem]");
    }
}

/// What a workspace begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Definition {
    /// Nothing.
    None,
    /// The one that comes with the program.
    BuiltIn,
    /// The real one, which is not a part of the project.
    Real(PathBuf),
}

impl Definition {
    /// The real one, where somebody has put it.
    pub(super) fn real() -> Option<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"));
        let path = path.join("../../../shared/data/storage-api.json");
        path.exists().then_some(Self::Real(path))
    }

    /// All that there are here: the one that comes with the program, and the real one, or a word that it
    /// is missing.
    #[expect(
        clippy::print_stderr,
        reason = "whoever runs the test should know what was not run"
    )]
    pub(super) fn all() -> Vec<Self> {
        let real = Self::real();
        if real.is_none() {
            eprintln!("skipped: there is no real definition at ../shared/data/storage-api.json");
        }
        [Self::BuiltIn].into_iter().chain(real).collect()
    }
}

#[track_caller]
fn is_ready() -> bool {
    is_installed() && Installed::find().is_some()
}

/// A credential of Ann's, at the addresses of the running server.
fn own_credential(world: &World, server: &Server) -> Credential {
    server.moved(&world.create_credential(ANN, "us1", "explorer"))
}
