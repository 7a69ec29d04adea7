//! Creating, editing and deleting.

use serde_json::{Map, Value};

use super::act::{Manner, Reply};
use super::body_ids::Ids;
use super::input::Input;
use super::object::{self, Whole};
use super::resource::Resource;
use super::store::{Store, put, split};
use super::{Call, Work, answer, ids, stamps};
use crate::change::{Change, Requirement};
use crate::rest::{Refusal, body, flag};
use crate::sandbox::Outcome;

/// So often a new id is tried before it is made longer.
const TRIES: usize = 20;

pub(super) fn create(
    call: &mut Call<'_, '_>,
    resource: &Resource,
    input: &Input,
    reply: &Reply,
) -> Result<Outcome, Refusal> {
    let parents = call.ids();
    call.store().reach(&resource.template.item(), &parents)?;
    let given = input.read(&read_body(call)?);
    if given.is_empty() {
        let message = format!("the body names no {} to create", resource.noun());
        return Err(Refusal::BadRequest(message));
    }
    let mut taken: Vec<(String, Map<String, Value>)> = call.store().all(resource, &parents);
    let mut work = Work::new("Create", resource);
    let mut made = Vec::new();
    for given in given {
        work.checks
            .extend(name_is_free(call, resource, &given, &taken, None)?);
        let id = new_id(call, resource, &given, &taken)?;
        let object = created(call, resource, input, given);
        let ids: Vec<&str> = parents.iter().copied().chain([id.as_str()]).collect();
        let object = Store::placed(resource, &ids, object);
        let collection = Store::collection(resource, &parents);
        work.then
            .push(put(collection, &id, Value::Object(object.clone())));
        work.names(resource, &ids, &object);
        made.push(object.clone());
        taken.push((id, object));
    }
    answer::give(call, resource, reply, made.first(), work)
}

pub(super) fn edit(
    call: &mut Call<'_, '_>,
    resource: &Resource,
    input: &Input,
    manner: Manner,
    reply: &Reply,
) -> Result<Outcome, Refusal> {
    let (ids, before) = call.found(resource)?;
    let given = input.read(&read_body(call)?);
    let mut given = given.into_iter().next().unwrap_or_default();
    if let Some(id) = resource.id_member() {
        given.shift_remove(id);
    }
    let (parents, id) = split(resource, &ids);
    let others = call.store().all(resource, parents);
    let check = name_is_free(call, resource, &given, &others, Some(id))?;
    let mut after = before.clone();
    if manner == Manner::Replace {
        clear(resource, input, &mut after);
    }
    for (name, value) in given {
        match manner {
            Manner::MergePatch => patch(&mut after, name, value),
            Manner::Partial => merge(&mut after, name, value),
            Manner::Replace => drop(after.insert(name, value)),
        }
    }
    finish(call, resource, (ids, before, after), check, reply)
}

pub(super) fn switch(
    call: &mut Call<'_, '_>,
    resource: &Resource,
    (member, to): (&str, bool),
    reply: &Reply,
) -> Result<Outcome, Refusal> {
    let (ids, before) = call.found(resource)?;
    let mut after = before.clone();
    after.insert(member.to_owned(), Value::Bool(to));
    finish(call, resource, (ids, before, after), None, reply)
}

pub(super) fn delete(
    call: &mut Call<'_, '_>,
    resource: &Resource,
    reply: &Reply,
) -> Result<Outcome, Refusal> {
    let (ids, object) = call.found(resource)?;
    flag(call.request, "force")?;
    let mut work = Work::new("Delete", resource);
    work.names(resource, &ids, &object);
    work.then = call.store().removal(resource, &ids);
    answer::give(call, resource, reply, Some(&object), work)
}

/// Deletes the objects that the body names.
pub(super) fn remove(
    call: &mut Call<'_, '_>,
    resource: &Resource,
    named: &Ids,
    reply: &Reply,
) -> Result<Outcome, Refusal> {
    let parents = call.ids();
    call.store().reach(&resource.template.item(), &parents)?;
    let body = Value::Object(read_body(call)?);
    let mut work = Work::new("Delete", resource);
    for id in named.of(&body) {
        let ids: Vec<&str> = parents.iter().copied().chain([id.as_str()]).collect();
        let Some(object) = call.store().get(resource, &ids) else {
            let message = format!("there is no {} with the id {id}", resource.noun());
            return Err(Refusal::NotFound(message));
        };
        work.names(resource, &ids, &object);
        work.then.extend(call.store().removal(resource, &ids));
    }
    answer::give(call, resource, reply, None, work)
}

/// The object as the edit leaves it, kept and answered.
fn finish(
    call: &mut Call<'_, '_>,
    resource: &Resource,
    (ids, before, after): (Vec<&str>, Map<String, Value>, Map<String, Value>),
    check: Option<(Requirement, String)>,
    reply: &Reply,
) -> Result<Outcome, Refusal> {
    let mut after = object::fitted(call.definition, resource, after, &before);
    stamps::changed(call.moment.now(), &mut after);
    let (parents, id) = split(resource, &ids);
    let collection = Store::collection(resource, parents);
    let mut work = Work::new("Edit", resource);
    work.names(resource, &ids, &before);
    work.checks.extend(check);
    let only_sets = before.keys().all(|name| after.contains_key(name));
    if matches!(reply, Reply::Task(_)) && only_sets {
        // Two edits that overlap in time both count.
        if !call.store().is_stored(resource, &ids) {
            work.first
                .push(put(collection.clone(), id, Value::Object(before.clone())));
        }
        let changed = after
            .iter()
            .filter(|(name, value)| before.get(*name) != Some(*value));
        work.then.push(Change::Merge {
            collection,
            id: id.to_owned(),
            fields: changed
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        });
    } else {
        work.then
            .push(put(collection, id, Value::Object(after.clone())));
    }
    answer::give(call, resource, reply, Some(&after), work)
}

fn read_body(call: &Call<'_, '_>) -> Result<Map<String, Value>, Refusal> {
    let declared = call.request.operation.body();
    let is_empty = call.request.body.unwrap_or_default().is_empty();
    if is_empty && declared.is_none_or(|body| !body.required) {
        return Ok(Map::new());
    }
    body(call.definition, call.request, call.settings)
}

/// A new object: what was sent, what a new one has in any case, and nothing that could have been
/// sent and was not.
fn created(
    call: &Call<'_, '_>,
    resource: &Resource,
    input: &Input,
    given: Map<String, Value>,
) -> Map<String, Value> {
    let whole = Whole::of(call.definition, resource);
    let mut object = whole.object.clone();
    clear(resource, input, &mut object);
    object.extend(given);
    let mut object = object::fitted(call.definition, resource, object, &whole.object);
    stamps::created(call.moment.now(), &mut object);
    object
}

/// Takes away what can be sent and need not be there.
fn clear(resource: &Resource, input: &Input, object: &mut Map<String, Value>) {
    for member in input.targets() {
        let is_id = resource.id_member() == Some(member);
        if !is_id && !resource.views().any(|view| view.required.contains(member)) {
            object.shift_remove(member);
        }
    }
}

/// What is sent is set, within objects as well.
fn merge(object: &mut Map<String, Value>, name: String, value: Value) {
    match (object.get_mut(&name), value) {
        (Some(Value::Object(inner)), Value::Object(changes)) => {
            for (name, value) in changes {
                merge(inner, name, value);
            }
        }
        (_, value) => drop(object.insert(name, value)),
    }
}

/// RFC 7396 section 2.
fn patch(object: &mut Map<String, Value>, name: String, value: Value) {
    match value {
        Value::Null => drop(object.shift_remove(&name)),
        Value::Object(changes) => {
            let inner = object
                .entry(name)
                .or_insert_with(|| Value::Object(Map::new()));
            if !inner.is_object() {
                *inner = Value::Object(Map::new());
            }
            if let Value::Object(inner) = inner {
                for (name, value) in changes {
                    patch(inner, name, value);
                }
            }
        }
        other => drop(object.insert(name, other)),
    }
}

/// That nobody has the name, now and when a task ends; nothing to check when there is no name.
fn name_is_free(
    call: &Call<'_, '_>,
    resource: &Resource,
    given: &Map<String, Value>,
    others: &[(String, Map<String, Value>)],
    except: Option<&str>,
) -> Result<Option<(Requirement, String)>, Refusal> {
    let name = object::name_member(resource).and_then(|member| given.get(member));
    let Some(name) = name.and_then(Value::as_str) else {
        return Ok(None);
    };
    let complaint = format!("there is a {} named {name} already", resource.noun());
    let mut others = others.iter();
    if others.any(|(id, other)| {
        except != Some(id) && other.get("name").and_then(Value::as_str) == Some(name)
    }) {
        return Err(Refusal::Taken(complaint));
    }
    let all = call.ids();
    let (parents, _) = match except {
        Some(_) => split(resource, &all),
        None => (all.as_slice(), ""),
    };
    let requirement = Requirement::NameIsFree {
        collection: Store::collection(resource, parents),
        name: name.to_owned(),
        within: None,
        except: except.map(str::to_owned),
    };
    Ok(Some((requirement, complaint)))
}

/// The id that was sent, or a new one.
fn new_id(
    call: &mut Call<'_, '_>,
    resource: &Resource,
    given: &Map<String, Value>,
    taken: &[(String, Map<String, Value>)],
) -> Result<String, Refusal> {
    let is_taken = |id: &str| taken.iter().any(|(other, _)| other == id);
    let sent = resource.id_member().and_then(|member| given.get(member));
    if let Some(sent) = sent.filter(|id| id.is_string() || id.is_number()) {
        let id = ids::text(sent);
        return if is_taken(&id) {
            let message = format!("there is a {} with the id {id} already", resource.noun());
            Err(Refusal::Taken(message))
        } else {
            Ok(id)
        };
    }
    let example = call.store().example_id(resource);
    for _ in 0..TRIES {
        let id = ids::text(&ids::like(&example, call.rng));
        if !is_taken(&id) {
            return Ok(id);
        }
    }
    let longer = format!("{}-{:016x}", ids::text(&example), call.rng.next_u64());
    Ok(longer)
}
