//! The exposition, read as strictly as its standard has it (OpenMetrics 1.0).

use std::collections::{BTreeMap, BTreeSet};

use crate::http::{get, get_with, post_form, token_form, token_of};
use crate::server::Server;
use crate::world::{ANN, World};

/// A family and its samples, by what stands behind the family's name and by their labels.
#[derive(Debug, Default)]
pub(crate) struct Family {
    kind: String,
    unit: Option<String>,
    help: Option<String>,
    samples: BTreeMap<(String, Labels), f64>,
}

type Labels = Vec<(String, String)>;

/// Reads an exposition; anything that the standard does not allow ends the test.
pub(crate) fn read(text: &str) -> BTreeMap<String, Family> {
    let text = text.strip_suffix("# EOF\n").expect("it ends with # EOF");
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(described) = line.strip_prefix("# ") {
            let (word, rest) = described.split_once(' ').unwrap();
            let (name, value) = rest.split_once(' ').unwrap();
            if name != current {
                assert!(!families.contains_key(name), "{name} comes in two parts");
                name.clone_into(&mut current);
            }
            let family = families.entry(name.to_owned()).or_default();
            assert!(family.samples.is_empty(), "described too late: {line}");
            let value = value.to_owned();
            let before = match word {
                "TYPE" => {
                    Some(std::mem::replace(&mut family.kind, value)).filter(|k| !k.is_empty())
                }
                "HELP" => family.help.replace(value),
                "UNIT" => family.unit.replace(value),
                _ => panic!("neither TYPE, HELP nor UNIT: {line}"),
            };
            assert_eq!(before, None, "twice: {line}");
            continue;
        }
        let family = families.get_mut(&current).expect("TYPE comes first");
        let (name, labels, value) = sample(line);
        let suffix = name.strip_prefix(&current);
        let suffix = suffix.unwrap_or_else(|| panic!("{line} is not of {current}"));
        let before = family.samples.insert((suffix.to_owned(), labels), value);
        assert_eq!(before, None, "twice: {line}");
    }
    for (name, family) in &families {
        check(name, family);
    }
    families
}

fn sample(line: &str) -> (&str, Labels, f64) {
    let (series, value) = line.rsplit_once(' ').unwrap();
    let value = value
        .parse()
        .unwrap_or_else(|_| panic!("no number: {line}"));
    let Some((name, labels)) = series.split_once('{') else {
        return (series, Labels::new(), value);
    };
    let labels = labels.strip_suffix('}').unwrap();
    let labels = labels.split(',').map(|label| {
        let (name, value) = label.split_once('=').unwrap();
        let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
        let value = value.unwrap_or_else(|| panic!("not quoted: {line}"));
        assert!(!value.contains(['"', '\\', '\n']), "{line}");
        (name.to_owned(), value.to_owned())
    });
    let labels: Labels = labels.collect();
    let names: BTreeSet<_> = labels.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), labels.len(), "a label twice: {line}");
    (name, labels, value)
}

fn check(name: &str, family: &Family) {
    assert!(
        family.help.as_ref().is_some_and(|help| !help.is_empty()),
        "{name}"
    );
    if let Some(unit) = &family.unit {
        assert!(name.ends_with(&format!("_{unit}")), "{name} in {unit}");
    }
    let suffixes: &[&str] = match family.kind.as_str() {
        "counter" => &["_total"],
        "gauge" => &[""],
        "info" => &["_info"],
        "histogram" => &["_bucket", "_count", "_sum"],
        kind => panic!("{name} is a {kind}"),
    };
    for ((suffix, labels), value) in &family.samples {
        assert!(suffixes.contains(&suffix.as_str()), "{name}{suffix}");
        match suffix.as_str() {
            "_info" => assert!((*value - 1.0).abs() < f64::EPSILON, "{name}"),
            "_count" => check_histogram(name, family, labels, *value),
            "" => {}
            _ => assert!(*value >= 0.0, "{name}{suffix}"),
        }
    }
}

fn check_histogram(name: &str, family: &Family, labels: &Labels, count: f64) {
    let mut buckets = Vec::new();
    for ((suffix, bucket), value) in &family.samples {
        let (ends, others): (Labels, Labels) =
            bucket.iter().cloned().partition(|(label, _)| label == "le");
        if suffix == "_bucket" && others == *labels {
            let end: f64 = ends[0].1.parse().unwrap();
            buckets.push((end, *value));
        }
    }
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    assert!(
        buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1),
        "{name} {buckets:?}"
    );
    assert_eq!(buckets.last(), Some(&(f64::INFINITY, count)), "{name}");
    assert!(
        family
            .samples
            .contains_key(&("_sum".to_owned(), labels.clone())),
        "{name}"
    );
}

#[test]
fn the_exposition_is_openmetrics() {
    let world = World::owner();
    let server = Server::start(&world);
    let credential = world.create_credential(ANN, "us1", "nightly");
    let token = token_of(&credential);
    post_form(server.token_url(), &token_form("\"}\n\\", "wrong")).is(401);
    get_with(&server.us1("/api/v1/storage-systems"), &token).is(200);
    get(&server.us1("/api/v1/storage-systems")).is(401);
    let families = read(&get(server.metrics()).is(200).text);

    let labels = |pairs: &[(&str, &str)]| -> Labels {
        let owned = pairs
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
        owned.collect()
    };
    let value = |family: &str, suffix: &str, pairs: &[(&str, &str)]| {
        families[family].samples[&(suffix.to_owned(), labels(pairs))]
    };
    let durations = "hallpass_http_request_duration_seconds";
    assert_eq!(families[durations].kind, "histogram");
    for (listener, status, count) in [
        ("authorization_server", "2xx", 1.0),
        ("authorization_server", "4xx", 1.0),
        ("resource_server", "2xx", 1.0),
        ("resource_server", "4xx", 1.0),
        ("resource_server", "5xx", 0.0),
    ] {
        let pairs = [("listener", listener), ("status", status)];
        let counted = value(durations, "_count", &pairs);
        assert!((counted - count).abs() < 0.1, "{listener} {status}");
    }
    let at_metrics = [("listener", "metrics")];
    assert!(value("hallpass_http_requests_under_way", "", &at_metrics) > 0.9);
    assert!(value("hallpass_http_connections_open", "", &at_metrics) > 0.9);
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    assert!(value("hallpass_build", "_info", &version) > 0.9);
    // After this was written, and before it was run.
    let started = value("process_start_time_seconds", "", &[]);
    assert!(started > 1.7e9, "{started}");
}
