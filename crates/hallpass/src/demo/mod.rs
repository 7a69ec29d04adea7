//! `hallpass demo`: the whole walk on real parts, from an empty data directory to the last audit
//! line. [`walk`] reads as the story; [`narrator`] prints each step; [`wire`] sends what the
//! client library would refuse to send, such as a dead token.

mod narrator;
mod walk;
mod wire;

use std::sync::Arc;

use clap::Args;

use crate::command::{CommandError, Exit};
use crate::output;
use crate::serve::{self, Config, DataDirectory, System};

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
    let folder = tempfile::Builder::new()
        .prefix("hallpass-demo-")
        .tempdir()
        .map_err(|error| {
            CommandError::caused(
                Exit::Refused,
                "there is no place for temporary files",
                &error,
            )
        })?;
    let mut config = Config {
        data: folder.path().join("data"),
        ..Config::default()
    };
    config.listen("127.0.0.1:0")?;
    let data = DataDirectory::create(&config.data)?;
    let lock = data.lock()?;
    let system = System::start(&config, &data, lock, Arc::new(serve::system_time)).await?;

    let mut narrator = Narrator::new(args.json);
    let outcome = walk::walk(&mut narrator, &system, &data, folder.path()).await;
    let ended = match outcome {
        Ok(profile) => {
            narrator.finish();
            if args.keep {
                narrator.keep(system.addresses(), &config.data, &profile);
                serve::wait_for_signal().await?;
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
