//! A recorded run: the plan, every event, and the names of its grants. It is plain data: it can be written to a file, judged
//! again by later laws, compared and drawn. The types of events are in `event/`, their English phrases in `words.rs`.

mod clock_hint;
mod difference;
pub mod event;
pub mod stored;
mod words;

use serde::{Deserialize, Serialize};

use crate::history::event::{Event, GrantName, RunningHash, Witness};
use crate::plan::{Node, Plan};

pub use words::EventPhrase;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    pub plan: Plan,
    pub grants: Vec<GrantName>,
    pub events: Vec<Event>,
    /// More about some events, for reports: no law hears it, and no hash has it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<EventNote>,
}

/// Text that the recorder adds to an event, such as both sides of a difference, shortened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventNote {
    /// The event's place in the history.
    pub place: u64,
    pub lines: Vec<String>,
}

impl History {
    /// The fence of the event's grant.
    pub fn fence(&self, event: &Event) -> Option<u64> {
        event.grant.index().and_then(|index| self.grants.get(index)).map(|name| name.fence)
    }

    /// The hash of all events; a run that was hashed and not recorded has the same one.
    pub fn hash(&self) -> u64 {
        let mut hash = RunningHash::default();
        self.events.iter().for_each(|event| hash.see(event));
        hash.value()
    }

    /// More about the event at this place.
    pub fn notes_of(&self, place: u64) -> impl Iterator<Item = &str> {
        let notes = self.notes.iter().filter(move |note| note.place == place);
        notes.flat_map(|note| note.lines.iter().map(String::as_str))
    }

    /// An event as a line: its time, its node and its phrase.
    pub fn line(&self, place: usize) -> String {
        match self.events.get(place) {
            None => "no event: the run was over".to_owned(),
            Some(event) => format!(
                "{:>12} us  {:<9} {}",
                event.at_us,
                Node::from_code(event.node).to_string(),
                self.phrase(event)
            ),
        }
    }

    /// An event as an English phrase, such as "granted p1 fence 2".
    pub fn phrase<'a>(&'a self, event: &'a Event) -> EventPhrase<'a> {
        EventPhrase::new(self, event)
    }
}
