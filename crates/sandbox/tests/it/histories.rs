//! Numbers over time: what is asked for is answered, the past stays as it was, and whoever draws it
//! has something to draw.

use std::sync::Arc;

use hallpass_openapi::{Definition, Operation};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::every_operation::{SKIPPED, published};
use crate::stand::Stand;
use crate::world;

const HOUR: i64 = 3600;
/// Noon, when the tests begin.
const NOW: i64 = 1_709_294_400;

fn pumps() -> Stand {
    let reading = Definition::read(include_str!("histories.yaml")).unwrap();
    Stand::new(Arc::new(reading.definition))
}

fn points(list: &Value) -> &[Value] {
    list.as_array().unwrap()
}

/// How many charts an answer has for whoever draws every list of at least two points: objects with a
/// moment under the first name that says so, and numbers. They are in order, and apart alike.
fn charts(value: &Value) -> usize {
    match value {
        Value::Array(elements) => match moments(elements) {
            Some(moments) => {
                let apart: Vec<i64> = moments.windows(2).map(|pair| pair[1] - pair[0]).collect();
                assert!(
                    apart[0] > 0 && apart.iter().all(|one| *one == apart[0]),
                    "{apart:?}"
                );
                1
            }
            None => elements.iter().map(charts).sum(),
        },
        Value::Object(members) => members.values().map(charts).sum(),
        _ => 0,
    }
}

fn moments(elements: &[Value]) -> Option<Vec<i64>> {
    let first = elements
        .first()
        .filter(|_| elements.len() > 1)?
        .as_object()?;
    let is_of_time = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.contains("time") || name.contains("date") || name == "ts"
    };
    let (clock, _) = first
        .iter()
        .find(|(name, value)| is_of_time(name) && second(value).is_some())?;
    let numbers = first
        .iter()
        .filter(|(name, value)| !is_of_time(name) && value.is_number());
    let numbers = numbers.count();
    (numbers > 0 && first.len() <= numbers + 3).then_some(())?;
    elements.iter().map(|point| second(&point[clock])).collect()
}

fn second(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => Some(text.parse::<jiff::Timestamp>().ok()?.as_second()),
        Value::Number(number) if number.as_i64()? >= 100_000_000_000 => {
            Some(number.as_i64()? / 1000)
        }
        Value::Number(number) => number.as_i64().filter(|number| *number >= 100_000_000),
        _ => None,
    }
}

#[test]
fn a_history_ends_now_keeps_its_past_and_stays_the_same_until_the_next_point() {
    let mut stand = pumps();
    let (status, before) = stand.get("/pumps/p1/pressure-history");
    assert_eq!((status, charts(&before)), (200, 1));
    let moments = moments(points(&before)).unwrap();
    assert_eq!(moments.len(), 100, "the definition allows no more");
    assert_eq!(moments.last(), Some(&NOW));
    for point in points(&before) {
        let bar = point["bar"].as_f64().unwrap();
        assert!(
            (1.0..=1.05).contains(&bar) && point["turns"].is_i64(),
            "{point}"
        );
    }
    let turns = |list: &Value| {
        points(list)
            .iter()
            .map(|one| one["turns"].clone())
            .collect::<Vec<_>>()
    };
    let mut different = turns(&before);
    different.dedup();
    assert!(different.len() > 20, "{different:?}");

    stand.now += SignedDuration::from_secs(299);
    assert_eq!(stand.get("/pumps/p1/pressure-history").1, before);
    stand.now += SignedDuration::from_secs(1);
    let after = stand.get("/pumps/p1/pressure-history").1;
    assert_eq!(points(&after)[..99], points(&before)[1..]);
    assert_ne!(after, before);

    let ids = stand.get("/pumps").1;
    let other = ids[1]["id"].as_str().unwrap();
    let other = stand.get(&format!("/pumps/{other}/pressure-history")).1;
    assert_ne!(turns(&other), turns(&after));
    assert_eq!(stand.get("/pumps/none/pressure-history").0, 404);
}

#[test]
fn what_is_asked_for_is_answered() {
    let mut stand = pumps();
    let cases = [
        ("granularity=1h", NOW - 24 * HOUR, NOW, HOUR),
        (
            "granularity=hourly&from=2024-03-01T00:00:00Z",
            NOW - 12 * HOUR,
            NOW,
            HOUR,
        ),
        (
            "granularity=7200&from=1709208000&until=1709251500",
            NOW - 24 * HOUR + 300,
            NOW - 42_900,
            2 * HOUR,
        ),
        (
            "granularity=PT30M&from=1709280000000&until=1709287200000",
            NOW - 4 * HOUR,
            NOW - 2 * HOUR,
            1800,
        ),
        (
            "granularity=1h&from=1709283600&until=1999999999",
            NOW - 3 * HOUR,
            NOW,
            HOUR,
        ),
        // Two weeks and nothing else: hours are as close as one can see.
        ("from=2024-02-20", NOW - 99 * HOUR, NOW, HOUR),
    ];
    for (query, first, last, apart) in cases {
        let (status, answer) = stand.get(&format!("/pumps/p1/pressure-history?{query}"));
        assert_eq!(status, 200, "{query} {answer}");
        let moments = moments(points(&answer)).unwrap();
        assert_eq!(
            (
                moments[0],
                moments[moments.len() - 1],
                moments[1] - moments[0]
            ),
            (first, last, apart),
            "{query}"
        );
    }
    let future = stand.get("/pumps/p1/pressure-history?from=1999999999").1;
    assert_eq!(future, json!([]));
}

#[test]
fn what_cannot_be_asked_is_refused_with_the_name_of_the_parameter() {
    let mut stand = pumps();
    let cases = [
        ("pressure-history?from=noon", "from: `noon` is no moment"),
        (
            "pressure-history?granularity=often",
            "granularity: how far points lie apart",
        ),
        (
            "pressure-history?granularity=0",
            "granularity: how far points lie apart",
        ),
        (
            "pressure-history?from=2000&until=1000",
            "from: the start is after the end",
        ),
        ("usage?intervalMinutes=7", "intervalMinutes: "),
        ("usage?intervalMinutes=often", "intervalMinutes: "),
        ("usage?range=startTime eq x", "range: `x` is no moment"),
        ("usage?range=startTime lt 5", "range: a range is"),
        ("usage?range=name eq 5", "range: a range is"),
        ("usage?range=startTime eq", "range: column"),
        (
            "usage?range=startTime eq 9 and endTime eq 5",
            "range: the start is after the end",
        ),
    ];
    for (query, begins) in cases {
        let (status, answer) = stand.get(&format!("/pumps/p1/{query}"));
        let told = answer["error"].as_str().unwrap();
        assert!(
            status == 400 && told.starts_with(begins),
            "{query} {answer}"
        );
        assert_eq!(answer["errorCode"], "INVALID_PARAMETER");
    }
}

#[test]
fn every_series_of_an_answer_has_points_and_what_is_beside_it_fits() {
    let mut stand = pumps();
    let range = "range=startTime eq 1709208000 and endTime eq 1709222400&intervalMinutes=15";
    let (status, answer) = stand.get(&format!("/pumps/p1/usage?{range}"));
    assert_eq!((status, charts(&answer)), (200, 1), "{answer}");
    assert_eq!(answer["pumpId"], "p1");
    assert_eq!(answer["startTime"], 1_709_208_000_000_i64);
    assert_eq!(answer["endTime"], 1_709_222_400_000_i64);
    let part = &answer["parts"][0];
    assert_eq!(
        (&part["id"], &part["litres"]["count"]),
        (&json!("valve"), &json!(17))
    );
    for point in points(&part["litres"]["points"]) {
        let number = |name: &str| point[name].as_f64().unwrap();
        let sum = number("readLitres") + number("writeLitres");
        assert!((sum - number("totalLitres")).abs() < 0.02, "{point}");
    }
    let by_default = stand.get("/pumps/p1/usage").1;
    assert_eq!(
        by_default["parts"][0]["litres"]["count"], 25,
        "a day of hours"
    );
}

#[test]
fn things_with_times_are_no_histories_and_what_the_schema_forbids_is_not_made() {
    let mut stand = pumps();
    let pump = stand.get("/pumps/p1").1;
    assert_eq!(points(&pump["checks"]).len(), 1, "{pump}");
    // People add samples: those that are there stay, and no others come.
    let before = stand.get("/pumps/p1/samples").1;
    assert_eq!(
        stand
            .post(
                "/pumps/p1/samples",
                &json!({"time": "2024-01-01T00:00:00Z", "value": 6})
            )
            .0,
        201
    );
    assert_eq!(
        points(&stand.get("/pumps/p1/samples").1).len(),
        points(&before).len() + 1
    );
    let odd = stand.get("/counters/metrics").1;
    assert_eq!(points(&odd["points"]).len(), 1, "{odd}");
}

#[test]
fn histories_of_the_shipped_definition_are_charts() {
    assert_eq!(all_are_charts(&world::definition()), 4);
    let mut stand = Stand::new(world::definition());
    let history = stand
        .definition
        .operation("DeviceType1SystemPerformanceHistoryGet");
    let path = Stand::path(history.unwrap(), "none");
    let answer = stand.get(&path).1;
    for point in points(&answer["historyData"]["latencyMetricsDataMs"]["items"]) {
        let number = |name: &str| point[name].as_f64().unwrap();
        let (read, write, total) = (
            number("readValue"),
            number("writeValue"),
            number("totalValue"),
        );
        assert!(
            read.min(write) <= total && total <= read.max(write),
            "{point}"
        );
    }
}

#[test]
fn histories_of_the_published_definition_are_charts() {
    let Some(definition) = published() else {
        println!("{SKIPPED}");
        return;
    };
    assert_eq!(all_are_charts(&definition), 12);
}

/// How many histories there are.
fn all_are_charts(definition: &Arc<Definition>) -> usize {
    let mut stand = Stand::new(Arc::clone(definition));
    let ends_so = |one: &&Operation| one.path().ends_with("-history");
    let histories: Vec<&Operation> = definition.operations().iter().filter(ends_so).collect();
    for operation in &histories {
        let path = Stand::path(operation, "none");
        let examples = "range=startTime eq 1605063600 and endTime eq 1605186000&timeIntervalMin";
        let (_, example) = stand.get(&format!("{path}?{examples}=1440"));
        for answer in [stand.get(&path).1, example] {
            let series = answer.to_string().matches("timestamp").count();
            assert!(charts(&answer) > 0 && series > 1, "{path} {answer}");
        }
        assert_eq!(
            stand.get(&format!("{path}?timeIntervalMin=7")).0,
            400,
            "{path}"
        );
    }
    histories.len()
}
