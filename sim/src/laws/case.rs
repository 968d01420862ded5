//! How one history fares under one law: how often it met the law's situation, the first breach, and any doubt.

/// The verdict of one law on one history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    Holds,
    /// The number of the event that broke it, and why.
    Broken {
        at: u64,
        because: String,
    },
    Undecided {
        because: String,
    },
}

/// The receiver of a law's reports while it sees events.
#[derive(Debug, Clone, Default)]
pub struct Case {
    /// The number of the event that is being seen.
    number: u64,
    checked: u64,
    breach: Option<(u64, String)>,
    undecided: Option<String>,
}

impl Case {
    #[inline]
    pub(crate) fn turn_to(&mut self, number: u64) {
        self.number = number;
    }

    /// The place in the history of the event that is being seen.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The law's situation is met once more.
    #[inline]
    pub fn meet(&mut self) {
        self.checked += 1;
    }

    /// As often at once.
    pub fn meet_times(&mut self, times: u64) {
        self.checked += times;
    }

    /// This event breaks the law. Only the first breach of a history counts.
    pub fn breach(&mut self, because: impl FnOnce() -> String) {
        self.breach_at(self.number, because);
    }

    /// An earlier event broke the law, and only now is it known.
    pub fn breach_at(&mut self, number: u64, because: impl FnOnce() -> String) {
        if self.breach.is_none() {
            self.breach = Some((number, because()));
        }
    }

    /// From here on it cannot be told whether the law holds. The first reason counts, and a breach counts for more.
    pub fn doubt(&mut self, because: impl FnOnce() -> String) {
        if self.undecided.is_none() {
            self.undecided = Some(because());
        }
    }

    /// How often the law's situation was met: a law that met nothing has shown nothing.
    pub fn checked(&self) -> u64 {
        self.checked
    }

    pub fn finding(&self) -> Finding {
        match (&self.breach, &self.undecided) {
            (Some((at, because)), _) => Finding::Broken { at: *at, because: because.clone() },
            (None, Some(because)) => Finding::Undecided { because: because.clone() },
            (None, None) => Finding::Holds,
        }
    }
}
