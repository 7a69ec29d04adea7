//! One credential: what it is, how it stands, and what can be done with it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::shown::Shown;
use super::{Id, answered, text};
use crate::Console;
use crate::credentials::rule::{Deed, Reach, judge};
use crate::guard::Caller;
use crate::page::{PageRefusal, Place};
use crate::session::SignedIn;
use hallpass_access::platform::WORKSPACE_UPDATE;

#[derive(Template)]
#[template(path = "credentials/detail.html")]
struct Detail {
    credential: Shown,
    token_url: String,
    base_url: String,
    form_token: String,
    is_own: bool,
    may_obtain: bool,
    may_change: bool,
    may_enable: bool,
    /// An administrator switched it off, and only one of those switches it on.
    held: bool,
    may_switch_off: bool,
    may_delete: bool,
}

pub(super) async fn show(State(console): State<Arc<Console>>, by: SignedIn, id: Id) -> Response {
    let outcome = console.detail_page(&by, &text(id)).await;
    answered(&by, outcome)
}

impl Console {
    async fn detail_page(&self, by: &SignedIn, id: &str) -> Result<Response, PageRefusal> {
        let managed = self.managed(by, id, Deed::See).await?;
        let credential = managed.credential();
        let caller = Caller::signed_in(by);
        let may = |deed| judge(&caller, credential, deed, Reach::Workspace).is_ok();
        let shown = Shown::new(credential, &self.instances(), by.now());
        let base_url = self.base_url(&credential.instance);
        let is_own = credential.owner == by.person().id;
        let held = credential.held && is_own && !caller.permits(&WORKSPACE_UPDATE);
        let content = Detail {
            token_url: self.addresses.token_url.clone(),
            base_url: base_url.unwrap_or_else(|| "N/A".to_owned()),
            form_token: self.form_token(by),
            is_own,
            may_obtain: may(Deed::Obtain) && !shown.has_keys,
            may_change: may(Deed::Change),
            may_enable: may(Deed::Change) && !held,
            held,
            may_switch_off: may(Deed::SwitchOff),
            may_delete: may(Deed::Delete),
            credential: shown,
        };
        let title = managed.credential().name.clone();
        Ok(self.page(by, Place::Credentials, &title, content))
    }
}
