//! The calls behind the commands: the REST API for credentials, and that for application instances,
//! which gives names to ids.

use hallpass_client::Client;
use hallpass_oauth::{ApplicationInstanceId, Secret};
use hallpass_openapi::BuiltRequest;
use http::Method;
use jiff::SignedDuration;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::command::CommandError;
use crate::output;

const CREDENTIALS: &str = "/workspaces/v1/credentials";
const INSTANCES: &str = "/workspaces/v1/application-instances";
const PROVISIONS: &str = "/service-catalog/v1beta1/service-manager-provisions/";

/// The platform itself, which has no provision.
const PLATFORM: &str = "global";

/// A server's REST API.
pub(super) struct Remote<'a> {
    client: &'a Client,
    /// Whose credentials are meant; nothing for the caller's own.
    owner: Option<String>,
}

/// A credential as the server tells it, without its secret.
pub(super) struct Credential {
    pub(super) id: String,
    pub(super) name: String,
    /// The id of the instance it is for.
    pub(super) instance: String,
    pub(super) item: Value,
}

/// An application instance.
pub(super) struct Instance {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) base_url: Option<String>,
}

impl<'a> Remote<'a> {
    pub(super) fn of(client: &'a Client) -> Self {
        let owner = None;
        Self { client, owner }
    }

    /// The same for the credentials of others.
    pub(super) fn for_owner(self, owner: Option<&str>) -> Self {
        let owner = owner.map(|owner| utf8_percent_encode(owner, NON_ALPHANUMERIC).to_string());
        Self { owner, ..self }
    }

    fn asked(&self, path: &str, query: &str) -> String {
        let owner = self.owner.as_ref().map(|owner| format!("owner={owner}"));
        let parts: Vec<String> = Some(query.to_owned())
            .filter(|query| !query.is_empty())
            .into_iter()
            .chain(owner)
            .collect();
        let mark = if parts.is_empty() { "" } else { "?" };
        format!("{path}{mark}{}", parts.join("&"))
    }

    pub(super) async fn credentials(&self) -> Result<Vec<Credential>, CommandError> {
        let listed = self.get(&self.asked(CREDENTIALS, "details=true")).await?;
        let items = listed["items"].as_array();
        let items = items.ok_or_else(|| self.no_such_api())?;
        Ok(items.iter().cloned().map(Credential::read).collect())
    }

    /// The one of that client id, else the only one of that name.
    pub(super) async fn credential(&self, wanted: &str) -> Result<Credential, CommandError> {
        let mut known = self.credentials().await?;
        let by_id = known.iter().position(|one| one.id == wanted);
        let mut named = known
            .iter()
            .enumerate()
            .filter(|(_, one)| one.name == wanted);
        let by_name = named.next().map(|(at, _)| at);
        if by_id.is_none() && named.next().is_some() {
            return Err(CommandError::usage(format!(
                "several credentials are called {}",
                output::printable(wanted)
            ))
            .hint("name the one by its client id; `hallpass credential list` shows it"));
        }
        match by_id.or(by_name) {
            Some(at) => Ok(known.swap_remove(at)),
            None => Err(CommandError::refused(format!(
                "there is no credential {}",
                output::printable(wanted)
            ))
            .hint("`hallpass credential list` shows those there are")),
        }
    }

    pub(super) async fn instances(&self) -> Result<Vec<Instance>, CommandError> {
        let listed = self.get(INSTANCES).await?;
        let items = listed["items"].as_array().into_iter().flatten();
        Ok(items.map(Instance::read).collect())
    }

    /// The instance of that name or id. The server may not tell which there are; an id is good
    /// nevertheless, and so is the platform.
    pub(super) async fn instance(&self, wanted: &str) -> Result<Instance, CommandError> {
        if wanted == PLATFORM {
            return Ok(Instance {
                id: ApplicationInstanceId::platform().to_string(),
                name: PLATFORM.to_owned(),
                base_url: Some(self.client.profile().base_url().as_str().to_owned()),
            });
        }
        let id = ApplicationInstanceId::parse(&wanted.to_ascii_lowercase()).ok();
        let known = match (self.instances().await, &id) {
            (Err(_), Some(_)) => Vec::new(),
            (known, _) => known?,
        };
        let mut fitting = known.into_iter();
        let found = fitting.find(|one| one.name == wanted || one.id == wanted);
        match (found, id) {
            (Some(instance), _) => Ok(instance),
            (None, Some(id)) => Ok(Instance {
                id: id.to_string(),
                name: id.to_string(),
                base_url: None,
            }),
            (None, None) => Err(CommandError::refused(format!(
                "there is no application instance {}",
                output::printable(wanted)
            ))
            .hint(format!("`hallpass get {INSTANCES}` shows those there are"))),
        }
    }

    pub(super) async fn create(
        &self,
        name: &str,
        instance: &Instance,
        options: Map<String, Value>,
    ) -> Result<(Credential, Secret), CommandError> {
        let mut body = Value::Object(options);
        body["credentialName"] = json!(name);
        if instance.id != ApplicationInstanceId::platform().to_string() {
            let uri = format!("{PROVISIONS}{}", instance.id);
            body["associatedServiceManagerProvision"] = json!({ "resourceUri": uri });
        }
        let answered = self.send(Method::POST, CREDENTIALS, Some(&body)).await?;
        self.issued(answered)
    }

    /// The old secret dies at once, or lives on for `overlap`.
    pub(super) async fn reset(
        &self,
        id: &str,
        overlap: Option<SignedDuration>,
    ) -> Result<(Credential, Secret), CommandError> {
        let path = format!("{CREDENTIALS}/{id}/reset");
        let body = overlap.map(|overlap| json!({ "overlapSeconds": overlap.as_secs() }));
        let answered = self.send(Method::POST, &path, body.as_ref()).await?;
        self.issued(answered)
    }

    pub(super) async fn delete(&self, id: &str) -> Result<(), CommandError> {
        let path = self.asked(&format!("{CREDENTIALS}/{id}"), "");
        self.send(Method::DELETE, &path, None).await.map(drop)
    }

    /// Changes those members; others stay.
    pub(super) async fn change(
        &self,
        id: &str,
        members: Map<String, Value>,
    ) -> Result<Credential, CommandError> {
        let path = self.asked(&format!("{CREDENTIALS}/{id}"), "");
        let body = Value::Object(members);
        let changed = self.send(Method::PATCH, &path, Some(&body)).await?;
        Ok(Credential::read(changed))
    }

    /// Takes the secret out of the answer.
    fn issued(&self, mut item: Value) -> Result<(Credential, Secret), CommandError> {
        let members = item.as_object_mut();
        let secret = members.and_then(|members| members.remove("clientSecret"));
        match secret {
            Some(Value::String(secret)) => Ok((Credential::read(item), Secret::from(secret))),
            _ => Err(self.no_such_api()),
        }
    }

    async fn get(&self, path: &str) -> Result<Value, CommandError> {
        self.send(Method::GET, path, None).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, CommandError> {
        let request = BuiltRequest {
            method,
            path_and_query: path.to_owned(),
            headers: Vec::new(),
            body: body.map(|body| body.to_string().into_bytes()),
        };
        let answered = self.client.send(&request).await?;
        let answered = answered.success().map_err(|error| self.explained(error))?;
        // It may hold a secret.
        let text = Zeroizing::new(answered.into_body());
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&text).map_err(|_| self.no_such_api())
    }

    fn explained(&self, error: hallpass_client::error::Error) -> CommandError {
        // A server that is not Hallpass, or the API of a region, refuses in words of its own.
        let is_foreign = matches!(&error, hallpass_client::error::Error::Api(problem)
            if problem.status() == 404 && problem.code() != Some("HPE_GL_ERROR_NOT_FOUND"));
        if is_foreign {
            self.no_such_api()
        } else {
            CommandError::from(error)
        }
    }

    fn no_such_api(&self) -> CommandError {
        CommandError::refused(format!(
            "there is no API for credentials at {}",
            self.client.profile().base_url().as_str()
        ))
        .hint(
            "the profile must be one of the platform: a credential for the instance `global`, and \
             the address of the console as base URL",
        )
    }
}

impl Credential {
    fn read(item: Value) -> Self {
        let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
        let provision = &item["associatedServiceManagerProvision"]["resourceUri"];
        let instance = provision.as_str().and_then(|uri| uri.rsplit('/').next());
        Self {
            id: text("id"),
            name: text("credentialName"),
            instance: instance.map_or_else(
                || ApplicationInstanceId::platform().to_string(),
                str::to_owned,
            ),
            item,
        }
    }
}

impl Instance {
    fn read(item: &Value) -> Self {
        let text = |name: &str| item[name].as_str().map(str::to_owned);
        Self {
            id: text("id").unwrap_or_default(),
            name: text("name").unwrap_or_default(),
            base_url: text("baseUrl"),
        }
    }
}
