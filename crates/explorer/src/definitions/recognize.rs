//! Telling what a text is that is no OpenAPI definition, so that the person learns what they picked.

use hallpass_openapi::ReadError;

/// What is wrong and what to do, in words.
pub(super) fn refusal(bytes: &[u8], error: &ReadError) -> (String, String) {
    let start = &bytes[..bytes.len().min(LOOKED_AT)];
    let start = String::from_utf8_lossy(start);
    let known = KNOWN.iter().find(|known| (known.is_it)(start.trim_start()));
    if let Some(known) = known {
        return (known.what.to_owned(), known.hint.to_owned());
    }
    let hint = error.hint.as_deref();
    let hint = hint.unwrap_or("correct the text there, and import it again");
    (error.to_string(), hint.to_owned())
}

struct Known {
    is_it: fn(&str) -> bool,
    what: &'static str,
    hint: &'static str,
}

const KNOWN: [Known; 7] = [
    Known {
        is_it: |text| text.contains("schema.getpostman.com") || text.contains("\"_postman_id\""),
        what: "this is a Postman collection, not an OpenAPI definition",
        hint: "import the definition that the collection was made from; the explorer makes the requests itself",
    },
    Known {
        is_it: |text| text.contains("\"_postman_variable_scope\""),
        what: "this is a Postman environment, not an OpenAPI definition",
        hint: "make an environment here and copy its variables",
    },
    Known {
        is_it: |text| {
            let start = text.get(..14).unwrap_or(text).to_ascii_lowercase();
            start.starts_with("<!doctype html") || start.starts_with("<html")
        },
        what: "this is a web page, not an OpenAPI definition",
        hint: "use the address behind “Download YAML” or “Download JSON” of that page",
    },
    Known {
        is_it: |text| text.starts_with('<'),
        what: "this is XML, not an OpenAPI definition",
        hint: "ask for the API's OpenAPI definition in YAML or JSON",
    },
    Known {
        is_it: |text| text.starts_with("#%RAML"),
        what: "this is a RAML definition, not OpenAPI",
        hint: "convert it to OpenAPI 3 first",
    },
    Known {
        is_it: |text| text.starts_with("asyncapi:") || text.contains("\"asyncapi\":"),
        what: "this is an AsyncAPI definition, not OpenAPI",
        hint: "the explorer sends HTTP requests; it needs an OpenAPI 3 definition",
    },
    Known {
        is_it: |text| text.starts_with("PK\u{3}\u{4}"),
        what: "this is a ZIP archive, not an OpenAPI definition",
        hint: "unpack it, and import the folder",
    },
];

/// How much of a text is looked at.
const LOOKED_AT: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_openapi::Definition;

    fn what(text: &str) -> String {
        let error = Definition::read(text).unwrap_err();
        refusal(text.as_bytes(), &error).0
    }

    #[test]
    fn other_files_are_named() {
        for (text, word) in [
            (
                r#"{"info": {"_postman_id": "1"}, "item": []}"#,
                "Postman collection",
            ),
            (
                r#"{"name": "e", "values": [], "_postman_variable_scope": "environment"}"#,
                "Postman environment",
            ),
            ("<!DOCTYPE html><p>", "web page"),
            ("<definitions/>", "XML"),
            ("#%RAML 1.0\ntitle: a", "RAML"),
            ("asyncapi: 2.0.0\n", "AsyncAPI"),
            ("swagger: '2.0'\n", "Swagger 2.0"),
            ("openapi: 3.0.3\na: [\n", "line 3"),
        ] {
            assert!(what(text).contains(word), "{text}: {}", what(text));
        }
    }
}
