//! The values of the command line: their types, and the error for a value that is not allowed.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::generate::profile;
use crate::generate::profile::Profile;
use crate::laws::Laws;
use crate::plan::Store;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stores(pub &'static [Store]);

#[derive(Clone)]
pub struct Profiled(pub &'static Profile);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(pub u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    #[default]
    Human,
    Json,
    Github,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timeline {
    Text,
    Html,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    State,
}

pub fn stores(text: &str) -> Result<Stores, String> {
    match text {
        "memory" => Ok(Stores(&[Store::Memory])),
        "sqlite" => Ok(Stores(&[Store::Sqlite])),
        "both" => Ok(Stores(&[Store::Memory, Store::Sqlite])),
        _ => Err(format!("`{text}` is no store: say memory, sqlite or both")),
    }
}

pub fn profile(text: &str) -> Result<Profiled, String> {
    profile::by_name(text).map(Profiled)
}

pub fn time(text: &str) -> Result<Seconds, String> {
    let unit_s = |unit: char| match unit {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(3_600),
        _ => None,
    };
    let mut letters = text.chars();
    let seconds = letters.next_back().and_then(unit_s).and_then(|unit_s: u64| {
        let digits = letters.as_str();
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse().ok())?.and_then(|number: u64| number.checked_mul(unit_s))
    });
    seconds
        .filter(|seconds| (1..=1_000_000_000).contains(seconds))
        .map(Seconds)
        .ok_or_else(|| format!("`{text}` is no time: say 30s, 10m or 2h"))
}

pub fn jobs(text: &str) -> Result<usize, String> {
    number(text, 1..=1_024, "number of threads")
}

pub fn deviations(text: &str) -> Result<usize, String> {
    number(text, 0..=9, "number of deviations")
}

pub fn most(text: &str) -> Result<u64, String> {
    number(text, 1..=1_000_000_000, "number of seeds")
}

pub fn budget(text: &str) -> Result<u64, String> {
    number(text, 1..=1_000_000_000, "number of runs")
}

pub fn event(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("`{text}` is no number of an event: say 0 for the first"))
}

pub fn step(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("`{text}` is no number of a step: say 1 for the first"))
}

fn number<N>(text: &str, allowed: RangeInclusive<N>, what: &str) -> Result<N, String>
where
    N: FromStr + PartialOrd + Display,
{
    text.parse().ok().filter(|number| allowed.contains(number)).ok_or_else(|| {
        let (least, most) = (allowed.start(), allowed.end());
        format!("`{text}` is no {what}: say {least} to {most}")
    })
}

pub fn law(text: &str) -> Result<&'static str, String> {
    let names = Laws::names();
    let known = names.iter().find(|name| **name == text);
    known.copied().ok_or_else(|| format!("there is no law `{text}`: say one of {}", names.join(", ")))
}

pub fn story(text: &str) -> Result<String, String> {
    let story = text.trim();
    if story.is_empty() {
        Err("an empty story tells nothing: leave it out".to_owned())
    } else {
        Ok(story.to_owned())
    }
}

/// Refuses an empty text: that is an unset variable.
pub fn commit(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        Err("an empty text is no commit: say its hash".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

/// A file name without an extension.
pub fn name(text: &str) -> Result<String, String> {
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
    let is_name = text.starts_with(char::is_alphanumeric) && text.chars().all(is_plain);
    if text.ends_with(".toml") {
        return Err(format!("`{text}` is a name with its .toml: leave that out"));
    }
    if is_name {
        Ok(text.to_owned())
    } else {
        Err(format!("`{text}` is no name for a file: say --name what-happens"))
    }
}

pub fn format(text: &str) -> Result<Format, String> {
    match text {
        "human" => Ok(Format::Human),
        "json" => Ok(Format::Json),
        "github" => Ok(Format::Github),
        _ => Err(format!("there is no format `{text}`: say human, json or github")),
    }
}

pub fn timeline(text: &str) -> Result<Timeline, String> {
    match text {
        "text" => Ok(Timeline::Text),
        "html" => Ok(Timeline::Html),
        _ => Err(format!("there is no timeline of kind `{text}`: say text or html")),
    }
}

pub fn show(text: &str) -> Result<Show, String> {
    match text {
        "state" => Ok(Show::State),
        _ => Err(format!("`{text}` cannot be shown: say state")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_and_an_end() {
        let read = |text| time(text).ok().map(|Seconds(seconds)| seconds);
        assert_eq!([read("30s"), read("10m"), read("2h")], [Some(30), Some(600), Some(7_200)]);
        for wrong in
            ["10", "m", "0s", "-1s", "+1s", "1.5h", "1d", "", "99999999999999999999h", "5124095576030432h"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
