//! Evidence gathered at the door beside a decision: what the registry's own reads say right after it, and what the world
//! knows that no call says. Laws need it to judge refusals, releases, reclaims, tokens and licences.

use fencepost::RegistryError;
use fencepost::model::lease::LeaseOwnerLiveness;
use fencepost::model::process::{AbandonWriter, ProcessAwaitOutput};
use fencepost::registry::calls::{Call, Reply, Submit};

use crate::disk;
use crate::history::event::{Abandons, CallKind, GrantNo, Kind, licence};
use crate::plan::Node;
use crate::world::recorder::{Sketch, hash_of, is_unfenced_execution, poll_once};
use crate::world::{World, with};

/// A hash of what a call is about, as the registry shows it: a process's row, lease and log, or the handles of two scopes.
/// None, if it cannot be read.
async fn fingerprint(registry: &dyn Submit, looked_at: &[Call]) -> Option<u64> {
    let mut hash = 0_u64;
    for call in looked_at {
        let shown = look(registry, call.clone()).await.ok()?;
        hash = hash_of(&shown) ^ hash.rotate_left(21);
    }
    Some(hash)
}

/// Asks the registry beside the run: the disk is sound for as long as it takes.
pub async fn look(registry: &dyn Submit, call: Call) -> Result<Reply, RegistryError> {
    let troubles = disk::with(disk::Disk::set_aside);
    // A look that takes time is no look: meanwhile others are decided, and the run would not be the one without it.
    let looking = std::pin::pin!(registry.submit(call));
    let shown = poll_once(looking)
        .await
        .unwrap_or_else(|| Err(RegistryError::backend("look", "the registry takes time to answer")));
    if let Some(troubles) = troubles {
        disk::with(|disk| disk.bring_back(troubles));
    }
    // An unknown process has nothing to show, and that is an answer.
    match shown {
        Err(RegistryError::UnknownProcess { .. }) => Ok(Reply::MaybeRecord(None)),
        shown => shown,
    }
}

/// What a refusal of this call must leave as it was.
fn about(sketch: &Sketch, call: &Call) -> Vec<Call> {
    if let Call::TransferHandleGrants { from_scope, to_scope, .. } = call {
        return [from_scope, to_scope]
            .map(|scope| Call::ListHandleGrants { session_scope: scope.clone() })
            .to_vec();
    }
    let process_id = format!("p{}", sketch.process);
    vec![
        Call::ReadProcess { process_id: process_id.clone() },
        Call::GetProcessLease { process_id: process_id.clone() },
        Call::RecentEvents { process_id, limit: 1 },
    ]
}

/// Equal texts have equal numbers, and others practically never.
pub fn hash_text(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// What must be known before a call is decided.
pub struct Before {
    fingerprint: Option<(u64, Vec<Call>)>,
    entropy_drawn: u64,
}

impl Before {
    /// Of a decision that was made earlier, and drew so much.
    pub fn drawn(world: &mut World, bytes: u64) -> Self {
        let entropy_drawn = world.node(Node::Registry).entropy_drawn - bytes;
        Self { fingerprint: None, entropy_drawn }
    }

    /// Looks at what a refusal must leave as it was, and at the handles that a transfer is to move.
    pub async fn look(&mut self, registry: &dyn Submit, sketch: &Sketch, call: &Call) {
        let looked_at = about(sketch, call);
        if let Some(hash) = fingerprint(registry, &looked_at).await {
            self.fingerprint = Some((hash, looked_at));
        }
        let Call::TransferHandleGrants { from_scope, process_ids, .. } = call else { return };
        let listed = look(registry, Call::ListHandleGrants { session_scope: from_scope.clone() }).await;
        if let Ok(Reply::HandleEntries(entries)) = listed {
            let is_there = |id: &&String| entries.iter().any(|(grant, _)| grant.process_id == **id);
            let there = process_ids.iter().filter(is_there).count();
            if there > 0 && there < process_ids.len() {
                with(|world| world.decision(sketch, Kind::TransferIsPartial, GrantNo::NONE, there as u64, 0));
            }
        }
    }
}

impl World {
    /// Notes what speaks for or against the call, and says whether its state must be looked at before it is decided.
    pub fn evidence_before(&mut self, sketch: &Sketch, call: &Call) -> bool {
        if let Call::ClaimProcessLease { owner, .. } | Call::ReclaimProcessLease { owner, .. } = call {
            let own = self.grants.last_of(sketch.process, &owner.owner_id, &owner.incarnation_id);
            self.decision(sketch, Kind::Claims, own, sketch.asked_ms, 0);
        }
        if matches!(sketch.kind, CallKind::Complete | CallKind::UnfencedComplete) {
            self.decision(sketch, Kind::Completes, sketch.presented, sketch.hash, 0);
        }
        if is_unfenced_execution(sketch.kind) && !sketch.is_asked() {
            self.decision(sketch, Kind::Unfenced, sketch.presented, sketch.kind as u64, 0);
        }
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
                    let asks = crate::world::environment::liveness(sketch.asks.node, sketch.asks.life);
                    bits |= if is_dead { licence::STARTER_IS_DEAD } else { 0 };
                    bits |= if is_lie { licence::PROBES_LIE } else { 0 };
                    bits |= if starter.liveness == asks { licence::IS_STARTER } else { 0 };
                }
                self.decision(sketch, Kind::GivesUp, sketch.presented, writer as u64, bits);
            }
            _ => {}
        }
        let is_hosts = matches!(sketch.asks.node, Node::Host(_));
        let writes = !matches!(sketch.kind, CallKind::Read | CallKind::Prune | CallKind::Ack);
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

    /// Bytes that were drawn since.
    pub fn entropy_since(&mut self, before: &Before) -> u64 {
        self.node(Node::Registry).entropy_drawn - before.entropy_drawn
    }
}

/// What is asked of the registry right after a decision.
pub async fn evidence_after(
    registry: &dyn Submit,
    sketch: &Sketch,
    before: &Before,
    answer: &Result<Reply, RegistryError>,
) {
    if let (Some((hash_before, looked_at)), Err(error)) = (&before.fingerprint, answer)
        && !error.outcome_is_unknown()
        && let Some(hash) = fingerprint(registry, looked_at).await
    {
        with(|world| world.decision(sketch, Kind::ReadBack, sketch.presented, *hash_before, hash));
    }
    if sketch.kind == CallKind::Release && answer.is_ok() {
        let stored =
            look(registry, Call::GetProcessLease { process_id: format!("p{}", sketch.process) }).await;
        let Ok(Reply::MaybeLease(stored)) = stored else { return };
        with(|world| {
            let grant = stored.map_or(GrantNo::NONE, |lease| world.grants.of_lease(sketch.process, &lease));
            world.decision(sketch, Kind::LeaseAfter, grant, 0, 0);
        });
    }
}
