//! What may be kept of a request: everything but secrets. What looks like one is said by `sharing`, for
//! what is kept and for what is shared alike.

use hallpass_client::Secret;

use super::masking::Masking;
use crate::Explorer;
use crate::answer::Failure;
use crate::id::Id;
use crate::sharing::secrets_in;
use crate::visitor::Visitor;
use crate::workspace::{AuthorizationSettings, Draft, Row};

/// The secrets of a workspace.
pub(super) struct Secrets {
    all: Vec<Secret>,
    masking: Masking,
}

impl Explorer {
    /// The secrets that are kept for a workspace.
    pub(super) async fn secrets(&self, visitor: &Visitor, id: &Id) -> Result<Secrets, Failure> {
        let workspace = self.workspace(visitor, id).await?;
        let kept = self.kept(visitor, id, &workspace).await?;
        Ok(Secrets::new(kept))
    }

    /// What became of a request for somebody: where it failed, without the values of secrets in its words.
    /// They may have been in an address.
    pub(crate) async fn bare<T>(
        &self,
        visitor: &Visitor,
        id: &Id,
        outcome: Result<T, Failure>,
    ) -> Result<T, Failure> {
        match outcome {
            Ok(done) => Ok(done),
            Err(failure) => {
                let secrets = self.secrets(visitor, id).await?;
                Err(failure.reworded(|words| secrets.masked(words)))
            }
        }
    }
}

impl Secrets {
    fn new(all: Vec<Secret>) -> Self {
        let masking = Masking::of(&all);
        Self { all, masking }
    }

    /// What secret a draft holds, and where, in words.
    pub(super) fn found_in(&self, draft: &Draft) -> Option<String> {
        secrets_in(draft, &self.all).into_iter().next()
    }

    /// The draft without its secrets: what is kept apart is masked, and whatever else looks like a secret
    /// is left out.
    pub(super) fn taken_from(&self, draft: &Draft) -> Draft {
        let mut bare = Draft {
            url: self.masked(&draft.url),
            parameters: Vec::new(),
            headers: Vec::new(),
            body: None,
            authorization: None,
            ..draft.clone()
        };
        if self.found_in(&bare).is_some() {
            let path = bare.url.split('?').next().unwrap_or_default();
            let path = path.rsplit_once('@').map_or(path, |(_, path)| path);
            bare.url = path.to_owned();
        }
        let mut whole = bare.clone();
        whole.parameters = self.rows(&draft.parameters, &bare);
        whole.headers = self.rows(&draft.headers, &bare);
        whole.body = draft.body.clone().filter(|body| {
            let body = Some(body.clone());
            let alone = Draft {
                body,
                ..bare.clone()
            };
            self.found_in(&alone).is_none()
        });
        whole.authorization = draft.authorization.as_ref().map(|settings| {
            let alone = Draft {
                authorization: Some(settings.clone()),
                ..bare.clone()
            };
            match self.found_in(&alone) {
                // Without any, the request would inherit those of the workspace.
                Some(_) => AuthorizationSettings::default(),
                None => settings.clone(),
            }
        });
        whole
    }

    /// The rows that hold no secret.
    fn rows(&self, rows: &[Row], bare: &Draft) -> Vec<Row> {
        let kept = rows.iter().cloned().map(|mut row| {
            row.value = self.masked(&row.value);
            row
        });
        kept.filter(|row| {
            let alone = Draft {
                headers: vec![row.clone()],
                ..bare.clone()
            };
            self.found_in(&alone).is_none()
        })
        .collect()
    }

    /// A text with a mask in place of every secret that is kept apart, however it is written there.
    pub(super) fn masked(&self, text: &str) -> String {
        self.masking.masked(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{Literal, RowPlace};

    fn draft(url: &str, name: &str, value: &str) -> Draft {
        Draft {
            definition: None,
            operation: None,
            method: "GET".to_owned(),
            url: url.to_owned(),
            parameters: Vec::new(),
            headers: vec![Row {
                name: name.to_owned(),
                place: RowPlace::Header,
                value: value.to_owned(),
                on: true,
            }],
            body: None,
            authorization: None,
        }
    }

    #[test]
    fn secrets_are_found_and_taken_out() {
        let secrets = Secrets::new(vec![Secret::from("planted".to_owned())]);
        let one = draft("https://a/x?key=planted", "X-Trace", "1");
        assert!(secrets.found_in(&one).is_some());
        let taken = secrets.taken_from(&one);
        assert_eq!(
            (&*taken.url, taken.headers.len()),
            ("https://a/x?key=********", 1)
        );
        let token = "eyJhbGciOiJub25l.eyJzdWIiOiJxIn0.c2lnbmF0dXJl";
        let one = draft("https://a/x", "X-Other", token);
        assert!(secrets.found_in(&one).unwrap().contains("X-Other"));
        assert!(secrets.taken_from(&one).headers.is_empty());
    }

    #[test]
    fn settings_with_a_secret_in_them_are_emptied() {
        let secrets = Secrets::new(vec![Secret::from("planted".to_owned())]);
        let bearer = |header_prefix: &str, text: &str| AuthorizationSettings::Bearer {
            header_prefix: header_prefix.to_owned(),
            token: Literal::Reference {
                text: text.to_owned(),
            },
        };
        let mut one = draft("https://a/x", "X-Trace", "1");
        for settings in [bearer("Bearer", "any text"), bearer("planted", "{{a}}")] {
            one.authorization = Some(settings);
            let taken = secrets.taken_from(&one);
            assert_eq!(taken.authorization, Some(AuthorizationSettings::default()));
            assert_eq!(taken.headers.len(), 1);
        }
        one.authorization = Some(bearer("Bearer", "{{a}}"));
        assert_eq!(secrets.taken_from(&one), one);
    }

    #[test]
    fn headers_of_authorization_stay_only_as_references() {
        let secrets = Secrets::new(Vec::new());
        for (name, value) in [
            ("Authorization", "Basic abc"),
            ("X-API-key", "1"),
            ("cookie", "a=b"),
        ] {
            let one = draft("https://a/x", name, value);
            assert!(secrets.found_in(&one).is_some(), "{name}");
            assert!(secrets.taken_from(&one).headers.is_empty(), "{name}");
        }
        let reference = draft("https://a/x", "Authorization", "Bearer {{token}}");
        assert_eq!(secrets.found_in(&reference), None);
        assert_eq!(secrets.taken_from(&reference), reference);
    }
}
