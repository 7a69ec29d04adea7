//! What people keep in the explorer: theirs alone, within limits, gone with them.

use hallpass_oauth::Secret;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::explorer_documents::{
    DocumentError, LARGEST_DOCUMENT, LARGEST_SECRET, MOST_BYTES, MOST_DOCUMENTS, OwnDocuments,
};
use hallpass_store::{Person, Policy};
use sqlx::Row as _;

use crate::world::{World, actor, after, database, now};

const DOCUMENT: &str = "workspace";

fn own(world: &World, person: &Person) -> OwnDocuments {
    world.store.explorer_documents().of(person.id)
}

async fn write(own: &OwnDocuments, workspace: &str, content: &[u8]) -> Result<(), DocumentError> {
    own.write(workspace, DOCUMENT, content.to_vec(), now())
        .await
}

async fn keep(own: &OwnDocuments, name: &str, secret: &str) -> Result<(), DocumentError> {
    let secret = Secret::from(secret.to_owned());
    own.keep_secret("w", name, Some(&secret), now(), &mut SystemRandom)
        .await
}

async fn opened(own: &OwnDocuments, name: &str) -> Option<String> {
    let secret = own.secret("w", name).await.unwrap();
    secret.map(|secret| secret.expose().to_owned())
}

#[tokio::test]
async fn what_is_kept_is_there_again_after_a_restart_and_belongs_to_one_person() {
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    let bob = world.person("bob@example.com").await;
    write(&own(&world, &ann), "w", b"first").await.unwrap();
    write(&own(&world, &ann), "w", b"second").await.unwrap();
    keep(&own(&world, &ann), "key", "of ann").await.unwrap();
    write(&own(&world, &bob), "w", b"of bob").await.unwrap();

    let world = world.reopen(Policy::default()).await;
    let (anns, bobs) = (own(&world, &ann), own(&world, &bob));
    let read = anns.read("w", DOCUMENT).await.unwrap();
    assert_eq!(read.as_deref(), Some(b"second".as_slice()));
    assert_eq!(anns.workspaces_with(DOCUMENT).await.unwrap(), ["w"]);
    assert_eq!(opened(&anns, "key").await.as_deref(), Some("of ann"));
    assert_eq!(opened(&bobs, "key").await, None);

    anns.remove_workspace("w").await.unwrap();
    assert_eq!(anns.read("w", DOCUMENT).await.unwrap(), None);
    assert_eq!(opened(&anns, "key").await, None);
    let bobs = bobs.read("w", DOCUMENT).await.unwrap();
    assert_eq!(bobs.as_deref(), Some(b"of bob".as_slice()));
}

#[tokio::test]
async fn documents_and_secrets_are_taken_away_one_at_a_time() {
    let world = World::new(Policy::default()).await;
    let ann = own(&world, &world.person("ann@example.com").await);
    for name in ["a", "b"] {
        ann.write("w", name, b"x".to_vec(), now()).await.unwrap();
        keep(&ann, name, "secret").await.unwrap();
    }
    ann.remove("w", "a").await.unwrap();
    ann.keep_secret("w", "a", None, after(1), &mut SystemRandom)
        .await
        .unwrap();
    assert_eq!(ann.read("w", "a").await.unwrap(), None);
    assert_eq!(opened(&ann, "a").await, None);
    assert!(ann.read("w", "b").await.unwrap().is_some());
    assert_eq!(opened(&ann, "b").await.as_deref(), Some("secret"));
}

#[tokio::test]
async fn nobody_keeps_more_than_their_share() {
    let world = World::new(Policy::default()).await;
    let ann = own(&world, &world.person("ann@example.com").await);
    let large = vec![b'x'; LARGEST_DOCUMENT];
    let too_large = [large.as_slice(), b"x"].concat();
    let refused = write(&ann, "w", &too_large).await;
    assert!(matches!(refused, Err(DocumentError::TooLarge)));
    for at in 0..MOST_BYTES / LARGEST_DOCUMENT {
        write(&ann, &format!("w{at}"), &large).await.unwrap();
    }
    let full = write(&ann, "other", b"x").await.unwrap_err();
    assert!(full.is_full(), "{full}");
    assert!(full.to_string().contains("64 MB"), "{full}");
    assert_eq!(ann.read("other", DOCUMENT).await.unwrap(), None);
    // What takes the place of a document frees the room of the one before.
    write(&ann, "w0", &large).await.unwrap();
    write(&ann, "w0", b"small").await.unwrap();
    write(&ann, "other", b"x").await.unwrap();

    // Another person has a share of their own.
    let bob = own(&world, &world.person("bob@example.com").await);
    write(&bob, "w", &large).await.unwrap();
    for at in 1..MOST_DOCUMENTS {
        write(&bob, &format!("{at}"), b"").await.unwrap();
    }
    let full = write(&bob, "one more", b"").await;
    assert!(matches!(full, Err(DocumentError::TooMany)));

    let long = "x".repeat(LARGEST_SECRET + 1);
    let refused = keep(&ann, "key", &long).await;
    assert!(matches!(refused, Err(DocumentError::SecretTooLarge)));
    for wrong in ["", &"x".repeat(257)] {
        let refused = ann.write("w", wrong, Vec::new(), now()).await;
        assert!(matches!(refused, Err(DocumentError::BadName)));
    }
}

#[tokio::test]
async fn a_secret_is_in_no_file_and_opens_for_nobody_else() {
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    let bob = world.person("bob@example.com").await;
    let planted = "planted-4af1c09d7c";
    keep(&own(&world, &ann), "key", planted).await.unwrap();

    let mut file = database(world.folder.path()).await;
    let row = sqlx::query("SELECT sealed FROM explorer_secret")
        .fetch_one(&mut file)
        .await
        .unwrap();
    let sealed: Vec<u8> = row.get("sealed");
    let planted = planted.as_bytes();
    assert!(!sealed.windows(planted.len()).any(|part| part == planted));

    // Somebody who can write into the database passes the row off as another person's.
    sqlx::query("UPDATE explorer_secret SET person_id = $1")
        .bind(bob.id.to_string())
        .execute(&mut file)
        .await
        .unwrap();
    assert!(own(&world, &bob).secret("w", "key").await.is_err());
}

#[tokio::test]
async fn everything_goes_with_the_person() {
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    write(&own(&world, &ann), "w", b"x").await.unwrap();
    keep(&own(&world, &ann), "key", "secret").await.unwrap();
    let people = world.store.people();
    people
        .remove(ann.id, &actor(), now(), &mut SystemRandom)
        .await
        .unwrap();
    let mut file = database(world.folder.path()).await;
    for table in ["explorer_document", "explorer_secret"] {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT count(*) AS rows FROM {table}"
        )))
        .fetch_one(&mut file)
        .await
        .unwrap();
        assert_eq!(row.get::<i64, _>("rows"), 0, "{table}");
    }
    // Nothing can be kept for somebody who is gone.
    assert!(write(&own(&world, &ann), "w", b"x").await.is_err());
}
