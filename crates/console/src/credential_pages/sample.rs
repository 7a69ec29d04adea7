//! *View Code Sample*: a program that gets a token with a credential and makes one call, with everything in
//! it but the secret. That is typed into the page and filled in there, by the page's script: it is never
//! sent. Without a script a word stands where it belongs.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{Method, Uri};
use axum::response::Response;
use hallpass_oauth::ApplicationInstanceId;
use hallpass_oauth::client_authentication::ClientAuthenticationMethod;
use hallpass_openapi::code::{
    Access, CodeRequest, Language, Program, SecretPlace, SecretSource, TokenForm,
};
use hallpass_store::Credential;

use super::shown::Shown;
use super::{Already, Id, answered, text};
use crate::credentials::rule::{Deed, Reach, judge};
use crate::guard::Caller;
use crate::page::{PageRefusal, Place};
use crate::session::SignedIn;
use crate::{CREDENTIALS_PATH, Console};

/// What stands where the secret belongs. No base URL and no id looks like it.
const PLACEHOLDER: &str = "PUT-THE-CLIENT-SECRET-HERE";

/// What stands where this server knows no base URL.
const NO_BASE_URL: &str = "https://BASE-URL";

#[derive(Template)]
#[template(path = "credentials/sample.html")]
struct Sample {
    /// Those to choose from, by id and name.
    credentials: Vec<(String, String)>,
    credential: Shown,
    language: Language,
    token_url: String,
    /// The program up to the secret, and from there on.
    before: String,
    after: String,
}

/// The form, which names the credential in its query.
pub(super) async fn choose(State(console): State<Arc<Console>>, by: SignedIn) -> Response {
    let outcome = match console.chosen_credential(&by) {
        Some(id) => console.sample_page(&by, &id).await,
        None => Ok(console.already(&by, nothing_to_show())),
    };
    answered(&by, outcome)
}

pub(super) async fn show(State(console): State<Arc<Console>>, by: SignedIn, id: Id) -> Response {
    let outcome = console.sample_page(&by, &text(id)).await;
    answered(&by, outcome)
}

impl Sample {
    fn languages() -> [(Language, &'static str, &'static str); 6] {
        Language::ALL.map(|language| (language, word(language), title(language)))
    }

    fn placeholder() -> &'static str {
        PLACEHOLDER
    }
}

impl Console {
    /// The credential that was asked for, or else the first that there could be a program for.
    fn chosen_credential(&self, by: &SignedIn) -> Option<String> {
        let asked = parameter(by.uri(), "credential");
        asked.or_else(|| {
            let first = self.own_with_secret(by).into_iter().next();
            first.map(|credential| credential.client_id.to_string())
        })
    }

    fn own_with_secret(&self, by: &SignedIn) -> Vec<Credential> {
        let caller = Caller::signed_in(by);
        let mut own = self.credentials.list(Some(by.person().id));
        own.retain(|one| {
            one.keys.is_empty() && judge(&caller, one, Deed::Obtain, Reach::Own).is_ok()
        });
        own
    }

    async fn sample_page(&self, by: &SignedIn, id: &str) -> Result<Response, PageRefusal> {
        let managed = self.managed(by, id, Deed::Obtain).await?;
        let credential = managed.credential();
        if !credential.keys.is_empty() {
            return Ok(self.already(by, nothing_to_show()));
        }
        let asked = parameter(by.uri(), "lang").unwrap_or_default();
        let mut languages = Language::ALL.into_iter();
        let language = languages.find(|language| word(*language) == asked);
        let language = language.unwrap_or(Language::Curl);
        let shown = Shown::new(credential, &self.instances(), by.now());
        let program = language.write(&self.program(credential, &shown));
        let (before, after) = program.split_once(PLACEHOLDER).unwrap_or((&program, ""));
        let own = self.own_with_secret(by);
        let content = Sample {
            credentials: own
                .iter()
                .map(|one| (one.client_id.to_string(), one.name.clone()))
                .collect(),
            language,
            token_url: self.addresses.token_url.clone(),
            before: before.to_owned(),
            after: after.to_owned(),
            credential: shown,
        };
        Ok(self.page(by, Place::Credentials, "View Code Sample", content))
    }

    fn program(&self, credential: &Credential, shown: &Shown) -> Program {
        let is_platform = credential.instance == ApplicationInstanceId::platform();
        let base_url = self.base_url(&credential.instance);
        let path = if is_platform {
            CREDENTIALS_PATH
        } else {
            &self.first_call
        };
        let client_id = shown.id.clone();
        let mut fields = vec![("grant_type".to_owned(), "client_credentials".to_owned())];
        let in_body = ClientAuthenticationMethod::SecretPost;
        let secret = if credential.methods.contains(in_body) {
            fields.push(("client_id".to_owned(), client_id));
            SecretPlace::Field("client_secret".to_owned())
        } else {
            SecretPlace::Basic(client_id)
        };
        Program {
            comments: vec![
                format!("{}: a token, and one call with it.", credential.name),
                "The client secret stands in here: keep this file like a password.".to_owned(),
            ],
            access: Access::Form(TokenForm {
                url: self.addresses.token_url.clone(),
                fields,
                secret,
                secret_source: SecretSource::Placeholder(PLACEHOLDER.to_owned()),
                member: "access_token".to_owned(),
            }),
            prefix: "Bearer".to_owned(),
            notes: Vec::new(),
            request: CodeRequest {
                method: Method::GET,
                url: format!("{}{path}", base_url.as_deref().unwrap_or(NO_BASE_URL)),
                headers: vec![("Accept".to_owned(), "application/json".to_owned())],
                body: None,
            },
        }
    }
}

fn parameter(uri: &Uri, wanted: &str) -> Option<String> {
    let query = uri.query().unwrap_or_default();
    let mut all = form_urlencoded::parse(query.as_bytes());
    all.find(|(name, value)| name == wanted && !value.is_empty())
        .map(|(_, value)| value.into_owned())
}

/// As it stands in a query; the words of `hallpass sample --lang`.
fn word(language: Language) -> &'static str {
    match language {
        Language::Curl => "curl",
        Language::Go => "go",
        Language::JavaScript => "javascript",
        Language::PowerShell => "powershell",
        Language::Python => "python",
        Language::Rust => "rust",
    }
}

fn title(language: Language) -> &'static str {
    match language {
        Language::Curl => "cURL",
        Language::Go => "Go",
        Language::JavaScript => "JavaScript (Node.js)",
        Language::PowerShell => "PowerShell",
        Language::Python => "Python",
        Language::Rust => "Rust",
    }
}

fn nothing_to_show() -> Already<'static> {
    Already {
        title: "View Code Sample",
        words: "You have no credential with a secret that a program could be shown for. Create one first.",
        href: super::CREDENTIALS_PAGE.to_owned(),
        link: "API Client Credentials",
    }
}
