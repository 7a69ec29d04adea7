//! From nothing to an answer: prints the names of the storage systems.
//!
//! ```text
//! TOKEN_URL=… BASE_URL=… CLIENT_ID=… CLIENT_SECRET=… cargo run -p hallpass-client --example list_systems
//! ```

use hallpass_client::{Client, Error};

#[expect(clippy::print_stdout, reason = "an example shows what it got")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [token_url, base_url, client_id, client_secret] =
        ["TOKEN_URL", "BASE_URL", "CLIENT_ID", "CLIENT_SECRET"].map(std::env::var);
    for name in names(&token_url?, &base_url?, &client_id?, client_secret?).await? {
        println!("{name}");
    }
    Ok(())
}

/// Three calls: connect, get, read.
pub(crate) async fn names(
    token_url: &str,
    base_url: &str,
    client_id: &str,
    client_secret: String,
) -> Result<Vec<String>, Error> {
    let client = Client::connect(token_url, base_url, client_id, client_secret)?;
    let answer = client.get("/api/v1/storage-systems?select=name").await?;
    let systems = answer.json()?;
    let items = systems["items"].as_array().into_iter().flatten();
    Ok(items
        .filter_map(|item| Some(item["name"].as_str()?.to_owned()))
        .collect())
}
