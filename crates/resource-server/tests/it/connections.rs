//! The accept loop: what a peer can hold, and for how long.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hallpass_resource_server::listener::{Kind, Limits, Metrics, Site, serve};
use http::{Request, Response};
use http_body_util::Full;
use prometheus_client::registry::Registry;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::wire::{Answer, exchange, parse, soon, to_end};

const NEVER: Duration = Duration::from_secs(100_000);
const SHORT: Duration = Duration::from_millis(60);
const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// A listener whose answers wait for leave.
struct Door {
    address: SocketAddr,
    arrived: Arc<Semaphore>,
    leave: Arc<Semaphore>,
    most_at_once: Arc<AtomicUsize>,
    registry: Registry,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

fn limits() -> Limits {
    Limits {
        header_time: NEVER,
        idle_time: NEVER,
        drain_time: NEVER,
        ..Limits::default()
    }
}

async fn door(limits: Limits) -> Door {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, shutdown) = watch::channel(false);
    let (arrived, leave) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (now, most_at_once) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let shared = (arrived.clone(), leave.clone(), now, most_at_once.clone());
    let service = move |_: Request<hallpass_resource_server::listener::Body>, _: SocketAddr| {
        let (arrived, leave, now, most) = shared.clone();
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            arrived.add_permits(1);
            leave.acquire().await.unwrap().forget();
            now.fetch_sub(1, Ordering::SeqCst);
            Response::new(Full::new(Bytes::from_static(b"{}")))
        }
    };
    let mut registry = Registry::default();
    let site = Site::new("door", Kind::ResourceServer, &Metrics::new(&mut registry));
    let serving = tokio::spawn(serve(listener, site, limits, shutdown, service));
    Door {
        address,
        arrived,
        leave,
        most_at_once,
        registry,
        stop,
        serving,
    }
}

impl Door {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn arrival(&self) {
        soon(self.arrived.acquire()).await.unwrap().forget();
    }

    fn sample(&self, name: &str) -> Option<String> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        let mut lines = text.lines().filter_map(|line| line.strip_prefix(name));
        lines
            .find_map(|rest| rest.strip_prefix(' '))
            .map(str::to_owned)
    }

    /// Waits until a sample has this value.
    async fn sees(&self, name: &str, value: &str) {
        soon(async {
            while self.sample(name).as_deref() != Some(value) {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

const OPEN: &str = "hallpass_http_connections_open{listener=\"resource_server\"}";
const UNDER_WAY: &str = "hallpass_http_requests_under_way{listener=\"resource_server\"}";
const TURNED_AWAY: &str = "hallpass_http_connections_turned_away_total\
                           {listener=\"resource_server\",reason=\"listener\"}";

/// Reads one answer and leaves the connection open.
async fn answer_of(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"{}") {
        let read = soon(socket.read_buf(&mut bytes)).await.unwrap();
        assert!(read > 0, "closed after {}", String::from_utf8_lossy(&bytes));
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let door = door(Limits {
        idle_time: SHORT,
        ..limits()
    })
    .await;
    let begun = Instant::now();
    assert_eq!(to_end(&mut door.connect().await).await, b"");
    assert!(begun.elapsed() >= SHORT);
}

#[tokio::test]
async fn a_head_that_does_not_end_is_closed() {
    let door = door(Limits {
        header_time: SHORT,
        ..limits()
    })
    .await;
    for partial in [
        &b"G"[..],
        b"GET / HTTP/1.1\r\nHost: a\r\n",
        b"GET / HTTP/1.1\r\nX: ",
    ] {
        let mut socket = door.connect().await;
        socket.write_all(partial).await.unwrap();
        assert_eq!(to_end(&mut socket).await, b"");
    }
    // The second of a connection has no more time than the first.
    door.leave.add_permits(1);
    let mut socket = door.connect().await;
    socket.write_all(GET).await.unwrap();
    answer_of(&mut socket).await;
    socket.write_all(b"GET /").await.unwrap();
    assert_eq!(to_end(&mut socket).await, b"");
}

/// A head that arrives a byte at a time has the same time as one that stops.
#[tokio::test]
async fn bytes_do_not_buy_time() {
    let door = door(Limits {
        header_time: SHORT,
        ..limits()
    })
    .await;
    let (mut reader, mut writer) = door.connect().await.into_split();
    let trickle = async {
        while writer.write_all(b"X").await.is_ok() {
            tokio::time::sleep(SHORT / 20).await;
        }
    };
    let closed = async {
        tokio::select! {
            () = trickle => {}
            bytes = to_end(&mut reader) => assert_eq!(bytes, b""),
        }
    };
    soon(closed).await;
}

#[tokio::test]
async fn silence_between_two_requests_has_its_own_limit() {
    let long = SHORT * 10;
    let door = door(Limits {
        header_time: SHORT,
        idle_time: long,
        ..limits()
    })
    .await;
    door.leave.add_permits(2);
    let mut socket = door.connect().await;
    for _ in 0..2 {
        socket.write_all(GET).await.unwrap();
        answer_of(&mut socket).await;
    }
    let begun = Instant::now();
    assert_eq!(to_end(&mut socket).await, b"");
    // The server's clock for it began a moment before the answer was here.
    assert!(
        begun.elapsed() > SHORT * 5,
        "closed after {:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn an_answer_may_take_longer_than_silence() {
    let door = door(Limits {
        header_time: SHORT,
        idle_time: SHORT * 6,
        ..limits()
    })
    .await;
    let mut socket = door.connect().await;
    socket.write_all(GET).await.unwrap();
    door.arrival().await;
    // Another connection that is closed for its silence shows that the time is over.
    assert_eq!(to_end(&mut door.connect().await).await, b"");
    door.leave.add_permits(1);
    answer_of(&mut socket).await;
    let begun = Instant::now();
    assert_eq!(to_end(&mut socket).await, b"");
    assert!(
        begun.elapsed() > SHORT * 2,
        "the time begins with the answer"
    );
}

#[tokio::test]
async fn a_head_has_so_many_fields_and_bytes() {
    let door = door(Limits {
        headers: 5,
        head_bytes: 500,
        ..limits()
    })
    .await;
    door.leave.add_permits(1);
    for (fields, status) in [
        ("X: y\r\n".repeat(3), 200),
        ("X: y\r\n".repeat(4), 431),
        (format!("X: {}\r\n", "y".repeat(500)), 431),
    ] {
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n");
        let answer = parse(&exchange(door.address, request.as_bytes()).await);
        assert_eq!(answer.status, status, "{fields}");
        if status != 200 {
            is_a_whole_refusal(&answer);
        }
    }
}

/// The members and fields that every refusal has, whoever noticed what is wrong.
fn is_a_whole_refusal(answer: &Answer) {
    let id = answer.header("x-request-id").unwrap();
    assert_eq!(answer.json()["traceId"], id);
    assert!(!answer.json()["error"].as_str().unwrap().is_empty());
    assert!(!answer.json()["errorCode"].as_str().unwrap().is_empty());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("connection"), Some("close"));
}

#[tokio::test]
async fn bytes_that_are_no_request_get_a_whole_answer() {
    let door = door(limits()).await;
    for nonsense in [
        "GET / HTTP/1.1\r\nHost: a\r\nno colon here\r\n\r\n",
        "\u{1}\u{2}\u{3} / HTTP/1.1\r\n\r\n",
        "GET / HTTP/7.3\r\nHost: a\r\n\r\n",
    ] {
        let answer = parse(&exchange(door.address, nonsense.as_bytes()).await);
        assert_eq!(answer.status, 400, "{nonsense:?}");
        is_a_whole_refusal(&answer);
        assert!(answer.header("date").is_some());
    }
    let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(70_000));
    let answer = parse(&exchange(door.address, long.as_bytes()).await);
    assert!(matches!(answer.status, 414 | 431), "{answer:?}");
    is_a_whole_refusal(&answer);
    // The second of a connection as well.
    door.leave.add_permits(1);
    let mut socket = door.connect().await;
    socket.write_all(GET).await.unwrap();
    answer_of(&mut socket).await;
    socket.write_all(b"no request\r\n\r\n").await.unwrap();
    let answer = parse(&to_end(&mut socket).await);
    assert_eq!(answer.status, 400);
    is_a_whole_refusal(&answer);
}

#[tokio::test]
async fn a_request_under_way_is_answered_at_shutdown() {
    let door = door(limits()).await;
    let mut idle = door.connect().await;
    door.leave.add_permits(1);
    idle.write_all(GET).await.unwrap();
    answer_of(&mut idle).await;
    door.arrival().await;
    let mut busy = door.connect().await;
    busy.write_all(GET).await.unwrap();
    door.arrival().await;

    door.stop.send(true).unwrap();
    assert_eq!(to_end(&mut idle).await, b"", "nobody waits for it");
    assert!(!door.serving.is_finished());
    door.leave.add_permits(1);
    let last = parse(&to_end(&mut busy).await);
    assert_eq!(
        (last.status, last.header("connection")),
        (200, Some("close"))
    );
    soon(door.serving).await.unwrap();
    assert!(
        TcpStream::connect(door.address).await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn a_request_that_does_not_end_cannot_hold_up_the_shutdown() {
    let door = door(Limits {
        drain_time: SHORT,
        ..limits()
    })
    .await;
    let mut socket = door.connect().await;
    socket.write_all(GET).await.unwrap();
    door.arrival().await;
    drop(door.stop);
    soon(door.serving).await.unwrap();
}

/// Whoever is over the limit is told so at once and in full, while those inside are served.
#[tokio::test]
async fn connections_over_the_limit_are_told_to_come_back() {
    let door = door(Limits {
        connections: 2,
        ..limits()
    })
    .await;
    let mut inside = [door.connect().await, door.connect().await];
    for socket in &mut inside {
        socket.write_all(GET).await.unwrap();
        door.arrival().await;
    }
    door.sees(OPEN, "2").await;
    door.sees(UNDER_WAY, "2").await;
    for turned_away in 1..=10 {
        let answer = parse(&exchange(door.address, GET).await);
        assert_eq!(answer.status, 503);
        assert_eq!(answer.header("retry-after"), Some("1"));
        is_a_whole_refusal(&answer);
        door.sees(TURNED_AWAY, &turned_away.to_string()).await;
    }
    assert_eq!(door.most_at_once.load(Ordering::SeqCst), 2);
    // The places are given back.
    door.leave.add_permits(2);
    for socket in &mut inside {
        answer_of(socket).await;
    }
    drop(inside);
    door.sees(OPEN, "0").await;
    door.sees(UNDER_WAY, "0").await;
    door.leave.add_permits(1);
    let mut socket = door.connect().await;
    socket.write_all(GET).await.unwrap();
    answer_of(&mut socket).await;
}

/// More than can be told are closed; nobody is left waiting.
#[tokio::test]
async fn a_crowd_over_the_limit_ends_soon() {
    let door = door(Limits {
        connections: 0,
        ..limits()
    })
    .await;
    let mut silent = Vec::new();
    for _ in 0..60 {
        silent.push(door.connect().await);
    }
    for mut socket in silent {
        assert_eq!(to_end(&mut socket).await, b"");
    }
    assert_eq!(door.most_at_once.load(Ordering::SeqCst), 0);
    assert_eq!(parse(&exchange(door.address, GET).await).status, 503);
}

/// A caller that goes away leaves nothing behind in the counters.
#[tokio::test]
async fn a_caller_that_goes_away_is_not_under_way_any_more() {
    let door = door(limits()).await;
    let mut socket = door.connect().await;
    socket.write_all(GET).await.unwrap();
    door.arrival().await;
    door.sees(UNDER_WAY, "1").await;
    drop(socket);
    door.sees(UNDER_WAY, "0").await;
    door.sees(OPEN, "0").await;
}

/// The rest of a request that was answered early is taken, so that the answer is not lost, but not
/// for ever.
#[tokio::test]
async fn an_early_answer_arrives_and_ends_the_connection() {
    let door = door(Limits {
        idle_time: SHORT,
        ..limits()
    })
    .await;
    door.leave.add_permits(2);
    let large = [
        format!(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
            8 << 20
        )
        .into_bytes(),
        vec![b'x'; 8 << 20],
    ]
    .concat();
    let (mut reader, mut writer) = door.connect().await.into_split();
    let mut bytes = Vec::new();
    let both = async { tokio::join!(writer.write_all(&large), reader.read_to_end(&mut bytes)) };
    let (written, read) = soon(both).await;
    assert!(
        written.is_ok() && read.is_ok(),
        "no reset: {written:?} {read:?}"
    );
    assert_eq!(parse(&bytes).status, 200);

    let mut socket = door.connect().await;
    let endless = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000\r\n\r\n";
    socket.write_all(endless).await.unwrap();
    answer_of(&mut socket).await;
    let flood = async {
        while socket.write_all(b"x").await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    soon(flood).await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    use hallpass_resource_server::listener::{Body, BodyError};
    use http_body_util::BodyExt as _;

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (_stop, shutdown) = watch::channel(false);
    let limits = Limits {
        body_time: SHORT,
        ..limits()
    };
    let service = |request: Request<Body>, _: SocketAddr| async move {
        let read = request.into_body().collect().await;
        let slow = matches!(read, Err(BodyError::TooSlow(_)));
        Response::new(Full::new(Bytes::from(format!("slow: {slow} {{}}"))))
    };
    let metrics = Metrics::new(&mut Registry::default());
    let site = Site::new("bodies", Kind::ResourceServer, &metrics);
    let _serving = tokio::spawn(serve(listener, site, limits, shutdown, service));
    for (body, slow) in [(&b"whole"[..], false), (b"hal", true), (b"", true)] {
        let mut socket = TcpStream::connect(address).await.unwrap();
        let head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
        socket.write_all(&[&head[..], body].concat()).await.unwrap();
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"{}") {
            assert!(soon(socket.read_buf(&mut bytes)).await.unwrap() > 0);
        }
        let answer = String::from_utf8(bytes).unwrap();
        assert!(answer.contains(&format!("slow: {slow}")), "{answer}");
    }
}
