//! Evidence gathered at the door beside a decision: what the registry's own reads say right after it, and what the world
//! knows that no call says. Laws need it to judge refusals, releases, reclaims, tokens and licences.

use fencepost::call::{Call, Reply, Submit};
use fencepost::lease::LeaseOwnerLiveness;
use fencepost::process::{AbandonWriter, ProcessAwaitOutput};

use super::World;
use super::door::Sketch;
use crate::event::{Abandons, CallKind, GrantNo, Kind, licence};
use crate::plan::Node;

/// A hash of a process's row, lease and log, as the registry shows them.
pub async fn fingerprint(registry: &dyn Submit, process: u16) -> u64 {
    let id = format!("p{process}");
    let calls = [
        Call::ReadProcess { process_id: id.clone() },
        Call::GetProcessLease { process_id: id.clone() },
        Call::RecentEvents { process_id: id, limit: 1 },
    ];
    let mut hash = 0_u64;
    for call in calls {
        let shown = format!("{:?}", registry.submit(call).await);
        hash = hash_text(&shown) ^ hash.rotate_left(21);
    }
    hash
}

/// Equal texts have equal numbers, and others practically never.
pub fn hash_text(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// What must be known before a call is decided.
pub struct Before {
    fingerprint: Option<u64>,
    entropy_drawn: u64,
}

impl World {
    /// Notes what speaks for or against the call, and says whether its state must be looked at before it is decided.
    pub fn evidence_before(&mut self, sketch: &Sketch, call: &Call) -> bool {
        match call {
            Call::ReclaimProcessLease { observed_holder, .. } => {
                let observed = self.grants.of_lease(sketch.process, observed_holder);
                let (is_dead, _, is_lie) = self.truth_of(&observed_holder.owner.liveness);
                self.decision(sketch, Kind::Observed, observed, u64::from(is_dead), u64::from(is_lie));
            }
            Call::CompleteProcessWithLease {
                await_output: ProcessAwaitOutput::Abandoned { evidence },
                ..
            }
            | Call::CompleteProcess { await_output: ProcessAwaitOutput::Abandoned { evidence }, .. } => {
                let writer = match evidence.writer {
                    AbandonWriter::OwnerDrain => Abandons::OwnerDrain,
                    AbandonWriter::Sweep => Abandons::Sweep,
                    AbandonWriter::ReconciledRequest => Abandons::ReconciledRequest,
                };
                let mut bits = 0;
                if let Some(starter) = &evidence.owner {
                    let (is_dead, is_lie, _) = self.truth_of(&starter.liveness);
                    let asks = super::environment::liveness(sketch.asks.node, sketch.asks.life);
                    bits |= if is_dead { licence::STARTER_IS_DEAD } else { 0 };
                    bits |= if is_lie { licence::PROBES_LIE } else { 0 };
                    bits |= if starter.liveness == asks { licence::IS_STARTER } else { 0 };
                }
                self.decision(sketch, Kind::GivesUp, sketch.presented, writer as u64, bits);
            }
            _ => {}
        }
        let is_hosts = matches!(sketch.asks.node, Node::Host(_));
        let writes = !matches!(sketch.kind, CallKind::Read | CallKind::Prune);
        writes && (is_hosts || self.expects_refusal(sketch))
    }

    /// Whether a life is over; and whether workers, and the registry, were ever lied to about its node.
    fn truth_of(&mut self, liveness: &LeaseOwnerLiveness) -> (bool, bool, bool) {
        let LeaseOwnerLiveness::LocalProcess { pid, process_start, .. } = liveness else {
            return (false, false, false);
        };
        let of = self.node(Node::from_code(u8::try_from(*pid).unwrap_or(u8::MAX)));
        let is_dead = process_start.parse() != Ok(of.life);
        (is_dead, of.lied_about.were_told, of.lied_to_registry.were_told)
    }

    /// By what was granted so far: only a guess of where to look, which no law relies on.
    fn expects_refusal(&mut self, sketch: &Sketch) -> bool {
        let now_ms = self.wall_ms(Node::Registry);
        let row = self.row(sketch.process);
        let is_live = row.lease.is_some_and(|(until_ms, held)| held == sketch.presented && now_ms < until_ms);
        row.is_terminal || sketch.presented.is_some() && !is_live
    }

    pub fn entropy_before(&mut self, fingerprint: Option<u64>) -> Before {
        Before { fingerprint, entropy_drawn: self.node(Node::Registry).entropy_drawn }
    }

    /// Bytes that were drawn since.
    pub fn entropy_since(&mut self, before: &Before) -> u64 {
        self.node(Node::Registry).entropy_drawn - before.entropy_drawn
    }
}

/// What is asked of the registry right after a decision.
pub async fn evidence_after(registry: &dyn Submit, sketch: &Sketch, before: &Before, is_refused: bool) {
    if let (Some(fingerprint_before), true) = (before.fingerprint, is_refused) {
        let after = fingerprint(registry, sketch.process).await;
        super::with(|world| {
            world.decision(sketch, Kind::ReadBack, sketch.presented, fingerprint_before, after);
        });
    }
    if sketch.kind == CallKind::Release && !is_refused {
        let look = Call::GetProcessLease { process_id: format!("p{}", sketch.process) };
        let stored = registry.submit(look).await;
        super::with(|world| {
            let grant = match &stored {
                Ok(Reply::MaybeLease(Some(lease))) => world.grants.of_lease(sketch.process, lease),
                _ => GrantNo::NONE,
            };
            world.decision(sketch, Kind::LeaseAfter, grant, 0, 0);
        });
    }
}
