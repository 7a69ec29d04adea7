//! Who the client is: both places for the credential, and what a stranger learns from a refusal.

use hallpass_authorization_server::TOKEN_PATH;

use crate::world::{FORM, GRANT, World, basic, form_of};

#[tokio::test]
async fn the_credential_stands_in_the_body_or_in_the_header() {
    let world = World::new().await;
    let (id, secret) = id_and_secret(&world);
    assert_eq!(world.form(&world.good_form()).await.status, 200);
    assert_eq!(
        world.with_header(&basic(&id, &secret), GRANT).await.status,
        200
    );
    let lower = basic(&id, &secret).replacen("Basic", "basic", 1);
    assert_eq!(world.with_header(&lower, GRANT).await.status, 200);
}

/// RFC 6749 section 2.3.1 wants both parts form-encoded before base64; half of the clients do not.
#[tokio::test]
async fn a_basic_value_may_be_form_encoded() {
    let world = World::new().await;
    let (id, secret) = id_and_secret(&world);
    let encode = |text: &str| text.bytes().map(percent).collect::<Vec<_>>().concat();
    for (id_sent, secret_sent) in [
        (encode(&id), encode(&secret)),
        (id.clone(), encode(&secret)),
        (id.replace('-', "%2D"), secret.clone()),
    ] {
        let header = basic(&id_sent, &secret_sent);
        assert_eq!(world.with_header(&header, GRANT).await.status, 200);
    }
    let twice = basic(&id, &encode(&encode(&secret)));
    assert_eq!(world.with_header(&twice, GRANT).await.status, 401);
}

#[tokio::test]
async fn two_places_must_say_the_same() {
    let world = World::new().await;
    let (id, secret) = id_and_secret(&world);
    let header = basic(&id, &secret);
    for same in [
        world.good_form(),
        format!("{GRANT}&client_id={id}"),
        format!("{GRANT}&client_secret={secret}"),
    ] {
        assert_eq!(
            world.with_header(&header, &same).await.status,
            200,
            "{same}"
        );
    }
    for other in [
        format!("{GRANT}&client_id=other&client_secret={secret}"),
        format!("{GRANT}&client_id={id}&client_secret=other"),
    ] {
        let answer = world.with_header(&header, &other).await;
        assert_eq!(answer.json()["error"], "invalid_request", "{other}");
    }
    let headers = [
        ("Content-Type", FORM),
        ("Authorization", header.as_str()),
        ("Authorization", header.as_str()),
    ];
    let answer = world.ask("POST", TOKEN_PATH, &headers, GRANT).await;
    assert_eq!(answer.json()["error"], "invalid_request");
}

#[tokio::test]
async fn every_failed_client_looks_the_same() {
    let world = World::new().await;
    let deleted = world.credential_for("us1", "deleted").await;
    let other = world.credential_for("us1", "other").await;
    let deleted_id = deleted.credential.client_id.to_string();
    world.delete(&deleted.credential.client_id).await;
    let (id, secret) = id_and_secret(&world);
    let pairs = [
        ("nobody", secret.as_str()),
        (id.as_str(), "wrong"),
        (id.as_str(), other.secret.expose()),
        (id.as_str(), ""),
        (deleted_id.as_str(), deleted.secret.expose()),
        ("\u{e9}", "\u{e9}"),
    ];
    let mut in_body = Vec::new();
    let mut in_header = Vec::new();
    for (id, secret) in pairs {
        let body = format!("{GRANT}&client_id={id}&client_secret={secret}");
        in_body.push(world.form(&body).await.to_stranger());
        let header = basic(id, secret);
        in_header.push(world.with_header(&header, GRANT).await.to_stranger());
    }
    for answers in [in_body, in_header] {
        assert!(answers[0].starts_with("401 "), "{}", answers[0]);
        for answer in &answers {
            assert_eq!(*answer, answers[0]);
        }
    }
}

#[tokio::test]
async fn an_unreadable_header_is_a_failed_client() {
    let world = World::new().await;
    for header in [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic Zm9v",
        "Basic AGE6Yg==",
        "Basic /w==",
        "Bearer x",
    ] {
        let answer = world.with_header(header, GRANT).await;
        assert_eq!(answer.json()["error"], "invalid_client", "{header}");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Basic realm="), "{challenge}");
    }
    let none = world.form(GRANT).await;
    assert_eq!(none.json()["error"], "invalid_client");
}

#[tokio::test]
async fn after_a_reset_only_the_new_secret_is_good() {
    let world = World::new().await;
    let reset = world.reset(&world.credential.credential.client_id).await;
    assert_eq!(world.form(&world.good_form()).await.status, 401);
    assert_eq!(world.form(&form_of(&reset)).await.status, 200);
}

fn percent(byte: u8) -> String {
    format!("%{byte:02X}")
}

fn id_and_secret(world: &World) -> (String, String) {
    let credential = &world.credential;
    (
        credential.credential.client_id.to_string(),
        credential.secret.expose().to_owned(),
    )
}
