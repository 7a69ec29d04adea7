//! Authorization server, console, health and the API's definition, under each name that they answer to.
//!
//! A token names as its issuer the server that the program asked for it, and answers tell addresses of
//! that name; everything else (limits, keys, people) is one. See decision 0017.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use hallpass_authorization_server::{AuthorizationServer, TOKEN_PATH};
use hallpass_console::{ByHand, Console, TokenByHand};
use hallpass_oauth::Issuer;

use crate::command::{CommandError, Exit};
use crate::definition::Served;
use crate::serve::documents::documents;
use crate::serve::explorer::Explorers;
use crate::serve::tls::hosts;
use crate::serve::{Addresses, Config};

/// The issuers that tokens may be asked of.
#[derive(Debug, Clone)]
pub(super) struct Issuers {
    /// On the plain listener.
    own: Issuer,
    /// Over TLS, if there is that.
    tls: Option<TlsIssuers>,
}

#[derive(Debug, Clone)]
struct TlsIssuers {
    /// Under the names of the real system.
    real: Issuer,
    /// Under this machine's own.
    local: Issuer,
}

/// The routers of all names.
pub(super) struct Platform {
    /// On the plain listener.
    pub(super) plain: Router,
    /// Over TLS, if there is that.
    pub(super) named: Option<Named>,
}

/// The routers of the TLS listener.
pub(crate) struct Named {
    /// The names of the sign-in and of the platform's API.
    pub(crate) platform: Router,
    /// The names of the console.
    pub(crate) console: Router,
    /// This machine's own names.
    pub(crate) local: Router,
}

/// What the console asks for a token of somebody who holds a secret in their hands.
pub(super) fn by_hand(server: &Arc<AuthorizationServer>) -> TokenByHand {
    let server = server.clone();
    Arc::new(move |asked: ByHand| {
        let server = server.clone();
        Box::pin(async move {
            let ByHand {
                client_id,
                client_secret,
                address,
            } = asked;
            server
                .token_by_hand(&client_id, &client_secret, address)
                .await
        })
    })
}

/// What every name shares.
pub(super) struct Parts {
    pub(super) authorization_server: Arc<AuthorizationServer>,
    pub(super) console: Console,
    /// What the console shows on the plain listener.
    pub(super) addresses: hallpass_console::Addresses,
    /// The same instances under the names of the real system.
    pub(super) real_instances: BTreeMap<String, String>,
    pub(super) health: Router,
    /// The explorer, unless it is switched off.
    pub(super) explorers: Option<Explorers>,
    pub(super) apis: Served,
}

impl Issuers {
    /// One that is configured is the issuer everywhere. Otherwise it is the URL that was asked by: on
    /// the plain listener the server's own, under the names of the real system that system's.
    pub(super) fn of(config: &Config, addresses: &Addresses) -> Result<Self, CommandError> {
        let parse = |url: &str| {
            Issuer::parse(url).map_err(|error| {
                CommandError::caused(Exit::Usage, "the issuer cannot be used", &error)
            })
        };
        let configured = config.tokens.issuer.as_deref();
        let or = |url: &str| parse(configured.unwrap_or(url));
        let tls = match addresses.local_tls() {
            None => None,
            Some(local) => Some(TlsIssuers {
                real: or(hosts::ISSUER)?,
                local: or(&local)?,
            }),
        };
        Ok(Self {
            own: or(&addresses.authorization_server)?,
            tls,
        })
    }

    /// All of them, each once, the plain listener's first.
    pub(super) fn all(&self) -> Vec<Issuer> {
        let mut all = vec![self.own.clone()];
        for issuer in self.tls.iter().flat_map(|tls| [&tls.real, &tls.local]) {
            if !all.contains(issuer) {
                all.push(issuer.clone());
            }
        }
        all
    }
}

impl Parts {
    /// Puts the parts together for each name.
    pub(super) fn routers(self, issuers: &Issuers, addresses: &Addresses) -> Platform {
        let named = issuers.tls.as_ref().zip(addresses.local_tls());
        let named = named.map(|(issuers, local)| self.named(issuers, &local));
        Platform {
            plain: self.router(self.authorization_server.clone(), &self.console),
            named,
        }
    }

    fn named(&self, issuers: &TlsIssuers, local: &str) -> Named {
        let server = &self.authorization_server;
        let real = hallpass_console::Addresses {
            instances: self.real_instances.clone(),
            ..self.seen_at(hosts::GLOBAL, hosts::ISSUER)
        };
        let real_server = server.under(issuers.real.clone(), hosts::ISSUER);
        let real = self.console.under(real, by_hand(&real_server));
        let own_server = server.under(issuers.local.clone(), local);
        let own = self
            .console
            .under(self.seen_at(local, local), by_hand(&own_server));
        Named {
            platform: self.router(real_server, &real),
            console: self.pages(&real),
            local: self.router(own_server, &own),
        }
    }

    /// The addresses that the console shows when it and the authorization server are at these URLs.
    fn seen_at(&self, console: &str, authorization_server: &str) -> hallpass_console::Addresses {
        let plain = &self.addresses;
        let keys = plain.jwks_url.strip_prefix(plain.console.as_str());
        hallpass_console::Addresses {
            console: console.to_owned(),
            token_url: format!("{authorization_server}{TOKEN_PATH}"),
            jwks_url: format!("{authorization_server}{}", keys.unwrap_or_default()),
            instances: plain.instances.clone(),
        }
    }

    fn router(&self, authorization_server: Arc<AuthorizationServer>, console: &Console) -> Router {
        self.pages(console).merge(authorization_server.router())
    }

    fn pages(&self, console: &Console) -> Router {
        let documents = documents(console, &self.apis);
        let explorer = self.explorers.as_ref();
        let explorer = explorer.map(|explorers| explorers.beside(console));
        let rooms = console.clone().router();
        let rooms = rooms
            .merge(explorer.unwrap_or_default())
            .merge(self.health.clone())
            .merge(documents)
            .fallback(hallpass_pages::not_found);
        console.around(rooms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::config::Socket;

    fn issuers(config: &Config) -> Vec<String> {
        let issuers = Issuers::of(config, &Addresses::configured(config)).unwrap();
        issuers.all().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn there_is_an_issuer_for_each_name_unless_one_is_configured_for_all() {
        let mut config = Config::default();
        let own = "http://127.0.0.1:8080";
        assert_eq!(
            issuers(&config),
            [own, hosts::ISSUER, "https://localhost:8443"]
        );
        config.listen.tls = Socket::Off;
        assert_eq!(issuers(&config), [own]);
        config.listen = Config::default().listen;
        config.tokens.issuer = Some("https://tokens.example.com".to_owned());
        assert_eq!(issuers(&config), ["https://tokens.example.com"]);
    }
}
