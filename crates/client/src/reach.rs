//! Which addresses may be connected to, for programs that send what others wrote: names are asked for
//! their addresses here, and only those that may be are given on. Looking at the name alone would not do:
//! whoever owns it can let it lead to another address a moment later (DNS rebinding).

use std::net::IpAddr;
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Whether an address may be connected to.
pub type AddressRule = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// The system's resolver, without the addresses that the rule leaves out.
pub(crate) struct Resolver(AddressRule);

impl Resolver {
    pub(crate) fn new(rule: AddressRule) -> Self {
        Self(rule)
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let rule = self.0.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<_> = found.filter(|address| rule(address.ip())).collect();
            if allowed.is_empty() {
                return Err(NOT_ALLOWED.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Whether the rule leaves out the address that a URL is written with. Of a name, the resolver says so.
pub(crate) fn is_left_out(rule: &AddressRule, url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.parse().is_ok_and(|address| !rule(address))
}

/// Why there is no connection.
pub(crate) const NOT_ALLOWED: &str = "nothing is sent to an address of this kind";

#[cfg(test)]
mod tests {
    use super::*;

    fn nowhere_local() -> AddressRule {
        Arc::new(|address| !address.is_loopback())
    }

    #[tokio::test]
    async fn a_name_does_not_lead_to_an_address_that_is_left_out() {
        let addresses = |rule| async move {
            let name = "localhost".parse().unwrap();
            let found = Resolver::new(rule).resolve(name).await;
            found
                .map(Iterator::count)
                .map_err(|error| error.to_string())
        };
        assert_eq!(addresses(nowhere_local()).await.unwrap_err(), NOT_ALLOWED);
        assert!(addresses(Arc::new(|_| true)).await.unwrap() > 0);
    }

    #[test]
    fn an_address_that_is_written_out_is_found() {
        for (url, left_out) in [
            ("http://127.0.0.1:1/", true),
            ("http://[::1]/", true),
            ("http://192.0.2.1/", false),
            ("http://localhost/", false),
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!(is_left_out(&nowhere_local(), &url), left_out, "{url}");
        }
    }
}
