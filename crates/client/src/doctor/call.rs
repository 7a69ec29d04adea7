//! The token, and one call with it that changes nothing.

use hallpass_oauth::jws;
use hallpass_openapi::{Definition, Operation, Values};
use http::{Method, StatusCode};
use serde_json::Value;

use super::Extent;
use super::finding::{Finding, Step, chain};
use crate::access_token::AccessToken;
use crate::error::Error;
use crate::response::Response;
use crate::send::Client;

type Tell<'a> = &'a mut (dyn FnMut(Finding) + Send);

/// A token, from the cache or new. Without a server only the cache can give one.
pub(super) async fn token(
    client: &Client,
    extent: Extent,
    server_answers: bool,
    tell: Tell<'_>,
) -> Option<AccessToken> {
    if !server_answers {
        return None;
    }
    let tokens = client.tokens();
    let obtained = if extent.renew {
        tokens.renew().await
    } else {
        tokens.token().await
    };
    match obtained {
        Ok(token) => {
            tell(good(client, &token));
            Some(token)
        }
        Err(failure) => {
            let error = Error::from(failure);
            let finding = Finding::failed(Step::Credential, chain(&error));
            tell(Finding {
                hint: error.hint(),
                ..finding
            });
            None
        }
    }
}

fn good(client: &Client, token: &AccessToken) -> Finding {
    let client_id = client.profile().client_id();
    let until = token.expires_at();
    let left = until.duration_since(client.now()).as_secs().max(0) / 60;
    Finding::fine(
        Step::Credential,
        format!("there is a token for {client_id}, good until {until} ({left} min)"),
    )
}

/// Whether the definition knows the address.
pub(super) fn servers(client: &Client, definition: &Definition) -> Finding {
    let base_url = client.profile().base_url();
    let known: Vec<&str> = definition.servers().collect();
    let is_known = known
        .iter()
        .any(|url| url.trim_end_matches('/') == base_url.as_str());
    let title = definition.title();
    if is_known || known.is_empty() {
        return Finding::fine(Step::Definition, format!("the definition is `{title}`"));
    }
    Finding::note(
        Step::Definition,
        format!("the definition is `{title}`; {base_url} is none of the servers it names"),
    )
}

/// Calls a list that needs nothing, with a page of one.
pub(super) async fn harmless(
    client: &Client,
    definition: &Definition,
    token: &AccessToken,
    tell: Tell<'_>,
) {
    let Some(operation) = simplest(definition) else {
        tell(Finding::note(
            Step::Permission,
            "the definition has no list that can be read without an argument, so no call was made",
        ));
        return;
    };
    let limit = operation.parameters().iter().any(|one| one.name == "limit");
    let values = Values::literal(limit.then_some(("limit", "1")));
    let Ok(request) = definition.request(operation, &values) else {
        return;
    };
    match client.send(&request).await {
        Ok(answer) => judge(client, definition, operation, token, &answer, tell),
        Err(error) => {
            let finding = Finding::failed(Step::Connection, chain(&error));
            tell(Finding {
                hint: error.hint(),
                ..finding
            });
        }
    }
}

/// The list that needs the least: no parameter in the path, none required, and a limit if there is
/// such a one.
fn simplest(definition: &Definition) -> Option<&Operation> {
    let free = |operation: &&Operation| {
        operation.method() == Method::GET
            && !operation.deprecated()
            && !operation.path().contains('{')
            && operation.parameters().iter().all(|one| !one.required)
    };
    let has_limit =
        |operation: &&Operation| operation.parameters().iter().any(|one| one.name == "limit");
    let operations = definition.operations();
    let limited = operations.iter().filter(free).find(has_limit);
    limited.or_else(|| operations.iter().find(free))
}

fn judge(
    client: &Client,
    definition: &Definition,
    operation: &Operation,
    token: &AccessToken,
    answer: &Response,
    tell: Tell<'_>,
) {
    let id = operation.id();
    let status = answer.status();
    if status == StatusCode::UNAUTHORIZED {
        tell(wrong_region(client, token, answer));
        return;
    }
    let base_url = client.profile().base_url();
    tell(Finding::fine(
        Step::Region,
        format!("{base_url} takes the token"),
    ));
    if status.is_success() {
        tell(Finding::fine(
            Step::Permission,
            format!("the credential's owner may call {id}"),
        ));
        tell(drift(definition, operation, answer));
        return;
    }
    let said = answer
        .problem()
        .map_or_else(|| status.to_string(), |problem| problem.to_string());
    let message = format!("{id}: {said}");
    tell(match status {
        StatusCode::FORBIDDEN => Finding::failed(Step::Permission, message)
            .hint("the owner of the credential needs a role that allows it; an administrator gives roles"),
        StatusCode::NOT_FOUND => Finding::failed(Step::Definition, message).hint(
            "the API does not know a path of the definition: is it the right definition, and is the \
             base URL complete?",
        ),
        _ => Finding::warning(Step::Permission, message).hint("the API has trouble of its own; try again later"),
    });
}

/// A token is for one service and region, and only the API knows whether it is that one (domain.md
/// section 5).
fn wrong_region(client: &Client, token: &AccessToken, answer: &Response) -> Finding {
    let base_url = client.profile().base_url();
    let said = answer
        .problem()
        .map_or_else(String::new, |problem| format!(": {problem}"));
    let instance = instance_of(token).map_or_else(String::new, |instance| {
        format!(" The token is for the application instance {instance}.")
    });
    Finding::failed(
        Step::Region,
        format!("{base_url} does not take the token{said}.{instance}"),
    )
    .hint(
        "a credential belongs to one service and region: use the base URL of the region it was made \
         for, or make one for this region",
    )
}

fn instance_of(token: &AccessToken) -> Option<String> {
    let (_, claims) = jws::peek(token.expose())?;
    let claims: Value = serde_json::from_str(&claims).ok()?;
    Some(claims.get("application_instance_id")?.as_str()?.to_owned())
}

/// Whether the answer is what the definition says.
fn drift(definition: &Definition, operation: &Operation, answer: &Response) -> Finding {
    let id = operation.id();
    let Ok(body) = answer.json() else {
        return Finding::warning(Step::Definition, format!("the answer to {id} is no JSON"))
            .hint("is there a gateway or a login page in between?");
    };
    let violations = definition.check_response(operation, answer.status().as_u16(), &body);
    if violations.is_empty() {
        return Finding::fine(
            Step::Definition,
            format!("the answer to {id} is what the definition says"),
        );
    }
    let first: Vec<String> = violations
        .iter()
        .take(MOST_SHOWN)
        .map(|violation| format!("{} {}", violation.pointer, violation.message))
        .collect();
    let more = match violations.len().saturating_sub(MOST_SHOWN) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    Finding::warning(
        Step::Definition,
        format!(
            "the answer to {id} differs from the definition: {}{more}",
            first.join("; ")
        ),
    )
    .hint("get the definition that belongs to this version of the API")
}

/// How many differences are worth reading.
const MOST_SHOWN: usize = 3;
