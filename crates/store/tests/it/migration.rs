//! A database that version 1 wrote is opened, and what it held goes on to work.

use std::path::Path;

use hallpass_oauth::random::SystemRandom;
use hallpass_store::credentials::{CredentialOptions, IssuedCredential};
use hallpass_store::keys::KeyState;
use hallpass_store::{MasterKey, Policy, StoreError};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use sqlx::{Connection as _, Row as _};

use crate::world::{World, actor, database, form_of, now, open};

const FIRST_SCHEMA: &str = include_str!("../../migrations/0001_initial.sql");

/// The tables that both versions have, with the columns that version 1 wrote.
const TABLES: [(&str, &str); 4] = [
    ("workspace", "id, name, customer_id, created_at"),
    ("person", "id, workspace_id, email, password, created_at"),
    ("role_assignment", "person_id, instance_id, role"),
    ("application_instance", "id, name, title, created_at"),
];

/// Makes the schema of version 1 with its entry in the list of migrations.
async fn first_schema(folder: &Path) -> SqlitePool {
    let migrations = folder.join("migrations");
    std::fs::create_dir(&migrations).unwrap();
    std::fs::write(migrations.join("0001_initial.sql"), FIRST_SCHEMA).unwrap();
    let options = SqliteConnectOptions::new()
        .filename(folder.join("hallpass.db"))
        .create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    let first = sqlx::migrate::Migrator::new(migrations).await.unwrap();
    first.run(&pool).await.unwrap();
    pool
}

/// Writes what the store at `from` holds into the schema of version 1.
async fn write_as_version_1(from: &Path, to: &Path) {
    let pool = first_schema(to).await;
    let mut connection = pool.acquire().await.unwrap();
    let attach = "ATTACH DATABASE $1 AS present";
    let present = from.join("hallpass.db").to_str().unwrap().to_owned();
    sqlx::query(attach)
        .bind(present)
        .execute(&mut *connection)
        .await
        .unwrap();
    let copies = TABLES
        .map(|(table, columns)| {
            format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM present.{table}")
        })
        .into_iter()
        .chain([
            "INSERT INTO main.credential (client_id, person_id, instance_id, name, secret_digest, \
             generation, watermark, created_at, updated_at) \
             SELECT c.client_id, person_id, instance_id, name, s.digest, generation, watermark, \
             c.created_at, updated_at FROM present.credential c \
             JOIN present.credential_secret s ON s.client_id = c.client_id"
                .to_owned(),
            "INSERT INTO main.signing_key (id, sealed, active, created_at) \
             SELECT id, sealed, 1, created_at FROM present.signing_key"
                .to_owned(),
        ]);
    for copy in copies {
        let done = sqlx::query(sqlx::AssertSqlSafe(copy))
            .execute(&mut *connection)
            .await
            .unwrap();
        assert!(done.rows_affected() > 0);
    }
    drop(connection);
    pool.close().await;
}

/// The world, its credential and a token of it, all written by version 1.
async fn old_world() -> (World, IssuedCredential, String) {
    let world = World::new(Policy::default()).await;
    let issued = world
        .credential_with("nightly", CredentialOptions::default())
        .await;
    let token = world.token_of(&issued, now()).await;
    world.store.close().await;
    let folder = tempfile::tempdir().unwrap();
    write_as_version_1(world.folder.path(), folder.path()).await;
    let store = open(folder.path(), &world.master_key, Policy::default())
        .await
        .unwrap();
    let world = World {
        folder,
        store,
        ..world
    };
    (world, issued, token)
}

#[tokio::test]
async fn the_secrets_the_tokens_and_the_key_of_version_1_go_on_to_work() {
    let (world, issued, token) = old_world().await;
    let caller = world.verify(&token, now()).unwrap();
    assert_eq!(caller.client_id(), &issued.credential.client_id);
    let keys = world.store.keys().list().await.unwrap();
    assert_eq!(keys.len(), 1, "no second key was made");
    assert_eq!(
        (keys[0].state, keys[0].kind.as_str()),
        (KeyState::Active, "rsa-2048")
    );

    let credential = world.store.credentials().list(None).remove(0);
    assert!(credential.enabled && credential.expires_at.is_none());
    assert_eq!(credential.secrets.len(), 1);
    let form = form_of(credential.client_id.as_str(), &issued.secret);
    let client = world.authenticate(&form, now()).unwrap();
    let next = world.token(&client, now()).await;
    assert!(world.verify(&next, now()).is_ok());
    assert!(
        world.verify(&token, now()).is_err(),
        "the new token is further in the sequence than the one of version 1"
    );

    let credentials = world.store.credentials();
    let reset = credentials
        .reset(
            credential.client_id.as_str(),
            &actor(),
            now(),
            &mut SystemRandom,
        )
        .await
        .unwrap();
    assert!(world.authenticate(&form, now()).is_err());
    let world = world.reopen(Policy::default()).await;
    assert!(world.authenticate(&form, now()).is_err());
    world.token_of(&reset, now()).await;
}

#[tokio::test]
async fn a_database_of_version_1_opens_only_with_its_master_key() {
    let (world, _, _) = old_world().await;
    world.store.close().await;
    let other = MasterKey::generate(&mut SystemRandom).to_text().to_string();
    let wrong = open(world.folder.path(), &other, Policy::default()).await;
    assert!(matches!(wrong.err(), Some(StoreError::WrongMasterKey)));
    let mut file = database(world.folder.path()).await;
    let row = sqlx::query("SELECT count(*) AS keys FROM signing_key WHERE length(sealed) > 0")
        .fetch_one(&mut file)
        .await
        .unwrap();
    assert_eq!(
        row.get::<i64, _>("keys"),
        1,
        "and nothing is lost by trying"
    );
    file.close().await.unwrap();
}
