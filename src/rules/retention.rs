//! What is forgotten, and what never is. A new life of a pruned id must not repeat a fence: an old writer of the old
//! life may still be out there, and outside only the fence tells the two apart.

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
