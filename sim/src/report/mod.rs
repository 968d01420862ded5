//! What is said of searches: a breach, so that its cause can be seen (`failure`), and what was shown (`tally`, `summary`). Each
//! is a value first; `human`, `json`, `junit` and `github` are ways to write it.

pub mod failure;
pub mod github;
pub mod human;
pub mod json;
pub mod junit;
pub mod summary;
pub mod tally;
