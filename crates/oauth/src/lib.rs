//! OAuth 2.0 for machines: the client-credentials grant (RFC 6749 section 4.4) and the signed
//! access tokens that come of it, written once for both ends.
//!
//! The module that parses a message also prints it, so the authorization server, the resource
//! server and the client cannot disagree about the wire. Nothing here does I/O or reads a clock:
//! `now` and the random generator are arguments.
//!
//! | Step | Module | What comes out |
//! | --- | --- | --- |
//! | read the form and the `Authorization` header | [`form`], [`token_request`], [`client_authentication`], [`client_assertion`] | `TokenRequest`, `PresentedCredential`, `ClientAssertion` |
//! | authenticate the client | [`client_authentication`] | `AuthenticatedClient` |
//! | authorize the request | [`grant`] | `Grant` |
//! | mint the token | [`mint`] | `AccessToken` |
//! | answer | [`token_response`], [`token_error`] | RFC 6749 sections 5.1 and 5.2 |
//! | read a presented token | [`bearer`], [`jws`] | `PresentedToken`, `UnverifiedToken` |
//! | verify it | [`verify`] | `VerifiedToken` |
//! | answer a resource server about a token | [`introspection`] | RFC 7662 |
//! | take a token back | [`revocation`] | RFC 7009 |
//! | say what the server can do | [`metadata`] | RFC 8414, OpenID Discovery |
//!
//! A new claim goes into [`claims`]; a new way to authenticate into [`client_authentication`]; a
//! new signature algorithm into [`key`].

pub mod bearer;
pub mod claims;
pub mod client_assertion;
pub mod client_authentication;
pub mod form;
pub mod grant;
pub mod identifier;
pub mod introspection;
pub mod jws;
pub mod key;
pub mod metadata;
pub mod mint;
mod numeric_date;
pub mod random;
pub mod revocation;
pub mod scope;
pub mod secret;
pub mod token_error;
pub mod token_id;
pub mod token_request;
pub mod token_response;
pub mod verify;
#[cfg(test)]
mod work;

pub use bearer::{Challenge, PresentedToken};
pub use claims::{Claims, Profile};
pub use client_assertion::{CheckedAssertion, ClientAssertion};
pub use client_authentication::{AuthenticatedClient, ClientRegistration, PresentedCredential};
pub use grant::Grant;
pub use identifier::{
    ApplicationInstanceId, Audience, ClientId, CustomerId, Issuer, KeyId, Subject, WorkspaceId,
};
pub use introspection::{IntrospectionRequest, IntrospectionResponse};
pub use key::{Algorithm, JwkSet, KeySpec, SigningKey, VerifyingKey};
pub use metadata::AuthorizationServerMetadata;
pub use mint::AccessToken;
pub use revocation::RevocationRequest;
pub use scope::{Scope, ScopeSet};
pub use secret::{Pepper, Secret, SecretDigest, SecretFormat};
pub use token_error::TokenError;
pub use token_id::TokenId;
pub use token_request::TokenRequest;
pub use token_response::TokenResponse;
pub use verify::{Expectation, Standing, VerifiedToken};
