//! A token for a person who holds a client's secret. The console cannot mint: it is given a function
//! that asks the authorization server, which knows nothing of people signed in.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use hallpass_oauth::{AccessToken, ClientId, Secret, TokenError};

/// Asks the authorization server for the token that a client would get.
pub type TokenByHand = Arc<dyn Fn(ByHand) -> Issuing + Send + Sync>;

/// A token that is being issued.
pub type Issuing = Pin<Box<dyn Future<Output = Result<AccessToken, TokenError>> + Send>>;

/// What a person asks for a token with.
#[derive(Debug)]
pub struct ByHand {
    /// The client.
    pub client_id: ClientId,
    /// Its secret, as the person typed it.
    pub client_secret: Secret,
    /// Where the person is.
    pub address: IpAddr,
}
