//! The bodies of processes, as the plan of the run gives them. Each that begins or ends is noted.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fencepost::environment::Environment;
use fencepost::model::event::ProcessEventAppendRequest;
use fencepost::model::process::{ProcessAwaitOutput, ProcessInput};
use fencepost::work::engine::{InfrastructureFailure, ProcessContext, ProcessEngine};
use serde_json::json;

use crate::live::journal::{Journal, JournalEntry};
use crate::plan::Plan;
use crate::plan::step::Body;
use crate::world::{hash_of, process_of};

pub struct LiveScripts {
    pub plan: Plan,
    pub environment: Arc<dyn Environment>,
    pub journal: Arc<Journal>,
}

/// One run of a body, however it ends.
struct NotedBody<'a> {
    journal: &'a Journal,
    process: u16,
    fence: u64,
    output: Option<u64>,
    has_broken: bool,
}

impl Drop for NotedBody<'_> {
    fn drop(&mut self) {
        let Self { process, fence, output, has_broken, .. } = *self;
        self.journal.note(JournalEntry::BodyEnded { process, fence, output, has_broken });
    }
}

#[async_trait]
impl ProcessEngine for LiveScripts {
    async fn run(&self, context: ProcessContext<'_>) -> Result<ProcessAwaitOutput, InfrastructureFailure> {
        let process = process_of(context.process_id()).unwrap_or_default();
        let body = self
            .body_of(&context)
            .ok_or_else(|| InfrastructureFailure("the plan knows no such body".to_owned()))?;
        let fence = context.fence();
        self.journal.note(JournalEntry::BodyBegan { process, fence });
        let mut noted = NotedBody { journal: &self.journal, process, fence, output: None, has_broken: false };
        let output = self.act(body, &context).await;
        noted.has_broken = output.is_err();
        noted.output = output.as_ref().ok().map(hash_of);
        output
    }
}

impl LiveScripts {
    fn body_of(&self, context: &ProcessContext<'_>) -> Option<Body> {
        let ProcessInput::Engine { payload, .. } = &context.registration().input else { return None };
        let step = self.plan.steps.get(usize::try_from(payload.as_u64()?).ok()?)?;
        step.action.registers().map(|(_, body)| *body)
    }

    async fn act(
        &self,
        body: Body,
        context: &ProcessContext<'_>,
    ) -> Result<ProcessAwaitOutput, InfrastructureFailure> {
        let rest = |ms: u64| self.environment.sleep(Duration::from_millis(ms));
        let refused = |message: String| {
            Ok(ProcessAwaitOutput::Failure { class: "refused".into(), code: None, message, raw: None })
        };
        match body {
            Body::Steps { count, rest_ms } => {
                for number in 0..count {
                    if let Err(why) = context.effects().perform(&number.to_string(), json!(null)).await {
                        return refused(why.to_string());
                    }
                    rest(rest_ms).await;
                }
            }
            Body::Emits { count, rest_ms } => {
                for number in 0..count {
                    let request = ProcessEventAppendRequest::new("progress", json!(number));
                    if let Err(why) = context.emit(request).await {
                        return refused(why.to_string());
                    }
                    rest(rest_ms).await;
                }
            }
            Body::Waits => {
                if let Err(why) = context.wait_for_signal("go").await {
                    return refused(why.to_string());
                }
                if let Err(why) = context.effects().perform("after", json!(null)).await {
                    return refused(why.to_string());
                }
            }
            Body::UntilCancelled => {
                context.cancellation().cancelled().await;
                return Ok(ProcessAwaitOutput::Cancelled { message: "as requested".into(), raw: None });
            }
            Body::Breaks => {
                for number in 0..4 {
                    if let Err(why) = context.effects().perform(&number.to_string(), json!(null)).await {
                        return refused(why.to_string());
                    }
                    rest(300).await;
                }
                // Every other grant, so that the process ends.
                if !context.fence().is_multiple_of(2) {
                    return Err(InfrastructureFailure("the network is down".to_owned()));
                }
            }
            // The workload of a live run draws neither.
            Body::Awaits { .. } | Body::Panics => {
                return Err(InfrastructureFailure(format!("`{body}` is no body of a live run")));
            }
        }
        Ok(ProcessAwaitOutput::Success { value: json!(context.fence()) })
    }
}
