//! Simplifies the header for the same steps: quick links that lose nothing, clocks that agree, and every setting as in a
//! quiet plan. The same list tells which facts of a header differ from a quiet world, one at a time.

use crate::plan::{ClockSetting, Links, Node, Plan, Store, TaskOrder};
use crate::shrink::Move;
use crate::shrink::plan_names::remove_node;

/// Something that a header says beyond a quiet world, and the plan without it.
pub struct Fact {
    pub what: String,
    pub without: Plan,
}

/// All facts in which the plan's header differs from a quiet world, and all machines that no step names.
pub fn facts(plan: &Plan) -> Vec<Fact> {
    let mut facts = Vec::new();
    let quiet = Plan::quiet(0);
    let links = plan.links;
    let mut fact = |what: String, without: Plan| {
        if without != *plan {
            facts.push(Fact { what, without });
        }
    };
    let with_links = |links: Links| Plan { links, ..plan.clone() };
    fact(
        format!("ttl_ms = {}, renew_ms = {}", plan.ttl_ms, plan.renew_ms),
        Plan { ttl_ms: quiet.ttl_ms, renew_ms: quiet.renew_ms, ..plan.clone() },
    );
    fact(format!("sweep_ms = {}", plan.sweep_ms), Plan { sweep_ms: quiet.sweep_ms, ..plan.clone() });
    fact(format!("bound = {}", plan.bound), Plan { bound: quiet.bound, ..plan.clone() });
    fact("store = sqlite".into(), Plan { store: Store::Memory, ..plan.clone() });
    fact("order = first-ready".into(), Plan { order: TaskOrder::Drawn, ..plan.clone() });
    fact(
        format!("fences_left = {}", plan.fences_left.unwrap_or(0)),
        Plan { fences_left: None, ..plan.clone() },
    );
    fact(
        format!("links of {} to {} us", links.fastest_us, links.slowest_us),
        with_links(with_quick_messages(links)),
    );
    fact(
        format!("{} of 1000 messages lost", links.loss_permille),
        with_links(Links { loss_permille: 0, ..links }),
    );
    fact(
        format!("{} of 1000 messages repeated", links.repeat_permille),
        with_links(Links { repeat_permille: 0, ..links }),
    );
    fact(
        format!("{} of 1000 messages late, by up to {} ms", links.late_permille, links.late_ms),
        with_links(Links { late_permille: 0, late_ms: 0, ..links }),
    );
    for (place, lease) in plan.leases.iter().enumerate() {
        let mut without = plan.clone();
        without.leases.remove(place);
        fact(format!("lease {lease}"), without);
    }
    for (place, clock) in plan.clocks.iter().enumerate() {
        let mut without = plan.clone();
        without.clocks.remove(place);
        fact(format!("clock {clock}"), without);
    }
    for node in plan.nodes().filter(|node| matches!(node, Node::Worker(_) | Node::Host(_))) {
        let mut gone = plan.clone();
        remove_node(&mut gone, node);
        let others = if matches!(node, Node::Worker(_)) { &gone.workers } else { &gone.hosts };
        if !others.0.is_empty() && gone.steps.len() == plan.steps.len() && gone.clocks == plan.clocks {
            fact(node.to_string(), gone);
        }
    }
    facts
}

fn with_quick_messages(links: Links) -> Links {
    Links { fastest_us: Links::QUICK.fastest_us, slowest_us: Links::QUICK.slowest_us, ..links }
}

pub fn links_and_clocks(plan: &Plan) -> Vec<Move> {
    let links =
        |what: &str, change: fn(Links) -> Links| Move::new(what, move |plan| plan.links = change(plan.links));
    let mut moves = vec![
        Move::new("quick links and true clocks", |plan| {
            plan.links = Links::QUICK;
            plan.clocks.clear();
        }),
        links("quick links", |_| Links::QUICK),
        links("quick messages", with_quick_messages),
        links("no message lost", |links| Links { loss_permille: 0, ..links }),
        links("no message repeated", |links| Links { repeat_permille: 0, ..links }),
        links("no message late", |links| Links { late_permille: 0, late_ms: 0, ..links }),
        Move::new("true clocks", |plan| plan.clocks.clear()),
    ];
    for clock in &plan.clocks {
        let node = clock.node;
        moves.push(Move::new(format!("a true clock for {node}"), move |plan| {
            plan.clocks.retain(|clock| clock.node != node);
        }));
        let mut of = |what: String, change: Box<dyn Fn(&mut ClockSetting)>| {
            moves.push(Move::new(format!("clock of {node} with {what}"), move |plan| {
                plan.clocks.iter_mut().filter(|clock| clock.node == node).for_each(&change);
            }));
        };
        of("no offset".into(), Box::new(|clock| clock.offset_ms = 0));
        of("no drift".into(), Box::new(|clock| clock.drift_ppm = 0));
        for unit in [1_000, 100, 10] {
            of(
                format!("an offset in units of {unit}ms"),
                Box::new(move |clock| {
                    clock.offset_ms = clock.offset_ms / unit * unit;
                }),
            );
            of(
                format!("a drift in units of {unit}ppm"),
                Box::new(move |clock| {
                    clock.drift_ppm = clock.drift_ppm / unit as i32 * unit as i32;
                }),
            );
        }
    }
    moves
}

/// The settings of a quiet plan. With its longer leases everything may have to take as much longer.
pub fn settings(plan: &Plan) -> Vec<Move> {
    let quiet = Plan::quiet(0);
    let (ttl_ms, renew_ms) = (quiet.ttl_ms, quiet.renew_ms);
    let was_ttl_ms = plan.ttl_ms.max(1);
    let mut moves = vec![
        Move::new("the store in memory", |plan| plan.store = Store::Memory),
        Move::new("tasks in drawn order", |plan| plan.order = TaskOrder::Drawn),
        Move::new("the same leases for all", |plan| plan.leases.clear()),
        Move::new("all fences", |plan| plan.fences_left = None),
        Move::new(format!("sweep_ms = {}", quiet.sweep_ms), move |plan| plan.sweep_ms = quiet.sweep_ms),
        Move::new(format!("bound = {}", quiet.bound), move |plan| plan.bound = quiet.bound),
        Move::new(format!("ttl_ms = {ttl_ms}"), move |plan| {
            (plan.ttl_ms, plan.renew_ms) = (ttl_ms, renew_ms);
        }),
        Move::new(format!("ttl_ms = {ttl_ms}, and all times with it"), move |plan| {
            (plan.ttl_ms, plan.renew_ms) = (ttl_ms, renew_ms);
            let longer = |ms: i64| {
                // An offset from an expiry is exact for a reason.
                if ms.abs() < 10 { ms } else { ms.saturating_mul(ttl_ms as i64) / was_ttl_ms as i64 }
            };
            for step in &mut plan.steps {
                step.at_ms = longer(step.at_ms as i64) as u64;
                step.action.replace_numbers(&mut |number| longer(number));
            }
            plan.horizon_ms = longer(plan.horizon_ms as i64) as u64;
        }),
    ];
    if let Some(left) = plan.fences_left {
        for fewer in [1, left / 2, left.saturating_sub(1)] {
            moves.push(Move::new(format!("fences_left = {fewer}"), move |plan| {
                if let Some(left) = &mut plan.fences_left {
                    *left = fewer;
                }
            }));
        }
    }
    moves
}
