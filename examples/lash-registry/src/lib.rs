//! Published releases of lash-core's process registry under fencepost's harness. Read `adapter.rs` (one arm a method),
//! `gates.rs` (what upstream does not check), `shapes.rs` (one shape as the other) and `subjects.rs` (what is put to the
//! test, and what it claims).

mod adapter;
#[cfg(feature = "clock")]
mod clock;
mod gates;
#[cfg(feature = "opposite")]
mod opposite;
mod shapes;
mod subjects;

#[cfg(feature = "opposite")]
pub use opposite::Opposite;
pub use subjects::subjects;
