//! Connections to upstreams: a pool of them, over TLS where the URL says so, and to no address that is
//! refused, whatever name leads there.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hallpass_store::instances::is_refused;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_rustls::rustls::{ClientConfig, Error, crypto};
use tower_service::Service;

/// What requests are sent with.
pub(super) type Client =
    hyper_util::client::legacy::Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>;

/// How long a connection may take until it is there.
const CONNECT_TIME: Duration = Duration::from_secs(5);

/// How long a connection that nobody uses is kept.
const IDLE_TIME: Duration = Duration::from_secs(30);

/// Most such connections to one upstream.
const IDLE_CONNECTIONS: usize = 64;

pub(super) fn client() -> Result<Client, Error> {
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    let mut http = HttpConnector::new_with_resolver(Resolver);
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(CONNECT_TIME));
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(http);
    Ok(
        hyper_util::client::legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIME)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build(connector),
    )
}

/// The system's resolver, without the addresses that are refused: a name may lead to another address
/// each time it is asked for, so that looking at the URL is not enough.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resolver;

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed = permitted(found)?;
            Ok(allowed.into_iter())
        })
    }
}

fn permitted(found: impl Iterator<Item = SocketAddr>) -> io::Result<Vec<SocketAddr>> {
    let allowed: Vec<_> = found.filter(|address| !is_refused(address.ip())).collect();
    if allowed.is_empty() {
        let words = "the name leads to no address that calls are passed on to";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, words));
    }
    Ok(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_leads_to_metadata_leads_nowhere() {
        let address = |text: &str| SocketAddr::new(text.parse().unwrap(), 0);
        let (good, bad) = (address("10.0.0.7"), address("169.254.169.254"));
        assert_eq!(permitted([bad, good].into_iter()).unwrap(), [good]);
        assert!(permitted([bad, address("::ffff:a9fe:a9fe")].into_iter()).is_err());
    }

    #[tokio::test]
    async fn an_old_spelling_of_a_refused_address_is_found_out() {
        // 169.254.169.254 as one number, which only resolvers read.
        let name: Name = "2852039166".parse().unwrap();
        assert!(Resolver.call(name).await.is_err());
    }
}
