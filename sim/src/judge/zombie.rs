//! The longest zombie window of a run: true time from the first instant at which a grant is no longer live at the registry to
//! the last effect that is started, or call that is sent, under it. A measure, not a law: fencing makes windows harmless,
//! it does not close them.

use std::collections::BTreeMap;

use crate::history::event::{Event, GrantNo, Kind, Witness};
use crate::plan::clock::Clock;
use crate::plan::step::{Action, Step};
use crate::plan::{Node, Plan};

pub struct Zombies {
    pub longest_us: u64,
    /// The registry's clock, from the plan alone.
    clock: Clock,
    /// The steps of the plan that bend it, by their numbers.
    bends: BTreeMap<u64, Action>,
    grants: Vec<Life>,
    /// The grant that is stored, by process.
    stored: Vec<Option<GrantNo>>,
}

#[derive(Clone, Copy, Default)]
struct Life {
    expires_ms: u64,
    /// It was live then, and the clock has run evenly since.
    live_at_us: u64,
    dead_since_us: Option<u64>,
    is_superseded: bool,
}

impl Zombies {
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

    fn grant(&mut self, grant: GrantNo) -> &mut Life {
        let place = grant.0 as usize;
        if self.grants.len() <= place {
            self.grants.resize(place + 1, Life::default());
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

    /// Since when the grant has been dead, by now.
    fn dead_since(&mut self, grant: GrantNo, now_us: u64) -> Option<u64> {
        let mut life = *self.grant(grant);
        let clock = &self.clock;
        if life.dead_since_us.is_none() && life.expires_ms > 0 && clock.wall_ms(now_us) >= life.expires_ms {
            life.dead_since_us = Some(clock.true_us_at_wall_ms(life.live_at_us, life.expires_ms).min(now_us));
            *self.grant(grant) = life;
        }
        life.dead_since_us
    }

    /// The process's stored grant is superseded, released or ended.
    fn ends(&mut self, process: u16, now_us: u64) {
        if let Some(grant) = self.stored(process).take() {
            let dead_since_us = self.dead_since(grant, now_us).unwrap_or(now_us);
            let life = self.grant(grant);
            life.dead_since_us = Some(dead_since_us);
            life.is_superseded = true;
        }
    }

    /// The step with this number is taken.
    fn steps(&mut self, number: u64, now_us: u64) {
        if !self.bends.contains_key(&number) {
            return;
        }
        let held: Vec<GrantNo> = self.stored.iter().flatten().copied().collect();
        for grant in &held {
            self.dead_since(*grant, now_us);
        }
        if let Some(fault) = self.bends.get(&number).and_then(|action| action.clock_fault()) {
            fault.bend(&mut self.clock, now_us);
        }
        let now_ms = self.clock.wall_ms(now_us);
        for grant in held {
            let life = self.grant(grant);
            life.live_at_us = now_us;
            // Stepped back, nobody took it: it lives again.
            if now_ms < life.expires_ms {
                life.dead_since_us = None;
            } else {
                life.dead_since_us.get_or_insert(now_us);
            }
        }
    }
}

impl Witness for Zombies {
    fn see(&mut self, event: &Event) {
        match event.kind {
            Kind::Granted | Kind::Reclaimed | Kind::Reentered | Kind::Renewed => {
                if matches!(event.kind, Kind::Granted | Kind::Reclaimed) {
                    self.ends(event.process, event.at_us);
                    *self.stored(event.process) = Some(event.grant);
                }
                let life = self.grant(event.grant);
                life.expires_ms = event.a;
                life.live_at_us = event.at_us;
                if !life.is_superseded {
                    life.dead_since_us = None;
                }
            }
            Kind::Released if *self.stored(event.process) == Some(event.grant) => {
                self.ends(event.process, event.at_us);
            }
            Kind::Ended | Kind::Pruned => self.ends(event.process, event.at_us),
            Kind::StepTaken => self.steps(event.a, event.at_us),
            Kind::Sent | Kind::EffectStarted if event.grant.is_some() => {
                if let Some(since_us) = self.dead_since(event.grant, event.at_us) {
                    self.longest_us = self.longest_us.max(event.at_us - since_us);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(at_us: u64, kind: Kind, grant: u32, a: u64) -> Event {
        Event { at_us, clock: 0, a, b: 0, grant: GrantNo(grant), process: 1, node: 1, kind }
    }

    const EPOCH_MS: u64 = 1_700_000_000_000;

    fn longest(plan: &Plan, events: &[Event]) -> u64 {
        let mut zombies = Zombies::new(plan);
        events.iter().for_each(|event| zombies.see(event));
        zombies.longest_us
    }

    #[test]
    fn the_window_runs_from_the_expiry_to_the_last_thing_done() {
        let granted = event(1_000_000, Kind::Granted, 0, EPOCH_MS + 2_000);
        let plan = Plan::quiet(1);
        assert_eq!(longest(&plan, &[granted, event(1_999_999, Kind::Sent, 0, 0)]), 0);
        let later =
            [granted, event(2_300_000, Kind::EffectStarted, 0, 0), event(2_500_000, Kind::Sent, 0, 0)];
        assert_eq!(longest(&plan, &later), 500_000);
        // Superseded before: the window begins there.
        let superseded = [
            granted,
            event(1_500_000, Kind::Reclaimed, 1, EPOCH_MS + 9_000),
            event(1_600_000, Kind::Sent, 0, 0),
        ];
        assert_eq!(longest(&plan, &superseded), 100_000);
    }

    #[test]
    fn a_clock_that_is_stepped_opens_a_window_and_closes_it() {
        let mut plan = Plan::quiet(1);
        plan.steps = ["1.2s step registry by +1s", "1.4s step registry by -1s"]
            .map(|line| line.parse().unwrap())
            .to_vec();
        let granted = event(1_000_000, Kind::Granted, 0, EPOCH_MS + 2_000);
        let forward = event(1_200_000, Kind::StepTaken, u32::MAX, 0);
        let back = event(1_400_000, Kind::StepTaken, u32::MAX, 1);
        let sent = |at_us| event(at_us, Kind::Sent, 0, 0);
        assert_eq!(longest(&plan, &[granted, forward, sent(1_300_000)]), 100_000);
        assert_eq!(longest(&plan, &[granted, forward, back, sent(1_900_000)]), 0);
        assert_eq!(longest(&plan, &[granted, forward, back, sent(2_100_000)]), 100_000);
    }
}
