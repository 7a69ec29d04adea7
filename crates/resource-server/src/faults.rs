//! Faults on request: what goes wrong in the field, when a test wants it. A caller asks for them with the
//! header `Hallpass-Fault`, whoever runs the server with rules.
//!
//! They are chosen for permitted calls only: a stranger can drive none of them.

mod grammar;
mod rule;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use hallpass_oauth::bearer::PresentedToken;
use hallpass_openapi::{Definition, Operation};
use hallpass_sandbox::TaskFate;
use http::{HeaderMap, Method, Response, StatusCode};
use quick_cache::sync::Cache;

use crate::answer_body::AnswerBody;
use crate::listener::NoAnswer;
use crate::metrics::Metrics;
use crate::reply::Refusal;

pub use grammar::FaultError;
use grammar::{Fault, Moment, What, Writer};
pub use rule::FaultRule;
use rule::{Rule, luck};

/// The header with which a caller asks for faults.
const HEADER: &str = "hallpass-fault";

/// Most counters of tokens; the oldest begin anew.
const MOST_COUNTERS: usize = 10_000;

/// Most rules at a time.
const MOST_RULES: usize = 100;

/// The faults of one resource server.
pub struct Faults {
    definition: Arc<Definition>,
    enabled: bool,
    seed: u64,
    rules: RwLock<Vec<Arc<Rule>>>,
    next: AtomicU64,
    /// How many calls a token has made, by the hash of the token and of what is counted for it.
    counters: Cache<u64, Arc<AtomicU64>>,
}

/// A rule as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRule {
    /// Its number.
    pub id: u64,
    /// What was written.
    pub rule: FaultRule,
    /// How many calls it has met so far.
    pub calls: u64,
}

/// Why a rule was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleRefused {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] FaultError),
    /// There are too many.
    #[error("there are {MOST_RULES} rules already")]
    TooMany,
    /// This server makes no faults.
    #[error("faults are switched off")]
    SwitchedOff,
}

impl Faults {
    /// With rules to begin with; `seed` decides the luck of those that leave it to chance. Switched off,
    /// there are none and the header means nothing.
    pub fn new(
        definition: Arc<Definition>,
        enabled: bool,
        seed: u64,
        rules: Vec<FaultRule>,
    ) -> Result<Self, RuleRefused> {
        let faults = Self {
            definition,
            enabled: true,
            seed,
            rules: RwLock::default(),
            next: AtomicU64::new(1),
            counters: Cache::new(MOST_COUNTERS),
        };
        for rule in rules {
            faults.add(rule)?;
        }
        Ok(Self { enabled, ..faults })
    }

    /// Adds a rule, which acts on the next call. Its number.
    pub fn add(&self, rule: FaultRule) -> Result<u64, RuleRefused> {
        if !self.enabled {
            return Err(RuleRefused::SwitchedOff);
        }
        let mut rules = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        if rules.len() >= MOST_RULES {
            return Err(RuleRefused::TooMany);
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        rules.push(Arc::new(Rule::read(id, rule, &self.definition)?));
        Ok(id)
    }

    /// The rules, oldest first.
    pub fn list(&self) -> Vec<ListedRule> {
        let rules = self.rules.read().unwrap_or_else(PoisonError::into_inner);
        let listed = |rule: &Arc<Rule>| ListedRule {
            id: rule.id,
            rule: rule.written.clone(),
            calls: rule.met(),
        };
        rules.iter().map(listed).collect()
    }

    /// Takes all rules away; how many there were.
    pub fn clear(&self) -> usize {
        let mut rules = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *rules).len()
    }

    /// What happens to a call. A header that cannot be read is the caller's mistake, and said.
    pub(crate) fn choose(
        &self,
        call: &Marked<'_>,
        operation: &Operation,
        metrics: &Metrics,
    ) -> Result<Chosen, Refusal> {
        let mut chosen = Chosen::default();
        if !self.enabled {
            return Ok(chosen);
        }
        for header in call.headers.get_all(HEADER) {
            let faults = header
                .to_str()
                .map_err(|_| Refusal::BadRequest("Hallpass-Fault: it is no plain text".to_owned()))
                .and_then(|text| {
                    let unreadable =
                        |error| Refusal::BadRequest(format!("Hallpass-Fault: {error}"));
                    grammar::parse(text, Writer::Client).map_err(unreadable)
                })?;
            for (place, fault) in faults.iter().enumerate() {
                // The text is part of what is counted: a caller that sends another starts anew.
                let of_token = self.of_token(call, fault, (header.as_bytes(), place));
                if fault.when.happens(of_token, 0, || 1.0) {
                    chosen.add(fault.what, metrics);
                }
            }
        }
        let rules = self.rules.read().unwrap_or_else(PoisonError::into_inner);
        for rule in rules.iter() {
            let Some(of_rule) = rule.meets(operation, call.method, call.path) else {
                continue;
            };
            for (place, fault) in (0..).zip(&rule.faults) {
                let of_token = self.of_token(call, fault, (rule.id, place));
                let luck = || luck(self.seed, rule.id, place, of_rule);
                if fault.when.happens(of_token, of_rule, luck) {
                    chosen.add(fault.what, metrics);
                }
            }
        }
        Ok(chosen)
    }

    /// Which call of its token this one is, for a fault that counts them.
    fn of_token(&self, call: &Marked<'_>, fault: &Fault, counted: impl std::hash::Hash) -> u64 {
        if !fault.when.counts_tokens() {
            return 1;
        }
        let mut hasher = DefaultHasher::new();
        call.token.fingerprint().hash(&mut hasher);
        counted.hash(&mut hasher);
        let made: Result<_, std::convert::Infallible> = self
            .counters
            .get_or_insert_with(&hasher.finish(), || Ok(Arc::default()));
        match made {
            Ok(counter) => counter.fetch_add(1, Ordering::Relaxed) + 1,
            Err(never) => match never {},
        }
    }
}

/// What of a call decides about its faults.
pub(crate) struct Marked<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) token: &'a PresentedToken,
}

/// What happens to one call.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    delay: Duration,
    status: Option<(StatusCode, Option<u32>)>,
    drop: Option<Moment>,
    task: TaskFate,
}

/// What comes in place of the call.
pub(crate) enum Instead {
    /// An error, as it is refused otherwise.
    Status(StatusCode, Option<u32>),
    /// Nothing at all.
    NoAnswer(Response<AnswerBody>),
}

impl Chosen {
    /// The first of each kind counts, and the longest delay.
    fn add(&mut self, what: What, metrics: &Metrics) {
        metrics.faulted(match what {
            What::Delay(time) => {
                self.delay = self.delay.max(time);
                "delay"
            }
            What::Status {
                status,
                retry_after,
            } => {
                self.status.get_or_insert((status, retry_after));
                "status"
            }
            What::Drop(moment) => {
                self.drop.get_or_insert(moment);
                "drop"
            }
            What::Task(fate) => {
                if self.task == TaskFate::Normal {
                    self.task = fate;
                }
                "task"
            }
        });
    }

    /// Whether it takes its time.
    pub(crate) fn waits(&self) -> bool {
        !self.delay.is_zero()
    }

    /// Takes its time.
    pub(crate) async fn wait(&self) {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
    }

    /// What comes in place of the call, which is not made then.
    pub(crate) fn instead(&self) -> Option<Instead> {
        if self.drop == Some(Moment::Request) {
            return Some(Instead::NoAnswer(no_answer()));
        }
        self.status
            .map(|(status, retry_after)| Instead::Status(status, retry_after))
    }

    /// What becomes of the task that the call starts.
    pub(crate) fn task(&self) -> TaskFate {
        self.task
    }

    /// What is left of the answer to a call that was made. Without a body there is no middle of one.
    pub(crate) fn spoil(
        &self,
        method: &Method,
        response: Response<AnswerBody>,
    ) -> Response<AnswerBody> {
        match self.drop {
            None => response,
            Some(Moment::Body) if *method != Method::HEAD => {
                let (head, body) = response.into_parts();
                match body.cut_short() {
                    Some(body) => Response::from_parts(head, body),
                    None => no_answer(),
                }
            }
            Some(_) => no_answer(),
        }
    }
}

/// What the listener takes for the end of a connection. Its status is seen by nobody.
fn no_answer() -> Response<AnswerBody> {
    let mut response = Response::new(AnswerBody::from(Bytes::new()));
    response.extensions_mut().insert(NoAnswer);
    response
}
