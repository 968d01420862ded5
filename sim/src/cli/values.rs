//! The values of the command line: their types, and the error for a value that is not allowed.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::coverage::Mark;
use crate::generate::fault_filter::fault_names;
use crate::generate::profile;
use crate::generate::profile::Profile;
use crate::laws::Laws;
use crate::plan::Store;
use crate::support::unknown_name::unknown;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stores(pub &'static [Store]);

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

/// A world that every build knows, by the name of its profile.
pub fn world(text: &str) -> Result<&'static Profile, String> {
    let names: Vec<&str> = profile::ALL.iter().map(|profile| profile.name).collect();
    profile::by_name(text).map_err(|_| unknown("profile", text, &names))
}

/// The name of a fault.
pub fn fault(text: &str) -> Result<&'static str, String> {
    let names = fault_names();
    let known = names.iter().find(|name| **name == text);
    known.copied().ok_or_else(|| unknown("fault", text, &names))
}

/// The name of a coverage mark.
pub fn mark(text: &str) -> Result<Mark, String> {
    let names: Vec<&str> = Mark::ALL.iter().map(|mark| mark.name()).collect();
    let known = Mark::ALL.iter().find(|mark| mark.name() == text);
    known.copied().ok_or_else(|| unknown("coverage mark", text, &names))
}

/// Parses `30s`, `10m`, `2h`, and several from large to small as `1h30m`.
pub fn time(text: &str) -> Result<Seconds, String> {
    total_s(text).filter(|seconds| (1..=1_000_000_000).contains(seconds)).map(Seconds).ok_or_else(|| {
        match total_s(text) {
            Some(0) => format!("`{text}` is too short: a time must be above 0, as 30s or 10m"),
            Some(_) => format!("`{text}` is too long: a time is at most 1000000000s"),
            None => format!("`{text}` is no time: say 30s, 10m, 2h or 1m30s"),
        }
    })
}

fn total_s(text: &str) -> Option<u64> {
    let (mut rest, mut sum_s, mut last_unit_s) = (text, 0_u64, u64::MAX);
    while !rest.is_empty() {
        let (digits, after) = rest.split_at(rest.find(|letter: char| !letter.is_ascii_digit())?);
        let unit_s = match after.chars().next()? {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            _ => return None,
        };
        if unit_s >= last_unit_s {
            return None;
        }
        sum_s = sum_s.checked_add(digits.parse::<u64>().ok()?.checked_mul(unit_s)?)?;
        (rest, last_unit_s) = (&after[1..], unit_s);
    }
    Some(sum_s)
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

pub fn number<N>(text: &str, allowed: RangeInclusive<N>, what: &str) -> Result<N, String>
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
    known.copied().ok_or_else(|| unknown("law", text, &names))
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
        assert_eq!([read("1m30s"), read("1h2m3s"), read("0m5s")], [Some(90), Some(3_723), Some(5)]);
        for wrong in [
            "10",
            "m",
            "30s1m",
            "1m1m",
            "1ms",
            "1m30",
            "1m 30s",
            "0s",
            "-1s",
            "+1s",
            "1.5h",
            "1d",
            "",
            "99999999999999999999h",
            "5124095576030432h",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
