//! What a resource server counts. No label carries a client id or a path: their number has no
//! bound.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// Counters, shared by the resource servers of all instances.
#[derive(Clone, Default)]
pub struct Metrics {
    answers: Family<Answer, Counter>,
    refusals: Family<Refusal, Counter>,
    faults: Family<Fault, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refusal {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Fault {
    kind: &'static str,
}

impl Metrics {
    /// Registers the counters.
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "hallpass_api_answers",
            "Answers of the resource servers, by HTTP status",
            metrics.answers.clone(),
        );
        registry.register(
            "hallpass_api_refusals",
            "Requests refused before they reached the API, by reason",
            metrics.refusals.clone(),
        );
        registry.register(
            "hallpass_api_faults",
            "Faults that were asked for and happened, by kind",
            metrics.faults.clone(),
        );
        metrics
    }

    pub(crate) fn answered(&self, status: http::StatusCode) {
        self.answers
            .get_or_create(&Answer {
                status: status.as_u16(),
            })
            .inc();
    }

    pub(crate) fn refused(&self, reason: &'static str) {
        self.refusals.get_or_create(&Refusal { reason }).inc();
    }

    pub(crate) fn faulted(&self, kind: &'static str) {
        self.faults.get_or_create(&Fault { kind }).inc();
    }
}
