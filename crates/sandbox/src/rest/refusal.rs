//! Why a request is refused, and the one place that says so on the wire.

use std::borrow::Cow;

use hallpass_openapi::{Definition, Operation};
use http::StatusCode;
use rand_core::Rng;

use crate::level::Reason;
use crate::rest::said::Said;
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
        parameter: Cow<'static, str>,
        /// What is wrong with it.
        message: String,
    },
    /// A selection leaves out what the answer must have.
    #[error("Missing required field(s) - {0}")]
    LeftOut(String),
    /// There is no such object.
    #[error("{0}")]
    NotFound(String),
    /// What must be there once only is there already.
    #[error("{0}")]
    Taken(String),
    /// The definition has the operation, the stand-in has not.
    #[error("this stand-in does not answer the operation {0}: {1}")]
    NotModelled(String, Reason),
}

impl Refusal {
    pub(crate) fn invalid(parameter: impl Into<Cow<'static, str>>, error: &impl ToString) -> Self {
        Self::InvalidParameter {
            parameter: parameter.into(),
            message: error.to_string(),
        }
    }

    /// The answer, in the shape that the operation declares for it.
    pub(crate) fn response(
        &self,
        definition: &Definition,
        operation: &Operation,
        rng: &mut dyn Rng,
    ) -> Response {
        let (status, code) = match self {
            Self::Taken(_) if declares(operation, "409") => (StatusCode::CONFLICT, "CONFLICT"),
            Self::Taken(_) | Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "BAD_REQUEST"),
            Self::InvalidParameter { .. } => (StatusCode::BAD_REQUEST, "INVALID_PARAMETER"),
            Self::LeftOut(_) => (StatusCode::UNPROCESSABLE_ENTITY, "422"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "NOT_FOUND"),
            Self::NotModelled(..) => (StatusCode::NOT_IMPLEMENTED, "NOT_IMPLEMENTED"),
        };
        let trace = format!("{:016x}{:016x}", rng.next_u64(), rng.next_u64());
        let said = Said {
            status: status.as_u16(),
            message: self.to_string(),
            code,
            trace,
        };
        Response {
            status,
            body: Some(said.body(definition, operation).into()),
            task: None,
        }
    }
}

fn declares(operation: &Operation, status: &str) -> bool {
    operation
        .responses()
        .iter()
        .any(|(declared, _)| declared == status)
}
