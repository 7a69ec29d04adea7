//! The way in: a request, a state and a moment go in, an answer and the wanted changes come out.

use std::sync::Arc;

use hallpass_openapi::{Definition, Operation};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use rand_core::Rng;
use serde_json::Value;

use crate::change::Change;
use crate::dscc::{self, Row};
use crate::rest::{ListRules, Refusal};
use crate::state::State;

/// The rules of a stand-in for one definition.
#[derive(Debug)]
pub struct Sandbox {
    definition: Arc<Definition>,
    settings: Settings,
    /// By [`Operation::index`]; nothing for operations that are not modelled.
    models: Vec<Option<Model>>,
}

/// How a stand-in behaves where the real service does not say.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a task takes.
    pub task_duration: SignedDuration,
    /// Refuse `"16384"` where a number is wanted, instead of reading it as one (domain.md 8.4).
    pub strict: bool,
    /// How many items a page holds when the request does not say (domain.md 6.1).
    pub default_page: usize,
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
    pub body: Option<Value>,
    /// The id of the task that a 202 started.
    pub task: Option<String>,
}

impl Outcome {
    /// A 200 that changes nothing.
    pub(crate) fn ok(body: Value) -> Self {
        Self {
            response: Response {
                status: StatusCode::OK,
                body: Some(body),
                task: None,
            },
            changes: Vec::new(),
        }
    }
}

#[derive(Debug)]
struct Model {
    row: &'static Row,
    list: ListRules,
}

impl Sandbox {
    /// The rules for `definition`. Operations are recognised by method and path.
    pub fn new(definition: Arc<Definition>, settings: Settings) -> Self {
        let model = |operation: &Operation| {
            let row = Row::of(operation)?;
            let list = ListRules::of(&definition, operation, row.virtual_attributes());
            Some(Model { row, list })
        };
        let models = definition.operations().iter().map(model).collect();
        Self {
            definition,
            settings,
            models,
        }
    }

    /// A state to begin with. It is the same for the same number and time, and every example of a
    /// path parameter in the definition names an object in it.
    pub fn seed(&self, seed: u64, now: Timestamp) -> State {
        dscc::seed(&self.definition, &self.settings, seed, now)
    }

    /// The same with another number of volumes than the settings have.
    pub fn seed_sized(&self, seed: u64, volumes: usize, now: Timestamp) -> State {
        let settings = Settings {
            volumes,
            ..self.settings.clone()
        };
        dscc::seed(&self.definition, &settings, seed, now)
    }

    /// Whether the operation is modelled; [`Sandbox::apply`] answers 501 to the others.
    pub fn stateful(&self, operation: &Operation) -> bool {
        self.model(operation).is_some()
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
        let answer = match self.model(request.operation) {
            Some(model) => model.row.answer(&mut dscc::Call {
                definition: &self.definition,
                settings: &self.settings,
                rules: &model.list,
                state,
                request,
                now,
                rng,
            }),
            None => Err(Refusal::NotModelled(request.operation.id().to_owned())),
        };
        answer.unwrap_or_else(|refusal| Outcome {
            response: refusal.response(rng),
            changes: Vec::new(),
        })
    }

    fn model(&self, operation: &Operation) -> Option<&Model> {
        self.models.get(operation.index())?.as_ref()
    }
}
