//! One candidate: somebody's client of leases on a tokio node of its own, and the work that it does while it takes itself for the
//! leader. The node's clock runs ahead of the world's only as far as nothing can reach it: up to whatever falls due next,
//! other tokio nodes' own timers aside, because candidates reach one another through the store alone.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use fencepost::ProcessRegistry;
use fencepost::environment::{BoxFuture, Environment};
use fencepost::model::event::ProcessEventAppendRequest;
use fencepost::model::lease::{LEASE_SCHEMA_VERSION, LeaseOwnerIdentity, ProcessLease};
use fencepost::model::process::ProcessRecord;
use fencepost::work::cancellation::CancellationToken;
use tokio::task::JoinHandle;

use crate::lease::LeadershipState;
use crate::plan::Node;
use crate::subject::{Bodies, BodyActions};
use crate::world::environment::{NodeEnvironment, liveness};
use crate::world::scheduler::Entry;
use crate::world::state::due::Due;
use crate::world::state::{World, try_with, with};
use crate::world::tokio_node::{NodeAlarm, TokioNode};

/// Between attempts to say that the work is done.
const COMPLETE_AGAIN: Duration = Duration::from_millis(100);

/// Moved on at the latest after so long, where nothing else falls due.
const LONGEST_MOVE_US: u64 = 1_000_000;

/// The process that a candidate works on, and the node it runs on.
#[derive(Clone)]
pub struct Work {
    pub node: Node,
    pub process: u16,
    pub registry: Arc<dyn ProcessRegistry>,
    pub bodies: Arc<dyn Bodies>,
    /// As the last sweep read it.
    pub record: Arc<Mutex<ProcessRecord>>,
}

/// The world's task of one candidate.
pub struct CandidateTask {
    tokio: TokioNode,
    client: JoinHandle<()>,
    leadership: Arc<LeadershipState>,
    alarm: NodeAlarm,
    work: Work,
    term: Option<Term>,
    /// The node's monotonic clock when the runtime was started.
    started_us: u64,
    next: Option<NextMove>,
}

/// The work of one term.
struct Term {
    number: u64,
    body: BoxFuture<'static, ()>,
}

/// The next entry on the agenda for the node's clock.
struct NextMove {
    entry: Entry,
    at_us: u64,
    /// A timer is due then; else the clock may be moved on.
    is_timer: bool,
}

/// A node's clocks at one instant.
#[derive(Clone, Copy)]
struct NodeTime {
    now_us: u64,
    monotonic_us: u64,
    wall_ms: u64,
}

impl CandidateTask {
    pub fn new(
        tokio: TokioNode,
        client: JoinHandle<()>,
        leadership: Arc<LeadershipState>,
        alarm: NodeAlarm,
        work: Work,
    ) -> Self {
        let started_us = with(|world| world.monotonic_us(work.node));
        Self { tokio, client, leadership, alarm, work, term: None, started_us, next: None }
    }

    fn elapsed_ms(&self, time: NodeTime) -> u64 {
        (time.monotonic_us - self.started_us) / 1_000
    }

    /// Runs the client and its work until neither can go on. True, once the client has returned.
    fn run(&mut self, time: NodeTime) -> bool {
        let elapsed_ms = self.elapsed_ms(time);
        loop {
            self.tokio.settle(elapsed_ms, time.wall_ms);
            if self.client.is_finished() {
                self.term = None;
                return true;
            }
            if !self.work_on() {
                return false;
            }
        }
    }

    /// Begins, goes on with or ends the work as the client believes. True, if the work is done and the client must be told.
    fn work_on(&mut self) -> bool {
        let belief = self.leadership.now();
        if self.term.as_ref().is_some_and(|term| !belief.leads || term.number != belief.terms) {
            self.term = None;
        }
        if belief.leads && self.term.is_none() && !self.leadership.is_finished() {
            self.term = Some(Term { number: belief.terms, body: Box::pin(lead(self.work.clone())) });
        }
        let Some(term) = &mut self.term else { return false };
        let waker = self.alarm.news_waker();
        if term.body.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            return false;
        }
        self.term = None;
        self.leadership.finish();
        true
    }

    /// Puts the next look at the clock behind everything that falls due at this instant.
    fn look_soon(&mut self, now_us: u64) {
        self.put_next(now_us, false);
    }

    /// Moves the clock on to the next timer, as far as nothing can reach the node before.
    fn look(&mut self, time: NodeTime) {
        let NodeTime { now_us, .. } = time;
        let (bound_us, bound_monotonic_us) = with(|world| {
            let is_other = |due: &Due| !matches!(due, Due::WakeTokio(_));
            let bound_us = world.kernel.earliest(is_other).unwrap_or(now_us + LONGEST_MOVE_US);
            (bound_us, world.node(self.work.node).clock.monotonic_us(bound_us))
        });
        let limit_ms = bound_monotonic_us.saturating_sub(self.started_us) / 1_000;
        if limit_ms <= self.tokio.elapsed_ms() {
            return self.put_next(bound_us.max(now_us + 1), false);
        }
        let timer_us = self.started_us + self.tokio.seek(limit_ms) * 1_000;
        let at_us = with(|world| world.node(self.work.node).clock.true_us_after(now_us, timer_us));
        self.put_next(at_us.max(now_us + 1), true);
    }

    fn put_next(&mut self, at_us: u64, is_timer: bool) {
        self.cancel_next();
        let waker = self.alarm.move_waker();
        let entry = with(|world| world.kernel.at(at_us, Due::WakeTokio(waker)));
        self.next = Some(NextMove { entry, at_us, is_timer });
    }

    fn cancel_next(&mut self) {
        if let Some(NextMove { entry, .. }) = self.next.take() {
            // A cancelled entry is dropped outside of the world: nothing may be woken or freed under its lock.
            drop(try_with(|world| world.kernel.cancel(entry)));
        }
    }

    /// The client has returned, or panicked; then so does this task.
    fn end(&mut self) {
        let waker = self.alarm.news_waker();
        let ended = Pin::new(&mut self.client).poll(&mut Context::from_waker(&waker));
        if let Poll::Ready(Err(failed)) = ended
            && let Ok(payload) = failed.try_into_panic()
        {
            std::panic::resume_unwind(payload);
        }
    }
}

impl Future for CandidateTask {
    type Output = ();

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.alarm.watched_by(task.waker());
        let time = with(|world| world.time_of(this.work.node));
        let (has_news, may_move) = (this.alarm.take_news(), this.alarm.take_move());
        let next = this.next.as_ref().filter(|_| may_move);
        let is_timer = next.is_some_and(|next| next.is_timer);
        let is_look = next.is_some_and(|next| !next.is_timer && next.at_us == time.now_us);
        if has_news || is_timer {
            if this.run(time) {
                this.end();
                return Poll::Ready(());
            }
            this.look_soon(time.now_us);
        } else if is_look {
            this.look(time);
        } else if may_move {
            // It stood still when it should have looked.
            this.look_soon(time.now_us);
        }
        Poll::Pending
    }
}

impl Drop for CandidateTask {
    fn drop(&mut self) {
        self.cancel_next();
    }
}

/// Does the work of a leader, and says so when it is done.
async fn lead(work: Work) {
    let record = work.record.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let fence = with(|world| world.term_begins(work.node, work.process, record.id()));
    let Some(output) = work.bodies.run(&record, fence, &LeadersActions::default()).await else {
        return;
    };
    while let Err(error) = work.registry.complete_process(record.id(), output.clone()).await {
        if error.is_refusal() {
            return;
        }
        NodeEnvironment(work.node).sleep(COMPLETE_AGAIN).await;
    }
}

/// Nothing guards what a leader does: it only takes its time.
#[derive(Default)]
struct LeadersActions(CancellationToken);

#[async_trait]
impl BodyActions for LeadersActions {
    async fn emit(&self, _: ProcessEventAppendRequest) -> Result<(), String> {
        Ok(())
    }

    async fn wait_for_signal(&self, _: &str) -> Result<(), String> {
        Ok(())
    }

    async fn await_process(&self, _: &str) -> Result<(), String> {
        Ok(())
    }

    fn cancellation(&self) -> &CancellationToken {
        &self.0
    }
}

impl World {
    fn time_of(&mut self, node: Node) -> NodeTime {
        NodeTime {
            now_us: self.kernel.now_us,
            monotonic_us: self.monotonic_us(node),
            wall_ms: self.wall_ms(node),
        }
    }

    /// Names the grant under which events show a term. Returns its fence, which counts the terms of the process, whoever began them.
    fn term_begins(&mut self, node: Node, process: u16, key: &str) -> u64 {
        let terms = self.traffic.store.terms.entry(process).or_default();
        *terms += 1;
        let term = *terms;
        let life = self.node(node).life;
        let owner = LeaseOwnerIdentity {
            liveness: Arc::new(liveness(node, life)),
            ..LeaseOwnerIdentity::opaque(node.to_string(), format!("{node}.{life}"))
        };
        let lease = ProcessLease {
            schema_version: LEASE_SCHEMA_VERSION,
            process_id: key.to_owned(),
            owner,
            lease_token: format!("{key}#{term}"),
            fencing_token: term,
            claimed_at_epoch_ms: self.wall_ms(node),
            expires_at_epoch_ms: u64::MAX,
        };
        self.records.grants.of_lease(process, &lease);
        term
    }
}
