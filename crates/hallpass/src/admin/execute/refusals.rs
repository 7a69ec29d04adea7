//! What the store's refusals are on the command line: its words, and what to do about it.

use hallpass_store::StoreError;
use hallpass_store::credentials::CredentialError;
use hallpass_store::instances::InstanceError;
use hallpass_store::keys::KeysError;
use hallpass_store::people::PersonError;
use hallpass_store::roles::RoleError;
use hallpass_store::workspaces::WorkspaceError;

use crate::command::{CommandError, chain};

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        Self::refused(chain(&error))
    }
}

impl From<PersonError> for CommandError {
    fn from(error: PersonError) -> Self {
        let hint = match error {
            PersonError::Unknown(_) => Some("`hallpass admin user list` shows the people"),
            PersonError::Ambiguous(_) => Some("add --workspace NAME"),
            PersonError::NotAssigned { .. } => {
                Some("`hallpass admin user list` shows who has which role, and on which instance")
            }
            PersonError::UnknownRole(_) => Some("`hallpass admin role list` shows the roles"),
            _ => None,
        };
        refused(&error, hint)
    }
}

impl From<RoleError> for CommandError {
    fn from(error: RoleError) -> Self {
        let hint = match error {
            RoleError::NameTaken(_) => Some("choose another name, or change the existing one"),
            RoleError::Unknown(_) => Some("`hallpass admin role list` shows the roles"),
            RoleError::Assigned { .. } => Some(
                "`hallpass admin role show NAME` says who has it; --take-away takes it from them all",
            ),
            _ => None,
        };
        refused(&error, hint)
    }
}

impl From<CredentialError> for CommandError {
    fn from(error: CredentialError) -> Self {
        let hint = match error {
            CredentialError::LimitReached(_) => Some(
                "delete one that is not needed: `hallpass admin credential list --owner EMAIL`",
            ),
            CredentialError::NameTaken(_) => Some("choose another name, or reset the existing one"),
            CredentialError::Unknown(_) => Some("`hallpass admin credential list` shows them"),
            CredentialError::Lifetime { .. } => {
                Some("tokens.longest_lifetime_seconds in hallpass.toml sets the longest")
            }
            CredentialError::TwoSecrets => Some(
                "`hallpass admin credential show CLIENT_ID` shows their ids; \
                 `hallpass admin credential remove-secret CLIENT_ID SECRET_ID` removes one",
            ),
            CredentialError::Overlap(_) => {
                Some("credentials.longest_overlap_days in hallpass.toml sets the longest")
            }
            CredentialError::NoSecret => Some(
                "`hallpass admin credential change CLIENT_ID --jwks FILE` replaces the keys; with \
                 the old and the new one in FILE, programs can change over one by one",
            ),
            CredentialError::InstanceOff(_) => {
                Some("switch it on first: `hallpass admin instance change NAME --enable`")
            }
            CredentialError::NoKeys => {
                Some("make another one with `hallpass admin credential create --jwks FILE`")
            }
            CredentialError::UnknownSecret(_) => {
                Some("`hallpass admin credential show CLIENT_ID` shows the ids of its secrets")
            }
            _ => None,
        };
        refused(&error, hint)
    }
}

impl From<KeysError> for CommandError {
    fn from(error: KeysError) -> Self {
        let hint = match error {
            KeysError::UnderWay { .. } => Some(
                "wait for that, or take it out first with `hallpass admin key remove KID`: nobody \
                 has a token that it signed",
            ),
            KeysError::Unknown(_) => Some("`hallpass admin key list` shows the ids"),
            KeysError::Known(_) => Some(
                "a key that was removed does not come back: make a new one with \
                 `openssl genpkey` or `hallpass admin key rotate`",
            ),
            KeysError::Key(_) => Some(
                "RSA keys of 2048 to 4096 bits, EC keys on P-256 and Ed25519 keys sign: one private \
                 key in PEM, without a passphrase",
            ),
            KeysError::Store(_) => None,
        };
        refused(&error, hint)
    }
}

impl From<WorkspaceError> for CommandError {
    fn from(error: WorkspaceError) -> Self {
        let hint = match error {
            WorkspaceError::ManagedManager(_) => {
                Some("management has one level: name a workspace that nobody manages")
            }
            WorkspaceError::Inhabited { .. } => Some(
                "`hallpass admin user list` shows them, `hallpass admin user remove` removes one",
            ),
            WorkspaceError::Manages { .. } => Some("`hallpass admin workspace list` shows them"),
            _ => None,
        };
        refused(&error, hint)
    }
}

impl From<InstanceError> for CommandError {
    fn from(error: InstanceError) -> Self {
        let hint = match error {
            InstanceError::NameTaken(_) | InstanceError::Unknown(_) => {
                Some("`hallpass admin instance list` shows them")
            }
            InstanceError::InUse { .. } => Some(
                "`hallpass admin credential list` shows them; add --with-credentials to delete them too",
            ),
            InstanceError::First(_) => Some("`hallpass admin instance change NAME --disable`"),
            InstanceError::Listen { .. } => {
                Some("stop what listens there, or take a free port: --listen 127.0.0.1:0")
            }
            _ => None,
        };
        refused(&error, hint)
    }
}

fn refused(error: &dyn std::error::Error, hint: Option<&str>) -> CommandError {
    CommandError::refused(chain(error)).maybe_hint(hint.map(str::to_owned))
}
