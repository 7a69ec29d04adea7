//! What comes out: the answer, the token's header and claims to the letter, and what minting does
//! to the tokens before.

use hallpass_oauth::TokenId;
use hallpass_oauth::token_id::Link;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::wire::Answer;
use crate::world::{BEGINNING, ISSUER, OWNER, World, form_of, parts};

/// The instance of the real tokens that were seen (domain facts, section 2.3).
const US1: &str = "3c18bd03-8306-4c7c-942e-c704a4b8744c";

#[tokio::test]
async fn header_and_claims_stand_in_their_order() {
    let world = World::new().await;
    let answer = world.form(&world.good_form()).await;
    let (header, claims) = parts(&answer.token());

    let key = world.store.published_keys().current();
    let kid = key.ids().next().unwrap().as_str();
    assert_eq!(kid.len(), 27);
    assert_eq!(
        header,
        format!(r#"{{"alg":"RS256","kid":"{kid}","pi.atm":"dez0"}}"#)
    );

    let read: Value = serde_json::from_str(&claims).unwrap();
    let jti = read["jti"].as_str().unwrap();
    assert!(TokenId::from_claim(jti).is_some(), "{jti}");
    let expected = format!(
        concat!(
            r#"{{"client_id":"{}","iss":"{}","aud":"external_api","sub":"{}","user_ctx":"{}","#,
            r#""auth_source":"ccs_token_management","platform_customer_id":"{}","iat":{},"#,
            r#""application_instance_id":"{}","exp":{},"jti":"{}"}}"#
        ),
        world.credential.credential.client_id,
        ISSUER,
        OWNER,
        world.workspace.customer,
        world.workspace.id,
        BEGINNING,
        US1,
        BEGINNING + 7200,
        jti
    );
    assert_eq!(claims, expected);
}

#[tokio::test]
async fn the_lifetime_is_the_floor_of_the_time_left() {
    let world = World::new().await;
    let answer = world.form(&world.good_form()).await;
    assert_eq!(answer.json()["token_type"], "Bearer");
    assert_eq!(answer.json()["expires_in"], 7200);
    // While the token is made, time goes on.
    world.step(SignedDuration::from_millis(1));
    let answer = world.form(&world.good_form()).await;
    assert_eq!(answer.json()["expires_in"], 7199);
    assert_eq!(lifetime(&answer), 7200);
    assert_eq!(claims(&answer)["iat"], BEGINNING);
}

#[tokio::test]
async fn tokens_of_the_platform_live_for_a_quarter_of_an_hour() {
    let world = World::new().await;
    let credential = world.credential_for("global", "platform").await;
    let answer = world.form(&form_of(&credential)).await;
    assert_eq!(answer.json()["expires_in"], 900);
    assert_eq!(lifetime(&answer), 900);
    let instance = &claims(&answer)["application_instance_id"];
    assert_eq!(*instance, json!("00000000-0000-0000-0000-000000000000"));
}

#[tokio::test]
async fn two_tokens_of_one_second_differ() {
    let world = World::new().await;
    let (first, second) = (
        world.form(&world.good_form()).await,
        world.form(&world.good_form()).await,
    );
    assert_eq!(claims(&first)["iat"], claims(&second)["iat"]);
    assert_ne!(first.json()["access_token"], second.json()["access_token"]);
}

#[tokio::test]
async fn a_new_token_supersedes_the_one_before() {
    let world = World::new().await;
    let other = world.credential_for("us1", "other").await;
    let first = place(&world.form(&world.good_form()).await);
    assert!(live_from(&world) <= first);
    let of_other = place(&world.form(&form_of(&other)).await);
    assert!(
        live_from(&world) <= first,
        "another credential is not concerned"
    );
    let second = place(&world.form(&world.good_form()).await);
    assert!(first < live_from(&world) && live_from(&world) <= second);
    world.form(&format!("{}x", world.good_form())).await;
    assert!(live_from(&world) <= second, "a failed attempt ends nothing");
    assert!(of_other > 0);
}

fn claims(answer: &Answer) -> Value {
    crate::world::claims(&answer.token())
}

fn lifetime(answer: &Answer) -> i64 {
    let claims = claims(answer);
    claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap()
}

fn place(answer: &Answer) -> u64 {
    let claims = claims(answer);
    let id = TokenId::from_claim(claims["jti"].as_str().unwrap()).unwrap();
    match id.link() {
        Link::Place { sequence, .. } => sequence,
        Link::Fingerprint(_) => panic!("a fingerprint where a place should be"),
    }
}

fn live_from(world: &World) -> u64 {
    let principal = world.principal(&world.credential.credential);
    principal.standing.live_from
}
