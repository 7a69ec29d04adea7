//! No name holds what is not shown, wherever it is typed.

use hallpass_access::Role;
use hallpass_oauth::Subject;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::people::PersonError;
use serde_json::json;

use crate::world::{World, local};

/// A control character, one that has no width, one that turns the direction round, the end of a line.
const UNSEEN: [char; 5] = ['\u{7}', '\u{200b}', '\u{202e}', '\u{2066}', '\u{2028}'];

#[tokio::test]
async fn no_name_holds_what_is_not_shown() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let here = world.browser(&ann).await;
    for unseen in UNSEEN {
        let name = format!("ad{unseen}min");
        let permissions = ["volume.read"];
        let bodies = [
            ("users", json!({"email": format!("{name}@example.com")})),
            ("roles", json!({"name": name, "permissions": permissions})),
            (
                "roles",
                json!({"name": "Backup", "description": name, "permissions": permissions}),
            ),
            ("workspaces", json!({"name": name})),
            (
                "application-instances",
                json!({"name": "eu2", "title": name, "region": "EU"}),
            ),
            (
                "application-instances",
                json!({"name": "eu2", "title": "EU", "region": name}),
            ),
            (
                "application-instances",
                json!({"name": name, "title": "EU", "region": "EU"}),
            ),
            ("credentials", json!({"credentialName": name})),
        ];
        for (what, body) in bodies {
            let path = format!("/workspaces/v1/{what}");
            let refused = world
                .script(&here, "POST", &path, Some(&body.to_string()))
                .await;
            assert_eq!(refused.refusal().0, 400, "{body}: {}", refused.body);
            // The short name of an instance has letters, digits and hyphens only, and says so.
            let words = if body["name"] == name.as_str() && what == "application-instances" {
                "lower-case letters, digits and hyphens".to_owned()
            } else {
                format!(
                    "has the character U+{:04X}, which is not shown",
                    u32::from(unseen)
                )
            };
            assert!(refused.body.contains(&words), "{body}: {}", refused.body);
        }
        for (page, fields) in [
            (
                "users/new",
                vec![
                    ("email", format!("{name}@example.com")),
                    ("role", "observer".to_owned()),
                ],
            ),
            (
                "roles/new",
                vec![
                    ("name", name.clone()),
                    ("permission", "volume.read".to_owned()),
                ],
            ),
            ("workspaces/new", vec![("name", name.clone())]),
        ] {
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let refused = world
                .submit(&here, &format!("/console/{page}"), &fields)
                .await;
            assert_eq!(refused.status, 422, "{page}: {}", refused.body);
            let words = format!("U+{:04X}, which is not shown", u32::from(unseen));
            assert!(refused.body.contains(&words), "{page}: {}", refused.body);
        }
        // By command, too: whoever makes a person asks the same place.
        let email = Subject::parse(&format!("ad{unseen}min@example.com"));
        let Ok(email) = email else { continue };
        let (people, by) = (world.store.people(), local());
        let role = Some(Role::Observer);
        let rng = &mut SystemRandom;
        let made = people.create(&ann.workspace, email, role, &by, world.now(), rng);
        assert!(
            matches!(made.await, Err(PersonError::BadEmail(_))),
            "{unseen:?}"
        );
    }
    assert_eq!(world.store.people().list().len(), 1);
    assert!(world.store.custom_roles().list(&ann.workspace).is_empty());
}
