//! The laws: sentences about histories. Each is a witness of the stream of events and a judgement at its end; none reads a
//! rule of the system, and what it expects it works out itself from what was granted, asked and said. One family per file.

mod course;
mod ending;
mod exactness;
mod fences;
mod grants;
mod length;
mod linearizable;
mod log;
mod outside;
mod overlap;
mod silence;
mod survival;
mod waits;

use crate::history::event::{Event, Kind, NO_PROCESS, Witness};
use crate::plan::Plan;

pub use course::{
    AbandonmentIsLicensed, ExternallyOwnedNeverRuns, NothingAfterTheEnd, OutcomesAreNotDropped,
    StartsAreFirst,
};
pub use ending::{CalmEndsEverything, EndsOnce, NobodyPanics, OwnerBoundStartsOnce};
pub use exactness::{
    ExpiryIsExact, LivesDoNotMix, ReclaimTakesTheObservedDead, RefusalChangesNothing, ReleaseFreesOwn,
    TokensAreDrawn,
};
pub use fences::FencesOnlyGrow;
pub use grants::{LiveWriterAccepted, OneLiveGrant, StaleWriterRefused};
pub use length::LeasesLastAsAsked;
pub use linearizable::Linearizable;
pub use log::{LogIsDense, ReplayKeyIsOneEvent};
pub use outside::OutsideSeesFencesInOrder;
pub use overlap::BodiesOverlapWithinBound;
pub use silence::LostMeansSilent;
pub use survival::AcknowledgedSurvives;
pub use waits::WaitsTellTheTruth;

/// What a law has to say of one history.
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

/// A sentence about histories.
pub trait Law {
    fn name(&self) -> &'static str;
    fn sentence(&self) -> &'static str;
    /// `number` is the event's place in the stream.
    fn see(&mut self, number: u64, event: &Event);
    fn case(&self) -> &Case;

    /// Why it could not be told whether it holds.
    fn undecided(&self) -> Option<&str> {
        None
    }

    fn finding(&self) -> Finding {
        match (&self.case().breach, self.undecided()) {
            (Some((at, because)), _) => Finding::Broken { at: *at, because: because.clone() },
            (None, Some(because)) => Finding::Undecided { because: because.to_owned() },
            (None, None) => Finding::Holds,
        }
    }

    /// How often its situation was met: a law that met nothing has shown nothing.
    fn checked(&self) -> u64 {
        self.case().checked
    }
}

/// What every law keeps: how often it was met, and its first breach.
#[derive(Debug, Clone, Default)]
pub struct Case {
    checked: u64,
    breach: Option<(u64, String)>,
}

impl Case {
    pub fn meet(&mut self) {
        self.checked += 1;
    }

    pub fn breach(&mut self, number: u64, because: impl FnOnce() -> String) {
        if self.breach.is_none() {
            self.breach = Some((number, because()));
        }
    }
}

/// A value per process, there when it is first asked for; and one for what is about none.
#[derive(Debug, Clone, Default)]
pub struct ByProcess<T> {
    rows: Vec<T>,
    of_none: T,
}

impl<T: Default> ByProcess<T> {
    pub fn of(&mut self, process: u16) -> &mut T {
        if process == NO_PROCESS {
            return &mut self.of_none;
        }
        let place = usize::from(process);
        if self.rows.len() <= place {
            self.rows.resize_with(place + 1, T::default);
        }
        &mut self.rows[place]
    }

    /// Of every process.
    pub fn all(&mut self) -> impl Iterator<Item = &mut T> {
        self.rows.iter_mut()
    }
}

macro_rules! laws {
    ($($field:ident : $law:ty = $new:expr, on $($kind:ident)|+;)*) => {
        /// Every law, as one witness. Each hears only the kinds of events that concern it.
        pub struct Laws {
            seen: u64,
            $($field: $law,)*
        }

        impl Laws {
            pub fn new(plan: &Plan) -> Self {
                Self { seen: 0, $($field: ($new as fn(&Plan) -> $law)(plan),)* }
            }

            /// The names of all laws.
            pub fn names() -> Vec<&'static str> {
                Self::new(&Plan::quiet(0)).all().into_iter().map(Law::name).collect()
            }

            pub fn all(&self) -> Vec<&dyn Law> {
                vec![$(&self.$field,)*]
            }
        }

        impl Witness for Laws {
            fn see(&mut self, event: &Event) {
                let number = self.seen;
                self.seen += 1;
                $(if matches!(event.kind, $(Kind::$kind)|+) {
                    self.$field.see(number, event);
                })*
            }
        }
    };
}

laws! {
    one_live_grant: OneLiveGrant = |_| OneLiveGrant::default(),
        on Granted | Reclaimed | Reentered | Renewed | Released | Ended | Pruned;
    fences_only_grow: FencesOnlyGrow = |_| FencesOnlyGrow::default(), on Granted | Reclaimed | Reentered;
    stale_writer_refused: StaleWriterRefused = |_| StaleWriterRefused::default(),
        on Registered | Granted | Reclaimed | Reentered | Renewed | Released | Wrote | Ended | Pruned;
    live_writer_accepted: LiveWriterAccepted = |_| LiveWriterAccepted::default(),
        on Granted | Reclaimed | Reentered | Renewed | Released | Ended | Refused | Pruned;
    refusal_changes_nothing: RefusalChangesNothing = |_| RefusalChangesNothing::default(), on ReadBack;
    release_frees_own: ReleaseFreesOwn = |_| ReleaseFreesOwn::default(),
        on Granted | Reclaimed | Reentered | Renewed | Ended | Released | LeaseAfter | Pruned;
    reclaim_takes_the_observed_dead: ReclaimTakesTheObservedDead = |_| ReclaimTakesTheObservedDead::default(),
        on Granted | Reclaimed | Reentered | Renewed | Ended | Released | Observed | Pruned;
    expiry_is_exact: ExpiryIsExact = |_| ExpiryIsExact::default(),
        on Granted | Reclaimed | Reentered | Renewed | Wrote | Ended | Released | Busy | Refused | Pruned;
    leases_last_as_asked: LeasesLastAsAsked = |_| LeasesLastAsAsked::default(),
        on Granted | Reclaimed | Reentered | Renewed | Claims | Spanned | TurnedOut | SurvivedLease;
    tokens_are_drawn: TokensAreDrawn = |_| TokensAreDrawn::default(), on TokenDrawn;
    lives_do_not_mix: LivesDoNotMix = |_| LivesDoNotMix::default(),
        on Granted | Reclaimed | Reentered | Renewed | Wrote | Ended | Pruned;
    nothing_after_the_end: NothingAfterTheEnd = |_| NothingAfterTheEnd::default(),
        on Granted | Reclaimed | Reentered | Renewed | Wrote | Asked | Ended | Pruned;
    externally_owned_never_runs: ExternallyOwnedNeverRuns = |_| ExternallyOwnedNeverRuns::default(),
        on Registered | BodyBegan;
    starts_are_first: StartsAreFirst = |_| StartsAreFirst::default(), on Wrote | Pruned;
    abandonment_is_licensed: AbandonmentIsLicensed = |_| AbandonmentIsLicensed::default(),
        on Granted | Reclaimed | Reentered | Asked | GivesUp | Ended | Refused | Pruned;
    outcomes_are_not_dropped: OutcomesAreNotDropped = |_| OutcomesAreNotDropped::default(),
        on BodyEnded | Sent | Ended;
    log_is_dense: LogIsDense = |_| LogIsDense::default(), on LogRead | LogShown | Pruned;
    replay_key_is_one_event: ReplayKeyIsOneEvent = |_| ReplayKeyIsOneEvent::default(), on Appended | Pruned;
    ends_once: EndsOnce = |_| EndsOnce::default(), on Registered | Ended | Refused | Showed | Pruned;
    owner_bound_starts_once: OwnerBoundStartsOnce = |_| OwnerBoundStartsOnce::default(),
        on Registered | Granted | Reclaimed | Wrote | BodyBegan;
    lost_means_silent: LostMeansSilent = LostMeansSilent::new,
        on Sent | Heard | EffectStarted | Crashed;
    outside_sees_fences_in_order: OutsideSeesFencesInOrder = |_| OutsideSeesFencesInOrder::default(),
        on Granted | Reclaimed | EffectTaken | EffectRefused;
    bodies_overlap_within_bound: BodiesOverlapWithinBound = BodiesOverlapWithinBound::new,
        on StepTaken | Granted | Reclaimed | Reentered | Renewed | Observed | Paused | Resumed | Crashed | BodyBegan
            | BodyEnded;
    waits_tell_the_truth: WaitsTellTheTruth = WaitsTellTheTruth::new,
        on Registered | Pruned | Ended | WaitBegan | WaitEnded | Paused | Crashed | Finished;
    acknowledged_survives: AcknowledgedSurvives = |_| AcknowledgedSurvives::default(),
        on Registered | Granted | Reclaimed | Reentered | Renewed | Released | Wrote | Asked | Appended | LogShown
            | Ended | Pruned | TurnedOut | Survived | SurvivedLease;
    linearizable: Linearizable = |_| Linearizable::default(),
        on Registered | Granted | Reclaimed | Reentered | Busy | Renewed | Released | Wrote | Asked | Ended | Showed
            | Refused | TurnedOut | Pruned | Claims | Completes | Observed | Unfenced | Spanned | Survived | SurvivedLease
            | Crashed | Finished;
    nobody_panics: NobodyPanics = |_| NobodyPanics::default(), on Panicked | Finished;
    calm_ends_everything: CalmEndsEverything = |_| CalmEndsEverything::default(),
        on LivenessBegan | Remained | Exhausted | Finished;
}

/// Laws that stand even where a disk broke its word about syncs: they are about nodes, and not about what was stored.
const NEED_NO_DISK: [&str; 3] = ["tokens-are-drawn", "lost-means-silent", "nobody-panics"];

/// Why a plan cannot be judged by a law: it breaks an assumption that the law needs. Lies of probes are not here, since
/// events tell them and laws allow for them one by one.
pub fn broken_assumption(plan: &Plan, law: &str) -> Option<&'static str> {
    (!plan.disk_keeps_its_word() && !NEED_NO_DISK.contains(&law))
        .then_some("the plan's disk lies about syncs, and this law needs one that keeps its word")
}

impl Laws {
    /// The first law that is broken, with its breach: the earliest event decides.
    pub fn first_broken(&self) -> Option<(&'static str, u64, String)> {
        let broken = self.all().into_iter().filter_map(|law| match law.finding() {
            Finding::Broken { at, because } => Some((law.name(), at, because)),
            _ => None,
        });
        broken.min_by_key(|(_, at, _)| *at)
    }

    pub fn is_broken(&self, name: &str) -> bool {
        self.all()
            .into_iter()
            .any(|law| law.name() == name && matches!(law.finding(), Finding::Broken { .. }))
    }
}
