//! The permission step: what the credential's owner may do at this moment.

use std::net::SocketAddr;
use std::sync::Arc;

use hallpass_access::{OperationPermissions, Requirement};
use hallpass_oauth::{Challenge, ClientId};
use hallpass_openapi::{Definition, Operation};
use hallpass_sandbox::TaskFate;
use hallpass_store::{Principal, VerifiedCaller};

use crate::target::Target;
use crate::upstream::Forwarding;

/// Leave to do one operation. Only [`permit`] makes one, out of a token that was verified and roles
/// that suffice.
#[derive(Debug)]
pub(crate) struct Permitted {
    caller: VerifiedCaller,
    definition: Arc<Definition>,
    operation: usize,
    permission: String,
}

/// A permitted call, whole: what its origin may look at. It borrows nothing, so that a change can
/// outlive the connection it came on.
#[derive(Debug)]
pub(crate) struct Call {
    /// Why it may be made.
    pub(crate) permitted: Permitted,
    /// The operation's path parameters, decoded.
    pub(crate) path: Vec<(String, String)>,
    /// What was asked for.
    pub(crate) target: Target,
    /// The body, if one came.
    pub(crate) body: Option<Vec<u8>>,
    /// What becomes of the task that it starts.
    pub(crate) task_fate: TaskFate,
    /// Where it is passed on to, unless the stand-in answers.
    pub(crate) forwarding: Option<Forwarding>,
    /// Where it came from.
    pub(crate) peer: SocketAddr,
}

/// A call whose owner lacks the permission.
#[derive(Debug)]
pub(crate) struct Denied {
    /// Who asked.
    pub(crate) caller: VerifiedCaller,
    /// What it would have taken.
    pub(crate) permission: String,
}

impl Permitted {
    pub(crate) fn principal(&self) -> &Principal {
        self.caller.principal()
    }

    pub(crate) fn client_id(&self) -> &ClientId {
        self.caller.client_id()
    }

    pub(crate) fn operation(&self) -> &Operation {
        &self.definition.operations()[self.operation]
    }

    pub(crate) fn permission(&self) -> &str {
        &self.permission
    }
}

impl Denied {
    pub(crate) fn challenge(&self) -> Challenge {
        Challenge::InsufficientScope(self.permission.clone())
    }
}

/// Decides by the owner's roles as they are now; the token says nothing about them (domain facts,
/// section 4.1). `operation` is the position in the definition.
pub(crate) fn permit(
    caller: VerifiedCaller,
    definition: &Arc<Definition>,
    operation: usize,
    permissions: &OperationPermissions,
) -> Result<Permitted, Box<Denied>> {
    let requirement = permissions.requirement(operation);
    let permission = match requirement {
        Requirement::Permission(permission) => permission.to_string(),
        Requirement::AnyRole => "ANY.read".to_owned(),
    };
    if requirement.is_met_by(&caller.principal().roles) {
        Ok(Permitted {
            caller,
            definition: definition.clone(),
            operation,
            permission,
        })
    } else {
        Err(Box::new(Denied { caller, permission }))
    }
}
