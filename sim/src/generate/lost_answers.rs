//! Some crashes of the registry come while its answers to a node are lost: what it has applied is asked for again in its next
//! life, which remembers nothing. A random stream of their own keeps a seed's other draws as they are.

use crate::plan::chance::{Dice, Purpose, Seed};
use crate::plan::draw::Drawing;
use crate::plan::fault::cut_link::CutLink;
use crate::plan::fault::registry_crash::RegistryCrash;
use crate::plan::span::Span;
use crate::plan::step::Step;
use crate::plan::{Link, Node};

/// Within this, most nodes call the registry.
const LONGEST_CUT_MS: u64 = 800;

pub fn lost_answers(drawing: &mut Drawing, seed: Seed) {
    let mut dice = Dice::new(seed.stream(Purpose::LostAnswers, [0, 0]));
    let crashes: Vec<usize> = (0..drawing.steps.len())
        .filter(|place| is_crash_at_an_instant(&drawing.steps[*place]) && dice.percent(50))
        .collect();
    for place in crashes {
        let at_ms = drawing.steps[place].at_ms;
        if dice.percent(50) {
            // Whoever asks is still asking when it is up again.
            let span = Span::Ms(dice.below(100));
            drawing.steps[place].action = RegistryCrash { at_disk_call: None, span }.into();
        }
        let nodes = u64::from(drawing.workers) + u64::from(drawing.hosts);
        let to = match dice.between(1, nodes) {
            worker if worker <= u64::from(drawing.workers) => Node::Worker(worker as u8),
            host => Node::Host((host - u64::from(drawing.workers)) as u8),
        };
        let before_ms = dice.between(50, LONGEST_CUT_MS).min(at_ms);
        let link = Link { from: Node::Registry, to };
        drawing.add(at_ms - before_ms, CutLink { link, span: Span::Ms(before_ms + 1) });
    }
}

fn is_crash_at_an_instant(step: &Step) -> bool {
    step.action.downcast::<RegistryCrash>().is_some_and(|crash| crash.at_disk_call.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::generate;
    use crate::plan::{Plan, Store};

    /// True if answers of the registry to somebody are lost until this crash.
    fn loses_answers_before(plan: &Plan, crash: &Step) -> bool {
        plan.steps.iter().any(|step| match step.action.downcast::<CutLink>() {
            Some(CutLink { link, span: Span::Ms(ms) }) => {
                link.from == Node::Registry && step.at_ms < crash.at_ms && step.at_ms + ms == crash.at_ms + 1
            }
            _ => false,
        })
    }

    #[test]
    fn many_crashes_of_the_registry_lose_answers() {
        let (mut crashes, mut lost) = (0, 0);
        for seed in 0..300 {
            let plan = generate(Seed(seed), Store::Memory);
            for crash in plan.steps.iter().filter(|step| is_crash_at_an_instant(step)) {
                crashes += 1;
                lost += usize::from(loses_answers_before(&plan, crash));
            }
        }
        assert!(lost * 4 > crashes && lost * 4 < crashes * 3, "{lost} of {crashes}");
    }
}
