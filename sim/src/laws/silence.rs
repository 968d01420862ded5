//! The law of silence: what a worker may still do under a grant that it must know to be lost. Its own clock counts here,
//! the monotonic one: a full ttl after the last call that is known to have extended the lease was begun.

use std::collections::BTreeMap;

use crate::history::event::{CallKind, Event, GrantNo, Kind, refusal};
use crate::laws::{Case, Law};
use crate::plan::Plan;

/// See its sentence.
pub struct LostMeansSilent {
    ttl_us: u64,
    grants: Vec<Belief>,
    /// Claims and renewals that were begun and not yet heard of, by node and number, with the instant they were begun.
    begun: BTreeMap<(u8, u64), u64>,
    case: Case,
}

#[derive(Debug, Clone, Copy, Default)]
struct Belief {
    /// On the holder's monotonic clock.
    deadline_us: u64,
    /// What it was told, if it was told that the grant is gone.
    told: Option<u64>,
    /// For people, once an effect showed it.
    fence: Option<u64>,
}

impl Belief {
    fn name(self) -> String {
        self.fence.map_or_else(|| "its grant".to_owned(), |fence| format!("fence {fence}"))
    }
}

impl LostMeansSilent {
    pub fn new(plan: &Plan) -> Self {
        Self {
            ttl_us: plan.ttl_ms * 1_000,
            grants: Vec::new(),
            begun: BTreeMap::new(),
            case: Case::default(),
        }
    }

    fn belief(&mut self, grant: GrantNo) -> &mut Belief {
        let place = grant.0 as usize;
        if self.grants.len() <= place {
            self.grants.resize(place + 1, Belief::default());
        }
        &mut self.grants[place]
    }

    fn acts(&mut self, number: u64, event: &Event, what: &str) {
        self.case.meet();
        let belief = *self.belief(event.grant);
        if let Some(told) = belief.told {
            self.case.breach(number, || {
                let (grant, told) = (belief.name(), refusal::name(told));
                format!("{what} was begun under {grant} after the worker was told {told}")
            });
        } else if event.clock >= belief.deadline_us {
            self.case.breach(number, || {
                let late = match (event.clock - belief.deadline_us) / 1_000 {
                    0 => "at".to_owned(),
                    late_ms => format!("{late_ms} ms after"),
                };
                let grant = belief.name();
                format!("{what} was begun under {grant} {late} its deadline on the worker's own clock")
            });
        }
    }
}

impl Law for LostMeansSilent {
    fn name(&self) -> &'static str {
        "lost-means-silent"
    }

    fn sentence(&self) -> &'static str {
        "once a grant is lost to its worker (told so, or its local deadline passed) the worker starts no effect and begins \
         no call under it"
    }

    fn see(&mut self, number: u64, event: &Event) {
        match event.kind {
            Kind::Sent => {
                let kind = CallKind::from_code(event.a);
                if event.grant.is_some() {
                    self.acts(number, event, kind.name());
                }
                if matches!(kind, CallKind::Claim | CallKind::Reclaim | CallKind::Renew) {
                    self.begun.insert((event.node, event.b), event.clock);
                }
            }
            Kind::Heard => {
                let begun = self.begun.remove(&(event.node, event.b));
                let code = event.a & 0xff;
                if !event.grant.is_some() {
                    return;
                }
                if refusal::is_loss(code) {
                    self.belief(event.grant).told.get_or_insert(code);
                } else if let (Some(begun), refusal::NONE) = (begun, code) {
                    let until_us = begun + self.ttl_us;
                    let belief = self.belief(event.grant);
                    belief.deadline_us = belief.deadline_us.max(until_us);
                }
            }
            Kind::EffectStarted if event.grant.is_some() => {
                self.belief(event.grant).fence = Some(event.a);
                self.acts(number, event, "an effect");
            }
            Kind::EffectStarted => {
                self.case.meet();
                self.case.breach(number, || {
                    "an effect carries a fence that was never granted to its node".to_owned()
                });
            }
            // Numbers of calls begin anew in a new life.
            Kind::Crashed => self.begun.retain(|(node, _), _| *node != event.node),
            _ => {}
        }
    }

    fn case(&self) -> &Case {
        &self.case
    }
}
