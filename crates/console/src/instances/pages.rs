//! The pages for application instances.

use std::net::SocketAddr;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use hallpass_access::platform::{WORKSPACE_DELETE, WORKSPACE_READ, WORKSPACE_UPDATE};
use hallpass_oauth::random::SystemRandom;
use hallpass_store::ApplicationInstance;
use hallpass_store::instances::{
    BaseUrl, InstanceChange, InstanceError, NewInstance, Origin, Upstream,
};

use super::{INSTANCES_PAGE, directs};
use crate::Console;
use crate::form::{Fields, SignedForm};
use crate::guard::Permitted;
use crate::page::{PageRefusal, Place};
use crate::sentence::sentence;
use crate::session::SignedIn;

pub(crate) fn routes() -> Router<Arc<Console>> {
    let one = format!("{INSTANCES_PAGE}/{{id}}");
    Router::new()
        .route(INSTANCES_PAGE, get(list))
        .route(&format!("{INSTANCES_PAGE}/new"), get(new).post(create))
        .route(&one, get(show).post(change))
        .route(&format!("{one}/delete"), get(confirm).post(remove))
}

#[derive(Template)]
#[template(path = "instances.html")]
struct ListPage {
    instances: Vec<Row>,
    may_change: bool,
    may_make: bool,
}

struct Row {
    id: String,
    name: String,
    title: String,
    region: String,
    base_url: Option<String>,
    /// What answers, for those who may know.
    origin: Option<String>,
    enabled: bool,
    /// The platform has nothing to set but its title.
    platform: bool,
    /// Those that every system has have their listener in the configuration.
    first: bool,
    credentials: usize,
}

#[derive(Template)]
#[template(path = "instance.html")]
struct FormPage {
    form_token: String,
    row: Option<Row>,
    /// Whether the person says where its calls go.
    directs: bool,
    may_remove: bool,
    typed: Typed,
    problem: Option<String>,
}

impl FormPage {
    fn is_platform(&self) -> bool {
        self.row.as_ref().is_some_and(|row| row.platform)
    }

    /// Whether its listener is set here, and not in the configuration.
    fn has_listener(&self) -> bool {
        self.row.as_ref().is_none_or(|row| !row.first)
    }
}

/// The fields as they were typed.
#[derive(Default)]
struct Typed {
    name: String,
    title: String,
    region: String,
    base_url: String,
    upstream: String,
    passes_token: bool,
    listen: String,
    enabled: bool,
}

#[derive(Template)]
#[template(path = "instance_delete.html")]
struct DeletePage {
    form_token: String,
    row: Row,
    problem: Option<String>,
}

async fn list(State(console): State<Arc<Console>>, by: SignedIn) -> Response {
    if let Err(refusal) = console.permit_person(&by, WORKSPACE_READ).await {
        return refusal.answer(by.uri());
    }
    let operating = console.workspaces.is_operating(&by.person().workspace);
    let known = console.workspaces.instances();
    let rows = known
        .iter()
        .map(|one| console.instance_row(one, operating))
        .collect();
    let may_change = operating && by.roles().permits(&WORKSPACE_UPDATE);
    let page = ListPage {
        instances: rows,
        may_change,
        may_make: may_change && console.directs_instance(&by, None),
    };
    console.page(&by, Place::Instances, "Application instances", page)
}

async fn new(State(console): State<Arc<Console>>, by: SignedIn) -> Response {
    if let Err(refusal) = console
        .permit_directing_person(&by, WORKSPACE_UPDATE, None)
        .await
    {
        return refusal.answer(by.uri());
    }
    let typed = Typed {
        listen: "127.0.0.1:0".to_owned(),
        enabled: true,
        ..Typed::default()
    };
    console.instance_page(&by, None, typed, None)
}

async fn create(State(console): State<Arc<Console>>, form: SignedForm) -> Response {
    let SignedForm { by, fields } = form;
    let permitted = console.permit_directing_person(&by, WORKSPACE_UPDATE, None);
    let permitted = match permitted.await {
        Ok(permitted) => permitted,
        Err(refusal) => return refusal.answer(by.uri()),
    };
    let typed = Typed::of(&fields);
    let new = match typed.new_instance() {
        Ok(new) => new,
        Err(problem) => return console.instance_page(&by, None, typed, Some(problem)),
    };
    let actor = permitted.actor();
    let made = console
        .workspaces
        .create_instance(new, &actor, by.now(), &mut SystemRandom)
        .await;
    console.after(&by, made.map(drop), None, typed)
}

async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    Path(id): Path<String>,
) -> Response {
    let permitted = console.permit_operating_person(&by, WORKSPACE_UPDATE).await;
    match permitted.and_then(|_| console.instance_on_page(&id)) {
        Ok(known) => {
            let typed = Typed::from(&*known);
            console.instance_page(&by, Some(&known), typed, None)
        }
        Err(refusal) => refusal.answer(by.uri()),
    }
}

async fn change(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    form: SignedForm,
) -> Response {
    let SignedForm { by, fields } = form;
    let permitted = console.permit_operating_person(&by, WORKSPACE_UPDATE).await;
    let found = permitted.and_then(|permitted| Ok((permitted, console.instance_on_page(&id)?)));
    let (permitted, known) = match found {
        Ok(found) => found,
        Err(refusal) => return refusal.answer(by.uri()),
    };
    let typed = Typed::over(&known, &fields);
    let change = match typed.change(&known) {
        Ok(change) => change,
        Err(problem) => return console.instance_page(&by, Some(&known), typed, Some(problem)),
    };
    if directs(&known, &change) {
        let permitted = console.permit_directing_person(&by, WORKSPACE_UPDATE, Some(&known.id));
        if let Err(refusal) = permitted.await {
            return refusal.answer(by.uri());
        }
    }
    let actor = permitted.actor();
    let changed = console
        .workspaces
        .change_instance(&known.id, change, &actor, by.now(), &mut SystemRandom)
        .await;
    console.after(&by, changed.map(drop), Some(&known), typed)
}

async fn confirm(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    Path(id): Path<String>,
) -> Response {
    match console.instance_to_remove(&by, &id).await {
        Ok((_, known)) => console.instance_delete_page(&by, &known, None),
        Err(refusal) => refusal.answer(by.uri()),
    }
}

async fn remove(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    form: SignedForm,
) -> Response {
    let SignedForm { by, fields } = form;
    let (permitted, known) = match console.instance_to_remove(&by, &id).await {
        Ok(found) => found,
        Err(refusal) => return refusal.answer(by.uri()),
    };
    let (actor, too) = (permitted.actor(), fields.has("with_credentials"));
    let removed = console
        .workspaces
        .remove_instance(&known.id, too, &actor, by.now(), &mut SystemRandom)
        .await;
    match removed {
        Ok(()) => console.done(
            &by,
            INSTANCES_PAGE,
            format!("Application instance {} is removed.", known.name),
        ),
        Err(InstanceError::Store(error)) => PageRefusal::Store(error).answer(by.uri()),
        Err(error) => console.instance_delete_page(&by, &known, Some(error.to_string())),
    }
}

impl Typed {
    fn of(fields: &Fields) -> Self {
        let text = |name| fields.text(name).to_owned();
        Self {
            name: text("name"),
            title: text("title"),
            region: text("region"),
            base_url: text("base_url"),
            upstream: text("upstream"),
            passes_token: fields.has("passes_token"),
            listen: text("listen"),
            enabled: fields.has("enabled"),
        }
    }

    /// What is typed over what there is: a field that the form does not have stays as it is.
    fn over(known: &ApplicationInstance, fields: &Fields) -> Self {
        let (typed, before) = (Self::of(fields), Self::from(known));
        let has_upstream = fields.has("upstream");
        let or = |name, typed, before| if fields.has(name) { typed } else { before };
        Self {
            base_url: or("base_url", typed.base_url, before.base_url),
            upstream: or("upstream", typed.upstream, before.upstream),
            passes_token: if has_upstream {
                typed.passes_token
            } else {
                before.passes_token
            },
            listen: or("listen", typed.listen, before.listen),
            ..typed
        }
    }

    fn new_instance(&self) -> Result<NewInstance, String> {
        Ok(NewInstance {
            name: self.name.clone(),
            title: self.title.clone(),
            region: self.region.clone(),
            base_url: self.base_url()?,
            origin: self.origin()?,
            listen: self.listen()?,
            enabled: self.enabled,
        })
    }

    /// What differs: a member that was not touched is not set, since some instances refuse it.
    fn change(&self, known: &ApplicationInstance) -> Result<InstanceChange, String> {
        let (base_url, origin, listen) = (self.base_url()?, self.origin()?, self.listen()?);
        if known.is_platform() {
            return Ok(InstanceChange {
                title: Some(self.title.clone()),
                region: Some(self.region.clone()),
                ..InstanceChange::default()
            });
        }
        Ok(InstanceChange {
            title: Some(self.title.clone()),
            region: Some(self.region.clone()),
            base_url: (base_url != known.base_url).then_some(base_url),
            origin: (origin != known.origin).then_some(origin),
            listen: (listen != known.listen).then_some(listen),
            enabled: (self.enabled != known.enabled).then_some(self.enabled),
        })
    }

    fn base_url(&self) -> Result<Option<BaseUrl>, String> {
        let given = Some(&self.base_url).filter(|text| !text.is_empty());
        let url = given.map(|text| text.parse()).transpose();
        url.map_err(|error| format!("Base URL: {error}"))
    }

    fn origin(&self) -> Result<Origin, String> {
        if self.upstream.is_empty() {
            return Ok(Origin::Sandbox);
        }
        let url = self.upstream.parse();
        let url = url.map_err(|error| format!("Upstream: {error}"))?;
        Ok(Origin::Upstream(Upstream {
            url,
            passes_token: self.passes_token,
        }))
    }

    fn listen(&self) -> Result<Option<SocketAddr>, String> {
        let given = Some(&self.listen).filter(|text| !text.is_empty());
        let address = given.map(|text| text.parse()).transpose();
        address.map_err(|_| {
            "Listens on: write HOST:PORT with an IP address, such as 127.0.0.1:8084".to_owned()
        })
    }
}

impl From<&ApplicationInstance> for Typed {
    fn from(known: &ApplicationInstance) -> Self {
        let (upstream, passes_token) = match &known.origin {
            Origin::Sandbox => (String::new(), false),
            Origin::Upstream(upstream) => (upstream.url.to_string(), upstream.passes_token),
        };
        let text = |value: Option<String>| value.unwrap_or_default();
        Self {
            name: known.name.clone(),
            title: known.title.clone(),
            region: known.region.clone(),
            base_url: text(known.base_url.as_ref().map(ToString::to_string)),
            upstream,
            passes_token,
            listen: text(known.listen.map(|address| address.to_string())),
            enabled: known.enabled,
        }
    }
}

impl Console {
    fn instance_on_page(&self, id: &str) -> Result<Arc<ApplicationInstance>, PageRefusal> {
        let known = self.workspaces.instances().into_iter();
        let mut known = known.filter(|one| one.id.as_str() == id);
        known.next().ok_or(PageRefusal::NotFound)
    }

    async fn instance_to_remove(
        &self,
        by: &SignedIn,
        id: &str,
    ) -> Result<(Permitted, Arc<ApplicationInstance>), PageRefusal> {
        self.permit_operating_person(by, WORKSPACE_DELETE).await?;
        let known = self.instance_on_page(id)?;
        let permitted = self
            .permit_directing_person(by, WORKSPACE_DELETE, Some(&known.id))
            .await?;
        Ok((permitted, known))
    }

    /// Whether somebody says where the calls of an instance go.
    fn directs_instance(&self, by: &SignedIn, known: Option<&ApplicationInstance>) -> bool {
        let id = known.map(|known| &known.id);
        self.lacks_to_direct(by.person().id, id).is_empty()
    }

    /// On to the list, or the form once more with what is wrong.
    fn after(
        &self,
        by: &SignedIn,
        done: Result<(), InstanceError>,
        known: Option<&ApplicationInstance>,
        typed: Typed,
    ) -> Response {
        let problem = match done {
            Ok(()) => {
                let (name, word) = match known {
                    Some(known) => (known.name.as_str(), "saved"),
                    None => (typed.name.as_str(), "made"),
                };
                let words = format!("Application instance {name} is {word}.");
                return self.done(by, INSTANCES_PAGE, words);
            }
            Err(InstanceError::Store(error)) => return PageRefusal::Store(error).answer(by.uri()),
            Err(InstanceError::Listen { address, source }) => {
                format!("It cannot listen on {address}: {source}")
            }
            Err(error) => error.to_string(),
        };
        self.instance_page(by, known, typed, Some(problem))
    }

    fn instance_row(&self, instance: &ApplicationInstance, operating: bool) -> Row {
        let origin = match &instance.origin {
            _ if instance.is_platform() => "this system".to_owned(),
            Origin::Sandbox => "stand-in".to_owned(),
            Origin::Upstream(upstream) => upstream.url.to_string(),
        };
        Row {
            id: instance.id.to_string(),
            name: instance.name.clone(),
            title: instance.title.clone(),
            region: instance.region.clone(),
            base_url: self.base_url_of(instance),
            origin: operating.then_some(origin),
            enabled: instance.enabled,
            platform: instance.is_platform(),
            first: instance.is_first(),
            credentials: self.workspaces.credentials_for(&instance.id),
        }
    }

    fn instance_page(
        &self,
        by: &SignedIn,
        known: Option<&ApplicationInstance>,
        typed: Typed,
        problem: Option<String>,
    ) -> Response {
        let status = match &problem {
            None => StatusCode::OK,
            Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let title = known.map_or("New application instance", |known| known.title.as_str());
        let directs = self.directs_instance(by, known);
        let page = FormPage {
            form_token: self.form_token(by),
            directs,
            may_remove: directs && by.roles().permits(&WORKSPACE_DELETE),
            row: known.map(|known| self.instance_row(known, true)),
            typed,
            problem: problem.map(|words| sentence(&words)),
        };
        self.page_with(status, by, Place::Instances, title, page)
    }

    fn instance_delete_page(
        &self,
        by: &SignedIn,
        instance: &ApplicationInstance,
        problem: Option<String>,
    ) -> Response {
        let status = match &problem {
            None => StatusCode::OK,
            Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let page = DeletePage {
            form_token: self.form_token(by),
            row: self.instance_row(instance, true),
            problem: problem.map(|words| sentence(&words)),
        };
        let title = "Remove application instance";
        self.page_with(status, by, Place::Instances, title, page)
    }
}
