//! Tokens got by exchange for a managed tenant: what they are, and that they are bounded by the subject
//! token in every way (design, section 3.3).

use hallpass_authorization_server::TOKEN_PATH;
use hallpass_oauth::random::SystemRandom;
use jiff::SignedDuration;

use crate::world::{
    FORM, Plan, World, actor, basic_of, claims, exchange_form, form_of, pair_of, workspace_path,
};

/// A world with a managed tenant, and the tenant's id.
async fn managed(change: impl FnOnce(&mut Plan)) -> (World, String) {
    let world = World::with(change).await;
    let tenant = world.tenant("Tenant", true).await;
    (world, tenant.id.to_string())
}

/// Whether the subject token and the one got for it are good.
async fn standing(world: &World, subject: &str, exchanged: &str) -> (bool, bool) {
    (
        world.is_active(subject).await,
        world.is_active(exchanged).await,
    )
}

#[tokio::test]
async fn the_token_is_for_the_tenant_and_of_the_same_client() {
    let (world, tenant) = managed(|_| ()).await;
    let subject = world.token().await;
    let exchanged = world.exchange(&tenant, &subject).await.token();
    let (before, after) = (claims(&subject), claims(&exchanged));
    let workspaces = world.store.workspaces().list();
    let known = workspaces.iter().find(|known| known.id.as_str() == tenant);
    assert_eq!(after["platform_customer_id"], tenant.as_str());
    assert_eq!(after["user_ctx"], known.unwrap().customer.as_str());
    for same in [
        "client_id",
        "iss",
        "aud",
        "sub",
        "application_instance_id",
        "exp",
    ] {
        assert_eq!(after[same], before[same], "{same}");
    }
    let told = world.introspect(&world.credential, &exchanged).await.json();
    assert_eq!(told["platform_customer_id"], tenant.as_str());
}

#[tokio::test]
async fn in_the_other_profile_it_names_the_workspace_too() {
    let (world, tenant) = managed(Plan::rfc9068).await;
    let subject = world.token().await;
    assert!(claims(&subject).get("platform_customer_id").is_none());
    let exchanged = world.exchange(&tenant, &subject).await.token();
    assert_eq!(claims(&exchanged)["platform_customer_id"], tenant.as_str());
    assert_eq!(standing(&world, &subject, &exchanged).await, (true, true));
}

#[tokio::test]
async fn it_supersedes_nothing() {
    let (world, tenant) = managed(|_| ()).await;
    let subject = world.token().await;
    let first = world.exchange(&tenant, &subject).await.token();
    let second = world.exchange(&tenant, &subject).await.token();
    assert_ne!(first, second);
    assert_eq!(standing(&world, &subject, &first).await, (true, true));
    assert!(world.is_active(&second).await);
}

#[tokio::test]
async fn it_dies_when_its_subject_token_is_superseded() {
    for change in [|_: &mut Plan| (), |plan: &mut Plan| plan.policy.jti = false] {
        let (world, tenant) = managed(change).await;
        let subject = world.token().await;
        let exchanged = world.exchange(&tenant, &subject).await.token();
        assert_eq!(standing(&world, &subject, &exchanged).await, (true, true));
        world.wait(SignedDuration::from_secs(1));
        world.token().await;
        assert_eq!(standing(&world, &subject, &exchanged).await, (false, false));
    }
}

#[tokio::test]
async fn it_dies_when_its_subject_token_is_revoked_and_not_the_other_way_round() {
    for change in [
        |_: &mut Plan| (),
        |plan: &mut Plan| plan.policy.single_active = false,
        |plan: &mut Plan| plan.policy.jti = false,
        Plan::rfc9068,
    ] {
        let (world, tenant) = managed(change).await;
        let subject = world.token().await;
        let first = world.exchange(&tenant, &subject).await.token();
        let second = world.exchange(&tenant, &subject).await.token();
        world.revoke(&world.credential, &first).await;
        assert_eq!(standing(&world, &subject, &first).await, (true, false));
        assert!(world.is_active(&second).await);
        world.revoke(&world.credential, &subject).await;
        assert_eq!(standing(&world, &subject, &second).await, (false, false));
    }
}

#[tokio::test]
async fn it_dies_with_a_reset() {
    let (world, tenant) = managed(|plan| plan.policy.single_active = false).await;
    let subject = world.token().await;
    let exchanged = world.exchange(&tenant, &subject).await.token();
    let reset = world.reset(&world.credential.credential.client_id).await;
    for token in [&subject, &exchanged] {
        let told = world.introspect(&reset, token).await.json();
        assert_eq!(told["active"], false);
    }
}

#[tokio::test]
async fn a_restart_changes_nothing_about_it() {
    let (world, tenant) = managed(|_| ()).await;
    let subject = world.token().await;
    let kept = world.exchange(&tenant, &subject).await.token();
    let revoked = world.exchange(&tenant, &subject).await.token();
    world.revoke(&world.credential, &revoked).await;
    let world = world.restart().await;
    assert_eq!(standing(&world, &subject, &kept).await, (true, true));
    assert!(!world.is_active(&revoked).await);
}

#[tokio::test]
async fn it_never_outlives_its_subject_token() {
    let (world, tenant) = managed(|_| ()).await;
    let subject = world.token().await;
    world.wait(SignedDuration::from_secs(7199));
    let exchanged = world.exchange(&tenant, &subject).await.token();
    assert_eq!(claims(&exchanged)["exp"], claims(&subject)["exp"]);
    world.wait(SignedDuration::from_secs(1));
    assert_eq!(standing(&world, &subject, &exchanged).await, (false, false));
    // Resource servers would still grant their leeway: no token may come of that.
    let late = world.exchange(&tenant, &subject).await;
    assert_eq!(late.error(), "invalid_request");
}

#[tokio::test]
async fn it_cannot_be_exchanged_again() {
    let (world, tenant) = managed(|_| ()).await;
    let second = world.tenant("Second", true).await;
    let exchanged = world.exchange(&tenant, &world.token().await).await.token();
    for workspace in [tenant.as_str(), second.id.as_str()] {
        let answer = world.exchange(workspace, &exchanged).await;
        assert_eq!(answer.error(), "invalid_request");
        let body = answer.json();
        let description = body["error_description"].as_str().unwrap();
        assert!(description.contains("got by exchange"), "{description}");
    }
}

#[tokio::test]
async fn workspaces_that_are_not_managed_do_not_exist_or_are_the_own_sound_the_same() {
    let (world, _) = managed(|_| ()).await;
    let token = world.token().await;
    let unmanaged = world.tenant("Unmanaged", false).await;
    let mut answers = Vec::new();
    for workspace in [
        unmanaged.id.as_str(),
        "00000000000000000000000000000000",
        world.workspace.id.as_str(),
    ] {
        let answer = world.exchange(workspace, &token).await;
        assert_eq!(answer.error(), "invalid_target");
        answers.push(answer.to_stranger());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
}

#[tokio::test]
async fn the_classic_endpoint_does_not_exchange() {
    let (world, tenant) = managed(|_| ()).await;
    let form = exchange_form(&world.token().await);
    for body in [
        form.clone(),
        format!("{form}&{}", pair_of(&world.credential)),
    ] {
        let answer = world.post(TOKEN_PATH, &body).await;
        assert_eq!(answer.error(), "invalid_request");
    }
    assert_eq!(
        world.post(&workspace_path(&tenant), &form).await.status,
        200
    );
}

#[tokio::test]
async fn a_client_that_authenticates_must_be_the_tokens_own() {
    let (world, tenant) = managed(|_| ()).await;
    let other = world.credential_for("us1", "other").await;
    let form = exchange_form(&world.token().await);
    let path = workspace_path(&tenant);
    let id = &world.credential.credential.client_id;
    for (credential, outcome) in [
        (pair_of(&world.credential), None),
        (pair_of(&other), Some("invalid_request")),
        (
            format!("client_id={id}&client_secret=wrong"),
            Some("invalid_client"),
        ),
        // An id alone names the client and proves nothing (RFC 6749 section 3.2.1).
        (format!("client_id={id}"), None),
        (
            format!("client_id={}", other.credential.client_id),
            Some("invalid_request"),
        ),
        ("client_secret=x".to_owned(), Some("invalid_client")),
        (
            "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
                .to_owned(),
            Some("invalid_request"),
        ),
    ] {
        let answer = world.post(&path, &format!("{form}&{credential}")).await;
        let error = answer.json()["error"].as_str().map(str::to_owned);
        assert_eq!(error.as_deref(), outcome, "{credential}");
    }
    for (credential, status) in [(&world.credential, 200), (&other, 400)] {
        let header = basic_of(credential);
        let headers = [("Content-Type", FORM), ("Authorization", header.as_str())];
        let answer = world.ask("POST", &path, &headers, &form).await;
        assert_eq!(answer.status, status);
    }
}

#[tokio::test]
async fn a_tenants_endpoint_mints_nothing_for_the_managers_credential() {
    let (world, tenant) = managed(|_| ()).await;
    let path = workspace_path(&tenant);
    let answer = world.post(&path, &form_of(&world.credential)).await;
    assert_eq!(answer.error(), "unauthorized_client");
}

#[tokio::test]
async fn exchanges_are_written_down() {
    let (world, tenant) = managed(|_| ()).await;
    let subject = world.token().await;
    for _ in 0..3 {
        world.exchange(&tenant, &subject).await.token();
    }
    world.exchange(&tenant, "x").await;
    let events = world.audit().await;
    let told = |words: &str| {
        let event = events
            .iter()
            .find(|stored| stored.event.message.contains(words));
        event
            .unwrap_or_else(|| panic!("no event says {words}"))
            .event
            .clone()
    };
    let exchanged = told(&format!("for workspace {tenant} got in exchange"));
    assert_eq!(exchanged.count, 3);
    let id = world.credential.credential.client_id.as_str();
    assert_eq!(exchanged.client_id, id);
    assert_eq!(told("Token exchange refused").code, "invalid_request");
}

#[tokio::test]
async fn without_its_owner_nothing_is_exchanged() {
    let (world, tenant) = managed(|_| ()).await;
    let subject = world.token().await;
    world
        .store
        .people()
        .remove(world.owner.id, &actor(), world.now(), &mut SystemRandom)
        .await
        .unwrap();
    let answer = world.exchange(&tenant, &subject).await;
    assert_eq!(answer.error(), "invalid_request");
}
