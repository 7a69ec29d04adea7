//! Definitions as collections, held against the rules of the format that programs rely on.

use std::collections::HashSet;

use hallpass_openapi::collection::{CollectionSettings, Variable, environment};
use hallpass_openapi::{Definition, Operation};
use serde_json::{Value, json};

const SMALL: &str = include_str!("../data/small.yaml");
const CORE: &str = include_str!("../../../../api/storage-api.yaml");

fn settings() -> CollectionSettings {
    CollectionSettings {
        description: "For a test".to_owned(),
        auth: Some(json!({"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}"}]})),
        before_each_request: vec!["const one = 1;".to_owned()],
        after_each_request: vec!["const two = 2;".to_owned()],
        variables: vec![
            Variable::open("baseUrl", "https://eu1.example.com"),
            Variable::secret("key"),
        ],
    }
}

fn collection(definition: &Definition) -> Value {
    let operations: Vec<&Operation> = definition.operations().iter().collect();
    definition.collection(&operations, &settings())
}

fn read(text: &str) -> Definition {
    Definition::read(text).unwrap().definition
}

/// Every request of a collection, after the rules of the published schema (v2.1.0) were checked.
pub(crate) fn requests(collection: &Value) -> Vec<&Value> {
    let schema = collection["info"]["schema"].as_str().unwrap();
    assert!(schema.ends_with("/collection/v2.1.0/collection.json"));
    assert!(!collection["info"]["name"].as_str().unwrap().is_empty());
    let mut found = Vec::new();
    let mut ids = HashSet::new();
    walk(&collection["item"], &mut ids, &mut found);
    found
}

fn walk<'a>(items: &'a Value, ids: &mut HashSet<&'a str>, found: &mut Vec<&'a Value>) {
    let mut names = HashSet::new();
    for item in items.as_array().expect("items are a list") {
        let name = item["name"].as_str().unwrap();
        let is_request = item.get("request").is_some();
        assert!(names.insert((name, is_request)), "{name} is there twice");
        assert!(
            ids.insert(item["id"].as_str().unwrap()),
            "the id of {name} is taken"
        );
        assert_ne!(
            item.get("item").is_some(),
            is_request,
            "{name}: a folder or a request"
        );
        if let Some(inner) = item.get("item") {
            assert_ne!(inner, &json!([]), "{name} is empty");
            walk(inner, ids, found);
            continue;
        }
        check_request(name, &item["request"]);
        for answer in item["response"].as_array().unwrap() {
            assert!(ids.insert(answer["id"].as_str().unwrap()));
            assert!(
                answer["code"].is_u64() && answer["status"].is_string(),
                "{answer}"
            );
            assert!(answer["header"].is_array() && answer["cookie"].is_array());
            assert_eq!(answer["originalRequest"]["url"], item["request"]["url"]);
            let _: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        }
        found.push(item);
    }
}

fn check_request(name: &str, request: &Value) {
    assert!(request.get("auth").is_none(), "{name} inherits");
    assert!(
        request["method"].is_string() && request["description"].is_string(),
        "{name}"
    );
    let url = &request["url"];
    assert_eq!(url["host"], json!(["{{baseUrl}}"]));
    let raw = url["raw"].as_str().unwrap();
    let path = strings(&url["path"]).join("/");
    let without_query = raw.split('?').next().unwrap();
    assert_eq!(without_query, format!("{{{{baseUrl}}}}/{path}"), "{name}");
    let variables = names(&url["variable"]);
    let in_path = strings(&url["path"]);
    let in_path: Vec<&str> = in_path
        .iter()
        .filter_map(|one| one.strip_prefix(':'))
        .collect();
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    let in_path = in_path.into_iter().map(str::to_owned).collect();
    assert_eq!(sorted(variables), sorted(in_path), "{name}");
    for entry in [&url["query"], &url["variable"], &request["header"]]
        .into_iter()
        .flat_map(list)
    {
        assert!(
            entry["key"].is_string() && entry["value"].is_string(),
            "{name}: {entry}"
        );
        let disabled = entry.get("disabled");
        assert!(
            disabled.is_none_or(|one| one == &json!(true)),
            "{name}: {entry}"
        );
    }
    if let Some(body) = request.get("body")
        && body["mode"] == "raw"
    {
        assert_eq!(
            (&body["mode"], &body["options"]["raw"]["language"]),
            (&json!("raw"), &json!("json"))
        );
        let _: Value = serde_json::from_str(body["raw"].as_str().unwrap()).unwrap();
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn strings(value: &Value) -> Vec<String> {
    list(value)
        .map(|one| one.as_str().unwrap().to_owned())
        .collect()
}

fn names(value: &Value) -> Vec<String> {
    list(value)
        .map(|one| one["key"].as_str().unwrap().to_owned())
        .collect()
}

fn named<'a>(requests: &[&'a Value], name: &str) -> &'a Value {
    requests.iter().find(|one| one["name"] == name).unwrap()
}

#[test]
fn every_operation_is_a_request() {
    for text in [SMALL, CORE] {
        let definition = read(text);
        let collection = collection(&definition);
        let requests = requests(&collection);
        assert_eq!(requests.len(), definition.operations().len());
        assert!(requests.len() >= 10);
        for operation in definition.operations() {
            let one = named(&requests, operation.id());
            assert_eq!(one["request"]["method"], operation.method().as_str());
        }
    }
}

#[test]
fn the_small_definition_as_a_collection() {
    insta::assert_json_snapshot!(collection(&read(SMALL)));
}

#[test]
fn optional_parameters_are_off_and_required_ones_filled() {
    let definition = read(CORE);
    let collection = collection(&definition);
    let requests = requests(&collection);
    let volumes = &named(&requests, "VolumesList")["request"]["url"];
    assert!(!volumes["raw"].as_str().unwrap().contains('?'), "{volumes}");
    assert!(list(&volumes["query"]).count() > 3);
    assert!(list(&volumes["query"]).all(|one| one["disabled"] == true));
    assert!(list(&volumes["query"]).all(|one| one["value"] != ""));
    let one = &named(&requests, "SystemGetById")["request"]["url"];
    assert_eq!(one["path"], json!(["api", "v1", "storage-systems", ":id"]));
    assert_ne!(one["variable"][0]["value"], "");
    let create = &named(&requests, "VolumeCreate")["request"];
    let body: Value = serde_json::from_str(create["body"]["raw"].as_str().unwrap()).unwrap();
    let operation = definition.operation("VolumeCreate").unwrap();
    assert_eq!(definition.check_body(operation, &body), []);
}

#[test]
fn folders_follow_the_paths() {
    let collection = collection(&read(CORE));
    let top = &collection["item"];
    assert_eq!(
        top[0]["name"], "api/v1",
        "one folder in another is joined with it"
    );
    assert_eq!(top.as_array().unwrap().len(), 1);
    let folders: Vec<&str> = list(&top[0]["item"])
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        folders,
        [
            "storage-systems",
            "volume-sets",
            "volumes",
            "host-initiators",
            "host-initiator-groups",
            "initiators",
            "issues",
            "tasks",
            "AuditEventsGet",
            "get_access_controls",
            "get_resource_types",
        ],
        "a single request needs no folder"
    );
}

#[test]
fn two_exports_are_the_same_and_an_operation_keeps_its_id() {
    let definition = read(CORE);
    assert_eq!(
        collection(&definition).to_string(),
        collection(&definition).to_string()
    );
    let only = definition.operation("GetTask").unwrap();
    let part = definition.collection(&[only], &settings());
    let whole = collection(&definition);
    assert_eq!(requests(&part).len(), 1);
    assert_eq!(*requests(&part)[0], *named(&requests(&whole), "GetTask"));
}

#[test]
fn values_that_would_be_read_as_something_else_are_encoded() {
    let text = r#"{"openapi": "3.0.3", "info": {"title": "", "version": ""}, "paths": {
        "/a/{id}.json/{one}": {"post": {"operationId": "Do",
            "parameters": [
                {"name": "id", "in": "path", "required": true, "example": "a/b"},
                {"name": "one", "in": "path", "required": true, "example": "c d/ä"},
                {"name": "q", "in": "query", "required": true, "example": "50% a&b+{{c}} d"},
                {"name": "ids", "in": "query", "required": true, "example": ["1", "2"], "schema": {"type": "array"}},
                {"name": "s", "in": "cookie", "example": "x;y"}
            ],
            "requestBody": {"content": {"application/json": {"example": {"text": "{{{x}}"}}}},
            "responses": {"204": {"description": "Done"}}}},
        "/b": {"get": {"operationId": "Twin", "responses": {}}, "put": {"operationId": "twin", "responses": {}}}
    }}"#;
    let definition = read(text);
    let collection = collection(&definition);
    let requests = requests(&collection);
    let request = &requests[0]["request"];
    assert_eq!(
        request["url"]["raw"],
        "{{baseUrl}}/a/a%2Fb.json/:one?q=50%25 a%26b%2B%7B%7Bc%7D%7D d&ids=1&ids=2"
    );
    assert_eq!(request["url"]["variable"][0]["value"], "c%20d%2F%C3%A4");
    assert_eq!(request["header"][1]["value"], "s=x%3By");
    let body = request["body"]["raw"].as_str().unwrap();
    assert!(!body.contains("{{"), "{body}");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body, json!({"text": "{{{x}}"}));
    assert_eq!(
        (&requests[1]["name"], &requests[2]["name"]),
        (&json!("Twin"), &json!("twin"))
    );
    assert!(collection["info"].get("version").is_none());
}

#[test]
fn forms_are_forms() {
    let text = r#"{"openapi": "3.0.3", "info": {"title": "F", "version": "1"}, "paths": {
        "/a": {"post": {"operationId": "Form", "responses": {}, "requestBody": {"content": {
            "application/x-www-form-urlencoded": {"schema": {"type": "object", "properties":
                {"name": {"type": "string", "example": "a b"}, "size": {"type": "integer", "example": 7}}}}}}}},
        "/b": {"post": {"operationId": "Parts", "responses": {}, "requestBody": {"content": {
            "multipart/form-data": {"schema": {"type": "object", "required": ["note"], "properties":
                {"note": {"type": "string"}}}}}}}}
    }}"#;
    let collection = collection(&read(text));
    let requests = requests(&collection);
    let body = |name| &named(&requests, name)["request"]["body"];
    let field = |key, value| json!({"key": key, "value": value, "type": "text"});
    assert_eq!(
        *body("Form"),
        json!({"mode": "urlencoded", "urlencoded": [field("name", "a b"), field("size", "7")]})
    );
    assert_eq!(
        *body("Parts"),
        json!({"mode": "formdata", "formdata": [field("note", "note")]})
    );
    assert_eq!(named(&requests, "Form")["request"]["header"], json!([]));
}

#[test]
fn an_environment_has_the_variables_and_no_secret() {
    let made = environment("us1", &settings().variables);
    let values = &made["values"];
    assert_eq!(made["_postman_variable_scope"], "environment");
    assert_eq!(
        values[0],
        json!({"key": "baseUrl", "value": "https://eu1.example.com", "type": "default", "enabled": true})
    );
    assert_eq!(
        values[1],
        json!({"key": "key", "value": "", "type": "secret", "enabled": true})
    );
}

#[test]
fn a_definition_cannot_name_variables() {
    let secret = "{{{key}}}";
    let parameter = |name: &str, place: &str| json!({"name": name, "in": place, "required": true, "example": secret});
    for media_type in ["application/x-www-form-urlencoded", "multipart/form-data"] {
        let example = json!({secret: secret, "b": secret});
        let text = json!({"openapi": "3.0.3", "info": {}, "paths": {"/a/{id}": {"post": {
            "parameters": [
                parameter("id", "path"), parameter("X-A", "header"), parameter(secret, "header"),
                parameter("q", "query"), parameter(secret, "query"), parameter("c", "cookie"),
            ],
            "requestBody": {"content": {media_type: {"schema": {}, "example": example}}},
            "responses": {"200": {"description": "d"}},
        }}}});
        let definition = read(&text.to_string());
        let made = collection(&definition);
        let request = requests(&made)[0];
        let written = request["request"].to_string().replace("{{baseUrl}}", "");
        assert!(!written.contains("{{"), "{written}");
        assert!(written.contains("{ { {key"), "{written}");
    }
}
