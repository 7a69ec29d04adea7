//! The guard of the REST API: from a request to [`Permitted`], step by step, and a record of every
//! refusal. Nothing is remembered between calls: the token's standing and the owner's permissions
//! are those of this moment.

use std::net::{IpAddr, SocketAddr};

use axum::http::header::{AUTHORIZATION, HeaderValue};
use axum::http::request::Parts;
use hallpass_access::Permission;
use hallpass_oauth::jws::UnverifiedToken;
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::verify::{TokenRefusal, check};
use hallpass_oauth::{Challenge, PresentedToken, WorkspaceId};
use hallpass_store::audit::AuditResource;
use hallpass_store::{Actor, AuditEvent, AuditState, PersonId, VerifiedCaller};
use jiff::Timestamp;

use crate::answer::Refusal;
use crate::{Console, SOURCE};

/// Longest request URI kept in an audit event, in characters.
const LONGEST_URI: usize = 2048;

/// A request as the guard sees it.
pub(crate) struct Call<'a> {
    head: &'a Parts,
    address: IpAddr,
    now: Timestamp,
}

/// A call whose token is good and whose owner may do it. Only [`Console::permit`] makes one, and
/// whatever reads or changes a credential asks for it.
pub(crate) struct Permitted {
    who: Verified,
    permission: Permission,
}

/// A client whose token is good, and its owner at this moment. Only [`Console::verified`] makes
/// one.
struct Verified {
    caller: VerifiedCaller,
    address: IpAddr,
}

impl<'a> Call<'a> {
    pub(crate) fn new(head: &'a Parts, peer: SocketAddr, now: Timestamp) -> Self {
        let address = peer.ip();
        Self { head, address, now }
    }

    /// The same call at a later time.
    pub(crate) fn at(&self, now: Timestamp) -> Self {
        Self { now, ..*self }
    }

    pub(crate) fn head(&self) -> &Parts {
        self.head
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }
}

impl Permitted {
    /// The owner of the credential that called.
    pub(crate) fn owner(&self) -> PersonId {
        self.who.caller.principal().person
    }

    /// The owner's workspace.
    pub(crate) fn workspace(&self) -> &WorkspaceId {
        &self.who.caller.principal().workspace
    }

    /// Who makes the change: the owner, through the client that called.
    pub(crate) fn actor(&self) -> Actor {
        Actor {
            email: self.who.caller.principal().email.to_string(),
            client_id: self.who.caller.client_id().to_string(),
            address: self.who.address.to_string(),
            source: SOURCE,
        }
    }
}

impl Console {
    /// The whole guard: a good token first, then the owner's permission.
    pub(crate) async fn permit(
        &self,
        call: &Call<'_>,
        permission: Permission,
    ) -> Result<Permitted, Refusal> {
        let who = match self.verified(call) {
            Ok(verified) => verified,
            Err(challenge) => return Err(self.turned_away(call, challenge)),
        };
        if !who.caller.principal().roles.permits(&permission) {
            self.record_denial(call, &who, &permission).await?;
            let scope = permission.to_string();
            return Err(Refusal::Challenged(Challenge::InsufficientScope(scope)));
        }
        Ok(Permitted { who, permission })
    }

    /// Refuses a permitted caller who reaches for another workspace. The answer is 403 whether or
    /// not that workspace exists, so it tells nothing about it, and it goes into the audit log.
    pub(crate) async fn out_of_bounds(&self, call: &Call<'_>, permitted: &Permitted) -> Refusal {
        let Permitted { who, permission } = permitted;
        match self.record_denial(call, who, permission).await {
            Ok(()) => Refusal::Elsewhere {
                challenge: Challenge::InsufficientScope(permission.to_string()),
                message: "a credential can only be made in the workspace of the one that asks",
            },
            Err(refusal) => refusal,
        }
    }

    /// From the header to an identity that the issuer vouches for and that still stands.
    fn verified(&self, call: &Call<'_>) -> Result<Verified, Challenge> {
        let headers = call.head.headers.get_all(AUTHORIZATION);
        let presented = PresentedToken::read(headers.iter().map(HeaderValue::as_bytes))?;
        let unverified = UnverifiedToken::parse(presented.expose()).map_err(invalid)?;
        let keys = self.published_keys.current();
        let signed = check(&unverified, &keys, &self.expectation, call.now).map_err(invalid)?;
        let caller = self
            .principals
            .verify(&signed, &keys, &self.expectation, call.now)
            .map_err(invalid)?;
        // Its holder was given a tenant's resources for a while; a credential made or reset with it
        // would be one of the managing workspace, and for good.
        if caller.is_for_tenant() {
            return Err(invalid(TokenRefusal::Tenant));
        }
        Ok(Verified {
            caller,
            address: call.address,
        })
    }

    /// Counts a refusal without identity. It has no row of its own: strangers can cause any number
    /// of them.
    fn turned_away(&self, call: &Call<'_>, challenge: Challenge) -> Refusal {
        let reason = match &challenge {
            Challenge::Missing => "missing",
            Challenge::InvalidRequest(_) => "repeated",
            Challenge::InvalidToken(refusal) => refusal.reason(),
            Challenge::InsufficientScope(_) => "scope",
        };
        let message = format!("Access token refused: {reason}");
        let mut event = AuditEvent::new(
            AuditState::Failure,
            message,
            SOURCE,
            call.now,
            &mut SystemRandom,
        );
        reason.clone_into(&mut event.code);
        event.source_ip = call.address.to_string();
        let key = format!("{SOURCE} token {reason} {}", call.address);
        self.audit.count(event.per_minute(&key));
        Refusal::Challenged(challenge)
    }

    /// Records the refusal of a verified identity (domain facts, sections 4.4 and 4.5).
    async fn record_denial(
        &self,
        call: &Call<'_>,
        who: &Verified,
        permission: &Permission,
    ) -> Result<(), Refusal> {
        let event = AuditEvent {
            workspace: Some(who.caller.principal().workspace.clone()),
            code: "Unauthorized privilege".to_owned(),
            source_ip: who.address.to_string(),
            user_email: who.caller.principal().email.to_string(),
            client_id: who.caller.client_id().to_string(),
            permission: permission.to_string(),
            resource: AuditResource {
                id: request_uri(call.head),
                ..AuditResource::default()
            },
            ..AuditEvent::new(
                AuditState::PermissionDenied,
                "Unauthorized user access",
                SOURCE,
                call.now,
                &mut SystemRandom,
            )
        };
        Ok(self.audit.record(event).await?)
    }
}

fn invalid(refusal: TokenRefusal) -> Challenge {
    Challenge::InvalidToken(refusal)
}

fn request_uri(head: &Parts) -> String {
    head.uri.to_string().chars().take(LONGEST_URI).collect()
}
