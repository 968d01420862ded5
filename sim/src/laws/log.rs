//! The laws of the log: dense, unchanging, and one event per replay key.

use std::collections::BTreeMap;

use crate::history::event::{Event, Kind};
use crate::laws::{ByProcess, Case, Law};

/// See its sentence.
#[derive(Default)]
pub struct LogIsDense {
    rows: ByProcess<Log>,
    case: Case,
}

#[derive(Default)]
struct Log {
    /// Hashes of the events of this life that were shown, by sequence.
    shown: BTreeMap<u64, u64>,
    /// The sequence before the life's first, once a read showed it.
    before_first: Option<u64>,
    /// What the read that is being shown must show next.
    next: Option<u64>,
    after: u64,
}

impl Law for LogIsDense {
    fn name(&self) -> &'static str {
        "log-is-dense"
    }

    fn sentence(&self) -> &'static str {
        "within a life sequences are dense and in order, and an event never changes once read"
    }

    fn see(&mut self, number: u64, event: &Event) {
        let log = self.rows.of(event.process);
        match event.kind {
            Kind::Pruned => *log = Log::default(),
            Kind::LogRead => {
                log.after = event.a;
                log.next = log.before_first.map(|before| before.max(event.a) + 1);
            }
            Kind::LogShown => {
                self.case.meet();
                // A life's first event follows what earlier lives had. A read shows where, unless its cursor is beyond.
                if log.before_first.is_none() && (log.after == 0 || event.a > log.after + 1) {
                    log.before_first = Some(event.a.saturating_sub(1));
                }
                let next = log.next.unwrap_or(event.a);
                if event.a != next {
                    self.case.breach(number, || {
                        format!("a read of the log showed event {} where event {next} belongs", event.a)
                    });
                }
                log.next = Some(event.a + 1);
                let known = *log.shown.entry(event.a).or_insert(event.b);
                if known != event.b {
                    self.case.breach(number, || {
                        format!("event {} is not what it was when it was read before", event.a)
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

/// See its sentence.
#[derive(Default)]
pub struct ReplayKeyIsOneEvent {
    keys: ByProcess<BTreeMap<u64, u64>>,
    case: Case,
}

impl Law for ReplayKeyIsOneEvent {
    fn name(&self) -> &'static str {
        "replay-key-is-one-event"
    }

    fn sentence(&self) -> &'static str {
        "within a life one replay key is one event"
    }

    fn see(&mut self, number: u64, event: &Event) {
        let keys = self.keys.of(event.process);
        match event.kind {
            Kind::Pruned => keys.clear(),
            Kind::Appended if event.b != 0 => {
                self.case.meet();
                let first = *keys.entry(event.b).or_insert(event.a);
                if first != event.a {
                    self.case.breach(number, || {
                        format!("a replay key that was event {first} was stored again, as event {}", event.a)
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
