//! Steps of the hunt at the authorization server: every way in which a secret, a key or a token
//! comes to it, with what is good and with what is refused.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hallpass_oauth::client_assertion::{ASSERTION_TYPE, ClientAssertion};
use hallpass_oauth::key::KeySpec;
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::{ClientId, JwkSet, SigningKey};
use jiff::{SignedDuration, Timestamp};

use super::{Hunt, WRONG};
use crate::http::{Reply, form_request, get, get_with, post_form, try_send};
use crate::world::{ANN, Credential, run_with_input, text};

const GRANT: &str = "grant_type=client_credentials";
const INTROSPECT: &str = "/as/introspect.oauth2";
const REVOKE: &str = "/as/revoke_token.oauth2";

impl Hunt {
    /// A private key comes in as PEM, over the socket of administration.
    pub(super) fn a_private_key_is_imported(&mut self) {
        let key = SigningKey::generate(KeySpec::EcP256).unwrap();
        let der = key.to_pkcs8().unwrap();
        // RFC 5915 section 3: version 1, then the number itself in 32 bytes.
        let before = [2, 1, 1, 4, 32];
        let at = der.windows(5).position(|bytes| bytes == before).unwrap() + 5;
        let number = &der[at..at + 32];
        self.planted.plant("private key as bytes", number);
        let encoded = URL_SAFE_NO_PAD.encode(number);
        self.planted.plant("private key as in a JWK", encoded);
        let encoded = STANDARD.encode(der.as_slice());
        let lines: Vec<&str> = encoded
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        self.planted.plant("first line of PEM", lines[0]);
        self.planted.plant("second line of PEM", lines[1]);
        let armour = |kind: &str| {
            let body = lines.join("\n");
            format!("-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\n")
        };
        let data = self.world.data();
        let import = ["admin", "--data", text(&data), "key", "import", "-"];
        let mut import = |input: &str| {
            let done = run_with_input(&mut self.world.command(&import), input);
            self.said += &done.stdout;
            self.said += &done.stderr;
            done.code
        };
        assert_eq!(import(&armour("CERTIFICATE")), Some(1));
        assert_eq!(import(&armour("PRIVATE KEY")), Some(0));
        // It was imported before.
        assert_eq!(import(&armour("PRIVATE KEY")), Some(1));
    }

    /// A client that signs (RFC 7523).
    pub(super) fn a_client_signs_assertions(&mut self) {
        let key = SigningKey::generate(KeySpec::EcP256).unwrap();
        let jwks = JwkSet::new([key.public_key().unwrap()]).to_json();
        let file = self.world.path("jwks.json");
        std::fs::write(&file, jwks).unwrap();
        let create = ["credential", "create", "--owner", ANN, "--instance", "us1"];
        let rest = ["--name", "signed", "--jwks", text(&file)];
        let made = self.world.admin(&[&create[..], &rest].concat());
        let id = ClientId::parse(made["clientId"].as_str().unwrap()).unwrap();
        let issuer = self.server.addresses["authorizationServer"].as_str();
        let issuer = issuer.unwrap().to_owned();
        let mut sign = |name, audience: &str| {
            let minute = SignedDuration::from_mins(1);
            let rng = &mut SystemRandom;
            let signed = ClientAssertion::sign(&id, audience, &key, now(), minute, rng).unwrap();
            self.planted.plant_signed(name, signed.expose());
            signed.expose().to_owned()
        };
        let good = sign("client assertion", &issuer);
        let astray = sign("client assertion for another", "https://other.example");
        let url = self.server.token_url().to_owned();
        let present = |assertion: &str| {
            let kind = format!("client_assertion_type={ASSERTION_TYPE}");
            let form = format!("{GRANT}&{kind}&client_assertion={assertion}");
            self.heard(post_form(&url, &form))
        };
        let token = present(&good).is(200).json();
        present(&good).is(401);
        present(&astray).is(401);
        present(&format!("{good}x")).is(401);
        let in_query = format!("{url}?client_assertion={good}");
        self.heard(post_form(&in_query, GRANT)).is(400);
        let token = token["access_token"].as_str().unwrap().to_owned();
        self.planted.plant_signed("token for an assertion", &token);
    }

    /// Two secrets, one beside the other, and then one less.
    pub(super) fn a_second_secret_comes(&mut self) {
        let first = self.credential("eu1", "secret that gets a second");
        let rotate = ["credential", "rotate", &first.client_id, "--overlap", "7d"];
        let rotated = self.world.admin(&rotate);
        let second = Credential::read(&rotated);
        self.planted.plant("second secret", &second.client_secret);
        self.token(&first, "token of the first of two");
        self.token(&second, "token of the second of two");
        let remove = ["credential", "remove-secret", &first.client_id];
        let old = rotated["oldSecretId"].as_str().unwrap();
        self.world.admin(&[&remove[..], &[old]].concat());
        let form = format!("{GRANT}&{}", pair(&first));
        self.heard(post_form(self.server.token_url(), &form))
            .is(401);
        // Both ways to authenticate at once (RFC 6749 section 2.3), which do not agree.
        let both = form_request(self.server.token_url(), &form);
        let both = both.basic_auth(&second.client_id, Some(&second.client_secret));
        assert!(self.heard(try_send(both).unwrap()).status >= 400);
        let wrong = form_request(self.server.token_url(), GRANT);
        let wrong = wrong.basic_auth(&second.client_secret, Some(&second.client_id));
        self.heard(try_send(wrong).unwrap()).is(401);
    }

    /// A token for a managed workspace (RFC 8693), got for a token that is one too.
    pub(super) fn a_token_is_exchanged(&mut self, token: &str) {
        let create = ["workspace", "create", "Tenant", "--managed-by"];
        let main = self.world.admin(&["workspace", "list"]);
        let main = main["items"][0]["workspaceId"].as_str().unwrap();
        let tenant = self.world.admin(&[&create[..], &[main]].concat());
        let tenant = tenant["workspaceId"].as_str().unwrap();
        let exchange = |workspace: &str, token: &str| {
            let path = format!("/authorization/v2/oauth2/{workspace}/token");
            let form = format!(
                "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token={token}\
                 &subject_token_type=urn:ietf:params:oauth:token-type:access_token"
            );
            let url = format!("{}{path}", self.server.base());
            self.heard(post_form(&url, &form))
        };
        exchange(main, token).is(400);
        exchange(tenant, &format!("{token}x")).is(400);
        assert!(exchange(token, token).status >= 400);
        let got = exchange(tenant, token).is(200).json();
        let got = got["access_token"].as_str().unwrap().to_owned();
        exchange(tenant, &got).is(400);
        self.planted.plant_signed("token got by exchange", &got);
        let us1 = self.server.us1("/api/v1/storage-systems");
        self.heard(get_with(&us1, &format!("{got}x"))).is(401);
    }

    /// A token is shown to the endpoints that are there for it (RFC 7662, RFC 7009).
    pub(super) fn a_token_is_asked_about_and_revoked(&mut self) {
        let owner = self.credential("jp1", "secret of a client that revokes");
        let token = self.token(&owner, "token that is revoked");
        let about = |path: &str, by: &str, more: &str| -> Reply {
            let form = format!("{by}&token={token}{more}");
            let url = format!("{}{path}", self.server.base());
            self.heard(post_form(&url, &form))
        };
        let good = pair(&owner);
        let wrong = format!("client_id={}&client_secret={WRONG}", owner.client_id);
        for path in [INTROSPECT, REVOKE] {
            about(path, &wrong, "").is(401);
            about(path, "client_id=nobody", "").is(401);
            about(path, &good, &format!("&token={token}")).is(400);
            about(path, &good, &format!("&{token}=1&{token}=2"));
            let url = format!("{}{path}?token={token}", self.server.base());
            assert!(self.heard(post_form(&url, &good)).status >= 400);
            assert!(self.heard(get(&url)).status >= 400);
        }
        let jp1 = self.server.addresses["instances"]["jp1"].as_str().unwrap();
        let systems = format!("{jp1}/api/v1/storage-systems");
        // One of the tries above may have ended it.
        let token = self.token(&owner, "token that is revoked at last");
        let about = |path: &str| {
            let form = format!("{good}&token={token}");
            self.heard(post_form(&format!("{}{path}", self.server.base()), &form))
        };
        assert_eq!(about(INTROSPECT).is(200).json()["active"], true);
        self.heard(get_with(&systems, &token)).is(200);
        about(REVOKE).is(200);
        assert_eq!(about(INTROSPECT).is(200).json()["active"], false);
        self.heard(get_with(&systems, &token)).is(401);
    }
}

fn pair(credential: &Credential) -> String {
    let (id, secret) = (&credential.client_id, &credential.client_secret);
    format!("client_id={id}&client_secret={secret}")
}

#[expect(
    clippy::disallowed_methods,
    reason = "the server that is asked has no other clock"
)]
fn now() -> Timestamp {
    Timestamp::now()
}
