//! The registry's disk: its process dies, or its machine loses power, at each disk call of a decision; or the disk fails for as
//! long as one decision takes.

use crate::plan::Store;
use crate::plan::fault::faulty_disk::FaultyDisk;
use crate::plan::fault::power_off::PowerOff;
use crate::plan::fault::registry_crash::RegistryCrash;
use crate::plan::span::Span;
use crate::plan::step::DiskFault;
use crate::prove::deviation::point::Points;
use crate::prove::one_run::RecordedRun;

/// Long enough to lose the answer, and short of a resend.
const DOWN: Span = Span::Ms(10);

/// Each millisecond in which decisions use the disk, and how often.
fn disk_calls(run: &RecordedRun) -> Vec<(u64, u64)> {
    if run.plan.store != Store::Sqlite {
        return Vec::new();
    }
    let arrived = &run.messages.arrived;
    let mut calls: Vec<(u64, u64)> = Vec::new();
    for (place, arrival) in arrived.iter().enumerate() {
        let Some(next) = arrived.get(place + 1) else { continue };
        let (at_ms, count) = (arrival.at_us / 1_000, next.disk_calls.saturating_sub(arrival.disk_calls));
        match calls.last_mut() {
            Some((last_ms, sum)) if *last_ms == at_ms => *sum += count,
            _ => calls.push((at_ms, count)),
        }
    }
    calls.retain(|(_, count)| *count > 0);
    calls
}

pub fn crash(run: &RecordedRun, points: &mut Points) {
    for (at_ms, count) in disk_calls(run) {
        for call in 0..count {
            points.once(at_ms, call, RegistryCrash { at_disk_call: Some(call), span: DOWN });
        }
    }
}

pub fn power_off(run: &RecordedRun, points: &mut Points) {
    for (at_ms, count) in disk_calls(run) {
        for call in 0..count {
            points.once(at_ms, call, PowerOff { at_disk_call: Some(call), span: DOWN });
        }
    }
}

pub fn trouble(run: &RecordedRun, points: &mut Points) {
    use DiskFault::{FailsToRead, FailsToSync, FailsToWrite, Full};
    for (at_ms, _) in disk_calls(run) {
        for (number, how) in (0..).zip([FailsToRead, FailsToWrite, FailsToSync, Full]) {
            points.once(at_ms, number, FaultyDisk { how, span: Span::Ms(1) });
        }
    }
}
