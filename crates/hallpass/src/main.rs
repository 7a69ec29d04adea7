//! The one binary: both ends of machine-to-machine API access.
//!
//! `main` is parse → run → exit code. [`cli`] holds every flag, [`command`] the error that a
//! command ends with and the exit codes; each folder holds one family of commands:
//! [`serve`] composes the server parts, [`admin`] administers them, [`client`] uses an API, [`api`]
//! looks into definitions, [`demo`] walks through all of it.

mod admin;
mod api;
mod cli;
mod client;
mod command;
mod completion;
mod definition;
mod demo;
#[cfg(test)]
mod documents;
mod log;
mod manual;
mod output;
mod serve;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    if let cli::Command::Complete(args) = &cli.command {
        // Somebody waits with a finger on the key: no threads and no log.
        return match completion::complete(args) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => error.exit_code(),
        };
    }
    log::start(cli.command.is_server());
    let mut runtime = if cli.command.works_at_length() {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        // Starting threads takes a client's command longer than a cached token and a local call.
        tokio::runtime::Builder::new_current_thread()
    };
    let runtime = match runtime.enable_all().build() {
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
