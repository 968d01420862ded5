//! How reasons name a grant: by its fence.

use crate::history::event::{Event, GrantNo, What};
use crate::laws::state::by_grant::ByGrant;

/// The fence of each grant that was made so far.
#[derive(Debug, Clone, Default)]
pub struct FenceNames(ByGrant<u64>);

impl FenceNames {
    pub fn follow(&mut self, event: &Event, what: What) {
        if let What::Granted { fence, .. } | What::Reclaimed { fence, .. } | What::Reentered { fence, .. } =
            what
        {
            *self.0.of(event.grant) = fence;
        }
    }

    pub fn name(&self, grant: GrantNo) -> String {
        match self.0.get(grant) {
            Some(fence) if *fence > 0 => format!("fence {fence}"),
            _ => "a grant that was never made".to_owned(),
        }
    }
}
