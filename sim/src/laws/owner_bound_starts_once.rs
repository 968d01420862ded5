//! The law owner-bound-starts-once: an owner-bound process is begun by one worker, once, and only after that was recorded.

use fencepost::model::process::RecoveryDisposition;

use crate::history::event::{Event, EventKind, GrantNo, What, Write};
use crate::laws::case::Case;
use crate::laws::explain::{Evidence, Explanation, is_first_start};
use crate::laws::law::{Assumption, Law, LawCard, Side, unheard};
use crate::laws::state::by_grant::ByGrant;
use crate::laws::state::by_process::ByProcess;
use crate::plan::Node;

#[derive(Default)]
pub struct OwnerBoundStartsOnce {
    /// The lives of each process, the present one last.
    lives: ByProcess<Vec<StartedLife>>,
    /// How many lives there were when the grant was made.
    granted_in: ByGrant<usize>,
}

#[derive(Default)]
struct StartedLife {
    is_owner_bound: bool,
    /// The first that was recorded; what a registry records over it does not count.
    started_by: Option<GrantNo>,
    bodies: u64,
}

impl Law for OwnerBoundStartsOnce {
    const SIDE: Side = Side::Worker;
    const CARD: LawCard = LawCard {
        name: "owner-bound-starts-once",
        sentence: "an owner-bound process has at most one body per life, begun only after the first start was recorded under that \
                   same grant",
        hears: &[
            EventKind::Registered,
            EventKind::Granted,
            EventKind::Reclaimed,
            EventKind::Wrote,
            EventKind::BodyBegan,
        ],
        needs: &[Assumption::DiskSyncs],
        judges_unordered: false,
        is_about_panics: false,
        catches: &["listed-row-believed", "started-is-no-reason", "failed-read-is-no-obstacle"],
        explain,
    };

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        let lives = self.lives.of(event.process);
        match what {
            What::Registered { disposition, is_new } => {
                if is_new {
                    let is_owner_bound = disposition == RecoveryDisposition::OwnerBound;
                    lives.push(StartedLife { is_owner_bound, ..StartedLife::default() });
                }
            }
            What::Granted { .. } | What::Reclaimed { .. } => *self.granted_in.of(event.grant) = lives.len(),
            What::Wrote { write: Write::FirstStart } => {
                if let Some(life) = lives.last_mut() {
                    life.started_by.get_or_insert(event.grant);
                }
            }
            What::Wrote { .. } => {}
            What::BodyBegan { .. } => {
                // A body belongs to the life its grant was made in: an old one may begin when the next has begun.
                let number = self.granted_in.get(event.grant).copied().unwrap_or(lives.len());
                if let Some(life) = number.checked_sub(1).and_then(|place| lives.get_mut(place)) {
                    life.body_begins(event, case);
                }
            }
            _ => unheard(what),
        }
    }
}

impl StartedLife {
    fn body_begins(&mut self, event: &Event, case: &mut Case) {
        if !self.is_owner_bound {
            return;
        }
        case.meet();
        self.bodies += 1;
        let (bodies, worker) = (self.bodies, Node::from_code(event.node));
        if bodies > 1 {
            case.breach(|| {
                format!(
                    "{worker} began body number {bodies} of one life of an owner-bound process; \
                         right: one body"
                )
            });
        } else if self.started_by != Some(event.grant) {
            case.breach(|| {
                format!(
                    "{worker} began the body of an owner-bound process under a grant that had not recorded the first start; \
                     right: no body without that record"
                )
            });
        }
    }
}

fn explain(evidence: &Evidence<'_>) -> Option<Explanation> {
    evidence
        .latest("a body of it had begun", |event| event.kind() == EventKind::BodyBegan)
        .or_else(|| evidence.latest("the first start was recorded", is_first_start))
}
