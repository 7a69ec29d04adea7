//! The client's commands against a running server.

mod calls;
mod check;
mod credentials;
mod doctor;
mod explorer;
mod failures;
mod forms;
mod help;
mod key_ring;
mod lists;
mod odd;
mod profile_secrets;
mod profiles;
mod proxy;
mod requests;
mod samples;
mod terminal;
mod tokens;
mod waits;

use std::process::Command;

use serde_json::json;

use crate::server::Server;
use crate::world::{ANN, Credential, Done, World, run};

/// A server, and a credential of Ann for its us1.
struct Client {
    world: World,
    credential: Credential,
    server: Server,
}

impl Client {
    fn new() -> Self {
        Self::configured("")
    }

    fn configured(configuration: &str) -> Self {
        let world = World::owner();
        std::fs::write(world.data().join("hallpass.toml"), configuration).unwrap();
        let server = Server::start(&world);
        let credential = world.create_credential(ANN, "us1", "nightly");
        Self {
            world,
            credential,
            server,
        }
    }

    /// A command whose profile is in its environment.
    fn command(&self, arguments: &[&str]) -> Command {
        self.command_as(&self.credential, arguments)
    }

    fn command_as(&self, credential: &Credential, arguments: &[&str]) -> Command {
        let mut command = self.world.command(arguments);
        command.envs(credential.variables());
        command
    }

    fn run(&self, arguments: &[&str]) -> Done {
        run(&mut self.command(arguments))
    }

    /// The id of a system that volumes can be created on.
    fn system(&self) -> String {
        let systems = self
            .run(&["call", "DeviceType1SystemsList", "limit=1"])
            .ok()
            .json();
        systems["items"][0]["id"].as_str().unwrap().to_owned()
    }

    /// How many tokens the server has issued to the client, by the audit log.
    fn minted(&self) -> u64 {
        let events = self.world.admin(&["audit", "list"]);
        let minted = events["items"].as_array().unwrap().iter();
        minted
            .filter(|event| event["message"].as_str().unwrap().contains("token issued"))
            .filter(|event| event["clientId"] == json!(self.credential.client_id))
            .map(|event| event["count"].as_u64().unwrap())
            .sum()
    }
}

/// Values of VolumeCreate.
fn new_volume(system: &str, name: &str) -> [String; 4] {
    [
        format!("systemId={system}"),
        format!("name={name}"),
        "sizeMib=16384".to_owned(),
        "userCpg=SSD_r6".to_owned(),
    ]
}
