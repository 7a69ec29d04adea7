//! What the clock asks of a running server: signing keys change their state, what has ended is
//! forgotten, and the log says that the certificate is about to end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::verify::LEEWAY;
use hallpass_store::{Clock, Store};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::serve::guards::Guards;

/// How often the clock is looked at. Keys change over on the minute at best, so seconds do.
const EVERY: Duration = Duration::from_secs(5);

/// How far the clock may go on between two looks beyond the time that has passed.
const MOST_AHEAD: Duration = Duration::from_mins(1);

/// How long nothing is thrown away after the clock jumped ahead: it may be set right again, and what it
/// would have ended must be there then.
const PATIENCE: Duration = Duration::from_mins(10);

/// How long before the end of the certificate the log speaks of it, and how often.
const NOTICE: SignedDuration = SignedDuration::from_hours(30 * 24);
const REMINDER: SignedDuration = SignedDuration::from_hours(24);

/// Runs until `stopping` becomes true. `certificate` is when that of the TLS listener ends; the ends of
/// the tasks of the stand-ins behind `guards` are written down.
pub(crate) async fn run(
    store: Store,
    clock: Clock,
    certificate: Option<Timestamp>,
    guards: Arc<Guards>,
    mut stopping: watch::Receiver<bool>,
) {
    let mut reminded = None;
    let mut tick = tokio::time::interval(EVERY);
    let mut last = (Instant::now(), clock());
    let mut quiet_until = last.0;
    loop {
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            _ = tick.tick() => {}
        }
        let (before, now) = (last, (Instant::now(), clock()));
        last = now;
        if jumped(before, now) {
            tracing::warn!(now = %now.1, "the clock jumped ahead: keys and revocations rest for ten minutes");
            quiet_until = now.0 + PATIENCE;
        }
        for (_, server) in guards.all() {
            server.stand_ins().tell_ends(now.1).await;
        }
        if went_back(before.1, now.1) {
            tracing::warn!(now = %now.1, "the clock went back: the times of tokens wait for it, for up to two hours");
        }
        if now.0 >= quiet_until {
            once(&store, &clock).await;
            if let Some(end) = certificate
                && reminder_is_due(end, now.1, reminded)
            {
                tracing::warn!(%end, "THE CERTIFICATE OF THE TLS LISTENER IS ABOUT TO END: restart the server for a new one");
                reminded = Some(now.1);
            }
        }
    }
}

fn reminder_is_due(end: Timestamp, now: Timestamp, last: Option<Timestamp>) -> bool {
    end.duration_since(now) < NOTICE && last.is_none_or(|last| now.duration_since(last) >= REMINDER)
}

fn jumped(before: (Instant, Timestamp), now: (Instant, Timestamp)) -> bool {
    let passed = now.0.duration_since(before.0);
    let told = Duration::try_from(now.1.duration_since(before.1)).unwrap_or_default();
    told > passed + MOST_AHEAD
}

fn went_back(before: Timestamp, now: Timestamp) -> bool {
    before.duration_since(now) > LEEWAY
}

/// Looks once. A failure is logged; there will be another look.
pub(crate) async fn once(store: &Store, clock: &Clock) {
    if let Err(error) = store.maintain(clock(), &mut SystemRandom).await {
        let error: &(dyn std::error::Error + 'static) = &error;
        tracing::error!(error, "keys and revocations were not looked after");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_certificate_is_told_every_day_of_the_last_thirty() {
        let end: Timestamp = "2028-01-31T00:00:00Z".parse().unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let first = at("2028-01-01T00:00:05Z");
        assert!(!reminder_is_due(end, at("2028-01-01T00:00:00Z"), None));
        assert!(reminder_is_due(end, first, None));
        assert!(!reminder_is_due(
            end,
            at("2028-01-02T00:00:00Z"),
            Some(first)
        ));
        assert!(reminder_is_due(
            end,
            at("2028-01-02T00:00:05Z"),
            Some(first)
        ));
        assert!(reminder_is_due(end, at("2028-02-02T00:00:00Z"), None));
    }

    #[test]
    fn a_clock_that_jumps_ahead_is_noticed_and_one_that_is_slow_or_set_back_is_not_taken_for_it() {
        let (began, then) = (Instant::now(), Timestamp::UNIX_EPOCH);
        let later = began + EVERY;
        let after = |seconds| then + jiff::SignedDuration::from_secs(seconds);
        assert!(!jumped((began, then), (later, after(5))));
        assert!(!jumped((began, then), (later, after(65))));
        assert!(jumped((began, then), (later, after(66))));
        assert!(!jumped((began, after(3600)), (later, then)));
        assert!(went_back(after(31), then));
        assert!(!went_back(after(30), then) && !went_back(then, after(3600)));
    }
}
