//! What the steps of the walk share: the addresses, the client library, the admin socket, and the
//! ways to show an exchange. Knows nothing of the story.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use hallpass_client::address::{BaseUrl, TokenUrl};
use hallpass_client::credential_source::CredentialSource;
use hallpass_client::event::Event;
use hallpass_client::profile::{Profile, ProfileName};
use hallpass_client::response::Response;
use hallpass_client::send::{Cache, Client, Options};
use hallpass_client::task::Task;
use hallpass_oauth::token_request::{AuthenticationMethod, EncodedRequest};
use hallpass_oauth::{ClientId, Secret, TokenRequest};
use hallpass_openapi::{BuiltRequest, Definition, Values};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::admin::AdminCommand;
use crate::client::call::wrong_values;
use crate::command::{CommandError, Exit, chain};
use crate::demo::narrator::{Exchange, Narrator, shortened};
use crate::demo::wire::Wire;
use crate::serve::{self, Addresses, DataDirectory};

/// What the steps share.
pub(super) struct Walk<'a> {
    pub(super) narrator: &'a mut Narrator,
    pub(super) addresses: Addresses,
    pub(super) data: &'a DataDirectory,
    pub(super) cache: &'a Path,
    pub(super) definition: Definition,
    pub(super) wire: Wire,
    /// What the client library tells while it works.
    pub(super) events: Arc<Mutex<Vec<Event>>>,
}

/// A credential as it was shown once.
pub(super) struct Shown {
    pub(super) client_id: String,
    pub(super) secret: Secret,
}

impl Walk<'_> {
    /// What the client library told since the last time.
    pub(super) fn take_events(&self) -> Vec<Event> {
        std::mem::take(&mut self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Shows a call to the API of us1.
    pub(super) async fn show_call(
        &mut self,
        client: &Client,
        request: &BuiltRequest,
        response: &Response,
        answer: Value,
        words: &str,
    ) -> Result<(), CommandError> {
        let mut sent = vec![bearer_line(client).await?];
        if let Some(body) = &request.body {
            sent.push(String::from_utf8_lossy(body).into_owned());
        }
        let line = format!(
            "{} {}{}",
            request.method,
            self.us1(),
            request.path_and_query
        );
        let status = Some(response.status());
        self.narrator.exchange(
            &Exchange {
                request: &line,
                sent,
                status,
                answer,
            },
            words,
        );
        Ok(())
    }

    /// Sends a command through the admin socket, as `hallpass admin` does.
    pub(super) async fn admin(&self, command: &AdminCommand) -> Result<Value, CommandError> {
        serve::ask(&self.data.admin_socket(), command)
            .await?
            .ok_or_else(|| CommandError::new(Exit::Unreachable, "the admin socket is not there"))
    }

    /// The client library with a profile of its own, as a program would have.
    pub(super) fn client(
        &self,
        name: &str,
        base_url: &str,
        shown: &Shown,
    ) -> Result<Client, CommandError> {
        let wrong = |error: &dyn std::error::Error| CommandError::refused(chain(error));
        let profile = Profile::new(
            ProfileName::parse(name).map_err(|error| wrong(&error))?,
            TokenUrl::parse(&self.addresses.token_url).map_err(|error| wrong(&error))?,
            BaseUrl::parse(base_url).map_err(|error| wrong(&error))?,
            ClientId::parse(&shown.client_id).map_err(|error| wrong(&error))?,
        );
        let cache = Cache::Directory(self.cache.to_owned());
        let events = self.events.clone();
        let options = Options::new(cache, Arc::new(serve::system_time)).with_events(Arc::new(
            move |event: &Event| {
                let mut events = events.lock().unwrap_or_else(PoisonError::into_inner);
                events.push(event.clone());
            },
        ));
        Ok(Client::new(
            profile,
            CredentialSource::Given(shown.secret.clone()),
            &options,
        )?)
    }

    pub(super) fn operation(
        &self,
        operation: &str,
        values: &[(&str, &str)],
    ) -> Result<BuiltRequest, CommandError> {
        let operation = crate::definition::operation(&self.definition, operation)?;
        let values = Values::literal(values.iter().copied());
        let built = self.definition.request(operation, &values);
        built.map_err(|error| wrong_values(&error))
    }

    pub(super) async fn instance_id(&self, name: &str) -> Result<String, CommandError> {
        let list = AdminCommand::Instance(crate::admin::InstanceCommand::List);
        let instances = self.admin(&list).await?;
        let items = instances["items"].as_array().into_iter().flatten();
        let mut ids = items.filter(|item| item["name"] == name);
        let id = ids
            .next()
            .and_then(|item| item["applicationInstanceId"].as_str());
        id.map(str::to_owned)
            .ok_or_else(|| CommandError::refused(format!("there is no instance {name}")))
    }

    pub(super) fn us1(&self) -> String {
        self.addresses
            .instances
            .get("us1")
            .cloned()
            .unwrap_or_default()
    }

    pub(super) fn global(&self) -> String {
        self.addresses
            .instances
            .get("global")
            .cloned()
            .unwrap_or_default()
    }

    pub(super) fn issuer(&self) -> &str {
        &self.addresses.authorization_server
    }
}

impl Shown {
    pub(super) fn read(answer: &Value) -> Result<Self, CommandError> {
        match (answer["clientId"].as_str(), answer["clientSecret"].as_str()) {
            (Some(id), Some(secret)) => Ok(Self {
                client_id: id.to_owned(),
                secret: Secret::from(secret.to_owned()),
            }),
            _ => Err(CommandError::refused(
                "the answer holds no client id and secret",
            )),
        }
    }
}

impl Shown {
    /// The token request of a program that has this credential.
    pub(super) fn token_request(&self) -> Result<EncodedRequest, CommandError> {
        let id = ClientId::parse(&self.client_id)
            .map_err(|error| CommandError::refused(error.to_string()))?;
        let request = TokenRequest::client_credentials(None);
        Ok(request.encode(AuthenticationMethod::Body, &id, &self.secret))
    }

    /// The body of a token request, as the library encodes it, with the secret shortened.
    pub(super) fn token_form(&self) -> Result<String, CommandError> {
        let form = self.token_request()?;
        let secret = self.secret.expose();
        Ok(form.body.expose().replace(secret, &shortened(secret)))
    }
}

pub(super) fn request(method: Method, path: &str, body: Option<&Value>) -> BuiltRequest {
    BuiltRequest {
        method,
        path_and_query: path.to_owned(),
        headers: Vec::new(),
        body: body.map(|body| body.to_string().into_bytes()),
    }
}

/// The answer, if it has the status that the story tells of.
pub(super) fn checked(response: &Response, expected: StatusCode) -> Result<Value, CommandError> {
    if response.status() == expected {
        return Ok(response.json()?);
    }
    let text = response.text();
    Err(CommandError::refused(format!(
        "the answer was {} instead of {expected}: {text}",
        response.status()
    )))
}

pub(super) fn expect(as_told: bool, otherwise: &str) -> Result<(), CommandError> {
    if as_told {
        Ok(())
    } else {
        Err(CommandError::refused(otherwise))
    }
}

/// How far a task is, as a bar.
pub(super) fn progress_line(task: &Task) -> String {
    let percent = task.progress().unwrap_or_default();
    let filled = usize::from(percent) / 5;
    let bar: String = (0..20)
        .map(|at| if at < filled { '#' } else { '.' })
        .collect();
    format!("[{bar}] {percent:>3} %  {}", task.state_word())
}

pub(super) async fn bearer_line(client: &Client) -> Result<String, CommandError> {
    let token = client
        .tokens()
        .token()
        .await
        .map_err(crate::client::library)?;
    Ok(format!(
        "Authorization: Bearer {}",
        shortened(token.expose())
    ))
}

pub(super) fn with_short_secret(mut answer: Value) -> Value {
    if let Some(secret) = answer["clientSecret"].as_str() {
        answer["clientSecret"] = json!(shortened(secret));
    }
    answer
}

pub(super) fn shorten_link(answer: &mut Value) {
    if let Some((address, secret)) = answer["setupUrl"]
        .as_str()
        .and_then(|url| url.rsplit_once('/'))
    {
        answer["setupUrl"] = json!(format!("{address}/{}", shortened(secret)));
    }
}
