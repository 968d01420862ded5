//! The longest zombie window of a run: true time from the first instant at which a grant is no longer live at the registry to
//! the last effect that is started, or call that is sent, under it. It is a measure and no law: fencing makes such windows
//! harmless and does not close them.

use std::collections::BTreeMap;

use crate::history::event::{Event, GrantNo, What, Witness};
use crate::plan::clock::Clock;
use crate::plan::step::{Action, Step};
use crate::plan::{Node, Plan};

/// Watches the events of a run for the longest window.
pub struct ZombieWindow {
    pub longest_us: u64,
    /// The registry's clock, from the plan alone.
    clock: Clock,
    /// The steps of the plan that bend it, by their numbers.
    bends: BTreeMap<u64, Action>,
    grants: Vec<GrantLiveness>,
    /// The grant that is stored, by process.
    stored: Vec<Option<GrantNo>>,
}

#[derive(Clone, Copy, Default)]
struct GrantLiveness {
    expires_ms: u64,
    /// An instant at which it was live: the search for its death begins there.
    live_at_us: u64,
    dead_since_us: Option<u64>,
    is_superseded: bool,
}

impl ZombieWindow {
    pub fn new(plan: &Plan) -> Self {
        let setting = plan.clocks.iter().find(|clock| clock.node == Node::Registry);
        let (offset_ms, drift_ppm) = setting.map_or((0, 0), |clock| (clock.offset_ms, clock.drift_ppm));
        let bends_it = |step: &Step| {
            let fault = step.action.clock_fault().filter(|fault| fault.node() == Node::Registry);
            fault.map(|_| step.action.clone())
        };
        let bends = (0..).zip(&plan.steps).filter_map(|(number, step)| Some((number, bends_it(step)?)));
        Self {
            longest_us: 0,
            clock: Clock::new(offset_ms, drift_ppm),
            bends: bends.collect(),
            grants: Vec::new(),
            stored: Vec::new(),
        }
    }

    fn grant(&mut self, grant: GrantNo) -> &mut GrantLiveness {
        let place = grant.index().unwrap_or_else(|| unreachable!("an event of a grant names it"));
        if self.grants.len() <= place {
            self.grants.resize(place + 1, GrantLiveness::default());
        }
        &mut self.grants[place]
    }

    fn stored(&mut self, process: u16) -> &mut Option<GrantNo> {
        let place = usize::from(process);
        if self.stored.len() <= place {
            self.stored.resize(place + 1, None);
        }
        &mut self.stored[place]
    }

    /// The instant at which the grant died; none if it is still live.
    fn dead_since(&mut self, grant: GrantNo, now_us: u64) -> Option<u64> {
        let mut state = *self.grant(grant);
        let clock = &self.clock;
        if state.dead_since_us.is_none() && state.expires_ms > 0 && clock.wall_ms(now_us) >= state.expires_ms
        {
            state.dead_since_us =
                Some(clock.true_us_at_wall_ms(state.live_at_us, state.expires_ms).min(now_us));
            *self.grant(grant) = state;
        }
        state.dead_since_us
    }

    fn granted(&mut self, event: &Event, expires_ms: u64) {
        self.ends(event.process, event.at_us);
        *self.stored(event.process) = Some(event.grant);
        self.extended(event, expires_ms);
    }

    fn extended(&mut self, event: &Event, expires_ms: u64) {
        let state = self.grant(event.grant);
        state.expires_ms = expires_ms;
        state.live_at_us = event.at_us;
        if !state.is_superseded {
            state.dead_since_us = None;
        }
    }

    fn step_taken(&mut self, step: u64, now_us: u64) {
        if self.bends.contains_key(&step) {
            self.clock_bends(step, now_us);
        }
    }

    /// Somebody acts under the grant.
    fn acts(&mut self, event: &Event) {
        if event.grant.is_some()
            && let Some(since_us) = self.dead_since(event.grant, event.at_us)
        {
            assert!(since_us <= event.at_us, "a grant that is live until {since_us} us is dead before");
            self.longest_us = self.longest_us.max(event.at_us - since_us);
        }
    }

    /// The process's stored grant is superseded, released or ended.
    fn ends(&mut self, process: u16, now_us: u64) {
        if let Some(grant) = self.stored(process).take() {
            let dead_since_us = self.dead_since(grant, now_us).unwrap_or(now_us);
            let state = self.grant(grant);
            state.dead_since_us = Some(dead_since_us);
            state.is_superseded = true;
        }
    }

    fn clock_bends(&mut self, step: u64, now_us: u64) {
        let held: Vec<GrantNo> = self.stored.iter().flatten().copied().collect();
        for grant in &held {
            self.dead_since(*grant, now_us);
        }
        if let Some(fault) = self.bends.get(&step).and_then(|action| action.clock_fault()) {
            fault.bend(&mut self.clock, now_us);
        }
        let now_ms = self.clock.wall_ms(now_us);
        for grant in held {
            let state = self.grant(grant);
            state.live_at_us = now_us;
            // The clock was stepped back and nobody took the lease: the grant is live again.
            if now_ms < state.expires_ms {
                state.dead_since_us = None;
            } else {
                state.dead_since_us.get_or_insert(now_us);
            }
        }
    }
}

impl Witness for ZombieWindow {
    fn see(&mut self, event: &Event) {
        match event.what() {
            What::Granted { expires_ms, .. } | What::Reclaimed { expires_ms, .. } => {
                self.granted(event, expires_ms);
            }
            What::Reentered { expires_ms, .. } | What::Renewed { expires_ms, .. } => {
                self.extended(event, expires_ms);
            }
            What::Released => {
                if *self.stored(event.process) == Some(event.grant) {
                    self.ends(event.process, event.at_us);
                }
            }
            What::Ended { .. } | What::Pruned => self.ends(event.process, event.at_us),
            What::StepTaken { step } => self.step_taken(step, event.at_us),
            What::Sent { .. } | What::EffectStarted { .. } => self.acts(event),
            // No grant begins or ends with these, and nobody acts under one.
            What::Registered { .. }
            | What::Busy
            | What::Wrote { .. }
            | What::Refused { .. }
            | What::Failed { .. }
            | What::Showed { .. }
            | What::Asked { .. }
            | What::ReadBack { .. }
            | What::LeaseAfter
            | What::Observed { .. }
            | What::TokenDrawn { .. }
            | What::GivesUp { .. }
            | What::Appended { .. }
            | What::Replayed { .. }
            | What::StoreWaited { .. }
            | What::LogRead { .. }
            | What::LogShown { .. }
            | What::TransferIsPartial { .. }
            | What::TurnedOut { .. }
            | What::Survived { .. }
            | What::SurvivedLease { .. }
            | What::Claims { .. }
            | What::Completes { .. }
            | What::Unfenced { .. }
            | What::Answered { .. }
            | What::AnswerDiffers { .. }
            | What::AppliedAgain { .. }
            | What::AnswersJudged { .. }
            | What::SpanBegan { .. }
            | What::SpanEnded { .. }
            | What::LeaseShown { .. }
            | What::Heard { .. }
            | What::BodyBegan { .. }
            | What::BodyEnded { .. }
            | What::EffectTaken { .. }
            | What::EffectRefused { .. }
            | What::WaitBegan { .. }
            | What::WaitEnded { .. }
            | What::Drained { .. }
            | What::Crashed { .. }
            | What::Restarted { .. }
            | What::Paused
            | What::Resumed
            | What::Panicked
            | What::Repeated { .. }
            | What::FromEarlierLife { .. }
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

#[cfg(test)]
mod tests {
    use super::*;

    use crate::history::event::{CallKind, Context};

    fn event(at_us: u64, grant: GrantNo, what: What) -> Event {
        Event::new(Context { at_us, clock: 0, node: 1, process: 1, grant }, what)
    }

    const ANN: GrantNo = GrantNo(0);
    const BOB: GrantNo = GrantNo(1);
    const SENT: What = What::Sent { call: CallKind::Renew, number: 1 };

    const EPOCH_MS: u64 = 1_700_000_000_000;

    fn longest(plan: &Plan, events: &[Event]) -> u64 {
        let mut window = ZombieWindow::new(plan);
        events.iter().for_each(|event| window.see(event));
        window.longest_us
    }

    #[test]
    fn the_window_runs_from_the_expiry_to_the_last_thing_done() {
        let granted = event(1_000_000, ANN, What::Granted { expires_ms: EPOCH_MS + 2_000, fence: 1 });
        let plan = Plan::quiet(1);
        assert_eq!(longest(&plan, &[granted, event(1_999_999, ANN, SENT)]), 0);
        let effect = event(2_300_000, ANN, What::EffectStarted { fence: 1 });
        let later = [granted, effect, event(2_500_000, ANN, SENT)];
        assert_eq!(longest(&plan, &later), 500_000);
        // Another grant takes its place before its expiry: the window begins there.
        let superseded = [
            granted,
            event(1_500_000, BOB, What::Reclaimed { expires_ms: EPOCH_MS + 9_000, fence: 2 }),
            event(1_600_000, ANN, SENT),
        ];
        assert_eq!(longest(&plan, &superseded), 100_000);
    }

    #[test]
    fn a_clock_that_is_stepped_opens_a_window_and_closes_it() {
        let mut plan = Plan::quiet(1);
        plan.steps = ["1.2s step registry by +1s", "1.4s step registry by -1s"]
            .map(|line| line.parse().unwrap())
            .to_vec();
        let granted = event(1_000_000, ANN, What::Granted { expires_ms: EPOCH_MS + 2_000, fence: 1 });
        let forward = event(1_200_000, GrantNo::NONE, What::StepTaken { step: 0 });
        let back = event(1_400_000, GrantNo::NONE, What::StepTaken { step: 1 });
        let sent = |at_us| event(at_us, ANN, SENT);
        assert_eq!(longest(&plan, &[granted, forward, sent(1_300_000)]), 100_000);
        assert_eq!(longest(&plan, &[granted, forward, back, sent(1_900_000)]), 0);
        assert_eq!(longest(&plan, &[granted, forward, back, sent(2_100_000)]), 100_000);
    }
}
