//! Promises that the author of a lease service makes. Each promise has its laws. A law without a promise is not judged, and every
//! report says so.

/// One promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeaseClaim {
    /// Every grant of a key has a fence above all earlier ones, for ever.
    FencesGrow,
    /// A write takes effect only under the grant that holds the key, unexpired, at that instant.
    WritesAreFenced,
    /// By the service's clock a key has one holder at a time. A grant that holds it is not turned away, and no call of others
    /// ends it.
    OneHolder,
    /// At its deadline a grant is gone, and one millisecond earlier it is not, for every call alike.
    ToldByDeadline,
    /// Two candidates never both take themselves for the leader of one key for longer than their clocks can be apart. Time in
    /// which either is paused does not count. Only a client makes this promise.
    OneLeader,
}

/// Laws about every service: it does not panic, and a key that nobody holds can be had.
pub const ALWAYS_JUDGED: &[&str] = &["nobody-panics", "calm-ends-everything"];

impl LeaseClaim {
    /// All that a lease service can promise.
    pub const ALL: &'static [Self] =
        &[Self::FencesGrow, Self::WritesAreFenced, Self::OneHolder, Self::ToldByDeadline];

    /// All that a client can promise: the harness sees only whom it takes for the leader.
    pub const OF_CLIENTS: &'static [Self] = &[Self::OneLeader];

    /// The laws that judge it.
    pub fn laws(self) -> &'static [&'static str] {
        match self {
            Self::FencesGrow => &["fences-only-grow", "outside-sees-fences-in-order"],
            Self::WritesAreFenced => &["stale-writer-refused"],
            Self::OneHolder => &[
                "one-live-grant",
                "live-writer-accepted",
                "release-frees-own",
                "refusal-changes-nothing",
                "bodies-overlap-within-bound",
            ],
            Self::ToldByDeadline => &["expiry-is-exact"],
            Self::OneLeader => &["bodies-overlap-within-bound"],
        }
    }

    /// As reports say it.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::FencesGrow => "fences grow",
            Self::WritesAreFenced => "writes are fenced",
            Self::OneHolder => "one holder by the service's clock",
            Self::ToldByDeadline => "the holder is told by its deadline",
            Self::OneLeader => "one leader at a time",
        }
    }
}
