//! Separate programs that share a cache directory: this test binary starts itself many times.

use std::process::{Command, Stdio};
use std::sync::Arc;

use hallpass_client::{Cache, Client, Options};
use jiff::Timestamp;

use crate::server::{World, credential, get, profile};

const PROCESSES: usize = 25;

#[tokio::test]
async fn many_processes_with_an_empty_cache_ask_for_one_token_and_none_fails() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    let (address, directory) = (world.address.clone(), cache.path().to_owned());
    let run = move || {
        let children: Vec<_> = (0..PROCESSES)
            .map(|_| {
                Command::new(std::env::current_exe().unwrap())
                    .args(["processes::one_of_many", "--exact", "--ignored"])
                    .env("HALLPASS_TEST_ADDRESS", &address)
                    .env("HALLPASS_TEST_CACHE", &directory)
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()
                    .unwrap()
            })
            .collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(
                output.status.success() && said.contains("1 passed"),
                "{said}"
            );
        }
    };
    tokio::task::spawn_blocking(run).await.unwrap();
    assert_eq!((world.token_calls(), world.calls().len()), (1, PROCESSES));
}

#[tokio::test]
#[ignore = "one of the processes that the test above starts"]
async fn one_of_many() {
    // Asked for by hand there is no server; the test above counts what arrives.
    let Ok(address) = std::env::var("HALLPASS_TEST_ADDRESS") else {
        return;
    };
    let cache = std::env::var("HALLPASS_TEST_CACHE").unwrap();
    let now = Timestamp::from_second(1_700_000_000).unwrap();
    let options = Options::new(Cache::Directory(cache.into()), Arc::new(move || now));
    let client = Client::new(profile(&address), credential(), &options).unwrap();
    assert_eq!(client.send(&get("/x")).await.unwrap().status(), 200);
}
