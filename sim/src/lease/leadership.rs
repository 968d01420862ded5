//! The belief of a candidate that it leads: the client tells it, and the world acts on it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// The candidate's side. Dropped, the candidate no longer leads.
pub struct Leadership(Arc<LeadershipState>);

/// Both sides' shared state.
pub(crate) struct LeadershipState {
    belief: Mutex<LeaderBelief>,
    is_done: watch::Sender<bool>,
}

/// True while a candidate takes itself for the leader.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LeaderBelief {
    pub leads: bool,
    /// How often it began to.
    pub terms: u64,
}

impl Leadership {
    pub(crate) fn new() -> (Self, Arc<LeadershipState>) {
        let belief = Mutex::new(LeaderBelief::default());
        let state = Arc::new(LeadershipState { belief, is_done: watch::Sender::new(false) });
        (Self(Arc::clone(&state)), state)
    }

    /// From now on the candidate takes itself for the leader; said again, it changes nothing.
    pub fn begins(&self) {
        let mut belief = self.0.belief();
        if !belief.leads {
            *belief = LeaderBelief { leads: true, terms: belief.terms + 1 };
        }
    }

    /// From now on it does not.
    pub fn ends(&self) {
        self.0.belief().leads = false;
    }

    /// As it was last told.
    pub fn set(&self, leads: bool) {
        if leads { self.begins() } else { self.ends() }
    }

    /// Waits until the candidate's work is done: then it should give its lease back and return.
    pub async fn until_done(&self) {
        let mut is_done = self.0.is_done.subscribe();
        // The sender is on this side, too.
        drop(is_done.wait_for(|is_done| *is_done).await);
    }

    pub fn is_done(&self) -> bool {
        *self.0.is_done.borrow()
    }
}

impl Drop for Leadership {
    fn drop(&mut self) {
        self.ends();
    }
}

impl LeadershipState {
    fn belief(&self) -> MutexGuard<'_, LeaderBelief> {
        self.belief.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn now(&self) -> LeaderBelief {
        *self.belief()
    }

    /// The work is done, here or elsewhere.
    pub fn finish(&self) {
        self.is_done.send_replace(true);
    }

    pub fn is_finished(&self) -> bool {
        *self.is_done.borrow()
    }
}
