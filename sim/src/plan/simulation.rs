//! Everything that a step may do to a running world. The world carries it out; a step knows nothing else of it.
//! Instants are microseconds of true time.

use fencepost::model::process::RecoveryDisposition;

use crate::plan::clock_fault::ClockFault;
use crate::plan::host_call::HostCall;
use crate::plan::method::Method;
use crate::plan::names::{Link, Node, Process, Scope};
use crate::plan::span::Span;

pub trait Simulation {
    /// When a span that begins now ends.
    fn end_of(&mut self, span: Span) -> u64;

    // Machines.
    fn pause(&mut self, node: Node, until_us: u64);
    /// It starts again after the span, as a new life; renamed, as another owner too.
    fn crash(&mut self, node: Node, span: Span, is_renamed: bool);
    /// The registry's process dies, at once or in the middle of one of its next disk calls.
    fn crash_registry(&mut self, at_disk_call: Option<u64>, span: Span);
    /// Crashes the registry together with its machine.
    fn power_off_registry(&mut self, at_disk_call: Option<u64>, span: Span);
    /// Tasks that are spawned until then start so much later.
    fn start_late(&mut self, node: Node, by_us: u64, until_us: u64);
    /// Tasks that become ready until then run in the opposite order.
    fn reverse_tasks(&mut self, node: Node, until_us: u64);
    fn bend_clock(&mut self, fault: &dyn ClockFault);

    // Links.
    fn cut(&mut self, link: Link, until_us: u64);
    fn lose(&mut self, link: Link, percent: u64, until_us: u64);
    fn repeat(&mut self, link: Link, percent: u64, until_us: u64);
    fn delay(&mut self, link: Link, by_us: u64, until_us: u64);

    /// The message of this number on the link, counted from the run's first.
    fn single_out(&mut self, link: Link, number: u64, fate: MessageFault);

    // The registry's disk and store, and the probes of workers.
    fn trouble_disk(&mut self, how: DiskFault, until_us: u64);
    fn slow_store(&mut self, wait: StoreWait, by_us: u64, until_us: u64);
    fn fail_store(&mut self, how: StoreFailure, until_us: u64);
    fn lie_about(&mut self, node: Node, to_workers_only: bool, until_us: u64);

    // Calls.
    fn hold_calls(&mut self, method: Method, process: Process, offset_ms: i64, is_caller_asleep: bool);
    fn send_stale_call(&mut self, process: Process, kind: StaleCallKind);

    // Work of hosts.
    /// The process's body is that of the step with this number.
    fn register(&mut self, number: usize, process: Process, disposition: RecoveryDisposition);
    fn cancel(&mut self, process: Process);
    fn signal(&mut self, process: Process);
    fn abandon(&mut self, process: Process);
    fn await_end(&mut self, process: Process);
    fn await_end_at_registry(&mut self, process: Process);
    fn prune(&mut self);
    fn grant_handle(&mut self, process: Process, to: Scope);
    fn transfer_handles(&mut self, processes: &[Process], from: Scope, to: Scope);
    fn read_wakes(&mut self, process: Process);
    /// The arguments of the call are made from the number.
    fn ask(&mut self, call: HostCall, process: Process, number: u64);

    // Work of workers, beside their own sweeps.
    fn sweep(&mut self, worker: Node);
    fn drain(&mut self, worker: Node);
}

/// The fate of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageFault {
    Dropped,
    /// A copy of the message arrives this much later.
    Doubled {
        after_us: u64,
    },
    /// It arrives so much later.
    Late {
        by_us: u64,
    },
}

/// How the registry's disk is faulty.
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

/// Where a call waits for the registry's store. From its lock to its answer no other call is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreWait {
    /// Before it has the store's lock.
    ForLock,
    /// The store waits under its lock, before the decision reads the clock.
    BeforeReading,
    /// Under the lock, after the decision has read the clock, before anything is written.
    BeforeWrite,
}

impl StoreWait {
    pub const ALL: [Self; 3] = [Self::ForLock, Self::BeforeReading, Self::BeforeWrite];
}

/// How the registry's store fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreFailure {
    /// Known to have changed nothing.
    Before,
    /// Nothing was changed, and nobody knows.
    UnknownBefore,
    /// It was changed, and nobody knows.
    UnknownAfter,
    /// Reads of single processes fail. A list may come from elsewhere: a process that was listed and claimed is then not
    /// read.
    Reads,
}

/// The call of somebody who held a process once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaleCallKind {
    /// This call, under the last grant that is no longer stored.
    Late(Method),
    /// This call when the registry's clock stands at the expiry of the stored lease plus an offset: a renewal under the
    /// stored grant, or somebody else's claim.
    AtExpiry { method: Method, offset_ms: i64 },
    /// The incarnation that started it claims again, starts and releases.
    Returns,
    /// This call, under a lease that nobody was granted.
    Forged { method: Method, forgery: Forgery },
    /// The holder of the stored lease claims or renews it again, and asks for so much.
    Again { method: Method, asked_ms: u64 },
}

/// How a lease is forged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgery {
    /// The stored lease with another token.
    OtherToken,
    /// The stored lease of another process, presented for this one.
    LeaseOf(Process),
}
