//! Sending a draft: walk 3 of the architecture, from the draft to the answer. Who sends is the `client`
//! crate; when the page goes away, this future is dropped, and the request with it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{Path, State};
use hallpass_client::{Event, Keeping, Kept, Options, SystemRandom};
use reqwest::Url;
use serde_json::Value;

use super::answered::{Answered, Outcome};
use super::away;
use super::compose::Composed;
use super::fill::Face;
use super::mistake::Wrong;
use super::preview::{Authorization, headers};
use super::secrecy::Secrets;
use super::words::{failure, words};
use crate::Explorer;
use crate::answer::{Answer, Failure, Json, told};
use crate::authorization::SentWith;
use crate::id::Id;
use crate::visitor::Visitor;
use crate::workspace::Draft;

pub(super) async fn send(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(workspace): Path<String>,
    Json(body): Json<Value>,
) -> Answer {
    let workspace = Id::parse(&workspace)?;
    let (draft, unchecked) = read(body)?;
    let Sent {
        answered, secrets, ..
    } = explorer
        .send(&visitor, &workspace, &draft, unchecked)
        .await?;
    explorer
        .remember(&visitor, &workspace, &draft, &answered, &secrets)
        .await?;
    told(&answered)
}

/// A request that was sent, and what came back.
pub(super) struct Sent {
    pub(super) answered: Answered,
    pub(super) kept: Kept,
    /// What may not stand in anything that is kept of it.
    pub(super) secrets: Arc<Secrets>,
}

/// A draft, and whether it is sent in spite of what is wrong with it.
fn read(mut body: Value) -> Result<(Draft, bool), Failure> {
    let unchecked = body
        .as_object_mut()
        .and_then(|body| body.remove("unchecked"));
    let draft = serde_json::from_value(body).map_err(|error| {
        Failure::wrong(
            format!("that is no request: {error}"),
            "load the page again",
        )
    })?;
    Ok((draft, unchecked == Some(Value::Bool(true))))
}

impl Explorer {
    /// Sends a draft and looks at what comes back.
    pub(super) async fn send(
        &self,
        visitor: &Visitor,
        id: &Id,
        draft: &Draft,
        unchecked: bool,
    ) -> Result<Sent, Failure> {
        let sent = self.send_as_it_is(visitor, id, draft, unchecked).await;
        self.bare(visitor, id, sent).await
    }

    /// The same; where it fails, the words may hold the values of secrets.
    async fn send_as_it_is(
        &self,
        visitor: &Visitor,
        id: &Id,
        draft: &Draft,
        unchecked: bool,
    ) -> Result<Sent, Failure> {
        let gathered = Arc::new(self.gather(visitor, id, draft.clone()).await?);
        let both = gathered.clone();
        let both = away(move || {
            (
                both.composed(Face::Shown),
                both.composed(Face::Sent).request,
            )
        });
        let (shown, request) = both.await?;
        refuse(&shown, unchecked)?;
        let Some((server, request)) = request else {
            // What is wrong is not said: there may be a secret in the words.
            return Err(Failure::wrong(
                "with the values of its secret variables, the request cannot be sent",
                "check those values: an empty one, or one with a line break, cannot stand everywhere",
            ));
        };
        self.reach(&format!("{}{}", server.as_str(), request.path_and_query))?;
        let told = Told::default();
        let options = told.listening(self.surroundings.options());
        let mut authorized = self.authorized_with(visitor, id, draft, &options).await?;
        // Another request of this person may have changed the environment since the address was looked at.
        let aimed = authorized.client.profile().base_url();
        self.reach(&format!("{}{}", aimed.as_str(), request.path_and_query))?;
        let started = tokio::time::Instant::now();
        let sent = authorized
            .client
            .send_keeping(&request, keeping(&options, self.surroundings.is_local()))
            .await;
        let milliseconds = started.elapsed().as_millis();
        if told.heard().was_replaced {
            authorized.was_replaced();
        }
        let token: Option<SentWith> = self.settle(visitor, id, &authorized).await?;
        let kept = sent.map_err(|error| failure(&error))?;
        let authorization = Authorization::of(draft, &gathered.workspace);
        // The tokens that were got on the way are among them.
        let secrets = Arc::new(self.secrets(visitor, id).await?);
        let events = told
            .all()
            .iter()
            .map(|words| secrets.masked(words))
            .collect();
        let answer = Id::generate(&mut SystemRandom);
        self.answers.keep(visitor, id, answer.clone(), &kept);
        let outcome = Outcome {
            id: answer,
            milliseconds: u64::try_from(milliseconds).unwrap_or(u64::MAX),
            headers: headers(&shown, &authorization),
            shown,
            gathered,
            request,
            client: authorized.client,
            events,
            token,
            kept: kept.clone(),
            secrets: secrets.clone(),
        };
        Ok(Sent {
            answered: away(move || outcome.look()).await?,
            kept,
            secrets,
        })
    }

    fn reach(&self, url: &str) -> Result<(), Failure> {
        let url = Url::parse(url)
            .map_err(|error| Failure::wrong(error.to_string(), "check the address"))?;
        self.surroundings.may_reach(&url)
    }
}

/// Nothing is sent that is wrong, unless a person who was told so wants it.
fn refuse(shown: &Composed, unchecked: bool) -> Result<(), Failure> {
    let wrong = match shown.stopped() {
        Some(stops) => Some(stops),
        None if unchecked => None,
        None => shown.mistakes.first(),
    };
    let Some(Wrong { what, hint, .. }) = wrong else {
        return Ok(());
    };
    let what = match shown.mistakes.len() {
        1 => what.clone(),
        several => format!("{what} ({several} mistakes in all)"),
    };
    Err(Failure::wrong(what, hint))
}

/// How much of an answer is kept where. On a server the limit of its answers counts: whoever signs in
/// could fill its disk otherwise.
fn keeping(options: &Options, is_local: bool) -> Keeping {
    let body = u64::try_from(options.limits.body).unwrap_or(MOST);
    Keeping {
        at_hand: AT_HAND,
        most: if is_local { MOST } else { MOST.min(body) },
        directory: std::env::temp_dir(),
        longest: LONGEST.max(options.limits.total),
    }
}

/// What happened, while it happens.
#[derive(Default, Clone)]
struct Told(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    words: Vec<String>,
    /// Whether the last answer was a 401.
    refused: bool,
    /// Whether a refused token was replaced.
    was_replaced: bool,
}

impl Told {
    /// Options of which this hears, beside whoever hears of them already.
    fn listening(&self, options: Options) -> Options {
        let (before, told) = (options.events.clone(), self.clone());
        options.with_events(Arc::new(move |event: &Event| {
            before(event);
            told.heard().hear(event);
        }))
    }

    fn all(&self) -> Vec<String> {
        self.heard().words.clone()
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heard {
    fn hear(&mut self, event: &Event) {
        // Tokens are shared by requests, and tell what happens to whoever needed them first: that a
        // refused one was replaced is seen by the request that is sent again.
        let event = match event {
            Event::ResponseReceived { status, .. } => {
                self.refused = *status == 401;
                return;
            }
            Event::RequestSent { .. } if self.refused => {
                self.was_replaced = true;
                &Event::TokenReplacedAfter401 { by_another: false }
            }
            Event::TokenReplacedAfter401 { .. } => return,
            event => event,
        };
        self.words.extend(words(event));
    }
}

/// Up to so many bytes are looked at and shown.
pub(super) const AT_HAND: usize = 4 * 1024 * 1024;

/// The largest answer that is saved.
const MOST: u64 = 1024 * 1024 * 1024;

/// How long an answer may take to come whole.
const LONGEST: Duration = Duration::from_mins(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_keeps_no_answer_beyond_its_limit_and_a_person_all_they_asked_for() {
        let mut options = Options::in_memory();
        options.limits.body = 16 << 20;
        assert_eq!(keeping(&options, false).most, 16 << 20);
        assert_eq!(keeping(&options, true).most, MOST);
    }
}
