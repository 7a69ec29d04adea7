//! Why a request is refused, and the one place that says so on the wire.

use http::StatusCode;
use rand_core::Rng;
use serde_json::json;

use crate::sandbox::Response;

/// A refusal; all but the last are the caller's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// The body cannot be read, or asks for something that cannot be.
    #[error("{0}")]
    BadRequest(String),
    /// A query parameter cannot be read.
    #[error("{parameter}: {message}")]
    InvalidParameter {
        /// Its name.
        parameter: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// There is no such object.
    #[error("{0}")]
    NotFound(String),
    /// The definition has the operation, the stand-in has not.
    #[error("this stand-in does not model the operation {0}")]
    NotModelled(String),
}

impl Refusal {
    pub(crate) fn invalid(parameter: &'static str, error: &impl ToString) -> Self {
        Self::InvalidParameter {
            parameter,
            message: error.to_string(),
        }
    }

    /// The answer: all three keys always, which is what every known client can read
    /// (domain.md 6.4).
    pub(crate) fn response(&self, rng: &mut dyn Rng) -> Response {
        let (status, code) = match self {
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "BAD_REQUEST"),
            Self::InvalidParameter { .. } => (StatusCode::BAD_REQUEST, "INVALID_PARAMETER"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "NOT_FOUND"),
            Self::NotModelled(_) => (StatusCode::NOT_IMPLEMENTED, "NOT_IMPLEMENTED"),
        };
        let trace = format!("{:016x}{:016x}", rng.next_u64(), rng.next_u64());
        Response {
            status,
            body: Some(json!({
                "error": self.to_string(),
                "errorCode": code,
                "traceId": trace,
            })),
            task: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;

    #[test]
    fn a_refusal_has_its_status_its_words_and_a_trace_of_its_own() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let refusal = Refusal::invalid("filter", &"column 3: no");
        let first = refusal.response(&mut rng);
        let second = refusal.response(&mut rng);
        assert_eq!(first.status, StatusCode::BAD_REQUEST);
        let body = first.body.unwrap();
        assert_eq!(body["error"], "filter: column 3: no");
        assert_eq!(body["errorCode"], "INVALID_PARAMETER");
        let trace = body["traceId"].as_str().unwrap();
        assert_eq!(trace.len(), 32);
        assert!(trace.chars().all(|digit| digit.is_ascii_hexdigit()));
        assert_ne!(second.body.unwrap()["traceId"], trace);
    }
}
