//! Tells what happened as the events that laws hear: the same events, with the same evidence beside them, as the recorder of
//! a simulated world gives.

mod answers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fencepost::RegistryError;
use fencepost::model::lease::{LeaseOwnerLiveness, ProcessLease};
use fencepost::model::process::ProcessAwaitOutput;
use fencepost::registry::calls::Call;

use crate::history::event::{
    BodyOutcome, CallKind, CallResult, Context, CrashDamage, Event, GrantName, GrantNo, Leftover, Licence,
    NO_PROCESS, SurvivingRow, What,
};
use crate::live::fleet::{FleetChange, FleetEvent};
use crate::live::journal::{HeardResult, JournalEntry, JournalLine};
use crate::live::merge::decisions::{CallFate, LiveDecision};
use crate::live::merge::moments::{Moment, deaths};
use crate::live::merge::node_journal::NodeJournal;
use crate::live::merge::run_record::{RunEnd, RunRecord};
use crate::plan::Node;
use crate::plan::clock::EPOCH_MS;
use crate::world::{
    Grants, hash_of, is_unfenced_execution, kind_of, presented_by, process_in, refusal_of, request_in,
    status_of,
};

pub struct Historian {
    base_ns: u64,
    wall_base_ms: u64,
    grants: Grants,
    events: Vec<Event>,
    /// When each process of the run was killed, by its number in the operating system.
    deaths: BTreeMap<u32, u64>,
    /// The grant that each node was given or presented last, by process.
    presented: BTreeMap<(u16, u8), GrantNo>,
    registered: BTreeSet<u16>,
    /// Calls under way at nodes: their kind, process and grant.
    sent: BTreeMap<(u8, u64, u64), (CallKind, u16, GrantNo)>,
}

/// Where an event of a decision belongs.
#[derive(Clone, Copy)]
struct Beside {
    at_ns: u64,
    clock_ms: u64,
    node: Node,
    process: u16,
}

impl Historian {
    pub fn new(record: &RunRecord<'_>) -> Self {
        Self {
            base_ns: record.base_ns,
            wall_base_ms: record.wall_base_ms,
            grants: Grants::default(),
            events: Vec::new(),
            deaths: deaths(&record.fleet_events),
            presented: BTreeMap::new(),
            registered: BTreeSet::new(),
            sent: BTreeMap::new(),
        }
    }

    fn us(&self, at_ns: u64) -> u64 {
        at_ns.saturating_sub(self.base_ns) / 1_000
    }

    /// Readings of the wall clock are counted from the instant at which simulated clocks begin.
    fn shifted_ms(&self, wall_ms: u64) -> u64 {
        wall_ms.saturating_sub(self.wall_base_ms) + EPOCH_MS.unsigned_abs()
    }

    fn record(&mut self, context: Context, what: What) {
        self.events.push(Event::new(context, what));
    }

    fn beside(&mut self, of: Beside, grant: GrantNo, what: What) {
        let Beside { at_ns, clock_ms, node, process } = of;
        let context = Context {
            at_us: self.us(at_ns),
            clock: self.shifted_ms(clock_ms),
            node: node.code(),
            process,
            grant,
        };
        self.record(context, what);
    }

    fn at_node(&mut self, line: (u64, u64), node: Node, process: u16, grant: GrantNo, what: What) {
        let (at_us, clock) = (self.us(line.0), self.us(line.1));
        self.record(Context { at_us, clock, node: node.code(), process, grant }, what);
    }

    /// The number of a lease's grant. Its holder's node is known by its name.
    fn grant_of(&mut self, process: u16, lease: &ProcessLease) -> GrantNo {
        let node = lease.owner.owner_id.parse().map_or(u8::MAX, Node::code);
        let mut lease = lease.clone();
        lease.owner.liveness = Arc::new(LeaseOwnerLiveness::LocalProcess {
            host_id: String::new(),
            boot_id: String::new(),
            pid: u32::from(node),
            process_start: String::new(),
        });
        self.grants.of_lease(process, &lease)
    }

    fn presented_by_call(&mut self, process: u16, call: &Call) -> GrantNo {
        match (presented_by(call), call) {
            (Some(lease), _) => self.grant_of(process, lease),
            (None, Call::CompleteProcessLease { completion }) => {
                self.grants.of_token(process, &completion.lease_token)
            }
            _ => GrantNo::NONE,
        }
    }

    pub fn tell(&mut self, moment: &Moment<'_>, decisions: &[LiveDecision]) {
        let registry = |at_ns| (at_ns, at_ns);
        match *moment {
            Moment::Decided(_, place) => self.decision(&decisions[place]),
            Moment::Noted(journal, line) => self.noted(journal, line),
            Moment::Done(event) => self.done(event),
            Moment::StepTaken(at_ns, step) => {
                self.at_node(
                    registry(at_ns),
                    Node::Registry,
                    NO_PROCESS,
                    GrantNo::NONE,
                    What::StepTaken { step },
                );
            }
            Moment::ServerDown(at_ns, life) => {
                let what = What::Crashed { life, damage: CrashDamage::default() };
                self.at_node(registry(at_ns), Node::Registry, NO_PROCESS, GrantNo::NONE, what);
            }
            Moment::ServerUp(at_ns, life) => {
                self.at_node(
                    registry(at_ns),
                    Node::Registry,
                    NO_PROCESS,
                    GrantNo::NONE,
                    What::Restarted { life },
                );
            }
            Moment::Calm(at_ns, bound_us) => {
                let what = What::LivenessBegan { bound_us };
                self.at_node(registry(at_ns), Node::Registry, NO_PROCESS, GrantNo::NONE, what);
            }
        }
    }

    fn done(&mut self, event: &FleetEvent) {
        let what = match event.what {
            FleetChange::Started { life: 1, .. } | FleetChange::IsKilled { .. } => return,
            FleetChange::Started { life, .. } => What::Restarted { life },
            FleetChange::Died { life } => What::Crashed { life: life + 1, damage: CrashDamage::default() },
            FleetChange::Paused => What::Paused,
            FleetChange::Resumed => What::Resumed,
        };
        self.at_node((event.at_ns, event.at_ns), event.node, NO_PROCESS, GrantNo::NONE, what);
    }

    fn noted(&mut self, journal: &NodeJournal, line: &JournalLine) {
        let (node, at) = (journal.node, (line.at_ns, line.clock_ns));
        match &line.entry {
            JournalEntry::Sent { number, call } => {
                let (kind, process) = (kind_of(call), process_in(call));
                let grant = self.presented_by_call(process, call);
                self.sent.insert((node.code(), journal.life, *number), (kind, process, grant));
                self.at_node(at, node, process, grant, What::Sent { call: kind, number: *number });
            }
            JournalEntry::Heard { number, result } => {
                let sent = self.sent.remove(&(node.code(), journal.life, *number));
                let Some((call, process, grant)) = sent else { return };
                let (grant, result) = match result {
                    HeardResult::Acquired(lease) => (self.grant_of(process, lease), CallResult::Done),
                    HeardResult::Busy => (grant, CallResult::Busy),
                    HeardResult::Done => (grant, CallResult::Done),
                    HeardResult::Error(error) => (grant, refusal_of(error)),
                };
                self.at_node(at, node, process, grant, What::Heard { call, result, number: *number });
            }
            JournalEntry::BodyBegan { process, fence } => {
                let grant = self.grants.of_fence(*process, *fence, node);
                self.at_node(at, node, *process, grant, What::BodyBegan { fence: *fence });
            }
            JournalEntry::BodyEnded { process, fence, output, has_broken } => {
                let grant = self.grants.of_fence(*process, *fence, node);
                let outcome = match (output, has_broken) {
                    (Some(_), _) => BodyOutcome::Output,
                    (None, true) => BodyOutcome::Broke,
                    (None, false) => BodyOutcome::Dropped,
                };
                let what = What::BodyEnded { outcome, output: output.unwrap_or(0) };
                self.at_node(at, node, *process, grant, what);
            }
            JournalEntry::EffectStarted { process, fence } => {
                let grant = self.grants.of_fence(*process, *fence, node);
                self.at_node(at, node, *process, grant, What::EffectStarted { fence: *fence });
            }
            JournalEntry::EffectOffered { process, fence, highest, is_taken, .. } => {
                let grant = self.grants.of_fence(*process, *fence, node);
                let (fence, highest) = (*fence, *highest);
                let what = match is_taken {
                    true => What::EffectTaken { fence, highest },
                    false => What::EffectRefused { fence, highest },
                };
                self.at_node((line.at_ns, line.at_ns), Node::Ledger, *process, grant, what);
            }
            JournalEntry::WaitBegan { process, wait } => {
                self.at_node(at, node, *process, GrantNo::NONE, What::WaitBegan { wait: *wait });
            }
            JournalEntry::WaitEnded { process, wait, outcome } => {
                let what = What::WaitEnded { outcome: *outcome, wait: *wait };
                self.at_node(at, node, *process, GrantNo::NONE, what);
            }
            JournalEntry::Panicked { .. } => {
                self.at_node(at, node, NO_PROCESS, GrantNo::NONE, What::Panicked);
            }
            JournalEntry::Began { .. }
            | JournalEntry::Arrived { .. }
            | JournalEntry::Decided { .. }
            | JournalEntry::Answered { .. } => {}
        }
    }

    fn decision(&mut self, decision: &LiveDecision) {
        let LiveDecision { node, process, call, .. } = decision;
        let kind = kind_of(call);
        match (decision.fate, &decision.facts) {
            (CallFate::LeftOut, _) => {}
            (CallFate::NotApplied, facts) => {
                let Some(clock_ms) = facts.as_ref().map(|facts| facts.clock_ms) else { return };
                let of = Beside { at_ns: decision.at_ns(), clock_ms, node: *node, process: *process };
                let presented = self.presented(decision, kind);
                let is_unknown = decision
                    .answer
                    .as_ref()
                    .is_none_or(|answer| answer.as_ref().is_err_and(RegistryError::outcome_is_unknown));
                self.beside(of, presented, What::Failed { call: kind, is_unknown });
            }
            (_, None) => {}
            (_, Some(facts)) => {
                let of =
                    Beside { at_ns: facts.at_ns, clock_ms: facts.clock_ms, node: *node, process: *process };
                let presented = self.presented(decision, kind);
                self.evidence(decision, of, kind, presented);
                match decision.told() {
                    Some(Ok(reply)) => self.answered(decision, facts, of, (kind, presented), &reply),
                    Some(Err(error)) => {
                        let why = refusal_of(&error);
                        self.beside(of, presented, What::Refused { call: kind, why });
                        self.read_back(of, presented, &facts.before, decision.seen_next.as_ref());
                    }
                    None => {}
                }
            }
        }
    }

    /// The grant that the call presents. An unfenced write of an execution stands on the last one of its worker.
    fn presented(&mut self, decision: &LiveDecision, kind: CallKind) -> GrantNo {
        let LiveDecision { node, process, call, .. } = decision;
        let presented = self.presented_by_call(*process, call);
        let key = (*process, node.code());
        if presented.is_some() {
            self.presented.insert(key, presented);
        } else if is_unfenced_execution(kind) && request_in(call).is_none() && matches!(node, Node::Worker(_))
        {
            return self.presented.get(&key).copied().unwrap_or(GrantNo::NONE);
        }
        presented
    }

    fn evidence(&mut self, decision: &LiveDecision, of: Beside, kind: CallKind, presented: GrantNo) {
        let call = &decision.call;
        if let Call::ClaimProcessLease { owner, lease_ttl_ms, .. }
        | Call::ReclaimProcessLease { owner, lease_ttl_ms, .. } = call
        {
            let own = self.grants.last_of(of.process, &owner.owner_id, &owner.incarnation_id);
            self.beside(of, own, What::Claims { asked_ms: *lease_ttl_ms });
        }
        let output = match call {
            Call::CompleteProcess { await_output, .. }
            | Call::CompleteProcessWithLease { await_output, .. } => Some(await_output),
            _ => None,
        };
        if let Some(output) = output {
            self.beside(of, presented, What::Completes { output: hash_of(output) });
        }
        if is_unfenced_execution(kind) && request_in(call).is_none() {
            self.beside(of, presented, What::Unfenced { call: kind });
        }
        let until_ns = decision.ended_ns.unwrap_or(u64::MAX);
        if let Call::ReclaimProcessLease { observed_holder, .. } = call {
            let observed = self.grant_of(of.process, observed_holder);
            let is_dead = self.is_dead(&observed_holder.owner.liveness, until_ns);
            self.beside(of, observed, What::Observed { is_dead, do_probes_lie: false });
        }
        if let Some(ProcessAwaitOutput::Abandoned { evidence }) = output {
            let licence = match &evidence.owner {
                None => Licence::default(),
                Some(starter) => Licence {
                    is_starter_dead: self.is_dead(&starter.liveness, until_ns),
                    do_probes_lie: false,
                    is_by_starter: pid_of(&starter.liveness) == Some(decision.pid),
                },
            };
            self.beside(of, presented, What::GivesUp { writer: evidence.writer, licence });
        }
    }

    /// A process that was being killed when the call was over may have been dead when it was asked about.
    fn is_dead(&self, liveness: &LeaseOwnerLiveness, until_ns: u64) -> bool {
        let killed_ns = pid_of(liveness).and_then(|pid| self.deaths.get(&pid));
        killed_ns.is_some_and(|killed_ns| *killed_ns <= until_ns)
    }

    /// The rows at the end, and the last event.
    pub fn end(mut self, record: &RunRecord<'_>) -> (Vec<GrantName>, Vec<Event>) {
        let mut last_ns = record.base_ns;
        for look in &record.looks {
            last_ns = last_ns.max(look.at_ns);
            let known = self.registered.contains(&look.process) || look.stored.is_some();
            if !known {
                continue;
            }
            let wall_ms = self.wall_base_ms + self.us(look.at_ns) / 1_000;
            let of =
                Beside { at_ns: look.at_ns, clock_ms: wall_ms, node: Node::Registry, process: look.process };
            let lease = look.stored.as_ref().and_then(|stored| stored.tenure.lease.clone());
            let (row, output) = match &look.stored {
                None => (SurvivingRow::Gone, 0),
                Some(stored) => {
                    let process = &stored.row.record;
                    let row = SurvivingRow::Known {
                        status: status_of(&process.status),
                        is_started: process.first_started.is_some(),
                        is_waiting: process.wait.is_some(),
                        is_abandon_requested: process.abandon_request.is_some(),
                        is_torn: process.is_terminal() && (lease.is_some() || process.wait.is_some()),
                    };
                    (row, process.status.output().map_or(0, hash_of))
                }
            };
            let last_sequence = look.stored.as_ref().map_or(0, |stored| stored.highest_sequence);
            self.beside(of, GrantNo::NONE, What::Survived { row, last_sequence });
            let expires_ms = lease.as_ref().map_or(0, |lease| self.shifted_ms(lease.expires_at_epoch_ms));
            let grant = lease.map_or(GrantNo::NONE, |lease| self.grant_of(look.process, &lease));
            self.beside(of, grant, What::SurvivedLease { expires_ms, output });
            let has_ended = look.stored.as_ref().is_some_and(|stored| stored.row.record.is_terminal());
            if record.end == RunEnd::SomethingRemained && !has_ended {
                let remained = What::Remained { what: Leftover::RowAsked };
                self.at_node((look.at_ns, look.at_ns), Node::Registry, look.process, GrantNo::NONE, remained);
            }
        }
        let last_us = self.events.last().map_or(0, |event| event.at_us);
        let at_us = last_us.max(self.us(last_ns));
        let context = Context {
            at_us,
            clock: at_us,
            node: Node::Registry.code(),
            process: NO_PROCESS,
            grant: GrantNo::NONE,
        };
        self.record(context, What::Finished);
        (self.grants.names, self.events)
    }
}

fn pid_of(liveness: &LeaseOwnerLiveness) -> Option<u32> {
    match liveness {
        LeaseOwnerLiveness::LocalProcess { pid, .. } => Some(*pid),
        LeaseOwnerLiveness::Opaque => None,
    }
}
