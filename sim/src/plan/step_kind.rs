//! Everything that a kind of step must say about itself. Each kind stands in one file, under `work/` or `fault/`, and
//! everybody else (the world, the generator, the shrinker, the timeline, the laws) asks it by this trait.

use std::any::Any;
use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::plan::body::Body;
use crate::plan::clock_fault::ClockFault;
use crate::plan::method::Method;
use crate::plan::names::{Link, Node, Process};
use crate::plan::simulation::Simulation;
use crate::plan::span::Span;

/// One kind of step. `Display` writes its words, without the instant.
pub trait StepKind: fmt::Display + fmt::Debug + AnyStep + Send + Sync {
    /// Lines that show every form it has.
    fn examples() -> &'static [&'static str]
    where
        Self: Sized;

    /// Reads its words back: nothing where the words are another kind's, an error where they are its own and wrong.
    fn parse(words: &[&str]) -> Result<Option<Self>, String>
    where
        Self: Sized;

    fn group(&self) -> Group;

    /// Every name, time and number in it, in the order they are written. What is left out here the shrinker cannot change,
    /// and the check of a plan does not see.
    fn parts(&mut self) -> Vec<Part<'_>>;

    /// Does it in the running world. `number` is the step's place in the plan.
    fn carry_out(&self, number: usize, world: &mut dyn Simulation);

    /// Why no world can carry it out, as the end of a sentence about the step.
    fn impossible(&self) -> Option<String> {
        None
    }

    /// True, if it has a meaning for a registry only, and none for a lease service.
    fn needs_registry(&self) -> bool {
        false
    }

    /// How the timeline draws it.
    fn shown(&self) -> Shown {
        Shown::Instant
    }

    /// Forms that say less, for the shrinker to try; its times and numbers are tried without being listed here.
    fn simpler(&self, _ttl_ms: u64) -> Vec<Simpler> {
        Vec::new()
    }

    /// How much it says beyond the plainest form of its kind.
    fn unusual(&self) -> usize {
        0
    }

    /// Sum of what a reader has to count in it: steps of a body, names in a list, disk calls.
    fn counted(&self) -> u64 {
        0
    }

    /// The clock that it bends, and how.
    fn clock_fault(&self) -> Option<&dyn ClockFault> {
        None
    }

    /// The process it registers, and the body it gives it.
    fn registers(&self) -> Option<(Process, &Body)> {
        None
    }

    /// The link that carries nothing while it lasts.
    fn cuts(&self) -> Option<(Link, Span)> {
        None
    }

    /// The calls or messages that it makes late.
    fn holds_back(&self) -> Option<HeldBack> {
        None
    }

    /// True, if it makes the disk say that it synced where it did not.
    fn is_lie_of_the_disk(&self) -> bool {
        false
    }

    /// True, if somebody waits on the registry's own node.
    fn is_wait_at_registry(&self) -> bool {
        false
    }
}

/// Calls or messages that a step makes late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldBack {
    /// The next calls of this method about the process, and renewals after the first of them.
    Calls { method: Method, process: Process },
    /// Messages that are sent on the link meanwhile.
    Messages { link: Link, span: Span },
}

/// The subject of a step, in the words of profiles and reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Asks for something; everything else is a fault.
    Work,
    Standstill,
    Crash,
    Link,
    Clock,
    Disk,
    Store,
    Probe,
    /// Calls that are held back, or come late: they make nothing hard by themselves.
    Call,
}

/// A name, a time or a number in a step.
#[derive(Debug, PartialEq, Eq)]
pub enum Part<'a> {
    Node(&'a mut Node),
    Link(&'a mut Link),
    /// The process that the step is about.
    Process(&'a mut Process),
    /// Several that it is about.
    Processes(&'a mut Vec<Process>),
    /// A process that it mentions besides.
    OtherProcess(&'a mut Process),
    Ms(&'a mut u64),
    SignedMs(&'a mut i64),
    Ppm(&'a mut i32),
    Span(&'a mut Span),
}

/// How the timeline draws a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    Instant,
    /// As a bar, for so many milliseconds.
    Bar(u64),
    /// As long as it lasts: an event of its own says when it is over.
    UntilItsEvent,
}

impl Shown {
    /// A bar where the plan says in time how long it lasts.
    pub fn bar(span: Span) -> Self {
        match span {
            Span::Ms(ms) => Self::Bar(ms),
            Span::UntilExpiry { .. } => Self::Instant,
        }
    }
}

/// The step of a plan, of whatever kind.
#[derive(Debug)]
pub struct Action(Box<dyn StepKind>);

impl Action {
    pub fn downcast<K: StepKind + 'static>(&self) -> Option<&K> {
        let any: &dyn Any = self.0.as_ref();
        any.downcast_ref()
    }

    pub fn downcast_mut<K: StepKind + 'static>(&mut self) -> Option<&mut K> {
        let any: &mut dyn Any = self.0.as_mut();
        any.downcast_mut()
    }
}

impl<K: StepKind + 'static> From<K> for Action {
    fn from(kind: K) -> Self {
        Self(Box::new(kind))
    }
}

impl Deref for Action {
    type Target = dyn StepKind;

    fn deref(&self) -> &Self::Target {
        self.0.as_ref()
    }
}

impl DerefMut for Action {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.0.as_mut()
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Clone for Action {
    fn clone(&self) -> Self {
        self.0.cloned()
    }
}

impl PartialEq for Action {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_equal(other.0.as_ref())
    }
}

impl Eq for Action {}

/// A change that makes a step say less, for the shrinker to try. It is made on the step as it is when its turn comes, which
/// earlier changes may have made simpler already.
pub struct Simpler {
    /// The change in words, for the log of the shrinker.
    pub what: String,
    pub change: Box<dyn Fn(&mut Action)>,
}

impl Simpler {
    /// Another form of the same kind.
    pub fn new<K: StepKind + 'static>(what: impl Into<String>, change: impl Fn(&mut K) + 'static) -> Self {
        let change = move |action: &mut Action| {
            if let Some(kind) = action.downcast_mut() {
                change(kind);
            }
        };
        Self { what: what.into(), change: Box::new(change) }
    }

    /// A form that may be of another, plainer kind.
    pub fn replaced<K: StepKind + 'static>(
        what: impl Into<String>,
        plainer: impl Fn(&K) -> Action + 'static,
    ) -> Self {
        let change = move |action: &mut Action| {
            if let Some(plainer) = action.downcast().map(&plainer) {
                *action = plainer;
            }
        };
        Self { what: what.into(), change: Box::new(change) }
    }
}

/// Copies and compares steps without knowing their kind. Every kind has it by itself.
pub trait AnyStep: Any {
    fn cloned(&self) -> Action;
    fn is_equal(&self, other: &dyn StepKind) -> bool;
}

impl<K: StepKind + Clone + PartialEq + 'static> AnyStep for K {
    fn cloned(&self) -> Action {
        Action::from(self.clone())
    }

    fn is_equal(&self, other: &dyn StepKind) -> bool {
        let other: &dyn Any = other;
        other.downcast_ref::<Self>() == Some(self)
    }
}
