//! Work: everything that a plan asks hosts and workers to do. A new kind is a file here and its two lines below.

pub mod abandon;
pub mod ask;
pub mod await_at_registry;
pub mod await_end;
pub mod cancel;
pub mod drain;
pub mod grant_handle;
pub mod prune;
pub mod read_wakes;
pub mod register;
pub mod signal;
pub mod sweep;
pub mod transfer_handles;

use crate::plan::kind_entry::Kind;

/// In the order in which they are listed to people.
pub const WORK: &[Kind] = &[
    Kind::of::<register::Register>(),
    Kind::of::<cancel::Cancel>(),
    Kind::of::<signal::Signal>(),
    Kind::of::<abandon::Abandon>(),
    Kind::of::<await_end::AwaitEnd>(),
    Kind::of::<await_at_registry::AwaitAtRegistry>(),
    Kind::of::<prune::Prune>(),
    Kind::of::<grant_handle::GrantHandle>(),
    Kind::of::<transfer_handles::TransferHandles>(),
    Kind::of::<read_wakes::ReadWakes>(),
    Kind::of::<ask::Ask>(),
    Kind::of::<sweep::Sweep>(),
    Kind::of::<drain::Drain>(),
];
