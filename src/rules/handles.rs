//! Moving handles between scopes: all of them or none.

use crate::model::error::RegistryError;
pub use crate::rules::decisions::TransferItem;

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
