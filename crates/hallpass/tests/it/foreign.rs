//! The server against clients that we did not write. They read the standards in their own way, and
//! what they get is used: every token opens the resource API.
//!
//! The Rust crate `oauth2` is called from here. Node.js and Python run the scripts in
//! `tests/foreign`, newman the collection and the interpreters the snippets that we write, with packages that `scripts/foreign-clients` installs. Where those are absent the
//! tests say that they skip; with `HALLPASS_FOREIGN=required`, as in `scripts/test`, they fail.

mod curl;
mod hosts;
mod newman;
mod oauth2_crate;
mod schemathesis;
pub(crate) mod scripts;
mod snippets;
mod strict;

use std::process::Command;

use serde_json::Value;

use crate::http::{Reply, get, get_with};
use crate::server::Server;
use crate::world::{ANN, Credential, World, text};

/// What every token is tried with.
const RESOURCE: &str = "/api/v1/storage-systems";

/// A server of its own, with one credential that has a secret.
struct Stage {
    world: World,
    server: Server,
    credential: Credential,
}

impl Stage {
    fn set() -> Self {
        Self::set_with("")
    }

    /// The server is told these settings.
    fn set_with(settings: &str) -> Self {
        let world = World::owner();
        std::fs::write(world.data().join("hallpass.toml"), settings).unwrap();
        let server = Server::start(&world);
        let credential = world.create_credential(ANN, "us1", "foreign");
        Self {
            world,
            server,
            credential,
        }
    }

    /// A credential that authenticates with these public keys; its client id.
    fn register_keys(&self, name: &str, keys: &Value) -> String {
        let file = self.world.path("keys.json");
        std::fs::write(&file, keys.to_string()).unwrap();
        let create = ["credential", "create", "--owner", ANN, "--instance", "us1"];
        let rest = ["--name", name, "--jwks", text(&file)];
        let made = self.world.admin(&[&create[..], &rest].concat());
        made["clientId"].as_str().unwrap().to_owned()
    }

    /// A workspace that the credential's workspace manages; its token URL.
    fn managed_workspace(&self) -> String {
        let create = ["workspace", "create", "Tenant", "--managed-by", "Main"];
        let made = self.world.admin(&create);
        made["tokenUrl"].as_str().unwrap().to_owned()
    }

    /// The audience of tokens for us1 in the profile `rfc9068`.
    fn audience(&self) -> String {
        let instances = self.world.admin(&["instance", "list"]);
        let mut known = instances["items"].as_array().unwrap().iter();
        let us1 = known.find(|instance| instance["name"] == "us1").unwrap();
        let id = us1["applicationInstanceId"].as_str().unwrap();
        format!("urn:uuid:{id}")
    }

    /// The program with a profile of the credential in its environment.
    fn client(&self, arguments: &[&str]) -> Command {
        let mut command = self.world.command(arguments);
        command.envs(self.credential.variables());
        command
    }

    /// How many tokens the credential has got, by the audit log.
    fn minted(&self) -> u64 {
        let events = self.world.admin(&["audit", "list"]);
        let minted = events["items"].as_array().unwrap().iter();
        minted
            .filter(|event| event["message"].as_str().unwrap().contains("token issued"))
            .filter(|event| event["clientId"] == self.credential.client_id.as_str())
            .map(|event| event["count"].as_u64().unwrap())
            .sum()
    }

    fn metadata(&self) -> Value {
        let path = "/.well-known/oauth-authorization-server";
        get(&format!("{}{path}", self.server.base())).is(200).json()
    }

    fn call(&self, token: &str) -> Reply {
        get_with(&format!("{}{RESOURCE}", self.credential.base_url), token)
    }
}

/// Whether a skipped test is to fail.
pub(crate) fn required() -> bool {
    std::env::var_os("HALLPASS_FOREIGN").is_some_and(|word| word == "required")
}

/// Says that a test skips, and why.
#[track_caller]
#[expect(clippy::print_stdout, reason = "a skipped test must say so")]
pub(crate) fn skip(why: &str) {
    let words = format!("skipped: {why}; scripts/foreign-clients installs what is needed");
    assert!(!required(), "{words}");
    println!("{words}");
}
