//! A registry behind a network that loses, repeats and reorders: requests and responses as values, each call applied at
//! most once in a server's life, three outcomes. A client takes a seat with the server's present life before its first
//! call; every request names that seat, so what an earlier life may have applied is never applied again: its caller
//! hears that the outcome is unknown.

mod client;
mod messages;
mod server;

pub use client::{RemoteClient, RemoteOptions, RemoteRegistry};
pub use messages::{Request, Response, Seat, Transport, TransportError};
pub use server::RegistryServer;
