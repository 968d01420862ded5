//! Why a text is no plan, or a plan cannot be run, and where.

use crate::plan::header::FORMAT;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("line {line}, column {column}: {why}")]
    NotAPlan { line: usize, column: usize, why: String },
    #[error(
        "the plan is of format {found}, and this build reads format {FORMAT}: use the build that wrote it, or a newer one"
    )]
    AnotherFormat { found: i64 },
    #[error("the plan cannot be run: {why}")]
    Impossible { why: String },
    /// As above, because of the step at this place.
    #[error("the plan cannot be run: {why}")]
    ImpossibleStep { place: usize, why: String },
}
