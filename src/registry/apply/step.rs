//! One call inside its atomic step: the rows it sees, the rules that decide, and the one reading of the clock.

use crate::environment::Environment;
use crate::model::error::{RegistryError, RegistryResult};
use crate::model::row::Life;
use crate::rules::Rules;
use crate::store::Rows;

/// One call inside its atomic step.
pub(super) struct Step<'a> {
    pub(super) rows: &'a mut dyn Rows,
    pub(super) rules: &'a Rules,
    pub(super) environment: &'a dyn Environment,
    pub(super) now_ms: u64,
}

impl Step<'_> {
    pub(super) fn life(&mut self, process_id: &str) -> RegistryResult<Life> {
        self.rows.life(process_id)?.ok_or_else(|| RegistryError::unknown(process_id))
    }

    pub(super) fn must_exist(&mut self, process_id: &str) -> RegistryResult<()> {
        if self.rows.exists(process_id)? { Ok(()) } else { Err(RegistryError::unknown(process_id)) }
    }
}
