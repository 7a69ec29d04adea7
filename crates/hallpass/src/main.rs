//! The one binary: both ends of machine-to-machine API access.
//!
//! `main` is parse → run → exit code. [`cli`] holds every flag, [`command`] the error that a
//! command ends with and the exit codes; each folder holds one family of commands:
//! [`serve`] composes the server parts, [`admin`] administers them, [`client`] uses an API,
//! [`demo`] walks through all of it.

mod admin;
mod cli;
mod client;
mod command;
mod definition;
mod demo;
mod output;
mod serve;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    start_log(cli.command.is_server());
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            output::words(&format!("error: no threads to run on: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(cli.run());
    // Threads that wait for terminal input or a lock must not hold up the exit.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error.print();
            error.exit_code()
        }
    }
}

/// Words of the log go to stderr. `HALLPASS_LOG` takes the usual directives (`debug`,
/// `hallpass_store=trace`).
fn start_log(server: bool) {
    let named = std::env::var("HALLPASS_LOG").ok();
    let usual = if server { "info" } else { "warn" };
    let filter = named
        .filter(|named| !named.is_empty())
        .unwrap_or_else(|| usual.to_owned());
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(output::colour_on_stderr())
        .with_target(false)
        .init();
}
