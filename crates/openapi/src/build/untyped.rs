//! A request by method and path alone, for what no definition describes: names are parameters of the
//! query, or members of a JSON body where the method has one; values are strings unless they are
//! given as JSON.

use http::Method;

use crate::build::argument::Argument;
use crate::build::body::{Kind, essence};
use crate::build::json::Json;
use crate::build::mistake::{Mistake, RequestError};
use crate::build::put::put;
use crate::build::style::encode;
use crate::build::target::place;
use crate::build::typed::typed;
use crate::build::{header_value, is_json};
use crate::operation::Location;
use crate::request::{BuiltRequest, Values};

impl BuiltRequest {
    /// The request of a path, which is sent as it is written, with its query if it has one. `query.`,
    /// `header.`, `cookie.` and `body.` before a name say where it goes; without, values of POST, PUT
    /// and PATCH go into the body and those of other methods into the query.
    pub fn untyped(
        method: Method,
        path_and_query: &str,
        values: &Values,
    ) -> Result<Self, RequestError> {
        let mut request = Untyped {
            query: Vec::new(),
            headers: Vec::new(),
            cookies: Vec::new(),
            members: None,
            mistakes: Vec::new(),
        };
        let default = match method {
            Method::POST | Method::PUT | Method::PATCH => None,
            _ => Some(Location::Query),
        };
        for argument in &values.arguments {
            if let Err(mistake) = request.take(argument, default) {
                request.mistakes.push(mistake);
            }
        }
        let body = request.body(values);
        if let Some(error) = RequestError::of(request.mistakes) {
            return Err(error);
        }
        let mut path_and_query = path_and_query.to_owned();
        for pair in request.query {
            path_and_query.push(if path_and_query.contains('?') {
                '&'
            } else {
                '?'
            });
            path_and_query.push_str(&pair);
        }
        let mut headers = request.headers;
        if !request.cookies.is_empty() {
            headers.push(("cookie".to_owned(), request.cookies.join("; ")));
        }
        if let (Some(media_type), Some(_)) = (&values.media_type, &body) {
            headers.push(("content-type".to_owned(), media_type.clone()));
        }
        Ok(Self {
            method,
            path_and_query,
            headers,
            body,
        })
    }
}

struct Untyped {
    query: Vec<String>,
    headers: Vec<(String, String)>,
    cookies: Vec<String>,
    members: Option<Vec<(Vec<String>, Json, String)>>,
    mistakes: Vec<Mistake>,
}

impl Untyped {
    fn take(&mut self, argument: &Argument, default: Option<Location>) -> Result<(), Mistake> {
        let (location, steps) = match (place(&argument.steps()[0]), argument.steps()) {
            (Some(place), [_, rest @ ..]) if !rest.is_empty() => (place, rest),
            (_, steps) => (default, steps),
        };
        let name = argument.name();
        let value = typed(None, &argument.given, name)?;
        let whole = steps.join(".");
        match location {
            Some(Location::Query) => {
                self.query
                    .push(format!("{}={}", encode(&whole), encode(&value.plain())));
            }
            Some(Location::Header) => {
                self.headers
                    .push((whole, header_value(name, value.plain())?));
            }
            Some(Location::Cookie) => {
                self.cookies
                    .push(format!("{whole}={}", encode(&value.plain())));
            }
            // A path that is written out has no parameters: here it is a member of the body.
            Some(Location::Path) | None => {
                let steps = steps.to_vec();
                self.members
                    .get_or_insert_default()
                    .push((steps, value, name.to_owned()));
            }
        }
        Ok(())
    }

    fn body(&mut self, values: &Values) -> Option<Vec<u8>> {
        let media_type = values.media_type.as_deref().unwrap_or("application/json");
        if let Some(data) = &values.body
            && Kind::of(media_type) == Kind::Json
            && values.checked
            && let Err(reason) = is_json(data)
        {
            self.mistakes.push(Mistake::BodyIsNoJson { reason });
            return None;
        }
        let Some(members) = self.members.take() else {
            return values.body.clone();
        };
        if Kind::of(media_type) != Kind::Json {
            self.mistakes.push(Mistake::OpaqueBody {
                name: members
                    .first()
                    .map(|(.., name)| name.clone())
                    .unwrap_or_default(),
                media_type: essence(media_type),
            });
            return None;
        }
        let data = values.body.as_deref().unwrap_or(b"{}");
        let mut body = Json::raw(String::from_utf8_lossy(data).trim().to_owned());
        for (steps, value, name) in members {
            if let Err(mistake) = put(&mut body, None, &steps, value, &name) {
                self.mistakes.push(mistake);
            }
        }
        Some(body.to_string().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(
        method: Method,
        path: &str,
        arguments: &[&str],
        body: Option<&str>,
    ) -> Result<BuiltRequest, String> {
        let arguments = arguments
            .iter()
            .map(|text| Argument::parse(text, &mut |_| Err("no file".to_owned())).unwrap());
        let mut values = Values::new(arguments.collect());
        values.body = body.map(|text| text.as_bytes().to_vec());
        BuiltRequest::untyped(method, path, &values).map_err(|error| error.to_string())
    }

    #[test]
    fn the_method_says_where_values_go() {
        let get = build(
            Method::GET,
            "/a?b=1",
            &["c=d e", "c=2", "header.X-A=1"],
            None,
        )
        .unwrap();
        assert_eq!(get.path_and_query, "/a?b=1&c=d%20e&c=2");
        assert_eq!(get.headers, [("X-A".to_owned(), "1".to_owned())]);
        assert_eq!(get.body, None);
        let post = ["a.b=1", "c:=1.10", "query.d=2", "list.0=x"];
        let post = build(Method::POST, "/a", &post, None).unwrap();
        assert_eq!(post.path_and_query, "/a?d=2");
        assert_eq!(
            post.body.unwrap(),
            br#"{"a":{"b":"1"},"c":1.10,"list":["x"]}"#
        );
        let delete = build(Method::DELETE, "/a", &["body.x=1", "y=2"], None).unwrap();
        assert_eq!(
            (
                delete.path_and_query.as_str(),
                delete.body.unwrap().as_slice()
            ),
            ("/a?y=2", &br#"{"x":"1"}"#[..])
        );
    }

    #[test]
    fn a_whole_body_goes_out_as_it_is() {
        let body = "{ \"a\": 1.10 }\n";
        let put = build(Method::PUT, "/a", &[], Some(body)).unwrap();
        assert_eq!(put.body.unwrap(), body.as_bytes());
        let put = build(Method::PUT, "/a", &["b:=2"], Some(body)).unwrap();
        assert_eq!(put.body.unwrap(), br#"{"a":1.10,"b":2}"#);
        let error = build(Method::PUT, "/a", &[], Some("{")).unwrap_err();
        assert!(error.starts_with("the body is no JSON: "), "{error}");
        assert!(build(Method::PUT, "/a", &["b=1"], Some("[1]")).is_err());
    }
}
