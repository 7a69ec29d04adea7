//! Several files that were given together: which of them are definitions, and what each needs of the
//! others.

use std::collections::HashSet;

use bytes::Bytes;

use super::text::{File, MOST_BYTES, MOST_FILES, Texts};
use crate::Explorer;
use crate::answer::Failure;
use crate::visitor::Visitor;

/// The files under names that references can lead to.
pub(super) fn checked(mut files: Vec<File>) -> Result<Vec<File>, Failure> {
    if files.is_empty() {
        return Err(Failure::wrong("there is no file", "choose one or more"));
    }
    let size: usize = files.iter().map(|file| file.text.len()).sum();
    if files.len() > MOST_FILES || size > MOST_BYTES {
        let what = format!(
            "at most {MOST_FILES} files and {} MiB are imported together",
            MOST_BYTES >> 20
        );
        return Err(Failure::wrong(
            what,
            "choose the folder of the definition alone",
        ));
    }
    let mut names = HashSet::new();
    for file in &mut files {
        let name = file.name.replace('\\', "/");
        let name = name.trim_start_matches("./").trim_start_matches('/');
        file.name = name
            .chars()
            .filter(|one| !one.is_control())
            .take(500)
            .collect();
        if file.name.is_empty() || !names.insert(file.name.clone()) {
            let what = format!("the name {:?} stands for two files, or for none", file.name);
            return Err(Failure::wrong(what, "choose each file once"));
        }
    }
    Ok(files)
}

/// The names of those that are definitions and not parts of one.
pub(super) fn definitions(files: &[File]) -> Result<Vec<String>, Failure> {
    let named = |file: &File| file.name.clone();
    if let [only] = files {
        return Ok(vec![named(only)]);
    }
    let found: Vec<String> = files
        .iter()
        .filter(|file| begins_one(&file.text))
        .map(named)
        .collect();
    match found.len() {
        0 => Err(Failure::wrong(
            format!("none of the {} files is an OpenAPI definition", files.len()),
            "one of them must say `openapi: 3…` at its beginning",
        )),
        1..=MOST_DEFINITIONS => Ok(found),
        many => Err(Failure::wrong(
            format!("{many} of the files are definitions"),
            format!("import at most {MOST_DEFINITIONS} together"),
        )),
    }
}

fn begins_one(text: &str) -> bool {
    let words = ["openapi", "swagger"];
    if text.trim_start().starts_with('{') {
        return words
            .iter()
            .any(|word| text.contains(&format!("\"{word}\"")));
    }
    let is_it = |line: &str| {
        let line = line.trim_start_matches(['"', '\'']);
        let rest = words.iter().find_map(|word| line.strip_prefix(word));
        rest.is_some_and(|rest| {
            rest.trim_start_matches(['"', '\''])
                .trim_start()
                .starts_with(':')
        })
    };
    text.lines().any(is_it)
}

/// As much of a text as is to be kept: of several files those that the definition refers to, and a file
/// that refers to none alone, as it came.
pub(super) async fn needed(
    explorer: &Explorer,
    visitor: &Visitor,
    source: &str,
    bytes: Bytes,
) -> Result<Bytes, Failure> {
    if !Texts::is_joined(&bytes) {
        return Ok(bytes);
    }
    // What cannot be read is told by whoever reads it next.
    let Ok(loaded) = explorer.read(visitor, source, bytes.clone()).await? else {
        return Ok(bytes);
    };
    let parts: HashSet<&str> = loaded.definition.parts().collect();
    let main = loaded.texts.main();
    if parts.is_empty() {
        return Ok(main.bytes().clone());
    }
    let used = loaded.texts.all().iter();
    let used =
        used.filter(|text| text.location == main.location || parts.contains(&*text.location));
    let used: Vec<File> = used
        .map(|text| File {
            name: text.location.clone(),
            text: String::from_utf8_lossy(text.bytes()).into_owned(),
        })
        .collect();
    Ok(Texts::join(&main.location, &used).into())
}

/// How many definitions are imported together.
const MOST_DEFINITIONS: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> File {
        File {
            name: name.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn names_are_relative_and_different() {
        let files = checked(vec![file("./a\\b.yaml", ""), file("/c.yaml", "")]).unwrap();
        assert_eq!((&*files[0].name, &*files[1].name), ("a/b.yaml", "c.yaml"));
        assert!(checked(vec![file("./a", ""), file("a", "")]).is_err());
        assert!(checked(vec![file("/", "")]).is_err());
        assert!(checked(Vec::new()).is_err());
        assert!(checked((0..=MOST_FILES).map(|n| file(&n.to_string(), "")).collect()).is_err());
    }

    #[test]
    fn a_definition_is_told_from_its_parts() {
        let files = [
            file("a.yaml", "# first\nopenapi: 3.0.3\n"),
            file("b.yaml", "type: object\ndescription: |\n  openapi: no\n"),
            file("c.json", "{\n \"openapi\": \"3.0.3\"}"),
            file("d.yaml", "\"openapi\" : 3.0.3\n"),
        ];
        assert_eq!(definitions(&files).unwrap(), ["a.yaml", "c.json", "d.yaml"]);
        assert!(definitions(&[file("a", ""), file("b", "")]).is_err());
        assert_eq!(definitions(&[file("a", "")]).unwrap(), ["a"]);
    }
}
