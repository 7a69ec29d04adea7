//! Administration of a running server: `hallpass admin` sends its command through a socket in the
//! data directory, which only the owner can open, and the server executes it. One command, one
//! answer, one line each.

use std::fs::Permissions;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hallpass_store::{Clock, Store};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use zeroize::Zeroizing;

use crate::admin::{AdminCommand, Administrator};
use crate::command::{CommandError, Exit};
use crate::serve::guards::Guards;
use crate::serve::{Addresses, Config};

/// Longest command or answer, in bytes: the state of a stand-in, with its quotes escaped.
const LONGEST_LINE: usize = 512 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
enum Answer {
    Done(Value),
    Refused {
        exit: Exit,
        message: String,
        hint: Option<String>,
    },
}

/// What the commands work on.
pub(super) struct Administration {
    pub(super) store: Store,
    pub(super) addresses: Addresses,
    pub(super) keys_max_age: SignedDuration,
    /// The guards of the application instances.
    pub(super) guards: Arc<Guards>,
    pub(super) config: Config,
    pub(super) clock: Clock,
}

/// Binds the socket, 0600. One that a killed server left behind is replaced; the caller holds the
/// directory's lock, so nobody listens on it.
pub(super) fn bind(path: &Path) -> Result<UnixListener, CommandError> {
    let failed = |error: std::io::Error| {
        let hint = if path.as_os_str().len() > 100 {
            "the path of a socket must be short: name a data directory with a shorter path"
        } else {
            "name another data directory with --data DIR"
        };
        CommandError::usage(format!(
            "the admin socket {} cannot be used: {error}",
            path.display()
        ))
        .hint(hint)
    };
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}

/// Executes commands until `stopping` becomes true; those under way come to their end, since the
/// only copy of a new secret may be in their answer.
pub(super) async fn serve(
    listener: UnixListener,
    administration: Arc<Administration>,
    mut stopping: watch::Receiver<bool>,
) {
    let mut under_way = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let administration = administration.clone();
                under_way.spawn(async move {
                    if let Err(error) = answer(stream, &administration).await {
                        tracing::warn!(error = %error, "an admin command was not answered");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(error = %error, "the admin socket failed");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
        while under_way.try_join_next().is_some() {}
    }
    drop(listener);
    while under_way.join_next().await.is_some() {}
}

/// How long to wait after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long a command may take to arrive.
const COMMAND_TIME: Duration = Duration::from_secs(5);

/// How long an answer may take to be read.
const READ_TIME: Duration = Duration::from_secs(5);

/// How long a command line waits for its answer.
const ANSWER_TIME: Duration = Duration::from_mins(1);

async fn answer(stream: UnixStream, administration: &Administration) -> std::io::Result<()> {
    let (mut reader, mut writer) = stream.into_split();
    let line = tokio::time::timeout(COMMAND_TIME, read_line(&mut reader)).await??;
    // The state of a stand-in may be in the command or in the answer, of hundreds of megabytes.
    let command = in_background(move || serde_json::from_slice::<AdminCommand>(&line)).await?;
    let answer = match command {
        Ok(command) => {
            let administrator = Administrator {
                store: &administration.store,
                addresses: &administration.addresses,
                keys_max_age: administration.keys_max_age,
                running: &administration.guards.all(),
                config: &administration.config,
                now: (administration.clock)(),
            };
            match administrator.execute(&command).await {
                Ok(value) => Answer::Done(value),
                Err(error) => Answer::Refused {
                    exit: error.exit(),
                    message: error.message().to_owned(),
                    hint: error.hint_text().map(str::to_owned),
                },
            }
        }
        Err(error) => Answer::Refused {
            exit: Exit::Refused,
            message: format!("the running server does not know this command: {error}"),
            hint: Some("it may be of another version; restart it".to_owned()),
        },
    };
    let text = in_background(move || line_of(&answer)).await??;
    // A reader that stopped must not hold up the server's end; the command has been executed.
    let written = async {
        writer.write_all(&text).await?;
        writer.shutdown().await
    };
    tokio::time::timeout(READ_TIME, written).await?
}

async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(std::io::Error::other)
}

/// Sends a command to the running server. `None` when nobody listens.
pub(crate) async fn ask(
    socket: &Path,
    command: &AdminCommand,
) -> Result<Option<Value>, CommandError> {
    let stream = match UnixStream::connect(socket).await {
        Ok(stream) => stream,
        Err(error)
            // A path too long for a socket is invalid: no server can listen there either.
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::InvalidInput
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(unreachable(&error)),
    };
    let (mut reader, mut writer) = stream.into_split();
    let text = line_of(command).map_err(|error| unreachable(&error))?;
    writer
        .write_all(&text)
        .await
        .map_err(|error| unreachable(&error))?;
    let answered = tokio::time::timeout(ANSWER_TIME, read_line(&mut reader)).await;
    let line = answered
        .map_err(|error| unreachable(&error))?
        .map_err(|error| unreachable(&error))?;
    match serde_json::from_slice(&line) {
        Ok(Answer::Done(value)) => Ok(Some(value)),
        Ok(Answer::Refused {
            exit,
            message,
            hint,
        }) => Err(CommandError::new(exit, message).maybe_hint(hint)),
        Err(error) => Err(unreachable(&error)),
    }
}

/// A line that is wiped after use: commands and answers carry secrets. There is room for a key file
/// from the start, since a buffer that grows leaves copies behind.
fn line_of(message: &impl Serialize) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(ROOM));
    serde_json::to_writer(&mut *line, message)?;
    line.push(b'\n');
    Ok(line)
}

/// Room for the longest command and the usual answer, in bytes.
const ROOM: usize = 128 * 1024;

/// Reads one line into memory that is wiped after use, copies that were too small included.
async fn read_line(reader: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(ROOM));
    loop {
        let read = reader.read_buf(&mut *line).await?;
        if read == 0 || line.ends_with(b"\n") {
            return Ok(line);
        }
        if line.len() >= LONGEST_LINE {
            return Err(std::io::Error::new(
                ErrorKind::InvalidData,
                "the line is too long",
            ));
        }
        if line.len() == line.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(2 * line.capacity()));
            larger.extend_from_slice(&line);
            line = larger;
        }
    }
}

fn unreachable(error: &dyn std::error::Error) -> CommandError {
    CommandError::caused(
        Exit::Unreachable,
        "the running server did not answer",
        error,
    )
}
