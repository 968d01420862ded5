//! A node's contender for leadership: each of its sweeps starts candidates for the keys that are wanted, and tells those whose key
//! is no longer wanted that their work is done.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use fencepost::RegistryError;
use fencepost::driver::ProcessRunHandle;
use fencepost::environment::Environment;
use fencepost::model::process::ProcessRecord;

use crate::history::event::NO_PROCESS;
use crate::lease::{Leadership, LeadershipState};
use crate::plan::Node;
use crate::plan::chance::Purpose;
use crate::subject::{CandidacyPlace, ClientDoor, Workplace};
use crate::world::calls::process_of;
use crate::world::candidate::{CandidateTask, Work};
use crate::world::environment::NodeEnvironment;
use crate::world::state::with;
use crate::world::store_line::NodeLine;
use crate::world::tokio_node::{NodeAlarm, TokioNode};

/// The candidates of one node's life.
pub struct Contender {
    pub node: Node,
    pub door: ClientDoor,
    pub place: Workplace,
    pub candidates: Mutex<BTreeMap<String, Candidate>>,
}

/// A candidate as the node that started it knows it.
pub struct Candidate {
    leadership: Arc<LeadershipState>,
    alarm: NodeAlarm,
    record: Arc<Mutex<ProcessRecord>>,
    /// The candidate's task holds the other one.
    task_lives: Arc<()>,
}

impl Candidate {
    fn is_over(&self) -> bool {
        Arc::strong_count(&self.task_lives) == 1
    }
}

impl Contender {
    fn candidates(&self) -> MutexGuard<'_, BTreeMap<String, Candidate>> {
        self.candidates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sweep(&self, wanted: Vec<ProcessRecord>) -> std::io::Result<()> {
        let mut candidates = self.candidates();
        candidates.retain(|_, candidate| !candidate.is_over());
        for (key, candidate) in candidates.iter() {
            if !wanted.iter().any(|record| record.id() == key) {
                candidate.leadership.finish();
                candidate.alarm.ring();
            }
        }
        for record in wanted {
            match candidates.get(record.id()) {
                Some(candidate) => {
                    *candidate.record.lock().unwrap_or_else(PoisonError::into_inner) = record;
                }
                None => {
                    let key = record.id().to_owned();
                    candidates.insert(key, self.start(record)?);
                }
            }
        }
        Ok(())
    }

    fn start(&self, record: ProcessRecord) -> std::io::Result<Candidate> {
        let Workplace { registry, timings, owner_id, bodies, .. } = &self.place;
        let (node, process) = (self.node, process_of(record.id()).unwrap_or(NO_PROCESS));
        let (leadership, state) = Leadership::new();
        let alarm = NodeAlarm::new();
        let tokio = TokioNode::start(with(|world| {
            let state = world.node(node);
            state.spawned_runtimes += 1;
            let key = [u64::from(node.code()) << 32 | state.life, state.spawned_runtimes];
            world.seed.draw(Purpose::Tokio, key)
        }))?;
        let client = tokio.spawn((self.door.contend)(CandidacyPlace {
            key: record.id().to_owned(),
            owner: owner_id.clone(),
            ttl: Duration::from_millis(timings.ttl_ms()),
            renew: Duration::from_millis(timings.renew_interval_ms()),
            line: Arc::new(NodeLine { node, process, alarm: alarm.clone() }),
            leadership,
        }));
        let record = Arc::new(Mutex::new(record));
        let work = Work {
            node,
            process,
            registry: Arc::clone(registry),
            bodies: Arc::clone(bodies),
            record: Arc::clone(&record),
        };
        let task = CandidateTask::new(tokio, client, Arc::clone(&state), alarm.clone(), work);
        let task_lives = Arc::new(());
        let lives = Arc::clone(&task_lives);
        let running = async move {
            task.await;
            drop(lives);
        };
        with(|world| world.spawn(node, Box::pin(running)));
        Ok(Candidate { leadership: state, alarm, record, task_lives })
    }
}

#[async_trait]
impl ProcessRunHandle for Contender {
    async fn claim_and_run_pending(&self, _: &str) -> Result<(), RegistryError> {
        let wanted = self.place.registry.list_non_terminal().await?;
        self.sweep(wanted).map_err(|error| RegistryError::backend("sweep", error.to_string()))
    }

    fn environment(&self) -> Arc<dyn Environment> {
        Arc::new(NodeEnvironment(self.node))
    }
}
