//! What the clock asks of a running server: signing keys change their state, what has ended is
//! forgotten.

use std::time::Duration;

use hallpass_oauth::random::SystemRandom;
use hallpass_store::{Clock, Store};
use tokio::sync::watch;

/// How often the clock is looked at. Keys change over on the minute at best, so seconds do.
const EVERY: Duration = Duration::from_secs(5);

/// Runs until `stopping` becomes true. A failure is logged and tried again.
pub(crate) async fn run(store: Store, clock: Clock, mut stopping: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            _ = tick.tick() => {}
        }
        if let Err(error) = store.maintain(clock(), &mut SystemRandom).await {
            let error: &(dyn std::error::Error + 'static) = &error;
            tracing::error!(error, "keys and revocations were not looked after");
        }
    }
}
