//! Signing keys.

use hallpass_oauth::KeySpec;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::keys::{Key, KeyState};
use serde_json::{Value, json};

use super::{Administrator, actor, time};
use crate::admin::KeyCommand;
use crate::command::CommandError;

impl Administrator<'_> {
    pub(super) async fn key(&self, command: &KeyCommand) -> Result<Value, CommandError> {
        let (keys, rng) = (self.store.keys(), &mut SystemRandom);
        match command {
            KeyCommand::List => {
                let items: Vec<Value> = keys.list().await?.iter().map(key_value).collect();
                Ok(json!({ "items": items }))
            }
            KeyCommand::Rotate => {
                let next = keys.rotate(&actor(), self.now, rng).await?;
                self.next_key(&next).await
            }
            KeyCommand::Import { file } => {
                let next = keys.import(file.text(), &actor(), self.now, rng).await?;
                self.next_key(&next).await
            }
            KeyCommand::Remove { id, yes: _ } => {
                let known = keys.list().await?;
                let was = known.iter().find(|key| key.id.as_str() == id);
                let was = was.map(|key| key.state.as_str());
                let removed = keys.remove(id, &actor(), self.now, rng).await?;
                let mut answer = self.with_signer(&removed).await?;
                answer["was"] = json!(was);
                // Nobody outside is told: whoever has just fetched the keys keeps them for so long.
                let forgotten = self.now.checked_add(self.keys_max_age);
                answer["keptElsewhereUntil"] = json!(forgotten.ok().map(time));
                Ok(answer)
            }
        }
    }

    async fn next_key(&self, next: &Key) -> Result<Value, CommandError> {
        let mut answer = self.with_signer(next).await?;
        answer["verifiersKeepKeysSeconds"] = json!(self.keys_max_age.as_secs());
        Ok(answer)
    }

    /// The key, and the one that signs now.
    async fn with_signer(&self, key: &Key) -> Result<Value, CommandError> {
        let known = self.store.keys().list().await?;
        let signer = known.iter().find(|key| key.state == KeyState::Active);
        let mut answer = key_value(key);
        answer["signsNow"] = json!(signer.map(|key| key.id.as_str()));
        Ok(answer)
    }
}

fn key_value(key: &Key) -> Value {
    let spec = key.kind.parse::<KeySpec>().ok();
    json!({
        "id": key.id.as_str(),
        "kind": key.kind,
        "algorithm": spec.map(|spec| spec.algorithm().as_str()),
        "state": key.state.as_str(),
        "imported": key.imported,
        "createdAt": time(key.created_at),
        "signsFrom": time(key.activates_at),
        "retiringSince": key.retiring_since.map(time),
        "retiresAt": key.retires_at.map(time),
    })
}
