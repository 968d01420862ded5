//! `sabotage`: every planted bug, the law that catches it, and how many seeds that took.

use super::arguments::Sabotage;
use super::run::processors;
use super::{Complaint, End, Ended, say};
use crate::matrix::{STARTS, heading, matrix, median};
use crate::sabotage;

pub fn kill(wanted: &Sabotage) -> Ended {
    let unknown = wanted.names.iter().find(|name| sabotage::by_name(name).is_none());
    if let Some(unknown) = unknown {
        let known: Vec<&str> = sabotage::all().map(|sabotage| sabotage.name).collect();
        return Err(Complaint(format!("there is no sabotage `{unknown}`: say one of {}", known.join(", "))));
    }
    if !wanted.json {
        say::line(heading());
    }
    let rows = matrix(&wanted.names, &STARTS, wanted.most, processors(), &|row| {
        if !wanted.json {
            say::line(row.line());
        }
    });
    if wanted.json {
        let json = serde_json::to_string_pretty(&rows)
            .map_err(|cause| Complaint(format!("the table cannot be written: {cause}")))?;
        say::line(json);
    } else if let Some(median) = median(&rows) {
        say::line(format_args!("median of all that must be killed: {median}"));
    }
    Ok(if rows.iter().all(|row| row.is_right) { End::Holds } else { End::Broken })
}
