//! The body of a refusal, in the shape that the operation declares.
//!
//! The three keys `error`, `errorCode` and `traceId` satisfy every known client of the storage API
//! (domain.md 6.4) and most schemas. Where the declared schema objects, a body is made of it: the
//! words go where it has text, the code where it has a code. RFC 9457 section 3.1 has such members,
//! too.

use hallpass_openapi::{Definition, Operation};
use serde_json::{Map, Value, json};

/// What a refusal says.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) status: u16,
    pub(super) message: String,
    pub(super) code: &'static str,
    pub(super) trace: String,
}

/// Members that hold the words, in the order in which they are believed.
const WORDS: [&str; 8] = [
    "message",
    "detail",
    "error_description",
    "errorMessage",
    "description",
    "error",
    "msg",
    "reason",
];
const CODES: [&str; 4] = ["errorCode", "error_code", "code", "errorType"];
const STATUSES: [&str; 4] = ["status", "statusCode", "httpStatusCode", "httpStatus"];
const TRACES: [&str; 6] = [
    "traceId",
    "debugId",
    "requestId",
    "trace_id",
    "request_id",
    "correlationId",
];

impl Said {
    pub(super) fn body(&self, definition: &Definition, operation: &Operation) -> Value {
        let usual = json!({
            "error": self.message,
            "errorCode": self.code,
            "traceId": self.trace,
        });
        let Some(status) = self.declared(operation) else {
            return usual;
        };
        let fits = |body: &Value| {
            definition
                .check_response(operation, status, body)
                .is_empty()
        };
        if fits(&usual) && !is_other(definition, operation, status) {
            return usual;
        }
        let made = definition.example_answer(operation, status);
        match made.map(|made| self.told(made)).filter(|made| fits(made)) {
            Some(made) => made,
            None => usual,
        }
    }

    /// The status whose schema speaks for this refusal: its own, or that of another refusal of the
    /// operation when its own is not declared.
    fn declared(&self, operation: &Operation) -> Option<u16> {
        let responses = operation.responses();
        let own = self.status.to_string();
        let range = format!("{}XX", self.status / 100);
        let speaks =
            |name: &str| name == own || name.eq_ignore_ascii_case(&range) || name == "default";
        let mut with_schema = responses.iter().filter(|(_, schema)| schema.is_some());
        if with_schema.clone().any(|(name, _)| speaks(name)) {
            return Some(self.status);
        }
        with_schema.find_map(|(name, _)| name.parse().ok().filter(|status| *status >= 400))
    }

    /// An example of the declared shape with what is to be said in it.
    fn told(&self, made: Value) -> Value {
        match made {
            Value::Object(members) => Value::Object(self.members(members)),
            Value::Array(elements) => {
                let first = elements.into_iter().next();
                first
                    .map(|element| self.told(element))
                    .into_iter()
                    .collect()
            }
            Value::String(_) => Value::from(self.message.as_str()),
            other => other,
        }
    }

    fn members(&self, members: Map<String, Value>) -> Map<String, Value> {
        let words = WORDS
            .iter()
            .find(|name| members.get(**name).is_some_and(Value::is_string));
        let told = |(name, value): (String, Value)| {
            let name_is = |names: &[&str]| names.contains(&name.as_str());
            let value = match &value {
                _ if words.is_some_and(|word| *word == name) => Value::from(self.message.as_str()),
                Value::Object(_) | Value::Array(_) => self.told(value),
                Value::String(_) if name_is(&CODES) => Value::from(self.code),
                Value::String(_) if name_is(&TRACES) => Value::from(self.trace.as_str()),
                Value::String(_) if name == "title" => Value::from(self.title()),
                // RFC 9457 section 4.2.1: the status says it all.
                Value::String(_) if name == "type" => Value::from("about:blank"),
                Value::String(_) if name_is(&STATUSES) => Value::from(self.status.to_string()),
                Value::Number(_) if name_is(&STATUSES) || name == "code" => {
                    Value::from(self.status)
                }
                _ => value,
            };
            (name, value)
        };
        members.into_iter().map(told).collect()
    }

    fn title(&self) -> String {
        let status = http::StatusCode::from_u16(self.status).ok();
        let reason = status.and_then(|status| status.canonical_reason());
        reason.unwrap_or("Error").to_owned()
    }
}

/// Whether the schema has other members than the usual ones, but lets anything pass.
fn is_other(definition: &Definition, operation: &Operation, status: u16) -> bool {
    let made = definition.example_answer(operation, status);
    let members = made.as_ref().and_then(Value::as_object);
    members.is_some_and(|members| !members.is_empty() && !members.contains_key("error"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(schema: &str) -> Value {
        let text = format!(
            "openapi: 3.1.0\ninfo: {{title: t, version: '1'}}\npaths:\n  /a:\n    get:\n      responses:\n        \
             '404':\n          description: no\n          content:\n            application/json:\n              \
             schema: {schema}\n"
        );
        let definition = Definition::read(&text).unwrap().definition;
        let said = Said {
            status: 404,
            message: "there is none".to_owned(),
            code: "NOT_FOUND",
            trace: "t1".to_owned(),
        };
        said.body(&definition, &definition.operations()[0])
    }

    #[test]
    fn the_usual_three_members_are_said_where_they_fit() {
        let usual = json!({"error": "there is none", "errorCode": "NOT_FOUND", "traceId": "t1"});
        assert_eq!(said("{type: object}"), usual);
        assert_eq!(said("{properties: {error: {type: string}}}"), usual);
        // A schema is kept to even where it has no place for words.
        let number = said("{type: object, properties: {error: {type: integer}}}");
        assert_eq!(number, json!({"error": 1}));
    }

    #[test]
    fn another_shape_gets_the_words_and_the_code_where_it_has_them() {
        let shape = "{type: object, required: [code, message], properties: {code: {type: integer}, \
                     message: {type: string}, debugId: {type: string}}}";
        let wanted = json!({"code": 404, "message": "there is none", "debugId": "t1"});
        assert_eq!(said(shape), wanted);
        let nested = "{type: object, properties: {errors: {type: array, items: {type: object, \
                      properties: {code: {type: string}, detail: {type: string}}}}}}";
        let wanted = json!({"errors": [{"code": "NOT_FOUND", "detail": "there is none"}]});
        assert_eq!(said(nested), wanted);
    }
}
