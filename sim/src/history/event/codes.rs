//! The small vocabularies that events carry, each with its number in the stored form. Numbers are part of every history's
//! hash, so none is ever reused.

use fencepost::model::process::{AbandonWriter, RecoveryDisposition};

/// A vocabulary whose words have stored numbers.
pub(super) trait Coded: Sized + Copy + 'static {
    const CODES: &'static [(Self, u64)];

    fn code(self) -> u64;

    /// The word with this number; the last one for a number that no run writes.
    fn from_code(code: u64) -> Self {
        let found = Self::CODES.iter().find(|(_, known)| *known == code);
        found.or(Self::CODES.last()).map_or_else(|| unreachable!("no vocabulary is empty"), |(word, _)| *word)
    }
}

macro_rules! coded {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$about:meta])* $word:ident = $code:literal, $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u64)]
        pub enum $name { $($(#[$about])* $word = $code,)* }

        impl $name {
            /// As people say it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$word => $text,)* }
            }
        }

        impl Coded for $name {
            const CODES: &'static [(Self, u64)] = &[$((Self::$word, $code),)*];

            #[inline]
            fn code(self) -> u64 {
                self as u64
            }

            #[inline]
            fn from_code(code: u64) -> Self {
                match code { $($code => Self::$word,)* _ => Self::CODES[Self::CODES.len() - 1].0 }
            }
        }
    };
}

coded! {
    /// One write of an execution or of a host, as it took effect.
    pub enum Write {
        FirstStart = 1, "first start";
        Wait = 2, "wait";
        WaitCleared = 3, "wait cleared";
        Progress = 4, "event";
        AbandonRequest = 5, "abandon requested";
        Signal = 6, "signal";
        CancelRequest = 7, "cancel requested";
        /// A first start was presented, and the very same grant had started the process already.
        StartedByItself = 9, "started by itself";
        WakeAcked = 10, "wake acked";
        HandleGranted = 11, "handle granted";
        HandlesMoved = 12, "handles moved";
        /// A first start was presented, and an earlier grant had started the process already.
        StartedBefore = 8, "started before";
    }
}

coded! {
    /// The kinds of calls that events tell apart.
    pub enum CallKind {
        Claim = 1, "claim";
        Reclaim = 2, "reclaim";
        Renew = 3, "renew";
        Release = 4, "release";
        Start = 5, "start";
        Emit = 6, "emit";
        SetWait = 7, "set wait";
        ClearWait = 8, "clear wait";
        Complete = 9, "complete";
        UnfencedStart = 10, "start (unfenced)";
        UnfencedEmit = 11, "emit (unfenced)";
        UnfencedSetWait = 12, "set wait (unfenced)";
        UnfencedClearWait = 13, "clear wait (unfenced)";
        UnfencedComplete = 14, "complete (unfenced)";
        Register = 15, "register";
        Abandon = 16, "abandon";
        Prune = 17, "prune";
        Read = 18, "read";
        GrantHandle = 20, "grant handle";
        Transfer = 21, "transfer";
        Ack = 22, "ack";
        Other = 19, "call";
    }
}

coded! {
    /// How a call was answered, as far as laws tell answers apart.
    pub enum CallResult {
        Done = 0, "ok";
        UnknownProcess = 1, "unknown process";
        InvalidArgument = 2, "invalid argument";
        AlreadyTerminal = 3, "already terminal";
        LeaseRequired = 4, "lease required";
        Superseded = 5, "superseded";
        Expired = 6, "expired";
        FenceExhausted = 7, "fence exhausted";
        /// Failed before its commit: nothing changed.
        Failed = 9, "failed";
        OutcomeUnknown = 10, "outcome unknown";
        /// Answered, but not with the lease: somebody else holds it.
        Busy = 11, "busy";
        /// Expired, superseded, ended or unknown: the registry cannot tell them apart.
        LeaseLost = 12, "lease lost";
        OtherRefusal = 8, "refused";
    }
}

impl CallResult {
    /// The grant, or the process it was for, is gone.
    pub fn is_loss(self) -> bool {
        matches!(
            self,
            Self::UnknownProcess | Self::AlreadyTerminal | Self::Superseded | Self::Expired | Self::LeaseLost
        )
    }

    /// True where this answer says what that one says, perhaps less exactly.
    pub fn stands_for(self, exact: Self) -> bool {
        self == exact || self == Self::LeaseLost && exact.is_loss()
    }
}

coded! {
    /// A process's status, without its output.
    pub enum Status {
        Running = 0, "running";
        Completed = 1, "completed";
        Failed = 2, "failed";
        Cancelled = 3, "cancelled";
        Abandoned = 4, "abandoned";
    }
}

coded! {
    /// The fate of a call with an unknown outcome, once it can be seen.
    pub enum TurnedOut {
        NotApplied = 0, "was not applied";
        Applied = 1, "was applied";
        /// Only half of the write is stored.
        Partly = 2, "was applied in part";
    }
}

coded! {
    /// How a body's run ended.
    pub enum BodyOutcome {
        /// It gave an output.
        Output = 1, "body ends";
        /// Dropped in the middle.
        Dropped = 2, "body dropped";
        /// The infrastructure failed under it.
        Broke = 3, "body ends";
    }
}

coded! {
    /// Something that the liveness phase should have ended and did not.
    pub enum Leftover {
        /// A row that ends without any request.
        Row = 1, "row";
        /// A row that was asked to end.
        RowAsked = 2, "row that was asked to end";
        Lease = 3, "lease";
        Waiter = 4, "waiter";
    }
}

impl Coded for RecoveryDisposition {
    const CODES: &'static [(Self, u64)] =
        &[(Self::Rerunnable, 0), (Self::OwnerBound, 1), (Self::ExternallyOwned, 2)];

    fn code(self) -> u64 {
        match self {
            Self::Rerunnable => 0,
            Self::OwnerBound => 1,
            Self::ExternallyOwned => 2,
        }
    }
}

impl Coded for AbandonWriter {
    const CODES: &'static [(Self, u64)] =
        &[(Self::OwnerDrain, 1), (Self::Sweep, 2), (Self::ReconciledRequest, 3)];

    fn code(self) -> u64 {
        match self {
            Self::OwnerDrain => 1,
            Self::Sweep => 2,
            Self::ReconciledRequest => 3,
        }
    }
}

coded! {
    /// Why answers were not held against the reference model.
    pub enum Unjudged {
        None = 0, "none was left out";
        OrderUnknown = 1, "writes overlapped, and nobody knows the order they were decided in";
        TooManyOutcomes = 2, "too many calls had an outcome that nobody knows";
        ReadingUnknown = 3, "nobody knows the reading of the clock that a call was decided on";
    }
}

/// Facts that may justify giving a process up, at the moment it was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Licence {
    /// The starter's life was over.
    pub is_starter_dead: bool,
    /// Probes lied about the starter.
    pub do_probes_lie: bool,
    /// The caller is the very life that started it.
    pub is_by_starter: bool,
}

impl Licence {
    const BITS: [u64; 3] = [1, 2, 4];

    pub(super) fn code(self) -> u64 {
        let flags = [self.is_starter_dead, self.do_probes_lie, self.is_by_starter];
        flags.into_iter().zip(Self::BITS).filter(|(is_set, _)| *is_set).map(|(_, bit)| bit).sum()
    }

    pub(super) fn from_code(code: u64) -> Self {
        let [is_starter_dead, do_probes_lie, is_by_starter] = Self::BITS.map(|bit| code & bit != 0);
        Self { is_starter_dead, do_probes_lie, is_by_starter }
    }
}

/// The parts of a node that a crash takes away, besides its tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CrashDamage {
    /// The machine lost power, and not only the process died.
    pub is_of_machine: bool,
    /// The disk had been given writes that it was not told to sync.
    pub had_unsynced_pages: bool,
}

impl CrashDamage {
    pub(super) fn code(self) -> u64 {
        u64::from(self.is_of_machine) | u64::from(self.had_unsynced_pages) << 1
    }

    pub(super) fn from_code(code: u64) -> Self {
        Self { is_of_machine: code & 1 != 0, had_unsynced_pages: code & 2 != 0 }
    }
}

/// A row as an opened store shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SurvivingRow {
    /// The store does not know the process.
    Gone,
    /// It, or all of the store, cannot be read, and the disk is sound.
    Unreadable,
    Known {
        status: Status,
        is_started: bool,
        is_waiting: bool,
        is_abandon_requested: bool,
        /// The rows that are there do not fit each other.
        is_torn: bool,
    },
}

impl SurvivingRow {
    const KNOWN: u64 = 1 << 8;
    const STARTED: u64 = 1 << 9;
    const WAITING: u64 = 1 << 10;
    const ABANDON_REQUESTED: u64 = 1 << 11;
    const TORN: u64 = 1 << 12;
    const UNREADABLE: u64 = 1 << 13;

    pub(super) fn code(self) -> u64 {
        match self {
            Self::Gone => 0,
            Self::Unreadable => Self::UNREADABLE,
            Self::Known { status, is_started, is_waiting, is_abandon_requested, is_torn } => {
                let bit = |is_set: bool, bit: u64| if is_set { bit } else { 0 };
                Self::KNOWN
                    | status.code()
                    | bit(is_started, Self::STARTED)
                    | bit(is_waiting, Self::WAITING)
                    | bit(is_abandon_requested, Self::ABANDON_REQUESTED)
                    | bit(is_torn, Self::TORN)
            }
        }
    }

    pub(super) fn from_code(code: u64) -> Self {
        let has = |bit: u64| code & bit != 0;
        if has(Self::UNREADABLE) {
            return Self::Unreadable;
        }
        if !has(Self::KNOWN) {
            return Self::Gone;
        }
        Self::Known {
            status: Status::from_code(code & 0xff),
            is_started: has(Self::STARTED),
            is_waiting: has(Self::WAITING),
            is_abandon_requested: has(Self::ABANDON_REQUESTED),
            is_torn: has(Self::TORN),
        }
    }
}
