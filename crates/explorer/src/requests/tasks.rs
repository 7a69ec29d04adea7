//! A task that an answer named, looked at once. What its state means is the `client` crate's to say.

use std::sync::Arc;

use axum::extract::{Path, State};
use hallpass_client::{Task, TaskLink, task::TaskState};
use serde::{Deserialize, Serialize};

use super::answered::Answered;
use crate::Explorer;
use crate::answer::{Answer, Failure, Json, told};
use crate::id::Id;
use crate::visitor::Visitor;
use crate::workspace::Draft;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// An id, a path or an address.
    uri: String,
    /// The draft that looks at the task, as the answer gave it: its address and its authorization.
    #[serde(default)]
    draft: Option<Draft>,
}

/// A task as it was seen.
#[derive(Serialize)]
struct Seen {
    id: String,
    name: String,
    state: String,
    progress: Option<u8>,
    ended: bool,
    ok: Option<bool>,
    what: String,
    answer: Answered,
}

pub(super) async fn look(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(workspace): Path<String>,
    Json(wanted): Json<Wanted>,
) -> Answer {
    let workspace = Id::parse(&workspace)?;
    let link = TaskLink::of_uri(&wanted.uri);
    let id = link.as_ref().map_or_else(
        || wanted.uri.rsplit('/').next().unwrap_or_default().to_owned(),
        |link| link.id().to_owned(),
    );
    let draft = match (wanted.draft, link) {
        (Some(draft), _) if draft.method == "GET" => draft,
        (_, Some(link)) => at(link.path()),
        (_, None) if wanted.uri.starts_with('/') => at(&wanted.uri),
        _ => {
            return Err(Failure::wrong(
                format!("{:?} is no task", wanted.uri),
                "give the id of a task, or its path",
            ));
        }
    };
    let sent = explorer.send(&visitor, &workspace, &draft, true).await?;
    let response = sent.kept.response();
    let task = Task::read(response.body().to_vec()).filter(|_| response.status().is_success());
    told(&seen(id, task.as_ref(), sent.answered))
}

/// A draft of a path of the active environment.
fn at(path: &str) -> Draft {
    Draft {
        definition: None,
        operation: None,
        method: "GET".to_owned(),
        url: format!("{{{{baseUrl}}}}{}", path.replace("{{", "{ {")),
        parameters: Vec::new(),
        headers: Vec::new(),
        body: None,
        authorization: None,
    }
}

fn seen(id: String, task: Option<&Task>, answer: Answered) -> Seen {
    let Some(task) = task else {
        // A look that fails for the moment says nothing about the task.
        let passing = answer.status >= 500 || answer.status == 429;
        let what = format!("the task cannot be looked at: HTTP {}", answer.status);
        return Seen {
            id,
            name: String::new(),
            state: String::new(),
            progress: None,
            ended: !passing,
            ok: None,
            what,
            answer,
        };
    };
    let (ok, what) = match task.state() {
        TaskState::Going => (None, "it goes on".to_owned()),
        TaskState::Succeeded => (Some(true), "it is done".to_owned()),
        TaskState::Ended(word) => {
            let why = task
                .error()
                .unwrap_or_else(|| "no reason is given".to_owned());
            (Some(false), format!("it ended as {word}: {why}"))
        }
    };
    Seen {
        id,
        name: task.name().to_owned(),
        state: task.state_word().to_owned(),
        progress: task.progress(),
        ended: ok.is_some(),
        ok,
        what,
        answer,
    }
}
