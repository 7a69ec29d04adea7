//! The same over REST, for the session of whoever it is about. A program's token does nothing here:
//! whoever has one must neither lock the person out nor learn their codes.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use hallpass_oauth::Secret;
use hallpass_store::second_factor::{LONGEST_SETUP, SecondFactor, SharedSecret};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Kept, Proof};
use crate::answer::{Done, Refusal, answer};
use crate::guard::Call;
use crate::people::time;
use crate::session::SignedIn;
use crate::wire::print;
use crate::{Console, totp};

/// Where it is.
const PATH: &str = "/workspaces/v1/account/second-factor";

/// What whoever tries again is told of one that is on.
const IS_ON: &str = "a second factor is on; remove it first";

/// What whoever confirms nothing is told.
const NOT_BEGUN: &str = "no second factor waits for its code; set one up first";

/// What somebody without a second factor is told.
const IS_OFF: &str = "you have no second factor";

/// How one's second factor stands.
#[derive(Serialize, ToSchema)]
#[schema(as = OwnSecondFactor)]
#[serde(rename_all = "camelCase")]
struct Item {
    state: Standing,
    /// Since when it is asked for.
    #[schema(format = DateTime)]
    since: Option<String>,
    /// How many recovery codes are left.
    recovery_codes: usize,
}

/// Whether signing in asks for a code.
#[derive(Serialize, ToSchema)]
#[schema(as = SecondFactorState)]
#[serde(rename_all = "camelCase")]
enum Standing {
    /// It does not.
    Off,
    /// It does not yet: no code has shown that the device has the secret.
    Unconfirmed,
    /// It does.
    On,
}

/// What the device needs, for this one answer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SecondFactorSetup {
    /// The secret as it is typed: base 32.
    secret: String,
    /// The same with name and issuer, as apps read it from a picture.
    #[schema(example = "otpauth://totp/Hallpass:ann%40example%2Ecom?secret=…&issuer=Hallpass")]
    otpauth_uri: String,
    /// Confirmed later than this, it is forgotten.
    #[schema(format = DateTime)]
    confirm_before: String,
}

/// What shows that it is the person who asks.
#[derive(Deserialize, ToSchema)]
#[schema(as = SecondFactorProof)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProofBody {
    /// The password.
    #[schema(format = Password)]
    current_password: String,
    /// The code that the device shows now; instead of it a recovery code, but not to confirm.
    code: String,
}

/// Each lets one in once without the device. They are in no other answer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RecoveryCodeList<'a> {
    recovery_codes: Vec<&'a str>,
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(show, begin, confirm, renew_codes, remove))]
pub(crate) struct Declared;

pub(in crate::account) fn routes() -> Router<Arc<Console>> {
    let at = |path: &str| format!("{PATH}{path}");
    Router::new()
        .route(PATH, get(show).post(begin))
        .route(&at("/confirm"), post(confirm))
        .route(&at("/recovery-codes"), post(renew_codes))
        .route(&at("/remove"), post(remove))
}

/// Show how one's own second factor stands
#[utoipa::path(
    get, path = "/workspaces/v1/account/second-factor", operation_id = "getOwnSecondFactor",
    tag = "Account", security(("session" = [])),
    responses((status = 200, description = "How it stands.", body = Item)),
)]
async fn show(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    answer(
        console
            .own_second_factor(&console.call_of(&head, peer))
            .await,
    )
}

/// Begin to set up one's own second factor
///
/// The answer holds the secret for the device, once. Nothing asks for a code before one was confirmed;
/// what was begun before and not confirmed is forgotten.
#[utoipa::path(
    post, path = "/workspaces/v1/account/second-factor", operation_id = "setUpOwnSecondFactor",
    tag = "Account", security(("session" = [])),
    responses((status = 201, description = "The secret.", body = SecondFactorSetup),
        (status = 409, description = "One is on already.")),
)]
async fn begin(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    answer(
        console
            .set_up_own_factor(&console.call_of(&head, peer))
            .await,
    )
}

/// Switch one's own second factor on
///
/// With a code that shows that the device has the secret. The answer holds the recovery codes, once. The
/// other sessions end.
#[utoipa::path(
    post, path = "/workspaces/v1/account/second-factor/confirm",
    operation_id = "confirmOwnSecondFactor", tag = "Account", security(("session" = [])),
    request_body = ProofBody,
    responses((status = 200, description = "It is on; the recovery codes.", body = RecoveryCodeList<'_>),
        (status = 400, description = "The body is not understood."),
        (status = 409, description = "None waits for a code, or not any more."),
        (status = 422, description = "The password or the code is not right."),
        (status = 429, description = "Too many tries have failed; `Retry-After` says when to try again.")),
)]
async fn confirm(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let call = console.call_of(&head, peer);
    answer(console.confirm_own_factor(&call, body).await)
}

/// Make new recovery codes for oneself
///
/// The answer holds them, once. Those from before stop working.
#[utoipa::path(
    post, path = "/workspaces/v1/account/second-factor/recovery-codes",
    operation_id = "renewOwnRecoveryCodes", tag = "Account", security(("session" = [])),
    request_body = ProofBody,
    responses((status = 200, description = "The new codes.", body = RecoveryCodeList<'_>),
        (status = 400, description = "The body is not understood."),
        (status = 409, description = "There is no second factor."),
        (status = 422, description = "The password or the code is not right."),
        (status = 429, description = "Too many tries have failed; `Retry-After` says when to try again.")),
)]
async fn renew_codes(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let call = console.call_of(&head, peer);
    answer(console.renew_own_codes(&call, body).await)
}

/// Switch one's own second factor off
///
/// The recovery codes stop working. It is no DELETE, because that has no body for password and code (RFC
/// 9110, section 9.3.5).
#[utoipa::path(
    post, path = "/workspaces/v1/account/second-factor/remove",
    operation_id = "removeOwnSecondFactor", tag = "Account", security(("session" = [])),
    request_body = ProofBody,
    responses((status = 204, description = "It is off."),
        (status = 400, description = "The body is not understood."),
        (status = 409, description = "There is no second factor."),
        (status = 422, description = "The password or the code is not right."),
        (status = 429, description = "Too many tries have failed; `Retry-After` says when to try again.")),
)]
async fn remove(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let call = console.call_of(&head, peer);
    answer(console.remove_own_factor(&call, body).await)
}

impl Item {
    fn new(factor: Option<&SecondFactor>) -> Self {
        let since = factor.and_then(|factor| factor.since);
        Self {
            state: match factor {
                None => Standing::Off,
                Some(_) if since.is_none() => Standing::Unconfirmed,
                Some(_) => Standing::On,
            },
            since: since.map(time),
            recovery_codes: factor.map_or(0, |factor| factor.recovery_codes),
        }
    }
}

impl SecondFactorSetup {
    fn new(shared: &SharedSecret, email: &str, now: Timestamp) -> Self {
        let secret = totp::base32(&shared.bytes);
        Self {
            secret: secret.expose().to_owned(),
            otpauth_uri: totp::address(&shared.bytes, email).expose().to_owned(),
            confirm_before: time(now + LONGEST_SETUP),
        }
    }
}

impl From<ProofBody> for Proof {
    fn from(body: ProofBody) -> Self {
        Self {
            password: Secret::from(body.current_password),
            code: Secret::from(body.code),
        }
    }
}

/// The answer with codes that are not in another one.
fn codes(codes: &[Secret]) -> Done {
    let recovery_codes = codes.iter().map(Secret::expose).collect();
    Done::Ok(print(&RecoveryCodeList { recovery_codes }))
}

/// A refusal where there was nothing to do it to; the words say what was missing.
fn refused(kept: Kept, missing: &str) -> Refusal {
    match kept {
        Kept::NotThere => Refusal::Conflict(missing.to_owned()),
        Kept::Password => Refusal::NotConfirmed("the password is not right"),
        Kept::Code => {
            Refusal::NotConfirmed("the code is not right; it is good for a minute, and once")
        }
        Kept::Either => Refusal::NotConfirmed("the password or the code is not right"),
        Kept::Unanswered(unanswered) => unanswered.into(),
    }
}

impl Console {
    async fn own_second_factor(&self, call: &Call<'_>) -> Result<Done, Refusal> {
        let by = self.own_session(call).await?;
        let factor = self.second_factor_of(&by).await?;
        Ok(Done::Ok(print(&Item::new(factor.as_ref()))))
    }

    async fn set_up_own_factor(&self, call: &Call<'_>) -> Result<Done, Refusal> {
        let by = self.own_session(call).await?;
        let is_on = || Refusal::Conflict(IS_ON.to_owned());
        if !self.begin_second_factor(&by).await? {
            return Err(is_on());
        }
        let shared = self.unconfirmed(&by).await?.ok_or_else(is_on)?;
        let email = by.person().email.as_str();
        let setup = SecondFactorSetup::new(&shared, email, by.now());
        Ok(Done::Created(print(&setup)))
    }

    async fn confirm_own_factor(&self, call: &Call<'_>, body: Body) -> Result<Done, Refusal> {
        let (by, proof) = self.own_proof(call, body).await?;
        let shared = self.unconfirmed(&by).await?;
        let shared = shared.ok_or_else(|| refused(Kept::NotThere, NOT_BEGUN))?;
        let on = self.switch_on(&by, &shared, proof).await;
        Ok(codes(&on.map_err(|kept| refused(kept, NOT_BEGUN))?))
    }

    async fn renew_own_codes(&self, call: &Call<'_>, body: Body) -> Result<Done, Refusal> {
        let (by, proof) = self.own_proof(call, body).await?;
        let renewed = self.renew_codes(&by, proof).await;
        Ok(codes(&renewed.map_err(|kept| refused(kept, IS_OFF))?))
    }

    async fn remove_own_factor(&self, call: &Call<'_>, body: Body) -> Result<Done, Refusal> {
        let (by, proof) = self.own_proof(call, body).await?;
        let off = self.switch_off(&by, proof).await;
        off.map_err(|kept| refused(kept, IS_OFF))?;
        Ok(Done::Deleted)
    }

    /// Whoever calls with their own session, and what they prove it with.
    async fn own_proof(&self, call: &Call<'_>, body: Body) -> Result<(SignedIn, Proof), Refusal> {
        let wanted = "the texts `currentPassword` and `code`";
        let (by, body) = self
            .own_session_with::<ProofBody>(call, body, wanted)
            .await?;
        Ok((by, body.into()))
    }
}
