//! What the REST API reads and prints (domain facts, section 3.6): the items, the body of a
//! creation, the filter, and the resource URIs in them. Knows nothing of who asks.

use std::error::Error as _;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::Query;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Uri};
use hallpass_oauth::form::is_media_type;
use hallpass_oauth::{ApplicationInstanceId, Secret, WorkspaceId};
use hallpass_store::credentials::CredentialOptions;
use hallpass_store::{Credential, Workspace};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::answer::Refusal;
use crate::credentials::details::{Details, OptionsBody};

/// Longest body read, in bytes.
const LONGEST_BODY: usize = 16 * 1024;

/// What the URI of a workspace begins with.
const WORKSPACE_URI: &str = "/workspaces/v1/workspaces/";

/// What the URI of an application instance begins with; the real system calls the instance a
/// service manager provision here.
const INSTANCE_URI: &str = "/service-catalog/v1beta1/service-manager-provisions/";

/// A list, in wire order. The real system's has no paging; what belongs to that is there for those who
/// ask for a part.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = CredentialList)]
pub(crate) struct List<'a> {
    items: Vec<Item<'a>>,
    /// How many there are here.
    count: usize,
    /// How many come before them.
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<usize>,
    /// How many there are altogether.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<usize>,
}

/// A credential, in wire order.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Credential)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Item<'a> {
    /// Its name, unique for the owner.
    credential_name: &'a str,
    /// Names the credential here; the client id.
    id: &'a str,
    /// What programs authenticate with.
    client_id: &'a str,
    /// Always `credentials`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Grows with each reset.
    generation: u64,
    /// When it was made, in UTC.
    #[schema(example = "2024-01-22 15:18:59.936526")]
    created_at: String,
    /// When it was last changed, in UTC.
    #[schema(example = "2024-01-22 15:18:59.936526")]
    updated_at: String,
    associated_tenant: Reference,
    #[serde(skip_serializing_if = "Option::is_none")]
    associated_service_manager_provision: Option<Reference>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    details: Option<Details>,
    /// Only in the answers that made the secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
}

/// Another resource, by its URI.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct Reference {
    resource_uri: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenant_name: Option<String>,
}

/// The body of a creation as it stands on the wire; unknown members are ignored.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = NewCredential)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreationBody {
    /// A short name, unique among your credentials.
    credential_name: String,
    /// Your workspace; no other is possible.
    associated_tenant: Option<Reference>,
    /// The application instance; the platform itself when absent.
    associated_service_manager_provision: Option<Reference>,
    #[serde(flatten)]
    options: OptionsBody,
}

/// A credential to be made.
#[derive(Debug)]
pub(crate) struct NewCredential {
    /// Its name; the store has the last word on it.
    pub(crate) name: String,
    /// The workspace the caller named, if they named one.
    pub(crate) workspace: Option<WorkspaceId>,
    /// What it is for; the platform itself when nothing was named.
    pub(crate) instance: ApplicationInstanceId,
    /// What else it may be.
    pub(crate) options: CredentialOptions,
}

/// The workspaces that a list is restricted to. A parameter that comes twice must hold both times.
#[derive(Debug)]
pub(crate) struct TenantFilter(Vec<WorkspaceId>);

impl<'a> List<'a> {
    pub(crate) fn new(items: Vec<Item<'a>>) -> Self {
        Self {
            count: items.len(),
            items,
            offset: None,
            total: None,
        }
    }

    /// A part of a list.
    pub(crate) fn part(items: Vec<Item<'a>>, offset: usize, total: usize) -> Self {
        Self {
            offset: Some(offset),
            total: Some(total),
            ..Self::new(items)
        }
    }
}

impl<'a> Item<'a> {
    /// The printed form of a credential, with its secret for the one answer that carries it.
    pub(crate) fn new(
        credential: &'a Credential,
        workspaces: &[Arc<Workspace>],
        secret: Option<&'a Secret>,
    ) -> Self {
        let workspace = &credential.workspace;
        let named = workspaces.iter().find(|known| known.id == *workspace);
        let on_platform = credential.instance == ApplicationInstanceId::platform();
        Self {
            credential_name: &credential.name,
            id: credential.client_id.as_str(),
            client_id: credential.client_id.as_str(),
            kind: "credentials",
            generation: credential.generation,
            created_at: print_time(credential.created_at),
            updated_at: print_time(credential.updated_at),
            associated_tenant: Reference {
                resource_uri: format!("{WORKSPACE_URI}{}", dashed(workspace)),
                tenant_name: named.map(|known| known.name.clone()),
            },
            // The platform itself has no provision: it is what an absent one means.
            associated_service_manager_provision: (!on_platform).then(|| Reference {
                resource_uri: format!("{INSTANCE_URI}{}", credential.instance),
                tenant_name: None,
            }),
            details: None,
            client_secret: secret.map(Secret::expose),
        }
    }

    /// The same with how it stands.
    pub(crate) fn with(self, details: Details) -> Self {
        Self {
            details: Some(details),
            ..self
        }
    }
}

impl NewCredential {
    /// Reads the body of a creation.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let body: CreationBody = read(body)?;
        let workspace = body.associated_tenant.map(|tenant| {
            workspace_at(&tenant.resource_uri).ok_or_else(|| {
                bad(format!(
                    "associatedTenant.resourceUri must be {WORKSPACE_URI}<uuid>"
                ))
            })
        });
        let instance = body.associated_service_manager_provision.map(|provision| {
            instance_at(&provision.resource_uri).ok_or_else(|| {
                bad(format!(
                    "associatedServiceManagerProvision.resourceUri must be {INSTANCE_URI}<uuid>"
                ))
            })
        });
        Ok(Self {
            name: body.credential_name,
            workspace: workspace.transpose()?,
            instance: instance
                .transpose()?
                .unwrap_or_else(ApplicationInstanceId::platform),
            options: body.options.read()?,
        })
    }
}

impl TenantFilter {
    /// Reads the `filter` parameters of a list; other parameters are ignored.
    pub(crate) fn read(uri: &Uri) -> Result<Self, Refusal> {
        let Query(parameters) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| bad("the query cannot be read".to_owned()))?;
        let filters = parameters
            .iter()
            .filter(|(name, text)| name == "filter" && !text.trim().is_empty());
        let workspaces = filters.map(|(_, text)| {
            tenant_of(text).ok_or_else(|| {
                bad("the only filter here is tenantId eq '<workspace id>'".to_owned())
            })
        });
        Ok(Self(workspaces.collect::<Result<_, _>>()?))
    }

    /// Whether credentials of that workspace pass.
    pub(crate) fn admits(&self, workspace: &WorkspaceId) -> bool {
        self.0.iter().all(|wanted| wanted == workspace)
    }
}

/// Reads a body that must be JSON.
pub(crate) async fn read_json_body(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Refusal> {
    let json = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| is_media_type(kind, "application/json"));
    if !json {
        return Err(Refusal::NotJson);
    }
    match to_bytes(body, LONGEST_BODY).await {
        Ok(bytes) => Ok(bytes.to_vec()),
        Err(error) if is_too_long(&error) => Err(Refusal::TooLarge(LONGEST_BODY)),
        Err(_) => Err(bad("the body did not come to its end".to_owned())),
    }
}

/// What a body says. One that is no object is refused here: the parser would take an array, and speak of it in
/// words of its own.
pub(crate) fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(bad("the body must be a JSON object".to_owned()));
    }
    serde_json::from_slice(body).map_err(|error| bad(format!("the body cannot be read: {error}")))
}

/// The printed form.
pub(crate) fn print(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts and numbers can always be printed")
}

fn is_too_long(error: &axum::Error) -> bool {
    error
        .source()
        .is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>)
}

fn bad(message: String) -> Refusal {
    Refusal::BadRequest(message)
}

/// Not ISO 8601: a blank between date and time, microseconds, and UTC without a word for it.
pub(crate) fn print_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
}

fn tenant_of(filter: &str) -> Option<WorkspaceId> {
    let words: Vec<&str> = filter.split_ascii_whitespace().collect();
    let [attribute, operator, literal] = words[..] else {
        return None;
    };
    if attribute != "tenantId" || !operator.eq_ignore_ascii_case("eq") {
        return None;
    }
    workspace(literal.strip_prefix('\'')?.strip_suffix('\'')?)
}

fn workspace_at(uri: &str) -> Option<WorkspaceId> {
    workspace(uri.strip_prefix(WORKSPACE_URI)?)
}

fn instance_at(uri: &str) -> Option<ApplicationInstanceId> {
    ApplicationInstanceId::parse(&uri.strip_prefix(INSTANCE_URI)?.to_ascii_lowercase()).ok()
}

/// A workspace id with or without hyphens: tokens have none, resource URIs have some (domain
/// facts, sections 2.3 and 3.6).
pub(crate) fn workspace(text: &str) -> Option<WorkspaceId> {
    let bare = text.replace('-', "").to_ascii_lowercase();
    WorkspaceId::parse(&bare).ok()
}

pub(crate) fn dashed(workspace: &WorkspaceId) -> String {
    let mut text = workspace.as_str().to_owned();
    for at in [20, 16, 12, 8] {
        text.insert(at, '-');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WORKSPACE: &str = "e8a4da2eefc311eba02cb603422bc0a0";

    fn refused(body: &str) -> String {
        match NewCredential::parse(body.as_bytes()) {
            Err(Refusal::BadRequest(message)) => message,
            other => panic!("{body}: {other:?}"),
        }
    }

    fn filter(query: &str) -> Result<TenantFilter, Refusal> {
        TenantFilter::read(&format!("/x?{query}").parse().unwrap())
    }

    #[test]
    fn a_name_is_enough_and_means_the_platform() {
        let wanted = NewCredential::parse(br#"{"credentialName":"nightly","colour":7}"#).unwrap();
        assert_eq!(wanted.name, "nightly");
        assert_eq!(wanted.instance, ApplicationInstanceId::platform());
        assert!(wanted.workspace.is_none());
    }

    #[test]
    fn references_are_read_with_and_without_hyphens() {
        let wanted = NewCredential::parse(
            br#"{"credentialName":"n",
                "associatedTenant":{"resourceUri":"/workspaces/v1/workspaces/E8A4DA2E-efc3-11eb-a02c-b603422bc0a0"},
                "associatedServiceManagerProvision":{"resourceUri":
                "/service-catalog/v1beta1/service-manager-provisions/3C18BD03-8306-4c7c-942e-c704a4b8744c"}}"#,
        )
        .unwrap();
        assert_eq!(wanted.workspace.unwrap().as_str(), WORKSPACE);
        assert_eq!(
            wanted.instance.as_str(),
            "3c18bd03-8306-4c7c-942e-c704a4b8744c"
        );
    }

    #[test]
    fn a_bad_body_is_refused_with_its_place() {
        assert!(refused("{\n  \"credentialName\": nightly}").contains("line 2 column 22"));
        assert!(refused("{}").contains("missing field `credentialName` at line 1 column 2"));
        assert!(refused(r#"{"credentialName":7}"#).contains("line 1 column 19"));
        assert!(refused("").contains("must be a JSON object"));
        assert!(refused("[]").contains("must be a JSON object"));
        assert!(
            refused(r#"{"credentialName":"a","credentialName":"b"}"#).contains("duplicate field")
        );
        for uri in [
            "",
            "/workspaces/v1/workspaces/",
            WORKSPACE,
            "/workspaces/v1/workspaces/x",
        ] {
            let body =
                format!(r#"{{"credentialName":"n","associatedTenant":{{"resourceUri":"{uri}"}}}}"#);
            assert!(
                refused(&body).contains("associatedTenant.resourceUri"),
                "{uri}"
            );
        }
        let body =
            r#"{"credentialName":"n","associatedServiceManagerProvision":{"resourceUri":"us1"}}"#;
        assert!(refused(body).contains("associatedServiceManagerProvision.resourceUri"));
    }

    #[test]
    fn the_one_filter_is_read_in_both_spellings_of_a_space() {
        let own = WorkspaceId::parse(WORKSPACE).unwrap();
        let other = WorkspaceId::parse("0".repeat(32).as_str()).unwrap();
        for query in [
            format!("filter=tenantId+eq+%27{WORKSPACE}%27"),
            format!("filter=tenantId%20EQ%20'{WORKSPACE}'&x=1&x=2"),
            "filter=tenantId+eq+'e8a4da2e-efc3-11eb-a02c-b603422bc0a0'".to_owned(),
        ] {
            let filter = filter(&query).unwrap();
            assert!(filter.admits(&own) && !filter.admits(&other), "{query}");
        }
        for query in ["", "filter=", "limit=5"] {
            assert!(filter(query).unwrap().admits(&other), "{query}");
        }
        let both = format!("filter=tenantId+eq+'{WORKSPACE}'&filter=tenantId+eq+'{other}'");
        assert!(!filter(&both).unwrap().admits(&own));
    }

    #[test]
    fn other_filters_are_refused() {
        for text in [
            "tenantId",
            "tenantId eq",
            "tenantId eq x",
            "tenantId eq 'x'",
            "tenantId ne 'e8a4da2eefc311eba02cb603422bc0a0'",
            "name eq 'e8a4da2eefc311eba02cb603422bc0a0'",
            "tenantId eq e8a4da2eefc311eba02cb603422bc0a0",
            "tenantId eq 'e8a4da2eefc311eba02cb603422bc0a0' or tenantId eq 'x'",
            "tenantId eq '",
        ] {
            assert!(tenant_of(text).is_none(), "{text}");
            let query = format!("filter={}", text.replace(' ', "+"));
            assert!(
                matches!(filter(&query), Err(Refusal::BadRequest(_))),
                "{text}"
            );
        }
    }

    /// Domain facts, section 3.6: the printed sample.
    #[test]
    fn times_are_printed_as_the_real_system_does() {
        let time = "2024-01-22T15:18:59.936526Z".parse().unwrap();
        assert_eq!(print_time(time), "2024-01-22 15:18:59.936526");
        let whole = Timestamp::from_second(1_700_000_000).unwrap();
        assert_eq!(print_time(whole), "2023-11-14 22:13:20.000000");
    }

    proptest! {
        #[test]
        fn a_printed_workspace_is_read_back(id in "[0-9a-f]{32}") {
            let id = WorkspaceId::parse(&id).unwrap();
            let printed = format!("{WORKSPACE_URI}{}", dashed(&id));
            prop_assert_eq!(printed.len(), WORKSPACE_URI.len() + 36);
            prop_assert_eq!(workspace_at(&printed), Some(id));
        }

        #[test]
        fn no_body_and_no_filter_panics(text in ".{0,80}") {
            let _ = NewCredential::parse(text.as_bytes());
            let _ = tenant_of(&text);
        }
    }
}
