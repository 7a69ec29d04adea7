//! What the paths of a definition are about: collections with their items, and single objects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use hallpass_openapi::{Definition, Location, Operation};
use http::Method;
use serde_json::Value;

use super::names;
use super::object::Whole;
use super::template::Template;
use super::view::View;

/// Objects of one kind, in one place of the paths.
#[derive(Debug)]
pub(super) struct Resource {
    /// The path of the collection, or of the single object.
    pub(super) template: Template,
    pub(super) kind: Kind,
    /// How one object is shown.
    pub(super) one: Option<View>,
    /// How it is shown in the list.
    pub(super) many: Option<View>,
    /// What the parameter at the end of an item's path is called.
    pub(super) parameter: Option<String>,
    /// What members that repeat the ids above it are called.
    pub(super) above: Vec<String>,
    /// The operation that adds an object.
    pub(super) creation: Option<usize>,
    /// Ids that the definition gives as examples, with those before them.
    pub(super) known: Vec<Vec<String>>,
    /// What it stands below can be created: then it begins with the known ones only.
    pub(super) begins_empty: bool,
    pub(super) whole: OnceLock<Whole>,
}

/// What a path without parameters at its end leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Objects with ids.
    Collection,
    /// One object, which is there.
    Single,
    /// Objects that no answer shows; only the known ones are there.
    Implied,
}

/// The resources of a definition.
#[derive(Debug, Default)]
pub(super) struct Resources {
    all: Vec<Resource>,
    /// Where something is in `all`: a path, and whether it leads to a single object. A path can
    /// lead to one and have objects with ids below it all the same.
    places: BTreeMap<(Template, bool), usize>,
}

impl Resource {
    fn new(template: Template, kind: Kind) -> Self {
        Self {
            template,
            kind,
            one: None,
            many: None,
            parameter: None,
            above: Vec::new(),
            creation: None,
            known: Vec::new(),
            begins_empty: false,
            whole: OnceLock::new(),
        }
    }

    /// One of its objects, in words.
    pub(super) fn noun(&self) -> String {
        let word = self.template.word().unwrap_or("object");
        names::singular(word).replace(['-', '_'], " ")
    }

    pub(super) fn views(&self) -> impl Iterator<Item = &View> {
        self.one.iter().chain(&self.many)
    }

    /// The member of an object that some view declares under this name, however it is written.
    pub(super) fn member(&self, name: &str) -> Option<&str> {
        let declared = || self.views().flat_map(|view| &view.properties);
        let exact = declared().find(|known| *known == name);
        exact
            .or_else(|| declared().find(|known| names::same(known, name)))
            .map(String::as_str)
    }

    /// The member that holds the id: `id`, or the one called as the parameter or after the collection.
    pub(super) fn id_member(&self) -> Option<&str> {
        if self.kind != Kind::Collection {
            return None;
        }
        let parameter = self.parameter.as_deref().unwrap_or("id");
        let word = names::singular(self.template.word().unwrap_or_default());
        let named = [
            "id".to_owned(),
            parameter.to_owned(),
            format!("{word}Id"),
            "uuid".to_owned(),
            "uid".to_owned(),
        ];
        // `/targets/{targetName}` is about the name.
        let short = parameter.to_ascii_lowercase();
        let by_name = short.ends_with("name").then(|| "name".to_owned());
        named
            .into_iter()
            .chain(by_name)
            .find_map(|name| self.member(&name))
    }
}

impl Resources {
    /// The resources that the operations of a definition are about. Those for which `has_row` says
    /// yes have rules of their own; what they are about is left out.
    pub(super) fn of(
        definition: &Definition,
        has_row: &dyn Fn(&Operation) -> bool,
        ruled: &BTreeSet<Template>,
    ) -> Self {
        let mut resources = Self::default();
        let items = items_of(definition);
        let generic = || {
            let operations = definition.operations().iter();
            operations
                .filter(|operation| !has_row(operation))
                .filter_map(|operation| Some((operation, Template::of(operation.path())?)))
        };
        for (operation, path) in generic().filter(|(one, _)| one.method() == Method::GET) {
            let place = if path.is_item() {
                path.parent()
            } else {
                path.clone()
            };
            if !ruled.contains(&place) {
                resources.read(definition, operation, &path, items.contains(&path));
            }
        }
        for (_, path) in generic() {
            let own = path.is_item().then(|| path.clone());
            for item in path.above().chain(own) {
                if !ruled.contains(&item.parent()) {
                    resources.place(item.parent(), Kind::Implied);
                }
            }
        }
        for (operation, path) in generic() {
            if operation.method() == Method::POST
                && let Some(place) = resources.find(&path)
            {
                resources.all[place].creation = Some(operation.index());
            }
            resources.examples(operation, &path);
        }
        resources.beginnings(definition);
        resources
    }

    /// The objects with ids at a place.
    pub(super) fn find(&self, template: &Template) -> Option<usize> {
        self.places.get(&(template.clone(), false)).copied()
    }

    /// The one object at a place.
    pub(super) fn single(&self, template: &Template) -> Option<usize> {
        self.places.get(&(template.clone(), true)).copied()
    }

    pub(super) fn get(&self, index: usize) -> &Resource {
        &self.all[index]
    }

    /// More known ids, for a collection below the examples of a path.
    pub(super) fn know(&mut self, index: usize, ids: Vec<String>) {
        let known = &mut self.all[index].known;
        if !known.contains(&ids) {
            known.push(ids);
        }
    }

    fn read(
        &mut self,
        definition: &Definition,
        operation: &Operation,
        path: &Template,
        has_items: bool,
    ) {
        let above = above(operation, path);
        if path.is_item() {
            let one = View::one(definition, operation);
            let kind = if one.is_some() {
                Kind::Collection
            } else {
                Kind::Implied
            };
            let place = self.place(path.parent(), kind);
            let resource = &mut self.all[place];
            resource.one = one;
            resource.above = above;
            resource.parameter = parameters(operation).last().map(|(name, _)| name.clone());
            return;
        }
        let writes = |other: &Operation| {
            let written = [Method::PUT, Method::PATCH, Method::DELETE];
            other.path() == operation.path() && written.contains(other.method())
        };
        let single = !has_items && definition.operations().iter().any(writes);
        match View::many(definition, operation) {
            Some(many) if !single => {
                let place = self.place(path.clone(), Kind::Collection);
                self.all[place].many = Some(many);
                self.all[place].above = above;
            }
            _ => {
                if let Some(one) = View::one(definition, operation) {
                    let place = self.place(path.clone(), Kind::Single);
                    self.all[place].one = Some(one);
                    self.all[place].above = above;
                }
            }
        }
    }

    fn place(&mut self, template: Template, kind: Kind) -> usize {
        let key = (template.clone(), kind == Kind::Single);
        if let Some(place) = self.places.get(&key).copied() {
            let known = &mut self.all[place].kind;
            if *known == Kind::Implied {
                *known = kind;
            }
            return place;
        }
        let place = self.all.len();
        self.places.insert(key, place);
        self.all.push(Resource::new(template, kind));
        place
    }

    /// The ids that the examples of a path name, each with those before it.
    fn examples(&mut self, operation: &Operation, path: &Template) {
        let mut ids: Vec<String> = Vec::new();
        let own = path.is_item().then(|| path.clone());
        let items: Vec<Template> = path.above().chain(own).collect();
        for (item, (_, example)) in items.into_iter().zip(parameters(operation)) {
            let Some(example) = example else {
                return;
            };
            ids.push(example);
            if let Some(place) = self.find(&item.parent()) {
                self.know(place, ids.clone());
            }
        }
    }

    fn beginnings(&mut self, definition: &Definition) {
        let created: BTreeSet<Template> = definition
            .operations()
            .iter()
            .filter(|operation| operation.method() == Method::POST)
            .filter_map(|operation| Template::of(operation.path()))
            .collect();
        let places = &self.places;
        for resource in &mut self.all {
            let above = resource.template.above().last();
            resource.begins_empty = above.is_some_and(|item| {
                !places.contains_key(&(item.parent(), false)) && created.contains(&item.parent())
            });
        }
    }
}

/// The places whose objects have rules of their own.
pub(super) fn ruled(
    definition: &Definition,
    has_row: &dyn Fn(&Operation) -> bool,
) -> BTreeSet<Template> {
    let operations = definition.operations().iter();
    operations
        .filter(|operation| has_row(operation))
        .filter_map(|operation| Template::of(operation.path()))
        .map(|path| if path.is_item() { path.parent() } else { path })
        .collect()
}

/// The paths that have objects with ids right below them.
fn items_of(definition: &Definition) -> BTreeSet<Template> {
    let operations = definition.operations().iter();
    operations
        .filter_map(|operation| Template::of(operation.path()))
        .filter(Template::is_item)
        .map(|item| item.parent())
        .collect()
}

/// The names of the ids above a place: `{bookId}` as it is, `/books/{id}` after what it is one of.
fn above(operation: &Operation, path: &Template) -> Vec<String> {
    let parameters = parameters(operation);
    let named = path.above().zip(parameters).map(|(item, (name, _))| {
        let place = item.parent();
        match place.word() {
            Some(word) if name == "id" => format!("{}Id", names::singular(word)),
            _ => name,
        }
    });
    named.collect()
}

/// The path parameters in the order of the path, with their examples as a path has them.
pub(super) fn parameters(operation: &Operation) -> Vec<(String, Option<String>)> {
    let names = operation
        .path()
        .split('/')
        .filter_map(|step| step.strip_prefix('{')?.strip_suffix('}'));
    let example = |name: &str| {
        let parameter = operation
            .parameters()
            .iter()
            .find(|one| one.location == Location::Path && one.name == name)?;
        match parameter.example.as_ref()? {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    };
    names.map(|name| (name.to_owned(), example(name))).collect()
}
