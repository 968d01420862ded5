//! Following a search while it goes on, for progress bars.

use crate::search::result::FoundBreach;
use crate::search::tally::Tally;

/// Is told how a search goes on.
pub trait SearchWatcher {
    /// A run was added to the sums.
    fn run_added(&mut self, _: &Tally) {}
    /// A law was broken for the first time.
    fn law_broken(&mut self, _: &FoundBreach) {}
    /// All seeds are run; minimal reproducers come next.
    fn seeds_done(&mut self) {}
}

/// Watches nothing.
impl SearchWatcher for () {}
