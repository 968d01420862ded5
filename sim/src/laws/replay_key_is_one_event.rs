//! The law replay-key-is-one-event: an append that is sent again with its replay key stores nothing new.

use std::collections::BTreeMap;

use crate::history::event::{Event, EventKind, What};
use crate::laws::case::Case;
use crate::laws::explain::{Evidence, Explanation};
use crate::laws::law::{Assumption, Law, LawCard, unheard};
use crate::laws::state::by_process::ByProcess;

#[derive(Default)]
pub struct ReplayKeyIsOneEvent {
    /// The sequence of the event that was stored with a replay key, by the key's hash.
    keys: ByProcess<BTreeMap<u64, u64>>,
}

impl Law for ReplayKeyIsOneEvent {
    const CARD: LawCard = LawCard {
        name: "replay-key-is-one-event",
        sentence: "within a life one replay key is one event",
        hears: &[EventKind::Appended, EventKind::Pruned],
        needs: &[Assumption::DiskSyncs],
        judges_unordered: false,
        is_about_panics: false,
        catches: &["replay-appends-again"],
        explain,
    };

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        let keys = self.keys.of(event.process);
        match what {
            What::Pruned => keys.clear(),
            // An append without a key.
            What::Appended { replay_key: 0, .. } => {}
            What::Appended { sequence, replay_key } => {
                case.meet();
                let first = *keys.entry(replay_key).or_insert(sequence);
                if first != sequence {
                    case.breach(|| {
                        format!(
                            "an append with the replay key of event {first} was stored again as event {sequence}; right: answered \
                             with event {first}, and nothing stored"
                        )
                    });
                }
            }
            _ => unheard(what),
        }
    }
}

fn explain(evidence: &Evidence<'_>) -> Option<Explanation> {
    let What::Appended { replay_key: repeated, .. } = evidence.breach.what() else { return None };
    evidence.earliest_of_life(
        "the same replay key had been stored",
        |event| matches!(event.what(), What::Appended { replay_key, .. } if replay_key == repeated),
    )
}
