//! Evidence gathered beside a decision: what the registry's own reads say right before and after it, and what only the world
//! knows. Laws need it to judge refusals, releases, reclaims, tokens and licences.

use fencepost::model::lease::LeaseOwnerLiveness;
use fencepost::model::process::ProcessAwaitOutput;
use fencepost::registry::calls::{AnswerRef, Call, Reply, Submit};

use crate::history::event::{CallKind, GrantNo, Licence, What};
use crate::plan::Node;
use crate::support::differing::differing;
use crate::world::calls::{CallInfo, is_unfenced_execution};
use crate::world::environment::liveness;
use crate::world::fingerprint::hash_of;
use crate::world::recorder::unrecorded_read::look;
use crate::world::state::{World, with};

/// Reads the rows that a call is about: a process's row, lease and log, or the handles of two scopes. None, if they cannot be
/// read.
async fn show(registry: &dyn Submit, looked_at: &[Call]) -> Option<Vec<Reply>> {
    let mut shown = Vec::with_capacity(looked_at.len());
    for call in looked_at {
        shown.push(look(registry, call.clone()).await.ok()?);
    }
    Some(shown)
}

fn fingerprint(shown: &[Reply]) -> u64 {
    shown.iter().fold(0, |hash: u64, reply| hash_of(reply) ^ hash.rotate_left(21))
}

/// The reads that show the state that a refusal of this call must not change.
fn state_about(info: &CallInfo, call: &Call) -> Vec<Call> {
    if let Call::TransferHandleGrants { from_scope, to_scope, .. } = call {
        return [from_scope, to_scope]
            .map(|scope| Call::ListHandleGrants { session_scope: scope.clone() })
            .to_vec();
    }
    let process_id = format!("p{}", info.process);
    vec![
        Call::ReadProcess { process_id: process_id.clone() },
        Call::GetProcessLease { process_id: process_id.clone() },
        Call::RecentEvents { process_id, limit: 1 },
    ]
}

/// The state before a call is decided.
pub struct StateBefore {
    /// The state that a refusal must leave unchanged, and the reads that show it.
    shown: Option<(Vec<Reply>, Vec<Call>)>,
    /// Bytes of entropy drawn so far.
    pub entropy_drawn: u64,
    pub at_us: u64,
}

impl StateBefore {
    pub fn new(world: &mut World) -> Self {
        Self { shown: None, entropy_drawn: world.entropy_drawn(), at_us: world.kernel.now_us }
    }

    /// Looks at what a refusal must leave as it was, and at the handles that a transfer is to move.
    pub async fn look(&mut self, registry: &dyn Submit, info: &CallInfo, call: &Call) {
        let looked_at = state_about(info, call);
        if let Some(shown) = show(registry, &looked_at).await {
            self.shown = Some((shown, looked_at));
        }
        let Call::TransferHandleGrants { from_scope, process_ids, .. } = call else { return };
        let listed = look(registry, Call::ListHandleGrants { session_scope: from_scope.clone() }).await;
        let present = match listed {
            Ok(Reply::HandleEntries(entries)) => {
                let is_there = |id: &&String| entries.iter().any(|(grant, _)| grant.process_id == **id);
                process_ids.iter().filter(is_there).count()
            }
            // It takes time to show them.
            Err(_) => with(|world| world.records.answers.handles_of(from_scope, process_ids)),
            Ok(_) => return,
        };
        if present > 0 && present < process_ids.len() {
            let what = What::TransferIsPartial { present: present as u64 };
            with(|world| world.decision(info, GrantNo::NONE, what));
        }
    }
}

impl World {
    /// Records what speaks for or against the call. True if the state must be looked at before the call is decided.
    pub fn record_evidence_before(&mut self, info: &CallInfo, call: &Call) -> bool {
        if let Call::ClaimProcessLease { owner, .. } | Call::ReclaimProcessLease { owner, .. } = call {
            let own = self.records.grants.last_of(info.process, &owner.owner_id, &owner.incarnation_id);
            self.decision(info, own, What::Claims { asked_ms: info.asked_ms });
        }
        if matches!(info.kind, CallKind::Complete | CallKind::UnfencedComplete) {
            self.decision(info, info.presented, What::Completes { output: info.hash });
        }
        if is_unfenced_execution(info.kind) && info.request.is_none() {
            self.decision(info, info.presented, What::Unfenced { call: info.kind });
        }
        if let Call::ReclaimProcessLease { observed_holder, .. } = call {
            let observed = self.records.grants.of_lease(info.process, observed_holder);
            let truth = self.truth_about(&observed_holder.owner.liveness);
            let what = What::Observed { is_dead: truth.is_dead, do_probes_lie: truth.was_registry_lied_to };
            self.decision(info, observed, what);
        }
        if let Call::CompleteProcessWithLease { await_output, .. }
        | Call::CompleteProcess { await_output, .. } = call
            && let ProcessAwaitOutput::Abandoned { evidence } = await_output
        {
            let licence = match &evidence.owner {
                Some(starter) => {
                    let truth = self.truth_about(&starter.liveness);
                    Licence {
                        is_starter_dead: truth.is_dead,
                        do_probes_lie: truth.were_workers_lied_to,
                        is_by_starter: *starter.liveness == liveness(info.caller.node, info.caller.life),
                    }
                }
                None => Licence::default(),
            };
            self.decision(info, info.presented, What::GivesUp { writer: evidence.writer, licence });
        }
        let is_hosts = matches!(info.caller.node, Node::Host(_));
        let writes = !matches!(info.kind, CallKind::Read | CallKind::Prune | CallKind::Ack);
        writes && (is_hosts || self.expects_refusal(info))
    }

    fn truth_about(&mut self, liveness: &LeaseOwnerLiveness) -> Truth {
        let LeaseOwnerLiveness::LocalProcess { pid, process_start, .. } = liveness else {
            return Truth::default();
        };
        let node = self.node(Node::from_code(u8::try_from(*pid).unwrap_or(u8::MAX)));
        Truth {
            is_dead: process_start.parse() != Ok(node.life),
            were_workers_lied_to: node.lied_about.were_told,
            was_registry_lied_to: node.lied_to_registry.were_told,
        }
    }

    /// Guesses from the grants so far. No law relies on it: it only says where to look.
    fn expects_refusal(&mut self, info: &CallInfo) -> bool {
        let now_ms = self.reading_ms();
        let row = self.row(info.process);
        let is_live = row.lease.is_some_and(|(until_ms, held)| held == info.presented && now_ms < until_ms);
        row.is_terminal || info.presented.is_some() && !is_live
    }
}

/// The truth about a process that a probe calls dead or alive.
#[derive(Default)]
struct Truth {
    is_dead: bool,
    /// Probes of workers, or of the registry, ever called it dead while it lived.
    were_workers_lied_to: bool,
    was_registry_lied_to: bool,
}

/// Asks the registry right after a decision what has changed.
pub async fn look_after(registry: &dyn Submit, info: &CallInfo, before: &StateBefore, answer: AnswerRef<'_>) {
    // Most calls are granted: only a refusal is worth the hashes.
    if let (Some((shown_before, looked_at)), Err(error)) = (&before.shown, answer)
        && !error.outcome_is_unknown()
        && let Some(shown) = show(registry, looked_at).await
    {
        let before = fingerprint(shown_before);
        let after = if shown == *shown_before { before } else { fingerprint(&shown) };
        with(|world| {
            world.decision(info, info.presented, What::ReadBack { before, after });
            if before != after {
                let (was, is) = differing(&format!("{shown_before:?}"), &format!("{shown:?}"));
                world.annotate(&[("before", was), ("after", is)]);
            }
        });
    }
    if info.kind == CallKind::Release && answer.is_ok() {
        let stored = look(registry, Call::GetProcessLease { process_id: format!("p{}", info.process) }).await;
        let Ok(Reply::MaybeLease(stored)) = stored else { return };
        with(|world| {
            let grant =
                stored.map_or(GrantNo::NONE, |lease| world.records.grants.of_lease(info.process, &lease));
            world.decision(info, grant, What::LeaseAfter);
        });
    }
}
