//! The names that a plan uses: nodes, processes, links between nodes, scopes of handles.

use std::fmt;
use std::str::FromStr;

use crate::plan::digits::unsigned;

/// A machine of the world. Numbers are kept in the plan, so removing worker-1 does not make another of worker-2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    Registry,
    Worker(u8),
    Host(u8),
    /// Outside of the system: it takes effects, and nothing ever happens to it.
    Ledger,
}

/// A process id is `p` and this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process(pub u16);

/// Which numbers of a kind of node there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeNumbers(pub Vec<u8>);

/// A direction between two nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    pub from: Node,
    pub to: Node,
}

/// A scope that holds handles is `s` and this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope(pub u16);

impl Node {
    /// Its number among all nodes, the same in every plan.
    pub fn code(self) -> u8 {
        match self {
            Self::Registry => 0,
            Self::Worker(number) => number,
            Self::Host(number) => 100 + number,
            Self::Ledger => 255,
        }
    }

    pub fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Registry,
            1..=99 => Self::Worker(code),
            255 => Self::Ledger,
            _ => Self::Host(code - 100),
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry => f.pad("registry"),
            Self::Ledger => f.pad("ledger"),
            Self::Worker(number) => f.pad(&format!("worker-{number}")),
            Self::Host(number) => f.pad(&format!("host-{number}")),
        }
    }
}

impl FromStr for Node {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |digits: &str| unsigned(digits).filter(|number| (1..=99).contains(number));
        match text {
            "registry" => Some(Self::Registry),
            _ => match text.split_once('-') {
                Some(("worker", digits)) => number(digits).map(Self::Worker),
                Some(("host", digits)) => number(digits).map(Self::Host),
                _ => None,
            },
        }
        .ok_or_else(|| {
            format!("`{text}` is no node: say registry, worker-1 .. worker-99 or host-1 .. host-99")
        })
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", self.0)
    }
}

impl FromStr for Process {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_prefix('p').and_then(unsigned);
        number
            .filter(|number| *number < 1_000)
            .map(Self)
            .ok_or_else(|| format!("`{text}` is no process: say p0 .. p999"))
    }
}

impl fmt::Display for NodeNumbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(u8::to_string).collect();
        f.write_str(&numbers.join(" "))
    }
}

impl FromStr for NodeNumbers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Option<Vec<u8>> = text.split_whitespace().map(unsigned).collect();
        let mut numbers =
            numbers.ok_or_else(|| format!("`{text}` is no list of node numbers, such as \"1 2 3\""))?;
        numbers.sort_unstable();
        numbers.dedup();
        Ok(Self(numbers))
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}>{}", self.from, self.to)
    }
}

impl FromStr for Link {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no link: one end is the registry, as in worker-1>registry");
        let (from, to) = text.split_once('>').ok_or_else(wrong)?;
        let link = Self { from: from.parse()?, to: to.parse()? };
        let ends = [link.from, link.to].iter().filter(|node| **node == Node::Registry).count();
        if ends == 1 { Ok(link) } else { Err(wrong()) }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{}", self.0)
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_prefix('s').and_then(unsigned);
        number.map(Self).ok_or_else(|| format!("`{text}` is no scope: say s1"))
    }
}
