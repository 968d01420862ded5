//! Values of the options of `live`.

use crate::cli::values::number;
use crate::live::LiveStore;
use crate::planted;
use crate::support::unknown_name::unknown;

pub fn live_store(text: &str) -> Result<LiveStore, String> {
    match text {
        "sqlite" => Ok(LiveStore::Sqlite),
        "postgres" => Ok(LiveStore::OwnPostgres),
        url if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
            Ok(LiveStore::Postgres(url.to_owned()))
        }
        // It may be a URL with a password.
        _ => Err("this is no store of a live run: say sqlite, postgres, or postgres://user:password@127.0.0.1:port/database".to_owned()),
    }
}

pub fn live_nodes(text: &str) -> Result<u8, String> {
    number(text, 1..=32, "number of processes")
}

pub fn live_bug(text: &str) -> Result<&'static str, String> {
    let names: Vec<&str> = planted::live::ALL.iter().map(|bug| bug.name).collect();
    planted::live::by_name(text).map(|bug| bug.name).ok_or_else(|| unknown("bug of a live run", text, &names))
}
