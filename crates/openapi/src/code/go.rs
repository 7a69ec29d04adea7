//! Go with its standard library.

use super::text::{comments, form_encoded, four_or_eight_digits, indented, lines, quoted};
use super::{Access, Language, Program, SecretPlace, SecretSource, TokenForm};

pub(super) fn literal(text: &str) -> String {
    quoted(text, four_or_eight_digits)
}

pub(super) fn write(program: &Program) -> String {
    let form = match &program.access {
        Access::None | Access::Token(_) | Access::Variable(_) => None,
        Access::Form(form) => Some(form),
    };
    let has_body = program.request.body.is_some();
    // An import that is not used is an error.
    let imports = [
        ("encoding/json", form.is_some()),
        ("fmt", true),
        ("io", true),
        ("net/http", true),
        ("net/url", form.is_some()),
        ("os", true),
        ("strings", form.is_some() || has_body),
        ("time", true),
    ];
    let imports = imports.into_iter().filter(|(_, used)| *used);
    let imports = lines(imports, |(name, _)| format!("\t\"{name}\""));
    let token = match &program.access {
        Access::None => String::new(),
        Access::Token(token) => format!("token := {}\n", literal(token)),
        Access::Variable(variable) => need("token", variable, "an access token", 3),
        Access::Form(_) => "token := accessToken(client)\n".to_owned(),
    };
    let steps = format!(
        "{CLIENT}{token}\n{}{}",
        comments("//", &program.notes),
        request_lines(program)
    );
    format!(
        "{}package main\n\nimport (\n{imports})\n\nfunc main() {{\n{}}}\n{}{FAIL}",
        comments("//", &program.comments),
        indented(&steps, "\t"),
        form.map(form_function).unwrap_or_default(),
    )
}

const CLIENT: &str = "\
client := &http.Client{
\tTimeout: time.Minute,
\tCheckRedirect: func(*http.Request, []*http.Request) error {
\t\treturn http.ErrUseLastResponse
\t},
}
";

const FAIL: &str = "
func check(err error) {
\tif err != nil {
\t\tfail(4, err)
\t}
}

func fail(status int, words ...any) {
\tfmt.Fprintln(os.Stderr, words...)
\tos.Exit(status)
}
";

fn need(name: &str, variable: &str, what: &str, exit: u8) -> String {
    format!(
        "{name} := os.Getenv({variable_name})
if {name} == \"\" {{
\tfail({exit}, {words})
}}
",
        variable_name = literal(variable),
        words = literal(&format!("set {variable} to {what}")),
    )
}

fn form_function(form: &TokenForm) -> String {
    let fields = form.fields.iter();
    let fields = fields.map(|(name, value)| (literal(name), literal(value)));
    let mut fields: Vec<(String, String)> = fields.collect();
    let mut basic = String::new();
    match &form.secret {
        SecretPlace::Field(name) => fields.push((literal(name), "secret".to_owned())),
        SecretPlace::Basic(user) => {
            basic = format!("\trequest.SetBasicAuth({}, secret)\n", literal(user));
        }
        SecretPlace::EncodedBasic(user) => {
            basic = format!(
                "\t// RFC 6749 section 2.3.1: both form-encoded\n\trequest.SetBasicAuth({}, url.QueryEscape(secret))\n",
                literal(&form_encoded(user))
            );
        }
    }
    let fields = lines(&fields, |(name, value)| {
        format!("\tform.Add({name}, {value})")
    });
    format!(
        "
func accessToken(client *http.Client) string {{
{secret}\tform := url.Values{{}}
{fields}\trequest, err := http.NewRequest(\"POST\", {url}, strings.NewReader(form.Encode()))
\tcheck(err)
\trequest.Header.Set(\"Content-Type\", \"application/x-www-form-urlencoded\")
{basic}\tresponse, err := client.Do(request)
\tcheck(err)
\tdefer response.Body.Close()
\ttext, err := io.ReadAll(response.Body)
\tcheck(err)
\tanswer := map[string]any{{}}
\t_ = json.Unmarshal(text, &answer)
\ttoken, _ := answer[{member}].(string)
\tif response.StatusCode != 200 || token == \"\" {{
\t\tfail(3, \"no access token:\", response.Status, string(text))
\t}}
\treturn token
}}
",
        secret = indented(&secret_lines(&form.secret_source), "\t"),
        url = literal(&form.url),
        member = literal(&form.member),
    )
}

fn secret_lines(source: &SecretSource) -> String {
    match source {
        SecretSource::Variable(variable) => need("secret", variable, "the client secret", 2),
        SecretSource::Placeholder(word) => format!("secret := {}\n", literal(word)),
    }
}

fn request_lines(program: &Program) -> String {
    let request = &program.request;
    let authorization = program.authorization(Language::Go);
    let authorization = lines(authorization, |before| {
        format!("request.Header.Set(\"Authorization\", {before}+token)")
    });
    let body = match &request.body {
        Some(body) => format!("strings.NewReader({})", literal(body)),
        None => "nil".to_owned(),
    };
    let headers = lines(&request.headers, |(name, value)| {
        format!("request.Header.Set({}, {})", literal(name), literal(value))
    });
    format!(
        "request, err := http.NewRequest({method}, {url}, {body})
check(err)
{authorization}{headers}response, err := client.Do(request)
check(err)
defer response.Body.Close()
_, err = io.Copy(os.Stdout, response.Body)
check(err)
if response.StatusCode < 200 || response.StatusCode > 299 {{
\tfail(1, \"the API answered\", response.Status)
}}
",
        method = literal(request.method.as_str()),
        url = literal(&request.url),
    )
}
