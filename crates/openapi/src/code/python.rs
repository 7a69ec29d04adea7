//! Python 3 with requests.

use super::text::{comments, form_encoded, four_or_eight_digits, indented, paragraph, quoted};
use super::{Access, CodeRequest, Language, Program, SecretPlace, SecretSource, TokenForm};

pub(super) fn literal(text: &str) -> String {
    quoted(text, four_or_eight_digits)
}

/// How a program gets a session that puts the token on its requests, instead of by a form of its
/// own: with a library that does it.
#[derive(Debug, Clone)]
pub struct Session {
    /// Lines of import, besides `os`, `sys` and `requests`.
    pub imports: Vec<String>,
    /// Lines that read the secret and make `session`.
    pub lines: Vec<String>,
}

/// The program with a session.
pub fn write_with_session(program: &Program, session: &Session) -> String {
    let imports = session.imports.join("\n") + "\n";
    let lines = session.lines.join("\n") + "\n";
    assembled(program, &imports, &lines, "session.request", "")
}

pub(super) fn write(program: &Program) -> String {
    let access = match &program.access {
        Access::None => String::new(),
        Access::Token(token) => format!("token = {}\n", literal(token)),
        Access::Variable(variable) => need("token", variable, "an access token", 3),
        Access::Form(form) => form_lines(form),
    };
    let (access, auth) = match program.authorization(Language::Python) {
        Some(before) => (
            format!("{access}\n\n{}", authorized(&before)),
            "    auth=authorized,\n",
        ),
        None => (
            access,
            "    auth=lambda request: request,  # nothing from .netrc\n",
        ),
    };
    let encodes = match &program.access {
        Access::Form(form) => matches!(form.secret, SecretPlace::EncodedBasic(_)),
        Access::None | Access::Token(_) | Access::Variable(_) => false,
    };
    let quote = if encodes {
        format!("{QUOTE}\n\n")
    } else {
        String::new()
    };
    assembled(
        program,
        &format!("{quote}import requests\n"),
        &access,
        "requests.request",
        auth,
    )
}

/// The import that [`encoded_basic`] needs: RFC 6749 section 2.3.1 has both parts form-encoded.
pub const QUOTE: &str = "from urllib.parse import quote_plus";

/// As a function, since `requests` would otherwise put what it finds in `.netrc` over the header.
fn authorized(before: &str) -> String {
    format!(
        "def authorized(request):
    request.headers[\"Authorization\"] = {before} + token
    return request

"
    )
}

fn assembled(program: &Program, imports: &str, access: &str, send: &str, auth: &str) -> String {
    // The first two lines are fixed: a comment there could name another encoding (PEP 263).
    format!(
        "#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\n{}import os\nimport sys\n\n{imports}\n{}{}{}",
        comments("#", &program.comments),
        paragraph(access.to_owned()),
        comments("#", &program.notes),
        request_lines(&program.request, send, auth),
    )
}

/// Lines that read the secret into `secret`, or end the program.
pub fn secret_lines(variable: &str) -> String {
    need("secret", variable, "the client secret", 2)
}

fn need(name: &str, variable: &str, what: &str, exit: u8) -> String {
    format!(
        "{name} = os.environ.get({variable_name})
if not {name}:
    print({words}, file=sys.stderr)
    sys.exit({exit})
",
        variable_name = literal(variable),
        words = literal(&format!("set {variable} to {what}")),
    )
}

fn form_lines(form: &TokenForm) -> String {
    let mut fields: Vec<String> = form
        .fields
        .iter()
        .map(|(name, value)| format!("({}, {}),", literal(name), literal(value)))
        .collect();
    let auth = match &form.secret {
        SecretPlace::Field(name) => {
            fields.push(format!("({}, secret),", literal(name)));
            "lambda request: request,  # nothing from .netrc".to_owned()
        }
        // As bytes, since `requests` would write a text in Latin-1.
        SecretPlace::Basic(user) => {
            format!("({}.encode(), secret.encode()),", literal(user))
        }
        SecretPlace::EncodedBasic(user) => encoded_basic(user) + ",",
    };
    format!(
        "{secret}
answer = requests.post(
    {url},
    data=[
{fields}    ],
    auth={auth}
    allow_redirects=False,
    timeout=60,
)
try:
    token = answer.json()[{member}]
except (ValueError, KeyError, TypeError):
    token = None
if answer.status_code != 200 or not token:
    print(\"no access token:\", answer.status_code, answer.text, file=sys.stderr)
    sys.exit(3)
",
        secret = match &form.secret_source {
            SecretSource::Variable(variable) => secret_lines(variable),
            SecretSource::Placeholder(word) => format!("secret = {}\n", literal(word)),
        },
        url = literal(&form.url),
        fields = indented(&fields.join("\n"), "        "),
        member = literal(&form.member),
    )
}

/// User name and password for `requests`, form-encoded; [`QUOTE`] must be imported.
pub fn encoded_basic(user: &str) -> String {
    format!("({}, quote_plus(secret))", literal(&form_encoded(user)))
}

fn request_lines(request: &CodeRequest, send: &str, auth: &str) -> String {
    let headers = request
        .headers
        .iter()
        .map(|(name, value)| format!("{}: {},", literal(name), literal(value)));
    let headers = indented(&headers.collect::<Vec<_>>().join("\n"), "        ");
    let body = request.body.as_ref().map_or_else(String::new, |body| {
        format!("    data={}.encode(\"utf-8\"),\n", literal(body))
    });
    format!(
        "response = {send}(
    {method},
    {url},
    headers={{
{headers}    }},
{body}{auth}    allow_redirects=False,
    timeout=60,
)
sys.stdout.buffer.write(response.content)
if not 200 <= response.status_code < 300:
    print(\"the API answered\", response.status_code, file=sys.stderr)
    sys.exit(1)
",
        method = literal(request.method.as_str()),
        url = literal(&request.url),
    )
}
