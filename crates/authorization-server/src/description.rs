//! The authorization server's part of our own OpenAPI document: what its endpoints take and answer.
//!
//! The messages themselves are in `oauth`, which knows no documents; the structs here say what is
//! on the wire, in the words of the RFCs. A test of the whole system holds real answers against them.

#![expect(
    dead_code,
    reason = "these structs are only their descriptions: nothing is read into them"
)]

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, OpenApi};

use crate::{introspection_endpoint, jwks, metadata, revocation_endpoint, token_endpoint};

#[derive(utoipa::OpenApi)]
#[openapi(
    paths(
        token_endpoint::classic,
        token_endpoint::of_workspace,
        introspection_endpoint::introspect,
        revocation_endpoint::revoke,
        jwks::published,
        metadata::oauth,
        metadata::openid
    ),
    tags((name = "Tokens", description = "The authorization server: access tokens, what they are worth, and the keys that verify them."))
)]
struct Endpoints;

/// This server's part of the document.
pub fn description() -> OpenApi {
    let mut description = <Endpoints as utoipa::OpenApi>::openapi();
    let basic = HttpBuilder::new()
        .scheme(HttpAuthScheme::Basic)
        .description(Some(
            "Client id and secret (RFC 6749 section 2.3.1). They may stand in the body instead, as \
             client_id and client_secret.",
        ))
        .build();
    description
        .components
        .get_or_insert_with(Components::new)
        .add_security_scheme("client", SecurityScheme::Http(basic));
    description
}

/// How a client says who it is, where it does not by HTTP Basic.
#[derive(ToSchema)]
pub(crate) struct ClientAuthentication {
    /// The client id of a credential.
    #[schema(example = "00cfff70-86ab-4f66-8245-1eb054639c38")]
    client_id: Option<String>,
    /// Its secret.
    #[schema(format = "password")]
    client_secret: Option<String>,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`, with an assertion.
    client_assertion_type: Option<String>,
    /// A JWT signed with the client's own key instead of a secret (RFC 7523).
    client_assertion: Option<String>,
}

/// RFC 6749 section 4.4.2, and RFC 8693 section 2.1 for an exchange.
#[derive(ToSchema)]
pub(crate) struct TokenRequest {
    /// Which way to a token: `client_credentials`, or at the endpoint of a workspace also
    /// `urn:ietf:params:oauth:grant-type:token-exchange`.
    #[schema(example = "client_credentials")]
    grant_type: String,
    /// Taken and ignored where it has no meaning.
    scope: Option<String>,
    /// For an exchange: an access token of the workspace that manages this one.
    subject_token: Option<String>,
    /// For an exchange: `urn:ietf:params:oauth:token-type:access_token`.
    subject_token_type: Option<String>,
    /// For an exchange: the same word, or left out.
    requested_token_type: Option<String>,
    #[serde(flatten)]
    client: ClientAuthentication,
}

/// RFC 6749 section 5.1.
#[derive(ToSchema)]
pub(crate) struct TokenResponse {
    /// The token: send it as `Authorization: Bearer …`.
    access_token: String,
    /// What came out of an exchange.
    #[schema(nullable = false)]
    issued_token_type: Option<String>,
    /// `Bearer`.
    #[schema(example = "Bearer")]
    token_type: String,
    /// How many seconds it lives, rounded down.
    #[schema(example = 7199)]
    expires_in: u64,
    /// What was granted, where a scope has a meaning.
    #[schema(nullable = false)]
    scope: Option<String>,
}

/// RFC 7662 section 2.1 and RFC 7009 section 2.1 alike.
#[derive(ToSchema)]
pub(crate) struct TokenQuestion {
    /// The token in question.
    token: String,
    /// What it is taken for; unknown words count as none.
    #[schema(example = "access_token")]
    token_type_hint: Option<String>,
    #[serde(flatten)]
    client: ClientAuthentication,
}

/// RFC 7662 section 2.2. A token that is no good, or none of the asker's business, has `active` alone.
#[derive(ToSchema)]
pub(crate) struct Introspection {
    /// Whether the token is good at this moment.
    active: bool,
    /// The client it was issued to.
    #[schema(nullable = false)]
    client_id: Option<String>,
    /// The resource owner's name.
    #[schema(nullable = false)]
    username: Option<String>,
    /// `Bearer`.
    #[schema(nullable = false)]
    token_type: Option<String>,
    /// When it dies, in seconds since 1970.
    #[schema(nullable = false)]
    exp: Option<i64>,
    /// When it was issued, in seconds since 1970.
    #[schema(nullable = false)]
    iat: Option<i64>,
    /// Whom it speaks for.
    #[schema(nullable = false)]
    sub: Option<String>,
    /// Whom it is for.
    #[schema(nullable = false)]
    aud: Option<String>,
    /// Who issued it.
    #[schema(nullable = false)]
    iss: Option<String>,
    /// Its id.
    #[schema(nullable = false)]
    jti: Option<String>,
}

/// RFC 6749 section 5.2.
#[derive(ToSchema)]
#[schema(as = OAuthError)]
pub(crate) struct Failure {
    /// A word for programs, such as `invalid_client`.
    #[schema(example = "invalid_client")]
    error: String,
    /// What is wrong, for people.
    error_description: String,
}

/// RFC 7517 section 5.
#[derive(ToSchema)]
pub(crate) struct KeySet {
    /// The keys that tokens may be signed with now, and those that will sign soon.
    keys: Vec<Key>,
}

/// One public key; the members that follow from `kty` are in RFC 7518.
#[derive(ToSchema)]
pub(crate) struct Key {
    /// `RSA`, `EC` or `OKP`.
    kty: String,
    /// What it is for: `sig`.
    #[serde(rename = "use")]
    purpose: String,
    /// What it signs with.
    #[schema(example = "RS256")]
    alg: String,
    /// Its name, as tokens name it.
    kid: String,
    #[serde(flatten)]
    members: BTreeMap<String, String>,
}

/// RFC 8414 section 2. There may be further members.
#[derive(ToSchema)]
pub(crate) struct Metadata {
    /// The name that tokens give their issuer.
    issuer: String,
    /// Where tokens are asked for.
    token_endpoint: String,
    /// Where the public keys are.
    #[schema(nullable = false)]
    jwks_uri: Option<String>,
    /// Where tokens are looked up.
    #[schema(nullable = false)]
    introspection_endpoint: Option<String>,
    /// Where tokens are ended.
    #[schema(nullable = false)]
    revocation_endpoint: Option<String>,
    /// The grants that work at the token endpoint.
    grant_types_supported: Vec<String>,
    /// How clients may authenticate.
    token_endpoint_auth_methods_supported: Vec<String>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}
