//! Marks of stored leases: who holds one, who won it from whom, whether it was past its expiry and came back.

use std::collections::BTreeMap;

use crate::coverage::per_process::PerProcess;
use crate::coverage::{CoverageCounts, Mark};
use crate::history::event::{Event, GrantNo, Write};

/// A fence is near its ceiling when so few are left.
const NEAR_THE_CEILING: u64 = 16;

#[derive(Default)]
pub struct LeaseObserver {
    processes: PerProcess<LeaseState>,
    /// The node that won each grant, and in which of its lives.
    won_by: Vec<(u8, u64)>,
    /// The present life of each node.
    lives: BTreeMap<u8, u64>,
    /// The last decision: its instant in µs, and the registry's reading in ms.
    last_reading: (u64, u64),
}

#[derive(Default)]
struct LeaseState {
    held: Option<HeldLease>,
    was_past_expiry: bool,
    started_by: Option<GrantNo>,
    /// The length that the claim asks for which is being decided, and that of the last grant.
    asked_ms: u64,
    last_length_ms: Option<u64>,
    /// A reclaim is being decided: whether its holder is dead to the registry.
    is_observed_dead: Option<bool>,
}

/// The lease that is stored for a process.
#[derive(Debug, Clone, Copy)]
pub struct HeldLease {
    pub grant: GrantNo,
    pub expires_ms: u64,
}

impl LeaseObserver {
    /// Notes the registry's reading. Returns the lease that this decision is made on.
    #[inline]
    pub fn decision(&mut self, event: &Event) -> Option<HeldLease> {
        self.last_reading = (event.at_us, event.clock);
        let state = self.processes.of(event.process);
        if let Some(lease) = state.held {
            state.was_past_expiry |= event.clock >= lease.expires_ms;
        }
        state.held
    }

    /// The registry's reading at an instant after its last decision.
    pub fn registry_clock_ms(&self, at_us: u64) -> u64 {
        let (read_at_us, read_ms) = self.last_reading;
        read_ms + (at_us - read_at_us) / 1_000
    }

    /// The expiry of each stored lease, and whether it was past.
    pub fn expiries(&mut self) -> impl Iterator<Item = (u64, &mut bool)> {
        let expiry = |state: &mut LeaseState| -> Option<u64> { state.held.map(|lease| lease.expires_ms) };
        self.processes
            .iter_mut()
            .filter_map(move |state| expiry(state).map(|expires_ms| (expires_ms, &mut state.was_past_expiry)))
    }

    /// A claim or a reclaim is about to be decided.
    pub fn claims(&mut self, event: &Event, asked_ms: u64) {
        self.processes.of(event.process).asked_ms = asked_ms;
    }

    pub fn granted(&mut self, event: &Event, expires_ms: u64, fence: u64, counts: &mut CoverageCounts) {
        let life = self.life(event.node);
        if let Some(place) = event.grant.index() {
            if self.won_by.len() <= place {
                self.won_by.resize(place + 1, (0, 0));
            }
            self.won_by[place] = (event.node, life);
        }
        if fence > u64::MAX - NEAR_THE_CEILING {
            counts.hit(Mark::FenceNearCeiling);
        }
        let state = self.processes.of(event.process);
        if state.last_length_ms.replace(state.asked_ms).is_some_and(|last_ms| last_ms != state.asked_ms) {
            counts.hit(Mark::OtherLength);
        }
        state.held = Some(HeldLease { grant: event.grant, expires_ms });
        state.was_past_expiry = false;
        state.is_observed_dead = None;
    }

    pub fn reclaimed(&mut self, event: &Event, expires_ms: u64, fence: u64, counts: &mut CoverageCounts) {
        counts.hit(Mark::ReclaimWon);
        self.granted(event, expires_ms, fence, counts);
    }

    pub fn reentered(&mut self, event: &Event, expires_ms: u64, counts: &mut CoverageCounts) {
        counts.hit(Mark::Reentry);
        let held = self.processes.of(event.process).held;
        if held.is_some_and(|held| held.grant == event.grant && expires_ms <= held.expires_ms) {
            counts.hit(Mark::ReentryForLess);
        }
        self.processes.of(event.process).held = Some(HeldLease { grant: event.grant, expires_ms });
    }

    pub fn renewed(&mut self, event: &Event, expires_ms: u64, counts: &mut CoverageCounts) {
        self.used(event, counts);
        let state = self.processes.of(event.process);
        state.held = Some(HeldLease { grant: event.grant, expires_ms });
        state.was_past_expiry = false;
    }

    /// The holder's call was accepted; if the lease had been past its expiry, it lives again.
    pub fn used(&mut self, event: &Event, counts: &mut CoverageCounts) {
        let state = self.processes.of(event.process);
        if state.was_past_expiry && state.held.is_some_and(|lease| lease.grant == event.grant) {
            counts.hit(Mark::GrantRevived);
        }
    }

    pub fn wrote(&mut self, event: &Event, write: Write, counts: &mut CoverageCounts) {
        self.used(event, counts);
        if write == Write::FirstStart {
            self.processes.of(event.process).started_by = Some(event.grant);
        }
    }

    /// A claim or reclaim was kept out by the holder, whose grant the event names.
    pub fn busy(&mut self, event: &Event, counts: &mut CoverageCounts) {
        let (winner, life) = self.winner(event.grant);
        if winner == event.node && life < self.life(event.node) {
            counts.hit(Mark::OwnOldLease);
        }
        match self.processes.of(event.process).is_observed_dead.take() {
            Some(true) => counts.hit(Mark::ReclaimLost),
            Some(false) => counts.hit(Mark::ReclaimRefusedAlive),
            None => {}
        }
    }

    /// A call was refused while somebody held the process; nobody was ever granted the lease that it presented.
    pub fn refused(&mut self, event: &Event, counts: &mut CoverageCounts) {
        let was_granted = |place: usize| self.won_by.get(place).is_some_and(|(node, _)| *node != 0);
        let is_forged = event.grant.index().is_some_and(|place| !was_granted(place));
        if is_forged && self.processes.of(event.process).held.is_some() {
            counts.hit(Mark::ForgedLeaseRefused);
        }
    }

    pub fn released(&mut self, event: &Event, counts: &mut CoverageCounts) {
        let state = self.processes.of(event.process);
        match state.held {
            Some(lease) if lease.grant == event.grant => state.held = None,
            Some(_) => counts.hit(Mark::StaleReleaseIgnored),
            None => {}
        }
    }

    /// A reclaim is about to be decided; the event names the holder's grant.
    pub fn observed(
        &mut self,
        event: &Event,
        is_dead: bool,
        do_probes_lie: bool,
        counts: &mut CoverageCounts,
    ) {
        let state = self.processes.of(event.process);
        state.is_observed_dead = Some(is_dead || do_probes_lie);
        let starter = state.started_by.filter(|starter| *starter != event.grant);
        if let Some(starter) = starter.filter(|_| is_dead) {
            let (node, life) = self.winner(starter);
            if life == self.life(node) {
                counts.hit(Mark::LaterHolderDead);
            }
        }
    }

    pub fn ended(&mut self, event: &Event) {
        self.processes.of(event.process).held = None;
    }

    pub fn pruned(&mut self, event: &Event) {
        *self.processes.of(event.process) = LeaseState::default();
    }

    pub fn node_crashed(&mut self, node: u8) {
        *self.lives.entry(node).or_default() += 1;
    }

    fn life(&self, node: u8) -> u64 {
        self.lives.get(&node).copied().unwrap_or_default()
    }

    /// The node that won the grant, and in which of its lives.
    fn winner(&self, grant: GrantNo) -> (u8, u64) {
        grant.index().and_then(|place| self.won_by.get(place)).copied().unwrap_or_default()
    }
}
