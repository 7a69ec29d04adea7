//! Too much of everything: guesses, tokens, questions, work, and a clock that goes back.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;

use hallpass_authorization_server::{INTROSPECTION_PATH, JWKS_PATHS, REVOCATION_PATH};
use hallpass_oauth::token_id::Link;
use hallpass_oauth::{KeySpec, TokenId};
use jiff::SignedDuration;

use crate::wire::Answer;
use crate::world::{
    BEGINNING, GRANT, HERE, World, claims, exchange_form, form_of, pair_of, workspace_path,
};

/// Another address of this machine.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

fn guess(id: &str) -> String {
    format!("{GRANT}&client_id={id}&client_secret=guess")
}

async fn with_failures(per_client: u32, per_address: u32) -> World {
    World::with(|plan| {
        plan.settings.limits.failures_per_client = per_client;
        plan.settings.limits.failures_per_address = per_address;
    })
    .await
}

#[tokio::test]
async fn guessing_is_slowed_down_and_the_owner_is_not() {
    let world = with_failures(3, 0).await;
    let id = world.credential.credential.client_id.to_string();
    for _ in 0..3 {
        assert_eq!(world.form(&guess(&id)).await.status, 401);
    }
    let over = world.form(&guess(&id)).await;
    assert_eq!(
        (over.status, over.error().as_str()),
        (429, "temporarily_unavailable")
    );
    for address in [HERE, ELSEWHERE] {
        let answer = world.form_from(address, &guess(&id)).await;
        assert_eq!(answer.status, 429, "from {address}");
        let answer = world.form_from(address, &world.good_form()).await;
        assert_eq!(answer.status, 200, "the right secret from {address}");
    }
    let other = world.credential_for("us1", "other").await;
    let other = other.credential.client_id.to_string();
    assert_eq!(
        world.form(&guess(&other)).await.status,
        401,
        "each by itself"
    );
}

#[tokio::test]
async fn what_retry_after_says_is_true() {
    let world = with_failures(3, 0).await;
    let id = world.credential.credential.client_id.to_string();
    let mut answer = world.form(&guess(&id)).await;
    while answer.status != 429 {
        answer = world.form(&guess(&id)).await;
    }
    world.wait(SignedDuration::from_secs(answer.retry_after() - 1));
    assert_eq!(world.form(&guess(&id)).await.status, 429);
    world.wait(SignedDuration::from_secs(1));
    assert_eq!(world.form(&guess(&id)).await.status, 401);
}

#[tokio::test]
async fn an_address_is_limited_over_all_the_ids_it_tries() {
    let world = with_failures(0, 3).await;
    for number in 0..3 {
        assert_eq!(
            world.form(&guess(&format!("nobody-{number}"))).await.status,
            401
        );
    }
    assert_eq!(world.form(&guess("nobody-4")).await.status, 429);
    let answer = world.form_from(ELSEWHERE, &guess("nobody-4")).await;
    assert_eq!(answer.status, 401);
    assert_eq!(world.form(&world.good_form()).await.status, 200);
}

#[tokio::test]
async fn unknown_ids_are_counted_like_known_ones() {
    let world = with_failures(3, 0).await;
    let known = world.credential.credential.client_id.to_string();
    let unknown = "11111111-1111-4111-8111-111111111111";
    let mut answers: [Vec<String>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..6 {
        for (id, answers) in [known.as_str(), unknown].into_iter().zip(&mut answers) {
            answers.push(world.form(&guess(id)).await.to_stranger());
        }
    }
    let [known, unknown] = answers;
    assert_eq!(known, unknown);
    assert!(known[5].starts_with("429 "));
}

#[tokio::test]
async fn good_requests_use_up_no_failures_and_failures_no_tokens() {
    let world = World::with(|plan| {
        plan.settings.limits.failures_per_client = 2;
        plan.settings.limits.tokens_per_credential = 5;
    })
    .await;
    let id = world.credential.credential.client_id.to_string();
    for _ in 0..5 {
        world.token().await;
        world.form(&guess(&id)).await;
    }
    for _ in 0..5 {
        world.token().await;
    }
    assert_eq!(world.form(&world.good_form()).await.status, 429);
}

#[tokio::test]
async fn minting_is_limited_per_credential_and_the_present_token_lives() {
    let world = World::with(|plan| plan.settings.limits.tokens_per_credential = 2).await;
    let mut token = String::new();
    for _ in 0..4 {
        token = world.token().await;
    }
    let over = world.form(&world.good_form()).await;
    assert_eq!(
        (over.status, over.error().as_str()),
        (429, "temporarily_unavailable")
    );
    assert!(world.is_active(&token).await);
    let other = world.credential_for("us1", "other").await;
    assert_eq!(world.form(&form_of(&other)).await.status, 200);
    world.wait(SignedDuration::from_secs(over.retry_after()));
    assert_eq!(world.form(&world.good_form()).await.status, 200);
}

#[tokio::test]
async fn exchanges_take_from_the_same_quota() {
    let world = World::with(|plan| plan.settings.limits.tokens_per_credential = 2).await;
    let tenant = world.tenant("Tenant", true).await;
    let form = exchange_form(&world.token().await);
    let path = workspace_path(tenant.id.as_str());
    for _ in 0..3 {
        assert_eq!(world.post(&path, &form).await.status, 200);
    }
    assert_eq!(world.post(&path, &form).await.status, 429);
    assert_eq!(world.form(&world.good_form()).await.status, 429);
}

#[tokio::test]
async fn questions_are_limited_per_credential_over_both_endpoints() {
    let world = World::with(|plan| plan.settings.limits.questions_per_credential = 2).await;
    let body = format!("token=x&{}", pair_of(&world.credential));
    for path in [
        INTROSPECTION_PATH,
        REVOCATION_PATH,
        INTROSPECTION_PATH,
        REVOCATION_PATH,
    ] {
        assert_eq!(world.post(path, &body).await.status, 200);
    }
    for path in [INTROSPECTION_PATH, REVOCATION_PATH] {
        assert_eq!(world.post(path, &body).await.status, 429, "{path}");
    }
    assert_eq!(
        world.form(&world.good_form()).await.status,
        200,
        "tokens are apart"
    );
}

/// One request holds the only place; the next one is told so while the first still waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn beyond_its_places_the_server_says_so_at_once() {
    let world = World::with(|plan| plan.settings.limits.under_way = 1).await;
    let present = world.token().await;
    // A token request looks at the clock when it comes, when it was read and when it is answered.
    let mut held = world.hold_up(3);
    let first = async {
        let answer = world.form(&world.good_form()).await;
        answer.token()
    };
    let second = async {
        held.reached().await;
        assert!(
            world
                .metrics()
                .contains("hallpass_token_requests_under_way 1")
        );
        let other = world.credential_for("us1", "other").await;
        let answer = world.form(&form_of(&other)).await;
        assert_eq!((answer.status, answer.retry_after()), (503, 1));
        let guessed = world.form(&format!("{}x", world.good_form())).await;
        assert_eq!(guessed.status, 401, "strangers wait for nothing");
        drop(held);
    };
    let (token, ()) = tokio::join!(first, second);
    assert!(world.is_active(&token).await);
    assert!(
        !world.is_active(&present).await,
        "by the first, which was served"
    );
    assert!(
        world
            .metrics()
            .contains("hallpass_token_requests_under_way 0")
    );
}

#[tokio::test]
async fn a_client_that_is_sent_away_keeps_the_token_it_has() {
    let world = World::new().await;
    let token = world.token().await;
    let world = world
        .restart_with(|plan| plan.settings.limits.under_way = 0)
        .await;
    for _ in 0..3 {
        let answer = world.form(&world.good_form()).await;
        assert_eq!(answer.status, 503);
        assert_eq!(answer.error(), "temporarily_unavailable");
    }
    let world = world
        .restart_with(|plan| plan.settings.limits.under_way = 8)
        .await;
    assert!(world.is_active(&token).await);
}

/// A queue of one before one slow thread, and more requests than both hold.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_signing_queue_is_503_and_takes_no_token_away() {
    let world = World::with(|plan| {
        plan.policy.keys.spec = KeySpec::Rsa3072;
        plan.settings.limits.signing_threads = NonZeroUsize::MIN;
        plan.settings.limits.signing_queue = NonZeroUsize::MIN;
        plan.settings.limits.tokens_per_credential = 0;
    })
    .await;
    let world = std::sync::Arc::new(world);
    let mut issued = Vec::new();
    let mut sent_away = 0;
    // The first round is enough unless the machine is busy elsewhere.
    for _ in 0..50 {
        let asking: Vec<_> = (0..32)
            .map(|_| {
                let world = world.clone();
                tokio::spawn(async move { world.form(&world.good_form()).await })
            })
            .collect();
        for answer in asking {
            let answer: Answer = answer.await.unwrap();
            match answer.status {
                200 => issued.push(answer.token()),
                503 => sent_away += 1,
                other => panic!("{other}: {}", answer.body),
            }
        }
        if sent_away > 0 {
            break;
        }
    }
    assert!(sent_away > 0 && !issued.is_empty());
    let latest = issued.iter().max_by_key(|token| place(token)).unwrap();
    assert!(world.is_active(latest).await);
}

fn place(token: &str) -> u64 {
    let claims = claims(token);
    let id = TokenId::from_claim(claims["jti"].as_str().unwrap()).unwrap();
    match id.link() {
        Link::Place { sequence, .. } => sequence,
        Link::Fingerprint(_) => panic!("a fingerprint where a place should be"),
    }
}

/// Never `invalid_client`: a client would throw a good credential away.
#[tokio::test]
async fn without_its_store_the_server_is_unavailable_and_blames_nobody() {
    for world in [World::new().await, World::rfc9068().await] {
        let token = world.token().await;
        let tenant = world.tenant("Tenant", true).await;
        let fresh = world.credential_for("us1", "fresh").await;
        world.store.close().await;
        let workspace = workspace_path(world.workspace.id.as_str());
        let exchange = workspace_path(tenant.id.as_str());
        let question = format!("token=x&{}", pair_of(&fresh));
        for (path, body) in [
            (hallpass_authorization_server::TOKEN_PATH, world.good_form()),
            (&workspace, world.good_form()),
            (&exchange, exchange_form(&token)),
            (INTROSPECTION_PATH, question.clone()),
        ] {
            let answer = world.post(path, &body).await;
            assert_eq!(answer.status, 503, "{path}");
            assert_eq!(answer.error(), "temporarily_unavailable");
        }
        assert!(
            world.is_active(&token).await,
            "the present token still works"
        );
        for path in [JWKS_PATHS[0], "/.well-known/oauth-authorization-server"] {
            assert_eq!(world.send("GET", path, &[], "").await.status, 200, "{path}");
        }
    }
}

/// What a request says is in no key of the audit log, or a client could make rows without end.
#[tokio::test]
async fn refused_scopes_are_counted_in_one_row_whatever_they_are() {
    let world = World::rfc9068().await;
    for n in 0..50 {
        let form = format!("{}&scope=made-up-{n}", world.good_form());
        assert_eq!(world.form(&form).await.error(), "invalid_scope");
    }
    let log = world.audit().await;
    let refused: Vec<_> = log
        .iter()
        .filter(|stored| stored.event.message.contains("refused"))
        .collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].event.count, 50);
    assert!(!refused[0].event.message.contains("made-up"));
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_no_tokens_of_the_past() {
    for world in [World::new().await, World::rfc9068().await] {
        let before = world.token().await;
        assert_eq!(claims(&before)["iat"], BEGINNING);
        world.wait(SignedDuration::from_secs(-10));
        let slightly = world.token().await;
        assert_eq!(claims(&slightly)["iat"], BEGINNING - 10, "within the skew");

        world.wait(SignedDuration::from_secs(10 - 3600));
        // The limits go by the clock; one that was set back costs a moment.
        assert_eq!(world.form(&world.good_form()).await.status, 429);
        world.wait(SignedDuration::from_secs(1));
        let answer = world.form(&world.good_form()).await;
        let after = answer.token();
        let claims = claims(&after);
        assert_eq!(claims["iat"], BEGINNING - 30, "the skew and no more");
        assert_eq!(claims["exp"], BEGINNING - 30 + 7200);
        assert_eq!(answer.json()["expires_in"], 7200);
        assert!(world.is_active(&after).await);
        assert!(!world.is_active(&before).await);

        world.wait(SignedDuration::from_hours(1));
        let later = world.token().await;
        assert_eq!(crate::world::claims(&later)["iat"], BEGINNING + 1);
        assert!(world.is_active(&later).await);

        world.wait(SignedDuration::from_hours(-3));
        world.form(&world.good_form()).await;
        world.wait(SignedDuration::from_secs(1));
        let far = world.token().await;
        assert_eq!(
            crate::world::claims(&far)["iat"],
            BEGINNING + 2 - 3 * 3600,
            "a clock that was hours ahead was wrong"
        );
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_locks_nobody_out() {
    let world = World::with(|plan| {
        plan.settings.limits.failures_per_client = 3;
        plan.settings.limits.tokens_per_credential = 2;
    })
    .await;
    for _ in 0..4 {
        world.token().await;
    }
    world.wait(SignedDuration::from_hours(-1));
    let over = world.form(&world.good_form()).await;
    assert_eq!(over.status, 429);
    assert!(
        over.retry_after() <= 120,
        "not until the clock is where it was"
    );
}
