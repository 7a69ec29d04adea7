#![doc = include_str!("../README.md")]
//!
//! # Inside
//!
//! The library of the client application: everything between "this person has a credential" and
//! "here is the API's answer", for the command line and the web explorer alike.
//!
//! | Step | Module | What comes out |
//! | --- | --- | --- |
//! | name a connection | [`profile`], [`profiles`], [`environment`] | `Profile` |
//! | or have none: three calls to an answer | `connect` | [`Client::connect`] |
//! | say where its secret is | [`credential_source`], [`key_store`] | `CredentialSource` |
//! | have a token | [`token`], which asks [`token_cache`], then the token endpoint | `AccessToken` |
//! | send a request | [`send`], [authorized](authorization), again by the rules of [`retry`] | `Response`, or the `ApiProblem` in it |
//! | pass on another program's request | [`forward`] | `Forwarded` |
//! | read a whole list | [`paging`] | `Page` by `Page` |
//! | follow a 202 to its end | [`task`] | `TaskOutcome` |
//! | say what a token says | [`claims`] | `Claim`s in words |
//! | say what does not work | [`doctor`] | `Finding` |
//! | get a definition from where it is published | [`download`] | its bytes |
//! | show a request as a program | [`sample`] | its text |
//! | tell what happened | [`event`] | `Event`, without a secret in it |
//!
//! The library reads no environment variable and no configuration by itself: look-up, clock and
//! directories are passed in; [`Options::in_memory`] and [`Options::shared_in`] bring the system's clock. Files it touches by purpose are the profiles, the secrets
//! and the cached tokens. It prints nothing; words for people come from [`Error`] and its hints.

pub mod access_token;
pub mod address;
pub mod authorization;
pub mod claims;
pub mod credential_source;
pub mod doctor;
pub mod download;
pub mod environment;
pub mod error;
pub mod event;
pub mod forward;
pub mod key_store;
pub mod paging;
pub mod problem;
pub mod profile;
pub mod profiles;
pub mod proxies;
pub mod region;
pub mod response;
pub mod retry;
pub mod sample;
pub mod send;
pub mod task;
pub mod token;
pub mod token_cache;
pub mod token_failure;

mod connect;
mod kept;
mod link;
mod private_file;
mod reach;
mod redact;
mod token_answer;
mod token_audience;
mod token_credential;
mod token_endpoint;
mod token_lock;
mod token_pause;
mod token_refused;
mod token_store;
mod transport;

pub use hallpass_oauth::random::SystemRandom;
pub use hallpass_oauth::{ClientId, Secret};
pub use hallpass_openapi::BuiltRequest;

pub use access_token::AccessToken;
pub use authorization::{Authorization, Prefix};
pub use credential_source::CredentialSource;
pub use error::{Error, Kind};
pub use event::{Event, EventSink};
pub use forward::Forwarded;
pub use kept::{Keeping, Kept, Overflow};
pub use paging::{Doubt, OnePage, Page, Pages};
pub use private_file::PrivateFileError;
pub use problem::ApiProblem;
pub use profile::{Profile, ProfileName};
pub use profiles::Profiles;
pub use proxies::Proxies;
pub use reach::AddressRule;
pub use region::Region;
pub use response::Response;
pub use retry::{Jitter, Retries};
pub use send::{Cache, Client, Clock, Limits, Options, Preview, Renewal};
pub use task::{Task, TaskLink, TaskOutcome, Waiting};
pub use token::{Replacement, Tokens};
pub use token_failure::TokenFailure;
pub use transport::{TransportError, USER_AGENT};
