//! Everything that a running world knows, as plain state. What happens in it is in the files beside this folder.

pub mod answer_judge;
mod current;
pub mod due;
pub mod exchanges;
pub mod grants;
pub mod ledger;
pub mod liveness;
pub mod network;
pub mod nodes;
pub mod records;
pub mod rows;
pub mod services;
pub mod store_faults;
pub mod store_traffic;
pub mod traffic;
pub mod unknown_call;
mod world;

pub use current::{enter, leave, try_with, with};
pub use world::World;
