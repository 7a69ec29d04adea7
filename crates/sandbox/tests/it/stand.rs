//! A stand-in for any definition, its state and its clock. Every answer is checked against the
//! definition.

use std::sync::Arc;

use hallpass_openapi::{Definition, Fill, Location, Operation, Route};
use hallpass_sandbox::{Caller, Outcome, Request, Sandbox, Settings, State, TaskFate};
use http::Method;
use jiff::{SignedDuration, Timestamp};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use serde_json::Value;

pub(crate) struct Stand {
    pub(crate) definition: Arc<Definition>,
    pub(crate) sandbox: Sandbox,
    pub(crate) state: State,
    pub(crate) now: Timestamp,
    /// Answers that break their schema; whoever wants to see all of them collects them.
    pub(crate) broken: Option<Vec<String>>,
    rng: ChaCha8Rng,
}

impl Stand {
    pub(crate) fn new(definition: Arc<Definition>) -> Self {
        let now: Timestamp = "2024-03-01T12:00:00Z".parse().unwrap();
        let sandbox = Sandbox::new(Arc::clone(&definition), Settings::default());
        let state = sandbox.seed(1, now);
        Self {
            definition,
            sandbox,
            state,
            now,
            broken: None,
            rng: ChaCha8Rng::seed_from_u64(2),
        }
    }

    /// As a server would: route, apply, commit, answer. A target is a path and a query.
    pub(crate) fn send(
        &mut self,
        method: &Method,
        target: &str,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let (outcome, _) = self.apply(method, target, body);
        (
            outcome.response.status.as_u16(),
            outcome.response.body.unwrap_or_default(),
        )
    }

    pub(crate) fn get(&mut self, target: &str) -> (u16, Value) {
        self.send(&Method::GET, target, None)
    }

    pub(crate) fn post(&mut self, target: &str, body: &Value) -> (u16, Value) {
        self.send(&Method::POST, target, Some(body))
    }

    /// What happened, and where it can be found.
    pub(crate) fn apply(
        &mut self,
        method: &Method,
        target: &str,
        body: Option<&Value>,
    ) -> (Outcome, Option<String>) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let definition = Arc::clone(&self.definition);
        let Route::Found { operation, path } = definition.routes().find(method, path) else {
            panic!("{method} {target} is no operation")
        };
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let query: Vec<(String, String)> = pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let operation = &definition.operations()[operation];
        let body = body.map(ToString::to_string);
        self.state.advance(self.now);
        let request = Request {
            operation,
            path: &path,
            query: &query,
            body: body.as_deref().map(str::as_bytes),
            caller: Caller {
                email: "ann@example.com",
                customer_id: "c1",
            },
            task_fate: TaskFate::Normal,
            uri: &format!("http://127.0.0.1:8083{target}"),
        };
        let outcome = self
            .sandbox
            .apply(&self.state, &request, self.now, &mut self.rng);
        self.check(operation, target, &outcome);
        let location = outcome.location(request.uri);
        self.state.commit(&outcome.changes, self.now);
        (outcome, location)
    }

    fn check(&mut self, operation: &Operation, target: &str, outcome: &Outcome) {
        let status = outcome.response.status.as_u16();
        let Some(body) = &outcome.response.body else {
            assert!(status < 300, "{} {target} {status}", operation.id());
            return;
        };
        let violations = self.definition.check_response(operation, status, body);
        let told: Vec<String> = violations
            .iter()
            .map(|one| format!("{} {}", one.pointer, one.message))
            .collect();
        if !told.is_empty() {
            let told = format!("{} {target} {status}: {told:?}\n{body:#}", operation.id());
            match &mut self.broken {
                Some(broken) => broken.push(told),
                None => panic!("{told}"),
            }
        }
        assert!(status < 400 || outcome.changes.is_empty());
    }

    pub(crate) fn wait(&mut self) {
        self.now = self.now.checked_add(SignedDuration::from_secs(2)).unwrap();
    }

    /// The path of an operation with the examples of its parameters; those without an example have
    /// the text that is given.
    pub(crate) fn path(operation: &Operation, otherwise: &str) -> String {
        let mut path = operation.path().to_owned();
        for parameter in operation
            .parameters()
            .iter()
            .filter(|one| one.location == Location::Path)
        {
            let example = match &parameter.example {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => otherwise.to_owned(),
            };
            let example = example
                .replace('%', "%25")
                .replace('/', "%2F")
                .replace(' ', "%20");
            path = path.replace(&format!("{{{}}}", parameter.name), &example);
        }
        path
    }

    pub(crate) fn example_body(&self, operation: &Operation) -> Option<Value> {
        self.definition.example_body(operation, Fill::Shown)
    }
}
