//! A scope: a small world with a name, as a plan in which nothing goes wrong. The catalogue stands in `sim/scopes/`, one file
//! each; users give files of their own.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use crate::plan::{Outline, Plan, PlanError, TaskOrder};
use crate::subject::Subject;
use crate::support::atomic_file;
use crate::support::unknown_name::unknown;

/// One scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmallWorld {
    pub name: String,
    /// Its content, for people.
    pub about: String,
    pub plan: Arc<Plan>,
}

macro_rules! catalogue {
    ($($name:literal,)*) => {
        &[$(($name, include_str!(concat!("../../scopes/", $name, ".toml"))),)*]
    };
}

/// Names and texts.
const CATALOGUE: &[(&str, &str)] = catalogue![
    "one-rerunnable",
    "different-ttls",
    "owner-bound",
    "infrastructure-fails",
    "events-and-replays",
    "wait-and-signal",
    "parent-and-child",
    "two-lives",
    "externally-owned",
    "handles-and-wakes",
    "cancel-and-abandon",
    "waits-beside-the-registry",
    "few-fences",
    "questions",
    "on-a-disk",
];

/// Why there is no such scope, or none that can be explored.
#[derive(Debug, thiserror::Error)]
pub enum ScopeError {
    #[error("{0} (or give the path of a file)")]
    Unknown(String),
    #[error("`{path}` cannot be read: {cause}")]
    Unreadable { path: String, cause: std::io::Error },
    #[error("`{path}` is no scope: {error}")]
    NoScope { path: String, error: PlanError },
    #[error("`{name}` is no scope: {why}")]
    NotFixed { name: String, why: &'static str },
}

impl SmallWorld {
    /// The scopes that come with the library.
    pub fn catalogue() -> Vec<Self> {
        let read = |(name, text): &(&str, &str)| {
            Self::read(name, text).unwrap_or_else(|error| unreachable!("a test reads every scope: {error}"))
        };
        CATALOGUE.iter().map(read).collect()
    }

    /// Those of them that put a subject to the test: a registry that is not ours decides itself where it keeps its rows.
    pub fn fitting(subject: &Subject) -> Vec<Self> {
        let mut worlds = Self::catalogue();
        worlds.retain(|world| {
            let store = world.plan.store;
            subject.is_ours() && subject.can_keep_rows_in(store) || store == subject.store_needed
        });
        worlds
    }

    /// A scope of the catalogue, or that of a file.
    pub fn find(name: &str) -> Result<Self, ScopeError> {
        if let Some((name, text)) = CATALOGUE.iter().find(|(known, _)| *known == name) {
            return Self::read(name, text);
        }
        let path = Path::new(name);
        if path.extension().is_none() && !path.exists() {
            let known: Vec<&str> = CATALOGUE.iter().map(|(name, _)| *name).collect();
            return Err(ScopeError::Unknown(unknown("scope", name, &known)));
        }
        let text = atomic_file::read(path)
            .map_err(|cause| ScopeError::Unreadable { path: name.to_owned(), cause })?;
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or(name);
        Self::read(stem, &text)
    }

    /// The scope of this text: `about = "..."`, and a plan.
    pub fn read(name: &str, text: &str) -> Result<Self, ScopeError> {
        #[derive(Deserialize)]
        struct PlanOutline {
            plan: Outline,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct ScopeFile {
            about: String,
            plan: Plan,
        }
        let no_scope = |error: PlanError| ScopeError::NoScope { path: name.to_owned(), error };
        let located = |error: toml::de::Error| no_scope(PlanError::located(text, &error));
        let PlanOutline { plan: outline } = toml::from_str(text).map_err(located)?;
        outline.check_format().map_err(no_scope)?;
        let ScopeFile { about, plan } = toml::from_str(text).map_err(located)?;
        plan.check().map_err(|error| no_scope(outline.place(text, error)))?;
        Self::new(name, &about, plan)
    }

    /// A scope of your own: a plan whose messages all take the same time and whose tasks run first ready, first run.
    pub fn new(name: &str, about: &str, plan: Plan) -> Result<Self, ScopeError> {
        let not_fixed = |why| Err(ScopeError::NotFixed { name: name.to_owned(), why });
        let links = plan.links;
        if links.fastest_us != links.slowest_us {
            return not_fixed("its links must be as fast as they are slow: latencies are held fixed");
        }
        if links.loss_permille + links.repeat_permille + links.late_permille > 0 {
            return not_fixed("its links must lose and repeat nothing: that is what deviations are for");
        }
        if plan.order != TaskOrder::FirstReady {
            return not_fixed("it must say order = \"first-ready\"");
        }
        if plan.steps.iter().any(|step| step.action.is_fault()) {
            return not_fixed("its steps must be work: what goes wrong is added to it");
        }
        Ok(Self { name: name.to_owned(), about: about.to_owned(), plan: Arc::new(plan) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_of_the_catalogue_can_be_read_and_has_a_seed_of_its_own() {
        let mut seeds = Vec::new();
        for (name, text) in CATALOGUE {
            let world = SmallWorld::read(name, text).unwrap_or_else(|error| panic!("{error}"));
            assert!(world.about.ends_with('.'), "{name} tells what it is in a sentence");
            assert!(!seeds.contains(&world.plan.seed), "{name} would write over the files of another scope");
            seeds.push(world.plan.seed);
        }
    }

    #[test]
    fn a_plan_that_leaves_anything_to_chance_is_no_scope() {
        let (_, text) = CATALOGUE[0];
        let refused = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            SmallWorld::read("mine", &text.replacen(from, to, 1)).unwrap_err().to_string()
        };
        assert!(refused("slowest_us = 2000", "slowest_us = 3000").contains("held fixed"));
        assert!(refused("order = \"first-ready\"", "").contains("first-ready"));
        assert!(refused("\"0ms register", "\"0ms pause worker-1 for 1s\", \"0ms register").contains("work"));
        assert!(refused("fastest_us = 2000", "loss_permille = 1\nfastest_us = 2000").contains("lose"));
        assert!(refused("format = 1", "format = 2").contains("format 2"));
    }

    #[test]
    fn an_unknown_scope_is_answered_with_those_that_there_are() {
        let why = SmallWorld::find("nowhere").unwrap_err().to_string();
        assert!(why.contains("one-rerunnable, ") && why.contains(", owner-bound, "), "{why}");
        assert!(SmallWorld::find("nowhere.toml").unwrap_err().to_string().contains("cannot be read"));
    }
}
