//! Several scopes, breadth first: all of them without a deviation, then with one, then with two. Each level is done in parts that
//! are divided among threads and shards: the points of the first run, and later the runs that are extended.

use std::ops::ControlFlow;

use crate::laws::Laws;
use crate::prove::explorer::{Explorer, Extended, Known};
use crate::prove::jobs::in_order;
use crate::prove::kept::{KeptProof, KeptProofError};
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
    pub wall_us: u64,
    pub cpu_us: u64,
}

/// The proof of one scope so far.
struct WorldProof<'a> {
    world: &'a SmallWorld,
    sum: LevelSum,
    levels: Vec<LevelStatement>,
    extended: Vec<Extended>,
}

/// Explores every scope of the request. `kept` is where sums are kept, to go on with.
pub fn prove_all(
    request: &ProveRequest<'_>,
    mut kept: Option<&mut KeptProof>,
    watcher: &mut dyn ProveWatcher,
) -> Result<ProveResult, KeptProofError> {
    let began = Clocks::now();
    let until_us = request.time_limit_us.map(|limit_us| began.wall_us.saturating_add(limit_us));
    let is_enough = || (request.is_interrupted)() || until_us.is_some_and(|until_us| wall_us() >= until_us);
    let new =
        |world| WorldProof { world, sum: LevelSum::default(), levels: Vec::new(), extended: Vec::new() };
    let mut proofs: Vec<WorldProof<'_>> = request.worlds.iter().map(new).collect();
    let mut panicked = None;
    let mut is_over = false;
    for deviations in 0..=request.deviations {
        for proof in &mut proofs {
            if is_over || is_enough() || panicked.is_some() {
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
            match level.run(proof, kept.as_deref_mut())? {
                Ok(()) => is_over = explorer.is_enough(&proof.sum),
                Err(said) => panicked = Some((proof.world.name.clone(), said)),
            }
        }
    }
    watcher.runs_done();
    if let Some(kept) = kept {
        kept.write()?;
    }
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
            0 => Ok(self.without_deviation(proof)),
            1 => Ok(self.at_each_point(proof)),
            _ => self.below_each_run(proof, kept),
        }
    }

    /// The one run without a deviation belongs to the first shard.
    fn without_deviation(&mut self, proof: &mut WorldProof<'_>) -> Result<(), String> {
        let explorer = self.explorer;
        in_order(&[0], 1, &|_| Some(explorer.root()), |_, (sum, root)| {
            let is_own = self.request.shard.has(0);
            let sum = if is_own { sum } else { LevelSum::default() };
            proof.extended = vec![root];
            self.add(proof, &sum);
            self.end(proof, 1, 1, &sum);
            ControlFlow::Continue(())
        })
    }

    fn at_each_point(&mut self, proof: &mut WorldProof<'_>) -> Result<(), String> {
        let Some(root) = proof.extended.pop() else { return Ok(()) };
        let (explorer, shard) = (self.explorer, self.request.shard);
        let run = explorer.record(&root);
        let points = Explorer::points_after(&run, None);
        // Deeper levels extend runs of every shard's points.
        let is_needed = |part: &usize| self.request.deviations > 1 || shard.has(*part as u64);
        let parts: Vec<usize> = (0..points.len()).filter(is_needed).collect();
        let own = parts.iter().filter(|part| shard.has(**part as u64)).count();
        let (mut known, mut level, mut done) = (Known::new(&root), LevelSum::default(), 0);
        let work = |part: usize| {
            if (explorer.is_interrupted)() {
                return None;
            }
            let mut sum = LevelSum::default();
            let children = explorer.explore_point(&root, &run, &points[part], &mut sum);
            Some((sum, children))
        };
        let end = in_order(&parts, self.request.jobs, &work, |part, (sum, children)| {
            proof.extended.extend(known.new_ones(children));
            if shard.has(part as u64) {
                done += 1;
                level.merge(&sum);
                self.add(proof, &sum);
                self.tell(proof, done, own, &level);
            }
            self.flow(proof)
        });
        self.end(proof, done, own, &level);
        end
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
        let scope = proof.world.name.clone();
        let (mut done, mut level) =
            kept.as_ref().map_or_else(Default::default, |kept| kept.level(&scope, self.deviations));
        self.add(proof, &level);
        let left = own.get(done..).unwrap_or_default();
        let mut unwritten = None;
        let work = |part: usize| explorer.explore_below(&extended[part], more);
        let end = in_order(left, self.request.jobs, &work, |_, sum| {
            done += 1;
            level.merge(&sum);
            self.add(proof, &sum);
            self.tell(proof, done, own.len(), &level);
            if let Some(kept) = kept.as_deref_mut()
                && let Err(error) = kept.keep(&scope, self.deviations, done, &level)
            {
                unwritten = Some(error);
                return ControlFlow::Break(());
            }
            self.flow(proof)
        });
        proof.extended = extended;
        self.end(proof, done, own.len(), &level);
        unwritten.map_or(Ok(end), Err)
    }

    /// Adds runs to the sum of the scope, and tells of laws that they are the first to break.
    fn add(&mut self, proof: &mut WorldProof<'_>, sum: &LevelSum) {
        let known = proof.sum.witnesses.len();
        proof.sum.merge(sum);
        for witness in &proof.sum.witnesses[known..] {
            self.watcher.law_broken(&proof.world.name, witness);
        }
    }

    fn tell(&mut self, proof: &WorldProof<'_>, done: usize, parts: usize, level: &LevelSum) {
        let level = LevelStatement::new(self.deviations, done, parts, 0, level);
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
