//! The request for a proof: which scopes, how many deviations, and when to stop.

use crate::prove::interval::Reduction;
use crate::prove::small_world::SmallWorld;
use crate::search::StopRule;
use crate::search::seeds::Shard;
use crate::subject::Subject;

#[derive(Clone, Copy)]
pub struct ProveRequest<'a> {
    pub subject: &'a Subject,
    pub worlds: &'a [SmallWorld],
    /// At most so many things go wrong in a run.
    pub deviations: usize,
    /// Threads.
    pub jobs: usize,
    pub shard: Shard,
    pub time_limit_us: Option<u64>,
    pub stop: StopRule,
    pub reduction: Reduction,
    /// Becomes true when somebody wants the proof to end with what it has.
    pub is_interrupted: &'a (dyn Fn() -> bool + Sync),
}

impl<'a> ProveRequest<'a> {
    /// All of it, on one thread, until the first breach.
    pub fn new(subject: &'a Subject, worlds: &'a [SmallWorld], deviations: usize) -> Self {
        Self {
            subject,
            worlds,
            deviations,
            jobs: 1,
            shard: Shard::WHOLE,
            time_limit_us: None,
            stop: StopRule::AtFirstBreach,
            reduction: Reduction::SOUND,
            is_interrupted: &|| false,
        }
    }
}
