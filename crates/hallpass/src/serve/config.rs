//! The configuration: `hallpass.toml`, then `HALLPASS_…` variables, then flags. Holds no secret,
//! so it can be printed and committed.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use hallpass_authorization_server::JWKS_PATHS;
use hallpass_oauth::client_assertion::LONGEST_LIFETIME;
use hallpass_oauth::client_authentication::TwoCredentials;
use hallpass_oauth::mint::Issuing;
use hallpass_oauth::token_error::Wording;
use hallpass_oauth::{Expectation, Issuer, KeySpec, Profile};
use hallpass_store::{KeyPolicy, Policy};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::cli::DataArgs;
use crate::command::CommandError;

/// Everything a server can be told.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// The data directory.
    pub(crate) data: PathBuf,
    /// The definition to guard; the built-in one when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) api: Option<PathBuf>,
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
    /// The audit log.
    pub(crate) audit: Audit,
    /// The stand-in.
    pub(crate) sandbox: Sandbox,
}

/// Where the servers listen.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Listen {
    /// Authorization server, console and credential API.
    pub(crate) authorization_server: SocketAddr,
    /// Metrics.
    pub(crate) metrics: SocketAddr,
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
    /// Threads of their own that sign; 0 signs where the request is handled.
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

/// Rules for the audit log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Audit {
    /// How long events are kept, in days.
    pub(crate) retention_days: i64,
    /// Whether permitted API calls that only read are audited too.
    pub(crate) reads: bool,
}

/// How the stand-in behaves.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sandbox {
    /// The number that the first state is made from.
    pub(crate) seed: u64,
    /// How long a task takes, in milliseconds.
    pub(crate) task_milliseconds: i64,
    /// Whether bodies are checked to the letter.
    pub(crate) strict: bool,
}

/// The short names of the instances that have a resource API of their own, in the order of their
/// ports (design, section 3.2).
const INSTANCES: [&str; 3] = ["eu1", "jp1", "us1"];

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::new(),
            api: None,
            listen: Listen::default(),
            public: Public::default(),
            tokens: Tokens::default(),
            keys: Keys::default(),
            limits: Limits::default(),
            credentials: Credentials::default(),
            audit: Audit::default(),
            sandbox: Sandbox::default(),
        }
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self::at(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 8080))
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
            errors: WORDINGS[0].0.to_owned(),
            assertions_for_endpoint: false,
            assertion_lifetime_seconds: LONGEST_LIFETIME.as_secs(),
        }
    }
}

/// The words for how error bodies are written.
const WORDINGS: [(&str, Wording); 2] = [
    ("ping-federate", Wording::PingFederate),
    ("rfc6749", Wording::Rfc6749),
];

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
            signing_threads: limits.signing_threads,
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
            task_milliseconds: i64::try_from(settings.task_duration.as_millis()).unwrap_or(1000),
            strict: settings.strict,
        }
    }
}

impl Listen {
    /// The listeners around one address: the instances on the ports behind it, the metrics further
    /// up. Port 0 stands for a free one everywhere.
    fn at(first: SocketAddr) -> Self {
        let on = |offset: u16| {
            let port = match first.port() {
                0 => 0,
                port => port.saturating_add(offset),
            };
            SocketAddr::new(first.ip(), port)
        };
        Self {
            authorization_server: first,
            metrics: on(METRICS_OFFSET),
            instances: (1..)
                .zip(INSTANCES)
                .map(|(n, name)| (name.to_owned(), on(n)))
                .collect(),
        }
    }

    fn all(&self) -> impl Iterator<Item = SocketAddr> {
        [self.authorization_server, self.metrics]
            .into_iter()
            .chain(self.instances.values().copied())
    }
}

/// From the authorization server's port to that of the metrics: 8080 and 9090.
const METRICS_OFFSET: u16 = 1010;

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
        config.check().map_err(|error| wrong(error.message()))?;
        config.resolve_against(file.parent().unwrap_or_else(|| Path::new("")));
        Ok(config)
    }

    /// Paths in a file start from the folder of that file, wherever the program is started.
    fn resolve_against(&mut self, folder: &Path) {
        if !self.data.as_os_str().is_empty() {
            self.data = folder.join(&self.data);
        }
        self.api = self.api.take().map(|api| folder.join(api));
    }

    /// Applies `--listen`.
    pub(crate) fn listen(&mut self, address: &str) -> Result<(), CommandError> {
        let first: SocketAddr = address.parse().map_err(|_| {
            CommandError::usage(format!("`{address}` is no address to listen on"))
                .hint("write HOST:PORT with an IP address, such as 127.0.0.1:8080 or 127.0.0.1:0")
        })?;
        self.listen = Listen::at(first);
        Ok(())
    }

    /// Checks what types cannot.
    pub(crate) fn check(&self) -> Result<(), CommandError> {
        let lifetimes = [
            ("tokens.lifetime_seconds", self.tokens.lifetime_seconds),
            (
                "tokens.platform_lifetime_seconds",
                self.tokens.platform_lifetime_seconds,
            ),
            (
                "tokens.longest_lifetime_seconds",
                self.tokens.longest_lifetime_seconds,
            ),
            ("audit.retention_days", self.audit.retention_days),
            ("keys.max_age_seconds", self.keys.max_age_seconds),
            (
                "credentials.longest_overlap_days",
                self.credentials.longest_overlap_days,
            ),
        ];
        for (name, value) in lifetimes {
            if !(1..=31_536_000).contains(&value) {
                return Err(CommandError::usage(format!(
                    "{name} is {value}; it must be between 1 and 31536000"
                )));
            }
        }
        self.check_tokens()?;
        self.check_keys()?;
        if self.limits.under_way == 0 || self.limits.signing_queue == 0 {
            return Err(CommandError::usage(
                "limits.under_way and limits.signing_queue must be at least 1",
            ));
        }
        if !(0..=86_400_000).contains(&self.sandbox.task_milliseconds) {
            return Err(CommandError::usage(format!(
                "sandbox.task_milliseconds is {}; it must be between 0 and 86400000",
                self.sandbox.task_milliseconds
            )));
        }
        if let Some(unknown) = self
            .listen
            .instances
            .keys()
            .find(|name| !INSTANCES.contains(&name.as_str()))
        {
            return Err(CommandError::usage(format!(
                "listen.instances names `{unknown}`; the instances are {}",
                INSTANCES.join(", ")
            )));
        }
        self.check_addresses()?;
        if let Some(issuer) = &self.tokens.issuer {
            Issuer::parse(issuer).map_err(|error| CommandError::usage(error.to_string()))?;
        }
        Ok(())
    }

    fn check_tokens(&self) -> Result<(), CommandError> {
        let tokens = &self.tokens;
        let profile = tokens.profile.parse::<Profile>();
        let profile =
            profile.map_err(|error| CommandError::usage(format!("tokens.profile: {error}")))?;
        if self.wording().is_none() {
            let known = WORDINGS.map(|(word, _)| word).join(" and ");
            return Err(CommandError::usage(format!(
                "tokens.errors is `{}`; the words are {known}",
                tokens.errors
            )));
        }
        for (name, value) in [
            ("tokens.grace_seconds", tokens.grace_seconds),
            ("tokens.reset_grace_seconds", tokens.reset_grace_seconds),
        ] {
            if !(0..=3_600).contains(&value) {
                return Err(CommandError::usage(format!(
                    "{name} is {value}; it must be between 0 and 3600"
                )));
            }
        }
        if !(1..=86_400).contains(&tokens.assertion_lifetime_seconds) {
            return Err(CommandError::usage(format!(
                "tokens.assertion_lifetime_seconds is {}; it must be between 1 and 86400",
                tokens.assertion_lifetime_seconds
            )));
        }
        if !tokens.jti && !tokens.single_active {
            return Err(CommandError::usage(
                "tokens.jti = false needs tokens.single_active = true: without an id only the one \
                 current token of a credential can be told from its others",
            ));
        }
        if !tokens.jti && profile == Profile::Rfc9068 {
            return Err(CommandError::usage(
                "tokens.jti = false does not go with tokens.profile = \"rfc9068\", which requires jti",
            ));
        }
        Ok(())
    }

    fn check_keys(&self) -> Result<(), CommandError> {
        let keys = &self.keys;
        keys.kind
            .parse::<KeySpec>()
            .map_err(|error| CommandError::usage(format!("keys.kind: {error}")))?;
        if !(0..=36_500).contains(&keys.rotate_every_days) {
            return Err(CommandError::usage(format!(
                "keys.rotate_every_days is {}; it must be between 0 (never) and 36500",
                keys.rotate_every_days
            )));
        }
        if !(keys.max_age_seconds..=31_536_000).contains(&keys.publish_before_seconds) {
            return Err(CommandError::usage(format!(
                "keys.publish_before_seconds is {}; it must be at least keys.max_age_seconds ({}), \
                 or verifiers meet a key that they have not seen",
                keys.publish_before_seconds, keys.max_age_seconds
            )));
        }
        let is_path = |path: &String| {
            // Where other servers have theirs, and where nothing of ours is.
            ["/.well-known/", "/pf/", "/ext/"]
                .iter()
                .any(|folder| path.starts_with(folder))
                && !path.contains("configuration")
                && !path.contains("authorization-server")
                && path
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"/-._~".contains(&b))
        };
        let unique: BTreeSet<&String> = keys.paths.iter().collect();
        if keys.paths.is_empty()
            || unique.len() != keys.paths.len()
            || !keys.paths.iter().all(is_path)
        {
            return Err(CommandError::usage(
                "keys.paths must be a list of different paths under /.well-known/, /pf/ or /ext/, such \
                 as [\"/.well-known/jwks.json\"]",
            ));
        }
        if !(1..=1_000).contains(&self.credentials.longest_name) {
            return Err(CommandError::usage(
                "credentials.longest_name must be between 1 and 1000",
            ));
        }
        let every = keys.rotate_every_days.saturating_mul(86_400);
        if every != 0 && every <= keys.publish_before_seconds {
            return Err(CommandError::usage(
                "keys.rotate_every_days must be longer than keys.publish_before_seconds",
            ));
        }
        Ok(())
    }

    /// How error bodies are written.
    pub(crate) fn wording(&self) -> Option<Wording> {
        WORDINGS
            .into_iter()
            .find(|(word, _)| *word == self.tokens.errors)
            .map(|(_, wording)| wording)
    }

    fn check_addresses(&self) -> Result<(), CommandError> {
        let mut taken = Vec::new();
        for address in self.listen.all() {
            if address.port() != 0 && taken.contains(&address.port()) {
                return Err(CommandError::usage(format!(
                    "two listeners have the port {}",
                    address.port()
                ))
                .hint(
                    "--listen HOST:PORT takes PORT, the three ports behind it and PORT + 1010; \
                     choose a PORT below 64526, or set each one in hallpass.toml",
                ));
            }
            taken.push(address.port());
        }
        for url in self
            .public
            .authorization_server
            .iter()
            .chain(self.public.instances.values())
        {
            Issuer::parse(url).map_err(|_| {
                CommandError::usage(format!("the public URL `{url}` is no http URL"))
            })?;
        }
        if let Some(unknown) = self
            .public
            .instances
            .keys()
            .find(|name| !INSTANCES.contains(&name.as_str()))
        {
            return Err(CommandError::usage(format!(
                "public.instances names `{unknown}`; the instances are {}",
                INSTANCES.join(", ")
            )));
        }
        let unnamed = self.listen.authorization_server.ip().is_unspecified()
            && self.public.authorization_server.is_none();
        if unnamed {
            return Err(CommandError::usage(
                "every address of this machine is listened on, so clients need to be told a URL",
            )
            .hint("set public.authorization_server and public.instances in hallpass.toml"));
        }
        Ok(())
    }

    /// What the store enforces.
    pub(crate) fn policy(&self) -> Policy {
        let (tokens, keys) = (&self.tokens, &self.keys);
        let seconds = SignedDuration::from_secs;
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        Policy {
            profile: tokens.profile.parse().unwrap_or_default(),
            single_active: tokens.single_active,
            grace: seconds(tokens.grace_seconds),
            reset_grace: seconds(tokens.reset_grace_seconds),
            jti: tokens.jti,
            token_lifetime: seconds(tokens.lifetime_seconds),
            platform_token_lifetime: seconds(tokens.platform_lifetime_seconds),
            longest_token_lifetime: seconds(tokens.longest_lifetime_seconds),
            credentials_per_owner: self.credentials.per_owner,
            longest_name: self.credentials.longest_name,
            longest_overlap: days(self.credentials.longest_overlap_days),
            keys: KeyPolicy {
                spec: keys.kind.parse().unwrap_or_default(),
                rotate_every: (keys.rotate_every_days > 0).then(|| days(keys.rotate_every_days)),
                publish_before: seconds(keys.publish_before_seconds),
            },
            audit_retention: days(self.audit.retention_days),
        }
    }

    /// What the authorization server is told, with the issuers whose tokens may be alive.
    pub(crate) fn authorization_server(
        &self,
        expectation: &Expectation,
        base_url: &str,
    ) -> hallpass_authorization_server::Settings {
        let policy = self.policy();
        hallpass_authorization_server::Settings {
            issuing: Issuing {
                issuer: expectation.issuers[0].clone(),
                audience: expectation.audience.clone(),
                profile: policy.profile,
            },
            issuers: expectation.issuers.clone(),
            base_url: base_url.to_owned(),
            wording: self.wording().unwrap_or_default(),
            // The real system's clients send both (domain facts, section 2.5); nobody else should.
            two_credentials: match policy.profile {
                Profile::Greenlake => TwoCredentials::ToleratedWhenEqual,
                Profile::Rfc9068 => TwoCredentials::Refused,
            },
            assertions_for_endpoint: self.tokens.assertions_for_endpoint,
            jwks_paths: self.keys.paths.clone(),
            jwks_max_age: self.keys_max_age(),
            limits: self.limits(),
        }
    }

    /// How long verifiers may keep the published keys.
    pub(crate) fn keys_max_age(&self) -> SignedDuration {
        SignedDuration::from_secs(self.keys.max_age_seconds)
    }

    fn limits(&self) -> hallpass_authorization_server::Limits {
        let limits = &self.limits;
        let defaults = hallpass_authorization_server::Limits::default();
        hallpass_authorization_server::Limits {
            failures_per_client: limits.failures_per_client,
            failures_per_address: limits.failures_per_address,
            tokens_per_credential: limits.tokens_per_credential,
            questions_per_credential: limits.questions_per_credential,
            assertion_lifetime: SignedDuration::from_secs(self.tokens.assertion_lifetime_seconds),
            under_way: limits.under_way,
            signing_threads: limits.signing_threads,
            signing_queue: NonZeroUsize::new(limits.signing_queue)
                .unwrap_or(defaults.signing_queue),
        }
    }

    /// How the stand-in behaves.
    pub(crate) fn sandbox(&self) -> hallpass_sandbox::Settings {
        hallpass_sandbox::Settings {
            task_duration: SignedDuration::from_millis(self.sandbox.task_milliseconds),
            strict: self.sandbox.strict,
            ..hallpass_sandbox::Settings::default()
        }
    }

    /// The whole configuration as a file.
    pub(crate) fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }

    /// Whether other machines can reach a listener.
    pub(crate) fn is_public(&self) -> bool {
        let loopback = |address: &SocketAddr| is_loopback(address.ip());
        !self.listen.all().all(|address| loopback(&address))
    }
}

fn is_loopback(address: IpAddr) -> bool {
    address.is_loopback()
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
        config.listen("[::1]:0").unwrap();
        let all = config
            .listen
            .instances
            .values()
            .chain([&config.listen.metrics]);
        assert!(
            all.clone()
                .all(|address| address.port() == 0 && address.ip().is_loopback())
        );
        assert!(!config.is_public());
    }

    #[test]
    fn mistakes_are_named() {
        let wrong = Config::parse("[tokens]\nlifetime = 5\n", Path::new("h.toml")).unwrap_err();
        assert!(wrong.message().contains("h.toml") && wrong.message().contains("lifetime"));
        assert!(Config::default().listen("localhost").is_err());
        let mut config = Config::default();
        config.tokens.lifetime_seconds = 0;
        assert!(
            config
                .check()
                .unwrap_err()
                .message()
                .contains("tokens.lifetime_seconds")
        );
        for wrong in [0, 86_401] {
            let mut config = Config::default();
            assert_eq!(config.tokens.assertion_lifetime_seconds, 300);
            config.tokens.assertion_lifetime_seconds = wrong;
            let error = config.check().unwrap_err();
            assert!(error.message().contains("assertion_lifetime_seconds"));
        }
    }

    #[test]
    fn settings_that_do_not_go_together_are_refused_by_name() {
        for (text, named) in [
            ("[tokens]\nprofile = \"jwt\"", "tokens.profile"),
            ("[tokens]\nerrors = \"html\"", "tokens.errors"),
            ("[tokens]\ngrace_seconds = -1", "tokens.grace_seconds"),
            (
                "[tokens]\nreset_grace_seconds = 3601",
                "tokens.reset_grace_seconds",
            ),
            (
                "[tokens]\njti = false\nsingle_active = false",
                "tokens.single_active",
            ),
            (
                "[tokens]\njti = false\nprofile = \"rfc9068\"",
                "tokens.profile",
            ),
            ("[keys]\nkind = \"rsa-1024\"", "keys.kind"),
            (
                "[keys]\npublish_before_seconds = 299",
                "keys.max_age_seconds",
            ),
            (
                "[keys]\nrotate_every_days = 1\npublish_before_seconds = 86400",
                "keys.rotate_every_days",
            ),
            ("[keys]\npaths = []", "keys.paths"),
            ("[keys]\npaths = [\"/\"]", "keys.paths"),
            (
                "[keys]\npaths = [\"/.well-known/openid-configuration\"]",
                "keys.paths",
            ),
            ("[limits]\nsigning_queue = 0", "limits.signing_queue"),
            (
                "[credentials]\nlongest_name = 0",
                "credentials.longest_name",
            ),
        ] {
            let error = Config::parse(text, Path::new("h.toml")).unwrap_err();
            assert!(
                error.message().contains(named),
                "{text}: {}",
                error.message()
            );
        }
        let text = "[tokens]\njti = false\ngrace_seconds = 60\n[keys]\nkind = \"ed25519\"\npaths = [\"/ext/keys\"]";
        let config = Config::parse(text, Path::new("h.toml")).unwrap();
        assert_eq!(config.policy().keys.spec, KeySpec::Ed25519);
        assert!(!config.policy().jti);
    }
}
