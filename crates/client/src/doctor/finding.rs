//! What was found at one step.

/// The steps, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Whether the names of the hosts mean something.
    Names,
    /// Whether a connection stands, through a proxy if there is one, and TLS is trusted.
    Connection,
    /// Whether the clocks agree.
    Clock,
    /// What the authorization server publishes about itself (RFC 8414).
    Metadata,
    /// Whether there is a token.
    Credential,
    /// Whether the API takes the token: it is for one service and region.
    Region,
    /// Whether the credential's owner may read.
    Permission,
    /// Whether the API is what its definition says.
    Definition,
}

impl Step {
    /// One word for people and scripts.
    pub fn word(self) -> &'static str {
        match self {
            Self::Names => "names",
            Self::Connection => "connection",
            Self::Clock => "clock",
            Self::Metadata => "metadata",
            Self::Credential => "credential",
            Self::Region => "region",
            Self::Permission => "permission",
            Self::Definition => "definition",
        }
    }
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// All is well.
    Fine,
    /// Worth knowing; or nothing could be found out.
    Note,
    /// It works, but not as it should.
    Warning,
    /// It does not work.
    Failed,
}

impl Verdict {
    /// One word for people and scripts.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where on the way.
    pub step: Step,
    /// How it is.
    pub verdict: Verdict,
    /// What was found.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Finding {
    pub(super) fn new(step: Step, verdict: Verdict, message: impl Into<String>) -> Self {
        Self {
            step,
            verdict,
            message: message.into(),
            hint: None,
        }
    }

    pub(super) fn fine(step: Step, message: impl Into<String>) -> Self {
        Self::new(step, Verdict::Fine, message)
    }

    pub(super) fn note(step: Step, message: impl Into<String>) -> Self {
        Self::new(step, Verdict::Note, message)
    }

    pub(super) fn warning(step: Step, message: impl Into<String>) -> Self {
        Self::new(step, Verdict::Warning, message)
    }

    /// It does not work.
    pub fn failed(step: Step, message: impl Into<String>) -> Self {
        Self::new(step, Verdict::Failed, message)
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// An error and its causes in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = cause.source();
    }
    text
}
