//! Histories, drawn. As text in `text.rs`, as one page for a browser in `html.rs`; the other files work out from the events
//! what lasts: what the store held, what workers believed, which bodies ran, which call is which decision's.

mod beliefs;
mod bodies;
mod calls;
mod cause;
mod clocks;
mod data;
pub mod head;
pub mod html;
mod leases;
mod marks;
pub mod moment;
pub mod text;
