//! Invariants that every step relies on, asserted where it hands a row to a store. They hold whatever the rules decide.
//! A damaged file is no reason for a panic: rows that were read are checked where they are read, as typed errors.

use crate::model::row::{ProcessRow, Tenure};

/// A lease above the highest fence would let the same fence be granted twice.
pub(super) fn assert_tenure(process_id: &str, tenure: &Tenure) {
    let Some(lease) = &tenure.lease else { return };
    assert!(
        lease.process_id == process_id,
        "the lease of `{}` is written for `{process_id}`",
        lease.process_id
    );
    assert!(
        lease.fencing_token <= tenure.highest_fence,
        "the lease of `{process_id}` has fence {}, above the highest fence {}",
        lease.fencing_token,
        tenure.highest_fence
    );
}

/// A store writes the parts of a row that never change only once, so a later row must agree in them.
pub(super) fn assert_change(before: &ProcessRow, row: &ProcessRow) {
    let (before, record) = (&before.record, &row.record);
    assert!(before.id() == record.id(), "`{}` is replaced by `{}`", before.id(), record.id());
    assert!(
        before.created_at_ms == record.created_at_ms && before.registration_hash == record.registration_hash,
        "a change of `{}` rewrites when or as what it was registered",
        record.id()
    );
}

/// Readers ask for what comes after a sequence, so a log only grows at its end.
pub(super) fn assert_sequence(process_id: &str, highest: u64, sequence: u64) {
    assert!(sequence > highest, "event {sequence} of `{process_id}` comes after event {highest}");
}
