//! The commands for credentials.

use clap::{Args, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::admin::file_text::FileText;
use crate::admin::typed::{AllowedScopes, Expiry, Period, TokenLifetime, Typed};
use crate::admin::{InWorkspace, OnlyWorkspace};

/// Ways to authenticate, as the command line takes them (RFC 7591 section 2).
const METHODS: [&str; 3] = [
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
];

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub(crate) enum CredentialCommand {
    /// Make a credential; its secret is shown once
    Create(Box<NewCredential>),
    /// List credentials
    List(CredentialFilter),
    /// Show a credential: its secrets, keys, scopes and times
    Show {
        /// The credential's client id
        client_id: String,
    },
    /// Give a credential a new secret; the old one and every token die at once
    Reset {
        /// The credential's client id
        client_id: String,
    },
    /// Give a credential a second secret and let the old one live on for a while; tokens stay
    Rotate {
        /// The credential's client id
        client_id: String,
        /// How long the old secret stays good (90s, 12h, 7d)
        #[arg(long, value_name = "DURATION")]
        overlap: Typed<Period>,
    },
    /// Remove one of two secrets at once; tokens stay
    RemoveSecret {
        /// The credential's client id
        client_id: String,
        /// The secret's id, as `show` has it
        secret_id: String,
    },
    /// Change what a credential may do; what is not named stays
    #[command(override_usage = "hallpass admin credential change [OPTIONS] <CLIENT_ID>")]
    Change {
        /// The credential's client id
        client_id: String,
        #[command(flatten)]
        wanted: Change,
    },
    /// Take a credential out of use; its tokens die at once and for good
    Disable {
        /// The credential's client id
        client_id: String,
    },
    /// Take a disabled credential into use again
    Enable {
        /// The credential's client id
        client_id: String,
    },
    /// Delete a credential; its tokens die at once
    Delete {
        /// The credential's client id
        client_id: String,
    },
}

/// A credential to be made.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub(crate) struct NewCredential {
    /// E-mail address of the owner
    #[arg(long)]
    pub(crate) owner: String,
    /// Application instance, by name (us1) or id
    #[arg(long)]
    pub(crate) instance: String,
    /// Name of the credential
    #[arg(long)]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) at: InWorkspace,
    /// How long its tokens live (90s, 15m, 2h) [default: as long as the service has it]
    #[arg(long, value_name = "DURATION")]
    pub(crate) lifetime: Option<Typed<TokenLifetime>>,
    /// When it ends: a length of time (90d), a day, or a time in RFC 3339 [default: never]
    #[arg(long, value_name = "TIME|DURATION")]
    pub(crate) expires: Option<Typed<Expiry>>,
    /// The only scopes it may ask for, with one space between them
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scope: Option<Typed<AllowedScopes>>,
    /// How it authenticates; may be given twice [default: client_secret_basic and
    /// client_secret_post]
    #[arg(long, value_name = "METHOD", value_parser = METHODS)]
    pub(crate) method: Vec<String>,
    /// Public keys (JSON Web Key Set) instead of a secret, for private_key_jwt; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) jwks: Option<FileText>,
    /// It may introspect the tokens of others for its application instance
    #[arg(long)]
    pub(crate) introspection: bool,
}

impl NewCredential {
    /// A credential as it is made without any option.
    pub(crate) fn plain(owner: &str, instance: &str, name: &str) -> Self {
        Self {
            owner: owner.to_owned(),
            instance: instance.to_owned(),
            name: name.to_owned(),
            at: InWorkspace { workspace: None },
            lifetime: None,
            expires: None,
            scope: None,
            method: Vec::new(),
            jwks: None,
            introspection: false,
        }
    }
}

/// Which credentials to list, and how.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub(crate) struct CredentialFilter {
    /// Only those of this person
    #[arg(long, value_name = "EMAIL")]
    pub(crate) owner: Option<String>,
    #[command(flatten)]
    pub(crate) only: OnlyWorkspace,
    /// Only those that were not used for so long, and are at least as old (12h, 90d)
    #[arg(long, value_name = "DURATION")]
    pub(crate) unused_for: Option<Typed<Period>>,
    /// Only those made longer ago than that (12h, 90d)
    #[arg(long, value_name = "DURATION")]
    pub(crate) older_than: Option<Typed<Period>>,
    /// By age, the oldest first; by last use, the longest unused first; or by name
    #[arg(long, value_enum, default_value_t)]
    pub(crate) sort: CredentialOrder,
}

/// The order of a list of credentials.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub(crate) enum CredentialOrder {
    #[default]
    Created,
    LastUsed,
    Name,
}

/// What to change; what is not named stays.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
#[group(id = "what to change", required = true, multiple = true)]
pub(crate) struct Change {
    /// How long its tokens live from now on (90s, 15m, 2h), or `default`
    #[arg(long, value_name = "DURATION")]
    pub(crate) lifetime: Option<Typed<TokenLifetime>>,
    /// When it ends: a length of time from now (90d), a day, a time in RFC 3339, or `never`
    #[arg(long, value_name = "TIME|DURATION")]
    pub(crate) expires: Option<Typed<Expiry>>,
    /// The only scopes it may ask for, with one space between them, or `none` for no such bound
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scope: Option<Typed<AllowedScopes>>,
    /// Public keys in place of those it has; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) jwks: Option<FileText>,
    /// It may introspect the tokens of others for its application instance
    #[arg(long, conflicts_with = "no_introspection")]
    pub(crate) introspection: bool,
    /// It may not introspect the tokens of others
    #[arg(long)]
    pub(crate) no_introspection: bool,
}
