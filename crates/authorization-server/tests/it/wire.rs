//! HTTP as bytes: no client library that would tidy up what a test wants to send.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

/// Far more than any answer takes; a test that runs into it hangs.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} comes twice");
        value
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The code of an error answer.
    pub(crate) fn error(&self) -> String {
        let body = self.json();
        let error = body["error"].as_str();
        error
            .unwrap_or_else(|| panic!("no error: {}", self.body))
            .to_owned()
    }

    /// The access token of an answer that has one.
    pub(crate) fn token(&self) -> String {
        let body = self.json();
        let token = body["access_token"].as_str();
        token
            .unwrap_or_else(|| panic!("no token: {}", self.body))
            .to_owned()
    }

    /// The seconds of `Retry-After`.
    pub(crate) fn retry_after(&self) -> i64 {
        self.header("retry-after").unwrap().parse().unwrap()
    }

    /// Everything that a stranger sees, but for the time of day.
    pub(crate) fn to_stranger(&self) -> String {
        let headers = self.headers.iter().filter(|(name, _)| name != "date");
        format!(
            "{} {:?} {}",
            self.status,
            headers.collect::<Vec<_>>(),
            self.body
        )
    }
}

/// Sends bytes from an address of this machine and reads the answer until the server closes the
/// connection.
pub(crate) async fn exchange(source: IpAddr, address: SocketAddr, request: &[u8]) -> Answer {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((source, 0).into()).unwrap();
    let socket = socket.connect(address).await.unwrap();
    let (mut reader, mut writer) = socket.into_split();
    let mut bytes = Vec::new();
    // A server may answer before it has everything, and then stop reading.
    let writing = async { writer.write_all(request).await };
    let reading = reader.read_to_end(&mut bytes);
    let both = async { tokio::join!(writing, reading) };
    let (_, read) = tokio::time::timeout(PATIENCE, both).await.unwrap();
    if let Err(error) = read {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Answer {
    let text = std::str::from_utf8(bytes).unwrap();
    let (head, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("no answer: {text}"));
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let headers = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Answer {
        status: status.parse().unwrap(),
        headers,
        body: body.to_owned(),
    }
}
