//! A request of a profile as a program: what somebody would write who calls the API without this
//! library, with the profile's addresses and client id in it and the secret left out.
//!
//! The languages are the `openapi` crate's, which does not know OAuth; here is said what the form is
//! that gets the token (RFC 6749 section 4.4.2), and how the one language with an OAuth library uses it.

use hallpass_openapi::BuiltRequest;
use hallpass_openapi::code::python::{
    QUOTE, Session, encoded_basic, secret_lines, write_with_session,
};
use hallpass_openapi::code::{
    Access, CodeRequest, Language, Program, SecretPlace, SecretSource, TokenForm,
};

use crate::access_token::AccessToken;
use crate::authorization::Prefix;
use crate::profile::{Authentication, Profile};

/// The environment variable that the programs read the secret from; the same as the profile's own.
pub const SECRET_VARIABLE: &str = "HALLPASS_CLIENT_SECRET";

/// The environment variable of a token, for programs that cannot get one themselves.
pub const TOKEN_VARIABLE: &str = "HALLPASS_ACCESS_TOKEN";

/// What a sample is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleLanguage {
    /// A language, with what it has for HTTP.
    Plain(Language),
    /// Python with requests_oauthlib.
    PythonOauthlib,
}

/// A request and what a reader should know about it.
pub struct Sample<'a> {
    /// Whose request it is.
    pub profile: &'a Profile,
    /// The request.
    pub request: &'a BuiltRequest,
    /// What it is, for the first lines.
    pub title: &'a str,
    /// What is to be said at the request.
    pub notes: Vec<String>,
    /// Where the program has its token from.
    pub token: SampleToken<'a>,
    /// What stands before it in the header.
    pub prefix: &'a Prefix,
}

/// Where a program has its token from.
#[derive(Debug, Clone, Copy)]
pub enum SampleToken<'a> {
    /// It gets one as the profile does, where a program can.
    OfProfile,
    /// It stands in the program. Only for one who asks for it.
    Written(&'a AccessToken),
    /// Whoever runs the program gives it one.
    Given,
    /// There is none: the request goes without.
    None,
}

impl Sample<'_> {
    /// The program.
    pub fn write(&self, language: SampleLanguage) -> String {
        match language {
            SampleLanguage::Plain(language) => language.write(&self.program(language)),
            // With a token at hand there is nothing for the library to do, and it knows one prefix only.
            SampleLanguage::PythonOauthlib
                if !self.gets_a_token() || *self.prefix != Prefix::default() =>
            {
                Language::Python.write(&self.program(Language::Python))
            }
            SampleLanguage::PythonOauthlib => {
                let mut program = self.program(Language::Python);
                program.comments.pop();
                program
                    .comments
                    .push("Needs: pip install requests requests_oauthlib".to_owned());
                write_with_session(&program, &self.session())
            }
        }
    }

    fn program(&self, language: Language) -> Program {
        let mut headers = self.request.headers.clone();
        let has = |headers: &[(String, String)], wanted: &str| {
            headers
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case(wanted))
        };
        let json = "application/json".to_owned();
        if !has(&headers, "accept") {
            headers.insert(0, ("Accept".to_owned(), json.clone()));
        }
        if self.request.body.is_some() && !has(&headers, "content-type") {
            headers.push(("Content-Type".to_owned(), json));
        }
        let body = self.request.body.as_deref();
        let base = self.profile.base_url().as_str();
        Program {
            comments: self.comments(language),
            access: self.access(),
            prefix: self.prefix.to_string(),
            notes: self.notes.clone(),
            request: CodeRequest {
                method: self.request.method.clone(),
                url: format!("{base}{}", self.request.path_and_query),
                headers,
                body: body.map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
            },
        }
    }

    fn access(&self) -> Access {
        match self.token {
            SampleToken::None => return Access::None,
            SampleToken::Written(token) => return Access::Token(token.expose().to_owned()),
            SampleToken::OfProfile | SampleToken::Given => {}
        }
        let client_id = self.profile.client_id().as_str().to_owned();
        let mut fields = vec![("grant_type".to_owned(), "client_credentials".to_owned())];
        fields.extend(self.parameters());
        let secret = match self.profile.authentication() {
            _ if !self.gets_a_token() => return Access::Variable(TOKEN_VARIABLE.to_owned()),
            Authentication::PrivateKeyJwt(_) => return Access::Variable(TOKEN_VARIABLE.to_owned()),
            Authentication::Basic => SecretPlace::EncodedBasic(client_id),
            Authentication::BasicUnencoded => SecretPlace::Basic(client_id),
            Authentication::Body => {
                fields.push(("client_id".to_owned(), client_id));
                SecretPlace::Field("client_secret".to_owned())
            }
        };
        Access::Form(TokenForm {
            url: self.profile.token_url().as_str().to_owned(),
            fields,
            secret,
            secret_source: SecretSource::Variable(SECRET_VARIABLE.to_owned()),
            member: "access_token".to_owned(),
        })
    }

    /// What the profile asks for besides a token.
    fn parameters(&self) -> Vec<(String, String)> {
        let one = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let scope = self.profile.scope().map(|scope| one("scope", scope));
        let audience = self
            .profile
            .audience()
            .map(|audience| one("audience", audience));
        let resources = self.profile.resources().iter();
        let resources = resources.map(|resource| one("resource", resource));
        scope.into_iter().chain(audience).chain(resources).collect()
    }

    /// Whether the program gets its token itself: signing an assertion is not its business.
    fn gets_a_token(&self) -> bool {
        let signs = matches!(
            self.profile.authentication(),
            Authentication::PrivateKeyJwt(_)
        );
        matches!(self.token, SampleToken::OfProfile) && !signs
    }

    /// The last line says what the program needs.
    fn comments(&self, language: Language) -> Vec<String> {
        let mut comments = vec![self.title.to_owned(), String::new()];
        if self.gets_a_token() {
            comments.push(
                "Each run gets a new token. A server that keeps one token per credential ends the \
                 token before it."
                    .to_owned(),
            );
        }
        comments.push(match self.token {
            SampleToken::None => "The request goes without a token.".to_owned(),
            SampleToken::Written(_) => {
                "An access token stands in here: treat this file like a password. It works \
                        until the token ends."
                    .to_owned()
            }
            _ if !self.gets_a_token() => format!(
                "The access token is not in here: it is read from the environment variable \
                 {TOKEN_VARIABLE}, as in {TOKEN_VARIABLE}=$(hallpass token)."
            ),
            _ => format!(
                "The client secret is not in here: it is read from the environment variable \
                 {SECRET_VARIABLE}."
            ),
        });
        if let Some(file) = self.profile.ca_file() {
            comments.push(format!("{} {}", trust(language), file.display()));
        }
        if self.profile.client_certificate().is_some() {
            comments.push(
                "The profile presents a client certificate; this program does not yet.".to_owned(),
            );
        }
        comments.push(needs(language).to_owned());
        comments
    }

    /// The library sends what the profile sends, and puts the token on the requests.
    fn session(&self) -> Session {
        let client_id = Language::Python.literal(self.profile.client_id().as_str());
        let token_url = Language::Python.literal(self.profile.token_url().as_str());
        let scope = self.profile.scope().map_or_else(String::new, |scope| {
            format!(", scope={}", Language::Python.literal(scope))
        });
        let mut imports = vec!["from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error"];
        let credential = match self.profile.authentication() {
            Authentication::Basic => {
                imports.splice(..0, [QUOTE, ""]);
                imports.push("from requests.auth import HTTPBasicAuth");
                let parts = encoded_basic(self.profile.client_id().as_str());
                format!("auth=HTTPBasicAuth{parts}")
            }
            // As bytes, since `requests` would write a text in Latin-1.
            Authentication::BasicUnencoded => {
                imports.push("from requests.auth import HTTPBasicAuth");
                format!("auth=HTTPBasicAuth({client_id}.encode(), secret.encode())")
            }
            Authentication::Body | Authentication::PrivateKeyJwt(_) => {
                "client_secret=secret,\n        include_client_id=True".to_owned()
            }
        };
        imports.push("from requests_oauthlib import OAuth2Session");
        let others = self
            .parameters()
            .into_iter()
            .filter(|(name, _)| name != "scope");
        let others: Vec<String> = others
            .map(|(name, value)| format!("\n        {name}={},", Language::Python.literal(&value)))
            .collect();
        let others = others.concat();
        let local = if self.profile.token_url().as_str().starts_with("http:") {
            "# The library refuses plain HTTP, also to this machine, unless it is told.\n\
             os.environ.setdefault(\"OAUTHLIB_INSECURE_TRANSPORT\", \"1\")\n"
        } else {
            ""
        };
        let lines = format!(
            "{secret}
{local}session = OAuth2Session(
    client=BackendApplicationClient(client_id={client_id}{scope}),
)
try:
    session.fetch_token(
        {token_url},
        {credential},{others}
        timeout=60,
    )
except OAuth2Error as error:
    print(\"no access token:\", error, file=sys.stderr)
    sys.exit(3)
",
            secret = secret_lines(SECRET_VARIABLE),
        );
        Session {
            imports: imports.into_iter().map(str::to_owned).collect(),
            lines: lines.lines().map(str::to_owned).collect(),
        }
    }
}

fn needs(language: Language) -> &'static str {
    match language {
        Language::Curl => "Needs: bash and curl",
        Language::Go => "Needs: Go 1.18 or newer; save as main.go, run with: go run main.go",
        Language::JavaScript => "Needs: Node.js 18 or newer",
        Language::PowerShell => "Needs: Windows PowerShell 5.1 or PowerShell 7",
        Language::Python => "Needs: pip install requests",
        Language::Rust => {
            "Needs: cargo add serde_json && cargo add reqwest@0.13 --features blocking,form"
        }
    }
}

/// How a program is told of the profile's own certificate authority.
fn trust(language: Language) -> &'static str {
    match language {
        Language::Curl => {
            "The server has a certificate of its own authority: CURL_CA_BUNDLE must name"
        }
        Language::Go => {
            "The server has a certificate of its own authority: SSL_CERT_FILE must name"
        }
        Language::JavaScript => {
            "The server has a certificate of its own authority: NODE_EXTRA_CA_CERTS must name"
        }
        Language::Python => {
            "The server has a certificate of its own authority: REQUESTS_CA_BUNDLE must name"
        }
        Language::PowerShell | Language::Rust => {
            "The server has a certificate of its own authority: the system must trust"
        }
    }
}
