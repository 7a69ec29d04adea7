//! The steps that are planned, in the order in which they will be due.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::{Change, Planned};

/// Steps by the time they are due; those due together stay in the order in which they were planned.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Planned>", into = "Vec<Planned>")]
pub(crate) struct Plan {
    steps: BTreeMap<(Timestamp, u64), Planned>,
    next: u64,
    /// How many objects the steps may add, all together.
    growth: usize,
}

impl Plan {
    pub(crate) fn add(&mut self, step: Planned) {
        self.growth += growth(&step);
        self.steps.insert((step.at, self.next), step);
        self.next += 1;
    }

    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.steps.first_key_value().map(|((at, _), _)| *at)
    }

    pub(crate) fn take_due(&mut self, now: Timestamp) -> Option<Planned> {
        if self.next_due()? > now {
            return None;
        }
        let (_, step) = self.steps.pop_first()?;
        self.growth -= growth(&step);
        Some(step)
    }

    /// How many objects the planned steps may add; at most so many, since it is not known here which
    /// of them are there already.
    pub(crate) fn growth(&self) -> usize {
        self.growth
    }
}

fn growth(step: &Planned) -> usize {
    let puts = |changes: &[Change]| -> usize {
        let put = |change: &Change| match change {
            Change::Put { .. } => 1,
            Change::Schedule(later) => growth(later),
            Change::Merge { .. }
            | Change::Remove { .. }
            | Change::RemoveWhere { .. }
            | Change::Trim { .. } => 0,
        };
        changes.iter().map(put).sum()
    };
    let otherwise = step.checks.iter().map(|check| puts(&check.otherwise));
    puts(&step.then).max(otherwise.max().unwrap_or(0))
}

impl PartialEq for Plan {
    fn eq(&self, other: &Self) -> bool {
        self.steps.values().eq(other.steps.values())
    }
}

impl From<Vec<Planned>> for Plan {
    fn from(steps: Vec<Planned>) -> Self {
        let mut plan = Self::default();
        for step in steps {
            plan.add(step);
        }
        plan
    }
}

impl From<Plan> for Vec<Planned> {
    fn from(plan: Plan) -> Self {
        plan.steps.into_values().collect()
    }
}
