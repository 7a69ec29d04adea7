//! `hallpass token`: an access token for any other program, from the cache that all of them share.

use clap::Args;
use hallpass_oauth::jws;
use serde_json::{Value, json};

use crate::client::ConnectionArgs;
use crate::command::{CommandError, Exit};
use crate::output;

/// Print an access token of the profile, from the shared cache or fresh
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    #[command(flatten)]
    connection: ConnectionArgs,
    /// Print it as a header line: Authorization: Bearer …
    #[arg(long, conflicts_with_all = ["json", "claims"])]
    header: bool,
    /// Print it as JSON, with its end
    #[arg(long, conflicts_with = "claims")]
    json: bool,
    /// Print what the token says, instead of the token
    #[arg(long)]
    claims: bool,
    /// Get a new one even if the cached one is good. The old one stops working if the server keeps
    /// one token per credential
    #[arg(long)]
    renew: bool,
}

/// Runs the command.
pub(crate) async fn run(args: TokenArgs) -> Result<(), CommandError> {
    let client = args.connection.connect()?;
    let tokens = client.tokens();
    let token = if args.renew {
        tokens.renew().await
    } else {
        tokens.token().await
    };
    let token = token.map_err(crate::client::library)?;
    if args.claims {
        let (_, claims) = jws::peek(token.expose()).ok_or_else(|| {
            CommandError::new(
                Exit::Refused,
                "the token is no JWT, so it tells nothing to its bearer",
            )
        })?;
        let claims: Value = serde_json::from_str(&claims).unwrap_or(Value::String(claims));
        output::data(&serde_json::to_string_pretty(&claims).unwrap_or_default())
    } else if args.json {
        let shown = json!({
            "access_token": token.expose(),
            "token_type": "Bearer",
            "expires_at": token.expires_at().to_string(),
        });
        output::data(&serde_json::to_string_pretty(&shown).unwrap_or_default())
    } else if args.header {
        output::data(&format!("Authorization: Bearer {}", token.expose()))
    } else {
        output::data(token.expose())
    }
}
