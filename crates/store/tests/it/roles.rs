//! Roles that administrators make, and people who are disabled.

use hallpass_access::{CustomRole, Role};
use hallpass_oauth::Subject;
use hallpass_oauth::client_authentication::AuthenticationFailure;
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::verify::TokenRefusal;
use hallpass_store::people::{Assignments, People, PersonError};
use hallpass_store::roles::{RoleError, RoleId, RoleKey, WorkspaceRole};
use hallpass_store::{Person, Policy};

use crate::world::{World, actor, after, form_of, now};

fn role(name: &str, words: &str) -> CustomRole {
    CustomRole::new(name, "for tests", words.parse().unwrap()).unwrap()
}

impl World {
    async fn role(
        &self,
        person: &Person,
        name: &str,
        words: &str,
    ) -> std::sync::Arc<WorkspaceRole> {
        let roles = self.store.custom_roles();
        roles
            .create(
                &person.workspace,
                role(name, words),
                &actor(),
                now(),
                &mut SystemRandom,
            )
            .await
            .unwrap()
    }

    async fn assign(&self, person: &Person, key: impl Into<RoleKey>) -> Person {
        let people = self.store.people();
        people
            .assign(person.id, None, key, &actor(), now(), &mut SystemRandom)
            .await
            .unwrap()
    }

    fn may(&self, token: &str, word: &str) -> bool {
        let caller = self.verify(token, now()).unwrap();
        caller.principal().roles.permits(&word.parse().unwrap())
    }
}

#[tokio::test]
async fn a_changed_and_a_removed_role_act_at_once_and_survive_a_restart() {
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    let issued = world.credential(&ann, "nightly").await.unwrap();
    let token = world.token_of(&issued, now()).await;
    assert!(!world.may(&token, "volume.delete"), "she is an operator");

    let made = world.role(&ann, "Cleaner", "volume.delete").await;
    assert!(!world.may(&token, "volume.delete"), "it is not hers yet");
    world.assign(&ann, made.id).await;
    assert!(world.may(&token, "volume.delete") && !world.may(&token, "disk.delete"));

    let (roles, rng) = (world.store.custom_roles(), &mut SystemRandom);
    let changed = role("Sweeper", "disk.*");
    roles
        .change(made.id, &ann.workspace, changed, &actor(), after(60), rng)
        .await
        .unwrap();
    assert!(!world.may(&token, "volume.delete") && world.may(&token, "disk.delete"));

    let world = world.reopen(Policy::default()).await;
    assert!(world.may(&token, "disk.delete"));
    let roles = world.store.custom_roles();
    let kept = roles.get(made.id, &ann.workspace).unwrap();
    assert_eq!((kept.role.name(), kept.updated_at), ("Sweeper", after(60)));
    assert_eq!(kept.created_at, now());

    let refused = roles
        .remove(made.id, &ann.workspace, false, &actor(), now(), rng)
        .await;
    assert!(matches!(
        refused,
        Err(RoleError::Assigned { people: 1, .. })
    ));
    assert!(world.may(&token, "disk.delete"), "nothing was changed");
    roles
        .remove(made.id, &ann.workspace, true, &actor(), now(), rng)
        .await
        .unwrap();
    assert!(!world.may(&token, "disk.delete"));
    let world = world.reopen(Policy::default()).await;
    assert!(world.store.custom_roles().list(&ann.workspace).is_empty());
    let said: Vec<_> = world
        .messages()
        .await
        .into_iter()
        .map(|(said, _)| said)
        .collect();
    for message in [
        "Role Cleaner created",
        "Role Cleaner assigned to ann@example.com everywhere",
        "Role Sweeper changed: it permits disk.*",
        "Role Sweeper removed and taken from 1 people",
    ] {
        assert!(
            said.iter().any(|known| known == message),
            "{message}: {said:?}"
        );
    }
}

#[tokio::test]
async fn roles_are_of_one_workspace_and_have_one_name() {
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    let made = world.role(&ann, "Cleaner", "volume.delete").await;
    let rng = &mut SystemRandom;
    let other = world
        .store
        .workspaces()
        .create("Other", &actor(), now(), rng)
        .await
        .unwrap();
    let (roles, people) = (world.store.custom_roles(), world.store.people());
    let twice = roles
        .create(
            &ann.workspace,
            role("cleaner", "a.read"),
            &actor(),
            now(),
            rng,
        )
        .await;
    assert!(matches!(twice, Err(RoleError::NameTaken(_))));
    let elsewhere = roles
        .create(&other.id, role("Cleaner", "a.read"), &actor(), now(), rng)
        .await
        .unwrap();
    assert!(roles.get(made.id, &other.id).is_none());
    let same = role("Cleaner", "b.read");
    let renamed = roles
        .change(made.id, &ann.workspace, same, &actor(), now(), rng)
        .await;
    assert!(renamed.is_ok(), "its own name is not taken");
    let foreign = roles
        .change(
            elsewhere.id,
            &ann.workspace,
            role("x", "a.read"),
            &actor(),
            now(),
            rng,
        )
        .await;
    assert!(matches!(foreign, Err(RoleError::Unknown(_))));
    let foreign = people
        .assign(ann.id, None, elsewhere.id, &actor(), now(), rng)
        .await;
    assert!(matches!(foreign, Err(PersonError::UnknownRole(_))));
    let unknown: RoleId = "6f2f8d64-3a0e-4c1e-8f0c-0e1d5a6f7b80".parse().unwrap();
    let email = "bob@example.com".parse().unwrap();
    let invited = people
        .invite(
            &ann.workspace,
            email,
            Assignments::from_iter([(None, unknown.into())]),
            &actor(),
            now(),
            rng,
        )
        .await;
    assert!(matches!(invited, Err(PersonError::UnknownRole(_))));
    assert_eq!(people.list().len(), 1, "nobody was added");
    assert_eq!(
        roles.find("OBSERVER", &other.id).unwrap().key(),
        Role::Observer.into()
    );
    assert_eq!(
        roles.find("cleaner", &other.id).unwrap().key(),
        elsewhere.id.into()
    );
    assert!(roles.find(&made.id.to_string(), &other.id).is_none());
}

#[tokio::test]
async fn a_disabled_person_has_no_tokens_no_sessions_and_no_way_in_until_enabled() {
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    let issued = world.credential(&ann, "nightly").await.unwrap();
    let form = form_of(issued.credential.client_id.as_str(), &issued.secret);
    let token = world.token_of(&issued, now()).await;
    let (people, sessions, rng) = (
        world.store.people(),
        world.store.sessions(),
        &mut SystemRandom,
    );
    let candidate = sessions.candidate("ann@example.com", None).await.unwrap();
    let candidate = candidate.unwrap();
    let step = sessions.begin_step(&candidate, now(), rng).await.unwrap();
    let step = step.unwrap();
    let cookie = sessions
        .begin(&candidate, &actor(), "Tests", now(), rng)
        .await
        .unwrap()
        .unwrap();
    let link = world
        .store
        .setup_links()
        .issue(ann.id, &actor(), now(), rng)
        .await
        .unwrap();

    let disabled = people
        .set_enabled(ann.id, false, &actor(), now(), rng)
        .await
        .unwrap();
    assert!(!disabled.enabled);
    assert_eq!(
        world.refusal(&token, now()),
        Some(TokenRefusal::CredentialGone)
    );
    assert!(matches!(
        world.authenticate(&form, now()),
        Err(AuthenticationFailure::Disabled)
    ));
    assert!(sessions.find(&cookie, now()).await.unwrap().is_none());
    let candidate = sessions.candidate("ann@example.com", None).await.unwrap();
    assert!(candidate.is_none());
    let links = world.store.setup_links();
    assert!(links.find(&link, now()).await.unwrap().is_none());

    let world = world.reopen(Policy::default()).await;
    assert_eq!(
        world.refusal(&token, now()),
        Some(TokenRefusal::CredentialGone)
    );
    assert!(world.authenticate(&form, now()).is_err());
    let (people, sessions) = (world.store.people(), world.store.sessions());
    people
        .set_enabled(ann.id, true, &actor(), now(), rng)
        .await
        .unwrap();
    let links = world.store.setup_links();
    assert!(links.find(&link, now()).await.unwrap().is_none());
    assert!(sessions.step(&step, now()).await.unwrap().is_none());
    assert_eq!(world.refusal(&token, now()), None);
    assert!(world.authenticate(&form, now()).is_ok());
    assert!(
        sessions.find(&cookie, now()).await.unwrap().is_none(),
        "the session stays ended"
    );
}

#[tokio::test]
async fn the_last_administrator_stays_one_for_those_who_could_not_undo_it() {
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    let ann = world.assign(&ann, Role::Administrator).await;
    let bob = world.person("bob@example.com").await;
    let rng = &mut SystemRandom;
    let kept = world.store.people().keeping_administrators();
    let last = |outcome: Result<(), PersonError>| {
        assert!(matches!(outcome, Err(PersonError::LastAdministrator(_))));
    };
    last(kept.remove(ann.id, &actor(), now(), rng).await);
    let disabled = kept.set_enabled(ann.id, false, &actor(), now(), rng).await;
    last(disabled.map(drop));
    let admin = Role::Administrator;
    let demoted = kept.revoke(ann.id, None, admin, &actor(), now(), rng).await;
    last(demoted.map(drop));
    kept.remove(bob.id, &actor(), now(), rng).await.unwrap();

    let eve = world.person("eve@example.com").await;
    let us1 = Some(world.us1());
    let people = world.store.people();
    people
        .assign(eve.id, us1, admin, &actor(), now(), rng)
        .await
        .unwrap();
    last(kept.remove(ann.id, &actor(), now(), rng).await);
    world.assign(&eve, Role::Administrator).await;
    kept.set_enabled(eve.id, false, &actor(), now(), rng)
        .await
        .unwrap();
    last(kept.remove(ann.id, &actor(), now(), rng).await);
    kept.set_enabled(eve.id, true, &actor(), now(), rng)
        .await
        .unwrap();
    let links = world.store.setup_links();
    for person in [ann.id, eve.id] {
        let link = links.issue(person, &actor(), now(), rng).await.unwrap();
        links
            .redeem(&link, "hash", "192.0.2.1", now(), rng)
            .await
            .unwrap();
        if person == ann.id {
            // Eve has not chosen a password, and might never.
            last(kept.remove(ann.id, &actor(), now(), rng).await);
        }
    }
    kept.remove(ann.id, &actor(), now(), rng).await.unwrap();
    last(kept.remove(eve.id, &actor(), now(), rng).await);
    people.remove(eve.id, &actor(), now(), rng).await.unwrap();
}

#[tokio::test]
async fn facts_tell_who_has_a_password_and_when_they_signed_in() {
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    let people = world.store.people();
    let facts = people.facts(&ann.workspace).await.unwrap()[&ann.id];
    assert_eq!((facts.created_at, facts.last_sign_in_at), (now(), None));
    assert!(!facts.has_password);
    let (links, rng) = (world.store.setup_links(), &mut SystemRandom);
    let link = links.issue(ann.id, &actor(), now(), rng).await.unwrap();
    links
        .redeem(&link, "hash", "192.0.2.1", now(), rng)
        .await
        .unwrap();
    let sessions = world.store.sessions();
    let candidate = sessions.candidate("ann@example.com", None).await.unwrap();
    sessions
        .begin(&candidate.unwrap(), &actor(), "Tests", after(5), rng)
        .await
        .unwrap();
    let facts = people.facts(&ann.workspace).await.unwrap()[&ann.id];
    assert!(facts.has_password);
    assert_eq!(facts.last_sign_in_at, Some(after(5)));
}

/// Bob may do what Ann may not, so she takes nothing from him: not the role, nor his place, nor his
/// sessions.
async fn above_is_out_of_reach(people: &People, ann: &Person, bob: &Person, role: RoleId) {
    let rng = &mut SystemRandom;
    let taken = people
        .revoke(bob.id, None, role, &actor(), now(), rng)
        .await;
    let disabled = people
        .set_enabled(bob.id, false, &actor(), now(), rng)
        .await;
    let removed = people.remove(bob.id, &actor(), now(), rng).await;
    let stopped = people.may_stop(ann.id, bob.id);
    for outcome in [taken.map(drop), disabled.map(drop), removed, stopped] {
        let is_above =
            matches!(&outcome, Err(PersonError::Above(more)) if more.to_string() == "audit.delete");
        assert!(is_above, "{outcome:?}");
    }
    people.may_stop(bob.id, bob.id).unwrap();
}

#[tokio::test]
async fn nobody_gives_more_than_they_have() {
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    let bob = world.person("bob@example.com").await;
    let manager = world.role(&ann, "Manager", "ANY.* workspace.update").await;
    world.assign(&ann, manager.id).await;
    let rng = &mut SystemRandom;
    let people = world.store.people().given_by(ann.id);
    let beyond = |outcome: Result<Person, PersonError>| match outcome {
        Err(PersonError::Beyond(rest)) => rest.to_string(),
        other => panic!("{other:?}"),
    };
    let admin = Role::Administrator;
    for person in [ann.id, bob.id] {
        let given = people
            .assign(person, None, admin, &actor(), now(), rng)
            .await;
        assert!(beyond(given).contains("workspace.delete"));
    }
    let email = Subject::parse("eve@example.com").unwrap();
    let roles = Assignments::from(Some(admin));
    let invited = people
        .invite(&ann.workspace, email, roles, &actor(), now(), rng)
        .await;
    beyond(invited.map(|(person, _)| person));
    let cleaner = world.role(&ann, "Cleaner", "volume.*").await;
    people
        .assign(bob.id, None, cleaner.id, &actor(), now(), rng)
        .await
        .unwrap();

    // What people have does not grow beyond it either; what it had, it may keep.
    let roles = world.store.custom_roles().given_by(ann.id);
    let workspace = &ann.workspace;
    let more = role("Cleaner", "volume.* audit.delete");
    let grown = roles
        .change(cleaner.id, workspace, more.clone(), &actor(), now(), rng)
        .await;
    assert!(matches!(grown, Err(RoleError::Beyond(rest)) if rest.to_string() == "audit.delete"));
    let by_hand = world.store.custom_roles();
    by_hand
        .change(cleaner.id, workspace, more, &actor(), now(), rng)
        .await
        .unwrap();
    let kept = role("Cleaner", "volume.* audit.delete disk.read");
    roles
        .change(cleaner.id, workspace, kept, &actor(), now(), rng)
        .await
        .unwrap();
    // Nor does it shrink: that would be taking from somebody who has more.
    let less = role("Cleaner", "audit.delete");
    let shrunk = roles
        .change(cleaner.id, workspace, less, &actor(), now(), rng)
        .await;
    let gone = roles
        .remove(cleaner.id, workspace, true, &actor(), now(), rng)
        .await;
    for outcome in [shrunk.map(drop), gone] {
        let is_above =
            matches!(&outcome, Err(RoleError::Above(more)) if more.to_string() == "audit.delete");
        assert!(is_above, "{outcome:?}");
    }
    assert!(matches!(
        people.may_stand_in(ann.id, bob.id),
        Err(PersonError::Beyond(_))
    ));
    above_is_out_of_reach(&people, &ann, &bob, cleaner.id).await;

    // What somebody has in one place, they give only there.
    let here = Some(world.us1());
    let local = world.store.people();
    local
        .assign(ann.id, here.clone(), admin, &actor(), now(), rng)
        .await
        .unwrap();
    people
        .assign(bob.id, here, admin, &actor(), now(), rng)
        .await
        .unwrap();
    beyond(
        people
            .assign(bob.id, None, admin, &actor(), now(), rng)
            .await,
    );
}
