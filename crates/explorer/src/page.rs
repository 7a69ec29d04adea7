//! The explorer's two pages: the list of workspaces, and a workspace, which its scripts draw.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use hallpass_pages::{Modules, Page, go, modules, notice};
use serde::Deserialize;

use crate::Explorer;
use crate::answer::Failure;
use crate::id::Id;
use crate::visitor::Visitor;
use crate::workspaces::{Listed, New};

/// The page's scripts: ES modules that name each other, without a build step.
static MODULES: Modules = modules!(
    "explorer";
    "../assets/main.js",
    "../assets/api.js",
    "../assets/dom.js",
    "../assets/app.js",
    "../assets/authorization.js",
    "../assets/environments.js",
    "../assets/environment.js",
    "../assets/tokens.js",
    "../assets/json.js",
    "../assets/definitions.js",
    "../assets/prose.js",
    "../assets/docs.js",
    "../assets/import.js",
    "../assets/definition.js",
    "../assets/tree.js",
    "../assets/library.js",
    "../assets/history.js",
    "../assets/menu.js",
    "../assets/welcome.js",
    "../assets/request.js",
    "../assets/parameters.js",
    "../assets/inputs.js",
    "../assets/builders.js",
    "../assets/expression.js",
    "../assets/body.js",
    "../assets/form.js",
    "../assets/preview.js",
    "../assets/answer.js",
    "../assets/task.js",
    "../assets/shapes.js",
    "../assets/table.js",
    "../assets/pretty.js",
    "../assets/jsontree.js",
    "../assets/find.js",
    "../assets/chart.js",
    "../assets/content.js",
    "../assets/raw.js",
    "../assets/tabs.js",
    "../assets/words.js",
);

/// The script of the list, which works without.
static LIST: Modules = modules!("explorer-list"; "../assets/list.js");

pub(crate) fn routes() -> Router<Arc<Explorer>> {
    Router::new()
        .route("/explorer", get(list))
        .route("/explorer/workspaces", post(create))
        .route("/explorer/w/{workspace}", get(show))
}

pub(crate) fn assets() -> Router {
    MODULES.routes().merge(LIST.routes())
}

#[derive(Template)]
#[template(path = "workspaces.html")]
struct Workspaces<'a> {
    workspaces: Vec<Listed>,
    form_token: &'a str,
    problem: Option<&'a Failure>,
    typed: &'a str,
}

#[derive(Template)]
#[template(path = "workspace.html")]
struct Workspace<'a> {
    id: &'a Id,
    name: &'a str,
    form_token: &'a str,
}

#[derive(Deserialize)]
struct Typed {
    #[serde(default)]
    name: String,
    #[serde(default)]
    built_in: Option<String>,
}

async fn list(State(explorer): State<Arc<Explorer>>, visitor: Visitor) -> Response {
    explorer.workspaces_page(&visitor, None, "").await
}

async fn create(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Form(typed): Form<Typed>,
) -> Response {
    let new = New {
        name: typed.name.clone(),
        built_in: typed.built_in.is_some(),
    };
    match explorer.create(&visitor, new).await {
        Ok(id) => go(&format!("/explorer/w/{id}")),
        Err(problem) => {
            explorer
                .workspaces_page(&visitor, Some(&problem), &typed.name)
                .await
        }
    }
}

async fn show(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let found = match Id::parse(&id) {
        Ok(id) => explorer
            .workspace(&visitor, &id)
            .await
            .map(|found| (id, found.name)),
        Err(failure) => Err(failure),
    };
    match found {
        Ok((id, name)) => {
            let content = Workspace {
                id: &id,
                name: &name,
                form_token: &visitor.form_token,
            };
            let page = Page::new(&name, content).with_modules(&MODULES);
            around(page, &visitor).answer(StatusCode::OK)
        }
        Err(failure) => unavailable(&failure),
    }
}

impl Explorer {
    async fn workspaces_page(
        &self,
        visitor: &Visitor,
        problem: Option<&Failure>,
        typed: &str,
    ) -> Response {
        let workspaces = match self.list(visitor).await {
            Ok(workspaces) => workspaces,
            Err(failure) => return unavailable(&failure),
        };
        let content = Workspaces {
            workspaces,
            form_token: &visitor.form_token,
            problem,
            typed,
        };
        let status = problem.map_or(StatusCode::OK, Failure::status);
        let page = Page::new("Explorer", content).with_modules(&LIST);
        around(page, visitor).answer(status)
    }
}

fn around<'a, C: Template>(page: Page<'a, C>, visitor: &Visitor) -> Page<'a, C> {
    match &visitor.frame {
        Some(frame) => page.inside(frame.clone()),
        None => page.local(),
    }
}

fn unavailable(failure: &Failure) -> Response {
    notice(
        failure.status(),
        "That cannot be shown",
        &[&failure.to_string(), failure.hint()],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_of_a_script_goes_on_in_the_next_line() {
        assert_eq!(MODULES.long_texts().collect::<Vec<_>>(), [""; 0]);
    }

    /// What a person waits for before the library is there (design, section 6: 120 kB).
    #[test]
    fn the_page_begins_with_a_part_of_its_scripts() {
        let (begin, all) = (MODULES.size_at_start(), MODULES.size());
        assert!((40_000..120_000).contains(&begin), "{begin} of {all} bytes");
    }

    /// Filling in a request, sending it and reading the answer stays below the same size; builders, forms,
    /// tables, charts and tasks come when somebody wants them.
    #[test]
    fn sending_a_request_takes_little_more() {
        let (sending, all) = (MODULES.size_with(&["request.js"]), MODULES.size());
        assert!(
            (80_000..120_000).contains(&sending),
            "{sending} of {all} bytes"
        );
    }
}
