//! What an authorization server says about itself: authorization server metadata (RFC 8414) and
//! the document of the same purpose that OpenID Connect Discovery 1.0 section 3 defines.
//!
//! This server has no authorization endpoint and issues no ID tokens, so it is no OpenID provider.
//! The second document exists because many libraries look for an issuer's keys and endpoints
//! nowhere else, see [`AuthorizationServerMetadata::to_openid_json`]. Only what is served may be
//! put in; nothing here knows whether it is.

use serde::{Deserialize, Serialize};

use crate::client_authentication::ClientAuthenticationMethod;
use crate::{Issuer, ScopeSet};

/// The facts both documents are made of, and what a client reads out of either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationServerMetadata {
    /// The issuer: an https URL without query and fragment (RFC 8414 section 2).
    pub issuer: Issuer,
    /// The token endpoint.
    pub token_endpoint: String,
    /// The published keys. OpenID Discovery requires it.
    pub jwks_uri: Option<String>,
    /// The introspection endpoint (RFC 7662).
    pub introspection_endpoint: Option<String>,
    /// The revocation endpoint (RFC 7009).
    pub revocation_endpoint: Option<String>,
    /// The words of the grants, as `grant_type` writes them.
    pub grant_types: Vec<String>,
    /// How clients authenticate, at all three endpoints alike.
    pub authentication_methods: Vec<AdvertisedMethod>,
    /// The algorithms of `private_key_jwt` assertions; written when that is a method.
    pub assertion_algorithms: Vec<String>,
    /// The scopes that may be told of; `None` leaves them out.
    pub scopes: Option<ScopeSet>,
    /// The algorithms that access tokens are signed with; no member of RFC 8414 tells them.
    pub token_algorithms: Vec<String>,
}

/// A method of client authentication as a server advertises it (RFC 8414 section 2,
/// `token_endpoint_auth_methods_supported`); the set is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum AdvertisedMethod {
    /// One that this server knows.
    Known(ClientAuthenticationMethod),
    /// A public client, or a grant that asks for no client.
    None,
    /// Any other.
    Other(String),
}

/// The word for [`AdvertisedMethod::None`].
const NO_METHOD: &str = "none";

/// The two documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// RFC 8414.
    AuthorizationServer,
    /// OpenID Connect Discovery 1.0.
    OpenIdConfiguration,
}

/// Why a document was refused, or has no address.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// Not a metadata document.
    #[error("the document is no JSON object of authorization server metadata")]
    Malformed(#[source] serde_json::Error),
    /// RFC 8414 section 3.3.
    #[error(
        "the document is of the issuer `{found}`, not of `{expected}`: it must not be used; ask \
         for the metadata of the issuer exactly as the server writes it"
    )]
    OtherIssuer {
        /// The issuer that was asked for.
        expected: Issuer,
        /// What the document says, shortened.
        found: String,
    },
    /// RFC 8414 section 2.
    #[error("the issuer `{0}` has a query or a fragment, so it has no metadata address")]
    IssuerForm(Issuer),
}

/// RFC 8414 section 2, in the order of its definitions. The last two members are of OpenID
/// Discovery.
#[derive(Serialize)]
struct Printed<'a> {
    issuer: &'a str,
    token_endpoint: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes_supported: Option<Vec<&'a str>>,
    response_types_supported: [&'static str; 0],
    grant_types_supported: &'a [String],
    token_endpoint_auth_methods_supported: &'a [AdvertisedMethod],
    #[serde(skip_serializing_if = "Option::is_none")]
    token_endpoint_auth_signing_alg_values_supported: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation_endpoint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation_endpoint_auth_methods_supported: Option<&'a [AdvertisedMethod]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation_endpoint_auth_signing_alg_values_supported: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    introspection_endpoint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    introspection_endpoint_auth_methods_supported: Option<&'a [AdvertisedMethod]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    introspection_endpoint_auth_signing_alg_values_supported: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject_types_supported: Option<[&'static str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token_signing_alg_values_supported: Option<&'a [String]>,
}

#[derive(Deserialize)]
struct Parsed {
    issuer: String,
    token_endpoint: String,
    jwks_uri: Option<String>,
    introspection_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    grant_types_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<AdvertisedMethod>>,
    token_endpoint_auth_signing_alg_values_supported: Option<Vec<String>>,
    scopes_supported: Option<Vec<String>>,
    id_token_signing_alg_values_supported: Option<Vec<String>>,
}

impl AuthorizationServerMetadata {
    /// Prints the document of RFC 8414.
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.printed()).unwrap_or_default()
    }

    /// Prints the document of OpenID Discovery, for libraries that know no other: Spring Security,
    /// for one, reads keys and endpoints from here and refuses a document without `jwks_uri` and a
    /// subject type.
    ///
    /// OpenID Discovery section 3 requires three members that an authorization server without ID
    /// tokens has no use for. They are written with the meaning that stays true:
    ///
    /// - `response_types_supported` is empty, so no ID token can be asked for;
    /// - `subject_types_supported` is `public`: a subject has one name for every client;
    /// - `id_token_signing_alg_values_supported` has the algorithms of the tokens this issuer does
    ///   sign. Verifiers, go-oidc among them, take from it what to accept from the issuer's keys,
    ///   and would refuse the access tokens of a server that lists none or others.
    ///
    /// `authorization_endpoint` is required as well and left out, since any address would be a lie.
    /// A library that insists on it (the Rust crate openidconnect does) is made for people who
    /// sign in and has no business here.
    pub fn to_openid_json(&self) -> String {
        let document = Printed {
            subject_types_supported: Some(["public"]),
            id_token_signing_alg_values_supported: Some(&self.token_algorithms),
            ..self.printed()
        };
        serde_json::to_string(&document).unwrap_or_default()
    }

    /// Reads either document for the client that asked for `expected`.
    ///
    /// RFC 8414 section 3.3: the `issuer` must be identical to the one whose address the document
    /// came from, or a stranger could pass its endpoints off as another's. A member that is left
    /// out has its default value of section 2.
    pub fn parse(body: &[u8], expected: &Issuer) -> Result<Self, MetadataError> {
        let parsed: Parsed = serde_json::from_slice(body).map_err(MetadataError::Malformed)?;
        if parsed.issuer != expected.as_str() {
            return Err(MetadataError::OtherIssuer {
                expected: expected.clone(),
                found: parsed.issuer.chars().take(200).collect(),
            });
        }
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Ok(Self {
            issuer: expected.clone(),
            token_endpoint: parsed.token_endpoint,
            jwks_uri: parsed.jwks_uri,
            introspection_endpoint: parsed.introspection_endpoint,
            revocation_endpoint: parsed.revocation_endpoint,
            grant_types: parsed
                .grant_types_supported
                .unwrap_or_else(|| words(&["authorization_code", "implicit"])),
            authentication_methods: parsed.token_endpoint_auth_methods_supported.unwrap_or_else(
                || {
                    vec![AdvertisedMethod::Known(
                        ClientAuthenticationMethod::SecretBasic,
                    )]
                },
            ),
            assertion_algorithms: parsed
                .token_endpoint_auth_signing_alg_values_supported
                .unwrap_or_default(),
            // Scopes are advice; a list that cannot be read is as good as none.
            scopes: parsed
                .scopes_supported
                .and_then(|scopes| ScopeSet::parse(&scopes.join(" ")).ok()),
            token_algorithms: parsed
                .id_token_signing_alg_values_supported
                .unwrap_or_default(),
        })
    }

    fn printed(&self) -> Printed<'_> {
        let methods = self.authentication_methods.as_slice();
        // RFC 8414 section 2: required for this method, and no word about any other.
        let algorithms = methods
            .contains(&AdvertisedMethod::Known(
                ClientAuthenticationMethod::PrivateKeyJwt,
            ))
            .then_some(self.assertion_algorithms.as_slice());
        let revocation = self.revocation_endpoint.as_deref();
        let introspection = self.introspection_endpoint.as_deref();
        Printed {
            issuer: self.issuer.as_str(),
            token_endpoint: &self.token_endpoint,
            jwks_uri: self.jwks_uri.as_deref(),
            scopes_supported: self
                .scopes
                .as_ref()
                .map(|scopes| scopes.iter().map(crate::Scope::as_str).collect()),
            // Required by RFC 8414 section 2, and empty: response types are asked for at the
            // authorization endpoint, and there is none.
            response_types_supported: [],
            grant_types_supported: &self.grant_types,
            token_endpoint_auth_methods_supported: methods,
            token_endpoint_auth_signing_alg_values_supported: algorithms,
            revocation_endpoint: revocation,
            revocation_endpoint_auth_methods_supported: revocation.map(|_| methods),
            revocation_endpoint_auth_signing_alg_values_supported: revocation.and(algorithms),
            introspection_endpoint: introspection,
            introspection_endpoint_auth_methods_supported: introspection.map(|_| methods),
            introspection_endpoint_auth_signing_alg_values_supported: introspection.and(algorithms),
            subject_types_supported: None,
            id_token_signing_alg_values_supported: None,
        }
    }
}

impl Document {
    /// The paths at which the issuer's host serves the document, the prescribed one first.
    ///
    /// For an issuer with a path RFC 8414 section 3.1 *inserts* the well-known part between host
    /// and path, and OpenID Discovery section 4.1 *appends* it. RFC 8414 section 5 knows of
    /// clients that insert for OpenID too, so that one has a second path.
    pub fn paths(self, issuer: &Issuer) -> Result<Vec<String>, MetadataError> {
        let path = path_of(issuer)?;
        Ok(match self {
            Self::AuthorizationServer => {
                vec![format!("/.well-known/oauth-authorization-server{path}")]
            }
            Self::OpenIdConfiguration if path.is_empty() => {
                vec!["/.well-known/openid-configuration".to_owned()]
            }
            Self::OpenIdConfiguration => vec![
                format!("{path}/.well-known/openid-configuration"),
                format!("/.well-known/openid-configuration{path}"),
            ],
        })
    }

    /// The address from which a client fetches the document.
    pub fn url(self, issuer: &Issuer) -> Result<String, MetadataError> {
        let path = self.paths(issuer)?.swap_remove(0);
        Ok(format!("{}{path}", origin_of(issuer)))
    }
}

impl From<String> for AdvertisedMethod {
    fn from(word: String) -> Self {
        match ClientAuthenticationMethod::named(&word) {
            Some(method) => Self::Known(method),
            None if word == NO_METHOD => Self::None,
            None => Self::Other(word),
        }
    }
}

impl From<AdvertisedMethod> for String {
    fn from(method: AdvertisedMethod) -> Self {
        match method {
            AdvertisedMethod::Known(method) => method.as_str().to_owned(),
            AdvertisedMethod::None => NO_METHOD.to_owned(),
            AdvertisedMethod::Other(word) => word,
        }
    }
}

/// The path component without a slash at its end, which both documents want taken off.
fn path_of(issuer: &Issuer) -> Result<&str, MetadataError> {
    if issuer.as_str().contains(['?', '#']) {
        return Err(MetadataError::IssuerForm(issuer.clone()));
    }
    let path = &issuer.as_str()[origin_of(issuer).len()..];
    Ok(path.strip_suffix('/').unwrap_or(path))
}

/// Scheme and authority.
fn origin_of(issuer: &Issuer) -> &str {
    let text = issuer.as_str();
    let authority = text.find("://").map_or(0, |at| at + 3);
    let end = text[authority..].find('/').map(|at| authority + at);
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn issuer(text: &str) -> Issuer {
        Issuer::parse(text).unwrap()
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    fn sample() -> AuthorizationServerMetadata {
        AuthorizationServerMetadata {
            issuer: issuer("https://as.example.com"),
            token_endpoint: "https://as.example.com/as/token.oauth2".to_owned(),
            jwks_uri: Some("https://as.example.com/.well-known/jwks.json".to_owned()),
            introspection_endpoint: Some("https://as.example.com/as/introspect.oauth2".to_owned()),
            revocation_endpoint: Some("https://as.example.com/as/revoke_token.oauth2".to_owned()),
            grant_types: words(&["client_credentials"]),
            authentication_methods: vec![
                AdvertisedMethod::Known(ClientAuthenticationMethod::SecretBasic),
                AdvertisedMethod::Known(ClientAuthenticationMethod::SecretPost),
                AdvertisedMethod::Known(ClientAuthenticationMethod::PrivateKeyJwt),
            ],
            assertion_algorithms: words(&["RS256", "ES256"]),
            scopes: None,
            token_algorithms: words(&["ES256"]),
        }
    }

    fn json_of(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn rfc8414_2_the_required_members_are_there_and_nothing_else() {
        let methods = json!([
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt"
        ]);
        let expected = json!({
            "issuer": "https://as.example.com",
            "token_endpoint": "https://as.example.com/as/token.oauth2",
            "jwks_uri": "https://as.example.com/.well-known/jwks.json",
            "response_types_supported": [],
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": methods,
            "token_endpoint_auth_signing_alg_values_supported": ["RS256", "ES256"],
            "revocation_endpoint": "https://as.example.com/as/revoke_token.oauth2",
            "revocation_endpoint_auth_methods_supported": methods,
            "revocation_endpoint_auth_signing_alg_values_supported": ["RS256", "ES256"],
            "introspection_endpoint": "https://as.example.com/as/introspect.oauth2",
            "introspection_endpoint_auth_methods_supported": methods,
            "introspection_endpoint_auth_signing_alg_values_supported": ["RS256", "ES256"],
        });
        assert_eq!(json_of(&sample().to_json()), expected);
    }

    #[test]
    fn rfc8414_2_what_is_not_served_is_not_written() {
        let metadata = AuthorizationServerMetadata {
            introspection_endpoint: None,
            revocation_endpoint: None,
            authentication_methods: vec![AdvertisedMethod::Known(
                ClientAuthenticationMethod::SecretPost,
            )],
            scopes: Some(ScopeSet::parse("read write").unwrap()),
            ..sample()
        };
        let document = json_of(&metadata.to_json());
        let members: Vec<&String> = document.as_object().unwrap().keys().collect();
        assert_eq!(
            members,
            [
                "issuer",
                "token_endpoint",
                "jwks_uri",
                "scopes_supported",
                "response_types_supported",
                "grant_types_supported",
                "token_endpoint_auth_methods_supported",
            ]
        );
        assert_eq!(document["scopes_supported"], json!(["read", "write"]));
    }

    #[test]
    fn the_openid_document_has_what_libraries_insist_on_and_promises_no_id_token() {
        let document = json_of(&sample().to_openid_json());
        assert_eq!(document["subject_types_supported"], json!(["public"]));
        assert_eq!(
            document["id_token_signing_alg_values_supported"],
            json!(["ES256"])
        );
        assert_eq!(document["response_types_supported"], json!([]));
        assert!(document["jwks_uri"].is_string());
        assert!(document.get("authorization_endpoint").is_none());
        let plain = json_of(&sample().to_json());
        for (name, value) in plain.as_object().unwrap() {
            assert_eq!(&document[name], value, "{name}");
        }
    }

    #[test]
    fn both_documents_are_read_back() {
        let metadata = sample();
        let read = |text: String| {
            AuthorizationServerMetadata::parse(text.as_bytes(), &metadata.issuer).unwrap()
        };
        assert_eq!(read(metadata.to_openid_json()), metadata);
        let without = AuthorizationServerMetadata {
            token_algorithms: Vec::new(),
            ..metadata.clone()
        };
        assert_eq!(read(metadata.to_json()), without);
    }

    #[test]
    fn rfc8414_3_3_a_document_of_another_issuer_is_refused() {
        let text = sample().to_json();
        for other in [
            "https://as.example.com/",
            "https://AS.example.com",
            "http://as.example.com",
            "https://as.example.com:443",
        ] {
            let error = AuthorizationServerMetadata::parse(text.as_bytes(), &issuer(other));
            assert!(
                matches!(error, Err(MetadataError::OtherIssuer { .. })),
                "{other}"
            );
        }
    }

    #[test]
    fn rfc8414_2_members_left_out_have_their_default() {
        let body = br#"{"issuer":"https://i","token_endpoint":"https://i/t","extra":{}}"#;
        let read = AuthorizationServerMetadata::parse(body, &issuer("https://i")).unwrap();
        assert_eq!(read.grant_types, ["authorization_code", "implicit"]);
        assert_eq!(
            read.authentication_methods,
            [AdvertisedMethod::Known(
                ClientAuthenticationMethod::SecretBasic
            )]
        );
        assert_eq!((read.jwks_uri, read.scopes), (None, None));
        for body in [
            r#"{"issuer":"https://i"}"#,
            r#"{"token_endpoint":"https://i/t"}"#,
            r#"{"issuer":"https://i","issuer":"https://i","token_endpoint":"t"}"#,
            "[]",
        ] {
            let read = AuthorizationServerMetadata::parse(body.as_bytes(), &issuer("https://i"));
            assert!(matches!(read, Err(MetadataError::Malformed(_))), "{body}");
        }
    }

    /// RFC 8414 section 3.1: `https://example.com` and `https://example.com/issuer1`.
    #[test]
    fn rfc8414_3_1_the_well_known_part_is_inserted_before_the_issuers_path() {
        for (of, path) in [
            ("https://example.com", ""),
            ("https://example.com/", ""),
            ("https://example.com/issuer1", "/issuer1"),
            ("https://example.com/issuer1/", "/issuer1"),
            ("https://example.com:8443/a/b", "/a/b"),
        ] {
            let expected = format!("/.well-known/oauth-authorization-server{path}");
            let paths = Document::AuthorizationServer.paths(&issuer(of)).unwrap();
            assert_eq!(paths, [expected], "{of}");
        }
        assert_eq!(
            Document::AuthorizationServer
                .url(&issuer("https://example.com:8443/issuer1"))
                .unwrap(),
            "https://example.com:8443/.well-known/oauth-authorization-server/issuer1"
        );
    }

    /// OpenID Discovery section 4.1 with its example issuers, and RFC 8414 section 5.
    #[test]
    fn openid_discovery_4_1_the_well_known_part_is_appended() {
        let document = Document::OpenIdConfiguration;
        for of in ["https://example.com", "https://example.com/"] {
            let paths = document.paths(&issuer(of)).unwrap();
            assert_eq!(paths, ["/.well-known/openid-configuration"], "{of}");
        }
        let with_path = issuer("https://example.com/issuer1");
        assert_eq!(
            document.paths(&with_path).unwrap(),
            [
                "/issuer1/.well-known/openid-configuration",
                "/.well-known/openid-configuration/issuer1"
            ]
        );
        assert_eq!(
            document.url(&with_path).unwrap(),
            "https://example.com/issuer1/.well-known/openid-configuration"
        );
    }

    #[test]
    fn rfc8414_2_an_issuer_with_query_or_fragment_has_no_metadata() {
        for of in ["https://example.com/a?b", "https://example.com#c"] {
            let error = Document::AuthorizationServer.paths(&issuer(of));
            assert!(matches!(error, Err(MetadataError::IssuerForm(_))), "{of}");
        }
    }

    proptest! {
        #[test]
        fn any_document_is_read_or_refused(body: Vec<u8>) {
            let _ = AuthorizationServerMetadata::parse(&body, &issuer("https://i"));
        }

        #[test]
        fn every_issuer_has_an_address_under_its_own_origin(rest in "[!-~]{0,40}") {
            let issuer = issuer(&format!("https://example.com/{rest}"));
            for document in [Document::AuthorizationServer, Document::OpenIdConfiguration] {
                match document.url(&issuer) {
                    Ok(url) => prop_assert!(url.starts_with("https://example.com/")),
                    Err(_) => prop_assert!(rest.contains(['?', '#'])),
                }
            }
        }
    }
}
