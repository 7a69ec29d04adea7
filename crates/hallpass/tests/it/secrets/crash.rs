//! What a crash prints: a panic's message is the one that nobody chose the words of, so no secret may
//! come out of whatever is formatted into it.

use std::process::Command;
use std::sync::Arc;

use hallpass_oauth::claims::AUDIENCE;
use hallpass_oauth::client_assertion::{ASSERTION_TYPE, ClientAssertion, LONGEST_LIFETIME};
use hallpass_oauth::client_authentication::{
    Authenticator, ClientAuthenticationMethods, RegisteredSecret, TwoCredentials, authenticate,
};
use hallpass_oauth::form::Form;
use hallpass_oauth::mint::{Issuing, mint};
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::{
    AccessToken, ApplicationInstanceId, AuthenticatedClient, ClientId, ClientRegistration,
    CustomerId, Grant, KeySpec, Pepper, PresentedCredential, Profile, Secret, SecretFormat,
    SigningKey, Subject, TokenId, TokenRequest, WorkspaceId,
};
use hallpass_store::MasterKey;
use jiff::{SignedDuration, Timestamp};

use super::planted::Planted;
use crate::world::run;

/// Set, for the process that is to crash, to the place where it writes down what it hides.
const CRASH: &str = "HALLPASS_TEST_CRASH";

/// This test, as the process that is to crash is asked for it.
const TEST: &str = "secrets::crash::a_crash_prints_no_secret";

const CLIENT: &str = "00cfff70-86ab-4f66-8245-1eb054639c38";
const ISSUER: &str = "https://sso.example.com";

/// The test starts itself once more, and there everything that holds a secret is formatted into the
/// message of a panic.
#[test]
fn a_crash_prints_no_secret() {
    if let Some(file) = std::env::var_os(CRASH) {
        let held = Held::new();
        std::fs::write(file, held.hidden().join("\n")).unwrap();
        panic!("{held:?} and, at length, {held:#?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hidden");
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", TEST, "--nocapture"]);
    again.env(CRASH, &file).env("RUST_BACKTRACE", "full");
    let crashed = run(&mut again);
    assert_ne!(crashed.code, Some(0));
    let said = crashed.stdout + &crashed.stderr;
    let hidden = std::fs::read_to_string(file).unwrap();
    let mut planted = Planted::default();
    for secret in hidden.lines() {
        planted.plant("a secret", secret);
    }
    assert_eq!(hidden.lines().count(), 9);
    for shown in [
        "panicked at",
        "AccessToken {",
        "PresentedCredential {",
        "MasterKey(",
        "SigningKey(",
        CLIENT,
    ] {
        assert!(said.contains(shown), "`{shown}` was not printed: {said}");
    }
    assert_eq!(planted.found_in(said.as_bytes()), [""; 0], "{said}");
}

/// Everything that a request on its way to a token holds.
#[derive(Debug)]
#[expect(
    dead_code,
    reason = "some of it is there to be printed and for nothing else"
)]
struct Held {
    secrets: [Secret; 2],
    pepper: Pepper,
    registration: Arc<ClientRegistration>,
    /// With a secret, and with an assertion.
    presented: [PresentedCredential; 2],
    assertion: Secret,
    authenticated: AuthenticatedClient<Arc<ClientRegistration>>,
    request: TokenRequest,
    grant: Grant,
    token: AccessToken,
    signing_keys: Vec<SigningKey>,
    master_key: MasterKey,
}

impl Held {
    fn new() -> Self {
        let (rng, now) = (&mut SystemRandom, Timestamp::UNIX_EPOCH);
        let secrets = [SecretFormat::Greenlake, SecretFormat::Prefixed]
            .map(|format| Secret::generate_as(format, rng));
        let pepper = Pepper::new([b'p'; 32]);
        let registration = Arc::new(registration(&secrets[0], &pepper));
        let signing_keys = [KeySpec::EcP256, KeySpec::Ed25519, KeySpec::default()]
            .map(|spec| SigningKey::generate(spec).unwrap());
        let (id, minute) = (&registration.client_id, SignedDuration::from_mins(1));
        let assertion = ClientAssertion::sign(id, ISSUER, &signing_keys[0], now, minute, rng);
        let assertion = assertion.unwrap();
        let (with_secret, request) = present("client_secret", secrets[0].expose());
        let kind = format!("{ASSERTION_TYPE}&client_assertion");
        let (with_assertion, _) = present(
            "client_assertion_type",
            &format!("{kind}={}", assertion.expose()),
        );
        let by = Authenticator {
            find: |_: &str| Some(registration.clone()),
            pepper: &pepper,
            audiences: &[ISSUER],
            longest_assertion: LONGEST_LIFETIME,
        };
        let authenticated = authenticate(&with_secret, &by, now).unwrap();
        let grant = Grant::authorize(&authenticated, &request, None).unwrap();
        let issuing = Issuing {
            issuer: ISSUER.parse().unwrap(),
            audience: AUDIENCE.parse().unwrap(),
            profile: Profile::Greenlake,
        };
        let token_id = TokenId::generate(1, rng);
        let token = mint(&grant, Some(&token_id), &issuing, &signing_keys[0], now);
        Self {
            secrets,
            pepper,
            registration,
            presented: [with_secret, with_assertion],
            assertion,
            authenticated,
            request,
            grant,
            token: token.unwrap(),
            signing_keys: signing_keys.into(),
            master_key: MasterKey::generate(rng),
        }
    }

    /// What must not be printed, as text. Numbers are shown as text would show them.
    fn hidden(&self) -> Vec<String> {
        let signature = |compact: &str| compact.rsplit_once('.').unwrap().1.to_owned();
        let mut hidden: Vec<String> = self
            .secrets
            .iter()
            .map(|secret| secret.expose().to_owned())
            .collect();
        hidden.extend([
            signature(self.token.expose()),
            signature(self.assertion.expose()),
            self.master_key.to_text().as_str().to_owned(),
            // The key of the secret digests, the way that a list of bytes is printed.
            "112, 112, 112, 112".to_owned(),
        ]);
        hidden.extend(self.signing_keys.iter().map(|key| {
            let der = key.to_pkcs8().unwrap();
            // Of a short one the number itself, of an RSA key a prime: both stand in the middle of
            // what is private.
            let at = if der.len() < 200 { 40 } else { der.len() / 2 };
            let bytes: Vec<String> = der[at..at + 8].iter().map(u8::to_string).collect();
            bytes.join(", ")
        }));
        hidden
    }
}

/// A form with such a credential, read.
fn present(name: &str, value: &str) -> (PresentedCredential, TokenRequest) {
    let body = format!("grant_type=client_credentials&client_id={CLIENT}&{name}={value}");
    let form = Form::parse(body.as_bytes()).unwrap();
    let presented = PresentedCredential::read([], &form, TwoCredentials::Refused);
    (presented.unwrap(), TokenRequest::from_form(&form).unwrap())
}

fn registration(secret: &Secret, pepper: &Pepper) -> ClientRegistration {
    ClientRegistration {
        client_id: ClientId::parse(CLIENT).unwrap(),
        secrets: vec![RegisteredSecret {
            id: "1".to_owned(),
            digest: pepper.digest(secret),
            expires_at: None,
        }],
        keys: None,
        methods: ClientAuthenticationMethods::default(),
        enabled: true,
        expires_at: None,
        generation: 1,
        subject: Subject::parse("user@example.com").unwrap(),
        workspace: WorkspaceId::parse("234d76c6e9d011ebb73082b212ad6fea").unwrap(),
        customer: CustomerId::parse("e8a4da2eefc311eba02cb603422bc0a0").unwrap(),
        instance: ApplicationInstanceId::parse("3c18bd03-8306-4c7c-942e-c704a4b8744c").unwrap(),
        token_lifetime: SignedDuration::from_hours(2),
        scopes: None,
        introspects: false,
    }
}
