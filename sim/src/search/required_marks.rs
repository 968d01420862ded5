//! Which coverage marks a search must reach.

use crate::coverage::Mark;

/// The coverage marks that a search must reach, or else it is inconclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RequiredMarks<'a> {
    /// Those that a search of its size must reach.
    #[default]
    BySize,
    /// These, whatever its size.
    Exactly(&'a [Mark]),
}
