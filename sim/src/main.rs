//! probe
use fencepost_sim::{event::*, generate::*, laws::*, plan::*, seed::*, subject::Subject, world};
use std::sync::Arc;
fn cpu() -> f64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    t.tv_sec as f64 + t.tv_nsec as f64 / 1e9
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let (from, to): (u64, u64) = (a[1].parse().unwrap(), a[2].parse().unwrap());
    let show = a.len() > 3;
    let mut total = (0u64, 0u64, 0u64);
    let began = cpu();
    let mut broken = std::collections::BTreeMap::<String, (u64, u64)>::new();
    for seed in from..to {
        let plan = Arc::new(generate(Seed(seed), Size::Any));
        let mut laws = Laws::new(&plan);
        let mut hash = RunningHash::default();
        let mut events: Vec<Event> = Vec::new();
        let o = if show {
            world::run(&plan, &Subject::fencepost(), &mut (&mut events, (&mut laws, &mut hash)))
        } else {
            world::run(&plan, &Subject::fencepost(), &mut (&mut laws, &mut hash))
        };
        total.0 += o.calls;
        total.1 += o.simulated_us;
        total.2 += hash.events;
        if show {
            println!("{plan}");
            for (i, e) in events.iter().enumerate() {
                println!(
                    "{i:>5} {:>10} {} {:?} p{} {:?} a={} b={} clock={}",
                    e.at_us,
                    Node::from_code(e.node),
                    e.kind,
                    e.process,
                    e.grant.0,
                    e.a,
                    e.b,
                    e.clock
                );
            }
            println!("{:?}", o.grants.iter().map(|g| (g.process, g.node, g.fence)).collect::<Vec<_>>());
        }
        if let Some((law, at, because)) = laws.first_broken() {
            let e = broken.entry(law.to_string()).or_insert((seed, 0));
            e.1 += 1;
            if e.1 <= 3 {
                println!("seed {seed}: {law} at event {at}: {because}");
            }
        }
    }
    let took = cpu() - began;
    println!(
        "{broken:?} calls {} events {} sim s {} cpu s {took:.2} ratio {:.0} us/call {:.2}",
        total.0,
        total.2,
        total.1 / 1_000_000,
        total.1 as f64 / 1e6 / took,
        took * 1e6 / total.0 as f64
    );
}
