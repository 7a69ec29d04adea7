//! What each server is given of the store: its handles and nothing else. A server that takes one of
//! these cannot even name what is not in it.

use crate::{
    AuditLog, ClientRegistrations, Credentials, CustomRoles, Instances, Passwords, People,
    Principals, PublishedKeys, Revocations, SandboxJournals, SecondFactors, Sessions, SetupLinks,
    SigningKeys, Store, TokenSequences, Workspaces,
};

/// For the authorization server: it authenticates clients and signs.
pub struct AuthorizationServerHandles {
    /// Clients and the digests of their secrets.
    pub clients: ClientRegistrations,
    /// Places in token sequences.
    pub sequences: TokenSequences,
    /// The private key that signs.
    pub signing_keys: SigningKeys,
    /// The public keys.
    pub published_keys: PublishedKeys,
    /// Credentials and their owners, as a verifier sees them, for introspection and exchange.
    pub principals: Principals,
    /// Revocation of single tokens.
    pub revocations: Revocations,
    /// The audit log.
    pub audit: AuditLog,
}

/// For a resource server: no secret, no digest, no private key.
pub struct ResourceServerHandles {
    /// The public keys.
    pub published_keys: PublishedKeys,
    /// Credentials and their owners, as a verifier sees them.
    pub principals: Principals,
    /// The audit log.
    pub audit: AuditLog,
    /// The stand-in's changes.
    pub sandbox_journals: SandboxJournals,
    /// What answers behind each application instance.
    pub instances: Instances,
}

/// For the console: it administers credentials and cannot sign.
pub struct ConsoleHandles {
    /// The public keys.
    pub published_keys: PublishedKeys,
    /// Credentials and their owners, as a verifier sees them.
    pub principals: Principals,
    /// Administration of credentials.
    pub credentials: Credentials,
    /// Administration of people and their roles.
    pub people: People,
    /// Administration of the roles of workspaces.
    pub custom_roles: CustomRoles,
    /// People signed in.
    pub sessions: Sessions,
    /// What they sign in with.
    pub passwords: Passwords,
    /// What they show besides.
    pub second_factors: SecondFactors,
    /// Workspaces and instances.
    pub workspaces: Workspaces,
    /// One-time links.
    pub setup_links: SetupLinks,
    /// The audit log.
    pub audit: AuditLog,
}

impl Store {
    /// What the authorization server is given.
    pub fn for_authorization_server(&self) -> AuthorizationServerHandles {
        AuthorizationServerHandles {
            clients: self.client_registrations(),
            sequences: self.token_sequences(),
            signing_keys: self.signing_keys(),
            published_keys: self.published_keys(),
            principals: self.principals(),
            revocations: self.revocations(),
            audit: self.audit_log(),
        }
    }

    /// What a resource server is given.
    pub fn for_resource_server(&self) -> ResourceServerHandles {
        ResourceServerHandles {
            published_keys: self.published_keys(),
            principals: self.principals(),
            audit: self.audit_log(),
            sandbox_journals: self.sandbox_journals(),
            instances: self.instances(),
        }
    }

    /// What the console is given.
    pub fn for_console(&self) -> ConsoleHandles {
        ConsoleHandles {
            published_keys: self.published_keys(),
            principals: self.principals(),
            credentials: self.credentials(),
            people: self.people().keeping_administrators(),
            custom_roles: self.custom_roles(),
            sessions: self.sessions(),
            passwords: self.passwords(),
            second_factors: self.second_factors(),
            workspaces: self.workspaces(),
            setup_links: self.setup_links(),
            audit: self.audit_log(),
        }
    }
}
