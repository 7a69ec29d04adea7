//! The load: threads that do one operation after the other, write down what they sent and what they
//! read, and judge each answer by what must be true at that moment. They begin nothing any more
//! once the server is being killed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::chance::Chance;
use super::credential::{ChangeKind, Outcome, Standing};
use super::journal::{Journal, Presented, SecretAt, TokenAt};
use crate::http::{Reply, bare_request, form_request, json_request, token_form, try_send};
use crate::server::Server;
use crate::world::World;

/// What a thread can do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Operation {
    /// Make, reset or delete a credential, over either way.
    Change(ChangeKind, Way),
    /// Disable a credential, or enable one that is disabled.
    Toggle,
    /// Give a credential a second secret, or remove one of its two.
    Overlap,
    /// Make or remove a signing key.
    ChangeKeys,
    /// End the newest token of a credential, and no other.
    Revoke,
    /// Ask for a token with a secret that may be good.
    Mint,
    /// Ask for a token with any secret.
    MintWithAny,
    /// Call the resource API with the newest token of a credential.
    UseNewest,
    /// Call the resource API with any token.
    UseAny,
    /// Change the stand-in's state over the resource API.
    CreateVolume,
}

/// The two ways to change a credential.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    Rest,
    Command,
}

/// What an operation needs to know of the data directory.
pub(super) struct Fixtures {
    /// The id of the instance that credentials are for.
    pub(super) instance: String,
    /// The storage system that volumes are made on.
    pub(super) system: String,
    /// A token for the credential API, and one for the resource API. Nothing ends them.
    pub(super) platform_token: String,
    pub(super) us1_token: String,
}

/// The running server as the threads see it.
pub(super) struct Stage<'a> {
    pub(super) world: &'a World,
    pub(super) fixtures: &'a Fixtures,
    pub(super) journal: &'a Mutex<Journal>,
    pub(super) addresses: Addresses,
    /// Set right before the server is killed.
    pub(super) killed: Arc<AtomicBool>,
}

/// Where the server is this time.
pub(super) struct Addresses {
    pub(super) token_url: String,
    pub(super) credentials: String,
    pub(super) us1: String,
    pub(super) revocation: String,
    pub(super) key_set: String,
}

/// How a change was answered: `None` if it was not.
pub(super) type Answered = Option<Value>;

impl Operation {
    /// Out of a hundred: many tokens, some changes, few commands, since each is a process.
    fn choose(chance: &mut Chance) -> Self {
        match chance.below(100) {
            0..7 => Self::Change(ChangeKind::Create, Way::Rest),
            7..9 => Self::Change(ChangeKind::Create, Way::Command),
            9..14 => Self::Change(ChangeKind::Reset, Way::Rest),
            14 => Self::Change(ChangeKind::Reset, Way::Command),
            15..18 => Self::Change(ChangeKind::Delete, Way::Rest),
            18 => Self::Change(ChangeKind::Delete, Way::Command),
            19..23 => Self::Toggle,
            23..26 => Self::Overlap,
            26..29 => Self::ChangeKeys,
            29..36 => Self::Revoke,
            36..58 => Self::Mint,
            58..63 => Self::MintWithAny,
            63..82 => Self::UseNewest,
            82..96 => Self::UseAny,
            _ => Self::CreateVolume,
        }
    }
}

impl Addresses {
    pub(super) fn of(server: &Server) -> Self {
        Self {
            token_url: server.token_url().to_owned(),
            credentials: format!("{}/workspaces/v1/credentials", server.base()),
            us1: server.us1(""),
            revocation: format!("{}/as/revoke_token.oauth2", server.base()),
            key_set: format!("{}/.well-known/jwks.json", server.base()),
        }
    }
}

impl Stage<'_> {
    /// Does one operation after the other until the server is killed.
    pub(super) fn work(&self, chance: &mut Chance) {
        while !self.killed.load(Ordering::SeqCst) {
            match Operation::choose(chance) {
                Operation::Change(kind, way) => self.change(kind, way, chance),
                Operation::Toggle => self.toggle(chance),
                Operation::Overlap => self.overlap(chance),
                Operation::ChangeKeys => self.change_keys(chance),
                Operation::Revoke => self.revoke_newest(chance),
                Operation::Mint => self.mint(chance, |standing| standing != Standing::Dead),
                Operation::MintWithAny => self.mint(chance, |_| true),
                Operation::UseNewest => self.use_newest(chance),
                Operation::UseAny => self.use_any(chance),
                Operation::CreateVolume => self.create_volume(chance),
            }
        }
    }

    pub(super) fn journal(&self) -> MutexGuard<'_, Journal> {
        // A thread that found something wrong has said so; the others come to their end.
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, kind: ChangeKind, way: Way, chance: &mut Chance) {
        let mut journal = self.journal();
        let free = journal.free_slots(kind != ChangeKind::Create);
        let Some(slot) = chance.one_of(&free) else {
            return;
        };
        let credential = match kind {
            ChangeKind::Create => journal.begin_creation(slot),
            _ => journal.begin_change(slot, kind),
        };
        let known = &journal.credentials[credential];
        let (name, id) = (known.name.clone(), known.client_id.clone());
        drop(journal);
        let answer = match way {
            Way::Rest => self.change_over_rest(kind, &name, id.as_deref()),
            Way::Command => self.change_by_command(kind, &name, id.as_deref()),
        };
        let text = |answer: &Value, name: &str| answer[name].as_str().map(str::to_owned);
        let mut journal = self.journal();
        let Some(answer) = answer else {
            journal.end_change(slot, Outcome::Lost, None);
            return;
        };
        if kind == ChangeKind::Create {
            journal.credentials[credential].client_id = text(&answer, "clientId");
        }
        let secret = text(&answer, "clientSecret");
        assert_eq!(secret.is_some(), kind.brings_secret());
        journal.end_change(slot, Outcome::Acknowledged, secret);
    }

    fn change_over_rest(&self, kind: ChangeKind, name: &str, id: Option<&str>) -> Answered {
        let (url, token) = (&self.addresses.credentials, &self.fixtures.platform_token);
        let one = format!("{url}/{}", id.unwrap_or_default());
        let (request, status) = match kind {
            ChangeKind::Create => {
                let instance = &self.fixtures.instance;
                let uri = format!("/service-catalog/v1beta1/service-manager-provisions/{instance}");
                let provision = json!({ "resourceUri": uri });
                let body = json!({
                    "credentialName": name,
                    "associatedServiceManagerProvision": provision,
                });
                (json_request(&Method::POST, url, token, &body), 201)
            }
            ChangeKind::Reset => {
                let url = format!("{one}/reset");
                (bare_request(&Method::POST, &url, token), 200)
            }
            ChangeKind::Delete => (bare_request(&Method::DELETE, &one, token), 204),
            _ => panic!("{kind:?} is a matter of administration"),
        };
        let reply = self.send(request)?.is(status);
        Some(if kind == ChangeKind::Delete {
            Value::Null
        } else {
            reply.json()
        })
    }

    /// With any secret of the token's client that may be good.
    fn revoke_newest(&self, chance: &mut Chance) {
        let Some(token) = self.newest_of_any(chance) else {
            return;
        };
        let mut journal = self.journal();
        let mut secrets = journal.secrets();
        secrets.retain(|secret| {
            secret.credential == token.credential
                && journal.secret_standing(*secret) < Standing::Asleep
        });
        let Some(secret) = chance.one_of(&secrets) else {
            return;
        };
        let presented = journal.present(secret);
        let at = journal.begin_revocation(token);
        let (id, text) = journal.secret(secret);
        let own = journal.token(token);
        let form = format!("client_id={id}&client_secret={text}&token={own}");
        let request = form_request(&self.addresses.revocation, &form);
        drop(journal);
        let reply = self.send(request);
        let mut journal = self.journal();
        let Some(reply) = reply else {
            journal.end_revocation(token, at, Outcome::Lost);
            return;
        };
        judge(&mut journal, presented, &reply);
        let outcome = match reply.status {
            200 => Outcome::Acknowledged,
            _ => Outcome::Undone,
        };
        journal.end_revocation(token, at, outcome);
    }

    fn mint(&self, chance: &mut Chance, wanted: impl Fn(Standing) -> bool) {
        let journal = self.journal();
        let mut secrets = journal.secrets();
        secrets.retain(|secret| wanted(journal.secret_standing(*secret)));
        drop(journal);
        if let Some(secret) = chance.one_of(&secrets) {
            self.mint_with(secret);
        }
    }

    /// Asks for a token. A secret that was dead before must be refused; one that lives until the
    /// answer is there must be taken.
    pub(super) fn mint_with(&self, secret: SecretAt) -> Option<TokenAt> {
        let mut journal = self.journal();
        let presented = journal.present(secret);
        let at = journal.begin_mint(secret);
        let (id, text) = journal.secret(secret);
        let request = form_request(&self.addresses.token_url, &token_form(id, text));
        drop(journal);
        let reply = self.send(request);
        let mut journal = self.journal();
        let Some(reply) = reply else {
            let lost = if journal.may_be_taken(presented) {
                Outcome::Lost
            } else {
                Outcome::Undone
            };
            journal.end_mint(at, lost, None);
            return None;
        };
        judge(&mut journal, presented, &reply);
        if reply.status != 200 {
            journal.end_mint(at, Outcome::Undone, None);
            return None;
        }
        let token = reply.json()["access_token"].as_str().unwrap().to_owned();
        let (key, began) = (signer_of(&token), journal.mint_mut(at).began);
        assert!(
            !journal.keys.was_removed_before(&key, began),
            "signed with {key}, which was removed before it was asked for"
        );
        journal.end_mint(at, Outcome::Acknowledged, Some(token));
        journal.mint_mut(at).key = Some(key);
        Some(at)
    }

    fn use_newest(&self, chance: &mut Chance) {
        if let Some(newest) = self.newest_of_any(chance) {
            self.use_token(newest);
        }
    }

    /// The newest token of a credential.
    fn newest_of_any(&self, chance: &mut Chance) -> Option<TokenAt> {
        let tokens = self.journal().tokens();
        let any = chance.one_of(&tokens)?;
        let of_same = |token: &&TokenAt| token.credential == any.credential;
        tokens
            .iter()
            .filter(of_same)
            .max_by_key(|at| at.mint)
            .copied()
    }

    fn use_any(&self, chance: &mut Chance) {
        let tokens = self.journal().tokens();
        if let Some(token) = chance.one_of(&tokens) {
            self.use_token(token);
        }
    }

    /// Calls the resource API. A token that was dead before must be refused; one that lives until
    /// the answer is there must be taken. Says whether it was taken.
    pub(super) fn use_token(&self, at: TokenAt) -> Option<bool> {
        let url = format!("{}/api/v1/resource-types", self.addresses.us1);
        let mut journal = self.journal();
        let before = journal.token_standing(at);
        journal.tick();
        let request = bare_request(&Method::GET, &url, journal.token(at));
        drop(journal);
        let reply = self.send(request)?;
        let mut journal = self.journal();
        journal.tick();
        let after = journal.token_standing(at);
        let history = journal.credentials[at.credential].history();
        let what = |happened: &str| {
            let mint = at.mint;
            format!("token {mint} {happened}, {before:?} before and {after:?} after: {history}")
        };
        match reply.status {
            200 => assert!(before != Standing::Dead, "{}", what("was taken")),
            401 => {
                assert!(after != Standing::Alive, "{}", what("was refused"));
                journal.token_was_refused(at);
            }
            _ => panic!("{}: {reply:?}", what("was answered otherwise")),
        }
        Some(reply.status == 200)
    }

    fn create_volume(&self, chance: &mut Chance) {
        let Fixtures { system, .. } = self.fixtures;
        let path = format!("/api/v1/storage-systems/device-type1/{system}/volumes");
        let url = format!("{}{path}", self.addresses.us1);
        let name = format!("volume-{:016x}", chance.next());
        let body = json!({"name": name, "sizeMib": 16384, "userCpg": "SSD_r6"});
        self.journal().tick();
        let request = json_request(&Method::POST, &url, &self.fixtures.us1_token, &body);
        let Some(reply) = self.send(request) else {
            return;
        };
        let accepted = reply.is(202).json();
        let task = accepted["taskUri"].as_str().unwrap().to_owned();
        let mut journal = self.journal();
        journal.tick();
        journal.tasks.push(task);
    }

    /// Sends a request; `None` if the server was killed before the answer was read to its end. A
    /// refusal after that counts for nothing: the port may be somebody else's by now.
    fn send(&self, request: RequestBuilder) -> Option<Reply> {
        let outcome = try_send(request);
        let killed = self.killed.load(Ordering::SeqCst);
        match outcome {
            Ok(reply) => (!killed || reply.status < 400).then_some(reply),
            Err(error) => {
                assert!(killed, "no answer of a server that lives: {error:?}");
                None
            }
        }
    }
}

/// How a secret was answered must fit how it stood.
fn judge(journal: &mut Journal, presented: Presented, reply: &Reply) {
    let Presented { secret, before, .. } = presented;
    let after = journal.secret_standing(secret);
    let history = journal.credentials[secret.credential].history();
    let what = |happened: &str| {
        let change = secret.change;
        format!("secret {change} {happened}, {before:?} before and {after:?} after: {history}")
    };
    match reply.status {
        200 => assert!(journal.may_be_taken(presented), "{}", what("was taken")),
        401 => {
            let may = journal.may_be_refused(presented);
            assert!(may, "{}", what("was refused"));
            assert_eq!(reply.json()["error"], "invalid_client", "{reply:?}");
            journal.secret_was_refused(presented);
        }
        // What ends all tokens is being written down, and which secret counts is open.
        503 => {
            let open = before != Standing::Dead && journal.may_be_refused(presented);
            assert!(open, "{}", what("was put off"));
        }
        _ => panic!("{}: {reply:?}", what("was answered otherwise")),
    }
}

/// The id of the key that signed a token.
pub(super) fn signer_of(token: &str) -> String {
    use base64::Engine as _;
    let header = token.split('.').next().unwrap();
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header);
    let header: Value = serde_json::from_slice(&header.unwrap()).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}
