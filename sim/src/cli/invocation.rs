//! How this program was called: its name, its subjects, and the options that all commands share. It makes the command lines
//! that reports tell people to type, which must work for a user's own binary as well.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::cli::command_options::PlanOptions;
use crate::cli::config_file::{KnownWorld, Settings};
use crate::cli::error::CliError;
use crate::cli::values::Stores;
use crate::generate::fault_filter::FaultFilter;
use crate::generate::profile::Profile;
use crate::plan::Store;
use crate::planted;
use crate::subject::Subject;
use crate::support::unknown_name::unknown;

pub struct Invocation<'a> {
    program: String,
    own: &'a [Subject],
    asked: PlanOptions,
    /// Settings of the file with profiles, used where the command line says nothing.
    settings: Settings,
    /// The worlds and faults that were chosen.
    profile: Option<&'static Profile>,
    is_quiet: bool,
}

impl<'a> Invocation<'a> {
    pub fn new(
        words: &[OsString],
        own: &'a [Subject],
        asked: PlanOptions,
        settings: Settings,
        is_quiet: bool,
    ) -> Result<Self, CliError> {
        let program = words.first().map_or_else(|| "fencepost".to_owned(), |word| called(Path::new(word)));
        let profile = profile_of(&asked, &settings)?;
        Ok(Self { program, own, asked, settings, profile, is_quiet })
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The file name of this program.
    pub fn program_name(words: &[OsString]) -> String {
        let name = words.first().and_then(|word| Path::new(word).file_name());
        name.map_or_else(|| "fencepost".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    /// True, if neither progress nor summaries are wanted.
    pub fn is_quiet(&self) -> bool {
        self.is_quiet
    }

    pub fn profile(&self) -> Option<&'static Profile> {
        self.profile
    }

    /// The name for reports: the changes that are made to plans, or else the profile that was asked for and changes none.
    pub fn profile_name(&self) -> Option<&str> {
        self.profile.map(|profile| profile.name).or(self.asked.profile.as_deref())
    }

    pub fn stores(&self) -> Option<&'static [Store]> {
        self.asked.store.as_ref().or(self.settings.store.as_ref()).map(|Stores(stores)| *stores)
    }

    /// An option on the command line that has a meaning for seeds only.
    pub fn option_for_seeds(&self) -> Option<&'static str> {
        let PlanOptions { store, profile, fault, no_fault, .. } = &self.asked;
        let said = [
            ("--store", store.is_some()),
            ("--profile", profile.is_some()),
            ("--fault", !fault.is_empty()),
            ("--no-fault", !no_fault.is_empty()),
        ];
        said.into_iter().find(|(_, is_said)| *is_said).map(|(option, _)| option)
    }

    pub fn names_profile(&self) -> bool {
        self.asked.profile.is_some()
    }

    pub fn asks_for_subject(&self) -> bool {
        self.asked.subject_option.subject.is_some()
    }

    /// The subject that was asked for, or this program's first.
    pub fn subject(&self) -> Result<Subject, CliError> {
        let subject = self.named(self.asked.subject_option.subject.as_deref())?;
        Ok(match self.stores() {
            Some([store, ..]) => Subject { store_needed: *store, ..subject },
            _ => subject,
        })
    }

    fn named(&self, name: Option<&str>) -> Result<Subject, CliError> {
        let own = self.own.iter().find(|own| name.is_none_or(|name| own.name == name));
        let Some(name) = name else { return Ok(own.cloned().unwrap_or_else(Subject::fencepost)) };
        let known = own.cloned().or_else(|| planted::by_name(name).map(planted::PlantedBug::subject));
        let fencepost = Subject::fencepost();
        known.or_else(|| (name == fencepost.name).then_some(fencepost)).ok_or_else(|| {
            let mut names: Vec<&str> = self.own.iter().map(|own| own.name).collect();
            names.extend((!names.contains(&"fencepost")).then_some("fencepost"));
            names.extend(planted::all().map(|sabotage| sabotage.name));
            CliError(unknown("subject", name, &names))
        })
    }

    /// A command line about a seed.
    pub fn about_seed(&self, command: &str, seed: u64, subject: &Subject, store: Store) -> String {
        let natural = self.named(Some(subject.name)).map_or(Store::Memory, |subject| subject.store_needed);
        let store = match store {
            store if store == natural => "",
            Store::Memory => " --store memory",
            Store::Sqlite => " --store sqlite",
        };
        let options = self.profile.iter().flat_map(|profile| profile.options());
        let profile: String = options.map(|(option, value)| format!(" {option} {value}")).collect();
        format!("{} {command} {seed}{}{store}{profile}", self.program, self.subject_flag(subject))
    }

    /// A command line about a file.
    pub fn about_file(&self, command: &str, file: &Path, subject: &Subject) -> String {
        let file = quoted(&file.display().to_string());
        format!("{} {command} {file}{}", self.program, self.subject_flag(subject))
    }

    /// A command line without further options.
    pub fn line(&self, command: &str) -> String {
        format!("{} {command}", self.program)
    }

    fn subject_flag(&self, subject: &Subject) -> String {
        if self.own.first().is_some_and(|own| own.name == subject.name) {
            return String::new();
        }
        format!(" --subject {}", quoted(subject.name))
    }
}

/// The profile that the command line and the file choose together. Faults on the command line replace those of the file.
fn profile_of(asked: &PlanOptions, settings: &Settings) -> Result<Option<&'static Profile>, CliError> {
    let world = settings.world.map(|KnownWorld(world)| world);
    let is_said = !asked.fault.is_empty() || !asked.no_fault.is_empty();
    let filter = if is_said {
        FaultFilter { only: asked.fault.clone(), without: asked.no_fault.clone() }
    } else {
        let (only, without) = (settings.faults.clone(), settings.no_faults.clone());
        FaultFilter { only: only.unwrap_or_default(), without: without.unwrap_or_default() }
    };
    if let Some(why) = filter.contradiction() {
        return Err(CliError(why));
    }
    Ok(if filter.is_empty() { world } else { Some(Profile::with_faults(world, filter)) })
}

/// The words that call the program at this path again. A program in cargo's target folder is called through cargo.
fn called(path: &Path) -> String {
    fn name(path: Option<&Path>) -> Option<&str> {
        path.and_then(Path::file_name).and_then(OsStr::to_str)
    }
    let program = name(Some(path)).unwrap_or_default();
    let (folder, above) = (path.parent(), path.parent().and_then(Path::parent));
    match (name(folder), name(above), name(above.and_then(Path::parent))) {
        (Some("release"), Some("target"), _) => format!("cargo run --release --bin {program} --"),
        (Some("debug"), Some("target"), _) => format!("cargo run --bin {program} --"),
        (Some("examples"), Some("release"), Some("target")) => {
            format!("cargo run --release --example {program} --")
        }
        (Some("examples"), Some("debug"), Some("target")) => format!("cargo run --example {program} --"),
        _ => quoted(&path.display().to_string()),
    }
}

/// Quotes a word for a shell.
pub fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-./+:@%".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command_options::SubjectOption;

    #[test]
    fn a_program_of_cargos_is_called_by_cargo_and_any_other_by_its_path() {
        let called = |path: &str| called(Path::new(path));
        assert_eq!(called("target/release/fencepost"), "cargo run --release --bin fencepost --");
        assert_eq!(called("/a/target/debug/mine"), "cargo run --bin mine --");
        assert_eq!(called("/a/target/debug/examples/mine"), "cargo run --example mine --");
        assert_eq!(called("/usr/bin/fencepost"), "/usr/bin/fencepost");
        assert_eq!(called("fencepost"), "fencepost");
        assert_eq!(called("/my tools/it's"), "'/my tools/it'\\''s'");
    }

    #[test]
    fn lines_name_what_is_not_the_default() {
        let own = [
            Subject { name: "mine", ..Subject::fencepost() },
            Subject { name: "other", ..Subject::fencepost() },
        ];
        let words = [OsString::from("mine")];
        let invocation =
            Invocation::new(&words, &own, PlanOptions::default(), Settings::default(), false).unwrap();
        let line = |subject, store| invocation.about_seed("replay", 7, subject, store);
        assert_eq!(line(&own[0], Store::Memory), "mine replay 7");
        assert_eq!(line(&own[1], Store::Sqlite), "mine replay 7 --subject other --store sqlite");
        let on_disk = planted::by_name("synchronous-normal").unwrap().subject();
        assert_eq!(line(&on_disk, Store::Sqlite), "mine replay 7 --subject synchronous-normal");
        let world = crate::generate::profile::by_name("clocks").ok().map(KnownWorld);
        let settings = Settings { world, ..Settings::default() };
        let asked = PlanOptions { no_fault: vec!["pause"], ..PlanOptions::default() };
        let profiled = Invocation::new(&words, &own, asked, settings, false).unwrap();
        assert_eq!(
            profiled.about_seed("replay", 7, &own[0], Store::Memory),
            "mine replay 7 --profile clocks --no-fault pause"
        );
    }

    #[test]
    fn every_subject_of_its_own_the_true_system_and_the_planted_bugs_are_known() {
        let own = [
            Subject { name: "mine", ..Subject::fencepost() },
            Subject { name: "other", ..Subject::fencepost() },
        ];
        let asked = |name: Option<&str>| {
            let subject_option = SubjectOption { subject: name.map(str::to_owned) };
            let asked = PlanOptions { subject_option, ..PlanOptions::default() };
            let invocation = Invocation::new(&[], &own, asked, Settings::default(), false).unwrap();
            invocation.subject().map(|subject| subject.name).map_err(|why| why.to_string())
        };
        assert_eq!(asked(None), Ok("mine"));
        for name in ["mine", "other", "fencepost", "renew-then-write"] {
            assert_eq!(asked(Some(name)), Ok(name));
        }
        let why = asked(Some("xyzzy")).unwrap_err();
        assert!(why.contains("`xyzzy`; expected one of mine, other, fencepost, "), "{why}");
    }
}
