//! The law of fences: what was once granted is never granted again, nor anything below it.

use super::{Breach, ByProcess, Finding, Law};
use crate::event::{Event, GrantNo, Kind};

/// See its sentence.
#[derive(Default)]
pub struct FencesOnlyGrow {
    highest: ByProcess<Option<(u64, GrantNo)>>,
    checked: u64,
    breach: Breach,
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
        self.checked += 1;
        if let Some((fence, grant)) = *highest
            && event.b <= fence
        {
            self.breach.note(number, || {
                format!("fence {} was granted after grant {} already had fence {fence}", event.b, grant.0)
            });
        }
        let above = highest.is_none_or(|(fence, _)| event.b > fence);
        if above {
            *highest = Some((event.b, event.grant));
        }
    }

    fn finding(&self) -> Finding {
        self.breach.finding()
    }

    fn checked(&self) -> u64 {
        self.checked
    }
}
