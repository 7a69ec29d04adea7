//! What is true of every request, whoever answers it: its trace, the span around whatever is logged
//! about it, one line at its end, and the counters.
//!
//! A line never has the query, a header field or a body: secrets stand there. The line is written at
//! `debug`, so that a busy server does not fill a disk unless it was asked to.

use std::net::SocketAddr;
use std::sync::Arc;

use hallpass_oauth::random::SystemRandom;
use http::{Request, Response};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::logged_path::logged_path;
use super::trace_context::TraceContext;
use super::traffic::{Site, method_word};
use super::{Body, NoAnswer, REQUEST_ID};

/// What the lines about requests are filtered by.
const TARGET: &str = "hallpass::requests";

/// A request that is being answered. Dropped without an answer when its caller goes away.
pub(super) struct Exchange {
    site: Site,
    peer: SocketAddr,
    trace: TraceContext,
    method: &'static str,
    path: Arc<str>,
    began: Instant,
    is_answered: bool,
}

impl Exchange {
    /// Puts the trace where the service finds it.
    pub(super) fn begin(request: &mut Request<Body>, peer: SocketAddr, site: &Site) -> Self {
        let trace = TraceContext::of(request.headers(), &mut SystemRandom);
        request.extensions_mut().insert(trace);
        let method = method_word(request.method());
        site.began(method);
        Self {
            site: site.clone(),
            peer,
            trace,
            method,
            path: logged_path(request.uri().path()).into(),
            began: Instant::now(),
            is_answered: false,
        }
    }

    pub(super) fn trace(&self) -> TraceContext {
        self.trace
    }

    /// Waits for the answer and sends it out under the request's id.
    pub(super) async fn answer<B>(
        mut self,
        answering: impl Future<Output = Response<B>>,
    ) -> Response<B> {
        let span = tracing::error_span!(
            "request",
            trace_id = %self.trace.trace_id(),
            span_id = %self.trace.span_id(),
            listener = self.site.name(),
            method = self.method,
            path = &*self.path,
            peer = %self.peer,
        );
        let mut response = answering.instrument(span).await;
        let headers = response.headers_mut();
        headers.insert(REQUEST_ID, self.trace.trace_id().header());
        if response.extensions().get::<NoAnswer>().is_some() {
            return response;
        }
        self.is_answered = true;
        let time = self.began.elapsed();
        self.site.answered(response.status(), time.as_secs_f64());
        self.log(Some(response.status().as_u16()), "request answered");
        response
    }

    fn log(&self, status: Option<u16>, words: &'static str) {
        let microseconds = u32::try_from(self.began.elapsed().as_micros()).unwrap_or(u32::MAX);
        tracing::debug!(
            target: TARGET,
            parent: None,
            listener = self.site.name(),
            method = self.method,
            path = &*self.path,
            status,
            milliseconds = f64::from(microseconds) / 1000.0,
            trace_id = %self.trace.trace_id(),
            span_id = %self.trace.span_id(),
            peer = %self.peer,
            "{words}"
        );
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.site.ended();
        if !self.is_answered {
            self.log(None, "request ended without an answer");
        }
    }
}

/// The line about a request that hyper did not understand, or a connection without a place.
pub(super) fn log_refused(site: &Site, peer: SocketAddr, trace: &TraceContext, status: u16) {
    tracing::debug!(
        target: TARGET,
        parent: None,
        listener = site.name(),
        status,
        trace_id = %trace.trace_id(),
        span_id = %trace.span_id(),
        %peer,
        "request refused before it was read"
    );
}
