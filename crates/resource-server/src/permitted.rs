//! The permission step: what the credential's owner may do at this moment.

use hallpass_access::{OperationPermissions, Requirement};
use hallpass_oauth::{Challenge, ClientId, VerifiedToken};
use hallpass_openapi::Operation;
use hallpass_store::Principal;

/// A call that may go to its origin. Only [`permit`] makes one, out of a token that was verified
/// and roles that suffice.
#[derive(Debug)]
pub(crate) struct Permitted<'a> {
    principal: Principal,
    client_id: ClientId,
    operation: &'a Operation,
    permission: String,
}

/// A call whose owner lacks the permission.
#[derive(Debug)]
pub(crate) struct Denied {
    /// Who asked.
    pub(crate) principal: Principal,
    /// With which client.
    pub(crate) client_id: ClientId,
    /// What it would have taken.
    pub(crate) permission: String,
}

impl Permitted<'_> {
    pub(crate) fn principal(&self) -> &Principal {
        &self.principal
    }

    pub(crate) fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    pub(crate) fn operation(&self) -> &Operation {
        self.operation
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
/// section 4.1).
pub(crate) fn permit<'a>(
    token: &VerifiedToken<'_>,
    principal: Principal,
    operation: &'a Operation,
    permissions: &OperationPermissions,
) -> Result<Permitted<'a>, Box<Denied>> {
    let requirement = permissions.requirement(operation.index());
    let permission = match requirement {
        Requirement::Permission(permission) => permission.to_string(),
        Requirement::AnyRole => "ANY.read".to_owned(),
    };
    let client_id = token.identity().client_id.clone();
    if requirement.is_met_by(principal.roles) {
        Ok(Permitted {
            principal,
            client_id,
            operation,
            permission,
        })
    } else {
        Err(Box::new(Denied {
            principal,
            client_id,
            permission,
        }))
    }
}
