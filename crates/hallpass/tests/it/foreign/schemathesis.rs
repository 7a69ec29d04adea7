//! Schemathesis, which makes requests from a definition, good and bad ones, and holds the answers
//! against it. Each run has the same seed and the same number of examples per operation.
//!
//! What it objects to and we stand by is an exception with its reason; an exception that it no longer
//! objects to has to go, so that the lists only shrink.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use super::Stage;
use super::scripts::Installed;
use crate::world::{run, text};

/// What must be true of every answer, whatever was asked.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,unsupported_method,ignored_auth,\
    use_after_free,ensure_resource_availability";

/// An objection: the code of the check, and the operation.
type Objection = (String, String);

/// What it objects to in the stand-in for this definition, with this many examples per operation,
/// and its words.
fn objections(
    stage: &Stage,
    installed: &Installed,
    definition: &Path,
    examples: u32,
) -> (BTreeSet<Objection>, String) {
    let token = run(&mut stage.client(&["token", "--header"])).ok().stdout;
    let report = stage.world.path("report.json");
    let mut schemathesis = installed.program("schemathesis");
    schemathesis
        .args(["run", text(definition), "--url"])
        .arg(&stage.credential.base_url)
        .args(["--header", token.trim_end(), "--checks", CHECKS])
        .args(["--phases", "examples,coverage,fuzzing", "--no-color"])
        .args(["--max-examples", &examples.to_string(), "--seed", "1"])
        .arg("--generation-deterministic")
        .args(["--report", "json", "--report-json-path", text(&report)])
        .env("HOME", stage.world.home())
        .current_dir(stage.world.home())
        .stdin(Stdio::null());
    let done = run(&mut schemathesis);
    let written = std::fs::read_to_string(&report).unwrap_or_else(|_| panic!("{done:#?}"));
    let report: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(report["complete"], true, "{done:#?}");
    assert_eq!(report["errors"], serde_json::json!([]), "{done:#?}");
    assert!(
        report["operations"]["tested"].as_u64() > Some(20),
        "{report:#}"
    );
    assert_eq!(
        report["operations"]["tested"],
        report["operations"]["total"]
    );
    let failures = report["failures"].as_array().unwrap();
    let objections = failures
        .iter()
        .flat_map(|failure| {
            let code = failure["code"].as_str().unwrap().to_owned();
            let operations = failure["operations"].as_array().unwrap();
            operations
                .iter()
                .map(move |one| (code.clone(), one.as_str().unwrap().to_owned()))
        })
        .collect();
    (objections, done.stdout)
}

/// A credential of an administrator, at the stand-in for this definition.
fn stage(definition: &Path) -> Stage {
    Stage::set_with(&format!("api = {:?}\n", text(definition)))
}

#[test]
fn schemathesis_objects_to_nothing_in_the_shipped_definition() {
    let Some(installed) = Installed::find() else {
        return;
    };
    let definition = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../api/storage-api.yaml");
    let (found, told) = objections(&stage(&definition), &installed, &definition, 10);
    assert_eq!(found, BTreeSet::new(), "{told}");
}
