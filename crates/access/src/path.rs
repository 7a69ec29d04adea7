//! What a path stands for: a collection, an item of one, or an action on one of the two.
//!
//! A path alone does not tell: `/volumes/{id}/export` is an action and `/volumes/{id}/snapshots` a
//! collection. The other paths of the definition do, so [`Paths`] looks at all of them. Does not
//! know permissions.

use std::collections::HashSet;

use http::Method;

use crate::singular::{hyphenated, singular};

/// The segment behind which the device-type2 half of the real definition keeps its actions, as in
/// `/volumes/{volumeId}/actions/restore`.
const ACTIONS: &str = "actions";

/// The paths of a definition, as far as they tell what the others are.
pub(crate) struct Paths {
    /// Those that can be read, and those that have an item below, names of parameters left out.
    nouns: HashSet<String>,
}

/// What a request to a path is about.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    /// The segment that names the kind of resource; a path of nothing but parameters has none.
    pub(crate) collection: Option<&'a str>,
    pub(crate) place: Place<'a>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    Collection,
    Item,
    /// With the segment that says what to do.
    Action(&'a str),
}

impl Paths {
    /// Learns from all operations of a definition.
    pub(crate) fn of<'a>(operations: impl IntoIterator<Item = (&'a Method, &'a str)>) -> Self {
        let mut nouns = HashSet::new();
        for (method, path) in operations {
            let segments = segments(path);
            if *method == Method::GET {
                nouns.insert(shape(&segments));
            }
            if let Some((last, above)) = segments.split_last()
                && is_parameter(last)
            {
                nouns.insert(shape(above));
            }
        }
        Self { nouns }
    }

    /// What is a request with this method to this path (a template) about?
    pub(crate) fn target<'a>(&self, method: &Method, path: &'a str) -> Target<'a> {
        let segments = segments(path);
        let (above, place) = self.action(method, &segments).unwrap_or_else(|| {
            let item = segments.last().is_some_and(|last| is_parameter(last));
            (
                segments.as_slice(),
                if item { Place::Item } else { Place::Collection },
            )
        });
        Target {
            collection: noun(above),
            place,
        }
    }

    /// The segments an action acts on, and the action.
    fn action<'a, 's>(
        &self,
        method: &Method,
        segments: &'s [&'a str],
    ) -> Option<(&'s [&'a str], Place<'a>)> {
        let (last, above) = segments.split_last()?;
        if *method == Method::GET || is_parameter(last) || self.nouns.contains(&shape(segments)) {
            return None;
        }
        let marked = match above.split_last() {
            Some((&ACTIONS, above)) => Some(above),
            _ => None,
        };
        let acted_on = if let Some(above) = marked {
            above
        } else if *last == ACTIONS || !is_plural(last) {
            above
        } else {
            return None;
        };
        noun(acted_on).map(|_| (acted_on, Place::Action(last)))
    }
}

fn segments(path: &str) -> Vec<&str> {
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .collect()
}

fn shape(segments: &[&str]) -> String {
    let plain = |segment: &&str| {
        if is_parameter(segment) {
            "{}".to_owned()
        } else {
            (*segment).to_owned()
        }
    };
    segments.iter().map(plain).collect::<Vec<_>>().join("/")
}

/// Also one that is only partly a parameter, such as `{name}.json`.
fn is_parameter(segment: &str) -> bool {
    segment.contains('{')
}

fn is_plural(segment: &str) -> bool {
    let word = hyphenated(segment);
    singular(&word) != word
}

/// The last segment that can name a resource.
fn noun<'a>(segments: &[&'a str]) -> Option<&'a str> {
    segments
        .iter()
        .rev()
        .copied()
        .find(|segment| !is_parameter(segment) && !is_prefix(segment))
}

/// `api` and version numbers begin a path without naming anything in it.
fn is_prefix(segment: &str) -> bool {
    let version = segment
        .strip_prefix('v')
        .and_then(|rest| rest.chars().next());
    segment == "api" || version.is_some_and(|first| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made for this test, with the shapes that occur in the real definition.
    const PATHS: [(Method, &str); 22] = [
        (Method::GET, "/api/v1/disks"),
        (Method::POST, "/api/v1/disks"),
        (Method::GET, "/api/v1/disks/{id}"),
        (Method::POST, "/api/v1/disks/{id}"),
        (Method::POST, "/api/v1/disks/{id}/export"),
        (Method::GET, "/api/v1/disks/{diskId}/history"),
        (Method::PUT, "/api/v1/disks/{id}/fc"),
        (Method::POST, "/api/v1/disks/{id}/actions/locate"),
        (Method::POST, "/api/v1/disks/actions/scan"),
        (Method::POST, "/api/v1/disks/{id}/protection/actions"),
        (Method::POST, "/api/v1/disks/remove"),
        (Method::POST, "/api/v1/disks/{id}/new-parts"),
        (Method::PUT, "/api/v1/disks/{id}/settings"),
        (Method::POST, "/api/v1/disks/{id}/fresh/{freshId}"),
        (Method::POST, "/api/v1/disks/{id}/fresh"),
        (Method::GET, "/api/v1/disks/{id}/cim"),
        (Method::PUT, "/api/v1/disks/{diskId}/cim"),
        (Method::POST, "/api/v1/login"),
        (Method::GET, "/repos/{id}/actions"),
        (Method::POST, "/repos/{id}/actions"),
        (Method::GET, "/api/v1/{id}"),
        (Method::GET, "/"),
    ];

    fn targets() -> Vec<(String, Target<'static>)> {
        let paths = Paths::of(PATHS.iter().map(|(method, path)| (method, *path)));
        let target = |(method, path): &(Method, &'static str)| {
            (format!("{method} {path}"), paths.target(method, path))
        };
        PATHS.iter().map(target).collect()
    }

    #[test]
    fn each_path_is_told_apart_by_the_others() {
        use Place::{Action, Collection, Item};
        let expected = [
            (Some("disks"), Collection),
            (Some("disks"), Collection),
            (Some("disks"), Item),
            (Some("disks"), Item),
            (Some("disks"), Action("export")),
            (Some("history"), Collection),
            (Some("disks"), Action("fc")),
            (Some("disks"), Action("locate")),
            (Some("disks"), Action("scan")),
            (Some("protection"), Action("actions")),
            (Some("disks"), Action("remove")),
            (Some("new-parts"), Collection),
            (Some("settings"), Collection),
            (Some("fresh"), Item),
            (Some("fresh"), Collection),
            (Some("cim"), Collection),
            (Some("cim"), Collection),
            (Some("login"), Collection),
            (Some("actions"), Collection),
            (Some("actions"), Collection),
            (None, Item),
            (None, Collection),
        ];
        for ((name, target), (collection, place)) in targets().into_iter().zip(expected) {
            assert_eq!(target, Target { collection, place }, "{name}");
        }
    }
}
