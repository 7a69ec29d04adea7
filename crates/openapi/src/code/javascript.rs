//! JavaScript for Node.js 18 and newer: `fetch` without packages, as a script or as a module.

use super::text::{braces, comments, form_encoded, indented, paragraph, quoted};
use super::{Access, Language, Program, SecretPlace, SecretSource, TokenForm};

pub(super) fn literal(text: &str) -> String {
    quoted(text, braces)
}

pub(super) fn write(program: &Program) -> String {
    let access = match &program.access {
        Access::None => String::new(),
        Access::Token(token) => format!("const token = {};\n", literal(token)),
        Access::Variable(variable) => need("token", variable, "an access token", 3),
        Access::Form(form) => form_lines(form),
    };
    let steps = format!(
        "{}{}{}",
        paragraph(access),
        comments("//", &program.notes),
        request_lines(program)
    );
    format!(
        "{}async function main() {{\n{}}}\n\n{END}",
        comments("//", &program.comments),
        indented(&steps, "  "),
    )
}

/// The exit code is set, not forced, so that everything that was written gets out.
const END: &str = "\
class Failure extends Error {
  constructor(exitCode, message) {
    super(message);
    this.exitCode = exitCode;
  }
}

main().catch((error) => {
  console.error(error instanceof Failure ? error.message : error);
  process.exitCode = error.exitCode || 4;
});
";

fn form_lines(form: &TokenForm) -> String {
    let mut fields: Vec<String> = form
        .fields
        .iter()
        .map(|(name, value)| format!("[{}, {}],", literal(name), literal(value)))
        .collect();
    let mut headers = String::new();
    match &form.secret {
        SecretPlace::Field(name) => fields.push(format!("[{}, secret],", literal(name))),
        SecretPlace::Basic(user) => headers = basic(user, "secret"),
        SecretPlace::EncodedBasic(user) => {
            let header = basic(&form_encoded(user), "encodeURIComponent(secret)");
            headers = format!("  // RFC 6749 section 2.3.1: both form-encoded\n{header}");
        }
    }
    format!(
        "{secret}const answer = await fetch({url}, {{
  method: \"POST\",
{headers}  body: new URLSearchParams([
{fields}  ]),
  redirect: \"manual\",
  signal: AbortSignal.timeout(60000),
}});
const text = await answer.text();
let token;
try {{
  token = JSON.parse(text)[{member}];
}} catch {{
  // Not JSON: there is no token in it.
}}
if (answer.status !== 200 || !token) {{
  throw new Failure(3, \"no access token: \" + answer.status + \" \" + text);
}}
",
        secret = secret_lines(&form.secret_source),
        url = literal(&form.url),
        fields = indented(&fields.join("\n"), "    "),
        member = literal(&form.member),
    )
}

fn basic(user: &str, password: &str) -> String {
    format!(
        "  headers: {{ Authorization: \"Basic \" + Buffer.from({} + \":\" + {password}).toString(\"base64\") }},\n",
        literal(user)
    )
}

fn secret_lines(source: &SecretSource) -> String {
    match source {
        SecretSource::Variable(variable) => need("secret", variable, "the client secret", 2),
        SecretSource::Placeholder(word) => format!("const secret = {};\n", literal(word)),
    }
}

fn need(name: &str, variable: &str, what: &str, exit: u8) -> String {
    format!(
        "const {name} = process.env[{variable_name}];
if (!{name}) {{
  throw new Failure({exit}, {words});
}}
",
        variable_name = literal(variable),
        words = literal(&format!("set {variable} to {what}")),
    )
}

fn request_lines(program: &Program) -> String {
    let request = &program.request;
    let authorization = program.authorization(Language::JavaScript);
    let authorization = authorization.map(|before| format!("Authorization: {before} + token,"));
    let typed = request.headers.iter();
    let typed = typed.map(|(name, value)| format!("{}: {},", literal(name), literal(value)));
    let headers = authorization.into_iter().chain(typed);
    let headers = indented(&headers.collect::<Vec<_>>().join("\n"), "    ");
    let body = request
        .body
        .as_ref()
        .map_or_else(String::new, |body| format!("  body: {},\n", literal(body)));
    format!(
        "const response = await fetch({url}, {{
  method: {method},
  headers: {{
{headers}  }},
{body}  redirect: \"manual\",
  signal: AbortSignal.timeout(60000),
}});
process.stdout.write(Buffer.from(await response.arrayBuffer()));
if (!response.ok) {{
  throw new Failure(1, \"the API answered \" + response.status);
}}
",
        method = literal(request.method.as_str()),
        url = literal(&request.url),
    )
}
