//! A server with an administrator, and a window in which they sign in.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::is_installed;
use super::totp::code;
use super::window::Window;
use crate::foreign::scripts::Installed;
use crate::server::Server;
use crate::world::{ANN, World};

/// Long enough, and in no list.
pub(super) const PASSWORD: &str = "seven quiet otters knit";

/// What a browser test begins with. The window closes before the server stops.
pub(super) struct Stage {
    pub(super) window: Window,
    pub(super) server: Server,
    world: World,
    /// The link for Ann, still unused.
    link: String,
    /// What stands for what in an address: ids of what there is.
    ids: BTreeMap<&'static str, String>,
}

impl Stage {
    /// `None`, and a word, where there is no browser or no axe-core.
    #[track_caller]
    pub(super) fn set() -> Option<Self> {
        if !can_be_set() {
            return None;
        }
        let world = World::new();
        let ann = world.create_user(ANN, "administrator");
        let server = Server::start(&world);
        let link = ann["setupUrl"].as_str().unwrap();
        let (_, secret) = link.split_once("/setup/").unwrap();
        let link = format!("{}/setup/{secret}", server.base());
        Some(Self::with(world, server, link))
    }

    /// The same with a server that nobody administers yet: the link is the one that it prints.
    #[track_caller]
    pub(super) fn first_start() -> Option<Self> {
        if !can_be_set() {
            return None;
        }
        let world = World::new();
        let server = Server::start(&world);
        let line = server.process.stderr.wait_for("/setup/");
        Some(Self::with(world, server, line.trim().to_owned()))
    }

    fn with(world: World, server: Server, link: String) -> Self {
        let window = Window::start(&world.path(""));
        window.allow_clipboard(server.base());
        Self {
            window,
            server,
            world,
            link,
            ids: BTreeMap::new(),
        }
    }

    /// Opens a page of the server.
    #[track_caller]
    pub(super) fn open(&self, path: &str) {
        self.window.open(&format!("{}{path}", self.server.base()));
    }

    /// Makes a few things of each kind, so that lists have something to show.
    pub(super) fn furnish(&mut self) {
        for (instance, name) in [
            ("us1", "Terraform, storage team, production"),
            ("eu1", "reporting"),
            ("us1", "nightly backup"),
        ] {
            let made = self.world.create_credential(ANN, instance, name);
            self.ids.insert("{credential}", made.client_id);
        }
        let bob = self.world.create_user("bob@example.com", "observer");
        let backup = ["role", "create", "Backup", "--permission", "snapshot.*"];
        let role = self.world.admin(&backup);
        let tenant = self.world.admin(&["workspace", "create", "Tenant"]);
        let instances = self.world.admin(&["instance", "list"]);
        let instance = &instances["items"][0]["applicationInstanceId"];
        let ids = [
            ("{user}", &bob["id"]),
            ("{role}", &role["id"]),
            ("{workspace}", &tenant["workspaceId"]),
            ("{instance}", instance),
        ];
        for (place, id) in ids {
            self.ids.insert(place, id.as_str().unwrap().to_owned());
        }
    }

    /// An address with ids in the places for them.
    pub(super) fn filled(&self, address: &str) -> String {
        let ids = self.ids.iter();
        ids.fold(address.to_owned(), |address, (place, id)| {
            address.replace(place, id)
        })
    }

    /// Opens the link for Ann.
    #[track_caller]
    pub(super) fn open_link(&self) {
        self.window.open(&self.link);
    }

    /// Chooses the password where the link led to; Ann is signed in then.
    #[track_caller]
    pub(super) fn set_password(&self) {
        self.window.fill("Password", PASSWORD);
        self.window.fill("The same password again", PASSWORD);
        self.window.press("Set the password and sign in");
        self.window.says(ANN);
    }

    /// Signs Ann in with her password.
    #[track_caller]
    pub(super) fn sign_in(&self) {
        self.open("/sign-in");
        self.window.fill("E-mail address", ANN);
        self.window.fill("Password", PASSWORD);
        self.window.press("Sign in");
    }
}

#[track_caller]
fn can_be_set() -> bool {
    is_installed() && Installed::find().is_some()
}

/// The code that an authenticator app shows, some steps from now.
#[expect(clippy::disallowed_methods, reason = "an app goes by a clock")]
pub(super) fn code_in(steps: u64, key: &str) -> String {
    let now = u64::try_from(Timestamp::now().as_second()).unwrap();
    code(key, now / 30 + steps)
}
