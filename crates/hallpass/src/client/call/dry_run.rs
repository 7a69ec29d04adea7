//! A request as it would be sent, for people and as JSON.

use std::fmt::Write as _;

use hallpass_client::Preview;
use serde_json::{Value, json};

use crate::command::CommandError;
use crate::output;

/// Prints it.
pub(crate) fn print(preview: &Preview, json: bool) -> Result<(), CommandError> {
    if json {
        output::data(&format!("{:#}", as_json(preview)))
    } else {
        text(preview)
    }
}

/// The body as it is, so that it can be taken out of the output byte for byte.
fn text(preview: &Preview) -> Result<(), CommandError> {
    let mut text = format!("{} {}\n", preview.method, preview.url);
    for (name, value) in &preview.headers {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name}: {}", output::printable(value));
    }
    let mut bytes = text.into_bytes();
    if let Some(body) = &preview.body {
        bytes.push(b'\n');
        bytes.extend(body);
        if !body.ends_with(b"\n") {
            bytes.push(b'\n');
        }
    }
    output::bytes(&bytes)
}

/// `body` is a text, so that numbers in it stay as they are; null when there is none or it is bytes,
/// which `bodyBytes` counts.
fn as_json(preview: &Preview) -> Value {
    let body = preview.body.as_deref();
    let headers = preview.headers.iter();
    json!({
        "method": preview.method.as_str(),
        "url": preview.url,
        "headers": headers
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect::<Vec<_>>(),
        "body": body.and_then(|body| std::str::from_utf8(body).ok()),
        "bodyBytes": body.map_or(0, <[u8]>::len),
    })
}
