//! The way in: a request, a state and a moment go in, an answer and the wanted changes come out.

use std::collections::BTreeMap;
use std::sync::Arc;

use hallpass_openapi::{Definition, Operation};
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use rand_core::Rng;
use serde_json::Value;

use crate::change::Change;
use crate::dscc::{self, Row};
use crate::generic::{self, Api, Generic, Template};
use crate::given::{Chance, Moment};
use crate::level::Level;
use crate::neighbours::Surrounding;
use crate::rest::ListRules;
use crate::state::State;

/// The rules of a stand-in for one definition.
#[derive(Debug)]
pub struct Sandbox {
    definition: Arc<Definition>,
    settings: Settings,
    /// By [`Operation::index`]; nothing for operations that have no rules of their own.
    models: Vec<Option<Model>>,
    /// The operations that get one object by rules of their own.
    getters: BTreeMap<Template, usize>,
    generic: Generic,
}

/// How a stand-in behaves where the real service does not say.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a task takes.
    pub task_duration: SignedDuration,
    /// Refuse `"16384"` where a number is wanted, instead of reading it as one (domain.md 8.4), and
    /// changes that change nothing as they are said.
    pub strict: bool,
    /// How many items a page holds when the request does not say (domain.md 6.1).
    pub default_page: usize,
    /// How many items a page has at most, whatever the request says; `pageLimit` tells.
    pub longest_page: usize,
    /// How many tasks are kept; the oldest ended ones go first.
    pub kept_tasks: usize,
    /// How many volumes one call may create, so that no single body can fill the memory.
    pub volumes_per_call: usize,
    /// How a 202 names its task.
    pub task_uri: TaskUri,
    /// How many volumes the seed makes on the device-type1 systems together; those that the
    /// definition has as examples are made in any case.
    pub volumes: usize,
}

/// What stands in the `taskUri` of a 202; sources disagree (domain.md 6.5). A task can be looked up
/// by any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskUri {
    /// The bare id, as the real service answers.
    Id,
    /// `/api/v1/tasks/<id>`, as its prose says.
    Path,
    /// `/rest/vega/v1/tasks/<id>`, as its definition gives for an example.
    Definition,
}

/// What becomes of the task that a call starts. Everything but [`TaskFate::Normal`] is a fault that
/// was asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TaskFate {
    /// It does its work, unless a check fails.
    #[default]
    Normal,
    /// It fails when it would have ended.
    Fail,
    /// It times out when it would have ended.
    TimeOut,
    /// It stops half way and never ends.
    Hang,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            task_duration: SignedDuration::from_secs(1),
            strict: false,
            default_page: 500,
            longest_page: 10_000,
            kept_tasks: 10_000,
            volumes_per_call: 1000,
            task_uri: TaskUri::Id,
            volumes: 12,
        }
    }
}

/// A request that was matched to an operation and let through.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The operation of the sandbox's own definition.
    pub operation: &'a Operation,
    /// Path parameters, decoded.
    pub path: &'a [(String, String)],
    /// Query parameters, decoded, in the order they came.
    pub query: &'a [(String, String)],
    /// The body, if there is one.
    pub body: Option<&'a [u8]>,
    /// Who asks.
    pub caller: Caller<'a>,
    /// What becomes of the task that the request starts.
    pub task_fate: TaskFate,
    /// The full URL asked for; lists and objects repeat it as `requestUri`.
    pub uri: &'a str,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// E-mail address of the person behind the token.
    pub email: &'a str,
    /// The workspace, as `customerId` shows it.
    pub customer_id: &'a str,
}

/// An answer, and what must be committed before it is given.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The answer.
    pub response: Response,
    /// What it promises; empty for reads and refusals.
    pub changes: Vec<Change>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// Its status.
    pub status: StatusCode,
    /// Its JSON body.
    pub body: Option<Body>,
    /// The id of the task that a 202 started.
    pub task: Option<String>,
}

/// The JSON body of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// As a value.
    Value(Value),
    /// Written down already, in UTF-8. Lists are, because nobody looks into their pages again.
    Written(Vec<u8>),
}

impl Body {
    /// The value; what was written is read again.
    pub fn into_value(self) -> Value {
        match self {
            Self::Value(value) => value,
            Self::Written(text) => serde_json::from_slice(&text).unwrap_or_default(),
        }
    }
}

impl From<Value> for Body {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

impl Outcome {
    /// Where what a 201 has created can be found, for a request to this path or URL (RFC 9110 section
    /// 15.3.2).
    pub fn location(&self, uri: &str) -> Option<String> {
        let is_created = self.response.status == StatusCode::CREATED;
        (is_created && self.response.task.is_none())
            .then(|| generic::location(uri, &self.changes))
            .flatten()
    }

    /// A 200 that changes nothing.
    pub(crate) fn ok(body: impl Into<Body>) -> Self {
        Self {
            response: Response {
                status: StatusCode::OK,
                body: Some(body.into()),
                task: None,
            },
            changes: Vec::new(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) row: &'static Row,
    pub(crate) list: ListRules,
}

impl Sandbox {
    /// The rules for `definition`. Operations are recognised by method and path.
    pub fn new(definition: Arc<Definition>, settings: Settings) -> Self {
        let model = |operation: &Operation| {
            let row = Row::of(operation)?;
            let list = ListRules::of(&definition, operation, row.virtual_attributes());
            Some(Model { row, list })
        };
        let models: Vec<Option<Model>> = definition.operations().iter().map(model).collect();
        let getters = definition
            .operations()
            .iter()
            .filter(|one| one.method() == Method::GET && models[one.index()].is_some())
            .filter_map(|one| Some((Template::of(one.path())?, one.index())))
            .collect();
        let has_tasks = dscc::has_tasks(&definition);
        let partial_put = dscc::origins(&definition);
        let generic = Generic::new(
            &definition,
            &Api {
                has_row: &|operation| Row::of(operation).is_some(),
                has_task: &|one| has_tasks && dscc::answers_with_task(&definition, one),
                partial_put: &|one| has_tasks && partial_put.contains(&definition.origin(one)),
            },
        );
        Self {
            definition,
            settings,
            models,
            getters,
            generic,
        }
    }

    /// A state to begin with. It is the same for the same number and time, and every example of a
    /// path parameter in the definition names an object in it.
    pub fn seed(&self, seed: u64, now: Timestamp) -> State {
        self.first_state(&self.settings, seed, now)
    }

    /// The same with another number of volumes than the settings have.
    pub fn seed_sized(&self, seed: u64, volumes: usize, now: Timestamp) -> State {
        let settings = Settings {
            volumes,
            ..self.settings.clone()
        };
        self.first_state(&settings, seed, now)
    }

    fn first_state(&self, settings: &Settings, seed: u64, now: Timestamp) -> State {
        let mut state = if self.models.iter().any(Option::is_some) {
            dscc::seed(&self.definition, settings, seed, now)
        } else {
            State::default()
        };
        state.commit(&[generic::begin(seed)], now);
        state
    }

    /// How the operation is answered.
    pub fn level(&self, operation: &Operation) -> Level {
        match (self.model(operation), self.generic.refused(operation)) {
            (Some(_), _) => Level::Stateful,
            (None, None) => Level::Generic,
            (None, Some(reason)) => Level::Refused(reason),
        }
    }

    /// Answers a request from `state`, which must have been brought to `now`.
    ///
    /// Nothing is changed here: the changes that the answer promises are in the outcome, for the
    /// caller to make durable and then to commit.
    pub fn apply(
        &self,
        state: &State,
        request: &Request<'_>,
        now: Timestamp,
        rng: &mut dyn Rng,
    ) -> Outcome {
        self.answer(state, request, &Moment::of(now), rng)
    }

    /// The same for a request that only reads, with whether the answer to this request stays the same
    /// until the state changes.
    pub fn read(
        &self,
        state: &State,
        request: &Request<'_>,
        now: Timestamp,
        rng: &mut dyn Rng,
    ) -> (Outcome, bool) {
        let (moment, mut chance) = (Moment::of(now), Chance::of(rng));
        let outcome = self.answer(state, request, &moment, &mut chance);
        let lasts = outcome.changes.is_empty() && !moment.was_asked() && !chance.was_asked();
        (outcome, lasts)
    }

    fn answer(
        &self,
        state: &State,
        request: &Request<'_>,
        moment: &Moment,
        rng: &mut dyn Rng,
    ) -> Outcome {
        let answer = match self.model(request.operation) {
            Some(model) => model.row.answer(&mut dscc::Call {
                definition: &self.definition,
                settings: &self.settings,
                rules: &model.list,
                state,
                request,
                moment,
                rng,
            }),
            None => generic::Call {
                generic: &self.generic,
                definition: &self.definition,
                settings: &self.settings,
                state,
                request,
                moment,
                rng,
                neighbours: &Surrounding {
                    sandbox: self,
                    state,
                    request,
                    moment,
                },
            }
            .answer(),
        };
        answer.unwrap_or_else(|refusal| Outcome {
            response: refusal.response(&self.definition, request.operation, rng),
            changes: Vec::new(),
        })
    }

    pub(crate) fn definition(&self) -> &Definition {
        &self.definition
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The operation that gets the object at a path, if it has rules of its own.
    pub(crate) fn getter(&self, item: &Template) -> Option<(&Operation, &Model)> {
        let operation = &self.definition.operations()[*self.getters.get(item)?];
        Some((operation, self.model(operation)?))
    }

    fn model(&self, operation: &Operation) -> Option<&Model> {
        self.models.get(operation.index())?.as_ref()
    }
}
