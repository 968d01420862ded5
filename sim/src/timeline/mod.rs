//! Drawings of histories: as text in `text.rs`, as a few lines of that in `excerpt.rs`, as one page for a browser in `html.rs`,
//! and the state at one event in `snapshot.rs`. The other files work out from the events all that lasts: the leases in the
//! store, the beliefs of workers, the bodies that ran, the calls and their answers, the clocks.

mod beliefs;
mod bodies;
mod calls;
mod cause;
mod clocks;
mod data;
pub mod excerpt;
mod glyphs;
pub mod html;
pub mod incarnations;
mod leases;
pub mod page_head;
pub mod snapshot;
#[cfg(test)]
mod test_events;
pub mod text;
mod unanswered;
