//! The commands for signing keys.

use clap::Subcommand;
use serde::{Deserialize, Serialize};

use crate::admin::file_text::FileText;

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub(crate) enum KeyCommand {
    /// List the keys that are published, and those that were
    List,
    /// Make the next key; it is published at once and signs when every verifier has seen it
    Rotate,
    /// Take a private key (PEM) as the next one; it signs when every verifier has seen it
    Import {
        /// File with the key in PKCS#8, PKCS#1 or SEC1; `-` is standard input
        file: FileText,
    },
    /// Take a key out at once, in an emergency; every token it signed dies
    Remove {
        /// The key's id
        // A thumbprint in base64url (RFC 7638): one of 64 begins with a hyphen.
        #[arg(value_name = "KID", allow_hyphen_values = true)]
        id: String,
        /// Do not ask, even on a terminal
        #[arg(long, short)]
        yes: bool,
    },
}
