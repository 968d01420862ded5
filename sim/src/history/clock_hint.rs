//! A hint for authors of registries: leases that end at times which their environment never said.

use crate::history::History;
use crate::history::event::What;

const DAY_MS: u64 = 86_400_000;

impl History {
    /// One sentence, if a lease was granted whose expiry is a day or more away from the registry's clock and the length that was
    /// asked for. No fault moves a clock that far: the registry took the time from elsewhere.
    pub fn clock_hint(&self) -> Option<String> {
        let mut asked_ms = 0;
        self.events.iter().find_map(|event| {
            let expires_ms = match event.what() {
                What::Claims { asked_ms: asked } => {
                    asked_ms = asked;
                    return None;
                }
                What::Granted { expires_ms, .. } => expires_ms,
                _ => return None,
            };
            let days = expires_ms.abs_diff(event.clock.saturating_add(asked_ms)) / DAY_MS;
            (days > 0).then(|| {
                format!(
                    "its leases end {days} days away from its environment's time: take the time from the environment it was opened \
                     with, or poll its calls under fencepost_sim::with_std_clock"
                )
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::event::{Context, Event, GrantNo};
    use crate::plan::Plan;

    fn hint_of(asked_ms: u64, expires_ms: u64) -> Option<String> {
        let event = |what| {
            Event::new(Context { at_us: 1, clock: 1_000, node: 1, process: 1, grant: GrantNo(0) }, what)
        };
        let events = vec![event(What::Claims { asked_ms }), event(What::Granted { expires_ms, fence: 1 })];
        History { plan: Plan::quiet(1), grants: Vec::new(), events, notes: Vec::new() }.clock_hint()
    }

    #[test]
    fn a_lease_that_ends_by_another_clock_is_told_and_one_that_was_asked_to_be_long_is_not() {
        assert_eq!(hint_of(3_000, 4_000), None);
        assert_eq!(hint_of(u64::MAX, u64::MAX), None);
        let told = hint_of(3_000, 4_000 + 3 * DAY_MS).unwrap();
        assert!(told.contains("3 days") && told.contains("with_std_clock"), "{told}");
    }
}
