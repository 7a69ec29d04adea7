//! The configuration: `hallpass.toml`, then `HALLPASS_…` variables, then flags. Holds no secret,
//! so it can be printed and committed.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use hallpass_oauth::Issuer;
use hallpass_store::Policy;
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
    /// Credentials.
    pub(crate) credentials: Credentials,
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
    /// Whether minting a token ends the credential's earlier ones.
    pub(crate) single_active: bool,
    /// Lifetime of tokens for a service, in seconds.
    pub(crate) lifetime_seconds: i64,
    /// Lifetime of tokens for the platform itself, in seconds.
    pub(crate) platform_lifetime_seconds: i64,
}

/// Rules for credentials.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Credentials {
    /// Most credentials of one owner.
    pub(crate) per_owner: usize,
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
            single_active: policy.single_active,
            lifetime_seconds: policy.token_lifetime.as_secs(),
            platform_lifetime_seconds: policy.platform_token_lifetime.as_secs(),
        }
    }
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            per_owner: Policy::default().credentials_per_owner,
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
            ("audit.retention_days", self.audit.retention_days),
        ];
        for (name, value) in lifetimes {
            if !(1..=31_536_000).contains(&value) {
                return Err(CommandError::usage(format!(
                    "{name} is {value}; it must be between 1 and 31536000"
                )));
            }
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
        Policy {
            single_active: self.tokens.single_active,
            token_lifetime: SignedDuration::from_secs(self.tokens.lifetime_seconds),
            platform_token_lifetime: SignedDuration::from_secs(
                self.tokens.platform_lifetime_seconds,
            ),
            credentials_per_owner: self.credentials.per_owner,
            audit_retention: SignedDuration::from_hours(24 * self.audit.retention_days),
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
    }
}
