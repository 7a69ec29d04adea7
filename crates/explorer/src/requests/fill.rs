//! The texts of a draft with values in place of their `{{names}}`: as they are sent, or as they are
//! shown, with every secret masked.

use hallpass_client::Secret;

use crate::variables::{Meanings, Piece, Used};
use crate::workspace::{Draft, Row, RowPlace};

/// For whom the texts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    /// For the server: secrets and all.
    Sent,
    /// For people: secrets are masked.
    Shown,
}

/// The texts of a draft.
pub(super) struct Filled {
    pub(super) url: String,
    /// The address cut where names stood.
    pub(super) pieces: Vec<Piece>,
    /// Parameters that are on.
    pub(super) parameters: Vec<FilledRow>,
    /// Headers that are on.
    pub(super) headers: Vec<FilledRow>,
    pub(super) body: Option<FilledBody>,
    /// The variables that were named, each once.
    pub(super) used: Vec<Used>,
    /// Those without a value, and where they are named.
    pub(super) missing: Vec<Missing>,
}

/// A parameter or a header.
pub(super) struct FilledRow {
    pub(super) name: String,
    pub(super) place: RowPlace,
    pub(super) value: String,
    /// Whether a secret is in the value.
    pub(super) secret: bool,
}

/// A body.
pub(super) struct FilledBody {
    pub(super) media_type: String,
    pub(super) text: String,
}

/// A variable without a value.
pub(super) struct Missing {
    pub(super) name: String,
    pub(super) why: String,
    pub(super) at: Place,
}

/// A place in a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Address,
    Row(String, RowPlace),
    Body,
}

impl Filled {
    /// Puts values in place of the names of a draft.
    pub(super) fn of(draft: &Draft, meanings: &Meanings, face: Face) -> Self {
        let mut filling = Filling {
            meanings,
            face,
            used: Vec::new(),
            missing: Vec::new(),
        };
        let (url, pieces, _) = filling.text(&draft.url, Place::Address);
        let parameters = filling.rows(&draft.parameters);
        let headers = filling.rows(&draft.headers);
        let mut body = None;
        if let Some(one) = &draft.body {
            let (text, _, _) = filling.text(&one.text, Place::Body);
            let media_type = one.media_type.trim().to_owned();
            body = Some(FilledBody { media_type, text });
        }
        Self {
            url: url.trim().to_owned(),
            pieces,
            parameters,
            headers,
            body,
            used: filling.used,
            missing: filling.missing,
        }
    }

    /// Whether a secret is in the value of this name.
    pub(super) fn is_secret(&self, name: &str) -> bool {
        let rows = self.parameters.iter().chain(&self.headers);
        rows.into_iter().any(|row| row.secret && row.name == name)
    }
}

struct Filling<'a> {
    meanings: &'a Meanings,
    face: Face,
    used: Vec<Used>,
    missing: Vec<Missing>,
}

impl Filling<'_> {
    fn rows(&mut self, rows: &[Row]) -> Vec<FilledRow> {
        let mut filled = Vec::new();
        for row in rows.iter().filter(|row| row.on && !row.name.is_empty()) {
            let place = Place::Row(row.name.clone(), row.place);
            let (value, _, secret) = self.text(&row.value, place);
            filled.push(FilledRow {
                name: row.name.clone(),
                place: row.place,
                value,
                secret,
            });
        }
        filled
    }

    fn text(&mut self, text: &str, at: Place) -> (String, Vec<Piece>, bool) {
        let resolved = self.meanings.resolve(text);
        for used in &resolved.used {
            if used.missing {
                self.missing.push(Missing {
                    name: used.name.clone(),
                    why: used.from.clone(),
                    at: at.clone(),
                });
            }
            if !self.used.iter().any(|known| known.name == used.name) {
                self.used.push(used.clone());
            }
        }
        let secret = resolved.is_secret();
        let text = match self.face {
            Face::Shown => resolved.masked,
            Face::Sent => exposed(&resolved.text),
        };
        (text, resolved.pieces, secret)
    }
}

fn exposed(text: &Secret) -> String {
    text.expose().to_owned()
}
