//! The planted secret is looked for wherever the client leaves something behind.

use std::path::Path;

use hallpass_client::key_store::SecretFile;
use hallpass_client::profiles::Existing;
use hallpass_client::{Client, CredentialSource, Profiles};
use hallpass_oauth::Secret;

use crate::server::{CLIENT_SECRET, World, get};

/// All files below a directory.
fn files(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

fn holds(text: &[u8], planted: &str) -> bool {
    text.windows(planted.len())
        .any(|window| window == planted.as_bytes())
}

#[tokio::test]
async fn the_secret_is_in_its_file_only_and_tokens_are_in_the_cache_only() {
    let world = World::quiet().await;
    let home = tempfile::tempdir().unwrap();
    let (config, data, cache) = (
        home.path().join("config"),
        home.path().join("data"),
        home.path().join("cache"),
    );
    let profile = world.profile();
    let secret_file = SecretFile::new(&data, profile.name());
    secret_file
        .store(&Secret::from(CLIENT_SECRET.to_owned()))
        .unwrap();
    Profiles::update(&config, |all| all.add(profile.clone(), Existing::Keep)).unwrap();

    let (options, events) = world.options(Some(&cache));
    let source = CredentialSource::from(secret_file.clone());
    let client = Client::new(profile, source, &options).unwrap();
    let mut told = Vec::new();
    client.send(&get("/x")).await.unwrap();
    world.supersede();
    told.push(format!("{:?}", client.send(&get("/x")).await.unwrap()));
    told.push(format!("{:?}", client.tokens().token().await.unwrap()));
    // Servers that repeat what they were sent.
    world.pass(10_000);
    let echo = format!("no: client_secret={CLIENT_SECRET}");
    let echo_json = format!(r#"{{"error":"{CLIENT_SECRET}","error_description":"{echo}"}}"#);
    let to = format!("https://evil.example/{CLIENT_SECRET}?{CLIENT_SECRET}");
    world.next_token_answer(400, &[], &echo);
    world.next_token_answer(400, &[], &echo_json);
    world.next_token_answer(307, &[("location", &to)], "");
    world.next_token_answer(200, &[("content-type", CLIENT_SECRET)], &echo);
    world.next_token_answer(
        200,
        &[],
        &format!(r#"{{"access_token":"token-9","token_type":"{CLIENT_SECRET}"}}"#),
    );
    world.next_token_answer(
        200,
        &[],
        &format!(r#"{{"access_token":"token-9","expires_in":"{CLIENT_SECRET}"}}"#),
    );
    for _ in 0..6 {
        let error = client.send(&get("/x")).await.unwrap_err();
        told.push(format!("{error} {error:?} {:?}", error.hint()));
    }
    told.push(format!("{:?}", events.all()));
    let told = told.join("\n");

    assert_eq!(
        world.mints(),
        3,
        "two for the client and one for the stranger"
    );
    for planted in [CLIENT_SECRET, "token-1", "token-2", "token-9"] {
        assert!(!told.contains(planted), "{planted} was told: {told}");
    }
    let mut found = Vec::new();
    for file in files(home.path()) {
        let content = std::fs::read(&file).unwrap();
        let token = holds(&content, "token-");
        assert_eq!(
            token,
            file.starts_with(&cache) && file.extension().unwrap() == "json"
        );
        if holds(&content, CLIENT_SECRET) {
            found.push(file);
        }
    }
    assert_eq!(found, [secret_file.path()]);
}
