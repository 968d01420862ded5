//! The fate of each message on a link. It is drawn from the seed, the link and the message's number alone, and then changed by
//! the link's faults at that time. Nothing is carried here.

use std::collections::BTreeMap;

use crate::plan::chance::{Purpose, Seed, below};
use crate::plan::step::{Link, MessageFault};
use crate::plan::{Links, Node};

#[derive(Default)]
pub struct Network {
    links: BTreeMap<(u8, u8), Line>,
    is_faultless: bool,
}

/// One direction between two nodes.
#[derive(Default)]
struct Line {
    sent: u64,
    cut_until_us: u64,
    lose: (u64, u64),
    repeat: (u64, u64),
    delay: (u64, u64),
    /// Messages that the plan names, by their numbers.
    singled_out: Vec<(u64, MessageFault)>,
}

/// When copies of a message arrive, from now; none is a message lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    pub first_us: Option<u64>,
    pub second_us: Option<u64>,
    /// The message's number on its link.
    pub number: u64,
}

impl Fate {
    fn with(self, fault: MessageFault) -> Self {
        match fault {
            MessageFault::Dropped => Self { first_us: None, second_us: None, ..self },
            MessageFault::Doubled { after_us } => Self {
                second_us: self.second_us.or(self.first_us.map(|first_us| first_us + after_us)),
                ..self
            },
            MessageFault::Late { by_us } => Self { first_us: self.first_us.map(|us| us + by_us), ..self },
        }
    }
}

impl Network {
    fn line(&mut self, from: Node, to: Node) -> &mut Line {
        self.links.entry((from.code(), to.code())).or_default()
    }

    pub fn cut(&mut self, link: Link, until_us: u64) {
        let line = self.line(link.from, link.to);
        line.cut_until_us = line.cut_until_us.max(until_us);
    }

    pub fn lose(&mut self, link: Link, percent: u64, until_us: u64) {
        self.line(link.from, link.to).lose = (percent, until_us);
    }

    pub fn repeat(&mut self, link: Link, percent: u64, until_us: u64) {
        self.line(link.from, link.to).repeat = (percent, until_us);
    }

    pub fn delay(&mut self, link: Link, by_us: u64, until_us: u64) {
        self.line(link.from, link.to).delay = (by_us, until_us);
    }

    pub fn single_out(&mut self, link: Link, number: u64, fault: MessageFault) {
        self.line(link.from, link.to).singled_out.push((number, fault));
    }

    /// From now on no message is lost, repeated or late.
    pub fn end_faults(&mut self) {
        self.is_faultless = true;
    }

    pub fn send(&mut self, seed: Seed, links: &Links, from: Node, to: Node, now_us: u64) -> Fate {
        let is_faultless = self.is_faultless;
        let line = self.line(from, to);
        line.sent += 1;
        let number = line.sent;
        let link = u64::from(from.code()) << 8 | u64::from(to.code());
        let drawn = seed.draw(Purpose::Fate, [link, number]);
        let spread = links.slowest_us - links.fastest_us + 1;
        // One draw has bits enough for two latencies: the upper half places one, the lower half the other.
        let first_us = links.fastest_us + below(drawn, spread);
        if is_faultless {
            return Fate { first_us: Some(first_us), second_us: None, number };
        }
        let during = |(size, until_us): (u64, u64)| if now_us < until_us { size } else { 0 };
        let (lost, repeated) = (during(line.lose), during(line.repeat));
        let delay_us = during(line.delay);
        let loss = links.loss_permille.max(lost * 10);
        let repeat = links.repeat_permille.max(repeated * 10);
        let mut fate = Fate { first_us: Some(first_us + delay_us), second_us: None, number };
        if loss + repeat + links.late_permille > 0 {
            let luck = seed.draw(Purpose::Fate, [link | 1 << 32, number]);
            if repeat > 0 && below(luck.rotate_left(16), 1_000) < repeat {
                fate.second_us = Some(links.fastest_us + below(drawn << 32, spread) + delay_us);
            }
            if links.late_permille > 0 && below(luck.rotate_left(32), 1_000) < links.late_permille {
                let late_us = below(luck.rotate_left(48), links.late_ms * 1_000 + 1);
                fate.second_us = Some(first_us + delay_us + late_us);
            }
            if loss > 0 && below(luck, 1_000) < loss {
                fate.first_us = None;
            }
        }
        if now_us < line.cut_until_us {
            fate = Fate { first_us: None, second_us: None, number };
        }
        for (_, fault) in line.singled_out.iter().filter(|(singled_out, _)| *singled_out == number) {
            fate = fate.with(*fault);
        }
        fate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: Link = Link { from: Node::Worker(1), to: Node::Registry };

    fn fates(network: &mut Network, links: &Links, now_us: u64, count: usize) -> Vec<Fate> {
        (0..count).map(|_| network.send(Seed(3), links, LINK.from, LINK.to, now_us)).collect()
    }

    #[test]
    fn a_messages_fate_does_not_depend_on_other_links() {
        let links = Links { loss_permille: 200, repeat_permille: 200, ..Links::QUICK };
        let alone = fates(&mut Network::default(), &links, 0, 50);
        let mut busy = Network::default();
        for _ in 0..7 {
            busy.send(Seed(3), &links, Node::Worker(2), Node::Registry, 0);
            busy.send(Seed(3), &links, LINK.to, LINK.from, 0);
        }
        assert_eq!(alone, fates(&mut busy, &links, 0, 50));
    }

    #[test]
    fn shares_are_what_the_plan_says() {
        let links = Links {
            loss_permille: 300,
            repeat_permille: 100,
            late_permille: 50,
            late_ms: 900,
            ..Links::QUICK
        };
        let fates = fates(&mut Network::default(), &links, 0, 10_000);
        let count = |which: fn(&Fate) -> bool| fates.iter().filter(|fate| which(fate)).count();
        assert!((2_850..3_150).contains(&count(|fate| fate.first_us.is_none())));
        assert!((1_350..1_550).contains(&count(|fate| fate.second_us.is_some())));
        assert!((350..550).contains(&count(|fate| fate.second_us.is_some_and(|us| us > 50_000))));
    }

    #[test]
    fn a_cut_is_one_way_and_ends() {
        let mut network = Network::default();
        network.cut(LINK, 1_000);
        assert_eq!(fates(&mut network, &Links::QUICK, 999, 1)[0].first_us, None);
        assert!(fates(&mut network, &Links::QUICK, 1_000, 1)[0].first_us.is_some());
        assert!(network.send(Seed(3), &Links::QUICK, LINK.to, LINK.from, 0).first_us.is_some());
    }

    #[test]
    fn a_message_that_is_singled_out_is_the_only_one_that_differs() {
        let mut network = Network::default();
        network.single_out(LINK, 2, MessageFault::Dropped);
        network.single_out(LINK, 3, MessageFault::Late { by_us: 7 });
        network.single_out(LINK, 4, MessageFault::Doubled { after_us: 9 });
        let plain = fates(&mut Network::default(), &Links::QUICK, 0, 5);
        let found = fates(&mut network, &Links::QUICK, 0, 5);
        let first_us = |place: usize| plain[place].first_us.unwrap();
        assert_eq!((found[0], found[4]), (plain[0], plain[4]));
        assert_eq!((found[1].first_us, found[1].second_us), (None, None));
        assert_eq!((found[2].first_us, found[2].second_us), (Some(first_us(2) + 7), None));
        assert_eq!((found[3].first_us, found[3].second_us), (Some(first_us(3)), Some(first_us(3) + 9)));
    }

    #[test]
    fn a_network_without_faults_loses_nothing() {
        let mut network = Network::default();
        network.cut(LINK, u64::MAX);
        network.end_faults();
        let links = Links { loss_permille: 1_000, repeat_permille: 1_000, ..Links::QUICK };
        assert!(
            fates(&mut network, &links, 0, 100)
                .iter()
                .all(|fate| fate.first_us.is_some() && fate.second_us.is_none())
        );
    }
}
