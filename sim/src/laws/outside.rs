//! The law of what stands outside: it takes effects by their fence and by nothing else. An effect sent before a loss that
//! arrives before the successor's first is lawful: nobody outside can tell.

use crate::history::event::{Event, Kind};
use crate::laws::{ByProcess, Case, Law};

/// See its sentence.
#[derive(Default)]
pub struct OutsideSeesFencesInOrder {
    rows: ByProcess<Fences>,
    case: Case,
}

#[derive(Default)]
struct Fences {
    granted: u64,
    taken: u64,
}

impl Law for OutsideSeesFencesInOrder {
    fn name(&self) -> &'static str {
        "outside-sees-fences-in-order"
    }

    fn sentence(&self) -> &'static str {
        "after the ledger saw a fence it accepts none below it; an effect with the highest fence granted so far is never \
         refused"
    }

    fn see(&mut self, number: u64, event: &Event) {
        let row = self.rows.of(event.process);
        match event.kind {
            Kind::Granted | Kind::Reclaimed => row.granted = row.granted.max(event.b),
            Kind::EffectTaken => {
                self.case.meet();
                let taken = row.taken;
                if event.a < taken {
                    self.case
                        .breach(number, || format!("fence {} was accepted after fence {taken}", event.a));
                }
                row.taken = taken.max(event.a);
            }
            Kind::EffectRefused => {
                self.case.meet();
                if event.a >= row.granted {
                    self.case.breach(number, || {
                        let granted = row.granted;
                        format!(
                            "an effect with fence {} was refused, and {granted} is the highest granted",
                            event.a
                        )
                    });
                }
            }
            _ => {}
        }
    }

    fn case(&self) -> &Case {
        &self.case
    }
}
