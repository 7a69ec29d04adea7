//! Every text of a workspace that a person may have typed a secret into, with the words for where it is.

use crate::workspace::{AuthorizationSettings, Draft, Literal, Row, RowPlace, Workspace};

/// A text of a workspace.
pub(super) struct Leaf<'a> {
    /// Where it is, in words.
    pub(super) place: String,
    /// What it is called there.
    pub(super) name: &'a str,
    pub(super) text: &'a str,
    pub(super) kind: Kind,
}

/// What a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// People read it.
    Words,
    /// It is sent under its name.
    Value,
    /// It is sent as a header.
    Header,
    /// It is an address, or part of one.
    Address,
    /// It is the body of a request.
    Body,
    /// Nothing but names of variables may stand there.
    Reference,
}

/// All of them.
pub(super) fn of(workspace: &Workspace) -> Vec<Leaf<'_>> {
    let mut leaves = Leaves(Vec::new());
    leaves.add("the workspace", "name", &workspace.name, Kind::Words);
    for definition in &workspace.definitions {
        let place = format!("the definition {:?}", definition.title);
        leaves.add(&place, "title", &definition.title, Kind::Words);
        leaves.add(&place, "version", &definition.version, Kind::Words);
        leaves.add(&place, "source", &definition.source, Kind::Address);
    }
    for environment in &workspace.environments {
        let place = format!("the environment {:?}", environment.name);
        leaves.add(&place, "name", &environment.name, Kind::Words);
        for variable in &environment.variables {
            let place = format!("{place}, variable {:?}", variable.name);
            leaves.add(&place, "name", &variable.name, Kind::Words);
            let kind = if variable.secret {
                Kind::Reference
            } else {
                Kind::Value
            };
            leaves.add(&place, &variable.name, &variable.initial, kind);
        }
    }
    leaves.authorization(
        "the authorization of the workspace",
        &workspace.authorization,
    );
    for saved in &workspace.saved {
        let place = format!("the saved request {:?}", saved.name);
        leaves.add(&place, "name", &saved.name, Kind::Words);
        leaves.draft(&place, &saved.request);
    }
    leaves.0
}

/// All of a request.
pub(super) fn of_draft<'a>(place: &str, draft: &'a Draft) -> Vec<Leaf<'a>> {
    let mut leaves = Leaves(Vec::new());
    leaves.draft(place, draft);
    leaves.0
}

struct Leaves<'a>(Vec<Leaf<'a>>);

impl<'a> Leaves<'a> {
    fn add(&mut self, place: &str, name: &'a str, text: &'a str, kind: Kind) {
        let place = place.to_owned();
        self.0.push(Leaf {
            place,
            name,
            text,
            kind,
        });
    }

    fn draft(&mut self, place: &str, draft: &'a Draft) {
        self.add(
            &format!("{place}, address"),
            "address",
            &draft.url,
            Kind::Address,
        );
        for row in draft.parameters.iter().chain(&draft.headers) {
            self.row(place, row);
        }
        if let Some(body) = &draft.body {
            self.add(&format!("{place}, body"), "body", &body.text, Kind::Body);
        }
        if let Some(settings) = &draft.authorization {
            self.authorization(&format!("{place}, authorization"), settings);
        }
    }

    fn row(&mut self, place: &str, row: &'a Row) {
        let (what, kind) = match row.place {
            RowPlace::Header => ("header", Kind::Header),
            // All cookies are one header.
            RowPlace::Cookie => ("cookie", Kind::Reference),
            RowPlace::Path | RowPlace::Query => ("parameter", Kind::Value),
        };
        let place = format!("{place}, {what} {:?}", row.name);
        self.add(&place, "name", &row.name, Kind::Words);
        self.add(&place, &row.name, &row.value, kind);
    }

    fn authorization(&mut self, place: &str, settings: &'a AuthorizationSettings) {
        match settings {
            AuthorizationSettings::None => {}
            AuthorizationSettings::Profile { profile } => {
                self.add(place, "profile", profile, Kind::Words);
            }
            AuthorizationSettings::Bearer {
                header_prefix,
                token,
            } => {
                self.add(place, "header prefix", header_prefix, Kind::Words);
                self.literal(&format!("{place}, token"), token);
            }
            AuthorizationSettings::OAuth2(settings) => {
                for (name, text) in [
                    ("token name", &settings.token_name),
                    ("client id", &settings.client_id),
                    ("scope", &settings.scope),
                    ("header prefix", &settings.header_prefix),
                ] {
                    self.add(&format!("{place}, {name}"), name, text, Kind::Words);
                }
                let url = &settings.access_token_url;
                let at = format!("{place}, access token URL");
                self.add(&at, "access token URL", url, Kind::Address);
                self.literal(&format!("{place}, client secret"), &settings.client_secret);
            }
        }
    }

    fn literal(&mut self, place: &str, literal: &'a Literal) {
        match literal {
            Literal::Reference { text } => self.add(place, "secret", text, Kind::Reference),
            Literal::Empty | Literal::Kept { .. } => {}
        }
    }
}
