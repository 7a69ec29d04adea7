//! The revocation request (RFC 7009 section 2.1), which has the form of an introspection request.
//!
//! The answer has no body: status 200 whether or not the token was known (section 2.2), or a
//! [`TokenError`]. Which tokens a client may revoke is decided elsewhere.

use form_urlencoded::Serializer;

use crate::Secret;
use crate::form::Form;
use crate::token_error::TokenError;
use crate::token_request::{ClientCredential, EncodedRequest};

/// A client's wish that a token be good for nothing any more.
#[derive(Debug, Clone)]
pub struct RevocationRequest {
    /// The token. It may be anything: what it is, is for the server to find out.
    pub token: Secret,
    /// What the client takes it for.
    pub token_type_hint: Option<TokenTypeHint>,
}

/// RFC 7009 section 2.1: it only helps the server to look in the right place first, so a wrong
/// one changes nothing and an unknown one counts as none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenTypeHint {
    /// An access token.
    AccessToken,
    /// A refresh token; this server issues none.
    RefreshToken,
}

impl TokenTypeHint {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::RefreshToken => "refresh_token",
        }
    }

    fn read(form: &Form<'_>) -> Option<Self> {
        let word = form.value("token_type_hint")?;
        [Self::AccessToken, Self::RefreshToken]
            .into_iter()
            .find(|known| known.as_str() == word)
    }
}

impl RevocationRequest {
    /// Reads the request out of the form.
    pub fn from_form(form: &Form<'_>) -> Result<Self, TokenError> {
        let (token, token_type_hint) = read_token(form)?;
        Ok(Self {
            token,
            token_type_hint,
        })
    }

    /// Prints the request.
    pub fn encode(&self, credential: &ClientCredential<'_>) -> EncodedRequest {
        encode_token(&self.token, self.token_type_hint, credential)
    }
}

/// The two parameters that revocation and introspection (RFC 7662 section 2.1) share.
pub(crate) fn read_token(form: &Form<'_>) -> Result<(Secret, Option<TokenTypeHint>), TokenError> {
    let token = form
        .value("token")
        .ok_or_else(|| TokenError::invalid_request("token is missing"))?;
    Ok((Secret::from(token.to_owned()), TokenTypeHint::read(form)))
}

/// The printing half of [`read_token`].
pub(crate) fn encode_token(
    token: &Secret,
    hint: Option<TokenTypeHint>,
    credential: &ClientCredential<'_>,
) -> EncodedRequest {
    let mut form = Serializer::new(String::new());
    form.append_pair("token", token.expose());
    if let Some(hint) = hint {
        form.append_pair("token_type_hint", hint.as_str());
    }
    let authorization = credential.write(&mut form);
    EncodedRequest {
        authorization,
        body: Secret::from(form.finish()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ClientId;
    use crate::token_request::AuthenticationMethod;

    fn read(body: &str) -> Result<RevocationRequest, TokenError> {
        RevocationRequest::from_form(&Form::parse(body.as_bytes()).unwrap())
    }

    #[test]
    fn rfc7009_2_1_the_example_is_read() {
        let request = read("token=45ghiukldjahdnhzdauz&token_type_hint=refresh_token").unwrap();
        assert_eq!(request.token.expose(), "45ghiukldjahdnhzdauz");
        assert_eq!(request.token_type_hint, Some(TokenTypeHint::RefreshToken));
    }

    #[test]
    fn rfc7009_2_1_the_example_is_printed() {
        let id = ClientId::parse("s6BhdRkqt3").unwrap();
        let secret = Secret::from("gX1fBat3bV".to_owned());
        let encoded = read("token=45ghiukldjahdnhzdauz&token_type_hint=refresh_token")
            .unwrap()
            .encode(&ClientCredential::Secret {
                method: AuthenticationMethod::Basic,
                client_id: &id,
                client_secret: &secret,
            });
        assert_eq!(
            encoded.body.expose(),
            "token=45ghiukldjahdnhzdauz&token_type_hint=refresh_token"
        );
        assert_eq!(
            encoded.authorization.unwrap().expose(),
            "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW"
        );
    }

    #[test]
    fn rfc7009_2_1_the_token_is_required() {
        for body in ["", "token=", "token_type_hint=access_token"] {
            let error = read(body).unwrap_err();
            assert_eq!(error.code(), "invalid_request", "{body}");
            assert_eq!(error.description(), "token is missing");
        }
    }

    #[test]
    fn rfc7009_2_1_an_unknown_token_type_hint_is_ignored() {
        for hint in ["bogus", "ACCESS_TOKEN", "urn:x"] {
            let request = read(&format!("token=t&token_type_hint={hint}")).unwrap();
            assert_eq!(request.token_type_hint, None, "{hint}");
        }
        let request = read("token=t&token_type_hint=access_token").unwrap();
        assert_eq!(request.token_type_hint, Some(TokenTypeHint::AccessToken));
    }

    proptest! {
        #[test]
        fn any_token_survives_the_wire(token in ".{1,60}", hinted: bool) {
            let request = RevocationRequest {
                token: Secret::from(token.clone()),
                token_type_hint: hinted.then_some(TokenTypeHint::AccessToken),
            };
            let encoded = request.encode(&ClientCredential::None);
            let back = read(encoded.body.expose()).unwrap();
            prop_assert_eq!(back.token.expose(), &token);
            prop_assert_eq!(back.token_type_hint, request.token_type_hint);
        }

        #[test]
        fn any_form_is_read_or_refused(body: Vec<u8>) {
            if let Ok(form) = Form::parse(&body) {
                let expected = form.value("token").map(str::to_owned);
                let read = RevocationRequest::from_form(&form).ok();
                prop_assert_eq!(read.map(|r| r.token.expose().to_owned()), expected);
            }
        }
    }
}
