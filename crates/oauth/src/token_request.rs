//! The access token request: client credentials (RFC 6749 section 4.4.2) and token exchange
//! (RFC 8693 section 2.1), as a client sends it to the token endpoint.
//!
//! Who may have what is decided elsewhere; here only the form of the request is judged.

use form_urlencoded::Serializer;

use crate::client_assertion;
use crate::client_authentication::{basic_value, unencoded_basic_value};
use crate::form::Form;
use crate::token_error::TokenError;
use crate::{ClientId, Secret};

/// What the client asks for, apart from who it is.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// The grant (`grant_type`).
    pub grant_type: GrantType,
    /// The scope asked for, as sent. `greenlake` clients send words such as `hpe-tenant` that mean
    /// nothing to the server; they are ignored (domain facts, section 2.5).
    pub scope: Option<String>,
    exchange: Option<ExchangeRequest>,
    parameters: Vec<(String, String)>,
}

/// The grants a token request can name; the set is open (RFC 6749 section 4.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantType {
    /// RFC 6749 section 4.4.
    ClientCredentials,
    /// RFC 8693 section 2.1; the request has an [`ExchangeRequest`].
    TokenExchange,
    /// A grant this server does not know.
    Other(String),
}

/// What a token exchange asks for (RFC 8693 section 2.1). There is no actor and no target: the
/// server does not delegate, and takes the target from the URL of the endpoint.
#[derive(Debug, Clone)]
pub struct ExchangeRequest {
    /// The token that shows on whose behalf the request is made.
    pub subject_token: Secret,
    /// What the subject token is said to be.
    pub subject_token_type: TokenType,
    /// What is wanted; `None` leaves it to the server.
    pub requested_token_type: Option<TokenType>,
}

/// The token types of RFC 8693 section 3 that exist here. Access tokens are JWTs, so both words
/// name the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenType {
    /// An access token of this server.
    AccessToken,
    /// A JWT.
    Jwt,
}

/// How the client says who it is (RFC 6749 section 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuthenticationMethod {
    /// `client_id` and `client_secret` in the body (`client_secret_post`).
    #[default]
    Body,
    /// The `Authorization: Basic` header (`client_secret_basic`).
    Basic,
}

/// What a client authenticates with when it sends a request.
#[derive(Debug, Clone, Copy)]
pub enum ClientCredential<'a> {
    /// RFC 6749 section 2.3.1.
    Secret {
        /// Where the secret goes.
        method: AuthenticationMethod,
        /// The client.
        client_id: &'a ClientId,
        /// Its secret.
        client_secret: &'a Secret,
    },
    /// The `Authorization: Basic` header with id and secret as they are: many servers do not decode
    /// what RFC 6749 section 2.3.1 has clients form-encode.
    UnencodedBasic {
        /// The client.
        client_id: &'a ClientId,
        /// Its secret.
        client_secret: &'a Secret,
    },
    /// A signed assertion (RFC 7523 section 2.2), good for one request.
    Assertion(&'a Secret),
    /// No authentication: the subject token of an exchange speaks for itself (domain facts,
    /// section 2.7).
    None,
}

/// A request ready to be sent: form-encoded body and, for Basic, the header.
#[derive(Debug)]
pub struct EncodedRequest {
    /// The value of the `Authorization` header; a secret.
    pub authorization: Option<Secret>,
    /// The body; a secret, since it may hold the client secret.
    pub body: Secret,
}

impl GrantType {
    /// The word for [`Self::ClientCredentials`].
    pub const CLIENT_CREDENTIALS: &'static str = "client_credentials";
    /// The word for [`Self::TokenExchange`].
    pub const TOKEN_EXCHANGE: &'static str = "urn:ietf:params:oauth:grant-type:token-exchange";

    /// The word on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::ClientCredentials => Self::CLIENT_CREDENTIALS,
            Self::TokenExchange => Self::TOKEN_EXCHANGE,
            Self::Other(other) => other,
        }
    }
}

impl From<&str> for GrantType {
    fn from(word: &str) -> Self {
        match word {
            Self::CLIENT_CREDENTIALS => Self::ClientCredentials,
            Self::TOKEN_EXCHANGE => Self::TokenExchange,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl TokenType {
    /// The identifier of RFC 8693 section 3.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "urn:ietf:params:oauth:token-type:access_token",
            Self::Jwt => "urn:ietf:params:oauth:token-type:jwt",
        }
    }

    fn read(form: &Form<'_>, parameter: &str) -> Result<Option<Self>, TokenError> {
        let Some(word) = form.value(parameter) else {
            return Ok(None);
        };
        [Self::AccessToken, Self::Jwt]
            .into_iter()
            .find(|known| known.as_str() == word)
            .map(Some)
            .ok_or_else(|| {
                TokenError::invalid_request(format!(
                    "{parameter} must be {} or {}",
                    Self::AccessToken.as_str(),
                    Self::Jwt.as_str()
                ))
            })
    }
}

impl TokenRequest {
    /// The media type of the body.
    pub const CONTENT_TYPE: &'static str = "application/x-www-form-urlencoded";

    /// A plain client-credentials request.
    pub fn client_credentials(scope: Option<String>) -> Self {
        Self {
            grant_type: GrantType::ClientCredentials,
            scope,
            exchange: None,
            parameters: Vec::new(),
        }
    }

    /// A token exchange.
    pub fn token_exchange(exchange: ExchangeRequest, scope: Option<String>) -> Self {
        Self {
            grant_type: GrantType::TokenExchange,
            scope,
            exchange: Some(exchange),
            parameters: Vec::new(),
        }
    }

    /// The same with a further parameter, such as `resource` (RFC 8707 section 2), which may come
    /// several times. This server ignores them; others need them.
    #[must_use]
    pub fn with_parameter(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What is to be exchanged, when the grant is [`GrantType::TokenExchange`].
    pub fn exchange(&self) -> Option<&ExchangeRequest> {
        self.exchange.as_ref()
    }

    /// Reads the request out of the form.
    pub fn from_form(form: &Form<'_>) -> Result<Self, TokenError> {
        let grant_type = form
            .value("grant_type")
            .map(GrantType::from)
            .ok_or_else(|| TokenError::invalid_request("grant_type is missing"))?;
        let exchange = match grant_type {
            GrantType::TokenExchange => Some(ExchangeRequest::from_form(form)?),
            // Parameters of another grant are unknown ones: ignored (RFC 6749 section 3.2).
            GrantType::ClientCredentials | GrantType::Other(_) => None,
        };
        Ok(Self {
            grant_type,
            scope: form.value("scope").map(str::to_owned),
            exchange,
            parameters: Vec::new(),
        })
    }

    /// Prints the request with the client's secret in exactly one place (RFC 6749 section 2.3
    /// forbids two).
    pub fn encode(
        &self,
        method: AuthenticationMethod,
        client_id: &ClientId,
        client_secret: &Secret,
    ) -> EncodedRequest {
        self.encode_with(&ClientCredential::Secret {
            method,
            client_id,
            client_secret,
        })
    }

    /// Prints the request with any credential.
    pub fn encode_with(&self, credential: &ClientCredential<'_>) -> EncodedRequest {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", self.grant_type.as_str());
        let authorization = credential.write(&mut form);
        if let Some(exchange) = &self.exchange {
            exchange.write(&mut form);
        }
        if let Some(scope) = &self.scope {
            form.append_pair("scope", scope);
        }
        form.extend_pairs(&self.parameters);
        EncodedRequest {
            authorization,
            body: Secret::from(form.finish()),
        }
    }
}

impl ExchangeRequest {
    /// What the answer calls the token it carries (RFC 8693 section 2.2.1, `issued_token_type`).
    pub fn issued_token_type(&self) -> TokenType {
        self.requested_token_type.unwrap_or(TokenType::AccessToken)
    }

    fn from_form(form: &Form<'_>) -> Result<Self, TokenError> {
        if form.value("actor_token").is_some() {
            return Err(TokenError::invalid_request(
                "actor_token is not supported: the server exchanges without delegation",
            ));
        }
        // RFC 8693 section 2.1: it MUST NOT be included without an actor_token.
        if form.value("actor_token_type").is_some() {
            return Err(TokenError::invalid_request(
                "actor_token_type came without an actor_token",
            ));
        }
        for parameter in ["resource", "audience"] {
            if form.value(parameter).is_some() {
                return Err(TokenError::invalid_target(format!(
                    "{parameter} is not supported: the token URL says what the token is for"
                )));
            }
        }
        let missing = |name| TokenError::invalid_request(format!("{name} is missing"));
        let subject_token = form
            .value("subject_token")
            .ok_or_else(|| missing("subject_token"))?;
        Ok(Self {
            subject_token: Secret::from(subject_token.to_owned()),
            subject_token_type: TokenType::read(form, "subject_token_type")?
                .ok_or_else(|| missing("subject_token_type"))?,
            requested_token_type: TokenType::read(form, "requested_token_type")?,
        })
    }

    fn write(&self, form: &mut Serializer<'_, String>) {
        form.append_pair("subject_token", self.subject_token.expose());
        form.append_pair("subject_token_type", self.subject_token_type.as_str());
        if let Some(requested) = self.requested_token_type {
            form.append_pair("requested_token_type", requested.as_str());
        }
    }
}

impl ClientCredential<'_> {
    /// Writes what belongs into the body and returns the `Authorization` header.
    pub(crate) fn write(&self, form: &mut Serializer<'_, String>) -> Option<Secret> {
        match *self {
            Self::Secret {
                method: AuthenticationMethod::Basic,
                client_id,
                client_secret,
            } => return Some(basic_value(client_id, client_secret)),
            Self::UnencodedBasic {
                client_id,
                client_secret,
            } => return Some(unencoded_basic_value(client_id, client_secret)),
            Self::Secret {
                method: AuthenticationMethod::Body,
                client_id,
                client_secret,
            } => {
                form.append_pair("client_id", client_id.as_str());
                form.append_pair("client_secret", client_secret.expose());
            }
            Self::Assertion(assertion) => {
                form.append_pair("client_assertion_type", client_assertion::ASSERTION_TYPE);
                form.append_pair("client_assertion", assertion.expose());
            }
            Self::None => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::PresentedCredential;
    use crate::client_authentication::TwoCredentials;

    fn read(body: &str) -> Result<TokenRequest, TokenError> {
        TokenRequest::from_form(&Form::parse(body.as_bytes()).unwrap())
    }

    /// RFC 6749 section 4.4.2: the example request.
    #[test]
    fn rfc6749_4_4_2_the_example_is_read() {
        let request = read("grant_type=client_credentials").unwrap();
        assert_eq!(request.grant_type, GrantType::ClientCredentials);
        assert!(request.scope.is_none() && request.exchange().is_none());
    }

    #[test]
    fn what_is_printed_is_read_back_by_the_server() {
        let id = ClientId::parse("00cfff70-86ab-4f66-8245-1eb054639c38").unwrap();
        let secret = Secret::from("s:e/c+r&e=t%é".to_owned());
        for method in [AuthenticationMethod::Body, AuthenticationMethod::Basic] {
            let request = TokenRequest::client_credentials(Some("hpe-tenant".to_owned()));
            let encoded = request.encode(method, &id, &secret);
            let form = Form::parse(encoded.body.expose().as_bytes()).unwrap();
            let read = TokenRequest::from_form(&form).unwrap();
            assert_eq!(read.grant_type, request.grant_type);
            assert_eq!(read.scope, request.scope);
            let headers = encoded
                .authorization
                .iter()
                .map(|value| value.expose().as_bytes());
            let presented =
                PresentedCredential::read(headers, &form, TwoCredentials::Refused).unwrap();
            assert!(
                presented
                    .readings()
                    .any(|r| r.client_id == id.as_str()
                        && r.client_secret.expose() == secret.expose()),
                "{method:?}"
            );
        }
    }

    #[test]
    fn an_unencoded_header_holds_id_and_secret_as_they_are() {
        let id = ClientId::parse("c1").unwrap();
        let secret = Secret::from(":/+%&é".to_owned());
        let request = TokenRequest::client_credentials(None);
        let value = |credential| request.encode_with(&credential).authorization.unwrap();
        let unencoded = value(ClientCredential::UnencodedBasic {
            client_id: &id,
            client_secret: &secret,
        });
        // `printf 'c1::/+%%&é' | base64`
        assert_eq!(unencoded.expose(), "Basic YzE6Oi8rJSbDqQ==");
        let encoded = value(ClientCredential::Secret {
            method: AuthenticationMethod::Basic,
            client_id: &id,
            client_secret: &secret,
        });
        // `printf 'c1:%%3A%%2F%%2B%%25%%26%%C3%%A9' | base64`
        assert_eq!(encoded.expose(), "Basic YzE6JTNBJTJGJTJCJTI1JTI2JUMzJUE5");
    }

    #[test]
    fn further_parameters_are_sent_and_may_repeat() {
        let request = TokenRequest::client_credentials(Some("a".to_owned()))
            .with_parameter("resource", "https://a.example/?x")
            .with_parameter("resource", "urn:b");
        assert_eq!(
            request.encode_with(&ClientCredential::None).body.expose(),
            "grant_type=client_credentials&scope=a&resource=https%3A%2F%2Fa.example%2F%3Fx&resource=urn%3Ab"
        );
    }

    #[test]
    fn a_missing_grant_is_invalid_and_a_strange_one_is_kept() {
        assert_eq!(read("grant_type=").unwrap_err().code(), "invalid_request");
        assert_eq!(
            read("grant_type=password").unwrap().grant_type,
            GrantType::Other("password".to_owned())
        );
    }

    const EXCHANGE: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange\
        &subject_token=accVkjcJyb4BWCxGsndESCJQbdFMogUC5PbRDqceLTC\
        &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token";

    /// RFC 8693 section 2.3: the example request, but for its `resource`.
    #[test]
    fn rfc8693_2_3_the_example_is_read_without_its_resource() {
        let request = read(EXCHANGE).unwrap();
        assert_eq!(request.grant_type, GrantType::TokenExchange);
        let exchange = request.exchange().unwrap();
        assert_eq!(
            exchange.subject_token.expose(),
            "accVkjcJyb4BWCxGsndESCJQbdFMogUC5PbRDqceLTC"
        );
        assert_eq!(exchange.subject_token_type, TokenType::AccessToken);
        assert_eq!(exchange.issued_token_type(), TokenType::AccessToken);
        let with_resource = format!("{EXCHANGE}&resource=https%3A%2F%2Fbackend.example.com%2Fapi");
        assert_eq!(read(&with_resource).unwrap_err().code(), "invalid_target");
    }

    #[test]
    fn rfc8693_2_1_subject_token_and_its_type_are_required() {
        for missing in ["subject_token", "subject_token_type"] {
            let body = EXCHANGE.replace(&format!("&{missing}="), "&x=");
            let error = read(&body).unwrap_err();
            assert_eq!(error.code(), "invalid_request");
            assert_eq!(error.description(), format!("{missing} is missing"));
        }
    }

    #[test]
    fn rfc8693_2_1_other_token_types_are_refused_and_the_jwt_is_taken() {
        let jwt = EXCHANGE.replace("access_token", "jwt");
        let jwt = read(&jwt).unwrap();
        let kind = jwt.exchange().unwrap().subject_token_type;
        assert_eq!(kind, TokenType::Jwt);
        for other in ["saml2", "refresh_token", "id_token"] {
            let subject = EXCHANGE.replace("access_token", other);
            let error = read(&subject).unwrap_err();
            assert_eq!(error.code(), "invalid_request", "{other}");
            let requested =
                format!("{EXCHANGE}&requested_token_type=urn:ietf:params:oauth:token-type:{other}");
            let error = read(&requested).unwrap_err();
            assert_eq!(error.code(), "invalid_request", "{other}");
            assert!(error.description().starts_with("requested_token_type"));
        }
        let requested =
            format!("{EXCHANGE}&requested_token_type=urn:ietf:params:oauth:token-type:jwt");
        let requested = read(&requested).unwrap();
        let kind = requested.exchange().unwrap().issued_token_type();
        assert_eq!(kind, TokenType::Jwt);
    }

    #[test]
    fn rfc8693_2_1_there_are_no_actors_and_no_actor_type_alone() {
        let kind = "actor_token_type=urn:ietf:params:oauth:token-type:jwt";
        for (more, said) in [
            (
                format!("actor_token=x&{kind}"),
                "actor_token is not supported",
            ),
            ("actor_token=x".to_owned(), "actor_token is not supported"),
            (kind.to_owned(), "without an actor_token"),
        ] {
            let error = read(&format!("{EXCHANGE}&{more}")).unwrap_err();
            assert_eq!(error.code(), "invalid_request");
            assert!(error.description().contains(said), "{error}");
        }
        // Empty is omitted (RFC 6749 section 3.2).
        assert!(read(&format!("{EXCHANGE}&actor_token=&audience=")).is_ok());
    }

    #[test]
    fn rfc8693_2_2_2_a_target_in_the_form_is_refused() {
        for target in ["resource=https://x", "audience=x"] {
            let error = read(&format!("{EXCHANGE}&{target}")).unwrap_err();
            assert_eq!(error.code(), "invalid_target");
            assert!(read(&format!("grant_type=client_credentials&{target}")).is_ok());
        }
    }

    #[test]
    fn an_exchange_is_printed_without_authentication_and_never_in_a_debug_text() {
        let exchange = ExchangeRequest {
            subject_token: Secret::from("a.b.c".to_owned()),
            subject_token_type: TokenType::AccessToken,
            requested_token_type: Some(TokenType::Jwt),
        };
        let request = TokenRequest::token_exchange(exchange, Some("a b".to_owned()));
        assert!(!format!("{request:?}").contains("a.b.c"));
        let encoded = request.encode_with(&ClientCredential::None);
        assert!(encoded.authorization.is_none());
        assert!(!encoded.body.expose().contains("client_"));
        let back = read(encoded.body.expose()).unwrap();
        assert_eq!(back.grant_type, GrantType::TokenExchange);
        assert_eq!(back.scope.as_deref(), Some("a b"));
        let back = back.exchange().unwrap();
        assert_eq!(back.subject_token.expose(), "a.b.c");
        assert_eq!(back.requested_token_type, Some(TokenType::Jwt));
    }

    proptest! {
        #[test]
        fn any_exchange_is_read_or_refused(body: Vec<u8>, token in "[ -~]{0,40}") {
            if let Ok(form) = Form::parse(&body) {
                let _ = TokenRequest::from_form(&form);
            }
            let encoded: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
            let body = EXCHANGE.replace("accVkjcJyb4BWCxGsndESCJQbdFMogUC5PbRDqceLTC", &encoded);
            match read(&body) {
                Ok(read) => prop_assert_eq!(read.exchange().unwrap().subject_token.expose(), &token),
                Err(error) => prop_assert!(token.is_empty() && error.code() == "invalid_request"),
            }
        }
    }
}
