//! Requests byte by byte and answers header by header: what a client library would tidy up is what
//! is looked at here.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::world::PATIENCE;

pub(super) const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
pub(super) const TOKEN: &str = "/as/token.oauth2";
pub(super) const INTROSPECT: &str = "/as/introspect.oauth2";
pub(super) const REVOKE: &str = "/as/revoke_token.oauth2";
pub(super) const GRANT: &str = "grant_type=client_credentials";

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// In their order, names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        let first = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "two {name}: {self:?}");
        first
    }

    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub(super) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// It must be an error of RFC 6749 section 5.2.
    #[track_caller]
    pub(super) fn refuses(self, status: u16, error: &str) -> Self {
        let answer = self.is(status);
        assert_eq!(answer.json()["error"], error, "{answer:?}");
        answer
    }

    #[track_caller]
    pub(super) fn token(&self) -> String {
        let answer = self.clone().is(200).json();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// What a stranger can compare: everything but what names the moment and the request.
    pub(super) fn without_its_moment(mut self) -> Self {
        self.headers
            .retain(|(name, _)| name != "date" && name != "x-request-id");
        self
    }
}

/// A request as bytes; the connection ends with its answer.
pub(super) fn request(
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Vec<u8> {
    let mut head =
        format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    write!(head, "Content-Length: {}\r\n\r\n", body.len()).unwrap();
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// Sends bytes and reads until the server closes. One that answers before it has read everything may
/// reset the connection afterwards, so only the answer counts.
pub(super) fn exchange(base: &str, bytes: &[u8]) -> Answer {
    let mut socket = TcpStream::connect(base.strip_prefix("http://").unwrap()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let _ = socket.write_all(bytes);
    let mut answer = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        match socket.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => answer.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => panic!("no answer: {error}"),
        }
    }
    parse(&String::from_utf8(answer).unwrap())
}

/// Sends bytes that may be no request, says that this was all, and waits for the end.
pub(super) fn shout(base: &str, bytes: &[u8]) {
    let mut socket = TcpStream::connect(base.strip_prefix("http://").unwrap()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    // The server may have had enough before the end.
    let _ = socket.write_all(bytes);
    let _ = socket.shutdown(Shutdown::Write);
    if let Err(error) = socket.read_to_end(&mut Vec::new()) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
}

fn parse(text: &str) -> Answer {
    let (head, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("{text:?}"));
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_ascii_lowercase(), value.to_owned())
    });
    Answer {
        status: status.parse().unwrap(),
        headers: headers.collect(),
        body: body.to_owned(),
    }
}

pub(super) fn send(base: &str, method: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
    exchange(base, &request(method, target, headers, b""))
}

pub(super) fn get(base: &str, target: &str) -> Answer {
    send(base, "GET", target, &[])
}

/// A call of the API with a token.
pub(super) fn call(base: &str, token: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    send(
        base,
        "GET",
        "/api/v1/storage-systems",
        &[("Authorization", &bearer)],
    )
}

/// A form to an endpoint.
pub(super) fn post(base: &str, target: &str, form: &str) -> Answer {
    exchange(base, &request("POST", target, &[FORM], form.as_bytes()))
}

/// The same with more headers.
pub(super) fn post_with(base: &str, target: &str, headers: &[(&str, &str)], form: &str) -> Answer {
    let headers = [&[FORM], headers].concat();
    exchange(base, &request("POST", target, &headers, form.as_bytes()))
}

/// A token request with a secret in the body.
pub(super) fn ask(base: &str, id: &str, secret: &str) -> Answer {
    post(base, TOKEN, &body(id, secret))
}

/// A token request with a secret in the header.
pub(super) fn ask_basic(base: &str, id: &str, secret: &str) -> Answer {
    let header = basic(id, secret);
    post_with(base, TOKEN, &[("Authorization", &header)], GRANT)
}

pub(super) fn body(id: &str, secret: &str) -> String {
    format!("{GRANT}&{}", pair(id, secret))
}

pub(super) fn pair(id: &str, secret: &str) -> String {
    format!("client_id={id}&client_secret={secret}")
}

pub(super) fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}
