//! Dispatches everything that falls due to the part of the world that carries it out.

use std::task::Waker;

use crate::disk;
use crate::world::state::due::Due;
use crate::world::state::{World, with};
use crate::world::{liveness, machines, observer, registry_node, stale_calls, steps, store_node};

pub fn dispatch(due: Due) {
    match due {
        Due::Wake(waker) => waker.wake(),
        Due::TaskStarts(task) => with(|world| world.kernel.wake(task)),
        Due::RequestArrives(message) => registry_node::serve(message),
        Due::StoreRequestArrives(message) => store_node::serve(message),
        Due::StoreAnswerArrives(message) => wake(with(|world| world.take_store_answer(message))),
        Due::WakeTokio(waker) => waker.wake(),
        Due::AnswerArrives(message) => wake(with(|world| world.take_answer(message))),
        Due::EffectArrives(offered) => with(|world| world.take_effect(offered)),
        Due::EffectAnswerArrives(offered, answer) => {
            wake(with(|world| world.take_effect_answer(offered, answer)));
        }
        Due::Step(number) => steps::take(number),
        Due::Resumes(node, pause) => machines::resume(node, pause, dispatch),
        Due::Restarts(node, life, is_renamed) => machines::restart(node, life, is_renamed),
        Due::StaleCall(process, method) => {
            if !with(|world| world.liveness.has_begun()) {
                stale_calls::send_at_expiry(process, method);
            }
        }
        Due::Observe { process, call, life } => observer::observe(process, call, life),
        Due::DiskHeals => with(World::trouble_disk),
        Due::RegistryDies => {
            if let Some(dies) = disk::with(|disk| disk.died()).flatten() {
                steps::registry_dies(dies);
            }
        }
        Due::LivenessCheck => liveness::check(dispatch),
        Due::LivenessDeadline => with(World::end_liveness),
    }
}

fn wake(waker: Option<Waker>) {
    waker.into_iter().for_each(Waker::wake);
}
