//! `doctor`: looks for causes that keep runs from being repeatable or the harness from being built (flags, toolchain, the
//! machine), makes a small check of determinism, and says what to do.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cli::error::{CliError, CommandResult};
use crate::cli::{config_file, stdout};
use crate::search::Conclusion;
use crate::search::SeededPlans;
use crate::search::determinism;
use crate::search::processors;
use crate::subject::Subject;

/// Each of these replaces the flags of `.cargo/config.toml`, even if it is empty.
const FLAGS: [&str; 4] = ["RUSTFLAGS", "RUSTDOCFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"];

/// Enough seeds to show the usual leaks of determinism.
const SEEDS: std::ops::Range<u64> = 0..50;

pub fn doctor(config: Option<&Path>) -> CommandResult {
    let mut wrong = 0;
    let mut tell = |what: &str, found: Result<String, String>| match found {
        Ok(said) => stdout::line(format_args!("ok     {what:<13} {said}")),
        Err(said) => {
            wrong += 1;
            stdout::line(format_args!("WRONG  {what:<13} {said}"));
        }
    };
    let here = std::env::current_dir()
        .map_err(|cause| CliError(format!("the current folder cannot be found: {cause}")))?;
    // The compiler refuses a build without the flag.
    tell("simulation", Ok("this program was built with --cfg madsim".to_owned()));
    for flag in FLAGS {
        if let Some(value) = std::env::var_os(flag) {
            let value = value.to_string_lossy().into_owned();
            tell(
                "flags",
                Err(format!(
                    "{flag} is set to `{value}`, which replaces the flags of .cargo/config.toml: run `unset {flag}`"
                )),
            );
        }
    }
    if FLAGS.iter().all(|flag| std::env::var_os(flag).is_none()) {
        tell("flags", Ok("RUSTFLAGS and RUSTDOCFLAGS are not set".to_owned()));
    }
    tell("cargo", cargo_config(&here));
    tell("toolchain", toolchain(&here));
    tell("profiles", profiles(config));
    tell("processors", Ok(format!("{}, which is how many seeds are run at once", processors())));
    let (repeats, is_repeatable) = match repeats() {
        Ok(0) => {
            (Ok(format!("{} seeds run three times, in two processes, without a difference", SEEDS.end)), true)
        }
        Ok(count) => {
            let differ =
                if count == 1 { "1 seed differs".to_owned() } else { format!("{count} seeds differ") };
            (Err(format!("{differ}: `determinism` shows where, and who leaks")), false)
        }
        Err(why) => (Err(why), true),
    };
    tell("determinism", repeats);
    Ok(match (wrong, is_repeatable) {
        (0, _) => Conclusion::Holds,
        (_, false) => Conclusion::NotDeterministic,
        (_, true) => Conclusion::Failed,
    })
}

fn profiles(config: Option<&Path>) -> Result<String, String> {
    let known = config_file::profile_names(config).map_err(|error| error.to_string())?;
    Ok(match known {
        None => format!("no {} in this folder: the built-in profiles only", config_file::NAME),
        Some(names) if names.is_empty() => "the file names none".to_owned(),
        Some(names) => format!("{} can be read", names.join(", ")),
    })
}

/// The nearest file of this name in the folder or above it.
fn nearest(folder: &Path, name: &str) -> Option<PathBuf> {
    folder.ancestors().map(|folder| folder.join(name)).find(|path| path.is_file())
}

fn cargo_config(here: &Path) -> Result<String, String> {
    if nearest(here, "Cargo.toml").is_none() {
        return Ok("this folder is no crate: nothing is built here".to_owned());
    }
    let Some(config) = nearest(here, ".cargo/config.toml") else {
        return Err(
            "there is no .cargo/config.toml in this folder or above: copy fencepost's, it sets --cfg madsim"
                .to_owned(),
        );
    };
    let shown = config.display();
    let text =
        std::fs::read_to_string(&config).map_err(|cause| format!("`{shown}` cannot be read: {cause}"))?;
    let parsed: toml::Table = text.parse().map_err(|_| format!("`{shown}` is no TOML"))?;
    let sets = |key: &str| parsed.get("build").and_then(|build| build.get(key)).is_some_and(names_madsim);
    match (sets("rustflags"), sets("rustdocflags")) {
        (true, true) => {
            Ok("--cfg madsim is set in .cargo/config.toml, for builds and for documentation".to_owned())
        }
        _ => Err(format!(
            "`{shown}` does not set --cfg madsim in rustflags and rustdocflags: copy fencepost's"
        )),
    }
}

fn names_madsim(flags: &toml::Value) -> bool {
    match flags {
        toml::Value::String(flags) => flags.contains("--cfg madsim"),
        toml::Value::Array(flags) => flags.iter().any(|flag| flag.as_str() == Some("madsim")),
        _ => false,
    }
}

fn toolchain(here: &Path) -> Result<String, String> {
    let Some(file) = nearest(here, "rust-toolchain.toml") else {
        return Ok("no rust-toolchain.toml here: any that builds will do".to_owned());
    };
    let text = std::fs::read_to_string(&file)
        .map_err(|cause| format!("`{}` cannot be read: {cause}", file.display()))?;
    let parsed: toml::Table = text.parse().map_err(|_| format!("`{}` is no TOML", file.display()))?;
    let pinned = parsed.get("toolchain").and_then(|toolchain| toolchain.get("channel"));
    let Some(pinned) = pinned.and_then(toml::Value::as_str) else {
        return Ok("rust-toolchain.toml pins none".to_owned());
    };
    let asked = Command::new("rustc").arg("--version").current_dir(here).output();
    let said = asked.ok().filter(|output| output.status.success());
    let said = said.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let Some(said) = said else {
        return Err(format!("rustc does not answer: install rustup, which takes the pinned {pinned}"));
    };
    let version = said.split_whitespace().nth(1).unwrap_or_default();
    if version == pinned || version.starts_with(&format!("{pinned}.")) {
        return Ok(format!("rustc {version}, as rust-toolchain.toml pins it"));
    }
    Err(format!(
        "rustc is {version}, and rust-toolchain.toml pins {pinned}: unset RUSTUP_TOOLCHAIN, or run `rustup toolchain \
         install {pinned}`"
    ))
}

/// Runs seeds again and counts those that differ.
fn repeats() -> Result<usize, String> {
    let own = std::env::current_exe().map_err(|cause| format!("this program cannot find itself: {cause}"))?;
    let subject = Subject::fencepost();
    let plans = SeededPlans::of(&subject);
    let (ours, mut differences) = determinism::within_a_process(SEEDS, 2, &plans);
    let others = determinism::between_processes(&own, SEEDS, 2, &plans, &ours);
    differences.extend(others.map_err(|error| error.to_string())?);
    Ok(differences.len())
}
