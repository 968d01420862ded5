//! Everything that can fall due in a world, as plain data.

use std::task::Waker;

use fencepost::registry::remote::{Request, Response};

use crate::history::event::GrantNo;
use crate::plan::step::Method;
use crate::plan::{Node, Process};
use crate::world::scheduler::TaskId;
use crate::world::state::exchanges::ExchangeId;
use crate::world::state::store_traffic::{StoreAnswer, StoreRequest};

pub enum Due {
    Wake(Waker),
    /// A timer of a tokio node falls due, or its runtime may be moved on.
    WakeTokio(Waker),
    /// A task that was spawned late may now run.
    TaskStarts(TaskId),
    RequestArrives(Message<Request>),
    AnswerArrives(Message<Response>),
    /// A request to the store behind somebody's client of leases, and its answer.
    StoreRequestArrives(Message<StoreRequest>),
    StoreAnswerArrives(Message<StoreAnswer>),
    EffectArrives(OfferedEffect),
    EffectAnswerArrives(OfferedEffect, Result<(), u64>),
    /// A step of the plan, by its number.
    Step(usize),
    /// The end of a node's pause, by the pause's number.
    Resumes(Node, u64),
    /// The start of a node in this life; the flag renames its owner.
    Restarts(Node, u64, bool),
    StaleCall(Process, Method),
    /// An observer asks for the lease of a process, if a call is still being decided in this life of the registry.
    Observe {
        process: Process,
        call: u64,
        life: u64,
    },
    DiskHeals,
    /// The registry's process has died at its disk. Never on the agenda: it is always the next turn.
    RegistryDies,
    /// The liveness phase begins, or looks again at what has ended.
    LivenessCheck,
    LivenessDeadline,
}

/// A request on its way, or an answer.
pub struct Message<T> {
    /// The client's node, of an answer too.
    pub from: Node,
    /// The client node's life when it asked.
    pub life: u64,
    pub exchange: ExchangeId,
    /// Its number on its link.
    pub number: u64,
    pub sent_us: u64,
    pub is_copy: bool,
    pub content: T,
}

/// An effect on its way to the ledger, or its answer.
#[derive(Debug, Clone, Copy)]
pub struct OfferedEffect {
    pub node: Node,
    pub process: u16,
    pub fence: u64,
    pub grant: GrantNo,
    pub exchange: ExchangeId,
}
