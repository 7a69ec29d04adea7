//! What the generic level asks of the rules beside it: whether an object above its own is there,
//! and to take its work as a task.
//!
//! An object that has rules of its own is there when the operation that gets it says so. So no rule
//! has to be written twice, and the generic level learns nothing of the storage API.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use crate::dscc;
use crate::generic::{Neighbours, Template, Work};
use crate::given::Moment;
use crate::rest::{ListRules, Refusal, Virtual};
use crate::sandbox::{Outcome, Request, Sandbox};
use crate::state::State;

/// The rules around one request to the generic level.
pub(crate) struct Surrounding<'a> {
    pub(crate) sandbox: &'a Sandbox,
    pub(crate) state: &'a State,
    pub(crate) request: &'a Request<'a>,
    pub(crate) moment: &'a Moment,
}

impl Neighbours for Surrounding<'_> {
    fn has(&self, item: &Template, ids: &[&str]) -> Option<bool> {
        let (operation, model) = self.sandbox.getter(item)?;
        let path: Vec<(String, String)> = ids
            .iter()
            .map(|id| (String::new(), (*id).to_owned()))
            .collect();
        let request = Request {
            operation,
            path: &path,
            query: &[],
            body: None,
            ..*self.request
        };
        let answer = model.row.answer(&mut dscc::Call {
            definition: self.sandbox.definition(),
            settings: self.sandbox.settings(),
            rules: &model.list,
            state: self.state,
            request: &request,
            moment: self.moment,
            // Getting an object leaves nothing to chance.
            rng: &mut ChaCha8Rng::seed_from_u64(0),
        });
        Some(answer.is_ok())
    }

    fn accept(&self, work: Work, rng: &mut dyn Rng) -> Result<Outcome, Refusal> {
        let definition = self.sandbox.definition();
        let nothing = Virtual::These(&[]);
        dscc::accept(
            &mut dscc::Call {
                definition,
                settings: self.sandbox.settings(),
                rules: &ListRules::of(definition, self.request.operation, nothing),
                state: self.state,
                request: self.request,
                moment: self.moment,
                rng,
            },
            work,
        )
    }
}
