//! Prints the walk: for people, or one JSON object per step. Secrets are shortened unless the step
//! is about showing them.

use std::path::Path;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use crate::command::CommandError;
use crate::demo::walk::ReadyProfile;
use crate::output;
use crate::serve::Addresses;

/// Prints the steps.
pub(super) struct Narrator {
    json: bool,
    step: usize,
    title: String,
    /// What the step has exchanged so far; printed with the step as one JSON object.
    exchanges: Vec<Value>,
    status: Option<u16>,
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
            exchanges: Vec::new(),
            status: None,
        }
    }

    /// Begins a step.
    pub(super) fn begin(&mut self, title: &str) {
        self.end(None);
        self.step += 1;
        title.clone_into(&mut self.title);
        if !self.json {
            let heading = format!("{:>2}  {title}", self.step);
            line(&format!("\n{}", painted(&heading, Style::new().bold())));
        }
    }

    /// Ends the step: for programs it is one object.
    fn end(&mut self, error: Option<&str>) {
        let exchanges = std::mem::take(&mut self.exchanges);
        let status = self.status.take();
        if self.json && self.step > 0 {
            let mut object = json!({
                "step": self.step,
                "title": self.title,
                "status": status,
                "exchanges": exchanges,
            });
            if let Some(error) = error {
                object["error"] = json!(error);
            }
            line(&object.to_string());
        }
    }

    /// Shows an exchange and says what it means.
    pub(super) fn exchange(&mut self, exchange: &Exchange<'_>, words: &str) {
        if self.json {
            let status = exchange.status.map(|status| status.as_u16());
            self.status = status.or(self.status);
            self.exchanges.push(json!({
                "request": exchange.request,
                "sent": exchange.sent,
                "status": status,
                "answer": exchange.answer,
                "words": words,
            }));
            return;
        }
        let blue = Style::new().fg_color(Some(AnsiColor::Cyan.into()));
        line(&format!("    {}", painted(exchange.request, blue)));
        for sent in &exchange.sent {
            line(&format!("    {sent}"));
        }
        if let Some(status) = exchange.status {
            let good = if status.is_success() {
                AnsiColor::Green
            } else {
                AnsiColor::Yellow
            };
            let style = Style::new().fg_color(Some(good.into()));
            line(&format!("    {}", painted(&format!("-> {status}"), style)));
        }
        for answer in indented(&exchange.answer).lines() {
            line(&format!("       {answer}"));
        }
        self.say(words);
    }

    /// Says something.
    pub(super) fn say(&self, words: &str) {
        if !self.json && !words.is_empty() {
            for said in wrapped(words, 86) {
                line(&format!("    {}", painted(&said, Style::new().dimmed())));
            }
        }
    }

    /// Ends the walk.
    pub(super) fn finish(&mut self) {
        self.end(None);
        if !self.json {
            line(&format!("\nDone: {} steps, all as expected.", self.step));
        }
    }

    /// Tells which step failed.
    pub(super) fn failed(&mut self, error: &CommandError) -> CommandError {
        self.end(Some(error.message()));
        let message = format!(
            "step {} ({}) failed: {}",
            self.step,
            self.title,
            error.message()
        );
        CommandError::refused(message).maybe_hint(error.hint_text().map(str::to_owned))
    }

    /// Tells how to use the system that was left running.
    pub(super) fn keep(&self, addresses: &Addresses, data: &Path, profile: &ReadyProfile) {
        let program = std::env::current_exe()
            .map_or_else(|_| "hallpass".to_owned(), |path| path.display().to_string());
        if self.json {
            let running = json!({
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
            line(&running.to_string());
            return;
        }
        line("\nThe system goes on until you press Ctrl-C:");
        for (name, value) in addresses.lines() {
            line(&format!("  {name:<22}{value}"));
        }
        line(&format!(
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

/// A line of the story. When nobody can read it any more, the walk goes on to its end all the same,
/// so that everything is stopped in order.
fn line(text: &str) {
    let _ = output::data(text);
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
