//! Every form of the console is refused without its session's form token, and then changes nothing.
//!
//! A page that takes POST has a row in [`FORMS`]; a handler without one fails the last test.

use std::fmt::Write as _;

use hallpass_access::Role;
use hallpass_store::Person;

use crate::sign_in::{PASSWORD, choose};
use crate::world::{Browser, World};

/// A page, and what the form on it holds besides the token.
type Row = (&'static str, &'static [(&'static str, &'static str)]);

/// Every page that takes a form of somebody signed in. The words in braces stand for things of the
/// scene: another session of the administrator, their credential, another person, a role, another
/// workspace, an application instance.
const FORMS: &[Row] = &[
    ("/sign-out", &[]),
    (
        "/console/account/password",
        &[
            ("current", PASSWORD),
            ("password", "tin lamp orbit nine"),
            ("again", "tin lamp orbit nine"),
        ],
    ),
    ("/console/account/second-factor/begin", &[]),
    ("/console/account/second-factor", &[("code", "000000")]),
    ("/console/account/second-factor/off", &[]),
    ("/console/account/second-factor/recovery-codes", &[]),
    ("/console/account/sessions/{session}/end", &[]),
    ("/console/account/sessions/end-others", &[]),
    (
        "/console/credentials/new",
        &[("name", "weekly"), ("instance", "us1")],
    ),
    (
        "/console/credentials/{credential}/change",
        &[("expires", "2027-12-31")],
    ),
    ("/console/credentials/{credential}/token", &[]),
    ("/console/credentials/{credential}/reset", &[]),
    ("/console/credentials/{credential}/delete", &[]),
    ("/console/credentials/{credential}/disable", &[]),
    ("/console/credentials/{credential}/enable", &[]),
    ("/console/credentials/{credential}/file", &[]),
    (
        "/console/users/new",
        &[("email", "eve@example.com"), ("role", "observer")],
    ),
    ("/console/users/{user}/assign", &[("role", "observer")]),
    ("/console/users/{user}/take-away", &[("role", "operator")]),
    ("/console/users/{user}/setup-link", &[]),
    ("/console/users/{user}/second-factor", &[]),
    ("/console/users/{user}/enable", &[]),
    ("/console/users/{user}/disable", &[]),
    ("/console/users/{user}/remove", &[]),
    ("/console/roles/new", BACKUP),
    ("/console/roles/{role}", BACKUP),
    ("/console/roles/{role}/delete", &[]),
    ("/console/workspaces/new", &[("name", "Lab")]),
    ("/console/workspaces/{workspace}", &[("name", "Renamed")]),
    ("/console/workspaces/{workspace}/delete", &[]),
    ("/console/instances/new", &[("name", "eu2")]),
    ("/console/instances/{instance}", &[("title", "Elsewhere")]),
    ("/console/instances/{instance}/delete", &[]),
];

/// A role.
const BACKUP: &[(&str, &str)] = &[("name", "Backup"), ("permission", "volume.read")];

/// Pages that take a form from whoever is not signed in yet: `/sign-in`, `/sign-in/code` and
/// `/setup/{secret}`, which have tests of their own.
const BEFORE_A_SESSION: usize = 3;

/// How handlers of the REST API begin where they are routed, unless that is in a file `rest.rs`. They
/// want a token, or the form token in a header.
const OF_THE_API: [&str; 2] = ["post(rest::", "post(credentials::"];

struct Scene<'a> {
    world: &'a World,
    ann: Person,
    browser: Browser,
    other: Browser,
    path: String,
}

impl<'a> Scene<'a> {
    /// Everything anew for each row, in a world for all: one takes its time to be made.
    async fn of(world: &'a World, (path, _): &Row) -> Self {
        let number = world.store.people().list().len();
        let person = async |name: &str, role| {
            let email = format!("{name}{number}@example.com");
            world.person("Main", &email, Some(role)).await
        };
        let ann = person("ann", Role::Administrator).await;
        // It takes its time, and nothing else asks for it.
        if path.ends_with("/password") {
            choose(world, &ann).await;
        }
        let bob = person("bob", Role::Operator).await;
        let credential = world.credential(&ann, "us1", "nightly").await;
        let other = world.browser(&ann).await;
        let sessions = world.store.sessions();
        let known = sessions.list(ann.id, world.now()).await.unwrap();
        let browser = world.browser(&ann).await;
        let mut path = path
            .replace("{session}", &known[0].id)
            .replace("{credential}", credential.credential.client_id.as_str())
            .replace("{user}", &bob.id.to_string())
            .replace("{instance}", world.instance("jp1").as_str());
        if path.contains("{workspace}") {
            let other = world.workspace("Other").await;
            path = path.replace("{workspace}", other.id.as_str());
        }
        if path.contains("{role}") {
            // There is one already, after the row that makes it.
            world.submit(&browser, "/console/roles/new", BACKUP).await;
            let roles = world.store.custom_roles().list(&ann.workspace);
            path = path.replace("{role}", &roles[0].id.to_string());
        }
        Self {
            world,
            ann,
            browser,
            other,
            path,
        }
    }

    /// What a change would change: what is known of the person, and the audit log.
    async fn state(&self) -> String {
        let store = &self.world.store;
        let (now, ann) = (self.world.now(), self.ann.id);
        let mut state = format!("{:?}", store.passwords().of(ann).await.unwrap());
        let sessions = store.sessions().list(ann, now).await.unwrap();
        let sessions: Vec<_> = sessions.iter().map(|known| &known.id).collect();
        write!(state, "{sessions:?}").unwrap();
        let factor = store.second_factors().of(ann, now).await.unwrap();
        write!(state, "{factor:?}").unwrap();
        write!(state, "{:?}", store.people().list()).unwrap();
        write!(state, "{:?}", store.credentials().list(None)).unwrap();
        let roles = store.custom_roles().list(&self.ann.workspace);
        write!(state, "{roles:?}").unwrap();
        let workspaces = store.workspaces();
        let (known, instances) = (workspaces.list(), workspaces.instances());
        write!(state, "{known:?}{instances:?}").unwrap();
        let audit = self.world.audit().await;
        write!(state, "{}", audit.len()).unwrap();
        state
    }

    async fn send(&self, (_, fields): &Row, token: Option<&str>, more: &[(&str, &str)]) -> u16 {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(token.map(|token| ("form_token", token)));
        form.extend_pairs(*fields);
        let cookie = World::parts(&self.browser).0;
        let mut headers = vec![
            ("cookie", cookie),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        headers.extend(more);
        let form = form.finish();
        let answer = self.world.send("POST", &self.path, &headers, &form);
        answer.await.status.as_u16()
    }
}

#[tokio::test]
async fn no_form_is_taken_without_the_token_of_its_own_session() {
    let world = World::new().await;
    for row in FORMS {
        let scene = Scene::of(&world, row).await;
        let before = scene.state().await;
        let own = World::parts(&scene.browser).1;
        let of_another = World::parts(&scene.other).1;
        let path = row.0;
        assert_eq!(scene.send(row, None, &[]).await, 403, "{path}");
        assert_eq!(scene.send(row, Some(""), &[]).await, 403, "{path}");
        assert_eq!(scene.send(row, Some(of_another), &[]).await, 403, "{path}");
        let elsewhere = [("sec-fetch-site", "cross-site")];
        assert_eq!(scene.send(row, Some(own), &elsewhere).await, 403, "{path}");
        let elsewhere = [("origin", "https://evil.example")];
        assert_eq!(scene.send(row, Some(own), &elsewhere).await, 403, "{path}");
        assert_eq!(scene.state().await, before, "{path}");
        // Where nothing stands in the way it is taken: the row is not refused for another reason.
        let taken = scene.send(row, Some(own), &[]).await;
        let taken_as_ours = !matches!(taken, 403..=405 | 500..);
        assert!(taken_as_ours, "{path}: {taken}");
    }
}

/// Nothing that a link or a picture on another site can cause changes anything.
#[tokio::test]
async fn get_changes_nothing() {
    let world = World::new().await;
    for row in FORMS {
        let scene = Scene::of(&world, row).await;
        let before = scene.state().await;
        scene.world.open(&scene.browser, &scene.path).await;
        assert_eq!(scene.state().await, before, "{}", row.0);
    }
}

#[test]
fn every_handler_of_a_form_has_a_row() {
    let mut folders = vec![std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut handlers = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("rest.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let all = text.matches("post(").count();
                let of_the_api = OF_THE_API.map(|begin| text.matches(begin).count());
                handlers += all - of_the_api.iter().sum::<usize>();
            }
        }
    }
    assert_eq!(
        handlers,
        FORMS.len() + BEFORE_A_SESSION,
        "a page that takes a form needs a row in FORMS"
    );
}
