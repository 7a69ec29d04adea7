//! What a person is told unasked while a client works: something is worse than they would expect, and
//! it goes on nevertheless.

use hallpass_client::event::Event;

/// The words for an event that [is a warning](Event::is_warning), with what to do.
pub(crate) fn warning(event: &Event) -> Option<String> {
    let words = match event {
        Event::LockGivenUp { reason } => format!(
            "a token is asked for that other programs will not share: the lock in the token cache is \
             {reason}"
        ),
        Event::CacheUnusable { directory, reason } => format!(
            "tokens are not shared, {} cannot be used: {reason}",
            directory.display()
        ),
        Event::ScopeNarrowed { asked, granted } if granted.is_empty() => {
            format!("the scope `{asked}` was asked for, and none was granted")
        }
        Event::ScopeNarrowed { asked, granted } => {
            format!("the scope `{asked}` was asked for, and only `{granted}` was granted")
        }
        Event::TokenTypeMissing => {
            "the token answer has no token_type; the token is taken for a bearer token".to_owned()
        }
        Event::ClockSkew { ahead } => {
            let (seconds, direction) = (
                ahead.unsigned_abs(),
                if *ahead > 0 { "ahead of" } else { "behind" },
            );
            format!(
                "this machine's clock is {seconds} s {direction} the token server's; set one of them \
                 right, or tokens will seem to end at the wrong time"
            )
        }
        Event::ServerNotChecked => {
            "the profile is insecure: any server that answers is believed and gets the secret"
                .to_owned()
        }
        _ => return None,
    };
    Some(format!("warning: {words}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_warning_has_words_and_nothing_else_has() {
        let text = String::from;
        for event in [
            Event::LockGivenUp { reason: text("x") },
            Event::CacheUnusable {
                directory: "/x".into(),
                reason: text("x"),
            },
            Event::ScopeNarrowed {
                asked: text("a b"),
                granted: text("a"),
            },
            Event::TokenTypeMissing,
            Event::ClockSkew { ahead: -61 },
            Event::ServerNotChecked,
            Event::EarlyRenewalFailed { reason: text("x") },
            Event::TokenReplacedAfter401 { by_another: true },
        ] {
            assert_eq!(warning(&event).is_some(), event.is_warning(), "{event:?}");
        }
        let said = warning(&Event::ClockSkew { ahead: -61 }).unwrap();
        assert!(said.contains("61 s behind"), "{said}");
    }
}
