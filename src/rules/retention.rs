//! The rows that a prune removes, and the numbers that survive it. A new registration of a pruned id must not repeat a
//! fence: a writer of the old one may still be alive, and effects outside the registry are told apart by the fence
//! alone.

use crate::model::row::HighWater;

/// The last `updated_at_ms` that a prune takes, of ended rows. The cutoff is exclusive, but the end of time is
/// everything.
pub fn prune_through(cutoff_ms: u64) -> Option<u64> {
    match cutoff_ms {
        u64::MAX => Some(u64::MAX),
        _ => cutoff_ms.checked_sub(1),
    }
}

pub fn survives_prune(reached: HighWater) -> HighWater {
    reached
}

#[cfg(test)]
mod tests {
    use super::prune_through;

    #[test]
    fn a_cutoff_is_exclusive_and_the_end_of_time_is_everything() {
        assert_eq!(prune_through(0), None);
        assert_eq!(prune_through(1), Some(0));
        assert_eq!(prune_through(u64::MAX - 1), Some(u64::MAX - 2));
        assert_eq!(prune_through(u64::MAX), Some(u64::MAX));
    }
}
