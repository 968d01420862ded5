//! The bodies of processes: each follows the plan's words for its process. Every body that begins, ends or has an effect is an
//! event. Our own worker runs them through its engine; another's runs them through its workplace.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fencepost::environment::Environment;
use fencepost::model::event::ProcessEventAppendRequest;
use fencepost::model::process::{ProcessAwaitOutput, ProcessRecord};
use fencepost::work::cancellation::CancellationToken;
use fencepost::work::effect::{Effect, EffectController};
use fencepost::work::engine::{InfrastructureFailure, ProcessContext, ProcessEngine};
use serde_json::json;

use crate::history::event::{BodyOutcome, GrantNo, NO_PROCESS, What};
use crate::plan::Node;
use crate::plan::step::Body;
use crate::subject::{Bodies, BodyActions};
use crate::world::calls::process_of;
use crate::world::effects::LedgerWire;
use crate::world::environment::NodeEnvironment;
use crate::world::fingerprint::hash_of;
use crate::world::state::{World, try_with, with};

/// The bodies of the plan's processes, run at one node.
pub struct NodeBodies(pub Node);

#[async_trait]
impl Bodies for NodeBodies {
    async fn run(
        &self,
        record: &ProcessRecord,
        fence: u64,
        actions: &dyn BodyActions,
    ) -> Option<ProcessAwaitOutput> {
        let ledger = LedgerWire(self.0);
        let perform = |key: String| {
            let effect = Effect { process_id: record.id().to_owned(), key, fence, payload: json!(null) };
            let ledger = &ledger;
            async move { ledger.perform(effect).await.map(drop).map_err(|error| error.to_string()) }
        };
        run(self.0, record, fence, actions, perform).await.ok()
    }

    fn engine(&self) -> Arc<dyn ProcessEngine> {
        Arc::new(ScriptEngine { node: self.0 })
    }
}

/// Runs bodies for our own worker.
pub struct ScriptEngine {
    pub node: Node,
}

#[async_trait]
impl ProcessEngine for ScriptEngine {
    async fn run(&self, context: ProcessContext<'_>) -> Result<ProcessAwaitOutput, InfrastructureFailure> {
        let perform = |key: String| {
            let effects = context.effects();
            async move { effects.perform(&key, json!(null)).await.map(drop).map_err(|error| error.to_string()) }
        };
        run(self.node, context.record(), context.fence(), &context, perform).await
    }
}

#[async_trait]
impl BodyActions for ProcessContext<'_> {
    async fn emit(&self, request: ProcessEventAppendRequest) -> Result<(), String> {
        ProcessContext::emit(self, request).await.map(drop).map_err(|error| error.to_string())
    }

    async fn wait_for_signal(&self, name: &str) -> Result<(), String> {
        ProcessContext::wait_for_signal(self, name).await.map(drop).map_err(|error| error.to_string())
    }

    async fn await_process(&self, process_id: &str) -> Result<(), String> {
        ProcessContext::await_process(self, process_id).await.map(drop).map_err(|error| error.to_string())
    }

    fn cancellation(&self) -> &CancellationToken {
        ProcessContext::cancellation(self)
    }
}

/// One run of a body, however it ends.
struct Running {
    node: Node,
    process: u16,
    grant: GrantNo,
    outcome: BodyOutcome,
    output: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        try_with(|world| {
            let what = What::BodyEnded { outcome: self.outcome, output: self.output };
            world.note(self.node, self.process, self.grant, what);
        });
    }
}

type ScriptEnd = Result<ProcessAwaitOutput, InfrastructureFailure>;

async fn run<P: Future<Output = Result<(), String>>>(
    node: Node,
    record: &ProcessRecord,
    fence: u64,
    actions: &dyn BodyActions,
    perform: impl Fn(String) -> P,
) -> ScriptEnd {
    let process = process_of(record.id()).unwrap_or(NO_PROCESS);
    let body = with(|world| world.body_of(record));
    let body = body.ok_or_else(|| InfrastructureFailure("the plan knows no such body".to_owned()))?;
    let grant = with(|world| {
        let grant = world.records.grants.of_fence(process, fence, node);
        world.note(node, process, grant, What::BodyBegan { fence });
        grant
    });
    let mut running = Running { node, process, grant, outcome: BodyOutcome::Dropped, output: 0 };
    let output = act(body, node, process, fence, actions, perform).await;
    running.outcome = if output.is_ok() { BodyOutcome::Output } else { BodyOutcome::Broke };
    running.output = output.as_ref().map_or(0, hash_of);
    output
}

async fn act<P: Future<Output = Result<(), String>>>(
    body: Body,
    node: Node,
    process: u16,
    fence: u64,
    actions: &dyn BodyActions,
    perform: impl Fn(String) -> P,
) -> ScriptEnd {
    let environment = NodeEnvironment(node);
    let steps = async |count: u16, rest_ms: u64| {
        for number in 0..count {
            if let Err(why) = perform(number.to_string()).await {
                return refused(why);
            }
            environment.sleep(Duration::from_millis(rest_ms)).await;
        }
        Ok(ProcessAwaitOutput::Success { value: json!(fence) })
    };
    let answered = match body {
        Body::Steps { count, rest_ms } => return steps(count, rest_ms).await,
        Body::Emits { count, rest_ms } => {
            for number in 0..count {
                let request = ProcessEventAppendRequest::new("progress", json!(number));
                if let Err(why) = actions.emit(request).await {
                    return refused(why);
                }
                environment.sleep(Duration::from_millis(rest_ms)).await;
            }
            Ok(())
        }
        Body::Waits => match actions.wait_for_signal("go").await {
            Ok(()) => perform("after".to_owned()).await,
            Err(why) => Err(why),
        },
        Body::Awaits { child } => actions.await_process(&child.to_string()).await,
        Body::UntilCancelled => {
            actions.cancellation().cancelled().await;
            return Ok(ProcessAwaitOutput::Cancelled { message: "as requested".into(), raw: None });
        }
        // Not `panic!`, which would print to the terminal.
        Body::Panics => std::panic::resume_unwind(Box::new("the body gave up".to_owned())),
        Body::Breaks => {
            if with(|world| world.breaks(process)) {
                return Err(InfrastructureFailure("the network is down".to_owned()));
            }
            return steps(4, 300).await;
        }
    };
    match answered {
        Ok(()) => Ok(ProcessAwaitOutput::Success { value: json!(fence) }),
        Err(why) => refused(why),
    }
}

fn refused(message: String) -> ScriptEnd {
    Ok(ProcessAwaitOutput::Failure { class: "refused".into(), code: None, message, raw: None })
}

impl World {
    /// Marks that the process's body has broken. True the first time.
    fn breaks(&mut self, process: u16) -> bool {
        let is_first = !self.workload.broken.contains(&process);
        if is_first {
            self.workload.broken.push(process);
        }
        is_first
    }
}
