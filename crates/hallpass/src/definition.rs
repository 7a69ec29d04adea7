//! API definitions: the built-in one, or a file.

use std::path::Path;

use hallpass_openapi::{Definition, Reading};

use crate::command::{CommandError, Exit};

/// The definition that is used unless another is named: the core of the storage API, written for
/// this project.
const BUILT_IN: &str = include_str!("../../../api/storage-api.yaml");

/// Reads the definition in `file`, or the built-in one.
pub(crate) fn load(file: Option<&Path>) -> Result<Reading, CommandError> {
    let Some(file) = file else {
        return read("the built-in definition", BUILT_IN);
    };
    let text = std::fs::read_to_string(file).map_err(|error| {
        CommandError::usage(format!(
            "the API definition {} cannot be read: {error}",
            file.display()
        ))
    })?;
    read(&file.display().to_string(), &text)
}

fn read(name: &str, text: &str) -> Result<Reading, CommandError> {
    Definition::read(text).map_err(|error| CommandError::caused(Exit::Usage, name, &error))
}
