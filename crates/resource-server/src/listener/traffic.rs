//! What a listener is called, and what is counted there. Every label has a closed set of values, and
//! every series exists from the start: no request, whatever it says, can make one.

use std::sync::Arc;

use http::{Method, StatusCode};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::admission::Full;

/// Upper ends of the buckets of durations, in seconds: from an answer out of memory to a body that
/// came slowly.
const BUCKETS: [f64; 14] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The methods of RFC 9110 and RFC 5789, and one word for all others.
const METHODS: [&str; 10] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", OTHER,
];
const OTHER: &str = "other";

/// What kind of server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Token endpoint, published keys, console, health.
    AuthorizationServer,
    /// The guard of an application instance.
    ResourceServer,
    /// The metrics themselves.
    Metrics,
    /// Both of them by name, over TLS.
    Tls,
    /// A proxy.
    Proxy,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::AuthorizationServer => "authorization_server",
            Self::ResourceServer => "resource_server",
            Self::Metrics => "metrics",
            Self::Tls => "tls",
            Self::Proxy => "proxy",
        }
    }
}

impl EncodeLabelValue for Kind {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        EncodeLabelValue::encode(&self.word(), encoder)
    }
}

/// What is counted at the listeners, all of them together.
#[derive(Clone)]
pub struct Metrics {
    durations: Family<Answered, Histogram, fn() -> Histogram>,
    requests: Family<Asked, Counter>,
    under_way: Family<At, Gauge>,
    connections: Family<At, Gauge>,
    turned_away: Family<TurnedAway, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    listener: Kind,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    listener: Kind,
    method: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct At {
    listener: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TurnedAway {
    listener: Kind,
    reason: &'static str,
}

impl Metrics {
    /// Registers the counters.
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            requests: Family::default(),
            under_way: Family::default(),
            connections: Family::default(),
            turned_away: Family::default(),
        };
        registry.register_with_unit(
            "hallpass_http_request_duration",
            "Time from the end of a request's head to its answer, by class of status",
            Unit::Seconds,
            metrics.durations.clone(),
        );
        registry.register(
            "hallpass_http_requests",
            "Requests begun, by method",
            metrics.requests.clone(),
        );
        registry.register(
            "hallpass_http_requests_under_way",
            "Requests that are being answered",
            metrics.under_way.clone(),
        );
        registry.register(
            "hallpass_http_connections_open",
            "Connections that are served",
            metrics.connections.clone(),
        );
        registry.register(
            "hallpass_http_connections_turned_away",
            "Connections over a limit, by the limit",
            metrics.turned_away.clone(),
        );
        metrics
    }

    fn of(&self, listener: Kind) -> Traffic {
        let at = At { listener };
        let answered = |status| Answered { listener, status };
        let asked = |method| Asked { listener, method };
        let turned_away = |full: Full| TurnedAway {
            listener,
            reason: full.word(),
        };
        Traffic {
            durations: CLASSES.map(|class| self.durations.get_or_create_owned(&answered(class))),
            requests: METHODS.map(|method| self.requests.get_or_create_owned(&asked(method))),
            under_way: self.under_way.get_or_create_owned(&at),
            connections: self.connections.get_or_create_owned(&at),
            full: self
                .turned_away
                .get_or_create_owned(&turned_away(Full::Listener)),
            full_for_address: self
                .turned_away
                .get_or_create_owned(&turned_away(Full::Address)),
        }
    }
}

/// A listener as logs and counters know it.
#[derive(Clone)]
pub struct Site(Arc<Inner>);

struct Inner {
    name: String,
    traffic: Traffic,
}

/// The series of one kind of listener.
struct Traffic {
    durations: [Histogram; CLASSES.len()],
    requests: [Counter; METHODS.len()],
    under_way: Gauge,
    connections: Gauge,
    full: Counter,
    full_for_address: Counter,
}

impl Site {
    /// A listener called `name` in log lines and counted with those of its kind.
    pub fn new(name: &str, kind: Kind, metrics: &Metrics) -> Self {
        Self(Arc::new(Inner {
            name: name.to_owned(),
            traffic: metrics.of(kind),
        }))
    }

    pub(super) fn name(&self) -> &str {
        &self.0.name
    }

    pub(super) fn began(&self, method: &'static str) {
        let traffic = &self.0.traffic;
        let known = METHODS.iter().position(|known| *known == method);
        traffic.requests[known.unwrap_or(METHODS.len() - 1)].inc();
        traffic.under_way.inc();
    }

    pub(super) fn ended(&self) {
        self.0.traffic.under_way.dec();
    }

    pub(super) fn answered(&self, status: StatusCode, seconds: f64) {
        // A status has three digits; those of the classes beyond 5 are counted as errors.
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        self.0.traffic.durations[class].observe(seconds);
    }

    pub(super) fn connected(&self) {
        self.0.traffic.connections.inc();
    }

    pub(super) fn disconnected(&self) {
        self.0.traffic.connections.dec();
    }

    pub(super) fn turned_away(&self, full: Full) {
        match full {
            Full::Listener => self.0.traffic.full.inc(),
            Full::Address => self.0.traffic.full_for_address.inc(),
        };
    }
}

/// A method as a log or a label may have it: what is none of the known words could be anything, a
/// secret too.
pub(super) fn method_word(method: &Method) -> &'static str {
    let known = METHODS.iter().find(|known| **known == method.as_str());
    known.copied().unwrap_or(OTHER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(registry: &Registry) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, registry).unwrap();
        text
    }

    #[test]
    fn methods_that_nobody_knows_share_a_word() {
        assert_eq!(method_word(&Method::PATCH), "PATCH");
        for strange in [
            "get",
            "PROPFIND",
            "A1B2C3D4E5F60718293A4B5C6D7E8F90",
            "other",
        ] {
            let method = Method::from_bytes(strange.as_bytes()).unwrap();
            assert_eq!(method_word(&method), "other");
        }
    }

    #[test]
    fn no_status_makes_a_series() {
        let mut registry = Registry::default();
        let site = Site::new("us1", Kind::ResourceServer, &Metrics::new(&mut registry));
        let before = text(&registry).lines().count();
        for status in 100..1000 {
            site.answered(StatusCode::from_u16(status).unwrap(), 0.1);
        }
        let after = text(&registry);
        assert_eq!(after.lines().count(), before);
        let of_class = |class: &str| {
            let name = format!(
                "hallpass_http_request_duration_seconds_count{{listener=\"resource_server\",status=\"{class}\"}} "
            );
            let mut lines = after.lines().filter_map(|line| line.strip_prefix(&name));
            lines.next().map(str::to_owned)
        };
        assert_eq!(of_class("1xx").as_deref(), Some("100"));
        assert_eq!(of_class("5xx").as_deref(), Some("500"));
    }
}
