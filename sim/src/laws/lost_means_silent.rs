//! The law lost-means-silent: a worker that must know that its grant is lost does nothing more under it. Its own monotonic
//! clock counts here: a full ttl after it sent the last call that is known to have extended the lease.

use std::collections::BTreeMap;

use crate::history::event::{CallKind, CallResult, Event, EventKind, What};
use crate::laws::case::Case;
use crate::laws::explain::loss;
use crate::laws::law::{Law, LawCard, Side, unheard};
use crate::laws::state::by_grant::ByGrant;
use crate::plan::{Node, Plan};

#[derive(Default)]
pub struct LostMeansSilent {
    /// By node.
    ttls_us: BTreeMap<u8, u64>,
    grants: ByGrant<HolderBelief>,
    /// When a claim or renewal was sent that was not answered yet, by node and number.
    sent: BTreeMap<(u8, u64), u64>,
}

/// The belief that the holder of a grant must have.
#[derive(Debug, Clone, Copy, Default)]
struct HolderBelief {
    /// On the holder's monotonic clock.
    deadline_us: u64,
    /// The first answer that said that the grant is gone.
    loss: Option<CallResult>,
    /// For reasons, once an effect showed it.
    fence: Option<u64>,
}

impl Law for LostMeansSilent {
    const SIDE: Side = Side::Worker;
    const CARD: LawCard = LawCard {
        name: "lost-means-silent",
        sentence: "once a grant is lost to its worker (told so, or its local deadline passed) the worker starts no effect and \
                   begins no call under it",
        hears: &[EventKind::Sent, EventKind::Heard, EventKind::EffectStarted, EventKind::Crashed],
        needs: &[],
        judges_unordered: true,
        is_about_panics: false,
        catches: &["renewals-end-at-one-error", "effects-after-loss", "failed-when-lost"],
        explain: loss,
    };

    fn new(plan: &Plan) -> Self {
        Self { ttls_us: plan.ttls_us(), ..Self::default() }
    }

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        match what {
            What::Sent { call, number } => {
                if event.grant.is_some() {
                    self.grants.of(event.grant).acts(event, call.name(), case);
                }
                if matches!(call, CallKind::Claim | CallKind::Reclaim | CallKind::Renew) {
                    self.sent.insert((event.node, number), event.clock);
                }
            }
            What::Heard { result, number, .. } => {
                let sent = self.sent.remove(&(event.node, number));
                if !event.grant.is_some() {
                    return;
                }
                let belief = self.grants.of(event.grant);
                if result.is_loss() {
                    belief.loss.get_or_insert(result);
                } else if let (Some(sent), CallResult::Done) = (sent, result) {
                    let ttl_us = self.ttls_us.get(&event.node).copied().unwrap_or(0);
                    belief.deadline_us = belief.deadline_us.max(sent + ttl_us);
                }
            }
            What::EffectStarted { fence } if event.grant.is_some() => {
                let belief = self.grants.of(event.grant);
                belief.fence = Some(fence);
                belief.acts(event, "an effect", case);
            }
            What::EffectStarted { .. } => {
                case.meet();
                let worker = Node::from_code(event.node);
                case.breach(|| {
                    format!(
                        "{worker} started an effect with a fence that was never granted to it; \
                             right: its own fence"
                    )
                });
            }
            // Numbers of calls begin anew in a new life.
            What::Crashed { .. } => self.sent.retain(|(node, _), _| *node != event.node),
            _ => unheard(what),
        }
    }
}

impl HolderBelief {
    /// The holder begins something under its grant.
    fn acts(self, event: &Event, begun: &str, case: &mut Case) {
        case.meet();
        if let Some(loss) = self.loss {
            case.breach(|| {
                let (worker, grant, told) = (Node::from_code(event.node), self.name(), loss.name());
                format!(
                    "{worker} began {begun} under {grant} after it was told `{told}`; right: \
                         nothing more under it"
                )
            });
        } else if event.clock >= self.deadline_us {
            case.breach(|| {
                let late = match (event.clock - self.deadline_us) / 1_000 {
                    0 => "at".to_owned(),
                    late_ms => format!("{late_ms} ms after"),
                };
                let (worker, grant) = (Node::from_code(event.node), self.name());
                format!(
                    "{worker} began {begun} under {grant} {late} that lease's deadline on its own clock; right: nothing more \
                     under it"
                )
            });
        }
    }

    fn name(self) -> String {
        self.fence.map_or_else(|| "its grant".to_owned(), |fence| format!("fence {fence}"))
    }
}
