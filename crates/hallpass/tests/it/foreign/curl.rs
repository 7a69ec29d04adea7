//! curl, word for word as the documents print it (domain facts, section 2.1).

use std::process::Command;

use serde_json::Value;

use super::{RESOURCE, Stage, skip};
use crate::world::run;

/// What curl gets for these arguments: the status and the body. `None` without curl.
fn curl(arguments: &[&str]) -> Option<(String, String)> {
    if Command::new("curl").arg("--version").output().is_err() {
        skip("there is no curl");
        return None;
    }
    let mut command = Command::new("curl");
    command.args(["--disable", "--silent", "--show-error", "--noproxy", "*"]);
    command
        .args(["--write-out", "\n%{http_code}"])
        .args(arguments);
    let printed = run(&mut command).ok().stdout;
    let (body, status) = printed.rsplit_once('\n').unwrap();
    Some((status.to_owned(), body.to_owned()))
}

/// The token that a request gets must open the resource API, by curl as well.
#[track_caller]
fn opens_the_api(stage: &Stage, request: &[&str]) {
    let url = stage.server.token_url();
    let Some((status, body)) = curl(&[request, &[url]].concat()) else {
        return;
    };
    assert_eq!(status, "200", "{body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    let bearer = format!(
        "Authorization: Bearer {}",
        answer["access_token"].as_str().unwrap()
    );
    let resource = format!("{}{RESOURCE}", stage.credential.base_url);
    let (status, body) = curl(&["--header", &bearer, &resource]).unwrap();
    assert_eq!(status, "200", "{body}");
}

#[test]
fn curl_with_the_credential_in_the_body() {
    let stage = Stage::set();
    let id = format!("client_id={}", stage.credential.client_id);
    let secret = format!("client_secret={}", stage.credential.client_secret);
    let grant = "grant_type=client_credentials";
    opens_the_api(&stage, &["-d", grant, "-d", &id, "-d", &secret]);
    opens_the_api(
        &stage,
        &["-d", &secret, "-d", "scope=", "-d", &id, "-d", grant],
    );
}

#[test]
fn curl_with_basic() {
    let stage = Stage::set();
    let credential = &stage.credential;
    let user = format!("{}:{}", credential.client_id, credential.client_secret);
    opens_the_api(
        &stage,
        &["-u", &user, "-d", "grant_type=client_credentials"],
    );
}

/// PowerShell's `Invoke-RestMethod` adds the character set.
#[test]
fn curl_with_a_charset_in_the_content_type() {
    let stage = Stage::set();
    let credential = &stage.credential;
    let form = crate::http::token_form(&credential.client_id, &credential.client_secret);
    let kind = "Content-Type: application/x-www-form-urlencoded; charset=utf-8";
    opens_the_api(&stage, &["-H", kind, "-d", &form]);
    let kind = "content-type: Application/X-WWW-Form-URLEncoded;charset=\"UTF-8\"";
    opens_the_api(&stage, &["-H", kind, "-d", &form]);
}
