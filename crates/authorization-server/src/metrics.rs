//! What the server counts. No label carries a client id or anything else that a stranger chooses:
//! every label has a few values, all of them known here.

use std::fmt;
use std::sync::{Arc, Weak};

use hallpass_store::keys::KeyState;
use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeMetric as _, LabelSetEncoder,
};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::AuthorizationServer;
use crate::answer::Refusal;

/// Counters of the endpoints.
pub(crate) struct Metrics {
    issued: Family<Grant, Counter>,
    refused: Family<Refused, Counter>,
    failed: Family<Failed, Counter>,
    seconds: Family<Outcome, Histogram, fn() -> Histogram>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Grant {
    grant: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    endpoint: &'static str,
    error: String,
    /// Tells the limits (429) from trouble of ours (503), which share an error code.
    status: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failed {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// The values of the `grant` label.
pub(crate) const CLIENT_CREDENTIALS: &str = "client_credentials";
pub(crate) const TOKEN_EXCHANGE: &str = "token_exchange";

/// Upper bounds of the buckets, in seconds: from an ES256 token on an idle server to a queue that is
/// as long as it may get.
const BUCKETS: [f64; 12] = [
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0,
];

impl Metrics {
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            issued: Family::default(),
            refused: Family::default(),
            failed: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
        };
        registry.register(
            "hallpass_access_tokens_issued",
            "Access tokens issued",
            metrics.issued.clone(),
        );
        registry.register(
            "hallpass_token_requests_refused",
            "Requests refused, by endpoint and by the error code and status of the answer",
            metrics.refused.clone(),
        );
        registry.register(
            "hallpass_client_authentications_failed",
            "Client authentications that failed, by reason",
            metrics.failed.clone(),
        );
        registry.register_with_unit(
            "hallpass_token_request_duration",
            "Time from the head of a token request to its answer",
            Unit::Seconds,
            metrics.seconds.clone(),
        );
        // There from the start, so that the first one can be seen as a change.
        for grant in [CLIENT_CREDENTIALS, TOKEN_EXCHANGE] {
            let _ = metrics.issued.get_or_create(&Grant { grant });
        }
        metrics
    }

    pub(crate) fn issued(&self, grant: &'static str) {
        self.issued.get_or_create(&Grant { grant }).inc();
    }

    pub(crate) fn refused(&self, endpoint: &'static str, refusal: &Refusal) {
        let refused = Refused {
            endpoint,
            error: refusal.error().code().to_owned(),
            status: refusal.status().as_u16().into(),
        };
        self.refused.get_or_create(&refused).inc();
    }

    pub(crate) fn introspected(&self, refusal: Option<&Refusal>) {
        if let Some(refusal) = refusal {
            self.refused("introspection", refusal);
        }
    }

    pub(crate) fn revoked(&self, refusal: Option<&Refusal>) {
        if let Some(refusal) = refusal {
            self.refused("revocation", refusal);
        }
    }

    pub(crate) fn failed(&self, reason: &'static str) {
        self.failed.get_or_create(&Failed { reason }).inc();
    }

    /// How long a token request took.
    pub(crate) fn took(&self, good: bool, began: Timestamp, ended: Timestamp) {
        let outcome = if good { "issued" } else { "refused" };
        let seconds = ended.duration_since(began).as_secs_f64().max(0.0);
        self.seconds
            .get_or_create(&Outcome { outcome })
            .observe(seconds);
    }
}

/// Lets the registry ask the server for what changes by itself.
pub(crate) fn observe(server: &Arc<AuthorizationServer>, registry: &mut Registry) {
    registry.register_collector(Box::new(Observer(Arc::downgrade(server))));
}

/// Asks when the metrics are read. It does not keep the server alive.
struct Observer(Weak<AuthorizationServer>);

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

impl Collector for Observer {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some(server) = self.0.upgrade() else {
            return Ok(());
        };
        let sizes = server.clients.sizes();
        let gauges = [
            (
                "hallpass_signing_queue",
                "Signatures that wait for a thread",
                server.signer.queued(),
            ),
            (
                "hallpass_token_requests_under_way",
                "Requests of authenticated clients under way",
                server.admission.under_way(),
            ),
            (
                "hallpass_projection_credentials",
                "Credentials in memory",
                sizes.credentials,
            ),
            (
                "hallpass_projection_people",
                "People in memory",
                sizes.people,
            ),
            (
                "hallpass_projection_spent_ids",
                "Revoked tokens and used client assertions in memory",
                sizes.spent_ids,
            ),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(metric)?;
        }
        encode_key_ages(&server, &mut encoder)
    }
}

/// How old the oldest key of each state is.
fn encode_key_ages(
    server: &AuthorizationServer,
    encoder: &mut DescriptorEncoder<'_>,
) -> Result<(), fmt::Error> {
    let now = (server.clock)();
    let keys = server.published_keys.states();
    let gauge = ConstGauge::new(0_i64);
    let mut family = encoder.encode_descriptor(
        "hallpass_signing_key_age",
        "Age of the oldest signing key of each state",
        Some(&Unit::Seconds),
        gauge.metric_type(),
    )?;
    for state in KeyState::ALL {
        let ages = keys
            .iter()
            .filter(|key| key.state == state)
            .map(|key| now.duration_since(key.created_at).as_secs());
        if let Some(age) = ages.max() {
            let labels = State {
                state: state.as_str(),
            };
            ConstGauge::new(age).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

struct State {
    state: &'static str,
}

impl EncodeLabelSet for State {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), fmt::Error> {
        use prometheus_client::encoding::EncodeLabel as _;
        ("state", self.state).encode(encoder.encode_label())
    }
}
