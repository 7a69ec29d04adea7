//! One walk over a document, along the grammar.
//!
//! Each object is visited once, as what it is. References are visited, not followed, so a cycle
//! costs nothing; what is referred to in an external part is visited after the main document, as
//! what the reference wants it to be.

use std::collections::{HashSet, VecDeque};

use serde_json::{Map, Value};

use super::grammar::{Holds, Kind};
use crate::document::PARTS;
use crate::document::join;
use crate::reference;

/// An object of a kind, or a reference to one.
#[derive(Clone, Copy)]
pub(super) struct Node<'v, 'w> {
    pub(super) kind: Kind,
    pub(super) value: &'v Value,
    pub(super) object: &'v Map<String, Value>,
    /// Where the tour of this text began.
    start: &'w str,
    path: &'w [Token<'v>],
}

/// Something that is no object although the grammar wants one here.
pub(super) struct Misfit<'v, 'w> {
    pub(super) kind: Kind,
    start: &'w str,
    path: &'w [Token<'v>],
}

#[derive(Debug, Clone, Copy)]
enum Token<'v> {
    Key(&'v str),
    Index(usize),
}

/// Who takes the tour.
pub(super) trait Visitor<'v> {
    fn visit(&mut self, node: &Node<'v, '_>);
    fn misfit(&mut self, misfit: &Misfit<'v, '_>);
}

impl<'v> Node<'v, '_> {
    /// JSON pointer (RFC 6901) to the object.
    pub(super) fn pointer(&self) -> String {
        pointer(self.start, self.path)
    }

    /// JSON pointer to a member.
    pub(super) fn at(&self, member: &str) -> String {
        join(&self.pointer(), member)
    }

    /// The target of a Reference Object.
    pub(super) fn reference(&self) -> Option<&'v str> {
        self.kind.section()?;
        self.object.get("$ref")?.as_str()
    }

    /// What a discriminator maps to, where it is no name, and where a link leads.
    fn other_references(&self) -> impl Iterator<Item = (&'v str, Kind)> + use<'v> {
        let schema = (self.kind == Kind::Schema).then_some(self.object);
        let mapping =
            schema.and_then(|schema| schema.get("discriminator")?.get("mapping")?.as_object());
        let targets = mapping.into_iter().flatten();
        let targets = targets.filter_map(|(_, target)| Some((target.as_str()?, Kind::Schema)));
        let link = (self.kind == Kind::Link).then_some(self.object);
        let operation = link.and_then(|link| link.get("operationRef")?.as_str());
        targets.chain(operation.map(|target| (target, Kind::Operation)))
    }

    pub(super) fn text(&self, member: &str) -> Option<&'v str> {
        self.object.get(member)?.as_str()
    }

    pub(super) fn is_set(&self, member: &str) -> bool {
        self.object.get(member) == Some(&Value::Bool(true))
    }

    /// The key it stands under.
    pub(super) fn key(&self) -> Option<&'v str> {
        match self.path.last()? {
            Token::Key(key) => Some(key),
            Token::Index(_) => None,
        }
    }

    /// Whether it is a member of an `allOf`, `anyOf` or `oneOf`, or otherwise a part of what is
    /// said about one value.
    pub(super) fn is_part(&self) -> bool {
        let beside = |key: &str| ["not", "if", "then", "else"].contains(&key);
        match self.path {
            [.., Token::Key("allOf" | "anyOf" | "oneOf"), Token::Index(_)]
            | [.., Token::Key("dependentSchemas"), Token::Key(_)] => true,
            [.., Token::Key(key)] => beside(key),
            _ => false,
        }
    }

    /// Whether it is the whole of an external file, which may hold other things beside it.
    pub(super) fn is_whole_part(&self) -> bool {
        self.path.is_empty() && self.start.matches('/').count() == 2
    }

    /// Whether it belongs to what is sent, rather than to an answer.
    pub(super) fn is_request(&self) -> bool {
        self.path.iter().any(|token| {
            matches!(
                token,
                Token::Key("requestBody" | "requestBodies" | "parameters")
            )
        })
    }
}

impl Misfit<'_, '_> {
    pub(super) fn pointer(&self) -> String {
        pointer(self.start, self.path)
    }
}

fn pointer(start: &str, path: &[Token<'_>]) -> String {
    let mut pointer = start.to_owned();
    for token in path {
        pointer = match token {
            Token::Key(key) => join(&pointer, key),
            Token::Index(index) => join(&pointer, &index.to_string()),
        };
    }
    pointer
}

/// Visits every object of the document, in the order of the text.
pub(super) fn tour<'v>(root: &'v Value, old_dialect: bool, visitor: &mut impl Visitor<'v>) {
    let mut guide = Guide {
        old_dialect,
        external: ["#/", PARTS, "/"].concat(),
        start: String::new(),
        path: Vec::new(),
        waiting: VecDeque::new(),
        seen: HashSet::new(),
        visitor,
    };
    guide.step(Kind::Document, root);
    while let Some((start, kind)) = guide.waiting.pop_front() {
        if let Some(value) = root.pointer(&start) {
            guide.start = start;
            guide.step(kind, value);
        }
    }
}

struct Guide<'v, 'a, V> {
    old_dialect: bool,
    /// How references to external parts begin.
    external: String,
    start: String,
    path: Vec<Token<'v>>,
    /// Places in external parts that are still to be visited.
    waiting: VecDeque<(String, Kind)>,
    /// The objects of external parts that have been visited: a part may be referred to as a whole
    /// and in places.
    seen: HashSet<*const Value>,
    visitor: &'a mut V,
}

impl<'v, V: Visitor<'v>> Guide<'v, '_, V> {
    fn step(&mut self, kind: Kind, value: &'v Value) {
        let Value::Object(object) = value else {
            // A schema may be `true` in 3.1, and `additionalProperties` may be so in 3.0.
            if !(kind == Kind::Schema && value.is_boolean()) {
                self.visitor.misfit(&Misfit {
                    kind,
                    start: &self.start,
                    path: &self.path,
                });
            }
            return;
        };
        if !self.start.is_empty() && !self.seen.insert(std::ptr::from_ref(value)) {
            return;
        }
        let node = Node {
            kind,
            value,
            object,
            start: &self.start,
            path: &self.path,
        };
        self.visitor.visit(&node);
        // Beside a reference nothing counts, except in paths and in the schemas of 3.1.
        let goes_on = kind == Kind::PathItem || (kind == Kind::Schema && !self.old_dialect);
        let others: Vec<(&str, Kind)> = node.other_references().collect();
        let reference = node.reference();
        if let Some(target) = reference {
            self.later(target, kind);
            if !goes_on {
                return;
            }
        }
        for (target, kind) in others {
            self.later(target, kind);
        }
        for (key, member) in object {
            self.path.push(Token::Key(key));
            self.member(kind, key, member);
            self.path.pop();
        }
    }

    /// Notes what a reference wants of an external part.
    fn later(&mut self, target: &str, kind: Kind) {
        if let (true, Some(pointer)) = (
            target.starts_with(&self.external),
            reference::pointer(target),
        ) {
            self.waiting.push_back((pointer.into_owned(), kind));
        }
    }

    fn member(&mut self, kind: Kind, key: &'v str, value: &'v Value) {
        if kind == Kind::Callback && !key.starts_with("x-") {
            return self.step(Kind::PathItem, value);
        }
        let known = kind.members().iter().find(|known| known.name == key);
        match known.map(|known| known.holds) {
            Some(Holds::One(inner)) => self.step(inner, value),
            Some(Holds::Map(inner)) => self.map(inner, value, false),
            Some(Holds::Patterned(inner)) => self.map(inner, value, true),
            Some(Holds::Many(inner)) => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    self.path.push(Token::Index(index));
                    self.step(inner, item);
                    self.path.pop();
                }
            }
            _ => {}
        }
    }

    fn map(&mut self, inner: Kind, value: &'v Value, extensible: bool) {
        for (name, member) in value.as_object().into_iter().flatten() {
            if extensible && name.starts_with("x-") {
                continue;
            }
            self.path.push(Token::Key(name));
            self.step(inner, member);
            self.path.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    struct Pointers(Vec<String>);

    impl<'v> Visitor<'v> for Pointers {
        fn visit(&mut self, node: &Node<'v, '_>) {
            self.0.push(node.pointer());
        }

        fn misfit(&mut self, misfit: &Misfit<'v, '_>) {
            self.0.push(format!("!{}", misfit.pointer()));
        }
    }

    #[test]
    fn names_and_data_are_not_taken_for_keywords() {
        let root = json!({
            "components": {"schemas": {
                "example": {"properties": {"default": {"enum": [{"items": 1}]}, "x-a": 3, "items": {}}},
                "A/b": {"example": {"items": {}}, "x-note": {"items": {}}, "allOf": [{}, true]},
                "R": {"$ref": "#/x", "items": {}},
            }},
        });
        let mut found = Pointers(Vec::new());
        tour(&root, true, &mut found);
        assert_eq!(
            found.0,
            [
                "",
                "/components",
                "/components/schemas/example",
                "/components/schemas/example/properties/default",
                "!/components/schemas/example/properties/x-a",
                "/components/schemas/example/properties/items",
                "/components/schemas/A~1b",
                "/components/schemas/A~1b/allOf/0",
                "/components/schemas/R",
            ]
        );
    }
}
