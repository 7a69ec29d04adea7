//! The Rust crate `oauth2`, which leaves the HTTP exchange to its caller.

use oauth2::basic::{BasicClient, BasicErrorResponseType};
use oauth2::{
    AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, IntrospectionUrl,
    RequestTokenError, RevocationUrl, StandardRevocableToken, TokenIntrospectionResponse as _,
    TokenResponse as _, TokenUrl,
};

use super::Stage;
use crate::http::execute;

type Client = BasicClient<EndpointNotSet, EndpointNotSet, EndpointSet, EndpointSet, EndpointSet>;

impl Stage {
    /// A client of the endpoints that the metadata names.
    fn oauth2(&self, auth_type: AuthType, secret: &str) -> Client {
        let metadata = self.metadata();
        let url = |name: &str| metadata[name].as_str().unwrap().to_owned();
        // The crate revokes over https only; see `exchange`.
        let revocation = url("revocation_endpoint").replacen("http://", "https://", 1);
        BasicClient::new(ClientId::new(self.credential.client_id.clone()))
            .set_client_secret(ClientSecret::new(secret.to_owned()))
            .set_auth_type(auth_type)
            .set_token_uri(TokenUrl::new(url("token_endpoint")).unwrap())
            .set_introspection_url(IntrospectionUrl::new(url("introspection_endpoint")).unwrap())
            .set_revocation_url(RevocationUrl::new(revocation).unwrap())
    }
}

/// One exchange without redirects. What was to go over TLS goes to the listener that a proxy with TLS
/// would ask.
fn exchange(mut request: oauth2::HttpRequest) -> reqwest::Result<oauth2::HttpResponse> {
    let plain = request.uri().to_string().replacen("https://", "http://", 1);
    *request.uri_mut() = plain.parse().unwrap();
    execute(request)
}

fn a_token_is_got_used_introspected_and_revoked(auth_type: AuthType) {
    let stage = Stage::set();
    let client = stage.oauth2(auth_type, &stage.credential.client_secret);
    let answer = client
        .exchange_client_credentials()
        .request(&exchange)
        .unwrap();
    let token = answer.access_token();
    // What is left when the answer is written; a busy machine writes late.
    assert!((7101..=7200).contains(&answer.expires_in().unwrap().as_secs()));
    stage.call(token.secret()).is(200);

    let seen = client.introspect(token).request(&exchange).unwrap();
    assert!(seen.active());
    assert_eq!(seen.client_id(), Some(client.client_id()));

    let revocable = StandardRevocableToken::from(token);
    client
        .revoke_token(revocable)
        .unwrap()
        .request(&exchange)
        .unwrap();
    assert!(
        !client
            .introspect(token)
            .request(&exchange)
            .unwrap()
            .active()
    );
    stage.call(token.secret()).is(401);
}

#[test]
fn oauth2_crate_client_secret_basic() {
    a_token_is_got_used_introspected_and_revoked(AuthType::BasicAuth);
}

#[test]
fn oauth2_crate_client_secret_post() {
    a_token_is_got_used_introspected_and_revoked(AuthType::RequestBody);
}

#[test]
fn oauth2_crate_reads_what_a_wrong_secret_is_told() {
    let stage = Stage::set();
    for auth_type in [AuthType::BasicAuth, AuthType::RequestBody] {
        let client = stage.oauth2(auth_type, "wrong");
        let error = client.exchange_client_credentials().request(&exchange);
        match error.unwrap_err() {
            RequestTokenError::ServerResponse(told) => {
                assert_eq!(*told.error(), BasicErrorResponseType::InvalidClient);
                assert!(
                    told.error_description()
                        .is_some_and(|words| !words.is_empty())
                );
            }
            other => panic!("{other:?}"),
        }
    }
}
