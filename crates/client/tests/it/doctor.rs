//! What the doctor finds at servers that are not as they should be: step, verdict, and what to do.

use std::sync::Arc;

use hallpass_client::doctor::{Extent, Finding, Step, Verdict, examine};
use hallpass_client::{Cache, Client, Options, Profile, Proxies};
use hallpass_openapi::Definition;
use jiff::{SignedDuration, Timestamp};

use crate::network::Secure;
use crate::server::{World, credential};
use crate::tls::{HOST, Proxy};

const DEFINITION: &str = "openapi: 3.0.3\n\
    info: {title: Things, version: '1'}\n\
    paths:\n\
    \x20 /things:\n\
    \x20   get:\n\
    \x20     operationId: ThingsList\n\
    \x20     responses: {'200': {description: All}}\n";

/// This machine, with its clock so far ahead and this proxy in its environment.
struct Machine {
    ahead: SignedDuration,
    proxy: Option<String>,
}

impl Machine {
    fn new() -> Self {
        let ahead = SignedDuration::ZERO;
        Self { ahead, proxy: None }
    }

    fn ahead(seconds: i64) -> Self {
        let ahead = SignedDuration::from_secs(seconds);
        Self { ahead, proxy: None }
    }

    fn behind(proxy: &str) -> Self {
        let proxy = Some(proxy.to_owned());
        Self {
            proxy,
            ..Self::new()
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the servers tell the time of this machine"
    )]
    async fn examine(&self, profile: Profile) -> Vec<Finding> {
        let ahead = self.ahead;
        let clock = Arc::new(move || Timestamp::now() + ahead);
        let proxies = Proxies::from_environment(|name| {
            let proxy = self.proxy.clone();
            proxy.filter(|_| name == "HTTPS_PROXY")
        });
        let options = Options::new(Cache::None, clock).with_proxies(proxies);
        let client = Client::new(profile, credential(), &options).unwrap();
        let definition = Definition::read(DEFINITION).unwrap().definition;
        let mut found = Vec::new();
        let mut tell = |finding| found.push(finding);
        examine(&client, Some(&definition), Extent::default(), &mut tell).await;
        found
    }
}

fn verdicts(found: &[Finding]) -> Vec<(Step, Verdict)> {
    let each = found.iter();
    each.map(|finding| (finding.step, finding.verdict))
        .collect()
}

/// The only finding of a step, which must have ended so and say these words in message and hint.
#[track_caller]
fn only(found: &[Finding], step: Step, verdict: Verdict, message: &str, hint: &str) {
    let of_step: Vec<_> = found.iter().filter(|one| one.step == step).collect();
    let [one] = of_step.as_slice() else {
        panic!("{found:#?}");
    };
    assert_eq!(one.verdict, verdict, "{one:?}");
    assert!(one.message.contains(message), "`{message}`: {one:?}");
    let told = one.hint.clone().unwrap_or_default();
    assert!(told.contains(hint), "`{hint}`: {one:?}");
    assert_eq!(told.is_empty(), hint.is_empty(), "{one:?}");
}

/// The steps from the token on, where nothing is in the way.
#[track_caller]
fn works(found: &[Finding]) {
    for step in [
        Step::Credential,
        Step::Region,
        Step::Permission,
        Step::Definition,
    ] {
        let mut of_step = found.iter().filter(|one| one.step == step);
        let fine = of_step.next().is_some() && of_step.all(|one| one.verdict == Verdict::Fine);
        assert!(fine, "{step:?}: {found:#?}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_fails_the_connection_and_ends_the_way() {
    let secure = Secure::new(false).await;
    let found = Machine::new().examine(secure.at("localhost")).await;
    assert_eq!(
        verdicts(&found),
        [
            (Step::Names, Verdict::Fine),
            (Step::Connection, Verdict::Failed)
        ]
    );
    let hint = "name its file in the profile";
    only(
        &found,
        Step::Connection,
        Verdict::Failed,
        "cannot trust https://localhost",
        hint,
    );
    assert_eq!(secure.world.token_calls(), 0);

    let found = Machine::new().examine(secure.trusted("localhost")).await;
    let trusted = "its certificate is trusted";
    only(&found, Step::Connection, Verdict::Fine, trusted, "");
    works(&found);

    let insecure = secure.at("localhost").with_insecure(true);
    let found = Machine::new().examine(insecure).await;
    let unchecked = "its certificate is not checked";
    only(&found, Step::Connection, Verdict::Fine, unchecked, "");
}

#[tokio::test]
async fn behind_a_proxy_the_names_are_its_business_and_its_password_is_told_to_nobody() {
    let secure = Secure::new(false).await;
    let proxy = Proxy::start(Some("ann:planted")).await;
    let machine = Machine::behind(&format!("http://ann:planted@{}", proxy.address));
    let found = machine.examine(secure.trusted(HOST)).await;
    only(&found, Step::Names, Verdict::Note, &proxy.address, "");
    let through = format!("through the proxy http://{}", proxy.address);
    only(&found, Step::Connection, Verdict::Fine, &through, "");
    works(&found);

    let wrong = Machine::behind(&format!("http://ann:planted-wrong@{}", proxy.address));
    let refused = wrong.examine(secure.trusted(HOST)).await;
    only(
        &refused,
        Step::Connection,
        Verdict::Failed,
        &through,
        "HTTPS_PROXY",
    );
    assert_eq!(refused.len(), 2, "{refused:#?}");
    let told = format!("{found:?} {refused:?}");
    assert!(!told.contains("planted"), "{told}");

    // Without it the name means nothing, and nothing after that is tried.
    let found = Machine::new().examine(secure.trusted(HOST)).await;
    assert_eq!(verdicts(&found), [(Step::Names, Verdict::Failed)]);
    let hint = "is the name right";
    only(&found, Step::Names, Verdict::Failed, HOST, hint);
}

#[tokio::test]
async fn metadata_that_says_something_else_is_told_and_ends_nothing() {
    let own = |world: &World| format!("{}/token", world.address);
    let elsewhere = |_: &World| "https://other.example/token".to_owned();
    let document = |issuer: &str, token_url: &str, methods: &str| {
        format!(
            r#"{{"issuer":"{issuer}","token_endpoint":"{token_url}","response_types_supported":[],
                "token_endpoint_auth_methods_supported":[{methods}]}}"#
        )
    };
    let both = r#""client_secret_basic","client_secret_post""#;
    let world = World::quiet().await;
    let nothing = Machine::new().examine(world.profile()).await;
    let unsaid = "publishes nothing about itself";
    only(&nothing, Step::Metadata, Verdict::Note, unsaid, "");
    works(&nothing);

    let issuer = world.address.as_str();
    for (published, verdict, message, hint) in [
        (
            document(issuer, &own(&world), both),
            Verdict::Fine,
            "the same token URL",
            "",
        ),
        (
            document(issuer, &elsewhere(&world), both),
            Verdict::Note,
            "https://other.example/token",
            "--token-url",
        ),
        (
            document("https://other.example", &own(&world), both),
            Verdict::Warning,
            "cannot be believed",
            "whoever runs the authorization server",
        ),
        (
            "<html>Welcome</html>".to_owned(),
            Verdict::Warning,
            "cannot be believed",
            "whoever runs the authorization server",
        ),
    ] {
        world.publish(&published);
        let found = Machine::new().examine(world.profile()).await;
        only(&found, Step::Metadata, verdict, message, hint);
        works(&found);
    }

    world.publish(&document(issuer, &own(&world), r#""private_key_jwt""#));
    let found = Machine::new().examine(world.profile()).await;
    let warned = found.iter().find(|one| one.verdict == Verdict::Warning);
    let warned = warned.unwrap();
    assert_eq!(warned.step, Step::Metadata);
    assert!(
        warned.message.contains("the server offers private_key_jwt"),
        "{warned:?}"
    );
    let hint = warned.hint.as_deref().unwrap();
    assert!(hint.contains("--authentication"), "{hint}");
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_told_with_its_direction_and_ends_nothing() {
    let world = World::quiet().await;
    for (seconds, verdict, message, hint) in [
        (0, Verdict::Fine, "agree within 60 s", ""),
        (3600, Verdict::Warning, "s ahead of the server's", "NTP"),
        (-7200, Verdict::Warning, "s behind the server's", "NTP"),
    ] {
        let found = Machine::ahead(seconds).examine(world.profile()).await;
        only(&found, Step::Clock, verdict, message, hint);
        works(&found);
    }
}
