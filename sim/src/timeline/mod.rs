//! Histories, drawn.

pub mod text;
