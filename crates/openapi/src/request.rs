//! Building a request from an operation and values by name.
//!
//! Names of parameters go to the path, the query, a header or a cookie; names of properties of the
//! body go into the body, typed by its schema. Everything is checked before anything is sent, unless
//! that is not wanted: then the server decides.

use http::Method;

use crate::build::argument::Argument;
use crate::build::mistake::RequestError;
use crate::definition::Definition;
use crate::operation::Operation;

/// What a person or a program wants to send.
#[derive(Debug, Clone)]
pub struct Values {
    /// `name=value`, in order; a name may come more than once.
    pub arguments: Vec<Argument>,
    /// The whole body, as it is to be sent. Arguments for the body are laid over it.
    pub body: Option<Vec<u8>>,
    /// The media type of the body; without it, the one that the operation names.
    pub media_type: Option<String>,
    /// Whether names and values must be those of the definition.
    pub checked: bool,
}

impl Values {
    /// These arguments, checked.
    pub fn new(arguments: Vec<Argument>) -> Self {
        Self {
            arguments,
            body: None,
            media_type: None,
            checked: true,
        }
    }

    /// Names and values in which no sign has a meaning.
    pub fn literal<'a>(values: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let values = values.into_iter();
        Self::new(
            values
                .map(|(name, value)| Argument::literal(name, value))
                .collect(),
        )
    }

    /// The same with a whole body.
    #[must_use]
    pub fn with_body(mut self, body: Option<Vec<u8>>) -> Self {
        self.body = body;
        self
    }

    /// The same, not checked against the definition.
    #[must_use]
    pub fn unchecked(mut self) -> Self {
        self.checked = false;
        self
    }
}

/// A request that only lacks a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltRequest {
    /// The method.
    pub method: Method,
    /// The path, and the query if there is one.
    pub path_and_query: String,
    /// Header and cookie parameters, and the content type of a body that is no plain JSON.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<Vec<u8>>,
}

impl Definition {
    /// Builds the request that `operation` describes, or says everything that is wrong with the
    /// values.
    pub fn request(
        &self,
        operation: &Operation,
        values: &Values,
    ) -> Result<BuiltRequest, RequestError> {
        crate::build::build(self, operation, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Route;
    use crate::build::mistake::Mistake;
    use crate::testing::{operation, small};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn build(id: &str, named: &[(&str, &str)]) -> Result<BuiltRequest, RequestError> {
        build_with(id, named, None)
    }

    fn build_with(
        id: &str,
        named: &[(&str, &str)],
        body: Option<Value>,
    ) -> Result<BuiltRequest, RequestError> {
        let small = small();
        let body = body.map(|body| body.to_string().into_bytes());
        let values = Values::literal(named.iter().copied()).with_body(body);
        small.request(operation(&small, id), &values)
    }

    fn only(error: RequestError) -> Mistake {
        let [mistake] = error.mistakes() else {
            panic!("{error}");
        };
        mistake.clone()
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
            "/storage-systems?filter=name%20eq%20%27a%26b%27&filter=x&limit=2&ids=1%2C,2"
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
            ("x-trace", "1\r\nX: 2"),
        ];
        let refused = only(build("EditVolume", &split).unwrap_err());
        assert!(matches!(refused, Mistake::NoHeader { .. }), "{refused}");
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
        let refused = edit(&[("name", "new")], Some(json!(7))).unwrap_err();
        assert!(
            refused.to_string().contains("no object and no list"),
            "{refused}"
        );
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
            "EditVolume needs a body; its required properties: name"
        );
        let unwanted = only(build_with("Starthandover", &[], Some(json!({}))).unwrap_err());
        assert!(
            matches!(unwanted, Mistake::UnwantedBody { .. }),
            "{unwanted}"
        );
    }

    #[test]
    fn parameters_are_checked_against_their_schemas() {
        let error = build("ListSystems", &[("limit", "-1")]).unwrap_err();
        assert_eq!(error.to_string(), "limit: must be at least 0, got -1");
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
    fn all_mistakes_are_told_at_once_and_name_their_argument() {
        let named = [
            ("volumeId", ".."),
            ("sizeMib", "1.5"),
            ("mode", "FUL"),
            ("nam", "x"),
            ("ratio", "2"),
        ];
        let error = build("EditVolume", &named).unwrap_err();
        let told = error.to_string();
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines[0], "7 mistakes:", "{told}");
        for expected in [
            "EditVolume takes no \"nam\"; similar names: name; it takes: systemId",
            "EditVolume needs \"systemId\"",
            "\"volumeId\" cannot be \"..\"",
            "\"sizeMib\" must be an integer, not \"1.5\"",
            "\"mode\" cannot be \"FUL\"; similar: FULL",
            "ratio: must be at most 1",
            "the body: `name` is missing",
        ] {
            assert!(
                lines
                    .iter()
                    .any(|line| line.starts_with(&format!("- {expected}"))),
                "{expected}: {told}"
            );
        }
        for (id, named) in [
            ("EditVolume", &[("name", "a"), ("name", "b")]),
            ("GetSystem", &[("id", "a"), ("id", "b")]),
        ] {
            let error = build(id, named).unwrap_err();
            assert!(
                error.to_string().contains("is given more than once"),
                "{error}"
            );
        }
        for value in ["", ".", ".."] {
            let refused = only(build("GetSystem", &[("id", value)]).unwrap_err());
            assert!(
                matches!(refused, Mistake::NoSegment { .. }),
                "{value}: {refused}"
            );
        }
    }

    const WIDE: &str = r"
openapi: 3.0.3
info: {title: Wide, version: '1', license: {name: MIT}, contact: {name: N}}
paths:
  /things/{id}:
    post:
      operationId: Make
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: kind, in: query, schema: {type: string, enum: [big, small]}}
        - {name: point, in: query, style: deepObject, explode: true, schema: {type: object, properties: {x: {type: integer}, y: {type: integer}}}}
        - {name: page.size, in: query, schema: {type: integer}}
        - {name: Authorization, in: header, required: true, schema: {type: string}}
      requestBody:
        content:
          application/json:
            schema:
              type: object
              properties:
                id: {type: string}
                amount: {type: number}
                note: {type: string, nullable: true}
                hosts: {type: array, items: {type: object, properties: {name: {type: string}, port: {type: integer}}}}
                labels: {type: object, additionalProperties: {type: integer}}
          application/x-www-form-urlencoded:
            schema: {type: object, required: [amount], properties: {amount: {type: number}}}
  /files:
    post:
      operationId: Upload
      requestBody:
        required: true
        content:
          multipart/form-data:
            schema:
              type: object
              required: [file]
              properties:
                file: {type: string, format: binary}
                note: {type: string}
    put:
      operationId: Replace
      requestBody: {content: {application/octet-stream: {schema: {type: string, format: binary}}}}
    patch:
      operationId: Change
      requestBody: {content: {application/merge-patch+json: {schema: {type: object}}}}
";

    fn make(id: &str, typed: &[&str], body: Option<&str>) -> Result<BuiltRequest, String> {
        let wide = Definition::read(WIDE).unwrap().definition;
        let parse = |text: &&str| {
            Argument::parse(text, &mut |file| Ok(format!("in {file}\n").into_bytes())).unwrap()
        };
        let values = Values::new(typed.iter().map(parse).collect());
        let values = values.with_body(body.map(|body| body.as_bytes().to_vec()));
        wide.request(operation(&wide, id), &values)
            .map_err(|error| error.to_string())
    }

    fn made(typed: &[&str]) -> (String, String) {
        let request = make("Make", typed, None).unwrap();
        (
            request.path_and_query,
            String::from_utf8(request.body.unwrap_or_default()).unwrap(),
        )
    }

    #[test]
    fn a_name_of_several_things_says_which() {
        let error = make("Make", &["id=1"], None).unwrap_err();
        assert_eq!(
            error,
            "\"id\" can mean several things; say which: path.id=, body.id="
        );
        let (path, body) = made(&["path.id=1", "body.id=2", "query.kind=big"]);
        assert_eq!(
            (path.as_str(), body.as_str()),
            ("/things/1?kind=big", r#"{"id":"2"}"#)
        );
        let error = make("Make", &["path.id=1", "query.kin=big"], None).unwrap_err();
        assert!(
            error.contains("query.kin") && error.contains("query.kind"),
            "{error}"
        );
        let error = make("Make", &["path.id=1", "Kind=big"], None).unwrap_err();
        assert!(error.contains("similar names: kind"), "{error}");
    }

    #[test]
    fn dots_lead_into_objects_and_lists() {
        let (path, body) = made(&[
            "path.id=1",
            "point.x=3",
            "point.y=4",
            "page.size=5",
            "hosts.0.name=a",
            "hosts.0.port=1",
            "hosts.1.name=b",
            "labels.any=7",
            "note=@file",
            "amount:=1.10",
        ]);
        assert_eq!(path, "/things/1?point%5Bx%5D=3&point%5By%5D=4&page.size=5");
        assert_eq!(
            body,
            r#"{"hosts":[{"name":"a","port":1},{"name":"b"}],"labels":{"any":7},"note":"in file","amount":1.10}"#
        );
        let error = make("Make", &["path.id=1", "hosts.0.nam=a"], None).unwrap_err();
        assert_eq!(
            error,
            "\"hosts.0\" takes no \"nam\"; similar names: name; it takes: name, port"
        );
        let error = make("Make", &["path.id=1", "note.x=a"], None).unwrap_err();
        assert!(
            error.contains("leads into \"note\" (a string or null)"),
            "{error}"
        );
        for typed in [["hosts.0.name=a", "hosts=[]"], ["amount=1", "amount=2"]] {
            let error = make("Make", &["path.id=1", typed[0], typed[1]], None).unwrap_err();
            assert!(error.contains("more than once"), "{error}");
        }
        assert_eq!(
            made(&["path.id=1", "body.undeclared=x", "note:=null"]).1,
            r#"{"undeclared":"x","note":null}"#
        );
    }

    #[test]
    fn a_whole_body_goes_out_byte_for_byte_until_something_is_laid_over_it() {
        let body = "{\"amount\": 1.10,  \"labels\": {\"a\": 12345678901234567890123}}\n";
        let whole = make("Make", &["path.id=1"], Some(body)).unwrap();
        assert_eq!(whole.body.unwrap(), body.as_bytes());
        let laid = make("Make", &["path.id=1", "note=x"], Some(body)).unwrap();
        assert_eq!(
            String::from_utf8(laid.body.unwrap()).unwrap(),
            r#"{"amount":1.10,"labels":{"a": 12345678901234567890123},"note":"x"}"#
        );
        let error = make("Make", &["path.id=1"], Some("{\"amount\": }")).unwrap_err();
        assert!(
            error.starts_with("the body is no JSON: ") && error.contains("column 12"),
            "{error}"
        );
        let error = make("Make", &["path.id=1"], Some("{\"amount\": \"x\"}")).unwrap_err();
        assert!(error.starts_with("amount: must be a number"), "{error}");
    }

    #[test]
    fn bodies_other_than_json_are_put_together_or_given_whole() {
        let kind = |request: &BuiltRequest| {
            request
                .headers
                .iter()
                .find(|(name, _)| name == "content-type")
                .cloned()
                .unwrap()
                .1
        };
        let upload = make("Upload", &["file=@a.bin", "note=@n"], None).unwrap();
        assert!(kind(&upload).starts_with("multipart/form-data; boundary="));
        let text = String::from_utf8(upload.body.unwrap()).unwrap();
        assert!(
            text.contains(
                "filename=\"a.bin\"\r\ncontent-type: application/octet-stream\r\n\r\nin a.bin\n\r\n"
            ),
            "{text}"
        );
        assert!(text.contains("name=\"note\"\r\n\r\nin n\r\n"), "{text}");
        assert_eq!(
            make("Upload", &["note=x"], None).unwrap_err(),
            "the body: `file` is missing"
        );
        assert!(
            make("Upload", &[], Some("x"))
                .unwrap_err()
                .contains("cannot be given whole")
        );
        let replace = make("Replace", &[], Some("bytes")).unwrap();
        assert_eq!(
            (kind(&replace).as_str(), replace.body.unwrap().as_slice()),
            ("application/octet-stream", &b"bytes"[..])
        );
        assert!(
            make("Replace", &["a=1"], None)
                .unwrap_err()
                .contains("is given whole, with --data @FILE")
        );
        let change = make("Change", &["a=1"], None).unwrap();
        assert_eq!(
            (kind(&change).as_str(), change.body.unwrap().as_slice()),
            ("application/merge-patch+json", &br#"{"a":"1"}"#[..])
        );
        let wide = Definition::read(WIDE).unwrap().definition;
        let mut values = Values::literal([("path.id", "x"), ("amount", "1.10")]);
        values.arguments[0] = Argument::placed("path", "id", "x");
        values.media_type = Some("application/x-www-form-urlencoded".to_owned());
        let form = wide.request(operation(&wide, "Make"), &values).unwrap();
        assert_eq!(form.body.unwrap(), b"amount=1.10");
        values.media_type = Some("text/csv".to_owned());
        let error = wide
            .request(operation(&wide, "Make"), &values)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("no body of text/csv; it takes: application/json"),
            "{error}"
        );
    }

    #[test]
    fn without_checks_the_server_decides() {
        let small = small();
        let send = |id: &str, named: &[(&str, &str)]| {
            let values = Values::literal(named.iter().copied()).unchecked();
            small.request(operation(&small, id), &values)
        };
        let list = send("ListSystems", &[("limit", "many"), ("unknown", "x y")]).unwrap();
        assert_eq!(
            list.path_and_query,
            "/storage-systems?unknown=x%20y&limit=many"
        );
        let edit = [
            ("systemId", "s"),
            ("volumeId", "v"),
            ("sizeMib", "big"),
            ("id", "i"),
            ("new", "1"),
        ];
        let edit = send("EditVolume", &edit).unwrap();
        assert_eq!(
            edit.body.unwrap(),
            br#"{"sizeMib":"big","id":"i","new":"1"}"#
        );
        let error = send("GetSystem", &[]).unwrap_err();
        assert!(!error.could_be_sent(), "{error}");
    }

    const STYLES: &str = r"
openapi: 3.0.3
info: {title: Styles, version: '1', license: {name: MIT}, contact: {name: N}}
paths:
  /things/{id}/{tag}:
    get:
      operationId: Look
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: tag, in: path, required: true, style: matrix, schema: {type: array, items: {type: string}}}
        - {name: many, in: query, schema: {type: array, items: {type: string}}}
        - {name: few, in: query, explode: false, schema: {type: array, items: {type: string}}}
        - {name: piped, in: query, style: pipeDelimited, schema: {type: array, items: {type: string}}}
        - {name: deep, in: query, style: deepObject, explode: true, schema: {type: object, additionalProperties: {type: string}}}
        - {name: json, in: query, content: {application/json: {schema: {type: object, additionalProperties: {type: string}}}}}
        - {name: loose, in: query, allowReserved: true, schema: {type: string}}
        - {name: X-List, in: header, schema: {type: array, items: {type: string}}}
";

    #[test]
    fn an_item_that_holds_its_separator_is_refused() {
        let definition = Definition::read(STYLES).unwrap().definition;
        let look = operation(&definition, "Look");
        for (name, value) in [("piped", "a|b"), ("X-List", "a,b")] {
            let values = Values::literal([("id", "1"), ("tag", "t"), (name, value)]);
            let refused = only(definition.request(look, &values).unwrap_err());
            assert!(matches!(refused, Mistake::TornItem { .. }), "{refused}");
        }
    }

    /// The query as a server reads it: pairs, decoded.
    fn pairs(query: &str) -> Vec<(String, String)> {
        let decode = |text: &str| {
            percent_encoding::percent_decode_str(text)
                .decode_utf8()
                .unwrap()
                .into_owned()
        };
        let pair = |pair: &str| {
            pair.split_once('=')
                .map(|(name, value)| (decode(name), decode(value)))
        };
        query.split('&').map(|one| pair(one).unwrap()).collect()
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
            let values = Values::literal(named.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            let request = small.request(operation, &values).unwrap();
            prop_assert!(request.path_and_query.is_ascii());
            let route = small.routes().find(&request.method, &request.path_and_query);
            prop_assert_eq!(route, Route::Found { operation: operation.index(), path: named });
        }

        /// A query value cannot end its parameter, and decodes to itself without `+` for blanks.
        #[test]
        fn a_query_value_survives(filter in ".{0,20}") {
            let small = small();
            let values = Values::literal([("filter", filter.as_str())]);
            let request = small.request(operation(&small, "ListSystems"), &values).unwrap();
            let encoded = request.path_and_query.strip_prefix("/storage-systems?filter=").unwrap();
            prop_assert!(!encoded.contains(['&', '+', '#', '=']));
            let decoded = percent_encoding::percent_decode_str(encoded).decode_utf8().unwrap();
            prop_assert_eq!(decoded, filter);
        }

        /// In every style a server that splits and decodes has the same values again.
        #[test]
        fn styles_are_read_back(
            id in "[^.].{0,8}", tags in proptest::collection::vec(".{1,6}", 1..3),
            list in proptest::collection::vec("[^|]{1,6}", 1..4), member in "[^.]{1,4}", loose in ".{0,12}",
        ) {
            let definition = Definition::read(STYLES).unwrap().definition;
            let look = operation(&definition, "Look");
            let mut values = Values::literal([("id", id.as_str()), ("loose", loose.as_str())]);
            values.arguments.extend(tags.iter().map(|tag| Argument::literal("tag", &json!([tag]).to_string())));
            for name in ["many", "few", "piped"] {
                // As JSON: an item that looks like a list of its own would be taken for several.
                values.arguments.push(Argument::literal(name, &json!(list).to_string()));
            }
            for name in ["deep", "json"] {
                values.arguments.push(Argument::literal(name, &json!({&member: &loose}).to_string()));
            }
            let request = definition.request(look, &values).unwrap();
            prop_assert!(request.path_and_query.is_ascii());
            let (path, query) = request.path_and_query.split_once('?').unwrap();
            let Route::Found { path, .. } = definition.routes().find(&request.method, path) else {
                panic!("{path}");
            };
            prop_assert_eq!(&path[0].1, &id);
            prop_assert_eq!(&path[1].1, &format!(";tag={}", tags.join(",")));
            let pairs = pairs(query);
            let of = |name: &str| -> Vec<String> {
                pairs.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect()
            };
            prop_assert_eq!(of("many"), list.clone());
            prop_assert_eq!(of("few"), vec![list.join(",")]);
            prop_assert_eq!(of("piped"), vec![list.join("|")]);
            prop_assert_eq!(of(&format!("deep[{member}]")), vec![loose.clone()]);
            prop_assert_eq!(of("loose"), vec![loose.clone()]);
            let json: Value = serde_json::from_str(&of("json")[0]).unwrap();
            prop_assert_eq!(json, json!({member: loose}));
        }
    }
}
