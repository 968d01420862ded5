//! The recorder stands before the registry's core: every call of every node passes it once it is to be decided, and each
//! decision is recorded in the order in which it was made, whether or not its answer arrives.

mod beliefs;
mod deciding;
mod decisions;
mod evidence;
mod judge_answers;
pub mod read_everything;
pub mod resolve_unknown;
mod store_wait;
mod submit;
mod unrecorded_read;
