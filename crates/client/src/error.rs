//! What can go wrong between a profile and an answer, and whose fault it is.

use std::path::PathBuf;

use crate::paging::PagingError;
use crate::private_file::PrivateFileError;
use crate::problem::ApiProblem;
use crate::profile::ProfileError;
use crate::task::TaskFailure;
use crate::token_failure::TokenFailure;
use crate::transport::TransportError;

/// Whose fault an error is; the command line has an exit code for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The API said no, or answered something unusable.
    Api,
    /// The caller asked for something that cannot be done.
    Usage,
    /// There is no token, or the API does not take it.
    Authentication,
    /// No answer from the server.
    Unreachable,
    /// A task failed or did not end in time.
    Task,
}

/// Everything that can go wrong in this library.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection is not described well.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// There is no token.
    #[error(transparent)]
    Token(#[from] TokenFailure),
    /// A file of the token cache is in the way.
    #[error(transparent)]
    Cache(#[from] PrivateFileError),
    /// The request cannot be sent as it is.
    #[error("the request cannot be sent: {0}")]
    Request(&'static str),
    /// The server did not answer.
    #[error("no answer from the API")]
    Transport(#[from] TransportError),
    /// The API answered with an error status.
    #[error(transparent)]
    Api(Box<ApiProblem>),
    /// A good status, but a body that is not what it should be.
    #[error("the API's answer (HTTP {status}) is no JSON: {reason}")]
    NotJson {
        /// The status.
        status: u16,
        /// What is wrong.
        reason: String,
    },
    /// A list could not be read to its end.
    #[error(transparent)]
    Paging(#[from] PagingError),
    /// A task did not succeed.
    #[error(transparent)]
    Task(#[from] Box<TaskFailure>),
}

impl Error {
    /// Whose fault it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Profile(_) | Self::Cache(_) | Self::Request(_) => Kind::Usage,
            Self::Token(failure) => failure.kind(),
            Self::Transport(error) => error.kind(),
            Self::Api(problem) => problem.kind(),
            Self::NotJson { .. } => Kind::Api,
            Self::Paging(error) => error.kind(),
            Self::Task(_) => Kind::Task,
        }
    }

    /// What to do about it, when there is something to do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Profile(error) => error.hint(),
            Self::Token(failure) => failure.hint(),
            Self::Cache(error) => error.hint(),
            Self::Transport(error) => Some(error.hint().to_owned()),
            Self::Api(problem) => problem.hint(),
            Self::NotJson { .. } => Some("check the base URL: is it the API's?".to_owned()),
            Self::Paging(error) => error.hint(),
            Self::Task(failure) => failure.hint(),
            Self::Request(_) => None,
        }
    }
}

impl From<ApiProblem> for Error {
    fn from(problem: ApiProblem) -> Self {
        Self::Api(Box::new(problem))
    }
}

impl From<TaskFailure> for Error {
    fn from(failure: TaskFailure) -> Self {
        Self::Task(Box::new(failure))
    }
}

/// A file of certificate authorities that cannot be used.
pub(crate) fn ca_file(path: &std::path::Path, reason: &dyn std::fmt::Display) -> ProfileError {
    ProfileError::CaFile {
        path: PathBuf::from(path),
        reason: reason.to_string(),
    }
}
