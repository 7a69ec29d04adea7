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
    if !name(who, url, tell).await {
        return None;
    }
    let origin = url.origin().ascii_serialization();
    let way = match client.way_to(url) {
        Ok(way) => way,
        Err(error) => {
            let hint = error.hint();
            let finding = Finding::failed(Step::Connection, chain(&error));
            tell(Finding { hint, ..finding });
            return None;
        }
    };
    let request = reqwest::Request::new(http::Method::GET, url.clone());
    let answer = exchange(&way, request, LARGEST_ANSWER).await;
    let heard_at = client.now();
    match answer {
        // A server that says too much does answer.
        Err(TransportError::TooLarge { .. }) => {
            tell(answered(who, &origin));
            Some(Seen {
                date: None,
                heard_at,
            })
        }
        Ok(answer) => {
            tell(answered(who, &origin));
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

fn answered(who: &str, origin: &str) -> Finding {
    let trusted = if origin.starts_with("https:") {
        ", and its certificate is trusted"
    } else {
        " on this machine, without TLS"
    };
    Finding::fine(
        Step::Connection,
        format!("{who} answers at {origin}{trusted}"),
    )
}

/// Whether the name of the host means something. Behind a proxy it is the proxy's business.
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
