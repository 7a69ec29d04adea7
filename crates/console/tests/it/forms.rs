//! Every form of the console is refused without its session's form token, and then changes nothing.
//!
//! A page that takes POST has a row in [`FORMS`]; a handler without one fails the last test.

use std::fmt::Write as _;

use hallpass_access::Role;
use hallpass_store::Person;

use crate::sign_in::{PASSWORD, choose};
use crate::world::{Browser, World};

/// A page, and a form that does something when it comes from a page of ours.
struct Row {
    path: &'static str,
    fields: &'static [(&'static str, &'static str)],
}

/// Every page that takes a form of somebody signed in. `{session}` is another session of theirs,
/// `{user}` somebody else in their workspace, `{role}` a role of it.
const FORMS: &[Row] = &[
    Row {
        path: "/sign-out",
        fields: &[],
    },
    Row {
        path: "/console/account/password",
        fields: &[
            ("current", PASSWORD),
            ("password", "tin lamp orbit nine"),
            ("again", "tin lamp orbit nine"),
        ],
    },
    Row {
        path: "/console/account/second-factor/begin",
        fields: &[],
    },
    Row {
        path: "/console/account/second-factor",
        fields: &[("code", "000000")],
    },
    Row {
        path: "/console/account/second-factor/off",
        fields: &[],
    },
    Row {
        path: "/console/account/second-factor/recovery-codes",
        fields: &[],
    },
    Row {
        path: "/console/account/sessions/{session}/end",
        fields: &[],
    },
    Row {
        path: "/console/account/sessions/end-others",
        fields: &[],
    },
    Row {
        path: "/console/users/new",
        fields: &[
            ("email", "new@example.com"),
            ("role", "observer"),
            ("instance", "all"),
        ],
    },
    Row {
        path: "/console/users/{user}/assign",
        fields: &[("role", "operator"), ("instance", "us1")],
    },
    Row {
        path: "/console/users/{user}/take-away",
        fields: &[("role", "observer"), ("instance", "all")],
    },
    Row {
        path: "/console/users/{user}/setup-link",
        fields: &[],
    },
    Row {
        path: "/console/users/{user}/enable",
        fields: &[],
    },
    Row {
        path: "/console/users/{user}/disable",
        fields: &[],
    },
    Row {
        path: "/console/users/{user}/remove",
        fields: &[],
    },
    Row {
        path: "/console/roles/new",
        fields: &[("name", "Keeper"), ("permission", "disk.read")],
    },
    Row {
        path: "/console/roles/{role}",
        fields: &[("name", "Keeper"), ("permission", "disk.read")],
    },
    Row {
        path: "/console/roles/{role}/delete",
        fields: &[],
    },
];

/// Pages that take a form from whoever is not signed in yet: `/sign-in`, `/sign-in/code` and
/// `/setup/{secret}`, which have tests of their own.
const BEFORE_A_SESSION: usize = 3;

/// Handlers for POST of the REST API: create and reset credentials, invite people, make set-up links,
/// assign and make roles. They want a token or the header.
const OF_THE_API: usize = 6;

struct Scene {
    world: World,
    ann: Person,
    browser: Browser,
    other: Browser,
    path: String,
}

impl Scene {
    async fn of(row: &Row) -> Self {
        let world = World::new().await;
        let ann = world.administrator().await;
        choose(&world, &ann).await;
        let other = world.browser(&ann).await;
        let sessions = world.store.sessions();
        let known = sessions.list(ann.id, world.now()).await.unwrap();
        let otto = world.person("Main", "otto@example.com", Some(Role::Observer));
        let role = world.custom_role(&ann, "Role", "disk.read").await;
        let path = row.path.replace("{session}", &known[0].id);
        let path = path.replace("{user}", &otto.await.id.to_string());
        let path = path.replace("{role}", &role.id.to_string());
        let browser = world.browser(&ann).await;
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
        for stored in self.world.audit().await {
            writeln!(state, "{}", stored.event.message).unwrap();
        }
        state
    }

    async fn send(&self, row: &Row, token: Option<&str>, more: &[(&str, &str)]) -> u16 {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(token.map(|token| ("form_token", token)));
        form.extend_pairs(row.fields);
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
    for row in FORMS {
        let scene = Scene::of(row).await;
        let before = scene.state().await;
        let own = World::parts(&scene.browser).1;
        let of_another = World::parts(&scene.other).1;
        let path = row.path;
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
        assert!(matches!(taken, 200 | 303 | 422), "{path}: {taken}");
    }
}

/// Nothing that a link or a picture on another site can cause changes anything.
#[tokio::test]
async fn get_changes_nothing() {
    for row in FORMS {
        let scene = Scene::of(row).await;
        let before = scene.state().await;
        scene.world.open(&scene.browser, &scene.path).await;
        assert_eq!(scene.state().await, before, "{}", row.path);
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
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                handlers += text.matches("post(").count();
            }
        }
    }
    assert_eq!(
        handlers,
        FORMS.len() + BEFORE_A_SESSION + OF_THE_API,
        "a page that takes a form needs a row in FORMS"
    );
}
