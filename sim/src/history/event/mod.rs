//! An event is the smallest value that says what happened: it is `Copy` and 40 bytes, names come from the plan, and grants
//! are numbers in a table. [`Event::what`] shows what it carries; nothing else can read it.

mod answers;
mod codes;
mod kind;
mod what;
mod witness;

use serde::{Deserialize, Serialize};

pub use answers::MethodNo;
pub use codes::{
    BodyOutcome, CallKind, CallResult, CrashDamage, Leftover, Licence, Status, SurvivingRow, TurnedOut,
    Unjudged, Write,
};
pub use kind::EventKind;
pub use what::What;
pub use witness::{RunningHash, Witness};

/// One grant of the run, by the order in which they were first seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GrantNo(pub u32);

impl GrantNo {
    pub const NONE: Self = Self(u32::MAX);

    pub fn is_some(self) -> bool {
        self != Self::NONE
    }

    /// Its place in a table by grant; none, if it is no grant.
    pub fn index(self) -> Option<usize> {
        self.is_some().then_some(self.0 as usize)
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

/// Stands for the process of events that are about none.
pub const NO_PROCESS: u16 = u16::MAX;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Event {
    /// True time.
    pub at_us: u64,
    /// The registry's reading in ms for a decision, the node's monotonic clock in µs for anything else.
    pub clock: u64,
    a: u64,
    b: u64,
    pub grant: GrantNo,
    pub process: u16,
    /// The node whose call it was, or where it happened.
    pub node: u8,
    kind: EventKind,
}

/// Where and when something happened, and about whom.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    pub at_us: u64,
    pub clock: u64,
    pub node: u8,
    pub process: u16,
    pub grant: GrantNo,
}

impl Event {
    #[inline]
    pub fn new(context: Context, what: What) -> Self {
        let Context { at_us, clock, node, process, grant } = context;
        let (kind, a, b) = what.encode();
        Self { at_us, clock, a, b, grant, process, node, kind }
    }

    #[inline]
    pub fn what(&self) -> What {
        What::decode(self.kind, self.a, self.b)
    }

    #[inline]
    pub fn kind(&self) -> EventKind {
        self.kind
    }

    /// The same event with another reading of the clock.
    pub fn with_clock(self, clock: u64) -> Self {
        Self { clock, ..self }
    }

    /// Everything it is, for hashing.
    fn words(&self) -> [u64; 5] {
        let small = u64::from(self.grant.0) << 32
            | u64::from(self.process) << 16
            | u64::from(self.node) << 8
            | self.kind as u64;
        [self.at_us, self.clock, self.a, self.b, small]
    }
}

/// An event as read from a file, before it is checked that a run can have written it.
#[derive(Deserialize)]
struct UncheckedEvent {
    at_us: u64,
    clock: u64,
    a: u64,
    b: u64,
    grant: GrantNo,
    process: u16,
    node: u8,
    kind: EventKind,
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let UncheckedEvent { at_us, clock, a, b, grant, process, node, kind } =
            UncheckedEvent::deserialize(deserializer)?;
        let what = What::decode(kind, a, b);
        if what.encode() != (kind, a, b) {
            let message =
                format!("an event {kind:?} cannot carry a = {a} and b = {b}; it would read as {what:?}");
            return Err(serde::de::Error::custom(message));
        }
        Ok(Self { at_us, clock, a, b, grant, process, node, kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_stays_small() {
        assert_eq!(size_of::<Event>(), 40);
    }
}
