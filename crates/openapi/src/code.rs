//! A request as a program that can be run, in several languages.
//!
//! A [`Program`] is the request, complete with its server, and a description of how the token is
//! got that it carries: a form that another server answers with JSON. What the form means is not
//! known here. The secret in it is never part of a program: it is read from the environment when the
//! program runs, or a word stands for it that the reader replaces.
//!
//! Whatever the values are, the program means exactly them: each language has its own way to write
//! a text ([`Language::literal`]), and what stands in comments can neither end the comment nor
//! disguise what follows it.
//!
//! All programs end with 0 when the API did what was asked, with 1 when it did not, with 2 without
//! the secret and with 3 without a token.

mod curl;
mod go;
mod javascript;
mod powershell;
pub mod python;
mod rust;
mod text;

use http::Method;

/// What a program is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// bash and curl.
    Curl,
    /// Go with its standard library.
    Go,
    /// JavaScript for Node.js 18 and newer, without packages.
    JavaScript,
    /// Windows PowerShell 5.1 and PowerShell 7.
    PowerShell,
    /// Python 3 with requests.
    Python,
    /// Rust with reqwest and serde_json.
    Rust,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Curl,
        Self::Go,
        Self::JavaScript,
        Self::PowerShell,
        Self::Python,
        Self::Rust,
    ];

    /// The program.
    pub fn write(self, program: &Program) -> String {
        match self {
            Self::Curl => curl::write(program),
            Self::Go => go::write(program),
            Self::JavaScript => javascript::write(program),
            Self::PowerShell => powershell::write(program),
            Self::Python => python::write(program),
            Self::Rust => rust::write(program),
        }
    }

    /// An expression of the language whose value is this text. bash knows no text with a NUL.
    pub fn literal(self, text: &str) -> String {
        match self {
            Self::Curl => curl::literal(text),
            Self::Go => go::literal(text),
            Self::JavaScript => javascript::literal(text),
            Self::PowerShell => powershell::literal(text),
            Self::Python => python::literal(text),
            Self::Rust => rust::literal(text),
        }
    }
}

/// What a program does.
#[derive(Clone)]
pub struct Program {
    /// Lines above everything, for the reader.
    pub comments: Vec<String>,
    /// How it gets its token.
    pub access: Access,
    /// What stands before the token in `Authorization`: usually `Bearer` (RFC 6750 section 2.1). Where it is
    /// empty, the token stands alone.
    pub prefix: String,
    /// Lines above the request.
    pub notes: Vec<String>,
    /// The request.
    pub request: CodeRequest,
}

impl Program {
    /// What stands before the token, with the blank between.
    fn before_token(&self) -> String {
        match self.prefix.as_str() {
            "" => String::new(),
            prefix => format!("{prefix} "),
        }
    }

    /// The same as an expression of the language, where the request goes with a token.
    fn authorization(&self, language: Language) -> Option<String> {
        let before = language.literal(&self.before_token());
        (!matches!(self.access, Access::None)).then_some(before)
    }
}

/// A complete request.
#[derive(Clone)]
pub struct CodeRequest {
    /// The method.
    pub method: Method,
    /// The whole address, percent-encoded.
    pub url: String,
    /// All headers but the `Authorization` of the token.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<String>,
}

/// Where the token comes from that is sent as `Authorization`.
#[derive(Clone)]
pub enum Access {
    /// There is none: the request goes without.
    None,
    /// It stands in the program. Everybody who reads the program can use it.
    Token(String),
    /// It is in the environment variable of this name.
    Variable(String),
    /// Another server gives it.
    Form(TokenForm),
}

/// A form that a server answers with a token.
#[derive(Debug, Clone)]
pub struct TokenForm {
    /// Where it is posted to.
    pub url: String,
    /// Its fields, without the secret.
    pub fields: Vec<(String, String)>,
    /// How the secret is sent.
    pub secret: SecretPlace,
    /// Where the program has the secret from.
    pub secret_source: SecretSource,
    /// The member of the JSON answer that is the token.
    pub member: String,
}

/// Where a program has its secret from.
#[derive(Debug, Clone)]
pub enum SecretSource {
    /// The environment variable of this name. Without it the program ends.
    Variable(String),
    /// Whoever uses the program puts it in the place of this word.
    Placeholder(String),
}

/// How a secret is sent.
#[derive(Debug, Clone)]
pub enum SecretPlace {
    /// As a field of the form, after the others.
    Field(String),
    /// As the password of HTTP Basic authentication (RFC 7617), with this user name.
    Basic(String),
    /// The same, with name and password form-encoded first, as RFC 6749 section 2.3.1 has it.
    EncodedBasic(String),
}

#[cfg(test)]
mod tests;
