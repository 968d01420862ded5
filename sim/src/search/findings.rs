//! The findings of a search while it goes on: each run is added to the sums, the request's rule says when it is over, and in
//! the end the findings become the result.

use std::ops::ControlFlow;

use crate::coverage::Mark;
use crate::judge::{Judged, Verdict};
use crate::plan::{Plan, Store};
use crate::search::clocks::wall_us;
use crate::search::conclusion::{Conclusion, HarnessPanic, Reason, SearchedPart, missed_marks};
use crate::search::reproducer::Reproducer;
use crate::search::request::{SearchRequest, SeedsOnStore, StopRule};
use crate::search::result::{FoundBreach, SearchResult, UndecidedLaw};
use crate::search::seed_runs::{SeedRun, SeededPlans, run_seeds};
use crate::search::tally::{Tally, TimedSeed, longer};
use crate::search::watcher::SearchWatcher;
use crate::subject::Subject;

/// The findings of a search so far.
pub struct Findings {
    tally: Tally,
    parts: Vec<SearchedPart>,
    slowest: Option<TimedSeed>,
    breaches: Vec<FoundBreach>,
    /// By law: the breach in the first run that broke it.
    laws_broken: Vec<FoundBreach>,
    first_undecided: Option<UndecidedLaw>,
    panicked: Option<HarnessPanic>,
    target_seed: Option<u64>,
    /// True, if the request's rule has stopped the search.
    is_stopped: bool,
    was_interrupted: bool,
}

impl Findings {
    pub fn new(subject: &Subject, laws: Option<&[&'static str]>) -> Self {
        let mut tally = Tally::new(subject);
        tally.laws.retain(|law| laws.is_none_or(|laws| laws.contains(&law.law)));
        Self {
            tally,
            parts: Vec::new(),
            slowest: None,
            breaches: Vec::new(),
            laws_broken: Vec::new(),
            first_undecided: None,
            panicked: None,
            target_seed: None,
            is_stopped: false,
            was_interrupted: false,
        }
    }

    /// True, if no further part is searched.
    pub fn is_over(&self) -> bool {
        self.is_stopped || self.panicked.is_some()
    }

    /// Somebody ended the search between two parts.
    pub fn interrupted(&mut self) {
        self.was_interrupted = true;
    }

    /// Searches one part of the request.
    pub fn search_part(
        &mut self,
        request: &SearchRequest<'_>,
        place: usize,
        began_us: u64,
        watcher: &mut dyn SearchWatcher,
    ) {
        let SeedsOnStore { seeds, store } = &request.parts[place];
        // The parts that are left share the time that is left.
        let parts_left = (request.parts.len() - place) as u64;
        let until_us = request.time_limit_us.map(|limit_us| {
            let (now_us, end_us) = (wall_us(), began_us.saturating_add(limit_us));
            now_us + end_us.saturating_sub(now_us) / parts_left
        });
        let is_enough =
            || (request.is_interrupted)() || until_us.is_some_and(|until_us| wall_us() >= until_us);
        let before = self.tally.seeds;
        let plans = SeededPlans { store: *store, profile: request.profile, subject: request.subject };
        run_seeds(seeds, &plans, request.jobs, &is_enough, |run| {
            self.add_run(run, *store, request, watcher);
            if self.is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let run = self.tally.seeds - before;
        let wanted = request.time_limit_us.is_none().then(|| seeds.count());
        self.parts.push(SearchedPart { store: *store, seeds: seeds.name(), wanted, run });
        let is_cut_short = wanted.is_none_or(|wanted| run < wanted);
        self.was_interrupted |= (request.is_interrupted)() && is_cut_short;
    }

    /// Adds one run, in which the harness may have panicked.
    pub fn add_run(
        &mut self,
        run: SeedRun,
        store: Store,
        request: &SearchRequest<'_>,
        watcher: &mut dyn SearchWatcher,
    ) {
        let SeedRun { seed, verdict, cpu_us: us } = run;
        self.slowest = longer(self.slowest, TimedSeed { us, seed, store });
        match verdict {
            Ok(verdict) => self.add(verdict, store, request, watcher),
            Err(said) => self.panicked = Some(HarnessPanic { seed, store, said }),
        }
    }

    /// Adds the run of the one plan that is all of the request.
    pub fn add_plan(&mut self, run: SeedRun, request: &SearchRequest<'_>) {
        let SeedsOnStore { seeds, store } = &request.parts[0];
        self.parts.push(SearchedPart { store: *store, seeds: seeds.name(), wanted: Some(1), run: 1 });
        self.add_run(run, *store, request, &mut ());
    }

    fn add(
        &mut self,
        mut verdict: Verdict,
        store: Store,
        request: &SearchRequest<'_>,
        watcher: &mut dyn SearchWatcher,
    ) {
        let seed = verdict.seed;
        if let Some(laws) = request.laws {
            verdict.findings.retain(|judged| laws.contains(&judged.law));
        }
        self.tally.add(&verdict, store);
        watcher.run_added(&self.tally);
        if self.first_undecided.is_none()
            && let Some((law, because)) = verdict.undecided().next()
        {
            self.first_undecided = Some(UndecidedLaw { seed, law, because: because.to_owned() });
        }
        let mut broken: Vec<FoundBreach> = verdict
            .findings
            .iter()
            .filter_map(Judged::breach)
            .map(|breach| FoundBreach { seed, store, breach })
            .collect();
        // If several laws break at one event, take the one that is listed first.
        broken.sort_by_key(|found| found.breach.at);
        let Some(earliest) = broken.first() else { return };
        self.breaches.push(earliest.clone());
        for found in broken {
            if !self.laws_broken.iter().any(|known| known.breach.law == found.breach.law) {
                watcher.law_broken(&found);
                self.laws_broken.push(found);
            }
        }
        self.is_stopped = match request.stop {
            StopRule::AtFirstBreach => true,
            StopRule::AtBreachOf(law) => {
                self.target_seed = verdict.breaks(law).then_some(seed);
                self.target_seed.is_some()
            }
            StopRule::Never => false,
        };
    }

    /// The breaches to reproduce: one for each broken law, unless the search was to end with the first.
    fn to_reproduce(&self, stop: StopRule) -> &[FoundBreach] {
        match stop {
            StopRule::AtFirstBreach => self.laws_broken.get(..1).unwrap_or_default(),
            StopRule::AtBreachOf(_) | StopRule::Never => &self.laws_broken,
        }
    }

    /// Reproduces breaches and concludes. `plan_of` makes the plan of a seed again.
    pub fn conclude(self, request: &SearchRequest<'_>, plan_of: impl Fn(u64, Store) -> Plan) -> SearchResult {
        let mut reproducers = Vec::new();
        let mut is_repeatable = true;
        if let Some(runs) = request.shrink_runs {
            for first in self.to_reproduce(request.stop) {
                let (plan, law) = (plan_of(first.seed, first.store), first.breach.law);
                match Reproducer::find(&plan, request.subject, law, runs, request.is_interrupted) {
                    Some(reproducer) => reproducers.push(reproducer),
                    None => is_repeatable = false,
                }
            }
        }
        let stores: Vec<Store> = request.parts.iter().map(|part| part.store).collect();
        let mut missed = self.tally.hits.missed(&stores, request.subject.is_ours());
        missed.retain(|mark| self.tally.marks.contains(mark));
        let reasons = self.reasons(request, is_repeatable, &missed);
        SearchResult {
            conclusion: Conclusion::of(&reasons),
            reasons,
            tally: self.tally,
            parts: self.parts,
            breaches: self.breaches,
            laws_broken: self.laws_broken,
            reproducers,
            first_undecided: self.first_undecided,
            missed,
            panicked: self.panicked,
            target_seed: self.target_seed,
            slowest: self.slowest,
            wall_us: 0,
            cpu_us: 0,
        }
    }

    /// A law that was asked for by name holds only if some run put it to the test.
    fn asked_laws_not_reached(&self, request: &SearchRequest<'_>) -> Option<Reason> {
        request.laws?;
        let not_reached = self.tally.laws.iter().filter(|law| law.is_claimed && law.is_not_reached());
        let laws: Vec<&'static str> = not_reached.map(|law| law.law).collect();
        (!laws.is_empty()).then_some(Reason::LawsNotReached(laws))
    }

    fn reasons(&self, request: &SearchRequest<'_>, is_repeatable: bool, missed: &[Mark]) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let laws: Vec<_> = self.laws_broken.iter().map(|first| (first.breach.law, first.seed)).collect();
        let is_broken = !laws.is_empty();
        if is_broken {
            reasons.push(Reason::LawsBroken { seeds: self.breaches.len(), laws });
        }
        if let Some(panicked) = &self.panicked {
            reasons.push(Reason::HarnessPanicked(panicked.clone()));
            return reasons;
        }
        if !is_repeatable {
            reasons.push(Reason::NotRepeated);
            return reasons;
        }
        if self.was_interrupted {
            reasons.push(Reason::Interrupted);
        }
        let not_begun = request.parts.get(self.parts.len()..).unwrap_or_default();
        if !not_begun.is_empty() {
            let name = |part: &SeedsOnStore| format!("{} on {}", part.seeds.name(), part.store.name());
            reasons.push(Reason::NotSearched(not_begun.iter().map(name).collect()));
        }
        if self.tally.undecided() > request.undecided_allowed {
            let undecided = self.tally.laws.iter().filter(|law| law.undecided > 0);
            reasons.push(Reason::Undecided { laws: undecided.map(|law| law.law).collect() });
        }
        if !is_broken {
            reasons.extend(self.asked_laws_not_reached(request));
            reasons.extend(missed_marks(
                missed,
                &self.parts,
                request.profile.is_some(),
                request.required_marks,
            ));
        }
        reasons
    }
}
