//! A node's clock in the shape of upstream's, for releases that take one.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use fencepost::environment::Environment;

pub struct NodeClock(pub Arc<dyn Environment>);

impl fmt::Debug for NodeClock {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("NodeClock")
    }
}

#[async_trait]
impl lash_core::Clock for NodeClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "an `Instant` has no other source; in a run it is the simulation's"
    )]
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn timestamp_ms(&self) -> u64 {
        self.0.now_epoch_ms()
    }

    fn timestamp_rfc3339(&self) -> String {
        self.timestamp_datetime().to_rfc3339()
    }

    fn timestamp_datetime(&self) -> DateTime<Utc> {
        let now_ms = i64::try_from(self.timestamp_ms()).unwrap_or(i64::MAX);
        DateTime::from_timestamp_millis(now_ms).unwrap_or_default()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.sleep(duration).await;
    }

    async fn sleep_until(&self, deadline: Instant) {
        self.0.sleep(deadline.saturating_duration_since(self.now())).await;
    }
}
