//! Tokens for a program that brings its own HTTP stack: ask for a token before each request, and once more
//! after a 401. Here the other stack is as small as one can be: a socket.

use hallpass_client::{AccessToken, CredentialSource, Error, Options, Profile, Tokens};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[expect(clippy::print_stdout, reason = "an example shows what it got")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (profile, credential) = Profile::from_environment(|name| std::env::var(name).ok())?
        .ok_or("set HALLPASS_TOKEN_URL, HALLPASS_BASE_URL, HALLPASS_CLIENT_ID and a secret")?;
    let host = profile
        .base_url()
        .as_str()
        .trim_start_matches("http://")
        .to_owned();
    let tokens = token_source(profile, credential);
    println!(
        "{}",
        status(&tokens, &host, "/api/v1/storage-systems").await?
    );
    Ok(())
}

/// A source of tokens without a client around it.
pub(crate) fn token_source(profile: Profile, credential: CredentialSource) -> Tokens {
    Tokens::new(profile, credential, &Options::in_memory())
}

/// The status line of a GET.
pub(crate) async fn status(tokens: &Tokens, host: &str, path: &str) -> Result<String, Error> {
    let token = tokens.token().await?;
    let line = get(host, path, &token).await;
    if !line.contains(" 401 ") {
        return Ok(line);
    }
    // Another program may have got a newer token meanwhile: this takes that one, or asks for one.
    let token = tokens.renew_after_401(&token).await?;
    Ok(get(host, path, &token.token).await)
}

async fn get(host: &str, path: &str, token: &AccessToken) -> String {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
        token.expose()
    );
    let answer = async {
        let mut socket = TcpStream::connect(host).await?;
        socket.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    let answer = answer.await.unwrap_or_else(|error| error.to_string());
    answer.lines().next().unwrap_or_default().to_owned()
}
