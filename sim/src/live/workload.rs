//! The work of a live run, drawn from its seed before it begins: the plan of the history, and what each host asks when.

use crate::live::host_request::{HostAsking, HostRequest};
use crate::live::settings::LiveRequest;
use crate::plan::chance::{Dice, Purpose, Seed};
use crate::plan::{NodeNumbers, Plan, Store};

/// Long enough for a loaded machine to renew in time, and short enough for many leases to run out.
pub const TTL_MS: u64 = 2_400;
pub const RENEW_MS: u64 = 600;
const SWEEP_MS: u64 = 400;
/// Plans name processes up to p999.
const MOST_PROCESSES: u64 = 990;

/// The plan of the run, and the requests of its hosts in order.
pub fn draw(request: &LiveRequest) -> (Plan, Vec<HostRequest>) {
    let mut plan = Plan::quiet(request.seed);
    plan.workers = NodeNumbers((1..=request.workers).collect());
    plan.hosts = NodeNumbers((1..=request.hosts).collect());
    (plan.ttl_ms, plan.renew_ms, plan.sweep_ms, plan.bound) = (TTL_MS, RENEW_MS, SWEEP_MS, 4);
    plan.store = Store::Sqlite;
    plan.horizon_ms = request.seconds * 1_000;
    let mut dice = Dice::new(Seed(request.seed).stream(Purpose::Generate, [0x11fe, 0]));
    let pace_ms = (plan.horizon_ms / MOST_PROCESSES).max(450);
    let (mut lines, mut requests) = (Vec::new(), Vec::new());
    let (mut at_ms, mut process) = (0, 1_u16);
    while at_ms < plan.horizon_ms && u64::from(process) <= MOST_PROCESSES {
        draw_process(&mut dice, at_ms, process, request.hosts, &mut lines, &mut requests);
        at_ms += dice.between(pace_ms / 2, pace_ms * 3 / 2);
        process += 1;
    }
    plan.steps = lines.iter().filter_map(|line: &String| line.parse().ok()).collect();
    assert_eq!(plan.steps.len(), lines.len(), "a drawn line is a step");
    requests.sort_by_key(|request| request.at_ms);
    (plan, requests)
}

fn draw_process(
    dice: &mut Dice,
    at_ms: u64,
    process: u16,
    hosts: u8,
    lines: &mut Vec<String>,
    requests: &mut Vec<HostRequest>,
) {
    use fencepost::model::process::RecoveryDisposition::{ExternallyOwned, OwnerBound, Rerunnable};
    let host = u8::try_from(u64::from(process) % u64::from(hosts.max(1))).unwrap_or(0) + 1;
    let (disposition, name) = match dice.below(10) {
        0..7 => (Rerunnable, "rerunnable"),
        7..9 => (OwnerBound, "owner-bound"),
        _ => (ExternallyOwned, "externally-owned"),
    };
    let mut ask = |at_ms: u64, what: HostAsking| requests.push(HostRequest { host, at_ms, process, what });
    ask(at_ms, HostAsking::Register { step: lines.len(), disposition });
    ask(at_ms, HostAsking::Await);
    let body = match dice.below(10) {
        0..3 => format!("{} steps of {}ms", dice.between(1, 12), dice.between(50, 600)),
        3..5 => format!("{} emits of {}ms", dice.between(1, 8), dice.between(50, 500)),
        // Nothing else makes a worker release a lease that it holds.
        5..7 => "breaks".to_owned(),
        7..9 => {
            ask(at_ms + dice.between(100, 5_000), HostAsking::Signal);
            "waits".to_owned()
        }
        _ => {
            ask(at_ms + dice.between(100, 5_000), HostAsking::Cancel);
            "until cancelled".to_owned()
        }
    };
    if disposition != Rerunnable {
        // Whoever started it may be dead, and nobody else may: then it ends because it is asked to.
        ask(at_ms + dice.between(4_000, 9_000), HostAsking::Abandon);
    }
    lines.push(format!("{} register p{process} {name} {body}", milliseconds(at_ms)));
}

fn milliseconds(at_ms: u64) -> String {
    format!("{at_ms}ms")
}
