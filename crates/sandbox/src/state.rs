//! Everything a stand-in remembers: its objects, and the steps that are planned but not yet due.
//!
//! A state changes in two ways only, by [`State::commit`] and by [`State::advance`], and both are
//! pure functions of the state, their arguments and nothing else. A snapshot (the state as JSON)
//! and a journal of what was committed since bring the same state back.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::change::{Change, Check, Requirement};
use crate::collection::Collection;
use crate::forms::Forms;
use crate::plan::Plan;
use crate::stored::{Fields, Stored};

/// The collection of what is remembered about work under way. It holds no objects of the API, so that
/// nobody counts them.
pub(crate) const WATCHED: &str = "watched";

/// The objects and plans of one stand-in.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    collections: BTreeMap<String, Collection>,
    plan: Plan,
    /// The latest moment that the state has been brought to.
    reached: Option<Timestamp>,
    #[serde(skip)]
    forms: Forms,
}

/// Two states are equal when they hold the same and plan the same; how far the clock was seen to be
/// does not matter.
impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        let filled = |state: &Self| -> Vec<(String, Collection)> {
            let collections = state.collections.iter();
            collections
                .filter(|(_, collection)| collection.len() > 0)
                .map(|(name, collection)| (name.clone(), collection.clone()))
                .collect()
        };
        self.plan == other.plan && filled(self) == filled(other)
    }
}

impl State {
    /// Makes the changes. Steps that are due by `now` are run first, so that a journal of changes
    /// and times replays exactly.
    pub fn commit(&mut self, changes: &[Change], now: Timestamp) {
        self.advance(now);
        self.make(changes);
    }

    /// Runs every step that is due by `now`, in the order of their times.
    pub fn advance(&mut self, now: Timestamp) {
        while let Some(step) = self.plan.take_due(now) {
            let failed = step
                .checks
                .iter()
                .find(|check| !self.holds(&check.requirement));
            match failed {
                Some(Check { otherwise, .. }) => self.make(otherwise),
                None => self.make(&step.then),
            }
        }
        self.reached = self.reached.max(Some(now));
    }

    /// When the next planned step is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.plan.next_due()
    }

    /// `now`, or the latest moment that the state has been brought to when the clock went backwards
    /// since. A caller that takes each request's time from here keeps its journal in order.
    pub fn not_before(&self, now: Timestamp) -> Timestamp {
        self.reached.map_or(now, |reached| reached.max(now))
    }

    /// How many objects there are, in all collections together.
    pub fn len(&self) -> usize {
        let collections = self.collections.iter();
        let objects = collections.filter(|(name, _)| *name != WATCHED);
        objects.map(|(_, collection)| collection.len()).sum()
    }

    /// How many objects the planned steps may add.
    pub fn planned_growth(&self) -> usize {
        self.plan.growth()
    }

    /// How many objects the changes would add, those of later steps included; at most so many, since
    /// what goes meanwhile is not known.
    pub fn growth(&self, changes: &[Change]) -> usize {
        let grows = |change: &Change| match change {
            Change::Put { collection, id, .. } => usize::from(self.get(collection, id).is_none()),
            Change::Schedule(step) => {
                let otherwise = step
                    .checks
                    .iter()
                    .map(|check| self.growth(&check.otherwise));
                self.growth(&step.then).max(otherwise.max().unwrap_or(0))
            }
            Change::Merge { .. }
            | Change::Remove { .. }
            | Change::RemoveWhere { .. }
            | Change::Trim { .. } => 0,
        };
        changes.iter().map(grows).sum()
    }

    /// Forgets how far the clock was seen to be. For a state that comes from a machine whose clock may
    /// be ahead, and whose journal begins anew.
    pub fn forget_time(&mut self) {
        self.reached = None;
    }

    /// Whether there is no object at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The objects of all collections whose names begin so: their collections and ids.
    pub(crate) fn within(&self, beginning: &str) -> impl Iterator<Item = (&str, &str)> {
        let from = self.collections.range(beginning.to_owned()..);
        let within = from.take_while(move |(name, _)| name.starts_with(beginning));
        within.flat_map(|(name, all)| all.iter().map(|(id, _)| (name.as_str(), id)))
    }

    pub(crate) fn get(&self, collection: &str, id: &str) -> Option<&Stored> {
        self.collections.get(collection)?.get(id)
    }

    pub(crate) fn all(&self, collection: &str) -> impl Iterator<Item = (&str, &Stored)> {
        let collection = self.collections.get(collection);
        collection.into_iter().flat_map(Collection::iter)
    }

    /// The objects behind the first `skipped` ones.
    pub(crate) fn all_after<'s>(
        &'s self,
        collection: &str,
        skipped: usize,
    ) -> impl Iterator<Item = &'s Stored> + use<'s> {
        let collection = self.collections.get(collection).into_iter();
        let behind = collection.flat_map(move |collection| collection.iter_after(skipped));
        behind.map(|(_, value)| value)
    }

    /// The objects whose field is that text, oldest first; the field must be one of those indexed.
    pub(crate) fn with<'s>(
        &'s self,
        collection: &str,
        field: &str,
        text: &str,
    ) -> impl Iterator<Item = &'s Stored> + use<'s> {
        self.with_after(collection, field, text, 0)
    }

    /// The same without the first `skipped` ones.
    pub(crate) fn with_after<'s>(
        &'s self,
        collection: &str,
        field: &str,
        text: &str,
        skipped: usize,
    ) -> impl Iterator<Item = &'s Stored> + use<'s> {
        let found = self.found(collection, field, text, skipped);
        found.map(|(_, value)| value)
    }

    fn found<'s>(
        &'s self,
        collection: &str,
        field: &str,
        text: &str,
        skipped: usize,
    ) -> impl Iterator<Item = (&'s str, &'s Stored)> + use<'s> {
        let collection = self.collections.get(collection);
        let found = collection.map(|collection| collection.with(field, text, skipped));
        found.into_iter().flatten()
    }

    /// Whether the requirement holds in this state as it is now.
    pub(crate) fn holds(&self, requirement: &Requirement) -> bool {
        match requirement {
            Requirement::Exists { collection, id } => self.get(collection, id).is_some(),
            Requirement::NameIsFree {
                collection,
                name,
                within,
                except,
            } => !self.found(collection, "name", name, 0).any(|(id, value)| {
                except.as_deref() != Some(id)
                    && within.as_ref().is_none_or(|(field, text)| {
                        value.get(field).and_then(Stored::as_str) == Some(text)
                    })
            }),
            Requirement::AtMost {
                collection,
                id,
                field,
                limit,
            } => self
                .get(collection, id)
                .and_then(|value| value.get(field))
                .and_then(Stored::as_f64)
                .is_some_and(|number| number <= *limit),
            Requirement::NoneWhere {
                collection,
                fields,
                above,
            } => !self.matching(collection, fields).any(|(_, value)| {
                above
                    .as_ref()
                    .is_none_or(|(field, number)| value.number(field) > *number)
            }),
            Requirement::SomeWhere { collection, fields } => {
                self.matching(collection, fields).next().is_some()
            }
            Requirement::Differs {
                collection,
                id,
                field,
                text,
            } => self
                .get(collection, id)
                .is_none_or(|value| value.text(field) != text),
            Requirement::SumAtMost {
                collection,
                pool,
                field,
                limit,
            } => self.sum(collection, pool, field) <= *limit,
        }
    }

    /// The sum of a field over the objects of a pool; only some fields are added up.
    pub(crate) fn sum(&self, collection: &str, pool: &str, field: &str) -> f64 {
        let collection = self.collections.get(collection);
        collection.map_or(0.0, |collection| collection.sum(pool, field))
    }

    /// How many objects a collection has.
    pub(crate) fn size(&self, collection: &str) -> usize {
        self.collections.get(collection).map_or(0, Collection::len)
    }

    /// How many objects have that text in an indexed field.
    pub(crate) fn count(&self, collection: &str, field: &str, text: &str) -> usize {
        let collection = self.collections.get(collection);
        collection.map_or(0, |collection| collection.count(field, text))
    }

    /// The objects with these texts in their fields, found by the first of them.
    fn matching<'s>(
        &'s self,
        collection: &str,
        fields: &'s [(String, String)],
    ) -> impl Iterator<Item = (&'s str, &'s Stored)> + use<'s> {
        let (first, others) = match fields {
            [(field, text), others @ ..] => (Some((field, text)), others),
            [] => (None, fields),
        };
        let found = first.map(|(field, text)| self.found(collection, field, text, 0));
        found.into_iter().flatten().filter(|(_, value)| {
            let mut others = others.iter();
            others.all(|(field, text)| value.text(field) == text)
        })
    }

    pub(crate) fn make(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Put {
                    collection,
                    id,
                    value,
                } => self.collection(collection).put(id, value.clone()),
                Change::Merge {
                    collection,
                    id,
                    fields,
                } => self.merge(collection, id, fields),
                Change::Remove { collection, id } => self.collection(collection).remove(id),
                Change::RemoveWhere { collection, fields } => {
                    let found = self.matching(collection, fields);
                    let ids: Vec<String> = found.map(|(id, _)| id.to_owned()).collect();
                    for id in ids {
                        self.collection(collection).remove(&id);
                    }
                }
                Change::Trim {
                    collection,
                    field,
                    keep,
                } => self.trim(collection, field, *keep),
                Change::Schedule(step) => self.plan.add(step.clone()),
            }
        }
    }

    /// Texts of objects, kept until something changes.
    pub(crate) fn forms(&self) -> &Forms {
        &self.forms
    }

    fn collection(&mut self, name: &str) -> &mut Collection {
        self.forms.forget();
        self.collections.entry(name.to_owned()).or_default()
    }

    fn merge(&mut self, collection: &str, id: &str, fields: &Map<String, Value>) {
        let Some(Value::Object(mut object)) = self.get(collection, id).map(Stored::unpack) else {
            return;
        };
        let before = object.get("generation").and_then(Value::as_i64);
        for (name, value) in fields {
            object.insert(name.clone(), value.clone());
        }
        if let (Some(before), Some(after)) = (before, fields.get("generation")) {
            let after = after.as_i64().unwrap_or(before);
            let raised = after.max(before.saturating_add(1));
            object.insert("generation".to_owned(), raised.into());
        }
        self.collection(collection).put(id, Value::Object(object));
    }

    fn trim(&mut self, collection: &str, field: &str, keep: usize) {
        let collection = self.collection(collection);
        let surplus = collection.len().saturating_sub(keep);
        let done: Vec<String> = collection
            .iter()
            .filter(|(_, value)| value.get(field).is_some_and(|field| *field != Stored::Null))
            .map(|(id, _)| id.to_owned())
            .take(surplus)
            .collect();
        for id in done {
            collection.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Planned;
    use proptest::prelude::*;
    use serde_json::json;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn put(id: &str, value: Value) -> Change {
        Change::Put {
            collection: "things".to_owned(),
            id: id.to_owned(),
            value,
        }
    }

    fn merge(id: &str, value: Value) -> Change {
        let Value::Object(fields) = value else {
            panic!("fields are an object")
        };
        Change::Merge {
            collection: "things".to_owned(),
            id: id.to_owned(),
            fields,
        }
    }

    fn seen(state: &State, id: &str) -> Option<Value> {
        state.get("things", id).map(Stored::unpack)
    }

    fn name_is_free(name: &str) -> Requirement {
        Requirement::NameIsFree {
            collection: "things".to_owned(),
            name: name.to_owned(),
            within: None,
            except: None,
        }
    }

    #[test]
    fn steps_run_at_their_time_and_in_its_order() {
        let mut state = State::default();
        let step = |second, size| {
            Change::Schedule(Planned {
                at: at(second),
                checks: Vec::new(),
                then: vec![merge("a", json!({"size": size}))],
            })
        };
        state.commit(
            &[put("a", json!({"size": 0})), step(20, 2), step(10, 1)],
            at(0),
        );
        assert_eq!(state.next_due(), Some(at(10)));
        state.advance(at(9));
        assert_eq!(seen(&state, "a"), Some(json!({"size": 0})));
        state.advance(at(10));
        assert_eq!(seen(&state, "a"), Some(json!({"size": 1})));
        state.advance(at(99));
        assert_eq!(seen(&state, "a"), Some(json!({"size": 2})));
        assert_eq!(state.next_due(), None);
    }

    #[test]
    fn a_failed_check_decides_what_happens_instead() {
        let mut state = State::default();
        let step = Planned {
            at: at(5),
            checks: vec![Check {
                requirement: name_is_free("taken"),
                otherwise: vec![put("failure", json!({}))],
            }],
            then: vec![put("success", json!({}))],
        };
        state.commit(
            &[put("a", json!({"name": "taken"})), Change::Schedule(step)],
            at(0),
        );
        state.advance(at(5));
        assert!(state.get("things", "failure").is_some());
        assert!(state.get("things", "success").is_none());
    }

    #[test]
    fn a_name_is_taken_only_within_its_scope_and_not_by_its_owner() {
        let mut state = State::default();
        state.commit(&[put("a", json!({"name": "n", "system": "S"}))], at(0));
        let free = |system: &str, except: Option<&str>| {
            state.holds(&Requirement::NameIsFree {
                collection: "things".to_owned(),
                name: "n".to_owned(),
                within: Some(("system".to_owned(), system.to_owned())),
                except: except.map(str::to_owned),
            })
        };
        assert!(!free("S", None));
        assert!(free("T", None));
        assert!(free("S", Some("a")));
    }

    #[test]
    fn merging_raises_the_generation_and_never_revives() {
        let mut state = State::default();
        let changes = [
            put("a", json!({"generation": 7, "kept": true})),
            merge("a", json!({"generation": 3, "size": 1})),
            merge("gone", json!({"size": 1})),
        ];
        state.commit(&changes, at(0));
        let expected = json!({"generation": 8, "kept": true, "size": 1});
        assert_eq!(seen(&state, "a"), Some(expected));
        assert_eq!(state.len(), 1);
    }

    #[test]
    fn what_matches_several_fields_is_found_counted_and_taken_away() {
        let mut state = State::default();
        let object = |group, size| json!({"ofVolume": "v", "ofGroup": group, "size": size});
        let changes = [put("a", object("g", 1)), put("b", object("h", 5))];
        state.commit(&changes, at(0));
        let fields = |group: &str| {
            vec![
                ("ofVolume".to_owned(), "v".to_owned()),
                ("ofGroup".to_owned(), group.to_owned()),
            ]
        };
        let none = |state: &State, group, above: Option<f64>| {
            state.holds(&Requirement::NoneWhere {
                collection: "things".to_owned(),
                fields: fields(group),
                above: above.map(|number| ("size".to_owned(), number)),
            })
        };
        let some = |state: &State, group| {
            state.holds(&Requirement::SomeWhere {
                collection: "things".to_owned(),
                fields: fields(group),
            })
        };
        assert!(none(&state, "i", None) && !some(&state, "i"));
        assert!(!none(&state, "g", None) && some(&state, "g"));
        assert!(none(&state, "h", Some(5.0)) && !none(&state, "h", Some(4.0)));
        assert_eq!(state.count("things", "ofVolume", "v"), 2);
        let removal = Change::RemoveWhere {
            collection: "things".to_owned(),
            fields: fields("g"),
        };
        state.commit(&[removal], at(0));
        assert!(state.get("things", "a").is_none() && state.get("things", "b").is_some());
    }

    #[test]
    fn a_field_differs_when_it_has_another_text_or_its_object_is_gone() {
        let mut state = State::default();
        state.commit(&[put("a", json!({"state": "FAILED"}))], at(0));
        let differs = |id: &str, text: &str| {
            state.holds(&Requirement::Differs {
                collection: "things".to_owned(),
                id: id.to_owned(),
                field: "state".to_owned(),
                text: text.to_owned(),
            })
        };
        assert!(!differs("a", "FAILED"));
        assert!(differs("a", "SUCCEEDED") && differs("gone", "FAILED"));
    }

    #[test]
    fn trimming_takes_the_oldest_that_are_done() {
        let mut state = State::default();
        let changes = [
            put("running", json!({"end": null})),
            put("old", json!({"end": 1})),
            put("new", json!({"end": 2})),
            Change::Trim {
                collection: "things".to_owned(),
                field: "end".to_owned(),
                keep: 2,
            },
        ];
        state.commit(&changes, at(0));
        let left: Vec<&str> = state.all("things").map(|(id, _)| id).collect();
        assert_eq!(left, ["running", "new"]);
    }

    #[test]
    fn a_clock_that_goes_backwards_is_held() {
        let mut state = State::default();
        state.advance(at(50));
        assert_eq!(state.not_before(at(40)), at(50));
        assert_eq!(state.not_before(at(60)), at(60));
        let back: State = serde_json::from_value(serde_json::to_value(&state).unwrap()).unwrap();
        assert_eq!(back.not_before(at(40)), at(50));
    }

    #[test]
    fn growth_counts_what_is_new_now_and_later() {
        let mut state = State::default();
        state.commit(&[put("a", json!({}))], at(0));
        let later = |then| {
            Change::Schedule(Planned {
                at: at(9),
                checks: vec![Check {
                    requirement: name_is_free("2"),
                    otherwise: vec![put("y", json!({})), put("z", json!({}))],
                }],
                then,
            })
        };
        assert_eq!(state.growth(&[put("a", json!({}))]), 0);
        assert_eq!(
            state.growth(&[put("b", json!({})), merge("a", json!({}))]),
            1
        );
        assert_eq!(state.growth(&[later(vec![put("b", json!({}))])]), 2);
        let three = ["b", "c", "d"].map(|id| put(id, json!({}))).to_vec();
        assert_eq!(
            state.growth(&[later(three.clone()), put("e", json!({}))]),
            4
        );

        state.commit(&[later(three)], at(0));
        assert_eq!((state.planned_growth(), state.len()), (3, 1));
        let text = serde_json::to_string(&state).unwrap();
        let read: State = serde_json::from_str(&text).unwrap();
        assert_eq!(read.planned_growth(), 3);
        state.advance(Timestamp::MAX);
        assert_eq!((state.planned_growth(), state.len()), (0, 4));
    }

    fn any_change() -> impl Strategy<Value = Vec<Change>> {
        let id = prop::sample::select(vec!["a", "b", "c", "d"]);
        let change = (id, 0_u8..6, 0_i64..40, 0_i64..3).prop_map(|(id, kind, second, size)| {
            let planned = |then| {
                Change::Schedule(Planned {
                    at: at(second),
                    checks: vec![Check {
                        requirement: name_is_free("2"),
                        otherwise: vec![put("z", json!({"name": size.to_string()}))],
                    }],
                    then,
                })
            };
            match kind {
                0 => put(id, json!({"name": size.to_string(), "generation": 0})),
                1 => merge(id, json!({"name": size.to_string(), "generation": 0})),
                2 => Change::Remove {
                    collection: "things".to_owned(),
                    id: id.to_owned(),
                },
                3 => planned(vec![put(id, json!({"name": size.to_string()}))]),
                4 => planned(vec![
                    merge(id, json!({"late": second, "generation": 0})),
                    Change::Schedule(Planned {
                        at: at(second + size),
                        checks: Vec::new(),
                        then: vec![merge(id, json!({"later": second}))],
                    }),
                ]),
                _ => Change::Trim {
                    collection: "things".to_owned(),
                    field: "late".to_owned(),
                    keep: 2,
                },
            }
        });
        prop::collection::vec(change, 0..4)
    }

    proptest! {
        /// A process that is killed anywhere comes back with the same state: a snapshot taken after
        /// `cut` commits and the rest of the journal, read back from text.
        #[test]
        fn snapshot_and_journal_bring_the_same_state_back(
            commits in prop::collection::vec((any_change(), 0_i64..5, 0_i64..5), 1..20),
            cut in 0_usize..20,
        ) {
            let mut live = State::default();
            let mut snapshot = serde_json::to_string(&live).unwrap();
            let mut journal = Vec::new();
            let mut second = 0;
            for (index, (changes, pause, look)) in commits.iter().enumerate() {
                second += pause;
                live.commit(changes, at(second));
                journal.push(serde_json::to_string(&(changes, at(second))).unwrap());
                second += look;
                live.advance(at(second));
                if index == cut {
                    snapshot = serde_json::to_string(&live).unwrap();
                    journal.clear();
                }
            }
            let mut replayed: State = serde_json::from_str(&snapshot).unwrap();
            for entry in journal {
                let (changes, now): (Vec<Change>, Timestamp) = serde_json::from_str(&entry).unwrap();
                replayed.commit(&changes, now);
            }
            replayed.advance(at(second));
            prop_assert_eq!(&replayed, &live);
            replayed.advance(at(1000));
            live.advance(at(1000));
            prop_assert_eq!(replayed, live);
        }
    }
}
