//! How a caller proves who it is.

use serde_json::{Map, Value};

use super::Findings;
use super::catalogue::{
    OAUTH_FLOW_MISSING, SECURITY_SCHEME_UNDEFINED, SECURITY_SCOPE_UNDEFINED, SECURITY_UNDESCRIBED,
};
use crate::document::join;
use crate::operation::Operation;
use crate::reference::resolve;

pub(super) fn check(findings: &mut Findings<'_>, root: &Value, operations: &[Operation]) {
    let schemes = root
        .pointer("/components/securitySchemes")
        .and_then(Value::as_object);
    let security = Security { root, schemes };
    security.flow(findings);
    let global = root.get("security");
    security.requirements(findings, "/security", global);
    for operation in operations {
        let own = root
            .pointer(operation.pointer())
            .and_then(|operation| operation.get("security"));
        security.requirements(findings, &join(operation.pointer(), "security"), own);
        if global.is_none() && own.is_none() {
            findings.add(
                &SECURITY_UNDESCRIBED,
                operation.pointer().to_owned(),
                format!(
                    "nothing says how a caller of {} {} proves who it is",
                    operation.method(),
                    operation.path()
                ),
                "add `security` to the document or the operation; `security: []` says that anybody may call it",
            );
        }
    }
}

struct Security<'a> {
    root: &'a Value,
    schemes: Option<&'a Map<String, Value>>,
}

impl<'a> Security<'a> {
    fn scheme(&self, name: &str) -> Option<&'a Value> {
        Some(resolve(self.root, self.schemes?.get(name)?))
    }

    /// A bearer token comes from somewhere; the specification's place to say so is a flow.
    fn flow(&self, findings: &mut Findings<'_>) {
        let is = |scheme: &Value, key: &str, word: &str| {
            scheme
                .get(key)
                .and_then(Value::as_str)
                .is_some_and(|text| text.eq_ignore_ascii_case(word))
        };
        let schemes = || {
            self.schemes
                .into_iter()
                .flatten()
                .map(|(name, scheme)| (name, resolve(self.root, scheme)))
        };
        let explained = schemes().any(|(_, scheme)| {
            is(scheme, "type", "openIdConnect")
                || (is(scheme, "type", "oauth2")
                    && scheme
                        .get("flows")
                        .and_then(Value::as_object)
                        .is_some_and(|flows| !flows.is_empty()))
        });
        if explained {
            return;
        }
        for (name, scheme) in schemes() {
            if is(scheme, "scheme", "bearer") || is(scheme, "type", "oauth2") {
                findings.add(
                    &OAUTH_FLOW_MISSING,
                    join("/components/securitySchemes", name),
                    format!("`{name}` wants a bearer token, but no OAuth flow says where to get one"),
                    "describe it with `type: oauth2` and `flows.clientCredentials.tokenUrl`; until then the token URL comes from the profile",
                );
            }
        }
    }

    fn requirements(&self, findings: &mut Findings<'_>, at: &str, list: Option<&Value>) {
        let list = list.and_then(Value::as_array);
        for (index, requirement) in list.into_iter().flatten().enumerate() {
            for (name, scopes) in requirement.as_object().into_iter().flatten() {
                let at = join(&format!("{at}/{index}"), name);
                let Some(scheme) = self.scheme(name) else {
                    findings.add(
                        &SECURITY_SCHEME_UNDEFINED,
                        at,
                        format!("the security scheme `{name}` is not defined"),
                        "define it under `components.securitySchemes`, in the same letter case",
                    );
                    continue;
                };
                for scope in unknown_scopes(scheme, scopes) {
                    findings.add(
                        &SECURITY_SCOPE_UNDEFINED,
                        at.clone(),
                        format!("no flow of `{name}` has the scope `{scope}`"),
                        "list it under `scopes` of a flow, or correct the spelling",
                    );
                }
            }
        }
    }
}

fn unknown_scopes<'a>(scheme: &'a Value, scopes: &'a Value) -> impl Iterator<Item = &'a str> {
    let flows = scheme.get("flows").and_then(Value::as_object);
    let known = move |scope: &str| {
        flows.is_none_or(|flows| {
            flows
                .values()
                .any(|flow| flow.get("scopes").is_some_and(|it| it.get(scope).is_some()))
        })
    };
    scopes
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter(move |scope| !known(scope))
}
