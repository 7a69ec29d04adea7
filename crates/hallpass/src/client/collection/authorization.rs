//! How the requests of a collection get their access token (RFC 6749 section 4.4).
//!
//! Postman's own dialog does it by hand (domain.md section 9, steps 10 to 15); newman only sends a
//! token that it is given. A script before each request serves both: with a client secret it gets a token when there
//! is no good one, and without it leaves everything alone.

use hallpass_client::profile::{Authentication, Profile};
use serde_json::{Value, json};

/// The variable with the address of the token endpoint.
pub(super) const TOKEN_URL: &str = "tokenUrl";
/// The variable with the client id.
pub(super) const CLIENT_ID: &str = "clientId";
/// The variable that the user puts the secret into.
pub(super) const CLIENT_SECRET: &str = "clientSecret";

/// What stands above the collection.
pub(super) const WORDS: &str = "\
Put the client secret into the variable clientSecret, as a current value, which stays on your machine. A script \
then gets an access token before the first request and whenever one ends.

Or leave clientSecret empty, and press Get New Access Token in the Authorization tab, or give a token as the \
variable accessToken.";

const SCRIPT: &str = include_str!("access_token.js");

/// The authorization that every request inherits, under the names that Postman gives to the fields
/// of its dialog.
pub(super) fn auth(profile: &Profile) -> Value {
    // Postman's dialog cannot sign an assertion; whoever has a key gives it a token.
    let place = match profile.authentication() {
        Authentication::Body | Authentication::PrivateKeyJwt(_) => "body",
        Authentication::Basic | Authentication::BasicUnencoded => "header",
    };
    let scope = profile.scope().unwrap_or_default();
    let fields = [
        ("tokenName", "Hallpass"),
        ("grant_type", "client_credentials"),
        ("accessTokenUrl", "{{tokenUrl}}"),
        ("clientId", "{{clientId}}"),
        ("clientSecret", "{{clientSecret}}"),
        ("scope", scope),
        ("client_authentication", place),
        ("addTokenTo", "header"),
        ("headerPrefix", "Bearer"),
        ("accessToken", "{{accessToken}}"),
    ];
    let field = |(key, value): (&str, &str)| json!({"key": key, "value": value, "type": "string"});
    let mut fields: Vec<Value> = fields.into_iter().map(field).collect();
    let others = parameters(profile).filter(|(name, _)| *name != "scope");
    let others = others.map(|(key, value)| {
        json!({"key": key, "value": value, "enabled": true, "send_as": "request_body"})
    });
    let others: Vec<Value> = others.collect();
    if !others.is_empty() {
        fields.push(json!({"key": "tokenRequestParams", "value": others, "type": "any"}));
    }
    json!({"type": "oauth2", "oauth2": fields})
}

/// What the profile asks for besides a token.
fn parameters(profile: &Profile) -> impl Iterator<Item = (&'static str, &str)> {
    let scope = profile.scope().map(|scope| ("scope", scope));
    let audience = profile.audience().map(|audience| ("audience", audience));
    let resources = profile.resources().iter();
    let resources = resources.map(|resource| ("resource", resource.as_str()));
    scope.into_iter().chain(audience).chain(resources)
}

/// What runs after each answer. A runner counts a refusal as a failure only if a test says so; and a
/// token that is refused, because another program got a new one, is not used again.
pub(super) const AFTERWARDS: [&str; 6] = [
    "pm.test(\"the request was not refused\", function () {",
    "    pm.expect(pm.response.code).to.be.below(400);",
    "});",
    "if (pm.response.code === 401) {",
    "    pm.collectionVariables.unset(\"accessToken\");",
    "}",
];

/// What runs before each request, line by line.
pub(super) fn script(profile: &Profile) -> Vec<String> {
    let parameters: Value = parameters(profile)
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect();
    let authentication = match profile.authentication() {
        Authentication::BasicUnencoded => "basic, unencoded",
        other => other.word(),
    };
    let settings = [
        ("authentication", authentication.into()),
        ("parameters", parameters),
    ];
    let settings = settings.map(|(name, value)| format!("const {name} = {value};"));
    let lines = SCRIPT.lines().map(str::to_owned);
    settings.into_iter().chain(lines).collect()
}
