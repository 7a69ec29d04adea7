//! The access token request (RFC 6749 section 4.4.2): what a client sends to the token endpoint.

use crate::client_authentication::basic_value;
use crate::form::Form;
use crate::token_error::TokenError;
use crate::{ClientId, Secret};

/// What the client asks for, apart from who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// The grant (`grant_type`).
    pub grant_type: GrantType,
    /// The scope asked for, as sent. `greenlake` clients send words such as `hpe-tenant` that mean
    /// nothing to the server; they are ignored (domain facts, section 2.5).
    pub scope: Option<String>,
}

/// The grants a token request can name; the set is open (RFC 6749 section 4.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantType {
    /// RFC 6749 section 4.4.
    ClientCredentials,
    /// A grant this server does not know.
    Other(String),
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

/// A request ready to be sent: form-encoded body and, for Basic, the header.
pub struct EncodedRequest {
    /// The value of the `Authorization` header; a secret.
    pub authorization: Option<Secret>,
    /// The body; a secret, since it may hold the client secret.
    pub body: Secret,
}

impl TokenRequest {
    /// The media type of the body.
    pub const CONTENT_TYPE: &'static str = "application/x-www-form-urlencoded";

    /// A plain client-credentials request.
    pub fn client_credentials(scope: Option<String>) -> Self {
        Self {
            grant_type: GrantType::ClientCredentials,
            scope,
        }
    }

    /// Reads the request out of the form.
    pub fn from_form(form: &Form<'_>) -> Result<Self, TokenError> {
        let grant_type = match form.value("grant_type") {
            None => return Err(TokenError::invalid_request("grant_type is missing")),
            Some("client_credentials") => GrantType::ClientCredentials,
            Some(other) => GrantType::Other(other.to_owned()),
        };
        Ok(Self {
            grant_type,
            scope: form.value("scope").map(str::to_owned),
        })
    }

    /// Prints the request with the client's credential in exactly one place (RFC 6749 section 2.3
    /// forbids two).
    pub fn encode(
        &self,
        method: AuthenticationMethod,
        client_id: &ClientId,
        client_secret: &Secret,
    ) -> EncodedRequest {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair(
            "grant_type",
            match &self.grant_type {
                GrantType::ClientCredentials => "client_credentials",
                GrantType::Other(other) => other,
            },
        );
        let authorization = match method {
            AuthenticationMethod::Basic => Some(basic_value(client_id, client_secret)),
            AuthenticationMethod::Body => {
                form.append_pair("client_id", client_id.as_str());
                form.append_pair("client_secret", client_secret.expose());
                None
            }
        };
        if let Some(scope) = &self.scope {
            form.append_pair("scope", scope);
        }
        EncodedRequest {
            authorization,
            body: Secret::from(form.finish()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PresentedCredential;

    /// RFC 6749 section 4.4.2: the example request.
    #[test]
    fn the_rfc_example_is_read() {
        let form = Form::parse(b"grant_type=client_credentials").unwrap();
        assert_eq!(
            TokenRequest::from_form(&form).unwrap(),
            TokenRequest::client_credentials(None)
        );
    }

    #[test]
    fn what_is_printed_is_read_back_by_the_server() {
        let id = ClientId::parse("00cfff70-86ab-4f66-8245-1eb054639c38").unwrap();
        let secret = Secret::from("s:e/c+r&e=t%é".to_owned());
        for method in [AuthenticationMethod::Body, AuthenticationMethod::Basic] {
            let request = TokenRequest::client_credentials(Some("hpe-tenant".to_owned()));
            let encoded = request.encode(method, &id, &secret);
            let form = Form::parse(encoded.body.expose().as_bytes()).unwrap();
            assert_eq!(TokenRequest::from_form(&form).unwrap(), request);
            let headers = encoded
                .authorization
                .iter()
                .map(|value| value.expose().as_bytes());
            let presented = PresentedCredential::read(headers, &form).unwrap();
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
    fn a_missing_grant_is_invalid_and_a_strange_one_is_kept() {
        let form = Form::parse(b"grant_type=").unwrap();
        assert_eq!(
            TokenRequest::from_form(&form).unwrap_err().code(),
            "invalid_request"
        );
        let form = Form::parse(b"grant_type=password").unwrap();
        assert_eq!(
            TokenRequest::from_form(&form).unwrap().grant_type,
            GrantType::Other("password".to_owned())
        );
    }
}
