//! A worker's client, observed at its node: each call is recorded when it begins and when its answer arrives.

use std::sync::Arc;

use async_trait::async_trait;
use fencepost::model::lease::ProcessLeaseClaimOutcome;
use fencepost::model::process::DurabilityTier;
use fencepost::registry::calls::{Answer, AnswerRef, Call, Reply, Submit};
use fencepost::registry::remote::RemoteClient;

use crate::history::event::{CallKind, GrantNo, What};
use crate::plan::Node;
use crate::world::calls::{grant_presented_by, kind_of, process_in, result_of};
use crate::world::messages::Wire;
use crate::world::state::{World, with};

pub struct ObservedClient {
    pub node: Node,
    pub client: RemoteClient<Wire>,
}

/// A call that was sent.
struct SentCall {
    kind: CallKind,
    process: u16,
    grant: GrantNo,
    /// Its number in the life of the node.
    number: u64,
}

#[async_trait]
impl Submit for ObservedClient {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        let sent = with(|world| world.call_begins(self.node, &call));
        let answer = self.client.submit(call).await;
        with(|world| world.call_answered(self.node, &sent, answer.as_deref()));
        answer
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.client.durability_tier()
    }
}

impl World {
    fn call_begins(&mut self, node: Node, call: &Call) -> SentCall {
        let (kind, process) = (kind_of(call), process_in(call));
        let grant = grant_presented_by(call, process, &mut self.records.grants);
        let state = self.node(node);
        state.calls += 1;
        let number = state.calls;
        self.note(node, process, grant, What::Sent { call: kind, number });
        SentCall { kind, process, grant, number }
    }

    fn call_answered(&mut self, node: Node, sent: &SentCall, answer: AnswerRef<'_>) {
        let grant = match answer {
            Ok(Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease))) => {
                self.records.grants.of_lease(sent.process, lease)
            }
            _ => sent.grant,
        };
        let what = What::Heard { call: sent.kind, result: result_of(answer), number: sent.number };
        self.note(node, sent.process, grant, what);
    }
}
