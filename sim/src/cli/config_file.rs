//! `fencepost.toml`: named settings for searches. `--profile NAME` chooses one. What it leaves open comes from the profile
//! `default`, and an option on the command line replaces either.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, de};

use crate::cli::error::CliError;
use crate::cli::values;
use crate::cli::values::{Seconds, Stores};
use crate::coverage::Mark;
use crate::generate::profile::{self, Profile};
use crate::plan::PlanError;
use crate::search::seeds::parse_range;
use crate::support::atomic_file;
use crate::support::unknown_name::unknown;

/// Read in the current folder, unless another file is named.
pub const NAME: &str = "fencepost.toml";
/// The profile that is used when none is named.
const DEFAULT: &str = "default";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    #[serde(default)]
    profile: BTreeMap<String, Settings>,
}

/// The settings of one profile. Each may be left out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    #[serde(default, deserialize_with = "range")]
    pub seeds: Option<Range<u64>>,
    #[serde(default, rename = "for", deserialize_with = "time")]
    pub time: Option<Seconds>,
    #[serde(default, deserialize_with = "stores")]
    pub store: Option<Stores>,
    #[serde(default, deserialize_with = "jobs")]
    pub jobs: Option<usize>,
    #[serde(default, deserialize_with = "laws")]
    pub laws: Option<Vec<&'static str>>,
    #[serde(default, deserialize_with = "world")]
    pub world: Option<KnownWorld>,
    #[serde(default, deserialize_with = "faults")]
    pub faults: Option<Vec<&'static str>>,
    #[serde(default, deserialize_with = "faults")]
    pub no_faults: Option<Vec<&'static str>>,
    #[serde(default, deserialize_with = "marks")]
    pub coverage: Option<Vec<Mark>>,
    #[serde(default)]
    pub keep_going: Option<bool>,
}

/// A profile that every build knows.
#[derive(Clone, Copy)]
pub struct KnownWorld(pub &'static Profile);

impl std::fmt::Debug for KnownWorld {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name)
    }
}

/// The settings for a command line that names this profile or none.
pub fn settings(config: Option<&Path>, asked: Option<&str>) -> Result<Settings, CliError> {
    let file = file(config)?.unwrap_or_default();
    let default = file.profile.get(DEFAULT).cloned().unwrap_or_default();
    let Some(name) = asked else { return Ok(default) };
    if let Some(own) = file.profile.get(name) {
        return Ok(own.clone().or(default));
    }
    match profile::by_name(name) {
        Ok(world) => {
            // A world that the command line chooses replaces the file's choice of faults as a whole.
            let chosen = Settings { world: Some(KnownWorld(world)), ..Settings::default() };
            Ok(chosen.or(Settings { faults: None, no_faults: None, ..default }))
        }
        Err(_) => {
            let mut known: Vec<&str> = profile::ALL.iter().map(|profile| profile.name).collect();
            known.extend(file.profile.keys().map(String::as_str));
            Err(CliError(unknown("profile", name, &known)))
        }
    }
}

/// The profiles of the file, by name; none if there is no file.
pub fn profile_names(config: Option<&Path>) -> Result<Option<Vec<String>>, CliError> {
    Ok(file(config)?.map(|file| file.profile.into_keys().collect()))
}

/// The file that is named, or the one in the current folder, if there is one.
fn file(config: Option<&Path>) -> Result<Option<ConfigFile>, CliError> {
    let path = config.map_or_else(|| PathBuf::from(NAME), Path::to_owned);
    let is_there = config.is_some() || path.is_file();
    is_there.then(|| read(&path)).transpose()
}

fn read(path: &Path) -> Result<ConfigFile, CliError> {
    let shown = path.display();
    let text = atomic_file::read(path).map_err(|cause| {
        CliError(format!("`{shown}` cannot be read: {cause}: name the file with your profiles"))
    })?;
    let file: ConfigFile = toml::from_str(&text)
        .map_err(|error| CliError(format!("`{shown}`: {}", PlanError::located(&text, &error))))?;
    for (name, settings) in &file.profile {
        let wrong = |why: &str| CliError(format!("`{shown}`: profile `{name}` {why}"));
        if profile::by_name(name).is_ok() {
            return Err(wrong("has the name of a profile that fencepost has itself: choose another"));
        }
        if settings.seeds.is_some() && settings.time.is_some() {
            return Err(wrong("has both `seeds` and `for`: leave one out"));
        }
    }
    Ok(file)
}

impl Settings {
    /// These, and for what they leave open the others. Seeds and time are one choice, and so are a world and its faults.
    fn or(self, other: Self) -> Self {
        let has_amount = self.seeds.is_some() || self.time.is_some();
        let has_world = self.world.is_some() || self.faults.is_some() || self.no_faults.is_some();
        let amount = if has_amount { (self.seeds, self.time) } else { (other.seeds, other.time) };
        let (world, faults, no_faults) = if has_world {
            (self.world, self.faults, self.no_faults)
        } else {
            (other.world, other.faults, other.no_faults)
        };
        Self {
            seeds: amount.0,
            time: amount.1,
            store: self.store.or(other.store),
            jobs: self.jobs.or(other.jobs),
            laws: self.laws.or(other.laws),
            world,
            faults,
            no_faults,
            coverage: self.coverage.or(other.coverage),
            keep_going: self.keep_going.or(other.keep_going),
        }
    }
}

fn parsed<'de, D: Deserializer<'de>, T>(
    from: D,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(from)?;
    parse(&text).map(Some).map_err(de::Error::custom)
}

fn each_parsed<'de, D: Deserializer<'de>, T>(
    from: D,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<Vec<T>>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    let values: Result<Vec<T>, String> = texts.iter().map(|text| parse(text)).collect();
    values.map(Some).map_err(de::Error::custom)
}

fn range<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Range<u64>>, D::Error> {
    parsed(from, parse_range)
}

fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Seconds>, D::Error> {
    parsed(from, values::time)
}

fn stores<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Stores>, D::Error> {
    parsed(from, values::stores)
}

fn jobs<'de, D: Deserializer<'de>>(from: D) -> Result<Option<usize>, D::Error> {
    let number = u64::deserialize(from)?;
    values::jobs(&number.to_string()).map(Some).map_err(de::Error::custom)
}

fn laws<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<&'static str>>, D::Error> {
    each_parsed(from, values::law)
}

fn world<'de, D: Deserializer<'de>>(from: D) -> Result<Option<KnownWorld>, D::Error> {
    parsed(from, |text| values::world(text).map(KnownWorld))
}

fn faults<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<&'static str>>, D::Error> {
    each_parsed(from, values::fault)
}

fn marks<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<Mark>>, D::Error> {
    each_parsed(from, values::mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.toml");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    const TWO: &str = "[profile.default]\njobs = 3\nseeds = \"0..7\"\nfaults = [\"pause\"]\n\
                       [profile.ci]\nfor = \"1m30s\"\nlaws = [\"ends-once\"]\ncoverage = [\"claim at expiry\"]\n";

    #[test]
    fn what_a_profile_leaves_open_comes_from_the_default_one() {
        let (_folder, path) = config(TWO);
        let none = settings(Some(&path), None).unwrap();
        assert_eq!((none.seeds, none.jobs, none.faults), (Some(0..7), Some(3), Some(vec!["pause"])));
        let ci = settings(Some(&path), Some("ci")).unwrap();
        // A time replaces seeds.
        assert_eq!((ci.seeds, ci.time, ci.jobs), (None, Some(Seconds(90)), Some(3)));
        assert_eq!((ci.laws, ci.faults), (Some(vec!["ends-once"]), Some(vec!["pause"])));
        assert_eq!(
            ci.coverage.unwrap().iter().map(|mark| mark.name()).collect::<Vec<_>>(),
            ["claim at expiry"]
        );
        let world = settings(Some(&path), Some("one-worker")).unwrap();
        assert_eq!((world.world.map(|world| world.0.name), world.faults), (Some("one-worker"), None));
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        for (text, why) in [
            ("[profile.a]\nseeds = \"9..1\"", "line 2, column 9: empty range `9..1`"),
            ("[profile.a]\nlaws = [\"ends-onec\"]", "unknown law `ends-onec`; did you mean `ends-once`?"),
            ("[profile.a]\nfaults = [\"pauze\"]", "unknown fault `pauze`; did you mean `pause`?"),
            ("[profile.a]\nsedes = \"1\"", "unknown field `sedes`"),
            ("[profile.a]\njobs = 0", "`0` is no number of threads"),
            (
                "[profile.clocks]\njobs = 1",
                "profile `clocks` has the name of a profile that fencepost has itself",
            ),
            ("[profile.a]\nseeds = \"5\"\nfor = \"1s\"", "has both `seeds` and `for`"),
            ("[profile.a]\ncoverage = [\"claim at expiri\"]", "did you mean `claim at expiry`?"),
        ] {
            let (_folder, path) = config(text);
            let error = settings(Some(&path), None).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
        let (_folder, path) = config(TWO);
        let error = settings(Some(&path), Some("cii")).unwrap_err().to_string();
        assert_eq!(error, "unknown profile `cii`; did you mean `ci`?");
        assert!(
            settings(Some(Path::new("no-such.toml")), None)
                .unwrap_err()
                .to_string()
                .contains("cannot be read")
        );
    }
}
