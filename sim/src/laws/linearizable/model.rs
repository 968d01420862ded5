//! A plain model of one process: what a registry must answer to each call. It knows what a call presents and what was answered
//! before; it is a second telling of the registry's rules and shares no code with them.

use fencepost::model::process::RecoveryDisposition;

use crate::history::event::{CallKind, CallResult, GrantNo, Status, SurvivingRow, What, Write};
use crate::laws::law::unheard;
use crate::laws::state::stored_lease::Lease;

/// A process as calls see it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ProcessModel {
    pub is_known: bool,
    /// Its registration died with the registry after it was made: no answer has told of it so far.
    pub is_unheard_of: bool,
    pub disposition: RecoveryDisposition,
    pub end: Option<ProcessEnd>,
    pub lease: Option<Lease>,
    pub started_by: Option<GrantNo>,
    /// The highest sequence that an append was answered with.
    pub last_sequence: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ProcessEnd {
    pub status: Status,
    pub output: u64,
    /// The grant that ended it.
    pub by: GrantNo,
}

/// A decision, with everything that is known of its call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decision {
    pub what: What,
    pub grant: GrantNo,
    /// The readings of the registry's clock when it began and when it ended.
    pub from_ms: u64,
    pub to_ms: u64,
    /// The last reading that it took itself.
    pub read_ms: u64,
    /// The sequence that an append was answered with.
    pub sequence: Option<u64>,
    /// The last grant of its incarnation, if it is a claim.
    pub claims: GrantNo,
    /// The hash of its output, if it is a completion.
    pub output: Option<u64>,
    /// Set for a reclaim.
    pub observed: Option<ReclaimEvidence>,
    /// The kind of call, if it is a write that presents no lease.
    pub unfenced: Option<CallKind>,
    pub left_open: LeftOpen,
}

/// Claims that a subject does not make.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LeftOpen {
    /// An extended lease may be shorter than it was.
    pub may_shorten: bool,
    /// The sequences of a pruned id may start again.
    pub prune_forgets_sequences: bool,
}

/// The grant that a reclaim observed, and what is known of its holder.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReclaimEvidence {
    pub grant: GrantNo,
    pub is_dead: bool,
    pub do_probes_lie: bool,
}

impl Decision {
    fn took_time(&self) -> bool {
        self.from_ms != self.to_ms
    }
}

impl Default for ProcessModel {
    /// A process that nobody registered. Its disposition matters only if a store shows it all the same.
    fn default() -> Self {
        let disposition = RecoveryDisposition::Rerunnable;
        Self {
            is_known: false,
            is_unheard_of: false,
            disposition,
            end: None,
            lease: None,
            started_by: None,
            last_sequence: 0,
        }
    }
}

fn must(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}

impl ProcessModel {
    /// The model after the decision, if it is one that the model could have made at this reading; or why not.
    pub fn step(&self, decision: &Decision, now_ms: u64) -> Result<Self, String> {
        let mut next = self.clone();
        if let Some(sequence) = decision.sequence {
            must(sequence > self.last_sequence, "an append was answered with a sequence that was there; right: a higher one")?;
            next.last_sequence = sequence;
        }
        match decision.what {
            What::Registered { disposition, is_new } => {
                must(
                    is_new != self.is_known || is_new && self.is_unheard_of,
                    "a registration was answered as new, or as made before, and it was not so; right: the opposite",
                )?;
                next.is_unheard_of = false;
                if !self.is_known {
                    next = Self { is_known: true, disposition, ..self.emptied(decision.left_open) };
                } else {
                    must(disposition == self.disposition, "a registration was answered with another disposition than the stored one; right: the stored one")?;
                }
            }
            What::Granted { expires_ms, .. }
            | What::Reclaimed { expires_ms, .. }
            | What::Reentered { expires_ms, .. } => {
                self.claimed(decision, now_ms)?;
                next.lease = Some(Lease { grant: decision.grant, expires_ms });
            }
            What::Busy => self.claimed(decision, now_ms)?,
            What::Renewed { expires_ms, .. } => {
                self.may_act(decision.grant, now_ms, "renewal")?;
                let before_ms = self.lease.map_or(0, |lease| lease.expires_ms);
                must(decision.left_open.may_shorten || expires_ms >= before_ms, "a renewal made the lease shorter; right: it ends no earlier than before")?;
                next.lease = Some(Lease { grant: decision.grant, expires_ms });
            }
            What::Released => next.lease = self.lease.filter(|lease| lease.grant != decision.grant),
            What::Wrote { write } => {
                self.wrote(decision, write, now_ms)?;
                if write == Write::FirstStart {
                    next.started_by = Some(decision.grant);
                }
            }
            What::Ended { status, output } => {
                let end = ProcessEnd { status, output, by: decision.grant };
                if !self.ended(decision, end, now_ms)? {
                    next.end = Some(end);
                    next.lease = None;
                }
            }
            What::Asked { write } => self.asked(write)?,
            What::Showed { status, output } => {
                must(self.is_known, "a read showed a process that nobody had registered; right: nothing")?;
                let end = self.end.map_or((Status::Running, 0), |end| (end.status, end.output));
                must((status, output) == end, "a read showed another status or outcome than the stored one; right: the stored one")?;
            }
            What::LeaseShown { expires_ms } => {
                let shown = decision.grant.is_some().then_some(Lease { grant: decision.grant, expires_ms });
                must(shown == self.lease, "a read showed another lease than the stored one; right: the stored one")?;
            }
            What::Refused { call, why } => self.refused(decision, call, why, now_ms)?,
            What::Pruned => {
                // One that a prune may have taken is not there already.
                must(self.end.is_some() || !self.is_known, "a prune took a process that had not ended; right: it stays")?;
                next = self.emptied(decision.left_open);
            }
            _ => unheard(decision.what),
        }
        Ok(next)
    }

    /// The store was opened again. Whether it kept everything is judged by acknowledged-survives; here its word is taken.
    pub fn opened_again(&mut self, shown: SurvivingRow) {
        let (is_known, status, is_started) = match shown {
            SurvivingRow::Gone | SurvivingRow::Unreadable => (false, Status::Running, false),
            SurvivingRow::Known { status, is_started, .. } => (true, status, is_started),
        };
        self.is_known = is_known;
        if status == Status::Running {
            self.end = None;
        }
        self.started_by = self.started_by.filter(|_| is_started);
    }

    /// Nothing is left but its log's numbers, which go on in the next life.
    pub fn emptied(&self, left_open: LeftOpen) -> Self {
        let last_sequence = if left_open.prune_forgets_sequences { 0 } else { self.last_sequence };
        Self { last_sequence, ..Self::default() }
    }

    /// The readings at which a decision can come out differently, its own first: the earliest on either side of the expiry.
    pub fn readings(&self, decision: &Decision, last_ms: u64, goes_back: bool) -> Vec<u64> {
        let Decision { from_ms, to_ms, read_ms, .. } = *decision;
        let expires_ms = self.lease.map_or(0, |lease| lease.expires_ms);
        let (first_ms, candidates) = if goes_back {
            (from_ms.min(to_ms), [read_ms, to_ms, from_ms, expires_ms, expires_ms.saturating_sub(1)])
        } else {
            let first_ms = from_ms.max(last_ms);
            (first_ms, [read_ms, first_ms, first_ms, expires_ms, expires_ms])
        };
        let mut readings = Vec::new();
        for reading in candidates {
            if (first_ms..=to_ms.max(from_ms)).contains(&reading) && !readings.contains(&reading) {
                readings.push(reading);
            }
        }
        readings
    }

    /// True if the lease is live at the first reading and has expired at the second.
    pub fn expires_between(&self, before_ms: u64, now_ms: u64) -> bool {
        self.lease.is_some_and(|lease| before_ms < lease.expires_ms && lease.expires_ms <= now_ms)
    }

    /// The answer that a presented grant must get: `Done` if it may act.
    fn answer_to(&self, presented: GrantNo, now_ms: u64) -> CallResult {
        match self.lease {
            _ if !self.is_known => CallResult::UnknownProcess,
            _ if self.end.is_some() => CallResult::AlreadyTerminal,
            Some(lease) if lease.grant == presented && now_ms < lease.expires_ms => CallResult::Done,
            Some(lease) if lease.grant == presented => CallResult::Expired,
            Some(_) | None => CallResult::Superseded,
        }
    }

    fn may_act(&self, presented: GrantNo, now_ms: u64, call: &str) -> Result<(), String> {
        match self.answer_to(presented, now_ms) {
            CallResult::Done => Ok(()),
            refusal => Err(format!("a {call} was accepted; right: refused, `{}`", refusal.name())),
        }
    }

    fn is_external(&self) -> bool {
        self.disposition == RecoveryDisposition::ExternallyOwned
    }

    /// A claim or a reclaim was answered, and not refused.
    fn claimed(&self, decision: &Decision, now_ms: u64) -> Result<(), String> {
        let call = if decision.observed.is_some() { "reclaim" } else { "claim" };
        let with_a_lease = |of: &str| Err(format!("a {call} of {of} was answered with a lease; right: refused"));
        if !self.is_known {
            return with_a_lease("an unknown process");
        }
        if self.end.is_some() {
            return with_a_lease("an ended process");
        }
        let what = decision.what;
        let is_busy = matches!(what, What::Busy);
        let is_reclaimed = matches!(what, What::Reclaimed { .. });
        let live = self.lease.filter(|lease| now_ms < lease.expires_ms);
        let (is_right, expected) = match (live, decision.observed) {
            (None, _) => {
                let is_stored = self.lease.is_some_and(|lapsed| lapsed.grant == decision.grant);
                (!is_busy && !is_stored && !matches!(what, What::Reentered { .. }), "a new grant")
            }
            (Some(live), Some(observed)) if observed.grant != live.grant => (is_busy, "`busy`"),
            (Some(_), Some(observed)) if observed.is_dead => (is_reclaimed, "a new grant"),
            // The registry may have believed the lie or not.
            (Some(_), Some(observed)) if observed.do_probes_lie => {
                (is_busy || is_reclaimed, "a new grant or `busy`")
            }
            (Some(_), Some(_)) => (is_busy, "`busy`"),
            // Since a claim that takes time arrived, another call of its incarnation may have won the grant.
            (Some(live), None)
                if decision.claims == live.grant || decision.took_time() && decision.grant == live.grant && !is_busy =>
            {
                let lasts = |expires_ms| decision.left_open.may_shorten || expires_ms >= live.expires_ms;
                // To the record it is new, if the call that made it died with the registry.
                let is_again = matches!(
                    what,
                    What::Reentered { expires_ms, .. } | What::Granted { expires_ms, .. } if lasts(expires_ms)
                );
                (is_again && decision.grant == live.grant, "its own grant again")
            }
            (Some(live), None) => (is_busy && decision.grant == live.grant, "`busy`, with the holder"),
        };
        if is_right { Ok(()) } else { Err(format!("a {call} was answered with something else than {expected}; right: {expected}")) }
    }

    fn wrote(&self, decision: &Decision, write: Write, now_ms: u64) -> Result<(), String> {
        match decision.unfenced {
            // It names its starter instead of a lease, and that is enough while the starter holds the live one.
            Some(CallKind::UnfencedStart) if !self.is_external() => {
                self.may_act(decision.grant, now_ms, "first start")?;
            }
            Some(_) => {
                let is_open = self.is_known && self.end.is_none() && self.is_external();
                return must(is_open, "a write without a lease was accepted; right: refused");
            }
            None => self.may_act(decision.grant, now_ms, "write")?,
        }
        let expected = match self.started_by {
            None => Write::FirstStart,
            Some(by) if by == decision.grant => Write::StartedByItself,
            Some(_) => Write::StartedBefore,
        };
        let is_start =
            matches!(write, Write::FirstStart | Write::StartedByItself | Write::StartedBefore);
        must(
            !is_start || write == expected,
            "a first start was answered as somebody else's, or as its own, and it was not so; right: the opposite",
        )
    }

    /// True, if an accepted completion repeats the one that is stored already.
    fn ended(&self, decision: &Decision, end: ProcessEnd, now_ms: u64) -> Result<bool, String> {
        if self.end == Some(end) && (end.by.is_some() || self.is_external()) {
            return Ok(true);
        }
        if decision.unfenced.is_some() {
            must(self.is_external(), "a completion without a lease was accepted; right: refused")?;
            must(self.is_known && self.end.is_none(), "a second end was accepted; right: refused")?;
        } else {
            self.may_act(end.by, now_ms, "completion")?;
        }
        Ok(false)
    }

    /// A request of a host was accepted. Handles, acks and cancel requests are no matter of this model.
    fn asked(&self, write: Write) -> Result<(), String> {
        if write == Write::AbandonRequest {
            must(self.is_known, "an abandon request for an unknown process was accepted; right: refused")?;
            must(self.end.is_none(), "an abandon request for an ended process was accepted; right: refused")?;
        } else if write == Write::Signal {
            must(self.is_known && self.end.is_none(), "a signal was added to a process that does not run; right: refused")?;
        }
        Ok(())
    }

    fn refused(
        &self,
        decision: &Decision,
        call: CallKind,
        why: CallResult,
        now_ms: u64,
    ) -> Result<(), String> {
        if matches!(why, CallResult::Failed | CallResult::OutcomeUnknown) {
            return Ok(());
        }
        let Some(expected) = self.expected_refusal(decision, call, why, now_ms)? else { return Ok(()) };
        if why == expected || decision.grant.is_some() && why.stands_for(expected) {
            return Ok(());
        }
        let (call, why, expected) = (call.name(), why.name(), expected.name());
        Err(format!("`{call}` was answered `{why}`; right: `{expected}`"))
    }

    /// The answer that a refused call must have received; none, where the model leaves it open.
    fn expected_refusal(
        &self,
        decision: &Decision,
        call: CallKind,
        why: CallResult,
        now_ms: u64,
    ) -> Result<Option<CallResult>, String> {
        let of_open_process = match self.end {
            _ if !self.is_known => CallResult::UnknownProcess,
            Some(_) => CallResult::AlreadyTerminal,
            None => CallResult::Done,
        };
        Ok(Some(match call {
            CallKind::Claim | CallKind::Reclaim => match (of_open_process, why) {
                (CallResult::Done, CallResult::FenceExhausted) => CallResult::FenceExhausted,
                (expected, _) => expected,
            },
            CallKind::Renew => self.answer_to(decision.grant, now_ms),
            CallKind::Start
            | CallKind::Emit
            | CallKind::SetWait
            | CallKind::ClearWait
            | CallKind::Complete => {
                // Other reasons to refuse an argument are not about leases.
                if why == CallResult::InvalidArgument && (self.is_external() || call == CallKind::Complete) {
                    return Ok(None);
                }
                let is_own_again =
                    self.end.is_some_and(|end| end.by == decision.grant && decision.output == Some(end.output));
                must(
                    call != CallKind::Complete || !is_own_again,
                    "the retry of a completion that had been applied was refused; right: accepted again",
                )?;
                self.answer_to(decision.grant, now_ms)
            }
            CallKind::UnfencedSetWait | CallKind::UnfencedClearWait | CallKind::UnfencedComplete => {
                // It comes before everything else, and which arguments are valid is no matter of this model.
                if why == CallResult::InvalidArgument {
                    return Ok(None);
                }
                if self.is_known && !self.is_external() {
                    CallResult::LeaseRequired
                } else {
                    of_open_process
                }
            }
            CallKind::Abandon if why == CallResult::InvalidArgument => return Ok(None),
            CallKind::Abandon => of_open_process,
            CallKind::Release
            | CallKind::UnfencedStart
            | CallKind::UnfencedEmit
            | CallKind::Register
            | CallKind::Prune
            | CallKind::Read
            | CallKind::GrantHandle
            | CallKind::Transfer
            | CallKind::Ack
            | CallKind::Other => {
                let is_true = why != CallResult::AlreadyTerminal || self.end.is_some();
                must(is_true, "a call was told that the process had ended, and it had not; right: another answer")?;
                return Ok(None);
            }
        }))
    }
}
