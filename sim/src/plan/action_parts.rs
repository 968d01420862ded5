//! Questions about a step's parts, whatever its kind: the nodes and processes it names, its span, its numbers.

use crate::plan::names::{Node, Process};
use crate::plan::span::Span;
use crate::plan::step_kind::{Action, Group, Part};

impl Action {
    pub fn is_fault(&self) -> bool {
        self.group() != Group::Work
    }

    /// Every node that it names.
    pub fn nodes(&self) -> Vec<Node> {
        let mut named = Vec::new();
        for part in self.clone().parts() {
            match part {
                Part::Node(node) => named.push(*node),
                Part::Link(link) => named.extend([link.from, link.to]),
                Part::Process(_) | Part::Processes(_) | Part::OtherProcess(_) => {}
                Part::Ms(_) | Part::SignedMs(_) | Part::Ppm(_) | Part::Span(_) => {}
            }
        }
        named
    }

    /// The processes that it is about.
    pub fn subjects(&self) -> Vec<Process> {
        let mut subjects = Vec::new();
        for part in self.clone().parts() {
            match part {
                Part::Process(process) => subjects.push(*process),
                Part::Processes(processes) => subjects.append(processes),
                Part::OtherProcess(_) | Part::Node(_) | Part::Link(_) => {}
                Part::Ms(_) | Part::SignedMs(_) | Part::Ppm(_) | Part::Span(_) => {}
            }
        }
        subjects
    }

    /// Every process that it names.
    pub fn processes(&self) -> Vec<Process> {
        let mut named = self.subjects();
        for part in self.clone().parts() {
            match part {
                Part::OtherProcess(process) | Part::Span(Span::UntilExpiry { process, .. }) => {
                    named.push(*process);
                }
                Part::Process(_) | Part::Processes(_) | Part::Node(_) | Part::Link(_) => {}
                Part::Ms(_) | Part::SignedMs(_) | Part::Ppm(_) | Part::Span(Span::Ms(_)) => {}
            }
        }
        named
    }

    /// Takes a process out; false, if nothing is left of the step then.
    pub fn forget(&mut self, process: Process) -> bool {
        self.parts().into_iter().all(|part| match part {
            Part::Process(subject) => *subject != process,
            Part::Processes(subjects) => {
                subjects.retain(|subject| *subject != process);
                !subjects.is_empty()
            }
            Part::OtherProcess(_) | Part::Node(_) | Part::Link(_) => true,
            Part::Ms(_) | Part::SignedMs(_) | Part::Ppm(_) | Part::Span(_) => true,
        })
    }

    pub fn span(&self) -> Option<Span> {
        self.clone().span_mut().copied()
    }

    pub fn span_mut(&mut self) -> Option<&mut Span> {
        self.parts().into_iter().find_map(|part| match part {
            Part::Span(span) => Some(span),
            Part::Process(_) | Part::Processes(_) | Part::OtherProcess(_) => None,
            Part::Node(_) | Part::Link(_) | Part::Ms(_) | Part::SignedMs(_) | Part::Ppm(_) => None,
        })
    }

    /// The longest time that it speaks of.
    pub fn longest_ms(&self) -> u64 {
        let mut copy = self.clone();
        let times = copy.parts().into_iter().map(|part| match part {
            Part::Ms(ms) | Part::Span(Span::Ms(ms)) => *ms,
            Part::SignedMs(ms) | Part::Span(Span::UntilExpiry { offset_ms: ms, .. }) => ms.unsigned_abs(),
            Part::Process(_) | Part::Processes(_) | Part::OtherProcess(_) => 0,
            Part::Node(_) | Part::Link(_) | Part::Ppm(_) => 0,
        });
        times.max().unwrap_or(0)
    }

    /// Replaces each number, in the order they are written. Those that cannot be negative stop at 0.
    pub fn replace_numbers(&mut self, replaced: &mut dyn FnMut(i64) -> i64) {
        for part in self.parts() {
            match part {
                Part::Ms(ms) | Part::Span(Span::Ms(ms)) => {
                    if let Ok(number) = i64::try_from(*ms) {
                        *ms = u64::try_from(replaced(number)).unwrap_or(0);
                    }
                }
                Part::SignedMs(ms) | Part::Span(Span::UntilExpiry { offset_ms: ms, .. }) => {
                    *ms = replaced(*ms);
                }
                Part::Ppm(ppm) => *ppm = i32::try_from(replaced(i64::from(*ppm))).unwrap_or(*ppm),
                Part::Process(_) | Part::Processes(_) | Part::OtherProcess(_) => {}
                Part::Node(_) | Part::Link(_) => {}
            }
        }
    }

    /// Every number in it.
    pub fn numbers(&self) -> Vec<i64> {
        let mut numbers = Vec::new();
        self.clone().replace_numbers(&mut |number| {
            numbers.push(number);
            number
        });
        numbers
    }
}
