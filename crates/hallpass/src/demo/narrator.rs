//! Prints the walk: for people, or one JSON object per step. Secrets are shortened unless the step
//! is about showing them.

use std::path::Path;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use crate::command::{CommandError, Exit};
use crate::demo::walk::ReadyProfile;
use crate::output;
use crate::serve::Addresses;

/// Prints the steps.
pub(super) struct Narrator {
    json: bool,
    step: usize,
    title: String,
}

/// One exchange, as it is shown.
pub(super) struct Exchange<'a> {
    /// What was sent: a request line, or a command.
    pub(super) request: &'a str,
    /// Its body or headers, shortened.
    pub(super) sent: Vec<String>,
    /// The HTTP status; none for a command of this program.
    pub(super) status: Option<http::StatusCode>,
    /// What came back, shortened.
    pub(super) answer: Value,
}

impl Narrator {
    pub(super) fn new(json: bool) -> Self {
        Self {
            json,
            step: 0,
            title: String::new(),
        }
    }

    /// Begins a step.
    pub(super) fn begin(&mut self, title: &str) {
        self.step += 1;
        title.clone_into(&mut self.title);
        if !self.json {
            let heading = format!("{:>2}  {title}", self.step);
            output::data(&format!("\n{}", painted(&heading, Style::new().bold())));
        }
    }

    /// Shows an exchange and says what it means.
    pub(super) fn exchange(&self, exchange: &Exchange<'_>, words: &str) {
        if self.json {
            let line = json!({
                "step": self.step,
                "title": self.title,
                "request": exchange.request,
                "sent": exchange.sent,
                "status": exchange.status.map(|status| status.as_u16()),
                "answer": exchange.answer,
                "words": words,
            });
            output::data(&line.to_string());
            return;
        }
        let blue = Style::new().fg_color(Some(AnsiColor::Cyan.into()));
        output::data(&format!("    {}", painted(exchange.request, blue)));
        for line in &exchange.sent {
            output::data(&format!("    {line}"));
        }
        if let Some(status) = exchange.status {
            let good = if status.is_success() {
                AnsiColor::Green
            } else {
                AnsiColor::Yellow
            };
            let style = Style::new().fg_color(Some(good.into()));
            output::data(&format!("    {}", painted(&format!("-> {status}"), style)));
        }
        for line in indented(&exchange.answer).lines() {
            output::data(&format!("       {line}"));
        }
        self.say(words);
    }

    /// Says something.
    pub(super) fn say(&self, words: &str) {
        if !self.json && !words.is_empty() {
            for line in wrapped(words, 86) {
                output::data(&format!("    {}", painted(&line, Style::new().dimmed())));
            }
        }
    }

    /// Ends the walk.
    pub(super) fn finish(&self) {
        if self.json {
            output::data(&json!({ "step": "done", "steps": self.step }).to_string());
        } else {
            output::data(&format!("\nDone: {} steps, all as expected.", self.step));
        }
    }

    /// Tells which step failed.
    pub(super) fn failed(&self, error: &CommandError) -> CommandError {
        if self.json {
            let line = json!({ "step": self.step, "title": self.title, "error": error.message() });
            output::data(&line.to_string());
        }
        let message = format!(
            "step {} ({}) failed: {}",
            self.step,
            self.title,
            error.message()
        );
        CommandError::new(Exit::Refused, message).maybe_hint(error.hint_text().map(str::to_owned))
    }

    /// Tells how to use the system that was left running.
    pub(super) fn keep(&self, addresses: &Addresses, data: &Path, profile: &ReadyProfile) {
        let program = std::env::current_exe()
            .map_or_else(|_| "hallpass".to_owned(), |path| path.display().to_string());
        if self.json {
            let line = json!({
                "step": "running",
                "addresses": addresses,
                "data": data,
                "profile": {
                    "HALLPASS_TOKEN_URL": addresses.token_url,
                    "HALLPASS_BASE_URL": profile.base_url,
                    "HALLPASS_CLIENT_ID": profile.client_id,
                    "HALLPASS_CLIENT_SECRET": profile.client_secret.expose(),
                },
            });
            output::data(&line.to_string());
            return;
        }
        output::data("\nThe system goes on until you press Ctrl-C:");
        for (name, value) in addresses.lines() {
            output::data(&format!("  {name:<22}{value}"));
        }
        output::data(&format!(
            "\nUse it in another terminal. A profile, whole in the environment:\n
  export HALLPASS_TOKEN_URL={}
  export HALLPASS_BASE_URL={}
  export HALLPASS_CLIENT_ID={}
  export HALLPASS_CLIENT_SECRET={}

  {program} call SystemsList -o table
  {program} token --claims
  {program} admin credential list --data {}",
            addresses.token_url,
            profile.base_url,
            profile.client_id,
            profile.client_secret.expose(),
            data.display(),
        ));
    }
}

/// A secret or token, recognisable and useless.
pub(super) fn shortened(secret: &str) -> String {
    let head: String = secret.chars().take(6).collect();
    format!("{head}… ({} characters)", secret.chars().count())
}

fn painted(text: &str, style: Style) -> String {
    if output::colour_on_stdout() {
        format!("{style}{text}{style:#}")
    } else {
        text.to_owned()
    }
}

/// JSON for reading: short values on one line, long lists cut.
fn indented(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        _ => {
            let line = value.to_string();
            if line.chars().count() <= 90 {
                line
            } else {
                serde_json::to_string_pretty(value).unwrap_or_default()
            }
        }
    }
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortened_secret_gives_nothing_away_that_could_be_used() {
        let secret = "7c211433f02071597741e6ff5a8ea34789abbf43";
        assert_eq!(shortened(secret), "7c2114… (40 characters)");
    }

    #[test]
    fn words_are_wrapped_and_none_is_lost() {
        let text = "one two three four five six seven";
        let lines = wrapped(text, 12);
        assert!(lines.iter().all(|line| line.len() <= 12), "{lines:?}");
        assert_eq!(lines.join(" "), text);
    }
}
