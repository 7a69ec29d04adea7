//! Where the listeners are: by default, when they are moved together, and who can reach them there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{INSTANCES, Listen, Socket};
use crate::command::CommandError;
use crate::serve::tls::hosts;

/// The port of the authorization server.
const PORT: u16 = 8080;

/// From there to that of the metrics: 8080 and 9090.
const METRICS_OFFSET: u16 = 1010;

/// From there to that of the TLS listener: 8080 and 8443.
const TLS_OFFSET: u16 = 363;

/// The port of the proxy, the customary one of proxies, and where it is when the others move.
const PROXY_PORT: u16 = 3128;
const PROXY_OFFSET: u16 = 364;

/// The name of the one that does not speak plain HTTP.
const TLS: &str = "tls";

impl Default for Listen {
    fn default() -> Self {
        Self::around(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), PORT))
    }
}

impl Listen {
    /// The listeners around one address: the instances on the ports behind it, the metrics further
    /// up. Port 0 stands for a free one everywhere. TLS stays on this machine where its certificate
    /// is not good for the address; the proxy leads there from any.
    pub(super) fn around(first: SocketAddr) -> Self {
        let on = |offset: u16| {
            let port = match first.port() {
                0 => 0,
                port => port.saturating_add(offset),
            };
            SocketAddr::new(first.ip(), port)
        };
        let tls_on = match first.ip() {
            good if is_for_tls(good) => good,
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        };
        Self {
            authorization_server: first,
            metrics: on(METRICS_OFFSET),
            tls: Socket::At(SocketAddr::new(tls_on, on(TLS_OFFSET).port())),
            proxy: Socket::At(match first.port() {
                PORT => SocketAddr::new(first.ip(), PROXY_PORT),
                _ => on(PROXY_OFFSET),
            }),
            instances: (1..)
                .zip(INSTANCES)
                .map(|(n, name)| (name.to_owned(), on(n)))
                .collect(),
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = SocketAddr> {
        self.named().map(|(_, address)| address)
    }

    /// The names of the listeners that other machines can reach, without TLS. The proxy is one: what is
    /// sent to it with an `https` URL, and not through it, comes in clear.
    pub(crate) fn public_in_clear(&self) -> Vec<&str> {
        self.named()
            .filter(|(name, address)| *name != TLS && is_public(*address))
            .map(|(name, _)| name)
            .collect()
    }

    /// Whether other machines can reach the TLS listener.
    pub(crate) fn is_tls_public(&self) -> bool {
        self.tls.address().is_some_and(is_public)
    }

    /// The proxy, which has nowhere to lead to without TLS.
    pub(crate) fn proxy(&self) -> Socket {
        self.proxy.off_with(self.tls)
    }

    /// Elsewhere every client would refuse the certificate, and no address would be told that works.
    pub(super) fn check_tls(&self) -> Result<(), CommandError> {
        match self.tls.address() {
            Some(address) if !is_for_tls(address.ip()) => Err(CommandError::usage(format!(
                "listen.tls is `{address}`, and the certificate is not good for that address: TLS may \
                 listen on 127.0.0.1, on [::1], or with 0.0.0.0 or [::] on every address"
            ))
            .hint(
                "from other machines programs come through the proxy: set listen.proxy, and leave \
                 listen.tls on 127.0.0.1",
            )),
            _ => Ok(()),
        }
    }

    /// Every listener under the name of its setting.
    fn named(&self) -> impl Iterator<Item = (&str, SocketAddr)> {
        let instances = self.instances.iter();
        let by_name = [(TLS, self.tls), ("proxy", self.proxy())];
        [
            ("authorization_server", self.authorization_server),
            ("metrics", self.metrics),
        ]
        .into_iter()
        .chain(instances.map(|(name, address)| (name.as_str(), *address)))
        .chain(
            by_name
                .into_iter()
                .filter_map(|(name, socket)| Some((name, socket.address()?))),
        )
    }
}

fn is_public(address: SocketAddr) -> bool {
    !address.ip().is_loopback()
}

/// Whether the certificate is good for whoever asks there by address; whoever listens on every address
/// is asked under this machine's own.
fn is_for_tls(address: IpAddr) -> bool {
    address.is_unspecified() || hosts::is_local(&address.to_string())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Config;
    use super::*;

    fn around(first: &str) -> Listen {
        Listen::around(first.parse().unwrap())
    }

    #[test]
    fn tls_stays_where_its_certificate_is_good() {
        for (first, tls, proxy) in [
            ("127.0.0.1:8080", "127.0.0.1:8443", "127.0.0.1:3128"),
            ("[::1]:9000", "[::1]:9363", "[::1]:9364"),
            ("0.0.0.0:8080", "0.0.0.0:8443", "0.0.0.0:3128"),
            ("192.0.2.5:8080", "127.0.0.1:8443", "192.0.2.5:3128"),
            ("127.0.0.2:8080", "127.0.0.1:8443", "127.0.0.2:3128"),
            ("[2001:db8::5]:0", "[::1]:0", "[2001:db8::5]:0"),
        ] {
            let listen = around(first);
            listen.check_tls().unwrap();
            let by_name = [listen.tls, listen.proxy].map(|socket| socket.to_string());
            assert_eq!(by_name, [tls, proxy], "{first}");
        }
    }

    #[test]
    fn tls_is_refused_where_its_certificate_is_good_for_nobody() {
        let config = |tls: &str| {
            let text = format!("[listen]\ntls = \"{tls}\"\n");
            Config::parse(&text, Path::new("h.toml"))
        };
        for elsewhere in ["192.168.1.5:8443", "127.0.0.2:8443", "[2001:db8::5]:443"] {
            let refused = config(elsewhere).unwrap_err();
            let message = refused.message();
            assert!(
                message.contains("listen.tls") && message.contains(elsewhere),
                "{message}"
            );
            assert!(refused.hint_text().unwrap().contains("listen.proxy"));
        }
        for here in [
            "127.0.0.1:443",
            "[::1]:8443",
            "0.0.0.0:0",
            "[::]:8443",
            "off",
        ] {
            config(here).unwrap();
        }
    }

    #[test]
    fn who_can_be_reached_from_elsewhere_is_told_by_name() {
        let mut listen = around("127.0.0.1:8080");
        assert!(listen.public_in_clear().is_empty() && !listen.is_tls_public());
        listen.tls = Socket::At("0.0.0.0:8443".parse().unwrap());
        assert!(listen.public_in_clear().is_empty() && listen.is_tls_public());
        let listen = around("192.0.2.5:8080");
        let clear = [
            "authorization_server",
            "metrics",
            "eu1",
            "jp1",
            "us1",
            "proxy",
        ];
        assert_eq!(listen.public_in_clear(), clear);
        assert!(!listen.is_tls_public());
    }
}
