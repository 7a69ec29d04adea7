//! The pages for one's own second factor. Secret and recovery codes are on pages that nobody may store,
//! the codes on one that is not shown again.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use hallpass_oauth::Secret;
use hallpass_pages::{go, picture};
use hallpass_store::second_factor::SharedSecret;

use super::{Kept, Proof};
use crate::account::{ACCOUNT_PATH, back};
use crate::form::{Fields, SignedForm};
use crate::page::{PageRefusal, Place};
use crate::session::SignedIn;
use crate::{Console, totp};

/// Where it is set up.
const SECOND_FACTOR_PATH: &str = "/console/account/second-factor";

#[derive(Template)]
#[template(path = "account_second_factor.html")]
struct SetUp<'a> {
    form_token: String,
    email: &'a str,
    typed: &'a str,
    wrong: Option<Wrong>,
}

/// What was not right when it was to be switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Password,
    Code,
}

#[derive(Template)]
#[template(path = "account_recovery_codes.html")]
struct RecoveryCodes<'a> {
    codes: Vec<&'a str>,
    begins: bool,
}

/// A page that asks for password and code before it does what cannot be left to whoever sits there.
#[derive(Template)]
#[template(path = "account_confirm.html")]
struct Confirm<'a> {
    form_token: String,
    email: &'a str,
    action: &'static str,
    title: &'static str,
    says: &'static str,
    button: &'static str,
    dangerous: bool,
    failed: bool,
}

/// What is confirmed with password and code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    SwitchOff,
    RenewCodes,
}

pub(in crate::account) fn routes() -> Router<Arc<Console>> {
    let at = |path: &str| format!("{SECOND_FACTOR_PATH}{path}");
    Router::new()
        .route(SECOND_FACTOR_PATH, get(show).post(confirm))
        .route(&at("/begin"), post(begin))
        .route(&at("/picture"), get(show_picture))
        .route(&at("/off"), get(ask_off).post(switch_off))
        .route(&at("/recovery-codes"), get(ask_codes).post(renew_codes))
}

/// Makes a secret; the next page shows it.
async fn begin(State(console): State<Arc<Console>>, form: SignedForm) -> Response {
    let by = form.by;
    match console.begin_second_factor(&by).await {
        Ok(true) => go(SECOND_FACTOR_PATH),
        Ok(false) => go(ACCOUNT_PATH),
        Err(error) => PageRefusal::Store(error).answer(by.uri()),
    }
}

async fn show(State(console): State<Arc<Console>>, by: SignedIn) -> Response {
    match console.unconfirmed(&by).await {
        Ok(Some(shared)) => console.set_up_page(&by, &shared, None),
        Ok(None) => go(ACCOUNT_PATH),
        Err(error) => PageRefusal::Store(error).answer(by.uri()),
    }
}

async fn show_picture(State(console): State<Arc<Console>>, by: SignedIn) -> Response {
    let email = by.person().email.as_str();
    match console.unconfirmed(&by).await {
        Ok(shared) => shared
            .and_then(|shared| totp::picture(&shared.bytes, email))
            .map_or_else(|| PageRefusal::NotFound.answer(by.uri()), picture),
        Err(error) => PageRefusal::Store(error).answer(by.uri()),
    }
}

async fn confirm(State(console): State<Arc<Console>>, form: SignedForm) -> Response {
    let SignedForm { by, fields } = form;
    match console.switched_on_page(&by, &fields).await {
        Ok(response) => response,
        Err(refusal) => refusal.answer(by.uri()),
    }
}

async fn ask_off(State(console): State<Arc<Console>>, by: SignedIn) -> Response {
    console.ask_for(Act::SwitchOff, &by).await
}

async fn ask_codes(State(console): State<Arc<Console>>, by: SignedIn) -> Response {
    console.ask_for(Act::RenewCodes, &by).await
}

async fn switch_off(State(console): State<Arc<Console>>, form: SignedForm) -> Response {
    console.act(Act::SwitchOff, form).await
}

async fn renew_codes(State(console): State<Arc<Console>>, form: SignedForm) -> Response {
    console.act(Act::RenewCodes, form).await
}

impl Proof {
    fn typed(fields: &Fields) -> Self {
        Self {
            password: fields.secret("password"),
            code: fields.secret("code"),
        }
    }
}

impl Console {
    async fn switched_on_page(
        &self,
        by: &SignedIn,
        fields: &Fields,
    ) -> Result<Response, PageRefusal> {
        let Some(shared) = self.unconfirmed(by).await? else {
            return Ok(go(ACCOUNT_PATH));
        };
        let wrong = match self.switch_on(by, &shared, Proof::typed(fields)).await {
            Ok(codes) => return Ok(self.codes_page(by, &codes, true)),
            Err(Kept::NotThere) => return Ok(go(ACCOUNT_PATH)),
            Err(Kept::Unanswered(unanswered)) => return Err(unanswered.into()),
            Err(Kept::Password | Kept::Either) => Wrong::Password,
            Err(Kept::Code) => Wrong::Code,
        };
        Ok(self.set_up_page(by, &shared, Some(wrong)))
    }

    fn set_up_page(&self, by: &SignedIn, shared: &SharedSecret, wrong: Option<Wrong>) -> Response {
        let status = match wrong {
            Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
            None => StatusCode::OK,
        };
        let typed = totp::typed(&shared.bytes);
        let content = SetUp {
            form_token: self.form_token(by),
            email: by.person().email.as_str(),
            typed: typed.expose(),
            wrong,
        };
        self.page_with(
            status,
            by,
            Place::Account,
            "Set up the second factor",
            content,
        )
    }

    fn codes_page(&self, by: &SignedIn, codes: &[Secret], begins: bool) -> Response {
        let codes = codes.iter().map(Secret::expose).collect();
        let content = RecoveryCodes { codes, begins };
        self.page(by, Place::Account, "Recovery codes", content)
    }

    async fn ask_for(&self, act: Act, by: &SignedIn) -> Response {
        match self.is_on(by).await {
            Ok(true) => self.factor_confirm_page(StatusCode::OK, act, by, false),
            Ok(false) => go(ACCOUNT_PATH),
            Err(error) => PageRefusal::Store(error).answer(by.uri()),
        }
    }

    async fn act(&self, act: Act, form: SignedForm) -> Response {
        let SignedForm { by, fields } = form;
        let proof = Proof::typed(&fields);
        let done = match act {
            Act::SwitchOff => {
                let off = self.switch_off(&by, proof).await;
                off.map(|()| back("second-factor-off"))
            }
            Act::RenewCodes => {
                let codes = self.renew_codes(&by, proof).await;
                codes.map(|codes| self.codes_page(&by, &codes, false))
            }
        };
        let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
        match done {
            Ok(response) => response,
            Err(Kept::NotThere) => go(ACCOUNT_PATH),
            Err(Kept::Unanswered(unanswered)) => PageRefusal::from(unanswered).answer(by.uri()),
            Err(Kept::Password | Kept::Code | Kept::Either) => {
                self.factor_confirm_page(unprocessable, act, &by, true)
            }
        }
    }

    fn factor_confirm_page(
        &self,
        status: StatusCode,
        act: Act,
        by: &SignedIn,
        failed: bool,
    ) -> Response {
        let (form_token, email) = (self.form_token(by), by.person().email.as_str());
        let content = match act {
            Act::SwitchOff => Confirm {
                form_token,
                email,
                action: "/console/account/second-factor/off",
                title: "Switch the second factor off",
                says: "Your password alone will open your account again. The recovery codes stop working.",
                button: "Switch it off",
                dangerous: true,
                failed,
            },
            Act::RenewCodes => Confirm {
                form_token,
                email,
                action: "/console/account/second-factor/recovery-codes",
                title: "Make new recovery codes",
                says: "The ones you have stop working. The new ones are shown once.",
                button: "Make new codes",
                dangerous: false,
                failed,
            },
        };
        let title = content.title;
        self.page_with(status, by, Place::Account, title, content)
    }
}
