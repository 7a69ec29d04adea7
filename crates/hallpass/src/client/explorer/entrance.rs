//! Who may use the local explorer: the one browser that came with the one-time token, and in it the pages
//! of the explorer only.
//!
//! The token stands in the address that is opened. It is exchanged for a cookie once and is useless then,
//! so that an address in a history or in a terminal lets nobody in. The cookie proves the browser, not the
//! page: cookies ignore ports, and a page of another local server is of the same site. So each request
//! says by whose page it was made (W3C Fetch Metadata, RFC 6454 section 7), is refused with nothing but the cookie,
//! and each that may change something carries a token that only our pages know.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse as _;
use hallpass_explorer::{EXPLORER_PATH, Entry, Failure, SharedDrawer, Visitor, no_form_token};
use hallpass_pages::{go, local_notice};
use hallpass_resource_server::listener;
use http::header::{COOKIE, ORIGIN, REFRESH, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use rand_core::CryptoRng;
use tempfile::TempPath;

use crate::client::loopback::{Key, SEC_FETCH_SITE, host_of};

/// The way in.
pub(super) struct Entrance {
    address: SocketAddr,
    router: Router,
    invitation: Mutex<Invitation>,
    session: Key,
    form_token: Key,
}

/// The one-time token, and the file that the browser is led in by.
struct Invitation {
    token: Key,
    is_used: bool,
    leaflet: Option<TempPath>,
}

/// A request that was let in. Made here only.
#[derive(Clone)]
struct Admitted {
    form_token: String,
}

impl Entrance {
    /// A way in to these pages at this address.
    pub(super) fn new(address: SocketAddr, router: Router, rng: &mut dyn CryptoRng) -> Self {
        let invitation = Invitation {
            token: Key::generate(rng),
            is_used: false,
            leaflet: None,
        };
        Self {
            address,
            router,
            invitation: Mutex::new(invitation),
            session: Key::generate(rng),
            form_token: Key::generate(rng),
        }
    }

    /// The address that lets one browser in.
    pub(super) fn invitation(&self) -> String {
        let token = &self.lock().token;
        format!("http://{}{OPEN}{}", self.address, token.expose())
    }

    /// Keeps a file until the token is used.
    pub(super) fn keep(&self, leaflet: TempPath) {
        let mut invitation = self.lock();
        if !invitation.is_used {
            invitation.leaflet = Some(leaflet);
        }
    }

    /// Lets nobody in by the token any more.
    pub(super) fn close(&self) {
        let mut invitation = self.lock();
        invitation.is_used = true;
        invitation.leaflet = None;
    }

    /// Answers a request.
    pub(super) async fn answer(&self, request: Request<listener::Body>) -> Response<Body> {
        let request = request.map(Body::new);
        let path = request.uri().path().to_owned();
        let Some(host) = host_of(self.address, &request) else {
            return refused(&path, Refused::OtherHost);
        };
        if !is_of_our_page(&request, host) {
            return refused(&path, Refused::OtherPage);
        }
        if let Some(presented) = path.strip_prefix(OPEN) {
            return self.open(&request, presented);
        }
        // Styles and scripts are the same for everybody.
        if path.starts_with(ASSETS) {
            return self.pass(request).await;
        }
        if path == "/" {
            return go(EXPLORER_PATH);
        }
        if !self.has_cookie(request.headers()) {
            return refused(&path, Refused::Stranger);
        }
        if !request.headers().contains_key(SEC_FETCH_SITE) {
            return refused(&path, Refused::NoBrowser);
        }
        match self.admit(request).await {
            Ok(request) => self.pass(request).await,
            Err(answer) => answer,
        }
    }

    /// Exchanges the token for the cookie. Whoever only looks ahead, as browsers and readers of mail do,
    /// does not use it up.
    fn open(&self, request: &Request<Body>, presented: &str) -> Response<Body> {
        if self.has_cookie(request.headers()) {
            return go(EXPLORER_PATH);
        }
        let looks_ahead = request.headers().contains_key(SEC_PURPOSE);
        if request.method() != Method::GET || looks_ahead || !self.take(presented) {
            return refused(OPEN, Refused::NoToken);
        }
        let cookie = format!(
            "{}={}; Path={EXPLORER_PATH}; HttpOnly; SameSite=Strict",
            self.cookie_name(),
            self.session.expose()
        );
        // The browser would keep the cookie to itself when it is sent on from a page of somebody else, as
        // the file is that it was opened with. From this page it may go on.
        let onward = Some(("Go on to the explorer", EXPLORER_PATH));
        let mut page = local_notice(StatusCode::OK, "The explorer is open", &[], onward);
        if let Ok(cookie) = HeaderValue::try_from(cookie) {
            page.headers_mut().insert(SET_COOKIE, cookie);
        }
        let on = HeaderValue::from_static("0; url=/explorer");
        page.headers_mut().insert(REFRESH, on);
        page
    }

    /// Whether it is the token, which nobody else can use from now on.
    fn take(&self, presented: &str) -> bool {
        let mut invitation = self.lock();
        let is_good = !invitation.is_used && invitation.token.is(presented);
        if is_good {
            invitation.is_used = true;
            invitation.leaflet = None;
        }
        is_good
    }

    /// Lets a request of our browser in when it may only read, or comes from a page that knows the form
    /// token.
    async fn admit(&self, request: Request<Body>) -> Result<Request<Body>, Response<Body>> {
        let (mut parts, mut body) = request.into_parts();
        let reads = matches!(parts.method, Method::GET | Method::HEAD);
        let knows = if reads {
            true
        } else if parts.uri.path() == FORM {
            let limited = Limited::new(body, LARGEST_FORM).collect().await;
            let form = limited.map_err(|_| too_large())?.to_bytes();
            let presented = form_urlencoded::parse(&form).find(|(name, _)| name == "form_token");
            let knows = presented.is_some_and(|(_, token)| self.form_token.is(&token));
            body = Body::from(form);
            knows
        } else {
            let presented = parts.headers.get(FORM_TOKEN);
            presented
                .is_some_and(|token| token.to_str().is_ok_and(|token| self.form_token.is(token)))
        };
        if !knows {
            return Err(no_form_token());
        }
        let form_token = self.form_token.expose().to_owned();
        parts.extensions.insert(Admitted { form_token });
        Ok(Request::from_parts(parts, body))
    }

    async fn pass(&self, request: Request<Body>) -> Response<Body> {
        use tower_service::Service as _;
        let answered: Result<_, std::convert::Infallible> = self.router.clone().call(request).await;
        answered.unwrap_or_else(|never| match never {})
    }

    fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let name = self.cookie_name();
        let fields = headers.get_all(COOKIE).iter();
        let mut cookies = fields
            .filter_map(|field| field.to_str().ok())
            .flat_map(|field| field.split(';'));
        cookies.any(|cookie| {
            cookie
                .trim()
                .split_once('=')
                .is_some_and(|(known, value)| known == name && self.session.is(value))
        })
    }

    /// Cookies ignore ports: each explorer has one of its own name.
    fn cookie_name(&self) -> String {
        format!("hallpass-explorer-{}", self.address.port())
    }

    fn lock(&self) -> MutexGuard<'_, Invitation> {
        self.invitation
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose request it is, once it was let in.
pub(super) struct Door {
    drawer: SharedDrawer,
}

impl Door {
    pub(super) fn new(drawer: SharedDrawer) -> Self {
        Self { drawer }
    }
}

impl hallpass_explorer::Door for Door {
    fn visitor<'a>(&'a self, head: &'a Parts) -> Entry<'a> {
        Box::pin(async move {
            let Some(Admitted { form_token }) = head.extensions.get() else {
                return Err(refused(head.uri.path(), Refused::Stranger));
            };
            Ok(Visitor {
                key: "the person at this machine".to_owned(),
                frame: None,
                form_token: form_token.clone(),
                drawer: self.drawer.clone(),
            })
        })
    }
}

/// Whether a request may come from one of our pages, or from nobody's: an address that was typed, or a
/// link that was followed, which shows a page and nothing else to nobody else.
fn is_of_our_page<B>(request: &Request<B>, host: &str) -> bool {
    let field = |name: HeaderName| request.headers().get(name).map(HeaderValue::as_bytes);
    let relation = field(SEC_FETCH_SITE);
    let is_own = match relation {
        None => true,
        Some(relation) if relation == b"same-origin" || relation == b"none" => true,
        Some(_) => {
            request.method() == Method::GET
                && field(SEC_FETCH_MODE) == Some(b"navigate")
                && field(SEC_FETCH_DEST) == Some(b"document")
        }
    };
    // A form of a page that tells no referrer has the origin `null` (Fetch standard, section 3.2).
    let is_own_origin = |origin: &[u8]| {
        origin.eq_ignore_ascii_case(format!("http://{host}").as_bytes())
            || (origin == b"null" && relation == Some(b"same-origin"))
    };
    is_own && field(ORIGIN).is_none_or(is_own_origin)
}

/// Why a request stays outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    /// It asks for another host.
    OtherHost,
    /// It comes from a page that is not ours.
    OtherPage,
    /// Its browser has not come in with the token.
    Stranger,
    /// It has the cookie and says nothing of the page that it was made by, as no browser does: other local
    /// servers are sent the cookie too, and pass it on at most.
    NoBrowser,
    /// It has a wrong token, or one that was used.
    NoToken,
}

impl Refused {
    fn status(self) -> StatusCode {
        match self {
            Self::OtherHost => StatusCode::MISDIRECTED_REQUEST,
            Self::OtherPage | Self::NoBrowser | Self::NoToken => StatusCode::FORBIDDEN,
            Self::Stranger => StatusCode::UNAUTHORIZED,
        }
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::OtherHost => (
                "the explorer answers under its own address only",
                "use the address that `hallpass explorer` printed",
            ),
            Self::OtherPage => (
                "another page may not use the explorer",
                "open the explorer in a tab of its own",
            ),
            Self::NoBrowser => (
                "the request does not say by which page it was made",
                "use a browser that says so (Sec-Fetch-Site), as those since 2023 do",
            ),
            Self::Stranger => (
                "this browser has not been let in",
                "end the explorer, start `hallpass explorer` again and open the address that it prints",
            ),
            Self::NoToken => (
                "the address does not let anybody in: it is good once",
                "end the explorer, start `hallpass explorer` again and open the address that it prints",
            ),
        }
    }
}

/// The answer: for scripts as they know failures, for people as a page.
fn refused(path: &str, why: Refused) -> Response<Body> {
    let (what, hint) = why.words();
    if path.starts_with(INTERFACE) {
        return Failure::new(why.status(), what, hint).into_response();
    }
    let sentence = |text: &str| {
        let mut letters = text.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        format!("{}{}.", first.unwrap_or_default(), letters.as_str())
    };
    let paragraphs = [&*sentence(what), &*sentence(hint)];
    local_notice(why.status(), "The explorer stays closed", &paragraphs, None)
}

fn too_large() -> Response<Body> {
    let what = "the form is too large";
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, what, "type a shorter name").into_response()
}

/// Where the one-time token is presented.
const OPEN: &str = "/explorer/open/";
const INTERFACE: &str = "/explorer/api/";
const ASSETS: &str = "/assets/";
/// The only form that is sent without a script.
const FORM: &str = "/explorer/workspaces";
const LARGEST_FORM: usize = 16 * 1024;
const FORM_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const SEC_PURPOSE: HeaderName = HeaderName::from_static("sec-purpose");
