//! Everything advertised works (audit statement 35): the metadata documents are read member by member
//! and used. A member that the walk does not know fails it, so that nothing is advertised untried.

use hallpass_authorization_server::{REVOCATION_PATH, TOKEN_PATH};
use hallpass_oauth::{ClientId, KeySpec, SigningKey};
use hallpass_store::credentials::IssuedCredential;
use serde_json::Value;

use crate::assertion::{good_claims, good_header, parameters, signed};
use crate::wire::Answer;
use crate::world::{FORM, ISSUER, Plan, World, basic_of, claims, header, pair_of};

const DOCUMENTS: [&str; 2] = [
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
];

/// A world and clients for every way to authenticate.
struct Walk {
    world: World,
    document: Value,
    keyed: Vec<(ClientId, SigningKey)>,
    assertions: std::cell::Cell<u32>,
}

impl Walk {
    async fn of(path: &str, change: impl FnOnce(&mut Plan)) -> Self {
        let world = World::with(change).await;
        let document = world.send("GET", path, &[], "").await.json();
        let mut keyed = Vec::new();
        for spec in [KeySpec::Rsa2048, KeySpec::EcP256, KeySpec::Ed25519] {
            let key = SigningKey::generate(spec).unwrap();
            let client = world.credential_of_keys(spec.as_str(), &[&key]).await;
            keyed.push((client, key));
        }
        Self {
            world,
            document,
            keyed,
            assertions: std::cell::Cell::new(0),
        }
    }

    /// The path of an advertised URL on this server.
    fn path(&self, name: &str) -> String {
        let url = self.document[name].as_str().unwrap();
        let path = url.strip_prefix(ISSUER);
        path.unwrap_or_else(|| panic!("{name} is not here: {url}"))
            .to_owned()
    }

    fn words(&self, name: &str) -> Vec<String> {
        let words = self.document[name].as_array().unwrap();
        let words = words.iter().map(|word| word.as_str().unwrap().to_owned());
        words.collect()
    }

    async fn post(&self, path: &str, authorization: Option<&str>, body: &str) -> Answer {
        let mut headers = vec![("Content-Type", FORM)];
        headers.extend(authorization.map(|value| ("Authorization", value)));
        self.world.ask("POST", path, &headers, body).await
    }

    /// An assertion, signed with the algorithm.
    fn assertion(&self, algorithm: &str) -> String {
        let of_algorithm =
            |(_, key): &&(ClientId, SigningKey)| key.algorithm().names().contains(&algorithm);
        let known = self.keyed.iter().find(of_algorithm);
        let (client, key) = known.unwrap_or_else(|| panic!("{algorithm} is not tried"));
        self.assertions.set(self.assertions.get() + 1);
        let jti = self.assertions.get().to_string();
        let mut claims = good_claims(client, self.world.now(), &jti);
        claims["aud"] = self.document["issuer"].clone();
        let mut header = good_header(key);
        header["alg"] = algorithm.into();
        parameters(&signed(&header, &claims, key))
    }

    /// Uses an endpoint with every method and algorithm it advertises.
    async fn try_methods(&self, endpoint: &str) {
        let path = self.path(&format!("{endpoint}_endpoint"));
        let body = match endpoint {
            "token" => "grant_type=client_credentials",
            _ => "token=x",
        };
        let credential: &IssuedCredential = &self.world.credential;
        for method in self.words(&format!("{endpoint}_endpoint_auth_methods_supported")) {
            let answer = match method.as_str() {
                "client_secret_basic" => self.post(&path, Some(&basic_of(credential)), body).await,
                "client_secret_post" => {
                    let body = format!("{body}&{}", pair_of(credential));
                    self.post(&path, None, &body).await
                }
                "private_key_jwt" => {
                    self.try_algorithms(endpoint, &path, body).await;
                    continue;
                }
                other => panic!("{other} is not tried"),
            };
            assert_eq!(answer.status, 200, "{method} at {path}");
        }
    }

    async fn try_algorithms(&self, endpoint: &str, path: &str, body: &str) {
        let name = format!("{endpoint}_endpoint_auth_signing_alg_values_supported");
        let algorithms = self.words(&name);
        assert!(!algorithms.is_empty());
        for algorithm in algorithms {
            let body = format!("{body}&{}", self.assertion(&algorithm));
            let answer = self.post(path, None, &body).await;
            assert_eq!(answer.status, 200, "{algorithm} at {path}");
        }
    }

    async fn try_grants(&self) {
        let world = &self.world;
        for grant in self.words("grant_types_supported") {
            // Token exchange is not among them: its endpoint is the tenant's own (domain facts, section
            // 2.7), which no member can name.
            assert_eq!(grant, "client_credentials");
            let answer = world
                .post(&self.path("token_endpoint"), &world.good_form())
                .await;
            assert!(world.is_active(&answer.token()).await, "{grant}");
        }
    }

    async fn try_keys(&self) {
        let answer = self
            .world
            .send("GET", &self.path("jwks_uri"), &[], "")
            .await;
        assert_eq!(answer.status, 200);
        let id = &header(&self.world.token().await)["kid"];
        let keys = answer.json();
        let mut keys = keys["keys"].as_array().unwrap().iter();
        assert!(keys.any(|key| key["kid"] == *id));
    }

    async fn try_everything(&self) {
        for name in self.document.as_object().unwrap().keys() {
            match name.as_str() {
                "issuer" => {
                    let token = self.world.token().await;
                    assert_eq!(claims(&token)["iss"], self.document["issuer"]);
                }
                "token_endpoint" => self.try_methods("token").await,
                "introspection_endpoint" => self.try_methods("introspection").await,
                "revocation_endpoint" => self.try_methods("revocation").await,
                "jwks_uri" => self.try_keys().await,
                "grant_types_supported" => self.try_grants().await,
                "response_types_supported" => assert!(self.words(name).is_empty()),
                // One name of a subject for every client.
                "subject_types_supported" => assert_eq!(self.words(name), ["public"]),
                "id_token_signing_alg_values_supported" => {
                    let token = self.world.token().await;
                    let algorithm = &header(&token)["alg"];
                    assert!(self.words(name).iter().any(|known| known == algorithm));
                }
                // Tried with their endpoints.
                other => assert!(
                    other.ends_with("_endpoint_auth_methods_supported")
                        || other.ends_with("_endpoint_auth_signing_alg_values_supported"),
                    "{other} is not tried"
                ),
            }
        }
    }
}

#[tokio::test]
async fn everything_advertised_works() {
    for path in DOCUMENTS {
        Walk::of(path, |_| ()).await.try_everything().await;
        Walk::of(path, Plan::rfc9068).await.try_everything().await;
    }
}

#[tokio::test]
async fn everything_advertised_works_for_an_issuer_with_a_path() {
    let path = "/.well-known/oauth-authorization-server/tenant";
    let walk = Walk::of(path, |plan| plan.issuer("https://sso.example.com/tenant")).await;
    assert_eq!(walk.document["issuer"], "https://sso.example.com/tenant");
    walk.try_everything().await;
}

/// The customary paths of the real system's server, with which its clients are configured.
#[tokio::test]
async fn the_endpoints_are_where_clients_look_for_them() {
    let walk = Walk::of(DOCUMENTS[0], |_| ()).await;
    assert_eq!(walk.path("token_endpoint"), TOKEN_PATH);
    assert_eq!(walk.path("introspection_endpoint"), "/as/introspect.oauth2");
    assert_eq!(walk.path("revocation_endpoint"), REVOCATION_PATH);
    assert_eq!(walk.path("jwks_uri"), "/.well-known/jwks.json");
}

/// What is not advertised is not there either.
#[tokio::test]
async fn nothing_else_is_offered() {
    let walk = Walk::of(DOCUMENTS[0], |_| ()).await;
    let pair = pair_of(&walk.world.credential);
    for grant in [
        "authorization_code",
        "refresh_token",
        "password",
        "implicit",
    ] {
        let body = format!("grant_type={grant}&{pair}");
        let answer = walk.world.form(&body).await;
        assert_eq!(answer.error(), "unsupported_grant_type", "{grant}");
    }
    for path in [
        "/as/authorization.oauth2",
        "/as/clients.oauth2",
        "/idp/userinfo.openid",
    ] {
        assert_eq!(
            walk.world.send("GET", path, &[], "").await.status,
            404,
            "{path}"
        );
    }
}
