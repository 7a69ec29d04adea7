//! What the REST API reads and prints of application instances.

use std::net::SocketAddr;

use hallpass_store::ApplicationInstance;
use hallpass_store::instances::{InstanceChange, NewInstance, Origin, Upstream};
use serde::{Deserialize, Deserializer, Serialize};

use crate::answer::Refusal;
use crate::wire::read;

/// The application instances.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ApplicationInstances)]
pub(super) struct List {
    pub(super) items: Vec<Item>,
    pub(super) count: usize,
    pub(super) offset: usize,
    pub(super) total: usize,
}

/// A service in a region.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ApplicationInstance)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item {
    /// Its id, which tokens name as `application_instance_id`.
    pub(super) id: String,
    /// Its short name.
    pub(super) name: String,
    /// The name that people read.
    pub(super) title: String,
    /// Where the service is.
    pub(super) region: String,
    /// The URL by which clients know it.
    pub(super) base_url: Option<String>,
    /// Whether it takes calls.
    pub(super) enabled: bool,
    /// What only those see who administer instances.
    #[serde(flatten)]
    pub(super) inner: Option<Inner>,
}

/// How it is served.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ApplicationInstanceOrigin)]
#[serde(rename_all = "camelCase")]
pub(super) struct Inner {
    /// The server that calls are passed on to; null where the stand-in answers.
    pub(super) upstream_url: Option<String>,
    /// Whether that server gets the caller's access token.
    pub(super) passes_token: bool,
    /// Where it listens, unless the configuration says so.
    pub(super) listen: Option<String>,
    /// How many credentials are for it, in all workspaces.
    pub(super) credentials: usize,
}

/// An application instance to be made.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = NewApplicationInstance)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Creation {
    /// Its short name: lower-case letters, digits and hyphens.
    name: String,
    /// The name that people read.
    title: String,
    /// Where the service is.
    #[serde(default)]
    region: String,
    /// The URL by which clients know it, where that does not follow from its listener.
    base_url: Option<String>,
    /// The server that calls are passed on to. Without one the stand-in answers.
    upstream_url: Option<String>,
    /// Whether that server gets the caller's access token.
    #[serde(default)]
    passes_token: bool,
    /// Where it listens, as HOST:PORT. Port 0 is a free one. Without it the instance is served only on
    /// the TLS listener, under the host name of its base URL.
    listen: Option<String>,
    /// Whether it takes calls.
    #[serde(default = "yes")]
    enabled: bool,
}

/// What is to be different. A member that is absent stays as it is.
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things on the wire"
)]
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = ApplicationInstanceChange)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Change {
    /// The name that people read.
    title: Option<String>,
    /// Where the service is.
    region: Option<String>,
    /// The URL by which clients know it; null lets it follow from the listener.
    #[serde(default, deserialize_with = "given")]
    base_url: Option<Option<String>>,
    /// The server that calls are passed on to; null lets the stand-in answer.
    #[serde(default, deserialize_with = "given")]
    upstream_url: Option<Option<String>>,
    /// Whether that server gets the caller's access token. Only together with `upstreamUrl`.
    #[serde(default)]
    passes_token: bool,
    /// Where it listens; null is nowhere.
    #[serde(default, deserialize_with = "given")]
    listen: Option<Option<String>>,
    /// Whether it takes calls.
    enabled: Option<bool>,
}

impl Item {
    pub(super) fn new(
        instance: &ApplicationInstance,
        base_url: Option<String>,
        credentials: Option<usize>,
    ) -> Self {
        let upstream = match &instance.origin {
            Origin::Sandbox => None,
            Origin::Upstream(upstream) => Some(upstream),
        };
        Self {
            id: instance.id.to_string(),
            name: instance.name.clone(),
            title: instance.title.clone(),
            region: instance.region.clone(),
            base_url,
            enabled: instance.enabled,
            inner: credentials.map(|credentials| Inner {
                upstream_url: upstream.map(|upstream| upstream.url.to_string()),
                passes_token: upstream.is_some_and(|upstream| upstream.passes_token),
                listen: instance.listen.map(|address| address.to_string()),
                credentials,
            }),
        }
    }
}

impl Creation {
    pub(super) fn parse(body: &[u8]) -> Result<NewInstance, Refusal> {
        let body: Self = read(body)?;
        let base_url = body.base_url.as_deref().map(|url| url_in("baseUrl", url));
        let upstream = body.upstream_url.as_deref();
        let listen = body.listen.as_deref().map(address);
        Ok(NewInstance {
            name: body.name,
            title: body.title,
            region: body.region,
            base_url: base_url.transpose()?,
            origin: origin(upstream, body.passes_token)?,
            listen: listen.transpose()?,
            enabled: body.enabled,
        })
    }
}

impl Change {
    pub(super) fn parse(body: &[u8]) -> Result<InstanceChange, Refusal> {
        let body: Self = read(body)?;
        if body.passes_token && body.upstream_url.is_none() {
            let words = "passesToken is set together with upstreamUrl";
            return Err(Refusal::BadRequest(words.to_owned()));
        }
        let base_url = body.base_url.map(|url| {
            let url = url.as_deref().map(|url| url_in("baseUrl", url));
            url.transpose()
        });
        let listen = body
            .listen
            .map(|text| text.as_deref().map(address).transpose());
        let origin = body
            .upstream_url
            .map(|url| origin(url.as_deref(), body.passes_token));
        Ok(InstanceChange {
            title: body.title,
            region: body.region,
            base_url: base_url.transpose()?,
            origin: origin.transpose()?,
            listen: listen.transpose()?,
            enabled: body.enabled,
        })
    }
}

fn origin(url: Option<&str>, passes_token: bool) -> Result<Origin, Refusal> {
    Ok(match url {
        None => Origin::Sandbox,
        Some(url) => Origin::Upstream(Upstream {
            url: url_in("upstreamUrl", url)?,
            passes_token,
        }),
    })
}

fn url_in<T: std::str::FromStr<Err: std::fmt::Display>>(
    member: &str,
    text: &str,
) -> Result<T, Refusal> {
    text.parse()
        .map_err(|error| Refusal::BadRequest(format!("{member}: {error}")))
}

fn address(text: &str) -> Result<SocketAddr, Refusal> {
    text.parse().map_err(|_| {
        let words = "listen: write HOST:PORT with an IP address, such as 127.0.0.1:8084";
        Refusal::BadRequest(words.to_owned())
    })
}

/// A member that is there, with a value or with null.
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things on the wire"
)]
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_member_stays_and_null_resets() {
        let nothing = Change::parse(b"{}").unwrap();
        assert!(nothing.base_url.is_none() && nothing.origin.is_none());
        assert!(nothing.listen.is_none() && nothing.enabled.is_none());
        let reset = br#"{"baseUrl":null,"upstreamUrl":null,"listen":null}"#;
        let reset = Change::parse(reset).unwrap();
        assert_eq!(reset.base_url, Some(None));
        assert_eq!(reset.origin, Some(Origin::Sandbox));
        assert_eq!(reset.listen, Some(None));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_member() {
        for (body, member) in [
            (r#"{"baseUrl":"ftp://x"}"#, "baseUrl: "),
            (
                r#"{"upstreamUrl":"http://169.254.169.254"}"#,
                "upstreamUrl: ",
            ),
            (r#"{"listen":"localhost"}"#, "listen: "),
            (r#"{"passesToken":true}"#, "upstreamUrl"),
            (r#"{"name":"other"}"#, "name"),
        ] {
            let refused = Change::parse(body.as_bytes()).err();
            let said = refused.expect(body).to_string();
            assert!(said.contains(member), "{body}: {said}");
        }
    }
}
