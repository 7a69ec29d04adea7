//! The commands for application instances.

use std::net::SocketAddr;
use std::str::FromStr;

use clap::{Args, Subcommand};
use hallpass_store::instances::{
    BaseUrl, InstanceChange, InvalidUrl, NewInstance, Origin, Upstream, UpstreamUrl,
};
use serde::{Deserialize, Serialize};

use crate::admin::typed::Typed;

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub(crate) enum InstanceCommand {
    /// List application instances and their addresses
    List,
    /// Make an application instance; a running server serves it at once
    Create {
        /// Its short name: lower-case letters, digits and hyphens
        name: String,
        /// The name that people read
        #[arg(long)]
        title: String,
        /// Address to listen on; port 0 is a free one, which is kept. `none`: only under the host name of
        /// its base URL, on the TLS listener
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
        listen: Typed<Listener>,
        #[command(flatten)]
        wanted: Box<InstanceSettings>,
    },
    /// Show an application instance
    Show {
        /// Application instance, by name or id
        instance: String,
    },
    /// Change an application instance; it acts on the next call
    Change {
        /// Application instance, by name or id
        instance: String,
        /// The name that people read
        #[arg(long)]
        title: Option<String>,
        /// Address to listen on; port 0 is a free one, which is kept. `none`: only under the host name of
        /// its base URL, on the TLS listener
        #[arg(long, value_name = "ADDR")]
        listen: Option<Typed<Listener>>,
        #[command(flatten)]
        wanted: Box<InstanceSettings>,
        /// Let it take calls again
        #[arg(long, conflicts_with = "disable")]
        enable: bool,
    },
    /// Remove an application instance, its roles, and what its stand-ins have kept
    Remove {
        /// Application instance, by name or id
        instance: String,
        /// Delete the credentials for it too; their tokens die at once
        #[arg(long)]
        with_credentials: bool,
    },
}

/// What `create` and `change` set alike.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub(crate) struct InstanceSettings {
    /// Where the service is
    #[arg(long)]
    region: Option<String>,
    /// URL that clients know it by, where that differs; `default`: the URL of its listener
    #[arg(long, value_name = "URL")]
    base_url: Option<Typed<ShownUrl>>,
    /// Pass permitted calls on to this server, instead of to the stand-in
    #[arg(long, value_name = "URL", conflicts_with = "sandbox")]
    upstream: Option<Typed<UpstreamUrl>>,
    /// Give the upstream the caller's access token too
    #[arg(long, requires = "upstream")]
    pass_token: bool,
    /// Let the stand-in answer
    #[arg(long)]
    sandbox: bool,
    /// Refuse every call, and new credentials
    #[arg(long)]
    disable: bool,
}

/// Where an instance listens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listener(Option<SocketAddr>);

/// The URL that an instance is known by.
#[derive(Debug, Clone)]
pub(crate) struct ShownUrl(Option<BaseUrl>);

impl FromStr for Listener {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" {
            return Ok(Self(None));
        }
        let address = text.parse();
        address.map(|address| Self(Some(address))).map_err(|_| {
            "write HOST:PORT with an IP address, such as 127.0.0.1:8084 or 127.0.0.1:0, or `none`"
        })
    }
}

impl FromStr for ShownUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        match text {
            "default" => Ok(Self(None)),
            url => url.parse().map(|url| Self(Some(url))),
        }
    }
}

impl InstanceSettings {
    pub(crate) fn new_instance(
        &self,
        name: &str,
        title: &str,
        listen: &Typed<Listener>,
    ) -> NewInstance {
        NewInstance {
            name: name.to_owned(),
            title: title.to_owned(),
            region: self.region.clone().unwrap_or_default(),
            base_url: self.base_url.as_ref().and_then(|url| url.value.0.clone()),
            origin: self.origin().unwrap_or(Origin::Sandbox),
            listen: listen.value.0,
            enabled: !self.disable,
        }
    }

    pub(crate) fn change(
        &self,
        title: Option<&str>,
        listen: Option<&Typed<Listener>>,
        enable: bool,
    ) -> InstanceChange {
        InstanceChange {
            title: title.map(str::to_owned),
            region: self.region.clone(),
            base_url: self.base_url.as_ref().map(|url| url.value.0.clone()),
            origin: self.origin(),
            listen: listen.map(|listen| listen.value.0),
            enabled: (enable || self.disable).then_some(enable),
        }
    }

    fn origin(&self) -> Option<Origin> {
        match &self.upstream {
            Some(url) => Some(Origin::Upstream(Upstream {
                url: url.value.clone(),
                passes_token: self.pass_token,
            })),
            None => self.sandbox.then_some(Origin::Sandbox),
        }
    }
}
