//! `hallpass token`: an access token for any other program, from the cache that all of them share.

use clap::Args;
use hallpass_client::AccessToken;
use hallpass_client::claims::Said;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::client::claims::explain;
use crate::client::{ConnectionArgs, library};
use crate::command::{CommandError, Exit};
use crate::output;
use crate::serve::system_time;

/// Print an access token of the profile, from the shared cache or fresh
///
/// In the last tenth of its life (five minutes at most) a token counts as used up here: what is printed
/// lasts. A server that keeps one token per credential ends it when another is asked for, so ask again
/// for every use.
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    #[command(flatten)]
    connection: ConnectionArgs,
    /// Print it as a header line: Authorization: Bearer …
    #[arg(long, conflicts_with_all = ["json", "claims"])]
    header: bool,
    /// Print it as JSON, with its end: for programs that ask a credential helper. With --claims, print
    /// the bare claims
    #[arg(long)]
    json: bool,
    /// Explain what the token says, instead of printing it
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
        tokens.token_to_hand_out().await
    };
    let token = token.map_err(library)?;
    if args.claims {
        let Said { header, claims } = said(&token)?;
        return if args.json {
            pretty(&Value::Object(claims))
        } else {
            output::data(&explain(
                &header,
                &claims,
                system_time(),
                &TimeZone::system(),
            ))
        };
    }
    if args.json {
        return pretty(&answer(&token));
    }
    if args.header {
        return output::data(&format!("Authorization: Bearer {}", token.expose()));
    }
    output::data(token.expose())
}

/// The members of a token answer (RFC 6749 section 5.1), and the end of the token as a moment: a
/// duration would begin again whenever it is read.
fn answer(token: &AccessToken) -> Value {
    let left = token.expires_at().duration_since(system_time()).as_secs();
    json!({
        "access_token": token.expose(),
        "token_type": "Bearer",
        "expires_at": token.expires_at().to_string(),
        "expires_in": left.max(0),
    })
}

/// What the token says.
fn said(token: &AccessToken) -> Result<Said, CommandError> {
    Said::by(token.expose()).ok_or_else(|| {
        CommandError::new(
            Exit::Refused,
            "the token is no JWT, so it tells nothing to its bearer",
        )
        .hint("the server may tell more about it: ask its introspection endpoint")
    })
}

fn pretty(value: &Value) -> Result<(), CommandError> {
    output::data(&serde_json::to_string_pretty(value).unwrap_or_default())
}
