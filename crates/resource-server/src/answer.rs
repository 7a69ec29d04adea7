//! What the origin answered, and what becomes of it on the wire: headers, an entity tag, and no body where
//! there must be none.

use bytes::Bytes;
use hallpass_sandbox::Body;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::Value;

use crate::answer_body::AnswerBody;
use crate::conditional::{entity_tag, has_it};
use crate::reply::{empty, json_answer, json_text};
use crate::stand_in::KeptAnswer;

/// What the origin answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content: Option<Content>,
    /// The task that was started.
    pub(crate) task: Option<String>,
    /// Where what was created can be found.
    pub(crate) location: Option<String>,
    /// What a refusal is declared to be, where that is not plain JSON.
    pub(crate) media_type: Option<HeaderValue>,
}

/// What stands in its body.
pub(crate) enum Content {
    Value(Value),
    Text(Bytes),
    /// A text whose entity tag is known already.
    Kept(KeptAnswer),
    /// What an upstream answered, as it is.
    Passed(HeaderMap, Bytes),
}

impl From<Body> for Content {
    fn from(body: Body) -> Self {
        match body {
            Body::Value(value) => Self::Value(value),
            Body::Written(text) => Self::Text(text.into()),
        }
    }
}

impl From<Value> for Content {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

impl From<KeptAnswer> for Content {
    fn from(kept: KeptAnswer) -> Self {
        Self::Kept(kept)
    }
}

impl Answer {
    /// A 200 that starts nothing.
    pub(crate) fn ok(content: impl Into<Content>) -> Self {
        Self {
            status: StatusCode::OK,
            content: Some(content.into()),
            task: None,
            location: None,
            media_type: None,
        }
    }

    /// What an upstream answered.
    pub(crate) fn passed(answer: Response<Bytes>) -> Self {
        let (head, body) = answer.into_parts();
        Self {
            status: head.status,
            content: Some(Content::Passed(head.headers, body)),
            task: None,
            location: None,
            media_type: None,
        }
    }

    /// The answer to a call that changes something. An error body gets this call's id, so that one id
    /// stands in the answer and in the log, whoever wrote the body.
    pub(crate) fn into_response(mut self, trace_id: &str) -> Response<AnswerBody> {
        if !self.status.is_success()
            && let Some(Content::Value(body)) = &mut self.content
            && let Some(id) = body.get_mut("traceId")
        {
            *id = trace_id.into();
        }
        let mut response = match self.content {
            Some(Content::Value(body)) => json_answer(self.status, &body),
            Some(Content::Text(text) | Content::Kept(KeptAnswer { text, .. })) => {
                json_text(self.status, text)
            }
            Some(Content::Passed(headers, body)) => {
                let mut response = Response::new(body);
                *response.status_mut() = self.status;
                *response.headers_mut() = headers;
                response
            }
            None => empty(self.status),
        };
        if let Some(media_type) = self.media_type {
            response.headers_mut().insert(CONTENT_TYPE, media_type);
        }
        let location = self.location.as_deref().map(HeaderValue::from_str);
        if let Some(Ok(location)) = location {
            response.headers_mut().insert(LOCATION, location);
        }
        response.map(AnswerBody::from)
    }

    /// The answer to a call that reads, for a client that may have it already.
    pub(crate) fn into_reader_response(
        self,
        headers: &HeaderMap,
        trace_id: &str,
    ) -> Response<AnswerBody> {
        let tag = match &self.content {
            Some(Content::Kept(kept)) => Some(kept.tag.clone()),
            // Whether the client has it already was decided by whoever made it.
            Some(Content::Passed(..)) => return self.into_response(trace_id),
            _ => None,
        };
        let response = self.into_response(trace_id);
        if response.status() != StatusCode::OK {
            return response;
        }
        match tag {
            Some(tag) => with_tag(response, headers, tag),
            None => tagged(response, headers),
        }
    }
}

/// Who has an answer may keep it for themselves, and must ask each time whether it is still good.
const ASK_EACH_TIME: HeaderValue = HeaderValue::from_static("private, no-cache");

/// A 200 with its entity tag, or a 304 to whoever has it. The definition of the real service declares a
/// JSON body for 304, which RFC 9110 section 15.4.5 forbids.
pub(crate) fn tagged(response: Response<AnswerBody>, headers: &HeaderMap) -> Response<AnswerBody> {
    let tag = entity_tag(response.body().bytes());
    with_tag(response, headers, tag)
}

fn with_tag(
    mut response: Response<AnswerBody>,
    headers: &HeaderMap,
    tag: HeaderValue,
) -> Response<AnswerBody> {
    if has_it(headers, &tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Bytes::new().into();
        response.headers_mut().remove(CONTENT_TYPE);
    }
    response.headers_mut().insert(ETAG, tag);
    response.headers_mut().insert(CACHE_CONTROL, ASK_EACH_TIME);
    response
}
