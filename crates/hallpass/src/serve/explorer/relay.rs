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

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use hallpass_oauth::random::SystemRandom;
    use hallpass_store::instances::{InstanceChange, NewInstance, Origin};
    use hallpass_store::{Actor, MasterKey, Policy};
    use jiff::Timestamp;

    use super::*;
    use crate::serve::config::Socket;

    struct Stage {
        _folder: tempfile::TempDir,
        store: Store,
        seen: Seen,
    }

    impl Stage {
        async fn of(config: &Config, face: Face) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let key = MasterKey::generate(&mut SystemRandom);
            let (file, policy) = (folder.path().join("hallpass.db"), Policy::default());
            let store = Store::open(&file, &key, policy, NOW, &mut SystemRandom)
                .await
                .unwrap();
            let addresses = Addresses::configured(config);
            let clock: Clock = Arc::new(|| NOW);
            let relay = Arc::new(Relay::new(config, &addresses, &store, &clock));
            Self {
                _folder: folder,
                store,
                seen: relay.seen_from(face),
            }
        }

        fn reaches(&self, url: &str) -> bool {
            match self.seen.may_reach(&Url::parse(url).unwrap()) {
                Ok(()) => true,
                Err(refused) => {
                    assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{url}");
                    assert!(!refused.hint().is_empty(), "{url}");
                    false
                }
            }
        }

        async fn change(&self, name: &str, change: InstanceChange) {
            let workspaces = self.store.workspaces();
            let id = workspaces.find_instance(name).unwrap().id.clone();
            workspaces
                .change_instance(&id, change, &actor(), NOW, &mut SystemRandom)
                .await
                .unwrap();
        }
    }

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn actor() -> Actor {
        Actor {
            email: "ann@example.com".to_owned(),
            client_id: String::new(),
            address: String::new(),
            source: "test",
        }
    }

    fn own() -> Face {
        Face::of(
            "http://127.0.0.1:8080",
            "http://127.0.0.1:8080/as/token.oauth2",
        )
    }

    #[tokio::test]
    async fn instances_and_token_endpoints_are_reached_and_nothing_beside_them() {
        let stage = Stage::of(&Config::default(), own()).await;
        for url in [
            "http://127.0.0.1:8081/api/v1/volumes",
            "http://127.0.0.1:8083",
            "http://127.0.0.1:8080/as/token.oauth2",
            "http://127.0.0.1:8080/authorization/v2/oauth2/0123456789abcdef0123456789abcdef/token",
            "http://127.0.0.1:8080/workspaces/v1/credentials?limit=1",
            "https://localhost:8443/as/token.oauth2",
            "https://us1.data.cloud.hpe.com/api/v1/volumes",
            "https://eu-central.api.greenlake.hpe.com/api/v1/volumes",
            "https://sso.common.cloud.hpe.com/as/token.oauth2",
        ] {
            assert!(stage.reaches(url), "{url}");
        }
        for url in [
            "http://127.0.0.1:9090/metrics",
            "http://127.0.0.1:8084/",
            "http://127.0.0.1/",
            "https://127.0.0.1:8081/",
            "http://127.0.0.2:8081/",
            "http://localhost:8081/",
            "http://169.254.169.254/latest/meta-data/",
            "http://[::ffff:169.254.169.254]/",
            "https://example.com/",
            "http://us1.data.cloud.hpe.com/api/v1/volumes",
            "https://us1.data.cloud.hpe.com:8443/api/v1/volumes",
            "https://eu-west.api.greenlake.hpe.com/",
            "https://console-us1.data.cloud.hpe.com/",
            "http://ann:secret@127.0.0.1:8081/",
            "ftp://127.0.0.1:8081/",
            "file:///etc/passwd",
            // Pages of this server's own, where it would be the stranger at the door.
            "http://127.0.0.1:8080/sign-in",
            "http://127.0.0.1:8080/workspaces/../sign-in",
            "http://127.0.0.1:8080/workspaces/%2e%2e/sign-in",
            "https://sso.common.cloud.hpe.com/setup/x",
            "https://localhost:8443/explorer",
        ] {
            assert!(!stage.reaches(url), "{url}");
        }
    }

    #[tokio::test]
    async fn what_an_administrator_changes_counts_for_the_next_request() {
        let stage = Stage::of(&Config::default(), own()).await;
        let switched_off = InstanceChange {
            enabled: Some(false),
            ..InstanceChange::default()
        };
        stage.change("us1", switched_off).await;
        assert!(!stage.reaches("http://127.0.0.1:8083/api/v1/volumes"));
        assert!(!stage.reaches("https://us1.data.cloud.hpe.com/api/v1/volumes"));
        let named = || stage.seen.regions().into_iter().map(|one| one.name);
        assert_eq!(named().collect::<Vec<_>>(), ["eu1", "jp1"]);

        assert!(!stage.reaches("https://attic.example.com/api"));
        let attic = NewInstance {
            name: "attic".to_owned(),
            title: "Attic".to_owned(),
            region: String::new(),
            base_url: Some("https://attic.example.com".parse().unwrap()),
            origin: Origin::Sandbox,
            listen: None,
            enabled: true,
        };
        let workspaces = stage.store.workspaces();
        workspaces
            .create_instance(attic, &actor(), NOW, &mut SystemRandom)
            .await
            .unwrap();
        assert!(stage.reaches("https://attic.example.com/api"));
        let regions = stage.seen.regions();
        let attic = regions.iter().find(|one| one.name == "attic").unwrap();
        assert_eq!(attic.title, "Attic", "it has no region");
        assert_eq!(attic.base_url, "https://attic.example.com");
    }

    #[tokio::test]
    async fn what_is_configured_is_reached_at_all_its_paths_and_directly() {
        let mut config = Config::default();
        config.explorer.relay = vec!["https://storage.example.com".to_owned()];
        let stage = Stage::of(&config, own()).await;
        assert!(stage.reaches("https://storage.example.com/any/path?at=all"));
        assert!(!stage.reaches("https://storage.example.com:8443/"));
        assert!(!stage.reaches("https://other.example.com/"));
        assert!(!stage.reaches("http://storage.example.com/"));
    }

    #[tokio::test]
    async fn names_of_the_real_system_are_told_where_they_lead_here() {
        let real = || {
            Face::of(
                hosts::GLOBAL,
                "https://sso.common.cloud.hpe.com/as/token.oauth2",
            )
        };
        let us1 = |stage: &Stage| {
            let regions = stage.seen.regions();
            let us1 = regions.iter().find(|one| one.name == "us1").unwrap();
            us1.base_url.clone()
        };
        let stage = Stage::of(&Config::default(), real()).await;
        assert_eq!(us1(&stage), "https://us1.data.cloud.hpe.com");
        assert!(stage.reaches(&stage.seen.token_url()));

        // Without the proxy the name would lead to the real system.
        let mut config = Config::default();
        config.listen.proxy = Socket::Off;
        let stage = Stage::of(&config, real()).await;
        assert_eq!(us1(&stage), "http://127.0.0.1:8083");
        assert_eq!(
            stage.seen.token_url(),
            "http://127.0.0.1:8080/as/token.oauth2"
        );
        assert!(!stage.reaches("https://us1.data.cloud.hpe.com/api/v1/volumes"));
        assert!(!stage.reaches("https://sso.common.cloud.hpe.com/as/token.oauth2"));
    }
}
