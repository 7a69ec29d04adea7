//! RFC 9068 section 4: what a resource server does with an access token of that profile. The tests sign
//! with the authorization server's own key, so that nothing but the rule refuses them; `tokens.rs` has the
//! same of the profile `greenlake`.
//!
//! Encrypted tokens are not offered, and the authentication information of the last paragraph concerns
//! people who sign in.

use hallpass_access::Role;
use hallpass_oauth::claims::Profile;
use hallpass_oauth::{KeySpec, SigningKey};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::tokens::{part, sign, sign_with};
use crate::world::World;

const TARGET: &str = "/api/v1/volumes";

/// A good token and its parts.
struct Good {
    world: World,
    header: Value,
    claims: Value,
}

impl Good {
    async fn new() -> Self {
        let world = World::new().await;
        let client = world.client("ann", Role::Observer).await;
        let token = world.mint_as(&client, Profile::Rfc9068).await;
        let (header, claims) = (part(&token, 0), part(&token, 1));
        assert_eq!(world.get(TARGET, &token).await.status, 200);
        Self {
            world,
            header,
            claims,
        }
    }

    fn with_type(&self, typ: Option<&str>) -> String {
        let mut header = self.header.clone();
        header.as_object_mut().unwrap().shift_remove("typ").unwrap();
        if let Some(typ) = typ {
            header["typ"] = json!(typ);
        }
        sign(&self.world, &header.to_string(), &self.claims.to_string())
    }

    /// With another value of a claim, or without it.
    fn with(&self, name: &str, value: Option<Value>) -> String {
        let mut claims = self.claims.clone();
        claims.as_object_mut().unwrap().shift_remove(name).unwrap();
        if let Some(value) = value {
            claims[name] = value;
        }
        sign(&self.world, &self.header.to_string(), &claims.to_string())
    }

    async fn is_taken(&self, token: &str) -> bool {
        let answer = self.world.get(TARGET, token).await;
        if answer.status != 401 {
            assert_eq!(answer.status, 200);
            return true;
        }
        // RFC 6750 section 3.1.
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
        false
    }
}

#[tokio::test]
async fn rfc9068_4_typ_is_required_and_at_jwt() {
    let good = Good::new().await;
    for typ in ["at+jwt", "application/at+jwt", "AT+JWT"] {
        assert!(good.is_taken(&good.with_type(Some(typ))).await, "{typ}");
    }
    for typ in [
        None,
        Some("JWT"),
        Some("id+jwt"),
        Some("at+jwt+x"),
        Some(""),
    ] {
        assert!(!good.is_taken(&good.with_type(typ)).await, "{typ:?}");
    }
}

#[tokio::test]
async fn rfc9068_4_iss_is_exactly_the_authorization_server() {
    let good = Good::new().await;
    let issuer = good.claims["iss"].as_str().unwrap();
    for other in [
        json!(format!("{issuer}/")),
        json!(issuer.to_ascii_uppercase()),
        json!("https://sso.example.org"),
        json!([issuer]),
    ] {
        let token = good.with("iss", Some(other.clone()));
        assert!(!good.is_taken(&token).await, "{other}");
    }
    assert!(!good.is_taken(&good.with("iss", None)).await);
}

#[tokio::test]
async fn rfc9068_4_aud_has_this_resource_server() {
    let good = Good::new().await;
    let audience = good.claims["aud"].clone();
    assert!(
        good.is_taken(&good.with("aud", Some(json!([audience]))))
            .await
    );
    let elsewhere = good.world.store.workspaces().find_instance("eu1").unwrap();
    let other = audience.as_str().unwrap().replace(
        good.world
            .store
            .workspaces()
            .find_instance("us1")
            .unwrap()
            .id
            .as_str(),
        elsewhere.id.as_str(),
    );
    assert_ne!(audience, other, "an audience names an instance");
    for other in [
        json!(other),
        json!("external_api"),
        json!(""),
        json!([]),
        json!(7),
    ] {
        let token = good.with("aud", Some(other.clone()));
        assert!(!good.is_taken(&token).await, "{other}");
    }
    assert!(!good.is_taken(&good.with("aud", None)).await);
}

#[tokio::test]
async fn rfc9068_4_the_signature_is_of_a_published_key_and_never_none() {
    let good = Good::new().await;
    let (header, claims) = (good.header.to_string(), good.claims.to_string());
    let stranger = SigningKey::generate(KeySpec::Rsa2048).unwrap();
    assert!(!good.is_taken(&sign_with(&stranger, &header, &claims)).await);
    let token = sign(&good.world, &header, &claims);
    let (input, signature) = token.rsplit_once('.').unwrap();
    assert!(!good.is_taken(&format!("{input}.")).await);
    let mut unsigned = good.header.clone();
    unsigned["alg"] = json!("none");
    let unsigned = sign(&good.world, &unsigned.to_string(), &claims);
    let (unsigned, _) = unsigned.rsplit_once('.').unwrap();
    for wrong in [format!("{unsigned}."), format!("{unsigned}.{signature}")] {
        assert!(!good.is_taken(&wrong).await);
    }
    assert!(good.is_taken(&token).await);
}

/// "The current time MUST be before the time represented by the exp claim", with the small leeway that
/// section 4 allows.
#[tokio::test]
async fn rfc9068_4_exp_is_required_and_not_past() {
    let good = Good::new().await;
    let now = good.world.now().as_second();
    for (exp, taken) in [(now + 1, true), (now, false), (now - 1, false), (0, false)] {
        let token = good.with("exp", Some(json!(exp)));
        assert_eq!(good.is_taken(&token).await, taken, "{}", exp - now);
    }
    assert!(!good.is_taken(&good.with("exp", None)).await);
    let as_text = good.claims["exp"].to_string();
    assert!(!good.is_taken(&good.with("exp", Some(json!(as_text)))).await);
    let whole = good.with("exp", Some(good.claims["exp"].clone()));
    assert!(good.is_taken(&whole).await);
    good.world.wait(SignedDuration::from_hours(3));
    assert!(!good.is_taken(&whole).await);
    // A tenth of its lifetime, and no more than 30 seconds.
    for (lifetime, leeway) in [(100, 10), (400, 30)] {
        let good = Good::new().await;
        let end = good.world.now().as_second() + lifetime;
        let token = good.with("exp", Some(json!(end)));
        let wait = |seconds| good.world.wait(SignedDuration::from_secs(seconds));
        wait(lifetime + leeway - 1);
        assert!(good.is_taken(&token).await, "{lifetime}");
        wait(1);
        assert!(!good.is_taken(&token).await, "{lifetime}");
    }
}
