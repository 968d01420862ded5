//! One call inside its atomic step: the rows it sees, the rules that decide, and the one reading of the clock.

use crate::environment::Environment;
use crate::model::error::{RegistryError, RegistryResult};
use crate::model::row::StoredProcess;
use crate::rules::Rules;
use crate::store::Rows;

/// One call inside its atomic step.
pub(super) struct AtomicStep<'a> {
    pub(super) rows: &'a mut dyn Rows,
    pub(super) rules: &'a Rules,
    pub(super) environment: &'a dyn Environment,
    pub(super) now_ms: u64,
}

impl AtomicStep<'_> {
    pub(super) fn stored_process(&mut self, process_id: &str) -> RegistryResult<StoredProcess> {
        self.rows.stored_process(process_id)?.ok_or_else(|| RegistryError::unknown(process_id))
    }

    pub(super) fn must_exist(&mut self, process_id: &str) -> RegistryResult<()> {
        if self.rows.exists(process_id)? { Ok(()) } else { Err(RegistryError::unknown(process_id)) }
    }
}
