//! What happened, as the smallest value that says it: an [`Event`] is `Copy` and 40 bytes, names come from the plan, and
//! grants are numbers in a table. Everything that judges or shows a run is a [`Witness`] of one stream of these: laws,
//! the running hash, the recorder, the timeline. A run that nobody watches costs only the stream.

use serde::{Deserialize, Serialize};

/// One grant of the run, by the order in which they were first seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GrantNo(pub u32);

impl GrantNo {
    pub const NONE: Self = Self(u32::MAX);

    pub fn is_some(self) -> bool {
        self != Self::NONE
    }
}

/// One grant, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantName {
    pub process: u16,
    pub node: u8,
    pub fence: u64,
    pub incarnation: String,
    pub token: String,
    #[serde(skip)]
    pub was_granted: bool,
}

/// No process: of events that are about none.
pub const NO_PROCESS: u16 = u16::MAX;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// True time.
    pub at_us: u64,
    /// Of a decision: the registry's reading in ms. Of anything else: the node's monotonic clock in µs.
    pub clock: u64,
    /// What these two say depends on the kind.
    pub a: u64,
    pub b: u64,
    pub grant: GrantNo,
    pub process: u16,
    /// Whose call it was, or where it happened.
    pub node: u8,
    pub kind: Kind,
}

/// What `a` and `b` are is said at each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum Kind {
    // Decided by the registry, in the order it decided.
    /// A new life, or the stored one again. a: [`disposition`]; b: 1 if new.
    Registered,
    /// A new grant. a: expires_at; b: its fence.
    Granted,
    /// A new grant taken from the one that was observed. a: expires_at; b: its fence.
    Reclaimed,
    /// The same grant again, by its own incarnation. a: expires_at; b: its fence.
    Reentered,
    /// a: expires_at; b: how long it was asked to last, in milliseconds.
    Renewed,
    /// `grant` is the holder's.
    Busy,
    /// A release was answered Ok; whether it released anything is for the laws to know.
    Released,
    /// `grant` is what was presented. a: [`Wrote`].
    Wrote,
    /// A terminal outcome was answered Ok. a: [`status`]; b: hash of the output.
    Ended,
    /// a: [`CallKind`]; b: [`refusal`].
    Refused,
    /// Failed before its commit, or with an unknown outcome, by the plan. a: [`CallKind`]; b: 1 if unknown.
    Failed,
    /// What a read showed. a: [`status`]; b: hash of the output, or 0.
    Showed,
    Pruned,
    /// A host's: an abandon request, a signal, a handle. a: [`Wrote`].
    Asked,

    // Evidence that the record gathered at the door, right after the decision it belongs to.
    /// After a refused call: a and b are the hashes of row, lease and log before and after it.
    ReadBack,
    /// After a release: `grant` is the lease that is stored now, or none.
    LeaseAfter,
    /// Before a reclaim is decided: `grant` is the observed one. a: 1 if its holder is dead; b: 1 if probes lie about it.
    Observed,
    /// After a new grant. a: hash of its token; b: bytes of entropy that were drawn for it.
    TokenDrawn,
    /// Before a terminal outcome that gives a process up. a: [`Abandons`]; b: [`licence`] bits.
    GivesUp,
    /// After an append. a: its sequence; b: hash of its replay key, or 0.
    Appended,
    /// An append found its replay key: its event stands already. a: its sequence; b: 1 if it delivers a wake.
    Replayed,
    /// Before a decision that waited for the store. a: the registry's reading when the call arrived.
    StoreWaited,
    /// A read of the log after a cursor. a: the cursor; b: how many events it showed; each follows.
    LogRead,
    /// a: sequence; b: hash of the event.
    LogShown,
    /// Before a transfer of handles of which some are there and some are not.
    HalfWay,
    /// What a call with an unknown outcome had done, once that can be seen. a: [`CallKind`]; b: [`turned_out`]. If it was
    /// applied, the decision itself comes next, with the reading it was made on.
    TurnedOut,
    /// What a store that was opened again shows of a process. a: [`survived`] bits; b: its last sequence.
    Survived,
    /// Beside it: `grant` is the stored lease. a: its expires_at; b: hash of the output, or 0.
    SurvivedLease,
    /// Before a claim is decided: `grant` is the last one that this very incarnation was given, if any. a: how long the
    /// lease is asked to last, in milliseconds.
    Claims,
    /// Before a completion is decided. a: hash of its output.
    Completes,
    /// Before a write of an execution that presents no lease. a: [`CallKind`].
    Unfenced,
    /// A decision took time, and other calls may have come between: the next one of this node and process is its end.
    /// a: the reading when it began; b: 0 when it begins, 1 when it ends.
    Spanned,

    // Seen at a node.
    /// A call of a worker begins. a: [`CallKind`]; b: its number in the node's life.
    Sent,
    /// Its answer reached the caller. a: [`refusal`], 0 if it was Ok; b: the call's number.
    Heard,
    BodyBegan,
    /// However it went. a: [`BodyEnded`]; b: hash of the output, if it gave one.
    BodyEnded,
    /// a: fence.
    EffectStarted,
    /// At the ledger. a: fence.
    EffectTaken,
    /// At the ledger. a: fence; b: the highest it had seen.
    EffectRefused,
    /// b: the wait's number.
    WaitBegan,
    /// a: hash of the outcome, or 0 for an error; b: the wait's number.
    WaitEnded,
    /// b: how many rows a drain reported.
    Drained,

    // Done by the plan.
    /// a: the number of the step.
    StepTaken,
    /// a: the node's new life; b: [`crash`] bits.
    Crashed,
    Restarted,
    Paused,
    Resumed,
    /// Code under test panicked.
    Panicked,
    /// A second copy of a request arrived. b: µs since it was sent.
    Repeated,
    /// A request arrived that was first sent to an earlier life of the server.
    FromEarlierLife,
    /// A request or an answer that will never arrive. a: 1 for an answer.
    Lost,
    /// Faults are over.
    CalmBegan,
    /// Rows that end by themselves had to have ended by now; what is left is asked to.
    CalmAsked,
    /// Found at the end of the calm. a: [`Left`].
    Remained,
    /// A simulated second took more polls than any second may.
    Exhausted,
    Finished,
}

impl Kind {
    /// Whether it is a decision, or evidence beside one: its clock is the registry's reading.
    pub fn is_decided(self) -> bool {
        self <= Self::Spanned
    }
}

/// Which write of an execution, or of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Wrote {
    FirstStart = 1,
    Wait = 2,
    WaitCleared = 3,
    Progress = 4,
    AbandonRequest = 5,
    Signal = 6,
    CancelRequest = 7,
    /// A first start that some earlier grant had made.
    StartedBefore = 8,
    /// A first start that this very grant had made.
    StartedByItself = 9,
    WakeAcked = 10,
    HandleGranted = 11,
    HandlesMoved = 12,
}

/// How a registry crashed, as bits.
pub mod crash {
    /// Its machine lost power, and not only its process died.
    pub const OF_THE_MACHINE: u64 = 1;
    /// The disk had been told of changes that it was not told to keep.
    pub const WITH_UNSYNCED_PAGES: u64 = 2;
}

/// What became of a call with an unknown outcome.
pub mod turned_out {
    pub const NOT_APPLIED: u64 = 0;
    pub const APPLIED: u64 = 1;
    /// Half of what it should have written is there.
    pub const PARTLY: u64 = 2;
}

/// What an opened store shows of a row: its [`status`] in the low byte, and bits.
pub mod survived {
    pub const IS_KNOWN: u64 = 1 << 8;
    pub const IS_STARTED: u64 = 1 << 9;
    pub const IS_WAITING: u64 = 1 << 10;
    pub const ABANDON_REQUESTED: u64 = 1 << 11;
    /// The rows that are there do not fit each other.
    pub const IS_TORN: u64 = 1 << 12;
    /// Its rows, or all of the store, cannot be read, and the disk is sound.
    pub const IS_UNREADABLE: u64 = 1 << 13;
}

/// In whose name a process was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Abandons {
    OwnerDrain = 1,
    Sweep = 2,
    ReconciledRequest = 3,
}

/// What stood when a process was given up, as bits.
pub mod licence {
    /// The starter's life was over.
    pub const STARTER_IS_DEAD: u64 = 1;
    /// Probes lied about the starter.
    pub const PROBES_LIE: u64 = 2;
    /// The caller is the very life that started it.
    pub const IS_STARTER: u64 = 4;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum BodyEnded {
    Output = 1,
    /// Dropped where it stood.
    Dropped = 2,
    Broke = 3,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Left {
    /// A row that should have ended by itself.
    Row = 1,
    /// A row that did not end although it was asked to.
    RowAsked = 2,
    Lease = 3,
    Waiter = 4,
}

/// The kinds of calls that events tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u64)]
pub enum CallKind {
    Claim = 1,
    Reclaim = 2,
    Renew = 3,
    Release = 4,
    Start = 5,
    Emit = 6,
    SetWait = 7,
    ClearWait = 8,
    Complete = 9,
    /// The unfenced forms of the execution-owned writes.
    UnfencedStart = 10,
    UnfencedEmit = 11,
    UnfencedSetWait = 12,
    UnfencedClearWait = 13,
    UnfencedComplete = 14,
    Register = 15,
    Abandon = 16,
    Prune = 17,
    Read = 18,
    Other = 19,
    GrantHandle = 20,
    Transfer = 21,
    Ack = 22,
}

impl CallKind {
    const ALL: [Self; 22] = [
        Self::Claim,
        Self::Reclaim,
        Self::Renew,
        Self::Release,
        Self::Start,
        Self::Emit,
        Self::SetWait,
        Self::ClearWait,
        Self::Complete,
        Self::UnfencedStart,
        Self::UnfencedEmit,
        Self::UnfencedSetWait,
        Self::UnfencedClearWait,
        Self::UnfencedComplete,
        Self::Register,
        Self::Abandon,
        Self::Prune,
        Self::Read,
        Self::Other,
        Self::GrantHandle,
        Self::Transfer,
        Self::Ack,
    ];

    pub fn from_code(code: u64) -> Self {
        let place = usize::try_from(code.saturating_sub(1)).unwrap_or(usize::MAX);
        Self::ALL.get(place).copied().unwrap_or(Self::Other)
    }

    /// As people say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Reclaim => "reclaim",
            Self::Renew => "renew",
            Self::Release => "release",
            Self::Start => "start",
            Self::Emit => "emit",
            Self::SetWait => "set wait",
            Self::ClearWait => "clear wait",
            Self::Complete => "complete",
            Self::UnfencedStart => "start (unfenced)",
            Self::UnfencedEmit => "emit (unfenced)",
            Self::UnfencedSetWait => "set wait (unfenced)",
            Self::UnfencedClearWait => "clear wait (unfenced)",
            Self::UnfencedComplete => "complete (unfenced)",
            Self::Register => "register",
            Self::Abandon => "abandon",
            Self::Prune => "prune",
            Self::Read => "read",
            Self::Other => "call",
            Self::GrantHandle => "grant handle",
            Self::Transfer => "transfer",
            Self::Ack => "ack",
        }
    }
}

/// Refusals, as the laws tell them apart.
pub mod refusal {
    pub const NONE: u64 = 0;
    pub const UNKNOWN_PROCESS: u64 = 1;
    pub const INVALID: u64 = 2;
    pub const TERMINAL: u64 = 3;
    pub const LEASE_REQUIRED: u64 = 4;
    pub const SUPERSEDED: u64 = 5;
    pub const EXPIRED: u64 = 6;
    pub const EXHAUSTED: u64 = 7;
    pub const OTHER: u64 = 8;
    pub const FAILED: u64 = 9;
    pub const UNKNOWN_OUTCOME: u64 = 10;
    /// An answer, but not the lease: somebody else holds it.
    pub const BUSY: u64 = 11;

    pub fn name(code: u64) -> &'static str {
        match code {
            NONE => "ok",
            UNKNOWN_PROCESS => "unknown process",
            INVALID => "invalid argument",
            TERMINAL => "already terminal",
            LEASE_REQUIRED => "lease required",
            SUPERSEDED => "superseded",
            EXPIRED => "expired",
            EXHAUSTED => "fence exhausted",
            FAILED => "failed",
            UNKNOWN_OUTCOME => "outcome unknown",
            BUSY => "busy",
            _ => "refused",
        }
    }

    /// Answers that say that the grant, or what it was for, is gone.
    pub fn is_loss(code: u64) -> bool {
        matches!(code, UNKNOWN_PROCESS | TERMINAL | SUPERSEDED | EXPIRED)
    }
}

/// Statuses, as events carry them.
pub mod status {
    pub const RUNNING: u64 = 0;
    pub const COMPLETED: u64 = 1;
    pub const FAILED: u64 = 2;
    pub const CANCELLED: u64 = 3;
    pub const ABANDONED: u64 = 4;

    pub fn name(code: u64) -> &'static str {
        match code {
            RUNNING => "running",
            COMPLETED => "completed",
            FAILED => "failed",
            CANCELLED => "cancelled",
            _ => "abandoned",
        }
    }
}

/// Dispositions, as events carry them.
pub mod disposition {
    pub const RERUNNABLE: u64 = 0;
    pub const OWNER_BOUND: u64 = 1;
    pub const EXTERNALLY_OWNED: u64 = 2;
}

/// Sees each event once, in order.
pub trait Witness {
    fn see(&mut self, event: &Event);
}

/// Nobody looks.
impl Witness for () {
    fn see(&mut self, _: &Event) {}
}

impl<A: Witness, B: Witness> Witness for (A, B) {
    fn see(&mut self, event: &Event) {
        self.0.see(event);
        self.1.see(event);
    }
}

impl<W: Witness + ?Sized> Witness for &mut W {
    fn see(&mut self, event: &Event) {
        W::see(self, event);
    }
}

/// Remembers everything.
impl Witness for Vec<Event> {
    fn see(&mut self, event: &Event) {
        self.push(*event);
    }
}

/// Equal streams give equal hashes, and streams that differ anywhere, practically never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunningHash {
    state: u64,
    pub events: u64,
}

impl Default for RunningHash {
    fn default() -> Self {
        Self { state: 0x6c62_272e_07bb_0142, events: 0 }
    }
}

impl RunningHash {
    pub fn value(&self) -> u64 {
        self.state
    }

    fn mix(&mut self, word: u64) {
        let wide = u128::from(self.state ^ word) * u128::from(0x9e37_79b9_7f4a_7c15_u64);
        self.state = (wide as u64) ^ ((wide >> 64) as u64).rotate_left(23) ^ word.rotate_left(41);
    }
}

impl Witness for RunningHash {
    fn see(&mut self, event: &Event) {
        self.events += 1;
        self.mix(event.at_us);
        self.mix(event.clock);
        self.mix(event.a);
        self.mix(event.b);
        let small = u64::from(event.grant.0) << 32
            | u64::from(event.process) << 16
            | u64::from(event.node) << 8
            | event.kind as u64;
        self.mix(small);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: Event =
        Event { at_us: 1, clock: 2, a: 3, b: 4, grant: GrantNo(5), process: 6, node: 7, kind: Kind::Renewed };

    #[test]
    fn an_event_stays_small() {
        assert!(size_of::<Event>() <= 48);
    }

    #[test]
    fn the_hash_sees_every_field_and_the_order() {
        let hash = |events: &[Event]| {
            let mut hash = RunningHash::default();
            events.iter().for_each(|event| hash.see(event));
            hash.value()
        };
        let others = [
            Event { at_us: 9, ..EVENT },
            Event { clock: 9, ..EVENT },
            Event { a: 9, ..EVENT },
            Event { b: 9, ..EVENT },
            Event { grant: GrantNo(9), ..EVENT },
            Event { process: 9, ..EVENT },
            Event { node: 9, ..EVENT },
            Event { kind: Kind::Ended, ..EVENT },
        ];
        for other in others {
            assert_ne!(hash(&[EVENT]), hash(&[other]), "{other:?}");
            assert_ne!(hash(&[EVENT, other]), hash(&[other, EVENT]), "{other:?}");
        }
        assert_ne!(hash(&[EVENT]), hash(&[EVENT, EVENT]));
    }

    #[test]
    fn every_kind_of_call_has_its_own_code() {
        for (code, kind) in (1..).zip(CallKind::ALL) {
            assert_eq!((kind as u64, CallKind::from_code(code)), (code, kind));
        }
    }
}
