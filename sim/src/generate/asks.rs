//! Calls of hosts to any method, a few about one process soon after one another: what one writes, the next reads. They have
//! a random stream of their own, so that a seed's other draws do not depend on them.

use fencepost::model::process::RecoveryDisposition;

use crate::plan::Process;
use crate::plan::body::Body;
use crate::plan::chance::{Dice, Purpose, Seed};
use crate::plan::draw::Drawing;
use crate::plan::host_call::HostCall;
use crate::plan::work::ask::Ask;
use crate::plan::work::await_end::AwaitEnd;
use crate::plan::work::read_wakes::ReadWakes;
use crate::plan::work::register::Register;

/// Calls that have to do with one another, and the numbers that go with them.
struct Theme {
    calls: &'static [HostCall],
    numbers: &'static [u64],
    /// The longest time between one call and the next.
    gap_ms: u64,
}

const THEMES: &[Theme] = &[
    Theme {
        calls: HostCall::ALL,
        numbers: &[1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 0, 0, u64::MAX],
        gap_ms: 1_000,
    },
    // A host repeats a request after the end of its process: its replay key is known already.
    Theme { calls: &[HostCall::AppendEvent], numbers: &[2, 2, 6, 6, 8], gap_ms: 5_000 },
    Theme {
        calls: &[
            HostCall::GrantHandle,
            HostCall::GrantHandle,
            HostCall::GrantHandle,
            HostCall::RevokeHandle,
            HostCall::HasHandleGrant,
            HostCall::HandleGrantsForProcess,
            HostCall::ListHandleGrants,
            HostCall::ListLiveHandleGrants,
            HostCall::TransferHandleGrants,
            HostCall::DeleteSession,
        ],
        numbers: &[1, 1, 3, 3, 2],
        gap_ms: 1_000,
    },
    // A session and a frame of it are two scopes.
    Theme {
        calls: &[
            HostCall::GrantHandle,
            HostCall::HasHandleGrant,
            HostCall::ListHandleGrants,
            HostCall::RevokeHandle,
        ],
        numbers: &[1, 3],
        gap_ms: 1_000,
    },
    // The same wait again is no change.
    Theme {
        calls: &[HostCall::SetProcessWait, HostCall::SetProcessWait, HostCall::GetProcess],
        numbers: &[1],
        gap_ms: 1_000,
    },
    Theme {
        calls: &[
            HostCall::EventsAfter,
            HostCall::WakeEventsAfter,
            HostCall::CountEventsThrough,
            HostCall::RecentEvents,
            HostCall::AckWake,
            HostCall::AckWake,
            HostCall::AppendEvent,
        ],
        numbers: &[0, 1, 2, 2, 3, 3, 4, 5, u64::MAX],
        gap_ms: 1_000,
    },
    Theme {
        calls: &[
            HostCall::SetExternalRef,
            HostCall::SetExternalRef,
            HostCall::RecordFirstStarted,
            HostCall::SetProcessWait,
            HostCall::SetProcessWait,
            HostCall::SetProcessWait,
            HostCall::ClearProcessWait,
            HostCall::AppendEvent,
            HostCall::RequestAbandon,
            HostCall::CompleteProcess,
            HostCall::GetProcess,
            HostCall::ListProcesses,
        ],
        numbers: &[1, 1, 1, 1, 2, 3],
        gap_ms: 1_000,
    },
];

pub fn asks(drawing: &mut Drawing, seed: Seed) {
    let mut dice = Dice::new(seed.stream(Purpose::Asks, [0, 0]));
    if !dice.percent(60) {
        return;
    }
    let owned_elsewhere = owned_elsewhere(drawing, &mut dice);
    for _ in 0..dice.between(1, 3) {
        let process = match owned_elsewhere {
            // It takes from hosts what others take under a lease only.
            Some(process) if dice.percent(60) => process,
            // Nobody may have registered the last one.
            Some(_) | None => Process(dice.between(1, u64::from(drawing.processes) + 1) as u16),
        };
        if dice.percent(30) {
            // Somebody waits, at times for a later life than whoever waited before.
            let waits_at_ms = dice.below(drawing.horizon_ms);
            drawing.add(waits_at_ms, AwaitEnd { process });
        }
        if dice.percent(30) {
            let reads_at_ms = dice.below(drawing.horizon_ms);
            drawing.add(reads_at_ms, ReadWakes { process });
        }
        let mut at_ms = dice.below(drawing.horizon_ms * 9 / 10);
        let theme = dice.one_of(THEMES);
        for _ in 0..dice.between(2, 6) {
            let (call, number) = (*dice.one_of(theme.calls), *dice.one_of(theme.numbers));
            drawing.add(at_ms, Ask { call, process, number });
            at_ms += dice.below(theme.gap_ms);
        }
    }
}

/// A process that is owned elsewhere: one that the plan has already, or now and then one more.
fn owned_elsewhere(drawing: &mut Drawing, dice: &mut Dice) -> Option<Process> {
    let registers = drawing.steps.iter().filter_map(|step| step.action.downcast::<Register>());
    let mut found = registers.filter(|it| it.disposition == RecoveryDisposition::ExternallyOwned);
    if let Some(register) = found.next() {
        return Some(register.process);
    }
    if !dice.percent(40) {
        return None;
    }
    let process = Process(drawing.processes + 1);
    let at_ms = dice.below(drawing.horizon_ms / 2);
    let body = Body::Steps { count: 1, rest_ms: 10 };
    drawing.add(at_ms, Register { process, disposition: RecoveryDisposition::ExternallyOwned, body });
    Some(process)
}
