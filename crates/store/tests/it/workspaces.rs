//! Workspaces that another one manages, and the tokens that are got for them by exchange (RFC 8693).

use hallpass_oauth::grant::Tenant;
use hallpass_oauth::mint::mint;
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::verify::TokenRefusal;
use hallpass_oauth::{CustomerId, Grant, Profile, TokenRequest, WorkspaceId};
use hallpass_store::audit::{AuditEvent, AuditState};
use hallpass_store::credentials::{CredentialOptions, IssuedCredential};
use hallpass_store::workspaces::WorkspaceError;
use hallpass_store::{Policy, Workspace};

use crate::world::{World, actor, after, database, issuing, now};

/// A request that asks for nothing in particular.
fn plain_request() -> TokenRequest {
    TokenRequest::client_credentials(None)
}

/// A token for `tenant`, in the steps of the token endpoint.
fn exchange(world: &World, issued: &IssuedCredential, subject: &str, tenant: &Tenant) -> String {
    let signed = world.signed(subject, now()).unwrap();
    let keys = world.store.published_keys().current();
    let (principals, expectation) = (world.store.principals(), world.expectation());
    let (_, verified) = principals
        .verify_token(&signed, &keys, &expectation, now())
        .unwrap();
    let clients = world.store.client_registrations();
    let client = clients.find(issued.credential.client_id.as_str()).unwrap();
    let grant = Grant::exchange(&verified, &client, tenant, &plain_request()).unwrap();
    let id = verified.token_id().exchange(&mut SystemRandom);
    let key = world.store.signing_keys().active();
    let token = mint(&grant, Some(&id), &issuing(Profile::Greenlake), &key, now()).unwrap();
    token.expose().to_owned()
}

fn tenant_of(workspace: &Workspace) -> Tenant {
    Tenant {
        workspace: workspace.id.clone(),
        customer: workspace.customer.clone(),
    }
}

async fn managed(world: &World, name: &str) -> Workspace {
    let workspaces = world.store.workspaces();
    let manager = Some(workspaces.list()[0].id.clone());
    let made = workspaces
        .create_managed(name, manager, &actor(), now(), &mut SystemRandom)
        .await;
    made.unwrap().as_ref().clone()
}

#[tokio::test]
async fn a_tenants_token_acts_in_the_tenants_workspace_until_it_is_managed_no_more() {
    let world = World::new(Policy::default()).await;
    let issued = world
        .credential_with("msp", CredentialOptions::default())
        .await;
    let subject = world.token_of(&issued, now()).await;
    let tenant = managed(&world, "Tenant").await;
    let token = exchange(&world, &issued, &subject, &tenant_of(&tenant));
    let acts = world.verify(&token, now()).unwrap();
    assert_eq!(acts.principal().workspace, tenant.id);
    assert_eq!(acts.principal().customer, tenant.customer);
    assert_eq!(acts.principal().email.as_str(), "msp@example.com");
    let own = world.verify(&subject, now()).unwrap();
    assert_ne!(own.principal().workspace, tenant.id);

    let world = world.reopen(Policy::default()).await;
    assert!(
        world.verify(&token, now()).is_ok(),
        "the management was on disk"
    );
    world.store.close().await;
    let mut file = database(world.folder.path()).await;
    sqlx::query("UPDATE workspace SET managed_by = NULL")
        .execute(&mut file)
        .await
        .unwrap();
    sqlx::Connection::close(file).await.unwrap();
    let world = world.reopen(Policy::default()).await;
    assert_eq!(world.refusal(&token, now()), Some(TokenRefusal::Tenant));
    assert_eq!(world.refusal(&subject, now()), None);
}

#[tokio::test]
async fn a_token_for_a_workspace_that_is_no_tenant_is_refused() {
    let world = World::new(Policy::default()).await;
    let issued = world
        .credential_with("msp", CredentialOptions::default())
        .await;
    let subject = world.token_of(&issued, now()).await;
    let (workspaces, rng) = (world.store.workspaces(), &mut SystemRandom);
    let other = workspaces.create("Other", &actor(), now(), rng).await;
    let nobodys = Tenant {
        workspace: WorkspaceId::generate(rng),
        customer: CustomerId::generate(rng),
    };
    for tenant in [tenant_of(&other.unwrap()), nobodys] {
        let token = exchange(&world, &issued, &subject, &tenant);
        assert_eq!(world.refusal(&token, now()), Some(TokenRefusal::Tenant));
    }
}

#[tokio::test]
async fn a_tenants_token_dies_with_the_token_it_was_got_for() {
    let world = World::new(Policy::default()).await;
    let issued = world
        .credential_with("msp", CredentialOptions::default())
        .await;
    let tenant = tenant_of(&managed(&world, "Tenant").await);
    let subject = world.token_of(&issued, now()).await;
    let token = exchange(&world, &issued, &subject, &tenant);
    world.token_of(&issued, now()).await;
    assert_eq!(world.refusal(&token, now()), Some(TokenRefusal::Superseded));

    let subject = world.token_of(&issued, after(-60)).await;
    let token = exchange(&world, &issued, &subject, &tenant);
    let end = world.signed(&subject, now()).unwrap();
    let signed = world.signed(&token, now()).unwrap();
    let keys = world.store.published_keys().current();
    let (principals, expectation) = (world.store.principals(), world.expectation());
    let verified = principals.verify_token(&signed, &keys, &expectation, now());
    let (_, verified) = verified.unwrap();
    assert!(
        Grant::exchange(
            &verified,
            &world
                .store
                .client_registrations()
                .find(issued.credential.client_id.as_str())
                .unwrap(),
            &tenant,
            &plain_request()
        )
        .is_err()
    );
    let subject_end = principals.verify_token(&end, &keys, &expectation, now());
    assert_eq!(verified.expires_at(), subject_end.unwrap().1.expires_at());

    let event = AuditEvent::new(AuditState::Success, "x", "test", now(), &mut SystemRandom);
    let subject_signed = world.signed(&subject, now()).unwrap();
    let (_, subject_verified) = principals
        .verify_token(&subject_signed, &keys, &expectation, now())
        .unwrap();
    let revocations = world.store.revocations();
    revocations.revoke(&subject_verified, event).await.unwrap();
    assert_eq!(world.refusal(&subject, now()), Some(TokenRefusal::Revoked));
    assert_eq!(world.refusal(&token, now()), Some(TokenRefusal::Revoked));
    let world = world.reopen(Policy::default()).await;
    assert_eq!(world.refusal(&token, now()), Some(TokenRefusal::Revoked));
}

#[tokio::test]
async fn management_has_one_level() {
    let world = World::new(Policy::default()).await;
    world.person("ann@example.com").await;
    let tenant = managed(&world, "Tenant").await;
    let (workspaces, rng) = (world.store.workspaces(), &mut SystemRandom);
    let below = workspaces
        .create_managed("Below", Some(tenant.id.clone()), &actor(), now(), rng)
        .await;
    assert!(matches!(below, Err(WorkspaceError::ManagedManager(id)) if id == tenant.id));
    let nobody = WorkspaceId::generate(&mut SystemRandom);
    let of_nobody = workspaces
        .create_managed("Below", Some(nobody.clone()), &actor(), now(), rng)
        .await;
    assert!(matches!(of_nobody, Err(WorkspaceError::UnknownManager(id)) if id == nobody));
    assert_eq!(workspaces.list().len(), 2, "nothing was made");
}
