//! Programs that know only the names of the real system, told nothing but what `hallpass serve --trust`
//! tells: the samples of the article that this project began with, as they stand there, and others.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::scripts::Installed;
use super::{Stage, skip};
use crate::world::{Done, run, run_with_input, text};

const RESOURCE: &str = "https://us1.data.cloud.hpe.com/api/v1/storage-systems";

impl Stage {
    fn authority(&self) -> PathBuf {
        self.world.data().join("ca.pem")
    }

    /// A program that was told where to go and whom to trust.
    fn tell(&self, mut program: Command) -> Command {
        let authority = self.authority();
        for variable in [
            "CURL_CA_BUNDLE",
            "REQUESTS_CA_BUNDLE",
            "SSL_CERT_FILE",
            "NODE_EXTRA_CA_CERTS",
        ] {
            program.env(variable, &authority);
        }
        let proxy = self.server.proxy();
        program
            .env_remove("NO_PROXY")
            .env("HTTPS_PROXY", proxy)
            .env("NODE_USE_ENV_PROXY", "1")
            .env("YOUR_CLIENT_ID", &self.credential.client_id)
            .env("YOUR_CLIENT_SECRET", &self.credential.client_secret)
            .current_dir(self.world.home());
        program
    }

    /// The script, by a shell that has curl.
    fn shell(&self, script: &str) -> Done {
        let mut bash = Command::new("bash");
        let path = std::env::var_os("PATH").unwrap_or_default();
        bash.env_clear().env("PATH", path).args(["-c", script]);
        run(&mut self.tell(bash))
    }

    fn opens_the_api(&self, token: &str) {
        let script = format!(
            "curl -sf -H 'Authorization: Bearer {}' {RESOURCE}",
            token.trim()
        );
        let list = self.shell(&script).ok().json();
        assert!(list["items"].is_array());
    }
}

/// A sample of the article. It is not ours, so it is no part of this project.
#[expect(clippy::print_stdout, reason = "a skipped test must say so")]
fn sample(language: &str) -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/seed");
    let article = std::fs::read_dir(&folder)
        .ok()
        .and_then(|mut files| files.next()?.ok())
        .and_then(|file| std::fs::read_to_string(file.path()).ok());
    let Some(article) = article else {
        println!("skipped: {} is not there", folder.display());
        return None;
    };
    let begin = format!("```{language}\n");
    let (_, rest) = article.split_once(&begin).unwrap();
    Some(rest.split_once("```").unwrap().0.to_owned())
}

fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        skip(&format!("there is no {program}"));
    }
    found
}

#[test]
fn the_curl_sample_with_its_lines_joined() {
    if !has("curl") {
        return;
    }
    let Some(sample) = sample("shell") else {
        return;
    };
    let stage = Stage::set();
    let printed = stage.shell(&sample.replace('\n', " ")).ok();
    let token = printed.json()["access_token"].as_str().unwrap().to_owned();
    stage.opens_the_api(&token);
}

#[test]
fn the_python_sample() {
    let Some(installed) = Installed::find() else {
        return;
    };
    let Some(sample) = sample("python") else {
        return;
    };
    let stage = Stage::set();
    let credential = &stage.credential;
    let sample = format!(
        "YOUR_CLIENT_ID = {:?}\nYOUR_CLIENT_SECRET = {:?}\n{sample}",
        credential.client_id, credential.client_secret
    );
    let mut python = stage.tell(installed.program("python"));
    python.args(["-I", "-"]);
    let printed = run_with_input(
        python
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped()),
        &sample,
    );
    stage.opens_the_api(&printed.ok().stdout);
}

#[test]
fn curl_by_name_without_variables() {
    if !has("curl") {
        return;
    }
    let stage = Stage::set();
    let authority = stage.authority();
    let proxy = stage.server.proxy();
    let status = stage.shell(&format!(
        "env -i PATH=\"$PATH\" curl -s -o /dev/null -w '%{{http_code}}' --proxy {proxy} --cacert {} {RESOURCE}",
        text(&authority)
    ));
    assert_eq!(status.ok().stdout, "401");
    let untold = stage.shell(&format!(
        "env -u CURL_CA_BUNDLE -u SSL_CERT_FILE curl -s {RESOURCE}"
    ));
    // The code of curl for a certificate that nobody vouches for.
    untold.ended(60);
}

#[test]
fn fetch_of_node() {
    let Some(installed) = Installed::find() else {
        return;
    };
    let stage = Stage::set();
    let mut node = stage.tell(installed.program("node"));
    node.args(["--input-type=module", "-"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let script = "
        const form = new URLSearchParams({ grant_type: 'client_credentials',
            client_id: process.env.YOUR_CLIENT_ID, client_secret: process.env.YOUR_CLIENT_SECRET });
        const sso = 'https://sso.common.cloud.hpe.com/as/token.oauth2';
        const answer = await fetch(sso, { method: 'POST', body: form });
        console.log((await answer.json()).access_token);";
    stage.opens_the_api(&run_with_input(&mut node, script).ok().stdout);
}

#[test]
fn openssl_finds_the_authority_bound_to_the_names() {
    // `openssl` has no `--version`, and says so without harm.
    if !has("openssl") {
        return;
    }
    let stage = Stage::set();
    let (authority, leaf) = (stage.authority(), stage.world.data().join("tls.pem"));
    let (authority, leaf) = (text(&authority), text(&leaf));
    let verify = |name: &str| {
        stage.shell(&format!(
            "openssl verify -x509_strict -CAfile {authority} -verify_hostname {name} {leaf}"
        ))
    };
    for name in [
        "us1.data.cloud.hpe.com",
        "sso.common.cloud.hpe.com",
        "localhost",
    ] {
        verify(name).ok();
    }
    assert_ne!(verify("www.hpe.com").code, Some(0));
    let told = stage.shell(&format!("openssl x509 -in {authority} -noout -text"));
    let told = told.ok().stdout;
    for words in [
        "X509v3 Name Constraints: critical",
        "DNS:us1.data.cloud.hpe.com",
        "IP:127.0.0.1/255.255.255.255",
        "TLS Web Server Authentication",
        "CA:TRUE, pathlen:0",
    ] {
        assert!(told.contains(words), "`{words}` is not there: {told}");
    }
    assert!(!told.contains("DNS:hpe.com") && !told.contains("DNS:cloud.hpe.com"));
    assert!(!std::fs::read_to_string(authority).unwrap().contains("KEY"));
}
