//! `hallpass doctor`: says what keeps a connection from working, and what to do about it.

use std::fmt::Write as _;

use clap::Args;
use hallpass_client::doctor::{self, Extent, Finding, Step, Verdict};
use serde_json::{Value, json};

use crate::client::ConnectionArgs;
use crate::command::{CommandError, Exit};
use crate::output;

/// Check a connection step by step, and say what to do about what is found
///
/// Names, proxy, TLS, clock, published metadata, credential, region, permission and definition. Makes
/// one call that reads, and changes nothing. Exit code: that of the first step that failed, 0 when
/// none did.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Ask for a new token even if there is one, which proves the secret. The old one stops working
    /// if the server keeps one token per credential
    #[arg(long)]
    renew: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Runs the command.
pub(crate) async fn run(args: DoctorArgs) -> Result<(), CommandError> {
    let client = args.connection.connect()?;
    let mut findings = Vec::new();
    let mut printed = Ok(());
    let mut tell = |finding: Finding| {
        // As they are made: a step may take as long as its time-out.
        if !args.json && printed.is_ok() {
            printed = output::data(&line(&finding));
        }
        findings.push(finding);
    };
    let extent = Extent { renew: args.renew };
    let definition = crate::definition::load(client.profile().api());
    let usable = definition.as_ref().ok().map(|reading| &reading.definition);
    doctor::examine(&client, usable, extent, &mut tell).await;
    if let Err(error) = &definition {
        tell(broken(error));
    }
    printed?;
    if args.json {
        let findings: Vec<Value> = findings.iter().map(value).collect();
        let shown = json!({ "findings": findings });
        output::data(&serde_json::to_string_pretty(&shown).unwrap_or_default())?;
    }
    match findings
        .iter()
        .find(|finding| finding.verdict == Verdict::Failed)
    {
        None => Ok(()),
        Some(first) => Err(CommandError::new(
            exit(first.step),
            format!("the connection does not work: {}", first.step.word()),
        )),
    }
}

/// A definition that cannot be read is found like everything else: it may not be the only cause.
fn broken(error: &CommandError) -> Finding {
    let hint = error
        .hint_text()
        .unwrap_or("`hallpass api check FILE` tells what is wrong with it");
    Finding::failed(Step::Definition, error.message()).hint(hint)
}

fn line(finding: &Finding) -> String {
    let Finding {
        step,
        verdict,
        message,
        hint,
    } = finding;
    let mut line = format!(
        "{:<8} {:<11} {}",
        verdict.word(),
        step.word(),
        output::printable(message)
    );
    if let Some(hint) = hint {
        let _ = write!(
            line,
            "\n{:<8} {:<11} hint: {}",
            "",
            "",
            output::printable(hint)
        );
    }
    line
}

fn value(finding: &Finding) -> Value {
    json!({
        "step": finding.step.word(),
        "verdict": finding.verdict.word(),
        "message": finding.message,
        "hint": finding.hint,
    })
}

fn exit(step: Step) -> Exit {
    match step {
        Step::Names | Step::Connection => Exit::Unreachable,
        Step::Clock | Step::Metadata | Step::Credential | Step::Region => Exit::Authentication,
        Step::Permission | Step::Definition => Exit::Refused,
    }
}
