//! The law of fences: what was once granted is never granted again, nor anything below it.

use crate::history::event::{Event, Kind};
use crate::laws::{ByProcess, Case, Law};

/// See its sentence.
#[derive(Default)]
pub struct FencesOnlyGrow {
    highest: ByProcess<Option<u64>>,
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
        if let Some(fence) = *highest
            && event.b <= fence
        {
            self.case.breach(number, || match event.b == fence {
                true => format!("fence {fence} was granted a second time"),
                false => format!("fence {} was granted after fence {fence} had been", event.b),
            });
        }
        *highest = (*highest).max(Some(event.b));
    }

    fn case(&self) -> &Case {
        &self.case
    }
}
