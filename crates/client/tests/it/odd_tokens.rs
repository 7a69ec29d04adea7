//! A deliberately odd token server: what the client makes of every answer that real servers give.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hallpass_client::profile::{Authentication, PrivateKey};
use hallpass_client::{Client, CredentialSource, Error, Event, Kind, TokenFailure};
use hallpass_oauth::token_request::AuthenticationMethod;
use hallpass_oauth::{KeySpec, Secret, SigningKey};
use jiff::SignedDuration;

use crate::server::{World, credential, get};

/// One answer of the token endpoint, and what comes of it.
struct Odd {
    world: std::sync::Arc<World>,
    sent: Result<u16, Error>,
    events: Vec<Event>,
}

async fn odd(status: u16, headers: &[(&'static str, &str)], body: &str) -> Odd {
    let world = World::quiet().await;
    // The API takes this one.
    world.supersede();
    world.next_token_answer(status, headers, body);
    let (client, events) = world.client(None);
    let sent = client.send(&get("/x")).await;
    let sent = sent.map(|response| response.status().as_u16());
    Odd {
        sent,
        events: events.all(),
        world,
    }
}

impl Odd {
    #[track_caller]
    fn refused(self, said: &[&str]) -> TokenFailure {
        assert_eq!(
            self.world.calls().len(),
            0,
            "the API was called without a token"
        );
        let Err(Error::Token(failure)) = self.sent else {
            panic!("{:?}", self.sent);
        };
        let text = format!("{failure} {}", failure.hint().unwrap_or_default());
        for word in said {
            assert!(text.contains(word), "`{word}` is not in: {text}");
        }
        assert_eq!(failure.kind(), Kind::Authentication);
        failure
    }

    /// How long the token is believed to live, in seconds.
    #[track_caller]
    fn lives(&self) -> i64 {
        assert_eq!(self.sent.as_ref().ok(), Some(&200));
        let life = |event: &Event| match event {
            Event::TokenReceived { expires_at, .. } => Some(*expires_at),
            _ => None,
        };
        let expires_at = self.events.iter().find_map(life).unwrap();
        expires_at.duration_since(self.world.now()).as_secs()
    }
}

fn answer(rest: &str) -> String {
    format!(r#"{{"access_token":"token-1"{rest}}}"#)
}

#[tokio::test]
async fn basic_is_form_encoded_unless_the_profile_says_otherwise() {
    let secret = ":/+%&é";
    for (authentication, sent) in [
        (Authentication::Basic, "%3A%2F%2B%25%26%C3%A9"),
        (Authentication::BasicUnencoded, secret),
    ] {
        let world = World::quiet().await;
        let (options, _) = world.options(None);
        let profile = world.profile().with_authentication(authentication);
        let source = CredentialSource::Given(Secret::from(secret.to_owned()));
        let id = profile.client_id().to_string();
        let client = Client::new(profile, source, &options).unwrap();
        client.send(&get("/x")).await.unwrap();
        let request = world.token_requests().remove(0);
        let header = request.headers["authorization"]
            .to_str()
            .unwrap()
            .to_owned();
        let pair = STANDARD
            .decode(header.strip_prefix("Basic ").unwrap())
            .unwrap();
        assert_eq!(String::from_utf8(pair).unwrap(), format!("{id}:{sent}"));
        assert_eq!(
            request.body, b"grant_type=client_credentials",
            "the credential is in one place"
        );
    }
}

#[tokio::test]
async fn expires_in_is_a_number_the_text_of_one_or_a_fraction() {
    for (written, seconds) in [
        ("7199", 7199),
        (r#""3600""#, 3600),
        (r#"" 60 ""#, 60),
        ("59.9", 59),
        (r#""59.9""#, 59),
        ("31536000", 31_536_000),
    ] {
        let odd = odd(200, &[], &answer(&format!(r#","expires_in":{written}"#))).await;
        assert_eq!(odd.lives(), seconds, "{written}");
    }
}

#[tokio::test]
async fn a_negative_or_absurd_expires_in_is_refused() {
    for written in [
        "-1", "1e12", r#""-5""#, r#""NaN""#, r#""inf""#, "true", "{}",
    ] {
        odd(200, &[], &answer(&format!(r#","expires_in":{written}"#)))
            .await
            .refused(&["expires_in"]);
    }
}

#[tokio::test]
async fn without_expires_in_the_tokens_own_end_counts_and_else_five_minutes() {
    for rest in ["", r#","expires_in":null"#] {
        assert_eq!(odd(200, &[], &answer(rest)).await.lives(), 300);
    }
    let jwt = |exp: i64| {
        let claims = URL_SAFE_NO_PAD.encode(format!(r#"{{"exp":{exp}}}"#));
        format!(r#"{{"access_token":"e30.{claims}.x","token_type":"Bearer"}}"#)
    };
    for (exp, seconds) in [(1_700_001_000, 1000), (99_999_999_999, 300)] {
        let world = World::quiet().await;
        world.next_token_answer(200, &[], &jwt(exp));
        let (client, _) = world.client(None);
        let token = client.tokens().token().await.unwrap();
        let life = token.expires_at().duration_since(world.now());
        assert_eq!(life, SignedDuration::from_secs(seconds), "never for ever");
    }
}

#[tokio::test]
async fn token_type_is_compared_without_case_and_always_sent_as_bearer() {
    for kind in ["Bearer", "bearer", "BEARER"] {
        let odd = odd(200, &[], &answer(&format!(r#","token_type":"{kind}""#))).await;
        odd.lives();
        let call = odd.world.calls().remove(0);
        assert_eq!(call.headers["authorization"], "Bearer token-1");
        assert!(
            !odd.events.iter().any(Event::is_warning),
            "{:?}",
            odd.events
        );
    }
}

#[tokio::test]
async fn a_missing_token_type_is_taken_for_bearer_with_a_warning() {
    let odd = odd(200, &[], &answer("")).await;
    odd.lives();
    assert!(odd.events.contains(&Event::TokenTypeMissing));
    assert!(Event::TokenTypeMissing.is_warning());
}

#[tokio::test]
async fn a_token_type_that_we_cannot_do_is_refused_by_name() {
    for kind in ["DPoP", "mac", "N_A"] {
        odd(200, &[], &answer(&format!(r#","token_type":"{kind}""#)))
            .await
            .refused(&[kind, "Bearer"]);
    }
}

#[tokio::test]
async fn html_with_502_is_told_with_status_type_and_first_line() {
    let html = [("content-type", "text/html")];
    odd(502, &html, "\n<h1>Bad Gateway</h1>\n<p>nginx</p>")
        .await
        .refused(&["502", "text/html", "<h1>Bad Gateway</h1>"]);
}

#[tokio::test]
async fn html_with_200_is_no_token() {
    let html = [("content-type", "text/html; charset=utf-8")];
    odd(200, &html, "<html>Sign in</html>")
        .await
        .refused(&["200", "text/html", "no JSON"]);
}

#[tokio::test]
async fn an_oauth_error_with_200_is_an_error() {
    let body = r#"{"error":"invalid_client","error_description":"Unknown client"}"#;
    odd(200, &[], body)
        .await
        .refused(&["invalid_client", "Unknown client", "secret"]);
    let both = r#"{"access_token":"token-1","error":"invalid_scope"}"#;
    odd(200, &[], both).await.refused(&["invalid_scope"]);
}

#[tokio::test]
async fn no_redirect_is_followed_wherever_it_leads() {
    let thief = World::quiet().await;
    for authentication in [AuthenticationMethod::Body, AuthenticationMethod::Basic] {
        for status in [301, 302, 303, 307, 308] {
            let world = World::quiet().await;
            for to in [
                format!("{}/token", thief.address),
                format!("{}/other", world.address),
                "/relative".to_owned(),
            ] {
                world.next_token_answer(status, &[("location", &to)], &answer(""));
                let (options, _) = world.options(None);
                let profile = world.profile().with_authentication(authentication);
                let client = Client::new(profile, credential(), &options).unwrap();
                let error = client.send(&get("/x")).await.unwrap_err();
                assert!(
                    matches!(error, Error::Token(TokenFailure::Redirected { .. })),
                    "{error:?}"
                );
            }
            assert_eq!((world.token_calls(), world.calls().len()), (3, 0));
        }
    }
    assert_eq!((thief.token_calls(), thief.calls().len()), (0, 0));
}

#[tokio::test]
async fn a_429_or_503_is_asked_again_when_it_says_in_seconds_or_by_a_date() {
    for status in [429, 503] {
        // The world's clock says Tue, 14 Nov 2023 22:13:20 GMT.
        for when in ["0", "Tue, 14 Nov 2023 22:13:19 GMT"] {
            let odd = odd(status, &[("retry-after", when)], "slow down").await;
            assert_eq!(odd.sent.ok(), Some(200));
            assert_eq!(odd.world.token_calls(), 2);
        }
        let far = [("retry-after", "Tue, 14 Nov 2023 22:14:20 GMT")];
        let failure = odd(status, &far, "").await.refused(&["60 s", "later"]);
        assert!(failure.to_string().contains(&status.to_string()));
    }
}

#[tokio::test]
async fn a_form_encoded_answer_is_refused_with_its_content_type() {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let failure = odd(200, &form, "access_token=token-1&token_type=bearer")
        .await
        .refused(&["application/x-www-form-urlencoded"]);
    assert!(!format!("{failure:?}").contains("token-1"));
}

#[tokio::test]
async fn more_than_64_kilobytes_are_not_read() {
    let huge = answer(&format!(r#","x":"{}""#, "x".repeat(64 * 1024)));
    odd(200, &[], &huge)
        .await
        .refused(&["65536 bytes", "token URL"]);
}

#[tokio::test]
async fn a_narrower_scope_is_reported_and_a_wider_one_is_not() {
    for (granted, reported) in [
        (r#","scope":"read""#, true),
        (r#","scope":["read"]"#, true),
        (r#","scope":"""#, true),
        (r#","scope":"write read more""#, false),
        ("", false),
    ] {
        let world = World::quiet().await;
        world.next_token_answer(
            200,
            &[],
            &answer(&format!(r#","token_type":"Bearer"{granted}"#)),
        );
        let (options, events) = world.options(None);
        let profile = world.profile().with_scope(Some("read write"));
        let client = Client::new(profile, credential(), &options).unwrap();
        client.tokens().token().await.unwrap();
        let warned = events.count(|event| matches!(event, Event::ScopeNarrowed { .. }));
        assert_eq!(warned, usize::from(reported), "{granted}");
        assert_eq!(events.count(Event::is_warning), warned);
    }
}

#[tokio::test]
async fn a_refresh_token_is_ignored_and_kept_nowhere() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    let body = answer(r#","token_type":"Bearer","refresh_token":"planted","expires_in":60"#);
    world.next_token_answer(200, &[], &body);
    let (client, events) = world.client_that_ends(cache.path());
    client.tokens().token().await.unwrap();
    for file in std::fs::read_dir(cache.path()).unwrap() {
        let content = std::fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(!content.contains("planted"));
    }
    assert!(!format!("{:?}", events.all()).contains("planted"));
    world.pass(60);
    client.tokens().token().await.unwrap();
    let bodies = world
        .token_requests()
        .into_iter()
        .map(|request| request.body);
    let bodies: Vec<_> = bodies.collect();
    assert_eq!(bodies[0], bodies[1], "asking again is asking the same");
}

#[tokio::test]
async fn every_renewal_asks_for_exactly_what_was_asked_for_first() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::quiet().await;
    let file = format!(
        "[profiles.test]\ntoken_url = \"{0}/token\"\nbase_url = \"{0}\"\nclient_id = \"{1}\"\n\
         scope = \"b a\"\naudience = \"external api\"\nresources = [\"https://a.example/?x\", \"urn:b\"]\n",
        world.address,
        crate::server::CLIENT_ID,
    );
    std::fs::write(folder.path().join("profiles.toml"), file).unwrap();
    let profiles = hallpass_client::Profiles::load(folder.path()).unwrap();
    let profile = profiles.select(Some("test")).unwrap().clone();
    let (options, _) = world.options(Some(&folder.path().join("tokens")));
    let client = Client::new(profile.clone(), credential(), &options).unwrap();
    client.send(&get("/x")).await.unwrap();
    world.supersede();
    client.send(&get("/x")).await.unwrap();
    world.pass(7200);
    client.send(&get("/x")).await.unwrap();
    let requests = world.token_requests();
    assert_eq!(requests.len(), 3);
    for request in requests {
        let body = String::from_utf8(request.body).unwrap();
        let end = "&scope=b+a&audience=external+api&resource=https%3A%2F%2Fa.example%2F%3Fx&resource=urn%3Ab";
        assert!(body.ends_with(end), "{body}");
    }
    // The same words in another order are the same token, other words are another.
    for (scope, asked) in [("a b", 3), ("a", 4)] {
        let profile = profile.clone().with_scope(Some(scope));
        let client = Client::new(profile, credential(), &options).unwrap();
        client.tokens().token().await.unwrap();
        assert_eq!(world.token_calls(), asked, "{scope}");
    }
}

#[tokio::test]
async fn clocks_that_are_apart_are_told_once() {
    let world = World::quiet().await;
    let (client, events) = world.client(None);
    // The world's clock says Tue, 14 Nov 2023 22:13:20 GMT.
    for _ in 0..2 {
        let headers = [("date", "Tue, 14 Nov 2023 22:18:20 GMT")];
        let body = answer(r#","token_type":"Bearer","expires_in":60"#);
        world.next_token_answer(200, &headers, &body);
        client.tokens().renew().await.unwrap();
    }
    let warnings: Vec<_> = events.all().into_iter().filter(Event::is_warning).collect();
    assert_eq!(warnings, [Event::ClockSkew { ahead: -300 }]);
}

#[tokio::test]
async fn an_assertion_is_signed_anew_for_each_request_and_no_secret_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let key = SigningKey::generate(KeySpec::EcP256).unwrap();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(key.to_pkcs8().unwrap())
    );
    let file = folder.path().join("key.pem");
    std::fs::write(&file, pem).unwrap();
    let world = World::quiet().await;
    let (options, events) = world.options(Some(&folder.path().join("tokens")));
    for (id, written) in [(None, key.id().to_string()), (Some("k1"), "k1".to_owned())] {
        let method = Authentication::PrivateKeyJwt(PrivateKey::new(file.clone(), id));
        let profile = world.profile().with_authentication(method);
        let source = CredentialSource::File("/nonexistent/secret".into());
        let client = Client::new(profile, source, &options).unwrap();
        for _ in 0..2 {
            world.next_token_answer(200, &[], &answer(r#","token_type":"bearer""#));
            client.tokens().renew().await.unwrap();
        }
        let requests = world.token_requests();
        let bodies: Vec<_> = requests
            .iter()
            .rev()
            .take(2)
            .map(|request| &request.body)
            .collect();
        assert_ne!(bodies[0], bodies[1], "each assertion is good once");
        let body = String::from_utf8(bodies[0].clone()).unwrap();
        let start = "grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=";
        let assertion = body.strip_prefix(start).unwrap();
        assert!(!format!("{:?}", events.all()).contains(assertion));
        let (header, claims) = hallpass_oauth::jws::peek(assertion).unwrap();
        assert!(
            header.contains(&format!(r#""kid":"{written}""#)),
            "{header}"
        );
        let audience = format!(r#""aud":"{}/token""#, world.address);
        assert!(claims.contains(&audience), "{claims}");
    }
    assert_eq!(world.token_calls(), 4);
    // The cached token needs no key either.
    std::fs::remove_file(&file).unwrap();
    let method = Authentication::PrivateKeyJwt(PrivateKey::new(file.clone(), None));
    let profile = world.profile().with_authentication(method);
    let client = Client::new(profile, credential(), &options).unwrap();
    client.tokens().token().await.unwrap();
    let error = client.tokens().renew().await.unwrap_err();
    assert!(error.to_string().contains("key.pem"), "{error}");
    assert_eq!(world.token_calls(), 4);
}
