//! What happened while a request was sent, in words; and why nothing came back.

use std::error::Error as _;

use hallpass_client::{Error, Event, Kind};

use crate::answer::Failure;

/// What happened, where a person wants to know it.
pub(super) fn words(event: &Event) -> Option<String> {
    Some(match event {
        Event::TokenRequested { token_url, .. } => {
            format!("an access token was asked for at {token_url}")
        }
        Event::TokenReceived { expires_in, .. } => match expires_in {
            Some(seconds) => format!("an access token was got; it lasts {seconds} s"),
            None => "an access token was got".to_owned(),
        },
        Event::TokenReplacedAfter401 { .. } => {
            "the access token was refused (401); the request was sent again with a new one"
                .to_owned()
        }
        Event::EarlyRenewalFailed { reason } => {
            format!("the access token ends soon and could not be renewed: {reason}")
        }
        Event::Retrying { status, delay } => format!(
            "the token server asked for patience ({status}); it was asked again after {} s",
            delay.as_secs_f32()
        ),
        Event::Repeating { reason, delay } => {
            format!(
                "{reason}; it was sent again after {:.1} s",
                delay.as_secs_f32()
            )
        }
        Event::ScopeNarrowed { asked, granted } => {
            format!("the scope {asked:?} was asked for, and {granted:?} was granted")
        }
        Event::TokenTypeMissing => {
            "the token server did not say what its token is; it is taken for a bearer token"
                .to_owned()
        }
        Event::ClockSkew { ahead } if *ahead >= 0 => {
            format!("the clock of this machine is {ahead} s ahead of the token server's")
        }
        Event::ClockSkew { ahead } => format!(
            "the clock of this machine is {} s behind the token server's",
            ahead.unsigned_abs()
        ),
        Event::ServerNotChecked => {
            "the server did not have to prove who it is: the profile says so".to_owned()
        }
        Event::RedirectFollowed { url } => format!("a redirect was followed to {url}"),
        Event::RedirectRefused { to } => format!(
            "a redirect to {to} was not followed: it leads elsewhere, or the request changes something"
        ),
        _ => return None,
    })
}

/// Why there is no answer, and what to do.
pub(super) fn failure(error: &Error) -> Failure {
    let mut what = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !what.contains(&words) {
            what = format!("{what}: {words}");
        }
        cause = inner.source();
    }
    let hint = error.hint();
    let hint = hint.unwrap_or_else(|| "check the address and the authorization".to_owned());
    match error.kind() {
        Kind::Usage => Failure::wrong(what, hint),
        Kind::Api | Kind::Authentication | Kind::Unreachable | Kind::Task => {
            Failure::elsewhere(what, hint)
        }
    }
}
