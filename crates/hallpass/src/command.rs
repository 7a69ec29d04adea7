//! How a command ends: the exit codes, and the error that names what, where and what to do.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use crate::output;

/// The exit codes; `hallpass help exit-codes` prints them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Exit {
    /// The API, or this program, said no.
    Refused = 1,
    /// Wrong usage: arguments, configuration, files.
    Usage = 2,
    /// No access token was to be had, or it was refused.
    Authentication = 3,
    /// The server was not reached.
    Unreachable = 4,
    /// A task failed or took too long.
    Task = 5,
    /// Somebody pressed Ctrl-C; the shell's number for it.
    Interrupted = 130,
}

/// The text of `hallpass help exit-codes`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes

  0  done
  1  the API said no (an answer of 4xx or 5xx), or a command was refused
  2  wrong usage: arguments, configuration or files
  3  authentication failed: no access token, or the API refused it
  4  the server could not be reached
  5  a task failed or timed out
130  interrupted with Ctrl-C";

/// A command's error.
#[derive(Debug)]
pub(crate) struct CommandError {
    exit: Exit,
    message: String,
    hint: Option<String>,
    refusal: Option<Box<Refusal>>,
}

/// What the API answered when it said no.
#[derive(Debug)]
struct Refusal {
    status: u16,
    body: Vec<u8>,
}

impl CommandError {
    /// An error with its exit code.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            hint: None,
            refusal: None,
        }
    }

    /// Wrong usage.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Something that was asked for was refused or failed.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::new(Exit::Refused, message)
    }

    /// An error with the chain of its causes.
    pub(crate) fn caused(exit: Exit, what: &str, error: &dyn std::error::Error) -> Self {
        Self::new(exit, format!("{what}: {}", chain(error)))
    }

    /// Adds what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with the answer that said no.
    pub(crate) fn refused_with(mut self, status: u16, body: &[u8]) -> Self {
        let body = body.to_vec();
        self.refusal = Some(Box::new(Refusal { status, body }));
        self
    }

    /// The status with which the API said no.
    pub(crate) fn refused_status(&self) -> Option<u16> {
        Some(self.refusal.as_ref()?.status)
    }

    /// The body of that answer.
    pub(crate) fn refused_body(&self) -> Option<&[u8]> {
        Some(&self.refusal.as_ref()?.body)
    }

    /// Says more in the first line.
    pub(crate) fn saying_more(mut self, more: &str) -> Self {
        let end = self.message.find('\n').unwrap_or(self.message.len());
        self.message.insert_str(end, &format!("; {more}"));
        self
    }

    /// Adds what to do about it, if anything is known.
    pub(crate) fn maybe_hint(self, hint: Option<String>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// The exit code it ends with.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// What happened.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub(crate) fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Prints it.
    pub(crate) fn print(&self) {
        output::words(&format!("error: {}", moved_in(&self.message)));
        if let Some(hint) = &self.hint {
            output::words(&format!("hint: {}", moved_in(hint)));
        }
    }

    /// The code the process ends with.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.exit as u8)
    }
}

/// Lines after the first are moved in, so that nothing from outside looks like words of ours.
fn moved_in(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(output::printable).collect();
    lines.join("\n  ")
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.contains(&said) {
            let _ = write!(text, ": {said}");
        }
        source = cause.source();
    }
    text
}
