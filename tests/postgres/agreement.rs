//! Memory, SQLite, Postgres and the model agree after every call. `FENCEPOST_AGREEMENT_CASES` says for how many lists of
//! random calls; 256 of them meet every situation.

#[path = "../agreement/mod.rs"]
mod stores;

use std::cell::RefCell;

use crate::LentSchema;

#[test]
fn memory_sqlite_postgres_and_the_model_agree_after_every_call() {
    let Some(server) = crate::server() else { return };
    let cases = std::env::var("FENCEPOST_AGREEMENT_CASES").ok().and_then(|cases| cases.parse().ok());
    let lent = RefCell::new(None);
    stores::agree(cases.unwrap_or(8), |environment| {
        // Given back before it is lent again, so that one schema serves all cases.
        drop(lent.borrow_mut().take());
        let schema = LentSchema::new(server);
        let registry = crate::registry_by_hand(server, &schema.0, environment);
        *lent.borrow_mut() = Some(schema);
        Some(registry)
    });
}
