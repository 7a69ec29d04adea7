//! What must hold for any schemas, of either version of OpenAPI.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::schema::properties::{schema, value};
use crate::{Definition, Fill};

/// A definition with one operation that takes this schema, which `#/x` leads to.
fn taking(version: &str, name: &str, schema: &Value) -> Definition {
    let mut paths = json!({});
    paths[format!("/{name}")] = json!({
        "post": {
            "operationId": name,
            "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/x"}}}},
        }
    });
    let document = json!({"openapi": version, "paths": paths, "x": schema});
    Definition::read(&document.to_string()).unwrap().definition
}

fn version() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["3.0.3", "3.1.0"])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_schema_means_beside_others_what_it_means_alone(
        versions in (version(), version()),
        one in schema(),
        other in schema(),
        bodies in prop::collection::vec(value(), 1..4),
    ) {
        let one = taking(versions.0, "one", &one);
        let other = taking(versions.1, "other", &other);
        let both = Definition::join(&[("one", &one), ("other", &other)]).unwrap();
        for alone in [&one, &other] {
            let own = &alone.operations()[0];
            let joined = both.operation(own.id()).unwrap();
            for body in &bodies {
                prop_assert_eq!(alone.check_body(own, body), both.check_body(joined, body));
                prop_assert_eq!(
                    alone.tolerant(own, body.clone()),
                    both.tolerant(joined, body.clone())
                );
            }
            prop_assert_eq!(
                alone.example_body(own, Fill::All),
                both.example_body(joined, Fill::All)
            );
        }
    }
}
