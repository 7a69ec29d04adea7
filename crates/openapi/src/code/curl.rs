//! bash and curl. Secret, token and body go through pipes: every user of a machine can see the
//! command lines of its processes, and a command line has a limit that a body can exceed.

use http::Method;

use super::text::{comments, form_encoded, paragraph};
use super::{Access, CodeRequest, Program, SecretPlace, SecretSource, TokenForm};

/// In single quotes nothing has a meaning but the quote itself.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

pub(super) fn write(program: &Program) -> String {
    let token = match &program.access {
        Access::None => String::new(),
        Access::Token(token) => format!("token={}\n", literal(token)),
        Access::Variable(variable) => {
            format!(
                "{}token=${variable}\n",
                need(variable, "an access token", 3)
            )
        }
        Access::Form(form) => form_lines(form),
    };
    format!(
        "#!/usr/bin/env bash\n{}set -euo pipefail\nnewline=$'\\n'\n\n{}{}{}",
        comments("#", &program.comments),
        paragraph(token),
        comments("#", &program.notes),
        request_lines(program),
    )
}

fn form_lines(form: &TokenForm) -> String {
    let (secret_lines, variable) = match &form.secret_source {
        SecretSource::Variable(variable) => {
            (need(variable, "the client secret", 2), variable.as_str())
        }
        SecretSource::Placeholder(word) => (
            format!("client_secret={}\n", literal(word)),
            "client_secret",
        ),
    };
    let mut encoding = String::new();
    let mut arguments = vec!["--silent --show-error --globoff".to_owned()];
    let secret = match &form.secret {
        SecretPlace::Field(_) => format!("printf '%s' \"${variable}\""),
        SecretPlace::Basic(user) => {
            arguments.push("--header @-".to_owned());
            basic(user, variable)
        }
        SecretPlace::EncodedBasic(user) => {
            arguments.push("--header @-".to_owned());
            encoding = encoding_lines(variable);
            basic(&form_encoded(user), "encoded")
        }
    };
    for (name, value) in &form.fields {
        arguments.push(format!(
            "--data-urlencode {}",
            literal(&format!("{name}={value}"))
        ));
    }
    if let SecretPlace::Field(name) = &form.secret {
        arguments.push(format!(
            "--data-urlencode {}",
            literal(&format!("{name}@-"))
        ));
    }
    arguments.push("--write-out '\\n%{http_code}'".to_owned());
    arguments.push(literal(&form.url));
    let member = form.member.replace('.', "\\.");
    format!(
        "{secret_lines}{encoding}answer=$({secret} |
  curl {arguments}) || exit 3
token=$(sed -n 's/.*\"{member}\"[[:space:]]*:[[:space:]]*\"\\([^\"\\\\]*\\)\".*/\\1/p' <<<\"$answer\")
if [[ ${{answer##*\"$newline\"}} != 200 || -z $token ]]; then
  printf 'no access token: %s\\n' \"$answer\" >&2
  exit 3
fi
",
        arguments = arguments.join(" \\\n    "),
    )
}

fn basic(user: &str, variable: &str) -> String {
    format!(
        "printf 'Authorization: Basic %s\\n' \"$(printf '%s:%s' {} \"${variable}\" | base64 | tr -d '\\n')\"",
        literal(user)
    )
}

/// The form-encoded variable. Byte by byte, which bash does by itself in some locales only.
fn encoding_lines(variable: &str) -> String {
    format!(
        "# RFC 6749 section 2.3.1: form-encoded; letters, digits and -._ stay as they are
encoded=
for byte in $(printf '%s' \"${variable}\" | od -An -v -tx1); do
  case $byte in
    2[de] | 3[0-9] | 4[1-9a-f] | 5[0-9af] | 6[1-9a-f] | 7[0-9a]) printf -v byte \"\\x$byte\" ;;
    *) byte=%$byte ;;
  esac
  encoded+=$byte
done
"
    )
}

/// Ends the program when a variable is empty.
fn need(variable: &str, what: &str, exit: u8) -> String {
    format!(
        "if [[ -z ${{{variable}:-}} ]]; then
  echo 'set {variable} to {what}' >&2
  exit {exit}
fi
"
    )
}

fn request_lines(program: &Program) -> String {
    let CodeRequest {
        method,
        url,
        headers,
        body,
    } = &program.request;
    // With another option, curl would wait for the body that the answer announces.
    let method = match *method {
        Method::HEAD => "--head".to_owned(),
        ref method => format!("--request {}", literal(method.as_str())),
    };
    let mut arguments = vec!["--silent --show-error --globoff".to_owned(), method];
    if !matches!(program.access, Access::None) {
        let before = literal(&format!("Authorization: {}", program.before_token()));
        arguments.push(format!("--header @<(printf '%s%s\\n' {before} \"$token\")"));
    }
    for (name, value) in headers {
        arguments.push(format!("--header {}", literal(&format!("{name}: {value}"))));
    }
    let body = body.as_ref().map(|body| {
        arguments.push("--data-binary @-".to_owned());
        format!("printf '%s' {} |\n  ", literal(body))
    });
    arguments.push("--write-out '\\n%{http_code}'".to_owned());
    arguments.push(literal(url));
    format!(
        "answer=$({}curl {})
printf '%s\\n' \"${{answer%\"$newline\"*}}\"
[[ ${{answer##*\"$newline\"}} == 2* ]]
",
        body.unwrap_or_default(),
        arguments.join(" \\\n    "),
    )
}
