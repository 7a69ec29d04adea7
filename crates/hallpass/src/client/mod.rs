//! The client's commands: which connection is meant, and how the library's errors end a command.

pub(crate) mod answer;
pub(crate) mod call;
mod claims;
pub(crate) mod collection;
pub(crate) mod credential;
pub(crate) mod doctor;
pub(crate) mod explorer;
mod loopback;
pub(crate) mod profile;
pub(crate) mod proxy;
pub(crate) mod raw;
pub(crate) mod sample;
pub(crate) mod selection;
pub(crate) mod stores;
pub(crate) mod token;
mod warnings;

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use hallpass_client::credential_source::CredentialSource;
use hallpass_client::error::Kind;
use hallpass_client::event::Event;
use hallpass_client::profile::Profile;
use hallpass_client::proxies::Proxies;
use hallpass_client::send::{Cache, Client, Options, Renewal};

use crate::command::{CommandError, Exit, chain};
use crate::output;
use crate::serve::system_time;
use selection::FileArg;
use warnings::warning;

/// Which connection to use.
#[derive(Debug, Args)]
pub(crate) struct ConnectionArgs {
    /// Profile [default: HALLPASS_TOKEN_URL and friends, else the current profile]
    #[arg(long, short, value_name = "NAME", env = "HALLPASS_PROFILE")]
    profile: Option<String>,
    /// Say on stderr what is sent and what comes back (never a secret or token)
    #[arg(long, short)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    file: FileArg,
    /// Believe every server who it says it is: whoever is in between reads the secret
    #[arg(long)]
    insecure: bool,
}

impl ConnectionArgs {
    /// The client for the connection that was chosen, of a command that ends with its answer.
    pub(crate) fn connect(&self) -> Result<Client, CommandError> {
        self.connect_with(|options| options)
    }

    /// The same for a command that goes on running.
    pub(crate) fn connect_to_stay(&self) -> Result<Client, CommandError> {
        self.connect_with(|options| options.with_renewal(Renewal::Beside))
    }

    /// The same with other options.
    pub(crate) fn connect_with(
        &self,
        change: impl FnOnce(Options) -> Options,
    ) -> Result<Client, CommandError> {
        let (profile, credential) = self.choose()?;
        let verbose = self.verbose;
        let tell = move |event: &Event| match warning(event) {
            Some(warning) => output::words(&warning),
            // A call that takes longer than it should says why, whoever asked.
            None if verbose || matches!(event, Event::Repeating { .. }) => {
                output::words(&describe(event));
            }
            None => {}
        };
        let insecure = self.insecure || profile.insecure();
        let profile = profile.with_insecure(insecure);
        let options = options().with_renewal(Renewal::Before);
        let options = change(options.with_events(Arc::new(tell)));
        Client::new(profile, credential, &options).map_err(CommandError::from)
    }

    /// The options that chose the connection, for a command line that is to be copied: each with a
    /// blank before it. What the environment says is left out, it will say it again.
    pub(crate) fn as_typed(&self) -> String {
        let is_said =
            |name: &str, value: &OsStr| std::env::var_os(name).is_some_and(|v| v == value);
        let name = self
            .named()
            .filter(|name| !is_said("HALLPASS_PROFILE", name.as_ref()));
        let name = name.map(|name| ["-p".to_owned(), name.to_owned()]);
        let insecure = self.insecure.then(|| "--insecure".to_owned());
        let words = name.into_iter().flatten().chain(self.file.as_typed());
        let mut typed = String::new();
        for word in words.chain(insecure) {
            typed.push(' ');
            typed.push_str(&output::shell_word(&word));
        }
        typed
    }

    /// The profile that was named; a variable set to nothing names none.
    fn named(&self) -> Option<&str> {
        self.profile.as_deref().filter(|name| !name.is_empty())
    }

    fn choose(&self) -> Result<(Profile, CredentialSource), CommandError> {
        let variable = |name: &str| std::env::var(name).ok();
        if self.named().is_none()
            && self.file.is_open()
            && let Some(found) = Profile::from_environment(variable).map_err(library)?
        {
            return Ok(found);
        }
        let profiles = self.file.load()?;
        let profile = profiles.select(self.named()).map_err(library)?.clone();
        // Beside a connection in the environment, the secret there was meant for that one: a file that
        // others write must not have it sent to its own address.
        let is_meant = !profile.is_shared() || !Profile::is_in_environment(variable);
        if is_meant
            && let Some(given) = CredentialSource::from_environment(variable).map_err(library)?
        {
            return Ok((profile, given));
        }
        let credential = stores::credential(&profile)?;
        Ok((profile, credential))
    }
}

/// What is said when a profile that believes everybody is added.
pub(crate) const INSECURE: &str = "warning: servers need not prove who they are (insecure): \
     whoever is in between can read the secret and the tokens";

/// How a client works for this user: with the token cache that all their processes share. Without
/// a place for it, in a container say, tokens stay in memory.
pub(crate) fn options() -> Options {
    let cache = match base("XDG_CACHE_HOME", ".cache") {
        Some(base) => Cache::Directory(base.join("hallpass/tokens")),
        None => Cache::None,
    };
    let proxies = Proxies::from_environment(|name| std::env::var(name).ok());
    Options::new(cache, Arc::new(system_time)).with_proxies(proxies)
}

/// Where profiles are kept.
pub(crate) fn config_directory() -> Result<PathBuf, CommandError> {
    let base = base("XDG_CONFIG_HOME", ".config").ok_or_else(homeless)?;
    Ok(base.join("hallpass"))
}

/// Where secrets are kept: apart from a server's data directory, which may be copied as a backup.
pub(crate) fn data_directory() -> Result<PathBuf, CommandError> {
    let base = base("XDG_DATA_HOME", ".local/share").ok_or_else(homeless)?;
    Ok(base.join("hallpass-client"))
}

/// A directory of the XDG base directory specification; a relative one counts as not set.
pub(crate) fn base(variable: &str, below_home: &str) -> Option<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute(variable).or_else(|| Some(absolute("HOME")?.join(below_home)))
}

fn homeless() -> CommandError {
    CommandError::usage("there is no home directory to keep profiles in").hint(
        "set HOME, or put the whole profile into the environment: HALLPASS_TOKEN_URL and friends",
    )
}

impl From<hallpass_client::error::Error> for CommandError {
    fn from(error: hallpass_client::error::Error) -> Self {
        let exit = match error.kind() {
            Kind::Api => Exit::Refused,
            Kind::Usage => Exit::Usage,
            Kind::Authentication => Exit::Authentication,
            Kind::Unreachable => Exit::Unreachable,
            Kind::Task => Exit::Task,
        };
        let described = Self::new(exit, chain(&error)).maybe_hint(error.hint());
        match error {
            hallpass_client::error::Error::Api(problem) => {
                described.refused_with(problem.status(), problem.body())
            }
            _ => described,
        }
    }
}

/// An error of one of the library's parts.
pub(crate) fn library(error: impl Into<hallpass_client::error::Error>) -> CommandError {
    CommandError::from(error.into())
}

fn describe(event: &Event) -> String {
    match event {
        Event::TokenFromCache { expires_at } => {
            format!("* token from the cache, good until {expires_at}")
        }
        Event::TokenRequested {
            token_url,
            client_id,
            authentication,
            ..
        } => {
            format!("> POST {token_url} as {client_id} (credential in the {authentication})")
        }
        Event::TokenReceived {
            expires_at,
            elapsed,
            ..
        } => {
            format!(
                "< token, good until {expires_at} ({} ms)",
                elapsed.as_millis()
            )
        }
        Event::RequestSent {
            method,
            url,
            body_bytes,
        } => format!("> {method} {url} ({body_bytes} bytes)"),
        Event::ResponseReceived {
            status,
            body_bytes,
            elapsed,
            ..
        } => {
            format!(
                "< {status} ({body_bytes} bytes, {} ms)",
                elapsed.as_millis()
            )
        }
        Event::Repeating { reason, delay } => format!(
            "* {}; again in {:.1} s",
            output::printable(reason),
            delay.as_secs_f64()
        ),
        Event::AnswerBegun { status, elapsed } => {
            format!("< {status} ({} ms)", elapsed.as_millis())
        }
        other => format!("* {other:?}"),
    }
}
