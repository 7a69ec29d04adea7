//! A listener that can be switched off.

use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// The word for a listener that is not wanted.
const OFF: &str = "off";

/// Where to listen, or that it is not wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum Socket {
    /// There.
    At(SocketAddr),
    /// Nowhere.
    Off,
}

/// What is neither.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is neither an address to listen on, such as 127.0.0.1:8443, nor `off`")]
pub(crate) struct NoSocket(String);

impl Socket {
    /// The address, unless it is switched off.
    pub(crate) fn address(self) -> Option<SocketAddr> {
        match self {
            Self::At(address) => Some(address),
            Self::Off => None,
        }
    }

    /// The address to be replaced by the real one, unless it is switched off.
    pub(crate) fn address_mut(&mut self) -> Option<&mut SocketAddr> {
        match self {
            Self::At(address) => Some(address),
            Self::Off => None,
        }
    }

    /// The same, unless `other` is switched off.
    pub(crate) fn off_with(self, other: Self) -> Self {
        match other {
            Self::Off => Self::Off,
            Self::At(_) => self,
        }
    }
}

impl TryFrom<String> for Socket {
    type Error = NoSocket;

    fn try_from(text: String) -> Result<Self, NoSocket> {
        if text == OFF {
            return Ok(Self::Off);
        }
        text.parse().map(Self::At).map_err(|_| NoSocket(text))
    }
}

impl From<Socket> for String {
    fn from(socket: Socket) -> Self {
        socket.to_string()
    }
}

impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(address) => address.fmt(f),
            Self::Off => f.write_str(OFF),
        }
    }
}
