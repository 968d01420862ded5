//! Messages: one is lost, doubled or late, or its link is slow from then on. A late message is overtaken by those that are sent
//! after it; on a slow link it is not.

use crate::plan::fault::doubled_message::DoubledMessage;
use crate::plan::fault::dropped_message::DroppedMessage;
use crate::plan::fault::late_message::LateMessage;
use crate::plan::fault::message_delay::MessageDelay;
use crate::plan::span::Span;
use crate::plan::{Link, Node};
use crate::prove::deviation::point::Points;
use crate::prove::one_run::RecordedRun;
use crate::world::SentMessage;

fn target(message: &SentMessage) -> u64 {
    target_of(message.link) << 32 | message.number
}

fn target_of(link: Link) -> u64 {
    u64::from(link.from.code()) << 8 | u64::from(link.to.code())
}

/// Messages that arrive, with the milliseconds in which they are sent and arrive.
fn arriving(run: &RecordedRun) -> impl Iterator<Item = (SentMessage, u64, u64)> + '_ {
    let with_times = |message: &SentMessage| {
        let arrives_us = message.arrives_us?;
        Some((*message, message.at_us / 1_000, arrives_us / 1_000))
    };
    run.messages.sent.iter().filter_map(with_times)
}

pub fn lost(run: &RecordedRun, points: &mut Points) {
    for (message, at_ms, _) in arriving(run) {
        let SentMessage { link, number, .. } = message;
        points.once(at_ms, target(&message), DroppedMessage { link, number });
    }
}

/// A second answer finds nobody who waits for it.
pub fn doubled(run: &RecordedRun, points: &mut Points) {
    for (message, at_ms, arrives_ms) in
        arriving(run).filter(|(message, ..)| message.link.to == Node::Registry)
    {
        let SentMessage { link, number, .. } = message;
        points.lasting(at_ms, target(&message), arrives_ms, move |after_ms| {
            DoubledMessage { link, number, after_ms }.into()
        });
    }
}

pub fn late(run: &RecordedRun, points: &mut Points) {
    for (message, at_ms, arrives_ms) in arriving(run) {
        let SentMessage { link, number, .. } = message;
        points.lasting(at_ms, target(&message), arrives_ms, move |by_ms| {
            LateMessage { link, number, by_ms }.into()
        });
    }
}

pub fn slow_link(run: &RecordedRun, points: &mut Points) {
    let horizon_ms = run.plan.horizon_ms;
    for (message, at_ms, arrives_ms) in arriving(run) {
        let (link, span) = (message.link, Span::Ms(horizon_ms.saturating_sub(at_ms)));
        points.lasting(at_ms, target_of(link), arrives_ms, move |by_ms| {
            MessageDelay { link, by_ms, span }.into()
        });
    }
}
