//! The configuration: `hallpass.toml`, then `HALLPASS_…` variables, then flags. Holds no secret,
//! so it can be printed and committed.
//!
//! Here is the file: what stands in it, the defaults, where it lies. What may stand in it is in
//! [`rules`], what the parts are told of it in [`settings`].

mod listen;
mod rules;
mod settings;
mod socket;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use hallpass_authorization_server::JWKS_PATHS;
use hallpass_oauth::client_assertion::LONGEST_LIFETIME;
use hallpass_store::{KeyPolicy, Policy};
use serde::{Deserialize, Serialize};

use crate::cli::DataArgs;
use crate::command::CommandError;
use crate::definition::Apis;
pub(crate) use socket::Socket;

/// Everything a server can be told.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// The data directory.
    pub(crate) data: PathBuf,
    /// The definitions to guard; the built-in one when absent.
    #[serde(skip_serializing_if = "Apis::is_empty")]
    pub(crate) api: Apis,
    /// The listeners.
    pub(crate) listen: Listen,
    /// How clients know the listeners, where that differs.
    pub(crate) public: Public,
    /// Tokens.
    pub(crate) tokens: Tokens,
    /// Signing keys.
    pub(crate) keys: Keys,
    /// Credentials.
    pub(crate) credentials: Credentials,
    /// What the authorization server takes on.
    pub(crate) limits: Limits,
    /// People signed in at the console.
    pub(crate) sessions: Sessions,
    /// The audit log.
    pub(crate) audit: Audit,
    /// The stand-in.
    pub(crate) sandbox: Sandbox,
    /// Servers that calls are passed on to.
    pub(crate) upstream: Upstream,
    /// The explorer, for people signed in.
    pub(crate) explorer: Explorer,
}

/// Where the servers listen.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Listen {
    /// Authorization server, console and credential API.
    pub(crate) authorization_server: SocketAddr,
    /// Metrics.
    pub(crate) metrics: SocketAddr,
    /// All of them over TLS, under the names of the real system.
    pub(crate) tls: Socket,
    /// The CONNECT proxy that leads there; without TLS there is none.
    pub(crate) proxy: Socket,
    /// The resource API of each instance, by its short name.
    pub(crate) instances: BTreeMap<String, SocketAddr>,
}

/// The URLs by which clients reach the listeners, where something stands in between, such as a
/// proxy with TLS.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Public {
    /// Base URL of the authorization server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authorization_server: Option<String>,
    /// Base URLs of the resource APIs, by the short name of the instance.
    pub(crate) instances: BTreeMap<String, String>,
}

/// How tokens are made.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Tokens {
    /// The issuer; the URL of the authorization server when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) issuer: Option<String>,
    /// The claim profile: `greenlake` or `rfc9068`.
    pub(crate) profile: String,
    /// Whether tokens carry a `jti`; without it they look exactly like the real system's.
    pub(crate) jti: bool,
    /// Whether minting a token ends the credential's earlier ones.
    pub(crate) single_active: bool,
    /// How long a token that another one superseded stays good, in seconds.
    pub(crate) grace_seconds: i64,
    /// How long tokens stay good after their credential was reset, in seconds.
    pub(crate) reset_grace_seconds: i64,
    /// Lifetime of tokens for a service, in seconds.
    pub(crate) lifetime_seconds: i64,
    /// Lifetime of tokens for the platform itself, in seconds.
    pub(crate) platform_lifetime_seconds: i64,
    /// Longest lifetime that a credential's tokens may be given, in seconds.
    pub(crate) longest_lifetime_seconds: i64,
    /// How error bodies are written: `ping-federate` or `rfc6749`.
    pub(crate) errors: String,
    /// Whether a client assertion may name an endpoint as its audience, and not only the issuer.
    pub(crate) assertions_for_endpoint: bool,
    /// How far ahead the end of a client assertion may lie, in seconds. Some libraries make them for
    /// an hour and cannot be told otherwise.
    pub(crate) assertion_lifetime_seconds: i64,
}

/// How signing keys come and go.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Keys {
    /// What new keys are: `rsa-2048`, `rsa-3072`, `rsa-4096`, `ec-p256` or `ed25519`.
    pub(crate) kind: String,
    /// How long a key signs before the next one takes over, in days; 0 leaves it to the administrator.
    pub(crate) rotate_every_days: i64,
    /// How long a key is published before it signs, in seconds.
    pub(crate) publish_before_seconds: i64,
    /// How long verifiers may keep the published keys, in seconds.
    pub(crate) max_age_seconds: i64,
    /// Where the keys are published; the first path is the one that the metadata names.
    pub(crate) paths: Vec<String>,
}

/// What the authorization server takes on. A rate of 0 is no bound.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    /// Failed authentications per client id and minute.
    pub(crate) failures_per_client: u32,
    /// Failed authentications per address and minute.
    pub(crate) failures_per_address: u32,
    /// Tokens per credential and minute.
    pub(crate) tokens_per_credential: u32,
    /// Introspections and revocations per credential and minute.
    pub(crate) questions_per_credential: u32,
    /// Requests of authenticated clients under way at once.
    pub(crate) under_way: usize,
    /// Threads that sign; 0 is one for each core.
    pub(crate) signing_threads: usize,
    /// Signatures that may wait for one of them.
    pub(crate) signing_queue: usize,
}

/// Rules for credentials.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Credentials {
    /// Most credentials of one owner.
    pub(crate) per_owner: usize,
    /// Longest name, in characters.
    pub(crate) longest_name: usize,
    /// Longest time that an old secret may live on beside a new one, in days.
    pub(crate) longest_overlap_days: i64,
}

/// How long people stay signed in at the console.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sessions {
    /// Without a request, in minutes.
    pub(crate) idle_minutes: i64,
    /// At most, in minutes.
    pub(crate) longest_minutes: i64,
}

/// Rules for the audit log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Audit {
    /// How long events are kept, in days.
    pub(crate) retention_days: i64,
    /// Whether permitted API calls that only read are audited too.
    pub(crate) reads: bool,
}

/// Servers that calls are passed on to.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Upstream {
    /// How long one call may take there, in seconds.
    pub(crate) seconds: i64,
}

/// The explorer, for people signed in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Explorer {
    /// Whether there is one.
    pub(crate) enabled: bool,
    /// What it may send requests to, besides the application instances and token endpoints of this
    /// server.
    pub(crate) relay: Vec<String>,
}

/// How the stand-in behaves.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sandbox {
    /// The number that a first state is made from, and the luck of faults.
    pub(crate) seed: u64,
    /// How many volumes a first state has.
    pub(crate) volumes: usize,
    /// Most objects of one state.
    pub(crate) objects: usize,
    /// How long a task takes, in milliseconds.
    pub(crate) task_milliseconds: i64,
    /// What a 202 puts into `taskUri`: `id`, `path` or `definition`.
    pub(crate) task_uri: String,
    /// How many items a page holds when the request does not say.
    pub(crate) default_page: usize,
    /// How many items a page holds at most.
    pub(crate) longest_page: usize,
    /// Whether bodies are checked to the letter.
    pub(crate) strict: bool,
    /// What goes wrong on request.
    pub(crate) faults: Faults,
}

/// What goes wrong on request.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Faults {
    /// Whether anything does: without it the header `Hallpass-Fault` means nothing.
    pub(crate) enabled: bool,
    /// Faults of the server's own.
    pub(crate) rules: Vec<FaultRule>,
}

/// Faults, and the calls that they happen to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultRule {
    /// The id of an operation, or a path such as `POST /api/v1/*`; every call without it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) on: String,
    /// As the header has them.
    pub(crate) faults: String,
}

/// The short names of the instances that have a resource API of their own, in the order of their
/// ports (design, section 3.2).
const INSTANCES: [&str; 3] = ["eu1", "jp1", "us1"];

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::new(),
            api: Apis::default(),
            listen: Listen::default(),
            public: Public::default(),
            tokens: Tokens::default(),
            keys: Keys::default(),
            limits: Limits::default(),
            credentials: Credentials::default(),
            sessions: Sessions::default(),
            audit: Audit::default(),
            sandbox: Sandbox::default(),
            upstream: Upstream::default(),
            explorer: Explorer::default(),
        }
    }
}

impl Default for Tokens {
    fn default() -> Self {
        let policy = Policy::default();
        Self {
            issuer: None,
            profile: policy.profile.as_str().to_owned(),
            jti: policy.jti,
            single_active: policy.single_active,
            grace_seconds: policy.grace.as_secs(),
            reset_grace_seconds: policy.reset_grace.as_secs(),
            lifetime_seconds: policy.token_lifetime.as_secs(),
            platform_lifetime_seconds: policy.platform_token_lifetime.as_secs(),
            longest_lifetime_seconds: policy.longest_token_lifetime.as_secs(),
            errors: settings::WORDINGS[0].0.to_owned(),
            assertions_for_endpoint: false,
            assertion_lifetime_seconds: LONGEST_LIFETIME.as_secs(),
        }
    }
}

impl Default for Keys {
    fn default() -> Self {
        let policy = KeyPolicy::default();
        Self {
            kind: policy.spec.to_string(),
            rotate_every_days: policy.rotate_every.map_or(0, |every| every.as_hours() / 24),
            publish_before_seconds: policy.publish_before.as_secs(),
            max_age_seconds: 300,
            paths: JWKS_PATHS.map(str::to_owned).to_vec(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let limits = hallpass_authorization_server::Limits::default();
        Self {
            failures_per_client: limits.failures_per_client,
            failures_per_address: limits.failures_per_address,
            tokens_per_credential: limits.tokens_per_credential,
            questions_per_credential: limits.questions_per_credential,
            under_way: limits.under_way,
            signing_threads: 0,
            signing_queue: limits.signing_queue.get(),
        }
    }
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            per_owner: Policy::default().credentials_per_owner,
            longest_name: Policy::default().longest_name,
            longest_overlap_days: Policy::default().longest_overlap.as_hours() / 24,
        }
    }
}

impl Default for Sessions {
    fn default() -> Self {
        let policy = Policy::default();
        Self {
            idle_minutes: policy.session_idle.as_mins(),
            longest_minutes: policy.longest_session.as_mins(),
        }
    }
}

impl Default for Audit {
    fn default() -> Self {
        Self {
            retention_days: Policy::default().audit_retention.as_hours() / 24,
            reads: false,
        }
    }
}

impl Default for Sandbox {
    fn default() -> Self {
        let settings = hallpass_sandbox::Settings::default();
        Self {
            seed: 1,
            volumes: settings.volumes,
            objects: 1_000_000,
            task_milliseconds: i64::try_from(settings.task_duration.as_millis()).unwrap_or(1000),
            task_uri: settings::TASK_URIS[0].0.to_owned(),
            default_page: settings.default_page,
            longest_page: settings.longest_page,
            strict: settings.strict,
            faults: Faults::default(),
        }
    }
}

impl Default for Upstream {
    fn default() -> Self {
        Self { seconds: 60 }
    }
}

impl Default for Explorer {
    fn default() -> Self {
        Self {
            enabled: true,
            relay: Vec::new(),
        }
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            enabled: true,
            rules: Vec::new(),
        }
    }
}

impl Config {
    /// Reads the configuration file that applies. One that was named must exist.
    pub(crate) fn load(args: &DataArgs) -> Result<Self, CommandError> {
        let data = args
            .data()
            .cloned()
            .map_or_else(default_data_directory, Ok)?;
        let (file, named) = match args.config() {
            Some(file) => (file.clone(), true),
            None => (data.join("hallpass.toml"), false),
        };
        let mut config = match std::fs::read_to_string(&file) {
            Ok(text) => Self::parse(&text, &file)?,
            Err(error) if !named && error.kind() == std::io::ErrorKind::NotFound => Self::default(),
            Err(error) => {
                return Err(CommandError::usage(format!(
                    "the configuration {} cannot be read: {error}",
                    file.display()
                )));
            }
        };
        if args.data().is_some() || config.data.as_os_str().is_empty() {
            config.data = data;
        }
        Ok(config)
    }

    fn parse(text: &str, file: &Path) -> Result<Self, CommandError> {
        let wrong = |what: &str| {
            CommandError::usage(format!(
                "the configuration {} is wrong: {what}",
                file.display()
            ))
            .hint(
                "`hallpass serve --print-config --config /dev/null` prints a complete one with the \
                 defaults",
            )
        };
        let mut config: Self = toml::from_str(text).map_err(|error| {
            let line = error
                .span()
                .map(|span| text[..span.start].matches('\n').count() + 1);
            let place = line.map_or_else(String::new, |line| format!("line {line}: "));
            wrong(&format!("{place}{}", error.message()))
        })?;
        config.check().map_err(|error| {
            let told = wrong(error.message());
            match error.hint_text() {
                Some(hint) => told.hint(hint),
                None => told,
            }
        })?;
        config.resolve_against(file.parent().unwrap_or_else(|| Path::new("")));
        Ok(config)
    }

    /// Paths in a file start from the folder of that file, wherever the program is started.
    fn resolve_against(&mut self, folder: &Path) {
        if !self.data.as_os_str().is_empty() {
            self.data = folder.join(&self.data);
        }
        self.api = std::mem::take(&mut self.api).below(folder);
    }

    /// Applies `--listen`.
    pub(crate) fn listen(&mut self, address: &str) -> Result<(), CommandError> {
        let first: SocketAddr = address.parse().map_err(|_| {
            CommandError::usage(format!("`{address}` is no address to listen on"))
                .hint("write HOST:PORT with an IP address, such as 127.0.0.1:8080 or 127.0.0.1:0")
        })?;
        let (tls, proxy) = (self.listen.tls, self.listen.proxy);
        self.listen = Listen::around(first);
        // What was switched off is not wanted elsewhere either.
        self.listen.tls = self.listen.tls.off_with(tls);
        self.listen.proxy = self.listen.proxy.off_with(proxy);
        Ok(())
    }

    /// The whole configuration as a file.
    pub(crate) fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }
}

fn default_data_directory() -> Result<PathBuf, CommandError> {
    crate::client::base("XDG_DATA_HOME", ".local/share")
        .map(|base| base.join("hallpass"))
        .ok_or_else(|| {
            CommandError::usage("there is no home directory to keep data in")
                .hint("name a data directory with --data DIR or HALLPASS_DATA")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_configuration_is_read_back() {
        let mut config = Config {
            data: "/tmp/x".into(),
            ..Config::default()
        };
        config.listen("127.0.0.1:9000").unwrap();
        let read = Config::parse(&config.to_toml(), Path::new("hallpass.toml")).unwrap();
        assert_eq!(read.to_toml(), config.to_toml());
        assert_eq!(read.listen.instances["us1"].port(), 9003);
    }

    #[test]
    fn the_defaults_are_those_of_the_contract_and_port_0_is_free_everywhere() {
        let mut config = Config::default();
        assert_eq!(
            config.listen.authorization_server.to_string(),
            "127.0.0.1:8080"
        );
        let ports: Vec<u16> = config
            .listen
            .instances
            .values()
            .map(SocketAddr::port)
            .collect();
        assert_eq!(
            (ports, config.listen.metrics.port()),
            (vec![8081, 8082, 8083], 9090)
        );
        let by_name = [config.listen.tls, config.listen.proxy].map(|socket| socket.to_string());
        assert_eq!(by_name, ["127.0.0.1:8443", "127.0.0.1:3128"]);
        config.listen("[::1]:0").unwrap();
        let mut all = config.listen.all();
        assert!(all.all(|address| address.port() == 0 && address.ip().is_loopback()));
    }

    #[test]
    fn what_is_switched_off_stays_off_when_the_others_move() {
        let off = "[listen]\ntls = \"off\"\n";
        let mut config = Config::parse(off, Path::new("h.toml")).unwrap();
        config.listen("127.0.0.1:9000").unwrap();
        assert_eq!(config.listen.tls, Socket::Off);
        assert_eq!(config.listen.proxy(), Socket::Off, "it leads nowhere");
        let proxy_off = "[listen]\nproxy = \"off\"\n";
        let mut config = Config::parse(proxy_off, Path::new("h.toml")).unwrap();
        config.listen("127.0.0.1:9000").unwrap();
        assert_eq!(config.listen.tls.to_string(), "127.0.0.1:9363");
        assert_eq!(config.listen.proxy(), Socket::Off);
        let neither = Config::parse("[listen]\ntls = \"no\"\n", Path::new("h.toml"));
        assert!(neither.unwrap_err().message().contains("nor `off`"));
    }

    #[test]
    fn definitions_start_from_the_folder_of_the_file_and_are_printed_as_one_or_as_a_list() {
        let printed = |text: &str| {
            let config = Config::parse(text, Path::new("/etc/hallpass/hallpass.toml")).unwrap();
            let printed = config.to_toml();
            let line = printed.lines().find(|line| line.starts_with("api"));
            line.unwrap_or_default().to_owned()
        };
        assert_eq!(printed(""), "");
        assert_eq!(printed("api = []\n"), "");
        assert_eq!(
            printed("api = \"x.json\"\n"),
            "api = \"/etc/hallpass/x.json\""
        );
        assert_eq!(
            printed("api = [\"built-in\", \"../x.json\"]\n"),
            "api = [\"built-in\", \"/etc/hallpass/../x.json\"]"
        );
    }

    #[test]
    fn a_word_that_is_no_setting_is_named_with_its_file() {
        let wrong = Config::parse("[tokens]\nlifetime = 5\n", Path::new("h.toml")).unwrap_err();
        assert!(wrong.message().contains("h.toml") && wrong.message().contains("lifetime"));
        assert!(Config::default().listen("localhost").is_err());
    }
}
