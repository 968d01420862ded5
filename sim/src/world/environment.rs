//! One node's environment in the world: its clocks, sleep, tasks, entropy and probe. The code under test sees nothing else of
//! the simulation, apart from its transport.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use fencepost::environment::{BoxFuture, Environment};
use fencepost::model::lease::{LeaseOwnerIdentity, LeaseOwnerLiveness};
use rand_chacha::rand_core::Rng;

use crate::plan::Node;
use crate::world::scheduler::Entry;
use crate::world::state::due::Due;
use crate::world::state::{World, try_with, with};

/// One node's view of the world.
#[derive(Debug, Clone, Copy)]
pub struct NodeEnvironment(pub Node);

impl Environment for NodeEnvironment {
    fn now_epoch_ms(&self) -> u64 {
        read_clock(|world| {
            let now_ms = match (world.records.decision_clock, self.0) {
                (Some(clock), Node::Registry) => clock.now_ms(),
                _ => world.wall_ms(self.0),
            };
            if let (Some(readings), Node::Registry) = (&mut world.records.readings, self.0) {
                readings.add(now_ms);
            }
            now_ms
        })
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(read_clock(|world| world.monotonic_us(self.0)))
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let us = u64::try_from(duration.as_nanos().div_ceil(1_000)).unwrap_or(u64::MAX);
        let until_us = with(|world| world.monotonic_us(self.0)).saturating_add(us);
        Box::pin(SimulatedSleep { node: self.0, until_us, entry: None })
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) {
        with(|world| world.spawn(self.0, task));
    }

    fn fill_entropy(&self, bytes: &mut [u8]) {
        with(|world| {
            let state = world.node(self.0);
            state.entropy.fill_bytes(bytes);
            state.entropy_drawn += bytes.len() as u64;
        });
    }

    fn is_definitely_dead(&self, owner: &LeaseOwnerIdentity) -> bool {
        with(|world| world.is_called_dead(self.0, owner))
    }
}

impl World {
    /// The answer of a node's probe. The pid and start of a simulated process are its node and life; the world knows if
    /// that life still goes on.
    pub fn is_called_dead(&mut self, by: Node, owner: &LeaseOwnerIdentity) -> bool {
        let LeaseOwnerLiveness::LocalProcess { pid, process_start, .. } = owner.liveness.as_ref() else {
            return false;
        };
        let now_us = self.kernel.now_us;
        let of = self.node(Node::from_code(u8::try_from(*pid).unwrap_or(u8::MAX)));
        let is_dead = process_start.parse() != Ok(of.life);
        let lies = if by == Node::Registry { of.lied_to_registry } else { of.lied_about };
        is_dead || now_us < lies.until_us
    }
}

/// Unwinds out of a task that reads clocks in an endless loop, and of no other.
fn read_clock(reading: impl FnOnce(&mut World) -> u64) -> u64 {
    match with(|world| world.kernel.count_clock_reading().then(|| reading(world))) {
        Some(reading) => reading,
        None => std::panic::resume_unwind(Box::new("this task runs in circles".to_owned())),
    }
}

/// The name by which probes know a simulated process of this node's life.
pub fn liveness(node: Node, life: u64) -> LeaseOwnerLiveness {
    LeaseOwnerLiveness::LocalProcess {
        host_id: "simulation".to_owned(),
        boot_id: "simulation".to_owned(),
        pid: u32::from(node.code()),
        process_start: life.to_string(),
    }
}

struct SimulatedSleep {
    node: Node,
    /// On the node's monotonic clock.
    until_us: u64,
    entry: Option<Entry>,
}

impl Future for SimulatedSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        with(|world| {
            let now_us = world.kernel.now_us;
            if world.monotonic_us(self.node) >= self.until_us {
                return Poll::Ready(());
            }
            if let Some(Due::Wake(waker)) = self.entry.and_then(|entry| world.kernel.due_mut(entry)) {
                waker.clone_from(task.waker());
                return Poll::Pending;
            }
            // Never at the present instant: a clock that just changed its pace must not keep time from moving.
            let clock = &world.node(self.node).clock;
            let at_us = clock.true_us_after(now_us, self.until_us).max(now_us + 1);
            self.entry = Some(world.kernel.at(at_us, Due::Wake(Waker::clone(task.waker()))));
            Poll::Pending
        })
    }
}

impl Drop for SimulatedSleep {
    fn drop(&mut self) {
        if let Some(entry) = self.entry {
            // A cancelled entry is dropped outside of the world: nothing may be woken or freed under its lock.
            drop(try_with(|world| world.kernel.cancel(entry)));
        }
    }
}
