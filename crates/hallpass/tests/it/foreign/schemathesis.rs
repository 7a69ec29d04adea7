//! Schemathesis, which makes requests from a definition, good and bad ones, and holds the answers
//! against it. Each run has the same seed and the same number of examples per operation.
//!
//! What it objects to and we stand by is an exception with its reason; an exception that it no longer
//! objects to has to go, so that the lists only shrink. For this, only what every request to the
//! operation shows may be an exception: what hangs on the examples is found in one run and not in
//! the next.

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

/// How much is asked: the phases, the examples per operation, and the paths.
type Budget = (&'static str, u32, &'static str);

/// What it objects to in the stand-in for this definition within the budget, and its words.
fn objections(
    stage: &Stage,
    installed: &Installed,
    definition: &Path,
    (phases, examples, paths): Budget,
) -> (BTreeSet<Objection>, String) {
    let token = run(&mut stage.client(&["token", "--header"])).ok().stdout;
    let report = stage.world.path("report.json");
    let mut schemathesis = installed.program("schemathesis");
    schemathesis
        .args(["run", text(definition), "--url"])
        .arg(&stage.credential.base_url)
        .args(["--header", token.trim_end(), "--checks", CHECKS])
        .args(["--phases", phases, "--no-color"])
        .args(["--include-path-regex", paths])
        .args(["--max-examples", &examples.to_string(), "--seed", "1"])
        .arg("--generation-deterministic")
        // A slow machine is no objection.
        .args(["--request-timeout", "60"])
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
        report["operations"]["selected"]
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

const SHIPPED: Budget = ("examples,coverage,fuzzing", 10, ".");

/// The coverage of all of a definition of this size takes longer than all else together; it is of
/// what the fleet has and of one family of generic objects.
const PUBLISHED: [Budget; 2] = [
    ("examples,fuzzing", 2, "."),
    (
        "examples,coverage",
        1,
        "v1/[a-rt-z]|device-type2/[^/]+/system-settings/(witnesses|replication-partners)",
    ),
];

/// Objections by the code of their check and by their operations, and why we stand by what is
/// objected to. The refused level is not among them: its answers are server errors by design.
const EXCEPTIONS: &[(&str, &[&str], &str)] = &[(
    "ST103",
    &["GET /api/v1/audit-events"],
    "it declares no 401, which a request without a token gets all the same (RFC 6750 section 3)",
)];

/// The code of the check for server errors.
const SERVER_ERROR: &str = "ST101";

#[test]
fn schemathesis_objects_to_nothing_in_the_shipped_definition() {
    let Some(installed) = Installed::find() else {
        return;
    };
    let definition = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../api/storage-api.yaml");
    let (found, told) = objections(&stage(&definition), &installed, &definition, SHIPPED);
    assert_eq!(found, BTreeSet::new(), "{told}");
}

/// The service's own definition is never part of the project.
#[test]
fn schemathesis_objects_to_what_is_listed_in_the_published_definition() {
    let Some(installed) = Installed::find() else {
        return;
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/storage-api.json");
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
        return;
    }
    let stage = stage(&path);
    let (mut found, mut told) = (BTreeSet::new(), String::new());
    for budget in PUBLISHED {
        let (objected, words) = objections(&stage, &installed, &path, budget);
        found.extend(objected);
        told.push_str(&words);
    }
    let of_the_lists = EXCEPTIONS.iter().flat_map(|(code, operations, _)| {
        let objection = |operation: &&str| ((*code).to_owned(), (*operation).to_owned());
        operations.iter().map(objection)
    });
    let expected: BTreeSet<Objection> = of_the_lists.chain(refused(&stage, &path)).collect();
    let more: Vec<&Objection> = found.difference(&expected).collect();
    let gone: Vec<&Objection> = expected.difference(&found).collect();
    assert!(more.is_empty(), "{more:#?}\n{told}");
    assert!(gone.is_empty(), "no objection any more: {gone:#?}");
}

/// The server errors of the operations that the stand-in refuses.
fn refused(stage: &Stage, definition: &Path) -> Vec<Objection> {
    let coverage = ["api", "coverage", "--level", "refused", "-o", "json"];
    let api = ["--api", text(definition)];
    let mut rows = stage.client(&[&coverage[..], &api[..]].concat());
    let rows = run(&mut rows).ok().json();
    let operation = |row: &Value| {
        let part = |name: &str| row[name].as_str().unwrap().to_owned();
        let operation = format!("{} {}", part("method"), part("path"));
        (SERVER_ERROR.to_owned(), operation)
    };
    let rows = rows["items"].as_array().unwrap();
    rows.iter().map(operation).collect()
}
