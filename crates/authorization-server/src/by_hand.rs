//! A token for a person who holds a client's secret in their hands: what the console's dialog
//! *Generate Access Token* asks for (domain facts, section 3.2).
//!
//! It is the token endpoint's own path from the client's proof on, with its checks, limits, counters,
//! audit and single-active rule: whoever tries secrets in a page gets no further than over the wire.
//! Who may ask at all is not known here.

use std::net::IpAddr;

use hallpass_oauth::client_authentication::ClientAuthenticationMethod;
use hallpass_oauth::token_request::{AuthenticationMethod, ClientCredential};
use hallpass_oauth::{AccessToken, ClientId, Secret, TokenError, TokenRequest};

use crate::AuthorizationServer;
use crate::answer::Refusal;
use crate::client::{Caller, Submission};

impl AuthorizationServer {
    /// The token that the client would get if it asked from that address with that secret.
    pub async fn token_by_hand(
        &self,
        client_id: &ClientId,
        client_secret: &Secret,
        address: IpAddr,
    ) -> Result<AccessToken, TokenError> {
        let began = (self.clock)();
        let credential = ClientCredential::Secret {
            method: self.method_of(client_id),
            client_id,
            client_secret,
        };
        let request = TokenRequest::client_credentials(None);
        let submission = Submission::of_client(&request, &credential);
        let caller = Caller {
            address,
            now: began,
        };
        let outcome = match submission.form() {
            Ok(form) => {
                self.client_credentials(&submission, &form, &request, None, caller)
                    .await
            }
            Err(error) => Err(error),
        };
        self.metrics.took(outcome.is_ok(), began, (self.clock)());
        outcome.map(|(token, ..)| token).map_err(|error| {
            let refusal = Refusal::from(error);
            self.metrics.refused("token", &refusal);
            refusal.error().clone()
        })
    }

    /// Where the client's secret goes. A client that may not use one is refused for it.
    fn method_of(&self, client_id: &ClientId) -> AuthenticationMethod {
        let known = self.clients.find(client_id.as_str());
        let in_body = known.is_none_or(|known| {
            known
                .methods
                .contains(ClientAuthenticationMethod::SecretPost)
        });
        if in_body {
            AuthenticationMethod::Body
        } else {
            AuthenticationMethod::Basic
        }
    }
}
