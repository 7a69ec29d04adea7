//! The guard of REST API and pages: from a request to [`Permitted`], step by step, and a record of
//! every refusal. Nothing is remembered between calls: the token's standing and the owner's permissions
//! are those of this moment.

use std::net::{IpAddr, SocketAddr};

use axum::http::Uri;
use axum::http::header::{AUTHORIZATION, HeaderValue};
use axum::http::request::Parts;
use hallpass_access::{Permission, PermissionSet, Roles};
use hallpass_oauth::jws::UnverifiedToken;
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::verify::{TokenRefusal, check};
use hallpass_oauth::{
    ApplicationInstanceId, Challenge, ClientId, PresentedToken, Subject, WorkspaceId,
};
use hallpass_store::audit::AuditResource;
use hallpass_store::{Actor, AuditEvent, AuditState, Person, PersonId, StoreError, VerifiedCaller};
use jiff::Timestamp;

use crate::answer::Refusal;
use crate::page::PageRefusal;
use crate::session::SignedIn;
use crate::{Console, SOURCE};

/// Longest request URI kept in an audit event, in characters.
const LONGEST_URI: usize = 2048;

/// A request as the guard sees it.
pub(crate) struct Call<'a> {
    head: &'a Parts,
    address: IpAddr,
    now: Timestamp,
}

/// A call by somebody known who may do it. Only [`Console::permit`] and
/// [`Console::permit_person`] make one, and whatever reads or changes something asks for it.
pub(crate) struct Permitted {
    caller: Caller,
    permission: Permission,
}

/// Somebody who proved who they are, as they are at this moment: a person signed in, or the owner
/// of a credential behind a good token.
pub(crate) struct Caller {
    person: PersonId,
    email: Subject,
    workspace: WorkspaceId,
    /// What they are on the platform.
    roles: Roles,
    /// The client that calls for them, or themselves.
    through: Through,
    address: IpAddr,
}

/// How somebody calls.
enum Through {
    /// With a token.
    Client(ClientId),
    /// With a session of their own.
    Session(Box<Person>),
}

impl Call<'_> {
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
    /// Who calls.
    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The person who calls, or for whom a client does.
    pub(crate) fn owner(&self) -> PersonId {
        self.caller.person
    }

    /// Their workspace.
    pub(crate) fn workspace(&self) -> &WorkspaceId {
        &self.caller.workspace
    }

    /// Who makes the change: the person, through the client that called if one did.
    pub(crate) fn actor(&self) -> Actor {
        self.caller.actor()
    }
}

impl Caller {
    fn owner_of(verified: &VerifiedCaller, address: IpAddr) -> Self {
        let principal = verified.principal();
        Self {
            person: principal.person,
            email: principal.email.clone(),
            workspace: principal.workspace.clone(),
            roles: principal.roles.clone(),
            through: Through::Client(verified.client_id().clone()),
            address,
        }
    }

    pub(crate) fn signed_in(by: &SignedIn) -> Self {
        let person = by.person();
        Self {
            person: person.id,
            email: person.email.clone(),
            workspace: person.workspace.clone(),
            roles: by.roles(),
            through: Through::Session(Box::new(person.clone())),
            address: by.address(),
        }
    }

    /// The person who calls, or for whom a client does.
    pub(crate) fn person(&self) -> PersonId {
        self.person
    }

    /// Their workspace.
    pub(crate) fn workspace(&self) -> &WorkspaceId {
        &self.workspace
    }

    /// Whether a program calls, with a token.
    pub(crate) fn is_client(&self) -> bool {
        matches!(self.through, Through::Client(_))
    }

    /// Whether what they are on the platform allows it.
    pub(crate) fn permits(&self, permission: &Permission) -> bool {
        self.roles.permits(permission)
    }

    /// Who calls with a session of their own; nobody for whom a client calls.
    pub(crate) fn in_session(&self) -> Option<&Person> {
        match &self.through {
            Through::Session(person) => Some(person),
            Through::Client(_) => None,
        }
    }

    /// Who makes the change: the person, through the client that called if one did.
    pub(crate) fn actor(&self) -> Actor {
        let client_id = match &self.through {
            Through::Client(client_id) => client_id.to_string(),
            Through::Session(_) => String::new(),
        };
        Actor {
            email: self.email.to_string(),
            client_id,
            address: self.address.to_string(),
            source: SOURCE,
        }
    }
}

impl Console {
    /// A request as it comes now.
    pub(crate) fn call_of<'a>(&self, head: &'a Parts, peer: SocketAddr) -> Call<'a> {
        let (address, now) = (peer.ip(), (self.clock)());
        Call { head, address, now }
    }

    /// The whole guard of the REST API: a good token first, or a session with its form token; then
    /// the owner's permission.
    pub(crate) async fn permit(
        &self,
        call: &Call<'_>,
        permission: Permission,
    ) -> Result<Permitted, Refusal> {
        let caller = self.identify(call).await?;
        self.may(call, caller, permission).await
    }

    /// The first half of that: who calls. It is enough for what is the caller's own.
    pub(crate) async fn identify(&self, call: &Call<'_>) -> Result<Caller, Refusal> {
        match self.signed_in_caller(call).await? {
            Some(caller) => Ok(caller),
            None => self
                .verified(call)
                .map_err(|challenge| self.turned_away(call, challenge)),
        }
    }

    /// The second half: whether they may.
    pub(crate) async fn may(
        &self,
        call: &Call<'_>,
        caller: Caller,
        permission: Permission,
    ) -> Result<Permitted, Refusal> {
        if !caller.roles.permits(&permission) {
            self.record_denial(call, &caller, &permission).await?;
            let permission = permission.to_string();
            let challenge = Challenge::InsufficientScope(permission.clone());
            return Err(match caller.in_session() {
                Some(_) => Refusal::NotPermitted {
                    challenge,
                    permission,
                },
                None => Refusal::Challenged(challenge),
            });
        }
        Ok(Permitted { caller, permission })
    }

    /// The guard of the pages: whoever is signed in needs the permission.
    pub(crate) async fn permit_person(
        &self,
        by: &SignedIn,
        permission: Permission,
    ) -> Result<Permitted, PageRefusal> {
        let caller = Caller::signed_in(by);
        if caller.roles.permits(&permission) {
            return Ok(Permitted { caller, permission });
        }
        self.record_refusal(&caller, by.uri(), &permission, by.now())
            .await?;
        Err(PageRefusal::NotPermitted(permission))
    }

    /// The guard for what all workspaces share: the permission, and that in the workspace that operates
    /// the system (decision 0021).
    pub(crate) async fn permit_operating(
        &self,
        call: &Call<'_>,
        permission: Permission,
    ) -> Result<Permitted, Refusal> {
        let permitted = self.permit(call, permission).await?;
        if self.workspaces.is_operating(permitted.workspace()) {
            return Ok(permitted);
        }
        let Permitted { caller, permission } = &permitted;
        self.record_denial(call, caller, permission).await?;
        Err(Refusal::Elsewhere {
            challenge: Challenge::InsufficientScope(permission.to_string()),
            message: "only people of the workspace that operates this system administer workspaces and \
                      application instances",
        })
    }

    /// The same for pages.
    pub(crate) async fn permit_operating_person(
        &self,
        by: &SignedIn,
        permission: Permission,
    ) -> Result<Permitted, PageRefusal> {
        let permitted = self.permit_person(by, permission).await?;
        if self.workspaces.is_operating(permitted.workspace()) {
            return Ok(permitted);
        }
        let Permitted { caller, permission } = &permitted;
        let event = denial(caller, by.uri(), permission, by.now());
        self.audit.record(event).await?;
        Err(PageRefusal::NotOperating)
    }

    /// The guard for where an application instance's calls go: whoever says that has in hand what
    /// everybody sends there, tokens too where they are passed on. So it takes what those tokens may do:
    /// everything on that instance, on every one where it is to be made (decision 0021).
    pub(crate) async fn permit_directing(
        &self,
        call: &Call<'_>,
        permission: Permission,
        instance: Option<&ApplicationInstanceId>,
    ) -> Result<Permitted, Refusal> {
        let permitted = self.permit_operating(call, permission).await?;
        let lacking = self.lacks_to_direct(permitted.owner(), instance);
        if lacking.is_empty() {
            return Ok(permitted);
        }
        let Permitted { caller, permission } = &permitted;
        self.record_denial(call, caller, permission).await?;
        Err(Refusal::NotEverything {
            challenge: Challenge::InsufficientScope(lacking.to_string()),
            lacking,
        })
    }

    /// The same for pages.
    pub(crate) async fn permit_directing_person(
        &self,
        by: &SignedIn,
        permission: Permission,
        instance: Option<&ApplicationInstanceId>,
    ) -> Result<Permitted, PageRefusal> {
        let permitted = self.permit_operating_person(by, permission).await?;
        let lacking = self.lacks_to_direct(permitted.owner(), instance);
        if lacking.is_empty() {
            return Ok(permitted);
        }
        let Permitted { caller, permission } = &permitted;
        self.record_refusal(caller, by.uri(), permission, by.now())
            .await?;
        Err(PageRefusal::NotEverything(lacking))
    }

    /// What somebody lacks to say where an instance's calls go.
    pub(crate) fn lacks_to_direct(
        &self,
        person: PersonId,
        instance: Option<&ApplicationInstanceId>,
    ) -> PermissionSet {
        self.people.short_of_everything(person, instance)
    }

    /// Refuses a permitted caller who reaches for another workspace. The answer is 403 whether or
    /// not that workspace exists, so it tells nothing about it, and it goes into the audit log.
    pub(crate) async fn out_of_bounds(
        &self,
        call: &Call<'_>,
        caller: &Caller,
        permission: &Permission,
    ) -> Refusal {
        match self.record_denial(call, caller, permission).await {
            Ok(()) => Refusal::Elsewhere {
                challenge: Challenge::InsufficientScope(permission.to_string()),
                message: "a credential can only be made in the workspace of the one that asks",
            },
            Err(refusal) => refusal,
        }
    }

    /// Whoever is signed in, where a browser's script calls: without a token, with the session's
    /// cookie, and with its form token where something may change.
    async fn signed_in_caller(&self, call: &Call<'_>) -> Result<Option<Caller>, Refusal> {
        let by = self.by_script(call).await?;
        Ok(by.as_ref().map(Caller::signed_in))
    }

    /// The session of whoever changes what is theirs alone. A good token does not do: whoever has it
    /// need not be the person that it was made for.
    pub(crate) async fn own_session(&self, call: &Call<'_>) -> Result<SignedIn, Refusal> {
        if let Some(by) = self.by_script(call).await? {
            return Ok(by);
        }
        match self.verified(call) {
            Ok(_) => Err(Refusal::InSessionOnly),
            Err(challenge) => Err(self.turned_away(call, challenge)),
        }
    }

    /// The session that a script of our own pages calls with; none when a token came.
    pub(crate) async fn by_script(&self, call: &Call<'_>) -> Result<Option<SignedIn>, Refusal> {
        if call.head.headers.contains_key(AUTHORIZATION) {
            return Ok(None);
        }
        let found = self.session_of(call.head, call.address, call.now).await?;
        let Some(by) = found else { return Ok(None) };
        if !call.head.method.is_safe() && !self.carries_form_token(&by, call.head) {
            return Err(Refusal::NoFormToken);
        }
        Ok(Some(by))
    }

    /// From the header to an identity that the issuer vouches for and that still stands.
    fn verified(&self, call: &Call<'_>) -> Result<Caller, Challenge> {
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
        Ok(Caller::owner_of(&caller, call.address))
    }

    /// Counts a refusal without identity. It has no row of its own: strangers can cause any number
    /// of them.
    fn turned_away(&self, call: &Call<'_>, challenge: Challenge) -> Refusal {
        let reason = match &challenge {
            Challenge::Missing => "missing",
            Challenge::InvalidRequest(_) => "repeated",
            Challenge::InvalidToken(refusal) => refusal.reason(),
            Challenge::InsufficientScope(_) | Challenge::NotByToken => "scope",
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

    /// Records the refusal of a verified identity.
    async fn record_denial(
        &self,
        call: &Call<'_>,
        caller: &Caller,
        permission: &Permission,
    ) -> Result<(), Refusal> {
        Ok(self
            .record_refusal(caller, &call.head.uri, permission, call.now)
            .await?)
    }

    /// The same for whoever knows no call.
    pub(crate) async fn record_refusal(
        &self,
        caller: &Caller,
        uri: &Uri,
        permission: &Permission,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.audit
            .record(denial(caller, uri, permission, now))
            .await
    }
}

/// The refusal of a verified identity in the audit log (domain facts, sections 4.4 and 4.5).
fn denial(caller: &Caller, uri: &Uri, permission: &Permission, now: Timestamp) -> AuditEvent {
    let Actor {
        email, client_id, ..
    } = caller.actor();
    AuditEvent {
        workspace: Some(caller.workspace.clone()),
        code: "Unauthorized privilege".to_owned(),
        source_ip: caller.address.to_string(),
        user_email: email,
        client_id,
        permission: permission.to_string(),
        resource: AuditResource {
            id: uri.to_string().chars().take(LONGEST_URI).collect(),
            ..AuditResource::default()
        },
        ..AuditEvent::new(
            AuditState::PermissionDenied,
            "Unauthorized user access",
            SOURCE,
            now,
            &mut SystemRandom,
        )
    }
}

fn invalid(refusal: TokenRefusal) -> Challenge {
    Challenge::InvalidToken(refusal)
}
