//! Search results as plain data (`failure`, `summary`), and the writers for each format (`human`, `json`, `junit`, `github`);
//! `proof` writes what a proof has shown, in all of them; `live` tells of
//! live runs. `fit` and `colours` are for terminals.

pub mod colours;
pub mod failure;
pub mod fit;
pub mod format;
pub mod github;
pub mod human;
pub mod json;
pub mod junit;
pub mod live;
pub mod proof;
pub mod summary;
