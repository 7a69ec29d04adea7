//! How typed words become a request: arguments, checks, paths, and what is shown without sending it.

use serde_json::{Value, json};

use super::{Client, new_volume};
use crate::world::{Done, World, run, run_with_input, text};

/// A machine whose profile leads to no server.
struct Offline(World);

impl Offline {
    fn new() -> Self {
        Self(World::new())
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = self.0.command(arguments);
        command.envs([
            ("HALLPASS_TOKEN_URL", "http://127.0.0.1:1/token"),
            ("HALLPASS_BASE_URL", "http://127.0.0.1:1/base"),
            ("HALLPASS_CLIENT_ID", "00cfff70-86ab-4f66-8245-1eb054639c38"),
            ("HALLPASS_CLIENT_SECRET", "planted5ecret"),
        ]);
        command
    }

    fn run(&self, arguments: &[&str]) -> Done {
        run(&mut self.command(arguments))
    }

    /// The request that would be sent.
    fn request(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--dry-run", "-o", "json"]].concat())
            .ok()
            .json()
    }
}

#[test]
fn a_dry_run_shows_the_request_and_asks_for_no_token() {
    let offline = Offline::new();
    let call = [
        "call",
        "VolumeCreate",
        "systemId=2M/20",
        "name=v",
        "sizeMib=16384",
        "userCpg=x",
        "--dry-run",
    ];
    let shown = offline.run(&call).ok();
    assert_eq!(shown.stderr, "");
    assert_eq!(
        shown.stdout,
        "POST http://127.0.0.1:1/base/api/v1/storage-systems/device-type1/2M%2F20/volumes\n\
         content-type: application/json\n\
         accept: application/json\n\
         authorization: Bearer ********\n\
         \n\
         {\"name\":\"v\",\"sizeMib\":16384,\"userCpg\":\"x\"}\n"
    );
    let request = offline.request(&[
        "get",
        "/api/v1/volumes",
        "limit=2",
        "filter=name eq 'a&b=c d'",
    ]);
    assert_eq!(request["method"], "GET");
    assert_eq!(
        request["url"],
        "http://127.0.0.1:1/base/api/v1/volumes?limit=2&filter=name%20eq%20%27a%26b%3Dc%20d%27"
    );
    assert_eq!(
        (&request["body"], &request["bodyBytes"]),
        (&Value::Null, &json!(0))
    );
    let headers = request["headers"].as_array().unwrap();
    let masked = json!({"name": "authorization", "value": "Bearer ********"});
    assert!(headers.contains(&masked), "{headers:?}");
}

#[test]
fn values_are_typed_and_nested_and_no_digit_is_lost() {
    let offline = Offline::new();
    let body = |arguments: &[&str]| {
        offline.request(arguments)["body"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let edit = ["call", "VolumeEdit", "systemId=s", "id=v"];
    let edited = |arguments: &[&str]| body(&[&edit[..], arguments].concat());
    assert_eq!(
        edited(&["sizeMib=1.10", "dataReduction=true", "name=12"]),
        r#"{"sizeMib":1.10,"dataReduction":true,"name":"12"}"#
    );
    assert_eq!(
        edited(&["userAllocWarning=null", "name:=null"]),
        r#"{"userAllocWarning":null,"name":null}"#
    );
    let update = [
        "call",
        "HostUpdateById",
        "hostId=h",
        "updatedInitiators=a",
        "updatedInitiators=b",
        "initiatorsToCreate.0.address=1",
        "initiatorsToCreate.0.protocol=FC",
    ];
    assert_eq!(
        body(&update),
        r#"{"updatedInitiators":["a","b"],"initiatorsToCreate":[{"address":"1","protocol":"FC"}]}"#
    );
    std::fs::write(offline.0.home().join("note.txt"), "two\nlines\n").unwrap();
    assert_eq!(
        edited(&["name=@note.txt", r"userCpgName=\@home"]),
        r#"{"name":"two\nlines","userCpgName":"@home"}"#
    );

    // A whole body goes out byte for byte, until something is laid over it.
    let whole = "{ \"sizeMib\": 12345678901234567890123.10 }\n";
    let mut call =
        offline.command(&[&edit[..], &["--data", "-", "--dry-run", "-o", "json"]].concat());
    let same = run_with_input(&mut call, whole).ok().json();
    assert_eq!(same["body"], json!(whole));
    assert_eq!(
        edited(&["--data", whole, "name=n"]),
        r#"{"sizeMib":12345678901234567890123.10,"name":"n"}"#
    );
    let mut twice = offline.command(&[&edit[..], &["--data", "-", "name=@-"]].concat());
    run_with_input(&mut twice, "{}")
        .ended(2)
        .says(&["standard input is used for something else"]);
}

#[test]
fn all_mistakes_are_told_before_anything_is_sent() {
    let offline = Offline::new();
    let wrong = [
        "call",
        "VolumeCreate",
        "systmId=x",
        "sizeMib=big",
        "nam=v",
        "dataReduction=yes",
    ];
    let told = offline.run(&wrong).ended(2);
    assert_eq!(told.stdout, "");
    told.says(&[
        "error: 6 mistakes:\n  - ",
        "takes no \"systmId\"; similar names: systemId",
        "takes no \"nam\"; similar names: name",
        "needs \"systemId\"",
        "\"sizeMib\" must be an integer, not \"big\"",
        "\"dataReduction\" must be a boolean or null, not \"yes\"",
        "`name` and `userCpg` are missing",
    ]);
    let kind = offline
        .run(&[
            "call",
            "VolumeEdit",
            "systemId=s",
            "id=v",
            "conversionType=THIN",
        ])
        .ended(2);
    kind.says(&[
        "similar: CONVERSIONTYPE_THIN",
        "hint: `--no-check` sends it",
    ]);
    offline
        .run(&["call", "VolumesList", "limit=-1"])
        .ended(2)
        .says(&["limit: must be at least 0"]);
    offline
        .run(&["call", "VolumesList", "limit:=x", "=a"])
        .ended(2)
        .says(&["2 mistakes:", "`limit` is given with `:=`"]);
    let body = [
        "call",
        "VolumeEdit",
        "systemId=s",
        "id=v",
        "--data",
        "{\"name\": 1}",
    ];
    offline.run(&body).ended(2).says(&["name: must be text"]);

    let unchecked = [
        "call",
        "VolumesList",
        "limit=-1",
        "nonsense=1",
        "--no-check",
    ];
    assert_eq!(
        offline.request(&unchecked)["url"],
        "http://127.0.0.1:1/base/api/v1/volumes?nonsense=1&limit=-1"
    );
}

#[test]
fn paths_are_typed_by_their_operation_or_by_the_rule_of_the_method() {
    let offline = Offline::new();
    let volume = "/api/v1/storage-systems/device-type1/s/volumes";
    let known = offline.request(&["post", volume, "name=v", "sizeMib=1", "userCpg=c"]);
    assert_eq!(known["body"], r#"{"name":"v","sizeMib":1,"userCpg":"c"}"#);
    offline
        .run(&["post", volume, "name=v", "sizeMib=x"])
        .ended(2)
        .says(&["\"sizeMib\" must be"]);
    offline
        .run(&["get", "/api/v1/volumes?limit=x"])
        .ended(2)
        .says(&["\"limit\" must be"]);
    let query = offline.request(&["get", "/api/v1/volumes?x=1&limit=2", "offset=3"]);
    assert_eq!(
        query["url"],
        "http://127.0.0.1:1/base/api/v1/volumes?x=1&offset=3&limit=2"
    );

    let unknown = offline.request(&[
        "post",
        "/v2/things",
        "a=1",
        "b:=2",
        "query.c=3",
        "header.X-D=4",
    ]);
    assert_eq!(unknown["body"], r#"{"a":"1","b":2}"#);
    assert_eq!(unknown["url"], "http://127.0.0.1:1/base/v2/things?c=3");
    assert!(
        unknown["headers"]
            .as_array()
            .unwrap()
            .contains(&json!({"name": "x-d", "value": "4"}))
    );
    let unknown = offline.request(&["delete", "/v2/things/1", "force=true"]);
    assert_eq!(
        (&unknown["url"], &unknown["body"]),
        (
            &json!("http://127.0.0.1:1/base/v2/things/1?force=true"),
            &Value::Null
        )
    );
    let typed = [
        "patch",
        "/v2/things/1",
        "--data",
        "<a/>",
        "--content-type",
        "application/xml",
    ];
    assert_eq!(offline.request(&typed)["body"], "<a/>");

    offline
        .run(&["get", "api/v1/tasks"])
        .ended(2)
        .says(&["is no path", "hint: did you mean /api/v1/tasks?"]);
    let whole = offline.request(&["get", "http://127.0.0.1:1/base/api/v1/tasks?limit=1"]);
    assert_eq!(whole["url"], "http://127.0.0.1:1/base/api/v1/tasks?limit=1");
    for outside in [
        "https://example.com/api/v1/tasks",
        "http://127.0.0.1:1/based/x",
    ] {
        offline
            .run(&["get", outside])
            .ended(2)
            .says(&["is not below the profile's base URL", "hint: "]);
    }
    offline
        .run(&["get", "/a/../../b", "--dry-run"])
        .ended(2)
        .says(&["below the base URL"]);
}

#[test]
fn things_are_made_changed_and_removed_by_path() {
    let client = Client::new();
    let system = client.system();
    let volumes = format!("/api/v1/storage-systems/device-type1/{system}/volumes");
    let mut arguments = vec!["post", &volumes, "--wait"];
    let values = new_volume(&system, "by-path");
    arguments.extend(values[1..].iter().map(String::as_str));
    client.run(&arguments).ok();
    let found = client
        .run(&["get", &volumes, "filter=name eq by-path"])
        .ok()
        .json();
    let one = format!("{volumes}/{}", found["items"][0]["id"].as_str().unwrap());
    client.run(&["put", &one, "name=by-other", "--wait"]).ok();
    assert_eq!(client.run(&["get", &one]).ok().json()["name"], "by-other");
    client.run(&["delete", &one, "--wait"]).ok();
    client.run(&["get", &one]).ended(1).says(&["HTTP 404"]);
}

#[test]
fn a_refusal_says_what_it_needs_and_gives_its_body_when_asked() {
    let client = Client::new();
    let system = client.system();
    let missing = ["call", "VolumeGetById", "id=none"];
    let refused = client.run(&missing).ended(1);
    assert_eq!(refused.stdout, "");
    refused.says(&[
        "error: HTTP 404 NOT_FOUND: ",
        "(trace ",
        "hint: nothing is called id=none",
    ]);
    let body = client
        .run(&[&missing[..], &["--fail-with-body"]].concat())
        .ended(1);
    assert_eq!(body.json()["errorCode"], "NOT_FOUND");

    client.world.create_user("bob@example.com", "observer");
    let bob = client
        .world
        .create_credential("bob@example.com", "us1", "look");
    let mut create = vec!["call", "VolumeCreate"];
    let values = new_volume(&system, "not-for-bob");
    create.extend(values.iter().map(String::as_str));
    run(&mut client.command_as(&bob, &create)).ended(1).says(&[
        "error: HTTP 403",
        "hint: VolumeCreate needs the permission volume.create",
    ]);
}

#[test]
fn a_request_that_is_repeated_says_so() {
    let client = Client::new();
    client.run(&["token"]).ok();
    let nowhere = crate::world::Credential {
        base_url: "http://127.0.0.1:1".to_owned(),
        ..client.credential.clone()
    };
    let told = run(&mut client.command_as(&nowhere, &["get", "/x", "--retry", "1"])).ended(4);
    assert_eq!(
        told.stderr
            .matches("* cannot reach http://127.0.0.1:1")
            .count(),
        1,
        "{told:?}"
    );
    let told = run(&mut client.command_as(&nowhere, &["get", "/x", "--retry", "0"])).ended(4);
    assert_eq!(told.stderr.matches("* ").count(), 0, "{told:?}");
    let file = client.world.path("answer.bin");
    std::fs::write(&file, b"\xff").unwrap();
    let data = format!("@{}", text(&file));
    client
        .run(&["post", "/x", "--data", &data])
        .ended(2)
        .says(&["the body is no JSON: it is no UTF-8"]);
}
