//! Search results as plain data (`failure`, `summary`), and the writers for each format (`human`, `json`, `junit`, `github`,
//! `index_page`); `proof` writes what a proof has shown, in all of them, and `live` what a live run has. `fit` and `colours` are for
//! terminals.

pub mod colours;
pub mod failure;
pub mod fit;
pub mod format;
pub mod github;
pub mod human;
pub mod index_page;
pub mod json;
pub mod junit;
#[cfg(feature = "live")]
pub mod live;
pub mod proof;
pub mod summary;
