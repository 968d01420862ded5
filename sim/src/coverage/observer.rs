//! What marks are told by: the lease that stands, who runs, how far each attempt came, what was listed when. One pass, a
//! few words a process and a node.

use std::collections::BTreeMap;

use crate::coverage::{Hits, Mark};
use crate::history::event::{
    Abandons, BodyEnded, CallKind, Event, GrantNo, Kind, NO_PROCESS, Wrote, crash, refusal, turned_out,
};
use crate::plan::step::{Action, Body, Link, Span};
use crate::plan::{Node, Plan};

/// So few fences are left.
const NEAR_THE_CEILING: u64 = 16;

pub struct Sight {
    ttl_us: u64,
    bound: u16,
    /// What the plan's steps do, as far as marks look at steps.
    steps: Vec<Seen>,
    rows: Vec<Row>,
    nodes: BTreeMap<u8, NodeSight>,
    /// Which node won each grant, in which of its lives.
    won_by: Vec<(u8, u64)>,
    cuts: Vec<(Link, u64)>,
    calls_in_flight: BTreeMap<(u8, u64), u64>,
    /// The registry's reading at an instant, to know it at others.
    registry_clock: (u64, u64),
    /// A transfer is being decided of which some handles are there and some are not.
    is_half_way: bool,
    /// The registry's process died with unsynced pages, and since then: whether it has answered.
    recovered: Option<bool>,
}

enum Seen {
    Cut(Link, u64),
    StepsClock(Node, i64),
    /// A process that waits for another.
    RegistersParent(u16),
    Other,
}

impl Seen {
    fn of(action: &Action) -> Self {
        if let Some((link, Span::Ms(ms))) = action.cuts() {
            return Self::Cut(link, ms);
        }
        if let Some(fault) = action.clock_fault().filter(|fault| fault.step_ms() != 0) {
            return Self::StepsClock(fault.node(), fault.step_ms());
        }
        match action.registers() {
            Some((process, Body::Awaits { .. })) => Self::RegistersParent(process.0),
            Some(_) | None => Self::Other,
        }
    }
}

#[derive(Default)]
struct Row {
    stored: Option<(GrantNo, u64)>,
    was_past_expiry: bool,
    granted_at_us: u64,
    started_at_us: Option<u64>,
    started_by: Option<GrantNo>,
    registered_at_us: u64,
    dispositions: Vec<u64>,
    was_pruned: bool,
    has_ended: bool,
    /// Grants whose bodies run now.
    running: Vec<(GrantNo, u8)>,
    unheard_renewals: u64,
    /// Of which grant the last answer was heard, and its call's number.
    heard_renewal: (Option<GrantNo>, u64),
    ended_by: Option<GrantNo>,
    gives_up: u64,
    /// What a reclaim that is being decided has observed: whether its holder is dead to the registry.
    observed_dead: Option<bool>,
    waits: bool,
}

#[derive(Default)]
struct NodeSight {
    life: u64,
    listed_at_us: u64,
    paused_at_us: Option<u64>,
    /// How far the attempts of this life came, by process.
    attempts: BTreeMap<u16, Mark>,
}

impl Sight {
    pub fn new(plan: &Plan, hits: &mut Hits) -> Self {
        for clock in &plan.clocks {
            if matches!(clock.node, Node::Worker(_)) && clock.drift_ppm != 0 {
                hits.hit(if clock.drift_ppm > 0 { Mark::WorkerClockFast } else { Mark::WorkerClockSlow });
            }
        }
        let steps = plan.steps.iter().map(|step| Seen::of(&step.action));
        Self {
            ttl_us: plan.ttl_ms * 1_000,
            bound: plan.bound,
            steps: steps.collect(),
            rows: Vec::new(),
            nodes: BTreeMap::new(),
            won_by: Vec::new(),
            cuts: Vec::new(),
            calls_in_flight: BTreeMap::new(),
            registry_clock: (0, 0),
            is_half_way: false,
            recovered: None,
        }
    }

    fn row(&mut self, process: u16) -> &mut Row {
        let place = usize::from(process);
        if self.rows.len() <= place {
            self.rows.resize_with(place + 1, Row::default);
        }
        &mut self.rows[place]
    }

    fn node(&mut self, node: u8) -> &mut NodeSight {
        self.nodes.entry(node).or_default()
    }

    pub fn see(&mut self, event: &Event, hits: &mut Hits) {
        match event.kind {
            Kind::StepTaken => self.step(event, hits),
            Kind::Crashed => self.crashed(event, hits),
            Kind::Paused => self.node(event.node).paused_at_us = Some(event.at_us),
            Kind::Resumed => self.resumed(event, hits),
            Kind::Sent => {
                *self.calls_in_flight.entry((event.node, event.b)).or_default() = event.a;
                if event.process == NO_PROCESS && event.a == CallKind::Read as u64 {
                    self.node(event.node).listed_at_us = event.at_us;
                    self.node(event.node).attempts.insert(NO_PROCESS, Mark::CrashAfterList);
                }
            }
            Kind::Heard => self.heard(event, hits),
            Kind::Repeated => {
                let sent_us = event.at_us.saturating_sub(event.b);
                if event.process != NO_PROCESS && self.row(event.process).granted_at_us > sent_us {
                    hits.hit(Mark::LateDuplicate);
                }
            }
            Kind::FromEarlierLife => hits.hit(Mark::EarlierServerLife),
            Kind::TransferIsPartial => self.is_half_way = true,
            Kind::Refused if event.a == CallKind::Transfer as u64 => {
                if std::mem::take(&mut self.is_half_way) {
                    hits.hit(Mark::TransferRefusedHalfWay);
                }
            }
            _ if event.process == NO_PROCESS => {}
            Kind::BodyBegan => self.body_began(event, hits),
            Kind::BodyEnded => {
                let grant = event.grant;
                self.row(event.process).running.retain(|(of, _)| *of != grant);
                if event.a == BodyEnded::Broke as u64 {
                    self.node(event.node).attempts.insert(event.process, Mark::CrashBeforeRelease);
                }
            }
            _ => self.decided(event, hits),
        }
    }

    fn step(&mut self, event: &Event, hits: &mut Hits) {
        let place = usize::try_from(event.a).unwrap_or(usize::MAX);
        match self.steps.get(place) {
            Some(Seen::Cut(link, ms)) => {
                let (link, until_us) = (*link, event.at_us + ms * 1_000);
                self.cuts.retain(|(_, until_us)| event.at_us < *until_us);
                let back = Link { from: link.to, to: link.from };
                if !self.cuts.iter().any(|(cut, _)| *cut == back) {
                    hits.hit(Mark::OneWayCut);
                }
                self.cuts.push((link, until_us));
            }
            Some(Seen::StepsClock(Node::Registry, by_ms)) => {
                let (at_us, clock) = self.registry_clock;
                let before = clock + (event.at_us - at_us) / 1_000;
                let after = before.saturating_add_signed(*by_ms);
                for row in &mut self.rows {
                    if let Some((_, expires_ms)) = row.stored {
                        if before < expires_ms && expires_ms <= after {
                            hits.hit(Mark::SteppedForwardAcrossExpiry);
                            row.was_past_expiry = true;
                        }
                        if after < expires_ms && expires_ms <= before {
                            hits.hit(Mark::SteppedBackAcrossExpiry);
                        }
                    }
                }
            }
            Some(Seen::StepsClock(Node::Worker(_), _)) => hits.hit(Mark::WorkerClockStepped),
            _ => {}
        }
    }

    fn crashed(&mut self, event: &Event, hits: &mut Hits) {
        if event.node == Node::Registry.code() {
            if !self.calls_in_flight.is_empty() {
                hits.hit(Mark::RegistryCrashWithCalls);
            }
            let has_unsynced = event.b & crash::WITH_UNSYNCED_PAGES != 0;
            if has_unsynced {
                hits.hit(Mark::CrashWithUnsyncedPages);
            }
            if event.b & crash::OF_THE_MACHINE == 0 {
                self.recovered = has_unsynced.then_some(false);
            } else if self.recovered.take() == Some(true) {
                hits.hit(Mark::AnsweredFromRecoveredLog);
            }
            return;
        }
        let attempts = std::mem::take(&mut self.node(event.node).attempts);
        attempts.into_values().for_each(|mark| hits.hit(mark));
        let node = self.node(event.node);
        *node = NodeSight { life: node.life + 1, ..NodeSight::default() };
        self.calls_in_flight.retain(|(node, _), _| *node != event.node);
        for row in &mut self.rows {
            row.running.retain(|(_, node)| *node != event.node);
        }
    }

    fn resumed(&mut self, event: &Event, hits: &mut Hits) {
        let ttl_us = self.ttl_us;
        let node = self.node(event.node);
        let paused_at_us = node.paused_at_us.take().unwrap_or(event.at_us);
        let is_at_work = node.attempts.keys().any(|process| *process != NO_PROCESS);
        if is_at_work && event.at_us - paused_at_us > ttl_us {
            hits.hit(Mark::PauseBeyondTtl);
        }
    }

    fn heard(&mut self, event: &Event, hits: &mut Hits) {
        self.calls_in_flight.remove(&(event.node, event.b));
        let kind = CallKind::from_code(event.a >> 8);
        match kind {
            CallKind::Renew => {
                let row = self.row(event.process);
                row.unheard_renewals = 0;
                let (grant, last) = row.heard_renewal;
                if grant == Some(event.grant) && event.b < last {
                    hits.hit(Mark::RenewalsOutOfOrder);
                } else {
                    row.heard_renewal = (Some(event.grant), event.b);
                }
            }
            CallKind::Complete | CallKind::Release => {
                self.node(event.node).attempts.remove(&event.process);
            }
            _ => {}
        }
    }

    fn body_began(&mut self, event: &Event, hits: &mut Hits) {
        let (grant, node) = (event.grant, event.node);
        let bound = self.bound;
        let parent_waits =
            self.rows.iter().any(|row| row.waits && row.running.iter().any(|(_, at)| *at == node));
        if bound == 1 && parent_waits {
            hits.hit(Mark::ParentWithBoundOfOne);
        }
        let row = self.row(event.process);
        if !row.running.is_empty() {
            hits.hit(Mark::TwoBodies);
        }
        row.running.push((grant, node));
        self.node(node).attempts.insert(event.process, Mark::CrashInMidRun);
    }

    fn decided(&mut self, event: &Event, hits: &mut Hits) {
        if !event.kind.is_decided() {
            return;
        }
        self.registry_clock = (event.at_us, event.clock);
        if let Some(has_answered) = &mut self.recovered {
            *has_answered |= event.node != Node::Registry.code();
        }
        let stored = self.row(event.process).stored;
        if let Some((_, expires_ms)) = stored {
            self.row(event.process).was_past_expiry |= event.clock >= expires_ms;
        }
        self.at_expiry(event, stored, hits);
        let is_holders = stored.is_some_and(|(held, _)| held == event.grant);
        let was_past_expiry = self.row(event.process).was_past_expiry;
        match event.kind {
            Kind::Registered => self.registered(event, hits),
            Kind::Granted | Kind::Reclaimed => self.granted(event, hits),
            Kind::Reentered => {
                hits.hit(Mark::Reentry);
                hits.hit(Mark::ClaimAnswerLost);
                self.row(event.process).stored = Some((event.grant, event.a));
            }
            Kind::Renewed => {
                if is_holders && was_past_expiry {
                    hits.hit(Mark::GrantRevived);
                }
                let row = self.row(event.process);
                row.unheard_renewals += 1;
                if row.unheard_renewals > 1 {
                    hits.hit(Mark::RenewAnswerLost);
                }
                row.stored = Some((event.grant, event.a));
                row.was_past_expiry = false;
                let attempts = &mut self.node(event.node).attempts;
                if let Some(stage) = attempts.get_mut(&event.process)
                    && *stage == Mark::CrashInMidRun
                {
                    *stage = Mark::CrashAfterRenewal;
                }
            }
            Kind::Busy => {
                let (won_by, life) = self.won_by.get(event.grant.0 as usize).copied().unwrap_or_default();
                if won_by == event.node && life < self.node(event.node).life {
                    hits.hit(Mark::OwnOldLease);
                }
                match self.row(event.process).observed_dead.take() {
                    Some(true) => hits.hit(Mark::ReclaimLost),
                    Some(false) => hits.hit(Mark::ReclaimRefusedAlive),
                    None => {}
                }
            }
            Kind::Released => {
                if !is_holders && stored.is_some() {
                    hits.hit(Mark::StaleReleaseIgnored);
                }
                if is_holders {
                    self.row(event.process).stored = None;
                }
            }
            Kind::Observed => {
                let started_by = self.row(event.process).started_by;
                self.row(event.process).observed_dead = Some(event.a == 1 || event.b == 1);
                let life_of = |sight: &mut Self, grant: GrantNo| {
                    let (node, life) = sight.won_by.get(grant.0 as usize).copied().unwrap_or_default();
                    (life, sight.node(node).life)
                };
                if let Some(starter) = started_by
                    && starter != event.grant
                    && event.a == 1
                {
                    let (then, now) = life_of(self, starter);
                    if then == now {
                        hits.hit(Mark::LaterHolderDead);
                    }
                }
            }
            Kind::Wrote => self.wrote(event, hits),
            Kind::Ended => self.ended(event, hits),
            Kind::GivesUp => self.row(event.process).gives_up = event.a,
            Kind::Refused => self.refused(event, hits),
            Kind::Showed => {
                if let Some(stage) = self.node(event.node).attempts.get_mut(&event.process)
                    && *stage == Mark::CrashAfterClaim
                {
                    *stage = Mark::CrashAfterRead;
                }
            }
            Kind::Asked => {
                let is_cancel = event.a == Wrote::CancelRequest as u64;
                if event.a == Wrote::WakeAcked as u64 {
                    hits.hit(Mark::WakeAcked);
                }
                if is_cancel && !self.row(event.process).running.is_empty() {
                    hits.hit(Mark::CancelDuringRun);
                }
            }
            Kind::Pruned => {
                let row = self.row(event.process);
                let running = std::mem::take(&mut row.running);
                *row = Row {
                    running,
                    was_pruned: true,
                    dispositions: std::mem::take(&mut row.dispositions),
                    ..Row::default()
                };
            }
            Kind::Replayed => {
                hits.hit(Mark::AppendAnswerLost);
                if event.b == 1 {
                    hits.hit(Mark::WakeReplayed);
                }
            }
            Kind::TurnedOut if event.b == turned_out::APPLIED => hits.hit(Mark::FailedCommitIsThere),
            Kind::StoreWaited => {
                if let Some((held, expires_ms)) = stored
                    && held == event.grant
                    && event.a < expires_ms
                    && expires_ms <= event.clock
                {
                    hits.hit(Mark::StoreWaitAcrossExpiry);
                }
            }
            _ => {}
        }
    }

    fn at_expiry(&mut self, event: &Event, stored: Option<(GrantNo, u64)>, hits: &mut Hits) {
        let Some((held, expires_ms)) = stored else { return };
        let marks = match (event.kind, CallKind::from_code(event.a)) {
            (Kind::Granted | Kind::Reclaimed | Kind::Busy, _) => {
                [Mark::ClaimBeforeExpiry, Mark::ClaimAtExpiry, Mark::ClaimAfterExpiry]
            }
            (Kind::Renewed, _) | (Kind::Refused, CallKind::Renew) if event.grant == held => {
                [Mark::RenewBeforeExpiry, Mark::RenewAtExpiry, Mark::RenewAfterExpiry]
            }
            (Kind::Wrote | Kind::Ended, _)
            | (
                Kind::Refused,
                CallKind::Start
                | CallKind::Emit
                | CallKind::SetWait
                | CallKind::ClearWait
                | CallKind::Complete,
            ) if event.grant == held => {
                [Mark::WriteBeforeExpiry, Mark::WriteAtExpiry, Mark::WriteAfterExpiry]
            }
            _ => return,
        };
        match event.clock as i64 - expires_ms as i64 {
            -1 => hits.hit(marks[0]),
            0 => hits.hit(marks[1]),
            1 => hits.hit(marks[2]),
            _ => {}
        }
    }

    fn registered(&mut self, event: &Event, hits: &mut Hits) {
        let parent =
            |step: &Seen| matches!(step, Seen::RegistersParent(process) if *process == event.process);
        let waits = self.steps.iter().any(parent);
        let row = self.row(event.process);
        if event.b == 0 {
            hits.hit(Mark::RegisterAnswerLost);
            return;
        }
        if row.was_pruned && !row.running.is_empty() {
            hits.hit(Mark::NewLifeWithOldWriter);
        }
        row.has_ended = false;
        row.registered_at_us = event.at_us;
        row.dispositions.push(event.a);
        row.waits = waits;
    }

    fn granted(&mut self, event: &Event, hits: &mut Hits) {
        let place = event.grant.0 as usize;
        let life = self.node(event.node).life;
        if self.won_by.len() <= place {
            self.won_by.resize(place + 1, (0, 0));
        }
        self.won_by[place] = (event.node, life);
        if event.b > u64::MAX - NEAR_THE_CEILING {
            hits.hit(Mark::FenceNearCeiling);
        }
        if event.kind == Kind::Reclaimed {
            hits.hit(Mark::ReclaimWon);
        }
        let listed_at_us = self.node(event.node).listed_at_us;
        let row = self.row(event.process);
        if row.running.iter().any(|(running, _)| *running != event.grant) {
            hits.hit(Mark::BodyPastItsLease);
        }
        if row.started_at_us.is_some_and(|at_us| at_us > listed_at_us) {
            hits.hit(Mark::StartedSinceListed);
        }
        let changed = row.dispositions.len() > 1
            && row.dispositions[row.dispositions.len() - 2] != row.dispositions[row.dispositions.len() - 1];
        if changed && row.registered_at_us > listed_at_us {
            hits.hit(Mark::OtherDispositionSinceListed);
        }
        row.stored = Some((event.grant, event.a));
        row.was_past_expiry = false;
        row.observed_dead = None;
        row.granted_at_us = event.at_us;
        row.unheard_renewals = 0;
        self.node(event.node).attempts.insert(event.process, Mark::CrashAfterClaim);
    }

    fn wrote(&mut self, event: &Event, hits: &mut Hits) {
        let row = self.row(event.process);
        if row.was_past_expiry && row.stored.is_some_and(|(held, _)| held == event.grant) {
            hits.hit(Mark::GrantRevived);
        }
        if event.a == Wrote::FirstStart as u64 {
            row.started_at_us = Some(event.at_us);
            row.started_by = Some(event.grant);
        }
        if [Wrote::FirstStart, Wrote::StartedBefore, Wrote::StartedByItself]
            .iter()
            .any(|wrote| event.a == *wrote as u64)
        {
            self.node(event.node).attempts.insert(event.process, Mark::CrashAfterFirstStart);
        }
    }

    fn ended(&mut self, event: &Event, hits: &mut Hits) {
        let row = self.row(event.process);
        if row.has_ended && row.ended_by == Some(event.grant) {
            hits.hit(Mark::CompleteAnswerLost);
        }
        match std::mem::take(&mut row.gives_up) {
            writer if writer == Abandons::ReconciledRequest as u64 => hits.hit(Mark::AbandonSettled),
            writer if writer == Abandons::OwnerDrain as u64 => hits.hit(Mark::OwnerDrained),
            _ => {}
        }
        row.has_ended = true;
        row.ended_by = Some(event.grant);
        row.stored = None;
        self.node(event.node).attempts.insert(event.process, Mark::CrashAfterTerminal);
    }

    fn refused(&mut self, event: &Event, hits: &mut Hits) {
        let call = CallKind::from_code(event.a);
        let is_stale = matches!(event.b, refusal::SUPERSEDED | refusal::EXPIRED);
        match (call, event.b) {
            (_, refusal::UNKNOWN_OUTCOME) => hits.hit(Mark::CommitFailed),
            (CallKind::Claim, refusal::TERMINAL) => hits.hit(Mark::EndedSinceListed),
            (CallKind::Renew, refusal::EXPIRED) => hits.hit(Mark::RenewRefusedExpired),
            (CallKind::Renew, refusal::SUPERSEDED) => hits.hit(Mark::RenewRefusedSuperseded),
            (CallKind::Complete, _) if is_stale => hits.hit(Mark::StaleTerminalRefused),
            (CallKind::Emit, _) if is_stale => hits.hit(Mark::StaleEventRefused),
            (CallKind::SetWait | CallKind::ClearWait, _) if is_stale => hits.hit(Mark::StaleWaitRefused),
            (CallKind::Start, _) if is_stale => hits.hit(Mark::StaleStartRefused),
            _ => {}
        }
        if refusal::is_loss(event.b) {
            self.node(event.node).attempts.remove(&event.process);
        }
    }
}
