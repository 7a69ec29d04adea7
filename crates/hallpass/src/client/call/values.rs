//! What is typed for a request, and what it becomes: arguments, the whole body, files and standard
//! input read.

use std::io::Read as _;
use std::time::Duration;

use clap::Args;
use hallpass_client::{Limits, Options, Retries};
use hallpass_openapi::{Argument, Values};

use crate::command::CommandError;

/// What to send.
#[derive(Debug, Args)]
pub(crate) struct ValueArgs {
    /// Parameters and body properties; also NAME:=JSON and NAME=@FILE
    #[arg(value_name = "NAME=VALUE")]
    values: Vec<String>,
    /// Whole body: JSON text, @FILE, or - for standard input; values are laid over it
    #[arg(long, value_name = "JSON")]
    data: Option<String>,
    /// Media type of the body, where the operation takes several or no definition says it
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// Send names and values that the definition does not allow; the server decides
    #[arg(long)]
    no_check: bool,
}

/// How to send it.
#[derive(Debug, Args)]
pub(crate) struct SendingArgs {
    /// Print the request as it would be sent, the token masked, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How often a request that has not acted is sent again (429, 503, no connection)
    #[arg(long, value_name = "N", default_value_t = Retries::default().most,
          value_parser = clap::value_parser!(u32).range(0..=20))]
    retry: u32,
    /// How long an answer may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::default().total.as_secs(),
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// When the API says no, print its answer on stdout as it came
    #[arg(long)]
    pub(crate) fail_with_body: bool,
}

impl ValueArgs {
    /// Whether the definition decides what may be sent.
    pub(crate) fn checked(&self) -> bool {
        !self.no_check
    }

    /// Reads them, and the files and the standard input that they name.
    pub(crate) fn read(&self) -> Result<Values, CommandError> {
        let mut input = Input::default();
        let body = self
            .data
            .as_deref()
            .map(|data| body(data, &mut input))
            .transpose()?;
        let mut arguments = Vec::new();
        let mut mistakes = Vec::new();
        for text in &self.values {
            match Argument::parse(text, &mut |file| input.read(file)) {
                Ok(argument) => arguments.push(argument),
                Err(error) => mistakes.push(error.to_string()),
            }
        }
        match mistakes.as_slice() {
            [] => {}
            [only] => return Err(CommandError::usage(only)),
            several => {
                let message = format!("{} mistakes:\n- {}", several.len(), several.join("\n- "));
                return Err(CommandError::usage(message));
            }
        }
        Ok(Values {
            arguments,
            body,
            media_type: self.content_type.clone(),
            checked: self.checked(),
        })
    }
}

impl SendingArgs {
    /// The options with what was typed.
    pub(crate) fn apply(&self, options: Options) -> Options {
        let limits = Limits {
            total: Duration::from_secs(self.timeout),
            ..options.limits.clone()
        };
        let retries = Retries {
            most: self.retry,
            ..options.retries
        };
        options.with_limits(limits).with_retries(retries)
    }
}

fn body(data: &str, input: &mut Input) -> Result<Vec<u8>, CommandError> {
    let file = match data.strip_prefix('@') {
        Some(file) => file,
        None if data == "-" => data,
        None => return Ok(data.as_bytes().to_vec()),
    };
    input.read(file).map_err(|reason| {
        let file = if file == "-" { "standard input" } else { file };
        CommandError::usage(format!("the body cannot be read from {file}: {reason}"))
    })
}

/// Files, and the standard input, which can be read once.
#[derive(Default)]
struct Input {
    was_read: bool,
}

impl Input {
    fn read(&mut self, file: &str) -> Result<Vec<u8>, String> {
        if file != "-" {
            return std::fs::read(file).map_err(|error| error.to_string());
        }
        if std::mem::replace(&mut self.was_read, true) {
            return Err("standard input is used for something else already".to_owned());
        }
        let mut content = Vec::new();
        let read = std::io::stdin().read_to_end(&mut content);
        read.map(|_| content).map_err(|error| error.to_string())
    }
}
