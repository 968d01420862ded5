//! The shape of a law: a card with everything there is to know about it, and a state that sees the events it hears.

use crate::history::event::{Event, EventKind, What};
use crate::laws::case::Case;
use crate::laws::explain::{Evidence, Explanation};
use crate::plan::Plan;

/// A law: a sentence about histories, and the state that finds where a history breaks it.
///
/// ```
/// use fencepost_sim::laws::Laws;
/// use fencepost_sim::plan::Plan;
///
/// let laws = Laws::new(&Plan::quiet(0));
/// assert!(laws.all().into_iter().any(|law| law.name() == "ends-once" && !law.sentence().is_empty()));
/// ```
pub trait Law: Default {
    const CARD: LawCard;

    /// The side that acted wrongly when it is broken.
    const SIDE: Side = Side::Registry;

    /// The law before the first event of a run of this plan.
    fn new(_: &Plan) -> Self {
        Self::default()
    }

    /// One event of a kind that the card lists; `what` is what it carries.
    fn see(&mut self, event: &Event, what: What, case: &mut Case);
}

/// Everything about a law except its state.
pub struct LawCard {
    /// As the command line, reports and files name it.
    pub name: &'static str,
    pub sentence: &'static str,
    /// The kinds of events that concern it. It is shown no others.
    pub hears: &'static [EventKind],
    /// A plan that breaks one of these cannot be judged by this law.
    pub needs: &'static [Assumption],
    /// It may call a history broken where calls overlapped and nobody knows their order: because it allows for every order,
    /// or because it is not about the registry's order at all.
    pub judges_unordered: bool,
    /// Its breaches are panics, so a report shows the panic with its place in the code.
    pub is_about_panics: bool,
    /// The names of the planted bugs that it must catch.
    pub catches: &'static [&'static str],
    /// Finds the earlier event that, together with the breach, breaks the law.
    pub explain: fn(&Evidence<'_>) -> Option<Explanation>,
}

/// The side that acted wrongly when a law is broken: where a reader looks for the bug first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Registry,
    /// The code that takes requests to the registry and keeps its answers.
    Server,
    Worker,
    Waiter,
    /// The law shows the effect only.
    RegistryOrWorker,
    /// The code that panicked.
    Panicking,
}

impl Side {
    /// For reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Registry => "the registry",
            Self::Server => "the server in front of the registry",
            Self::Worker => "the worker",
            Self::Waiter => "the code that waits, or that wakes it",
            Self::RegistryOrWorker => "the registry or the worker",
            Self::Panicking => "the code that panicked",
        }
    }
}

/// Something that a law takes for granted and a plan may break. Lies of probes are not here: events tell of each lie, and the
/// laws concerned allow for them one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assumption {
    /// Whatever the disk calls synced survives a crash. Laws about nodes alone do not assume it.
    DiskSyncs,
}

impl Assumption {
    /// Why a law that needs this cannot judge runs of the plan.
    fn broken_by(self, plan: &Plan) -> Option<&'static str> {
        match self {
            Self::DiskSyncs => (!plan.disk_keeps_its_word())
                .then_some("the plan's disk lies about syncs, and this law needs one that keeps its word"),
        }
    }
}

impl LawCard {
    /// Why this law cannot judge runs of the plan, if it cannot.
    pub fn broken_assumption(&self, plan: &Plan) -> Option<&'static str> {
        self.needs.iter().find_map(|needed| needed.broken_by(plan))
    }

    /// The kinds it hears, as bits.
    pub(super) const fn mask(&self) -> u64 {
        let (mut mask, mut place) = (0, 0);
        while place < self.hears.len() {
            mask |= bit(self.hears[place]);
            place += 1;
        }
        mask
    }

    /// True, if it must catch the planted bug of this name.
    pub const fn must_catch(&self, planted_bug: &str) -> bool {
        let mut place = 0;
        while place < self.catches.len() {
            if is_same(self.catches[place].as_bytes(), planted_bug.as_bytes()) {
                return true;
            }
            place += 1;
        }
        false
    }
}

/// The bit of a kind in a mask. There are fewer than 64 kinds: with more this would not compile.
pub(super) const fn bit(kind: EventKind) -> u64 {
    const { assert!((EventKind::Believed as u8) < 64, "a mask of kinds has 64 bits") };
    1 << kind as u8
}

/// `==` for constants.
const fn is_same(left: &[u8], right: &[u8]) -> bool {
    let mut place = 0;
    while place < left.len() && place < right.len() && left[place] == right[place] {
        place += 1;
    }
    place == left.len() && place == right.len()
}

/// The last arm of a law's match over events. The card does not list the kind, so no run gets here; a kind that is listed and
/// not matched gets here at once.
#[cold]
pub fn unheard(what: What) -> ! {
    unreachable!("this law's card does not list the event, or the law does not match it: {what:?}")
}
