//! `hallpass token`: one token for every program of the machine.

use serde_json::json;

use super::Client;
use crate::http::{get_with, token_of};
use crate::world::{ANN, Done};

#[test]
fn a_token_is_printed_in_four_forms_and_kept_for_the_next_process() {
    let client = Client::new();
    let plain = client.run(&["token"]).ok();
    assert_eq!(plain.stderr, "");
    let token = plain.stdout.strip_suffix('\n').unwrap();
    assert_eq!(token.split('.').count(), 3);
    get_with(&client.server.us1("/api/v1/storage-systems"), token).is(200);

    let header = client.run(&["token", "--header"]).ok().stdout;
    assert_eq!(header, format!("Authorization: Bearer {token}\n"));
    let shown = client.run(&["token", "--json"]).ok().json();
    assert_eq!(
        (&shown["access_token"], &shown["token_type"]),
        (&json!(token), &json!("Bearer"))
    );
    let claims = client.run(&["token", "--claims"]).ok().json();
    assert_eq!(claims["sub"], ANN);
    assert_eq!(claims["client_id"], json!(client.credential.client_id));
    assert_eq!(client.minted(), 1);

    let renewed = client.run(&["token", "--renew"]).ok().stdout;
    assert_ne!(renewed, plain.stdout);
    assert_eq!(client.run(&["token"]).ok().stdout, renewed);
    get_with(&client.server.us1("/api/v1/storage-systems"), token).is(401);
    client.run(&["token", "--json", "--claims"]).ended(2);
}

#[test]
fn twenty_processes_with_an_empty_cache_ask_for_one_token() {
    let client = Client::new();
    let children: Vec<_> = (0..20)
        .map(|_| client.command(&["token"]).spawn().unwrap())
        .collect();
    let tokens: Vec<String> = children
        .into_iter()
        .map(|child| Done::from(child.wait_with_output().unwrap()).ok().stdout)
        .collect();
    assert!(
        tokens.iter().all(|token| *token == tokens[0]),
        "{tokens:#?}"
    );
    assert_eq!(client.minted(), 1);
}

#[test]
fn a_token_that_was_ended_by_the_server_is_replaced_without_a_word() {
    let client = Client::new();
    let old = client.run(&["token"]).ok().stdout;
    // Another program, without the cache, asks for a token: that ends the cached one.
    token_of(&client.credential);
    client.run(&["call", "SystemsList"]).ok();
    assert_ne!(client.run(&["token"]).ok().stdout, old);
}
