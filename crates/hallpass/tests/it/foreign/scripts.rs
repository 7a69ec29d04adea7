//! npm's openid-client with jose, Python's Authlib with joserfc, and requests_oauthlib: scripts that
//! get the stage as JSON in `STAGE` and print a line for each case that held.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{RESOURCE, Stage, skip};
use crate::world::Done;

/// What is to be installed, and where its copy shows what is.
const LISTS: [(&str, &str); 3] = [
    (
        "requirements.txt",
        include_str!("../../foreign/requirements.txt"),
    ),
    ("package.json", include_str!("../../foreign/package.json")),
    (
        "package-lock.json",
        include_str!("../../foreign/package-lock.json"),
    ),
];

/// Node.js and Python with their packages.
pub(crate) struct Installed(PathBuf);

impl Installed {
    /// `None`, and a word, where they are absent or of other versions than the lists say.
    #[track_caller]
    pub(crate) fn find() -> Option<Self> {
        let folder = Self::folder();
        for (name, wanted) in LISTS {
            if std::fs::read_to_string(folder.join(name)).is_ok_and(|found| found == wanted) {
                continue;
            }
            skip(&format!(
                "{} does not have what {name} lists",
                folder.display()
            ));
            return None;
        }
        Some(Self(folder))
    }

    /// Where they are, if they are.
    pub(crate) fn folder() -> PathBuf {
        Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("foreign")
    }

    fn node(&self, stage: &Value, script: &str, phase: &str) -> Done {
        let mut command = self.command("node", stage);
        // A script from stdin finds its packages from the working directory.
        command.args(["--input-type=module", "-", phase]);
        run(&mut command, script)
    }

    fn python(&self, stage: &Value, script: &str, phase: &str) -> Done {
        let mut command = self.command("python", stage);
        // The libraries refuse plain HTTP, also on loopback, unless they are told.
        command.env("OAUTHLIB_INSECURE_TRANSPORT", "1");
        command.env("AUTHLIB_INSECURE_TRANSPORT", "1");
        command.args(["-I", "-", phase]);
        run(&mut command, script)
    }

    fn command(&self, program: &str, stage: &Value) -> Command {
        let mut command = self.program(program);
        command.current_dir(&self.0).env("STAGE", stage.to_string());
        command
    }

    /// `node` or `python`, with nothing of the environment that the tests run in.
    pub(super) fn program(&self, program: &str) -> Command {
        let mut command = Command::new(self.0.join("venv/bin").join(program));
        command.env_clear().env("NO_PROXY", "*");
        command
    }

    /// A file of a package from npm.
    pub(crate) fn package(&self, file: &str) -> PathBuf {
        self.0.join("node_modules").join(file)
    }
}

fn run(command: &mut Command, script: &str) -> Done {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(script.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap().into()
}

impl Stage {
    /// What a script needs to know. `keys` are those it made: by algorithm, public and private.
    fn told(&self, keys: &Value) -> Value {
        let mut clients = serde_json::Map::new();
        for (algorithm, pair) in keys.as_object().into_iter().flatten() {
            let id = self.register_keys(algorithm, &json!({"keys": [pair["public"]]}));
            clients.insert(algorithm.clone(), json!({"id": id, "key": pair["private"]}));
        }
        json!({
            "issuer": self.server.base(),
            "tokenUrl": self.server.token_url(),
            "audience": "external_api",
            "resource": format!("{}{RESOURCE}", self.credential.base_url),
            "clientId": self.credential.client_id,
            "clientSecret": self.credential.client_secret,
            "keyClients": clients,
        })
    }
}

/// Each of the cases must have held, and there must be no other.
#[track_caller]
fn held(done: Done, cases: &[&str]) {
    let done = done.ok();
    let lines: Vec<&str> = done.stdout.lines().collect();
    assert_eq!(lines, cases, "{done:#?}");
}

#[test]
fn openid_client() {
    let Some(installed) = Installed::find() else {
        return;
    };
    let script = include_str!("../../foreign/openid_client.mjs");
    let keys = installed.node(&Value::Null, script, "keys").ok().json();
    let stage = Stage::set();
    let mut told = stage.told(&keys);
    told["tenantTokenUrl"] = stage.managed_workspace().into();
    let cases = [
        "oauth2 metadata",
        "oidc metadata",
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt RS256",
        "private_key_jwt ES256",
        "private_key_jwt Ed25519",
        "wrong secret by client_secret_basic",
        "wrong secret by client_secret_post",
        "token exchange without authentication",
        "token exchange by client_secret_post",
    ];
    held(installed.node(&told, script, "run"), &cases);
}

#[test]
fn authlib() {
    let Some(installed) = Installed::find() else {
        return;
    };
    let script = include_str!("../../foreign/authlib_client.py");
    let keys = installed.python(&Value::Null, script, "keys").ok().json();
    let stage = Stage::set();
    let cases = [
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt for the issuer",
        "private_key_jwt as it comes is refused",
        "wrong secret",
    ];
    held(
        installed.python(&stage.told(&keys), script, "strict"),
        &cases,
    );
    let events = stage.world.admin(&["audit", "list"]).to_string();
    for words in [
        "the assertion is for another audience",
        "the assertion lives too long",
    ] {
        assert!(events.contains(words), "`{words}` is not told: {events}");
    }
}

/// Authlib's assertions are for the URL it asks and live an hour.
#[test]
fn authlib_as_it_comes() {
    let Some(installed) = Installed::find() else {
        return;
    };
    let script = include_str!("../../foreign/authlib_client.py");
    let keys = installed.python(&Value::Null, script, "keys").ok().json();
    let stage = Stage::set_with(
        "[tokens]\nprofile = \"rfc9068\"\nassertions_for_endpoint = true\n\
         assertion_lifetime_seconds = 3600\n",
    );
    let mut told = stage.told(&keys);
    let workspaces = stage.world.admin(&["workspace", "list"]);
    told["workspaceTokenUrl"] = workspaces["items"][0]["tokenUrl"].clone();
    told["audience"] = stage.audience().into();
    let cases = [
        "private_key_jwt for the endpoints",
        "private_key_jwt for the workspace's token URL",
    ];
    held(installed.python(&told, script, "lenient"), &cases);
}

#[test]
fn requests_oauthlib() {
    let Some(installed) = Installed::find() else {
        return;
    };
    let script = include_str!("../../foreign/requests_oauthlib_client.py");
    let stage = Stage::set();
    let cases = [
        "credential in the Authorization header",
        "credential in the body",
        "wrong secret in the Authorization header",
        "wrong secret in the body",
    ];
    held(
        installed.python(&stage.told(&Value::Null), script, "run"),
        &cases,
    );
}
