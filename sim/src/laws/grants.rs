//! The laws of grant and write: what stands stored, worked out from what the registry itself answered, and who acted on it.
//! The clock of a judgement is the one reading the call was decided on.

use crate::history::event::{CallKind, Event, GrantNo, Kind, Wrote, disposition, refusal};
use crate::laws::{ByProcess, Case, Law};

/// The lease that must be stored for a process, by everything that was answered so far.
#[derive(Debug, Clone, Copy, Default)]
struct Stored(Option<(GrantNo, u64)>);

/// The fence of each grant, for people.
#[derive(Debug, Clone, Default)]
struct Fences(Vec<u64>);

impl Fences {
    fn follow(&mut self, event: &Event) {
        if matches!(event.kind, Kind::Granted | Kind::Reclaimed | Kind::Reentered) {
            let place = event.grant.0 as usize;
            if self.0.len() <= place {
                self.0.resize(place + 1, 0);
            }
            self.0[place] = event.b;
        }
    }

    fn name(&self, grant: GrantNo) -> String {
        match self.0.get(grant.0 as usize) {
            Some(fence) if *fence > 0 => format!("fence {fence}"),
            _ => "a grant that was never made".to_owned(),
        }
    }
}

impl Stored {
    /// Whether this grant is stored, held and unexpired at the reading.
    fn is_live(self, grant: GrantNo, now_ms: u64) -> bool {
        self.0.is_some_and(|(held, expires_ms)| held == grant && now_ms < expires_ms)
    }

    fn is_held(self, grant: GrantNo) -> bool {
        self.0.is_some_and(|(held, _)| held == grant)
    }

    fn follow(&mut self, event: &Event) {
        match event.kind {
            Kind::Granted | Kind::Reclaimed => self.0 = Some((event.grant, event.a)),
            Kind::Reentered | Kind::Renewed if self.is_held(event.grant) => {
                self.0 = Some((event.grant, event.a));
            }
            Kind::Released if self.is_held(event.grant) => self.0 = None,
            Kind::Ended | Kind::Pruned => self.0 = None,
            _ => {}
        }
    }
}

/// See its sentence.
#[derive(Default)]
pub struct OneLiveGrant {
    stored: ByProcess<Stored>,
    fences: Fences,
    case: Case,
}

impl Law for OneLiveGrant {
    fn name(&self) -> &'static str {
        "one-live-grant"
    }

    fn sentence(&self) -> &'static str {
        "a process has at most one stored grant; a new one is made only where no other is live at that call's reading, \
         or by a lawful reclaim"
    }

    fn see(&mut self, number: u64, event: &Event) {
        let stored = *self.stored.of(event.process);
        let fences = &self.fences;
        match event.kind {
            Kind::Granted => {
                self.case.meet();
                if let Some((held, expires_ms)) = stored.0
                    && event.clock < expires_ms
                {
                    self.case.breach(number, || {
                        format!(
                            "fence {} was granted while {} was live, for {} ms more",
                            event.b,
                            fences.name(held),
                            expires_ms - event.clock
                        )
                    });
                }
            }
            Kind::Reentered => {
                self.case.meet();
                if !stored.is_live(event.grant, event.clock) {
                    self.case.breach(number, || {
                        "a grant was given again to its incarnation although it was not the live one"
                            .to_owned()
                    });
                }
            }
            _ => {}
        }
        self.stored.of(event.process).follow(event);
        self.fences.follow(event);
    }

    fn case(&self) -> &Case {
        &self.case
    }
}

/// See its sentence.
#[derive(Default)]
pub struct StaleWriterRefused {
    rows: ByProcess<Row>,
    fences: Fences,
    case: Case,
}

#[derive(Default)]
struct Row {
    stored: Stored,
    is_worker_run: bool,
    ended_by: Option<GrantNo>,
}

impl Law for StaleWriterRefused {
    fn name(&self) -> &'static str {
        "stale-writer-refused"
    }

    fn sentence(&self) -> &'static str {
        "an execution-owned write takes effect only if the grant it presents is, at the reading it was decided on, the \
         stored, held, unexpired one"
    }

    fn see(&mut self, number: u64, event: &Event) {
        let fences = &self.fences;
        let row = self.rows.of(event.process);
        let what = match event.kind {
            Kind::Registered => {
                row.is_worker_run = event.a != disposition::EXTERNALLY_OWNED;
                None
            }
            Kind::Renewed => Some("a renewal"),
            Kind::Wrote if event.a == Wrote::StartedBefore as u64 => None,
            Kind::Wrote if event.a == Wrote::StartedByItself as u64 => None,
            Kind::Wrote if row.is_worker_run => Some("a write"),
            // The same grant's own completion again changes nothing.
            Kind::Ended if row.ended_by == Some(event.grant) => None,
            Kind::Ended if row.is_worker_run || event.grant.is_some() => Some("a terminal write"),
            _ => None,
        };
        if let Some(what) = what {
            self.case.meet();
            let stored = row.stored;
            if !stored.is_live(event.grant, event.clock) {
                self.case.breach(number, || {
                    let presented = match event.grant {
                        GrantNo::NONE => "no grant at all".to_owned(),
                        grant => fences.name(grant),
                    };
                    let found = match stored.0 {
                        None => "none was stored".to_owned(),
                        Some((held, expires_ms)) if held == event.grant => match event.clock - expires_ms {
                            0 => "it expired in that millisecond".to_owned(),
                            ago_ms => format!("it had expired {ago_ms} ms before"),
                        },
                        Some((held, _)) => format!("{} had taken its place", fences.name(held)),
                    };
                    format!("{what} on the strength of {presented} took effect: {found}")
                });
            }
        }
        match event.kind {
            Kind::Ended => row.ended_by = Some(event.grant),
            Kind::Pruned => row.ended_by = None,
            _ => {}
        }
        row.stored.follow(event);
        self.fences.follow(event);
    }

    fn case(&self) -> &Case {
        &self.case
    }
}

/// See its sentence.
#[derive(Default)]
pub struct LiveWriterAccepted {
    stored: ByProcess<Stored>,
    fences: Fences,
    case: Case,
}

impl Law for LiveWriterAccepted {
    fn name(&self) -> &'static str {
        "live-writer-accepted"
    }

    fn sentence(&self) -> &'static str {
        "a call whose grant is stored, held and unexpired at its reading is never answered superseded, expired or lease \
         required"
    }

    fn see(&mut self, number: u64, event: &Event) {
        if event.kind == Kind::Refused
            && event.grant.is_some()
            && matches!(event.b, refusal::SUPERSEDED | refusal::EXPIRED | refusal::LEASE_REQUIRED)
        {
            self.case.meet();
            let fences = &self.fences;
            if self.stored.of(event.process).is_live(event.grant, event.clock) {
                self.case.breach(number, || {
                    format!(
                        "`{}` under {}, which was live, was answered {}",
                        CallKind::from_code(event.a).name(),
                        fences.name(event.grant),
                        refusal::name(event.b)
                    )
                });
            }
        }
        self.stored.of(event.process).follow(event);
        self.fences.follow(event);
    }

    fn case(&self) -> &Case {
        &self.case
    }
}
