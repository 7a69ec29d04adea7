//! No request reaches another workspace's data, operation by operation of the shipped definition: with
//! ids of theirs in the path, the query and the body, the answers are those for ids that do not exist,
//! and what they have stays as it is.

use std::path::Path;

use hallpass_openapi::{Definition, Fill, Operation};
use reqwest::Method;
use serde_json::{Value, json};

use crate::http::{Reply, bare_request, get_with, json_request, token_of, try_send};
use crate::server::Server;
use crate::world::{ANN, Credential, World, eventually, text};

/// Somebody of one workspace; both have the same e-mail address.
struct Member<'a> {
    world: &'a World,
    server: &'a Server,
    workspace: &'static str,
    token: String,
}

const OURS: &str = "Main";
const THEIRS: &str = "Lab";

/// What stands in the names of everything that the others make.
const MARK: &str = "classified";

impl<'a> Member<'a> {
    fn of(world: &'a World, server: &'a Server, workspace: &'static str) -> Self {
        let owner = ["credential", "create", "--owner", ANN, "--instance", "us1"];
        let name = if workspace == THEIRS { MARK } else { "nightly" };
        let rest = ["--name", name, "--workspace", workspace];
        let credential = Credential::read(&world.admin(&[&owner[..], &rest].concat()));
        Self {
            world,
            server,
            workspace,
            token: token_of(&credential),
        }
    }

    fn get(&self, path: &str) -> Reply {
        get_with(&self.server.us1(path), &self.token)
    }

    fn send(&self, method: &Method, path: &str, body: Option<&Value>) -> Reply {
        let url = self.server.us1(path);
        let request = match body {
            Some(body) => json_request(method, &url, &self.token, body),
            None => bare_request(method, &url, &self.token),
        };
        try_send(request).unwrap()
    }

    /// Everything the stand-in has for the workspace.
    fn state(&self) -> String {
        let file = self.world.path("state.json");
        let of = ["--instance", "us1", "--workspace", self.workspace];
        let save = [&["sandbox", "save", "--file", text(&file)], &of[..]].concat();
        self.world.admin(&save);
        let saved = std::fs::read_to_string(file).unwrap();
        let saved: Value = serde_json::from_str(&saved).unwrap();
        saved["state"].to_string()
    }

    /// The ids of one collection.
    fn ids(&self, path: &str) -> Vec<String> {
        let answer = self.get(path);
        if answer.status != 200 {
            return Vec::new();
        }
        let list = answer.json();
        let items = list["items"].as_array().into_iter().flatten();
        let ids = items.filter_map(|item| Some(item["id"].as_str()?.to_owned()));
        ids.collect()
    }
}

/// Fills the parameters of a path with ids of theirs that are none of ours, so that they find something
/// there. Where they have nothing of the kind, it is an id of another kind.
fn their_path(path: &str, theirs: &Member<'_>, ours: &str) -> (String, Vec<String>) {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let found = search("", &segments, &[], theirs, ours);
    found.unwrap_or_else(|| {
        let id = theirs.ids("/api/v1/host-initiators").pop().unwrap();
        let parameters = segments.iter().filter(|one| one.starts_with('{')).count();
        let fill = |one: &&str| {
            if one.starts_with('{') {
                id.clone()
            } else {
                (*one).to_owned()
            }
        };
        let filled: Vec<String> = segments.iter().map(fill).collect();
        (
            format!("/{}", filled.join("/")),
            vec![id.clone(); parameters],
        )
    })
}

/// How many things of a collection are looked into.
const CANDIDATES: usize = 8;

fn search(
    before: &str,
    left: &[&str],
    ids: &[String],
    theirs: &Member<'_>,
    ours: &str,
) -> Option<(String, Vec<String>)> {
    let Some((segment, rest)) = left.split_first() else {
        return (!ids.is_empty()).then(|| (before.to_owned(), ids.to_vec()));
    };
    if !segment.starts_with('{') {
        return search(&format!("{before}/{segment}"), rest, ids, theirs, ours);
    }
    // Every stand-in has the things that the definition's examples name, so some ids are everybody's: what
    // is below them may be theirs all the same.
    let known = theirs.ids(before).into_iter();
    let (own, shared): (Vec<_>, Vec<_>) = known.partition(|id| !ours.contains(id.as_str()));
    let own = own.into_iter().take(CANDIDATES).map(|id| (id, true));
    let shared = shared.into_iter().take(CANDIDATES).map(|id| (id, false));
    own.chain(shared).find_map(|(id, is_own)| {
        let there = format!("{before}/{id}");
        if rest.is_empty() && theirs.get(&there).status == 404 {
            return None;
        }
        let own = if is_own { vec![id] } else { Vec::new() };
        search(&there, rest, &[ids, &own].concat(), theirs, ours)
    })
}

/// An id of the same shape that nobody has.
fn unknown(id: &str) -> String {
    let other = |letter: char| match letter {
        '9' => '0',
        '0'..='8' | 'a'..='e' => char::from(u8::try_from(letter).unwrap() + 1),
        'f' => 'a',
        letter => letter,
    };
    id.chars().map(other).collect()
}

/// An answer without what differs between two requests for different ids.
fn told(answer: &Reply, ids: &[String]) -> (u16, String) {
    let mut text = answer.text.clone();
    if let Ok(Value::Object(mut body)) = serde_json::from_str(&text) {
        body.remove("traceId");
        text = Value::Object(body).to_string();
    }
    for id in ids {
        text = text.replace(id, "ID");
    }
    (answer.status, text)
}

/// A body as the definition shows it, with ids of theirs wherever an id may stand.
fn body_with(example: &Value, id: &str, name: &str) -> Value {
    match example {
        Value::Object(members) => {
            let members = members.iter().map(|(key, value)| {
                let of_name = value.is_string() && key.to_lowercase().ends_with("name");
                let value = if of_name {
                    json!(name)
                } else {
                    body_with(value, id, name)
                };
                (key.clone(), value)
            });
            Value::Object(members.collect())
        }
        Value::Array(items) => items.iter().map(|item| body_with(item, id, name)).collect(),
        Value::String(text) if text.len() >= 16 && !text.contains(' ') => json!(id),
        other => other.clone(),
    }
}

fn definition() -> Definition {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../api/storage-api.yaml");
    let text = std::fs::read_to_string(file).unwrap();
    Definition::read(&text).unwrap().definition
}

/// Their stand-in has another seed and things of their own making.
fn settle(theirs: &Member<'_>) {
    let of = ["--instance", "us1", "--workspace", THEIRS];
    let reset = ["sandbox", "reset", "--seed", "4711", "--volumes", "20"];
    theirs.world.admin(&[&reset[..], &of].concat());
    for n in 0..3 {
        let host =
            json!({"name": format!("{MARK}-{n}"), "operatingSystem": "Linux", "userCreated": true});
        let made = theirs.send(&Method::POST, "/api/v1/host-initiators", Some(&host));
        assert!([200, 201, 202].contains(&made.status), "{made:?}");
    }
    // A task is made with each volume, and has its name. It ends before anything is compared.
    let systems = "/api/v1/storage-systems/device-type1";
    let system = theirs.ids(systems).pop().unwrap();
    for n in 0..2 {
        let name = format!("{MARK}-volume-{n}");
        let volume = json!({"name": name, "sizeMib": 16384, "userCpg": "SSD_r6"});
        let path = format!("{systems}/{system}/volumes");
        theirs.send(&Method::POST, &path, Some(&volume)).is(202);
    }
    eventually("their tasks have ended, and the audit log has it", || {
        (!theirs.state().contains(r#""title":"Create volume"#)).then_some(())
    });
}

#[test]
fn no_operation_reaches_another_workspace() {
    let world = World::owner();
    world.admin(&["workspace", "create", THEIRS]);
    let user = ["user", "create", "--email", ANN, "--role", "administrator"];
    world.admin(&[&user[..], &["--workspace", THEIRS]].concat());
    let server = Server::start(&world);
    let ours = Member::of(&world, &server, OURS);
    let theirs = Member::of(&world, &server, THEIRS);
    settle(&theirs);
    let our_state = ours.state();
    let their_state = theirs.state();
    assert!(their_state.contains(MARK) && !our_state.contains(MARK));

    let definition = definition();
    let (mut items, mut missed) = (0, Vec::new());
    for operation in definition.operations() {
        let (path, ids) = their_path(operation.path(), &theirs, &our_state);
        if !operation.path().contains('{') {
            check_collection(operation, &definition, &ours, &theirs, &our_state);
            continue;
        }
        if operation.method() == Method::GET {
            items += 1;
            if theirs.get(&path).status != 200 {
                missed.push(operation.path());
            }
        }
        check_item(operation, &definition, &ours, (&path, &ids));
    }
    assert!(
        missed.len() * 2 < items,
        "{} of {items} are not theirs, and prove nothing: {missed:#?}",
        missed.len()
    );
    assert!(theirs.state() == their_state, "what they have is another");
    check_what_is_told_of_people(&ours, &theirs);
}

/// With their ids in the path: the answer is the one for an id that nobody has.
fn check_item(
    operation: &Operation,
    definition: &Definition,
    ours: &Member<'_>,
    (path, ids): (&str, &[String]),
) {
    let method = operation.method();
    let example = definition.example_body(operation, Fill::All);
    let strange: Vec<String> = ids.iter().map(|id| unknown(id)).collect();
    let strange_path = ids
        .iter()
        .zip(&strange)
        .fold(path.to_owned(), |path, (id, other)| {
            path.replacen(&format!("/{id}"), &format!("/{other}"), 1)
        });
    let body = |id: &str| example.as_ref().map(|body| body_with(body, id, "x"));
    let of_them = ours.send(method, path, body(&ids[0]).as_ref());
    let of_nobody = ours.send(method, &strange_path, body(&strange[0]).as_ref());
    assert_eq!(
        told(&of_them, ids),
        told(&of_nobody, &strange),
        "{method} {path}"
    );
    assert!(!of_them.text.contains(MARK), "{method} {path}: {of_them:?}");
    let empty = of_them.status == 200 && of_them.text.contains("\"items\":[]");
    assert!(
        empty || (400..500).contains(&of_them.status),
        "{method} {path}: {of_them:?}"
    );
}

/// Without a parameter in the path: lists are ours, whatever is filtered for, and what is made of their
/// ids changes nothing of theirs.
fn check_collection(
    operation: &Operation,
    definition: &Definition,
    ours: &Member<'_>,
    theirs: &Member<'_>,
    our_state: &str,
) {
    let (method, path) = (operation.method(), operation.path());
    let known = theirs.ids(path);
    let own: Vec<&String> = known.iter().filter(|id| !our_state.contains(*id)).collect();
    if method == Method::GET {
        let listed = ours.get(&format!("{path}?limit=1000"));
        assert!(!listed.text.contains(MARK), "{path}: {listed:?}");
        for id in &own {
            assert!(!listed.text.contains(id.as_str()), "{path} lists {id}");
        }
        let Some(id) = own.first() else { return };
        let ask = |id: &str| ours.get(&format!("{path}?filter=id%20eq%20'{id}'"));
        let strange = unknown(id);
        let (of_them, of_nobody) = (ask(id), ask(&strange));
        assert_eq!(
            told(&of_them, &[(*id).clone()]),
            told(&of_nobody, &[strange]),
            "{path}"
        );
        return;
    }
    let Some(example) = definition.example_body(operation, Fill::All) else {
        return;
    };
    let id = theirs.ids("/api/v1/host-initiators").pop().unwrap();
    let made = |id: &str, name: &str| ours.send(method, path, Some(&body_with(&example, id, name)));
    let (of_them, of_nobody) = (made(&id, "first"), made(&unknown(&id), "second"));
    assert_eq!(
        of_them.status, of_nobody.status,
        "{method} {path}: {of_them:?}"
    );
    assert!(!of_them.text.contains(MARK), "{method} {path}: {of_them:?}");
}

/// The audit log, one's rights and tasks are those of the own workspace, although the others have the
/// same e-mail address.
fn check_what_is_told_of_people(ours: &Member<'_>, theirs: &Member<'_>) {
    let log = |member: &Member<'_>| {
        let events = member
            .get("/api/v1/audit-events?limit=10000")
            .is(200)
            .json();
        let items = events["items"].as_array().unwrap().clone();
        assert!(!items.is_empty());
        items
    };
    let customers = |events: &[Value]| {
        let mut all: Vec<String> = events.iter().map(|e| e["customerId"].to_string()).collect();
        all.dedup();
        all
    };
    let (our_log, their_log) = (log(ours), log(theirs));
    assert_eq!(
        (customers(&our_log).len(), customers(&their_log).len()),
        (1, 1)
    );
    assert_ne!(customers(&our_log), customers(&their_log));
    for event in &their_log {
        let id = &event["id"];
        assert!(our_log.iter().all(|own| own["id"] != *id), "{event}");
        let ask = format!(
            "/api/v1/audit-events?filter=id%20eq%20{}",
            id.as_str().unwrap()
        );
        assert_eq!(ours.get(&ask).is(200).json()["total"], 0, "{event}");
        if our_log.len() > 500 {
            break;
        }
    }

    check_tasks(ours, theirs);
    let rights = "/api/v1/access-controls?permission=volume.create";
    let demoted = ["role", "revoke", "--user", ANN, "--role", "administrator"];
    let there = ["--workspace", THEIRS];
    ours.world.admin(&[&demoted[..], &there].concat());
    let granted = ours.get(rights).is(200).json();
    assert_eq!(granted["items"], json!(["volume.create"]));
    assert_ne!(
        theirs.get(rights).status,
        200,
        "nobody there has a role any more"
    );
}

/// A task tells what was done, and to what. Theirs are there, and from here they are not.
fn check_tasks(ours: &Member<'_>, theirs: &Member<'_>) {
    let list = "/api/v1/tasks";
    let (own, all) = (ours.ids(list), theirs.ids(list));
    let of_them: Vec<&String> = all.iter().filter(|id| !own.contains(id)).collect();
    assert!(of_them.len() >= 2, "a task for each volume: {all:?}");
    assert!(theirs.get(list).text.contains(MARK));
    assert!(!ours.get(list).text.contains(MARK));
    for id in of_them {
        let path = format!("{list}/{id}");
        theirs.get(&path).is(200);
        let (seen, strange) = (ours.get(&path), unknown(id));
        let of_nobody = ours.get(&format!("{list}/{strange}"));
        let ids = |id: &str| [id.to_owned()];
        assert_eq!(
            told(&seen, &ids(id)),
            told(&of_nobody, &ids(&strange)),
            "{path}"
        );
        seen.is(404);
        let asked = ours.get(&format!("{list}?filter=id%20eq%20'{id}'"));
        assert_eq!(asked.is(200).json()["total"], 0, "{path}");
    }
}
