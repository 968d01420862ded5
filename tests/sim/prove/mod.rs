//! Proving scopes: does the reduction leave nothing out, is the digest the same whichever way it is made, do the scopes hold,
//! and are planted bugs found?

mod command;
mod digests;
mod naive;
mod reduction;
mod scopes;
