//! The door of the explorer for people signed in: the console says whose request it is.
//!
//! A page in place of the one that was asked for is the console's; the interface that the page's scripts
//! ask answers JSON in every case.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use hallpass_console::{Console, NotAdmitted};
use hallpass_explorer::{Document, Door, Entry, Failure, Visitor, no_form_token};
use hallpass_limits::RetryAfter;
use hallpass_oauth::Secret;
use hallpass_oauth::form::is_form;
use hallpass_pages::notice;
use hallpass_store::explorer_documents::OwnDocuments;
use hallpass_store::{Clock, ExplorerDocuments, StoreError};

use super::bounds::{Bounds, Holding, Place};
use super::drawer::OwnDrawer;

/// Largest form of the explorer, in bytes: a name, a tick and the form token.
const LARGEST_FORM: usize = 16 * 1024;

/// What the page's scripts ask.
const INTERFACE: &str = "/explorer/api/";

/// What they ask of a workspace; its name follows.
const OF_WORKSPACE: &str = "/explorer/api/w/";

/// What the address of the body of an answer ends with.
const BODY_OF_ANSWER: &str = "/body";

/// Lets in who is signed in.
pub(super) struct SignedInDoor {
    pub(super) console: Console,
    pub(super) documents: ExplorerDocuments,
    pub(super) bounds: Arc<Bounds>,
    pub(super) clock: Clock,
}

/// The form token that stood in a form.
#[derive(Clone)]
struct Typed(Arc<Secret>);

/// Where the door leaves the visitor's place, so that it is held until the request is answered.
#[derive(Clone, Default)]
struct Held(Arc<Mutex<Option<Place>>>);

impl Door for SignedInDoor {
    fn visitor<'a>(&'a self, head: &'a Parts) -> Entry<'a> {
        Box::pin(async move {
            let typed = head.extensions.get::<Typed>().map(|typed| &*typed.0);
            let admitted = self.console.admit(head, typed).await;
            let guest = admitted.map_err(|why| turned_away(why, head))?;
            let counted = self.bounds.count(guest.person, head, (self.clock)());
            counted.map_err(too_much)?;
            let place = self.bounds.enter(guest.person).await;
            if let Some(Held(held)) = head.extensions.get() {
                *held.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
            }
            let own = self.documents.of(guest.person);
            has_asked_for(&own, head.uri.path()).await?;
            Ok(Visitor {
                key: guest.person.to_string(),
                frame: Some(guest.frame),
                form_token: guest.form_token,
                drawer: Arc::new(OwnDrawer::new(own, self.clock.clone())),
            })
        })
    }
}

/// What every request goes through before it comes to the door: the form token is taken out of a form,
/// whose body the door does not see.
pub(super) async fn through(request: Request, next: Next) -> Response {
    let (mut head, mut body) = request.into_parts();
    if head.method == Method::POST && is_form_encoded(&head.headers) {
        let Ok(bytes) = to_bytes(body, LARGEST_FORM).await else {
            return notice(
                StatusCode::PAYLOAD_TOO_LARGE,
                "The form could not be read",
                &["Nothing was changed. Go back, load the page again and repeat what you did."],
            );
        };
        head.extensions.insert(typed(&bytes));
        body = Body::from(bytes);
    }
    let held = Held::default();
    head.extensions.insert(held.clone());
    let is_of_answer = head.uri.path().ends_with(BODY_OF_ANSWER);
    let response = next.run(Request::from_parts(head, body)).await;
    let place = held.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    match place {
        // It may be large, and is read from a file while it is taken.
        Some(place) if is_of_answer => response.map(|body| Holding::body(body, place)),
        _ => response,
    }
}

/// Whether the workspace in the path is one of theirs: asked here, for whatever the explorer does with it.
async fn has_asked_for(own: &OwnDocuments, path: &str) -> Result<(), Response> {
    let Some(rest) = path.strip_prefix(OF_WORKSPACE) else {
        return Ok(());
    };
    let asked = rest.split('/').next().unwrap_or_default();
    let known = own.workspaces_with(&Document::Workspace.to_string()).await;
    let known = known.map_err(|error| unavailable(&error).into_response())?;
    if known.iter().any(|known| known == asked) {
        return Ok(());
    }
    Err(Failure::not_found("workspace of this name").into_response())
}

fn is_form_encoded(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE);
    kind.and_then(|value| value.to_str().ok())
        .is_some_and(is_form)
}

/// The field of the form; an empty one if there is none, which is nobody's.
fn typed(form: &[u8]) -> Typed {
    let url = reqwest::Url::parse("form:?");
    let text = url.ok().and_then(|mut url| {
        url.set_query(std::str::from_utf8(form).ok());
        let mut fields = url.query_pairs();
        let field = fields.find(|(name, _)| name == "form_token");
        field.map(|(_, value)| value.into_owned())
    });
    Typed(Arc::new(Secret::from(text.unwrap_or_default())))
}

fn turned_away(why: NotAdmitted, head: &Parts) -> Response {
    if !head.uri.path().starts_with(INTERFACE) {
        return why.page(head);
    }
    let failure = match why {
        NotAdmitted::Elsewhere => return no_form_token(),
        NotAdmitted::SignedOut => Failure::new(
            StatusCode::UNAUTHORIZED,
            "you are not signed in any more",
            "load the page again and sign in",
        ),
        NotAdmitted::Store(error) => unavailable(&error),
    };
    failure.into_response()
}

fn unavailable(error: &StoreError) -> Failure {
    tracing::error!(%error, "nobody can be let into the explorer");
    Failure::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "that did not work just now",
        "wait a moment and try again; nothing was changed",
    )
}

fn too_much(wait: RetryAfter) -> Response {
    let seconds = wait.seconds();
    let mut response = Failure::new(
        StatusCode::TOO_MANY_REQUESTS,
        "you have sent too many requests within a minute",
        format!("wait {seconds} seconds and send it again; it was not sent"),
    )
    .into_response();
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::Router;
    use axum::middleware::from_fn;
    use axum::routing::get;
    use http_body_util::BodyExt as _;
    use tokio::time::timeout;
    use tower_service::Service as _;

    use super::*;

    /// Somebody asks, and is given a place as the door does.
    async fn asked(bounds: &Arc<Bounds>, path: &str) -> Response {
        let bounds = bounds.clone();
        let answer = async move |request: Request| {
            let place = bounds.enter(ANN.parse().unwrap()).await;
            let Held(held) = request.extensions().get().unwrap();
            *held.lock().unwrap() = Some(place);
            "x"
        };
        let router = Router::new().route(path, get(answer));
        let mut router = router.layer(from_fn(through));
        let request = Request::get(path).body(Body::empty()).unwrap();
        router.call(request).await.unwrap()
    }

    const ANN: &str = "6c9b8c5e-2f3c-4d67-9d0b-5b8b4f6a1d11";

    #[tokio::test]
    async fn who_stops_reading_an_answer_keeps_their_place() {
        let bounds = Arc::new(Bounds::new());
        let of_answer = "/explorer/api/w/w/answers/a/body";
        let mut unread = Vec::new();
        while let Ok(response) = timeout(BLINK, asked(&bounds, of_answer)).await {
            unread.push(response);
            assert!(unread.len() < 100, "nobody has to wait");
        }
        // Who has read to the end gives the place back, and so does who goes away.
        let read = unread.pop().unwrap().into_body().collect().await.unwrap();
        assert_eq!(&read.to_bytes()[..], b"x");
        drop(unread.pop());
        for _ in 0..2 {
            unread.push(timeout(BLINK, asked(&bounds, of_answer)).await.unwrap());
        }
        assert!(timeout(BLINK, asked(&bounds, of_answer)).await.is_err());
        unread.clear();
        // Other answers are short.
        for _ in 0..20 {
            unread.push(
                timeout(BLINK, asked(&bounds, "/explorer/api/regions"))
                    .await
                    .unwrap(),
            );
        }
    }

    const BLINK: Duration = Duration::from_millis(200);

    #[test]
    fn the_form_token_is_found_wherever_it_stands_in_a_form() {
        for (form, token) in [
            ("form_token=abc&name=x", "abc"),
            ("name=a+b%26form_token=x&form_token=a%2Bb", "a+b"),
            ("name=x", ""),
            ("", ""),
            ("form_token=a&form_token=b", "a"),
            ("name=#&form_token=c", "c"),
        ] {
            assert_eq!(typed(form.as_bytes()).0.expose(), token, "{form}");
        }
        assert_eq!(typed(b"\xff&form_token=a").0.expose(), "");
    }
}
