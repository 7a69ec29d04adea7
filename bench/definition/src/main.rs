//! Reads one API definition and says what it found: what `bench/definitions` measures, as a process
//! of its own for each reading.
//!
//! `hallpass-bench-definition hallpass FILE` does what `hallpass api check FILE` does: read, resolve,
//! validate and lint. `openapiv3 FILE` reads JSON into the types of that crate, and `serde_json FILE`
//! into values: less work, so what the floor is. Each prints one JSON object.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use hallpass_openapi::Definition;
use openapiv3::OpenAPI;
use serde_json::{Value, json};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["hallpass", file] => hallpass(Path::new(file)),
        ["openapiv3", file] => openapiv3(Path::new(file)),
        ["serde_json", file] => values(Path::new(file)),
        _ => Err("usage: hallpass-bench-definition hallpass|openapiv3|serde_json FILE".to_owned()),
    };
    let printed = match &outcome {
        Ok(found) => writeln!(io::stdout(), "{found}"),
        Err(error) => writeln!(io::stderr(), "error: {error}"),
    };
    if outcome.is_ok() && printed.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn hallpass(file: &Path) -> Result<Value, String> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let mut load =
        |location: &str| fs::read(folder.join(location)).map_err(|error| error.to_string());
    let reading = Definition::read_from(&name, &bytes(file)?, &mut load)
        .map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(json!({
        "operations": reading.definition.operations().len(),
        "findings": reading.problems.len(),
    }))
}

fn openapiv3(file: &Path) -> Result<Value, String> {
    let read: OpenAPI = serde_json::from_slice(&bytes(file)?)
        .map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(json!({ "operations": read.operations().count() }))
}

fn values(file: &Path) -> Result<Value, String> {
    let read: Value = serde_json::from_slice(&bytes(file)?)
        .map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(json!({ "members": read.as_object().map_or(0, serde_json::Map::len) }))
}

fn bytes(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))
}
