//! What a person sees on a terminal: questions, and how far a long call is.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::lists::page;
use super::odd::{Odd, json};
use super::waits::running;
use super::{Client, profiles::add_profile};
use crate::finding::shells::is_there;
use crate::terminal::Terminal;
use crate::world::text;

#[test]
fn what_a_new_profile_lacks_is_asked_for_and_the_secret_is_not_shown() {
    if !is_there("script") {
        return;
    }
    let client = Client::new();
    let (world, credential) = (&client.world, &client.credential);
    let mut terminal = Terminal::start(world, &world.command(&["profile", "add", "asked"]));
    terminal.answer("base URL of the API: ", &credential.base_url);
    terminal.answer("Token URL: ", &credential.token_url);
    terminal.answer("Client id: ", &credential.client_id);
    terminal.answer_unseen("Client secret: ", &credential.client_secret);
    terminal.answer("[y/N]", "n");
    let (screen, stdout) = terminal.end();
    assert_eq!(stdout, "");
    // What is typed elsewhere is seen.
    assert!(screen.contains(&credential.client_id), "{screen}");
    assert!(!screen.contains(&credential.client_secret), "{screen}");
    world.run(&["token", "-p", "asked"]).ok();

    // What was given is not asked for.
    let given = world.command(&add_profile("given", credential));
    let mut terminal = Terminal::start(world, &given);
    terminal.answer_unseen("Client secret: ", &credential.client_secret);
    terminal.answer("[y/N]", "n");
    let (screen, _) = terminal.end();
    assert!(
        !screen.contains("URL") && !screen.contains("Client id"),
        "{screen}"
    );
    assert!(!screen.contains(&credential.client_secret), "{screen}");
}

#[test]
fn the_file_that_a_credential_came_in_is_deleted_when_the_person_says_so() {
    if !is_there("script") {
        return;
    }
    let client = Client::new();
    let (world, credential) = (&client.world, &client.credential);
    let file = world.path("credential.json");
    let download = serde_json::json!({
        "clientId": credential.client_id, "clientSecret": credential.client_secret,
        "tokenUrl": credential.token_url, "baseUrl": credential.base_url,
    });
    std::fs::write(&file, download.to_string()).unwrap();
    for (name, answer) in [("kept", ""), ("deleted", "y")] {
        let add = ["profile", "add", name, "--from", text(&file)];
        let mut terminal = Terminal::start(world, &world.command(&add));
        terminal.answer("The key store is not used", "n");
        terminal.answer("still holds the secret. Delete it? [y/N]", answer);
        let (screen, _) = terminal.end();
        assert!(!screen.contains(&credential.client_secret), "{screen}");
        assert_eq!(file.exists(), name == "kept", "{screen}");
        let told = ["warning: ", "is deleted."][usize::from(name == "deleted")];
        let after = screen.rsplit("[y/N]").next().unwrap();
        assert!(after.contains(told), "{screen}");
        world.run(&["token", "-p", name]).ok();
    }
}

#[test]
fn a_bar_shows_how_far_a_long_list_is_and_is_nowhere_in_the_answer() {
    if !is_there("script") {
        return;
    }
    let odd = Odd::start(|path| page(path, 300, 100));
    let list = ["get", "/v", "--all"];
    let (screen, stdout) = Terminal::start(&odd.world, &odd.command(&list)).end();
    assert!(screen.contains(" of 300 items"), "{screen:?}");
    let alone = odd.run(&list).ok();
    assert_eq!((stdout, ""), (alone.stdout, alone.stderr.as_str()));
}

#[test]
fn a_bar_shows_how_far_a_task_is_and_is_nowhere_in_the_answer() {
    if !is_there("script") {
        return;
    }
    let looks = AtomicUsize::new(0);
    let odd = Odd::start(move |path| match path {
        "/start" => json(r#"{"taskUri":"t"}"#),
        _ if looks.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) => running(40),
        _ => json(r#"{"state":"SUCCEEDED","progressPercent":100}"#),
    });
    let wait = ["get", "/start", "--wait"];
    let (screen, stdout) = Terminal::start(&odd.world, &odd.command(&wait)).end();
    assert!(screen.contains(" 40 %  "), "{screen:?}");
    let alone = odd.run(&wait).ok();
    assert_eq!((stdout, ""), (alone.stdout, alone.stderr.as_str()));
}
