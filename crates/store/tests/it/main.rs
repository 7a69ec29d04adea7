//! The store through its handles, on a real database file.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop there"
)]

mod audit_search;
mod credentials;
mod explorer_documents;
mod instances;
mod keys;
mod migration;
mod roles;
mod tokens;
mod workspaces;
mod world;

use hallpass_access::Role;
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::{ApplicationInstanceId, Issuer, Subject};
use hallpass_store::audit::{AuditEvent, AuditQuery, AuditState};
use hallpass_store::credentials::CredentialError;
use hallpass_store::people::PersonError;
use hallpass_store::{JournalEntry, MasterKey, Policy, SequenceError, StoreError};
use jiff::{SignedDuration, Timestamp};

use crate::world::{World, actor, now, open};

#[tokio::test]
async fn minting_resetting_and_deleting_act_at_once_and_survive_a_restart() {
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    let issued = world.credential(&ann, "nightly").await.unwrap();
    let id = issued.credential.client_id.to_string();

    let first = world.mint(&id).await.unwrap();
    assert_eq!(world.live_from(&issued), first);
    let second = world.mint(&id).await.unwrap();
    assert!(
        world.live_from(&issued) > first,
        "the first token is superseded"
    );

    let world = world.reopen(Policy::default()).await;
    assert_eq!(
        world.live_from(&issued),
        second,
        "the watermark was on disk"
    );
    let third = world.mint(&id).await.unwrap();
    assert!(third > second, "no place is given out twice");

    let old = world.store.client_registrations().find(&id).unwrap();
    let credentials = world.store.credentials();
    let reset = credentials
        .reset(&id, &actor(), now(), &mut SystemRandom)
        .await
        .unwrap();
    assert!(world.live_from(&issued) > third);
    assert_ne!(reset.secret.expose(), issued.secret.expose());
    let late = world.store.token_sequences().reserve(&old);
    assert!(
        matches!(late, Err(SequenceError::Changed)),
        "authenticated before, asked after"
    );

    let world = world.reopen(Policy::default()).await;
    assert!(world.live_from(&issued) > third, "the reset was on disk");
    let registration = world.store.client_registrations().find(&id).unwrap();
    let clients = world.store.client_registrations();
    let known = |secret| {
        let digest = clients.pepper().digest(secret);
        let mut secrets = registration.secrets.iter();
        secrets.any(|secret| secret.digest.matches(&digest))
    };
    assert!(known(&reset.secret));
    assert!(!known(&issued.secret));

    let credentials = world.store.credentials();
    credentials
        .delete(&id, &actor(), now(), &mut SystemRandom)
        .await
        .unwrap();
    assert!(
        world
            .store
            .principals()
            .find(&issued.credential.client_id, &world.us1(), now())
            .is_none()
    );
    let again = credentials
        .delete(&id, &actor(), now(), &mut SystemRandom)
        .await;
    assert!(matches!(again, Err(CredentialError::Unknown(_))));
}

#[tokio::test]
async fn without_the_single_active_rule_tokens_live_side_by_side_until_a_reset() {
    let policy = Policy {
        single_active: false,
        ..Policy::default()
    };
    let world = World::new(policy.clone()).await;
    let ann = world.person("ann@example.com").await;
    let issued = world.credential(&ann, "nightly").await.unwrap();
    let id = issued.credential.client_id.to_string();
    let places = [
        world.mint(&id).await.unwrap(),
        world.mint(&id).await.unwrap(),
    ];
    let world = world.reopen(policy).await;
    assert!(
        places
            .iter()
            .all(|place| *place >= world.live_from(&issued))
    );
    world
        .store
        .credentials()
        .reset(&id, &actor(), now(), &mut SystemRandom)
        .await
        .unwrap();
    assert!(places.iter().all(|place| *place < world.live_from(&issued)));
}

#[tokio::test]
async fn many_parallel_mints_get_different_places_and_the_last_one_wins() {
    let world = std::sync::Arc::new(World::new(Policy::default()).await);
    let ann = world.person("ann@example.com").await;
    let issued = world.credential(&ann, "nightly").await.unwrap();
    let id = issued.credential.client_id.to_string();
    let mut mints = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (world, id) = (world.clone(), id.clone());
        mints.spawn(async move { world.mint(&id).await.unwrap() });
    }
    let mut places = mints.join_all().await;
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), 100);
    assert_eq!(world.live_from(&issued), places[99]);
    let counted = world.messages().await;
    assert!(
        counted.contains(&("issued".to_owned(), 100)),
        "one audit row: {counted:?}"
    );
}

#[tokio::test]
async fn names_limits_and_owners_are_checked() {
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    for n in 1..=7 {
        world.credential(&ann, &format!("job {n}")).await.unwrap();
    }
    let eighth = world.credential(&ann, "job 8").await.unwrap_err();
    assert_eq!(
        eighth.to_string(),
        "You have reached the maximum of 7 personal API clients"
    );
    let bob = world.person("bob@example.com").await;
    assert!(
        world.credential(&bob, " job 1 ").await.is_ok(),
        "another owner may use the name"
    );
    assert!(matches!(
        world.credential(&bob, "job 1").await,
        Err(CredentialError::NameTaken(_))
    ));
    for bad in ["", "   ", "a\nb", "job\u{202e}1", &"x".repeat(65)] {
        assert!(
            matches!(
                world.credential(&bob, bad).await,
                Err(CredentialError::BadName(_))
            ),
            "{bad:?}"
        );
    }
    let again = Subject::parse("ANN@example.com").unwrap();
    let people = world.store.people();
    let twice = people
        .create(
            &ann.workspace,
            again,
            None,
            &actor(),
            now(),
            &mut SystemRandom,
        )
        .await;
    assert!(matches!(twice, Err(PersonError::EmailTaken(_))));
}

#[tokio::test]
async fn a_changed_role_and_a_removed_person_act_at_once() {
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    let issued = world.credential(&ann, "nightly").await.unwrap();
    let (people, principals) = (world.store.people(), world.store.principals());
    let roles = |world: &World| {
        principals
            .find(&issued.credential.client_id, &world.us1(), now())
            .map(|found| found.roles)
    };
    assert!(roles(&world).unwrap().built_in().eq([Role::Operator]));
    let rng = &mut SystemRandom;
    people
        .revoke(ann.id, None, Role::Operator, &actor(), now(), rng)
        .await
        .unwrap();
    assert!(roles(&world).unwrap().is_empty());
    let us1 = Some(world.us1());
    people
        .assign(ann.id, us1, Role::Observer, &actor(), now(), rng)
        .await
        .unwrap();
    assert!(roles(&world).unwrap().built_in().eq([Role::Observer]));
    let elsewhere = ApplicationInstanceId::platform();
    let there = principals
        .find(&issued.credential.client_id, &elsewhere, now())
        .unwrap();
    assert!(
        there.roles.is_empty(),
        "a role on one instance is none on another"
    );
    people.remove(ann.id, &actor(), now(), rng).await.unwrap();
    assert!(roles(&world).is_none());
    let world = world.reopen(Policy::default()).await;
    assert!(
        world.store.people().list().is_empty() && world.store.credentials().list(None).is_empty()
    );
}

#[tokio::test]
async fn the_database_holds_no_secret_in_clear_and_opens_only_with_its_master_key() {
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    let issued = world.credential(&ann, "nightly").await.unwrap();
    let active = world.store.signing_keys().active();
    let private = active.to_pkcs8().unwrap();
    world.store.close().await;
    for file in std::fs::read_dir(world.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        assert!(
            !holds(issued.secret.expose().as_bytes()),
            "a client secret in clear"
        );
        assert!(
            !holds(&private[private.len() - 64..]),
            "a private key in clear"
        );
    }
    let other = MasterKey::generate(&mut SystemRandom).to_text().to_string();
    let wrong = open(world.folder.path(), &other, Policy::default()).await;
    assert!(matches!(wrong.err(), Some(StoreError::WrongMasterKey)));
}

#[tokio::test]
async fn the_journal_is_read_back_in_order_behind_its_snapshot() {
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    let (journals, us1) = (world.store.sandbox_journals(), world.us1());
    assert!(journals.load(&ann.workspace, &us1).await.unwrap().is_none());
    journals
        .snapshot(&ann.workspace, &us1, 0, "seed")
        .await
        .unwrap();
    let entry = |sequence: u64| JournalEntry {
        sequence,
        at: now(),
        changes: format!("{sequence}"),
    };
    for sequence in 1..=3 {
        journals
            .append(&ann.workspace, &us1, entry(sequence))
            .await
            .unwrap();
    }
    let world = world.reopen(Policy::default()).await;
    let journals = world.store.sandbox_journals();
    let stored = journals.load(&ann.workspace, &us1).await.unwrap().unwrap();
    assert_eq!(
        (stored.state.as_str(), stored.entries),
        ("seed", vec![entry(1), entry(2), entry(3)])
    );
    journals
        .snapshot(&ann.workspace, &us1, 2, "later")
        .await
        .unwrap();
    let stored = journals.load(&ann.workspace, &us1).await.unwrap().unwrap();
    assert_eq!(
        (stored.state.as_str(), stored.entries),
        ("later", vec![entry(3)])
    );
    assert!(
        journals
            .append(&ann.workspace, &us1, entry(3))
            .await
            .is_err(),
        "a place taken twice"
    );
}

#[tokio::test]
async fn a_snapshot_of_many_parts_is_whole_and_an_older_one_changes_nothing() {
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    let (journals, us1) = (world.store.sandbox_journals(), world.us1());
    // Letters of three bytes, so that no part ends where a letter does by chance.
    let large = "\u{20ac}".repeat(700_001);
    for (sequence, state) in [(7, large.as_str()), (7, "same"), (3, "older")] {
        journals
            .snapshot(&ann.workspace, &us1, sequence, state)
            .await
            .unwrap();
        let stored = journals.load(&ann.workspace, &us1).await.unwrap().unwrap();
        assert!(stored.state == large && stored.includes == 7);
    }
    let listed = journals.list().await.unwrap();
    assert_eq!((listed.len(), listed[0].changes), (1, 7));
    assert_eq!(listed[0].snapshot_bytes, 2_100_003);
    journals
        .snapshot(&ann.workspace, &us1, 8, "new")
        .await
        .unwrap();
    let world = world.reopen(Policy::default()).await;
    let journals = world.store.sandbox_journals();
    let stored = journals.load(&ann.workspace, &us1).await.unwrap().unwrap();
    assert_eq!((stored.state.as_str(), stored.includes), ("new", 8));
    let mut connection = crate::world::database(world.folder.path()).await;
    let parts = sqlx::query("SELECT count(*) AS parts FROM sandbox_snapshot_part")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(sqlx::Row::get::<i64, _>(&parts, "parts"), 1);
}

#[tokio::test]
async fn a_snapshot_that_counts_is_no_failure_when_what_it_replaces_cannot_be_deleted() {
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    let (journals, us1) = (world.store.sandbox_journals(), world.us1());
    let replace = |state: &'static str| journals.replace(&ann.workspace, &us1, state);
    assert_eq!(replace("first").await.unwrap(), 0);
    let entry = JournalEntry {
        sequence: 1,
        at: now(),
        changes: "1".to_owned(),
    };
    journals.append(&ann.workspace, &us1, entry).await.unwrap();
    let mut connection = crate::world::database(world.folder.path()).await;
    sqlx::query(
        "CREATE TRIGGER broken BEFORE DELETE ON sandbox_journal BEGIN SELECT raise(ABORT, 'no'); END",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    assert_eq!(replace("second").await.unwrap(), 2);
    let stored = journals.load(&ann.workspace, &us1).await.unwrap().unwrap();
    assert_eq!(
        (stored.state.as_str(), stored.last_sequence()),
        ("second", 2)
    );
}

#[tokio::test]
async fn snapshots_that_are_written_at_once_do_not_mix() {
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    let us1 = world.us1();
    let states = ["a", "b"].map(|letter| letter.repeat(2_000_000));
    let (one, other) = (
        world.store.sandbox_journals(),
        world.store.sandbox_journals(),
    );
    let (one, other) = tokio::join!(
        one.replace(&ann.workspace, &us1, &states[0]),
        other.replace(&ann.workspace, &us1, &states[1]),
    );
    let mut places = [one.unwrap(), other.unwrap()];
    places.sort_unstable();
    assert_eq!(places, [0, 1]);
    let journals = world.store.sandbox_journals();
    let stored = journals.load(&ann.workspace, &us1).await.unwrap().unwrap();
    assert!(states.contains(&stored.state), "one of them, and whole");
    assert_eq!(stored.includes, 1);
}

#[tokio::test]
async fn audit_events_are_kept_counted_and_forgotten_in_time() {
    let policy = Policy {
        audit_retention: SignedDuration::from_hours(24),
        ..Policy::default()
    };
    let world = World::new(policy).await;
    let audit = world.store.audit_log();
    let event = |message: &str, at: Timestamp| {
        AuditEvent::new(AuditState::Failure, message, "test", at, &mut SystemRandom)
    };
    for _ in 0..50 {
        audit.count(event("refused", now()).per_minute("refused 192.0.2.1"));
    }
    audit.record(event("kept", now())).await.unwrap();
    let messages = world.messages().await;
    assert!(
        messages.contains(&("refused".to_owned(), 50)),
        "{messages:?}"
    );
    let later = now() + SignedDuration::from_hours(49);
    audit.record(event("new", later)).await.unwrap();
    assert_eq!(world.messages().await, [("new".to_owned(), 1)]);
}

#[tokio::test]
async fn a_flood_of_different_strangers_leaves_a_bounded_number_of_rows() {
    let world = World::new(Policy::default()).await;
    let audit = world.store.audit_log();
    for n in 0..5000 {
        let event = AuditEvent::new(
            AuditState::Failure,
            "refused",
            "test",
            now(),
            &mut SystemRandom,
        );
        audit.count(event.per_minute(&format!("refused {n}")));
    }
    let query = AuditQuery {
        workspace: None,
        oldest_first: true,
        after: None,
        limit: 10_000,
    };
    audit.settle().await.unwrap();
    let rows = audit.read(&query).await.unwrap();
    assert!(rows.len() < 1100, "{} rows", rows.len());
    assert_eq!(
        rows.iter().map(|row| row.event.count).sum::<u64>(),
        5000,
        "none is lost"
    );
}

#[tokio::test]
async fn earlier_issuers_are_trusted_while_their_tokens_may_live() {
    let world = World::new(Policy::default()).await;
    let issuer = |n: u16| Issuer::parse(&format!("http://127.0.0.1:{n}")).unwrap();
    let at = |minutes: i64| now() + SignedDuration::from_mins(minutes);
    let store = &world.store;
    let only = |n: u16| [issuer(n)];
    assert_eq!(
        store.use_issuers(&only(1), at(0)).await.unwrap(),
        [issuer(1)]
    );
    let trusted = store.use_issuers(&only(2), at(600)).await.unwrap();
    assert_eq!(
        trusted,
        [issuer(2), issuer(1)],
        "the first served until the second took over"
    );
    let trusted = store.use_issuers(&only(3), at(600 + 121)).await.unwrap();
    assert_eq!(trusted, [issuer(3), issuer(2)]);
}

#[tokio::test]
async fn several_issuers_are_in_use_at_once_and_each_outlives_its_use() {
    let world = World::new(Policy::default()).await;
    let store = &world.store;
    let own = Issuer::parse("http://127.0.0.1:1").unwrap();
    let other = Issuer::parse("https://sso.example.com").unwrap();
    let at = |minutes: i64| now() + SignedDuration::from_mins(minutes);
    let both = [own.clone(), other.clone()];
    assert_eq!(store.use_issuers(&both, at(0)).await.unwrap(), both);
    // A day later its youngest token may still be alive.
    let one = [own.clone()];
    assert_eq!(store.use_issuers(&one, at(1440)).await.unwrap(), both);
    assert_eq!(store.use_issuers(&one, at(1440 + 121)).await.unwrap(), one);
}

#[tokio::test]
async fn a_setup_link_works_once_and_for_a_time() {
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    let (links, rng) = (world.store.setup_links(), &mut SystemRandom);
    let first = links.issue(ann.id, &actor(), now(), rng).await.unwrap();
    let second = links.issue(ann.id, &actor(), now(), rng).await.unwrap();
    assert!(
        links.find(&first, now()).await.unwrap().is_none(),
        "replaced by the second"
    );
    assert_eq!(
        links.find(&second, now()).await.unwrap().unwrap().id,
        ann.id
    );
    let late = now() + SignedDuration::from_hours(72);
    assert!(
        !links
            .redeem(&second, "hash", "192.0.2.1", late, rng)
            .await
            .unwrap()
    );
    assert!(
        links
            .redeem(&second, "hash", "192.0.2.1", now(), rng)
            .await
            .unwrap()
    );
    assert!(
        !links
            .redeem(&second, "hash", "192.0.2.1", now(), rng)
            .await
            .unwrap(),
        "used up"
    );
    let said = world.messages().await;
    assert!(
        said.contains(&("ann@example.com chose a password".to_owned(), 1)),
        "{said:?}"
    );
}

#[tokio::test]
async fn role_changes_at_the_same_time_do_not_undo_one_another() {
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    let people = world.store.people();
    let revoke = async {
        let rng = &mut SystemRandom;
        people
            .revoke(ann.id, None, Role::Operator, &actor(), now(), rng)
            .await
            .unwrap()
    };
    let assign = async {
        let (rng, us1) = (&mut SystemRandom, Some(world.us1()));
        people
            .assign(ann.id, us1, Role::Observer, &actor(), now(), rng)
            .await
            .unwrap()
    };
    tokio::join!(revoke, assign);
    let roles = people.find("ann@example.com", None).unwrap().roles;
    assert_eq!(roles, [(Some(world.us1()), Role::Observer.into())]);
}

#[tokio::test]
async fn an_invited_person_has_a_link_that_works() {
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    let (people, rng) = (world.store.people(), &mut SystemRandom);
    let email = Subject::parse("bob@example.com").unwrap();
    let invited = people
        .invite(&ann.workspace, email, None, &actor(), now(), rng)
        .await;
    let (bob, secret) = invited.unwrap();
    let found = world
        .store
        .setup_links()
        .find(&secret, now())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.id, bob.id);
}
