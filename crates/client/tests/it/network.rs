//! The ways out, for token requests and API calls alike: proxies, private certificate authorities,
//! client certificates, both versions of IP.

use std::sync::Arc;

use hallpass_client::address::{BaseUrl, TokenUrl};
use hallpass_client::{
    Client, Error, Event, Kind, Options, Profile, ProfileName, Profiles, Proxies, TokenFailure,
    TransportError,
};
use hallpass_oauth::ClientId;

use crate::server::{CLIENT_ID, Events, World, credential, get};
use crate::tls::{Authority, HOST, Proxy};

/// A world behind TLS.
pub(crate) struct Secure {
    pub(crate) world: Arc<World>,
    authority: Authority,
    port: u16,
}

impl Secure {
    pub(crate) async fn new(wants_certificate: bool) -> Self {
        let (world, authority) = (World::quiet().await, Authority::new());
        let port = authority.serve(&world.address, wants_certificate).await;
        Self {
            world,
            authority,
            port,
        }
    }

    pub(crate) fn at(&self, host: &str) -> Profile {
        let address = format!("https://{host}:{}", self.port);
        Profile::new(
            ProfileName::parse("test").unwrap(),
            TokenUrl::parse(&format!("{address}/token")).unwrap(),
            BaseUrl::parse(&address).unwrap(),
            ClientId::parse(CLIENT_ID).unwrap(),
        )
    }

    /// The same with the authority trusted.
    pub(crate) fn trusted(&self, host: &str) -> Profile {
        self.at(host).with_ca_file(Some(self.authority.file()))
    }

    /// A profile with a setting that only a file of profiles can have.
    fn written(&self, host: &str, settings: &str) -> Profile {
        let file = format!(
            "[profiles.test]\ntoken_url = \"https://{host}:{0}/token\"\n\
             base_url = \"https://{host}:{0}\"\nclient_id = \"{CLIENT_ID}\"\nca_file = \"ca.pem\"\n{settings}\n",
            self.port
        );
        let folder = self.authority.folder();
        std::fs::write(folder.join("profiles.toml"), file).unwrap();
        let profiles = Profiles::load(folder).unwrap();
        profiles.select(Some("test")).unwrap().clone()
    }

    fn options(&self, variables: &[(&str, &str)]) -> (Options, Events) {
        let (options, events) = self.world.options(None);
        let proxies = Proxies::from_environment(|wanted| {
            let found = variables.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| (*value).to_owned())
        });
        (options.with_proxies(proxies), events)
    }

    async fn send(&self, profile: Profile, variables: &[(&str, &str)]) -> Result<u16, Error> {
        let (options, _) = self.options(variables);
        let client = Client::new(profile, credential(), &options)?;
        let answer = client.send(&get("/x")).await?;
        Ok(answer.status().as_u16())
    }
}

fn transport(error: Error) -> TransportError {
    match error {
        Error::Token(TokenFailure::Transport(error)) | Error::Transport(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn token_and_call_go_through_the_proxy_and_its_password_is_told_to_nobody() {
    let secure = Secure::new(false).await;
    let proxy = Proxy::start(Some("ann:pl@nted")).await;
    let address = format!("http://ann:pl%40nted@{}", proxy.address);
    let (options, events) = secure.options(&[("HTTPS_PROXY", &address)]);
    let client = Client::new(secure.trusted(HOST), credential(), &options).unwrap();
    assert_eq!(client.send(&get("/x")).await.unwrap().status(), 200);
    assert_eq!(
        (secure.world.token_calls(), secure.world.calls().len()),
        (1, 1)
    );
    let through = format!("{HOST}:{}", secure.port);
    assert!(!proxy.asked().is_empty());
    assert!(proxy.asked().iter().all(|asked| *asked == through));
    let told = format!("{:?} {:?}", events.all(), options.proxies);
    assert!(!told.contains("nted"), "{told}");
}

#[tokio::test]
async fn a_proxy_that_refuses_or_is_not_there_is_named_without_its_password() {
    let secure = Secure::new(false).await;
    let proxy = Proxy::start(Some("ann:right")).await;
    let wrong = format!("http://ann:planted@{}", proxy.address);
    let gone = Proxy::start(None)
        .await
        .address
        .replace("127.0.0.1", "127.0.0.2");
    let absent = format!("http://ann:planted@{gone}");
    for variable in [&wrong, &absent] {
        let sent = secure
            .send(secure.trusted(HOST), &[("https_proxy", variable)])
            .await;
        let error = transport(sent.unwrap_err());
        assert!(matches!(error, TransportError::Proxy { .. }), "{error:?}");
        assert!(error.hint().contains("HTTPS_PROXY"));
        assert_eq!(error.kind(), Kind::Unreachable);
        let told = format!("{error} {error:?}");
        let host = variable.rsplit_once('@').unwrap().1;
        assert!(told.contains(host) && !told.contains("planted"), "{told}");
    }
    assert_eq!(secure.world.token_calls(), 0);
}

#[tokio::test]
async fn a_proxy_address_that_is_none_is_told_with_the_name_of_its_variable() {
    let secure = Secure::new(false).await;
    let variables = [("HTTPS_PROXY", "socks5://ann:planted@p:1")];
    let error = secure
        .send(secure.trusted(HOST), &variables)
        .await
        .unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(
        told.contains("HTTPS_PROXY") && !told.contains("planted"),
        "{told}"
    );
    assert_eq!(error.kind(), Kind::Usage);
    // This machine is reached without it.
    let sent = secure.send(secure.trusted("localhost"), &variables).await;
    assert_eq!(sent.unwrap(), 200);
}

#[tokio::test]
async fn what_no_proxy_names_is_reached_past_the_proxy() {
    let secure = Secure::new(false).await;
    let proxy = Proxy::start(None).await;
    let variables = [
        ("ALL_PROXY", proxy.address.as_str()),
        ("no_proxy", ".hallpass.test"),
    ];
    let error = secure
        .send(secure.trusted(HOST), &variables)
        .await
        .unwrap_err();
    assert!(
        matches!(transport(error), TransportError::Unreachable { .. }),
        "no resolver knows it"
    );
    assert_eq!(proxy.asked(), [""; 0]);
}

#[tokio::test]
async fn the_profiles_proxy_is_used_in_place_of_the_environments() {
    let secure = Secure::new(false).await;
    let (proxy, other) = (Proxy::start(None).await, Proxy::start(None).await);
    let own = format!("proxy = \"http://{}\"", proxy.address);
    let variables = [("HTTPS_PROXY", other.address.as_str())];
    let sent = secure.send(secure.written(HOST, &own), &variables).await;
    assert_eq!(sent.unwrap(), 200);
    assert!(!proxy.asked().is_empty());
    let sent = secure
        .send(secure.written(HOST, "proxy = \"none\""), &variables)
        .await;
    assert!(matches!(
        transport(sent.unwrap_err()),
        TransportError::Unreachable { .. }
    ));
    assert_eq!(other.asked(), [""; 0]);
}

#[tokio::test]
async fn a_private_authority_is_believed_when_it_is_named_and_only_then() {
    let secure = Secure::new(false).await;
    assert_eq!(
        secure.send(secure.trusted("localhost"), &[]).await.unwrap(),
        200
    );
    let error = transport(secure.send(secure.at("localhost"), &[]).await.unwrap_err());
    assert!(
        matches!(error, TransportError::Certificate { .. }),
        "{error:?}"
    );
    assert!(error.hint().contains("private certificate authority"));
    // A certificate for another name is as good as none.
    let proxy = Proxy::start(None).await;
    let variables = [("HTTPS_PROXY", proxy.address.as_str())];
    let other = secure.trusted("other.hallpass.test");
    let error = transport(secure.send(other, &variables).await.unwrap_err());
    assert!(
        matches!(error, TransportError::Certificate { .. }),
        "{error:?}"
    );
    assert_eq!(secure.world.token_calls(), 1);
}

#[tokio::test]
async fn insecure_believes_every_server_and_says_so_each_time() {
    let secure = Secure::new(false).await;
    for _ in 0..2 {
        let (options, events) = secure.options(&[]);
        let profile = secure.at("localhost").with_insecure(true);
        let client = Client::new(profile, credential(), &options).unwrap();
        for _ in 0..3 {
            assert_eq!(client.send(&get("/x")).await.unwrap().status(), 200);
        }
        let warned = events.count(|event| *event == Event::ServerNotChecked);
        assert_eq!((warned, Event::ServerNotChecked.is_warning()), (1, true));
    }
}

#[tokio::test]
async fn a_server_that_wants_a_client_certificate_gets_the_profiles() {
    let secure = Secure::new(true).await;
    let error = transport(
        secure
            .send(secure.trusted("localhost"), &[])
            .await
            .unwrap_err(),
    );
    assert!(error.to_string().contains("client certificate"), "{error}");
    secure.authority.client_files();
    let own = "client_certificate = \"own.pem\"\nclient_key = \"own.key\"";
    let sent = secure.send(secure.written("localhost", own), &[]).await;
    assert_eq!(sent.unwrap(), 200);
    assert_eq!(
        (secure.world.token_calls(), secure.world.calls().len()),
        (1, 1)
    );
    for (settings, named) in [
        (
            "client_certificate = \"ca.pem\"\nclient_key = \"absent.key\"",
            "absent.key",
        ),
        (
            "client_certificate = \"own.pem\"\nclient_key = \"ca.pem\"",
            "own.pem",
        ),
    ] {
        let error = secure
            .send(secure.written("localhost", settings), &[])
            .await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[tokio::test]
async fn a_name_with_two_addresses_is_reached_at_the_one_that_answers() {
    // localhost is ::1 and 127.0.0.1; the server listens at the second only.
    let world = World::quiet().await;
    let port = world.address.rsplit_once(':').unwrap().1;
    let address = format!("http://localhost:{port}");
    let (options, _) = world.options(None);
    let profile = Profile::new(
        ProfileName::parse("test").unwrap(),
        TokenUrl::parse(&format!("{address}/token")).unwrap(),
        BaseUrl::parse(&address).unwrap(),
        ClientId::parse(CLIENT_ID).unwrap(),
    );
    let client = Client::new(profile, credential(), &options).unwrap();
    assert_eq!(client.send(&get("/x")).await.unwrap().status(), 200);
}
