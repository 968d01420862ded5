//! For tests of this crate and of anyone's registry: an environment that is turned by hand, and the conformance suite.

mod block_on;
pub mod conformance;
pub mod manual_environment;

pub use block_on::block_on;
