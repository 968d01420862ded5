//! Histories written by hand: a small language for them, and how a law judges one.

use fencepost::model::process::{AbandonWriter, RecoveryDisposition};
use fencepost_sim::history::event::{
    CallKind, CallResult, Context, CrashDamage, Event, EventKind, GrantNo, Licence, NO_PROCESS, Status,
    SurvivingRow, What, Witness, Write,
};
use fencepost_sim::laws::{Finding, LawResult, Laws};
use fencepost_sim::plan::Plan;

/// The grant of worker 1.
pub const ANN: GrantNo = GrantNo(0);
/// The grant of worker 2.
pub const BOB: GrantNo = GrantNo(1);
pub const NOBODY: GrantNo = GrantNo::NONE;

/// Nodes.
pub const REGISTRY: u8 = 0;
pub const HOST: u8 = 101;

/// How long a lease lasts: what is granted at 1,000 ms expires at 4,000 ms.
pub const TTL_MS: u64 = 3_000;

/// Events about process 1, in order. All happen at 1,000 ms until `at` says another time.
#[derive(Clone)]
pub struct HistoryBuilder {
    pub events: Vec<Event>,
    now_ms: u64,
}

/// Nothing yet.
pub fn history() -> HistoryBuilder {
    HistoryBuilder { events: Vec::new(), now_ms: 1_000 }
}

/// A rerunnable process that Ann holds.
pub fn running() -> HistoryBuilder {
    history().registered(RecoveryDisposition::Rerunnable).granted(ANN, 1)
}

/// An owner-bound process that Ann holds and started.
pub fn owner_bound() -> HistoryBuilder {
    history().registered(RecoveryDisposition::OwnerBound).granted(ANN, 1).wrote(ANN, Write::FirstStart)
}

impl HistoryBuilder {
    /// Sets the time of the events that follow: by the registry's clock, by every node's clock, and truly.
    pub fn at(mut self, now_ms: u64) -> Self {
        self.now_ms = now_ms;
        self
    }

    /// Any event.
    pub fn event(mut self, node: u8, grant: GrantNo, what: What) -> Self {
        let at_us = self.now_ms * 1_000;
        let is_about_nobody = matches!(what, What::Finished | What::Crashed { .. });
        let process = if is_about_nobody { NO_PROCESS } else { 1 };
        let event = |clock| Event::new(Context { at_us, clock, node, process, grant }, what);
        let event = if event(0).kind().is_decided() { event(self.now_ms) } else { event(at_us) };
        self.events.push(event);
        self
    }

    /// An event at the worker that this grant was made to.
    pub fn by(self, grant: GrantNo, what: What) -> Self {
        let node = u8::try_from(grant.0).expect("Ann's or Bob's") + 1;
        self.event(node, grant, what)
    }

    /// An event at a host, which holds no grant.
    pub fn at_host(self, what: What) -> Self {
        self.event(HOST, NOBODY, what)
    }

    /// An event at the registry's node that is about no grant.
    pub fn at_registry(self, what: What) -> Self {
        self.event(REGISTRY, NOBODY, what)
    }

    pub fn registered(self, disposition: RecoveryDisposition) -> Self {
        self.at_host(What::Registered { disposition, is_new: true })
    }

    /// A claim is about to be decided, of an incarnation that had this grant before.
    pub fn claims(self, node: u8, had: GrantNo) -> Self {
        self.event(node, had, What::Claims { asked_ms: TTL_MS })
    }

    pub fn granted(self, grant: GrantNo, fence: u64) -> Self {
        let expires_ms = self.now_ms + TTL_MS;
        self.by(grant, What::Granted { expires_ms, fence })
    }

    pub fn believed(self, grant: GrantNo, holds: bool) -> Self {
        self.by(grant, What::Believed { holds })
    }

    pub fn reentered(self, grant: GrantNo, expires_ms: u64) -> Self {
        self.by(grant, What::Reentered { expires_ms, fence: 1 })
    }

    pub fn renewed(self, grant: GrantNo) -> Self {
        let expires_ms = self.now_ms + TTL_MS;
        self.by(grant, What::Renewed { expires_ms, asked_ms: TTL_MS })
    }

    pub fn renewed_until(self, grant: GrantNo, expires_ms: u64, asked_ms: u64) -> Self {
        self.by(grant, What::Renewed { expires_ms, asked_ms })
    }

    pub fn released(self, grant: GrantNo) -> Self {
        self.by(grant, What::Released)
    }

    pub fn wrote(self, grant: GrantNo, write: Write) -> Self {
        self.by(grant, What::Wrote { write })
    }

    pub fn ended(self, grant: GrantNo, output: u64) -> Self {
        self.by(grant, What::Ended { status: Status::Completed, output })
    }

    pub fn refused(self, grant: GrantNo, call: CallKind, why: CallResult) -> Self {
        self.by(grant, What::Refused { call, why })
    }

    /// A host asks for something.
    pub fn asked(self, write: Write) -> Self {
        self.at_host(What::Asked { write })
    }

    pub fn pruned(self) -> Self {
        self.at_host(What::Pruned)
    }

    /// The life of the process ends and is pruned, and another begins.
    pub fn reborn(self) -> Self {
        self.ended(ANN, 7).pruned().registered(RecoveryDisposition::Rerunnable)
    }

    /// Bob gives the process up.
    pub fn given_up(self, writer: AbandonWriter, licence: Licence) -> Self {
        self.by(BOB, What::GivesUp { writer, licence })
            .by(BOB, What::Ended { status: Status::Abandoned, output: 9 })
    }

    /// A call of worker 1, sent and answered at once.
    pub fn called(self, grant: GrantNo, call: CallKind, number: u64, result: CallResult) -> Self {
        let presented = if call == CallKind::Claim { NOBODY } else { grant };
        self.event(1, presented, What::Sent { call, number }).event(
            1,
            grant,
            What::Heard { call, result, number },
        )
    }

    /// A decision of a node begins; other calls may come before it ends. No node here has two at once.
    pub fn span_began(self, node: u8, grant: GrantNo, kind: CallKind) -> Self {
        self.event(node, grant, What::SpanBegan { call: u64::from(node), kind })
    }

    /// It ends: its first reading of the clock was this.
    pub fn span_ended(self, node: u8, grant: GrantNo, first_ms: u64) -> Self {
        self.event(node, grant, What::SpanEnded { call: u64::from(node), first_ms })
    }

    /// A prune begins to take time, or is over.
    pub fn pruning(mut self, begins: bool) -> Self {
        let (call, at_us) = (99, self.now_ms * 1_000);
        let what = match begins {
            true => What::SpanBegan { call, kind: CallKind::Prune },
            false => What::SpanEnded { call, first_ms: self.now_ms },
        };
        let (clock, node, process, grant) = (self.now_ms, HOST, NO_PROCESS, NOBODY);
        self.events.push(Event::new(Context { at_us, clock, node, process, grant }, what));
        self
    }

    /// The registry dies, and its decisions that go on with it.
    pub fn registry_crashed(self) -> Self {
        self.at_registry(What::Crashed { life: 1, damage: CrashDamage::default() })
    }

    /// A read shows the process running, and this lease.
    pub fn seen(self, grant: GrantNo, expires_ms: u64) -> Self {
        let shown = self.at_registry(What::Showed { status: Status::Running, output: 0 });
        shown.event(REGISTRY, grant, What::LeaseShown { expires_ms })
    }

    /// The run is over.
    pub fn finished(self) -> Self {
        self.event(REGISTRY, NOBODY, What::Finished)
    }

    pub fn body_began(self, grant: GrantNo, fence: u64) -> Self {
        self.by(grant, What::BodyBegan { fence })
    }

    /// A read of the log from after a cursor, that shows the events up to `last`.
    pub fn log(self, after: u64, last: u64) -> Self {
        let read = self.log_read(after, last - after);
        (after + 1..=last).fold(read, |history, sequence| history.log_shown(sequence, sequence * 10))
    }

    pub fn log_read(self, after: u64, events: u64) -> Self {
        self.by(ANN, What::LogRead { after, events })
    }

    pub fn log_shown(self, sequence: u64, event: u64) -> Self {
        self.by(ANN, What::LogShown { sequence, event })
    }

    pub fn appended(self, sequence: u64, replay_key: u64) -> Self {
        self.by(ANN, What::Appended { sequence, replay_key })
    }

    /// The store was opened again and shows this row, with so many events.
    pub fn shows_row(self, row: SurvivingRow, last_sequence: u64) -> Self {
        self.at_registry(What::Survived { row, last_sequence })
    }

    /// Beside the row: the stored lease and the hash of the output.
    pub fn shows_lease(self, grant: GrantNo, expires_ms: u64, output: u64) -> Self {
        self.event(REGISTRY, grant, What::SurvivedLease { expires_ms, output })
    }
}

/// The row of a running process that was registered and nothing else.
pub const REGISTERED_ROW: SurvivingRow = row_of(Status::Running);

pub const fn row_of(status: Status) -> SurvivingRow {
    SurvivingRow::Known {
        status,
        is_started: false,
        is_waiting: false,
        is_abandon_requested: false,
        is_torn: false,
    }
}

/// All laws, after they saw the history.
pub fn judged(history: &HistoryBuilder) -> Laws {
    let mut laws = Laws::new(&Plan { ttl_ms: TTL_MS, ..Plan::quiet(0) });
    history.events.iter().for_each(|event| laws.see(event));
    laws
}

pub fn result_of<'a>(laws: &'a Laws, name: &str) -> LawResult<'a> {
    let law = laws.all().into_iter().find(|law| law.name() == name);
    law.unwrap_or_else(|| panic!("no law is named {name}"))
}

/// The number of the event that breaks the law, if one does. The law must have met its situation.
pub fn broken_at(law: &str, history: &HistoryBuilder) -> Option<u64> {
    let laws = judged(history);
    let result = result_of(&laws, law);
    assert!(result.checked() > 0, "{law} did not meet its situation");
    match result.finding() {
        Finding::Broken { at, .. } => Some(at),
        Finding::Holds => None,
        Finding::Undecided { because } => panic!("{law} is undecided: {because}"),
    }
}

/// A history that a law accepts, and its twin that the law rejects at its last event.
pub struct Case {
    pub sentence: &'static str,
    pub lawful: HistoryBuilder,
    pub unlawful: HistoryBuilder,
}

pub fn case(sentence: &'static str, lawful: HistoryBuilder, unlawful: HistoryBuilder) -> Case {
    Case { sentence, lawful, unlawful }
}

/// The law accepts each lawful history, and finds each unlawful one broken at its last event, or at the last but one where
/// only the end of the run tells.
pub fn check(law: &str, cases: &[Case]) {
    for Case { sentence, lawful, unlawful } in cases {
        assert_eq!(broken_at(law, lawful), None, "{sentence}: {law} rejects the lawful history");
        let last = unlawful.events.len() as u64 - 1;
        let is_told_by_the_end = unlawful.events.last().map(Event::kind) == Some(EventKind::Finished);
        let found = broken_at(law, unlawful);
        if is_told_by_the_end && found == Some(last - 1) {
            continue;
        }
        assert_eq!(found, Some(last), "{sentence}: {law} accepts the unlawful history");
    }
}
