//! The live picture of everything that a request depends on and that can change: credentials,
//! owners, roles, keys and watermarks. Reads take no lock; only `store` writes, after its commit.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use hallpass_access::{Role, Roles};
use hallpass_oauth::{ApplicationInstanceId, ClientRegistration, Subject};
use jiff::SignedDuration;
use papaya::HashMap;

use crate::credentials::CredentialRow;
use crate::database::Database;
use crate::keys::KeyRing;
use crate::people::{PersonId, PersonRow};
use crate::workspaces::{ApplicationInstance, Directory, Workspace};
use crate::{MasterKey, Policy, StoreError};

pub(crate) struct Projection {
    pub(crate) credentials: HashMap<String, Arc<LiveCredential>>,
    pub(crate) people: HashMap<PersonId, Arc<LivePerson>>,
    pub(crate) directory: ArcSwap<Directory>,
    pub(crate) keys: ArcSwap<KeyRing>,
}

/// A credential as it stands now.
pub(crate) struct LiveCredential {
    pub(crate) row: CredentialRow,
    pub(crate) registration: Arc<ClientRegistration>,
    /// Shared by all versions of the credential's entry.
    pub(crate) sequence: Arc<Sequence>,
}

/// A person as they stand now.
pub(crate) struct LivePerson {
    pub(crate) id: PersonId,
    pub(crate) email: Subject,
    pub(crate) workspace: Arc<Workspace>,
    /// Roles by instance; `None` holds everywhere.
    pub(crate) roles: Vec<(Option<ApplicationInstanceId>, Role)>,
}

impl LivePerson {
    pub(crate) fn roles_on(&self, instance: &ApplicationInstanceId) -> Roles {
        self.roles
            .iter()
            .filter(|(on, _)| on.as_ref().is_none_or(|on| on == instance))
            .map(|(_, role)| *role)
            .collect()
    }
}

/// Where a credential's token sequence stands.
pub(crate) struct Sequence(Mutex<SequenceState>);

#[derive(Clone, Copy)]
struct SequenceState {
    /// Counts resets. A token request that authenticated before a reset may not take a place
    /// after it, or its token would survive.
    generation: u64,
    next: u64,
    live_from: u64,
    /// A reset that is being written: whether the old or the new secret counts is open.
    undecided: bool,
}

/// Why a request gets no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// The credential was reset since the request authenticated.
    Changed,
    /// A reset is being written.
    Undecided,
}

impl Sequence {
    pub(crate) fn new(generation: u64, watermark: u64) -> Self {
        Self(Mutex::new(SequenceState {
            generation,
            next: watermark + 1,
            live_from: watermark,
            undecided: false,
        }))
    }

    /// Takes the next place, unless the credential was reset since `generation`.
    ///
    /// Without the single-active rule all tokens between two resets share one place: it would not
    /// be written down, so a later one could be given out twice over a restart.
    pub(crate) fn reserve(&self, generation: u64, single_active: bool) -> Result<u64, NoPlace> {
        self.with(|state| {
            if state.undecided {
                return Err(NoPlace::Undecided);
            }
            if state.generation != generation {
                return Err(NoPlace::Changed);
            }
            if !single_active {
                return Ok(state.live_from);
            }
            state.next += 1;
            Ok(state.next - 1)
        })
    }

    /// Begins a reset: until it is decided nobody gets a place. Returns the watermark that ends all
    /// places given out so far.
    pub(crate) fn begin_reset(&self) -> u64 {
        self.with(|state| {
            state.undecided = true;
            state.next += 1;
            state.next - 1
        })
    }

    /// The reset was written: what came before is dead, and only the new generation gets places.
    pub(crate) fn complete_reset(&self, generation: u64, watermark: u64) {
        self.with(|state| {
            state.undecided = false;
            state.generation = generation;
            state.live_from = state.live_from.max(watermark);
        });
    }

    /// The reset was not written: everything is as before.
    pub(crate) fn abandon_reset(&self) {
        self.with(|state| state.undecided = false);
    }

    /// Everything before `watermark` is dead, now that the store remembers it.
    pub(crate) fn raise(&self, watermark: u64) {
        self.with(|state| state.live_from = state.live_from.max(watermark));
    }

    pub(crate) fn live_from(&self) -> u64 {
        self.with(|state| state.live_from)
    }

    fn with<T>(&self, change: impl FnOnce(&mut SequenceState) -> T) -> T {
        // The state is three numbers, none of which a panic can leave half written.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Projection {
    pub(crate) async fn load(
        database: &Database,
        master_key: &MasterKey,
        policy: &Policy,
    ) -> Result<Self, StoreError> {
        let directory = Directory::load(database).await?;
        let projection = Self {
            credentials: HashMap::new(),
            people: HashMap::new(),
            directory: ArcSwap::from_pointee(directory),
            keys: ArcSwap::from_pointee(KeyRing::load(database, master_key).await?),
        };
        for person in PersonRow::load_all(database).await? {
            projection.put_person(&person)?;
        }
        for row in CredentialRow::load_all(database).await? {
            let sequence = Arc::new(Sequence::new(row.generation, row.watermark));
            projection.put_credential(row, sequence, policy)?;
        }
        Ok(projection)
    }

    pub(crate) fn put_person(&self, row: &PersonRow) -> Result<Arc<LivePerson>, StoreError> {
        let directory = self.directory.load();
        let workspace =
            directory
                .workspace(&row.workspace)
                .ok_or_else(|| StoreError::Unreadable {
                    what: "workspace",
                    value: row.workspace.to_string(),
                })?;
        let person = Arc::new(LivePerson {
            id: row.id,
            email: row.email.clone(),
            workspace: workspace.clone(),
            roles: row.roles.clone(),
        });
        self.people.pin().insert(row.id, person.clone());
        Ok(person)
    }

    pub(crate) fn put_credential(
        &self,
        row: CredentialRow,
        sequence: Arc<Sequence>,
        policy: &Policy,
    ) -> Result<Arc<LiveCredential>, StoreError> {
        let person =
            self.people
                .pin()
                .get(&row.person)
                .cloned()
                .ok_or_else(|| StoreError::Unreadable {
                    what: "owner",
                    value: row.person.to_string(),
                })?;
        let registration = Arc::new(ClientRegistration {
            client_id: row.client_id.clone(),
            secret_digest: row.secret_digest.clone(),
            subject: person.email.clone(),
            workspace: person.workspace.id.clone(),
            customer: person.workspace.customer.clone(),
            instance: row.instance.clone(),
            token_lifetime: lifetime(&row.instance, policy),
        });
        let live = Arc::new(LiveCredential {
            row,
            registration,
            sequence,
        });
        self.credentials
            .pin()
            .insert(live.row.client_id.to_string(), live.clone());
        Ok(live)
    }

    pub(crate) fn credential(&self, client_id: &str) -> Option<Arc<LiveCredential>> {
        self.credentials.pin().get(client_id).cloned()
    }

    pub(crate) fn person(&self, id: PersonId) -> Option<Arc<LivePerson>> {
        self.people.pin().get(&id).cloned()
    }

    pub(crate) fn instance(&self, id: &ApplicationInstanceId) -> Option<Arc<ApplicationInstance>> {
        self.directory.load().instance(id).cloned()
    }
}

fn lifetime(instance: &ApplicationInstanceId, policy: &Policy) -> SignedDuration {
    if *instance == ApplicationInstanceId::platform() {
        policy.platform_token_lifetime
    } else {
        policy.token_lifetime
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_ends_places_given_out_before_it_and_gives_none_to_the_old_generation() {
        let sequence = Sequence::new(1, 10);
        let before = sequence.reserve(1, true).unwrap();
        assert!(before > 10, "a place after every one that was remembered");
        let watermark = sequence.begin_reset();
        assert_eq!(sequence.reserve(1, true), Err(NoPlace::Undecided));
        sequence.complete_reset(2, watermark);
        assert_eq!(
            sequence.reserve(1, true),
            Err(NoPlace::Changed),
            "authenticated before, asked after"
        );
        assert!(before < sequence.live_from());
        assert!(sequence.reserve(2, true).unwrap() >= sequence.live_from());
    }

    #[test]
    fn a_failed_reset_leaves_the_old_generation_at_work() {
        let sequence = Sequence::new(1, 0);
        let token = sequence.reserve(1, true).unwrap();
        sequence.begin_reset();
        sequence.abandon_reset();
        assert!(token >= sequence.live_from(), "and its tokens alive");
        let place = sequence.reserve(1, true).unwrap();
        assert!(place >= sequence.live_from());
    }

    #[test]
    fn without_the_rule_tokens_share_a_place_that_a_reset_ends() {
        let sequence = Sequence::new(1, 4);
        let (first, second) = (sequence.reserve(1, false), sequence.reserve(1, false));
        assert_eq!((first, second), (Ok(4), Ok(4)));
        let watermark = sequence.begin_reset();
        assert!(watermark > 4);
    }

    #[test]
    fn the_watermark_never_goes_back() {
        let sequence = Sequence::new(1, 0);
        sequence.raise(7);
        sequence.raise(6);
        assert_eq!(sequence.live_from(), 7);
    }
}
