//! Application instances, and workspaces that are renamed and removed.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use hallpass_access::Role;
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::{ApplicationInstanceId, Subject};
use hallpass_store::audit::AuditQuery;
use hallpass_store::credentials::CredentialError;
use hallpass_store::instances::{
    ApplicationInstance, InstanceChange, InstanceError, InstanceServers, NewInstance, Origin,
    Upstream,
};
use hallpass_store::workspaces::WorkspaceError;
use hallpass_store::{JournalEntry, Policy, Workspace};

use crate::world::{World, actor, now};

fn new(name: &str) -> NewInstance {
    NewInstance {
        name: name.to_owned(),
        title: "Inventory".to_owned(),
        region: "Attic".to_owned(),
        base_url: Some("https://inventory.example.com".parse().unwrap()),
        origin: upstream("http://10.0.0.7:8080/v2"),
        listen: None,
        enabled: true,
    }
}

fn upstream(url: &str) -> Origin {
    Origin::Upstream(Upstream {
        url: url.parse().unwrap(),
        passes_token: true,
    })
}

async fn create(
    world: &World,
    new: NewInstance,
) -> Result<Arc<ApplicationInstance>, InstanceError> {
    let by = actor();
    let workspaces = world.store.workspaces();
    workspaces
        .create_instance(new, &by, now(), &mut SystemRandom)
        .await
}

async fn change(
    world: &World,
    id: &ApplicationInstanceId,
    change: InstanceChange,
) -> Result<Arc<ApplicationInstance>, InstanceError> {
    let by = actor();
    let workspaces = world.store.workspaces();
    workspaces
        .change_instance(id, change, &by, now(), &mut SystemRandom)
        .await
}

async fn workspace(world: &World, name: &str) -> Arc<Workspace> {
    let by = actor();
    let workspaces = world.store.workspaces();
    workspaces
        .create(name, &by, now(), &mut SystemRandom)
        .await
        .unwrap()
}

/// What the log of a workspace says.
async fn told(world: &World, workspace: &Workspace) -> Vec<String> {
    let query = AuditQuery {
        workspace: Some(workspace.id.clone()),
        oldest_first: true,
        after: None,
        limit: 100,
    };
    let events = world.store.audit_log().read(&query).await.unwrap();
    events.into_iter().map(|e| e.event.message).collect()
}

#[tokio::test]
async fn an_instance_is_what_it_was_made_and_changed_to_after_a_restart() {
    let world = World::new(Policy::default()).await;
    let main = workspace(&world, "Main").await;
    let made = create(&world, new("attic")).await.unwrap();
    let sandbox = InstanceChange {
        origin: Some(Origin::Sandbox),
        enabled: Some(false),
        ..InstanceChange::default()
    };
    let off = change(&world, &made.id, sandbox).await.unwrap();
    assert_eq!((&off.origin, off.enabled), (&Origin::Sandbox, false));
    assert_eq!(off.title, made.title, "the rest stays");
    let again = InstanceChange {
        origin: Some(made.origin.clone()),
        enabled: Some(true),
        ..InstanceChange::default()
    };
    change(&world, &made.id, again).await.unwrap();
    let world = world.reopen(Policy::default()).await;
    let workspaces = world.store.workspaces();
    assert_eq!(workspaces.find_instance("attic").unwrap(), made);
    let first = workspaces.find_instance("us1").unwrap();
    assert_eq!(first.region, "US West");
    let words = [
        "created",
        "switched off: the stand-in answers",
        "switched on: upstream http://10.0.0.7:8080/v2, which gets the access tokens",
    ];
    let expected = words.map(|word| format!("Application instance attic {word}"));
    assert_eq!(told(&world, &main).await[1..], expected);
}

#[tokio::test]
async fn an_instance_goes_with_its_credentials_its_roles_and_its_stand_ins_or_not_at_all() {
    let by = actor();
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    let attic = create(&world, new("attic")).await.unwrap();
    let rng = &mut SystemRandom;
    let (people, credentials) = (world.store.people(), world.store.credentials());
    let on_attic = Some(attic.id.clone());
    people
        .assign(ann.id, on_attic, Role::Observer, &by, now(), rng)
        .await
        .unwrap();
    let issued = credentials
        .create(ann.id, attic.id.clone(), "x", &by, now(), rng)
        .await
        .unwrap();
    let entry = JournalEntry {
        sequence: 1,
        at: now(),
        changes: "1".to_owned(),
    };
    let journals = world.store.sandbox_journals();
    journals
        .append(&ann.workspace, &attic.id, entry)
        .await
        .unwrap();
    journals
        .snapshot(&ann.workspace, &attic.id, 0, "x")
        .await
        .unwrap();

    let workspaces = world.store.workspaces();
    let refused = workspaces.remove_instance(&attic.id, false, &by, now(), rng);
    let refused = refused.await;
    assert!(
        matches!(refused, Err(InstanceError::InUse { credentials: 1, .. })),
        "{refused:?}"
    );
    workspaces
        .remove_instance(&attic.id, true, &by, now(), rng)
        .await
        .unwrap();
    for world in [world.reopen(Policy::default()).await] {
        let client_id = issued.credential.client_id.as_str();
        assert!(world.store.credentials().find(client_id).is_none());
        let ann = world.store.people().find("ann@example.com", None).unwrap();
        assert_eq!(ann.roles, [(None, Role::Operator.into())]);
        assert!(world.store.workspaces().find_instance("attic").is_none());
        let journals = world.store.sandbox_journals();
        assert!(journals.list().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn what_every_system_has_stays_and_the_platform_is_no_service() {
    let by = actor();
    let world = World::new(Policy::default()).await;
    let (workspaces, rng) = (world.store.workspaces(), &mut SystemRandom);
    let us1 = world.us1();
    let removed = workspaces.remove_instance(&us1, true, &by, now(), rng);
    assert!(matches!(removed.await, Err(InstanceError::First(_))));
    let elsewhere = InstanceChange {
        listen: Some(Some("127.0.0.1:9".parse().unwrap())),
        ..InstanceChange::default()
    };
    let moved = change(&world, &us1, elsewhere).await;
    assert!(matches!(moved, Err(InstanceError::Configured(_))));
    let platform = ApplicationInstanceId::platform();
    for wanted in [
        InstanceChange {
            enabled: Some(false),
            ..InstanceChange::default()
        },
        InstanceChange {
            origin: Some(upstream("http://10.0.0.7")),
            ..InstanceChange::default()
        },
    ] {
        let refused = change(&world, &platform, wanted).await;
        assert!(matches!(refused, Err(InstanceError::Platform(_))));
    }
}

#[tokio::test]
async fn names_hosts_and_instances_that_are_off_are_refused() {
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    create(&world, new("attic")).await.unwrap();
    for name in ["", "Attic", "1st", "a b", "us1", "attic"] {
        let refused = create(&world, new(name)).await.unwrap_err();
        let taken = matches!(refused, InstanceError::NameTaken(_));
        assert_eq!(taken, ["us1", "attic"].contains(&name), "{name}: {refused}");
    }
    let refused = create(&world, new("cellar")).await;
    assert!(matches!(refused, Err(InstanceError::BaseUrlTaken(_))));
    let off = InstanceChange {
        enabled: Some(false),
        ..InstanceChange::default()
    };
    change(&world, &world.us1(), off).await.unwrap();
    let refused = world.credential(&ann, "nightly").await;
    assert!(matches!(refused, Err(CredentialError::InstanceOff(_))));
}

/// Whoever serves, in a test: one address is free, and what was told is kept.
struct Served(Mutex<Vec<usize>>);

const FREE: &str = "127.0.0.1:4711";

impl InstanceServers for Served {
    fn open(&self, address: SocketAddr) -> std::io::Result<SocketAddr> {
        match address.port() {
            0 => Ok(FREE.parse().unwrap()),
            _ => Err(std::io::ErrorKind::AddrInUse.into()),
        }
    }

    fn changed(&self, instances: &[Arc<ApplicationInstance>]) {
        self.0.lock().unwrap().push(instances.len());
    }
}

#[tokio::test]
async fn whoever_serves_opens_the_listener_before_anything_is_written() {
    let by = actor();
    let world = World::new(Policy::default()).await;
    let served = Arc::new(Served(Mutex::default()));
    world.store.workspaces().attend(served.clone());
    let at = |address: &str| NewInstance {
        listen: Some(address.parse().unwrap()),
        ..new("attic")
    };
    let refused = create(&world, at("127.0.0.1:80")).await;
    assert!(matches!(refused, Err(InstanceError::Listen { .. })));
    assert!(world.store.workspaces().find_instance("attic").is_none());
    let made = create(&world, at("127.0.0.1:0")).await.unwrap();
    assert_eq!(made.listen, Some(FREE.parse().unwrap()));
    let (workspaces, rng) = (world.store.workspaces(), &mut SystemRandom);
    workspaces
        .remove_instance(&made.id, false, &by, now(), rng)
        .await
        .unwrap();
    assert_eq!(*served.0.lock().unwrap(), [5, 4]);
}

#[tokio::test]
async fn a_workspace_has_people_of_its_own_and_is_removed_when_nobody_is_left() {
    let by = actor();
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    let (workspaces, people) = (world.store.workspaces(), world.store.people());
    let main = workspaces.find(&ann.workspace).unwrap();
    let lab = workspace(&world, "Lab").await;
    assert!(workspaces.is_operating(&main.id) && !workspaces.is_operating(&lab.id));
    let rng = &mut SystemRandom;
    let email = Subject::parse("ann@example.com").unwrap();
    let other = people
        .create(&lab.id, email, None, &by, now(), rng)
        .await
        .unwrap();
    let renamed = workspaces.rename(&lab.id, "Laboratory", &by, now(), rng);
    assert_eq!(renamed.await.unwrap().name, "Laboratory");
    let taken = workspaces.rename(&lab.id, "Main", &by, now(), rng);
    assert!(matches!(taken.await, Err(WorkspaceError::NameTaken(_))));
    let inhabited = workspaces.remove(&lab.id, &by, now(), rng).await;
    assert!(
        matches!(inhabited, Err(WorkspaceError::Inhabited { people: 1, .. })),
        "{inhabited:?}"
    );
    people.remove(other.id, &by, now(), rng).await.unwrap();
    workspaces.remove(&lab.id, &by, now(), rng).await.unwrap();
    let operating = workspaces.remove(&main.id, &by, now(), rng).await;
    assert!(matches!(operating, Err(WorkspaceError::Operating(_))));
    let world = world.reopen(Policy::default()).await;
    assert_eq!(world.store.workspaces().list(), std::slice::from_ref(&main));
    assert_eq!(world.store.people().list().len(), 1);
    let log = told(&world, &main).await;
    for what in [
        "Lab created",
        "Lab renamed to Laboratory",
        "Laboratory removed",
    ] {
        assert!(log.contains(&format!("Workspace {what}")), "{log:?}");
    }
}
