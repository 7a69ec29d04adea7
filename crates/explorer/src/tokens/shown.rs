//! Tokens as the page shows them: times, claims in words, never the token itself.

use hallpass_client::claims::{Claim, Said, explained};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::{KeptToken, TokensOf, no_such_token};
use crate::Explorer;
use crate::answer::Failure;
use crate::id::Id;
use crate::visitor::Visitor;

impl Explorer {
    /// The list of tokens.
    pub(super) async fn tokens_shown(&self, visitor: &Visitor, id: &Id) -> Result<Value, Failure> {
        // Settings that are not complete have no tokens.
        let root = self.root_tokens(visitor, id).await.ok();
        if let Some(of) = &root {
            self.absorb(visitor, id, of).await?;
        }
        let kept = self.kept_tokens(visitor, id).await?;
        let own = self.own(visitor, id).await?;
        let now = self.now();
        let fits = |token: &KeptToken| root.as_ref().is_some_and(|of| token.is_of(of));
        let good = |token: &&KeptToken| !token.has_expired(now);
        let fitting = || kept.all().iter().filter(|token| fits(token));
        let is_chosen = |token: &&KeptToken| own.chosen_token.as_ref() == Some(&token.id);
        let chosen = fitting().find(is_chosen).filter(good);
        let current = chosen.or_else(|| fitting().next().filter(good));
        let current = current.map(|token| token.id.clone());
        let shown: Vec<Value> = kept
            .all()
            .iter()
            .map(|token| shown(token, fits(token), current.as_ref() == Some(&token.id), now))
            .collect();
        Ok(json!({ "tokens": shown, "chosen": current }))
    }

    /// One of them.
    pub(super) async fn token_shown(
        &self,
        visitor: &Visitor,
        id: &Id,
        token: &Id,
    ) -> Result<Value, Failure> {
        let kept = self.kept_tokens(visitor, id).await?;
        let found = kept.find(token).ok_or_else(no_such_token)?;
        let root: Option<TokensOf> = self.root_tokens(visitor, id).await.ok();
        let fits = root.is_some_and(|of| found.is_of(&of));
        Ok(shown(found, fits, fits, self.now()))
    }
}

fn shown(token: &KeptToken, fits: bool, chosen: bool, now: Timestamp) -> Value {
    let left = token.expires.duration_since(now).as_secs().max(0);
    let value = token.value().expose();
    let said = Said::by(value);
    let part = |members: &Map<String, Value>| -> Vec<Value> {
        let claims = explained(members, now, &TimeZone::UTC);
        claims.iter().map(claim).collect()
    };
    // The beginning of a JWT is its header, which everybody may know.
    let begin = if said.is_some() { value.get(..6) } else { None };
    json!({
        "id": token.id,
        "name": token.name,
        "type": "Bearer",
        "issued": token.issued.to_string(),
        "expires": token.expires.to_string(),
        "secondsLeft": left,
        "expired": token.has_expired(now),
        "chosen": chosen,
        "fits": fits,
        "scope": token.scope,
        "claims": said.as_ref().map(|said| part(&said.claims)),
        "header": said.as_ref().map(|said| part(&said.header)),
        "masked": format!("{}…****", begin.unwrap_or_default()),
    })
}

fn claim(claim: &Claim) -> Value {
    json!({ "name": claim.name, "value": claim.value, "meaning": claim.meaning })
}
