//! An explorer whose drawer is in memory, with everybody let in.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::http::Method;
use axum::http::request::Parts;
use hallpass_client::address::{BaseUrl, TokenUrl};
use hallpass_client::{ClientId, CredentialSource, Options, Profile, ProfileName, Secret};
use hallpass_explorer::{
    Document, Door, Drawer, DrawerError, Entry, Explorer, Failure, Fetch, Id, Job, Region,
    SharedDrawer, Surroundings, Visitor, no_form_token,
};
use reqwest::Url;

/// What the page's script has to know.
pub(crate) const FORM_TOKEN: &str = "a form token";

/// An explorer over a drawer, for places of the API and where tokens are (`token`).
pub(crate) fn explorer(drawer: Arc<Memory>, places: BTreeMap<String, String>) -> Explorer {
    let door = Arc::new(OpenDoor(drawer));
    let clock = Options::in_memory().clock;
    Explorer::new(door, Arc::new(Here(places)), clock)
}

/// Everybody is the same person.
pub(crate) fn visitor(drawer: SharedDrawer) -> Visitor {
    Visitor {
        key: "somebody".to_owned(),
        frame: None,
        form_token: FORM_TOKEN.to_owned(),
        drawer,
    }
}

struct OpenDoor(SharedDrawer);

impl Door for OpenDoor {
    fn visitor<'a>(&'a self, head: &'a Parts) -> Entry<'a> {
        Box::pin(async move {
            let token = head.headers.get("x-csrf-token");
            let by_form = head.uri.path() == "/explorer/workspaces";
            let reads = matches!(head.method, Method::GET | Method::HEAD);
            if !reads && !by_form && token.is_none_or(|token| token != FORM_TOKEN) {
                return Err(no_form_token());
            }
            Ok(visitor(self.0.clone()))
        })
    }
}

struct Here(BTreeMap<String, String>);

impl Surroundings for Here {
    fn is_local(&self) -> bool {
        true
    }

    fn may_reach(&self, _url: &Url) -> Result<(), Failure> {
        Ok(())
    }

    fn options(&self) -> Options {
        Options::in_memory()
    }

    fn regions(&self) -> Vec<Region> {
        let places = self.0.iter();
        let places = places.filter(|(name, _)| *name != "token" && !name.starts_with("http"));
        places
            .map(|(name, base_url)| Region {
                name: name.clone(),
                title: name.to_uppercase(),
                base_url: base_url.clone(),
            })
            .collect()
    }

    fn profiles(&self) -> Vec<String> {
        vec!["mine".to_owned()]
    }

    fn profile(&self, name: &str) -> Result<(Profile, CredentialSource), Failure> {
        if name != "mine" {
            return Err(Failure::not_found("profile of this name"));
        }
        let profile = Profile::new(
            ProfileName::parse(name).unwrap(),
            TokenUrl::parse(&self.token_url()).unwrap(),
            BaseUrl::parse(&self.0["eu1"]).unwrap(),
            ClientId::parse("me").unwrap(),
        );
        let secret = Secret::from("planted".to_owned());
        Ok((profile, CredentialSource::Given(secret)))
    }

    fn token_url(&self) -> String {
        self.0.get("token").cloned().unwrap_or_default()
    }

    fn built_in(&self) -> &'static str {
        include_str!("../../../../api/storage-api.yaml")
    }

    fn fetch<'a>(&'a self, url: &'a Url) -> Fetch<'a> {
        Box::pin(async move {
            let text = self.0.get(url.as_str());
            text.map(|text| text.clone().into_bytes())
                .ok_or_else(|| Failure::refused("nothing is fetched here", "import a file"))
        })
    }
}

/// Whatever is kept elsewhere takes its time, and others get theirs meanwhile.
async fn others_go_on() {
    tokio::task::yield_now().await;
}

#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) documents: Mutex<HashMap<Id, HashMap<Document, Vec<u8>>>>,
    pub(crate) secrets: Mutex<HashMap<(Id, String), Secret>>,
    /// Whether there is no room for another version of a workspace.
    pub(crate) is_full: AtomicBool,
}

impl Drawer for Memory {
    fn workspaces(&self) -> Job<'_, Vec<Id>> {
        Box::pin(async { Ok(self.documents.lock().unwrap().keys().cloned().collect()) })
    }

    fn read<'a>(&'a self, workspace: &'a Id, document: &'a Document) -> Job<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            others_go_on().await;
            let documents = self.documents.lock().unwrap();
            let found = documents
                .get(workspace)
                .and_then(|known| known.get(document));
            Ok(found.cloned())
        })
    }

    fn write<'a>(
        &'a self,
        workspace: &'a Id,
        document: &'a Document,
        bytes: Vec<u8>,
    ) -> Job<'a, ()> {
        Box::pin(async move {
            others_go_on().await;
            if *document == Document::Workspace && self.is_full.load(Ordering::SeqCst) {
                return Err(DrawerError::Full("there is no room".to_owned()));
            }
            let mut documents = self.documents.lock().unwrap();
            let known = documents.entry(workspace.clone()).or_default();
            known.insert(document.clone(), bytes);
            Ok(())
        })
    }

    fn remove<'a>(&'a self, workspace: &'a Id, document: &'a Document) -> Job<'a, ()> {
        Box::pin(async move {
            if let Some(known) = self.documents.lock().unwrap().get_mut(workspace) {
                known.remove(document);
            }
            Ok(())
        })
    }

    fn remove_workspace<'a>(&'a self, workspace: &'a Id) -> Job<'a, ()> {
        Box::pin(async move {
            self.documents.lock().unwrap().remove(workspace);
            self.secrets
                .lock()
                .unwrap()
                .retain(|(one, _), _| one != workspace);
            Ok(())
        })
    }

    fn secret<'a>(&'a self, workspace: &'a Id, name: &'a str) -> Job<'a, Option<Secret>> {
        Box::pin(async move {
            others_go_on().await;
            let key = (workspace.clone(), name.to_owned());
            Ok(self.secrets.lock().unwrap().get(&key).cloned())
        })
    }

    fn keep_secret<'a>(
        &'a self,
        workspace: &'a Id,
        name: &'a str,
        secret: Option<Secret>,
    ) -> Job<'a, ()> {
        Box::pin(async move {
            others_go_on().await;
            let key = (workspace.clone(), name.to_owned());
            let mut secrets = self.secrets.lock().unwrap();
            match secret {
                Some(secret) => secrets.insert(key, secret),
                None => secrets.remove(&key),
            };
            Ok(())
        })
    }
}
