//! What must be true of a server that was started again on the data directory of a killed one.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::Value;

use super::credential::{ChangeKind, Outcome, Standing};
use super::journal::{Journal, SecretAt, TokenAt};
use super::keys::{KeyChangeKind, KeyState, Origin};
use super::load::Stage;
use crate::http::{bare_request, get, get_with, try_send};

/// What is checked after each start.
#[derive(Debug, Clone, Copy)]
pub(super) enum Statement {
    /// The list holds what was made and not deleted, and nothing else; of each change that nobody
    /// read an answer to, either everything happened or nothing.
    Credentials,
    /// Every key that was made is there, none that was removed is, one signs, and the published set
    /// holds them and no other.
    Keys,
    /// Tokens that must live do, tokens that must be dead are, and no credential has two.
    Tokens,
    /// Secrets that must be dead are, and each credential's own is good for a token that ends the
    /// one before.
    Secrets,
    /// Each change is in the audit log as often as it happened, and no token is missing there.
    Audit,
    /// The task of each accepted change of the stand-in is known.
    Tasks,
}

impl Statement {
    /// In this order: asking for a token ends another, and what the first finds out about lost
    /// changes is what the others demand.
    pub(super) const ALL: [Self; 6] = [
        Self::Credentials,
        Self::Keys,
        Self::Tokens,
        Self::Secrets,
        Self::Audit,
        Self::Tasks,
    ];

    pub(super) fn check(self, stage: &Stage<'_>) {
        match self {
            Self::Credentials => stage.check_credentials(),
            Self::Keys => stage.check_keys(),
            Self::Tokens => stage.check_tokens(),
            Self::Secrets => stage.check_secrets(),
            Self::Audit => stage.check_audit(),
            Self::Tasks => stage.check_tasks(),
        }
    }
}

/// The credentials that belong to the run itself have names that begin so.
pub(super) const FIXTURE: &str = "fixture";

impl Stage<'_> {
    fn check_credentials(&self) {
        let mut listed = self.listed();
        let mut journal = self.journal();
        for (slot, credential) in journal.unsettled() {
            let known = &mut journal.credentials[credential];
            if known.client_id.is_none() {
                // The name is free for nobody else while the slot is taken.
                let found = listed.iter().find(|(_, item)| item.name == known.name);
                known.client_id = found.map(|(id, _)| id.clone());
            }
            let item = known.client_id.as_ref().and_then(|id| listed.get(id));
            let last = known.changes.last().unwrap();
            let done = match last.kind {
                ChangeKind::Create => item.is_some(),
                ChangeKind::Delete => item.is_none(),
                ChangeKind::Reset | ChangeKind::Disable => {
                    let before = known.generation();
                    item.is_some_and(|item| item.generation > before)
                }
                ChangeKind::Enable => item.is_some_and(|item| item.enabled),
                ChangeKind::Rotate => item.is_some_and(|item| item.secrets == 2),
                ChangeKind::RemoveSecret(_) => item.is_some_and(|item| item.secrets == 1),
            };
            assert!(done || !last.seen, "came undone: {}", known.history());
            journal.settle(slot, done);
        }
        for (_, credential) in journal.in_slots() {
            let known = &journal.credentials[credential];
            let id = known.client_id.as_ref().unwrap();
            let item = listed.remove(id);
            let item = item.unwrap_or_else(|| panic!("is not listed: {}", known.history()));
            let generation = item.generation;
            let history = known.history();
            assert_eq!(generation, known.generation(), "generation of {history}");
            assert_eq!(item.name, known.name, "name of {history}");
            let enabled = known.enabled();
            assert_eq!(Some(item.enabled), enabled, "state of {history}");
            let secrets = known.living_secrets().len();
            assert_eq!(item.secrets, secrets, "secrets of {history}");
        }
        assert!(listed.is_empty(), "these should not exist: {listed:?}");
    }

    /// What the credential API lists, by client id, with what only administration tells.
    fn listed(&self) -> BTreeMap<String, Item> {
        let (url, token) = (&self.addresses.credentials, &self.fixtures.platform_token);
        let list = get_with(url, token).is(200).json();
        let administered = self.world.admin(&["credential", "list"]);
        let more = |id: &Value| {
            let mut items = administered["items"].as_array().unwrap().iter();
            items.find(|item| item["clientId"] == *id).unwrap()
        };
        let items = list["items"].as_array().unwrap().iter();
        items
            .map(|item| Item::read(item, more(&item["clientId"])))
            .filter(|(_, item)| !item.name.starts_with(FIXTURE))
            .collect()
    }

    fn check_keys(&self) {
        let listed = self.listed_keys();
        let mut journal = self.journal();
        settle_keys(&mut journal, &listed);
        for key in &mut journal.keys.known {
            let id = &key.id;
            let state = listed.get(id);
            let state = *state.unwrap_or_else(|| panic!("the key {id} is lost"));
            let back = state < key.state;
            assert!(!back, "the key {id} was {:?} and is {state:?}", key.state);
            // None is so old that it goes by itself.
            let gone = state == KeyState::Retired && key.state != KeyState::Retired;
            assert!(!gone, "the key {id} is gone, and nobody removed it");
            key.state = state;
        }
        let known = journal.keys.known.len();
        assert_eq!(
            listed.len(),
            known,
            "nobody made a key of these: {listed:?}"
        );
        let active = listed.values().filter(|state| **state == KeyState::Active);
        assert_eq!(active.count(), 1, "{listed:?}");
        let set = get(&self.addresses.key_set).is(200).json();
        let published: BTreeSet<_> = set["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["kid"].as_str().unwrap())
            .collect();
        let living = listed
            .iter()
            .filter(|(_, state)| **state != KeyState::Retired);
        let living: BTreeSet<_> = living.map(|(id, _)| id.as_str()).collect();
        assert_eq!(published, living);
        for mint in journal.credentials.iter().flat_map(|known| &known.mints) {
            let lost = mint.key.as_ref().filter(|id| !listed.contains_key(*id));
            assert_eq!(lost, None, "signed a token");
        }
    }

    /// The state of every key that is or was.
    fn listed_keys(&self) -> BTreeMap<String, KeyState> {
        let list = self.world.admin(&["key", "list"]);
        let items = list["items"].as_array().unwrap().iter();
        let read = |item: &Value| {
            let text = |name: &str| item[name].as_str().unwrap();
            (text("id").to_owned(), KeyState::read(text("state")))
        };
        items.map(read).collect()
    }

    fn check_tokens(&self) {
        let mut alive: BTreeMap<usize, TokenAt> = BTreeMap::new();
        let tokens = self.journal().tokens();
        for token in tokens {
            let taken = self.use_token(token).unwrap();
            if taken {
                self.journal().settle_revocations(token);
            }
            if taken && let Some(other) = alive.insert(token.credential, token) {
                let journal = self.journal();
                let history = journal.credentials[token.credential].history();
                panic!("{} and {} are alive: {history}", token.mint, other.mint);
            }
        }
    }

    fn check_secrets(&self) {
        let (dead, alive): (Vec<_>, Vec<_>) = {
            let journal = self.journal();
            let secrets = journal.secrets().into_iter();
            secrets.partition(|at| journal.secret_standing(*at) != Standing::Alive)
        };
        for secret in dead {
            assert!(self.mint_with(secret).is_none());
        }
        for secret in alive {
            self.check_living_secret(secret);
        }
        // A new secret that nobody read is as good as none: its credential is reset.
        let in_slots = self.journal().in_slots();
        for (slot, credential) in in_slots {
            let unread = {
                let journal = self.journal();
                let last = journal.credentials[credential].changes.last().unwrap();
                last.outcome == Outcome::Done && last.kind.brings_secret()
            };
            if unread {
                self.reset(slot);
                let journal = self.journal();
                let change = journal.credentials[credential].changes.len() - 1;
                let secret = SecretAt { credential, change };
                let asleep = journal.secret_standing(secret) == Standing::Asleep;
                drop(journal);
                if asleep {
                    assert!(self.mint_with(secret).is_none());
                } else {
                    self.check_living_secret(secret);
                }
            }
        }
    }

    /// The secret is good for a token, which is good, and the credential's others are not.
    fn check_living_secret(&self, secret: SecretAt) {
        let standing = self.journal().secret_standing(secret);
        assert_eq!(standing, Standing::Alive, "nothing is under way");
        let newest = self.mint_with(secret).unwrap();
        let tokens = self.journal().tokens().into_iter();
        let others = tokens.filter(|token| token.credential == secret.credential);
        let others: Vec<TokenAt> = others.filter(|token| *token != newest).collect();
        if let Some(before) = others.last() {
            assert_eq!(self.use_token(*before), Some(false));
        }
        assert_eq!(self.use_token(newest), Some(true));
    }

    fn reset(&self, slot: usize) {
        let mut journal = self.journal();
        let credential = journal.begin_change(slot, ChangeKind::Reset);
        let id = journal.credentials[credential].client_id.clone();
        drop(journal);
        let answer = self.change_by_command(ChangeKind::Reset, "", id.as_deref());
        let secret = answer.unwrap()["clientSecret"].as_str().map(str::to_owned);
        self.journal()
            .end_change(slot, Outcome::Acknowledged, secret);
    }

    fn check_audit(&self) {
        let most = MOST_EVENTS.to_string();
        let events = self.world.admin(&["audit", "list", "--limit", &most]);
        let events = events["items"].as_array().unwrap();
        assert!(events.len() < MOST_EVENTS, "the log is longer than is read");
        let journal = self.journal();
        for known in &journal.credentials {
            let Some(id) = known.client_id.as_deref() else {
                continue;
            };
            for word in ChangeKind::WORDS {
                let is_it = |event: &&Value| {
                    event["resource"] == id && event["message"].as_str().unwrap().ends_with(word)
                };
                let found = events.iter().filter(is_it).count();
                let history = known.history();
                let count = known.count(word);
                assert_eq!(found, count, "`{word}` in the log, of {history}");
            }
            let history = known.history();
            let issued = count_of(events, &format!("Access token issued to client {id}"));
            assert!(
                known.issued().contains(&issued),
                "{issued} tokens in the log, of {history}"
            );
            let revoked = count_of(events, &format!("Access token of client {id} revoked"));
            assert!(
                known.revoked().contains(&revoked),
                "{revoked} revocations in the log, of {history}"
            );
        }
        for key in &journal.keys.known {
            let count = |message: &str| {
                let is_it = |event: &&Value| {
                    event["resource"] == key.id.as_str() && event["message"] == message
                };
                events.iter().filter(is_it).count()
            };
            let made = usize::from(key.origin == Origin::Made);
            let removed = usize::from(key.state == KeyState::Retired);
            let found = (count("Signing key made"), count("Signing key removed"));
            assert_eq!(found, (made, removed), "in the log, of the key {}", key.id);
        }
    }

    fn check_tasks(&self) {
        let tasks = self.journal().tasks.clone();
        for task in tasks {
            let url = format!("{}/api/v1/tasks/{task}", self.addresses.us1);
            let request = bare_request(&Method::GET, &url, &self.fixtures.us1_token);
            try_send(request).unwrap().is(200);
        }
    }
}

/// Finds out what became of a key change that nobody read an answer to.
fn settle_keys(journal: &mut Journal, listed: &BTreeMap<String, KeyState>) {
    let Some(kind) = journal.keys.unsettled() else {
        return;
    };
    let keys = &mut journal.keys;
    let new = listed.iter().find(|(id, _)| keys.find(id).is_none());
    let (done, origin) = match kind {
        KeyChangeKind::Make => (new.is_some(), Origin::Made),
        KeyChangeKind::Remove(at) => {
            let state = listed.get(&keys.known[at].id);
            (state == Some(&KeyState::Retired), Origin::Spare)
        }
    };
    keys.settle(done);
    if let Some((id, state)) = new
        && done
    {
        keys.learn(id, *state, origin);
    }
}

/// How often the log counts an event.
fn count_of(events: &[Value], message: &str) -> u64 {
    let found = events.iter().filter(|event| event["message"] == message);
    found.map(|event| event["count"].as_u64().unwrap()).sum()
}

/// Most events that the command lists.
const MOST_EVENTS: usize = 10_000;

/// A listed credential.
#[derive(Debug)]
struct Item {
    name: String,
    generation: usize,
    enabled: bool,
    secrets: usize,
}

impl Item {
    fn read(item: &Value, more: &Value) -> (String, Self) {
        let text = |name: &str| item[name].as_str().unwrap().to_owned();
        let generation = item["generation"].as_u64().unwrap();
        let read = Self {
            name: text("credentialName"),
            generation: usize::try_from(generation).unwrap(),
            enabled: more["state"] == "enabled",
            secrets: more["secrets"].as_array().unwrap().len(),
        };
        (text("clientId"), read)
    }
}
