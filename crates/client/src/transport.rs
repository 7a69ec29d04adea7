//! One request, one answer: the only place that knows the HTTP library. Token requests and API calls
//! go the same ways out: the same proxy, certificate authorities and client certificate.
//!
//! Follows no redirects, limits the time and the size of an answer, and turns the library's errors
//! into words. What status and body mean is for others to say.

use std::error::Error as _;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{ClientBuilder, Url};
use zeroize::Zeroizing;

use crate::error::{Kind, ca_file};
use crate::event::{Event, EventSink};
use crate::kept::{Arriving, Kept, NotKept, Room};
use crate::profile::{ClientCertificate, Profile, ProfileError};
use crate::proxies::{Proxies, ProxyAddress};
use crate::reach::{AddressRule, NOT_ALLOWED, Resolver, is_left_out};
use crate::response::Response;
use crate::send::Options;

/// How requests name the program (RFC 9110 section 10.1.5).
pub const USER_AGENT: &str = concat!("hallpass/", env!("CARGO_PKG_VERSION"));

/// Why there is no answer. Cloneable, because one failure may be told to many waiters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No connection to the server came to stand.
    #[error("cannot reach {server}: {reason}")]
    Unreachable {
        /// The server.
        server: String,
        /// What the system said.
        reason: String,
    },
    /// The connection broke before the answer was there.
    #[error("the connection to {server} broke: {reason}")]
    Broken {
        /// The server.
        server: String,
        /// What the system said.
        reason: String,
    },
    /// The proxy cannot be reached, or does not let us through.
    #[error("cannot reach {server} through the proxy {proxy}: {reason}")]
    Proxy {
        /// The server.
        server: String,
        /// The proxy, without its password.
        proxy: String,
        /// What the proxy or the system said.
        reason: String,
    },
    /// The server is not who it should be.
    #[error("cannot trust {server}: {reason}")]
    Certificate {
        /// The server.
        server: String,
        /// What is wrong with its certificate.
        reason: String,
    },
    /// It took too long.
    #[error("{server} did not answer in time")]
    TimedOut {
        /// The server.
        server: String,
    },
    /// The answer is larger than this program takes.
    #[error("the answer of {server} is larger than {limit} bytes")]
    TooLarge {
        /// The server.
        server: String,
        /// The limit.
        limit: u64,
    },
    /// The answer is too large for memory, and the file for it cannot be written.
    #[error("the answer of {server} cannot be kept in a file: {reason}")]
    NotKept {
        /// The server.
        server: String,
        /// What the system said.
        reason: String,
    },
}

impl TransportError {
    /// Whose fault it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::TooLarge { .. } => Kind::Api,
            _ => Kind::Unreachable,
        }
    }

    /// Whether the request has certainly not been sent.
    pub fn nothing_was_sent(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Proxy { .. })
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "check the address, and that the server runs",
            Self::Broken { .. } => {
                "try again; a request that changes something may have been carried out"
            }
            Self::Proxy { .. } => {
                "check HTTPS_PROXY (user and password belong there too), or the profile's proxy; \
                 NO_PROXY names hosts that are reached without it"
            }
            Self::Certificate { .. } => {
                "if the server uses a private certificate authority, name its file in the profile"
            }
            Self::TimedOut { .. } => "try again; is a proxy or a firewall in the way?",
            Self::NotKept { .. } => "make room on the disk, or ask for less",
            Self::TooLarge { .. } => "ask for less: a smaller page, or fewer attributes",
        }
    }
}

/// How long and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) connect: Duration,
    pub(crate) total: Duration,
}

/// The ways out for one profile. Each is made when it is first needed: loading certificate
/// authorities takes longer than a local call, and a cached token needs no way to the token endpoint.
pub(crate) struct Transport {
    profile: Profile,
    proxies: Proxies,
    bounds: Bounds,
    addresses: Option<AddressRule>,
    events: EventSink,
    told_insecure: AtomicBool,
    plain: OnceLock<reqwest::Client>,
    direct: OnceLock<reqwest::Client>,
    proxied: OnceLock<reqwest::Client>,
}

/// A way to one server.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    client: reqwest::Client,
    proxy: Option<ProxyAddress>,
    is_left_out: bool,
}

impl Transport {
    pub(crate) fn of(profile: &Profile, options: &Options) -> Self {
        Self {
            profile: profile.clone(),
            proxies: options.proxies.clone(),
            bounds: options.limits.bounds(),
            addresses: options.addresses.clone(),
            events: options.events.clone(),
            told_insecure: AtomicBool::new(false),
            plain: OnceLock::new(),
            direct: OnceLock::new(),
            proxied: OnceLock::new(),
        }
    }

    /// The way to the server of `url`.
    pub(crate) fn way_to(&self, url: &Url) -> Result<Way, ProfileError> {
        let proxy = self.proxies.on_the_way_to(url, self.profile.proxy())?;
        let plain = url.scheme() == "http";
        if !plain && self.profile.insecure() && !self.told_insecure.swap(true, Ordering::Relaxed) {
            (self.events)(&Event::ServerNotChecked);
        }
        let made = match &proxy {
            _ if plain => &self.plain,
            None => &self.direct,
            Some(_) => &self.proxied,
        };
        let client = if let Some(client) = made.get() {
            client.clone()
        } else {
            let client = self.client(plain, proxy.as_ref())?;
            made.get_or_init(|| client).clone()
        };
        let rule = self.addresses.as_ref();
        let is_left_out = rule.is_some_and(|rule| is_left_out(rule, url));
        Ok(Way {
            client,
            proxy,
            is_left_out,
        })
    }

    fn client(
        &self,
        plain: bool,
        proxy: Option<&ProxyAddress>,
    ) -> Result<reqwest::Client, ProfileError> {
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(Policy::none())
            .connect_timeout(self.bounds.connect)
            .timeout(self.bounds.total)
            .no_proxy();
        if let Some(rule) = &self.addresses {
            builder = builder.dns_resolver(Resolver::new(rule.clone()));
        }
        if let Some(proxy) = proxy {
            let proxy = proxy
                .for_reqwest()
                .map_err(|error| unusable(&words(&error)))?;
            builder = builder.proxy(proxy);
        }
        builder = if plain {
            builder.tls_certs_only([])
        } else {
            self.with_tls(builder)?
        };
        let system = || Path::new("the system's certificate store");
        builder.build().map_err(|error| {
            ca_file(
                self.profile.ca_file().unwrap_or_else(system),
                &words(&error),
            )
        })
    }

    fn with_tls(&self, mut builder: ClientBuilder) -> Result<ClientBuilder, ProfileError> {
        if let Some(path) = self.profile.ca_file() {
            builder = builder.tls_certs_merge(authorities(path)?);
        }
        if let Some(own) = self.profile.client_certificate() {
            builder = builder.identity(identity(own)?);
        }
        Ok(builder.tls_danger_accept_invalid_certs(self.profile.insecure()))
    }
}

fn authorities(path: &Path) -> Result<Vec<reqwest::Certificate>, ProfileError> {
    let pem = std::fs::read(path).map_err(|error| ca_file(path, &error))?;
    let certificates = reqwest::Certificate::from_pem_bundle(&pem)
        .map_err(|error| ca_file(path, &words(&error)))?;
    if certificates.is_empty() {
        return Err(ca_file(path, &"it is empty"));
    }
    Ok(certificates)
}

fn identity(own: &ClientCertificate) -> Result<reqwest::Identity, ProfileError> {
    let failed = |path: &Path, reason: String| ProfileError::ClientCertificate {
        path: path.to_owned(),
        reason,
    };
    let read = |path: &Path| {
        let content = std::fs::read(path).map(Zeroizing::new);
        content.map_err(|error| failed(path, error.to_string()))
    };
    let (certificate, key) = (read(own.certificate())?, read(own.key())?);
    let mut both = Zeroizing::new(Vec::with_capacity(certificate.len() + key.len() + 1));
    both.extend_from_slice(&certificate);
    both.push(b'\n');
    both.extend_from_slice(&key);
    reqwest::Identity::from_pem(&both).map_err(|error| failed(own.certificate(), words(&error)))
}

fn unusable(reason: &str) -> ProfileError {
    ProfileError::Address(crate::address::AddressError::Malformed {
        what: "proxy",
        reason: reason.to_owned(),
    })
}

impl Way {
    /// The address of the proxy on the way, without its password.
    pub(crate) fn proxy(&self) -> Option<String> {
        self.proxy.as_ref().map(ToString::to_string)
    }

    /// Sends the request; the answer's body has not come yet.
    pub(crate) async fn execute(
        &self,
        request: reqwest::Request,
    ) -> Result<reqwest::Response, TransportError> {
        let server = request.url().origin().ascii_serialization();
        if self.is_left_out {
            let reason = NOT_ALLOWED.to_owned();
            return Err(TransportError::Unreachable { server, reason });
        }
        let answer = self.client.execute(request).await;
        answer.map_err(|error| match (&self.proxy, classify(&server, &error)) {
            (Some(proxy), TransportError::Unreachable { server, reason }) if error.is_connect() => {
                TransportError::Proxy {
                    server,
                    proxy: proxy.to_string(),
                    reason,
                }
            }
            (_, other) => other,
        })
    }
}

/// Sends the request and takes the whole answer, up to `limit` bytes.
pub(crate) async fn exchange(
    way: &Way,
    request: reqwest::Request,
    limit: usize,
) -> Result<Response, TransportError> {
    let kept = exchange_into(way, request, &Room::Memory(limit), None).await?;
    Ok(kept.into_response())
}

/// Sends the request and takes the whole answer into the room that there is. `begin` is how long it may
/// take to begin, where its time as a whole is another.
pub(crate) async fn exchange_into(
    way: &Way,
    mut request: reqwest::Request,
    room: &Room,
    begin: Option<Duration>,
) -> Result<Kept, TransportError> {
    let server = request.url().origin().ascii_serialization();
    if let Room::File(keeping) = room {
        *request.timeout_mut() = Some(keeping.longest);
    }
    let begun = way.execute(request);
    let mut answer =
        match begin {
            None => begun.await?,
            Some(begin) => tokio::time::timeout(begin, begun).await.map_err(|_| {
                TransportError::TimedOut {
                    server: server.clone(),
                }
            })??,
        };
    let status = answer.status();
    let headers = std::mem::take(answer.headers_mut());
    let not_kept = |reason| match reason {
        NotKept::TooLarge => TransportError::TooLarge {
            server: server.clone(),
            limit: room.most(),
        },
        NotKept::File(error) => TransportError::NotKept {
            server: server.clone(),
            reason: error.to_string(),
        },
    };
    if answer
        .content_length()
        .is_some_and(|length| length > room.most())
    {
        return Err(not_kept(NotKept::TooLarge));
    }
    let mut body = Arriving::new(room);
    let failed = |error: reqwest::Error| classify(&server, &error);
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        body.take(&chunk).await.map_err(not_kept)?;
    }
    let head = Response::new(status, headers, Vec::new());
    body.end(head).await.map_err(not_kept)
}

/// The library's error in words.
pub(crate) fn classify(server: &str, error: &reqwest::Error) -> TransportError {
    let server = server.to_owned();
    let mut reason = words(error);
    if reason.contains("CertificateRequired") {
        "it asks for a client certificate; name one in the profile".clone_into(&mut reason);
        return TransportError::Unreachable { server, reason };
    }
    // A connection that does not come to stand in time is both, and nothing was sent.
    if error.is_timeout() && error.is_connect() {
        let reason = "no connection came to stand in time".to_owned();
        TransportError::Unreachable { server, reason }
    } else if error.is_timeout() {
        TransportError::TimedOut { server }
    } else if reason.contains("certificate") {
        TransportError::Certificate { server, reason }
    } else if error.is_connect() {
        TransportError::Unreachable { server, reason }
    } else {
        TransportError::Broken { server, reason }
    }
}

/// The innermost cause: the outer ones only repeat that a request failed, and its address.
fn words(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut text = None;
    while let Some(inner) = cause {
        text = Some(inner.to_string());
        cause = inner.source();
    }
    text.unwrap_or_else(|| "the request failed".to_owned())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::Arc;

    use hallpass_oauth::ClientId;
    use jiff::Timestamp;

    use super::*;
    use crate::address::{BaseUrl, TokenUrl};
    use crate::profile::ProfileName;
    use crate::send::{Cache, Limits};

    /// What comes of a request when nothing answers on the way.
    async fn unanswered(url: &str, proxies: Proxies) -> TransportError {
        let profile = Profile::new(
            ProfileName::parse("us1").unwrap(),
            TokenUrl::parse("https://a.example/t").unwrap(),
            BaseUrl::parse("https://a.example").unwrap(),
            ClientId::parse("c").unwrap(),
        );
        let limits = Limits {
            connect: Duration::from_millis(100),
            ..Limits::default()
        };
        let options = Options::new(Cache::None, Arc::new(|| Timestamp::UNIX_EPOCH))
            .with_limits(limits)
            .with_proxies(proxies);
        let url = Url::parse(url).unwrap();
        let way = Transport::of(&profile, &options).way_to(&url).unwrap();
        let request = reqwest::Request::new(reqwest::Method::POST, url);
        exchange(&way, request, 1).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_connection_that_does_not_stand_in_time_has_sent_nothing() {
        // The system takes the connection and nobody says a word.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = silent.local_addr().unwrap();
        let error = unanswered(&format!("https://{address}/"), Proxies::none()).await;
        assert!(
            matches!(error, TransportError::Unreachable { .. }),
            "{error:?}"
        );
        assert!(error.nothing_was_sent());

        let through = Proxies::from_environment(|name| {
            (name == "HTTPS_PROXY").then(|| format!("http://{address}"))
        });
        let error = unanswered("https://a.example/", through).await;
        assert!(matches!(error, TransportError::Proxy { .. }), "{error:?}");
        assert!(error.to_string().contains(&address.to_string()), "{error}");
    }
}
