//! What was done with one credential, and what must be true of its secrets and tokens because of
//! that. Its rules are tested with the journal's.
//!
//! Time is counted in ticks, one for each beginning and each end of an operation. An operation took
//! effect somewhere between its two ticks, or not at all if no answer was read. So of two operations
//! only those have an order where one ended before the other began, and where there is none the
//! journal demands nothing.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

pub(super) type Tick = u64;

/// What was done with one credential.
#[derive(Default)]
pub(super) struct Credential {
    pub(super) name: String,
    /// Unknown while nobody read the answer to its creation.
    pub(super) client_id: Option<String>,
    /// One after the other: no change begins before the one before it ended.
    pub(super) changes: Vec<Change>,
    /// These overlap each other and the changes.
    pub(super) mints: Vec<Mint>,
    pub(super) revocations: Vec<Revocation>,
}

/// Something that changes which secrets count, or whether any does.
pub(super) struct Change {
    pub(super) kind: ChangeKind,
    pub(super) began: Tick,
    pub(super) ended: Tick,
    pub(super) outcome: Outcome,
    /// The secret that it brought, where that was read.
    pub(super) secret: Option<String>,
    /// What names that secret, where somebody has to.
    pub(super) secret_id: Option<String>,
    /// A secret was refused because of it, so it is done, answered or not.
    pub(super) seen: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChangeKind {
    Create,
    Reset,
    Delete,
    Disable,
    Enable,
    /// Brings a second secret beside the first.
    Rotate,
    /// Removes the secret that this change brought.
    RemoveSecret(usize),
}

impl ChangeKind {
    /// What the audit log says of each, at the end of its message.
    pub(super) const WORDS: [&str; 7] = [
        " created",
        " reset",
        " deleted",
        " disabled",
        " enabled",
        " given a second secret",
        " deprived of a secret",
    ];

    pub(super) fn word(self) -> &'static str {
        let at = match self {
            Self::Create => 0,
            Self::Reset => 1,
            Self::Delete => 2,
            Self::Disable => 3,
            Self::Enable => 4,
            Self::Rotate => 5,
            Self::RemoveSecret(_) => 6,
        };
        Self::WORDS[at]
    }

    pub(super) fn brings_secret(self) -> bool {
        matches!(self, Self::Create | Self::Reset | Self::Rotate)
    }

    fn ends_secret_of(self, change: usize) -> bool {
        match self {
            Self::Reset | Self::Delete => true,
            Self::RemoveSecret(of) => of == change,
            Self::Create | Self::Disable | Self::Enable | Self::Rotate => false,
        }
    }

    fn toggles(self) -> bool {
        matches!(self, Self::Disable | Self::Enable)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    UnderWay,
    /// The answer was read to its end.
    Acknowledged,
    /// The server was killed before that.
    Lost,
    /// Lost, and found to be done.
    Done,
    /// Refused, or lost and found not to be done.
    Undone,
}

/// A token request, with any secret that was ever read.
pub(super) struct Mint {
    /// The change that brought its secret.
    pub(super) change: usize,
    pub(super) began: Tick,
    pub(super) ended: Tick,
    pub(super) outcome: Outcome,
    pub(super) token: Option<String>,
    /// The id of the key that signed it.
    pub(super) key: Option<String>,
    /// The token was refused once.
    pub(super) seen_dead: bool,
}

/// A request to end one token.
pub(super) struct Revocation {
    pub(super) mint: usize,
    pub(super) outcome: Outcome,
    /// Nothing else can have ended the token before, so there is an event of it.
    pub(super) sure: bool,
}

/// What must be true of a secret or a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    Alive,
    /// Something that decides it has no order to it.
    Open,
    /// A secret of a disabled credential: dead until that is enabled.
    Asleep,
    Dead,
}

/// Where an operation under way ends, as far as anybody knows.
const OPEN_END: Tick = Tick::MAX;

impl Credential {
    /// Whether it is there. Only for one whose last change is known.
    pub(super) fn exists(&self) -> bool {
        let done = self.changes.iter().rfind(|change| change.outcome.is_done());
        done.is_some_and(|change| change.kind != ChangeKind::Delete)
    }

    /// How many changes are done of those that the log calls so.
    pub(super) fn count(&self, word: &str) -> usize {
        let done = |change: &&Change| change.kind.word() == word && change.outcome.is_done();
        self.changes.iter().filter(done).count()
    }

    /// The count that the server keeps of what ended all tokens.
    pub(super) fn generation(&self) -> usize {
        1 + self.count(ChangeKind::Reset.word()) + self.count(ChangeKind::Disable.word())
    }

    /// Whether it may be used; `None` while that is being changed.
    pub(super) fn enabled(&self) -> Option<bool> {
        let toggles = self
            .changes
            .iter()
            .rev()
            .filter(|known| known.kind.toggles());
        for toggle in toggles {
            match toggle.effect() {
                Standing::Dead => return Some(toggle.kind == ChangeKind::Enable),
                Standing::Open => return None,
                _ => {}
            }
        }
        Some(true)
    }

    /// The changes whose secrets count, read or not.
    pub(super) fn living_secrets(&self) -> Vec<usize> {
        let living = |at: &usize| {
            let change = &self.changes[*at];
            let brought = change.kind.brings_secret() && change.outcome.is_done();
            brought && self.secret_end(*at) != Standing::Dead
        };
        (0..self.changes.len()).filter(living).collect()
    }

    /// Where the changes begin that are not over yet.
    pub(super) fn changes_over(&self) -> usize {
        let under_way = self.changes.last().map(|last| last.outcome) == Some(Outcome::UnderWay);
        self.changes.len() - usize::from(under_way)
    }

    /// Whether it may have been disabled or enabled since that many changes were over.
    pub(super) fn toggled_since(&self, over: usize) -> bool {
        self.changes[over..]
            .iter()
            .any(|known| known.kind.toggles())
    }

    /// Whether one more tells that the change under way is done: a secret that was good when that
    /// many changes were over is refused.
    pub(super) fn refusal_tells(&self, change: usize, over: usize) -> bool {
        let Some((last, between)) = self.changes[over..].split_last() else {
            return false;
        };
        let only_it = !between.iter().any(|known| known.kind.toggles());
        let refuses = last.kind == ChangeKind::Disable || last.kind.ends_secret_of(change);
        only_it && refuses && self.secret_standing(change) == Standing::Open
    }

    /// How often a token of it was ended by itself: for certain, and at most.
    pub(super) fn revoked(&self) -> RangeInclusive<u64> {
        let count = |wanted: fn(&&Revocation) -> bool| {
            u64::try_from(self.revocations.iter().filter(wanted).count()).unwrap()
        };
        let sure = count(|known| known.outcome == Outcome::Acknowledged && known.sure);
        sure..=count(|known| known.outcome != Outcome::Undone)
    }

    /// How many tokens it may have been issued: those that were read, and perhaps those that were
    /// lost.
    pub(super) fn issued(&self) -> RangeInclusive<u64> {
        let with = |outcome| {
            let mints = self.mints.iter();
            u64::try_from(mints.filter(|mint| mint.outcome == outcome).count()).unwrap()
        };
        let read = with(Outcome::Acknowledged);
        read..=read + with(Outcome::Lost)
    }

    pub(super) fn last_outcome(&self) -> Outcome {
        self.changes.last().unwrap().outcome
    }

    /// A secret is dead once a later change that ends it is done, and asleep while its credential is
    /// disabled; it is open while either may be.
    pub(super) fn secret_standing(&self, change: usize) -> Standing {
        let may_be_used = match self.enabled() {
            Some(true) => Standing::Alive,
            Some(false) => Standing::Asleep,
            None => Standing::Open,
        };
        self.secret_end(change).max(may_be_used)
    }

    fn secret_end(&self, change: usize) -> Standing {
        let later = self.changes[change + 1..].iter();
        let ends = later.filter(|later| later.kind.ends_secret_of(change));
        ends.map(Change::effect).max().unwrap_or(Standing::Alive)
    }

    /// A token is dead once it was revoked or refused, once a change is done that ends all tokens, or
    /// once another was answered that was asked for after it. It is open while that may be, or beside
    /// a token request that had not ended when it was asked for.
    pub(super) fn token_standing(&self, mint: usize) -> Standing {
        let own = &self.mints[mint];
        let others = || {
            let others = self.mints.iter().enumerate();
            others.filter(|(at, _)| *at != mint).map(|(_, other)| other)
        };
        let superseded = |other: &Mint| other.token.is_some() && other.began > own.ended;
        let may_supersede =
            |other: &Mint| other.outcome != Outcome::Undone && other.ended > own.began;
        let revocations = self.revocations.iter().filter(|known| known.mint == mint);
        let revoked = revocations.map(|known| known.outcome.effect()).max();
        let ended = (0..self.changes.len()).map(|at| self.token_end(own, at));
        let worst = ended.chain(revoked).max().unwrap_or(Standing::Alive);
        if own.seen_dead || worst == Standing::Dead || others().any(superseded) {
            Standing::Dead
        } else if worst == Standing::Open || others().any(may_supersede) {
            Standing::Open
        } else {
            Standing::Alive
        }
    }

    /// What a change makes of a token.
    fn token_end(&self, mint: &Mint, at: usize) -> Standing {
        let change = &self.changes[at];
        match change.kind {
            // A token of an earlier secret can only have been got before it.
            ChangeKind::Reset | ChangeKind::Delete if at > mint.change => change.effect(),
            ChangeKind::Disable if mint.began < change.ended => {
                // With the same secret it can also have been got after it was enabled again.
                let later = self.changes[at + 1..].iter();
                let mut enabled = later.filter(|later| later.kind == ChangeKind::Enable);
                let before = enabled.all(|enable| mint.ended < enable.began);
                if before {
                    change.effect()
                } else {
                    change.effect().min(Standing::Open)
                }
            }
            _ => Standing::Alive,
        }
    }

    /// What happened, without secrets, for whoever must understand a failure.
    pub(super) fn history(&self) -> String {
        let id = self.client_id.as_deref().unwrap_or("of unknown id");
        let mut text = format!("{} {id}\n", self.name);
        for (at, change) in self.changes.iter().enumerate() {
            let Change {
                kind,
                began,
                ended,
                outcome,
                ..
            } = change;
            let seen = if change.seen { ", seen" } else { "" };
            let _ = writeln!(
                text,
                "  change {at}: {kind:?}, ticks {began} to {ended}, {outcome:?}{seen}"
            );
        }
        for (at, mint) in self.mints.iter().enumerate() {
            let Mint {
                change,
                began,
                ended,
                outcome,
                ..
            } = mint;
            let dead = if mint.seen_dead { ", seen dead" } else { "" };
            let key = mint.key.as_deref().unwrap_or("unknown");
            let _ = writeln!(
                text,
                "  token {at}: secret of change {change}, key {key}, ticks {began} to {ended}, \
                 {outcome:?}{dead}"
            );
        }
        for Revocation { mint, outcome, .. } in &self.revocations {
            let _ = writeln!(text, "  revocation of token {mint}: {outcome:?}");
        }
        text
    }
}

impl Change {
    pub(super) fn begin(kind: ChangeKind, began: Tick) -> Self {
        Self {
            kind,
            began,
            ended: OPEN_END,
            outcome: Outcome::UnderWay,
            secret: None,
            secret_id: None,
            seen: false,
        }
    }

    /// What it makes of that which it ends.
    fn effect(&self) -> Standing {
        if self.seen {
            Standing::Dead
        } else {
            self.outcome.effect()
        }
    }
}

impl Mint {
    pub(super) fn begin(change: usize, began: Tick) -> Self {
        Self {
            change,
            began,
            ended: OPEN_END,
            outcome: Outcome::UnderWay,
            token: None,
            key: None,
            seen_dead: false,
        }
    }
}

impl Outcome {
    /// Whether it took effect for certain.
    pub(super) fn is_done(self) -> bool {
        matches!(self, Self::Acknowledged | Self::Done)
    }

    /// What an operation that ended so makes of that which it ends.
    pub(super) fn effect(self) -> Standing {
        match self {
            Self::Acknowledged | Self::Done => Standing::Dead,
            Self::UnderWay | Self::Lost => Standing::Open,
            Self::Undone => Standing::Alive,
        }
    }
}
