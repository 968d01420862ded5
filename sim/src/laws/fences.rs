//! The law of fences: what was once granted is never granted again, nor anything below it.

use super::{ByProcess, Case, Law};
use crate::event::{Event, GrantNo, Kind};

/// See its sentence.
#[derive(Default)]
pub struct FencesOnlyGrow {
    highest: ByProcess<Option<(u64, GrantNo)>>,
    case: Case,
}

impl Law for FencesOnlyGrow {
    fn name(&self) -> &'static str {
        "fences-only-grow"
    }

    fn sentence(&self) -> &'static str {
        "every new grant of an id has a fence above all earlier ones, through release, expiry, crash, prune and new lives"
    }

    fn see(&mut self, number: u64, event: &Event) {
        let highest = self.highest.of(event.process);
        if event.kind == Kind::Reentered {
            return;
        }
        self.case.meet();
        if let Some((fence, grant)) = *highest
            && event.b <= fence
        {
            self.case.breach(number, || {
                format!("fence {} was granted after grant {} already had fence {fence}", event.b, grant.0)
            });
        }
        let above = highest.is_none_or(|(fence, _)| event.b > fence);
        if above {
            *highest = Some((event.b, event.grant));
        }
    }

    fn case(&self) -> &Case {
        &self.case
    }
}
