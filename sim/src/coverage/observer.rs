//! Reads every event of a run once and tells each of the files beside this one of those that concern its marks.

use crate::coverage::abandonments::AbandonmentObserver;
use crate::coverage::answers::AnswerObserver;
use crate::coverage::attempts::AttemptObserver;
use crate::coverage::bodies::BodyObserver;
use crate::coverage::handles::HandleObserver;
use crate::coverage::leases::{HeldLease, LeaseObserver};
use crate::coverage::listings::ListingObserver;
use crate::coverage::partitions::PartitionObserver;
use crate::coverage::registry_crashes::RegistryCrashObserver;
use crate::coverage::steps::{ObservedStep, observed_steps, parents};
use crate::coverage::{CoverageCounts, clocks, commits, expiry, host_calls, refusals};
use crate::history::event::{CallKind, CallResult, CrashDamage, Event, NO_PROCESS, What, Witness};
use crate::plan::{Node, Plan};

/// Counts how often a run hits each coverage mark.
pub struct CoverageObserver {
    pub counts: CoverageCounts,
    steps: Vec<ObservedStep>,
    leases: LeaseObserver,
    bodies: BodyObserver,
    attempts: AttemptObserver,
    listings: ListingObserver,
    answers: AnswerObserver,
    abandonments: AbandonmentObserver,
    handles: HandleObserver,
    partitions: PartitionObserver,
    registry_crashes: RegistryCrashObserver,
}

impl CoverageObserver {
    pub fn new(plan: &Plan) -> Self {
        let mut counts = CoverageCounts::default();
        clocks::drifting(plan, &mut counts);
        Self {
            counts,
            steps: observed_steps(plan),
            leases: LeaseObserver::default(),
            bodies: BodyObserver::new(plan, parents(plan)),
            attempts: AttemptObserver::new(plan),
            listings: ListingObserver::default(),
            answers: AnswerObserver::default(),
            abandonments: AbandonmentObserver::default(),
            handles: HandleObserver::default(),
            partitions: PartitionObserver::default(),
            registry_crashes: RegistryCrashObserver::default(),
        }
    }

    fn step_taken(&mut self, event: &Event, step: u64) {
        let counts = &mut self.counts;
        let step = usize::try_from(step).ok().and_then(|step| self.steps.get(step));
        match step.copied() {
            Some(ObservedStep::Cut { link, ms }) => self.partitions.cut(link, event.at_us, ms, counts),
            Some(ObservedStep::ClockStep { node, by_ms }) => {
                clocks::stepped(node, event.at_us, by_ms, &mut self.leases, counts);
            }
            Some(ObservedStep::Other) | None => {}
        }
    }

    fn crashed(&mut self, event: &Event, damage: CrashDamage) {
        if event.node == Node::Registry.code() {
            self.registry_crashes.registry_crashed(damage, &mut self.counts);
            return;
        }
        self.attempts.node_crashed(event.node, &mut self.counts);
        self.registry_crashes.node_crashed(event.node);
        self.leases.node_crashed(event.node);
        self.bodies.node_crashed(event.node);
        self.listings.node_crashed(event.node);
    }

    fn sent(&mut self, event: &Event, call: CallKind, number: u64) {
        self.registry_crashes.sent(event, number);
        // A read of no process is a list.
        if event.process == NO_PROCESS && call == CallKind::Read {
            self.listings.listed(event);
            self.attempts.listed(event);
        }
    }

    fn heard(&mut self, event: &Event, call: CallKind, number: u64) {
        self.registry_crashes.heard(event, number);
        self.answers.heard(event, call, number, &mut self.counts);
        self.attempts.heard(event, call);
    }

    fn granted(&mut self, event: &Event) {
        self.bodies.granted(event, &mut self.counts);
        self.listings.granted(event, &mut self.counts);
        self.answers.granted(event);
        self.attempts.granted(event);
    }

    fn ended(&mut self, event: &Event) {
        self.answers.ended(event, &mut self.counts);
        self.abandonments.ended(event, &mut self.counts);
        self.leases.ended(event);
        self.attempts.ended(event);
    }

    fn refused(&mut self, event: &Event, call: CallKind, why: CallResult, held: Option<HeldLease>) {
        let counts = &mut self.counts;
        commits::refused(why, counts);
        self.leases.refused(event, counts);
        refusals::refused(event, call, why, held, counts);
        self.listings.refused(call, why, counts);
        if why.is_loss() {
            self.attempts.is_over(event);
        }
    }

    fn pruned(&mut self, event: &Event) {
        self.leases.pruned(event);
        self.bodies.pruned(event);
        self.listings.pruned(event);
        self.answers.pruned(event);
        self.abandonments.pruned(event);
    }
}

/// A decision about a process, by which the registry's clock and the stored lease are known. Transfers are about many
/// processes.
fn is_about_a_process(event: &Event, what: What) -> bool {
    let is_of_transfer =
        matches!(what, What::TransferIsPartial { .. } | What::Refused { call: CallKind::Transfer, .. });
    event.process != NO_PROCESS && event.kind().is_decided() && !is_of_transfer
}

impl Witness for CoverageObserver {
    fn see(&mut self, event: &Event) {
        let what = event.what();
        let mut held = None;
        if is_about_a_process(event, what) {
            held = self.leases.decision(event);
            self.registry_crashes.decision(event);
        }
        let counts = &mut self.counts;
        match what {
            What::StepTaken { step } => self.step_taken(event, step),
            What::Crashed { damage, .. } => self.crashed(event, damage),
            What::Paused => self.attempts.paused(event),
            What::Resumed => self.attempts.resumed(event, counts),
            What::Sent { call, number } => self.sent(event, call, number),
            What::Heard { call, number, .. } => self.heard(event, call, number),
            What::Repeated { age_us } => self.answers.repeated(event, age_us, counts),
            What::FromEarlierLife { was_applied } => {
                self.answers.arrived_from_earlier_life(was_applied, counts);
            }
            What::TransferIsPartial { .. } => self.handles.transfer_is_partial(),
            What::Refused { call: CallKind::Transfer, .. } => self.handles.transfer_refused(counts),

            What::Answered { method, .. } => host_calls::answered(method, counts),

            // All other marks are about one process.
            _ if event.process == NO_PROCESS => {}
            What::BodyBegan { .. } => {
                self.bodies.began(event, counts);
                self.attempts.body_began(event);
            }
            What::BodyEnded { outcome, .. } => {
                self.bodies.ended(event);
                self.attempts.body_ended(event, outcome);
            }
            What::Registered { is_new: false, .. } => self.answers.registered_again(counts),
            What::Registered { is_new: true, disposition } => {
                self.bodies.registered(event, counts);
                self.listings.registered(event, disposition);
                self.answers.registered(event);
            }
            What::Granted { expires_ms, fence } => {
                expiry::claim(event, held, counts);
                self.leases.granted(event, expires_ms, fence, counts);
                self.granted(event);
            }
            What::Reclaimed { expires_ms, fence } => {
                expiry::claim(event, held, counts);
                self.leases.reclaimed(event, expires_ms, fence, counts);
                self.granted(event);
            }
            What::Reentered { expires_ms, .. } => {
                self.leases.reentered(event, expires_ms, counts);
                self.answers.reentered(event, counts);
            }
            What::Renewed { expires_ms, .. } => {
                expiry::renewal(event, held, counts);
                self.leases.renewed(event, expires_ms, counts);
                self.answers.renewed(event, counts);
                self.attempts.renewed(event);
            }
            What::Claims { asked_ms } => self.leases.claims(event, asked_ms),
            What::Busy => {
                expiry::claim(event, held, counts);
                self.leases.busy(event, counts);
            }
            What::Released => self.leases.released(event, counts),
            What::Observed { is_dead, do_probes_lie } => {
                self.leases.observed(event, is_dead, do_probes_lie, counts);
            }
            What::Wrote { write } => {
                expiry::write(event, held, counts);
                host_calls::wrote(event, write, counts);
                self.leases.wrote(event, write, counts);
                self.listings.wrote(event, write);
                self.attempts.wrote(event, write);
            }
            What::Ended { .. } => {
                expiry::write(event, held, counts);
                host_calls::ended(event, counts);
                self.ended(event);
            }
            What::GivesUp { writer, .. } => self.abandonments.gives_up(event, writer),
            What::Refused { call, why } => {
                expiry::refused(event, call, held, counts);
                self.refused(event, call, why, held);
            }
            What::Showed { .. } => self.attempts.showed(event),
            What::Asked { write } => {
                self.handles.asked(write, counts);
                self.bodies.asked(event, write, counts);
            }
            What::Pruned => self.pruned(event),
            What::Replayed { is_wake, .. } => {
                self.answers.replayed(event, counts);
                self.handles.replayed(is_wake, counts);
            }
            What::TurnedOut { fate, .. } => commits::turned_out(fate, counts),
            What::StoreWaited { arrived_ms, wrote_ms } => {
                expiry::store_waited(event, arrived_ms, wrote_ms, held, counts);
            }

            What::Failed { call: CallKind::Read, .. } => self.bodies.read_failed(event, counts),

            // No mark needs these.
            What::Failed { .. }
            | What::ReadBack { .. }
            | What::LeaseAfter
            | What::TokenDrawn { .. }
            | What::Appended { .. }
            | What::LogRead { .. }
            | What::LogShown { .. }
            | What::Survived { .. }
            | What::SurvivedLease { .. }
            | What::Completes { .. }
            | What::Unfenced { .. }
            | What::AnswerDiffers { .. }
            | What::AppliedAgain { .. }
            | What::AnswersJudged { .. }
            | What::SpanBegan { .. }
            | What::SpanEnded { .. }
            | What::LeaseShown { .. }
            | What::EffectStarted { .. }
            | What::EffectTaken { .. }
            | What::EffectRefused { .. }
            | What::WaitBegan { .. }
            | What::WaitEnded { .. }
            | What::Drained { .. }
            | What::Restarted { .. }
            | What::Panicked
            | What::Lost { .. }
            | What::LivenessBegan { .. }
            | What::LivenessAsked
            | What::Remained { .. }
            | What::Exhausted
            | What::Finished
            | What::Believed { .. } => {}
        }
    }
}
