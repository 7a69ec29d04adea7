//! API definitions: the built-in one, or a file.
//!
//! [`load`] reads all of one. [`Known`] is for commands that need an index or one operation: it opens
//! the compiled form that an earlier run left in the cache (`kept`), and reads the definition only
//! when there is none that can be believed. Both give the same answers. A server may have several, which
//! [`Apis`] reads.

mod kept;
mod meant;
mod seen;
mod served;
mod text;

use std::path::Path;

use hallpass_openapi::{
    Brief, Chosen, Compiled, Definition, Entry, Index, LookupError, Operation, Reading,
};
use http::Method;

use crate::command::{CommandError, chain};
use crate::output;
use kept::Kept;
use text::Text;

pub(crate) use meant::{ApiArg, Way, of_profile};
pub(crate) use served::{Apis, Served};
pub(crate) use text::beside;

/// Reads the definition in `file`, or the built-in one.
pub(crate) fn load(file: Option<&Path>) -> Result<Reading, CommandError> {
    Ok(Text::of(file, &Kept::nowhere())?.read()?.0)
}

/// The text of the built-in definition.
pub(crate) fn built_in() -> &'static str {
    text::BUILT_IN
}

/// The operation of this name in a definition that was read whole.
pub(crate) fn operation<'a>(
    definition: &'a Definition,
    name: &str,
) -> Result<&'a Operation, CommandError> {
    definition
        .operation(name)
        .map_err(|error| not_found(&Index::of(definition), &error))
}

/// A definition as far as it must be known: its index at once, operations one at a time.
pub(crate) struct Known {
    text: Text,
    kept: Kept,
    form: Form,
    remark: Option<String>,
}

enum Form {
    Compiled(Compiled),
    Whole(Box<Definition>, Index),
}

impl Known {
    /// Opens the definition in `api`, or the built-in one.
    pub(crate) fn open(api: Option<&Path>) -> Result<Self, CommandError> {
        Self::open_with(api, Kept::by_this_user())
    }

    fn open_with(api: Option<&Path>, kept: Kept) -> Result<Self, CommandError> {
        let text = Text::of(api, &kept)?;
        let why = match kept.get(&text.key()) {
            Ok(bytes) => {
                match Compiled::read(bytes, text.digest(), |source| text.is_unchanged(source)) {
                    Ok(compiled) => {
                        let form = Form::Compiled(compiled);
                        return Ok(Self {
                            text,
                            kept,
                            form,
                            remark: None,
                        });
                    }
                    Err(distrust) => distrust.to_string(),
                }
            }
            Err(why) => why,
        };
        let mut remark = format!("{} is read whole: {why}", text.name());
        let (reading, sources) = text.read()?;
        let definition = reading.definition;
        let written = Compiled::compile(&definition, text.digest(), &sources)
            .ok_or_else(|| "it has no compiled form".to_owned())
            .and_then(|bytes| kept.put(&text.key(), &bytes));
        if let Err(why) = written {
            remark = format!("{remark}; and the next time too: {why}");
        }
        let index = Index::of(&definition);
        Ok(Self {
            text,
            kept,
            form: Form::Whole(Box::new(definition), index),
            remark: Some(remark),
        })
    }

    /// Says why this took longer than it can, if it did, to those who ask.
    pub(crate) fn tell_remark(&self) {
        if let Some(remark) = &self.remark {
            output::words(&format!("* {remark}"));
        }
    }

    /// The index of all operations.
    pub(crate) fn index(&self) -> &Index {
        match &self.form {
            Form::Compiled(compiled) => compiled.index(),
            Form::Whole(_, index) => index,
        }
    }

    /// The position of the operation of this name.
    pub(crate) fn find(&self, name: &str) -> Result<usize, CommandError> {
        self.index()
            .find(name)
            .map_err(|error| not_found(self.index(), &error))
    }

    /// What the operation at this position takes.
    pub(crate) fn brief(&self, position: usize) -> Result<Brief, CommandError> {
        let of = |definition: &Definition| {
            let operation = definition.operations().get(position);
            operation
                .map(|one| Brief::of(definition, one))
                .ok_or_else(changed)
        };
        match &self.form {
            Form::Whole(definition, _) => of(definition),
            Form::Compiled(compiled) => compiled
                .brief(position)
                .or_else(|_| of(&self.read_again()?)),
        }
    }

    /// The operation at this position, and a definition that knows at least this operation.
    pub(crate) fn operation(self, position: usize) -> Result<Chosen, CommandError> {
        let chosen = match self.form {
            Form::Whole(definition, _) => Chosen::of(*definition, position),
            Form::Compiled(ref compiled) => match compiled.operation(position) {
                Ok(chosen) => Some(chosen),
                Err(_) => Chosen::of(self.read_again()?, position),
            },
        };
        chosen.ok_or_else(changed)
    }

    /// The whole definition, when its compiled form turns out to be damaged inside. The form goes, so
    /// that the next run makes it anew.
    fn read_again(&self) -> Result<Definition, CommandError> {
        self.kept.remove(&self.text.key());
        Ok(self.text.read()?.0.definition)
    }
}

/// What to do about a name that no operation has, or several: the operations that need nothing are a
/// place to start from.
fn not_found(index: &Index, error: &LookupError) -> CommandError {
    let entries = index.entries();
    let simple = entries
        .iter()
        .filter(|entry| *entry.method() == Method::GET && !entry.path().contains('{'))
        .map(Entry::id);
    let some: Vec<&str> = simple.take(12).collect();
    CommandError::usage(chain(error)).hint(format!(
        "`hallpass api list` shows all {} operations; some of them: {}",
        entries.len(),
        some.join(", ")
    ))
}

fn changed() -> CommandError {
    CommandError::usage("the API definition has changed while it was read").hint("try again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const ONE: &str = "openapi: 3.0.3\npaths: { /a: { get: { operationId: one, responses: {} } } }";
    const TWO: &str = "openapi: 3.0.3\npaths: { /a: { get: { operationId: two, responses: {} } } }";

    fn first_operation(known: &Known) -> &str {
        known.index().entries()[0].id()
    }

    #[test]
    fn the_second_time_the_compiled_form_is_used_until_the_definition_changes() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::at(folder.path().join("cache"));
        let api = folder.path().join("api.yaml");
        let open = || Known::open_with(Some(&api), kept.clone()).unwrap();
        fs::write(&api, ONE).unwrap();
        assert!(matches!(open().form, Form::Whole(..)));
        assert!(matches!(open().form, Form::Compiled(_)));
        assert_eq!(open().operation(0).unwrap().operation().id(), "one");
        fs::write(&api, TWO).unwrap();
        assert!(matches!(open().form, Form::Whole(..)));
        assert_eq!(first_operation(&open()), "two");
        assert!(matches!(open().form, Form::Compiled(_)));
    }

    #[test]
    fn another_file_that_changes_counts_too() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::at(folder.path().join("cache"));
        let api = folder.path().join("api.yaml");
        fs::create_dir(folder.path().join("paths")).unwrap();
        let part = folder.path().join("paths/a b.yaml");
        fs::write(
            &api,
            "openapi: 3.0.3\npaths: { /a: { $ref: 'paths/a%20b.yaml' } }",
        )
        .unwrap();
        fs::write(&part, "get: { operationId: one, responses: {} }").unwrap();
        let open = || Known::open_with(Some(&api), kept.clone()).unwrap();
        assert_eq!(first_operation(&open()), "one");
        assert!(matches!(open().form, Form::Compiled(_)));
        fs::write(&part, "get: { operationId: two, responses: {} }").unwrap();
        assert_eq!(first_operation(&open()), "two");
        assert!(matches!(open().form, Form::Compiled(_)));
        fs::remove_file(&part).unwrap();
        assert_eq!(open().index().entries().len(), 0);
        assert!(matches!(open().form, Form::Compiled(_)));
        fs::write(&part, "get: { operationId: two, responses: {} }").unwrap();
        assert_eq!(first_operation(&open()), "two", "it is there again");
    }

    #[test]
    fn what_is_in_the_cache_is_never_believed_without_proof() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::at(folder.path().join("cache"));
        let api = folder.path().join("api.yaml");
        fs::write(&api, ONE).unwrap();
        let key = Text::of(Some(&api), &Kept::nowhere()).unwrap().key();
        drop(Known::open_with(Some(&api), kept.clone()).unwrap());
        let all = || {
            let path = folder.path().join(format!("cache/{key}.compiled"));
            fs::read(path).unwrap()
        };
        let good = all();
        let mut changed = good.clone();
        changed[60] ^= 1;
        for bad in [b"" as &[u8], b"openapi: 3.0.3", &good[..100], &changed] {
            kept.put(&key, bad).unwrap();
            let known = Known::open_with(Some(&api), kept.clone()).unwrap();
            assert!(matches!(known.form, Form::Whole(..)));
            assert_eq!(first_operation(&known), "one");
            assert_eq!(all(), good, "it is written anew");
        }
    }

    #[test]
    fn without_a_place_to_keep_it_everything_works() {
        for kept in [Kept::nowhere(), Kept::at("/dev/null/x".into())] {
            for _ in 0..2 {
                let known = Known::open_with(None, kept.clone()).unwrap();
                assert!(matches!(known.form, Form::Whole(..)));
                let position = known.find("DeviceType1SystemsList").unwrap();
                assert!(!known.brief(position).unwrap().inputs.is_empty());
                assert!(known.operation(position).is_ok());
            }
        }
    }
}
