//! Bringing the texts of a definition together: finding what is referred to, having it loaded, and
//! writing every reference so that it can be followed inside one document.
//!
//! References are `$ref`, the `operationRef` of a link, and what a discriminator maps to, which may also be
//! the name of a schema: one of the main document's, or else one of the same text.
//!
//! A plain reference of the main document (`#/…`) stays as written. What leads to another text, or
//! goes by `$id` and `$anchor` (JSON Schema 2020-12 section 8.2, since OpenAPI 3.1), becomes a
//! pointer to where the target now is. Nothing is expanded, so texts may refer to each other in
//! circles. Each text is loaded once; parts that nothing refers to are not looked at.

use std::collections::{HashMap, HashSet, VecDeque};

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::document::{Document, join, pointer_to_part};
use crate::location::{resolve, split};
use crate::problem::{Problem, Severity};
use crate::read::{self, Parsed};
use crate::translate::is_old_dialect;
use crate::walk::{Visit, walk_from};

/// Gives the bytes at a location, or says why not.
pub type Load<'a> = dyn FnMut(&str) -> Result<Vec<u8>, String> + 'a;

/// Where the schemas are that have a name.
const SCHEMAS: &str = "/components/schemas";

/// How many texts a definition may have.
const MAX_TEXTS: usize = 1_000;

/// Makes one document of the text `main`, which comes from `location`, and all it refers to.
pub(crate) fn link(main: Parsed, location: &str, load: &mut Load<'_>) -> (Document, Vec<Problem>) {
    let mut linker = Linker::new(main, location, load);
    linker.collect();
    linker.finish()
}

struct Linker<'l> {
    load: &'l mut Load<'l>,
    /// The names of the main document's schemas, which a discriminator may map to without a reference.
    schemas: HashSet<String>,
    /// `$id` and anchors mean something.
    modern: bool,
    /// The first is the main document.
    texts: Vec<Text>,
    resources: Vec<Resource>,
    by_location: HashMap<String, Result<usize, String>>,
    anchors: HashMap<(usize, String), String>,
    /// Places from which references are still to be collected.
    waiting: VecDeque<(usize, String)>,
    /// References that are still to be followed.
    found: VecDeque<Reference>,
    rewritten: Vec<Rewritten>,
    problems: Vec<Problem>,
}

struct Text {
    location: String,
    parsed: Parsed,
    /// Pointers to the objects that were looked at; not kept for the main document, which is
    /// looked at once and whole.
    seen: HashSet<String>,
}

/// What `#` means in a reference: a text, or a schema with an `$id`.
struct Resource {
    location: String,
    text: usize,
    pointer: String,
}

/// A reference as it is written.
struct Reference {
    text: usize,
    /// Pointer to the object that holds it.
    at: String,
    keyword: String,
    written: String,
    /// The resource around it.
    base: usize,
}

/// A reference as it is to be.
struct Rewritten {
    text: usize,
    at: String,
    keyword: String,
    target: String,
}

/// Why a reference leads nowhere.
enum Nowhere {
    NotLoaded(String),
    Dangling,
}

impl<'l> Linker<'l> {
    fn new(main: Parsed, location: &str, load: &'l mut Load<'_>) -> Self {
        let mut linker = Self {
            modern: !is_old_dialect(&main.value),
            schemas: names(main.value.pointer(SCHEMAS)),
            load,
            texts: Vec::new(),
            resources: Vec::new(),
            by_location: HashMap::new(),
            anchors: HashMap::new(),
            waiting: VecDeque::from([(0, String::new())]),
            found: VecDeque::new(),
            rewritten: Vec::new(),
            problems: main.problems(None),
        };
        linker.add_text(location.to_owned(), main);
        linker
    }

    /// Adds a text, and gives the resource that is the whole of it.
    fn add_text(&mut self, location: String, parsed: Parsed) -> usize {
        let text = self.texts.len();
        self.texts.push(Text {
            location: location.clone(),
            parsed,
            seen: HashSet::new(),
        });
        self.add_resource(location, text, String::new())
    }

    fn add_resource(&mut self, location: String, text: usize, pointer: String) -> usize {
        let resource = self.resources.len();
        self.by_location
            .entry(location.clone())
            .or_insert(Ok(resource));
        self.resources.push(Resource {
            location,
            text,
            pointer,
        });
        resource
    }

    fn collect(&mut self) {
        while let Some((text, start)) = self.waiting.pop_front() {
            self.look_at(text, &start);
            while let Some(reference) = self.found.pop_front() {
                self.follow(&reference);
            }
        }
    }

    /// Finds the references in the object that `start` points to, and its `$id`s and anchors.
    fn look_at(&mut self, text: usize, start: &str) {
        // Taken out so that what is found can be added while it is walked.
        let mut seen = std::mem::take(&mut self.texts[text].seen);
        let parsed = std::mem::take(&mut self.texts[text].parsed);
        if let Some(value) = parsed.value.pointer(start) {
            let mut bases = vec![(0, self.base_at(text, &parsed.value, start))];
            walk_from(value, start, &mut |visit: Visit<'_, '_>| {
                if text > 0 && !seen.insert(visit.pointer()) {
                    return false;
                }
                bases.retain(|(inside, _)| *inside <= visit.depth());
                if self.modern
                    && let Some(base) = self.identify(text, &visit, innermost(&bases))
                {
                    bases.push((visit.depth() + 1, base));
                }
                self.find_references(text, &visit, innermost(&bases));
                true
            });
        }
        self.texts[text].seen = seen;
        self.texts[text].parsed = parsed;
    }

    /// The resource around `pointer`.
    fn base_at(&mut self, text: usize, root: &Value, pointer: &str) -> usize {
        let whole = |one: &Resource| one.text == text && one.pointer.is_empty();
        let mut base = self.resources.iter().position(whole).unwrap_or(0);
        if !self.modern {
            return base;
        }
        for (end, _) in pointer.match_indices('/') {
            let outer = &pointer[..end];
            if let Some(id) = root.pointer(outer).and_then(|one| one.get("$id")?.as_str()) {
                base = self.resource_with_id(text, id, base, outer);
            }
        }
        base
    }

    /// Notes the names that a schema gives itself; a resource of its own when it has an `$id`.
    fn identify(&mut self, text: usize, visit: &Visit<'_, '_>, base: usize) -> Option<usize> {
        let name = |keyword: &str| visit.value.get(keyword)?.as_str();
        let own = name("$id").map(|id| self.resource_with_id(text, id, base, &visit.pointer()));
        for anchor in [name("$anchor"), name("$dynamicAnchor")]
            .into_iter()
            .flatten()
        {
            let key = (own.unwrap_or(base), anchor.to_owned());
            self.anchors.entry(key).or_insert_with(|| visit.pointer());
        }
        own
    }

    fn resource_with_id(&mut self, text: usize, id: &str, base: usize, pointer: &str) -> usize {
        let location = resolve(&self.resources[base].location, split(id).0);
        let known = self
            .resources
            .iter()
            .position(|one| one.text == text && one.pointer == pointer && one.location == location);
        known.unwrap_or_else(|| self.add_resource(location, text, pointer.to_owned()))
    }

    fn find_references(&mut self, text: usize, visit: &Visit<'_, '_>, base: usize) {
        let mut found = |at: String, keyword: &str, written: &str| {
            let plain = base == 0 && (written == "#" || written.starts_with("#/"));
            if !plain {
                self.found.push_back(Reference {
                    text,
                    at,
                    keyword: keyword.to_owned(),
                    written: written.to_owned(),
                    base,
                });
            }
        };
        let written = |keyword: &str| visit.value.get(keyword)?.as_str();
        if let Some(reference) = written("$ref") {
            found(visit.pointer(), "$ref", reference);
        }
        if let Some(reference) = written("$dynamicRef").filter(|_| self.modern) {
            found(visit.pointer(), "$dynamicRef", reference);
        }
        // Another API's operation is none of this definition's texts.
        if let Some(reference) = written("operationRef").filter(|one| !one.contains("://")) {
            found(visit.pointer(), "operationRef", reference);
        }
        let discriminator = visit.value.get("discriminator");
        let mapping = discriminator.and_then(|one| one.get("mapping")?.as_object());
        for (value, target) in mapping.into_iter().flatten() {
            if let Some(target) = target
                .as_str()
                .filter(|target| !self.schemas.contains(*target))
            {
                // What looks like a name is one: of a schema in the same text.
                let named = |name: &str| format!("#{SCHEMAS}/{}", name.replace('~', "~0"));
                let is_name = !target.contains(['/', '.', '#']);
                if is_name && text == 0 {
                    continue;
                }
                let written = if is_name {
                    named(target)
                } else {
                    target.to_owned()
                };
                let at = visit.pointer() + "/discriminator/mapping";
                found(at, value, &written);
            }
        }
    }

    fn follow(&mut self, reference: &Reference) {
        let target = match self.target(reference) {
            Ok((text, pointer)) => {
                let target = self.local(text, &pointer);
                if text > 0 {
                    self.waiting.push_back((text, pointer));
                }
                target
            }
            Err(nowhere) => {
                self.report(reference, &nowhere);
                if reference.base == 0 {
                    return;
                }
                // Written out, or it would mean something in the main document.
                let location = &self.texts[reference.text].location;
                resolve(location, split(&reference.written).0) + "#" + split(&reference.written).1
            }
        };
        self.rewritten.push(Rewritten {
            text: reference.text,
            at: reference.at.clone(),
            keyword: reference.keyword.clone(),
            target,
        });
    }

    /// The text and the pointer in it that a reference means.
    fn target(&mut self, reference: &Reference) -> Result<(usize, String), Nowhere> {
        let (location, fragment) = split(&reference.written);
        let resource = if location.is_empty() {
            Ok(reference.base)
        } else {
            let base = self.resources[reference.base].location.clone();
            let text = self.texts[reference.text].location.clone();
            let wanted = resolve(&base, location);
            self.resource(&wanted).or_else(|reason| {
                // An `$id` is often only a name, and the files lie beside each other all the same.
                let beside = resolve(&text, location);
                let found = if beside == wanted {
                    None
                } else {
                    self.resource(&beside).ok()
                };
                found.ok_or(reason)
            })
        };
        let resource = resource.map_err(Nowhere::NotLoaded)?;
        let Resource {
            text, ref pointer, ..
        } = self.resources[resource];
        let pointer = pointer.clone();
        let fragment = percent_decode_str(fragment)
            .decode_utf8()
            .map_err(|_| Nowhere::Dangling)?;
        let pointer = if fragment.is_empty() || fragment.starts_with('/') {
            pointer + &fragment
        } else {
            self.anchor(resource, &fragment).ok_or(Nowhere::Dangling)?
        };
        match self.texts[text].parsed.value.pointer(&pointer) {
            Some(_) => Ok((text, pointer)),
            None => Err(Nowhere::Dangling),
        }
    }

    fn anchor(&mut self, resource: usize, name: &str) -> Option<String> {
        let key = (resource, name.to_owned());
        if !self.anchors.contains_key(&key) {
            // An external part has been looked at only where something refers to.
            let Resource {
                text, ref pointer, ..
            } = self.resources[resource];
            let pointer = pointer.clone();
            if text > 0 {
                self.look_at(text, &pointer);
            }
        }
        self.anchors.get(&key).cloned()
    }

    /// The resource at a location; loads its text if nothing is known of it.
    fn resource(&mut self, location: &str) -> Result<usize, String> {
        if let Some(known) = self.by_location.get(location) {
            return known.clone();
        }
        let loaded = self.text_at(location);
        let resource = loaded.map(|parsed| {
            self.problems.extend(parsed.problems(Some(location)));
            self.add_text(location.to_owned(), parsed)
        });
        self.by_location
            .insert(location.to_owned(), resource.clone());
        resource
    }

    fn text_at(&mut self, location: &str) -> Result<Parsed, String> {
        if self.texts.len() > MAX_TEXTS {
            return Err(format!(
                "the definition has more than {MAX_TEXTS} external parts"
            ));
        }
        let bytes = (self.load)(location)?;
        read::decode(&bytes)
            .and_then(read::parse)
            .map_err(|error| error.to_string())
    }

    fn report(&mut self, reference: &Reference, nowhere: &Nowhere) {
        let text = &self.texts[reference.text];
        let pointer = join(&reference.at, &reference.keyword);
        let parsed = &text.parsed;
        let position = parsed
            .places
            .position(parsed.places.find(&parsed.value, &pointer));
        let written = &reference.written;
        let (rule, message, advice) = match nowhere {
            Nowhere::NotLoaded(reason) => (
                "reference-external",
                format!("the reference `{written}` cannot be followed: {reason}"),
                "make the part readable where the reference says, or bundle the definition into \
                 one file; until then what it describes is not checked",
            ),
            Nowhere::Dangling => (
                "reference-dangling",
                format!("the reference `{written}` leads to nothing"),
                "correct the spelling (letter case counts) or add what is missing",
            ),
        };
        self.problems.push(Problem {
            severity: Severity::Error,
            part: (reference.text > 0).then(|| text.location.clone()),
            pointer,
            line: position.line,
            column: position.column,
            message,
            advice: advice.to_owned(),
            rule,
        });
    }

    /// A reference to a place of a text, as it is written in the whole document.
    fn local(&self, text: usize, pointer: &str) -> String {
        let whole = match text {
            0 => pointer.to_owned(),
            _ => pointer_to_part(&self.texts[text].location) + pointer,
        };
        // What would be decoded again when it is followed.
        format!("#{}", whole.replace('%', "%25"))
    }

    fn finish(mut self) -> (Document, Vec<Problem>) {
        for rewritten in self.rewritten {
            let value = &mut self.texts[rewritten.text].parsed.value;
            if let Some(Value::Object(members)) = value.pointer_mut(&rewritten.at) {
                let target = Value::String(rewritten.target);
                members.insert(rewritten.keyword, target);
            }
        }
        let mut texts = self
            .texts
            .into_iter()
            .map(|text| (text.location, text.parsed));
        let (location, main) = texts.next().unwrap_or_default();
        let document = Document::new(location, main, texts.collect());
        (document, self.problems)
    }
}

fn names(members: Option<&Value>) -> HashSet<String> {
    let members = members.and_then(Value::as_object);
    members
        .into_iter()
        .flat_map(|members| members.keys().cloned())
        .collect()
}

fn innermost(bases: &[(usize, usize)]) -> usize {
    bases.last().map_or(0, |(_, base)| *base)
}
