//! What only commands of administration do: states of credentials, second secrets, signing keys. A
//! command is a process, and there are few of them beside the requests.

use std::sync::atomic::Ordering;

use serde_json::Value;

use super::chance::Chance;
use super::credential::{ChangeKind, Outcome};
use super::keys::{KeyChangeKind, KeyState, Origin};
use super::load::{Answered, Stage};
use crate::world::{ANN, Done};

impl Stage<'_> {
    /// Without a server the command does the work itself, so it may well succeed after the kill.
    pub(super) fn change_by_command(
        &self,
        kind: ChangeKind,
        name: &str,
        id: Option<&str>,
    ) -> Answered {
        let id = id.unwrap_or_default();
        let done = self.command(&match kind {
            ChangeKind::Create => {
                let owner = ["credential", "create", "--owner", ANN];
                [&owner[..], &["--instance", "us1", "--name", name]].concat()
            }
            ChangeKind::Reset => vec!["credential", "reset", id],
            ChangeKind::Delete => vec!["credential", "delete", id],
            ChangeKind::Disable => vec!["credential", "disable", id],
            ChangeKind::Enable => vec!["credential", "enable", id],
            ChangeKind::Rotate => vec!["credential", "rotate", id, "--overlap", "7d"],
            // By the id of a secret, which is known elsewhere.
            ChangeKind::RemoveSecret(_) => vec!["credential", "remove-secret", id, name],
        });
        Some(done?.ok().json())
    }

    /// An administrative command; `None` if the server was killed before it answered.
    fn command(&self, arguments: &[&str]) -> Option<Done> {
        let done = self.world.try_admin(arguments);
        // 4: the server was there and did not answer.
        let cut_off = done.code == Some(4) && self.killed.load(Ordering::SeqCst);
        (!cut_off).then_some(done)
    }

    pub(super) fn toggle(&self, chance: &mut Chance) {
        let mut journal = self.journal();
        let free = journal.free_slots(true);
        let Some(slot) = chance.one_of(&free) else {
            return;
        };
        let kind = if journal.in_slot(slot).enabled() == Some(true) {
            ChangeKind::Disable
        } else {
            ChangeKind::Enable
        };
        let credential = journal.begin_change(slot, kind);
        let id = journal.credentials[credential].client_id.clone();
        drop(journal);
        let answer = self.change_by_command(kind, "", id.as_deref());
        let outcome = outcome_of(answer.as_ref());
        self.journal().end_change(slot, outcome, None);
    }

    pub(super) fn overlap(&self, chance: &mut Chance) {
        let mut journal = self.journal();
        let free = journal.free_slots(true);
        let Some(slot) = chance.one_of(&free) else {
            return;
        };
        let living = journal.in_slot(slot).living_secrets();
        let kind = match living[..] {
            [_, _] => ChangeKind::RemoveSecret(chance.one_of(&living).unwrap()),
            _ => ChangeKind::Rotate,
        };
        let credential = journal.begin_change(slot, kind);
        let known = &journal.credentials[credential];
        let id = known.client_id.clone();
        let secret_id = match kind {
            ChangeKind::RemoveSecret(of) => known.changes[of].secret_id.clone().unwrap(),
            _ => String::new(),
        };
        drop(journal);
        let answer = self.change_by_command(kind, &secret_id, id.as_deref());
        let text = |name: &str| answer.as_ref()?[name].as_str().map(str::to_owned);
        let mut journal = self.journal();
        if kind == ChangeKind::Rotate {
            let changes = &mut journal.credentials[credential].changes;
            changes[living[0]].secret_id = text("oldSecretId");
            changes.last_mut().unwrap().secret_id = text("secretId");
        }
        journal.end_change(slot, outcome_of(answer.as_ref()), text("clientSecret"));
    }

    pub(super) fn change_keys(&self, chance: &mut Chance) {
        let mut journal = self.journal();
        if journal.keys.is_taken() {
            return;
        }
        let removable = journal.keys.removable();
        let kind = match chance.one_of(&removable) {
            Some(at) if chance.below(2) == 0 => KeyChangeKind::Remove(at),
            _ => KeyChangeKind::Make,
        };
        journal.begin_key_change(kind);
        drop(journal);
        match kind {
            KeyChangeKind::Make => self.make_key(),
            KeyChangeKind::Remove(at) => self.remove_key(at),
        }
    }

    /// Nobody can tell whether the last one signs by now. If not, there is none to be made.
    fn make_key(&self) {
        let done = self.command(&["key", "rotate"]);
        let mut journal = self.journal();
        let Some(done) = done else {
            journal.end_key_change(Outcome::Lost);
            return;
        };
        if done.code == Some(1) && done.stderr.contains("is already published") {
            let mut known = journal.keys.known.iter();
            assert!(known.any(|key| key.state == KeyState::Upcoming));
            journal.end_key_change(Outcome::Undone);
            return;
        }
        let made = done.ok().json();
        let id = made["id"].as_str().unwrap();
        journal.keys.learn(id, KeyState::Upcoming, Origin::Made);
        journal.end_key_change(Outcome::Acknowledged);
    }

    fn remove_key(&self, at: usize) {
        let id = self.journal().keys.known[at].id.clone();
        let done = self.command(&["key", "remove", &id, "--yes"]);
        let mut journal = self.journal();
        let Some(done) = done else {
            journal.end_key_change(Outcome::Lost);
            return;
        };
        let removed = done.ok().json();
        assert_eq!(removed["state"], "retired", "{removed}");
        let signer = removed["signsNow"].as_str().unwrap();
        assert_ne!(signer, id);
        if journal.keys.find(signer).is_none() {
            journal.keys.learn(signer, KeyState::Active, Origin::Spare);
        }
        journal.end_key_change(Outcome::Acknowledged);
    }
}

fn outcome_of(answer: Option<&Value>) -> Outcome {
    match answer {
        Some(_) => Outcome::Acknowledged,
        None => Outcome::Lost,
    }
}
