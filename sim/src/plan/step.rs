//! One step of a plan: an instant and what happens then. Work and hardship alike are steps, so that one shrinker shrinks
//! both. How a step reads and parses as a line of text is in `text.rs`.

pub use crate::plan::text::EXAMPLES;

use fencepost::model::process::RecoveryDisposition;

use crate::plan::{Node, Process};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Of true time, since the beginning.
    pub at_ms: u64,
    pub action: Action,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    // Work, done by a host.
    Register {
        process: Process,
        disposition: RecoveryDisposition,
        body: Body,
    },
    Cancel {
        process: Process,
    },
    Signal {
        process: Process,
    },
    Abandon {
        process: Process,
    },
    Await {
        process: Process,
    },
    /// A wait on the registry's own node, beside the writes: it hears of them at once.
    AwaitAtHome {
        process: Process,
    },
    Prune,
    /// Gives a scope a handle on it.
    GrantHandle {
        process: Process,
        to: Scope,
    },
    /// All of them, or none.
    TransferHandles {
        processes: Vec<Process>,
        from: Scope,
        to: Scope,
    },
    /// Reads what wakes its target, and acks it, twice.
    Wakes {
        process: Process,
    },
    /// Somebody from the past: a call under an earlier grant of the process arrives now, or one that is aimed at the
    /// expiry of the stored lease.
    Ghost {
        process: Process,
        haunt: Haunt,
    },
    // Work of workers, beside their own sweeps.
    Sweep {
        worker: Node,
    },
    Drain {
        worker: Node,
    },
    // Hardship of nodes.
    Pause {
        node: Node,
        span: Span,
    },
    /// It comes back as a new life; `renamed`, as another owner too.
    Crash {
        node: Node,
        span: Span,
        renamed: bool,
    },
    /// As a crash of the registry. Off goes its machine too, or only its process, at once or in the middle of what it does
    /// to its disk.
    CrashRegistry {
        of: Crash,
        at_disk_call: Option<u64>,
        span: Span,
    },
    Disk {
        how: DiskFault,
        span: Span,
    },
    LateStart {
        node: Node,
        by_ms: u64,
        span: Span,
    },
    // Hardship of messages, in one direction.
    Cut {
        link: Link,
        span: Span,
    },
    Lose {
        link: Link,
        percent: u64,
        span: Span,
    },
    Repeat {
        link: Link,
        percent: u64,
        span: Span,
    },
    Delay {
        link: Link,
        by_ms: u64,
        span: Span,
    },
    /// From the next such call about the process on, such calls arrive when the registry's clock stands at the expiry of
    /// the lease that is stored then, plus this; and so do renewals, which would move the expiry.
    Hold {
        process: Process,
        method: Method,
        offset_ms: i64,
        /// Whoever sent the call is paused until then.
        asleep: bool,
    },
    // Hardship of clocks.
    StepClock {
        node: Node,
        by_ms: i64,
    },
    Drift {
        node: Node,
        ppm: i32,
    },
    // Hardship of the store, and of probes.
    SlowStore {
        by_ms: u64,
        span: Span,
    },
    FailStore {
        how: StoreFailure,
        span: Span,
    },
    /// A living worker is called dead: by the probes of workers alone, or by the registry's too.
    Lie {
        about: Node,
        to_workers_only: bool,
        span: Span,
    },
}

/// A direction between two nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    pub from: Node,
    pub to: Node,
}

/// How long something lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    Ms(u64),
    /// Until the registry's clock stands at the expiry of the process's stored lease plus this; at once if it has none.
    UntilExpiry {
        process: Process,
        offset_ms: i64,
    },
}

/// Calls that can be held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    Claim,
    Renew,
    Start,
    Emit,
    Wait,
    Complete,
    Release,
}

/// A scope that holds handles is `s` and this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope(pub u16);

/// What somebody from the past does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Haunt {
    /// This call, under the last grant that is no longer stored.
    Late(Method),
    /// This call when the registry's clock stands at the expiry of the stored lease plus an offset: a renewal under the
    /// stored grant, or somebody else's claim.
    AtExpiry { method: Method, offset_ms: i64 },
    /// The incarnation that started it claims again, starts and releases.
    Returns,
}

/// What dies with a crash of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    Process,
    Machine,
}

/// What is wrong with the registry's disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskFault {
    FailsToRead,
    FailsToWrite,
    FailsToSync,
    /// Any operation may fail, one in four does.
    Shaky,
    Full,
    /// It says that it has synced and has not.
    LiesAboutSyncs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreFailure {
    /// Known to have changed nothing.
    Before,
    /// Nothing was changed, and nobody knows.
    UnknownBefore,
    /// It was changed, and nobody knows.
    UnknownAfter,
    /// What is read of one process fails. A list may come from elsewhere: who was listed and claimed is then not read.
    Reads,
}

/// What a process does when it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// An effect, then a rest, so many times.
    Steps {
        count: u16,
        rest_ms: u64,
    },
    /// An event, then a rest, so many times.
    Emits {
        count: u16,
        rest_ms: u64,
    },
    /// Waits for a signal, then has one effect.
    Waits,
    /// Waits for another process to end.
    Awaits {
        child: Process,
    },
    UntilCancelled,
    Panics,
    /// The infrastructure fails in the first attempt at the process; the next one has four steps of 300 ms.
    Breaks,
}

impl Body {
    /// Without waiting for others.
    pub fn longest_ms(&self) -> u64 {
        match self {
            Self::Steps { count, rest_ms } | Self::Emits { count, rest_ms } => {
                u64::from(*count).saturating_mul(*rest_ms)
            }
            Self::Breaks => 1_200,
            _ => 0,
        }
    }
}

impl Action {
    /// The nodes it names.
    pub fn nodes(&self, named: &mut Vec<Node>) {
        match self {
            Self::Sweep { worker } | Self::Drain { worker } => named.push(*worker),
            Self::Pause { node, .. }
            | Self::Crash { node, .. }
            | Self::LateStart { node, .. }
            | Self::StepClock { node, .. }
            | Self::Drift { node, .. }
            | Self::Lie { about: node, .. } => named.push(*node),
            Self::Cut { link, .. }
            | Self::Lose { link, .. }
            | Self::Repeat { link, .. }
            | Self::Delay { link, .. } => named.extend([link.from, link.to]),
            _ => {}
        }
    }

    /// The longest time that it speaks of.
    pub fn longest_ms(&self) -> u64 {
        let (by_ms, span) = match self {
            Self::Pause { span, .. }
            | Self::Crash { span, .. }
            | Self::Cut { span, .. }
            | Self::Lose { span, .. }
            | Self::Repeat { span, .. }
            | Self::FailStore { span, .. }
            | Self::CrashRegistry { span, .. }
            | Self::Disk { span, .. }
            | Self::Lie { span, .. } => (0, Some(span)),
            Self::LateStart { by_ms, span, .. }
            | Self::Delay { by_ms, span, .. }
            | Self::SlowStore { by_ms, span } => (*by_ms, Some(span)),
            Self::Hold { offset_ms, .. } | Self::Ghost { haunt: Haunt::AtExpiry { offset_ms, .. }, .. } => {
                (offset_ms.unsigned_abs(), None)
            }
            Self::StepClock { by_ms, .. } => (by_ms.unsigned_abs(), None),
            Self::Register { body: Body::Steps { rest_ms, .. } | Body::Emits { rest_ms, .. }, .. } => {
                (*rest_ms, None)
            }
            _ => (0, None),
        };
        let span_ms = match span {
            Some(Span::Ms(ms)) => *ms,
            Some(Span::UntilExpiry { offset_ms, .. }) => offset_ms.unsigned_abs(),
            None => 0,
        };
        by_ms.max(span_ms)
    }

    /// Whether it makes the world harder, rather than giving it work.
    pub fn is_fault(&self) -> bool {
        !matches!(
            self,
            Self::Register { .. }
                | Self::Cancel { .. }
                | Self::Signal { .. }
                | Self::Abandon { .. }
                | Self::Await { .. }
                | Self::AwaitAtHome { .. }
                | Self::Prune
                | Self::GrantHandle { .. }
                | Self::TransferHandles { .. }
                | Self::Wakes { .. }
                | Self::Sweep { .. }
                | Self::Drain { .. }
        )
    }

    /// Whether it makes the disk break its word.
    pub fn is_lie_of_the_disk(&self) -> bool {
        matches!(self, Self::Disk { how: DiskFault::LiesAboutSyncs, .. })
    }

    /// Whether it bends a clock.
    pub fn is_clock_fault(&self) -> bool {
        matches!(self, Self::StepClock { .. } | Self::Drift { .. })
    }
}
