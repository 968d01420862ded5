//! The state that the recorder keeps between calls: grants, rows, the caller, and the call whose outcome is unknown.

use std::collections::{BTreeMap, BTreeSet};

use fencepost::registry::calls::Call;

use crate::history::event::GrantNo;
use crate::plan::Plan;
use crate::subject::Subject;
use crate::world::calls::CallInfo;
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
    /// The request that is being decided, if it came over the network.
    pub request: Option<RequestName>,
    /// Requests that were applied, reads aside.
    pub applied: BTreeSet<RequestName>,
    /// The grants that hold their keys by the word of a lease service.
    pub believed: BTreeSet<GrantNo>,
    /// When the call arrived whose answer is being recorded.
    pub arrived_us: u64,
    /// Calls decided so far.
    pub calls: u64,
    /// The next look at the store tells whether it was applied.
    pub unknown: Option<UnknownCall>,
    /// The reading that a call was decided on, while its decision is recorded; none if it is the present one.
    pub decided_on_ms: Option<u64>,
    /// The number of calls whose decision took time.
    pub spans: u64,
    /// Those that go on, by number.
    pub open_spans: BTreeMap<u64, OpenSpan>,
    /// Those that died with their registry, until somebody has looked at what they left.
    pub cut_off: Vec<OpenSpan>,
    /// The readings of the registry's clock that the call took which is being decided; none where nobody needs them.
    pub readings: Option<Readings>,
    /// The time that the registry's clock shows to a decision that waited for its store; none while it shows the present time.
    pub decision_clock: Option<DecisionClock>,
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
            request: None,
            applied: BTreeSet::new(),
            believed: BTreeSet::new(),
            arrived_us: 0,
            calls: 0,
            unknown: None,
            decided_on_ms: None,
            spans: 0,
            open_spans: BTreeMap::new(),
            cut_off: Vec::new(),
            readings: None,
            decision_clock: None,
            decided_calls: None,
        }
    }
}

/// A call whose decision takes time.
#[derive(Clone)]
pub struct OpenSpan {
    pub info: CallInfo,
    /// The owner and incarnation that a claim is for.
    pub owner: Option<(String, String)>,
    /// The registry's clock when its decision began, and when it died with its registry.
    pub began_ms: u64,
    pub died_ms: u64,
}

/// A call, as its client knows it: the hash of the client's life, and the call's number in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestName {
    pub client: u64,
    pub number: u64,
}

/// The first and the last reading of a clock, in ms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Readings(pub Option<(u64, u64)>);

impl Readings {
    pub fn add(&mut self, now_ms: u64) {
        let first_ms = self.0.map_or(now_ms, |(first_ms, _)| first_ms);
        self.0 = Some((first_ms, now_ms));
    }
}

/// The registry's clock as a decision sees it that waited for its store. The whole decision is carried out when the store
/// writes; until then its lock keeps every other call out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecisionClock {
    /// Until the store has its lock.
    pub arrived_ms: u64,
    /// Under the lock.
    pub read_ms: u64,
    pub has_lock: bool,
}

impl DecisionClock {
    pub fn new(arrived_ms: u64, read_ms: u64) -> Self {
        Self { arrived_ms, read_ms, has_lock: false }
    }

    pub fn now_ms(self) -> u64 {
        if self.has_lock { self.read_ms } else { self.arrived_ms }
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
    /// True, if the registry's probe called the holder dead whom a reclaim names.
    pub is_holder_dead: bool,
    pub was_ok: bool,
}
