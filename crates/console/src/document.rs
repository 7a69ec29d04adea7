//! The console's part of our own OpenAPI 3.1 document: what its REST modules declare, put together,
//! with what all their operations share. Nothing here knows a single operation.
//!
//! A module declares its operations with `#[utoipa::path(…)]` and lists them in a struct that derives
//! `utoipa::OpenApi`; a line in [`parts`] takes them in. An operation says which permission it takes as
//! `security(("token" = ["workspace.read"]))` (OpenAPI 3.1 allows role names there), and declares
//! the answers that are its own. One that no token does says `security(("session" = []))`; one that asks for the
//! permission with a token only, since it is about what is somebody's own, says both. How else one may
//! call, and the refusals that every operation knows, are added here.

use std::collections::BTreeSet;

use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{HttpMethod, Operation, PathItem};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, ClientCredentials, Flow, OAuth2, Scopes, SecurityRequirement,
    SecurityScheme,
};
use utoipa::openapi::{Components, OpenApi, Ref, RefOr, Response, ResponseBuilder};

use crate::answer::ErrorBody;
use crate::audit::Api as AuditApi;
use crate::session::{COOKIE_NAME, FORM_TOKEN_HEADER};
use crate::sessions::SessionsApi;

/// A bearer token of the platform instance.
const TOKEN: &str = "token";

/// The cookie of somebody signed in.
const SESSION: &str = "session";

/// What a change takes besides the cookie.
const FORM_TOKEN: &str = "formToken";

/// The refusals that every operation knows; the bodies are all alike.
const REFUSALS: [(&str, &str); 3] = [
    ("401", "Nobody is known by the token or the session."),
    ("403", "Whoever calls may not do this."),
    (
        "503",
        "The service is not available at this moment; `Retry-After` says when to try again.",
    ),
];

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Hallpass",
        description = "Everything that the pages of the console do, for programs.\n\n\
            A program calls with a bearer token of the platform instance: make a credential for the \
            instance `global`, and ask the token endpoint with it. Such a token lives 15 minutes. A \
            script of the console's own pages calls with the session's cookie, and with the session's \
            form token where something changes.\n\n\
            What is somebody's own alone, such as their password and their second factor, takes their session; no token changes it.\n\n\
            Whoever is signed in needs no permission for credentials and sessions of their own; a token does.\n\n\
            Which permission an operation takes stands beside it. It is looked up when the call \
            comes: a change of somebody's roles acts on the next call.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT")
    ),
    components(schemas(ErrorBody<'_>))
)]
struct Head;

/// The console's part of the document, for tokens from that endpoint; without servers, which the
/// composition root knows.
pub fn document(token_url: &str) -> OpenApi {
    let mut document = parts().into_iter().fold(head(), OpenApi::merge_from);
    let mut taken = BTreeSet::new();
    for item in document.paths.paths.values_mut() {
        for (method, operation) in operations(item) {
            taken.extend(complete(&method, operation));
        }
    }
    let components = document.components.get_or_insert_with(Components::new);
    components.add_security_scheme(TOKEN, token_scheme(token_url, &taken));
    document
}

/// What the REST modules declare.
fn parts() -> Vec<OpenApi> {
    vec![
        <crate::credentials::Api as utoipa::OpenApi>::openapi(),
        <crate::account::rest::Declared as utoipa::OpenApi>::openapi(),
        <crate::account::second_factor::rest::Declared as utoipa::OpenApi>::openapi(),
        <SessionsApi as utoipa::OpenApi>::openapi(),
        <AuditApi as utoipa::OpenApi>::openapi(),
        <crate::people::Declared as utoipa::OpenApi>::openapi(),
        <crate::roles::Declared as utoipa::OpenApi>::openapi(),
        <crate::roles::permissions::Declared as utoipa::OpenApi>::openapi(),
        <crate::workspaces::rest::Declared as utoipa::OpenApi>::openapi(),
        <crate::instances::rest::Declared as utoipa::OpenApi>::openapi(),
    ]
}

fn head() -> OpenApi {
    let mut head = <Head as utoipa::OpenApi>::openapi();
    let components = head.components.get_or_insert_with(Components::new);
    for (name, scheme) in schemes() {
        components.add_security_scheme(name, scheme);
    }
    head
}

/// The permissions stand as scopes: that is the place that tools know for them.
fn token_scheme(token_url: &str, permissions: &BTreeSet<String>) -> SecurityScheme {
    let scopes = permissions.iter().map(|permission| {
        let meaning = "A permission of the credential's owner, looked up when the call comes. A \
                       token request need not name it.";
        (permission.as_str(), meaning)
    });
    let flow = ClientCredentials::new(token_url, scopes.collect::<Scopes>());
    SecurityScheme::OAuth2(OAuth2::with_description(
        [Flow::ClientCredentials(flow)],
        "An access token of the platform instance (`global`), sent as `Authorization: Bearer …`.",
    ))
}

fn schemes() -> [(&'static str, SecurityScheme); 2] {
    let session = ApiKeyValue::with_description(
        COOKIE_NAME,
        "The cookie of somebody signed in to the console. Browsers keep it from scripts.",
    );
    let form_token = ApiKeyValue::with_description(
        FORM_TOKEN_HEADER,
        "The form token of the session, which only the console's own pages have.",
    );
    [
        (SESSION, SecurityScheme::ApiKey(ApiKey::Cookie(session))),
        (
            FORM_TOKEN,
            SecurityScheme::ApiKey(ApiKey::Header(form_token)),
        ),
    ]
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    let operations = [
        (HttpMethod::Get, item.get.as_mut()),
        (HttpMethod::Put, item.put.as_mut()),
        (HttpMethod::Post, item.post.as_mut()),
        (HttpMethod::Delete, item.delete.as_mut()),
        (HttpMethod::Patch, item.patch.as_mut()),
    ];
    let declared = |(method, operation): (HttpMethod, Option<_>)| Some((method, operation?));
    operations.into_iter().filter_map(declared)
}

/// Adds what all operations share; says which permissions this one takes.
fn complete(method: &HttpMethod, operation: &mut Operation) -> Vec<String> {
    let permissions = permissions(operation);
    let session = if declares(operation, SESSION) {
        session(method, &[])
    } else {
        session(method, &permissions)
    };
    operation.security = Some(if takes_token(operation) {
        vec![SecurityRequirement::new(TOKEN, &permissions), session]
    } else {
        vec![session]
    });
    let responses = &mut operation.responses.responses;
    for (status, description) in REFUSALS {
        responses
            .entry(status.to_owned())
            .or_insert_with(|| RefOr::T(Response::new(description)));
    }
    for (status, response) in responses.iter_mut() {
        if let RefOr::T(response) = response
            && status.starts_with(['4', '5'])
            && response.content.is_empty()
        {
            *response = refusal(&response.description);
        }
    }
    permissions
}

/// What the operation declares: the role names of its requirements.
fn permissions(operation: &Operation) -> Vec<String> {
    let declared = operation.security.iter().flatten();
    let declared = declared.filter_map(|one| serde_json::to_value(one).ok());
    let names = declared.flat_map(|one| {
        let schemes = one.as_object().cloned().unwrap_or_default();
        schemes
            .into_iter()
            .flat_map(|(_, names)| serde_json::from_value::<Vec<String>>(names).unwrap_or_default())
    });
    let mut different: Vec<String> = Vec::new();
    for name in names {
        if !different.contains(&name) {
            different.push(name);
        }
    }
    different
}

/// Whether a program may call it; nothing declared means that it may.
fn takes_token(operation: &Operation) -> bool {
    let any = operation.security.iter().flatten().next();
    any.is_none() || declares(operation, TOKEN)
}

fn declares(operation: &Operation, scheme: &str) -> bool {
    let declared = operation.security.iter().flatten();
    let mut declared = declared.filter_map(|one| serde_json::to_value(one).ok());
    declared.any(|one| one.get(scheme).is_some())
}

fn session(method: &HttpMethod, permissions: &[String]) -> SecurityRequirement {
    let session = SecurityRequirement::new(SESSION, permissions);
    match method {
        HttpMethod::Get => session,
        _ => session.add::<_, [&str; 0], _>(FORM_TOKEN, []),
    }
}

fn refusal(description: &str) -> Response {
    let schema = Ref::from_schema_name("Error");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new()
        .description(description)
        .content("application/json", content)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_modules_mean_different_things_by_one_name() {
        let merged = document("https://example.com")
            .components
            .unwrap_or_default();
        for part in parts() {
            for (name, schema) in part.components.unwrap_or_default().schemas {
                assert!(
                    merged.schemas[&name] == schema,
                    "two schemas are called {name}: name one of them with #[schema(as = …)]"
                );
            }
        }
    }

    /// The other way round is asked over HTTP, in `tests/it/documentation.rs`.
    #[test]
    fn every_address_of_the_rest_api_is_in_the_document() {
        let document = document("https://example.com");
        let known: BTreeSet<String> = document
            .paths
            .paths
            .keys()
            .map(|path| plain(path))
            .collect();
        // A router tells its addresses to nobody but a debugger.
        let router = format!("{:?}", crate::rest());
        let routed: BTreeSet<String> = router
            .split('"')
            .filter(|text| text.starts_with("/workspaces/v1/"))
            .map(plain)
            .collect();
        assert!(!routed.is_empty());
        let missing: Vec<_> = routed.difference(&known).collect();
        assert!(missing.is_empty(), "not described: {missing:?}");
    }

    /// Parameters may have different names on both sides.
    fn plain(path: &str) -> String {
        let parts = path.split('/');
        let parts = parts.map(|part| if part.starts_with('{') { "{}" } else { part });
        parts.collect::<Vec<_>>().join("/")
    }
}
