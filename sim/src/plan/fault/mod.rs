//! Faults, one file each. A new fault is a file here and its two lines below.

pub mod clock_drift;
pub mod clock_step;
pub mod clock_wander;
pub mod cut_link;
pub mod doubled_message;
pub mod dropped_message;
pub mod failing_store;
pub mod faulty_disk;
pub mod hold_call;
pub mod late_message;
pub mod late_start;
pub mod lying_probe;
pub mod message_delay;
pub mod message_loss;
pub mod message_repeat;
pub mod node_crash;
pub mod pause;
pub mod power_off;
pub mod registry_crash;
pub mod reversed_tasks;
pub mod slow_store;
pub mod stale_call;

use crate::plan::kind_entry::Kind;

/// In the order in which the generator asks whether each is on in a seed: a new order changes every generated plan.
pub const FAULTS: &[Kind] = &[
    Kind::of::<pause::Pause>(),
    Kind::of::<node_crash::NodeCrash>(),
    Kind::of::<registry_crash::RegistryCrash>(),
    Kind::of::<cut_link::CutLink>(),
    Kind::of::<message_loss::MessageLoss>(),
    Kind::of::<message_repeat::MessageRepeat>(),
    Kind::of::<message_delay::MessageDelay>(),
    Kind::of::<hold_call::HoldCall>(),
    Kind::of::<stale_call::StaleCall>(),
    Kind::of::<clock_step::ClockStep>(),
    Kind::of::<clock_drift::ClockDrift>(),
    Kind::of::<slow_store::SlowStore>(),
    Kind::of::<failing_store::FailingStore>(),
    Kind::of::<lying_probe::LyingProbe>(),
    Kind::of::<late_start::LateStart>(),
    Kind::of::<power_off::PowerOff>(),
    Kind::of::<faulty_disk::FaultyDisk>(),
    Kind::of::<clock_wander::ClockWander>(),
    Kind::of::<dropped_message::DroppedMessage>(),
    Kind::of::<doubled_message::DoubledMessage>(),
    Kind::of::<late_message::LateMessage>(),
    Kind::of::<reversed_tasks::ReversedTasks>(),
];
