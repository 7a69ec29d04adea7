//! Token introspection (RFC 7662): a protected resource asks the authorization server about a
//! token.
//!
//! Who may ask about which token is decided elsewhere. Whoever may not is answered
//! [`IntrospectionResponse::Inactive`], which says nothing beyond that (section 2.2; section 4 on
//! probing).

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

use crate::form::Form;
use crate::revocation::{TokenTypeHint, encode_token, read_token};
use crate::token_error::TokenError;
use crate::token_request::{ClientCredential, EncodedRequest};
use crate::{ScopeSet, Secret, numeric_date};

/// The question (RFC 7662 section 2.1).
#[derive(Debug, Clone)]
pub struct IntrospectionRequest {
    /// The token. It may be anything.
    pub token: Secret,
    /// What the resource takes it for; an unknown word counts as none.
    pub token_type_hint: Option<TokenTypeHint>,
}

/// The answer (RFC 7662 section 2.2).
#[derive(Debug, Clone, PartialEq)]
pub enum IntrospectionResponse {
    /// The token is good for nothing, or none of the asker's business.
    Inactive,
    /// The token is good at this moment.
    Active(Box<ActiveToken>),
}

/// What is told about an active token; the fields are in the order of writing. RFC 7662 section
/// 2.2 makes every one optional, and servers differ in what they tell.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ActiveToken {
    /// The scope it carries; an empty one is not written.
    #[serde(
        default,
        skip_serializing_if = "ScopeSet::is_empty",
        serialize_with = "print_scope",
        deserialize_with = "read_scope"
    )]
    pub scope: ScopeSet,
    /// The client it was issued to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The resource owner's name, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// `Bearer` (RFC 6749 section 5.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
    /// When it dies, seconds since 1970.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "numeric_date::optional"
    )]
    pub exp: Option<i64>,
    /// When it was issued, seconds since 1970.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "numeric_date::optional"
    )]
    pub iat: Option<i64>,
    /// When it begins, seconds since 1970.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "numeric_date::optional"
    )]
    pub nbf: Option<i64>,
    /// Whom it speaks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// Whom it is for; one is written as a string, several as a list.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        serialize_with = "print_audience",
        deserialize_with = "read_audience"
    )]
    pub aud: Vec<String>,
    /// Who issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// Its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// Members that RFC 7662 does not name, in order. One that has the name of a member above is
    /// not written: a JSON object with one name twice means different things to different readers.
    #[serde(
        flatten,
        serialize_with = "print_extensions",
        deserialize_with = "read_extensions"
    )]
    pub extensions: Vec<(String, Value)>,
}

/// An answer that is no introspection response.
#[derive(Debug, thiserror::Error)]
#[error("the introspection answer is no JSON object with `active` and well-formed members")]
pub struct InvalidIntrospection(#[source] serde_json::Error);

/// The member names that are not extensions.
const REGISTERED: [&str; 12] = [
    "active",
    "scope",
    "client_id",
    "username",
    "token_type",
    "exp",
    "iat",
    "nbf",
    "sub",
    "aud",
    "iss",
    "jti",
];

#[derive(Serialize)]
struct Printed<'a> {
    active: bool,
    #[serde(flatten)]
    token: Option<&'a ActiveToken>,
}

#[derive(Deserialize)]
struct Standing {
    active: bool,
}

impl IntrospectionRequest {
    /// Reads the question out of the form.
    pub fn from_form(form: &Form<'_>) -> Result<Self, TokenError> {
        let (token, token_type_hint) = read_token(form)?;
        Ok(Self {
            token,
            token_type_hint,
        })
    }

    /// Prints the question.
    pub fn encode(&self, credential: &ClientCredential<'_>) -> EncodedRequest {
        encode_token(&self.token, self.token_type_hint, credential)
    }
}

impl IntrospectionResponse {
    /// Prints the answer.
    pub fn to_json(&self) -> String {
        let token = match self {
            Self::Inactive => None,
            Self::Active(token) => Some(token.as_ref()),
        };
        let active = token.is_some();
        serde_json::to_string(&Printed { active, token }).unwrap_or_default()
    }

    /// Reads an answer. What stands beside `"active":false` is not looked at.
    pub fn parse(body: &[u8]) -> Result<Self, InvalidIntrospection> {
        let standing: Standing = serde_json::from_slice(body).map_err(InvalidIntrospection)?;
        if !standing.active {
            return Ok(Self::Inactive);
        }
        serde_json::from_slice(body)
            .map(|token| Self::Active(Box::new(token)))
            .map_err(InvalidIntrospection)
    }
}

fn print_scope<S: Serializer>(scope: &ScopeSet, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(scope)
}

fn read_scope<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ScopeSet, D::Error> {
    ScopeSet::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}

fn print_audience<S: Serializer>(audience: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    match audience {
        [one] => serializer.serialize_str(one),
        several => several.serialize(serializer),
    }
}

fn read_audience<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(audience) => vec![audience],
        OneOrMany::Many(audiences) => audiences,
    })
}

fn print_extensions<S: Serializer>(
    extensions: &[(String, Value)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut members = Map::new();
    for (name, value) in extensions {
        if !REGISTERED.contains(&name.as_str()) {
            members.insert(name.clone(), value.clone());
        }
    }
    members.serialize(serializer)
}

fn read_extensions<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<(String, Value)>, D::Error> {
    let members = Map::deserialize(deserializer)?.into_iter();
    Ok(members.filter(|(name, _)| name != "active").collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// RFC 7662 section 2.2: the example answer.
    const EXAMPLE: &str = r#"{
        "active": true,
        "client_id": "l238j323ds-23ij4",
        "username": "jdoe",
        "scope": "read write dolphin",
        "sub": "Z5O3upPC88QrAjx00dis",
        "aud": "https://protected.example.net/resource",
        "iss": "https://server.example.com/",
        "exp": 1419356238,
        "iat": 1419350238,
        "extension_field": "twenty-seven"
    }"#;

    fn active(body: &str) -> ActiveToken {
        match IntrospectionResponse::parse(body.as_bytes()).unwrap() {
            IntrospectionResponse::Active(token) => *token,
            IntrospectionResponse::Inactive => panic!("inactive"),
        }
    }

    #[test]
    fn rfc7662_2_1_the_examples_are_read_and_the_token_is_required() {
        let read =
            |body: &str| IntrospectionRequest::from_form(&Form::parse(body.as_bytes()).unwrap());
        let request = read("token=mF_9.B5f-4.1JqM&token_type_hint=access_token").unwrap();
        assert_eq!(request.token.expose(), "mF_9.B5f-4.1JqM");
        assert_eq!(request.token_type_hint, Some(TokenTypeHint::AccessToken));
        assert_eq!(
            request.encode(&ClientCredential::None).body.expose(),
            "token=mF_9.B5f-4.1JqM&token_type_hint=access_token"
        );
        assert_eq!(
            read("token=2YotnFZFEjr1zCsicMWpAA&token_type_hint=pat")
                .unwrap()
                .token_type_hint,
            None
        );
        assert_eq!(read("token=").unwrap_err().code(), "invalid_request");
    }

    #[test]
    fn rfc7662_2_2_the_example_is_read() {
        let token = active(EXAMPLE);
        assert_eq!(token.client_id.as_deref(), Some("l238j323ds-23ij4"));
        assert_eq!(token.username.as_deref(), Some("jdoe"));
        assert_eq!(token.scope.to_string(), "read write dolphin");
        assert_eq!(token.sub.as_deref(), Some("Z5O3upPC88QrAjx00dis"));
        assert_eq!(token.aud, ["https://protected.example.net/resource"]);
        assert_eq!(token.iss.as_deref(), Some("https://server.example.com/"));
        assert_eq!(
            (token.exp, token.iat),
            (Some(1_419_356_238), Some(1_419_350_238))
        );
        assert_eq!((token.nbf, token.jti, token.token_type), (None, None, None));
        assert_eq!(
            token.extensions,
            [("extension_field".to_owned(), json!("twenty-seven"))]
        );
    }

    #[test]
    fn rfc7662_2_2_an_inactive_token_is_told_nothing_about() {
        assert_eq!(
            IntrospectionResponse::Inactive.to_json(),
            r#"{"active":false}"#
        );
        let more = EXAMPLE.replace("true", "false");
        for body in [r#"{"active": false}"#, &more] {
            let read = IntrospectionResponse::parse(body.as_bytes()).unwrap();
            assert_eq!(read, IntrospectionResponse::Inactive);
        }
    }

    #[test]
    fn an_active_token_is_printed_in_a_fixed_order_with_its_extensions_last() {
        let token = ActiveToken {
            scope: ScopeSet::parse("b a").unwrap(),
            client_id: Some("c".to_owned()),
            token_type: Some("Bearer".to_owned()),
            exp: Some(2),
            iat: Some(1),
            sub: Some("ann@example.com".to_owned()),
            aud: vec!["external_api".to_owned()],
            iss: Some("https://i".to_owned()),
            jti: Some("j".to_owned()),
            extensions: vec![
                ("user_ctx".to_owned(), json!("u")),
                ("a".to_owned(), json!(1)),
            ],
            ..ActiveToken::default()
        };
        let printed = IntrospectionResponse::Active(Box::new(token.clone())).to_json();
        assert_eq!(
            printed,
            r#"{"active":true,"scope":"b a","client_id":"c","token_type":"Bearer","exp":2,"iat":1,"sub":"ann@example.com","aud":"external_api","iss":"https://i","jti":"j","user_ctx":"u","a":1}"#
        );
        assert_eq!(active(&printed), token);
    }

    #[test]
    fn an_extension_never_speaks_for_a_registered_member() {
        for name in REGISTERED {
            let token = ActiveToken {
                extensions: vec![(name.to_owned(), json!(false))],
                ..ActiveToken::default()
            };
            let printed = IntrospectionResponse::Active(Box::new(token)).to_json();
            assert_eq!(printed, r#"{"active":true}"#, "{name}");
        }
    }

    #[test]
    fn answers_that_could_be_read_in_two_ways_are_refused() {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"active":"true"}"#,
            r#"{"active":1}"#,
            r#"{"active":true,"active":false}"#,
            r#"{"active":true,"exp":"1419356238"}"#,
            r#"{"active":true,"exp":1,"exp":2}"#,
            r#"{"active":true,"scope":"a\"b"}"#,
            r#"{"active":true,"aud":{}}"#,
        ] {
            assert!(
                IntrospectionResponse::parse(body.as_bytes()).is_err(),
                "{body}"
            );
        }
        let several = active(r#"{"active":true,"aud":["a","b"]}"#);
        assert_eq!(several.aud, ["a", "b"]);
        let printed = IntrospectionResponse::Active(Box::new(several)).to_json();
        assert_eq!(printed, r#"{"active":true,"aud":["a","b"]}"#);
    }

    proptest! {
        #[test]
        fn any_answer_is_read_or_refused(body: Vec<u8>) {
            let _ = IntrospectionResponse::parse(&body);
        }

        #[test]
        fn what_is_printed_is_read_back(
            sub in proptest::option::of(".{0,20}"),
            exp: Option<i64>,
            aud in proptest::collection::vec(".{0,10}", 0..3),
            name in "[a-z]{1,8}",
            value in ".{0,10}",
        ) {
            prop_assume!(!REGISTERED.contains(&name.as_str()));
            let token = ActiveToken {
                sub, exp, aud, extensions: vec![(name, json!(value))], ..ActiveToken::default()
            };
            let answer = IntrospectionResponse::Active(Box::new(token));
            let back = IntrospectionResponse::parse(answer.to_json().as_bytes()).unwrap();
            prop_assert_eq!(back, answer);
        }
    }
}
