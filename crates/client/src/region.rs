//! The regions of the storage API by name (domain facts, section 5): where the API is, and where
//! its tokens are asked for.
//!
//! Each region is reachable under two hosts, the first one and the one of the newer platform; both
//! serve the same paths. Only what was published is known: which application instance a region is
//! was seen for two of them.

use std::fmt;

/// A region: one place where the API is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region(&'static Known);

/// What is known of a region.
#[derive(Debug, PartialEq, Eq)]
struct Known {
    name: &'static str,
    place: &'static str,
    base_url: &'static str,
    /// The application instance that tokens for it name, where one was ever published.
    instance: Option<&'static str>,
    aliases: &'static [&'static str],
}

impl Region {
    /// The region of a name, an alias or a host.
    pub fn parse(text: &str) -> Result<Self, RegionError> {
        let wanted = text.trim().to_ascii_lowercase();
        let host = wanted.strip_prefix("https://").unwrap_or(&wanted);
        let host = host.trim_end_matches('/');
        if let Some(error) = wrong_host(host) {
            return Err(error);
        }
        if wanted == "eu" {
            return Err(RegionError::Ambiguous {
                name: text.trim().to_owned(),
            });
        }
        let named = |known: &&Known| {
            known.name == wanted || known.aliases.contains(&wanted.as_str()) || known.host() == host
        };
        REGIONS
            .iter()
            .find(named)
            .map(Self)
            .ok_or_else(|| RegionError::Unknown {
                name: text.chars().take(64).collect(),
                nearest: nearest(&wanted),
            })
    }

    /// All of them, in the order in which they are listed.
    pub fn all() -> impl Iterator<Item = Self> {
        REGIONS.iter().map(Self)
    }

    /// The region whose API is at an address.
    pub fn of_base_url(base_url: &str) -> Option<Self> {
        let base_url = base_url.trim_end_matches('/');
        Self::all().find(|region| region.base_url() == base_url)
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Where in the world it is, and under which of its two names.
    pub fn place(self) -> &'static str {
        self.0.place
    }

    /// Where its API is.
    pub fn base_url(self) -> &'static str {
        self.0.base_url
    }

    /// The application instance that tokens for it name; not known of most.
    pub fn instance(self) -> Option<&'static str> {
        self.0.instance
    }

    /// Where tokens for it are asked for, unless a workspace has its own token endpoint.
    pub fn token_url(self) -> &'static str {
        TOKEN_URL
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Known {
    fn host(&self) -> &str {
        self.base_url.trim_start_matches("https://")
    }
}

/// Where the token endpoint of a workspace is (domain facts, section 2.6): beside the classic one of
/// a server, or on the platform's host when that is the classic one.
pub(crate) fn workspace_token_url(classic: &str, workspace: &str) -> Option<String> {
    let server = if classic == TOKEN_URL {
        PLATFORM
    } else {
        classic.strip_suffix(CLASSIC_PATH)?
    };
    Some(format!(
        "{server}/authorization/v2/oauth2/{workspace}/token"
    ))
}

/// A host that looks right and does not exist: the names of one family with the domain of the other.
pub(crate) fn wrong_host(host: &str) -> Option<RegionError> {
    let (first, domain) = host.split_once('.')?;
    let family = |wanted: &str| {
        REGIONS.iter().any(|known| {
            known.name == first
                && known
                    .host()
                    .split_once('.')
                    .is_some_and(|(_, d)| d == wanted)
        })
    };
    let other = match domain {
        OLD_DOMAIN => NEW_DOMAIN,
        NEW_DOMAIN => OLD_DOMAIN,
        _ => return None,
    };
    (family(other) && !family(domain)).then(|| RegionError::Host {
        host: host.to_owned(),
        right: format!("{first}.{other}"),
    })
}

/// Why a name is no region.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegionError {
    /// No such region.
    #[error("there is no region `{name}`")]
    Unknown {
        /// What was given.
        name: String,
        /// The name that is most like it.
        nearest: Option<&'static str>,
    },
    /// More than one region is called so.
    #[error("`{name}` may be more than one region")]
    Ambiguous {
        /// What was given.
        name: String,
    },
    /// A host that is met in writing but does not exist.
    #[error(
        "there is no host {host}: it mixes the old name of a region with the new domain, or the other way round"
    )]
    Host {
        /// What was given.
        host: String,
        /// What exists.
        right: String,
    },
}

impl RegionError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown {
                nearest: Some(nearest),
                ..
            } => {
                format!("do you mean `{nearest}`? There is {}", names())
            }
            Self::Unknown { nearest: None, .. } => format!(
                "there is {}; for another API give --token-url and --base-url",
                names()
            ),
            Self::Ambiguous { .. } => {
                "say `eu1` (the same place as `eu-central`) or `eu-west`".to_owned()
            }
            Self::Host { right, .. } => format!("the host is {right}"),
        }
    }
}

fn names() -> String {
    let names: Vec<&str> = Region::all().map(Region::name).collect();
    names.join(", ")
}

/// The name that takes the fewest changes, if that are few.
fn nearest(wanted: &str) -> Option<&'static str> {
    let all = REGIONS.iter().flat_map(|known| {
        let words = std::iter::once(&known.name).chain(known.aliases);
        words.map(|word| (distance(wanted, word), known.name))
    });
    all.filter(|(changes, name)| *changes <= name.len() / 3 + 1)
        .min_by_key(|(changes, _)| *changes)
        .map(|(_, name)| name)
}

/// How many letters have to be put in, taken out or replaced.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, letter) in from.chars().take(64).enumerate() {
        let mut above_left = line;
        row[0] = line + 1;
        for (column, wanted) in to.iter().enumerate() {
            let replaced = above_left + usize::from(letter != *wanted);
            above_left = row[column + 1];
            row[column + 1] = replaced.min(above_left + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

const OLD_DOMAIN: &str = "data.cloud.hpe.com";
const NEW_DOMAIN: &str = "api.greenlake.hpe.com";
/// The host of the services that belong to no region.
const PLATFORM: &str = "https://global.api.greenlake.hpe.com";
const CLASSIC_PATH: &str = "/as/token.oauth2";
/// The classic token endpoint serves all regions.
const TOKEN_URL: &str = "https://sso.common.cloud.hpe.com/as/token.oauth2";

const US_WEST: Option<&str> = Some("3c18bd03-8306-4c7c-942e-c704a4b8744c");

static REGIONS: [Known; 8] = [
    Known {
        name: "us1",
        place: "US West",
        base_url: "https://us1.data.cloud.hpe.com",
        instance: US_WEST,
        aliases: &["us", "usa"],
    },
    Known {
        name: "eu1",
        place: "EU Central",
        base_url: "https://eu1.data.cloud.hpe.com",
        instance: None,
        aliases: &[],
    },
    Known {
        name: "jp1",
        place: "AP Northeast",
        base_url: "https://jp1.data.cloud.hpe.com",
        instance: None,
        aliases: &["asia", "ap", "jp", "japan"],
    },
    Known {
        name: "us-west",
        place: "US West, newer host",
        base_url: "https://us-west.api.greenlake.hpe.com",
        instance: US_WEST,
        aliases: &[],
    },
    Known {
        name: "eu-central",
        place: "EU Central, newer host",
        base_url: "https://eu-central.api.greenlake.hpe.com",
        instance: None,
        aliases: &[],
    },
    Known {
        name: "eu-west",
        place: "EU West",
        base_url: "https://eu-west.api.greenlake.hpe.com",
        instance: None,
        aliases: &[],
    },
    Known {
        name: "ap-northeast",
        place: "AP Northeast, newer host",
        base_url: "https://ap-northeast.api.greenlake.hpe.com",
        instance: None,
        aliases: &[],
    },
    Known {
        name: "global",
        place: "the platform itself",
        base_url: PLATFORM,
        instance: Some("00000000-0000-0000-0000-000000000000"),
        aliases: &[],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_found_by_name_alias_and_host() {
        for (text, name) in [
            ("us1", "us1"),
            ("USA", "us1"),
            ("Asia", "jp1"),
            ("eu-west", "eu-west"),
            ("eu1.data.cloud.hpe.com", "eu1"),
            (
                "https://ap-northeast.api.greenlake.hpe.com/",
                "ap-northeast",
            ),
            (" global ", "global"),
        ] {
            assert_eq!(Region::parse(text).unwrap().name(), name, "{text}");
        }
        for region in Region::all() {
            assert_eq!(Region::parse(region.name()).unwrap(), region);
            assert_eq!(Region::of_base_url(region.base_url()), Some(region));
        }
    }

    #[test]
    fn a_wrong_name_gets_the_nearest() {
        for (text, nearest) in [
            ("us2", "us1"),
            ("eu-wst", "eu-west"),
            ("apnortheast", "ap-northeast"),
        ] {
            let error = Region::parse(text).unwrap_err();
            assert!(
                error.hint().contains(&format!("`{nearest}`?")),
                "{text}: {}",
                error.hint()
            );
        }
        let far = Region::parse("southern-hemisphere").unwrap_err();
        assert!(far.hint().contains("--base-url"), "{}", far.hint());
        let eu = Region::parse("EU").unwrap_err();
        assert!(eu.hint().contains("eu1") && eu.hint().contains("eu-west"));
    }

    #[test]
    fn the_host_that_does_not_exist_is_explained() {
        let error = Region::parse("us-west.data.cloud.hpe.com").unwrap_err();
        assert_eq!(error.hint(), "the host is us-west.api.greenlake.hpe.com");
        let error = wrong_host("us1.api.greenlake.hpe.com").unwrap();
        assert_eq!(error.hint(), "the host is us1.data.cloud.hpe.com");
        for host in ["us1.data.cloud.hpe.com", "example.com", "localhost"] {
            assert_eq!(wrong_host(host), None, "{host}");
        }
    }

    #[test]
    fn a_workspace_has_its_token_endpoint_on_the_same_server() {
        let workspace = "00000000000000000000000000000001";
        let twin = |classic: &str| workspace_token_url(classic, workspace);
        assert_eq!(
            twin(TOKEN_URL).unwrap(),
            format!(
                "https://global.api.greenlake.hpe.com/authorization/v2/oauth2/{workspace}/token"
            )
        );
        assert_eq!(
            twin("http://127.0.0.1:8080/as/token.oauth2").unwrap(),
            format!("http://127.0.0.1:8080/authorization/v2/oauth2/{workspace}/token")
        );
        assert_eq!(twin("https://sso.example.com/token"), None);
    }
}
