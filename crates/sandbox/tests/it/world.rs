//! A sandbox, its state, its journal and its clock. Every answer is checked against the definition.

use std::sync::{Arc, OnceLock};

use hallpass_openapi::{Definition, Fill, Location, Operation, Route};
use hallpass_sandbox::{
    Body, Caller, Change, Level, Outcome, Request, Sandbox, Settings, State, TaskFate,
};
use http::Method;
use jiff::{SignedDuration, Timestamp};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use serde_json::{Value, json};

pub(crate) const SYSTEM: &str = "2M2042059T";
pub(crate) const GROUP: &str = "0006b878a5a008ec63000000000000000000000001";
pub(crate) const VOLUME: &str = "9d4c17e05ab84f20b6e3217fc80da651";
pub(crate) const HOST: &str = "c2f08e6d1b7945a3a94d5e60b81f3c72";
pub(crate) const CUSTOMER: &str = "fc5f41652a53497e88cdcebc715cc1cf";
pub(crate) const EMAIL: &str = "ann@example.com";

/// The project's own definition.
pub(crate) fn definition() -> Arc<Definition> {
    static DEFINITION: OnceLock<Arc<Definition>> = OnceLock::new();
    let read = || {
        let text = include_str!("../../../../api/storage-api.yaml");
        Arc::new(Definition::read(text).unwrap().definition)
    };
    Arc::clone(DEFINITION.get_or_init(read))
}

pub(crate) struct World {
    pub(crate) definition: Arc<Definition>,
    pub(crate) sandbox: Sandbox,
    pub(crate) state: State,
    pub(crate) now: Timestamp,
    pub(crate) journal: Vec<(Vec<Change>, Timestamp)>,
    pub(crate) fate: TaskFate,
    rng: ChaCha8Rng,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(definition(), Settings::default())
    }

    pub(crate) fn with(definition: Arc<Definition>, settings: Settings) -> Self {
        let now: Timestamp = "2024-03-01T12:00:00Z".parse().unwrap();
        let sandbox = Sandbox::new(Arc::clone(&definition), settings);
        let state = sandbox.seed(1, now);
        Self {
            definition,
            sandbox,
            state,
            now,
            journal: Vec::new(),
            fate: TaskFate::Normal,
            rng: ChaCha8Rng::seed_from_u64(2),
        }
    }

    pub(crate) fn get(&mut self, path: &str) -> (u16, Value) {
        self.send(&Method::GET, path, None)
    }

    pub(crate) fn post(&mut self, path: &str, body: &Value) -> (u16, Value) {
        self.send(&Method::POST, path, Some(&body.to_string()))
    }

    pub(crate) fn put(&mut self, path: &str, body: &Value) -> (u16, Value) {
        self.send(&Method::PUT, path, Some(&body.to_string()))
    }

    pub(crate) fn delete(&mut self, path: &str) -> (u16, Value) {
        self.send(&Method::DELETE, path, None)
    }

    /// As a server would: route, apply, journal, commit, answer.
    pub(crate) fn send(
        &mut self,
        method: &Method,
        target: &str,
        body: Option<&str>,
    ) -> (u16, Value) {
        let outcome = self.apply(method, target, body);
        self.state.commit(&outcome.changes, self.now);
        if !outcome.changes.is_empty() {
            self.journal.push((outcome.changes, self.now));
        }
        let status = outcome.response.status.as_u16();
        (
            status,
            outcome
                .response
                .body
                .map(Body::into_value)
                .unwrap_or_default(),
        )
    }

    /// What would happen; nothing is committed.
    pub(crate) fn apply(&mut self, method: &Method, target: &str, body: Option<&str>) -> Outcome {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = format!("/api/v1/{path}");
        let Route::Found {
            operation,
            path: parameters,
        } = self.definition.routes().find(method, &path)
        else {
            panic!("{method} {path} is no operation")
        };
        let query: Vec<(String, String)> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let operation = &self.definition.operations()[operation];
        self.state.advance(self.now);
        let request = Request {
            operation,
            path: &parameters,
            query: &query,
            body: body.map(str::as_bytes),
            caller: Caller {
                email: EMAIL,
                customer_id: CUSTOMER,
            },
            task_fate: self.fate,
            uri: target,
        };
        let outcome = self
            .sandbox
            .apply(&self.state, &request, self.now, &mut self.rng);
        self.check(operation, &outcome);
        if *method == Method::GET {
            self.check_lasting(&request, &outcome);
        }
        outcome
    }

    /// An answer that is said to last is the same at any time, whatever is drawn.
    fn check_lasting(&self, request: &Request<'_>, outcome: &Outcome) {
        let later = self.now + SignedDuration::from_hours(1);
        let mut rng = ChaCha8Rng::seed_from_u64(99);
        let (again, lasts) = self.sandbox.read(&self.state, request, later, &mut rng);
        if lasts {
            assert_eq!(again, *outcome, "{}", request.uri);
        }
    }

    /// What holds for every answer: it keeps to its declared schema, refusals have all three keys
    /// and change nothing, and only a 202 names a task.
    fn check(&self, operation: &Operation, outcome: &Outcome) {
        let status = outcome.response.status.as_u16();
        let body = outcome
            .response
            .body
            .clone()
            .expect("every answer has a body")
            .into_value();
        let violations = self.definition.check_response(operation, status, &body);
        let told: Vec<String> = violations
            .iter()
            .map(|v| format!("{} {}", v.pointer, v.message))
            .collect();
        assert!(
            told.is_empty(),
            "{} {status}: {told:?}\n{body:#}",
            operation.id()
        );
        assert_eq!(outcome.response.task.is_some(), status == 202);
        if status >= 400 {
            assert!(outcome.changes.is_empty());
            assert!(body["error"].is_string() && body["errorCode"].is_string());
            assert_eq!(body["traceId"].as_str().unwrap().len(), 32);
        }
    }

    pub(crate) fn later(&mut self, milliseconds: i64) {
        self.now = self
            .now
            .checked_add(SignedDuration::from_millis(milliseconds))
            .unwrap();
    }

    /// Waits for the task of a 202 and gives it back.
    pub(crate) fn done(&mut self, (status, accepted): (u16, Value)) -> Value {
        assert_eq!(status, 202, "{accepted}");
        self.later(1000);
        let (status, task) = self.get(&format!("tasks/{}", accepted["taskUri"].as_str().unwrap()));
        assert_eq!(status, 200);
        assert_eq!(task["progressPercent"], 100);
        task
    }

    /// Makes the change that an operation stands for, to the end; reads are left out. The bodies are
    /// those that the definition shows, but for what only the seed knows.
    pub(crate) fn change(&mut self, method: &Method, id: &str, path: &str) {
        if method == Method::GET {
            return;
        }
        let path = self.prepared(id, path);
        let definition = Arc::clone(&self.definition);
        let operation = definition.operation(id).unwrap();
        let body = match id {
            "VolumeCreate" => Some(json!({"name": "new", "sizeMib": 1024, "userCpg": "SSD_r6"})),
            "VolumeEdit" => Some(json!({"name": "renamed"})),
            "HostCreate" => {
                Some(json!({"name": "new", "operatingSystem": "AIX", "userCreated": true}))
            }
            id => self
                .device_type1_body(id)
                .or_else(|| definition.example_body(operation, Fill::Shown)),
        };
        let body = body.map(|body| self.with_living_ids(body, &path));
        let answer = self.send(method, &path, body.map(|body| body.to_string()).as_deref());
        if answer.0 != 200 {
            assert_eq!(answer.0, 202, "{id}: {}", answer.1);
            let task = self.done(answer);
            assert_eq!(task["state"], "SUCCEEDED", "{id}: {}", task["error"]);
        }
    }

    /// Bodies that name objects of device-type2 have them from the seed where the definition shows
    /// none; what is to be taken back is done first.
    fn with_living_ids(&mut self, mut body: Value, path: &str) -> Value {
        let (parent, last) = path.rsplit_once('/').unwrap_or(("", path));
        let (key, list, opposite) = match last {
            "export" | "un-export" => ("hostGroups", "host-initiator-groups".to_owned(), "export"),
            "add-volumes" | "remove-volumes" => {
                let (system, _) = path.split_once("/volume-collections").unwrap();
                ("volume_ids", format!("{system}/volumes"), "add-volumes")
            }
            _ => return body,
        };
        if path.contains("device-type2") && body[key].is_null() {
            body[key] = json!([self.get(&list).1["items"][0]["id"]]);
            if last != opposite {
                let done = self.post(&format!("{parent}/{opposite}"), &body);
                self.done(done);
            }
        }
        body
    }

    /// Every operation that is modelled, with the address that its examples make.
    pub(crate) fn examples(&self) -> Vec<(Method, String, String)> {
        // The service's definition shows no id of an issue.
        let state = serde_json::to_value(&self.state).unwrap();
        let living = state["collections"]["issues"][0][0]
            .as_str()
            .unwrap()
            .to_owned();
        let operations = self.definition.operations().iter();
        operations
            .filter(|operation| self.sandbox.level(operation) == Level::Stateful)
            .map(|operation| {
                let mut path = operation.path().trim_start_matches("/api/v1/").to_owned();
                for parameter in operation.parameters() {
                    if parameter.location == Location::Path {
                        let example = parameter.example.as_ref().and_then(Value::as_str);
                        let example = example.unwrap_or(&living);
                        path = path.replace(&format!("{{{}}}", parameter.name), example);
                    }
                }
                (operation.method().clone(), operation.id().to_owned(), path)
            })
            .collect()
    }
}

pub(crate) fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect()
}
