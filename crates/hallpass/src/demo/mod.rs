//! `hallpass demo`: the whole walk on real parts, from an empty data directory to the last audit
//! line. [`walk`] reads as the story, on what [`stage`] holds; [`narrator`] prints each step; [`wire`] sends what the
//! client library would refuse to send, such as a dead token.

mod narrator;
mod stage;
mod walk;
mod wire;

use std::sync::Arc;

use clap::Args;
use tempfile::TempDir;

use crate::command::{CommandError, Exit};
use crate::output;
use crate::serve::{self, Config, DataDirectory, Signals, System};

use narrator::Narrator;

/// Walk through the whole system, from the first key to the last audit line
///
/// Starts every server on free loopback ports with an empty data directory, and shows each request
/// and each answer. Nothing leaves this machine, and nothing is left behind.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Leave the system running at the end and print its addresses and a ready-made profile
    #[arg(long)]
    keep: bool,
    /// Print one JSON object per step
    #[arg(long)]
    json: bool,
}

/// Runs the walk.
pub(crate) async fn run(args: DemoArgs) -> Result<(), CommandError> {
    // Before there is anything to leave behind.
    let mut signals = Signals::listen()?;
    let mut narrator = Narrator::new(args.json);
    narrator.begin("The system is running");
    let started = start().await;
    let (folder, config, data, system) = started.map_err(|error| narrator.failed(&error))?;
    let walk = walk::walk(&mut narrator, &system, &data, folder.path());
    let outcome = tokio::select! {
        outcome = walk => outcome,
        () = signals.stop() => Err(CommandError::refused("it was stopped by a signal")),
    };
    let ended = match outcome {
        Ok(profile) => {
            narrator.finish();
            if args.keep {
                narrator.keep(&system.addresses(), &config.data, &profile);
                signals.stop().await;
            }
            Ok(())
        }
        Err(error) => Err(narrator.failed(&error)),
    };
    system.stop().await;
    if args.keep && !args.json {
        output::words("stopped; the demo's data is gone");
    }
    ended
}

/// Starts a system with an empty data directory, on free ports.
async fn start() -> Result<(TempDir, Config, DataDirectory, System), CommandError> {
    let folder = tempfile::Builder::new().prefix("hallpass-demo-").tempdir();
    let folder = folder.map_err(|error| {
        CommandError::caused(
            Exit::Refused,
            "there is no place for temporary files",
            &error,
        )
        .hint("name a directory that can be written to with TMPDIR")
    })?;
    let mut config = Config {
        data: folder.path().join("data"),
        ..Config::default()
    };
    config.listen("127.0.0.1:0")?;
    let data = DataDirectory::create(&config.data)?;
    let lock = data.lock()?;
    let system = System::start(&config, &data, lock, Arc::new(serve::system_time)).await?;
    Ok((folder, config, data, system))
}
