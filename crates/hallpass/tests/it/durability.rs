//! Nothing that was acknowledged is lost when the process is killed, and nothing that was
//! acknowledged as dead comes back.
//!
//! Threads make, reset, disable and delete credentials, give them second secrets, make and remove
//! signing keys, ask for tokens, use them and revoke them, while a journal keeps what was sent and
//! what was answered. At a moment that chance decides the server is killed with
//! SIGKILL, started again on the same data directory and compared with the journal. What nobody read
//! an answer to may have happened or not, but never by half.
//!
//! A killed process keeps what it gave to the operating system, so this shows that no answer comes
//! before its commit and that no fact lives in memory alone. It does not show what a power cut
//! leaves on a disk; that rests on `synchronous = FULL`.
//!
//! The usual run is short. `scripts/soak` makes it long:
//!
//! - `HALLPASS_SOAK_ROUNDS`: how often the server is killed.
//! - `HALLPASS_SOAK_SEED`: the choices of an earlier run, which printed it. How the threads meet is
//!   not in it, so a failure may take several tries to come again.

mod administration;
mod alarm;
mod chance;
mod credential;
mod journal;
mod keys;
mod load;
mod statements;

use std::hash::{BuildHasher as _, RandomState};
use std::os::unix::fs::DirBuilderExt as _;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use alarm::Moment;
use chance::Chance;
use journal::Journal;
use keys::{KeyState, Origin};
use load::{Addresses, Fixtures, Stage, signer_of};
use statements::{FIXTURE, Statement};

use crate::http::{get_with, token_of};
use crate::server::{Running, Server};
use crate::world::{ANN, Credential, World, eventually};

#[test]
fn nothing_acknowledged_is_lost_and_nothing_dead_comes_back_when_the_server_is_killed() {
    let rounds = variable("HALLPASS_SOAK_ROUNDS").unwrap_or(8);
    let seed = variable("HALLPASS_SOAK_SEED").unwrap_or_else(|| RandomState::new().hash_one(0));
    say(&format!("HALLPASS_SOAK_SEED={seed}, {rounds} rounds"));
    let mut chance = Chance::new(seed);
    let mut left = rounds;
    while left > 0 {
        let mut life = Life::begin(&mut chance);
        for _ in 0..left.min(ROUNDS_OF_A_LIFE) {
            life.round(&mut chance);
            left -= 1;
            life.report(rounds - left);
        }
    }
}

/// Rounds on one data directory: every token and secret is tried again in each of them.
const ROUNDS_OF_A_LIFE: u64 = 10;

/// Keys that are made at once and sign after the next start; nothing that is done in haste is too
/// much.
const CONFIGURATION: &str = r#"
[credentials]
per_owner = 20
[keys]
kind = "ec-p256"
publish_before_seconds = 1
max_age_seconds = 1
[limits]
failures_per_client = 0
failures_per_address = 0
tokens_per_credential = 0
questions_per_credential = 0
"#;

/// Threads that make the load.
const THREADS: u64 = 6;

/// Credentials that exist at a time.
const SLOTS: usize = 5;

/// Ticks until the server is killed: enough for it to be busy, few enough for many kills.
const FEWEST_TICKS: u64 = 40;
const MORE_TICKS: usize = 260;

/// How often at most a starting server is looked at before it is killed: about as long as it starts.
const MOST_LOOKS: usize = 12;

/// One data directory, from its first start over many kills.
struct Life {
    world: World,
    fixtures: Fixtures,
    journal: Mutex<Journal>,
    /// Always there, but for the moment between two servers.
    server: Option<Server>,
    began: Instant,
}

impl Life {
    fn begin(chance: &mut Chance) -> Self {
        let world = World::new();
        let mut folder = std::fs::DirBuilder::new();
        folder.mode(0o700).create(world.data()).unwrap();
        std::fs::write(world.data().join("hallpass.toml"), CONFIGURATION).unwrap();
        kill_while_it_starts(&world, chance);
        world.create_user(ANN, "administrator");
        let server = Server::start(&world);
        let mut journal = Journal::new(SLOTS);
        let fixtures = fixtures(&world, &server);
        for token in [&fixtures.platform_token, &fixtures.us1_token] {
            let key = signer_of(token);
            if journal.keys.find(&key).is_none() {
                journal.keys.learn(&key, KeyState::Active, Origin::Start);
            }
        }
        Self {
            fixtures,
            journal: Mutex::new(journal),
            server: Some(server),
            world,
            began: Instant::now(),
        }
    }

    /// Load, kill, start, check.
    fn round(&mut self, chance: &mut Chance) {
        let server = self.server.take().unwrap();
        self.kill_under_load(server, chance);
        if chance.below(3) == 0 {
            kill_while_it_starts(&self.world, chance);
        }
        let server = Server::start(&self.world);
        let stage = self.stage(&server);
        for statement in Statement::ALL {
            statement.check(&stage);
        }
        self.server = Some(server);
    }

    fn kill_under_load(&self, server: Server, chance: &mut Chance) {
        let stage = self.stage(&server);
        let ticks = FEWEST_TICKS + u64::try_from(chance.below(MORE_TICKS)).unwrap();
        let moment = chance.one_of(&Moment::ALL).unwrap();
        let (killed, kill) = (stage.killed.clone(), server.process.killer());
        stage.journal().set_alarm(ticks, moment, move || {
            killed.store(true, Ordering::SeqCst);
            kill();
        });
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (stage, mut own) = (&stage, chance.split(thread));
                scope.spawn(move || stage.work(&mut own));
            }
        });
        server.kill();
    }

    fn stage(&self, server: &Server) -> Stage<'_> {
        Stage {
            world: &self.world,
            fixtures: &self.fixtures,
            journal: &self.journal,
            addresses: Addresses::of(server),
            killed: Arc::new(AtomicBool::new(false)),
        }
    }

    fn report(&self, round: u64) {
        let journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = self.began.elapsed().as_secs();
        say(&format!(
            "round {round}: {}, {seconds} s of this data directory",
            journal.summary()
        ));
    }
}

/// A start that is killed: some time after it has begun to work on the data, so at most times before
/// it is ready.
fn kill_while_it_starts(world: &World, chance: &mut Chance) {
    let mut process = Running::start(&mut Server::command(world));
    let (lock, id) = (world.data().join("serve.lock"), process.id().to_string());
    let mut looks = chance.below(MOST_LOOKS);
    eventually("a server that holds the lock", || {
        let text = std::fs::read_to_string(&lock).ok()?;
        let holds_it = text.split(' ').nth(1) == Some(&id);
        if holds_it && looks > 0 {
            looks -= 1;
            return None;
        }
        holds_it.then_some(())
    });
    process.kill();
}

/// What stays the same over all rounds, tokens included.
fn fixtures(world: &World, server: &Server) -> Fixtures {
    let make = |instance| -> Credential {
        world.create_credential(ANN, instance, &format!("{FIXTURE} {instance}"))
    };
    let us1_token = token_of(&make("us1"));
    let instances = world.admin(&["instance", "list"]);
    let mut items = instances["items"].as_array().unwrap().iter();
    let us1 = items.find(|item| item["name"] == "us1").unwrap();
    let systems = server.us1("/api/v1/storage-systems/device-type1?limit=1");
    let systems = get_with(&systems, &us1_token).is(200).json();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    Fixtures {
        instance: text(&us1["applicationInstanceId"]),
        system: text(&systems["items"][0]["id"]),
        platform_token: token_of(&make("global")),
        us1_token,
    }
}

fn variable<T: FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    let parsed = text.parse();
    Some(parsed.unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// For `scripts/soak`, and for whoever looks at a failure.
#[expect(clippy::print_stdout, reason = "the test harness shows it when wanted")]
fn say(words: &str) {
    println!("durability: {words}");
}
