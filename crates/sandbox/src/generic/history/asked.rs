//! Which time is asked for, and how far its points lie apart: `range=startTime eq 1 and endTime eq 2`
//! with `timeIntervalMin` (domain.md 6.2), or the parameters that other definitions have for it.

use std::borrow::Cow;

use hallpass_openapi::{Definition, Operation};
use hallpass_query::Filter;

use super::apart::{Apart, DAY, HOUR};
use super::stamp::second;
use super::{ENDS, STARTS, given, in_query};
use crate::generic::names;
use crate::rest::Refusal;
use crate::sandbox::Request;

/// Most points of one series: those of a week, five minutes apart.
const MOST: i64 = 2016;

/// So many points a request has at most that does not say how far they lie apart.
const CLEAR: i64 = 300;

/// How long a time is shown to whoever does not say.
const LATELY: i64 = DAY;

/// How many points that has at least.
const FEWEST: i64 = 24;

const RANGES: [&str; 2] = ["range", "timerange"];

/// The parameters of an operation that are about time, by their names.
#[derive(Debug)]
pub(super) struct Parameters {
    range: Option<String>,
    start: Option<String>,
    end: Option<String>,
    apart: Option<Apart>,
}

/// The time that is asked for, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) start: i64,
    pub(super) end: i64,
    step: i64,
}

impl Parameters {
    pub(super) fn of(definition: &Definition, operation: &Operation) -> Self {
        let named = |words: &[&str]| {
            let mut all = in_query(operation);
            let found = all.find(|one| words.contains(&names::key(&one.name).as_str()))?;
            Some(found.name.clone())
        };
        Self {
            range: named(&RANGES),
            start: named(&STARTS),
            end: named(&ENDS),
            apart: Apart::of(definition, operation),
        }
    }

    /// Whether one can ask for a time.
    pub(super) fn ask_for_a_time(&self) -> bool {
        self.range.is_some() || self.apart.is_some() || self.start.is_some() && self.end.is_some()
    }

    /// What a request asks for. Nobody sees beyond `now`.
    pub(super) fn asked(
        &self,
        definition: &Definition,
        request: &Request<'_>,
        now: i64,
    ) -> Result<Asked, Refusal> {
        let step = match &self.apart {
            Some(apart) => apart.asked(definition, request)?,
            None => None,
        };
        let (start, end) = self.ends(request)?;
        if let (Some(start), Some(end)) = (start, end)
            && start > end
        {
            let name = self.range.as_ref().or(self.start.as_ref());
            let name = name.cloned().unwrap_or_default();
            return Err(Refusal::invalid(name, &"the start is after the end"));
        }
        let steps = Apart::steps(self.apart.as_ref());
        let least = step.or(steps.first().copied()).unwrap_or(HOUR);
        let lately = LATELY.max(FEWEST * least);
        // The newest point moves with the clock from step to step only, and so does the answer.
        let newest = |step: i64| now.div_euclid(step) * step;
        let until = end.filter(|end| *end <= now);
        let from = start.unwrap_or_else(|| until.unwrap_or(newest(least)) - lately);
        let length = until.unwrap_or(now) - from;
        let clear = |step: &&i64| length / **step <= CLEAR;
        let step = step
            .or_else(|| steps.iter().find(clear).or(steps.last()).copied())
            .unwrap_or(HOUR);
        Ok(Asked {
            start: from,
            end: until.unwrap_or_else(|| newest(step)),
            step,
        }
        .bounded())
    }

    fn ends(&self, request: &Request<'_>) -> Result<(Option<i64>, Option<i64>), Refusal> {
        let lone = |name: &Option<String>| match name {
            Some(name) => given(request, name)
                .map(|text| moment(name, text))
                .transpose(),
            None => Ok(None),
        };
        let (mut start, mut end) = (lone(&self.start)?, lone(&self.end)?);
        if let Some(name) = &self.range
            && let Some(text) = given(request, name)
        {
            let filter =
                Filter::parse(text).map_err(|error| Refusal::invalid(name.clone(), &error))?;
            if filter.attributes().count() != filter.equalities().count() {
                return Err(not_a_range(name));
            }
            for (path, text) in filter.equalities() {
                let key = names::key(&path.to_string());
                if STARTS.contains(&key.as_str()) {
                    start = Some(moment(name, text)?);
                } else if ENDS.contains(&key.as_str()) {
                    end = Some(moment(name, text)?);
                } else {
                    return Err(not_a_range(name));
                }
            }
        }
        Ok((start, end))
    }
}

impl Asked {
    /// A day, to try what an answer with points looks like.
    pub(super) const SAMPLE: Self = Self {
        start: 1_709_208_000,
        end: 1_709_294_400,
        step: HOUR,
    };

    /// The end of it, where it has more points than one answer may hold.
    fn bounded(self) -> Self {
        let farthest = self
            .end
            .saturating_sub((MOST - 1).saturating_mul(self.step));
        Self {
            start: self.start.max(farthest),
            ..self
        }
    }

    /// The seconds of its points, oldest first: at least and at most so many, of which the newest.
    pub(super) fn seconds(
        self,
        least: Option<u64>,
        most: Option<u64>,
    ) -> impl Iterator<Item = i64> + use<> {
        let length = self.end - self.start;
        let points = if length < 0 {
            0
        } else {
            length / self.step + 1
        };
        let bound = |number: u64| i64::try_from(number).unwrap_or(MOST).min(MOST);
        let points = points
            .max(least.map_or(0, bound))
            .min(most.map_or(MOST, bound));
        (0..points)
            .rev()
            .map(move |back| self.end - back * self.step)
    }
}

fn moment(name: &str, text: &str) -> Result<i64, Refusal> {
    second(text).ok_or_else(|| {
        let example = "seconds since 1970, or a time such as 2024-03-01T12:00:00Z";
        Refusal::invalid(
            name.to_owned(),
            &format!("`{text}` is no moment: {example}"),
        )
    })
}

fn not_a_range(name: &str) -> Refusal {
    let form = "a range is `startTime eq 1605063600 and endTime eq 1605186000`, or one of both";
    Refusal::invalid(Cow::from(name.to_owned()), &form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_end_where_they_should_and_have_an_end() {
        let asked = Asked {
            start: 100,
            end: 700,
            step: 300,
        };
        let all = |least, most| asked.seconds(least, most).collect::<Vec<_>>();
        assert_eq!(all(None, None), [100, 400, 700]);
        assert_eq!(all(None, Some(2)), [400, 700]);
        assert_eq!(all(Some(4), None), [-200, 100, 400, 700]);
        let long = Asked {
            end: i64::MAX / 2,
            ..asked
        }
        .bounded();
        assert_eq!(long.seconds(None, None).count(), 2016);
        assert_eq!(long.seconds(Some(u64::MAX), None).count(), 2016);
        let none = Asked {
            start: 701,
            ..asked
        };
        assert_eq!(none.seconds(None, None).count(), 0);
    }
}
