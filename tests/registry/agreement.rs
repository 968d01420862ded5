//! Memory, SQLite and the model agree after every call.

#[path = "../agreement/mod.rs"]
mod stores;

#[test]
fn memory_and_sqlite_and_the_model_agree_after_every_call() {
    stores::agree(256, |_| None);
}
