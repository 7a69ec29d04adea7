//! `hallpass serve --trust`: how programs are told to trust the stand-in's certificate authority and to
//! come here for the names of the real system.
//!
//! One process at a time first: what is set for one program cannot harm another. The whole machine
//! comes last, with a warning.

use std::path::Path;

use crate::admin::AdminCommand;
use crate::command::CommandError;
use crate::output;
use crate::serve::tls::hosts::{HOSTS, Role};
use crate::serve::{Addresses, Config, DataDirectory, ask};

/// What the words are about.
struct Told<'a> {
    ca: &'a str,
    proxy: Option<&'a str>,
    tls: &'a str,
    /// What a shell needs quotes for in the path.
    quoted: String,
}

/// Prints it, for the server that runs on the data directory or would.
pub(super) async fn tell(config: &Config) -> Result<(), CommandError> {
    let socket = DataDirectory::admin_socket_in(&config.data);
    let running = ask(&socket, &AdminCommand::Addresses).await?;
    let running = running.and_then(|answer| serde_json::from_value::<Addresses>(answer).ok());
    let addresses = running.unwrap_or_else(|| Addresses::configured(config));
    let (Some(tls), Some(ca)) = (&addresses.tls, &addresses.ca_file) else {
        return Err(CommandError::refused("the TLS listener is switched off")
            .hint("take `tls = \"off\"` out of [listen] in hallpass.toml"));
    };
    if !Path::new(ca).exists() {
        return Err(CommandError::refused(format!(
            "there is no certificate authority at {ca} yet"
        ))
        .hint("it is made when the server starts for the first time: `hallpass serve`"));
    }
    let told = Told {
        ca,
        proxy: addresses.proxy.as_deref(),
        tls,
        quoted: quoted(ca),
    };
    output::data(told.text().trim_end())
}

impl Told<'_> {
    fn text(&self) -> String {
        let mut parts = vec![self.about()];
        match self.proxy {
            Some(proxy) => parts.extend([
                self.variables(proxy),
                self.programs(proxy),
                self.power_shell(proxy),
                self.ansible(proxy),
                self.own(proxy),
            ]),
            None => parts.push(
                "The proxy is switched off (`proxy = \"off\"` under [listen]), so programs have to be led \
                 here by the hosts file."
                    .to_owned(),
            ),
        }
        parts.extend([hosts_file(), self.whole_machine()]);
        parts.join("\n\n")
    }

    fn about(&self) -> String {
        let Self { ca, tls, .. } = self;
        let proxy = self.proxy.unwrap_or("off");
        format!(
            "Programs that know only the names of the real system come to this stand-in when they are told \
             two things:\nthe proxy that leads here, and the certificate authority to trust. Set both for \
             one process, and nothing\nelse on this machine changes.\n\n  \
             CA file  {ca}\n  proxy    {proxy}\n  TLS      {tls}"
        )
    }

    fn variables(&self, proxy: &str) -> String {
        let ca = &self.quoted;
        format!(
            "In a shell, for what is started from it: curl, Python, Node.js, Go\n\n  \
             export HTTPS_PROXY={proxy} NO_PROXY=localhost,127.0.0.1\n  \
             export CURL_CA_BUNDLE={ca}\n  \
             export REQUESTS_CA_BUNDLE={ca} SSL_CERT_FILE={ca}\n  \
             export NODE_EXTRA_CA_CERTS={ca} NODE_USE_ENV_PROXY=1\n\n  \
             All but NODE_EXTRA_CA_CERTS take the place of the usual authorities. A program that also \
             talks to other\n  hosts needs a file with both, and those hosts in NO_PROXY: the proxy leads \
             nowhere else."
        )
    }

    fn programs(&self, proxy: &str) -> String {
        let ca = &self.quoted;
        let path = self.ca;
        format!(
            "curl, without variables\n\n  \
             curl --proxy {proxy} --cacert {ca} \\\n    \
             https://us1.data.cloud.hpe.com/api/v1/storage-systems\n\n\
             Python\n\n  \
             requests, requests_oauthlib and what is built on them read REQUESTS_CA_BUNDLE; httpx, urllib and\n  \
             aiohttp (which reads HTTPS_PROXY with trust_env=True only) SSL_CERT_FILE. A generated SDK reads\n  \
             neither and has to be told in its program:\n\n  \
             configuration.ssl_ca_cert = {path:?}\n  \
             configuration.proxy = {proxy:?}\n\n\
             Node.js\n\n  \
             fetch and https take HTTPS_PROXY with NODE_USE_ENV_PROXY=1 from 22.21 and 24.5 on. Before, it is up\n  \
             to the program: axios reads HTTPS_PROXY itself, fetch needs a dispatcher of undici."
        )
    }

    fn power_shell(&self, proxy: &str) -> String {
        let ca = &self.quoted;
        format!(
            "PowerShell\n\n  \
             Invoke-RestMethod -Proxy {proxy} `\n    \
             -Uri https://us1.data.cloud.hpe.com/api/v1/storage-systems\n\n  \
             The authority, on Linux, before pwsh is started:\n\n  \
             export SSL_CERT_FILE={ca}\n\n  \
             On Windows and macOS there is no variable: PowerShell 7 has -SkipCertificateCheck for a try;\n  \
             otherwise see the end of this page."
        )
    }

    fn ansible(&self, proxy: &str) -> String {
        let ca = self.ca;
        format!(
            "Ansible, in a play\n\n  \
             environment:\n    HTTPS_PROXY: {proxy}\n    REQUESTS_CA_BUNDLE: {ca}\n    SSL_CERT_FILE: {ca}"
        )
    }

    fn own(&self, proxy: &str) -> String {
        let ca = &self.quoted;
        format!(
            "hallpass\n\n  \
             hallpass profile add stand-in --region us1 --client-id ID \\\n    \
             --proxy {proxy} --ca-file {ca}"
        )
    }

    fn whole_machine(&self) -> String {
        let ca = &self.quoted;
        format!(
            "Last: the whole machine, and browsers\n\n  \
             WARNING: then every program of this machine takes this stand-in for the real system. The \
             authority can\n  vouch for the names above, names below them and this machine only, and its \
             key was thrown away; but\n  whoever reads tls.pem beside it can pose as those hosts. Take it \
             back when you are done, and never do it\n  on a machine that works with the real \
             system.\n\n  \
             Debian   cp {ca} /usr/local/share/ca-certificates/hallpass.crt && update-ca-certificates\n  \
             Fedora   trust anchor {ca}\n  \
             macOS    security add-trusted-cert -k ~/Library/Keychains/login.keychain-db {ca}\n  \
             Windows  Import-Certificate -FilePath {ca} -CertStoreLocation Cert:\\CurrentUser\\Root\n  \
             Firefox  Settings, Privacy & Security, Certificates, View Certificates, Authorities, Import"
        )
    }
}

fn hosts_file() -> String {
    let names = HOSTS.iter().filter(|host| host.role != Role::Absent);
    let lines: Vec<String> = names
        .map(|host| format!("  127.0.0.1 {}", host.name))
        .collect();
    format!(
        "Without the proxy: the hosts file\n\n  \
         For programs that take no proxy. It is for all of the machine, and the listener has to have \
         port 443:\n  `tls = \"127.0.0.1:443\"` under [listen] in hallpass.toml, which needs the right \
         to bind low ports.\n\n{}",
        lines.join("\n")
    )
}

/// A path as a shell takes it for one word.
fn quoted(path: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+@%:,".contains(&b);
    if path.bytes().all(plain) {
        return path.to_owned();
    }
    format!("'{}'", path.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(proxy: Option<&'static str>) -> String {
        let ca = "/home/ann's/ca.pem";
        Told {
            ca,
            proxy,
            tls: "https://127.0.0.1:8443",
            quoted: quoted(ca),
        }
        .text()
    }

    #[test]
    fn the_whole_machine_comes_last_and_with_a_warning() {
        let text = told(Some("http://127.0.0.1:3128"));
        let place = |word: &str| text.find(word).unwrap_or_else(|| panic!("{word}: {text}"));
        let order = [
            "HTTPS_PROXY=http://127.0.0.1:3128",
            "curl --proxy",
            "PowerShell\n",
            "Ansible, in a play",
            "hallpass profile add",
            "hosts file\n",
            "WARNING",
            "update-ca-certificates",
        ];
        assert!(order.map(place).is_sorted());
        assert!(text.contains(r"CURL_CA_BUNDLE='/home/ann'\''s/ca.pem'"));
        let longest = text.lines().max_by_key(|line| line.len()).unwrap();
        assert!(longest.len() <= 112, "{longest}");
    }

    #[test]
    fn without_a_proxy_there_is_the_hosts_file() {
        let text = told(None);
        assert!(
            !text.contains("HTTPS_PROXY") && text.contains("127.0.0.1 sso.common.cloud.hpe.com")
        );
        assert!(!text.contains("eu-west"), "there is nothing behind it");
    }
}
