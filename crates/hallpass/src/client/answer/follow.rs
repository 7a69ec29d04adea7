//! `--wait`: the task that a call started, followed to its end.

use std::time::Duration;

use hallpass_client::error::Error;
use hallpass_client::send::Client;
use hallpass_client::task::{Task, TaskLink, TaskOutcome, Waiting};
use indicatif::{ProgressBar, ProgressStyle};

use super::render::Renderer;
use super::{Answer, AnswerArgs, Failure};
use crate::command::{CommandError, Exit};
use crate::output;

/// Waits for a task to end and renders it as it was last seen, whatever became of it.
pub(super) async fn task(
    client: &Client,
    link: &TaskLink,
    args: &AnswerArgs,
    answer: &Answer<'_>,
    renderer: &mut Renderer,
) -> Result<(), Failure> {
    let path = output::shell_word(link.path());
    let look = format!("look at the task: hallpass get {path}{}", answer.connection);
    let waiting = Waiting::at_most(Duration::from_secs(args.wait_timeout));
    let bar = progress_bar();
    let mut last = None;
    let outcome = tokio::select! {
        outcome = client.wait_for_task(link, waiting, |task| {
            advance(&bar, task);
            last = Some(task.as_bytes().to_vec());
        }) => outcome,
        _ = tokio::signal::ctrl_c() => {
            bar.finish_and_clear();
            let error = CommandError::new(Exit::Interrupted, "interrupted; the task goes on");
            return Err(error.hint(look).into());
        }
    };
    bar.finish_and_clear();
    let rendered = match last {
        Some(task) => shown(renderer, answer, &task),
        None => Ok(()),
    };
    // What became of the task counts for more than whether it could be shown.
    ended(outcome, look)?;
    rendered
}

fn shown(renderer: &mut Renderer, answer: &Answer<'_>, task: &[u8]) -> Result<(), Failure> {
    answer.render_body(renderer, task, None)?;
    renderer.flush()
}

/// Whether the task did what it should.
fn ended(outcome: Result<TaskOutcome, Error>, look: String) -> Result<(), CommandError> {
    match outcome {
        Ok(outcome) => match outcome.success() {
            Ok(_) => Ok(()),
            Err(failure) => Err(crate::client::library(failure).hint(look)),
        },
        // The call itself has been done: what failed is looking at its task.
        Err(error) => {
            let error = CommandError::from(error);
            let said = format!(
                "the task was started and cannot be followed: {}",
                error.message()
            );
            Err(CommandError::new(error.exit(), said).hint(look))
        }
    }
}

/// A bar on stderr; draws nothing when that is no terminal.
pub(crate) fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(100);
    if let Ok(style) = ProgressStyle::with_template("    {bar:30} {pos:>3} %  {msg}") {
        bar.set_style(style);
    }
    bar
}

/// Shows how far a task is.
pub(crate) fn advance(bar: &ProgressBar, task: &Task) {
    bar.set_position(task.progress().unwrap_or_default().into());
    bar.set_message(format!(
        "{} {}",
        output::printable(task.name()),
        task.state_word()
    ));
}
