//! The law of one order: every answer is the one that a plain model of a process gives, stepped through the calls in the order
//! in which the store's door let them in. The model knows what a call presents and what was answered before; it is a
//! second telling of what a registry must do, and shares nothing with the rules.
//!
//! A door that decides in one poll gives that order away, and the model takes one step a call. Where decisions took time and
//! others came between, any order within their time may have been meant: those few calls are searched for one that
//! fits, and when the search is cut short nothing is claimed.

use crate::history::event::{
    CallKind, Event, GrantNo, Kind, NO_PROCESS, Wrote, disposition, refusal, status, survived, turned_out,
};
use crate::laws::{ByProcess, Case, Law};
use crate::plan::Node;

/// How many steps of the model a search for an order may take.
const SEARCH: u64 = 20_000;

/// A process as calls see it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Model {
    is_known: bool,
    disposition: u64,
    /// Status, output and the grant that ended it.
    ended: Option<(u64, u64, GrantNo)>,
    lease: Option<(GrantNo, u64)>,
    started_by: Option<GrantNo>,
}

/// A decision with what the door knew of its call.
#[derive(Debug, Clone, Copy)]
struct Decision {
    event: Event,
    /// The reading when it began; its end's is the event's own.
    from_ms: u64,
    /// Of a claim: its incarnation's last grant, and what it observed with its death.
    claims: GrantNo,
    /// Of a completion: hash of its output.
    output: Option<u64>,
    observed: Option<(GrantNo, bool, bool)>,
    is_unfenced: bool,
}

impl Model {
    fn is_live(&self, now_ms: u64) -> Option<GrantNo> {
        self.lease.filter(|(_, expires_ms)| now_ms < *expires_ms).map(|(grant, _)| grant)
    }

    /// What a presented grant must hear, if it may not act.
    fn refusal_of(&self, presented: GrantNo, now_ms: u64) -> u64 {
        match self.lease {
            _ if !self.is_known => refusal::UNKNOWN_PROCESS,
            _ if self.ended.is_some() => refusal::TERMINAL,
            Some((held, expires_ms)) if held == presented => {
                if now_ms < expires_ms {
                    refusal::NONE
                } else {
                    refusal::EXPIRED
                }
            }
            _ => refusal::SUPERSEDED,
        }
    }

    fn is_external(&self) -> bool {
        self.disposition == disposition::EXTERNALLY_OWNED
    }

    /// The model after the decision, if it is one that the model could have made at this reading; or why not.
    fn step(&self, decision: &Decision, now_ms: u64) -> Result<Self, String> {
        let event = &decision.event;
        let must = |holds: bool, otherwise: &str| if holds { Ok(()) } else { Err(otherwise.to_owned()) };
        let mut next = self.clone();
        match event.kind {
            Kind::Registered => {
                let is_new = event.b == 1;
                must(is_new != self.is_known, "a registration was new, and the process was there")?;
                if is_new {
                    next = Self { is_known: true, disposition: event.a, ..Self::default() };
                } else {
                    must(event.a == self.disposition, "a stored registration came back as another")?;
                }
            }
            Kind::Granted | Kind::Reclaimed | Kind::Reentered | Kind::Busy => {
                must(self.is_known, "a claim of an unknown process was answered with a lease")?;
                must(self.ended.is_none(), "a claim of an ended process was answered with a lease")?;
                self.claimed(decision, now_ms)?;
                if event.kind != Kind::Busy {
                    next.lease = Some((event.grant, event.a));
                }
            }
            Kind::Renewed => {
                self.may_act(event.grant, now_ms, "renewal")?;
                let before_ms = self.lease.map_or(0, |(_, expires_ms)| expires_ms);
                must(event.a >= before_ms, "a renewal made the lease shorter")?;
                next.lease = Some((event.grant, event.a));
            }
            Kind::Released if self.lease.is_some_and(|(held, _)| held == event.grant) => next.lease = None,
            Kind::Wrote => {
                self.wrote(decision, now_ms)?;
                if event.a == Wrote::FirstStart as u64 {
                    next.started_by = Some(event.grant);
                }
            }
            Kind::Ended => {
                let again = self.ended == Some((event.a, event.b, event.grant));
                if again && (event.grant.is_some() || self.is_external()) {
                    return Ok(next);
                }
                if decision.is_unfenced {
                    must(self.is_external(), "an unfenced completion was accepted")?;
                    must(self.is_known && self.ended.is_none(), "a second end was accepted")?;
                } else {
                    self.may_act(event.grant, now_ms, "completion")?;
                }
                next.ended = Some((event.a, event.b, event.grant));
                next.lease = None;
            }
            Kind::Asked if event.a == Wrote::AbandonRequest as u64 => {
                must(self.is_known, "an abandon request for an unknown process was accepted")?;
                must(self.ended.is_none(), "an abandon request for an ended process was accepted")?;
            }
            Kind::Asked if event.a == Wrote::Signal as u64 => {
                must(self.is_known && self.ended.is_none(), "a signal was added to no running process")?;
            }
            Kind::Showed => {
                must(self.is_known, "a read showed a process that nobody knows")?;
                let (shown, output) =
                    self.ended.map_or((status::RUNNING, 0), |(ended, output, _)| (ended, output));
                must(
                    (event.a, event.b) == (shown, output),
                    "a read showed another status than the one that stands",
                )?;
            }
            Kind::Refused => self.refused(decision, now_ms)?,
            Kind::Pruned => {
                must(self.ended.is_some(), "a process was pruned that had not ended")?;
                next = Self::default();
            }
            _ => {}
        }
        Ok(next)
    }

    fn may_act(&self, presented: GrantNo, now_ms: u64, what: &str) -> Result<(), String> {
        match self.refusal_of(presented, now_ms) {
            refusal::NONE => Ok(()),
            code => Err(format!("a {what} was accepted that must hear `{}`", refusal::name(code))),
        }
    }

    fn claimed(&self, decision: &Decision, now_ms: u64) -> Result<(), String> {
        let event = &decision.event;
        let (answer, expected) = match self.is_live(now_ms) {
            None => (event.kind != Kind::Busy && event.kind != Kind::Reentered, "a new grant"),
            Some(held) => {
                let may_reclaim =
                    decision.observed.is_some_and(|(observed, is_dead, _)| observed == held && is_dead);
                let may_be_lied_to =
                    decision.observed.is_some_and(|(observed, _, is_lie)| observed == held && is_lie);
                match decision.observed {
                    Some(_) if may_be_lied_to && !may_reclaim => {
                        (matches!(event.kind, Kind::Busy | Kind::Reclaimed), "a new grant or `busy`")
                    }
                    Some(_) if may_reclaim => (event.kind == Kind::Reclaimed, "a new grant"),
                    Some(_) => (event.kind == Kind::Busy, "`busy`"),
                    None if decision.claims == held => {
                        let before_ms = self.lease.map_or(0, |(_, expires_ms)| expires_ms);
                        let is_again =
                            event.kind == Kind::Reentered && event.grant == held && event.a >= before_ms;
                        (is_again, "its own grant again")
                    }
                    None => (event.kind == Kind::Busy && event.grant == held, "`busy`, with the holder"),
                }
            }
        };
        if answer { Ok(()) } else { Err(format!("a claim must have been answered with {expected}")) }
    }

    fn wrote(&self, decision: &Decision, now_ms: u64) -> Result<(), String> {
        let event = &decision.event;
        if decision.is_unfenced {
            let is_open = self.is_known && self.ended.is_none() && self.is_external();
            return if is_open { Ok(()) } else { Err("a write without a lease was accepted".to_owned()) };
        }
        self.may_act(event.grant, now_ms, "write")?;
        let expected = match self.started_by {
            None => Wrote::FirstStart,
            Some(by) if by == event.grant => Wrote::StartedByItself,
            Some(_) => Wrote::StartedBefore,
        };
        let starts = [Wrote::FirstStart, Wrote::StartedByItself, Wrote::StartedBefore];
        let is_start = starts.iter().any(|start| *start as u64 == event.a);
        if is_start && event.a != expected as u64 {
            return Err(
                "a first start was answered as somebody else's, or as its own, and it was not so".to_owned()
            );
        }
        Ok(())
    }

    fn refused(&self, decision: &Decision, now_ms: u64) -> Result<(), String> {
        let event = &decision.event;
        let call = CallKind::from_code(event.a);
        if matches!(event.b, refusal::FAILED | refusal::UNKNOWN_OUTCOME) {
            return Ok(());
        }
        let expected = match call {
            CallKind::Claim | CallKind::Reclaim => match self.ended {
                _ if !self.is_known => refusal::UNKNOWN_PROCESS,
                Some(_) => refusal::TERMINAL,
                None if event.b == refusal::EXHAUSTED => refusal::EXHAUSTED,
                None => refusal::NONE,
            },
            CallKind::Renew => self.refusal_of(event.grant, now_ms),
            CallKind::Start
            | CallKind::Emit
            | CallKind::SetWait
            | CallKind::ClearWait
            | CallKind::Complete => {
                // What else an argument may be refused for is not about leases.
                if event.b == refusal::INVALID && (self.is_external() || call == CallKind::Complete) {
                    return Ok(());
                }
                let is_own_again = self.ended.is_some_and(|(_, output, by)| {
                    call == CallKind::Complete && by == event.grant && decision.output == Some(output)
                });
                if is_own_again {
                    return Err(
                        "the retry of a completion that was applied must hear of its success".to_owned()
                    );
                }
                self.refusal_of(event.grant, now_ms)
            }
            CallKind::UnfencedSetWait | CallKind::UnfencedClearWait | CallKind::UnfencedComplete => {
                match self.ended {
                    _ if !self.is_known => refusal::UNKNOWN_PROCESS,
                    _ if !self.is_external() => refusal::LEASE_REQUIRED,
                    Some(_) => refusal::TERMINAL,
                    None => refusal::NONE,
                }
            }
            CallKind::Abandon => match self.ended {
                _ if !self.is_known => refusal::UNKNOWN_PROCESS,
                Some(_) => refusal::TERMINAL,
                None => refusal::NONE,
            },
            _ => return Ok(()),
        };
        if event.b == expected {
            return Ok(());
        }
        let (name, expected) = (call.name(), refusal::name(expected));
        Err(format!(
            "`{name}` was answered `{}`, and must have been answered `{expected}`",
            refusal::name(event.b)
        ))
    }

    /// The readings at which a decision can come out differently.
    fn readings(&self, decision: &Decision) -> Vec<u64> {
        let (from_ms, to_ms) = (decision.from_ms, decision.event.clock);
        let mut readings = vec![to_ms, from_ms];
        if let Some((_, expires_ms)) = self.lease {
            let edges = [expires_ms.saturating_sub(1), expires_ms];
            readings.extend(
                edges.into_iter().filter(|edge| from_ms.min(to_ms) < *edge && *edge < from_ms.max(to_ms)),
            );
        }
        readings.dedup();
        readings
    }
}

/// See its sentence.
#[derive(Default)]
pub struct Linearizable {
    rows: ByProcess<Row>,
    case: Case,
    undecided: Option<String>,
}

#[derive(Default)]
struct Row {
    model: Model,
    /// Told of the next decision, by node.
    told: Vec<(u8, Told)>,
    /// Decisions that overlap, each with the place its time began at; and those that go on.
    overlapping: Vec<(usize, Decision, u64)>,
    open: Vec<(u8, usize)>,
    /// After a breach nothing more can be said of the process.
    is_lost: bool,
}

#[derive(Default, Clone, Copy)]
struct Told {
    claims: Option<GrantNo>,
    output: Option<u64>,
    observed: Option<(GrantNo, bool, bool)>,
    is_unfenced: bool,
    /// The reading it began with, its place among those that overlap, and the instant it ended in.
    spanned: Option<(u64, usize, u64)>,
}

impl Row {
    fn told(&mut self, node: u8) -> &mut Told {
        let place = match self.told.iter().position(|(of, _)| *of == node) {
            Some(place) => place,
            None => {
                self.told.push((node, Told::default()));
                self.told.len() - 1
            }
        };
        &mut self.told[place].1
    }

    /// An order of the overlapping decisions that fits, none, or no answer in time.
    fn search(&self) -> Option<Result<Model, u64>> {
        let mut left = SEARCH;
        let mut deepest = 0;
        let found =
            self.order(&self.model, &mut vec![false; self.overlapping.len()], 0, &mut left, &mut deepest);
        match found {
            Some(model) => Some(Ok(model)),
            None if left == 0 => None,
            None => Some(Err(self.overlapping.get(deepest).map_or(0, |(_, _, number)| *number))),
        }
    }

    fn order(
        &self,
        model: &Model,
        done: &mut [bool],
        count: usize,
        left: &mut u64,
        deepest: &mut usize,
    ) -> Option<Model> {
        if count == self.overlapping.len() {
            return Some(model.clone());
        }
        *deepest = (*deepest).max(count);
        // Whoever had ended before another began comes before it.
        let first_end = (0..done.len()).find(|place| !done[*place]).unwrap_or(0);
        for place in 0..done.len() {
            let (began, decision, _) = &self.overlapping[place];
            if done[place] || *began > first_end {
                continue;
            }
            for now_ms in model.readings(decision) {
                if *left == 0 {
                    return None;
                }
                *left -= 1;
                if let Ok(next) = model.step(decision, now_ms) {
                    done[place] = true;
                    if let Some(found) = self.order(&next, done, count + 1, left, deepest) {
                        return Some(found);
                    }
                    done[place] = false;
                }
            }
        }
        None
    }
}

impl Linearizable {
    /// What makes it unclear, of every process that it concerns, what was decided: a registry that died in the middle of
    /// decisions, and a prune that took time.
    fn seen_of_all(&mut self, event: &Event) {
        let is_registry = event.node == Node::Registry.code();
        let (why, takes_all) = match event.kind {
            Kind::Crashed if is_registry => {
                ("the registry died in the middle of decisions that took time", false)
            }
            Kind::Finished => ("decisions that took time had no end", false),
            Kind::Spanned => ("a call about many processes took time", true),
            _ => return,
        };
        for row in self.rows.all().filter(|row| takes_all || !row.open.is_empty()) {
            row.is_lost = true;
            row.open.clear();
            row.overlapping.clear();
            self.undecided.get_or_insert_with(|| why.to_owned());
        }
    }

    fn decided(&mut self, number: u64, event: &Event) {
        let row = self.rows.of(event.process);
        // Only claims and writes are told of; what was told is used once.
        let told = std::mem::take(row.told(event.node));
        // One whose decision was no matter of this law has left its span behind.
        let spanned =
            told.spanned.filter(|(.., ended_us)| *ended_us == event.at_us).map(|(from, at, _)| (from, at));
        let decision = Decision {
            event: *event,
            from_ms: spanned.map_or(event.clock, |(from_ms, _)| from_ms),
            claims: told.claims.unwrap_or(GrantNo::NONE),
            output: told.output,
            observed: told.observed,
            is_unfenced: told.is_unfenced,
        };
        self.case.meet();
        if row.is_lost {
            return;
        }
        // What overlapped with a call that was no matter of this law is still to be put in order.
        if spanned.is_some() || !row.open.is_empty() || !row.overlapping.is_empty() {
            let began = spanned.map_or(row.overlapping.len(), |(_, began)| began);
            row.overlapping.push((began, decision, number));
            if !row.open.is_empty() {
                return;
            }
            match row.search() {
                Some(Ok(model)) => row.model = model,
                Some(Err(at)) => {
                    row.is_lost = true;
                    let count = row.overlapping.len();
                    self.case.breach(at, || {
                        format!("no order of {count} overlapping calls explains their answers")
                    });
                }
                None => {
                    row.is_lost = true;
                    self.undecided.get_or_insert_with(|| {
                        format!("no order was found in {SEARCH} steps, and not all were tried")
                    });
                }
            }
            row.overlapping.clear();
            return;
        }
        match row.model.step(&decision, event.clock) {
            Ok(next) => row.model = next,
            Err(why) => {
                row.is_lost = true;
                self.case.breach(number, || why);
            }
        }
    }
}

impl Law for Linearizable {
    fn name(&self) -> &'static str {
        "linearizable"
    }

    fn sentence(&self) -> &'static str {
        "each process's answers fit one order of its calls that respects real time and a plain model of a process"
    }

    fn see(&mut self, number: u64, event: &Event) {
        if event.process == NO_PROCESS {
            return self.seen_of_all(event);
        }
        let row = self.rows.of(event.process);
        match event.kind {
            Kind::Claims => row.told(event.node).claims = Some(event.grant),
            Kind::Observed => {
                row.told(event.node).observed = Some((event.grant, event.a == 1, event.b == 1));
            }
            // Nobody knows yet: what was told of the call is told of what it turns out to have done.
            Kind::Refused if event.b == refusal::UNKNOWN_OUTCOME => {}
            Kind::TurnedOut if event.b == turned_out::APPLIED => {}
            Kind::TurnedOut => *row.told(event.node) = Told::default(),
            Kind::Completes => row.told(event.node).output = Some(event.a),
            Kind::Unfenced => row.told(event.node).is_unfenced = true,
            Kind::Spanned if event.b == 0 => {
                if row.open.iter().any(|(node, _)| *node == event.node) {
                    // Which of the two ends first, nobody can tell.
                    row.is_lost = true;
                    self.undecided
                        .get_or_insert_with(|| "a node had two calls about a process at once".to_owned());
                }
                row.open.push((event.node, row.overlapping.len()));
            }
            Kind::Spanned => {
                let place = row.open.iter().position(|(node, _)| *node == event.node);
                let began = place.map_or(0, |place| row.open.remove(place).1);
                row.told(event.node).spanned = Some((event.a, began, event.at_us));
            }
            // The store was opened again: what it kept is another law's matter.
            Kind::Survived => {
                row.model.is_known = event.a & survived::IS_KNOWN != 0;
                if event.a & 0xff == status::RUNNING {
                    row.model.ended = None;
                }
                row.model.started_by = row.model.started_by.filter(|_| event.a & survived::IS_STARTED != 0);
            }
            Kind::SurvivedLease => {
                row.model.lease = event.grant.is_some().then_some((event.grant, event.a));
            }
            _ => self.decided(number, event),
        }
    }

    fn case(&self) -> &Case {
        &self.case
    }

    fn undecided(&self) -> Option<&str> {
        self.undecided.as_deref()
    }
}
