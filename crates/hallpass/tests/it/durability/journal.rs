//! What was sent to the server, what it answered, and what must follow from that. Knows no server:
//! its rules are tested below with histories written by hand.

use super::alarm::{Alarm, Moment};
use super::credential::{
    Change, ChangeKind, Credential, Mint, Outcome, Revocation, Standing, Tick,
};
use super::keys::{KeyChangeKind, Keys};

/// Everything that happened to one data directory.
pub(super) struct Journal {
    now: Tick,
    alarm: Option<Alarm>,
    pub(super) credentials: Vec<Credential>,
    pub(super) keys: Keys,
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

/// A secret on its way to the server, and how it stood when it left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Presented {
    pub(super) secret: SecretAt,
    pub(super) before: Standing,
    /// How many changes of the credential were over.
    over: usize,
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
            keys: Keys::default(),
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
        let began = self.tick();
        self.slots[slot].taken = true;
        let credential = self.slots[slot].credential.unwrap();
        self.credentials[credential]
            .changes
            .push(Change::begin(kind, began));
        credential
    }

    /// Ends the change of a slot. One that was lost keeps the slot taken until a check has found
    /// out about it.
    pub(super) fn end_change(&mut self, slot: usize, outcome: Outcome, secret: Option<String>) {
        if outcome == Outcome::Acknowledged {
            self.reach(Moment::Acknowledgement);
        }
        let ended = self.tick();
        let credential = self.slots[slot].credential.unwrap();
        let change = self.credentials[credential].changes.last_mut().unwrap();
        (change.outcome, change.ended) = (outcome, ended);
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

    /// The credential in a slot that has one.
    pub(super) fn in_slot(&self, slot: usize) -> &Credential {
        &self.credentials[self.slots[slot].credential.unwrap()]
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

    /// A secret leaves for the server.
    pub(super) fn present(&self, secret: SecretAt) -> Presented {
        Presented {
            secret,
            before: self.secret_standing(secret),
            over: self.credentials[secret.credential].changes_over(),
        }
    }

    /// Whether a secret may have been taken.
    pub(super) fn may_be_taken(&self, presented: Presented) -> bool {
        match presented.before {
            Standing::Alive | Standing::Open => true,
            Standing::Asleep => self.was_toggled(presented),
            Standing::Dead => false,
        }
    }

    /// Whether a secret may have been refused.
    pub(super) fn may_be_refused(&self, presented: Presented) -> bool {
        let after = self.secret_standing(presented.secret);
        after != Standing::Alive || self.was_toggled(presented)
    }

    fn was_toggled(&self, presented: Presented) -> bool {
        self.credentials[presented.secret.credential].toggled_since(presented.over)
    }

    /// A secret was refused. If nothing but the change that is under way could have ended it, that
    /// one is done.
    pub(super) fn secret_was_refused(&mut self, presented: Presented) {
        let known = &mut self.credentials[presented.secret.credential];
        if presented.before != Standing::Asleep
            && known.refusal_tells(presented.secret.change, presented.over)
        {
            known.changes.last_mut().unwrap().seen = true;
            self.reach(Moment::Acknowledgement);
        }
    }

    pub(super) fn token_was_refused(&mut self, token: TokenAt) {
        let known = &self.credentials[token.credential];
        let under_way = |mint: &Mint| mint.outcome == Outcome::UnderWay;
        let beside_another = known.mints.iter().any(under_way);
        if beside_another && self.token_standing(token) == Standing::Open {
            self.reach(Moment::Refusal);
        }
        if self.standing_by_credential(token) == Standing::Alive
            && self.token_standing(token) == Standing::Open
        {
            self.keys.removal_was_seen();
            self.reach(Moment::Key);
        }
        self.mint_mut(token).seen_dead = true;
    }

    /// Begins to end one token.
    pub(super) fn begin_revocation(&mut self, token: TokenAt) -> usize {
        self.tick();
        let revocations = &mut self.credentials[token.credential].revocations;
        revocations.push(Revocation {
            mint: token.mint,
            outcome: Outcome::UnderWay,
            sure: false,
        });
        revocations.len() - 1
    }

    pub(super) fn end_revocation(&mut self, token: TokenAt, at: usize, outcome: Outcome) {
        if outcome == Outcome::Acknowledged {
            self.reach(Moment::Revocation);
        }
        self.tick();
        // How the token would stand without it.
        self.credentials[token.credential].revocations[at].outcome = Outcome::Undone;
        let sure = self.token_standing(token) == Standing::Alive;
        let revocation = &mut self.credentials[token.credential].revocations[at];
        (revocation.outcome, revocation.sure) = (outcome, sure);
    }

    /// A token was taken after a start, so a lost request to end it came to nothing.
    pub(super) fn settle_revocations(&mut self, token: TokenAt) {
        let revocations = &mut self.credentials[token.credential].revocations;
        for revocation in revocations {
            if revocation.mint == token.mint && revocation.outcome == Outcome::Lost {
                revocation.outcome = Outcome::Undone;
            }
        }
    }

    /// Begins to make or remove a key. Nobody else may be at it.
    pub(super) fn begin_key_change(&mut self, kind: KeyChangeKind) {
        self.tick();
        self.keys.begin(kind);
    }

    pub(super) fn end_key_change(&mut self, outcome: Outcome) {
        if outcome == Outcome::Acknowledged {
            self.reach(Moment::Key);
        }
        let ended = self.tick();
        self.keys.end(outcome, ended);
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
        let mint = &self.credentials[at.credential].mints[at.mint];
        let key = mint.key.as_deref();
        let key = key.map_or(Standing::Alive, |key| self.keys.standing(key));
        key.max(self.standing_by_credential(at))
    }

    /// How a token stands, whatever became of its key.
    fn standing_by_credential(&self, at: TokenAt) -> Standing {
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
        let revocations = self.credentials.iter().flat_map(|known| &known.revocations);
        let revoked = revocations.filter(|known| known.outcome == Outcome::Acknowledged);
        format!(
            "{} changes, {} key changes, {tokens} tokens, {} revocations and {} tasks acknowledged; \
             {} changes and {lost} tokens cut off",
            changes().filter(acknowledged).count(),
            self.keys.acknowledged(),
            revoked.count(),
            self.tasks.len(),
            changes().filter(unread).count(),
        )
    }

    pub(super) fn mint_mut(&mut self, at: TokenAt) -> &mut Mint {
        &mut self.credentials[at.credential].mints[at.mint]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::durability::alarm::LONGEST_DELAY;
    use crate::durability::keys::{KeyState, Origin};

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
        let presented = journal.present(secret);
        journal.begin_change(0, ChangeKind::Reset);
        journal.secret_was_refused(presented);
        journal.end_change(0, Outcome::Lost, NONE);
        assert_eq!(journal.secret_standing(secret), Standing::Dead);
    }

    #[test]
    fn a_dead_secret_that_is_refused_says_nothing_of_the_change_under_way() {
        let (mut journal, secret) = made();
        journal.begin_change(0, ChangeKind::Reset);
        journal.end_change(0, Outcome::Acknowledged, Some("second".to_owned()));
        let presented = journal.present(secret);
        journal.begin_change(0, ChangeKind::Delete);
        journal.secret_was_refused(presented);
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

    #[test]
    fn a_disabled_credential_ends_its_tokens_and_puts_its_secret_to_sleep() {
        let (mut journal, secret) = made();
        let token = mint(&mut journal, secret);
        journal.begin_change(0, ChangeKind::Disable);
        assert_eq!(journal.secret_standing(secret), Standing::Open);
        assert_eq!(journal.token_standing(token), Standing::Open);
        journal.end_change(0, Outcome::Acknowledged, NONE);
        assert_eq!(journal.secret_standing(secret), Standing::Asleep);
        assert_eq!(journal.token_standing(token), Standing::Dead);
        assert!(!journal.may_be_taken(journal.present(secret)));
        let presented = journal.present(secret);
        journal.begin_change(0, ChangeKind::Enable);
        assert!(journal.may_be_taken(presented) && journal.may_be_refused(presented));
        journal.end_change(0, Outcome::Acknowledged, NONE);
        assert_eq!(journal.secret_standing(secret), Standing::Alive);
        assert_eq!(journal.token_standing(token), Standing::Dead);
        assert!(!journal.may_be_refused(journal.present(secret)));
        let fresh = mint(&mut journal, secret);
        assert_eq!(journal.token_standing(fresh), Standing::Alive);
    }

    #[test]
    fn a_token_got_while_its_credential_was_disabled_and_enabled_may_be_from_after_that() {
        let (mut journal, secret) = made();
        let token = journal.begin_mint(secret);
        journal.begin_change(0, ChangeKind::Disable);
        journal.end_change(0, Outcome::Acknowledged, NONE);
        journal.begin_change(0, ChangeKind::Enable);
        journal.end_change(0, Outcome::Acknowledged, NONE);
        journal.end_mint(token, Outcome::Acknowledged, Some("token".to_owned()));
        assert_eq!(journal.token_standing(token), Standing::Open);
    }

    #[test]
    fn a_secret_refused_while_it_is_being_disabled_says_so_and_one_that_slept_says_nothing() {
        let (mut journal, secret) = made();
        let token = mint(&mut journal, secret);
        let presented = journal.present(secret);
        journal.begin_change(0, ChangeKind::Disable);
        journal.secret_was_refused(presented);
        journal.end_change(0, Outcome::Lost, NONE);
        assert_eq!(journal.token_standing(token), Standing::Dead);
        assert_eq!(journal.secret_standing(secret), Standing::Asleep);
        journal.settle(0, true);
        let presented = journal.present(secret);
        journal.begin_change(0, ChangeKind::Enable);
        journal.end_change(0, Outcome::Acknowledged, NONE);
        journal.begin_change(0, ChangeKind::Reset);
        journal.secret_was_refused(presented);
        assert_eq!(journal.secret_standing(secret), Standing::Open);
    }

    #[test]
    fn a_second_secret_lives_beside_the_first_until_one_is_removed_and_tokens_live_on() {
        let (mut journal, first) = made();
        let token = mint(&mut journal, first);
        journal.begin_change(0, ChangeKind::Rotate);
        assert_eq!(journal.secret_standing(first), Standing::Alive);
        journal.end_change(0, Outcome::Acknowledged, Some("second".to_owned()));
        let second = SecretAt { change: 1, ..first };
        assert_eq!(journal.secret_standing(first), Standing::Alive);
        assert_eq!(journal.secret_standing(second), Standing::Alive);
        assert_eq!(journal.credentials[0].living_secrets(), [0, 1]);
        journal.begin_change(0, ChangeKind::RemoveSecret(0));
        assert_eq!(journal.secret_standing(first), Standing::Open);
        journal.end_change(0, Outcome::Acknowledged, NONE);
        assert_eq!(journal.secret_standing(first), Standing::Dead);
        assert_eq!(journal.secret_standing(second), Standing::Alive);
        assert_eq!(journal.token_standing(token), Standing::Alive);
        assert_eq!(journal.credentials[0].living_secrets(), [1]);
    }

    #[test]
    fn a_revoked_token_is_dead_and_a_lost_revocation_leaves_it_open() {
        let (mut journal, secret) = made();
        let token = mint(&mut journal, secret);
        let at = journal.begin_revocation(token);
        assert_eq!(journal.token_standing(token), Standing::Open);
        journal.end_revocation(token, at, Outcome::Lost);
        assert_eq!(journal.token_standing(token), Standing::Open);
        assert_eq!(journal.credentials[0].revoked(), 0..=1);
        journal.settle_revocations(token);
        assert_eq!(journal.token_standing(token), Standing::Alive);
        let at = journal.begin_revocation(token);
        journal.end_revocation(token, at, Outcome::Acknowledged);
        assert_eq!(journal.token_standing(token), Standing::Dead);
        assert_eq!(journal.credentials[0].revoked(), 1..=1);
    }

    #[test]
    fn a_token_dies_with_its_key_and_a_refusal_tells_that_the_key_is_gone() {
        let (mut journal, secret) = made();
        journal.keys.learn("a", KeyState::Active, Origin::Start);
        journal.keys.learn("b", KeyState::Upcoming, Origin::Made);
        let of_key = |journal: &mut Journal, key: &str| {
            let token = mint(journal, secret);
            journal.mint_mut(token).key = Some(key.to_owned());
            token
        };
        assert_eq!(journal.keys.removable(), [1]);
        let token = of_key(&mut journal, "b");
        journal.begin_key_change(KeyChangeKind::Remove(1));
        assert_eq!(journal.token_standing(token), Standing::Open);
        journal.token_was_refused(token);
        journal.end_key_change(Outcome::Lost);
        assert!(journal.keys.is_taken());
        assert_eq!(journal.keys.standing("b"), Standing::Dead);
        journal.keys.settle(true);
        assert_eq!(journal.keys.known[1].state, KeyState::Retired);
        assert!(journal.keys.removable().is_empty());
        let now = journal.tick();
        assert!(journal.keys.was_removed_before("b", now));
        let token = of_key(&mut journal, "a");
        assert_eq!(journal.token_standing(token), Standing::Alive);
    }
}
