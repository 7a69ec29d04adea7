//! Paths of a definition as trees of names and ids: what a parameter is called does not matter,
//! and differs between sibling paths (domain.md 7.5).

/// A path template, step by step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Template(Vec<Step>);

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// A word.
    Word(String),
    /// An id.
    Id,
}

impl Template {
    /// The template of a path; nothing when a step is text and parameter at once.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let step = |text: &str| match text
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        {
            Some(name) if !name.contains(['{', '}']) => Some(Step::Id),
            None if !text.contains(['{', '}']) => Some(Step::Word(text.to_owned())),
            _ => None,
        };
        let steps = path.split('/').filter(|step| !step.is_empty());
        steps.map(step).collect::<Option<Vec<Step>>>().map(Self)
    }

    /// The last word, if the path ends in one.
    pub(super) fn word(&self) -> Option<&str> {
        match self.0.last() {
            Some(Step::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// Whether it ends in an id.
    pub(super) fn is_item(&self) -> bool {
        self.0.last() == Some(&Step::Id)
    }

    /// What it stands below.
    pub(super) fn parent(&self) -> Self {
        let steps = self.0.len().saturating_sub(1);
        Self(self.0[..steps].to_vec())
    }

    /// One of the objects in it.
    pub(super) fn item(&self) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Id);
        Self(steps)
    }

    /// How many ids are in it.
    pub(super) fn ids(&self) -> usize {
        self.0.iter().filter(|step| **step == Step::Id).count()
    }

    /// The objects on the way to it, outermost first; itself is not among them.
    pub(super) fn above(&self) -> impl Iterator<Item = Self> + '_ {
        let ends = (1..self.0.len()).filter(|end| self.0[end - 1] == Step::Id);
        ends.map(|end| Self(self.0[..end].to_vec()))
    }

    /// The path with these ids, each escaped so that two different paths never look alike.
    pub(super) fn fill(&self, ids: &[&str]) -> String {
        let mut ids = ids.iter();
        let mut path = String::new();
        for step in &self.0 {
            path.push('/');
            match step {
                Step::Word(word) => path.push_str(word),
                Step::Id => path.push_str(&escaped(ids.next().copied().unwrap_or_default())),
            }
        }
        path
    }
}

/// An id as a step of a path (RFC 3986 section 3.3).
pub(super) fn escaped(id: &str) -> String {
    let mut step = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' | b'@' => {
                step.push(char::from(byte));
            }
            other => step.extend(["%".to_owned(), format!("{other:02X}")]),
        }
    }
    step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_ids_whatever_they_are_called() {
        let one = Template::of("/libraries/{id}/books/{bookId}").unwrap();
        assert_eq!(
            Some(&one),
            Template::of("/libraries/{a}/books/{b}").as_ref()
        );
        assert_eq!(Template::of("/books/{id}.json"), None);
        assert_eq!(Template::of("/books/{a}{b}"), None);
        assert!(one.is_item() && one.parent().word() == Some("books"));
        assert_eq!((one.ids(), one.parent().item()), (2, one.clone()));
        let above: Vec<Template> = one.above().collect();
        assert_eq!(above, [Template::of("/libraries/{}").unwrap()]);
    }

    #[test]
    fn different_ids_make_different_paths() {
        let template = Template::of("/a/{x}/b/{y}").unwrap();
        assert_eq!(template.fill(&["1", "2/3%"]), "/a/1/b/2%2F3%25");
        assert_ne!(template.fill(&["1/b/2", ""]), template.fill(&["1", "2"]));
    }
}
