//! The definitions that a server serves side by side: which they are, and what they are together
//! (decision 0025).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hallpass_openapi::{Definition, Severity};
use serde::{Deserialize, Serialize};

use crate::command::CommandError;

/// The word that means the built-in definition where files are named. A file of that name is
/// `./built-in`.
const BUILT_IN: &str = "built-in";

/// One definition, as it is written where definitions are named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Api(PathBuf);

/// The definitions to serve; the built-in one when none is named. Written as one name or as a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub(crate) struct Apis(Vec<Api>);

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a file name or a list of file names")]
enum Written {
    One(Api),
    Several(Vec<Api>),
}

/// Definitions that were read.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    whole: Arc<Definition>,
    books: Vec<Loaded>,
}

/// One of them.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    /// What its addresses are made of.
    pub(crate) word: String,
    /// The definition as it is alone.
    pub(crate) definition: Arc<Definition>,
}

impl Api {
    fn file(&self) -> Option<&Path> {
        (self.0 != Path::new(BUILT_IN)).then_some(&self.0)
    }

    /// What errors call it.
    fn name(&self) -> String {
        match self.file() {
            Some(file) => file.display().to_string(),
            None => "the built-in definition".to_owned(),
        }
    }

    /// The file's name in letters that an address can have.
    fn word(&self) -> String {
        let stem = self.0.file_stem().unwrap_or_default().to_string_lossy();
        let words = stem.split(|letter: char| !letter.is_ascii_alphanumeric());
        let words = words.filter(|word| !word.is_empty());
        let word = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
        if word.is_empty() {
            return "api".to_owned();
        }
        word
    }
}

impl From<Written> for Apis {
    fn from(written: Written) -> Self {
        match written {
            Written::One(api) => Self(vec![api]),
            Written::Several(apis) => Self(apis),
        }
    }
}

impl From<Apis> for Written {
    fn from(Apis(mut apis): Apis) -> Self {
        match apis.pop() {
            Some(only) if apis.is_empty() => Self::One(only),
            last => {
                apis.extend(last);
                Self::Several(apis)
            }
        }
    }
}

impl Apis {
    /// Those in these files.
    pub(crate) fn of(files: &[PathBuf]) -> Self {
        Self(files.iter().cloned().map(Api).collect())
    }

    /// None is named.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same with files that start from this folder.
    pub(crate) fn below(self, folder: &Path) -> Self {
        let below = |api: Api| match api.file() {
            Some(file) => Api(folder.join(file)),
            None => api,
        };
        Self(self.0.into_iter().map(below).collect())
    }

    /// Reads them all.
    pub(crate) fn load(&self) -> Result<Served, CommandError> {
        let built_in = [Api(BUILT_IN.into())];
        let apis = match self.0.as_slice() {
            [] => &built_in,
            apis => apis,
        };
        let definitions = apis.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let whole = match definitions.as_slice() {
            [only] => only.clone(),
            several => Arc::new(joined(apis, several)?),
        };
        let books = apis.iter().zip(definitions);
        let books = books.map(|(api, definition)| Loaded {
            word: api.word(),
            definition,
        });
        Ok(Served {
            whole,
            books: books.collect(),
        })
    }
}

fn read(api: &Api) -> Result<Arc<Definition>, CommandError> {
    let reading = super::load(api.file())?;
    let problems = reading.problems.iter();
    let errors = problems.filter(|one| one.severity == Severity::Error);
    let errors = errors.count();
    if errors > 0 {
        tracing::warn!(
            errors,
            definition = api.name(),
            "the API definition has errors"
        );
    }
    Ok(Arc::new(reading.definition.lean()))
}

fn joined(apis: &[Api], definitions: &[Arc<Definition>]) -> Result<Definition, CommandError> {
    let names: Vec<String> = apis.iter().map(Api::name).collect();
    let named = names.iter().zip(definitions);
    let named: Vec<(&str, &Definition)> =
        named.map(|(name, one)| (name.as_str(), &**one)).collect();
    let joined = Definition::join(&named);
    let joined =
        joined.map_err(|error| CommandError::usage(error.to_string()).hint(error.hint()))?;
    Ok(joined.lean())
}

impl Served {
    /// All of them as one.
    pub(crate) fn whole(&self) -> &Arc<Definition> {
        &self.whole
    }

    /// Each of them, in the order in which they were named.
    pub(crate) fn books(&self) -> &[Loaded] {
        &self.books
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct File {
        api: Apis,
    }

    fn written(text: &str) -> Apis {
        toml::from_str::<File>(text).unwrap().api
    }

    fn paths(path: &str, id: &str) -> String {
        format!(
            "openapi: 3.1.0\npaths: {{ {path}: {{ get: {{ operationId: {id}, responses: {{}} }} }} }}"
        )
    }

    #[test]
    fn one_name_and_a_list_are_read_and_written_as_they_were() {
        for text in ["api = \"x.json\"\n", "api = [\"x.json\", \"built-in\"]\n"] {
            let api = written(text);
            assert_eq!(toml::to_string(&File { api }).unwrap(), text);
        }
        let one_of_a_list = written("api = [\"x.json\"]\n");
        assert_eq!(one_of_a_list, written("api = \"x.json\"\n"));
        assert!(toml::from_str::<File>("api = 5\n").is_err());
    }

    #[test]
    fn files_start_from_a_folder_and_the_built_in_one_is_no_file() {
        let apis = written("api = [\"x.json\", \"built-in\", \"./built-in\", \"/y.json\"]");
        let files: Vec<Option<PathBuf>> = apis
            .below(Path::new("/etc"))
            .0
            .iter()
            .map(|api| api.file().map(Path::to_owned))
            .collect();
        let file = |path: &str| Some(PathBuf::from(path));
        assert_eq!(
            files,
            [
                file("/etc/x.json"),
                None,
                file("/etc/built-in"),
                file("/y.json")
            ]
        );
    }

    #[test]
    fn the_built_in_definition_is_served_unless_others_are_named_and_beside_them() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("My Own_API.yaml");
        fs::write(&own, paths("/books", "ListBooks")).unwrap();
        let built_in = Apis::default().load().unwrap();
        let count = built_in.whole().operations().len();
        assert_eq!(built_in.books().len(), 1);
        let alone = Apis::of(std::slice::from_ref(&own)).load().unwrap();
        assert_eq!(alone.whole().operations().len(), 1);
        assert!(
            Arc::ptr_eq(alone.whole(), &alone.books()[0].definition),
            "it is not kept twice"
        );
        let both = Apis::of(&["built-in".into(), own]).load().unwrap();
        assert_eq!(both.whole().operations().len(), count + 1);
        let words: Vec<&str> = both.books().iter().map(|book| book.word.as_str()).collect();
        assert_eq!(words, ["built-in", "my-own-api"]);
    }

    #[test]
    fn a_clash_names_both_files_and_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = ["one.yaml", "two.yaml"].map(|name| folder.path().join(name));
        fs::write(&one, paths("/books", "ListBooks")).unwrap();
        fs::write(&two, paths("/books", "AllBooks")).unwrap();
        let error = Apis::of(&[one, two]).load().unwrap_err();
        for word in ["one.yaml", "two.yaml", "GET /books"] {
            assert!(error.message().contains(word), "{}", error.message());
        }
        assert!(error.hint_text().is_some());
    }
}
