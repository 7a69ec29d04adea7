//! `application/x-www-form-urlencoded` bodies under the rules of the token endpoint.
//!
//! RFC 6749 section 3.2: a parameter without a value counts as omitted, an unknown one is ignored,
//! and none may come twice. (A server that takes the first of two and a proxy that takes the last
//! can be played against each other.)

use std::borrow::Cow;

/// Most parameters in one form. The token endpoint knows fewer than twenty.
const MOST_PARAMETERS: usize = 100;

/// The parameters of a form, each at most once, none empty.
#[derive(Clone)]
pub struct Form<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// Whether a `Content-Type` names the media type of a form. Clients add parameters such as a
/// charset, so the type is compared, not the text.
pub fn is_form(content_type: &str) -> bool {
    is_media_type(content_type, "application/x-www-form-urlencoded")
}

/// Whether a `Content-Type` names that media type, whatever its parameters.
pub fn is_media_type(content_type: &str, media_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(media_type)
}

/// Why a form was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// RFC 6749 section 3.2.
    #[error("the parameter `{0}` comes more than once")]
    Repeated(String),
    /// More than [`MOST_PARAMETERS`].
    #[error("the body has more than {MOST_PARAMETERS} parameters")]
    TooMany,
}

impl<'a> Form<'a> {
    /// Reads a body.
    pub fn parse(body: &'a [u8]) -> Result<Self, FormError> {
        let mut parameters: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::new();
        for (name, value) in form_urlencoded::parse(body) {
            if parameters.iter().any(|(known, _)| *known == name) {
                return Err(FormError::Repeated(told(&name)));
            }
            if parameters.len() == MOST_PARAMETERS {
                return Err(FormError::TooMany);
            }
            parameters.push((name, value));
        }
        Ok(Self(parameters))
    }

    /// The value of a parameter; an empty one is absent.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, value)| known == name && !value.is_empty())
            .map(|(_, value)| value.as_ref())
    }
}

/// The name of a parameter as it may be repeated to the caller and in a log. Some send a secret where
/// the name belongs; the parameters there are have letters and underscores.
fn told(name: &str) -> String {
    let is_plain = name.len() <= 32 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if is_plain { name } else { "…" }.to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn empty_is_absent_unknown_is_ignored_and_twice_is_refused() {
        let form = Form::parse(b"grant_type=client_credentials&scope=&x=a+b%26c").unwrap();
        assert_eq!(form.value("grant_type"), Some("client_credentials"));
        assert_eq!(form.value("scope"), None);
        assert_eq!(form.value("x"), Some("a b&c"));
        assert_eq!(
            Form::parse(b"a=1&b=2&a=1").err(),
            Some(FormError::Repeated("a".to_owned()))
        );
        assert_eq!(
            Form::parse(b"a=&a=1").err(),
            Some(FormError::Repeated("a".to_owned()))
        );
        let secret = Form::parse(b"0123456789abcdef=1&0123456789abcdef=1").err();
        assert_eq!(secret, Some(FormError::Repeated("…".to_owned())));
    }

    #[test]
    fn parameters_of_the_media_type_do_not_count() {
        assert!(is_form("Application/X-WWW-Form-Urlencoded ; charset=utf-8"));
        assert!(!is_form("application/json") && !is_form(""));
    }

    #[test]
    fn the_number_of_parameters_is_bounded() {
        let body = |n: usize| {
            (0..n)
                .map(|i| format!("p{i}=1"))
                .collect::<Vec<_>>()
                .join("&")
        };
        assert!(Form::parse(body(MOST_PARAMETERS).as_bytes()).is_ok());
        assert_eq!(
            Form::parse(body(MOST_PARAMETERS + 1).as_bytes()).err(),
            Some(FormError::TooMany)
        );
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_refused_and_no_value_is_empty(body: Vec<u8>) {
            if let Ok(form) = Form::parse(&body) {
                for (name, value) in form_urlencoded::parse(&body) {
                    let expected = (!value.is_empty()).then_some(value.as_ref());
                    prop_assert_eq!(form.value(&name), expected);
                }
            }
        }
    }
}
