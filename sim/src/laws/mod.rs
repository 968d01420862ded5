//! The laws: sentences about histories, one file each. A law works out what it expects from what was granted, asked and
//! answered; none reads a rule of the system. To add one, write its file and give it a line in the list below.

pub mod case;
pub mod explain;
pub mod judged_answers;
pub mod law;
mod state;

use crate::history::event::{Event, Witness};
use crate::laws::case::Case;
use crate::laws::law::{Law, Side, bit};
use crate::plan::Plan;

pub use case::Finding;
pub use law::LawCard;

macro_rules! laws {
    ($($module:ident::$law:ident;)*) => {
        $(pub mod $module;)*

        /// The card of every law.
        pub static CARDS: &[&LawCard] = &[$(&$module::$law::CARD,)*];

        /// The side that acted wrongly when the law of this name is broken.
        pub fn side_of(name: &str) -> Option<Side> {
            $(if name == $module::$law::CARD.name {
                return Some($module::$law::SIDE);
            })*
            None
        }

        /// Every law, as one witness. Each sees only the kinds of events that its card lists.
        pub struct Laws {
            events_seen: u64,
            $($module: (Case, $module::$law),)*
        }

        impl Laws {
            pub fn new(plan: &Plan) -> Self {
                Self { events_seen: 0, $($module: (Case::default(), $module::$law::new(plan)),)* }
            }

            /// How the events so far fare under each law, in the order of the cards.
            pub fn all(&self) -> Vec<LawResult<'_>> {
                vec![$(LawResult { card: &$module::$law::CARD, case: &self.$module.0 },)*]
            }
        }

        impl Witness for Laws {
            fn see(&mut self, event: &Event) {
                let number = self.events_seen;
                self.events_seen += 1;
                let (kind, what) = (bit(event.kind()), event.what());
                $(if kind & const { $module::$law::CARD.mask() } != 0 {
                    let (case, law) = &mut self.$module;
                    case.turn_to(number);
                    law.see(event, what, case);
                })*
            }
        }

        /// Each law's card, and whether the law's match takes the event.
        #[cfg(test)]
        fn matched(event: &Event) -> Vec<(&'static LawCard, bool)> {
            let matches = |see: fn(&Event)| std::panic::catch_unwind(|| see(event)).is_ok();
            vec![$({
                let see = |event: &Event| {
                    $module::$law::new(&Plan::quiet(0)).see(event, event.what(), &mut Case::default());
                };
                (&$module::$law::CARD, matches(see))
            },)*]
        }
    };
}

laws! {
    one_live_grant::OneLiveGrant;
    fences_only_grow::FencesOnlyGrow;
    stale_writer_refused::StaleWriterRefused;
    live_writer_accepted::LiveWriterAccepted;
    refusal_changes_nothing::RefusalChangesNothing;
    release_frees_own::ReleaseFreesOwn;
    reclaim_takes_the_observed_dead::ReclaimTakesTheObservedDead;
    expiry_is_exact::ExpiryIsExact;
    leases_last_as_asked::LeasesLastAsAsked;
    tokens_are_drawn::TokensAreDrawn;
    lives_do_not_mix::LivesDoNotMix;
    nothing_after_the_end::NothingAfterTheEnd;
    externally_owned_never_runs::ExternallyOwnedNeverRuns;
    starts_are_first::StartsAreFirst;
    abandonment_is_licensed::AbandonmentIsLicensed;
    outcomes_are_not_dropped::OutcomesAreNotDropped;
    log_is_dense::LogIsDense;
    replay_key_is_one_event::ReplayKeyIsOneEvent;
    ends_once::EndsOnce;
    owner_bound_starts_once::OwnerBoundStartsOnce;
    lost_means_silent::LostMeansSilent;
    outside_sees_fences_in_order::OutsideSeesFencesInOrder;
    bodies_overlap_within_bound::BodiesOverlapWithinBound;
    waits_tell_the_truth::WaitsTellTheTruth;
    acknowledged_survives::AcknowledgedSurvives;
    linearizable::Linearizable;
    answers_match_the_model::AnswersMatchTheModel;
    calls_apply_once::CallsApplyOnce;
    nobody_panics::NobodyPanics;
    calm_ends_everything::CalmEndsEverything;
}

/// The card of the law of this name.
pub fn card(name: &str) -> Option<&'static LawCard> {
    CARDS.iter().find(|card| card.name == name).copied()
}

/// The name of the law that must catch the planted bug of this name. A planted bug that no law's card claims does not compile.
pub const fn that_catches(planted_bug: &str) -> &'static str {
    let mut place = 0;
    while place < CARDS.len() {
        if CARDS[place].must_catch(planted_bug) {
            return CARDS[place].name;
        }
        place += 1;
    }
    panic!("no law's card claims this planted bug");
}

/// How one history fares under one law.
#[derive(Clone, Copy)]
pub struct LawResult<'a> {
    pub card: &'static LawCard,
    case: &'a Case,
}

impl LawResult<'_> {
    pub fn name(&self) -> &'static str {
        self.card.name
    }

    pub fn sentence(&self) -> &'static str {
        self.card.sentence
    }

    pub fn finding(&self) -> Finding {
        self.case.finding()
    }

    /// How often the law's situation was met: a law that met nothing has shown nothing.
    pub fn checked(&self) -> u64 {
        self.case.checked()
    }
}

impl Laws {
    /// All laws, without what a subject does not claim of each.
    pub fn for_claims(plan: &Plan, not_claimed: &[impl AsRef<str>]) -> Self {
        let mut laws = Self::new(plan);
        laws.fences_only_grow.1.not_claiming(not_claimed);
        laws.linearizable.1.not_claiming(not_claimed);
        laws.stale_writer_refused.1.not_claiming(not_claimed);
        laws
    }

    /// The names of all laws.
    pub fn names() -> Vec<&'static str> {
        CARDS.iter().map(|card| card.name).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde::de::value::{Error, U32Deserializer};

    use super::*;
    use crate::history::event::EventKind;

    fn kind(number: u32) -> Option<EventKind> {
        EventKind::deserialize(U32Deserializer::<Error>::new(number)).ok()
    }

    /// An event of the kind, with the first small numbers that it can carry.
    fn sample(kind: EventKind) -> Option<Event> {
        let numbers = (0..24).chain([256, 257, 258, 1 << 12]);
        let mut pairs = numbers.flat_map(|a| (0..24).map(move |b| (a, b)));
        pairs.find_map(|(a, b)| {
            let text = serde_json::json!({
                "at_us": 1, "clock": 1, "a": a, "b": b, "grant": 0, "process": 1, "node": 1, "kind": kind,
            });
            serde_json::from_value(text).ok()
        })
    }

    /// A kind that a law matches and its card does not list would be left out of every run, silently.
    #[test]
    fn no_law_matches_an_event_that_its_card_does_not_list() {
        let kinds: Vec<EventKind> = (0_u32..).map_while(kind).collect();
        assert_eq!(kinds.last(), Some(&EventKind::Believed));
        for kind in kinds {
            let event = sample(kind).unwrap_or_else(|| panic!("no numbers make an event {kind:?}"));
            for (card, is_matched) in matched(&event) {
                assert!(card.hears.contains(&kind) || !is_matched, "{} matches {kind:?}", card.name);
            }
        }
    }
}
