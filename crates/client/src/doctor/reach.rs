//! Names, connection and TLS: whether a server can be reached at all.

use reqwest::Url;
use tokio::net::lookup_host;

use super::clock::Seen;
use super::finding::{Finding, Step, chain};
use crate::send::Client;
use crate::transport::{TransportError, exchange};

/// Reaches for the server of `url`; `None` when there is no answer.
pub(super) async fn server(
    client: &Client,
    who: &str,
    url: &Url,
    tell: &mut (dyn FnMut(Finding) + Send),
) -> Option<Seen> {
    let way = match client.way_to(url) {
        Ok(way) => way,
        Err(error) => {
            let hint = error.hint();
            let finding = Finding::failed(Step::Connection, chain(&error));
            tell(Finding { hint, ..finding });
            return None;
        }
    };
    let proxy = way.proxy();
    if let Some(proxy) = &proxy {
        tell(asked_by_proxy(url, proxy));
    } else if !name(who, url, tell).await {
        return None;
    }
    let origin = url.origin().ascii_serialization();
    let request = reqwest::Request::new(http::Method::GET, url.clone());
    let answer = exchange(&way, request, LARGEST_ANSWER).await;
    let heard_at = client.now();
    let checked = !client.profile().insecure();
    let answered = || answered(who, &origin, proxy.as_deref(), checked);
    match answer {
        // A server that says too much does answer.
        Err(TransportError::TooLarge { .. }) => {
            tell(answered());
            Some(Seen {
                date: None,
                heard_at,
            })
        }
        Ok(answer) => {
            tell(answered());
            let date = answer.header("date").map(str::to_owned);
            Some(Seen { date, heard_at })
        }
        Err(error) => {
            let message = format!("{who} at {origin}: {error}");
            tell(Finding::failed(Step::Connection, message).hint(error.hint()));
            None
        }
    }
}

fn answered(who: &str, origin: &str, proxy: Option<&str>, checked: bool) -> Finding {
    let through = proxy.map_or_else(String::new, |proxy| format!(" through the proxy {proxy}"));
    let trusted = match origin.starts_with("https:") {
        true if checked => ", and its certificate is trusted",
        true => ", and its certificate is not checked, as the profile says",
        false => " on this machine, without TLS",
    };
    Finding::fine(
        Step::Connection,
        format!("{who} answers at {origin}{through}{trusted}"),
    )
}

/// Behind a proxy the name is the proxy's business: a network that has one often resolves no other
/// names than its own.
fn asked_by_proxy(url: &Url, proxy: &str) -> Finding {
    let host = url.host_str().unwrap_or_default();
    Finding::note(
        Step::Names,
        format!("the proxy {proxy} looks up {host}; this machine need not know it"),
    )
}

/// Whether the name of the host means something.
async fn name(who: &str, url: &Url, tell: &mut (dyn FnMut(Finding) + Send)) -> bool {
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return true;
    };
    let host = host.trim_matches(['[', ']']);
    match lookup_host((host, port)).await {
        Ok(addresses) => {
            let found: Vec<String> = addresses.map(|found| found.ip().to_string()).collect();
            let addresses = found.join(", ");
            tell(Finding::fine(Step::Names, format!("{host} is {addresses}")));
            true
        }
        Err(error) => {
            let message = format!("{who}: {host} has no address: {error}");
            tell(Finding::failed(Step::Names, message).hint(
                "is the name right, and is this machine on the network? `hallpass profile add --help` \
                 lists the regions that are known by name",
            ));
            false
        }
    }
}

/// The answer to a request without a token is short.
const LARGEST_ANSWER: usize = 64 * 1024;
