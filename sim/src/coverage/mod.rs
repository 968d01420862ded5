//! Marks: situations that a search must have reached, or its silence means nothing. A mark judges nobody; it only says that
//! the world was there. [`Marks`] is a witness: what it needs to know it works out from events, as laws do.

mod observer;

use crate::history::event::{Event, Witness};
use crate::plan::{Plan, Store};

use observer::Sight;

macro_rules! marks {
    ($($mark:ident = $name:literal;)*) => {
        /// A situation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Mark {
            $($mark,)*
        }

        impl Mark {
            pub const ALL: &'static [Self] = &[$(Self::$mark,)*];

            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$mark => $name,)*
                }
            }
        }
    };
}

marks! {
    RenewBeforeExpiry = "renew 1 ms before expiry";
    RenewAtExpiry = "renew at expiry";
    RenewAfterExpiry = "renew 1 ms after expiry";
    ClaimBeforeExpiry = "claim 1 ms before expiry";
    ClaimAtExpiry = "claim at expiry";
    ClaimAfterExpiry = "claim 1 ms after expiry";
    WriteBeforeExpiry = "write 1 ms before expiry";
    WriteAtExpiry = "write at expiry";
    WriteAfterExpiry = "write 1 ms after expiry";
    RenewRefusedExpired = "renew refused, expired";
    RenewRefusedSuperseded = "renew refused, superseded";
    GrantRevived = "a grant revived by a clock stepped back";
    TwoBodies = "two bodies of one process at once";
    BodyPastItsLease = "a body running past its lease";
    StaleTerminalRefused = "a stale terminal write refused";
    StaleEventRefused = "a stale event refused";
    StaleWaitRefused = "a stale wait refused";
    StaleStartRefused = "a stale first start refused";
    StaleReleaseIgnored = "a stale release ignored";
    Reentry = "re-entry of the same incarnation";
    OwnOldLease = "a restarted worker meets its own old lease";
    ReclaimWon = "a reclaim won";
    ReclaimLost = "a reclaim lost the race";
    ReclaimRefusedAlive = "a reclaim refused because the holder lives";
    LaterHolderDead = "a later holder dead while the starter lives";
    ClaimAnswerLost = "a claim's answer lost after the write";
    RenewAnswerLost = "a renewal's answer lost after the write";
    CompleteAnswerLost = "a completion's answer lost after the write";
    AppendAnswerLost = "an append's answer lost after the write";
    RegisterAnswerLost = "a registration's answer lost after the write";
    RenewalsOutOfOrder = "renewal answers out of order";
    LateDuplicate = "a duplicate delivered after the grant changed";
    EarlierServerLife = "a request from an earlier server life";
    EndedSinceListed = "a row ended between list and claim";
    StartedSinceListed = "a first start between list and claim";
    OtherDispositionSinceListed = "another disposition between list and claim";
    AbandonSettled = "an abandonment settled after lapse";
    OwnerDrained = "an owner drained";
    CancelDuringRun = "a cancel during a run";
    CrashAfterList = "a crash after list";
    CrashAfterClaim = "a crash after claim";
    CrashAfterRead = "a crash after the read";
    CrashAfterFirstStart = "a crash after first start";
    CrashInMidRun = "a crash in mid-run";
    CrashAfterRenewal = "a crash after a renewal";
    CrashAfterTerminal = "a crash after the terminal write";
    CrashBeforeRelease = "a crash before the release";
    RegistryCrashWithCalls = "a registry crash with calls in flight";
    StoreWaitAcrossExpiry = "a wait for the store across an expiry";
    NewLifeWithOldWriter = "a new life while an old writer lives";
    SteppedForwardAcrossExpiry = "the registry's clock stepped forward across an expiry";
    SteppedBackAcrossExpiry = "the registry's clock stepped back across an expiry";
    WorkerClockFast = "a worker's clock fast";
    WorkerClockSlow = "a worker's clock slow";
    WorkerClockStepped = "a worker's clock stepped";
    PauseBeyondTtl = "a pause longer than the ttl in mid-attempt";
    OneWayCut = "a partition of one direction only";
    ParentWithBoundOfOne = "a parent waiting with a bound of one";
    FenceNearCeiling = "a fence near its ceiling";
    WakeAcked = "a wake acked";
    WakeReplayed = "a wake replayed";
    TransferRefusedHalfWay = "a transfer refused half way";
    CrashWithUnsyncedPages = "a registry crash with unsynced pages";
    CommitFailed = "an I/O error on commit";
    FailedCommitIsThere = "a failed commit that is there after all";
    AnsweredFromRecoveredLog = "an answer from a recovered log before a crash of the machine";
}

impl Mark {
    /// The store without which it cannot be reached.
    pub fn needs(self) -> Option<Store> {
        let is_of_the_disk = matches!(
            self,
            Self::CrashWithUnsyncedPages
                | Self::CommitFailed
                | Self::FailedCommitIsThere
                | Self::AnsweredFromRecoveredLog
        );
        is_of_the_disk.then_some(Store::Sqlite)
    }
}

/// How often each mark was hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hits(Vec<u64>);

impl Default for Hits {
    fn default() -> Self {
        Self(vec![0; Mark::ALL.len()])
    }
}

impl Hits {
    pub fn hit(&mut self, mark: Mark) {
        self.0[mark as usize] += 1;
    }

    pub fn of(&self, mark: Mark) -> u64 {
        self.0[mark as usize]
    }

    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(sum, more)| *sum += more);
    }

    /// What was never reached, of what worlds with these stores can reach.
    pub fn missed(&self, stores: &[Store]) -> Vec<Mark> {
        let can_be_reached = |mark: &Mark| mark.needs().is_none_or(|store| stores.contains(&store));
        Mark::ALL.iter().copied().filter(can_be_reached).filter(|mark| self.of(*mark) == 0).collect()
    }
}

/// Looks for every mark.
pub struct Marks {
    pub hits: Hits,
    sight: Sight,
}

impl Marks {
    pub fn new(plan: &Plan) -> Self {
        let mut hits = Hits::default();
        let sight = Sight::new(plan, &mut hits);
        Self { hits, sight }
    }
}

impl Witness for Marks {
    fn see(&mut self, event: &Event) {
        self.sight.see(event, &mut self.hits);
    }
}
