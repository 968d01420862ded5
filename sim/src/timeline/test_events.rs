//! Events and histories by hand, for the tests of this folder.

use crate::history::History;
use crate::history::event::{Context, Event, GrantNo, What};
use crate::plan::Plan;

pub const NO_GRANT: GrantNo = GrantNo::NONE;

pub fn event(at_us: u64, node: u8, process: u16, grant: GrantNo, what: What) -> Event {
    Event::new(Context { at_us, clock: 0, node, process, grant }, what)
}

pub fn history(events: Vec<Event>) -> History {
    History { plan: Plan::quiet(1), grants: Vec::new(), events, notes: Vec::new() }
}
