//! Every law, over histories written by hand: one that it accepts, and one that it rejects at the event that breaks it.

use fencepost_sim::history::event::{
    Abandons, BodyEnded, CallKind, Event, GrantNo, Kind, Left, NO_PROCESS, Witness, Wrote, disposition,
    licence, refusal, status, survived, turned_out,
};
use std::sync::Arc;

use fencepost_sim::judge::judge;
use fencepost_sim::laws::{Finding, Laws};
use fencepost_sim::plan::{Plan, Store};
use fencepost_sim::subject::Subject;

const ANN: GrantNo = GrantNo(0);
const BOB: GrantNo = GrantNo(1);
/// Of the plan's leases.
const TTL_MS: u64 = 3_000;

/// Events in order, each a millisecond after the one before unless it says when.
#[derive(Default)]
struct Told {
    events: Vec<Event>,
    now_ms: u64,
}

impl Told {
    fn at(mut self, now_ms: u64) -> Self {
        self.now_ms = now_ms;
        self
    }

    fn say(mut self, node: u8, kind: Kind, grant: GrantNo, a: u64, b: u64) -> Self {
        let clock = if kind.is_decided() { self.now_ms } else { self.now_ms * 1_000 };
        let process = if kind == Kind::Finished { NO_PROCESS } else { 1 };
        self.events.push(Event { at_us: self.now_ms * 1_000, clock, a, b, grant, process, node, kind });
        self
    }

    fn registered(self, disposition: u64) -> Self {
        self.say(101, Kind::Registered, GrantNo::NONE, disposition, 1)
    }

    fn granted(self, grant: GrantNo, fence: u64) -> Self {
        let until_ms = self.now_ms + TTL_MS;
        self.say(grant.0 as u8 + 1, Kind::Granted, grant, until_ms, fence)
    }

    fn renewed(self, grant: GrantNo) -> Self {
        let until_ms = self.now_ms + TTL_MS;
        self.say(grant.0 as u8 + 1, Kind::Renewed, grant, until_ms, TTL_MS)
    }

    fn wrote(self, grant: GrantNo, what: Wrote) -> Self {
        self.say(grant.0 as u8 + 1, Kind::Wrote, grant, what as u64, 0)
    }

    fn ended(self, grant: GrantNo, output: u64) -> Self {
        self.say(grant.0 as u8 + 1, Kind::Ended, grant, status::COMPLETED, output)
    }

    fn refused(self, grant: GrantNo, call: CallKind, why: u64) -> Self {
        self.say(grant.0 as u8 + 1, Kind::Refused, grant, call as u64, why)
    }

    fn released(self, grant: GrantNo) -> Self {
        self.say(grant.0 as u8 + 1, Kind::Released, grant, 0, 0)
    }

    /// A call of a worker, begun and answered at once.
    fn called(self, grant: GrantNo, call: CallKind, number: u64, answer: u64) -> Self {
        let presented = if call == CallKind::Claim { GrantNo::NONE } else { grant };
        self.say(1, Kind::Sent, presented, call as u64, number).say(
            1,
            Kind::Heard,
            grant,
            answer | (call as u64) << 8,
            number,
        )
    }

    fn evidence(self, kind: Kind, grant: GrantNo, a: u64, b: u64) -> Self {
        self.say(1, kind, grant, a, b)
    }

    /// A read of the log from after a cursor, that shows the events up to `last`.
    fn log(self, after: u64, last: u64) -> Self {
        let read = self.evidence(Kind::LogRead, ANN, after, last - after);
        (after + 1..=last).fold(read, |told, event| told.evidence(Kind::LogShown, ANN, event, event * 10))
    }

    /// The life is over and was taken away; another begins.
    fn reborn(self) -> Self {
        self.ended(ANN, 7).say(101, Kind::Pruned, GrantNo::NONE, 0, 0).registered(disposition::RERUNNABLE)
    }

    fn given_up(self, writer: Abandons, licence: u64) -> Self {
        self.say(2, Kind::GivesUp, BOB, writer as u64, licence).say(2, Kind::Ended, BOB, status::ABANDONED, 9)
    }

    /// What an opened store shows: a running process with so many events, and the lease of a grant until then.
    fn survived(self, bits: u64, events: u64, lease: GrantNo, until_ms: u64) -> Self {
        self.say(0, Kind::Survived, GrantNo::NONE, survived::IS_KNOWN | bits, events).say(
            0,
            Kind::SurvivedLease,
            lease,
            until_ms,
            0,
        )
    }

    /// A claim of an incarnation that had this grant before.
    fn claims(self, node: u8, had: GrantNo) -> Self {
        self.say(node, Kind::Claims, had, TTL_MS, 0)
    }

    /// A decision of a node begins, or ends, and other calls may come between.
    fn spans(self, node: u8, grant: GrantNo, began_ms: u64, is_over: bool) -> Self {
        self.say(node, Kind::Spanned, grant, began_ms, u64::from(is_over))
    }

    fn effect(self, kind: Kind, grant: GrantNo, fence: u64, highest: u64) -> Self {
        self.say(1, kind, grant, fence, highest)
    }
}

/// Where the law found itself broken, if it did.
fn broken_at(law: &str, told: &Told) -> Option<u64> {
    let mut laws = Laws::new(&Plan { ttl_ms: TTL_MS, ..Plan::quiet(0) });
    told.events.iter().for_each(|event| laws.see(event));
    let law = laws.all().into_iter().find(|known| known.name() == law).expect("there is such a law");
    assert!(law.checked() > 0, "{} did not meet its situation", law.name());
    match law.finding() {
        Finding::Broken { at, .. } => Some(at),
        Finding::Holds => None,
        Finding::Undecided { because } => panic!("{because}"),
    }
}

fn told() -> Told {
    Told::default().at(1_000)
}

/// A law, a history it accepts, and one it rejects at its last event.
fn cases() -> Vec<(&'static str, Told, Told)> {
    let running = || told().registered(disposition::RERUNNABLE).granted(ANN, 1);
    let bound = || told().registered(disposition::OWNER_BOUND).granted(ANN, 1).wrote(ANN, Wrote::FirstStart);
    let believing = || told().called(ANN, CallKind::Claim, 1, refusal::NONE);
    vec![
        ("one-live-grant", running().at(4_000).granted(BOB, 2), running().at(3_999).granted(BOB, 2)),
        ("one-live-grant", running().released(ANN).granted(BOB, 2), running().released(BOB).granted(BOB, 2)),
        (
            "one-live-grant",
            running().say(1, Kind::Reentered, ANN, 4_500, 1),
            running().at(4_000).say(1, Kind::Reentered, ANN, 7_000, 1),
        ),
        (
            "one-live-grant",
            running().renewed(ANN).at(4_000).granted(BOB, 2),
            running().renewed(ANN).at(3_900).granted(BOB, 2),
        ),
        ("fences-only-grow", running().at(4_000).granted(BOB, 2), running().at(4_000).granted(BOB, 1)),
        (
            "fences-only-grow",
            running().ended(ANN, 7).say(101, Kind::Pruned, GrantNo::NONE, 0, 0).registered(0).granted(BOB, 5),
            running().ended(ANN, 7).say(101, Kind::Pruned, GrantNo::NONE, 0, 0).registered(0).granted(BOB, 1),
        ),
        ("stale-writer-refused", running().at(3_999).ended(ANN, 7), running().at(4_000).ended(ANN, 7)),
        ("stale-writer-refused", running().at(3_999).renewed(ANN), running().at(4_000).renewed(ANN)),
        (
            "stale-writer-refused",
            running().wrote(ANN, Wrote::Progress).at(4_000).granted(BOB, 2).wrote(BOB, Wrote::Progress),
            running().wrote(ANN, Wrote::Progress).at(4_000).granted(BOB, 2).wrote(ANN, Wrote::Progress),
        ),
        // The clock stepped back below the expiry: an expired grant that nobody superseded is live again.
        (
            "stale-writer-refused",
            running()
                .at(4_000)
                .refused(ANN, CallKind::Emit, refusal::EXPIRED)
                .at(3_500)
                .wrote(ANN, Wrote::Wait),
            running().at(4_000).granted(BOB, 2).at(3_500).wrote(ANN, Wrote::Wait),
        ),
        // The grant's own completion again, after its answer was lost.
        (
            "stale-writer-refused",
            running().ended(ANN, 7).at(9_000).ended(ANN, 7),
            running().released(ANN).ended(ANN, 7),
        ),
        // What nobody executes needs no grant.
        (
            "stale-writer-refused",
            running()
                .wrote(ANN, Wrote::Progress)
                .say(101, Kind::Registered, GrantNo::NONE, disposition::EXTERNALLY_OWNED, 1)
                .say(101, Kind::Ended, GrantNo::NONE, status::COMPLETED, 7),
            running().say(101, Kind::Ended, GrantNo::NONE, status::COMPLETED, 7),
        ),
        (
            "live-writer-accepted",
            running().at(4_000).refused(ANN, CallKind::Renew, refusal::EXPIRED),
            running().at(3_999).refused(ANN, CallKind::Renew, refusal::EXPIRED),
        ),
        (
            "live-writer-accepted",
            running().released(ANN).granted(BOB, 2).refused(ANN, CallKind::Complete, refusal::SUPERSEDED),
            running().refused(ANN, CallKind::Complete, refusal::LEASE_REQUIRED),
        ),
        ("ends-once", running().ended(ANN, 7).ended(ANN, 7), running().ended(ANN, 7).ended(ANN, 8)),
        (
            "ends-once",
            running().ended(ANN, 7).say(101, Kind::Showed, GrantNo::NONE, status::COMPLETED, 7),
            running().ended(ANN, 7).say(101, Kind::Showed, GrantNo::NONE, status::RUNNING, 0),
        ),
        (
            "ends-once",
            running().ended(ANN, 7).say(101, Kind::Pruned, GrantNo::NONE, 0, 0).registered(0).ended(BOB, 8),
            running().ended(ANN, 7).say(101, Kind::Registered, GrantNo::NONE, 0, 0).ended(BOB, 8),
        ),
        (
            "owner-bound-starts-once",
            bound().say(1, Kind::BodyBegan, ANN, 1, 0),
            bound().say(1, Kind::BodyBegan, ANN, 1, 0).say(2, Kind::BodyBegan, BOB, 2, 0),
        ),
        (
            "owner-bound-starts-once",
            bound().say(1, Kind::BodyBegan, ANN, 1, 0),
            bound().say(2, Kind::BodyBegan, BOB, 2, 0),
        ),
        // A body of the life before, begun late under a grant of that life.
        (
            "owner-bound-starts-once",
            bound()
                .ended(ANN, 7)
                .say(101, Kind::Pruned, GrantNo::NONE, 0, 0)
                .registered(disposition::OWNER_BOUND)
                .say(1, Kind::BodyBegan, ANN, 1, 0)
                .granted(BOB, 2)
                .wrote(BOB, Wrote::FirstStart)
                .say(2, Kind::BodyBegan, BOB, 2, 0),
            bound().at(4_000).granted(BOB, 2).wrote(BOB, Wrote::FirstStart).say(
                2,
                Kind::BodyBegan,
                BOB,
                2,
                0,
            ),
        ),
        (
            "ends-once",
            running().ended(ANN, 7).refused(BOB, CallKind::Renew, refusal::TERMINAL),
            running().ended(ANN, 7).say(101, Kind::Pruned, GrantNo::NONE, 0, 0).registered(0).refused(
                BOB,
                CallKind::Renew,
                refusal::TERMINAL,
            ),
        ),
        (
            "nothing-after-the-end",
            running().ended(ANN, 7).say(101, Kind::Asked, GrantNo::NONE, Wrote::AbandonRequest as u64, 0),
            running().ended(ANN, 7).say(101, Kind::Asked, GrantNo::NONE, Wrote::Signal as u64, 0),
        ),
        (
            "lost-means-silent",
            believing().effect(Kind::EffectStarted, ANN, 1, 0),
            believing().effect(Kind::EffectStarted, GrantNo::NONE, 0, 0),
        ),
        (
            "lost-means-silent",
            believing().at(3_999).effect(Kind::EffectStarted, ANN, 1, 0),
            believing().at(4_000).effect(Kind::EffectStarted, ANN, 1, 0),
        ),
        (
            "lost-means-silent",
            believing().called(ANN, CallKind::Renew, 2, refusal::FAILED).called(
                ANN,
                CallKind::Emit,
                3,
                refusal::NONE,
            ),
            believing().called(ANN, CallKind::Renew, 2, refusal::SUPERSEDED).say(
                1,
                Kind::Sent,
                ANN,
                CallKind::Release as u64,
                3,
            ),
        ),
        // A renewal counts from when it was begun, and only once it was heard of.
        (
            "lost-means-silent",
            believing().at(2_000).called(ANN, CallKind::Renew, 2, refusal::NONE).at(4_999).effect(
                Kind::EffectStarted,
                ANN,
                1,
                0,
            ),
            believing().at(2_000).called(ANN, CallKind::Renew, 2, refusal::FAILED).at(4_999).effect(
                Kind::EffectStarted,
                ANN,
                1,
                0,
            ),
        ),
        (
            "outside-sees-fences-in-order",
            running()
                .effect(Kind::EffectTaken, ANN, 1, 0)
                .at(4_000)
                .granted(BOB, 2)
                .effect(Kind::EffectTaken, ANN, 1, 1)
                .effect(Kind::EffectTaken, BOB, 2, 1)
                .effect(Kind::EffectRefused, ANN, 1, 2),
            running().at(4_000).granted(BOB, 2).effect(Kind::EffectTaken, BOB, 2, 1).effect(
                Kind::EffectTaken,
                ANN,
                1,
                2,
            ),
        ),
        (
            "outside-sees-fences-in-order",
            running().effect(Kind::EffectTaken, ANN, 1, 0),
            running().effect(Kind::EffectRefused, ANN, 1, 0),
        ),
        (
            "waits-tell-the-truth",
            running().say(101, Kind::WaitBegan, GrantNo::NONE, 0, 1).ended(ANN, 7).say(
                101,
                Kind::WaitEnded,
                GrantNo::NONE,
                7,
                1,
            ),
            running().say(101, Kind::WaitBegan, GrantNo::NONE, 0, 1).ended(ANN, 7).say(
                101,
                Kind::WaitEnded,
                GrantNo::NONE,
                8,
                1,
            ),
        ),
        (
            "waits-tell-the-truth",
            running()
                .at(2_000)
                .say(101, Kind::WaitBegan, GrantNo::NONE, 0, 1)
                .ended(ANN, 7)
                .say(101, Kind::Pruned, GrantNo::NONE, 0, 0)
                .say(101, Kind::WaitEnded, GrantNo::NONE, 0, 1),
            running().at(2_000).say(101, Kind::WaitBegan, GrantNo::NONE, 0, 1).say(
                101,
                Kind::WaitEnded,
                GrantNo::NONE,
                0,
                1,
            ),
        ),
        // Without drift and steps, 4 ms is all there may be; time in which one of them stands still does not count.
        (
            "bodies-overlap-within-bound",
            running()
                .say(1, Kind::BodyBegan, ANN, 1, 0)
                .at(4_000)
                .granted(BOB, 2)
                .say(2, Kind::BodyBegan, BOB, 2, 0)
                .at(4_004)
                .say(1, Kind::BodyEnded, ANN, 2, 0),
            running()
                .say(1, Kind::BodyBegan, ANN, 1, 0)
                .at(4_000)
                .granted(BOB, 2)
                .say(2, Kind::BodyBegan, BOB, 2, 0)
                .at(4_005)
                .say(1, Kind::BodyEnded, ANN, 2, 0),
        ),
        (
            "bodies-overlap-within-bound",
            running()
                .say(1, Kind::BodyBegan, ANN, 1, 0)
                .say(1, Kind::Paused, GrantNo::NONE, 0, 0)
                .at(4_000)
                .granted(BOB, 2)
                .say(2, Kind::BodyBegan, BOB, 2, 0)
                .at(9_000)
                .say(1, Kind::Resumed, GrantNo::NONE, 0, 0)
                .say(1, Kind::BodyEnded, ANN, 2, 0),
            running()
                .say(1, Kind::BodyBegan, ANN, 1, 0)
                .say(1, Kind::Paused, GrantNo::NONE, 0, 0)
                .at(4_000)
                .granted(BOB, 2)
                .say(2, Kind::BodyBegan, BOB, 2, 0)
                .at(9_000)
                .say(1, Kind::Resumed, GrantNo::NONE, 0, 0)
                .at(9_010)
                .say(1, Kind::BodyEnded, ANN, 2, 0),
        ),
        (
            "refusal-changes-nothing",
            told().evidence(Kind::ReadBack, ANN, 5, 5),
            told().evidence(Kind::ReadBack, ANN, 5, 6),
        ),
        (
            "release-frees-own",
            running().released(ANN).evidence(Kind::LeaseAfter, GrantNo::NONE, 0, 0),
            running().released(ANN).evidence(Kind::LeaseAfter, ANN, 0, 0),
        ),
        (
            "release-frees-own",
            running().at(4_000).granted(BOB, 2).released(ANN).evidence(Kind::LeaseAfter, BOB, 0, 0),
            running().at(4_000).granted(BOB, 2).released(ANN).evidence(Kind::LeaseAfter, GrantNo::NONE, 0, 0),
        ),
        (
            "reclaim-takes-the-observed-dead",
            running().evidence(Kind::Observed, ANN, 1, 0).say(2, Kind::Reclaimed, BOB, 5_000, 2),
            running().evidence(Kind::Observed, ANN, 0, 0).say(2, Kind::Reclaimed, BOB, 5_000, 2),
        ),
        (
            "reclaim-takes-the-observed-dead",
            running().at(4_000).evidence(Kind::Observed, BOB, 0, 0).say(2, Kind::Reclaimed, BOB, 8_000, 2),
            running().evidence(Kind::Observed, BOB, 1, 0).say(2, Kind::Reclaimed, BOB, 5_000, 2),
        ),
        (
            "expiry-is-exact",
            running().at(3_999).say(2, Kind::Busy, ANN, 0, 0).at(4_000).refused(
                ANN,
                CallKind::Renew,
                refusal::EXPIRED,
            ),
            running().at(4_000).say(2, Kind::Busy, ANN, 0, 0),
        ),
        (
            "expiry-is-exact",
            running().at(3_999).renewed(ANN),
            running().at(3_999).refused(ANN, CallKind::Emit, refusal::EXPIRED),
        ),
        ("expiry-is-exact", running().at(4_000).granted(BOB, 2), running().at(4_000).wrote(ANN, Wrote::Wait)),
        (
            "leases-last-as-asked",
            running().claims(1, GrantNo::NONE).granted(BOB, 2).at(2_000).renewed(BOB),
            running().claims(1, GrantNo::NONE).say(1, Kind::Granted, BOB, 1_001 + TTL_MS, 2),
        ),
        // What it had is longer: the clock stepped back, or less was asked for.
        (
            "leases-last-as-asked",
            running().say(1, Kind::Renewed, ANN, 4_000, 1).at(500).say(1, Kind::Renewed, ANN, 4_000, TTL_MS),
            running().at(500).say(1, Kind::Renewed, ANN, 3_500, TTL_MS),
        ),
        (
            "leases-last-as-asked",
            running().claims(1, ANN).say(1, Kind::Reentered, ANN, 4_000, 1),
            running().at(2_000).say(1, Kind::Renewed, ANN, 4_000 + TTL_MS, TTL_MS),
        ),
        // At which instant of a span it was decided, nobody knows.
        (
            "leases-last-as-asked",
            running()
                .claims(2, GrantNo::NONE)
                .spans(2, GrantNo::NONE, 1_000, false)
                .at(1_500)
                .spans(2, GrantNo::NONE, 1_000, true)
                .say(2, Kind::Granted, BOB, 1_200 + TTL_MS, 2)
                .at(2_000)
                .renewed(BOB),
            running().spans(1, ANN, 1_000, false).spans(1, ANN, 1_000, true).renewed(ANN).at(1_001).say(
                1,
                Kind::Renewed,
                ANN,
                1_000 + TTL_MS,
                TTL_MS,
            ),
        ),
        (
            "tokens-are-drawn",
            told().evidence(Kind::TokenDrawn, ANN, 1, 16).evidence(Kind::TokenDrawn, BOB, 2, 32),
            told().evidence(Kind::TokenDrawn, ANN, 1, 16).evidence(Kind::TokenDrawn, BOB, 1, 16),
        ),
        (
            "tokens-are-drawn",
            told().evidence(Kind::TokenDrawn, ANN, 1, 16),
            told().evidence(Kind::TokenDrawn, ANN, 1, 15),
        ),
        (
            "lives-do-not-mix",
            running().reborn().granted(BOB, 2).renewed(BOB),
            running().reborn().renewed(ANN),
        ),
        (
            "nothing-after-the-end",
            running().reborn().granted(BOB, 2).wrote(BOB, Wrote::Progress),
            running().ended(ANN, 7).wrote(ANN, Wrote::Progress),
        ),
        ("nothing-after-the-end", running().ended(ANN, 7), running().ended(ANN, 7).granted(BOB, 2)),
        (
            "externally-owned-never-runs",
            told().registered(disposition::EXTERNALLY_OWNED).say(
                101,
                Kind::Ended,
                GrantNo::NONE,
                status::COMPLETED,
                7,
            ),
            told().registered(disposition::EXTERNALLY_OWNED).say(1, Kind::BodyBegan, ANN, 1, 0),
        ),
        (
            "starts-are-first",
            bound()
                .wrote(ANN, Wrote::StartedBefore)
                .at(4_000)
                .granted(BOB, 2)
                .wrote(BOB, Wrote::StartedBefore),
            bound().at(4_000).granted(BOB, 2).wrote(BOB, Wrote::FirstStart),
        ),
        (
            "abandonment-is-licensed",
            bound().at(4_000).granted(BOB, 2).given_up(Abandons::Sweep, licence::STARTER_IS_DEAD),
            bound().at(4_000).granted(BOB, 2).given_up(Abandons::Sweep, 0),
        ),
        (
            "abandonment-is-licensed",
            bound().at(4_000).granted(BOB, 2).given_up(Abandons::OwnerDrain, licence::IS_STARTER),
            bound().at(4_000).granted(BOB, 2).given_up(Abandons::OwnerDrain, licence::STARTER_IS_DEAD),
        ),
        (
            "abandonment-is-licensed",
            bound()
                .say(101, Kind::Asked, GrantNo::NONE, Wrote::AbandonRequest as u64, 0)
                .at(4_000)
                .granted(BOB, 2)
                .given_up(Abandons::ReconciledRequest, 0),
            bound().at(4_000).granted(BOB, 2).given_up(Abandons::ReconciledRequest, 0),
        ),
        (
            "abandonment-is-licensed",
            bound().at(4_000).granted(BOB, 2).given_up(Abandons::Sweep, licence::PROBES_LIE),
            bound().at(4_000).granted(BOB, 2).say(2, Kind::Ended, BOB, status::ABANDONED, 9),
        ),
        (
            "outcomes-are-not-dropped",
            running().say(1, Kind::BodyEnded, ANN, BodyEnded::Output as u64, 7).ended(ANN, 7),
            running().say(1, Kind::BodyEnded, ANN, BodyEnded::Output as u64, 7).ended(ANN, 8),
        ),
        (
            "outcomes-are-not-dropped",
            running()
                .say(1, Kind::BodyEnded, ANN, BodyEnded::Broke as u64, 0)
                .say(1, Kind::Sent, ANN, CallKind::Release as u64, 4)
                .at(4_000)
                .granted(BOB, 2)
                .ended(BOB, 8),
            running().ended(BOB, 8).say(1, Kind::BodyEnded, ANN, BodyEnded::Output as u64, 7).say(
                1,
                Kind::Sent,
                ANN,
                CallKind::Release as u64,
                4,
            ),
        ),
        (
            "log-is-dense",
            told()
                .evidence(Kind::LogRead, ANN, 0, 2)
                .evidence(Kind::LogShown, ANN, 5, 50)
                .evidence(Kind::LogShown, ANN, 6, 60)
                .evidence(Kind::LogRead, ANN, 5, 1)
                .evidence(Kind::LogShown, ANN, 6, 60),
            told().evidence(Kind::LogRead, ANN, 0, 2).evidence(Kind::LogShown, ANN, 5, 50).evidence(
                Kind::LogShown,
                ANN,
                7,
                70,
            ),
        ),
        (
            "log-is-dense",
            told().log(0, 4).log(1, 4).log(3, 4),
            told().log(0, 4).log(3, 3).evidence(Kind::LogShown, ANN, 5, 50),
        ),
        (
            "waits-tell-the-truth",
            // Beside the registry: in the millisecond of the end, unless its node stood still.
            told()
                .registered(disposition::RERUNNABLE)
                .say(0, Kind::WaitBegan, GrantNo::NONE, 0, 1)
                .ended(ANN, 7)
                .say(0, Kind::WaitEnded, GrantNo::NONE, 7, 1)
                .say(0, Kind::WaitBegan, GrantNo::NONE, 0, 2)
                .say(0, Kind::WaitEnded, GrantNo::NONE, 7, 2),
            told()
                .registered(disposition::RERUNNABLE)
                .say(0, Kind::WaitBegan, GrantNo::NONE, 0, 1)
                .ended(ANN, 7)
                .at(1_025)
                .say(0, Kind::WaitEnded, GrantNo::NONE, 7, 1),
        ),
        (
            "waits-tell-the-truth",
            told()
                .registered(disposition::RERUNNABLE)
                .say(0, Kind::WaitBegan, GrantNo::NONE, 0, 1)
                .ended(ANN, 7)
                .say(0, Kind::WaitEnded, GrantNo::NONE, 7, 1)
                .say(0, Kind::Finished, GrantNo::NONE, 0, 0),
            told()
                .registered(disposition::RERUNNABLE)
                .say(0, Kind::WaitBegan, GrantNo::NONE, 0, 1)
                .say(0, Kind::WaitEnded, GrantNo::NONE, 0, 9)
                .ended(ANN, 7)
                .say(0, Kind::Finished, GrantNo::NONE, 0, 0),
        ),
        (
            "log-is-dense",
            told().evidence(Kind::LogRead, ANN, 3, 1).evidence(Kind::LogShown, ANN, 4, 40),
            told()
                .evidence(Kind::LogRead, ANN, 3, 1)
                .evidence(Kind::LogShown, ANN, 4, 40)
                .evidence(Kind::LogRead, ANN, 3, 1)
                .evidence(Kind::LogShown, ANN, 4, 41),
        ),
        (
            "replay-key-is-one-event",
            told().evidence(Kind::Appended, ANN, 1, 77).evidence(Kind::Appended, ANN, 1, 77).evidence(
                Kind::Appended,
                ANN,
                2,
                0,
            ),
            told().evidence(Kind::Appended, ANN, 1, 77).evidence(Kind::Appended, ANN, 2, 77),
        ),
        (
            "acknowledged-survives",
            told()
                .registered(disposition::RERUNNABLE)
                .granted(ANN, 1)
                .wrote(ANN, Wrote::FirstStart)
                .evidence(Kind::Appended, ANN, 2, 0)
                .survived(survived::IS_STARTED, 2, ANN, 1_000 + TTL_MS),
            told()
                .registered(disposition::RERUNNABLE)
                .granted(ANN, 1)
                .say(0, Kind::Survived, GrantNo::NONE, survived::IS_KNOWN, 0)
                .say(0, Kind::SurvivedLease, GrantNo::NONE, 0, 0),
        ),
        (
            "acknowledged-survives",
            told().registered(disposition::RERUNNABLE).granted(ANN, 1).ended(ANN, 7).say(
                0,
                Kind::Survived,
                GrantNo::NONE,
                survived::IS_KNOWN | status::COMPLETED,
                0,
            ),
            told().registered(disposition::RERUNNABLE).granted(ANN, 1).ended(ANN, 7).say(
                0,
                Kind::Survived,
                GrantNo::NONE,
                survived::IS_KNOWN | status::RUNNING,
                0,
            ),
        ),
        (
            "acknowledged-survives",
            told().registered(disposition::RERUNNABLE).say(
                0,
                Kind::Survived,
                GrantNo::NONE,
                survived::IS_KNOWN,
                0,
            ),
            told().registered(disposition::RERUNNABLE).say(0, Kind::Survived, GrantNo::NONE, 0, 0),
        ),
        (
            "acknowledged-survives",
            told().registered(disposition::RERUNNABLE).evidence(Kind::Appended, ANN, 3, 0).say(
                0,
                Kind::Survived,
                GrantNo::NONE,
                survived::IS_KNOWN,
                3,
            ),
            told().registered(disposition::RERUNNABLE).evidence(Kind::Appended, ANN, 3, 0).say(
                0,
                Kind::Survived,
                GrantNo::NONE,
                survived::IS_KNOWN,
                2,
            ),
        ),
        (
            "acknowledged-survives",
            told()
                .registered(disposition::RERUNNABLE)
                .say(0, Kind::Survived, GrantNo::NONE, survived::IS_KNOWN, 0)
                .say(1, Kind::TurnedOut, ANN, CallKind::Complete as u64, turned_out::NOT_APPLIED),
            told()
                .registered(disposition::RERUNNABLE)
                .say(0, Kind::Survived, GrantNo::NONE, survived::IS_KNOWN, 0)
                .say(1, Kind::TurnedOut, ANN, CallKind::Complete as u64, turned_out::PARTLY),
        ),
        (
            "linearizable",
            told()
                .registered(disposition::RERUNNABLE)
                .claims(1, GrantNo::NONE)
                .granted(ANN, 1)
                .claims(1, ANN)
                .say(1, Kind::Reentered, ANN, 1_000 + TTL_MS, 1),
            // The same owner after its restart: not the same incarnation.
            told()
                .registered(disposition::RERUNNABLE)
                .claims(1, GrantNo::NONE)
                .granted(ANN, 1)
                .claims(1, GrantNo::NONE)
                .say(1, Kind::Reentered, ANN, 1_000 + TTL_MS, 1),
        ),
        (
            "linearizable",
            told()
                .registered(disposition::RERUNNABLE)
                .granted(ANN, 1)
                .wrote(ANN, Wrote::FirstStart)
                .wrote(ANN, Wrote::StartedByItself)
                .at(1_000 + TTL_MS)
                .claims(2, GrantNo::NONE)
                .granted(BOB, 2)
                .wrote(BOB, Wrote::StartedBefore),
            told()
                .registered(disposition::RERUNNABLE)
                .granted(ANN, 1)
                .wrote(ANN, Wrote::FirstStart)
                .at(1_000 + TTL_MS)
                .claims(2, GrantNo::NONE)
                .granted(BOB, 2)
                .wrote(BOB, Wrote::StartedByItself),
        ),
        (
            "linearizable",
            told().registered(disposition::RERUNNABLE).granted(ANN, 1).refused(
                BOB,
                CallKind::Complete,
                refusal::SUPERSEDED,
            ),
            told().registered(disposition::RERUNNABLE).granted(ANN, 1).refused(
                BOB,
                CallKind::Complete,
                refusal::EXPIRED,
            ),
        ),
        (
            "linearizable",
            told().registered(disposition::RERUNNABLE).granted(ANN, 1).ended(ANN, 7).ended(ANN, 7),
            told().registered(disposition::RERUNNABLE).granted(ANN, 1).ended(ANN, 7).refused(
                ANN,
                CallKind::Claim,
                refusal::UNKNOWN_PROCESS,
            ),
        ),
        (
            "linearizable",
            // Another output of the same grant has no place any more; its own, sent again, does.
            told()
                .registered(disposition::RERUNNABLE)
                .granted(ANN, 1)
                .evidence(Kind::Completes, ANN, 7, 0)
                .ended(ANN, 7)
                .evidence(Kind::Completes, ANN, 8, 0)
                .refused(ANN, CallKind::Complete, refusal::TERMINAL),
            told()
                .registered(disposition::RERUNNABLE)
                .granted(ANN, 1)
                .evidence(Kind::Completes, ANN, 7, 0)
                .ended(ANN, 7)
                .evidence(Kind::Completes, ANN, 7, 0)
                .refused(ANN, CallKind::Complete, refusal::TERMINAL),
        ),
        (
            "linearizable",
            // Ann's release begins first and ends last: Bob's claim came after it all the same.
            told()
                .registered(disposition::RERUNNABLE)
                .granted(ANN, 1)
                .spans(1, ANN, 1_000, false)
                .claims(2, GrantNo::NONE)
                .granted(BOB, 2)
                .spans(1, ANN, 1_000, true)
                .released(ANN),
            // Bob had his answer before Ann's release began.
            told()
                .registered(disposition::RERUNNABLE)
                .granted(ANN, 1)
                .spans(2, GrantNo::NONE, 1_000, false)
                .claims(2, GrantNo::NONE)
                .spans(2, GrantNo::NONE, 1_000, true)
                .granted(BOB, 2),
        ),
        (
            "nobody-panics",
            told().say(0, Kind::Finished, GrantNo::NONE, 0, 0),
            told().say(0, Kind::Panicked, GrantNo::NONE, 0, 0),
        ),
        (
            "calm-ends-everything",
            told().say(0, Kind::LivenessBegan, GrantNo::NONE, 0, 0),
            told().say(0, Kind::LivenessBegan, GrantNo::NONE, 0, 0).say(
                0,
                Kind::Remained,
                GrantNo::NONE,
                Left::Row as u64,
                0,
            ),
        ),
        (
            "calm-ends-everything",
            told().say(0, Kind::LivenessBegan, GrantNo::NONE, 0, 0),
            told().say(0, Kind::LivenessBegan, GrantNo::NONE, 0, 0).say(
                0,
                Kind::Exhausted,
                GrantNo::NONE,
                0,
                0,
            ),
        ),
    ]
}

#[test]
fn every_law_accepts_what_is_lawful_and_rejects_what_is_not_where_it_happens() {
    for (number, (law, lawful, unlawful)) in cases().into_iter().enumerate() {
        assert_eq!(broken_at(law, &lawful), None, "case {number}: {law} rejects a lawful history");
        let last = unlawful.events.len() as u64 - 1;
        assert_eq!(broken_at(law, &unlawful), Some(last), "case {number}: {law} accepts an unlawful history");
    }
}

/// A history in which so many claims overlap that not every order can be tried, and none fits.
#[test]
fn a_search_for_an_order_that_is_cut_short_claims_nothing() {
    let mut history = told().registered(disposition::RERUNNABLE).granted(ANN, 1);
    for node in 10..40 {
        history = history.spans(node, GrantNo::NONE, 1_000, false);
    }
    for node in 10..40 {
        history = history.spans(node, GrantNo::NONE, 1_000, true).say(node, Kind::Busy, ANN, 0, 0);
    }
    // Lawful in any order: the first that is tried fits.
    assert_eq!(broken_at("linearizable", &history), None);
    // A renewal that nothing explains, among them.
    let mut history = told().registered(disposition::RERUNNABLE).granted(ANN, 1);
    for node in 10..40 {
        history = history.spans(node, GrantNo::NONE, 1_000, false);
    }
    for node in 11..40 {
        history = history.spans(node, GrantNo::NONE, 1_000, true).say(node, Kind::Busy, ANN, 0, 0);
    }
    history = history.spans(10, BOB, 1_000, true).say(10, Kind::Renewed, BOB, 9_000, 0);
    let mut laws = Laws::new(&Plan { ttl_ms: TTL_MS, ..Plan::quiet(0) });
    history.events.iter().for_each(|event| laws.see(event));
    let law = laws.all().into_iter().find(|law| law.name() == "linearizable").unwrap();
    assert!(matches!(law.finding(), Finding::Undecided { .. }), "{:?}", law.finding());
}

/// Where the disk may lie, only the laws about nodes are judged.
#[test]
fn a_plan_whose_disk_lies_about_syncs_is_judged_by_the_laws_that_need_no_disk() {
    let mut plan = Plan { store: Store::Sqlite, ..Plan::quiet(1) };
    plan.steps = ["0ms register p1 rerunnable 2 steps of 100ms", "0ms disk lies about syncs for 5s"]
        .map(|line| line.parse().unwrap())
        .to_vec();
    let verdict = judge(&Arc::new(plan), &Subject::fencepost());
    let judged: Vec<&str> = verdict
        .findings
        .iter()
        .filter(|judged| judged.finding == Finding::Holds)
        .map(|judged| judged.law)
        .collect();
    assert_eq!(judged, ["tokens-are-drawn", "lost-means-silent", "nobody-panics"]);
    assert_eq!(verdict.undecided().count(), verdict.findings.len() - 3);
}

#[test]
fn every_law_has_its_cases_and_a_sentence() {
    let laws = Laws::new(&Plan::quiet(0));
    for law in laws.all() {
        assert!(cases().iter().any(|(name, ..)| *name == law.name()), "{} has no case", law.name());
        assert!(law.sentence().len() > 30);
    }
}

/// Whatever one fact of a row, its log or its lease is not as it was: each alone is enough.
#[test]
fn each_acknowledged_fact_alone_must_survive() {
    const ROW: u64 = survived::IS_STARTED | survived::IS_WAITING | survived::ABANDON_REQUESTED;
    const UNTIL: u64 = 1_000 + TTL_MS;
    let running = || {
        told()
            .registered(disposition::RERUNNABLE)
            .granted(ANN, 1)
            .wrote(ANN, Wrote::FirstStart)
            .wrote(ANN, Wrote::Wait)
            .say(101, Kind::Asked, GrantNo::NONE, Wrote::AbandonRequest as u64, 0)
            .evidence(Kind::Appended, ANN, 3, 0)
    };
    let law = "acknowledged-survives";
    let sound = running().survived(ROW, 3, ANN, UNTIL);
    assert_eq!(broken_at(law, &sound), None);
    // An event that nobody was told of is there whole.
    assert_eq!(broken_at(law, &running().survived(ROW, 4, ANN, UNTIL)), None);
    for (what, bits, events, lease, until_ms) in [
        ("the first start", ROW & !survived::IS_STARTED, 3, ANN, UNTIL),
        ("the wait", ROW & !survived::IS_WAITING, 3, ANN, UNTIL),
        ("the abandon request", ROW & !survived::ABANDON_REQUESTED, 3, ANN, UNTIL),
        ("an end of nobody's", ROW | status::COMPLETED, 3, ANN, UNTIL),
        ("rows that cannot be read", ROW | survived::IS_UNREADABLE, 3, ANN, UNTIL),
        ("the last event", ROW, 2, ANN, UNTIL),
        ("the lease", ROW, 3, GrantNo::NONE, 0),
        ("another's lease", ROW, 3, BOB, UNTIL),
        ("a shorter lease", ROW, 3, ANN, UNTIL - 1),
        ("a longer lease", ROW, 3, ANN, UNTIL + 1),
    ] {
        assert!(broken_at(law, &running().survived(bits, events, lease, until_ms)).is_some(), "{what}");
    }

    let cleared = || running().wrote(ANN, Wrote::WaitCleared).released(ANN);
    let idle = ROW & !survived::IS_WAITING;
    assert_eq!(broken_at(law, &cleared().survived(idle, 3, GrantNo::NONE, 0)), None);
    assert!(
        broken_at(law, &cleared().survived(ROW, 3, GrantNo::NONE, 0)).is_some(),
        "a cleared wait is back"
    );
    assert!(broken_at(law, &cleared().survived(idle, 3, ANN, UNTIL)).is_some(), "a released lease is back");

    let ended = || running().ended(ANN, 7);
    let shown = |bits, output| {
        ended().say(0, Kind::Survived, GrantNo::NONE, survived::IS_KNOWN | bits, 3).say(
            0,
            Kind::SurvivedLease,
            GrantNo::NONE,
            0,
            output,
        )
    };
    assert_eq!(broken_at(law, &shown(idle | status::COMPLETED, 7)), None);
    assert!(broken_at(law, &shown(idle | status::COMPLETED, 8)).is_some(), "another outcome");
    assert!(broken_at(law, &shown(idle | status::FAILED, 7)).is_some(), "another end");
    assert!(broken_at(law, &shown(ROW, 7)).is_some(), "no end");
    let torn = idle | status::COMPLETED | survived::IS_TORN;
    assert!(broken_at(law, &shown(torn, 7)).is_some(), "an end beside the lease that it takes away");

    let pruned = || ended().say(101, Kind::Pruned, GrantNo::NONE, 0, 0);
    assert_eq!(broken_at(law, &pruned().say(0, Kind::Survived, GrantNo::NONE, 0, 0)), None);
    assert!(broken_at(law, &pruned().survived(0, 3, GrantNo::NONE, 0)).is_some(), "a pruned process is back");
}

/// What looks like a bug and is none. A law that objects is wrong.
#[test]
fn no_law_objects_to_what_only_looks_wrong() {
    let claimed = || told().registered(disposition::RERUNNABLE).claims(1, GrantNo::NONE).granted(ANN, 1);
    let taken_over = || claimed().at(4_000).claims(2, GrantNo::NONE).granted(BOB, 2);
    let told_of_its_loss = |told: Told| told.refused(ANN, CallKind::Complete, refusal::SUPERSEDED);
    let controls =
        [
            (
                "the same incarnation enters again, without a new token",
                claimed()
                    .claims(1, ANN)
                    .at(1_500)
                    .say(1, Kind::Reentered, ANN, 1_500 + TTL_MS, 1)
                    .at(4_001)
                    .renewed(ANN),
            ),
            (
                "a stale release answers ok and does nothing",
                taken_over().released(ANN).evidence(Kind::LeaseAfter, BOB, 0, 0).renewed(BOB),
            ),
            (
                "an expired owner is refused though nobody took over",
                claimed().at(4_001).refused(ANN, CallKind::Renew, refusal::EXPIRED),
            ),
            (
                "two bodies within the bound, and the writes of the one that lost are refused",
                told_of_its_loss(
                    claimed()
                        .wrote(ANN, Wrote::FirstStart)
                        .say(1, Kind::BodyBegan, ANN, 1, 0)
                        .at(4_002)
                        .claims(2, GrantNo::NONE)
                        .granted(BOB, 2)
                        .wrote(BOB, Wrote::StartedBefore)
                        .say(2, Kind::BodyBegan, BOB, 2, 0),
                )
                .say(1, Kind::BodyEnded, ANN, BodyEnded::Dropped as u64, 0)
                .say(2, Kind::BodyEnded, BOB, BodyEnded::Output as u64, 7)
                .ended(BOB, 7),
            ),
            (
                "an expired grant is live again after the clock stepped back",
                claimed().at(4_002).refused(ANN, CallKind::Renew, refusal::EXPIRED).at(3_500).renewed(ANN),
            ),
            (
                "an effect sent before the loss arrives before the successor's first",
                taken_over()
                    .effect(Kind::EffectTaken, ANN, 1, 0)
                    .effect(Kind::EffectTaken, BOB, 2, 1)
                    .effect(Kind::EffectRefused, ANN, 1, 2),
            ),
            (
                "an ended row is pruned while somebody waits for it",
                claimed()
                    .say(101, Kind::WaitBegan, GrantNo::NONE, 0, 1)
                    .ended(ANN, 7)
                    .say(101, Kind::Pruned, GrantNo::NONE, 0, 0)
                    .say(101, Kind::WaitEnded, GrantNo::NONE, 7, 1),
            ),
        ];
    for (what, told) in controls {
        let mut laws = Laws::new(&Plan { ttl_ms: TTL_MS, ..Plan::quiet(0) });
        told.events.iter().for_each(|event| laws.see(event));
        let objecting: Vec<(&str, Finding)> = laws
            .all()
            .into_iter()
            .map(|law| (law.name(), law.finding()))
            .filter(|(_, finding)| *finding != Finding::Holds)
            .collect();
        assert!(objecting.is_empty(), "{what}: {objecting:?}");
        let judging = laws.all().into_iter().filter(|law| law.checked() > 0).count();
        assert!(judging > 3, "{what}: {judging} laws met anything to judge");
    }
}
