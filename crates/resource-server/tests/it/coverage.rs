//! The walk over the project's own definition: every operation refuses every caller that it must
//! refuse, and takes the one that it must take.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_access::Role;
use hallpass_oauth::{KeySpec, SigningKey};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::operations::{HOST, Ids, Prepared, TASK, VOLUME, all};
use crate::wire::Answer;
use crate::world::{Client, World, definition};

/// What a caller can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Case {
    /// The one that must be taken, or the refusals would prove nothing.
    Administrator,
    NoToken,
    Garbage,
    WrongSignature,
    ForeignKey,
    Expired,
    OtherInstance,
    NoRole,
    LesserRole,
    OtherWorkspace,
}

const CASES: [Case; 10] = [
    Case::Administrator,
    Case::NoToken,
    Case::Garbage,
    Case::WrongSignature,
    Case::ForeignKey,
    Case::Expired,
    Case::OtherInstance,
    Case::NoRole,
    Case::LesserRole,
    Case::OtherWorkspace,
];

/// Longer than any task takes.
const MAKING: SignedDuration = SignedDuration::from_secs(2);

/// How a case went, by operation.
type Outcomes = BTreeMap<(String, Case), Result<(), String>>;

#[tokio::test]
async fn every_operation_is_guarded_in_every_case() {
    let mut outcomes = Outcomes::new();
    for case in CASES {
        let mut note = |operation: &Prepared, outcome| {
            outcomes.insert((operation.id.clone(), case), outcome);
        };
        match case {
            Case::OtherWorkspace => other_workspace(&mut note).await,
            _ => same_answer(case, &mut note).await,
        }
    }
    let operations = definition().operations().len();
    assert_eq!(
        operations, 115,
        "the walk has grown: look at the new ones, then at this number"
    );
    assert_eq!(outcomes.len(), operations * CASES.len(), "none is left out");
    settle(&outcomes, include_str!("coverage-exceptions.txt"));
}

/// Compares with the exceptions: each must be needed, and nothing else may fail.
fn settle(outcomes: &Outcomes, exceptions: &str) {
    let excused: Vec<(&str, &str)> = exceptions
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|line| {
            let mut words = line.split_whitespace();
            (words.next().unwrap(), words.next().unwrap())
        })
        .collect();
    let mut complaints = Vec::new();
    for ((operation, case), outcome) in outcomes {
        let case = format!("{case:?}");
        let excuse = excused.contains(&(operation, &case));
        match outcome {
            Err(what) if !excuse => complaints.push(format!("{operation} {case}: {what}")),
            Ok(()) if excuse => complaints.push(format!("{operation} {case}: not needed")),
            _ => {}
        }
    }
    let known = |excuse: &&(&str, &str)| {
        let mut outcomes = outcomes.keys();
        outcomes
            .any(|(operation, case)| (operation.as_str(), format!("{case:?}").as_str()) == **excuse)
    };
    complaints.extend(
        excused
            .iter()
            .filter(|e| !known(e))
            .map(|e| format!("{e:?}: unknown")),
    );
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn an_exception_is_needed_or_wrong() {
    let outcomes = |outcome| Outcomes::from([(("Op".to_owned(), Case::NoToken), outcome)]);
    let accepted = |outcomes: Outcomes, text: &str| {
        std::panic::catch_unwind(|| settle(&outcomes, text)).is_ok()
    };
    let bad = || Err("answered".to_owned());
    assert!(accepted(outcomes(Ok(())), "# nothing\n"));
    assert!(accepted(outcomes(bad()), "Op NoToken  why\n"));
    assert!(!accepted(outcomes(bad()), ""));
    assert!(!accepted(outcomes(Ok(())), "Op NoToken  why\n"));
    assert!(!accepted(outcomes(Ok(())), "Gone NoToken  why\n"));
}

/// The cases in which every operation is asked in the same way.
async fn same_answer(case: Case, note: &mut impl FnMut(&Prepared, Result<(), String>)) {
    let world = World::new().await;
    let role = match case {
        Case::NoRole => None,
        Case::LesserRole => Some(Role::Observer),
        _ => Some(Role::Administrator),
    };
    let client = world.client("ann", role).await;
    let good = world.mint(&client).await;
    let token = match case {
        Case::NoToken => None,
        Case::Garbage => Some("garbage".to_owned()),
        Case::WrongSignature => Some(resigned(&good)),
        Case::ForeignKey => Some(of_foreign_store().await),
        Case::OtherInstance => {
            let elsewhere = world.credential(client.owner.clone(), "eu1").await;
            Some(world.mint(&elsewhere).await)
        }
        _ => Some(good),
    };
    if case == Case::Expired {
        world.wait(SignedDuration::from_mins(121));
    }
    for operation in all(&Ids::new()) {
        let answer = if case == Case::Administrator && operation.method == "DELETE" {
            // What one removes, no other can find; and what others made is in the way of it.
            let world = World::new().await;
            let token = world.token("ann", Role::Administrator).await;
            ask(&world, &operation, Some(&token)).await
        } else {
            ask(&world, &operation, token.as_deref()).await
        };
        note(&operation, judge(case, &operation, &answer));
        if case == Case::Administrator {
            // What was started has to end before the next operation needs it.
            world.wait(MAKING);
        }
    }
}

fn judge(case: Case, operation: &Prepared, answer: &Answer) -> Result<(), String> {
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    let met = match case {
        Case::Administrator => (200..300).contains(&answer.status),
        Case::NoToken => answer.status == 401 && challenge == "Bearer realm=\"api\"",
        Case::LesserRole if !operation.changes() => answer.status == 200,
        Case::NoRole | Case::LesserRole => {
            let named = format!(
                "Bearer realm=\"api\", error=\"insufficient_scope\", scope=\"{}\"",
                operation.permission
            );
            answer.status == 403 && challenge == named
        }
        _ => answer.status == 401 && challenge.contains(", error=\"invalid_token\", "),
    };
    if met {
        Ok(())
    } else {
        Err(format!("{} {challenge} {}", answer.status, answer.body))
    }
}

/// Objects that exist only in another workspace are not found. Of objects that exist in every one
/// (they are in the seed), it is shown that a change over there is not seen here.
async fn other_workspace(note: &mut impl FnMut(&Prepared, Result<(), String>)) {
    let world = World::new().await;
    let here = world.token("ann", Role::Administrator).await;
    let there = world.stranger("bob", Role::Administrator).await;
    let before = readings(&world, &here, &Ids::new()).await;

    let ids = made_there(&world, &there).await;
    // Some answers tell the time; it is what it was.
    world.wait(-MAKING);
    let there = world.mint(&there).await;
    let own = readings(&world, &there, &ids).await;
    let unmoved = readings(&world, &here, &Ids::new()).await == before;
    let examples = all(&Ids::new());
    for (operation, example) in all(&ids).into_iter().zip(examples) {
        if operation.target == example.target {
            let seen = if unmoved {
                Ok(())
            } else {
                Err("a change was seen".to_owned())
            };
            note(&operation, seen);
            continue;
        }
        let answer = ask(&world, &operation, Some(&here)).await;
        let not_found = if answer.status == 404 {
            Ok(())
        } else {
            Err(format!("{}", answer.status))
        };
        note(&operation, not_found);
    }
    let after = readings(&world, &there, &ids).await;
    let changed = own.iter().filter(|(id, body)| after[*id] != **body);
    let changed: Vec<_> = changed.map(|(id, _)| id).collect();
    assert!(
        changed.is_empty(),
        "what was refused here changed {changed:?} there"
    );
    assert_ne!(
        own["VolumesList"], before["VolumesList"],
        "the change was one"
    );
}

/// One of each kind of object that a caller can make.
async fn made_there(world: &World, there: &Client) -> Ids {
    let token = world.mint(there).await;
    let task = world.start_volume(&token, "only-there").await;
    let host = json!({"name": "only-there", "operatingSystem": "Linux", "userCreated": true});
    let host = world.post("/api/v1/host-initiators", &token, &host).await;
    assert_eq!(host.status, 200, "{}", host.body);
    world.wait(MAKING);
    let volume = &world.volumes(&token, "only-there").await[0];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Ids::from([
        (VOLUME, text(&volume["id"])),
        (HOST, text(&host.json()["id"])),
        (TASK, task),
    ])
}

/// What all reading operations answer.
async fn readings(world: &World, token: &str, ids: &Ids) -> BTreeMap<String, Value> {
    let mut answers = BTreeMap::new();
    for operation in all(ids)
        .into_iter()
        .filter(|operation| !operation.changes())
    {
        let answer = ask(world, &operation, Some(token)).await;
        assert_eq!(answer.status, 200, "{} {}", operation.id, answer.body);
        answers.insert(operation.id, answer.json());
    }
    answers
}

async fn ask(world: &World, operation: &Prepared, token: Option<&str>) -> Answer {
    let Prepared {
        method,
        target,
        body,
        ..
    } = operation;
    world.call(method, target, token, body.as_ref()).await
}

/// The same header and claims, signed with a key that nobody knows.
fn resigned(token: &str) -> String {
    let (input, _) = token.rsplit_once('.').unwrap();
    let signature = SigningKey::generate(KeySpec::default())
        .unwrap()
        .sign(input.as_bytes())
        .unwrap();
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A token that is good at another server of the same name.
async fn of_foreign_store() -> String {
    World::new().await.token("ann", Role::Administrator).await
}
