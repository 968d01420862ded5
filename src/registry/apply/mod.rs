//! Carrying out calls: rules decide, a store keeps, and this joins the two. Read `registry` first, then `answer`.

mod answer;
mod arguments;
mod events;
mod footprint;
mod handles;
mod leases;
mod registry;
mod retention;
mod step;
mod writes;

pub use arguments::check_arguments;
pub use registry::Registry;
