//! The naive enumeration that the reduction is held against: in a tiny scope, every kind of deviation at every millisecond,
//! with every number. It knows nothing of points; it only knows what can be written in a plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use fencepost_sim::judge::record_messages;
use fencepost_sim::plan::Plan;
use fencepost_sim::prove::SmallWorld;
use fencepost_sim::prove::one_run::RunSeen;
use fencepost_sim::subject::Subject;
use fencepost_sim::world::SentMessage;

/// A process, two workers, and times of a few milliseconds.
pub fn tiny_scope() -> SmallWorld {
    let text = r#"
        about = "A tiny world."
        [plan]
        format = 1
        seed = 3
        workers = "1 2"
        hosts = "1"
        ttl_ms = 18
        renew_ms = 6
        sweep_ms = 8
        bound = 1
        order = "first-ready"
        horizon_ms = 44
        steps = ["0ms register p1 rerunnable 1 steps of 9ms"]
        [plan.links]
        fastest_us = 1000
        slowest_us = 1000
    "#;
    SmallWorld::read("tiny", text).unwrap_or_else(|error| panic!("{error}"))
}

/// The result of a run: its order of decisions, its final rows among them, and what the laws found.
pub fn outcome(plan: &Plan, subject: &Subject) -> u64 {
    let seen = RunSeen::of(&Arc::new(plan.clone()), subject);
    seen.outcome_key(seen.order.key())
}

pub fn with_step(scope: &SmallWorld, line: &str) -> Plan {
    let mut plan = Plan::clone(&scope.plan);
    plan.steps.push(line.parse().unwrap_or_else(|why| panic!("{line}: {why}")));
    plan
}

/// The lines of every deviation that a family of steps allows.
pub fn every_line(scope: &SmallWorld, family: &str) -> Vec<String> {
    let horizon_ms = scope.plan.horizon_ms;
    let ttl_ms = scope.plan.ttl_ms as i64;
    let lasting = |what: &str| -> Vec<String> {
        let each = |at_ms: u64| {
            let what = what.to_owned();
            (1..=horizon_ms - at_ms)
                .map(move |ms| format!("{at_ms}ms {}", what.replace("TIME", &format!("{ms}ms"))))
        };
        (0..horizon_ms).flat_map(each).collect()
    };
    let once =
        |what: &str| -> Vec<String> { (0..horizon_ms).map(|at_ms| format!("{at_ms}ms {what}")).collect() };
    let nodes = ["registry", "worker-1", "worker-2", "host-1"];
    let links = [
        "worker-1>registry",
        "registry>worker-1",
        "worker-2>registry",
        "registry>worker-2",
        "host-1>registry",
        "registry>host-1",
    ];
    // No message is made to arrive after the faults.
    let (_, sent) = record_messages(&scope.plan, &Subject::fencepost());
    let room_ms = |message: &SentMessage| {
        let arrives_us = message.arrives_us.unwrap_or(u64::MAX);
        horizon_ms.saturating_sub(arrives_us / 1_000)
    };
    let messages = |what: &str, has_time: bool| -> Vec<String> {
        let mut lines = Vec::new();
        for message in &sent.sent {
            let SentMessage { link, number, .. } = message;
            let line = format!("0ms {}", what.replace("MESSAGE", &format!("message {number} {link}")));
            match has_time {
                true => {
                    lines.extend((1..=room_ms(message)).map(|ms| line.replace("TIME", &format!("{ms}ms"))))
                }
                false => lines.push(line),
            }
        }
        lines
    };
    let slow_links = || -> Vec<String> {
        let mut lines = Vec::new();
        for (link, at_ms) in links.iter().flat_map(|link| (0..horizon_ms).map(move |at_ms| (*link, at_ms))) {
            let is_first =
                |message: &&SentMessage| message.link.to_string() == link && message.at_us >= at_ms * 1_000;
            let Some(first) = sent.sent.iter().find(is_first) else { continue };
            let span_ms = horizon_ms - at_ms;
            let of_length = |ms: u64| format!("{at_ms}ms delay {link} by {ms}ms for {span_ms}ms");
            lines.extend((1..=room_ms(first)).map(of_length));
        }
        lines
    };
    let of_nodes = |what: &str, nodes: &[&str]| -> Vec<String> {
        nodes.iter().flat_map(|node| lasting(&what.replace("NODE", node))).collect()
    };
    match family {
        "pause" => of_nodes("pause NODE for TIME", &nodes),
        "crash" => of_nodes("crash NODE for TIME", &nodes),
        "start late" => of_nodes("start-late NODE by TIME for 1ms", &nodes[1..3]),
        "slow store" => lasting("store slow by TIME for 1ms"),
        "failing store" => {
            let kinds = ["fails", "loses", "forgets to answer", "fails to read"];
            kinds.iter().flat_map(|how| once(&format!("store {how} for 1ms"))).collect()
        }
        "clock" => {
            let sizes = (-2 * ttl_ms..=2 * ttl_ms).filter(|size| *size != 0);
            sizes
                .flat_map(|size| {
                    once(&format!("step registry by {}{}ms", if size < 0 { '-' } else { '+' }, size.abs()))
                })
                .collect()
        }
        "lost message" => messages("drop MESSAGE", false),
        "late message" => messages("late MESSAGE by TIME", true),
        "doubled message" => {
            let to_registry = |line: &String| line.contains(">registry");
            messages("double MESSAGE after TIME", true).into_iter().filter(to_registry).collect()
        }
        "slow link" => slow_links(),
        "sweep" => {
            ["worker-1", "worker-2"].iter().flat_map(|worker| once(&format!("sweep {worker}"))).collect()
        }
        "old call" => {
            let kinds = ["renew", "start", "emit", "wait", "complete", "release", "returns"];
            kinds.iter().flat_map(|how| once(&format!("stale-call p1 {how}"))).collect()
        }
        _ => panic!("no family `{family}`"),
    }
}

/// Every outcome of these deviations, each with the first line that comes to it.
pub fn outcomes(scope: &SmallWorld, subject: &Subject, lines: &[String]) -> BTreeMap<u64, String> {
    let half = lines.len().div_ceil(2).max(1);
    let found: Vec<BTreeMap<u64, String>> = std::thread::scope(|threads| {
        let parts: Vec<_> = lines
            .chunks(half)
            .map(|part| {
                threads.spawn(move || {
                    let mut found = BTreeMap::new();
                    for line in part {
                        found
                            .entry(outcome(&with_step(scope, line), subject))
                            .or_insert_with(|| line.clone());
                    }
                    found
                })
            })
            .collect();
        parts
            .into_iter()
            .map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let mut all = BTreeMap::new();
    for (key, line) in found.into_iter().flatten() {
        all.entry(key).or_insert(line);
    }
    all
}
