//! What the explorer may do on the person's own machine: what the command line may do, with the same
//! profiles, regions, proxies and cached tokens. It sends what a definition or a workspace of somebody else
//! says, so it does not reach the addresses that machines use among themselves, such as the one where a
//! rented machine is told its own credentials.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use hallpass_client::download::{Downloaded, download};
use hallpass_client::{CredentialSource, Options, Profile, Renewal};
use hallpass_explorer::{Failure, Fetch, Region, Surroundings};
use reqwest::Url;

use crate::client::selection::FileArg;
use crate::client::warnings::warning;
use crate::client::{options, stores};
use crate::command::CommandError;
use crate::{definition, output};

/// The machine of one person.
pub(super) struct Machine;

impl Surroundings for Machine {
    fn is_local(&self) -> bool {
        true
    }

    fn may_reach(&self, url: &Url) -> Result<(), Failure> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Failure::refused(
                format!(
                    "nothing is sent to an address that begins with `{}:`",
                    url.scheme()
                ),
                "an address begins with https:// or http://",
            ));
        }
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.parse().is_ok_and(is_link_local) {
            return Err(Failure::refused(
                format!("nothing is sent to {host}: machines use such addresses among themselves"),
                "check the address; an API has another one",
            ));
        }
        Ok(())
    }

    fn options(&self) -> Options {
        options()
            .with_renewal(Renewal::Beside)
            .with_addresses(Arc::new(|address| !is_link_local(address)))
            .with_events(Arc::new(|event| {
                if let Some(warning) = warning(event) {
                    output::words(&warning);
                }
            }))
    }

    fn regions(&self) -> Vec<Region> {
        let regions = hallpass_client::Region::all();
        regions
            .map(|region| Region {
                name: region.name().to_owned(),
                title: region.place().to_owned(),
                base_url: region.base_url().to_owned(),
            })
            .collect()
    }

    fn token_url(&self) -> String {
        let first = hallpass_client::Region::all().next();
        first.map_or_else(String::new, |region| region.token_url().to_owned())
    }

    fn built_in(&self) -> &'static str {
        definition::built_in()
    }

    fn profiles(&self) -> Vec<String> {
        match FileArg::default().load() {
            Ok(profiles) => profiles.iter().map(|one| one.name().to_string()).collect(),
            Err(error) => {
                tracing::warn!(what = error.message(), "the profiles cannot be offered");
                Vec::new()
            }
        }
    }

    fn profile(&self, name: &str) -> Result<(Profile, CredentialSource), Failure> {
        let find = || {
            let profiles = FileArg::default().load()?;
            let profile = profiles
                .select(Some(name))
                .map_err(crate::client::library)?;
            let credential = stores::credential_in(profile, stores::without_asking)?;
            Ok((profile.clone(), credential))
        };
        find().map_err(|error: CommandError| {
            let hint = error
                .hint_text()
                .unwrap_or("`hallpass profile list` shows the profiles");
            Failure::wrong(error.message(), hint)
        })
    }

    fn fetch<'a>(&'a self, url: &'a Url) -> Fetch<'a> {
        Box::pin(async move {
            let mut limits = self.options().limits;
            limits.total = LONGEST_FETCH;
            let options = self.options().with_limits(limits);
            let mut url = url.clone();
            for _ in 0..MOST_REDIRECTS {
                self.may_reach(&url)?;
                let fetched = download(&url, &options, LARGEST_DEFINITION).await;
                let fetched = fetched.map_err(|error| {
                    let hint = error.hint();
                    let hint = hint.unwrap_or_else(|| "check the address".to_owned());
                    Failure::elsewhere(crate::command::chain(&error), hint)
                })?;
                match fetched {
                    Downloaded::Document(text) => return Ok(text),
                    Downloaded::Elsewhere(next) => url = next,
                    Downloaded::Refused(status) => {
                        return Err(Failure::elsewhere(
                            format!("there is no definition at {}: {status}", plain(&url)),
                            "check the address; if it asks you to sign in, save the file there and \
                             import the file",
                        ));
                    }
                }
            }
            Err(Failure::elsewhere(
                format!("the address leads on and on, at last to {}", plain(&url)),
                "import the file from where it really is",
            ))
        })
    }
}

/// A URL without what may be secret in it.
fn plain(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.to_string()
}

/// Addresses that are good on one link only (RFC 3927, RFC 4291 section 2.5.6), also when they are written
/// as addresses of the other family (RFC 4291 section 2.5.5.2, RFC 6052 section 2.1).
fn is_link_local(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local() || within(address).is_link_local(),
    }
}

/// The IPv4 address at the end of one that a translator takes (64:ff9b::/96); of others, none that matters.
fn within(address: Ipv6Addr) -> std::net::Ipv4Addr {
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => (u32::from(high) << 16 | u32::from(low)).into(),
        _ => std::net::Ipv4Addr::UNSPECIFIED,
    }
}

/// How long a definition may take to come.
const LONGEST_FETCH: Duration = Duration::from_mins(1);

/// Largest definition, in bytes.
const LARGEST_DEFINITION: usize = 32 * 1024 * 1024;
const MOST_REDIRECTS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_local_addresses_are_refused_however_they_are_written() {
        let machine = Machine;
        for url in [
            "http://169.254.169.254/latest/meta-data",
            "http://0xA9FEA9FE/",
            "http://2852039166/",
            "http://169.254.1/",
            "https://[fe80::1]/",
            "https://[febf::1]:444/",
            "http://[::ffff:169.254.169.254]/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "ftp://example.com/",
            "file:///etc/passwd",
        ] {
            let url = Url::parse(url).unwrap();
            assert!(machine.may_reach(&url).is_err(), "{url}");
        }
        for url in [
            "https://us1.data.cloud.hpe.com/api/v1",
            "http://127.0.0.1:8080/",
            "http://[::1]/",
            "http://192.168.1.1/",
            "http://[64:ff9b::c000:201]/",
            "http://169.253.1.1/",
        ] {
            let url = Url::parse(url).unwrap();
            assert!(machine.may_reach(&url).is_ok(), "{url}");
        }
    }
}
