//! What was sent to the server, what it answered, and what must follow from that. Knows no server:
//! its rules are tested below with histories written by hand.

use super::alarm::{Alarm, Moment};
use super::credential::{Change, ChangeKind, Credential, Mint, Outcome, Standing, Tick};

/// Everything that happened to one data directory.
pub(super) struct Journal {
    now: Tick,
    alarm: Option<Alarm>,
    pub(super) credentials: Vec<Credential>,
    /// The tasks of changes of the stand-in that were accepted.
    pub(super) tasks: Vec<String>,
    slots: Vec<Slot>,
}

/// A place for one credential at a time, and for one that changes it.
#[derive(Clone, Copy, Default)]
struct Slot {
    credential: Option<usize>,
    taken: bool,
}

/// A secret: that of a change of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SecretAt {
    pub(super) credential: usize,
    pub(super) change: usize,
}

/// A token: that of a token request of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TokenAt {
    pub(super) credential: usize,
    pub(super) mint: usize,
}

impl Journal {
    pub(super) fn new(slots: usize) -> Self {
        Self {
            now: 0,
            alarm: None,
            credentials: Vec::new(),
            tasks: Vec::new(),
            slots: vec![Slot::default(); slots],
        }
    }

    /// Acts at the first such moment after that many ticks.
    pub(super) fn set_alarm(
        &mut self,
        ticks: Tick,
        moment: Moment,
        act: impl FnOnce() + Send + 'static,
    ) {
        self.alarm = Some(Alarm::new(self.now + ticks, moment, act));
    }

    pub(super) fn tick(&mut self) -> Tick {
        self.now += 1;
        self.reach(Moment::Any);
        self.now
    }

    fn reach(&mut self, moment: Moment) {
        let now = self.now;
        let due = |alarm: &mut Alarm| alarm.is_due(moment, now);
        if let Some(alarm) = self.alarm.take_if(due) {
            alarm.act();
        }
    }

    /// Slots that nobody changes, with a living credential or without one.
    pub(super) fn free_slots(&self, with_credential: bool) -> Vec<usize> {
        let free = |slot: &Slot| !slot.taken && slot.credential.is_some() == with_credential;
        (0..self.slots.len())
            .filter(|at| free(&self.slots[*at]))
            .collect()
    }

    /// Begins to make a credential in an empty slot.
    pub(super) fn begin_creation(&mut self, slot: usize) -> usize {
        let credential = self.credentials.len();
        self.credentials.push(Credential {
            name: format!("slot {slot}"),
            ..Credential::default()
        });
        self.slots[slot].credential = Some(credential);
        self.begin_change(slot, ChangeKind::Create)
    }

    /// Begins to change the credential in a slot that nobody changes.
    pub(super) fn begin_change(&mut self, slot: usize, kind: ChangeKind) -> usize {
        self.tick();
        self.slots[slot].taken = true;
        let credential = self.slots[slot].credential.unwrap();
        self.credentials[credential]
            .changes
            .push(Change::begin(kind));
        credential
    }

    /// Ends the change of a slot. One that was lost keeps the slot taken until a check has found
    /// out about it.
    pub(super) fn end_change(&mut self, slot: usize, outcome: Outcome, secret: Option<String>) {
        if outcome == Outcome::Acknowledged {
            self.reach(Moment::Acknowledgement);
        }
        self.tick();
        let credential = self.slots[slot].credential.unwrap();
        let change = self.credentials[credential].changes.last_mut().unwrap();
        change.outcome = outcome;
        change.secret = secret;
        if outcome != Outcome::Lost {
            self.release(slot);
        }
    }

    /// Writes down what became of a lost change.
    pub(super) fn settle(&mut self, slot: usize, done: bool) {
        let credential = self.slots[slot].credential.unwrap();
        let change = self.credentials[credential].changes.last_mut().unwrap();
        assert_eq!(change.outcome, Outcome::Lost);
        change.outcome = if done { Outcome::Done } else { Outcome::Undone };
        self.release(slot);
    }

    /// The slots whose last change was lost.
    pub(super) fn unsettled(&self) -> Vec<(usize, usize)> {
        let slots = self.slots.iter().enumerate();
        let with = slots.filter_map(|(at, slot)| Some((at, slot.credential?)));
        with.filter(|(_, at)| self.credentials[*at].last_outcome() == Outcome::Lost)
            .collect()
    }

    /// The credentials in the slots, with their slots.
    pub(super) fn in_slots(&self) -> Vec<(usize, usize)> {
        let slots = self.slots.iter().enumerate();
        slots
            .filter_map(|(at, slot)| Some((at, slot.credential?)))
            .collect()
    }

    fn release(&mut self, slot: usize) {
        let state = &mut self.slots[slot];
        state.taken = false;
        if !self.credentials[state.credential.unwrap()].exists() {
            state.credential = None;
        }
    }

    /// Begins a token request with a secret.
    pub(super) fn begin_mint(&mut self, secret: SecretAt) -> TokenAt {
        let began = self.tick();
        let mints = &mut self.credentials[secret.credential].mints;
        mints.push(Mint::begin(secret.change, began));
        TokenAt {
            credential: secret.credential,
            mint: mints.len() - 1,
        }
    }

    pub(super) fn end_mint(&mut self, at: TokenAt, outcome: Outcome, token: Option<String>) {
        let ended = self.tick();
        let mint = self.mint_mut(at);
        (mint.ended, mint.outcome, mint.token) = (ended, outcome, token);
    }

    /// A secret was refused. If that was open, the change that is under way is done: there is no
    /// other that could have ended it.
    pub(super) fn secret_was_refused(&mut self, secret: SecretAt) {
        if self.secret_standing(secret) == Standing::Open {
            let changes = &mut self.credentials[secret.credential].changes;
            changes.last_mut().unwrap().seen = true;
            self.reach(Moment::Acknowledgement);
        }
    }

    pub(super) fn token_was_refused(&mut self, token: TokenAt) {
        let mints = &self.credentials[token.credential].mints;
        let under_way = mints.iter().any(|mint| mint.outcome == Outcome::UnderWay);
        if under_way && self.token_standing(token) == Standing::Open {
            self.reach(Moment::Refusal);
        }
        self.mint_mut(token).seen_dead = true;
    }

    /// Every secret that was read.
    pub(super) fn secrets(&self) -> Vec<SecretAt> {
        let credentials = self.credentials.iter().enumerate();
        let secrets = credentials.flat_map(|(credential, known)| {
            let changes = known.changes.iter().enumerate();
            let with = changes.filter(|(_, change)| change.secret.is_some());
            with.map(move |(change, _)| SecretAt { credential, change })
        });
        secrets.collect()
    }

    /// Every token that was read.
    pub(super) fn tokens(&self) -> Vec<TokenAt> {
        let credentials = self.credentials.iter().enumerate();
        let tokens = credentials.flat_map(|(credential, known)| {
            let mints = known.mints.iter().enumerate();
            let with = mints.filter(|(_, mint)| mint.token.is_some());
            with.map(move |(mint, _)| TokenAt { credential, mint })
        });
        tokens.collect()
    }

    pub(super) fn secret(&self, at: SecretAt) -> (&str, &str) {
        let credential = &self.credentials[at.credential];
        let secret = credential.changes[at.change].secret.as_deref();
        (credential.client_id.as_deref().unwrap(), secret.unwrap())
    }

    pub(super) fn token(&self, at: TokenAt) -> &str {
        let mint = &self.credentials[at.credential].mints[at.mint];
        mint.token.as_deref().unwrap()
    }

    pub(super) fn secret_standing(&self, at: SecretAt) -> Standing {
        self.credentials[at.credential].secret_standing(at.change)
    }

    pub(super) fn token_standing(&self, at: TokenAt) -> Standing {
        self.credentials[at.credential].token_standing(at.mint)
    }

    /// How much happened so far, in numbers.
    pub(super) fn summary(&self) -> String {
        let changes = || self.credentials.iter().flat_map(|known| &known.changes);
        let mints = || self.credentials.iter().flat_map(|known| &known.mints);
        let tokens = mints().filter(|mint| mint.token.is_some()).count();
        let acknowledged = |change: &&Change| change.outcome == Outcome::Acknowledged;
        let unread = |change: &&Change| matches!(change.outcome, Outcome::Done | Outcome::Undone);
        let lost = mints().filter(|mint| mint.outcome == Outcome::Lost).count();
        format!(
            "{} changes, {tokens} tokens and {} tasks acknowledged; {} changes and {lost} tokens cut off",
            changes().filter(acknowledged).count(),
            self.tasks.len(),
            changes().filter(unread).count(),
        )
    }

    fn mint_mut(&mut self, at: TokenAt) -> &mut Mint {
        &mut self.credentials[at.credential].mints[at.mint]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::durability::alarm::LONGEST_DELAY;

    const NONE: Option<String> = None;

    /// A journal with one credential that was made.
    fn made() -> (Journal, SecretAt) {
        let mut journal = Journal::new(1);
        let credential = journal.begin_creation(0);
        journal.end_change(0, Outcome::Acknowledged, Some("first".to_owned()));
        let change = 0;
        (journal, SecretAt { credential, change })
    }

    fn mint(journal: &mut Journal, secret: SecretAt) -> TokenAt {
        let at = journal.begin_mint(secret);
        journal.end_mint(at, Outcome::Acknowledged, Some("token".to_owned()));
        at
    }

    #[test]
    fn a_token_dies_with_one_that_was_asked_for_later_and_answered() {
        let (mut journal, secret) = made();
        let first = mint(&mut journal, secret);
        assert_eq!(journal.token_standing(first), Standing::Alive);
        let second = journal.begin_mint(secret);
        assert_eq!(journal.token_standing(first), Standing::Open);
        journal.end_mint(second, Outcome::Acknowledged, Some("token".to_owned()));
        assert_eq!(journal.token_standing(first), Standing::Dead);
        assert_eq!(journal.token_standing(second), Standing::Alive);
    }

    #[test]
    fn of_two_tokens_asked_for_together_either_may_live() {
        let (mut journal, secret) = made();
        let (first, second) = (journal.begin_mint(secret), journal.begin_mint(secret));
        journal.end_mint(first, Outcome::Acknowledged, Some("token".to_owned()));
        journal.end_mint(second, Outcome::Acknowledged, Some("token".to_owned()));
        assert_eq!(journal.token_standing(first), Standing::Open);
        assert_eq!(journal.token_standing(second), Standing::Open);
        journal.token_was_refused(first);
        assert_eq!(journal.token_standing(first), Standing::Dead);
    }

    #[test]
    fn the_alarm_waits_for_its_ticks_and_its_moment_but_not_for_ever() {
        let (mut journal, secret) = made();
        let (sender, acted) = std::sync::mpsc::channel();
        let set = |journal: &mut Journal, moment| {
            let sender = sender.clone();
            journal.set_alarm(3, moment, move || sender.send(moment).unwrap());
        };
        set(&mut journal, Moment::Any);
        mint(&mut journal, secret);
        assert!(acted.try_recv().is_err());
        journal.tick();
        assert_eq!(acted.try_recv(), Ok(Moment::Any));

        set(&mut journal, Moment::Refusal);
        let token = mint(&mut journal, secret);
        journal.begin_mint(secret);
        journal.tick();
        assert!(acted.try_recv().is_err());
        journal.token_was_refused(token);
        assert_eq!(acted.try_recv(), Ok(Moment::Refusal));

        set(&mut journal, Moment::Acknowledgement);
        for _ in 0..LONGEST_DELAY + 2 {
            journal.tick();
        }
        assert!(acted.try_recv().is_err());
        journal.tick();
        assert_eq!(acted.try_recv(), Ok(Moment::Acknowledgement));
    }

    #[test]
    fn a_lost_token_request_may_have_ended_the_token_before_it_but_not_the_one_after() {
        let (mut journal, secret) = made();
        let before = mint(&mut journal, secret);
        let lost = journal.begin_mint(secret);
        journal.end_mint(lost, Outcome::Lost, NONE);
        assert_eq!(journal.token_standing(before), Standing::Open);
        let after = mint(&mut journal, secret);
        assert_eq!(journal.token_standing(after), Standing::Alive);
        let refused = journal.begin_mint(secret);
        journal.end_mint(refused, Outcome::Undone, NONE);
        assert_eq!(journal.token_standing(after), Standing::Alive);
    }

    #[test]
    fn a_reset_ends_its_secret_and_every_token_of_it_even_one_that_overlaps() {
        let (mut journal, secret) = made();
        let token = mint(&mut journal, secret);
        journal.begin_change(0, ChangeKind::Reset);
        let meanwhile = mint(&mut journal, secret);
        assert_eq!(journal.secret_standing(secret), Standing::Open);
        assert_eq!(journal.token_standing(token), Standing::Dead);
        assert_eq!(journal.token_standing(meanwhile), Standing::Open);
        journal.end_change(0, Outcome::Acknowledged, Some("second".to_owned()));
        assert_eq!(journal.secret_standing(secret), Standing::Dead);
        assert_eq!(journal.token_standing(meanwhile), Standing::Dead);
        let fresh = SecretAt {
            change: 1,
            ..secret
        };
        assert_eq!(journal.secret_standing(fresh), Standing::Alive);
    }

    #[test]
    fn a_lost_reset_leaves_everything_open_until_it_is_settled() {
        for (done, standing) in [(true, Standing::Dead), (false, Standing::Alive)] {
            let (mut journal, secret) = made();
            let token = mint(&mut journal, secret);
            journal.begin_change(0, ChangeKind::Reset);
            journal.end_change(0, Outcome::Lost, NONE);
            assert_eq!(journal.secret_standing(secret), Standing::Open);
            assert!(journal.free_slots(true).is_empty());
            assert_eq!(journal.unsettled(), [(0, 0)]);
            journal.settle(0, done);
            assert_eq!(journal.secret_standing(secret), standing);
            assert_eq!(journal.token_standing(token), standing);
            assert_eq!(journal.free_slots(true), [0]);
        }
    }

    #[test]
    fn a_secret_refused_while_a_reset_is_under_way_stays_dead_whatever_is_answered() {
        let (mut journal, secret) = made();
        journal.begin_change(0, ChangeKind::Reset);
        journal.secret_was_refused(secret);
        journal.end_change(0, Outcome::Lost, NONE);
        assert_eq!(journal.secret_standing(secret), Standing::Dead);
    }

    #[test]
    fn a_dead_secret_that_is_refused_says_nothing_of_the_change_under_way() {
        let (mut journal, secret) = made();
        journal.begin_change(0, ChangeKind::Reset);
        journal.end_change(0, Outcome::Acknowledged, Some("second".to_owned()));
        journal.begin_change(0, ChangeKind::Delete);
        journal.secret_was_refused(secret);
        let fresh = SecretAt {
            change: 1,
            ..secret
        };
        assert_eq!(journal.secret_standing(fresh), Standing::Open);
    }

    #[test]
    fn a_deleted_credential_leaves_its_slot_and_one_that_never_was_does_too() {
        let (mut journal, secret) = made();
        journal.begin_change(0, ChangeKind::Delete);
        assert!(journal.free_slots(false).is_empty());
        journal.end_change(0, Outcome::Acknowledged, NONE);
        assert_eq!(journal.secret_standing(secret), Standing::Dead);
        assert_eq!(journal.free_slots(false), [0]);
        journal.begin_creation(0);
        journal.end_change(0, Outcome::Lost, NONE);
        journal.settle(0, false);
        assert_eq!(journal.free_slots(false), [0]);
    }
}
