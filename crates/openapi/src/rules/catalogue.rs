//! Every rule: its name, how much it matters, what it finds and why that matters.
//!
//! `docs/definitions.md` shows this table; a test keeps the two in step.

use crate::problem::Severity;

/// A kind of finding.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable, in kebab-case.
    pub name: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What is found.
    pub what: &'static str,
    /// Why it matters to whoever calls the API.
    pub why: &'static str,
}

macro_rules! rules {
    ($($id:ident = $severity:ident $name:literal: $what:literal, $why:literal;)*) => {
        $(pub(super) const $id: Rule = Rule {
            name: $name,
            severity: Severity::$severity,
            what: $what,
            why: $why,
        };)*

        /// All rules, by subject.
        pub const RULES: &[Rule] = &[$($id),*];
    };
}

rules! {
    JSON_INVALID = Error "json-invalid":
        "the text begins like JSON, is none, and can be read as YAML",
        "other programs refuse the file";
    KEY_TWICE = Error "key-twice":
        "a key is written twice in the same object",
        "one of the two is lost, and programs disagree which";
    KEY_NO_TEXT = Error "key-no-text":
        "a key is a list or an object",
        "OpenAPI has no such keys, and the member is lost";
    SEVERAL_DOCUMENTS = Error "several-documents":
        "a YAML file holds more than one document",
        "only the first is read";
    OPENAPI_NEWER = Note "openapi-3-2":
        "the definition says that it is OpenAPI 3.2",
        "it is read as 3.1, and what 3.2 added is passed over";
    TAG_MISFIT = Warning "tag-misfit":
        "a value does not fit its YAML tag",
        "it is taken as text";
    CONTACT_MISSING = Note "contact-missing":
        "`info` names no contact",
        "nobody knows whom to ask";
    LICENSE_MISSING = Note "license-missing":
        "`info` names no licence",
        "readers do not know what they may do with the definition";
    SERVERS_MISSING = Warning "servers-missing":
        "there are no `servers`",
        "a caller does not know where to send requests";
    SERVER_TRAILING_SLASH = Warning "server-trailing-slash":
        "a server's URL ends in a slash",
        "put before a path it makes two slashes, which many servers answer with 404";
    SERVER_EXAMPLE_HOST = Note "server-example-host":
        "a server is at `example.com` or `localhost`",
        "nothing outside the author's desk answers there";
    SERVER_VARIABLE_UNDEFINED = Error "server-variable-undefined":
        "a server's URL has a `{variable}` that is not defined",
        "the URL cannot be completed";
    SERVER_VARIABLE_UNUSED = Warning "server-variable-unused":
        "a server variable is not in the URL",
        "setting it changes nothing";
    SERVER_VARIABLE_DEFAULT = Error "server-variable-default":
        "the default of a server variable is not in its `enum`, or the `enum` is empty",
        "the URL that tools use first is not allowed";
    TAG_UNDECLARED = Note "tag-undeclared":
        "an operation has a tag that `tags` does not list",
        "it has no description, and its place in lists is left to chance";
    TAG_DUPLICATE = Warning "tag-duplicate":
        "`tags` lists a name twice",
        "only one of the descriptions is shown";
    OAUTH_FLOW_MISSING = Warning "oauth-flow-missing":
        "bearer tokens are wanted, but no OAuth flow says where they come from",
        "tools cannot get a token on their own";
    SECURITY_UNDESCRIBED = Warning "security-undescribed":
        "an operation has no `security`, neither its own nor the document's",
        "tools send no token, and the API answers 401";
    SECURITY_SCHEME_UNDEFINED = Error "security-scheme-undefined":
        "a security requirement names a scheme that is not defined",
        "tools do not know what to send";
    SECURITY_SCOPE_UNDEFINED = Warning "security-scope-undefined":
        "a security requirement names a scope that none of the scheme's flows has",
        "the token is refused or has too few rights";
    PATH_WITHOUT_SLASH = Error "path-without-slash":
        "a path does not begin with a slash",
        "it is left out";
    PATH_TRAILING_SLASH = Warning "path-trailing-slash":
        "a path ends in a slash",
        "with and without it are two paths, and people write the other";
    PATH_WITH_QUERY = Error "path-with-query":
        "a path has a query or a fragment in it",
        "no request matches it: parameters of the query belong under `parameters`";
    PATH_TEMPLATE_BROKEN = Error "path-template-broken":
        "a path has braces that do not pair, or nothing between them",
        "its parameter cannot be filled in";
    PATH_PARAMETER_REPEATED = Error "path-parameter-repeated":
        "a path has the same parameter twice",
        "two places cannot have one value by name";
    PATH_IDENTICAL = Warning "path-identical":
        "two paths differ in nothing but the names of their parameters",
        "they are one path; generators and documents keep one of the two";
    PATH_AMBIGUOUS = Warning "path-ambiguous":
        "two paths with as many parameters fit the same request",
        "neither is the more exact one: servers and gateways choose differently";
    PATH_OVERLAP = Note "path-overlap":
        "two paths fit the same request, one of them with fewer parameters",
        "most tools choose the one with fewer, but nothing says that they must";
    OPERATION_UNREACHABLE = Error "operation-unreachable":
        "no request can be matched to an operation",
        "it cannot be called by its path";
    OPERATION_ID_MISSING = Warning "operation-id-missing":
        "an operation has no operationId",
        "nobody can name it; Hallpass makes up a name from method and path";
    OPERATION_ID_DUPLICATE = Error "operation-id-duplicate":
        "two operations have the same operationId",
        "the name means either";
    OPERATION_ID_CASE = Warning "operation-id-case":
        "two operationIds differ only in letter case",
        "such twins can do opposite things, and people and generators mix them up";
    OPERATION_ID_UNSAFE = Warning "operation-id-unsafe":
        "an operationId has characters beyond letters, digits, `-`, `.`, `_`, `~`",
        "it must be quoted in shells and URLs and changed in code";
    SUMMARY_MISSING = Note "summary-missing":
        "an operation has neither summary nor description",
        "lists cannot say what it does";
    OPERATION_UNTAGGED = Note "operation-untagged":
        "an operation has no tag",
        "it has no place in trees of operations";
    RESPONSES_MISSING = Warning "responses-missing":
        "an operation declares no responses",
        "a caller cannot know what success looks like";
    RESPONSE_SUCCESS_MISSING = Warning "response-success-missing":
        "an operation declares no response of 2XX or 3XX",
        "a caller cannot know what success looks like";
    RESPONSE_ERROR_MISSING = Note "response-error-missing":
        "an operation declares no response of 4XX and no default",
        "a caller cannot know how errors look";
    RESPONSE_STATUS_INVALID = Error "response-status-invalid":
        "the key of a response is no status, no range such as `4XX` and not `default`",
        "it never speaks for an answer";
    ACCEPTED_WITHOUT_TASK = Warning "accepted-without-task":
        "a 202 names nothing that can be asked how the work goes",
        "a caller who waits for the end waits for nothing";
    BODY_UNEXPECTED = Warning "body-unexpected":
        "a GET, HEAD or DELETE has a request body",
        "RFC 9110 gives it no meaning: proxies drop it or refuse the request";
    BODY_MEDIA_TYPES = Note "body-media-types":
        "a request body has several media types",
        "tools choose the first or JSON; the others are rarely tried";
    BODY_WITHOUT_JSON = Warning "body-without-json":
        "a request body has neither a JSON nor a form media type",
        "it cannot be put together from names and values, only given whole";
    LINK_BROKEN = Warning "link-broken":
        "a link leads to an operationId that does not exist",
        "it cannot be followed";
    PATH_PARAMETER_UNDECLARED = Error "path-parameter-undeclared":
        "a parameter of the path is not declared",
        "nothing says what it may be, and code has no argument for it";
    PATH_PARAMETER_UNUSED = Warning "path-parameter-unused":
        "a declared path parameter is not in the path",
        "the value that is asked for goes nowhere";
    PATH_PARAMETER_OPTIONAL = Warning "path-parameter-optional":
        "a path parameter is not marked as required",
        "a path without it is another path";
    PARAMETER_DUPLICATE = Error "parameter-duplicate":
        "an operation declares the same parameter twice",
        "only one of the two counts";
    PARAMETER_NAME_CASE = Warning "parameter-name-case":
        "two parameters of an operation differ only in letter case",
        "generated code merges them";
    PARAMETER_WITHOUT_SCHEMA = Warning "parameter-without-schema":
        "a parameter has neither `schema` nor `content`",
        "nothing says what it may be";
    PARAMETER_LOCATION = Error "parameter-location":
        "the `in` of a parameter is not path, query, header or cookie",
        "it is left out";
    PARAMETER_HEADER_IGNORED = Warning "parameter-header-ignored":
        "a header parameter is called Accept, Authorization or Content-Type",
        "the specification says that it shall be ignored";
    SCHEMA_NAME_CASE = Warning "schema-name-case":
        "two schemas differ only in letter case",
        "generators write one file over the other, and fields are lost";
    COMPONENT_NAME_CASE = Warning "component-name-case":
        "two other components differ only in letter case",
        "generators merge them";
    COMPONENT_NAME_INVALID = Warning "component-name-invalid":
        "a component's name has characters beyond letters, digits, `-`, `.`, `_`",
        "generators refuse it or change it";
    COMPONENT_UNUSED = Note "component-unused":
        "nothing refers to a component",
        "it is left over, or a reference to it was forgotten";
    REFERENCE_DANGLING = Error "reference-dangling":
        "a reference leads to nothing",
        "what it stands for is unknown";
    REFERENCE_CIRCULAR = Error "reference-circular":
        "a reference leads back to itself and to nothing else",
        "what it stands for is unknown";
    REFERENCE_EXTERNAL = Error "reference-external":
        "a part in another file or at a URL is not to be had",
        "what it stands for is unknown";
    REFERENCE_KIND = Error "reference-kind":
        "a reference leads to a component of another kind",
        "a parameter is no schema; tools read it as something empty";
    REFERENCE_SIBLING = Warning "reference-sibling":
        "in 3.0, a keyword stands beside `$ref`",
        "it is ignored";
    MEMBER_MISSING = Error "member-missing":
        "a member that the specification requires is missing",
        "tools refuse the document or guess";
    MEMBER_TYPE = Error "member-type":
        "a member has the wrong type",
        "it is ignored";
    MEMBER_UNKNOWN = Warning "member-unknown":
        "a member is not in the specification",
        "it is ignored; often it is a misspelling";
    NULLABLE_WITHOUT_TYPE = Warning "nullable-without-type":
        "in 3.0, `nullable` stands without `type`",
        "by the specification it has no effect; Hallpass allows null";
    TYPE_UNKNOWN = Error "type-unknown":
        "`type` is no type",
        "any value fits";
    ITEMS_WITHOUT_ARRAY = Warning "items-without-array":
        "`items` stands in a schema whose type is not array",
        "one of the two is wrong: a caller does not know whether to expect a list";
    ARRAY_WITHOUT_ITEMS = Warning "array-without-items":
        "an array has no `items`",
        "nothing says what is in the list";
    KEYWORD_WITHOUT_EFFECT = Warning "keyword-without-effect":
        "a keyword is for another type than the schema's",
        "it says nothing, although its author meant something";
    FORMAT_UNKNOWN = Note "format-unknown":
        "a `format` is in no registry",
        "tools treat it as a remark";
    FORMAT_TYPE = Note "format-type":
        "a `format` is for another type than the schema's",
        "tools disagree about which of the two counts";
    ENUM_EMPTY = Error "enum-empty":
        "an `enum` is empty",
        "no value fits";
    ENUM_TYPE = Warning "enum-type":
        "a value of an `enum` does not have the schema's type",
        "it is listed but never accepted";
    ENUM_DUPLICATE = Warning "enum-duplicate":
        "an `enum` lists a value twice",
        "generated code does not compile";
    REQUIRED_UNDECLARED = Warning "required-undeclared":
        "a required property is not among the properties",
        "often a misspelling: nothing says what it is, yet without it a body is refused";
    BOUNDS_IMPOSSIBLE = Error "bounds-impossible":
        "a lower bound lies above the upper one, or a step is not above zero",
        "no value fits";
    PATTERN_UNUSABLE = Warning "pattern-unusable":
        "a `pattern` is no regular expression that can be used",
        "it is not checked";
    READ_AND_WRITE_ONLY = Warning "read-and-write-only":
        "a property is both `readOnly` and `writeOnly`",
        "it can be neither sent nor received";
    DISCRIMINATOR_DANGLING = Error "discriminator-dangling":
        "a discriminator maps to a schema that does not exist",
        "values of that name cannot be read";
    EXAMPLE_INVALID = Warning "example-invalid":
        "an example breaks its own schema",
        "whoever copies it is refused";
    EXAMPLE_UNKNOWN_FIELD = Warning "example-unknown-field":
        "an example has a field that its schema does not declare",
        "one of the two has a misspelling or is out of date";
    EXAMPLE_TWICE = Warning "example-twice":
        "`example` and `examples` stand together, or a value and an external value",
        "the specification allows one, and tools show either";
    DEFAULT_INVALID = Warning "default-invalid":
        "a default breaks its own schema",
        "leaving the value out is refused, or means something else than is said";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_kebab_case_and_used_once() {
        let names: HashSet<&str> = RULES.iter().map(|rule| rule.name).collect();
        assert_eq!(names.len(), RULES.len());
        let plain = |name: &&str| {
            name.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        assert!(names.iter().all(plain));
    }
}
