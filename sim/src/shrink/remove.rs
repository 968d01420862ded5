//! Removes parts of a plan: runs of steps, single steps, pairs of them; processes, workers and hosts with every step that
//! names them. Nothing is renumbered: the second worker stays worker-2 when the first one is gone, and keeps its luck.

use crate::plan::{Node, Plan};
use crate::shrink::Move;
use crate::shrink::plan_names::{processes, remove_node};

/// Without so many steps that follow each other, from the last ones on: what is removed leaves the places of the others.
pub fn chunks(plan: &Plan, size: usize) -> Vec<Move> {
    let places = (0..plan.steps.len()).step_by(size.max(1)).rev();
    let without = |from: usize| {
        let what = match (size, plan.steps.get(from)) {
            (1, Some(step)) => format!("without `{step}`"),
            _ => format!("without {size} steps from number {from}"),
        };
        Move::new(what, move |plan| {
            let end = (from + size).min(plan.steps.len());
            plan.steps.drain(from.min(end)..end);
        })
    };
    places.map(without).collect()
}

/// Plans that are larger than this have too many pairs.
const FEW: usize = 12;

/// A step forward and one back need each other, and neither is needed.
pub fn pairs(plan: &Plan) -> Vec<Move> {
    let count = plan.steps.len();
    if count > FEW {
        return Vec::new();
    }
    let pairs = (0..count).flat_map(|first| (first + 1..count).map(move |second| (first, second))).rev();
    let without = |(first, second): (usize, usize)| {
        let (one, other) = (&plan.steps[first], &plan.steps[second]);
        Move::new(format!("without `{one}` and `{other}`"), move |plan| {
            if second < plan.steps.len() {
                plan.steps.remove(second);
                plan.steps.remove(first);
            }
        })
    };
    pairs.map(without).collect()
}

pub fn without_processes_and_nodes(plan: &Plan) -> Vec<Move> {
    let processes = processes(plan).into_iter().map(|process| {
        Move::new(format!("without {process}"), move |plan| {
            plan.steps.retain_mut(|step| step.action.forget(process));
        })
    });
    let nodes = plan.nodes().filter(|node| matches!(node, Node::Worker(_) | Node::Host(_)));
    let nodes = nodes.map(|node| Move::new(format!("without {node}"), move |plan| remove_node(plan, node)));
    processes.chain(nodes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(lines: &[&str]) -> Plan {
        Plan { steps: lines.iter().map(|line| line.parse().unwrap()).collect(), ..Plan::quiet(1) }
    }

    /// The steps that each move leaves, tried on the plan itself.
    fn left(plan: &Plan, moves: Vec<Move>) -> Vec<String> {
        let left = |one: Move| {
            let mut plan = plan.clone();
            (one.change)(&mut plan);
            let steps: Vec<String> = plan.steps.iter().map(ToString::to_string).collect();
            steps.join(", ")
        };
        moves.into_iter().map(left).collect()
    }

    #[test]
    fn every_pair_goes_and_nothing_with_it() {
        let plan = plan(&["1ms prune", "2ms prune", "3ms prune"]);
        assert_eq!(left(&plan, pairs(&plan)), ["1ms prune", "2ms prune", "3ms prune"]);
        let many = Plan { steps: vec![plan.steps[0].clone(); FEW + 1], ..plan };
        assert!(pairs(&many).is_empty());
    }

    #[test]
    fn runs_of_steps_go_from_the_last_on() {
        let plan = plan(&["1ms prune", "2ms prune", "3ms prune"]);
        assert_eq!(left(&plan, chunks(&plan, 2)), ["1ms prune, 2ms prune", "3ms prune"]);
    }

    #[test]
    fn whatever_is_said_of_a_process_or_a_node_goes_with_it() {
        let plan = plan(&["1ms cancel p1", "2ms transfer p1 p2 from s1 to s2", "3ms pause worker-2 for 1s"]);
        assert_eq!(
            left(&plan, without_processes_and_nodes(&plan)),
            [
                "2ms transfer p2 from s1 to s2, 3ms pause worker-2 for 1s",
                "1ms cancel p1, 2ms transfer p1 from s1 to s2, 3ms pause worker-2 for 1s",
                "1ms cancel p1, 2ms transfer p1 p2 from s1 to s2, 3ms pause worker-2 for 1s",
                "1ms cancel p1, 2ms transfer p1 p2 from s1 to s2",
                "1ms cancel p1, 2ms transfer p1 p2 from s1 to s2, 3ms pause worker-2 for 1s",
                "1ms cancel p1, 2ms transfer p1 p2 from s1 to s2, 3ms pause worker-2 for 1s",
            ]
        );
    }
}
