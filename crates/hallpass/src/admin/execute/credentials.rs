//! Credentials.

use hallpass_oauth::client_authentication::{
    ClientAuthenticationMethod, ClientAuthenticationMethods,
};
use hallpass_oauth::random::SystemRandom;
use hallpass_store::Credential;
use hallpass_store::credentials::{
    CredentialChange, CredentialError, CredentialOptions, IssuedCredential, SecretSummary,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Administrator, actor, time};
use crate::admin::credential::{
    Change, CredentialCommand, CredentialFilter, CredentialOrder, NewCredential,
};
use crate::admin::typed::{Period, Typed};
use crate::command::CommandError;

impl Administrator<'_> {
    pub(super) async fn credential(
        &self,
        command: &CredentialCommand,
    ) -> Result<Value, CommandError> {
        let (credentials, rng) = (self.store.credentials(), &mut SystemRandom);
        let (actor, now) = (actor(), self.now);
        match command {
            CredentialCommand::Create(new) => self.create_credential(new).await,
            CredentialCommand::List(filter) => self.credentials(filter),
            CredentialCommand::Show { client_id } => {
                let known = credentials
                    .find(client_id)
                    .ok_or_else(|| unknown(client_id))?;
                Ok(self.credential_value(&known))
            }
            CredentialCommand::Reset { client_id } => {
                let issued = credentials.reset(client_id, &actor, now, rng).await?;
                Ok(self.issued(&issued))
            }
            CredentialCommand::Rotate { client_id, overlap } => {
                let overlap = overlap.value.duration();
                let issued = credentials
                    .rotate(client_id, overlap, &actor, now, rng)
                    .await?;
                Ok(self.rotated(&issued))
            }
            CredentialCommand::RemoveSecret {
                client_id,
                secret_id,
            } => {
                let changed = credentials
                    .remove_secret(client_id, secret_id, &actor, now, rng)
                    .await?;
                Ok(self.credential_value(&changed))
            }
            CredentialCommand::Change { client_id, wanted } => {
                self.change_credential(client_id, self.change(wanted)).await
            }
            CredentialCommand::Disable { client_id } => {
                self.change_credential(client_id, enabled(false)).await
            }
            CredentialCommand::Enable { client_id } => {
                self.change_credential(client_id, enabled(true)).await
            }
            CredentialCommand::Delete { client_id } => {
                credentials.delete(client_id, &actor, now, rng).await?;
                Ok(json!({ "clientId": client_id, "deleted": true }))
            }
        }
    }

    async fn create_credential(&self, new: &NewCredential) -> Result<Value, CommandError> {
        let owner = self
            .find_person(&new.owner, new.at.workspace.as_deref())?
            .id;
        let instance = self.find_instance(&new.instance)?.id.clone();
        let (credentials, rng) = (self.store.credentials(), &mut SystemRandom);
        let (actor, now) = (actor(), self.now);
        let options = self.options(new)?;
        let Some(jwks) = &new.jwks else {
            let issued = credentials
                .create_with(owner, instance, &new.name, options, &actor, now, rng)
                .await?;
            return Ok(self.issued(&issued));
        };
        let keys = jwks.text();
        let made = credentials
            .create_with_keys(owner, instance, &new.name, keys, options, &actor, now, rng)
            .await?;
        Ok(self.made(&made, None))
    }

    fn options(&self, new: &NewCredential) -> Result<CredentialOptions, CommandError> {
        let lifetime = new.lifetime.as_ref();
        let expires = new.expires.as_ref();
        let scope = new.scope.as_ref();
        Ok(CredentialOptions {
            token_lifetime: lifetime.and_then(|lifetime| lifetime.value.duration()),
            expires_at: expires.and_then(|expiry| expiry.value.time(self.now)),
            scopes: scope.and_then(|scopes| scopes.value.set()),
            methods: methods(new)?,
            introspects: new.introspection,
        })
    }

    fn change(&self, wanted: &Change) -> CredentialChange {
        let introspection = wanted.introspection || wanted.no_introspection;
        CredentialChange {
            enabled: None,
            token_lifetime: wanted.lifetime.as_ref().map(|typed| typed.value.duration()),
            expires_at: wanted
                .expires
                .as_ref()
                .map(|typed| typed.value.time(self.now)),
            scopes: wanted.scope.as_ref().map(|typed| typed.value.set()),
            introspects: introspection.then_some(wanted.introspection),
            keys: wanted.jwks.as_ref().map(|jwks| jwks.text().to_owned()),
        }
    }

    async fn change_credential(
        &self,
        client_id: &str,
        change: CredentialChange,
    ) -> Result<Value, CommandError> {
        let changed = self
            .store
            .credentials()
            .change(client_id, change, &actor(), self.now, &mut SystemRandom)
            .await?;
        Ok(self.credential_value(&changed))
    }

    fn credentials(&self, filter: &CredentialFilter) -> Result<Value, CommandError> {
        let only = filter.only.workspace.as_deref();
        let owner = match &filter.owner {
            Some(email) => Some(self.find_person(email, only)?.id),
            None => None,
        };
        let workspace = self.workspace_id(only)?;
        let unused_since = self.ago(filter.unused_for.as_ref());
        let older_than = self.ago(filter.older_than.as_ref());
        let mut known = self.store.credentials().list(owner);
        known.retain(|known| {
            let last = known.last_used_at.unwrap_or(known.created_at);
            workspace.as_ref().is_none_or(|id| *id == known.workspace)
                && unused_since.is_none_or(|time| last <= time)
                && older_than.is_none_or(|time| known.created_at <= time)
        });
        match filter.sort {
            // The order of the store.
            CredentialOrder::Created => {}
            // Never used comes before used.
            CredentialOrder::LastUsed => known.sort_by_key(|known| known.last_used_at),
            CredentialOrder::Name => known.sort_by(|a, b| a.name.cmp(&b.name)),
        }
        let items: Vec<Value> = known
            .iter()
            .map(|known| self.credential_value(known))
            .collect();
        Ok(json!({ "items": items }))
    }

    fn ago(&self, period: Option<&Typed<Period>>) -> Option<Timestamp> {
        let duration = period?.value.duration();
        Some(self.now.checked_sub(duration).unwrap_or(Timestamp::MIN))
    }

    fn issued(&self, issued: &IssuedCredential) -> Value {
        self.made(&issued.credential, Some(issued.secret.expose()))
    }

    /// A credential with what a program needs to use it.
    fn made(&self, credential: &Credential, secret: Option<&str>) -> Value {
        let instance = self.instance_name(&credential.instance);
        let mut answer = json!({
            "clientId": credential.client_id.as_str(),
            "clientSecret": secret,
            "name": credential.name,
            "owner": credential.owner_email,
            "workspaceId": credential.workspace.as_str(),
            "instance": instance,
            "applicationInstanceId": credential.instance.as_str(),
            "tokenUrl": self.addresses.token_url,
            "baseUrl": self.base_url_of(&credential.instance),
            "authentication": credential.methods.to_string(),
            "tokenLifetimeSeconds": credential.token_lifetime.as_secs(),
            "scope": credential.scopes.as_ref().map(ToString::to_string),
            "expiresAt": credential.expires_at.map(time),
            "secretId": credential.secrets.last().map(|secret| &secret.id),
            "keys": credential.keys,
        });
        // What there is not is left out, not empty: a program that looks for it must notice.
        let absent = [
            (secret.is_none(), "clientSecret"),
            (credential.secrets.is_empty(), "secretId"),
            (credential.keys.is_empty(), "keys"),
        ];
        if let Some(members) = answer.as_object_mut() {
            members.retain(|name, _| !absent.contains(&(true, name)));
        }
        answer
    }

    fn rotated(&self, issued: &IssuedCredential) -> Value {
        let mut answer = self.issued(issued);
        let secrets = &issued.credential.secrets;
        // The new secret is the last one.
        let old = secrets.iter().rev().nth(1);
        answer["oldSecretId"] = json!(old.map(|old| &old.id));
        answer["oldSecretExpiresAt"] = json!(old.and_then(|old| old.expires_at).map(time));
        answer
    }

    fn credential_value(&self, credential: &Credential) -> Value {
        let secrets = credential.secrets.iter();
        json!({
            "clientId": credential.client_id.as_str(),
            "name": credential.name,
            "owner": credential.owner_email,
            "instance": self.instance_name(&credential.instance),
            "workspaceId": credential.workspace.as_str(),
            "state": self.state(credential),
            "authentication": credential.methods.to_string(),
            "introspection": credential.introspects,
            "tokenLifetimeSeconds": credential.token_lifetime.as_secs(),
            "scope": credential.scopes.as_ref().map(ToString::to_string),
            "generation": credential.generation,
            "createdAt": time(credential.created_at),
            "updatedAt": time(credential.updated_at),
            "lastUsedAt": credential.last_used_at.map(time),
            "expiresAt": credential.expires_at.map(time),
            "secrets": secrets.map(|secret| self.secret_value(secret)).collect::<Vec<_>>(),
            "keys": credential.keys,
        })
    }

    fn state(&self, credential: &Credential) -> &'static str {
        if !credential.enabled {
            "disabled"
        } else if self.is_over(credential.expires_at) {
            "expired"
        } else {
            "enabled"
        }
    }

    fn secret_value(&self, secret: &SecretSummary) -> Value {
        json!({
            "id": secret.id,
            "state": if self.is_over(secret.expires_at) { "expired" } else { "good" },
            "createdAt": time(secret.created_at),
            "lastUsedAt": secret.last_used_at.map(time),
            "expiresAt": secret.expires_at.map(time),
        })
    }

    fn is_over(&self, end: Option<Timestamp>) -> bool {
        end.is_some_and(|end| end <= self.now)
    }
}

fn enabled(enabled: bool) -> CredentialChange {
    CredentialChange {
        enabled: Some(enabled),
        ..CredentialChange::default()
    }
}

fn unknown(client_id: &str) -> CommandError {
    CredentialError::Unknown(client_id.to_owned()).into()
}

/// The methods that were named, which must go with what the credential authenticates with.
fn methods(new: &NewCredential) -> Result<Option<ClientAuthenticationMethods>, CommandError> {
    if new.method.is_empty() {
        return Ok(None);
    }
    let methods: ClientAuthenticationMethods = new
        .method
        .join(" ")
        .parse()
        .map_err(|error| CommandError::usage(format!("--method: {error}")))?;
    let key = ClientAuthenticationMethod::PrivateKeyJwt;
    match (new.jwks.is_some(), methods.contains(key)) {
        (false, true) => Err(CommandError::usage(
            "private_key_jwt takes the public keys that its assertions are signed with",
        )
        .hint("add --jwks FILE, a JSON Web Key Set")),
        (true, _) if methods != ClientAuthenticationMethods::KEY => Err(CommandError::usage(
            "a credential with --jwks has no secret and authenticates by private_key_jwt only",
        )
        .hint("leave --method out, or make two credentials")),
        _ => Ok(Some(methods)),
    }
}
