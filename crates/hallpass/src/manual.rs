//! `hallpass help`: commands, topics, and man pages, all from the definition of the command line.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _};

use crate::cli::Cli;
use crate::command::{CommandError, EXIT_CODES, Exit};
use crate::output;

/// Print help for a command or a topic (exit-codes, environment, files)
#[derive(Debug, Args)]
pub(crate) struct HelpArgs {
    /// A command, or `exit-codes`, `environment` or `files`
    words: Vec<String>,
    /// Write man pages of all commands into DIR instead
    #[arg(long, value_name = "DIR", conflicts_with = "words")]
    man: Option<PathBuf>,
}

/// What there is help for besides commands.
const TOPICS: [(&str, &str); 3] = [
    ("exit-codes", EXIT_CODES),
    ("environment", ENVIRONMENT),
    ("files", FILES),
];

/// Runs the command.
pub(crate) fn run(args: &HelpArgs) -> Result<(), CommandError> {
    if let Some(directory) = &args.man {
        return write_pages(directory);
    }
    if let [word] = args.words.as_slice()
        && let Some((_, text)) = TOPICS.iter().find(|(topic, _)| topic == word)
    {
        return output::data(text);
    }
    let mut command = Cli::command();
    command.build();
    for word in &args.words {
        command = command.find_subcommand(word).cloned().ok_or_else(|| {
            let topics = TOPICS.map(|(topic, _)| topic).join(", ");
            CommandError::usage(format!("there is no help for `{word}`")).hint(format!(
                "`hallpass help` lists the commands; topics: {topics}"
            ))
        })?;
    }
    output::data(&command.render_long_help().to_string())
}

fn write_pages(directory: &PathBuf) -> Result<(), CommandError> {
    let written = std::fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), directory));
    written.map_err(|error| {
        let what = format!(
            "the man pages cannot be written into {}",
            directory.display()
        );
        CommandError::caused(Exit::Usage, &what, &error)
    })?;
    let directory = directory.display();
    output::words(&format!("Read them with: man {directory}/hallpass.1"));
    Ok(())
}

/// The text of `hallpass help environment`.
const ENVIRONMENT: &str = "\
Environment

A variable that is set to nothing counts as not set.

A connection without a profile: the first two of these, or a region, the client id and a secret
  HALLPASS_TOKEN_URL           token URL of the authorization server
  HALLPASS_BASE_URL            base URL of the API
  HALLPASS_REGION              region, instead of the base URL
  HALLPASS_CLIENT_ID           client id of the credential
  HALLPASS_CLIENT_SECRET       its secret
  HALLPASS_CLIENT_SECRET_FILE  file with the secret; both also serve a stored profile
  HALLPASS_PRIVATE_KEY         file with the key of a credential without a secret
  HALLPASS_KEY_ID              id of that key
  HALLPASS_WORKSPACE           workspace
  HALLPASS_AUTHENTICATION      how the client authenticates
  HALLPASS_SCOPE, HALLPASS_AUDIENCE, HALLPASS_RESOURCES
                               what to ask for in the token request
  HALLPASS_API                 OpenAPI definition of the API
  HALLPASS_CA_FILE             certificate authorities to trust besides those of the system
  HALLPASS_CLIENT_CERTIFICATE, HALLPASS_CLIENT_KEY
                               certificate and key of the client
  HALLPASS_PROXY               proxy to go through
  HALLPASS_UNENCODED           send id and secret as they are in the Basic header

Choosing
  HALLPASS_PROFILE             profile to use instead of the current one
  HALLPASS_PROFILES            file of profiles to use instead of your own
  HALLPASS_PASSPHRASE_FILE     file with the passphrase of secrets that are kept encrypted
  HTTPS_PROXY, ALL_PROXY, NO_PROXY
                               proxy to go through, unless the profile says otherwise

Programs that `hallpass sample` writes
  HALLPASS_ACCESS_TOKEN        access token that the program sends

Servers
  HALLPASS_DATA                data directory
  HALLPASS_CONFIG              configuration file
  HALLPASS_MASTER_KEY_FILE     master key, instead of the one in the data directory
  HALLPASS_LISTEN, HALLPASS_ISSUER
                               settings of the configuration file

Everywhere
  HALLPASS_LOG                 what the log says, such as debug or hallpass_store=trace
  HALLPASS_LOG_FORMAT          text or json
  NO_COLOR                     no colours
  XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_CACHE_HOME
                               where files are; see `hallpass help files`";

/// The text of `hallpass help files`.
const FILES: &str = "\
Files

$XDG_CONFIG_HOME/hallpass/ [~/.config/hallpass/]
  profiles.toml     profiles and the name of the current one; no secrets
$XDG_DATA_HOME/hallpass-client/ [~/.local/share/hallpass-client/]
                    secrets that are kept in files, for their owner only
$XDG_CACHE_HOME/hallpass/ [~/.cache/hallpass/]
  tokens/           access tokens that all processes of the user share, for their owner only
  definitions/      API definitions in compiled form; they are made again when they are missing
$XDG_DATA_HOME/hallpass/ [~/.local/share/hallpass/]
                    data of `hallpass serve`, unless --data names another directory

Everything in the cache may be removed at any time.";

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_variable_that_is_read_is_told() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut told = 0;
        for source in [
            "client/src",
            "hallpass/src/client",
            "hallpass/src/definition",
        ] {
            for name in variables(&crates.join(source)) {
                assert!(ENVIRONMENT.contains(&name), "{name} is read in {source}");
                told += 1;
            }
        }
        assert!(told > 10);
    }

    /// Texts in quotes that are names of variables.
    fn variables(folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(variables(&path));
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let quoted = text.split('"').filter(|word| word.starts_with("HALLPASS_"));
            let is_name = |word: &&str| {
                word.bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
            };
            found.extend(quoted.filter(is_name).map(str::to_owned));
        }
        found
    }
}
