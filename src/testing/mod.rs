//! For tests of this crate and of anyone's registry: an environment that is turned by hand, the conformance suite, and a
//! reference model to hold answers against, and a Postgres server to run the Postgres store on.

mod block_on;
pub mod conformance;
pub mod manual_environment;
#[cfg(feature = "postgres")]
pub mod postgres_server;
pub mod reference_model;

pub use block_on::block_on;
