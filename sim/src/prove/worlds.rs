//! Several scopes, breadth first: all of them without a deviation, then with one, then with two. Each level is done in parts that
//! are divided among threads and shards: the points of the first run, and later the runs that are extended.

use std::ops::ControlFlow;

use crate::laws::Laws;
use crate::prove::explorer::{Explorer, Extended, Known};
use crate::prove::jobs::in_order;
use crate::prove::kept::{KeptLevel, KeptProof, KeptProofError};
use crate::prove::level_sum::{BreachWitness, LevelSum};
use crate::prove::request::ProveRequest;
use crate::prove::small_world::SmallWorld;
use crate::prove::statement::{LevelStatement, Statement};
use crate::search::Conclusion;
use crate::search::clocks::{Clocks, wall_us};

/// Follows a proof while it goes on.
pub trait ProveWatcher {
    /// A part of a level is done.
    fn part_done(&mut self, _scope: &str, _level: &LevelStatement) {}
    /// A law is broken for the first time in a scope.
    fn law_broken(&mut self, _scope: &str, _witness: &BreachWitness) {}
    /// Nothing more is run.
    fn runs_done(&mut self) {}
}

impl ProveWatcher for () {}

/// The result of a proof.
pub struct ProveResult {
    pub statements: Vec<Statement>,
    pub conclusion: Conclusion,
    /// The harness itself panicked: in this scope, saying this.
    pub panicked: Option<(String, String)>,
    /// Runs that an earlier proof had made and kept: they are in the statements, and were not made again.
    pub kept_runs: u64,
    pub wall_us: u64,
    pub cpu_us: u64,
}

/// The proof of one scope so far.
struct WorldProof<'a> {
    world: &'a SmallWorld,
    sum: LevelSum,
    levels: Vec<LevelStatement>,
    extended: Vec<Extended>,
    kept_runs: u64,
}

/// Explores every scope of the request. `kept` is where levels are kept, to go on with.
pub fn prove_all(
    request: &ProveRequest<'_>,
    mut kept: Option<&mut KeptProof>,
    watcher: &mut dyn ProveWatcher,
) -> Result<ProveResult, KeptProofError> {
    let began = Clocks::now();
    let until_us = request.time_limit_us.map(|limit_us| began.wall_us.saturating_add(limit_us));
    let is_enough = || (request.is_interrupted)() || until_us.is_some_and(|until_us| wall_us() >= until_us);
    let new = |world| WorldProof {
        world,
        sum: LevelSum::default(),
        levels: Vec::new(),
        extended: Vec::new(),
        kept_runs: 0,
    };
    let mut proofs: Vec<WorldProof<'_>> = request.worlds.iter().map(new).collect();
    let mut panicked = None;
    let mut is_over = false;
    for deviations in 0..=request.deviations {
        for proof in &mut proofs {
            if is_over || panicked.is_some() {
                continue;
            }
            let explorer = Explorer {
                subject: request.subject,
                world: proof.world,
                reduction: request.reduction,
                stop: request.stop,
                is_interrupted: &is_enough,
            };
            let mut level = LevelRun { request, explorer, deviations, watcher: &mut *watcher };
            let is_kept = kept.as_deref().is_some_and(|kept| level.take_complete(proof, kept));
            if !is_kept && is_enough() {
                continue;
            }
            if !is_kept && let Err(said) = level.run(proof, kept.as_deref_mut())? {
                panicked = Some((proof.world.name.clone(), said));
            }
            is_over = explorer.is_enough(&proof.sum);
        }
    }
    watcher.runs_done();
    let kept_runs = proofs.iter().map(|proof| proof.kept_runs).sum();
    let claimed: Vec<&'static str> =
        Laws::names().into_iter().filter(|law| !request.subject.not_claimed.contains(law)).collect();
    let statement = |proof: WorldProof<'_>| {
        Statement::new(proof.world, request.deviations, proof.levels, proof.sum, &claimed)
    };
    let statements: Vec<Statement> = proofs.into_iter().map(statement).collect();
    let of_panic = panicked.as_ref().map(|_| Conclusion::Failed);
    let conclusion =
        Conclusion::gravest(statements.iter().map(|statement| statement.verdict).chain(of_panic));
    let ended = Clocks::now();
    Ok(ProveResult {
        statements,
        conclusion,
        panicked,
        kept_runs,
        wall_us: ended.wall_us.saturating_sub(began.wall_us),
        cpu_us: ended.cpu_us.saturating_sub(began.cpu_us),
    })
}

/// One level of one scope, while it is run.
struct LevelRun<'a, 'w> {
    request: &'a ProveRequest<'a>,
    explorer: Explorer<'a>,
    deviations: usize,
    watcher: &'w mut dyn ProveWatcher,
}

impl LevelRun<'_, '_> {
    /// The inner error is the message of a panic.
    fn run(
        &mut self,
        proof: &mut WorldProof<'_>,
        kept: Option<&mut KeptProof>,
    ) -> Result<Result<(), String>, KeptProofError> {
        match self.deviations {
            0 => self.without_deviation(proof, kept),
            1 => self.at_each_point(proof, kept),
            _ => self.below_each_run(proof, kept),
        }
    }

    /// Takes the level as an earlier proof kept it, if that had completed it. Then nothing of it is run again.
    fn take_complete(&mut self, proof: &mut WorldProof<'_>, kept: &KeptProof) -> bool {
        let kept = kept.level(&proof.world.name, self.deviations);
        let Some(kept) = kept.filter(|kept| kept.is_complete && proof.levels.len() == self.deviations) else {
            return false;
        };
        if self.deviations <= 1 {
            proof.extended.clone_from(&kept.extended);
        }
        self.take(proof, kept);
        self.end(proof, kept.done, kept.parts, &kept.sum);
        true
    }

    /// Adds the runs that an earlier proof had made.
    fn take(&mut self, proof: &mut WorldProof<'_>, kept: &KeptLevel) {
        proof.kept_runs += kept.sum.runs;
        self.add(proof, &kept.sum);
    }

    /// The level as an earlier proof kept it, or an empty one.
    fn kept(&self, proof: &WorldProof<'_>, kept: Option<&KeptProof>) -> KeptLevel {
        let found = kept.and_then(|kept| kept.level(&proof.world.name, self.deviations)).cloned();
        found.unwrap_or_else(|| KeptLevel {
            scope: proof.world.name.clone(),
            deviations: self.deviations,
            ..KeptLevel::default()
        })
    }

    /// The one run without a deviation belongs to the first shard.
    fn without_deviation(
        &mut self,
        proof: &mut WorldProof<'_>,
        kept: Option<&mut KeptProof>,
    ) -> Result<Result<(), String>, KeptProofError> {
        let explorer = self.explorer;
        let mut level = self.kept(proof, None);
        let end = in_order(&[0], 1, &|_| Some(explorer.root()), |_, (sum, root)| {
            let is_own = self.request.shard.has(0);
            let sum = if is_own { sum } else { LevelSum::default() };
            proof.extended = vec![root.clone()];
            self.add(proof, &sum);
            self.end(proof, 1, 1, &sum);
            (level.gone_through, level.done, level.parts, level.is_complete) = (1, 1, 1, true);
            (level.sum, level.extended) = (sum, vec![root]);
            ControlFlow::Continue(())
        });
        if let (Some(kept), true) = (kept, level.is_complete) {
            kept.keep(level)?;
        }
        Ok(end)
    }

    fn at_each_point(
        &mut self,
        proof: &mut WorldProof<'_>,
        mut kept: Option<&mut KeptProof>,
    ) -> Result<Result<(), String>, KeptProofError> {
        let Some(root) = proof.extended.pop() else { return Ok(Ok(())) };
        let mut level = self.kept(proof, kept.as_deref());
        self.take(proof, &level);
        let (explorer, shard) = (self.explorer, self.request.shard);
        let run = explorer.record(&root);
        let points = Explorer::points_after(&run, None);
        // Deeper levels extend runs of every shard's points.
        let is_needed = |part: &usize| self.request.deviations > 1 || shard.has(*part as u64);
        let parts: Vec<usize> = (0..points.len()).filter(is_needed).collect();
        level.parts = parts.iter().filter(|part| shard.has(**part as u64)).count();
        let mut known = Known::with(&root, &level.extended);
        let left = self.left(proof, &parts, level.gone_through);
        let mut unwritten = None;
        let work = |part: usize| {
            if (explorer.is_interrupted)() {
                return None;
            }
            let mut sum = LevelSum::default();
            let children = explorer.explore_point(&root, &run, &points[part], &mut sum);
            Some((sum, children))
        };
        let end = in_order(left, self.request.jobs, &work, |part, (sum, children)| {
            level.gone_through += 1;
            level.extended.extend(known.new_ones(children));
            if shard.has(part as u64) {
                level.done += 1;
                level.sum.merge(&sum);
                self.add(proof, &sum);
                self.tell(proof, &level);
            }
            self.kept_now_and_then(proof, kept.as_deref_mut(), &level, &mut unwritten)
        });
        level.is_complete = level.gone_through == parts.len();
        proof.extended.clone_from(&level.extended);
        self.end(proof, level.done, level.parts, &level.sum);
        self.keep_at_the_end(kept, level, unwritten).map(|()| end)
    }

    /// The parts that are not gone through yet; none if a law that was broken before ends the proof.
    fn left<'p>(&self, proof: &WorldProof<'_>, parts: &'p [usize], gone_through: usize) -> &'p [usize] {
        match self.explorer.is_enough(&proof.sum) {
            true => &[],
            false => parts.get(gone_through..).unwrap_or_default(),
        }
    }

    /// After a part: keeps the level if the file has not been written for a while, and says whether to go on.
    fn kept_now_and_then(
        &self,
        proof: &WorldProof<'_>,
        kept: Option<&mut KeptProof>,
        level: &KeptLevel,
        unwritten: &mut Option<KeptProofError>,
    ) -> ControlFlow<()> {
        if let Some(kept) = kept
            && kept.is_due()
            && let Err(error) = kept.keep(level.clone())
        {
            *unwritten = Some(error);
            return ControlFlow::Break(());
        }
        self.flow(proof)
    }

    fn keep_at_the_end(
        &self,
        kept: Option<&mut KeptProof>,
        level: KeptLevel,
        unwritten: Option<KeptProofError>,
    ) -> Result<(), KeptProofError> {
        match (unwritten, kept) {
            (Some(error), _) => Err(error),
            (None, Some(kept)) => kept.keep(level),
            (None, None) => Ok(()),
        }
    }

    fn below_each_run(
        &mut self,
        proof: &mut WorldProof<'_>,
        mut kept: Option<&mut KeptProof>,
    ) -> Result<Result<(), String>, KeptProofError> {
        // Only a level that is complete can be extended.
        if proof.levels.last().is_none_or(|above| !above.is_complete()) {
            return Ok(Ok(()));
        }
        let (explorer, more, shard) = (self.explorer, self.deviations - 1, self.request.shard);
        let extended = std::mem::take(&mut proof.extended);
        let own: Vec<usize> = (0..extended.len()).filter(|part| shard.has(*part as u64)).collect();
        let mut level = self.kept(proof, kept.as_deref());
        level.parts = own.len();
        self.take(proof, &level);
        let left = self.left(proof, &own, level.gone_through);
        let mut unwritten = None;
        let work = |part: usize| explorer.explore_below(&extended[part], more);
        let end = in_order(left, self.request.jobs, &work, |_, sum| {
            level.gone_through += 1;
            level.done += 1;
            level.sum.merge(&sum);
            self.add(proof, &sum);
            self.tell(proof, &level);
            self.kept_now_and_then(proof, kept.as_deref_mut(), &level, &mut unwritten)
        });
        level.is_complete = level.gone_through == own.len();
        proof.extended = extended;
        self.end(proof, level.done, level.parts, &level.sum);
        self.keep_at_the_end(kept, level, unwritten).map(|()| end)
    }

    /// Adds runs to the sum of the scope, and tells of laws that they are the first to break.
    fn add(&mut self, proof: &mut WorldProof<'_>, sum: &LevelSum) {
        let known = proof.sum.witnesses.len();
        proof.sum.merge(sum);
        for witness in &proof.sum.witnesses[known..] {
            self.watcher.law_broken(&proof.world.name, witness);
        }
    }

    fn tell(&mut self, proof: &WorldProof<'_>, level: &KeptLevel) {
        let level = LevelStatement::new(self.deviations, level.done, level.parts, 0, &level.sum);
        self.watcher.part_done(&proof.world.name, &level);
    }

    fn end(&mut self, proof: &mut WorldProof<'_>, done: usize, parts: usize, level: &LevelSum) {
        // Deeper levels extend as they go, and keep no list.
        let is_extended = self.deviations <= 1 && self.deviations < self.request.deviations;
        let extended = if is_extended { proof.extended.len() } else { 0 };
        proof.levels.push(LevelStatement::new(self.deviations, done, parts, extended, level));
    }

    fn flow(&self, proof: &WorldProof<'_>) -> ControlFlow<()> {
        match self.explorer.is_enough(&proof.sum) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}
