//! What an operation does, as far as method, path, body and answer tell; or why it is refused.
//!
//! An operation is taken for an act only where one can say what a real system would show
//! afterwards. What one cannot say is refused: an invented success helps nobody.

use std::collections::BTreeSet;

use hallpass_openapi::{Definition, Operation};
use http::Method;

use super::body_ids::Ids;
use super::history::History;
use super::input::Input;
use super::names;
use super::object::name_member;
use super::resource::{Kind, Resources};
use super::schema::Outline;
use super::template::Template;
use super::view::{View, success};
use crate::level::Reason;

/// What an operation does.
#[derive(Debug)]
pub(super) enum Act {
    List {
        resource: usize,
    },
    Show {
        resource: usize,
    },
    /// Answers with numbers over time.
    History(History),
    Create {
        resource: usize,
        input: Input,
        reply: Reply,
    },
    Edit {
        resource: usize,
        input: Input,
        manner: Manner,
        reply: Reply,
    },
    Delete {
        resource: usize,
        reply: Reply,
    },
    /// Deletes the objects whose ids are in this member of the body.
    Remove {
        resource: usize,
        ids: Ids,
        reply: Reply,
    },
    /// Sets a member of an object to yes or no.
    Switch {
        resource: usize,
        member: String,
        to: bool,
        reply: Reply,
    },
    /// Does something that no answer shows.
    Outside {
        path: Template,
        reply: Reply,
    },
}

/// How a body changes an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// What is sent is set; all else stays.
    Partial,
    /// What could have been sent and is not is gone.
    Replace,
    /// JSON Merge Patch (RFC 7396).
    MergePatch,
}

/// What is answered when all went well.
#[derive(Debug)]
pub(super) enum Reply {
    /// With a task, as the API has them.
    Task(u16),
    /// With the object.
    Object(View),
    /// With what schema and examples give; what was done shows elsewhere.
    Made(u16),
    /// Without a body.
    Empty(u16),
}

/// What there is besides the generic level.
pub(super) struct Surroundings<'a> {
    pub(super) definition: &'a Definition,
    pub(super) resources: &'a Resources,
    /// Operations that answer with a task.
    pub(super) has_task: &'a dyn Fn(&Operation) -> bool,
    /// PUT changes what is sent and nothing else (domain.md 6.4).
    pub(super) partial_put: &'a dyn Fn(&Operation) -> bool,
    /// The places whose objects have rules of their own.
    pub(super) ruled: &'a BTreeSet<Template>,
}

/// Words for what shows nowhere in the API: a light, a message, a look at something.
const OUTSIDE: [&str; 5] = ["locate", "ping", "send", "collect", "test"];

/// Words for a change of what is sent.
const CHANGES: [&str; 5] = ["edit", "update", "set", "modify", "configure"];

impl Surroundings<'_> {
    pub(super) fn act(&self, operation: &Operation) -> Result<Act, Reason> {
        let path = Template::of(operation.path()).ok_or(Reason::Path)?;
        if success(operation).is_none() {
            return Err(Reason::Answer);
        }
        match *operation.method() {
            Method::GET => self.reading(operation, &path),
            Method::POST => self.posting(operation, &path),
            Method::PUT | Method::PATCH => self.editing(operation, &path),
            Method::DELETE => self.deleting(operation, &path),
            _ => Err(Reason::Method),
        }
    }

    fn reading(&self, operation: &Operation, path: &Template) -> Result<Act, Reason> {
        let resource = self.at(path)?;
        if let Some(history) = History::of(self.definition, operation) {
            return Ok(Act::History(history));
        }
        let found = self.resources.get(resource);
        match found.kind {
            Kind::Collection if path.is_item() && found.one.is_some() => Ok(Act::Show { resource }),
            Kind::Collection if !path.is_item() && found.many.is_some() => {
                Ok(Act::List { resource })
            }
            Kind::Single => Ok(Act::Show { resource }),
            Kind::Collection | Kind::Implied => Err(Reason::Answer),
        }
    }

    fn posting(&self, operation: &Operation, path: &Template) -> Result<Act, Reason> {
        if let Ok(resource) = self.at(path) {
            match self.resources.get(resource).kind {
                Kind::Collection if !path.is_item() => return self.creating(operation, resource),
                Kind::Single | Kind::Collection => return self.changing(operation, path, resource),
                Kind::Implied => {}
            }
        }
        self.acting(operation, path)
    }

    fn creating(&self, operation: &Operation, resource: usize) -> Result<Act, Reason> {
        let found = self.resources.get(resource);
        if is_command(self.definition, operation) {
            return Err(Reason::Effect);
        }
        let input = Input::of(self.definition, operation, found).ok_or(Reason::Unshown)?;
        // What can be told by nothing but its id must at least be given a name.
        let names = name_member(found).is_none() || input.gives("name");
        if !names && !input.gives_most(found) {
            return Err(Reason::Unshown);
        }
        let reply = self.reply(operation, resource)?;
        Ok(Act::Create {
            resource,
            input,
            reply,
        })
    }

    fn changing(
        &self,
        operation: &Operation,
        path: &Template,
        resource: usize,
    ) -> Result<Act, Reason> {
        let found = self.resources.get(resource);
        if is_command(self.definition, operation) {
            return Err(Reason::Effect);
        }
        if let Some(input) = Input::of(self.definition, operation, found) {
            let manner = match *operation.method() {
                Method::PATCH => Manner::MergePatch,
                Method::PUT if !(self.partial_put)(operation) => Manner::Replace,
                _ => Manner::Partial,
            };
            let reply = self.reply(operation, resource)?;
            return Ok(Act::Edit {
                resource,
                input,
                manner,
                reply,
            });
        }
        self.outside(operation, path, &body_members(self.definition, operation))
            .ok_or(Reason::Unshown)
    }

    fn editing(&self, operation: &Operation, path: &Template) -> Result<Act, Reason> {
        match self.at(path) {
            Ok(resource) if self.resources.get(resource).kind != Kind::Implied => {
                if self.resources.get(resource).kind == Kind::Collection && !path.is_item() {
                    return Err(Reason::Effect);
                }
                self.changing(operation, path, resource)
            }
            Err(Reason::Ruled) => Err(Reason::Ruled),
            // `…/{id}/settings` without an answer of its own is a part of the object above it.
            _ => match self.at(&path.parent()) {
                Ok(resource) if path.parent().is_item() => self.changing(operation, path, resource),
                Err(reason) if path.parent().is_item() => Err(reason),
                _ => self.acting(operation, path),
            },
        }
    }

    fn deleting(&self, operation: &Operation, path: &Template) -> Result<Act, Reason> {
        let resource = self.at(path)?;
        let kind = self.resources.get(resource).kind;
        if kind == Kind::Implied || (kind == Kind::Collection && !path.is_item()) {
            return Err(Reason::Unknown);
        }
        let reply = self.reply(operation, resource)?;
        Ok(Act::Delete { resource, reply })
    }

    /// `…/{id}/verb`, `…/{id}/actions/verb`, `…/things/verb`.
    fn acting(&self, operation: &Operation, path: &Template) -> Result<Act, Reason> {
        let verb = path.word().ok_or(Reason::Unknown)?;
        let above = path.parent();
        let above = if above.word() == Some("actions") {
            above.parent()
        } else {
            above
        };
        let words = names::words(verb);
        let first = words.first().map(String::as_str).unwrap_or_default();
        if let Some(act) = self.outside(operation, path, &words) {
            return Ok(act);
        }
        let resource = self.at(&above)?;
        let found = self.resources.get(resource);
        if found.kind == Kind::Implied {
            return Err(Reason::Unknown);
        }
        let reply = || self.reply(operation, resource);
        if !above.is_item() && found.kind == Kind::Collection {
            if !matches!(first, "remove" | "delete") {
                return Err(Reason::Effect);
            }
            let ids = Ids::in_body(self.definition, operation).ok_or(Reason::Effect)?;
            return Ok(Act::Remove {
                resource,
                ids,
                reply: reply()?,
            });
        }
        if let Some((member, to)) = self.switch(first, resource) {
            return Ok(Act::Switch {
                resource,
                member,
                to,
                reply: reply()?,
            });
        }
        if CHANGES.contains(&first) {
            let input = Input::of(self.definition, operation, found).ok_or(Reason::Unshown)?;
            let manner = Manner::Partial;
            return Ok(Act::Edit {
                resource,
                input,
                manner,
                reply: reply()?,
            });
        }
        Err(Reason::Effect)
    }

    /// An act that no answer shows, where it is not asked for a result.
    fn outside(&self, operation: &Operation, path: &Template, words: &[String]) -> Option<Act> {
        let first = words.first()?;
        let lone = words.len() == 1 || path.word().is_some();
        if !lone || !OUTSIDE.contains(&first.as_str()) {
            return None;
        }
        let reply = match success(operation)? {
            (status, _) if (self.has_task)(operation) => Reply::Task(status),
            (status, None) => Reply::Empty(status),
            _ => return None,
        };
        let path = path.clone();
        Some(Act::Outside { path, reply })
    }

    fn switch(&self, verb: &str, resource: usize) -> Option<(String, bool)> {
        let (name, to) = match verb {
            "enable" => ("enabled", true),
            "disable" => ("enabled", false),
            "lock" => ("locked", true),
            "unlock" => ("locked", false),
            _ => return None,
        };
        let member = self.resources.get(resource).member(name)?;
        Some((member.to_owned(), to))
    }

    fn reply(&self, operation: &Operation, resource: usize) -> Result<Reply, Reason> {
        let (status, answer) = success(operation).ok_or(Reason::Answer)?;
        if (self.has_task)(operation) {
            return Ok(Reply::Task(status));
        }
        if answer.is_none() {
            return Ok(Reply::Empty(status));
        }
        let found = self.resources.get(resource);
        if let Some(view) = View::one(self.definition, operation) {
            let shared = view
                .properties
                .iter()
                .filter(|name| found.member(name) == Some(name));
            let shared = shared.count();
            let has_id = found
                .id_member()
                .is_some_and(|id| view.properties.contains(id));
            if view.properties.is_empty() || has_id || shared * 2 > view.properties.len() {
                return Ok(Reply::Object(view));
            }
        }
        match operation.method() {
            // A list, or something about other objects: the answer is what was asked for.
            &Method::POST if View::many(self.definition, operation).is_some() => {
                Err(Reason::Result)
            }
            _ => Ok(Reply::Made(status)),
        }
    }

    /// The resource of a place, or of the item at a place.
    fn at(&self, path: &Template) -> Result<usize, Reason> {
        let place = if path.is_item() {
            path.parent()
        } else {
            path.clone()
        };
        if self.ruled.contains(&place) {
            return Err(Reason::Ruled);
        }
        let of_many = self.resources.find(&place);
        let shown = of_many.filter(|index| self.resources.get(*index).kind == Kind::Collection);
        let single = || self.resources.single(path);
        shown.or_else(single).or(of_many).ok_or(Reason::Unknown)
    }
}

/// Whether a body says what to do rather than what to be.
fn is_command(definition: &Definition, operation: &Operation) -> bool {
    let outline = operation
        .body()
        .map(|body| Outline::of(definition, &body.schema));
    let word = outline.and_then(|outline| outline.named("action"));
    word.is_some_and(|(_, schema)| definition.resolve(schema).get("enum").is_some())
}

/// The only member of a body, as words; what else it takes would tell of something that is kept.
fn body_members(definition: &Definition, operation: &Operation) -> Vec<String> {
    let Some(body) = operation.body() else {
        return Vec::new();
    };
    match Outline::of(definition, &body.schema).properties.as_slice() {
        [(name, _)] => names::words(name),
        _ => Vec::new(),
    }
}
