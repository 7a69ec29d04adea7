//! What stands in the path of a request. Bytes that are no text name nothing: they are read as the
//! default, so that whoever asks is known before it is said that there is no such thing.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

/// The parameters of the path.
pub(crate) struct InPath<T>(pub(crate) T);

impl<S, T> FromRequestParts<S> for InPath<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Default + Send,
{
    type Rejection = Infallible;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let read = Path::<T>::from_request_parts(head, state).await;
        Ok(Self(read.map(|Path(value)| value).unwrap_or_default()))
    }
}
