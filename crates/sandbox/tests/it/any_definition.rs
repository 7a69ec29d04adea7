//! A definition that nothing here was written for: nested paths, a bare list, pages, an envelope of
//! its own, cyclic schemas, choices, problems of RFC 9457.

use std::sync::Arc;

use hallpass_openapi::Definition;
use hallpass_sandbox::{Change, Level, State};
use http::Method;
use serde_json::{Value, json};

use crate::stand::Stand;

fn library() -> Stand {
    let reading = Definition::read(include_str!("library.yaml")).unwrap();
    Stand::new(Arc::new(reading.definition))
}

fn ids(list: &Value) -> Vec<Value> {
    let items = list.as_array().unwrap();
    items.iter().map(|item| item["id"].clone()).collect()
}

#[test]
fn all_but_what_nobody_can_tell_is_kept() {
    let stand = library();
    for operation in stand.definition.operations() {
        let expected = if operation.id() == "burnBook" {
            "refused"
        } else {
            "generic"
        };
        assert_eq!(
            stand.sandbox.level(operation).word(),
            expected,
            "{}",
            operation.id()
        );
    }
    let burn = stand.definition.operation("burnBook").unwrap();
    assert!(matches!(stand.sandbox.level(burn), Level::Refused(_)));
}

#[test]
fn it_begins_with_the_ids_of_the_examples_and_little_else() {
    let mut stand = library();
    let (status, list) = stand.get("/libraries");
    assert_eq!(status, 200);
    assert_eq!(ids(&list)[0], 7, "the example of the path, first");
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(stand.get("/loans/L-000017").1["loanId"], "L-000017");
    assert_eq!(stand.get("/libraries/8").0, 404);
    // Nothing of it is kept but the number that it follows from.
    assert_eq!(stand.state.len(), 1);
}

#[test]
fn what_is_created_says_where_it_is_and_stays_until_it_is_deleted() {
    let mut stand = library();
    let body = json!({"name": "Central", "city": "Porto", "rooms": 3});
    let (outcome, location) = stand.apply(&Method::POST, "/libraries?x=y", Some(&body));
    assert_eq!(outcome.response.status, 201);
    let made = outcome.response.body.unwrap();
    assert_eq!(
        (&made["name"], &made["city"], &made["rooms"]),
        (&json!("Central"), &json!("Porto"), &json!(3))
    );
    assert_eq!(made.get("motto"), None, "it was not sent");
    assert_eq!(made["createdAt"], "2024-03-01T12:00:00Z");
    let id = made["id"].as_i64().unwrap();
    assert_eq!(
        location.unwrap(),
        format!("http://127.0.0.1:8083/libraries/{id}")
    );

    let one = format!("/libraries/{id}");
    assert_eq!(stand.get(&one), (200, made.clone()));
    assert_eq!(stand.get("/libraries?city=Porto").1, json!([made]));
    assert!(ids(&stand.get("/libraries").1).contains(&json!(id)));
    assert_eq!(stand.send(&Method::DELETE, &one, None), (204, Value::Null));
    assert_eq!(stand.get(&one).0, 404);
    assert_eq!(stand.send(&Method::DELETE, &one, None).0, 404);
}

#[test]
fn a_patch_sets_and_takes_away_and_leaves_the_rest() {
    let mut stand = library();
    let (_, before) = stand.get("/libraries/7");
    assert!(before["motto"].is_string());
    let patch = json!({"motto": null, "rooms": 9});
    let (status, after) = stand.send(&Method::PATCH, "/libraries/7", Some(&patch));
    assert_eq!(status, 200);
    assert_eq!((after.get("motto"), &after["rooms"]), (None, &json!(9)));
    assert_eq!(after["city"], before["city"]);
    assert_eq!(stand.get("/libraries/7").1, after);
}

#[test]
fn a_put_replaces_what_can_be_sent() {
    let mut stand = library();
    let made = stand
        .post(
            "/libraries/7/books",
            &json!({"title": "One", "pages": 10, "language": "pt"}),
        )
        .1;
    let one = format!("/libraries/7/books/{}", made["id"].as_str().unwrap());
    let (_, after) = stand.send(&Method::PUT, &one, Some(&json!({"title": "Two"})));
    assert_eq!(
        (&after["title"], after.get("pages"), &after["id"]),
        (&json!("Two"), None, &made["id"])
    );
    assert_eq!(after["libraryId"], 7);
}

#[test]
fn nested_objects_are_found_below_their_parent_only_and_go_with_it() {
    let mut stand = library();
    let library = stand
        .post("/libraries", &json!({"name": "Small", "city": "Faro"}))
        .1;
    let books = format!("/libraries/{}/books", library["id"]);
    assert_eq!(
        stand.get(&books).1["data"],
        json!([]),
        "nobody put a book there"
    );
    let book = stand.post(&books, &json!({"title": "Lonely"})).1;
    assert_eq!(book["libraryId"], library["id"]);
    let id = book["id"].as_str().unwrap();
    assert_eq!(stand.get(&format!("{books}/{id}")).1, book);
    assert_eq!(stand.get(&format!("/libraries/7/books/{id}")).0, 404);
    let kept = stand.state.len();
    assert_eq!(
        stand
            .send(
                &Method::DELETE,
                &format!("/libraries/{}", library["id"]),
                None
            )
            .0,
        204
    );
    assert_eq!(stand.get(&books).0, 404);
    assert_eq!(stand.state.len(), kept - 2);
}

#[test]
fn pages_filters_and_sorting_are_those_that_the_list_declares() {
    let mut stand = library();
    let library = stand
        .post("/libraries", &json!({"name": "Big", "city": "Faro"}))
        .1;
    let books = format!("/libraries/{}/books", library["id"]);
    for number in 0..25 {
        stand.post(
            &books,
            &json!({"title": format!("t{number:02}"), "pages": number + 1}),
        );
    }
    let titles = |list: &Value| -> Vec<String> {
        let items = list["data"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["title"].as_str().unwrap().to_owned())
            .collect()
    };
    let (_, first) = stand.get(&books);
    assert_eq!(
        (
            titles(&first).len(),
            &first["total_count"],
            &first["per_page"]
        ),
        (10, &json!(25), &json!(10))
    );
    let (_, last) = stand.get(&format!("{books}?page=3"));
    assert_eq!(titles(&last), ["t20", "t21", "t22", "t23", "t24"]);
    let (_, two) = stand.get(&format!("{books}?page=2&per_page=2&sort=-title"));
    assert_eq!(titles(&two), ["t22", "t21"]);
    let (_, some) = stand.get(&format!("{books}?filter=pages gt 23"));
    assert_eq!(titles(&some), ["t23", "t24"]);
    let (status, problem) = stand.get(&format!("{books}?filter=pages"));
    assert_eq!((status, &problem["status"]), (400, &json!(400)));
}

#[test]
fn a_single_object_is_there_and_can_be_set() {
    let mut stand = library();
    let (_, hours) = stand.get("/libraries/7/hours");
    assert_eq!(hours["opens"], "09:00");
    let set = json!({"opens": "10:00", "closes": "12:30"});
    assert_eq!(
        stand.send(&Method::PUT, "/libraries/7/hours", Some(&set)),
        (204, Value::Null)
    );
    assert_eq!(stand.get("/libraries/7/hours").1, set);
    assert_eq!(stand.get("/libraries/9/hours").0, 404);
}

#[test]
fn choices_are_kept_as_they_were_sent() {
    let mut stand = library();
    let borrower = json!({"kind": "school", "classroom": "4b"});
    let book = "00000000-0000-4000-8000-00000000000a";
    let (status, loan) = stand.post("/loans", &json!({"bookId": book, "borrower": borrower}));
    assert_eq!(
        (status, &loan["borrower"], &loan["bookId"]),
        (201, &borrower, &json!(book))
    );
    let id = loan["loanId"].as_str().unwrap();
    assert_eq!(stand.get(&format!("/loans/{id}")).1, loan);
    let (_, list) = stand.get("/loans?limit=1&offset=2");
    assert_eq!(
        (&list["loans"], &list["total"]),
        (&json!([loan]), &json!(3))
    );
}

#[test]
fn problems_have_the_declared_shape() {
    let mut stand = library();
    let (status, problem) = stand.get("/libraries/8");
    assert_eq!(status, 404);
    assert_eq!(
        problem,
        json!({
            "type": "about:blank", "title": "Not Found", "status": 404,
            "detail": "there is no library with the id 8",
        })
    );
    let (status, problem) = stand.post("/libraries", &json!({"name": ""}));
    assert_eq!((status, &problem["title"]), (400, &json!("Bad Request")));
    assert!(
        problem["detail"].as_str().unwrap().contains("city"),
        "{problem}"
    );
    let taken = json!({"name": "Central", "city": "Porto"});
    assert_eq!(stand.post("/libraries", &taken).0, 201);
    let (status, problem) = stand.post("/libraries", &taken);
    assert_eq!((status, &problem["status"]), (409, &json!(409)));
    let books = stand.get("/libraries/7/books").1;
    let burn = format!(
        "/libraries/7/books/{}/burn",
        books["data"][0]["id"].as_str().unwrap()
    );
    let (status, problem) = stand.send(&Method::POST, &burn, None);
    assert_eq!(status, 501);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("does not tell what it changes")
    );
}

#[test]
fn a_journal_brings_the_same_objects_back() {
    let mut stand = library();
    let mut journal: Vec<String> = Vec::new();
    let fresh = serde_json::to_string(&stand.state).unwrap();
    let calls = [
        (
            Method::POST,
            "/libraries",
            Some(json!({"name": "Central", "city": "Porto"})),
        ),
        (Method::PATCH, "/libraries/7", Some(json!({"rooms": 2}))),
        (Method::DELETE, "/loans/L-000017", None),
    ];
    for (method, target, body) in calls {
        let (outcome, _) = stand.apply(&method, target, body.as_ref());
        journal.push(serde_json::to_string(&outcome.changes).unwrap());
    }
    let mut replayed: State = serde_json::from_str(&fresh).unwrap();
    for entry in journal {
        let changes: Vec<Change> = serde_json::from_str(&entry).unwrap();
        replayed.commit(&changes, stand.now);
    }
    assert_eq!(replayed, stand.state);
    let before = stand.get("/libraries").1;
    stand.state = replayed;
    assert_eq!(stand.get("/libraries").1, before);
    assert_eq!(stand.get("/loans/L-000017").0, 404);
}

#[test]
fn another_number_makes_other_ids() {
    let mut stand = library();
    let books = |stand: &mut Stand| stand.get("/libraries/7/books").1;
    let one = books(&mut stand);
    assert_eq!(books(&mut stand), one);
    stand.state = stand.sandbox.seed(2, stand.now);
    assert_ne!(books(&mut stand), one);
}
