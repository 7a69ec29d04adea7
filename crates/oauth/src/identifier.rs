//! A type for every identifier that travels in a message or a token, so that a workspace can
//! never be handed over where a client is asked for.
//!
//! Shapes are those of the real system: domain facts, sections 2.3 and 3.4.

use std::fmt;

use rand_core::CryptoRng;

/// Why a text is no identifier of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is no {kind}: {expected}")]
pub struct InvalidIdentifier {
    kind: &'static str,
    value: String,
    expected: &'static str,
}

/// Longest identifier taken from outside, in bytes. E-mail addresses, the longest kind, end at 254
/// (RFC 5321 section 4.5.3.1.3); the rest is room for issuers with a path.
const LONGEST: usize = 512;

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $expected:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            #[doc = concat!("Checks the shape: ", $expected, ".")]
            pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
                let valid: fn(&str) -> bool = $valid;
                if text.len() <= LONGEST && valid(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidIdentifier {
                        kind: $kind,
                        value: text.chars().take(64).collect(),
                        expected: $expected,
                    })
                }
            }

            /// The text as it stands on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidIdentifier;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }
    };
}

identifier!(
    /// Names a client (RFC 6749 section 2.2). Ours are version-4 UUIDs with dashes.
    ClientId,
    "client id",
    "visible ASCII without blanks",
    is_visible
);
identifier!(
    /// The workspace (once: account, platform customer) that everything belongs to.
    WorkspaceId,
    "workspace id",
    "32 lower-case hexadecimal digits",
    is_bare_uuid
);
identifier!(
    /// What a workspace is called inside tokens (`user_ctx`), tasks and audit events (`customerId`).
    CustomerId,
    "customer id",
    "32 lower-case hexadecimal digits",
    is_bare_uuid
);
identifier!(
    /// A service in a region; all zeros is the platform itself.
    ApplicationInstanceId,
    "application instance id",
    "a UUID with dashes in lower case",
    is_dashed_uuid
);
identifier!(
    /// Who signs tokens: the `iss` claim (RFC 7519 section 4.1.1), compared as a string.
    Issuer,
    "issuer",
    "an http or https URL without blanks",
    |text| is_visible(text) && (text.starts_with("http://") || text.starts_with("https://"))
);
identifier!(
    /// Who a token is for: the `aud` claim (RFC 7519 section 4.1.3).
    Audience,
    "audience",
    "visible ASCII without blanks",
    is_visible
);
identifier!(
    /// Which key signed: the `kid` header (RFC 7515 section 4.1.4). Only ever a look-up key.
    KeyId,
    "key id",
    "1 to 64 base64url characters",
    |text| (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
);
identifier!(
    /// The resource owner a token speaks for: the `sub` claim, an e-mail address.
    Subject,
    "e-mail address",
    "one @ between two parts without blanks",
    is_email
);

impl ApplicationInstanceId {
    /// The platform itself (domain facts, section 2.3, claim 9).
    pub fn platform() -> Self {
        Self("00000000-0000-0000-0000-000000000000".to_owned())
    }
}

impl Audience {
    /// The audience of one application instance in the `rfc9068` profile: the one resource that a
    /// token is for, as an absolute URI (RFC 9068 section 3, RFC 8707 section 2).
    pub fn of_instance(instance: &ApplicationInstanceId) -> Self {
        Self(format!("{INSTANCE_URN}{instance}"))
    }

    /// The application instance that the audience names, if it names one.
    pub fn instance(&self) -> Option<ApplicationInstanceId> {
        ApplicationInstanceId::parse(self.0.strip_prefix(INSTANCE_URN)?).ok()
    }
}

/// What the audience of an application instance begins with (RFC 4122 section 3).
const INSTANCE_URN: &str = "urn:uuid:";

impl ClientId {
    /// A new client id: a version-4 UUID.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self(dashed(&uuid_bytes(4, rng)))
    }
}

impl ApplicationInstanceId {
    /// A new application instance: a version-4 UUID.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self(dashed(&uuid_bytes(4, rng)))
    }
}

impl WorkspaceId {
    /// A new workspace id: the shape of a version-1 UUID without dashes, filled with random bits.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self(hex(&uuid_bytes(1, rng)))
    }
}

impl CustomerId {
    /// A new customer id, in the shape of [`WorkspaceId::generate`].
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self(hex(&uuid_bytes(1, rng)))
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 0x0f)]);
    }
    text
}

fn uuid_bytes(version: u8, rng: &mut dyn CryptoRng) -> [u8; 16] {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    bytes[6] = (bytes[6] & 0x0f) | (version << 4);
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    bytes
}

fn dashed(bytes: &[u8; 16]) -> String {
    let text = hex(bytes);
    [
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..],
    ]
    .join("-")
}

fn is_visible(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
}

fn is_bare_uuid(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(is_lower_hex)
}

fn is_dashed_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => is_lower_hex(byte),
        })
}

fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    text.len() <= 254
        && !local.is_empty()
        && !domain.is_empty()
        && !domain.contains('@')
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn generated_identifiers_have_the_shape_that_parsing_asks_for() {
        let rng = &mut SystemRandom;
        let client = ClientId::generate(rng);
        assert_eq!(client.as_str().len(), 36);
        assert_eq!(client.as_str().as_bytes()[14], b'4', "a version-4 UUID");
        assert!(WorkspaceId::parse(WorkspaceId::generate(rng).as_str()).is_ok());
        assert_eq!(
            CustomerId::generate(rng).as_str().as_bytes()[12],
            b'1',
            "a version-1 UUID"
        );
        let instance = ApplicationInstanceId::generate(rng);
        assert_eq!(
            ApplicationInstanceId::parse(instance.as_str()),
            Ok(instance)
        );
    }

    #[test]
    fn wrong_shapes_are_refused_with_the_kind_and_what_was_expected() {
        let error = WorkspaceId::parse("234D76C6").unwrap_err().to_string();
        assert!(
            error.contains("workspace id") && error.contains("32 lower-case"),
            "{error}"
        );
        assert!(ApplicationInstanceId::parse("3c18bd0383064c7c942ec704a4b8744c").is_err());
        assert!(KeyId::parse("../../etc").is_err());
        assert!(Subject::parse("ann").is_err());
        assert!(Subject::parse("ann@example.com\r\nx: y").is_err());
        assert!(Issuer::parse("ftp://example.com").is_err());
    }
}
