//! Effects: what a body does to the world outside. Each carries the fence it was started under, so that whatever stands
//! outside can refuse a stale one; and none is started once the lease is lost.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::process::ProcessId;
use crate::work::lease_belief::LeaseBelief;

/// One effect, as the outside sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    pub process_id: ProcessId,
    /// Names the effect within its process: the same effect of a later attempt has the same key.
    pub key: String,
    pub fence: u64,
    pub payload: Value,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EffectError {
    /// The outside has seen a higher fence.
    #[error("the effect `{key}` was refused: fence {fence} is stale, {highest} was seen")]
    Stale { key: String, fence: u64, highest: u64 },
    #[error("the effect `{key}` failed: {cause}")]
    Failed { key: String, cause: String },
}

/// Performs effects.
#[async_trait]
pub trait EffectController: Send + Sync {
    async fn perform(&self, effect: Effect) -> Result<Value, EffectError>;
}

/// An effect controller for one run, borrowed or shared.
#[derive(Clone)]
pub enum ScopedEffectController<'a> {
    Borrowed(&'a dyn EffectController),
    Shared(Arc<dyn EffectController>),
}

/// Stamps the effects of one attempt, and starts none that the lease no longer covers.
#[derive(Clone)]
pub struct Effects<'a> {
    pub(crate) controller: ScopedEffectController<'a>,
    pub(crate) belief: LeaseBelief,
}

impl ScopedEffectController<'_> {
    fn controller(&self) -> &dyn EffectController {
        match self {
            Self::Borrowed(controller) => *controller,
            Self::Shared(controller) => controller.as_ref(),
        }
    }
}

impl Effects<'_> {
    /// Performs the effect under the attempt's fence. Once the lease is lost this never answers: the body is about to
    /// be dropped.
    pub async fn perform(&self, key: &str, payload: Value) -> Result<Value, EffectError> {
        // No await stands between this check and the first poll of the effect.
        self.belief.wait_forever_if_lost().await;
        let lease = self.belief.lease();
        let effect = Effect {
            process_id: lease.process_id.clone(),
            key: key.to_owned(),
            fence: lease.fencing_token,
            payload,
        };
        self.controller.controller().perform(effect).await
    }
}

/// For workers whose bodies have no effects: refuses each by name.
pub struct NoEffects;

#[async_trait]
impl EffectController for NoEffects {
    async fn perform(&self, effect: Effect) -> Result<Value, EffectError> {
        let cause = "this worker was configured without an effect controller".to_owned();
        Err(EffectError::Failed { key: effect.key, cause })
    }
}
