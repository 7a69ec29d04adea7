//! The explorer over a drawer in memory, for looking at its pages while they are written:
//! `cargo run -p hallpass-explorer --example try -- 127.0.0.1:4000`. It has no door: it is no way to run it.

#![expect(clippy::print_stdout, reason = "it tells where it is")]
#![expect(clippy::unwrap_used, reason = "it is no product")]

use std::sync::Arc;

#[path = "../tests/it/memory.rs"]
mod memory;

#[tokio::main]
async fn main() {
    let mut given = std::env::args().skip(1);
    let address = given.next().unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let regions = given.filter_map(|one| {
        one.split_once('=')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
    });
    let explorer = memory::explorer(Arc::default(), regions.collect());
    let router = explorer.router().merge(hallpass_pages::assets());
    let socket = tokio::net::TcpListener::bind(address).await.unwrap();
    println!("http://{}/explorer", socket.local_addr().unwrap());
    axum::serve(socket, router).await.unwrap();
}
