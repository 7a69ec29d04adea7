//! Signing keys: list, rotate, import, remove.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use jiff::Timestamp;
use serde_json::Value;

use super::{items, key_pair, word};
use crate::http::{get, get_with, token_of};
use crate::server::Server;
use crate::world::{ANN, World, eventually, files, run_with_input, text};

const SYSTEMS: &str = "/api/v1/storage-systems";

fn keys(world: &World) -> Value {
    world.admin(&["key", "list"])
}

/// The ids of the keys in that state.
fn in_state(list: &Value, state: &str) -> Vec<String> {
    let found = items(list).iter().filter(|key| key["state"] == state);
    found.map(|key| word(key, "id").to_owned()).collect()
}

/// The ids of the published keys, as any verifier sees them.
fn published(server: &Server) -> Vec<String> {
    let set = get(&format!("{}/.well-known/jwks.json", server.base()));
    let set = set.is(200).json();
    let keys = set["keys"].as_array().unwrap().iter();
    keys.map(|key| word(key, "kid").to_owned()).collect()
}

/// Seconds from one time of an answer to another.
fn seconds(from: &str, to: &str) -> i64 {
    let time = |text: &str| text.parse::<Timestamp>().unwrap().as_second();
    time(to) - time(from)
}

fn signer_of(token: &str) -> String {
    use base64::Engine as _;
    let header = token.split('.').next().unwrap();
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header);
    let header: Value = serde_json::from_slice(&header.unwrap()).unwrap();
    word(&header, "kid").to_owned()
}

#[test]
fn a_new_key_is_published_at_once_and_signs_later() {
    let world = World::owner();
    let first = in_state(&keys(&world), "active").remove(0);
    let server = Server::start(&world);
    let made = world.admin(&["key", "rotate"]);
    assert_eq!(made["state"], "upcoming", "{made}");
    assert_eq!(made["algorithm"], "RS256");
    assert_eq!(word(&made, "signsNow"), first);
    let wait = seconds(word(&made, "createdAt"), word(&made, "signsFrom"));
    assert_eq!(wait, 600);
    assert_eq!(made["verifiersKeepKeysSeconds"], 300);
    assert!(published(&server).contains(&word(&made, "id").to_owned()));
    let credential = world.create_credential(ANN, "us1", "nightly");
    assert_eq!(signer_of(&token_of(&credential)), first);

    world.try_admin(&["key", "rotate"]).ended(1).says(&[
        word(&made, "id"),
        "already published",
        "hint: ",
    ]);
    // People are told what a script reads from the answer.
    world.admin(&["key", "remove", word(&made, "id")]);
    let data = world.data();
    world
        .run(&["admin", "--data", text(&data), "key", "rotate"])
        .ok()
        .says(&["signs from", "up to 300 s", &first]);
}

#[test]
fn a_rotation_ends_without_a_dead_token() {
    let world = World::owner();
    let configuration =
        "[keys]\nkind = \"ec-p256\"\npublish_before_seconds = 1\nmax_age_seconds = 1\n";
    std::fs::create_dir_all(world.data()).unwrap();
    std::fs::write(world.data().join("hallpass.toml"), configuration).unwrap();
    let server = Server::start(&world);
    let credential = world.create_credential(ANN, "us1", "nightly");
    let old = token_of(&credential);
    // The first key is of another kind than the configuration has it, so the next one may be on its
    // way without being asked for.
    let _ = world.try_admin(&["key", "rotate"]);
    let list = eventually("the next key to take over", || {
        let list = keys(&world);
        (in_state(&list, "retiring") == [signer_of(&old)]).then_some(list)
    });
    get_with(&server.us1(SYSTEMS), &old).is(200);
    let new = token_of(&credential);
    assert_eq!([signer_of(&new)], *in_state(&list, "active"));
    get_with(&server.us1(SYSTEMS), &new).is(200);
    let retiring = items(&list)
        .iter()
        .find(|key| key["state"] == "retiring")
        .unwrap();
    // Two hours for its last token and a minute for clocks.
    let stays = seconds(word(retiring, "retiringSince"), word(retiring, "retiresAt"));
    assert_eq!(stays, 7200 + 60);
}

#[test]
fn an_imported_key_is_the_next_one_and_stays_secret() {
    let world = World::owner();
    let server = Server::start(&world);
    let (pem, jwks) = key_pair();
    let file = world.path("key.pem");
    std::fs::write(&file, &pem).unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let done = world.try_admin(&["key", "import", text(&file)]).ok();
    let made = done.json();
    assert!(!done.stdout.contains("PRIVATE"));
    done.says(&["can be read by others (mode 644)", "hint: `chmod 600"]);
    assert_eq!(
        (&made["state"], &made["imported"]),
        (&"upcoming".into(), &true.into())
    );
    assert_eq!(
        (&made["kind"], &made["algorithm"]),
        (&"ec-p256".into(), &"ES256".into())
    );
    // The id is the same one that the key has elsewhere.
    assert!(jwks.contains(word(&made, "id")));
    assert!(published(&server).contains(&word(&made, "id").to_owned()));
    let body = pem.lines().nth(1).unwrap();
    for file in files(&world.data()) {
        // The socket cannot be read.
        let bytes = std::fs::read(&file).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&bytes).contains(body), "{file:?}");
    }
    // A key that was taken out stays out.
    world.admin(&["key", "remove", word(&made, "id")]);
    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let again = world.try_admin(&["key", "import", text(&file)]).ended(1);
    assert!(!again.stderr.contains("others"));
    again.says(&["is or was a signing key", "hint: "]);
}

#[test]
fn what_is_no_good_key_is_not_imported_and_the_reason_is_said() {
    let world = World::owner();
    let import = |input: &str| {
        let data = world.data();
        let command = ["admin", "--data", text(&data), "key", "import", "-"];
        run_with_input(&mut world.command(&command), input)
    };
    import("")
        .ended(1)
        .says(&["no private key in PEM", "hint: "]);
    let (pem, _) = key_pair();
    import(&pem.replace("PRIVATE KEY", "CERTIFICATE"))
        .ended(1)
        .says(&["hint: "]);
    import(&"x".repeat(70_000))
        .ended(2)
        .says(&["standard input is longer than"]);
    world
        .try_admin(&["key", "import", text(&world.path("nothing"))])
        .ended(2)
        .says(&["nothing cannot be read"]);
    assert_eq!(items(&keys(&world)).len(), 1);
    import(&pem).ok();
    assert_eq!(items(&keys(&world)).len(), 2);
}

#[test]
fn a_removed_key_and_its_tokens_are_dead_on_the_next_request() {
    let world = World::owner();
    let configuration = "[keys]\nkind = \"rsa-2048\"\nmax_age_seconds = 120\n";
    std::fs::write(world.data().join("hallpass.toml"), configuration).unwrap();
    let server = Server::start(&world);
    let credential = world.create_credential(ANN, "us1", "nightly");
    let token = token_of(&credential);
    get_with(&server.us1(SYSTEMS), &token).is(200);
    let removed = world.admin(&["key", "remove", &signer_of(&token)]);
    assert_eq!(
        (&removed["state"], &removed["was"]),
        (&"retired".into(), &"active".into())
    );
    let kept = seconds(
        word(&removed, "retiresAt"),
        word(&removed, "keptElsewhereUntil"),
    );
    assert_eq!(kept, 120);
    get_with(&server.us1(SYSTEMS), &token).is(401);
    assert_eq!(published(&server), [word(&removed, "signsNow")]);
    let token = token_of(&credential);
    assert_eq!(signer_of(&token), word(&removed, "signsNow"));
    get_with(&server.us1(SYSTEMS), &token).is(200);

    let data = world.data();
    let remove = ["admin", "--data", text(&data), "key", "remove", "--yes"];
    world
        .run(&[&remove[..], &[&signer_of(&token)]].concat())
        .ok()
        .says(&["is dead here", "until", "fetch the keys again"]);
    world
        .try_admin(&["key", "remove", "nonsense"])
        .ended(1)
        .says(&["no published signing key nonsense", "hint: "]);
}

#[test]
fn keys_are_administered_without_a_server_too() {
    let world = World::owner();
    let first = in_state(&keys(&world), "active").remove(0);
    let made = world.admin(&["key", "rotate"]);
    let removed = world.admin(&["key", "remove", &first]);
    // The one on its way takes over.
    assert_eq!(word(&removed, "signsNow"), word(&made, "id"));
    let list = keys(&world);
    assert_eq!(in_state(&list, "active"), [word(&made, "id")]);
    assert_eq!(in_state(&list, "retired"), [first]);
}

/// One of 64 ids begins with a hyphen.
#[test]
fn an_id_that_looks_like_an_option_is_an_id() {
    let world = World::owner();
    for id in ["-iQ4zK1", "-yQ4zK1", "--Q4zK1", "-"] {
        for command in [["-y", id], [id, "-y"], ["--yes", id], [id, "--yes"]] {
            world
                .try_admin(&[&["key", "remove"][..], &command].concat())
                .ended(1)
                .says(&[&format!("no published signing key {id}")]);
        }
    }
}
