//! A step: one line of a plan. It says at which instant something happens, and what: `350ms pause worker-1 for 400ms`.
//! Work and faults alike are steps, so that one shrinker shrinks both.

use std::fmt;

pub use crate::plan::body::Body;
pub use crate::plan::method::Method;
pub use crate::plan::names::{Link, Scope};
pub use crate::plan::simulation::{DiskFault, Forgery, MessageFault, StaleCallKind, StoreFailure, StoreWait};
pub use crate::plan::span::Span;
pub use crate::plan::step_kind::Action;
use crate::plan::words::Ms;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// In true time, since the beginning.
    pub at_ms: u64,
    pub action: Action,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Ms(self.at_ms), self.action)
    }
}
