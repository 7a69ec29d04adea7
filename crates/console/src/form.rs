//! A form that somebody signed in has sent from a page of ours: [`SignedForm`], which handlers ask
//! for as an argument. No handler sees one from another site, or without the session's form token.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use hallpass_oauth::Secret;
use hallpass_oauth::form::is_form;

use crate::Console;
use crate::page::PageRefusal;
use crate::same_site::began_elsewhere;
use crate::session::SignedIn;

/// Longest form read, in bytes.
const LONGEST_FORM: usize = 64 * 1024;

/// Most fields in a form: a list of permissions to tick is the longest.
const MOST_FIELDS: usize = 2_000;

/// The name of the hidden field with the session's form token.
pub(crate) const FORM_TOKEN: &str = "form_token";

/// The fields of a form. Any of them may be a secret, so all are kept as one.
pub(crate) struct Fields(Vec<(String, Secret)>);

/// A form and who has sent it.
pub(crate) struct SignedForm {
    /// Who.
    pub(crate) by: SignedIn,
    /// What.
    pub(crate) fields: Fields,
}

impl Fields {
    /// Reads a body; `None` if it is too long or has too many fields.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let fields: Vec<_> = form_urlencoded::parse(body)
            .take(MOST_FIELDS + 1)
            .map(|(name, value)| (name.into_owned(), Secret::from(value.into_owned())))
            .collect();
        (fields.len() <= MOST_FIELDS).then_some(Self(fields))
    }

    /// The text of a field, without spaces around it; empty when the form has none of that name.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.first(name).unwrap_or_default().trim()
    }

    /// A field that is a secret, exactly as it was typed.
    pub(crate) fn secret(&self, name: &str) -> Secret {
        Secret::from(self.first(name).unwrap_or_default().to_owned())
    }

    /// Whether a box was ticked, or a button of that name pressed.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    /// All fields of a name, for boxes that can be ticked together.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let fields = self.0.iter().filter(move |(known, _)| known == name);
        fields.map(|(_, value)| value.expose())
    }

    fn first(&self, name: &str) -> Option<&str> {
        let field = self.0.iter().find(|(known, _)| known == name);
        field.map(|(_, value)| value.expose())
    }
}

/// Reads the body of a form that anybody may have sent.
pub(crate) async fn read_fields(request: Request) -> Result<Fields, PageRefusal> {
    let (head, body) = request.into_parts();
    if began_elsewhere(&head) {
        return Err(PageRefusal::Elsewhere);
    }
    if !is_form_encoded(&head.headers) {
        return Err(PageRefusal::NoForm);
    }
    let bytes = to_bytes(body, LONGEST_FORM).await;
    let bytes = bytes.map_err(|_| PageRefusal::NoForm)?;
    Fields::parse(&bytes).ok_or(PageRefusal::NoForm)
}

impl FromRequest<Arc<Console>> for SignedForm {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Arc<Console>) -> Result<Self, Response> {
        let (mut head, body) = request.into_parts();
        let by = SignedIn::from_request_parts(&mut head, console).await?;
        let uri = head.uri.clone();
        let refuse = |refusal: PageRefusal| refusal.answer(&uri);
        let fields = read_fields(Request::from_parts(head, body)).await;
        let fields = fields.map_err(refuse)?;
        if console.is_form_token(&by, &fields.secret(FORM_TOKEN)) {
            Ok(Self { by, fields })
        } else {
            Err(refuse(PageRefusal::Elsewhere))
        }
    }
}

fn is_form_encoded(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE);
    kind.and_then(|value| value.to_str().ok())
        .is_some_and(is_form)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_are_trimmed_secrets_are_not_and_boxes_may_repeat() {
        let fields = Fields::parse(b"name=+a+b+&password=+x+&box=1&box=2&empty=").unwrap();
        assert_eq!(fields.text("name"), "a b");
        assert_eq!(fields.secret("password").expose(), " x ");
        assert_eq!(fields.all("box").collect::<Vec<_>>(), ["1", "2"]);
        assert!(fields.has("empty") && !fields.has("other"));
        assert_eq!(fields.text("other"), "");
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_refused(body: Vec<u8>) {
            if let Some(fields) = Fields::parse(&body) {
                prop_assert!(fields.0.len() <= MOST_FIELDS);
            }
        }
    }
}
