//! Looks at the registry from beside the run: no time passes, the disk is sound, and nothing is recorded.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use fencepost::RegistryError;
use fencepost::model::error::RegistryResult;
use fencepost::registry::calls::{Call, Reply, Submit};

use crate::disk;

/// The registry's answer to a read.
pub async fn look(registry: &dyn Submit, call: impl Into<Arc<Call>>) -> RegistryResult<Reply> {
    // An unknown process has nothing to show, and that is an answer.
    match look_closely(registry, call.into()).await {
        Some(Err(RegistryError::UnknownProcess { .. })) => Ok(Reply::MaybeRecord(None)),
        Some(shown) => shown,
        None => Err(RegistryError::backend("look", "the registry takes time to answer")),
    }
}

/// As above, with every refusal as it is. None, if the registry takes time.
pub async fn look_closely(registry: &dyn Submit, call: Arc<Call>) -> Option<RegistryResult<Reply>> {
    let troubles = disk::with(disk::Disk::set_aside);
    // A read that takes time is given up: meanwhile other calls are decided, and the run would not be the one without it.
    let looking = std::pin::pin!(registry.submit(call));
    let shown = poll_once(looking).await;
    if let Some(troubles) = troubles {
        disk::with(|disk| disk.bring_back(troubles));
    }
    shown.map(|answer| answer.map(|reply| *reply))
}

/// The future's output, if one poll completes it.
pub async fn poll_once<F: Future + ?Sized>(mut future: Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|task| {
        Poll::Ready(match future.as_mut().poll(task) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await
}
