//! HTTP as bytes: no client library that would tidy up what a test wants to send.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Far more than any answer takes; a test that runs into it hangs.
const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
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
}

/// Waits for what must come, but not for ever.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap()
}

/// Sends bytes, as far as the server takes them, and reads until it closes the connection.
pub(crate) async fn exchange(address: SocketAddr, request: &[u8]) -> Vec<u8> {
    let socket = TcpStream::connect(address).await.unwrap();
    let (mut reader, mut writer) = socket.into_split();
    let writing = async { writer.write_all(request).await };
    let (_, bytes) = soon(async { tokio::join!(writing, to_end(&mut reader)) }).await;
    bytes
}

/// Reads until the server closes the connection, by a reset too.
pub(crate) async fn to_end(reader: &mut (impl tokio::io::AsyncRead + Unpin)) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Err(error) = soon(reader.read_to_end(&mut bytes)).await {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
    bytes
}

/// The one answer that these bytes are.
pub(crate) fn parse(bytes: &[u8]) -> Answer {
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
    let answer = Answer {
        status: status.parse().unwrap(),
        headers,
        body: body.to_owned(),
    };
    // RFC 9110 sections 15.3.5 and 15.4.5: neither has a body.
    if matches!(answer.status, 204 | 304) {
        assert_eq!(body, "", "{text}");
        return answer;
    }
    let length = answer.header("content-length").unwrap().parse();
    assert!(body.is_empty() || length == Ok(body.len()), "{text}");
    answer
}
