//! Who may manage a credential (decision 0020).
//!
//! Everybody who has a role on an application instance manages their own credentials for it, signed in
//! at the console. A program does it for its owner with a token of the platform, by the owner's
//! permissions there. Other people's credentials can be seen, switched off and deleted by those who
//! may read, change and delete the workspace. Nobody gets a secret or a token of somebody else's: it
//! would let them act in that person's name.

use axum::http::Uri;
use hallpass_access::Permission;
use hallpass_access::platform::{WORKSPACE_DELETE, WORKSPACE_READ, WORKSPACE_UPDATE};
use hallpass_oauth::{ApplicationInstanceId, Challenge, ClientId};
use hallpass_store::{Actor, Credential, Person};
use jiff::Timestamp;

use crate::Console;
use crate::answer::Refusal;
use crate::guard::{Call, Caller};
use crate::page::PageRefusal;
use crate::session::SignedIn;

/// What somebody wants with a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// To see it, without its secret.
    See,
    /// To let it rest.
    SwitchOff,
    /// To let it work again, or to change what it may do.
    Change,
    /// To get a secret or a token of it.
    Obtain,
    /// To delete it.
    Delete,
}

/// Whose credentials somebody reaches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Their own.
    Own,
    /// Everybody's in their workspace, as far as they may.
    Workspace,
}

/// A credential that the caller may do this to. Only [`Console::judged`] makes one.
pub(crate) struct Managed {
    credential: Credential,
    actor: Actor,
}

/// Why not.
#[derive(Debug, PartialEq)]
pub(crate) enum Refused {
    /// For this caller there is no such credential.
    NotThere,
    /// The caller's roles on the platform lack it.
    Lacks(Permission),
    /// The caller has no role on the application instance.
    NoRole,
}

impl Deed {
    /// What it takes on the platform, where it goes by that.
    pub(crate) fn permission(self) -> Permission {
        match self {
            Self::See => WORKSPACE_READ,
            Self::SwitchOff | Self::Change | Self::Obtain => WORKSPACE_UPDATE,
            Self::Delete => WORKSPACE_DELETE,
        }
    }
}

impl Managed {
    pub(crate) fn credential(&self) -> &Credential {
        &self.credential
    }

    pub(crate) fn client_id(&self) -> &ClientId {
        &self.credential.client_id
    }

    /// Who makes the change.
    pub(crate) fn actor(&self) -> &Actor {
        &self.actor
    }
}

/// Whether somebody may make a credential for that application instance.
pub(crate) fn may_create(caller: &Caller, instance: &ApplicationInstanceId) -> Result<(), Refused> {
    match caller.in_session() {
        Some(person) if person.roles_on(instance).is_empty() => Err(Refused::NoRole),
        Some(_) => Ok(()),
        None => permitted(caller, Deed::Change),
    }
}

/// The same of the caller as they are at the moment of the change: what they lost since the request began
/// counts.
pub(crate) fn still_may_create(
    caller: &Caller,
    instance: &ApplicationInstanceId,
) -> impl Fn(&Person) -> bool + Send + Sync + 'static {
    let in_session = caller.in_session().is_some();
    let instance = instance.clone();
    move |person: &Person| {
        let platform = ApplicationInstanceId::platform();
        let may = if in_session {
            !person.roles_on(&instance).is_empty()
        } else {
            let permission = Deed::Change.permission();
            person.roles_on(&platform).permits(&permission)
        };
        person.enabled && may
    }
}

/// Whether somebody may do this to the credential.
pub(crate) fn judge(
    caller: &Caller,
    credential: &Credential,
    deed: Deed,
    reach: Reach,
) -> Result<(), Refused> {
    if credential.workspace != *caller.workspace() {
        return Err(Refused::NotThere);
    }
    if credential.owner != caller.person() {
        let seen = reach == Reach::Workspace && caller.permits(&WORKSPACE_READ);
        if !seen || deed == Deed::Obtain {
            return Err(Refused::NotThere);
        }
        return permitted(caller, deed);
    }
    let Some(person) = caller.in_session() else {
        return permitted(caller, deed);
    };
    // To see one's own and to take it out of use needs no role: it can only end access.
    let ends_access = matches!(deed, Deed::See | Deed::SwitchOff | Deed::Delete);
    if ends_access || !person.roles_on(&credential.instance).is_empty() {
        Ok(())
    } else {
        Err(Refused::NoRole)
    }
}

fn permitted(caller: &Caller, deed: Deed) -> Result<(), Refused> {
    let permission = deed.permission();
    if caller.permits(&permission) {
        Ok(())
    } else {
        Err(Refused::Lacks(permission))
    }
}

impl Console {
    /// The credential of that id, if the caller may do this to it at this moment.
    fn judged(
        &self,
        caller: &Caller,
        id: &str,
        deed: Deed,
        reach: Reach,
    ) -> Result<Managed, Refused> {
        let credential = self.credentials.find(id).ok_or(Refused::NotThere)?;
        judge(caller, &credential, deed, reach)?;
        Ok(Managed {
            credential,
            actor: caller.actor(),
        })
    }

    /// The same for a page. A refusal goes into the audit log.
    pub(crate) async fn managed(
        &self,
        by: &SignedIn,
        id: &str,
        deed: Deed,
    ) -> Result<Managed, PageRefusal> {
        let caller = Caller::signed_in(by);
        match self.judged(&caller, id, deed, Reach::Workspace) {
            Ok(managed) => Ok(managed),
            Err(refused) => Err(self
                .page_refusal(&caller, refused, deed, by.uri(), by.now())
                .await),
        }
    }

    /// What a page answers to somebody who may not, and the record of it.
    pub(crate) async fn page_refusal(
        &self,
        caller: &Caller,
        refused: Refused,
        deed: Deed,
        uri: &Uri,
        now: Timestamp,
    ) -> PageRefusal {
        let refusal = match refused {
            Refused::NotThere => return PageRefusal::NotFound,
            Refused::Lacks(permission) => PageRefusal::NotPermitted(permission),
            Refused::NoRole => PageRefusal::NoRole,
        };
        let recorded = self
            .record_refusal(caller, uri, &deed.permission(), now)
            .await;
        recorded.map_or_else(PageRefusal::Store, |()| refusal)
    }

    /// The same for the REST API. A program that lacks the permission is told so whether or not there
    /// is such a credential.
    pub(crate) async fn managed_by_call(
        &self,
        call: &Call<'_>,
        id: &str,
        deed: Deed,
        reach: Reach,
    ) -> Result<Managed, Refusal> {
        let caller = self.caller(call, deed).await?;
        match self.judged(&caller, id, deed, reach) {
            Ok(managed) => Ok(managed),
            Err(refused) => Err(self.refusal(call, &caller, refused, deed).await),
        }
    }

    /// Who calls the REST API. A client needs its owner's permission, whatever it reaches for.
    pub(crate) async fn caller(&self, call: &Call<'_>, deed: Deed) -> Result<Caller, Refusal> {
        let caller = self.identify(call).await?;
        if caller.in_session().is_some() {
            return Ok(caller);
        }
        match permitted(&caller, deed) {
            Ok(()) => Ok(caller),
            Err(refused) => Err(self.refusal(call, &caller, refused, deed).await),
        }
    }

    /// What the REST API answers to somebody who may not, and the record of it.
    pub(crate) async fn refusal(
        &self,
        call: &Call<'_>,
        caller: &Caller,
        refused: Refused,
        deed: Deed,
    ) -> Refusal {
        let permission = deed.permission();
        let challenge = Challenge::InsufficientScope(permission.to_string());
        let refusal = match refused {
            Refused::NotThere => return Refusal::UnknownCredential,
            Refused::Lacks(_) if caller.in_session().is_some() => Refusal::NotPermitted {
                challenge,
                permission: permission.to_string(),
            },
            Refused::Lacks(_) => Refusal::Challenged(challenge),
            Refused::NoRole => Refusal::Elsewhere {
                challenge,
                message: "you have no role on that application instance",
            },
        };
        let uri = &call.head().uri;
        let recorded = self
            .record_refusal(caller, uri, &permission, call.now())
            .await;
        recorded.map_or_else(Refusal::Unavailable, |()| refusal)
    }
}
