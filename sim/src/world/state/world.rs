//! The state of one running world, and the few things every part of it does: read a clock, spawn a task, record an event.

use std::sync::Arc;

use fencepost::environment::BoxFuture;
use fencepost::model::process::{ProcessInput, ProcessRecord};

use crate::disk;
use crate::history::EventNote;
use crate::history::event::{Context, Event, GrantNo, NO_PROCESS, What};
use crate::plan::chance::Seed;
use crate::plan::step::{Body, Span};
use crate::plan::{Node, Plan, Process, Store, TaskOrder};
use crate::subject::{FirstReadyFirst, RandomSchedule, Schedule, Subject};
use crate::world::scheduler::Kernel;
use crate::world::state::due::Due;
use crate::world::state::ledger::Ledger;
use crate::world::state::liveness::LivenessState;
use crate::world::state::nodes::{NodeState, Nodes};
use crate::world::state::records::Records;
use crate::world::state::rows::RowView;
use crate::world::state::services::Services;
use crate::world::state::store_faults::StoreFaults;
use crate::world::state::traffic::Traffic;

pub struct World {
    pub seed: Seed,
    pub plan: Arc<Plan>,
    pub subject: Subject,
    pub kernel: Kernel<Due>,
    /// Recorded since the witness last saw them.
    pub events: Vec<Event>,
    pub last_event_us: u64,
    /// How many events were recorded so far.
    recorded: u64,
    /// More about some of them.
    pub notes: Vec<EventNote>,
    pub nodes: Nodes,
    pub services: Services,
    pub traffic: Traffic,
    pub ledger: Ledger,
    pub records: Records,
    pub store_faults: StoreFaults,
    pub workload: Workload,
    pub liveness: LivenessState,
    pub is_over: bool,
}

/// Counts of the plan's work.
#[derive(Default)]
pub struct Workload {
    /// Faults that were injected.
    pub faults: u64,
    /// Waits that hosts have begun, and those that go on.
    pub waits: u64,
    pub waiting: u64,
    /// Processes whose body has broken once.
    pub broken: Vec<u16>,
}

impl World {
    pub fn new(plan: Arc<Plan>, subject: Subject) -> Self {
        let seed = Seed(plan.seed);
        let schedule: Box<dyn Schedule> = match (subject.schedule, plan.order) {
            (Some(schedule), _) => schedule(seed),
            (None, TaskOrder::Drawn) => Box::new(RandomSchedule(seed)),
            (None, TaskOrder::FirstReady) => Box::new(FirstReadyFirst::default()),
        };
        Self {
            seed,
            kernel: Kernel::new(schedule),
            events: Vec::with_capacity(64),
            last_event_us: 0,
            recorded: 0,
            notes: Vec::new(),
            nodes: Nodes::new(&plan, seed),
            services: Services::default(),
            traffic: Traffic::default(),
            ledger: Ledger::default(),
            records: Records::new(&plan, &subject),
            store_faults: StoreFaults::default(),
            workload: Workload::default(),
            liveness: LivenessState::default(),
            is_over: false,
            plan,
            subject,
        }
    }

    /// The registry keeps its rows on its machine's disk.
    pub fn is_on_disk(&self) -> bool {
        if self.subject.is_ours() { self.plan.store == Store::Sqlite } else { self.subject.is_reopened }
    }

    pub fn node(&mut self, node: Node) -> &mut NodeState {
        self.nodes.get_mut(node)
    }

    pub fn row(&mut self, process: u16) -> &mut RowView {
        self.records.rows.get_mut(process)
    }

    /// The host that speaks for a process.
    pub fn host_for(&self, process: u16) -> Node {
        let hosts = &self.plan.hosts.0;
        Node::Host(hosts[usize::from(process) % hosts.len()])
    }

    /// The body of the step that registered this life.
    pub fn body_of(&self, record: &ProcessRecord) -> Option<Body> {
        let ProcessInput::Engine { payload, .. } = &record.registration.input else { return None };
        let step = self.plan.steps.get(usize::try_from(payload.as_u64()?).ok()?)?;
        step.action.registers().map(|(_, body)| *body)
    }

    pub fn monotonic_us(&mut self, node: Node) -> u64 {
        let now_us = self.kernel.now_us;
        self.node(node).clock.monotonic_us(now_us)
    }

    pub fn wall_ms(&mut self, node: Node) -> u64 {
        let now_us = self.kernel.now_us;
        self.node(node).clock.wall_ms(now_us)
    }

    /// The instant at which the registry's clock stands at the expiry of the process's stored lease plus an offset.
    pub fn true_us_of_expiry(&mut self, process: Process, offset_ms: i64) -> Option<u64> {
        let (expires_ms, _) = self.row(process.0).lease?;
        let wall_ms = expires_ms.saturating_add_signed(offset_ms);
        let now_us = self.kernel.now_us;
        Some(self.node(Node::Registry).clock.true_us_at_wall_ms(now_us, wall_ms))
    }

    /// The end of a span that begins now.
    pub fn end_of(&mut self, span: Span) -> u64 {
        match span {
            Span::Ms(ms) => self.kernel.now_us + ms * 1_000,
            Span::UntilExpiry { process, offset_ms } => {
                self.true_us_of_expiry(process, offset_ms).unwrap_or(self.kernel.now_us)
            }
        }
    }

    /// Spawns a task of the node's present life.
    pub fn spawn(&mut self, node: Node, task: BoxFuture<'static, ()>) {
        let now_us = self.kernel.now_us;
        let state = self.node(node);
        state.spawned += 1;
        let number = state.spawned;
        let (by_us, until_us) = state.late_start;
        let id = self.kernel.spawn(node.code(), number, task);
        if now_us < until_us {
            self.kernel.at(now_us + by_us, Due::TaskStarts(id));
        } else {
            self.kernel.wake(id);
        }
    }

    /// Records an event. Every event of a run passes here.
    #[inline]
    pub fn record(&mut self, event: Event) {
        assert!(self.last_event_us <= event.at_us, "the time of an event went back");
        self.last_event_us = event.at_us;
        self.recorded += 1;
        self.events.push(event);
    }

    /// Says more of the event that was recorded last. It is kept beside the events, and no law hears it.
    pub fn annotate(&mut self, lines: &[(&'static str, String)]) {
        let place = self.recorded.saturating_sub(1);
        let lines = lines.iter().map(|(label, said)| format!("{label}: {said}")).collect();
        self.notes.push(EventNote { place, lines });
    }

    /// Records something that was seen at a node, by its monotonic clock.
    pub fn note(&mut self, node: Node, process: u16, grant: GrantNo, what: What) {
        let clock = self.monotonic_us(node);
        let at_us = self.kernel.now_us;
        self.record(Event::new(Context { at_us, clock, node: node.code(), process, grant }, what));
    }

    /// Records something that was seen at a node, and is about no process.
    pub fn note_at(&mut self, node: Node, what: What) {
        self.note(node, NO_PROCESS, GrantNo::NONE, what);
    }

    pub fn pause(&mut self, node: Node, until_us: u64) {
        let now_us = self.kernel.now_us;
        let state = self.node(node);
        if state.is_up && until_us > now_us {
            state.is_paused = true;
            state.pauses += 1;
            let pause = state.pauses;
            self.note_at(node, What::Paused);
            self.kernel.at(until_us, Due::Resumes(node, pause));
        }
    }

    /// Gives the disk the faults that last now, and no others.
    pub fn trouble_disk(&mut self) {
        let trouble = self.store_faults.disk_trouble(self.kernel.now_us);
        disk::with(|disk| disk.trouble = trouble);
    }
}
