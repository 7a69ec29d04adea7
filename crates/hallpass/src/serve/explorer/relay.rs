//! What the explorer of a server may reach: the application instances that take calls, the token
//! endpoints and the credential API of this server, and what an administrator has configured
//! (`explorer.relay`). Nothing else, or anybody signed in could reach the network that the server is in.
//!
//! It is asked for each request, since instances come and go. Names of the real system lead to this
//! server's TLS listener, through its own CONNECT proxy, never to the real system; unless one of them is
//! configured, which says the opposite.

use std::path::PathBuf;
use std::sync::Arc;

use hallpass_client::{Cache, Limits, Options, Profile, Proxies};
use hallpass_explorer::{Failure, Fetch, Region, Surroundings};
use hallpass_store::{ApplicationInstance, Clock, Store};
use reqwest::Url;

use crate::definition::built_in;
use crate::serve::tls::hosts::{self, Role};
use crate::serve::{Addresses, Config};

/// Largest answer that is taken for somebody, in bytes.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// What is sent to at this server's own addresses: tokens are asked for, credentials administered. Pages
/// are not, nor is anybody signed in: there this server's own address would stand for all strangers'.
const OWN_PATHS: [&str; 3] = [
    "/as/token.oauth2",
    "/authorization/v2/oauth2/",
    "/workspaces/",
];

/// What may be reached, whoever asks.
pub(super) struct Relay {
    store: Store,
    addresses: Addresses,
    /// The proxy that leads the names of the real system here, if there is one.
    proxy: Option<String>,
    ca_file: Option<PathBuf>,
    /// What is configured.
    configured: Vec<Url>,
    clock: Clock,
}

/// The name under which the explorer is asked.
pub(super) enum Face {
    /// One of this server's own.
    Own {
        /// The token endpoint under that name.
        token_url: String,
    },
    /// One of the real system's.
    Real {
        /// The same.
        token_url: String,
    },
}

/// The same as the explorer of one name sees it.
pub(super) struct Seen {
    relay: Arc<Relay>,
    face: Face,
}

impl Face {
    /// The name of a console at this URL.
    pub(super) fn of(console: &str, token_url: &str) -> Self {
        let token_url = token_url.to_owned();
        if console == hosts::GLOBAL {
            Self::Real { token_url }
        } else {
            Self::Own { token_url }
        }
    }
}

impl Relay {
    pub(super) fn new(
        config: &Config,
        addresses: &Addresses,
        store: &Store,
        clock: &Clock,
    ) -> Self {
        let configured = config.explorer.relay.iter();
        Self {
            store: store.clone(),
            addresses: addresses.clone(),
            proxy: addresses.tls.as_ref().and(addresses.proxy.clone()),
            ca_file: addresses.ca_file.as_ref().map(PathBuf::from),
            configured: configured.filter_map(|url| Url::parse(url).ok()).collect(),
            clock: clock.clone(),
        }
    }

    pub(super) fn seen_from(self: &Arc<Self>, face: Face) -> Seen {
        Seen {
            relay: self.clone(),
            face,
        }
    }

    /// The instances that take calls, but the platform.
    fn instances(&self) -> Vec<Arc<ApplicationInstance>> {
        let mut instances = self.store.workspaces().instances();
        instances.retain(|one| one.enabled && !one.is_platform());
        instances
    }

    fn is_configured(&self, url: &Url) -> bool {
        let mut configured = self.configured.iter();
        configured.any(|known| known.origin() == url.origin())
    }

    /// Whether the URL has a name of the real system that leads here.
    fn real_role(&self, url: &Url) -> Option<Role> {
        let at_443 = url.scheme() == "https" && url.port_or_known_default() == Some(443);
        self.proxy.as_ref().filter(|_| at_443)?;
        hosts::find(url.host_str()?).map(|host| host.role)
    }

    /// Whether this is where the authorization server, and the platform's API, are.
    fn is_platform(&self, url: &Url) -> bool {
        let own = [
            Some(self.addresses.authorization_server.clone()),
            self.addresses.tls.clone(),
            self.addresses.local_tls(),
        ];
        let mut own = own.into_iter().flatten();
        self.real_role(url) == Some(Role::Platform) || own.any(|own| is_at(url, &own))
    }

    fn is_instance(&self, url: &Url) -> bool {
        let real = self.real_role(url);
        self.instances().iter().any(|instance| {
            let base_url = self.addresses.of_instance(instance);
            base_url.is_some_and(|base_url| is_at(url, &base_url))
                || matches!(real, Some(Role::Instance(name)) if name == instance.name)
        })
    }

    /// The proxy for the names of the real system; everything else is reached directly.
    fn proxies(&self) -> Proxies {
        let Some(proxy) = &self.proxy else {
            return Proxies::none();
        };
        let instances = self.instances();
        let others = instances.iter().filter_map(|instance| {
            let base_url = instance.base_url.as_ref()?;
            let host = base_url.host();
            hosts::find(host).is_none().then(|| host.to_owned())
        });
        let configured = self.configured.iter();
        let configured = configured.filter_map(|url| url.host_str().map(str::to_owned));
        let own = [&self.addresses.authorization_server];
        let own = own.into_iter().chain(self.addresses.instances.values());
        let own = own.filter_map(|url| Some(Url::parse(url).ok()?.host_str()?.to_owned()));
        let direct: Vec<String> = others.chain(configured).chain(own).collect();
        Proxies::from_environment(|name| match name {
            "HTTPS_PROXY" => Some(proxy.clone()),
            "NO_PROXY" => Some(direct.join(",")),
            _ => None,
        })
    }
}

impl Surroundings for Seen {
    fn is_local(&self) -> bool {
        false
    }

    fn may_reach(&self, url: &Url) -> Result<(), Failure> {
        let relay = &self.relay;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none();
        if plain && relay.is_configured(url) {
            return Ok(());
        }
        if plain && relay.is_platform(url) {
            let path = url.path();
            let known = OWN_PATHS.iter().any(|own| path.starts_with(own));
            return if known { Ok(()) } else { Err(not_there(path)) };
        }
        if plain && relay.is_instance(url) {
            return Ok(());
        }
        let origin = url.origin().ascii_serialization();
        Err(Failure::refused(
            format!("this server sends no requests to {origin}"),
            "choose one of its application instances; an administrator of the server can allow other \
             addresses with `relay` under [explorer] in hallpass.toml",
        ))
    }

    fn options(&self) -> Options {
        Options::new(Cache::None, self.relay.clock.clone())
            .with_proxies(self.relay.proxies())
            .with_limits(Limits {
                body: LARGEST_ANSWER,
                ..Limits::default()
            })
    }

    fn adapt(&self, profile: Profile) -> Profile {
        let authority = self.relay.ca_file.clone().filter(|file| file.exists());
        match authority {
            Some(file) if profile.ca_file().is_none() => profile.with_ca_file(Some(file)),
            _ => profile,
        }
    }

    fn regions(&self) -> Vec<Region> {
        let relay = &self.relay;
        let is_real = matches!(self.face, Face::Real { .. }) && relay.proxy.is_some();
        let instances = relay.instances();
        let regions = instances.iter().filter_map(|instance| {
            let own = || relay.addresses.of_instance(instance);
            // A listener that is not configured is not there under the real name either.
            let real = || own().and_then(|_| hosts::base_url_of(&instance.name));
            let base_url = if is_real { real().or_else(own) } else { own() };
            let title = match instance.region.as_str() {
                "" => &instance.title,
                region => region,
            };
            Some(Region {
                name: instance.name.clone(),
                title: title.to_owned(),
                base_url: base_url?,
            })
        });
        regions.collect()
    }

    fn token_url(&self) -> String {
        match &self.face {
            Face::Real { .. } if self.relay.proxy.is_none() => {
                self.relay.addresses.token_url.clone()
            }
            Face::Real { token_url } | Face::Own { token_url } => token_url.clone(),
        }
    }

    fn built_in(&self) -> &'static str {
        built_in()
    }

    fn fetch<'a>(&'a self, _url: &'a Url) -> Fetch<'a> {
        Box::pin(async {
            Err(Failure::refused(
                "a server imports nothing by URL",
                "download the definition and import the file, or paste its text",
            ))
        })
    }
}

fn is_at(url: &Url, base_url: &str) -> bool {
    Url::parse(base_url).is_ok_and(|base_url| base_url.origin() == url.origin())
}

fn not_there(path: &str) -> Failure {
    Failure::refused(
        format!("the explorer sends no requests to {path} of this server"),
        "tokens are asked for at its token endpoint, and its own API begins with /workspaces/",
    )
}
