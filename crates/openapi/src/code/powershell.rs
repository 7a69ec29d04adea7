//! Windows PowerShell 5.1 and PowerShell 7.
//!
//! A script is ASCII only: PowerShell 5.1 reads a file without a byte order mark in the code page
//! of the machine.

use std::fmt::Write as _;

use super::text::{comments, form_encoded, paragraph};
use super::{Access, Language, Program, SecretPlace, SecretSource, TokenForm};

/// In single quotes nothing has a meaning but the quote itself, which is doubled. What is not
/// printable ASCII, the curly quotes that PowerShell takes for quotes among it, is written as an escape
/// of .NET's regular expressions, the only one that 5.1 knows.
pub(super) fn literal(text: &str) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut escaped = String::new();
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(b'\'') => escaped.push_str("''"),
            Ok(b'\\') => escaped.push_str("\\\\"),
            Ok(byte @ b' '..=b'~') => escaped.push(char::from(byte)),
            _ => drop(write!(escaped, "\\u{unit:04x}")),
        }
    }
    format!("[regex]::Unescape('{escaped}')")
}

fn ascii_comments(lines: &[String]) -> String {
    let ascii = |line: &String| {
        let plain = |letter: char| if letter.is_ascii() { letter } else { '?' };
        line.chars().map(plain).collect()
    };
    comments("#", &lines.iter().map(ascii).collect::<Vec<String>>())
}

pub(super) fn write(program: &Program) -> String {
    let access = match &program.access {
        Access::None => String::new(),
        Access::Token(token) => format!("$Token = {}\n", literal(token)),
        Access::Variable(variable) => need("Token", variable, "an access token", 3),
        Access::Form(form) => form_lines(form),
    };
    format!(
        "{}{PREAMBLE}\n{}{}{}",
        ascii_comments(&program.comments),
        paragraph(access),
        ascii_comments(&program.notes),
        request_lines(program),
    )
}

const PREAMBLE: &str = "\
$ErrorActionPreference = 'Stop'
# A progress bar makes downloads of Windows PowerShell slow.
$ProgressPreference = 'SilentlyContinue'
# Older systems do not offer TLS 1.2 by themselves.
[Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
";

fn form_lines(form: &TokenForm) -> String {
    let mut fields: Vec<String> = form
        .fields
        .iter()
        .map(|(name, value)| pair(name, &literal(value)))
        .collect();
    let mut headers = String::new();
    match &form.secret {
        SecretPlace::Field(name) => fields.push(pair(name, "$Secret")),
        SecretPlace::Basic(user) => headers = basic(user, "$Secret"),
        SecretPlace::EncodedBasic(user) => {
            let header = basic(&form_encoded(user), "[uri]::EscapeDataString($Secret)");
            headers = format!("    # RFC 6749 section 2.3.1: both form-encoded\n{header}");
        }
    }
    format!(
        "{secret}$Form = @(
{fields}
) -join '&'
$TokenRequest = @{{
    Method             = 'Post'
    Uri                = {url}
    ContentType        = 'application/x-www-form-urlencoded'
{headers}    Body               = $Form
    MaximumRedirection = 0
}}
try {{
    $Token = (Invoke-RestMethod @TokenRequest).{member}
}} catch {{
    [Console]::Error.WriteLine(\"no access token: $($_.Exception.Message) $($_.ErrorDetails.Message)\")
    exit 3
}}
if (-not $Token) {{
    [Console]::Error.WriteLine('no access token in the answer')
    exit 3
}}
",
        secret = secret_lines(&form.secret_source),
        fields = fields.join("\n"),
        url = literal(&form.url),
        member = literal(&form.member),
    )
}

fn basic(user: &str, password: &str) -> String {
    format!(
        "    Headers            = @{{ 'Authorization' = 'Basic ' + [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes({} + ':' + {password})) }}\n",
        literal(user)
    )
}

/// One field of a form. A table would hold each name once only.
fn pair(name: &str, value: &str) -> String {
    format!(
        "    [uri]::EscapeDataString({}) + '=' + [uri]::EscapeDataString({value})",
        literal(name)
    )
}

fn secret_lines(source: &SecretSource) -> String {
    match source {
        SecretSource::Variable(variable) => need("Secret", variable, "the client secret", 2),
        SecretSource::Placeholder(word) => format!("$Secret = {}\n", literal(word)),
    }
}

fn need(name: &str, variable: &str, what: &str, exit: u8) -> String {
    format!(
        "${name} = $env:{variable}
if (-not ${name}) {{
    [Console]::Error.WriteLine('set {variable} to {what}')
    exit {exit}
}}
"
    )
}

fn request_lines(program: &Program) -> String {
    let request = &program.request;
    let is_type = |name: &str| name.eq_ignore_ascii_case("content-type");
    let mut headers = String::new();
    if let Some(before) = program.authorization(Language::PowerShell) {
        let _ = writeln!(headers, "        'Authorization' = {before} + $Token");
    }
    let mut body = String::new();
    for (name, value) in &request.headers {
        // PowerShell takes this one apart from the others.
        if is_type(name) {
            let _ = writeln!(body, "    ContentType        = {}", literal(value));
        } else {
            let _ = writeln!(headers, "        {} = {}", literal(name), literal(value));
        }
    }
    if let Some(text) = &request.body {
        let text = literal(text);
        let _ = writeln!(
            body,
            "    Body               = [Text.Encoding]::UTF8.GetBytes({text})"
        );
    }
    format!(
        "$Request = @{{
    Method             = {method}
    Uri                = {url}
    Headers            = @{{
{headers}    }}
{body}    MaximumRedirection = 0
    UseBasicParsing    = $true
}}
try {{
    $Response = Invoke-WebRequest @Request
}} catch {{
    [Console]::Error.WriteLine(\"the API call failed: $($_.Exception.Message) $($_.ErrorDetails.Message)\")
    exit 1
}}
[Text.Encoding]::UTF8.GetString($Response.RawContentStream.ToArray())
",
        method = literal(request.method.as_str()),
        url = literal(&request.url),
    )
}
