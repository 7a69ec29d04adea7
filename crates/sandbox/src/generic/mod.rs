//! The generic level: any definition, answered statefully without a line of code for it
//! (domain.md 6.1, 6.4, 6.5, 7.1 to 7.5).
//!
//! The paths tell what there is (`resource`), method, body and answer what an operation does (`act`),
//! schemas and examples what objects look like (`object`). Objects of the beginning follow from the
//! definition and a number, and are made when somebody looks (`store`); what is changed is kept in
//! the state. Each object is on its own: what hangs together with what, only rules written for an
//! API can say.
//!
//! This level knows no API. What has rules of its own, and how an API's tasks work, it asks its
//! [`Neighbours`].

mod act;
mod answer;
mod body_ids;
mod history;
mod ids;
mod input;
mod list;
mod names;
mod object;
mod resource;
mod schema;
mod stamps;
mod store;
mod template;
mod view;
mod write;

use std::sync::OnceLock;

use hallpass_openapi::{Definition, Operation};
use rand_core::Rng;
use serde_json::{Map, Value};

pub(crate) use answer::location;
pub(crate) use schema::declares;
pub(crate) use store::begin;
pub(crate) use template::Template;

use crate::change::{Change, Requirement};
use crate::given::Moment;
use crate::level::Reason;
use crate::rest::{ListRules, Refusal};
use crate::sandbox::{Outcome, Request, Settings};
use crate::state::State;
use act::{Act, Surroundings};
use resource::{Kind, Resource, Resources};
use store::Store;

/// What the definition tells of the operations that have no rules of their own.
#[derive(Debug)]
pub(crate) struct Generic {
    resources: Resources,
    /// By [`Operation::index`].
    acts: Vec<Known>,
}

#[derive(Debug)]
enum Known {
    /// It has rules of its own.
    Elsewhere,
    Act(Box<Act>, OnceLock<ListRules>),
    Refused(Reason),
}

/// What the generic level has to be told of an API before it looks at its operations.
pub(crate) struct Api<'a> {
    /// Whether an operation has rules of its own.
    pub(crate) has_row: &'a dyn Fn(&Operation) -> bool,
    /// Whether an operation answers with a task.
    pub(crate) has_task: &'a dyn Fn(&Operation) -> bool,
    /// Whether a PUT changes what is sent and nothing else.
    pub(crate) partial_put: &'a dyn Fn(&Operation) -> bool,
}

/// What the generic level asks while it answers.
pub(crate) trait Neighbours {
    /// Whether the object at this path is there; nothing when it has no rules of its own.
    fn has(&self, item: &Template, ids: &[&str]) -> Option<bool>;

    /// Takes work as a task.
    fn accept(&self, work: Work, rng: &mut dyn Rng) -> Result<Outcome, Refusal>;
}

/// Everything that an answer may depend on.
pub(crate) struct Call<'a, 'r> {
    pub(crate) generic: &'a Generic,
    pub(crate) definition: &'a Definition,
    pub(crate) settings: &'a Settings,
    pub(crate) state: &'a State,
    pub(crate) request: &'a Request<'a>,
    pub(crate) moment: &'a Moment,
    pub(crate) rng: &'r mut dyn Rng,
    pub(crate) neighbours: &'a dyn Neighbours,
}

/// What is to be done.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// In words, but for the names of the objects.
    pub(crate) title: String,
    /// What it is about: the kind of the objects, and each one's name and path.
    pub(crate) kind: String,
    pub(crate) about: Vec<(String, String)>,
    /// What must hold when a task ends, and what to say when it does not.
    pub(crate) checks: Vec<(Requirement, String)>,
    /// What changes at once.
    pub(crate) first: Vec<Change>,
    /// What changes when it is done.
    pub(crate) then: Vec<Change>,
}

impl Generic {
    pub(crate) fn new(definition: &Definition, api: &Api<'_>) -> Self {
        let ruled = resource::ruled(definition, api.has_row);
        let mut resources = Resources::of(definition, api.has_row, &ruled);
        let acts = {
            let surroundings = Surroundings {
                definition,
                resources: &resources,
                has_task: api.has_task,
                partial_put: api.partial_put,
                ruled: &ruled,
            };
            let known = |operation: &Operation| {
                if (api.has_row)(operation) {
                    return Known::Elsewhere;
                }
                match surroundings.act(operation) {
                    Ok(act) => Known::Act(Box::new(act), OnceLock::new()),
                    Err(reason) => Known::Refused(reason),
                }
            };
            definition
                .operations()
                .iter()
                .map(known)
                .collect::<Vec<_>>()
        };
        remember_named(definition, &acts, &mut resources);
        Self { resources, acts }
    }

    /// Why an operation is refused, if it is.
    pub(crate) fn refused(&self, operation: &Operation) -> Option<Reason> {
        match self.acts.get(operation.index()) {
            Some(Known::Act(..) | Known::Elsewhere) => None,
            Some(Known::Refused(reason)) => Some(*reason),
            None => Some(Reason::Unknown),
        }
    }
}

impl<'a> Call<'a, '_> {
    pub(crate) fn answer(&mut self) -> Result<Outcome, Refusal> {
        let operation = self.request.operation;
        let generic = self.generic;
        let get = |resource: &usize| generic.resources.get(*resource);
        let Some(Known::Act(act, rules)) = generic.acts.get(operation.index()) else {
            let reason = generic.refused(operation).unwrap_or(Reason::Unknown);
            return Err(Refusal::NotModelled(operation.id().to_owned(), reason));
        };
        match &**act {
            Act::List { resource } => {
                let rules = rules.get_or_init(|| list::rules(self.definition, operation));
                self.list(get(resource), rules)
            }
            Act::Show { resource } => self.show(get(resource), rules),
            Act::History(history) => {
                let rules = rules.get_or_init(|| list::rules(self.definition, operation));
                history.answer(self, rules)
            }
            Act::Create {
                resource,
                input,
                reply,
            } => write::create(self, get(resource), input, reply),
            Act::Edit {
                resource,
                input,
                manner,
                reply,
            } => write::edit(self, get(resource), input, *manner, reply),
            Act::Delete { resource, reply } => write::delete(self, get(resource), reply),
            Act::Remove {
                resource,
                ids,
                reply,
            } => write::remove(self, get(resource), ids, reply),
            Act::Switch {
                resource,
                member,
                to,
                reply,
            } => write::switch(self, get(resource), (member, *to), reply),
            Act::Outside { path, reply } => answer::outside(self, path, reply),
        }
    }

    fn list(&mut self, resource: &Resource, rules: &ListRules) -> Result<Outcome, Refusal> {
        let parents = self.ids();
        self.store().reach(&resource.template.item(), &parents)?;
        let objects = self.store().all(resource, &parents);
        let Some(view) = &resource.many else {
            return Err(Refusal::NotFound("there is no such list".to_owned()));
        };
        list::answer(self, resource, view, rules, &objects).map(Outcome::ok)
    }

    fn show(
        &mut self,
        resource: &Resource,
        rules: &OnceLock<ListRules>,
    ) -> Result<Outcome, Refusal> {
        let (_, object) = self.found(resource)?;
        let Some(view) = &resource.one else {
            return Err(Refusal::NotFound("there is no such object".to_owned()));
        };
        let value = answer::show(self, resource, view, &object);
        let operation = self.request.operation;
        let rules = rules.get_or_init(|| list::rules(self.definition, operation));
        crate::rest::Question::one(self.request, rules, value).map(Outcome::ok)
    }

    /// The object that the path names, with its ids.
    fn found(&self, resource: &Resource) -> Result<(Vec<&'a str>, Map<String, Value>), Refusal> {
        let mut ids = self.ids();
        let item = match resource.kind {
            Kind::Single => resource.template.clone(),
            Kind::Collection | Kind::Implied => resource.template.item(),
        };
        ids.truncate(item.ids());
        self.store().reach(&item, &ids)?;
        if let Some(object) = self.store().get(resource, &ids) {
            return Ok((ids, object));
        }
        let noun = resource.noun();
        Err(Refusal::NotFound(if resource.kind == Kind::Single {
            format!("there is no {noun} here")
        } else {
            let id = ids.last().copied().unwrap_or_default();
            format!("there is no {noun} with the id {id}")
        }))
    }

    fn ids(&self) -> Vec<&'a str> {
        let path: &'a [(String, String)] = self.request.path;
        path.iter().map(|(_, id)| id.as_str()).collect()
    }

    fn store(&self) -> Store<'a> {
        Store {
            definition: self.definition,
            resources: &self.generic.resources,
            state: self.state,
            neighbours: self.neighbours,
        }
    }

    /// With what an object says of who asked, and for what.
    fn addressed(&self, mut object: Map<String, Value>) -> Map<String, Value> {
        self.address(&mut object);
        object
    }

    fn address(&self, object: &mut Map<String, Value>) {
        for (name, value) in object.iter_mut().filter(|(_, value)| value.is_string()) {
            if answer::is_address(name) {
                *value = self.request.uri.into();
            } else if name == "customerId" {
                *value = self.request.caller.customer_id.into();
            }
        }
    }
}

impl Work {
    fn new(verb: &str, resource: &Resource) -> Self {
        Self {
            title: format!("{verb} {}", resource.noun()),
            kind: names::singular(resource.template.word().unwrap_or("object")),
            ..Self::default()
        }
    }

    /// In words, with the name of the first object and how many others there are.
    pub(crate) fn told(&self) -> String {
        let title = match self.about.first() {
            Some((name, _)) if !name.is_empty() => format!("{} {name}", self.title),
            _ => self.title.clone(),
        };
        match self.about.len() {
            0 | 1 => title,
            many => format!("{title} and {} more", many - 1),
        }
    }

    /// Adds an object that it is about.
    fn names(&mut self, resource: &Resource, ids: &[&str], object: &Map<String, Value>) {
        let path = match resource.kind {
            Kind::Single => resource.template.fill(ids),
            Kind::Collection | Kind::Implied => resource.template.item().fill(ids),
        };
        let id = ids.last().copied().unwrap_or_default();
        let name = object.get("name").and_then(Value::as_str).unwrap_or(id);
        self.about.push((name.to_owned(), path));
    }
}

/// The ids in the examples of bodies are living ones, as those in the examples of paths are.
fn remember_named(definition: &Definition, acts: &[Known], resources: &mut Resources) {
    for (operation, known) in definition.operations().iter().zip(acts) {
        let Known::Act(act, _) = known else {
            continue;
        };
        let Act::Remove { resource, ids, .. } = &**act else {
            continue;
        };
        let above: Option<Vec<String>> = resource::parameters(operation)
            .into_iter()
            .map(|(_, example)| example)
            .collect();
        let body = definition.example_body(operation, hallpass_openapi::Fill::Shown);
        let (Some(above), Some(body)) = (above, body) else {
            continue;
        };
        for id in ids.of(&body) {
            let mut path = above.clone();
            path.push(id);
            resources.know(*resource, path);
        }
    }
}
