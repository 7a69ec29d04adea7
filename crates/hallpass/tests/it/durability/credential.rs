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
}

/// Something that changes which secret counts.
pub(super) struct Change {
    pub(super) kind: ChangeKind,
    pub(super) outcome: Outcome,
    /// The secret that it brought, where that was read.
    pub(super) secret: Option<String>,
    /// The secret before it was refused, so it is done, answered or not.
    pub(super) seen: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChangeKind {
    Create,
    Reset,
    Delete,
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
    /// The token was refused once.
    pub(super) seen_dead: bool,
}

/// What must be true of a secret or a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Alive,
    Dead,
    /// Something that decides it has no order to it.
    Open,
}

/// Where an operation under way ends, as far as anybody knows.
const OPEN_END: Tick = Tick::MAX;

impl Credential {
    /// Whether it is there. Only for one whose last change is known.
    pub(super) fn exists(&self) -> bool {
        let done = self.changes.iter().rfind(|change| change.outcome.is_done());
        done.is_some_and(|change| change.kind != ChangeKind::Delete)
    }

    /// How many changes of a kind are done.
    pub(super) fn count(&self, kind: ChangeKind) -> usize {
        let done = |change: &&Change| change.kind == kind && change.outcome.is_done();
        self.changes.iter().filter(done).count()
    }

    /// The count that the server keeps of its secrets.
    pub(super) fn generation(&self) -> usize {
        1 + self.count(ChangeKind::Reset)
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

    /// A secret is dead once a later change is done, and open while one may be.
    pub(super) fn secret_standing(&self, change: usize) -> Standing {
        let later = &self.changes[change + 1..];
        if later
            .iter()
            .any(|later| later.seen || later.outcome.is_done())
        {
            Standing::Dead
        } else if later.iter().any(|later| later.outcome.is_open()) {
            Standing::Open
        } else {
            Standing::Alive
        }
    }

    /// A token is dead with its secret, or once another was answered that was asked for after it,
    /// or once it was refused. It is open while its secret is, or beside a token request that had
    /// not ended when it was asked for.
    pub(super) fn token_standing(&self, mint: usize) -> Standing {
        let own = &self.mints[mint];
        let secret = self.secret_standing(own.change);
        let others = || {
            let others = self.mints.iter().enumerate();
            others.filter(|(at, _)| *at != mint).map(|(_, other)| other)
        };
        let superseded = |other: &Mint| other.token.is_some() && other.began > own.ended;
        let may_supersede =
            |other: &Mint| other.outcome != Outcome::Undone && other.ended > own.began;
        if own.seen_dead || secret == Standing::Dead || others().any(superseded) {
            Standing::Dead
        } else if secret == Standing::Open || others().any(may_supersede) {
            Standing::Open
        } else {
            Standing::Alive
        }
    }

    /// What happened, without secrets, for whoever must understand a failure.
    pub(super) fn history(&self) -> String {
        let id = self.client_id.as_deref().unwrap_or("of unknown id");
        let mut text = format!("{} {id}\n", self.name);
        for (at, change) in self.changes.iter().enumerate() {
            let (kind, outcome) = (change.kind, change.outcome);
            let seen = if change.seen { ", seen" } else { "" };
            let _ = writeln!(text, "  change {at}: {kind:?} {outcome:?}{seen}");
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
            let _ = writeln!(
                text,
                "  token {at}: secret of change {change}, ticks {began} to {ended}, {outcome:?}{dead}"
            );
        }
        text
    }
}

impl Change {
    pub(super) fn begin(kind: ChangeKind) -> Self {
        Self {
            kind,
            outcome: Outcome::UnderWay,
            secret: None,
            seen: false,
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
            seen_dead: false,
        }
    }
}

impl Outcome {
    /// Whether it took effect for certain.
    pub(super) fn is_done(self) -> bool {
        matches!(self, Self::Acknowledged | Self::Done)
    }

    fn is_open(self) -> bool {
        matches!(self, Self::UnderWay | Self::Lost)
    }
}
