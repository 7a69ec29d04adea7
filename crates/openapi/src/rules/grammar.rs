//! What an OpenAPI document may hold where (OpenAPI 3.0.3 and 3.1.0, section "Schema").
//!
//! One table per kind of object. The tour follows it, so a property called `example` is never
//! taken for an example, and whatever a table does not know is a finding.

use Holds::{Any, Counted, Flag, Limit, List, Many, Map, Object, One, Patterned, Text};
use Kind as K;

/// A kind of object of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Callback,
    Components,
    Contact,
    Document,
    Encoding,
    Example,
    ExternalDocs,
    Flow,
    Flows,
    Header,
    Info,
    License,
    Link,
    MediaType,
    Operation,
    Parameter,
    PathItem,
    RequestBody,
    Response,
    Schema,
    SecurityScheme,
    Server,
    ServerVariable,
    Tag,
}

/// What a member of an object may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// Data, or something that is not looked into.
    Any,
    Text,
    Flag,
    /// A number.
    Limit,
    /// A number; in 3.0 of the exclusive limits a flag.
    Counted,
    List,
    Object,
    /// An object of a kind.
    One(Kind),
    /// Objects of a kind under names that the author gives.
    Map(Kind),
    /// The same, but names with `x-` are extensions.
    Patterned(Kind),
    /// A list of objects of a kind.
    Many(Kind),
}

/// A member that an object may have.
pub(super) struct Member {
    pub(super) name: &'static str,
    pub(super) holds: Holds,
    /// The specification says REQUIRED.
    pub(super) required: bool,
}

const fn may(name: &'static str, holds: Holds) -> Member {
    Member {
        name,
        holds,
        required: false,
    }
}

const fn must(name: &'static str, holds: Holds) -> Member {
    Member {
        name,
        holds,
        required: true,
    }
}

impl Kind {
    /// What it is called in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            K::Callback => "a callback",
            K::Components => "the components",
            K::Contact => "the contact",
            K::Document => "the document",
            K::Encoding => "an encoding",
            K::Example => "an example",
            K::ExternalDocs => "a link to documentation",
            K::Flow => "an OAuth flow",
            K::Flows => "the OAuth flows",
            K::Header => "a header",
            K::Info => "the information",
            K::License => "the licence",
            K::Link => "a link",
            K::MediaType => "a media type",
            K::Operation => "an operation",
            K::Parameter => "a parameter",
            K::PathItem => "a path",
            K::RequestBody => "a request body",
            K::Response => "a response",
            K::Schema => "a schema",
            K::SecurityScheme => "a security scheme",
            K::Server => "a server",
            K::ServerVariable => "a server variable",
            K::Tag => "a tag",
        }
    }

    /// Where under `components` such objects are kept; only those can be referred to.
    pub(super) fn section(self) -> Option<&'static str> {
        Some(match self {
            K::Callback => "callbacks",
            K::Example => "examples",
            K::Header => "headers",
            K::Link => "links",
            K::Parameter => "parameters",
            K::PathItem => "pathItems",
            K::RequestBody => "requestBodies",
            K::Response => "responses",
            K::Schema => "schemas",
            K::SecurityScheme => "securitySchemes",
            _ => return None,
        })
    }

    /// The members it may have.
    pub(super) fn members(self) -> &'static [Member] {
        match self {
            K::Schema => &SCHEMA,
            K::Operation => &OPERATION,
            K::Parameter => &PARAMETER,
            K::Header => &HEADER,
            K::MediaType => &MEDIA_TYPE,
            K::Response => &RESPONSE,
            K::RequestBody => &REQUEST_BODY,
            K::PathItem => &PATH_ITEM,
            K::Components => &COMPONENTS,
            K::Document => &DOCUMENT,
            K::Info => &INFO,
            K::SecurityScheme => &SECURITY_SCHEME,
            K::Flows => &FLOWS,
            K::Flow => &FLOW,
            K::Link => &LINK,
            K::Example => &EXAMPLE,
            K::Server => &SERVER,
            K::ServerVariable => &SERVER_VARIABLE,
            K::Encoding => &ENCODING,
            K::Contact => &CONTACT,
            K::License => &LICENSE,
            K::Tag => &TAG,
            K::ExternalDocs => &EXTERNAL_DOCS,
            K::Callback => &[],
        }
    }
}

const DOCUMENT: [Member; 10] = [
    must("openapi", Any),
    must("info", One(K::Info)),
    may("paths", Patterned(K::PathItem)),
    may("components", One(K::Components)),
    may("servers", Many(K::Server)),
    may("security", List),
    may("tags", Many(K::Tag)),
    may("externalDocs", One(K::ExternalDocs)),
    may("webhooks", Map(K::PathItem)),
    may("jsonSchemaDialect", Text),
];

const INFO: [Member; 7] = [
    must("title", Text),
    must("version", Any),
    may("description", Text),
    may("license", One(K::License)),
    may("contact", One(K::Contact)),
    may("termsOfService", Text),
    may("summary", Text),
];

const LICENSE: [Member; 3] = [
    must("name", Text),
    may("url", Text),
    may("identifier", Text),
];

const CONTACT: [Member; 3] = [may("name", Text), may("url", Text), may("email", Text)];

const TAG: [Member; 3] = [
    must("name", Text),
    may("description", Text),
    may("externalDocs", One(K::ExternalDocs)),
];

const EXTERNAL_DOCS: [Member; 2] = [must("url", Text), may("description", Text)];

const SERVER: [Member; 3] = [
    must("url", Text),
    may("description", Text),
    may("variables", Map(K::ServerVariable)),
];

const SERVER_VARIABLE: [Member; 3] = [
    must("default", Any),
    may("enum", List),
    may("description", Text),
];

const COMPONENTS: [Member; 10] = [
    may("schemas", Map(K::Schema)),
    may("parameters", Map(K::Parameter)),
    may("responses", Map(K::Response)),
    may("requestBodies", Map(K::RequestBody)),
    may("headers", Map(K::Header)),
    may("examples", Map(K::Example)),
    may("securitySchemes", Map(K::SecurityScheme)),
    may("links", Map(K::Link)),
    may("callbacks", Map(K::Callback)),
    may("pathItems", Map(K::PathItem)),
];

const PATH_ITEM: [Member; 13] = [
    may("get", One(K::Operation)),
    may("put", One(K::Operation)),
    may("post", One(K::Operation)),
    may("delete", One(K::Operation)),
    may("options", One(K::Operation)),
    may("head", One(K::Operation)),
    may("patch", One(K::Operation)),
    may("trace", One(K::Operation)),
    may("parameters", Many(K::Parameter)),
    may("summary", Text),
    may("description", Text),
    may("servers", Many(K::Server)),
    may("$ref", Text),
];

const OPERATION: [Member; 12] = [
    may("operationId", Text),
    may("summary", Text),
    may("description", Text),
    may("tags", List),
    may("parameters", Many(K::Parameter)),
    may("requestBody", One(K::RequestBody)),
    may("responses", Patterned(K::Response)),
    may("security", List),
    may("deprecated", Flag),
    may("callbacks", Map(K::Callback)),
    may("servers", Many(K::Server)),
    may("externalDocs", One(K::ExternalDocs)),
];

const PARAMETER: [Member; 13] = [
    must("name", Text),
    must("in", Text),
    may("required", Flag),
    may("schema", One(K::Schema)),
    may("description", Text),
    may("example", Any),
    may("examples", Map(K::Example)),
    may("content", Map(K::MediaType)),
    may("style", Text),
    may("explode", Flag),
    may("deprecated", Flag),
    may("allowEmptyValue", Flag),
    may("allowReserved", Flag),
];

const HEADER: [Member; 11] = [
    may("schema", One(K::Schema)),
    may("description", Text),
    may("required", Flag),
    may("example", Any),
    may("examples", Map(K::Example)),
    may("content", Map(K::MediaType)),
    may("style", Text),
    may("explode", Flag),
    may("deprecated", Flag),
    may("allowEmptyValue", Flag),
    may("allowReserved", Flag),
];

const REQUEST_BODY: [Member; 3] = [
    must("content", Map(K::MediaType)),
    may("required", Flag),
    may("description", Text),
];

const RESPONSE: [Member; 4] = [
    must("description", Text),
    may("content", Map(K::MediaType)),
    may("headers", Map(K::Header)),
    may("links", Map(K::Link)),
];

const MEDIA_TYPE: [Member; 4] = [
    may("schema", One(K::Schema)),
    may("example", Any),
    may("examples", Map(K::Example)),
    may("encoding", Map(K::Encoding)),
];

const ENCODING: [Member; 5] = [
    may("contentType", Text),
    may("headers", Map(K::Header)),
    may("style", Text),
    may("explode", Flag),
    may("allowReserved", Flag),
];

const EXAMPLE: [Member; 4] = [
    may("value", Any),
    may("summary", Text),
    may("description", Text),
    may("externalValue", Text),
];

const LINK: [Member; 6] = [
    may("operationId", Text),
    may("operationRef", Text),
    may("parameters", Object),
    may("requestBody", Any),
    may("description", Text),
    may("server", One(K::Server)),
];

const SECURITY_SCHEME: [Member; 8] = [
    must("type", Text),
    may("description", Text),
    may("name", Text),
    may("in", Text),
    may("scheme", Text),
    may("bearerFormat", Text),
    may("flows", One(K::Flows)),
    may("openIdConnectUrl", Text),
];

const FLOWS: [Member; 4] = [
    may("clientCredentials", One(K::Flow)),
    may("authorizationCode", One(K::Flow)),
    may("implicit", One(K::Flow)),
    may("password", One(K::Flow)),
];

const FLOW: [Member; 4] = [
    may("authorizationUrl", Text),
    may("tokenUrl", Text),
    may("refreshUrl", Text),
    must("scopes", Object),
];

/// The keywords of 3.0 and of 3.1, where any other keyword is allowed too.
const SCHEMA: [Member; 58] = [
    may("type", Any),
    may("description", Text),
    may("example", Any),
    may("nullable", Flag),
    may("format", Text),
    may("properties", Map(K::Schema)),
    may("required", List),
    may("items", One(K::Schema)),
    may("enum", List),
    may("allOf", Many(K::Schema)),
    may("anyOf", Many(K::Schema)),
    may("oneOf", Many(K::Schema)),
    may("not", One(K::Schema)),
    may("additionalProperties", One(K::Schema)),
    may("title", Text),
    may("default", Any),
    may("minimum", Limit),
    may("maximum", Limit),
    may("exclusiveMinimum", Counted),
    may("exclusiveMaximum", Counted),
    may("multipleOf", Limit),
    may("minLength", Limit),
    may("maxLength", Limit),
    may("minItems", Limit),
    may("maxItems", Limit),
    may("uniqueItems", Flag),
    may("minProperties", Limit),
    may("maxProperties", Limit),
    may("pattern", Text),
    may("readOnly", Flag),
    may("writeOnly", Flag),
    may("deprecated", Flag),
    may("discriminator", Object),
    may("xml", Object),
    may("externalDocs", One(K::ExternalDocs)),
    may("$ref", Text),
    may("const", Any),
    may("examples", List),
    may("patternProperties", Map(K::Schema)),
    may("propertyNames", One(K::Schema)),
    may("dependentSchemas", Map(K::Schema)),
    may("dependentRequired", Object),
    may("prefixItems", Many(K::Schema)),
    may("contains", One(K::Schema)),
    may("minContains", Limit),
    may("maxContains", Limit),
    may("if", One(K::Schema)),
    may("then", One(K::Schema)),
    may("else", One(K::Schema)),
    may("unevaluatedItems", One(K::Schema)),
    may("unevaluatedProperties", One(K::Schema)),
    may("contentSchema", One(K::Schema)),
    may("contentEncoding", Text),
    may("contentMediaType", Text),
    may("$defs", Map(K::Schema)),
    may("$id", Text),
    may("$anchor", Text),
    may("$comment", Text),
];

/// From here on the keywords of a schema are of 3.1 only.
const FIRST_NEW_KEYWORD: &str = "const";

/// Whether OpenAPI 3.0 knows the member.
pub(super) fn is_old(kind: Kind, name: &str) -> bool {
    match (kind, name) {
        (K::Document, "webhooks" | "jsonSchemaDialect")
        | (K::Info, "summary")
        | (K::License, "identifier")
        | (K::Components, "pathItems") => false,
        (K::Schema, name) => SCHEMA
            .iter()
            .take_while(|member| member.name != FIRST_NEW_KEYWORD)
            .any(|member| member.name == name),
        _ => true,
    }
}
