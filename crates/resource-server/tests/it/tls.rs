//! The listener with TLS, and connections that another listener hands over to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hallpass_resource_server::listener::{
    Body, HandedOver, Kind, Limits, Metrics, ServerName, Site, Tls, serve, serve_tls, take_over,
};
use http::{Method, Request, Response};
use http_body_util::Full;
use prometheus_client::registry::Registry;
use rcgen::{CertificateParams, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::wire::{soon, to_end};

const NAME: &str = "api.hallpass.test";
const NEVER: Duration = Duration::from_secs(100_000);
const SHORT: Duration = Duration::from_millis(60);

/// A listener with TLS that answers with the name it was asked for and the peer's port, and a proxy that
/// hands over whatever is asked of it.
struct Doors {
    tls: SocketAddr,
    proxy: SocketAddr,
    connector: TlsConnector,
    _stop: watch::Sender<bool>,
}

fn limits() -> Limits {
    Limits {
        header_time: NEVER,
        idle_time: NEVER,
        ..Limits::default()
    }
}

async fn doors(tls_limits: Limits, proxy_limits: Limits) -> Doors {
    let (server, client) = configurations();
    let (tls, proxy) = (bound().await, bound().await);
    let addresses = (tls.local_addr().unwrap(), proxy.local_addr().unwrap());
    let (stop, stopping) = watch::channel(false);
    let (hand_over, handed) = mpsc::channel(8);
    let metrics = Metrics::new(&mut Registry::default());
    let told = |request: Request<Body>, peer: SocketAddr| async move {
        let ServerName(name) = request.extensions().get().unwrap();
        Response::new(Full::new(Bytes::from(format!(
            "<{name:?} {}>",
            peer.port()
        ))))
    };
    tokio::spawn(serve_tls(
        tls,
        Tls {
            config: server,
            handed: Some(handed),
        },
        Site::new("tls", Kind::Tls, &metrics),
        tls_limits,
        stopping.clone(),
        told,
    ));
    let handing = move |request: Request<Body>, peer: SocketAddr| {
        let hand_over = hand_over.clone();
        async move { connect(request, peer, hand_over) }
    };
    let site = Site::new("proxy", Kind::Proxy, &metrics);
    tokio::spawn(serve(proxy, site, proxy_limits, stopping, handing));
    Doors {
        tls: addresses.0,
        proxy: addresses.1,
        connector: TlsConnector::from(client),
        _stop: stop,
    }
}

fn connect(
    request: Request<Body>,
    peer: SocketAddr,
    hand_over: mpsc::Sender<HandedOver>,
) -> Response<Full<Bytes>> {
    assert_eq!(request.method(), Method::CONNECT);
    tokio::spawn(async move {
        if let Some(connection) = take_over(request, peer).await {
            hand_over.send(connection).await.ok();
        }
    });
    Response::new(Full::default())
}

async fn bound() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

fn configurations() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    let certificate: CertificateDer<'static> = params.self_signed(&key).unwrap().into();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(default_provider());
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(server), Arc::new(client))
}

impl Doors {
    async fn secured(&self, socket: TcpStream) -> TlsStream<TcpStream> {
        let name = NAME.try_into().unwrap();
        soon(self.connector.connect(name, socket)).await.unwrap()
    }
}

/// Asks on an open connection and reads the answer, up to its last byte.
async fn ask(connection: &mut TlsStream<TcpStream>) -> String {
    let get = format!("GET / HTTP/1.1\r\nHost: {NAME}\r\n\r\n");
    connection.write_all(get.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    while !bytes.ends_with(b">") {
        let read = soon(connection.read_buf(&mut bytes)).await.unwrap();
        assert!(read > 0, "closed after {}", String::from_utf8_lossy(&bytes));
    }
    String::from_utf8(bytes).unwrap()
}

/// Sends a CONNECT and reads its answer.
async fn through(proxy: SocketAddr) -> TcpStream {
    let mut socket = TcpStream::connect(proxy).await.unwrap();
    let connect = format!("CONNECT {NAME}:443 HTTP/1.1\r\nHost: {NAME}:443\r\n\r\n");
    socket.write_all(connect.as_bytes()).await.unwrap();
    let answer = head(&mut socket).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    socket
}

async fn head(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(soon(socket.read_u8()).await.unwrap());
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn requests_know_the_name_that_their_connection_was_opened_for() {
    let doors = doors(limits(), limits()).await;
    let socket = TcpStream::connect(doors.tls).await.unwrap();
    let port = socket.local_addr().unwrap().port();
    let mut connection = doors.secured(socket).await;
    for _ in 0..2 {
        let answer = ask(&mut connection).await;
        assert!(
            answer.contains(&format!("<Some({NAME:?}) {port}>")),
            "{answer}"
        );
        assert!(answer.contains("x-request-id: "), "{answer}");
    }
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_closed_and_nobody_waits_for_it() {
    // Enough for the handshake that is served meanwhile, on a busy machine too.
    let limits = Limits {
        header_time: Duration::from_secs(2),
        ..limits()
    };
    let doors = doors(limits, self::limits()).await;
    let mut silent = TcpStream::connect(doors.tls).await.unwrap();
    let mut begun = TcpStream::connect(doors.tls).await.unwrap();
    begun.write_all(&[0x16, 3, 1]).await.unwrap();
    let socket = TcpStream::connect(doors.tls).await.unwrap();
    let mut served = doors.secured(socket).await;
    ask(&mut served).await;
    assert_eq!(to_end(&mut silent).await, b"");
    assert_eq!(to_end(&mut begun).await, b"");
    ask(&mut served).await;
}

#[tokio::test]
async fn what_is_no_handshake_is_closed() {
    let doors = doors(limits(), limits()).await;
    let mut plain = TcpStream::connect(doors.tls).await.unwrap();
    plain
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    // An alert at most, and no answer.
    assert!(!to_end(&mut plain).await.starts_with(b"HTTP"));
}

#[tokio::test]
async fn a_full_listener_closes_without_a_word() {
    let limits = Limits {
        connections: 1,
        ..limits()
    };
    let doors = doors(limits, self::limits()).await;
    let socket = TcpStream::connect(doors.tls).await.unwrap();
    let mut first = doors.secured(socket).await;
    ask(&mut first).await;
    let mut second = TcpStream::connect(doors.tls).await.unwrap();
    assert_eq!(to_end(&mut second).await, b"");
    ask(&mut first).await;
}

#[tokio::test]
async fn a_connection_that_is_handed_over_keeps_its_peer() {
    let doors = doors(limits(), limits()).await;
    let socket = through(doors.proxy).await;
    let port = socket.local_addr().unwrap().port();
    let mut connection = doors.secured(socket).await;
    for _ in 0..2 {
        assert!(ask(&mut connection).await.contains(&format!(" {port}>")));
    }
}

/// A client that does not wait for the answer to its CONNECT.
#[tokio::test]
async fn what_came_with_the_connect_request_is_not_lost() {
    let doors = doors(limits(), limits()).await;
    let name = NAME.try_into().unwrap();
    let (mut near, far) = tokio::io::duplex(64 * 1024);
    let handshake = tokio::spawn(doors.connector.connect(name, far));
    let mut hello = vec![0; 16 * 1024];
    let length = soon(near.read(&mut hello)).await.unwrap();
    let mut early = format!("CONNECT {NAME}:443 HTTP/1.0\r\n\r\n").into_bytes();
    early.extend_from_slice(&hello[..length]);
    let mut socket = TcpStream::connect(doors.proxy).await.unwrap();
    socket.write_all(&early).await.unwrap();
    assert!(head(&mut socket).await.contains(" 200 "));
    tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut socket).await });
    soon(handshake).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_connection_that_is_handed_over_keeps_its_place_at_the_proxy() {
    let one = Limits {
        connections: 1,
        ..limits()
    };
    let doors = doors(limits(), one).await;
    let mut first = doors.secured(through(doors.proxy).await).await;
    ask(&mut first).await;
    let mut second = TcpStream::connect(doors.proxy).await.unwrap();
    second
        .write_all(b"CONNECT a:443 HTTP/1.1\r\n")
        .await
        .unwrap();
    assert!(head(&mut second).await.starts_with("HTTP/1.1 503 "));
    ask(&mut first).await;
    drop(first);
    // The place is free as soon as the server has seen the end.
    soon(async {
        loop {
            let mut next = TcpStream::connect(doors.proxy).await.unwrap();
            let connect = format!("CONNECT {NAME}:443 HTTP/1.1\r\nHost: {NAME}\r\n\r\n");
            next.write_all(connect.as_bytes()).await.unwrap();
            if head(&mut next).await.starts_with("HTTP/1.1 200 ") {
                break;
            }
        }
    })
    .await;
}

/// As long as a handshake may take, so that an open tunnel costs nobody anything.
#[tokio::test]
async fn a_tunnel_that_is_not_used_is_closed() {
    let limits = Limits {
        header_time: SHORT,
        ..limits()
    };
    let doors = doors(limits, self::limits()).await;
    assert_eq!(to_end(&mut through(doors.proxy).await).await, b"");
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let limits = Limits {
        idle_time: SHORT,
        ..limits()
    };
    let doors = doors(limits, self::limits()).await;
    let mut connection = doors.secured(through(doors.proxy).await).await;
    let mut rest = Vec::new();
    // The end may come without TLS's own word for it.
    let _ = soon(connection.read_to_end(&mut rest)).await;
    assert_eq!(rest, b"");
}
