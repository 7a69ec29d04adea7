//! How faults are written: in the header `Hallpass-Fault`, in the settings and on the command line alike.
//!
//! A comma separates faults, a semicolon what belongs to one of them:
//! `delay=500ms, status=503; retry-after=2; times=3`. `docs/stand-in.md` is the reference.

use std::num::NonZeroU64;
use std::time::Duration;

use hallpass_sandbox::TaskFate;
use http::StatusCode;

/// One fault, and when it happens.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fault {
    pub(super) what: What,
    pub(super) when: When,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// The answer takes longer.
    Delay(Duration),
    /// Nothing is done, and this is the answer.
    Status {
        status: StatusCode,
        retry_after: Option<u32>,
    },
    /// The connection ends.
    Drop(Moment),
    /// The task that is started does not end well.
    Task(TaskFate),
}

/// When a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Before anything is done.
    Request,
    /// After everything is done, before the answer.
    Answer,
    /// In the middle of the answer's body.
    Body,
}

/// Which of the calls it happens to.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct When {
    /// So many calls of a token go well first.
    pub(super) after: u64,
    /// Then it happens so many times; for ever without this.
    pub(super) times: Option<NonZeroU64>,
    /// To every so many-th call of a rule, whoever makes it.
    pub(super) every: Option<NonZeroU64>,
    /// To this share of the calls of a rule.
    pub(super) chance: Option<f64>,
}

/// Why a text is no list of faults.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// Nothing, where a fault should be.
    #[error("a fault is missing: write {KINDS}, with commas between several")]
    Nothing,
    /// Too many at once.
    #[error("there are more than {MOST_FAULTS} faults")]
    TooMany,
    /// A word that is no fault.
    #[error("`{0}` is no fault; the faults are {KINDS}")]
    UnknownFault(String),
    /// A word that is no parameter of a fault.
    #[error(
        "`{0}` does not belong to a fault; after, times, every and chance do, and retry-after to a status"
    )]
    UnknownParameter(String),
    /// A value that is none.
    #[error("`{word}` wants {wanted}")]
    Value {
        /// What was written.
        word: String,
        /// What can be written.
        wanted: &'static str,
    },
    /// Something that only a rule of the server can count.
    #[error(
        "`{0}` is for rules of the server: a header speaks for one call, and counts those of its token"
    )]
    RulesOnly(&'static str),
    /// A rule for an operation that there is not.
    #[error(
        "there is no operation `{0}`: write the id of one as `hallpass api list` shows it, or a path such \
         as `/api/v1/volumes*` or `POST /api/v1/*`"
    )]
    UnknownOperation(String),
}

/// The faults, as they are told to whoever wrote another.
const KINDS: &str = "delay=500ms, status=503, drop, drop=answer, drop=body, task=fail, task=timeout and \
                     task=hang";

/// Most faults of one text.
const MOST_FAULTS: usize = 8;

/// Longest delay: a connection is held meanwhile.
const LONGEST_DELAY: Duration = Duration::from_mins(1);

/// Longest time that a client is told to wait, in seconds.
const LONGEST_RETRY_AFTER: u32 = 3600;

/// Whose text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writer {
    /// Somebody who calls.
    Client,
    /// Whoever runs the server.
    Server,
}

/// Reads a list of faults.
pub(super) fn parse(text: &str, writer: Writer) -> Result<Vec<Fault>, FaultError> {
    let mut faults = Vec::new();
    for item in text.split(',') {
        if faults.len() == MOST_FAULTS {
            return Err(FaultError::TooMany);
        }
        faults.push(fault(item, writer)?);
    }
    Ok(faults)
}

fn fault(item: &str, writer: Writer) -> Result<Fault, FaultError> {
    let mut words = item.split(';').map(str::trim);
    let first = words.next().unwrap_or_default();
    let mut what = what(first)?;
    let mut when = When::default();
    for word in words {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let (name, value) = (name.trim_end(), value.trim_start());
        match (name, &mut what) {
            ("retry-after", What::Status { retry_after, .. }) => {
                let seconds = value.parse().ok();
                let seconds = seconds.filter(|seconds| *seconds <= LONGEST_RETRY_AFTER);
                *retry_after =
                    Some(seconds.ok_or_else(|| wants(word, "a number of seconds up to 3600"))?);
            }
            ("after", _) => {
                when.after = value
                    .parse()
                    .map_err(|_| wants(word, "how many calls go well first, such as after=3"))?;
            }
            ("times", _) => when.times = Some(count(word, value)?),
            ("every" | "chance", _) if writer == Writer::Client => {
                let name = if name == "every" { "every" } else { "chance" };
                return Err(FaultError::RulesOnly(name));
            }
            ("every", _) => when.every = Some(count(word, value)?),
            ("chance", _) => {
                let share = value
                    .parse()
                    .ok()
                    .filter(|share| (0.0..=1.0).contains(share));
                when.chance = Some(
                    share.ok_or_else(|| wants(word, "a share from 0 to 1, such as chance=0.05"))?,
                );
            }
            _ => return Err(FaultError::UnknownParameter(shortened(word))),
        }
    }
    Ok(Fault { what, when })
}

fn what(word: &str) -> Result<What, FaultError> {
    let (name, value) = word.split_once('=').unwrap_or((word, ""));
    Ok(match (name.trim_end(), value.trim_start()) {
        ("", _) => return Err(FaultError::Nothing),
        ("delay", value) => What::Delay(delay(value).ok_or_else(|| {
            wants(
                word,
                "a time up to 60 s with its unit, such as delay=500ms or delay=2s",
            )
        })?),
        ("status", value) => {
            let status = value
                .parse::<u16>()
                .ok()
                .filter(|status| (400..600).contains(status));
            let status = status.and_then(|status| StatusCode::from_u16(status).ok());
            let status = status.ok_or_else(|| wants(word, "the status of an error, 400 to 599"))?;
            let waits = matches!(
                status,
                StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
            );
            What::Status {
                status,
                retry_after: waits.then_some(1),
            }
        }
        ("drop", "") => What::Drop(Moment::Request),
        ("drop", "answer") => What::Drop(Moment::Answer),
        ("drop", "body") => What::Drop(Moment::Body),
        ("drop", _) => return Err(wants(word, "nothing, `answer` or `body`")),
        ("task", "fail") => What::Task(TaskFate::Fail),
        ("task", "timeout") => What::Task(TaskFate::TimeOut),
        ("task", "hang") => What::Task(TaskFate::Hang),
        ("task", _) => return Err(wants(word, "`fail`, `timeout` or `hang`")),
        _ => return Err(FaultError::UnknownFault(shortened(word))),
    })
}

fn delay(value: &str) -> Option<Duration> {
    let (number, unit) = match value.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (value.strip_suffix('s')?, 1000),
    };
    let delay = Duration::from_millis(number.parse::<u64>().ok()?.checked_mul(unit)?);
    (delay <= LONGEST_DELAY).then_some(delay)
}

fn count(word: &str, value: &str) -> Result<NonZeroU64, FaultError> {
    value
        .parse()
        .map_err(|_| wants(word, "a whole number from 1 on"))
}

fn wants(word: &str, wanted: &'static str) -> FaultError {
    FaultError::Value {
        word: shortened(word),
        wanted,
    }
}

/// What is repeated to whoever wrote it has a bound, and is one line.
fn shortened(word: &str) -> String {
    word.chars().filter(|c| !c.is_control()).take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn client(text: &str) -> Result<Vec<Fault>, FaultError> {
        parse(text, Writer::Client)
    }

    #[test]
    fn faults_and_their_parameters_are_read() {
        let read = client("delay=500ms, status=429 ; retry-after=2;times=3,drop = body").unwrap();
        assert_eq!(read[0].what, What::Delay(Duration::from_millis(500)));
        let status = StatusCode::TOO_MANY_REQUESTS;
        let retry_after = Some(2);
        assert_eq!(
            read[1].what,
            What::Status {
                status,
                retry_after
            }
        );
        assert_eq!(read[1].when.times, NonZeroU64::new(3));
        assert_eq!(read[2].what, What::Drop(Moment::Body));

        let read = client("status=401;after=3").unwrap();
        assert_eq!(read[0].when.after, 3);
        let retry_after = None;
        let status = StatusCode::UNAUTHORIZED;
        assert_eq!(
            read[0].what,
            What::Status {
                status,
                retry_after
            }
        );

        let read = parse("status=503;every=10, task=hang;chance=0.5", Writer::Server).unwrap();
        assert_eq!(read[0].when.every, NonZeroU64::new(10));
        assert_eq!(read[1].when.chance, Some(0.5));
        assert_eq!(read[1].what, What::Task(TaskFate::Hang));
    }

    #[test]
    fn a_mistake_is_told_with_its_word() {
        for (text, named) in [
            ("", "missing"),
            ("drop,", "missing"),
            ("explode", "`explode` is no fault"),
            ("delay=5", "`delay=5`"),
            ("delay=61s", "up to 60 s"),
            ("delay=-1s", "`delay=-1s`"),
            ("status=200", "`status=200`"),
            ("status=600", "`status=600`"),
            ("status", "400 to 599"),
            ("status=503;retry-after=x", "`retry-after=x`"),
            ("status=503;retry-after=3601", "3600"),
            ("drop;retry-after=1", "`retry-after=1`"),
            ("drop;times=0", "`times=0`"),
            ("drop;sometimes", "`sometimes`"),
            ("drop=half", "`answer` or `body`"),
            ("task=ok", "`timeout`"),
            ("drop;every=2", "`every`"),
            ("drop;chance=0.5", "`chance`"),
            (
                "drop,drop,drop,drop,drop,drop,drop,drop,drop",
                "more than 8",
            ),
        ] {
            let error = client(text).unwrap_err().to_string();
            assert!(error.contains(named), "{text}: {error}");
        }
        for text in ["drop;chance=1.1", "drop;chance=NaN", "drop;every=0"] {
            assert!(parse(text, Writer::Server).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_in_one_short_line(text in "\\PC{0,80}") {
            if let Err(error) = client(&text) {
                let words = error.to_string();
                prop_assert!(words.len() < 500 && !words.contains('\n'), "{}", words);
            }
        }
    }
}
