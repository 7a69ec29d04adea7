//! A program that prints a client secret: a password manager, a vault's client.
//!
//! It is run without a shell unless the profile asks for one, gets none of this program's secrets,
//! and may take its time, but not for ever. What it says on stderr reaches the person; what it
//! prints on stdout reaches nobody.

use std::io::Read as _;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use hallpass_oauth::Secret;
use serde::Deserialize;
use zeroize::{Zeroize as _, Zeroizing};

use super::CredentialError;

/// A command as the profile names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretCommand {
    /// A program and its arguments.
    Program(Vec<String>),
    /// A line for `sh`.
    Shell(String),
}

/// Variables that hold a secret of this program or lead to one: no child inherits them.
pub const SECRET_VARIABLES: [&str; 2] = ["HALLPASS_CLIENT_SECRET", "HALLPASS_PASSPHRASE_FILE"];

impl SecretCommand {
    /// What is run, for people.
    pub fn name(&self) -> &str {
        match self {
            Self::Program(words) => words.first().map_or("", String::as_str),
            Self::Shell(_) => "sh",
        }
    }

    /// Runs it and takes the secret from what it prints.
    pub(super) fn load(&self) -> Result<Secret, CredentialError> {
        self.load_within(PATIENCE)
    }

    fn load_within(&self, patience: Duration) -> Result<Secret, CredentialError> {
        let failed = |reason: String| CredentialError::Command {
            program: self.name().to_owned(),
            reason,
        };
        let mut child = self.start().map_err(|error| failed(error.to_string()))?;
        let printed = Printing::begin(&mut child);
        let ended = printed.until_end(&mut child, Instant::now() + patience);
        let text = printed.take();
        let status = match ended {
            Ok(Some(status)) => status,
            Ok(None) => {
                end(&mut child);
                if text.len() > LARGEST {
                    return Err(failed(TOO_MUCH.to_owned()));
                }
                return Err(failed(format!("no answer within {} s", patience.as_secs())));
            }
            Err(error) => {
                end(&mut child);
                return Err(failed(error.to_string()));
            }
        };
        if text.len() > LARGEST {
            return Err(failed(TOO_MUCH.to_owned()));
        }
        if !status.success() {
            return Err(failed(format!("it failed ({status})")));
        }
        parse(&text).map_err(|reason| failed(reason.to_owned()))
    }

    fn start(&self) -> std::io::Result<Child> {
        let mut command = match self {
            Self::Program(words) => {
                let mut command = Command::new(self.name());
                command.args(words.iter().skip(1));
                command
            }
            Self::Shell(line) => {
                let mut command = Command::new("sh");
                command.args(["-c", line]);
                command
            }
        };
        for name in SECRET_VARIABLES {
            command.env_remove(name);
        }
        // Standard input belongs to the call: it may be the body.
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()
    }
}

/// What a program prints while it runs. Its output may stay open after it ended: an agent that it
/// started inherits it.
struct Printing {
    /// `None` when nobody wants any more of it.
    text: Arc<Mutex<Option<Zeroizing<Vec<u8>>>>>,
    closed: mpsc::Receiver<std::io::Result<()>>,
    /// Keeps the channel open, so that waiting for news takes its time also when there is none.
    _sender: mpsc::Sender<std::io::Result<()>>,
}

impl Printing {
    fn begin(child: &mut Child) -> Self {
        // Room for all of it at once: a growing buffer would leave copies behind.
        let room = Zeroizing::new(Vec::with_capacity(LARGEST + PIECE));
        let text = Arc::new(Mutex::new(Some(room)));
        let (sender, closed) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            let (sender, text) = (sender.clone(), text.clone());
            // Nobody may be waiting for the end any more.
            std::thread::spawn(move || drop(sender.send(read(stdout, &text))));
        }
        Self {
            text,
            closed,
            _sender: sender,
        }
    }

    /// Waits for the program to end, and a moment for the rest of what it printed. `None` when it
    /// does not end in time.
    fn until_end(
        &self,
        child: &mut Child,
        deadline: Instant,
    ) -> std::io::Result<Option<ExitStatus>> {
        let mut closed = None;
        loop {
            if let Some(status) = child.try_wait()? {
                let closed = closed.or_else(|| self.closed.recv_timeout(LAST_WORDS).ok());
                return closed.unwrap_or(Ok(())).map(|()| Some(status));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            let news = self.closed.recv_timeout(LOOK).ok();
            closed = closed.or(news);
        }
    }

    fn take(&self) -> Zeroizing<Vec<u8>> {
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        text.take().unwrap_or_default()
    }
}

/// Reads on until the end, or until there is too much: the pipe breaks then, and the program ends.
fn read(mut stdout: ChildStdout, text: &Mutex<Option<Zeroizing<Vec<u8>>>>) -> std::io::Result<()> {
    let mut piece = Zeroizing::new([0; PIECE]);
    loop {
        let length = stdout.read(&mut piece[..])?;
        let mut text = text.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(text) = text.as_mut() else {
            return Ok(());
        };
        text.extend_from_slice(&piece[..length]);
        if length == 0 || text.len() > LARGEST {
            return Ok(());
        }
    }
}

fn end(child: &mut Child) {
    // It may have ended by itself just now.
    let _ = child.kill();
    let _ = child.wait();
}

/// What a program prints when it prints JSON, in the manner of `credential_process`.
#[derive(Deserialize)]
struct Printed {
    #[serde(rename = "Version")]
    version: u64,
    client_secret: Option<String>,
}

/// The secret: the `client_secret` of a JSON object, or one line. Errors hold nothing of the text.
fn parse(text: &[u8]) -> Result<Secret, &'static str> {
    let text = std::str::from_utf8(text).map_err(|_| "it prints no text")?;
    if text.trim_start().starts_with('{') {
        let mut printed: Printed = serde_json::from_str(text)
            .map_err(|_| "it prints no JSON object with \"Version\" and \"client_secret\"")?;
        let secret = printed.client_secret.take();
        return match (printed.version, secret) {
            (1, Some(secret)) if !secret.is_empty() => Ok(Secret::from(secret)),
            (1, _) => Err("its JSON has no client_secret"),
            (_, secret) => {
                secret.unwrap_or_default().zeroize();
                Err("its JSON has another Version than 1")
            }
        };
    }
    let line = text.trim_end_matches(['\r', '\n']);
    if line.trim().is_empty() {
        Err("it prints nothing")
    } else if line.contains(['\n', '\r']) {
        Err("it prints several lines, of which only one can be the secret")
    } else {
        Ok(Secret::from(line.to_owned()))
    }
}

/// How long a program may take: somebody may have to touch a key or type a passphrase.
const PATIENCE: Duration = Duration::from_mins(1);

/// Most that is read of what it prints, in bytes.
const LARGEST: usize = 64 * 1024;

const TOO_MUCH: &str = "it prints far more than a secret";

/// How much of it is read at once.
const PIECE: usize = 4096;

/// How often it is looked whether the program has ended.
const LOOK: Duration = Duration::from_millis(5);

/// How long the rest of what an ended program printed may take to come through the pipe.
const LAST_WORDS: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::*;

    fn load(line: &str) -> Result<String, CredentialError> {
        let secret = SecretCommand::Shell(line.to_owned()).load();
        secret.map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn a_line_or_json_is_taken() {
        assert_eq!(load("echo 's 1'").unwrap(), "s 1");
        assert_eq!(
            load("echo '{\"Version\":1,\"client_secret\":\"s\",\"more\":true}'").unwrap(),
            "s"
        );
        let words = ["printf", "%s", "$HOME"].map(str::to_owned).to_vec();
        let secret = SecretCommand::Program(words).load().unwrap();
        assert_eq!(secret.expose(), "$HOME", "no shell reads the words");
    }

    #[test]
    fn failures_say_what_is_wrong_and_nothing_that_was_printed() {
        for (line, reason) in [
            ("echo planted; exit 3", "exit status: 3"),
            ("true", "prints nothing"),
            ("echo planted; echo planted", "several lines"),
            (
                "echo '{\"Version\":2,\"client_secret\":\"planted\"}'",
                "Version",
            ),
            ("echo '{\"client_secret\":\"planted\"}'", "Version"),
            ("echo '{\"Version\":1}'", "no client_secret"),
            ("head -c 70000 /dev/zero", "far more"),
        ] {
            let error = load(line).unwrap_err();
            let said = format!("{error} {error:?}");
            assert!(error.to_string().contains(reason), "{line}: {error}");
            assert!(!said.contains("planted"), "{line}: {said}");
        }
        let missing = SecretCommand::Program(vec!["/nonexistent/vault".to_owned()]);
        let error = missing.load().unwrap_err();
        assert!(error.to_string().contains("/nonexistent/vault"), "{error}");
    }

    #[test]
    fn a_program_that_never_ends_is_ended() {
        let command = SecretCommand::Program(vec!["sleep".to_owned(), "600".to_owned()]);
        let error = command.load_within(Duration::from_millis(20)).unwrap_err();
        assert!(error.to_string().contains("no answer"), "{error}");
    }

    #[test]
    fn a_program_that_leaves_an_agent_behind_has_given_its_secret() {
        let command = SecretCommand::Shell("echo s; sleep 20 &".to_owned());
        let secret = command.load_within(Duration::from_secs(10)).unwrap();
        assert_eq!(secret.expose(), "s");
    }

    #[test]
    fn a_program_that_goes_on_with_its_output_closed_is_ended() {
        let command = SecretCommand::Shell("echo s; exec >&-; sleep 20".to_owned());
        let error = command.load_within(Duration::from_millis(200)).unwrap_err();
        assert!(error.to_string().contains("no answer"), "{error}");
    }
}
