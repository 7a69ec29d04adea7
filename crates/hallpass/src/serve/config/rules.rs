//! What types cannot say about the configuration: ranges, words, settings that do not go together. Every
//! refusal names the setting.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use hallpass_oauth::{Issuer, KeySpec, Profile};
use hallpass_store::instances::is_refused;
use reqwest::Url;

use super::settings::{TASK_URIS, WORDINGS, fault_rule};
use super::{Config, INSTANCES};
use crate::command::CommandError;

/// The most that any number of seconds or days may be: a year, in seconds.
const LONGEST: i64 = 31_536_000;

/// Most objects of a state that can be asked for: some 10 GB.
const MOST_OBJECTS: usize = 10_000_000;

impl Config {
    /// Checks what types cannot.
    pub(crate) fn check(&self) -> Result<(), CommandError> {
        self.check_ranges()?;
        self.check_tokens()?;
        self.check_keys()?;
        self.check_key_paths()?;
        self.check_names()?;
        self.check_limits()?;
        self.check_sandbox()?;
        self.check_instances()?;
        self.listen.check_tls()?;
        self.check_ports()?;
        self.check_urls()?;
        self.check_relay()
    }

    fn check_ranges(&self) -> Result<(), CommandError> {
        let (tokens, keys) = (&self.tokens, &self.keys);
        let overlap = self.credentials.longest_overlap_days;
        for (name, value, range) in [
            (
                "tokens.lifetime_seconds",
                tokens.lifetime_seconds,
                1..=LONGEST,
            ),
            (
                "tokens.platform_lifetime_seconds",
                tokens.platform_lifetime_seconds,
                1..=LONGEST,
            ),
            (
                "tokens.longest_lifetime_seconds",
                tokens.longest_lifetime_seconds,
                1..=LONGEST,
            ),
            ("upstream.seconds", self.upstream.seconds, 1..=3_600),
            ("tokens.grace_seconds", tokens.grace_seconds, 0..=3_600),
            (
                "tokens.reset_grace_seconds",
                tokens.reset_grace_seconds,
                0..=3_600,
            ),
            (
                "tokens.assertion_lifetime_seconds",
                tokens.assertion_lifetime_seconds,
                1..=86_400,
            ),
            ("keys.max_age_seconds", keys.max_age_seconds, 1..=LONGEST),
            ("credentials.longest_overlap_days", overlap, 1..=36_500),
            (
                "audit.retention_days",
                self.audit.retention_days,
                1..=36_500,
            ),
            (
                "sessions.longest_minutes",
                self.sessions.longest_minutes,
                1..=525_600,
            ),
            (
                "sessions.idle_minutes",
                self.sessions.idle_minutes,
                1..=self.sessions.longest_minutes,
            ),
            (
                "sandbox.task_milliseconds",
                self.sandbox.task_milliseconds,
                0..=86_400_000,
            ),
        ] {
            within(name, value, range)?;
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
        if !(keys.max_age_seconds..=LONGEST).contains(&keys.publish_before_seconds) {
            return Err(CommandError::usage(format!(
                "keys.publish_before_seconds is {}; it must be at least keys.max_age_seconds ({}), \
                 or verifiers meet a key that they have not seen, and at most {LONGEST}",
                keys.publish_before_seconds, keys.max_age_seconds
            )));
        }
        let every = keys.rotate_every_days.saturating_mul(86_400);
        if every != 0 && every <= keys.publish_before_seconds {
            return Err(CommandError::usage(
                "keys.rotate_every_days must be longer than keys.publish_before_seconds",
            ));
        }
        Ok(())
    }

    fn check_key_paths(&self) -> Result<(), CommandError> {
        let paths = &self.keys.paths;
        let unique: BTreeSet<&String> = paths.iter().collect();
        let good = !paths.is_empty()
            && unique.len() == paths.len()
            && paths.iter().all(|path| is_key_path(path));
        good.then_some(()).ok_or_else(|| {
            CommandError::usage(
                "keys.paths must be a list of different paths under /.well-known/, /pf/ or /ext/, such \
                 as [\"/.well-known/jwks.json\"]",
            )
        })
    }

    fn check_names(&self) -> Result<(), CommandError> {
        if !(1..=1_000).contains(&self.credentials.longest_name) {
            return Err(CommandError::usage(
                "credentials.longest_name must be between 1 and 1000",
            ));
        }
        Ok(())
    }

    fn check_limits(&self) -> Result<(), CommandError> {
        if self.limits.under_way == 0 || self.limits.signing_queue == 0 {
            return Err(CommandError::usage(
                "limits.under_way and limits.signing_queue must be at least 1",
            ));
        }
        Ok(())
    }

    fn check_sandbox(&self) -> Result<(), CommandError> {
        let sandbox = &self.sandbox;
        if self.task_uri().is_none() {
            let known = TASK_URIS.map(|(word, _)| word).join(", ");
            return Err(CommandError::usage(format!(
                "sandbox.task_uri is `{}`; the words are {known}",
                sandbox.task_uri
            )));
        }
        let most = i64::try_from(MOST_OBJECTS).unwrap_or(i64::MAX);
        for (name, value, range) in [
            ("sandbox.objects", sandbox.objects, 1..=most),
            ("sandbox.volumes", sandbox.volumes, 0..=most),
            ("sandbox.default_page", sandbox.default_page, 1..=10_000),
            ("sandbox.longest_page", sandbox.longest_page, 2000..=most),
        ] {
            within(name, i64::try_from(value).unwrap_or(i64::MAX), range)?;
        }
        if sandbox.volumes > sandbox.objects {
            return Err(CommandError::usage(format!(
                "sandbox.volumes is {}, more than sandbox.objects allows ({})",
                sandbox.volumes, sandbox.objects
            )));
        }
        for rule in &sandbox.faults.rules {
            fault_rule(rule)
                .check()
                .map_err(|error| CommandError::usage(format!("sandbox.faults.rules: {error}")))?;
        }
        Ok(())
    }

    fn check_instances(&self) -> Result<(), CommandError> {
        let listen = self.listen.instances.keys();
        let public = self.public.instances.keys();
        let named = listen
            .map(|name| ("listen", name))
            .chain(public.map(|name| ("public", name)));
        for (section, name) in named {
            if !INSTANCES.contains(&name.as_str()) {
                return Err(CommandError::usage(format!(
                    "{section}.instances names `{name}`; the instances are {}",
                    INSTANCES.join(", ")
                )));
            }
        }
        Ok(())
    }

    fn check_ports(&self) -> Result<(), CommandError> {
        let mut taken = BTreeSet::new();
        for address in self.listen.all() {
            if address.port() != 0 && !taken.insert(address.port()) {
                return Err(CommandError::usage(format!(
                    "two listeners have the port {}",
                    address.port()
                ))
                .hint(
                    "--listen HOST:PORT takes PORT, the three ports behind it, PORT + 363, PORT + 364 and \
                     PORT + 1010; choose a PORT below 64526, or set each one in hallpass.toml",
                ));
            }
        }
        Ok(())
    }

    fn check_urls(&self) -> Result<(), CommandError> {
        let public = &self.public;
        if let Some(issuer) = &self.tokens.issuer {
            check_url("tokens.issuer", issuer)?;
        }
        if let Some(url) = &public.authorization_server {
            // Without a setting of its own the issuer is this one.
            check_url("public.authorization_server", url)?;
        }
        for (name, url) in &public.instances {
            check_url(&format!("public.instances.{name}"), url)?;
        }
        let unnamed = self.listen.authorization_server.ip().is_unspecified()
            && public.authorization_server.is_none();
        if unnamed {
            return Err(CommandError::usage(
                "every address of this machine is listened on, so clients need to be told a URL",
            )
            .hint("set public.authorization_server and public.instances in hallpass.toml"));
        }
        Ok(())
    }

    fn check_relay(&self) -> Result<(), CommandError> {
        for url in &self.explorer.relay {
            relayed(url).map_err(|why| {
                CommandError::usage(format!("explorer.relay has `{url}`: {why}"))
                    .hint("write scheme and host, such as https://storage.example.com")
            })?;
        }
        Ok(())
    }
}

/// An address that the explorer may send requests to, as far as a text can say it. Plain http is for this
/// machine; link-local addresses are where clouds keep the secrets of their machines.
fn relayed(text: &str) -> Result<(), &'static str> {
    let url = Url::parse(text).map_err(|_| "it is no URL")?;
    let host = url.host_str().ok_or("it has no host")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it must hold no user name and no password");
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err("it must end with the host or the port, since everything there can be reached");
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<IpAddr>().ok();
    if address.is_some_and(is_refused) {
        return Err("link-local, multicast and unspecified addresses are refused");
    }
    let is_here = host == "localhost" || address.is_some_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_here => Ok(()),
        "http" => Err("plain http is for this machine only; use https"),
        _ => Err("it must begin with https://"),
    }
}

fn within(name: &str, value: i64, range: RangeInclusive<i64>) -> Result<(), CommandError> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(CommandError::usage(format!(
        "{name} is {value}; it must be between {} and {}",
        range.start(),
        range.end()
    )))
}

/// Where other servers have theirs, and where nothing of ours is.
fn is_key_path(path: &str) -> bool {
    ["/.well-known/", "/pf/", "/ext/"]
        .iter()
        .any(|folder| path.starts_with(folder))
        && !path.contains("configuration")
        && !path.contains("authorization-server")
        && path
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/-._~".contains(&b))
}

/// An issuer has neither query nor fragment (RFC 8414 section 2), and paths are put behind every one of
/// these URLs.
fn check_url(name: &str, url: &str) -> Result<(), CommandError> {
    Issuer::parse(url)
        .map_err(|_| CommandError::usage(format!("{name} is `{url}`, which is no http URL")))?;
    if url.contains(['?', '#']) {
        return Err(CommandError::usage(format!(
            "{name} is `{url}`; it must have no query and no fragment (RFC 8414 section 2)"
        ))
        .hint("leave out what begins with `?` or `#`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn refusal(text: &str) -> String {
        let error = Config::parse(text, Path::new("h.toml")).unwrap_err();
        error.message().to_owned()
    }

    #[test]
    fn settings_out_of_range_or_together_are_refused_by_name() {
        for (text, named) in [
            ("[tokens]\nprofile = \"jwt\"", "tokens.profile"),
            ("[tokens]\nerrors = \"html\"", "tokens.errors"),
            ("[tokens]\nlifetime_seconds = 0", "tokens.lifetime_seconds"),
            ("[tokens]\ngrace_seconds = -1", "tokens.grace_seconds"),
            (
                "[tokens]\nreset_grace_seconds = 3601",
                "tokens.reset_grace_seconds",
            ),
            (
                "[tokens]\nassertion_lifetime_seconds = 0",
                "tokens.assertion_lifetime_seconds",
            ),
            (
                "[tokens]\nassertion_lifetime_seconds = 86401",
                "tokens.assertion_lifetime_seconds",
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
            (
                "[sandbox]\ntask_milliseconds = -1",
                "sandbox.task_milliseconds",
            ),
            ("[sandbox]\ntask_uri = \"url\"", "sandbox.task_uri"),
            ("[sandbox]\nobjects = 0", "sandbox.objects"),
            ("[sandbox]\ndefault_page = 0", "sandbox.default_page"),
            ("[sandbox]\nlongest_page = 1999", "sandbox.longest_page"),
            (
                "[sandbox]\nvolumes = 11\nobjects = 10",
                "sandbox.volumes is 11",
            ),
            (
                "[[sandbox.faults.rules]]\nfaults = \"status=200\"",
                "sandbox.faults.rules: `status=200`",
            ),
            (
                "[listen.instances]\nmoon = \"127.0.0.1:1\"",
                "listen.instances",
            ),
            (
                "[public.instances]\nmoon = \"http://moon\"",
                "public.instances",
            ),
        ] {
            let message = refusal(text);
            assert!(message.contains(named), "{text}: {message}");
        }
    }

    #[test]
    fn the_explorer_is_let_out_to_whole_servers_over_tls_only() {
        let config = |url: &str| format!("[explorer]\nrelay = [\"{url}\"]");
        for good in [
            "https://storage.example.com",
            "https://storage.example.com:8443/",
            "http://127.0.0.1:4000",
            "http://[::1]:4000",
            "http://localhost:4000",
        ] {
            let read = Config::parse(&config(good), Path::new("h.toml"));
            assert!(read.is_ok(), "{good}");
        }
        for bad in [
            "storage.example.com",
            "http://storage.example.com",
            "https://storage.example.com/api",
            "https://storage.example.com/?a",
            "https://ann@storage.example.com",
            "https://169.254.169.254",
            "http://169.254.169.254",
            "https://[fe80::1]",
            "https://0.0.0.0",
            "ftp://127.0.0.1",
        ] {
            let message = refusal(&config(bad));
            assert!(message.contains("explorer.relay has"), "{bad}: {message}");
        }
    }

    #[test]
    fn rfc8414_2_an_issuer_has_neither_query_nor_fragment() {
        for (setting, text) in [
            ("tokens.issuer", "[tokens]\nissuer = "),
            (
                "public.authorization_server",
                "[public]\nauthorization_server = ",
            ),
            ("public.instances.us1", "[public.instances]\nus1 = "),
        ] {
            for url in ["https://a.example/x?y=z", "https://a.example/#x"] {
                let message = refusal(&format!("{text}\"{url}\""));
                assert!(message.contains(setting), "{message}");
                assert!(message.contains("query"), "{message}");
            }
            let message = refusal(&format!("{text}\"ftp://a.example\""));
            assert!(message.contains(setting), "{message}");
            let good = format!("{text}\"https://a.example/x\"");
            assert!(Config::parse(&good, Path::new("h.toml")).is_ok());
        }
    }
}
