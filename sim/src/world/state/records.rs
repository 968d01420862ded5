//! The state that the recorder keeps between calls: grants, rows, the caller, and the call whose outcome is unknown.

use fencepost::registry::calls::Call;

use crate::plan::Plan;
use crate::subject::Subject;
use crate::world::state::answer_judge::AnswerJudge;
use crate::world::state::grants::Grants;
use crate::world::state::nodes::Caller;
use crate::world::state::rows::RowViews;
use crate::world::state::unknown_call::UnknownCall;

pub struct Records {
    pub grants: Grants,
    pub rows: RowViews,
    pub answers: AnswerJudge,
    /// The client whose request is being decided.
    pub caller: Caller,
    /// Calls decided so far.
    pub calls: u64,
    /// The next look at the store tells whether it was applied.
    pub unknown: Option<UnknownCall>,
    /// The reading that such a call was decided on, while its decision is recorded.
    pub unknown_reading_ms: Option<u64>,
    /// Every call as it was decided, if the run was asked to keep them.
    pub decided_calls: Option<Vec<DecidedCall>>,
}

impl Records {
    pub fn new(plan: &Plan, subject: &Subject) -> Self {
        Self {
            grants: Grants::default(),
            rows: RowViews::default(),
            answers: AnswerJudge::new(plan, subject),
            caller: Caller::WORLD,
            calls: 0,
            unknown: None,
            unknown_reading_ms: None,
            decided_calls: None,
        }
    }
}

/// A call as it was decided.
#[derive(Debug, Clone)]
pub struct DecidedCall {
    pub at_us: u64,
    /// The registry's reading.
    pub clock_ms: u64,
    /// The registry's life: it keys the entropy of its tokens.
    pub life: u64,
    pub call: Call,
    /// Whether the registry's probe called the holder dead, of whom a reclaim speaks.
    pub is_holder_dead: bool,
    pub was_ok: bool,
}
