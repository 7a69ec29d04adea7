//! The resources of the storage API and their rules (domain.md sections 6.5 and 7.8).
//!
//! Objects are kept in collections, one canonical object per thing; what an answer shows is a view
//! of it. That is how one volume is the same in the list of its system, in the fleet and in the
//! numbers of its pool.

mod application_set_exports;
mod application_set_input;
mod application_sets;
mod capacity;
mod clones;
mod examples;
mod exports;
mod host_family;
mod host_groups;
mod host_input;
mod host_views;
mod host_volumes;
mod hosts;
mod ids;
mod initiators;
mod issues;
mod neighbour;
mod pools;
mod relation;
mod routes;
mod seed;
mod snapsets;
mod snapshot_acts;
mod snapshot_input;
mod snapshots;
mod systems;
mod task_object;
mod tasks;
mod type2;
mod vluns;
mod volume_changes;
mod volume_input;
mod volume_sets;
mod volume_views;
mod volumes;
mod watched;

use std::borrow::Cow;
use std::cell::OnceCell;

use hallpass_openapi::Definition;
use hallpass_query::{AttributePath, Filter, Lookup};
use jiff::Timestamp;
use rand_core::Rng;
use serde_json::{Value, json};

pub(crate) use neighbour::{accept, answers_with_task, has_tasks, origins};
pub(crate) use routes::Row;
pub(crate) use seed::seed;
pub use watched::{Begun, Ended, Place};

use crate::change::{Change, Requirement};
use crate::collection::INDEXED;
use crate::generic;
use crate::given::Moment;
use crate::rest::{Item, ListRules, Question, Refusal};
use crate::sandbox::{Outcome, Request, Settings};
use crate::state::State;
use crate::stored::{Fields, Stored};

/// The collections.
mod collection {
    pub(super) const SYSTEMS: &str = "systems";
    pub(super) const POOLS: &str = "pools";
    pub(super) const VOLUMES: &str = "volumes";
    pub(super) const HOSTS: &str = "hosts";
    pub(super) const HOST_GROUPS: &str = "hostGroups";
    pub(super) const INITIATORS: &str = "initiators";
    /// Snapshots of device-type2 volumes.
    pub(super) const SNAPSHOTS2: &str = "deviceType2Snapshots";
    /// Collections of device-type2 volumes.
    pub(super) const VOLUME_COLLECTIONS: &str = "volumeCollections";
    /// Arrays of device-type2 systems.
    pub(super) const ARRAYS: &str = "arrays";
    pub(super) const ISSUES: &str = "issues";
    pub(super) const TASKS: &str = "tasks";
    pub(super) const VLUNS: &str = "vluns";
    pub(super) const SNAPSHOTS: &str = "snapshots";
    pub(super) const SETS: &str = "applicationSets";
    /// Which volume is in which set: `{id, ofSet, ofVolume}`, so that both are found quickly.
    pub(super) const MEMBERS: &str = "setMembers";
    pub(super) const SNAPSETS: &str = "snapsets";
    /// Per system, the number that its next volume gets; per host group, its next LUN.
    pub(super) const NUMBERS: &str = "numbers";
}

/// Everything that an answer may depend on.
pub(crate) struct Call<'a, 'r> {
    pub(crate) definition: &'a Definition,
    pub(crate) settings: &'a Settings,
    pub(crate) rules: &'a ListRules,
    pub(crate) state: &'a State,
    pub(crate) request: &'a Request<'a>,
    pub(crate) moment: &'a Moment,
    pub(crate) rng: &'r mut dyn Rng,
}

impl<'a> Call<'a, '_> {
    /// The nth path parameter; what it is called differs between sibling paths (domain.md 7.5).
    fn path(&self, index: usize) -> &'a str {
        let path: &'a [(String, String)] = self.request.path;
        path.get(index).map_or("", |(_, value)| value.as_str())
    }

    fn question(&self) -> Result<Question, Refusal> {
        let pages = (self.settings.default_page, self.settings.longest_page);
        Question::parse(self.request, self.rules, pages)
    }

    /// One object: its requested fields, as a 200.
    fn one(&self, value: Value) -> Result<Outcome, Refusal> {
        Question::one(self.request, self.rules, value).map(Outcome::ok)
    }

    /// Whether the body does not name what the call is about, where the definition lets it: then it is
    /// about nothing, and changes nothing. A body with a member that nobody knows has misspelled it.
    fn is_about_nothing(&self, body: &Value, list: &str) -> bool {
        let is_known = |name: &String| {
            let declared = self.request.operation.body();
            declared.is_some_and(|one| generic::declares(self.definition, &one.schema, name))
        };
        !self.settings.strict
            && body.field(list).is_null()
            && body
                .as_object()
                .is_none_or(|body| body.keys().all(is_known))
    }

    fn generation(&self) -> Value {
        self.moment.now().as_millisecond().into()
    }

    /// The objects of a collection that belong to an owner, by an indexed field, and can match.
    fn candidates_of(
        &self,
        collection: &'static str,
        (field, owner): (&'static str, &'a str),
        filter: Option<&Filter>,
    ) -> Box<dyn Iterator<Item = &'a Stored> + 'a> {
        let mut named = filter.into_iter().flat_map(Filter::equalities);
        if !named.any(|(path, _)| path.is("id") || path.is("name")) {
            return Box::new(self.state.with(collection, field, owner));
        }
        let found = self.candidates(collection, filter);
        Box::new(found.filter(move |object| object.text(field) == owner))
    }

    /// The objects of a collection that match, when an index alone tells them: all of them, those of an
    /// owner, or those with the one text that is asked for. `shown` are the indexed attributes that are
    /// shown as they are kept.
    fn indexed(
        &self,
        collection: &'static str,
        owner: Option<(&'static str, &'a str)>,
        filter: Option<&Filter>,
        shown: &[&str],
    ) -> Option<Indexed<'a>> {
        let state: &'a State = self.state;
        let by = |field: &'static str, text: &str| Indexed {
            total: state.count(collection, field, text),
            state,
            collection,
            by: Some((field, text.to_owned())),
        };
        match (owner, filter) {
            (None, None) => Some(Indexed {
                total: state.size(collection),
                state,
                collection,
                by: None,
            }),
            (Some((field, owner)), None) => Some(by(field, owner)),
            (None, Some(filter)) => {
                let (path, text) = filter.only_equality()?;
                let field = INDEXED.iter().find(|field| path.is(field))?;
                // Two spellings of one instant are equal without being the same text.
                let exact = shown.contains(field) && text.parse::<Timestamp>().is_err();
                exact.then(|| by(field, text))
            }
            (Some(_), Some(_)) => None,
        }
    }

    /// The objects of a collection that can match: all of them, or those with the id or the indexed
    /// attribute that the filter insists on. The filter still judges each.
    fn candidates(
        &self,
        collection: &'static str,
        filter: Option<&Filter>,
    ) -> Box<dyn Iterator<Item = &'a Stored> + 'a> {
        let state: &'a State = self.state;
        for (path, text) in filter.into_iter().flat_map(Filter::equalities) {
            // Two spellings of one instant are equal without being the same text.
            if text.parse::<Timestamp>().is_ok() {
                continue;
            }
            if path.is("id") {
                return Box::new(state.get(collection, text).into_iter());
            }
            if let Some(field) = INDEXED.iter().find(|field| path.is(field)) {
                return Box::new(state.with(collection, field, text));
            }
        }
        Box::new(state.all(collection).map(|(_, value)| value))
    }
}

/// Objects that an index tells: how many, and from any of them on.
struct Indexed<'a> {
    state: &'a State,
    collection: &'static str,
    /// The field and its text; all objects when there is none.
    by: Option<(&'static str, String)>,
    total: usize,
}

impl<'a> Indexed<'a> {
    /// Those behind the first `skipped` ones.
    fn after(&self, skipped: usize) -> Box<dyn Iterator<Item = &'a Stored> + 'a> {
        let (state, collection) = (self.state, self.collection);
        match &self.by {
            None => Box::new(state.all_after(collection, skipped)),
            Some((field, text)) => Box::new(state.with_after(collection, field, text, skipped)),
        }
    }
}

/// An object that is kept in the form in which it is shown, but for its owner: a state belongs to
/// one workspace, so whoever asks is the owner.
struct Owned<'a> {
    stored: &'a Stored,
    customer: &'a str,
}

impl Owned<'_> {
    const OWNER: &'static str = "customerId";
}

impl Lookup for Owned<'_> {
    fn lookup(&self, path: &AttributePath) -> Option<Cow<'_, Value>> {
        if path.is(Self::OWNER) {
            return Some(Cow::Owned(self.customer.into()));
        }
        let mut steps = path.steps();
        if let (Some(step), None) = (steps.next(), steps.next())
            && let Some(found) = self.stored.get(step)
        {
            return Some(Cow::Owned(found.unpack()));
        }
        let rendered = self.render();
        let found = rendered.lookup(path)?;
        Some(Cow::Owned(found.into_owned()))
    }
}

impl Item for Owned<'_> {
    fn render(&self) -> Value {
        let mut value = self.stored.unpack();
        set(&mut value, Self::OWNER, self.customer);
        value
    }
}

/// An object that was rendered before anybody asked for it; for collections of a few.
struct Rendered(Value);

impl Lookup for Rendered {
    fn lookup(&self, path: &AttributePath) -> Option<Cow<'_, Value>> {
        self.0.lookup(path)
    }
}

impl Item for Rendered {
    fn render(&self) -> Value {
        self.0.clone()
    }
}

/// An object that is only rendered when somebody asks for it, and then once.
struct Lazy<F> {
    make: F,
    made: OnceCell<Value>,
}

impl<F: Fn() -> Value> Lazy<F> {
    fn new(make: F) -> Self {
        let made = OnceCell::new();
        Self { make, made }
    }

    fn made(&self) -> &Value {
        self.made.get_or_init(&self.make)
    }
}

impl<F: Fn() -> Value> Lookup for Lazy<F> {
    fn lookup(&self, path: &AttributePath) -> Option<Cow<'_, Value>> {
        self.made().lookup(path)
    }
}

impl<F: Fn() -> Value> Item for Lazy<F> {
    fn render(&self) -> Value {
        self.made().clone()
    }
}

/// Adds an object under its own id.
fn put(collection: &str, value: Value) -> Change {
    Change::Put {
        collection: collection.to_owned(),
        id: value.text("id").to_owned(),
        value,
    }
}

fn remove(collection: &str, id: &str) -> Change {
    Change::Remove {
        collection: collection.to_owned(),
        id: id.to_owned(),
    }
}

fn remove_where(collection: &str, fields: &[(&str, &str)]) -> Change {
    Change::RemoveWhere {
        collection: collection.to_owned(),
        fields: owned(fields),
    }
}

fn none_where(collection: &str, fields: &[(&str, &str)]) -> Requirement {
    Requirement::NoneWhere {
        collection: collection.to_owned(),
        fields: owned(fields),
        above: None,
    }
}

fn some_where(collection: &str, fields: &[(&str, &str)]) -> Requirement {
    Requirement::SomeWhere {
        collection: collection.to_owned(),
        fields: owned(fields),
    }
}

fn owned(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(field, text): &(&str, &str)| ((*field).to_owned(), (*text).to_owned());
    fields.iter().map(own).collect()
}

fn set(value: &mut Value, field: &str, to: impl Into<Value>) {
    if let Value::Object(object) = value {
        object.insert(field.to_owned(), to.into());
    }
}

/// A number as JSON writes it: without a point when it is whole, as the device does.
fn plain(number: f64) -> Value {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole and within the exact range of f64"
    )]
    if number.fract() == 0.0 && number.abs() < 9e15 {
        (number as i64).into()
    } else {
        number.into()
    }
}

/// A moment as numeric fields keep it.
fn milliseconds(moment: Timestamp) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "the milliseconds of all times are within the exact range"
    )]
    let milliseconds = moment.as_millisecond() as f64;
    milliseconds
}

/// Two digits behind the point are enough for a ratio or a percentage.
fn rounded(number: f64) -> Value {
    plain((number * 100.0).round() / 100.0)
}

fn link(kind: &str, uri: impl Into<String>) -> Value {
    json!({"type": kind, "resourceUri": uri.into()})
}

fn not_found(what: &str, id: &str) -> Refusal {
    Refusal::NotFound(format!("there is no {what} with the id {id}"))
}
