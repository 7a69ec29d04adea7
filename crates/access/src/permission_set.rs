//! A set of permissions, as an administrator composes a role of them: single ones, all of a resource
//! (`volume.*`), and all with some verb (`ANY.read`). The last leave out what governs the platform:
//! `workspace.update` makes an administrator, and must be said in so many words.
//!
//! It is kept by resource, so that the question of every API call costs one look-up however many
//! words the set was made of. Does not know which resources there are, but for those of the platform.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::permission::{Permission, PermissionPattern, PermissionWordError, Verb};
use crate::platform;

/// Some of the four verbs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Verbs(u8);

/// Permissions, and patterns that stand for several. Two sets are equal when they say the same of
/// each resource. Displayed as its words in a fixed order, with a space between.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PermissionSet {
    /// What is permitted with every resource but those of the platform.
    everywhere: Verbs,
    /// What is permitted with one of them.
    by_resource: BTreeMap<String, Verbs>,
}

impl Verbs {
    const ALL: Self = Self(0b1111);

    const fn only(verb: Verb) -> Self {
        Self(1 << verb as u8)
    }

    fn contains(self, verb: Verb) -> bool {
        self.0 & Self::only(verb).0 != 0
    }

    fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The words that say so of `resource`.
    fn words(self, resource: &str) -> Vec<String> {
        if self == Self::ALL {
            return vec![format!("{resource}.*")];
        }
        let verbs = Verb::ALL.into_iter().filter(|verb| self.contains(*verb));
        verbs.map(|verb| format!("{resource}.{verb}")).collect()
    }
}

impl PermissionSet {
    /// Reads words, one by one; the first that is none is the error.
    pub fn parse<'a>(
        words: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, PermissionWordError> {
        words.into_iter().map(str::parse).collect()
    }

    /// Is this permission in the set?
    pub fn permits(&self, permission: &Permission) -> bool {
        self.has(permission.resource(), permission.verb())
    }

    /// May this be done with that resource?
    pub fn has(&self, resource: &str, verb: Verb) -> bool {
        self.here(resource).contains(verb)
    }

    /// May this be done with that resource because a word names the resource?
    pub fn names(&self, resource: &str, verb: Verb) -> bool {
        let here = self.by_resource.get(resource);
        here.is_some_and(|verbs| verbs.contains(verb))
    }

    /// May this be done with every resource, but for those of the platform?
    pub fn has_everywhere(&self, verb: Verb) -> bool {
        self.everywhere.contains(verb)
    }

    /// What this set permits and the other does not.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let named = self.by_resource.iter();
        let named = named.map(|(resource, verbs)| {
            let rest = verbs.without(other.here(resource));
            (resource.clone(), rest)
        });
        Self {
            everywhere: self.everywhere.without(other.everywhere),
            by_resource: named.filter(|(_, rest)| rest.0 != 0).collect(),
        }
    }

    /// Permits what the other one permits, too.
    pub(crate) fn join(&mut self, other: &Self) {
        self.everywhere.add(other.everywhere);
        for (resource, verbs) in &other.by_resource {
            let known = self.by_resource.entry(resource.clone()).or_default();
            known.add(*verbs);
        }
    }

    /// Is nothing in it?
    pub fn is_empty(&self) -> bool {
        self.everywhere.0 == 0 && self.by_resource.is_empty()
    }

    /// The resources that are named, sorted.
    pub fn resources(&self) -> impl Iterator<Item = &str> {
        self.by_resource.keys().map(String::as_str)
    }

    /// The words it is made of: those for every resource first, then resource by resource.
    pub fn words(&self) -> Vec<String> {
        let mut words = self.everywhere.words("ANY");
        for (resource, verbs) in &self.by_resource {
            words.extend(verbs.words(resource));
        }
        words
    }

    /// What may be done with that resource.
    fn here(&self, resource: &str) -> Verbs {
        let mut verbs = self.by_resource.get(resource).copied().unwrap_or_default();
        if !platform::RESOURCES.contains(&resource) {
            verbs.add(self.everywhere);
        }
        verbs
    }

    fn add(&mut self, pattern: &PermissionPattern) {
        let verbs = pattern.verb().map_or(Verbs::ALL, Verbs::only);
        let known = match pattern.resource() {
            None => &mut self.everywhere,
            Some(resource) => self.by_resource.entry(resource.to_owned()).or_default(),
        };
        known.add(verbs);
    }
}

impl FromIterator<PermissionPattern> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = PermissionPattern>>(patterns: I) -> Self {
        let mut set = Self::default();
        for pattern in patterns {
            set.add(&pattern);
        }
        set
    }
}

impl FromStr for PermissionSet {
    type Err = PermissionWordError;

    /// Reads words with spaces, commas or line ends between them.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words = text.split(|c: char| c.is_whitespace() || c == ',');
        Self::parse(words.filter(|word| !word.is_empty()))
    }
}

impl fmt::Display for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(text: &str) -> PermissionSet {
        text.parse().unwrap()
    }

    fn permits(set: &PermissionSet, word: &str) -> bool {
        set.permits(&word.parse().unwrap())
    }

    #[test]
    fn it_permits_what_its_words_say_and_nothing_else() {
        let set = set("volume.create, snapshot.*\nANY.read");
        for word in [
            "volume.create",
            "volume.read",
            "snapshot.delete",
            "disk.read",
        ] {
            assert!(permits(&set, word), "{word}");
        }
        for word in ["volume.update", "volumes.create", "disk.create"] {
            assert!(!permits(&set, word), "{word}");
        }
        assert!(set.has_everywhere(Verb::Read) && !set.has_everywhere(Verb::Create));
        assert!(set.names("volume", Verb::Create) && !set.names("volume", Verb::Read));
        assert!(!permits(&PermissionSet::default(), "volume.read"));
    }

    #[test]
    fn a_word_for_every_resource_leaves_out_the_platform() {
        for words in ["ANY.*", "ANY.read ANY.update ANY.delete", "*.*"] {
            let set = set(words);
            assert!(permits(&set, "volume.update"), "{words}");
            for word in [
                "workspace.read",
                "workspace.update",
                "workspace.delete",
                "audit.read",
                "sandbox.update",
            ] {
                assert!(!permits(&set, word), "{words}: {word}");
            }
        }
        assert!(permits(&set("ANY.read workspace.*"), "workspace.update"));
    }

    #[test]
    fn what_is_beyond_another_set_is_named() {
        let beyond = |one: &str, other: &str| set(one).without(&set(other)).to_string();
        assert_eq!(
            beyond("volume.* disk.read", "ANY.read volume.create"),
            "volume.update volume.delete"
        );
        assert_eq!(
            beyond("ANY.* workspace.update", "ANY.*"),
            "workspace.update"
        );
        assert_eq!(
            beyond("ANY.update", "volume.update disk.update"),
            "ANY.update"
        );
        assert_eq!(beyond("a.read", "a.*"), "");
        let mut joined = set("a.read");
        joined.join(&set("ANY.create a.update b.delete"));
        assert_eq!(joined, set("ANY.create a.read a.update b.delete"));
    }

    #[test]
    fn its_words_have_one_order_and_no_doubles() {
        let text = "volume.delete volume.create data-services.volume.create disk.* ALL.view";
        assert_eq!(
            set(text).to_string(),
            "ANY.read disk.* volume.create volume.delete"
        );
        assert_eq!(set("*.*").to_string(), "ANY.*");
        assert_eq!(
            set("a.create a.read a.update a.delete").to_string(),
            "a.*",
            "all four verbs are every verb"
        );
        assert!(set(" , ").is_empty() && !set("ANY.read").is_empty());
        assert_eq!(
            set("b.read a.read").resources().collect::<Vec<_>>(),
            ["a", "b"]
        );
    }

    #[test]
    fn a_word_that_is_none_is_named() {
        let error = "volume.read volume.fly".parse::<PermissionSet>();
        let error = error.unwrap_err().to_string();
        assert!(
            error.starts_with("`fly` in `volume.fly` is no verb"),
            "{error}"
        );
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(
            words in proptest::collection::vec(
                "(ANY|\\*|[a-z0-9][a-z0-9-]{0,8})\\.(create|read|view|update|write|edit|delete|\\*)",
                0..20,
            ),
        ) {
            let set = PermissionSet::parse(words.iter().map(String::as_str)).unwrap();
            prop_assert_eq!(set.to_string().parse(), Ok(set.clone()));
            // A set permits just what one of its words covers.
            for word in &words {
                let resource = word.split('.').next().unwrap();
                for resource in [resource, "other"] {
                    for verb in Verb::ALL {
                        let Ok(asked) = format!("{resource}.{verb}").parse::<Permission>() else {
                            continue;
                        };
                        let covered = words.iter().any(|word| {
                            word.parse::<PermissionPattern>().unwrap().covers(&asked)
                        });
                        prop_assert_eq!(set.permits(&asked), covered, "{}", asked);
                    }
                }
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
            if let Ok(set) = text.parse::<PermissionSet>() {
                prop_assert_eq!(set.to_string().parse(), Ok(set));
            }
        }
    }
}
