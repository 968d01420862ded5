//! A wish to stop, that reaches whoever looks at it or waits for it. Clones are the same wish; once made it stays.

use tokio::sync::watch;

#[derive(Debug, Clone)]
pub struct CancellationToken {
    is_cancelled: watch::Sender<bool>,
}

impl CancellationToken {
    pub fn new() -> Self {
        Self { is_cancelled: watch::Sender::new(false) }
    }

    pub fn cancel(&self) {
        self.is_cancelled.send_replace(true);
    }

    pub fn is_cancelled(&self) -> bool {
        *self.is_cancelled.borrow()
    }

    /// Waits until somebody cancels; at once, if somebody has.
    pub async fn cancelled(&self) {
        let mut wish = self.is_cancelled.subscribe();
        // The sender is `self`, which outlives the wait.
        drop(wish.wait_for(|is_cancelled| *is_cancelled).await);
    }
}

impl Default for CancellationToken {
    fn default() -> Self {
        Self::new()
    }
}
