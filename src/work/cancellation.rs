//! A request to stop, seen by everyone who looks at it or waits for it. Clones are the same request; it cannot be taken
//! back.

use crate::work::latch::Latch;

#[derive(Debug, Clone)]
pub struct CancellationToken {
    is_cancelled: Latch<()>,
}

impl CancellationToken {
    pub fn new() -> Self {
        Self { is_cancelled: Latch::new() }
    }

    pub fn cancel(&self) {
        self.is_cancelled.set(());
    }

    pub fn is_cancelled(&self) -> bool {
        self.is_cancelled.get().is_some()
    }

    /// Waits until somebody cancels; at once, if somebody has.
    pub async fn cancelled(&self) {
        self.is_cancelled.wait().await;
    }
}

impl Default for CancellationToken {
    fn default() -> Self {
        Self::new()
    }
}
