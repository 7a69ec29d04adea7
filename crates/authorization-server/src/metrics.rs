//! What the token endpoint counts. No label carries a client id: their number has no bound.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// Counters of the token endpoint.
#[derive(Clone, Default)]
pub struct Metrics {
    issued: Counter,
    refused: Family<Refusal, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refusal {
    error: String,
}

impl Metrics {
    /// Registers the counters.
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "hallpass_access_tokens_issued",
            "Access tokens issued",
            metrics.issued.clone(),
        );
        registry.register(
            "hallpass_token_requests_refused",
            "Token requests refused, by the error code of the answer",
            metrics.refused.clone(),
        );
        metrics
    }

    pub(crate) fn issued(&self) {
        self.issued.inc();
    }

    pub(crate) fn refused(&self, error: &str) {
        self.refused
            .get_or_create(&Refusal {
                error: error.to_owned(),
            })
            .inc();
    }
}
