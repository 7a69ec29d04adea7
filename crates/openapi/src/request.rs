//! Building a request from an operation and values by name.
//!
//! Names of parameters go to the path, the query or a header; names of properties of the body go
//! into the body, typed by its schema. What the server thinks of the values is its own business.

use http::Method;
use serde_json::Value;
use thiserror::Error;

use crate::build::Builder;
use crate::definition::{Definition, Listed};
use crate::operation::Operation;

/// What a person or a program wants to send.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Values {
    /// `name=value`, in order; a name may come more than once.
    pub named: Vec<(String, String)>,
    /// The whole body. Named properties are put into it and win.
    pub body: Option<Value>,
}

/// A request that only lacks a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltRequest {
    /// The method.
    pub method: Method,
    /// The path, and the query if there is one.
    pub path_and_query: String,
    /// Header and cookie parameters; nothing else.
    pub headers: Vec<(String, String)>,
    /// The JSON body.
    pub body: Option<Vec<u8>>,
}

/// Why a request cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequestError {
    /// No parameter and no property of the body is called this.
    #[error(
        "{operation} takes no {name:?}{}{}",
        Listed("; similar names: ", near),
        Listed("; it takes: ", known)
    )]
    UnknownName {
        /// The operation.
        operation: String,
        /// The name given.
        name: String,
        /// Names that look like it.
        near: Vec<String>,
        /// All names that exist, parameters first.
        known: Vec<String>,
    },
    /// A parameter that must be given was not.
    #[error("{operation} needs {name:?}{}", Example(example.as_ref()))]
    MissingParameter {
        /// The operation.
        operation: String,
        /// The parameter.
        name: String,
        /// What it can look like.
        example: Option<String>,
    },
    /// The operation needs a body and got nothing for it.
    #[error(
        "{operation} needs a body{}{}",
        Listed("; its required properties: ", required),
        Example(example.as_ref())
    )]
    MissingBody {
        /// The operation.
        operation: String,
        /// Properties the body must have.
        required: Vec<String>,
        /// What the body can look like.
        example: Option<String>,
    },
    /// The operation takes no body.
    #[error("{operation} takes no body")]
    UnwantedBody {
        /// The operation.
        operation: String,
    },
    /// Properties were named for a body that is not an object.
    #[error("the body is not an object, so {name:?} cannot be put into it")]
    BodyIsNoObject {
        /// The first property named.
        name: String,
    },
    /// A value does not have the type its property has.
    #[error("{name:?} must be {expected}, not {value:?}")]
    WrongType {
        /// The property.
        name: String,
        /// The type, in words.
        expected: String,
        /// The value given.
        value: String,
    },
    /// A name that can have one value was given several.
    #[error("{name:?} is given more than once and can have one value only")]
    Repeated {
        /// The name.
        name: String,
    },
    /// A value that cannot stand in a path: empty, or a step up or nowhere, which every client
    /// and proxy on the way would remove (RFC 3986 section 5.2.4), percent-encoded or not.
    #[error(
        "{name:?} cannot be {value:?}: it is a segment of the path, which such a value would change"
    )]
    NoSegment {
        /// The parameter.
        name: String,
        /// The value given.
        value: String,
    },
    /// A value that cannot stand in a header.
    #[error("{name:?} is sent as a header and may hold visible characters and blanks only")]
    NoHeader {
        /// The parameter.
        name: String,
    },
}

impl Definition {
    /// Builds the request that `operation` describes.
    pub fn request(
        &self,
        operation: &Operation,
        values: &Values,
    ) -> Result<BuiltRequest, RequestError> {
        let builder = Builder::new(self.document(), operation, values)?;
        Ok(BuiltRequest {
            method: operation.method().clone(),
            path_and_query: builder.path()? + &builder.query(),
            headers: builder.headers()?,
            body: builder.body()?,
        })
    }
}

/// An example in brackets, or nothing.
struct Example<'a>(Option<&'a String>);

impl std::fmt::Display for Example<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0
            .map_or(Ok(()), |example| write!(f, " (for example {example})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Route;
    use crate::testing::{operation, small};
    use proptest::prelude::*;
    use serde_json::json;

    fn build(id: &str, named: &[(&str, &str)]) -> Result<BuiltRequest, RequestError> {
        build_with(id, named, None)
    }

    fn build_with(
        id: &str,
        named: &[(&str, &str)],
        body: Option<Value>,
    ) -> Result<BuiltRequest, RequestError> {
        let small = small();
        let named = named
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        small.request(operation(&small, id), &Values { named, body })
    }

    fn edit(named: &[(&str, &str)], body: Option<Value>) -> Result<Value, RequestError> {
        let path = [("systemId", "s"), ("volumeId", "v")];
        let request = build_with("EditVolume", &[&path, named].concat(), body)?;
        Ok(serde_json::from_slice(&request.body.unwrap()).unwrap())
    }

    #[test]
    fn paths_and_queries_are_encoded_completely() {
        let one = build("GetSystem", &[("id", "a/b c+ä~._-%")]).unwrap();
        assert_eq!(
            one.path_and_query,
            "/storage-systems/a%2Fb%20c%2B%C3%A4~._-%25"
        );
        assert_eq!((one.method, one.body), (Method::GET, None));
        let list = build(
            "ListSystems",
            &[
                ("filter", "name eq 'a&b'"),
                ("limit", "2"),
                ("filter", "x"),
                ("ids", "1,"),
                ("ids", "2"),
            ],
        );
        assert_eq!(
            list.unwrap().path_and_query,
            "/storage-systems?filter=name%20eq%20%27a%26b%27&limit=2&filter=x&ids=1%2C,2"
        );
    }

    #[test]
    fn headers_and_cookies_are_apart() {
        let named = [
            ("systemId", "s"),
            ("volumeId", "v"),
            ("name", "n"),
            ("X-Trace", "1 2"),
            ("session", "a;b"),
        ];
        let request = build("EditVolume", &named).unwrap();
        let headers = [("X-Trace", "1 2"), ("cookie", "session=a%3Bb")];
        assert_eq!(
            request.headers,
            headers.map(|(a, b)| (a.to_owned(), b.to_owned()))
        );
        let split = [
            ("systemId", "s"),
            ("volumeId", "v"),
            ("name", "n"),
            ("X-Trace", "1\r\nX: 2"),
        ];
        assert!(matches!(
            build("EditVolume", &split),
            Err(RequestError::NoHeader { .. })
        ));
    }

    #[test]
    fn properties_are_typed_by_the_schema() {
        let named = [
            ("name", "12"),
            ("sizeMib", "18446744073709551615"),
            ("ratio", "0.5"),
            ("dataReduction", "false"),
            ("hostGroupIds", "7"),
            ("counts", "1"),
            ("hostGroupIds", "8"),
            ("count", "3"),
            ("limits", "{\"most\": 4}"),
            ("either", "5"),
        ];
        assert_eq!(
            edit(&named, None).unwrap(),
            json!({
                "name": "12", "sizeMib": u64::MAX, "ratio": 0.5, "dataReduction": false,
                "hostGroupIds": ["7", "8"], "counts": [1], "count": 3, "limits": {"most": 4},
                "either": "5",
            })
        );
    }

    #[test]
    fn named_properties_win_over_the_body() {
        let body = json!({"name": "old", "mode": "THIN"});
        assert_eq!(
            edit(&[("name", "new")], Some(body)).unwrap(),
            json!({"name": "new", "mode": "THIN"})
        );
        assert!(matches!(
            edit(&[("name", "new")], Some(json!([1]))),
            Err(RequestError::BodyIsNoObject { .. })
        ));
        assert_eq!(
            build_with("StartHandover", &[], Some(json!(["a"])))
                .unwrap()
                .body
                .unwrap(),
            b"[\"a\"]"
        );
        assert_eq!(build("StartHandover", &[]).unwrap().body, None);
    }

    #[test]
    fn what_is_missing_is_named_with_its_example() {
        let missing = build("GetSystem", &[]).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "GetSystem needs \"id\" (for example 2M20)"
        );
        let body = edit(&[], None).unwrap_err();
        assert_eq!(
            body.to_string(),
            "EditVolume needs a body; its required properties: name, id"
        );
        assert!(matches!(
            build_with("Starthandover", &[], Some(json!({}))),
            Err(RequestError::UnwantedBody { .. })
        ));
    }

    #[test]
    fn unknown_names_are_refused_with_those_that_exist() {
        let error = build("ListSystems", &[("Limit", "1")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "ListSystems takes no \"Limit\"; similar names: limit; it takes: limit, filter, ids"
        );
    }

    #[test]
    fn wrong_values_are_refused() {
        let wrong = edit(&[("sizeMib", "1.5")], None).unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "\"sizeMib\" must be an integer, not \"1.5\""
        );
        assert!(matches!(
            edit(&[("counts", "1"), ("counts", "x")], None),
            Err(RequestError::WrongType { .. })
        ));
        assert!(matches!(
            edit(&[("name", "a"), ("name", "b")], None),
            Err(RequestError::Repeated { .. })
        ));
        assert!(matches!(
            build("GetSystem", &[("id", "a"), ("id", "b")]),
            Err(RequestError::Repeated { .. })
        ));
        for value in ["", ".", ".."] {
            let refused = build("GetSystem", &[("id", value)]);
            assert!(
                matches!(refused, Err(RequestError::NoSegment { .. })),
                "{value}"
            );
        }
    }

    proptest! {
        /// What is built is found again, with the same values.
        #[test]
        fn a_built_request_is_routed_back(system in "\\PC{1,12}", volume in ".{1,12}", which in 0..3_usize) {
            prop_assume!(![".", ".."].contains(&system.as_str()) && ![".", ".."].contains(&volume.as_str()));
            let small = small();
            let id = ["GetVolume", "getHostVolume", "removeHostVolume"][which];
            let operation = operation(&small, id);
            let names = operation.parameters().iter().map(|one| one.name.clone());
            let named: Vec<_> = names.zip([system, volume]).collect();
            let request =
                small.request(operation, &Values { named: named.clone(), body: None }).unwrap();
            prop_assert!(request.path_and_query.is_ascii());
            let route = small.routes().find(&request.method, &request.path_and_query);
            prop_assert_eq!(route, Route::Found { operation: operation.index(), path: named });
        }

        /// A query value cannot end its parameter, and decodes to itself without `+` for blanks.
        #[test]
        fn a_query_value_survives(filter in ".{0,20}") {
            let small = small();
            let values = Values { named: vec![("filter".into(), filter.clone())], body: None };
            let request = small.request(operation(&small, "ListSystems"), &values).unwrap();
            let encoded = request.path_and_query.strip_prefix("/storage-systems?filter=").unwrap();
            prop_assert!(!encoded.contains(['&', '+', '#', '=']));
            let decoded = percent_encoding::percent_decode_str(encoded).decode_utf8().unwrap();
            prop_assert_eq!(decoded, filter);
        }
    }
}
