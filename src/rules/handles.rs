//! Moving handles between scopes: all of them or none.

use crate::model::error::RegistryError;
use crate::model::handle::ProcessHandleDescriptor;
use crate::model::process::ProcessId;

/// One id that a transfer names, and what the scope holds of it.
#[derive(Debug, Clone, PartialEq)]
pub struct TransferItem {
    pub process_id: ProcessId,
    pub is_known: bool,
    pub held: Option<ProcessHandleDescriptor>,
}

/// Refuses the whole transfer for the first id that cannot move.
pub fn transfer(from_scope_id: &str, items: &[TransferItem]) -> Result<(), RegistryError> {
    if let Some(unknown) = items.iter().find(|item| !item.is_known) {
        return Err(RegistryError::unknown(&unknown.process_id));
    }
    match items.iter().find(|item| item.held.is_none()) {
        None => Ok(()),
        Some(missing) => Err(RegistryError::HandleMissing {
            scope_id: from_scope_id.to_owned(),
            process_id: missing.process_id.clone(),
        }),
    }
}
