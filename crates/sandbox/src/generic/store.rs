//! The objects of a state as the generic level sees them.
//!
//! A state holds what was changed and nothing else. The objects that are there from the beginning
//! follow from the definition, the number of the seed and their place; they are made when somebody
//! looks. So a definition with hundreds of collections costs no memory and no time at the start, and
//! an object of it is first stored when it is changed.
//!
//! A collection of a state is named after its path. What it holds for an id that is there from the
//! beginning goes before that; null means that it was deleted.

use hallpass_openapi::Definition;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use serde_json::{Map, Value};

use super::object::{self, Whole};
use super::resource::{Kind, Resource, Resources};
use super::template::Template;
use super::{Neighbours, ids, names};
use crate::change::Change;
use crate::rest::Refusal;
use crate::state::State;
use crate::stored::Stored;

/// How many objects a collection has in the beginning, unless the definition names more of them.
const SEEDS: usize = 2;

/// Collections of the generic level have names that begin so.
const PREFIX: &str = "generic:";

/// Where the number of the seed is kept.
const SEED: &str = "generic";

/// The objects of a state.
#[derive(Clone, Copy)]
pub(super) struct Store<'a> {
    pub(super) definition: &'a Definition,
    pub(super) resources: &'a Resources,
    pub(super) state: &'a State,
    pub(super) neighbours: &'a dyn Neighbours,
}

/// Whether objects of the generic level are kept under this name.
pub(super) fn is_generic(collection: &str) -> bool {
    collection.starts_with(PREFIX)
}

/// What keeps the number of the seed in a state.
pub(crate) fn begin(seed: u64) -> Change {
    Change::Put {
        collection: SEED.to_owned(),
        id: SEED.to_owned(),
        value: Value::from(seed),
    }
}

impl<'a> Store<'a> {
    /// That everything above a path is there.
    pub(super) fn reach(&self, path: &Template, ids: &[&str]) -> Result<(), Refusal> {
        for item in path.above() {
            let above = ids.get(..item.ids()).unwrap_or(ids);
            if !self.is_there(&item, above) {
                let noun = Self::noun(&item);
                let id = above.last().copied().unwrap_or_default();
                return Err(Refusal::NotFound(format!(
                    "there is no {noun} with the id {id}"
                )));
            }
        }
        Ok(())
    }

    /// Whether the object at this path is there, those above it apart.
    pub(super) fn is_there(&self, item: &Template, ids: &[&str]) -> bool {
        if let Some(known) = self.neighbours.has(item, ids) {
            return known;
        }
        let Some(resource) = self.resources.find(&item.parent()) else {
            return false;
        };
        let Some((id, parents)) = ids.split_last() else {
            return false;
        };
        let resource = self.resources.get(resource);
        match self.stored(resource, parents, id) {
            Some(stored) => *stored != Stored::Null,
            None => self.seeds(resource, parents).iter().any(|seed| seed == id),
        }
    }

    /// An object; `ids` are those of the path, its own the last.
    pub(super) fn get(&self, resource: &Resource, ids: &[&str]) -> Option<Map<String, Value>> {
        let (parents, id) = split(resource, ids);
        match self.stored(resource, parents, id) {
            Some(Stored::Null) => None,
            Some(stored) => unpacked(stored),
            None => {
                let seeds = self.seeds(resource, parents);
                let at = seeds.iter().position(|seed| seed == id)?;
                Some(self.seeded(resource, parents, at, id))
            }
        }
    }

    /// All objects of a collection with their ids, oldest first.
    pub(super) fn all(
        &self,
        resource: &Resource,
        parents: &[&str],
    ) -> Vec<(String, Map<String, Value>)> {
        let seeds = self.seeds(resource, parents);
        let mut all = Vec::new();
        for (at, id) in seeds.iter().enumerate() {
            let object = match self.stored(resource, parents, id) {
                Some(stored) => unpacked(stored),
                None => Some(self.seeded(resource, parents, at, id)),
            };
            all.extend(object.map(|object| (id.clone(), object)));
        }
        let collection = Self::collection(resource, parents);
        let created = self.state.all(&collection);
        all.extend(
            created
                .filter(|(id, _)| !seeds.iter().any(|seed| seed == id))
                .filter_map(|(id, stored)| Some((id.to_owned(), unpacked(stored)?))),
        );
        all
    }

    /// Where the state keeps the objects of a collection.
    pub(super) fn collection(resource: &Resource, parents: &[&str]) -> String {
        format!("{PREFIX}{}", resource.template.fill(parents))
    }

    /// What takes an object away, with all that is below it.
    pub(super) fn removal(&self, resource: &Resource, ids: &[&str]) -> Vec<Change> {
        let (parents, id) = split(resource, ids);
        let collection = Self::collection(resource, parents);
        let mut changes = Vec::new();
        if resource.kind == Kind::Collection {
            let below = format!("{PREFIX}{}/", resource.template.item().fill(ids));
            for (collection, id) in self.state.within(&below) {
                changes.push(Change::Remove {
                    collection: collection.to_owned(),
                    id: id.to_owned(),
                });
            }
        }
        let is_seed = self.seeds(resource, parents).iter().any(|seed| seed == id);
        changes.push(if is_seed {
            put(collection, id, Value::Null)
        } else {
            Change::Remove {
                collection,
                id: id.to_owned(),
            }
        });
        changes
    }

    /// Whether the state holds the object itself.
    pub(super) fn is_stored(&self, resource: &Resource, ids: &[&str]) -> bool {
        let (parents, id) = split(resource, ids);
        self.stored(resource, parents, id).is_some()
    }

    /// What an object says of its place: its id, those above it, and its own path.
    pub(super) fn placed(
        resource: &Resource,
        ids: &[&str],
        mut object: Map<String, Value>,
    ) -> Map<String, Value> {
        let mut set = |member: Option<&str>, text: &str| {
            if let Some(member) = member
                && let Some(value) = object.get_mut(member)
                && let Some(id) = ids::typed(text, value)
            {
                *value = id;
            }
        };
        let own = resource.id_member();
        for (name, id) in resource.above.iter().zip(ids) {
            set(
                resource.member(name).filter(|member| Some(*member) != own),
                id,
            );
        }
        if resource.kind == Kind::Collection {
            set(own, ids.last().copied().unwrap_or_default());
            let path = resource.template.item().fill(ids);
            for name in ["resourceUri", "selfUri", "self", "href"] {
                set(resource.member(name), &path);
            }
        }
        object
    }

    fn stored(&self, resource: &Resource, parents: &[&str], id: &str) -> Option<&'a Stored> {
        self.state.get(&Self::collection(resource, parents), id)
    }

    /// The ids of the objects that are there from the beginning. What was created later has nothing
    /// below it that nobody put there.
    fn seeds(&self, resource: &Resource, parents: &[&str]) -> Vec<String> {
        if resource.kind == Kind::Single {
            return vec![String::new()];
        }
        if !self.are_seeds(&resource.template, parents) {
            return Vec::new();
        }
        let here = |known: &&Vec<String>| {
            let above = known.len().saturating_sub(1);
            known[..above]
                .iter()
                .map(String::as_str)
                .eq(parents.iter().copied())
        };
        let known = resource.known.iter().filter(here);
        let mut seeds: Vec<String> = known.filter_map(|ids| ids.last().cloned()).collect();
        if resource.kind == Kind::Implied || resource.begins_empty {
            return seeds;
        }
        let example = self.example_id(resource);
        if resource.known.is_empty() && parents.is_empty() && !example.is_null() {
            seeds.push(ids::text(&example));
        }
        let place = hash(&Self::collection(resource, parents));
        let mut rng = ChaCha8Rng::seed_from_u64(self.number() ^ place);
        for number in 1.. {
            if seeds.len() >= SEEDS {
                break;
            }
            let id = ids::seed(&example, number, &mut rng);
            if !seeds.contains(&id) {
                seeds.push(id);
            }
        }
        seeds
    }

    /// Whether all the objects above a place are there from the beginning, as far as they are of
    /// the generic level.
    fn are_seeds(&self, template: &Template, ids: &[&str]) -> bool {
        template.above().all(|item| {
            let Some(resource) = self.resources.find(&item.parent()) else {
                return true;
            };
            let Some((id, above)) = ids.get(..item.ids()).and_then(<[&str]>::split_last) else {
                return false;
            };
            let seeds = self.seeds(self.resources.get(resource), above);
            seeds.iter().any(|seed| seed == id)
        })
    }

    /// The object that is there from the beginning under this id.
    fn seeded(
        &self,
        resource: &Resource,
        parents: &[&str],
        at: usize,
        id: &str,
    ) -> Map<String, Value> {
        let whole = Whole::of(self.definition, resource);
        let mut object = whole.object.clone();
        if let Some(member) = object::name_member(resource)
            && let Some(Value::String(name)) = object.get(member).cloned()
            && (at > 0 || whole.wanted_name.as_ref() == object.get(member))
        {
            object.insert(member.to_owned(), format!("{name}-{}", at + 1).into());
            object = object::fitted(self.definition, resource, object, &whole.object);
        }
        let ids: Vec<&str> = match resource.kind {
            Kind::Single => parents.to_vec(),
            Kind::Collection | Kind::Implied => parents.iter().copied().chain([id]).collect(),
        };
        Self::placed(resource, &ids, object)
    }

    /// What ids of a resource look like.
    pub(super) fn example_id(&self, resource: &Resource) -> Value {
        let whole = || Whole::of(self.definition, resource);
        let shown = resource
            .id_member()
            .and_then(|member| whole().object.get(member));
        let known = || resource.known.first().and_then(|ids| ids.last());
        match shown {
            Some(id) if !id.is_null() => id.clone(),
            _ => known().map_or(Value::Null, |id| Value::from(id.as_str())),
        }
    }

    pub(super) fn number(&self) -> u64 {
        let number = self.state.get(SEED, SEED).map(Stored::unpack);
        number
            .and_then(|number| number.as_u64())
            .unwrap_or_default()
    }

    fn noun(item: &Template) -> String {
        let place = item.parent();
        let word = place.word().unwrap_or("object");
        names::singular(word).replace(['-', '_'], " ")
    }
}

/// The ids above an object, and its own; a single object has none.
pub(super) fn split<'i, 't>(resource: &Resource, ids: &'i [&'t str]) -> (&'i [&'t str], &'t str) {
    match (resource.kind, ids.split_last()) {
        (Kind::Collection | Kind::Implied, Some((id, above))) => (above, id),
        _ => (ids, ""),
    }
}

pub(super) fn put(collection: String, id: &str, value: Value) -> Change {
    Change::Put {
        collection,
        id: id.to_owned(),
        value,
    }
}

fn unpacked(stored: &Stored) -> Option<Map<String, Value>> {
    match stored.unpack() {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

/// FNV-1a: the same on every machine, which the seed of a state must be.
pub(super) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
