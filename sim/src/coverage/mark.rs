//! The table of coverage marks: a line for each situation that a search must reach, with its name, the file of this folder
//! that decides when it is hit, and where it cannot be reached: without a store, or by a lease service.

use crate::plan::Store;

macro_rules! marks {
    ($($mark:ident, $name:literal, $file:ident $(, on $store:ident)? $(, of $registries:ident)?;)*) => {
        /// A situation that a search must reach.
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

            /// The store without which this mark cannot be hit; none, if any store will do.
            pub fn required_store(self) -> Option<Store> {
                match self {
                    $(Self::$mark => None$(.or(Some(Store::$store)))?,)*
                }
            }

            /// It is about what a registry does, and has no meaning for a lease service.
            pub fn needs_registry(self) -> bool {
                match self {
                    $(Self::$mark => false $(|| stringify!($registries) == "registries")?,)*
                }
            }
        }

        /// The file of each mark, and its text.
        #[cfg(test)]
        const FILES: &[(&str, &str, &str)] =
            &[$((stringify!($mark), stringify!($file), include_str!(concat!(stringify!($file), ".rs"))),)*];
    };
}

marks! {
    RenewBeforeExpiry, "renew 1 ms before expiry", expiry;
    RenewAtExpiry, "renew at expiry", expiry;
    RenewAfterExpiry, "renew 1 ms after expiry", expiry;
    ClaimBeforeExpiry, "claim 1 ms before expiry", expiry;
    ClaimAtExpiry, "claim at expiry", expiry;
    ClaimAfterExpiry, "claim 1 ms after expiry", expiry;
    WriteBeforeExpiry, "write 1 ms before expiry", expiry;
    WriteAtExpiry, "write at expiry", expiry;
    WriteAfterExpiry, "write 1 ms after expiry", expiry;
    RenewRefusedExpired, "renew refused, expired", refusals;
    RenewRefusedSuperseded, "renew refused, superseded", refusals;
    GrantRevived, "a grant revived by a clock stepped back", leases;
    FailedReadInBody, "a failed read inside a body", bodies;
    TwoBodies, "two bodies of one process at once", bodies;
    BodyPastItsLease, "a body running past its lease", bodies;
    StaleTerminalRefused, "a stale terminal write refused", refusals;
    StaleEventRefused, "a stale event refused", refusals;
    StaleWaitRefused, "a stale wait refused", refusals, of registries;
    StaleStartRefused, "a stale first start refused", refusals;
    StaleReleaseIgnored, "a stale release ignored", leases;
    ForgedLeaseRefused, "a lease that nobody was granted refused", leases;
    Reentry, "re-entry of the same incarnation", leases, of registries;
    ReentryForLess, "a re-entry that asks for less than is left", leases, of registries;
    OtherLength, "a lease won after one of another length", leases;
    OwnOldLease, "a restarted worker meets its own old lease", leases;
    ReclaimWon, "a reclaim won", leases, of registries;
    ReclaimLost, "a reclaim lost the race", leases, of registries;
    ReclaimRefusedAlive, "a reclaim refused because the holder lives", leases, of registries;
    LaterHolderDead, "a later holder dead while the starter lives", leases, of registries;
    ClaimAnswerLost, "a claim's answer lost after the write", answers, of registries;
    RenewAnswerLost, "a renewal's answer lost after the write", answers;
    CompleteAnswerLost, "a completion's answer lost after the write", answers;
    AppendAnswerLost, "an append's answer lost after the write", answers;
    RegisterAnswerLost, "a registration's answer lost after the write", answers;
    RenewalsOutOfOrder, "renewal answers out of order", answers;
    ReplayAfterEnd, "a replay onto an ended row", answers, of registries;
    LateDuplicate, "a duplicate delivered after the grant changed", answers;
    EarlierServerLife, "a request from an earlier server life", answers;
    AppliedBeforeRestart, "a request applied before a restart and sent again after it", answers;
    EndedSinceListed, "a row ended between list and claim", listings;
    StartedSinceListed, "a first start between list and claim", listings;
    OtherDispositionSinceListed, "another disposition between list and claim", listings, of registries;
    AbandonSettled, "an abandonment settled after lapse", abandonments, of registries;
    OwnerDrained, "an owner drained", abandonments, of registries;
    CancelDuringRun, "a cancel during a run", bodies, of registries;
    CrashAfterList, "a crash after list", attempts;
    CrashAfterClaim, "a crash after claim", attempts;
    CrashAfterRead, "a crash after the read", attempts;
    CrashAfterFirstStart, "a crash after first start", attempts;
    CrashInMidRun, "a crash in mid-run", attempts;
    CrashAfterRenewal, "a crash after a renewal", attempts;
    CrashAfterTerminal, "a crash after the terminal write", attempts;
    CrashBeforeRelease, "a crash before the release", attempts;
    RegistryCrashWithCalls, "a registry crash with calls in flight", registry_crashes;
    StoreWaitAcrossExpiry, "a wait for the store across an expiry", expiry;
    WriteAfterReadingAcrossExpiry, "an expiry between a decision's reading and its write", expiry;
    NewLifeWithOldWriter, "a new life while an old writer lives", bodies;
    SteppedForwardAcrossExpiry, "the registry's clock stepped forward across an expiry", clocks;
    SteppedBackAcrossExpiry, "the registry's clock stepped back across an expiry", clocks;
    WorkerClockFast, "a worker's clock fast", clocks;
    WorkerClockSlow, "a worker's clock slow", clocks;
    WorkerClockStepped, "a worker's clock stepped", clocks;
    PauseBeyondTtl, "a pause longer than the ttl in mid-attempt", attempts;
    OneWayCut, "a partition of one direction only", partitions;
    ParentWithBoundOfOne, "a parent waiting with a bound of one", bodies, of registries;
    FenceNearCeiling, "a fence near its ceiling", leases, of registries;
    WakeAcked, "a wake acked", handles, of registries;
    WakeReplayed, "a wake replayed", handles, of registries;
    ExternalRefSet, "an external reference set", host_calls, of registries;
    HandleRevoked, "a handle revoked", host_calls, of registries;
    HandlesListed, "the handles of a scope listed", host_calls, of registries;
    SessionDeleted, "a session deleted", host_calls, of registries;
    EventsCounted, "events of a log counted", host_calls, of registries;
    HostStarted, "a first start by a host", host_calls, of registries;
    HostWaited, "a wait set by a host", host_calls, of registries;
    HostEnded, "an end by a host", host_calls, of registries;
    TransferRefusedHalfWay, "a transfer refused half way", handles, of registries;
    CrashWithUnsyncedPages, "a registry crash with unsynced pages", registry_crashes, on Sqlite;
    CommitFailed, "an I/O error on commit", commits, on Sqlite;
    FailedCommitIsThere, "a failed commit that is there after all", commits, on Sqlite;
    AnsweredFromRecoveredLog, "an answer from a recovered log before a crash of the machine", registry_crashes, on Sqlite;
}

impl Mark {
    /// True if the plan's header sets it up in our own stores, which it cannot do in another registry's.
    pub fn needs_our_store(self) -> bool {
        self == Self::FenceNearCeiling
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mark_is_decided_in_the_file_that_its_line_names_and_in_no_other() {
        for (mark, file, _) in FILES {
            let is_hit_in = |text: &str| {
                text.split(|letter: char| !letter.is_alphanumeric() && letter != ':')
                    .any(|word| word == format!("Mark::{mark}"))
            };
            for (_, other, text) in FILES {
                assert_eq!(is_hit_in(text), file == other, "`Mark::{mark}` in {other}.rs");
            }
        }
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<_> = Mark::ALL.iter().map(|mark| mark.name()).collect();
        assert_eq!(names.len(), Mark::ALL.len());
    }
}
