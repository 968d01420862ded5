//! Histories, drawn. As text in `text.rs` and, in few lines, in `abridged.rs`; as one page for a browser in `html.rs`. The
//! other files work out from the events what lasts: what the store held, what workers believed, which bodies ran, which
//! call is which decision's and which came to nothing.

mod beliefs;
mod bodies;
mod calls;
mod cause;
mod clocks;
mod data;
pub mod excerpt;
pub mod head;
pub mod html;
mod leases;
mod marks;
pub mod snapshot;
pub mod text;
mod unanswered;
