//! Rust with reqwest and serde_json.

use super::text::{braces, comments, form_encoded, indented, lines, quoted};
use super::{Access, Language, Program, SecretPlace, SecretSource, TokenForm};

pub(super) fn literal(text: &str) -> String {
    quoted(text, braces)
}

pub(super) fn write(program: &Program) -> String {
    let (token, function) = match &program.access {
        Access::None => (String::new(), String::new()),
        Access::Token(token) => (format!("let token = {};\n", literal(token)), String::new()),
        Access::Variable(variable) => {
            (need("token", variable, "an access token", 3), String::new())
        }
        Access::Form(form) => {
            let call = "let token = access_token(&client)?;\n".to_owned();
            (call, form_function(form))
        }
    };
    let steps = format!(
        "{CLIENT}{token}\n{}{}",
        comments("//", &program.notes),
        request_lines(program)
    );
    format!(
        "{}{USES}fn main() -> Result<(), Box<dyn std::error::Error>> {{\n{}}}\n{function}{FAIL}",
        comments("//", &program.comments),
        indented(&steps, "    "),
    )
}

const USES: &str = "
use std::io::Write as _;

use reqwest::blocking::Client;
use reqwest::redirect::Policy;

";

const CLIENT: &str = "\
let client = Client::builder().redirect(Policy::none()).build()?;
";

/// The standard library has nothing that does it.
const ENCODING: &str = "
// RFC 6749 section 2.3.1: user name and password are form-encoded.
fn form_encoded(text: &str) -> String {
    let as_it_is = |byte: u8| byte.is_ascii_alphanumeric() || b\"-._\".contains(&byte);
    let encoded = |byte: u8| match byte {
        _ if as_it_is(byte) => char::from(byte).to_string(),
        _ => format!(\"%{byte:02X}\"),
    };
    text.bytes().map(encoded).collect()
}
";

const FAIL: &str = "
fn fail(status: i32, words: &str) -> ! {
    eprintln!(\"{words}\");
    std::process::exit(status)
}
";

fn need(name: &str, variable: &str, what: &str, exit: u8) -> String {
    format!(
        "let {name} = std::{module}::var({variable_name}).unwrap_or_default();
if {name}.is_empty() {{
    fail({exit}, {words});
}}
",
        // Apart, so that nobody takes the program's words for this crate's own.
        module = "env",
        variable_name = literal(variable),
        words = literal(&format!("set {variable} to {what}")),
    )
}

fn form_function(form: &TokenForm) -> String {
    let fields = form.fields.iter();
    let fields = fields.map(|(name, value)| (literal(name), literal(value)));
    let mut fields: Vec<(String, String)> = fields.collect();
    let (mut basic, mut encoding) = (String::new(), "");
    match &form.secret {
        SecretPlace::Field(name) => fields.push((literal(name), "secret.as_str()".to_owned())),
        SecretPlace::Basic(user) => {
            basic = format!("        .basic_auth({}, Some(&secret))\n", literal(user));
        }
        SecretPlace::EncodedBasic(user) => {
            basic = format!(
                "        .basic_auth({}, Some(form_encoded(&secret)))\n",
                literal(&form_encoded(user))
            );
            encoding = ENCODING;
        }
    }
    let fields = lines(&fields, |(name, value)| {
        format!("        ({name}, {value}),")
    });
    format!(
        "
fn access_token(client: &Client) -> Result<String, Box<dyn std::error::Error>> {{
{secret}    let form = [
{fields}    ];
    let answer = client
        .post({url})
{basic}        .form(&form)
        .send()?;
    let status = answer.status();
    let text = answer.text()?;
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    match answer[{member}].as_str() {{
        Some(token) if status == 200 => Ok(token.to_owned()),
        _ => fail(3, &format!(\"no access token: {{status}} {{text}}\")),
    }}
}}
{encoding}",
        secret = indented(&secret_lines(&form.secret_source), "    "),
        url = literal(&form.url),
        member = literal(&form.member),
    )
}

fn secret_lines(source: &SecretSource) -> String {
    match source {
        SecretSource::Variable(variable) => need("secret", variable, "the client secret", 2),
        SecretSource::Placeholder(word) => {
            format!("let secret = {}.to_owned();\n", literal(word))
        }
    }
}

fn request_lines(program: &Program) -> String {
    let request = &program.request;
    let authorization = program.authorization(Language::Rust);
    let authorization = lines(authorization, |before| {
        format!("    .header(\"Authorization\", {before}.to_owned() + &token)")
    });
    let headers = lines(&request.headers, |(name, value)| {
        format!("    .header({}, {})", literal(name), literal(value))
    });
    let body = request.body.as_ref().map_or_else(String::new, |body| {
        format!("    .body({})\n", literal(body))
    });
    format!(
        "let response = client
    .request({method}.parse()?, {url})
{authorization}{headers}{body}    .send()?;
let status = response.status();
std::io::stdout().write_all(&response.bytes()?)?;
if !status.is_success() {{
    fail(1, &format!(\"the API answered {{status}}\"));
}}
Ok(())
",
        method = literal(request.method.as_str()),
        url = literal(&request.url),
    )
}
