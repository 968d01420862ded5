//! The world's own view of the registry's rows, from the answers the registry gave: enough to aim a fault at an expiry, and to
//! tell when the liveness phase has done its work. Laws do not read it.

use fencepost::model::process::RecoveryDisposition;

use crate::history::event::GrantNo;
use crate::plan::step::Body;

#[derive(Debug, Clone, Default)]
pub struct RowView {
    /// The registration that made the present life, if there is one.
    pub body: Option<Body>,
    /// When that registration was answered.
    pub registered_us: u64,
    pub disposition: Option<RecoveryDisposition>,
    pub is_terminal: bool,
    /// An answer of another registry spoke of its end, which nobody saw decided: a crash may have cut a decision that took
    /// time between the write and its answer.
    pub was_told_ended: bool,
    /// The hash of the first start, if it was started.
    pub first_start: Option<u64>,
    pub started_by: Option<GrantNo>,
    /// The liveness phase has asked it to end.
    pub is_asked: bool,
    /// It has no fence left: nobody can hold it again.
    pub is_exhausted: bool,
    pub signals: u64,
    pub cancels: u64,
    /// Expiry by the registry's clock.
    pub lease: Option<(u64, GrantNo)>,
    /// The last grant that each node presented.
    pub presented: Vec<(u8, GrantNo)>,
}

impl RowView {
    pub fn has_ended(&self) -> bool {
        self.is_terminal || self.was_told_ended
    }
}

#[derive(Default)]
pub struct RowViews {
    rows: Vec<RowView>,
}

impl RowViews {
    /// The view of a process; made when it is asked for first.
    pub fn get_mut(&mut self, process: u16) -> &mut RowView {
        let place = usize::from(process);
        if self.rows.len() <= place {
            self.rows.resize_with(place + 1, RowView::default);
        }
        &mut self.rows[place]
    }

    pub fn get(&self, process: u16) -> Option<&RowView> {
        self.rows.get(usize::from(process))
    }

    pub fn iter(&self) -> impl Iterator<Item = (u16, &RowView)> {
        (0..).zip(&self.rows)
    }

    /// One more than the highest process that was ever asked for.
    pub fn len(&self) -> u16 {
        self.rows.len() as u16
    }
}
