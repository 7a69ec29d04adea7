//! Permissions as words: `volume.create`, what may be asked about them, and how they are read.
//!
//! Three spellings of one idea are in use, apart in the segments before the last two (domain.md
//! 4.2): `volume.read`, `data-services.volume.read`, `block-storage.volume.read`. Only the last two
//! segments count. Does not know which resources there are.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// Longer words than this are refused unread; the longest known one has 53 characters.
const MAX_LENGTH: usize = 256;

/// The right to do one thing with resources of one kind. Displayed as `<resource>.<verb>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Permission {
    resource: Cow<'static, str>,
    verb: Verb,
}

/// What can be done with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// Make a new one.
    Create,
    /// See it; `view` in some spellings.
    Read,
    /// Change it; `write` or `edit` in some spellings.
    Update,
    /// Remove it.
    Delete,
}

/// A question about permissions: one of them, or all with some verb (`ANY.read`, `ALL.read`), of
/// some resource (`volume.*`), or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionPattern {
    /// `None` is every resource.
    resource: Option<String>,
    /// `None` is every verb.
    verb: Option<Verb>,
}

/// A word that is no permission.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PermissionWordError {
    /// There are fewer than two segments.
    #[error("`{word}` is no permission: it must end in a resource and a verb, as in `volume.read`")]
    Segments {
        /// The whole word.
        word: String,
    },
    /// The last segment is no verb.
    #[error("`{verb}` in `{word}` is no verb; the verbs are create, read, update and delete")]
    Verb {
        /// The whole word.
        word: String,
        /// Its last segment.
        verb: String,
    },
    /// The segment before is no resource.
    #[error("`{resource}` in `{word}` is no resource: letters, digits and hyphens are")]
    Resource {
        /// The whole word.
        word: String,
        /// Its last segment but one.
        resource: String,
    },
    /// A wildcard where one permission is wanted.
    #[error("`{word}` stands for several permissions; name one, as in `volume.read`")]
    Wildcard {
        /// The whole word.
        word: String,
    },
    /// The word is too long to be one.
    #[error("a permission has at most {MAX_LENGTH} characters, this one begins with `{beginning}`")]
    TooLong {
        /// The first few characters.
        beginning: String,
    },
}

impl Verb {
    /// All four, in their order.
    pub const ALL: [Self; 4] = [Self::Create, Self::Read, Self::Update, Self::Delete];

    fn parse(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "create" => Some(Self::Create),
            "read" | "view" => Some(Self::Read),
            "update" | "write" | "edit" => Some(Self::Update),
            "delete" => Some(Self::Delete),
            _ => None,
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
        })
    }
}

impl Permission {
    /// For the rooms of this crate, which make well-formed words.
    pub(crate) const fn of(resource: Cow<'static, str>, verb: Verb) -> Self {
        Self { resource, verb }
    }

    /// The kind of resource, singular: `host-initiator-group`.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// What may be done with it.
    pub fn verb(&self) -> Verb {
        self.verb
    }
}

impl FromStr for Permission {
    type Err = PermissionWordError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word.parse()? {
            PermissionPattern {
                resource: Some(resource),
                verb: Some(verb),
            } => Ok(Self::of(Cow::Owned(resource), verb)),
            _ => Err(PermissionWordError::Wildcard {
                word: word.to_owned(),
            }),
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.resource, self.verb)
    }
}

impl PermissionPattern {
    /// For the rooms of this crate, which make well-formed words.
    pub(crate) fn of(resource: Option<&str>, verb: Option<Verb>) -> Self {
        Self {
            resource: resource.map(str::to_owned),
            verb,
        }
    }

    /// Is this one of the permissions asked about?
    pub fn covers(&self, permission: &Permission) -> bool {
        self.resource
            .as_ref()
            .is_none_or(|resource| *resource == permission.resource)
            && self.verb.is_none_or(|verb| verb == permission.verb)
    }

    /// The resource it is about; `None` is every one.
    pub fn resource(&self) -> Option<&str> {
        self.resource.as_deref()
    }

    /// The verb it is about; `None` is every one.
    pub fn verb(&self) -> Option<Verb> {
        self.verb
    }

    /// The one permission asked about, unless it is a question about several.
    pub(crate) fn single(&self) -> Option<Permission> {
        Some(Permission::of(
            Cow::Owned(self.resource.clone()?),
            self.verb?,
        ))
    }
}

impl FromStr for PermissionPattern {
    type Err = PermissionWordError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > MAX_LENGTH {
            return Err(PermissionWordError::TooLong {
                beginning: text.chars().take(32).collect(),
            });
        }
        let word = || text.to_owned();
        let Some((before, verb)) = text.rsplit_once('.') else {
            return Err(PermissionWordError::Segments { word: word() });
        };
        let resource = before
            .rsplit_once('.')
            .map_or(before, |(_, resource)| resource);
        // The two texts of the definition that explain the parameter disagree between ANY and ALL
        // (domain.md 4.3); `.*` is how the newer services' documentation means every verb.
        let every = ["ANY", "ALL", "*"]
            .iter()
            .any(|every| every.eq_ignore_ascii_case(resource));
        if !every && !is_resource(resource) {
            return Err(PermissionWordError::Resource {
                word: word(),
                resource: resource.to_owned(),
            });
        }
        let parsed = Verb::parse(verb);
        if parsed.is_none() && verb != "*" {
            return Err(PermissionWordError::Verb {
                word: word(),
                verb: verb.to_owned(),
            });
        }
        Ok(Self {
            resource: (!every).then(|| resource.to_ascii_lowercase()),
            verb: parsed,
        })
    }
}

fn is_resource(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphanumeric())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(word: &str) -> Permission {
        word.parse().unwrap()
    }

    #[test]
    fn all_spellings_are_one_permission() {
        for word in [
            "host-initiator-group.create",
            "data-services.host-initiator-group.create",
            "block-storage.host-initiator-group.create",
            "a.b.c.host-initiator-group.create",
            "Host-Initiator-Group.CREATE",
        ] {
            assert_eq!(
                read(word).to_string(),
                "host-initiator-group.create",
                "{word}"
            );
        }
        assert_eq!(read("ccs.audit-trail.view").to_string(), "audit-trail.read");
        assert_eq!(read("volume.write"), read("volume.update"));
        assert_eq!(read("volume.edit"), read("volume.update"));
        assert_eq!(read("volume.delete").verb(), Verb::Delete);
        assert_eq!(read("volume.delete").resource(), "volume");
    }

    #[test]
    fn a_bad_word_is_named() {
        let refusal = |word: &str| word.parse::<PermissionPattern>().unwrap_err().to_string();
        assert!(refusal("volume").starts_with("`volume` is no permission"));
        assert!(refusal("").starts_with("`` is no permission"));
        assert!(
            refusal("x.volume.destroy").starts_with("`destroy` in `x.volume.destroy` is no verb")
        );
        assert!(refusal("volume.").starts_with("`` in `volume.` is no verb"));
        assert!(refusal(".read").starts_with("`` in `.read` is no resource"));
        assert!(refusal("a b.read").starts_with("`a b` in `a b.read` is no resource"));
        assert!(refusal("-a.read").starts_with("`-a` in `-a.read` is no resource"));
        let long = format!("{}.read", "x".repeat(MAX_LENGTH));
        assert!(refusal(&long).contains("at most 256"));
        assert!(refusal(&long).len() < 128);
    }

    #[test]
    fn wildcards_are_questions_and_not_permissions() {
        let pattern = |word: &str| word.parse::<PermissionPattern>().unwrap();
        for every in [
            "ANY.read",
            "ALL.read",
            "any.view",
            "data-services.ALL.read",
            "*.read",
        ] {
            assert!(pattern(every).covers(&read("volume.read")), "{every}");
            assert!(!pattern(every).covers(&read("volume.update")), "{every}");
            assert!(matches!(
                every.parse::<Permission>(),
                Err(PermissionWordError::Wildcard { .. })
            ));
        }
        assert!(pattern("x.volume.*").covers(&read("volume.delete")));
        assert!(!pattern("volume.*").covers(&read("port.delete")));
        assert!(!pattern("volume.read").covers(&read("volume.create")));
    }
}
