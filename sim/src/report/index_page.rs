//! The page `index.html` of a search: the verdict, the failures with links to their files, the laws, the coverage marks, the
//! distribution of zombie windows as a plot, and the speed. It is one file without a script, so it opens from a CI artefact.

use std::fmt::{self, Write};

use crate::report::summary::{FailureLine, Summary, Timings};
use crate::search::Conclusion;
use crate::search::tally::{LawTally, TimedSeed};
use crate::search::zombie_windows::WindowRange;
use crate::support::markup::Escaped;
use crate::support::plural::counted;
use crate::timeline::html::COLOURS;

/// By this the page is known to be ours.
pub const SIGN: &str = "<meta name=\"generator\" content=\"fencepost\">";
const STYLE: &str = include_str!("index_page.css");

/// A failure and the name of its files, without their endings.
pub struct FailureFiles<'a> {
    pub failure: &'a FailureLine,
    pub stem: String,
}

/// The whole page. The files of a failure are in the folder `failures` beside it.
pub fn draw(summary: &Summary, timings: &Timings, failures: &[FailureFiles<'_>]) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut page, summary, timings, failures);
    page
}

fn write(
    page: &mut String,
    summary: &Summary,
    timings: &Timings,
    failures: &[FailureFiles<'_>],
) -> fmt::Result {
    let verdict = summary.verdict.name();
    writeln!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n{SIGN}\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{} · {} · fencepost</title>\n<style>{COLOURS}{STYLE}</style>\n</head>\n<body>",
        Escaped(verdict),
        Escaped(&summary.subject)
    )?;
    head(page, summary)?;
    failures_of(page, failures)?;
    laws(page, summary)?;
    windows(page, summary)?;
    speed(page, summary, timings)?;
    marks(page, summary)?;
    page.push_str("</body>\n</html>\n");
    Ok(())
}

fn head(page: &mut String, summary: &Summary) -> fmt::Result {
    let broken = match summary.laws_broken.len() {
        0 | 1 => "A law is broken".to_owned(),
        count => format!("{count} laws are broken"),
    };
    let (class, said) = match summary.verdict {
        Conclusion::Holds => ("good", "No law is broken"),
        Conclusion::Broken => ("bad", broken.as_str()),
        Conclusion::Inconclusive => ("open", "No law is broken, and it was not shown that none is"),
        Conclusion::NotDeterministic => ("bad", "Two runs of one plan differ"),
        Conclusion::Failed => ("bad", "The harness itself failed"),
    };
    writeln!(page, "<p class=\"verdict {class}\">{}</p>\n<h1>{said}</h1>", Escaped(summary.verdict.name()))?;
    for why in &summary.why {
        // A list that is cut ends with its own dots.
        let end = if why.ends_with('.') { "" } else { "." };
        writeln!(page, "<p class=\"why\">{}{end}</p>", Escaped(why))?;
    }
    page.push_str("<dl class=\"facts\">");
    let mut fact =
        |name: &str, value: &str| write!(page, "<div><dt>{name}</dt><dd>{}</dd></div>", Escaped(value));
    fact("subject", &summary.subject)?;
    for searched in &summary.searches {
        let run = match searched.wanted {
            Some(wanted) => format!("{} of {wanted} of {}", searched.run, searched.seeds),
            None => format!("{} of {}", searched.run, searched.seeds),
        };
        fact(&format!("seeds on {}", searched.store.name()), &run)?;
    }
    if let Some(profile) = &summary.profile {
        fact("profile", profile)?;
    }
    fact("shard", &summary.shard)?;
    fact("calls", &summary.calls.to_string())?;
    fact("faults", &summary.faults.to_string())?;
    fact("events", &summary.events.to_string())?;
    fact("hash", &summary.hash)?;
    page.push_str("</dl>\n");
    Ok(())
}

fn failures_of(page: &mut String, failures: &[FailureFiles<'_>]) -> fmt::Result {
    if failures.is_empty() {
        return Ok(());
    }
    page.push_str("<h2>Failures</h2>\n");
    for FailureFiles { failure, stem } in failures {
        let breach = &failure.breach;
        writeln!(
            page,
            "<div class=\"failure\"><p><b>{}</b>: {}.</p><p>Here: {}.</p><p>Seed {}, made small: {}.</p><p class=\"links\">",
            Escaped(breach.law),
            Escaped(breach.sentence),
            Escaped(&breach.because),
            failure.seed,
            Escaped(&failure.steps.join("; "))
        )?;
        for (name, ending) in
            [("timeline", "html"), ("report", "report.txt"), ("plan", "toml"), ("history", "json")]
        {
            writeln!(page, "<a href=\"failures/{}.{ending}\">{name}</a>", Escaped(stem))?;
        }
        page.push_str("</p></div>\n");
    }
    Ok(())
}

fn laws(page: &mut String, summary: &Summary) -> fmt::Result {
    page.push_str(
        "<h2>Laws</h2>\n<div class=\"wide\"><table><thead><tr><th>law</th><th class=\"number\">checked</th>\
         <th class=\"number\">runs held</th><th class=\"number\">broken</th><th class=\"number\">undecided</th>\
         <th class=\"number\">not reached</th></tr></thead><tbody>\n",
    );
    for law in &summary.laws {
        let class = if law.broken > 0 {
            " class=\"broken\""
        } else if law.is_claimed && law.is_not_reached() {
            " class=\"missed\""
        } else {
            ""
        };
        write!(page, "<tr{class}><td>{}</td>", Escaped(law.law))?;
        law_cells(page, law)?;
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table></div>\n");
    Ok(())
}

fn law_cells(page: &mut String, law: &LawTally) -> fmt::Result {
    if !law.is_claimed {
        return write!(page, "<td class=\"number\" colspan=\"5\">not claimed</td>");
    }
    for number in [law.checked, law.held, law.broken, law.undecided, law.not_reached] {
        write!(page, "<td class=\"number\">{number}</td>")?;
    }
    Ok(())
}

/// In SVG units.
const PLOT: Plot = Plot { width: 780.0, height: 210.0, top: 22.0, bottom: 34.0 };

struct Plot {
    width: f64,
    height: f64,
    top: f64,
    bottom: f64,
}

/// The plot shows all ranges up to the last one with a seed. Heights grow with the logarithm, so that one seed among ten
/// thousand is seen.
fn windows(page: &mut String, summary: &Summary) -> fmt::Result {
    page.push_str("<h2>Zombie windows</h2>\n");
    page.push_str(
        "<p class=\"note\">For each seed, the longest time that a worker acted under a grant that was no longer live. \
         Heights are logarithmic.</p>\n",
    );
    let end = summary.zombie_windows.iter().rposition(|range| range.seeds > 0);
    let Some(end) = end else {
        page.push_str("<p>No seed was run.</p>\n");
        return Ok(());
    };
    let shown = &summary.zombie_windows[..=end];
    let Plot { width, height, top, bottom } = PLOT;
    let most = shown.iter().map(|range| range.seeds).max().unwrap_or(1);
    let each = width / shown.len() as f64;
    let floor = height - bottom;
    writeln!(
        page,
        "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"Distribution of zombie windows\">"
    )?;
    for (number, range) in shown.iter().enumerate() {
        let share = ((range.seeds + 1) as f64).ln() / ((most + 1) as f64).ln();
        let high = share * (floor - top);
        let (left, middle) = (number as f64 * each, (number as f64 + 0.5) * each);
        let name = range_name(shown, number);
        writeln!(
            page,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{high:.1}\"><title>{name}: {}</title></rect>\
             <text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\
             <text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{name}</text>",
            left + each * 0.12,
            floor - high,
            each * 0.76,
            counted(range.seeds, "seed"),
            floor - high - 5.0,
            range.seeds,
            floor + 16.0
        )?;
    }
    writeln!(page, "<line x1=\"0\" y1=\"{floor}\" x2=\"{width}\" y2=\"{floor}\"/></svg>")?;
    if let Some(longest) = &summary.longest_zombie_window {
        writeln!(page, "<p>The longest was {}.</p>", timed(longest))?;
    }
    Ok(())
}

fn range_name(ranges: &[WindowRange], number: usize) -> String {
    match (ranges[number].up_to_us, number.checked_sub(1).and_then(|before| ranges[before].up_to_us)) {
        (Some(0), _) => "none".to_owned(),
        (Some(us), _) => format!("to {}", short(us)),
        (None, Some(us)) => format!("over {}", short(us)),
        (None, None) => "any".to_owned(),
    }
}

fn short(us: u64) -> String {
    if us < 1_000_000 { format!("{} ms", us / 1_000) } else { format!("{} s", us / 1_000_000) }
}

fn timed(seed: &TimedSeed) -> String {
    format!(
        "{}.{:03} s, in seed {} on {}",
        seed.us / 1_000_000,
        seed.us / 1_000 % 1_000,
        seed.seed,
        seed.store.name()
    )
}

fn speed(page: &mut String, summary: &Summary, timings: &Timings) -> fmt::Result {
    let slowest = timings
        .slowest_seed
        .as_ref()
        .map_or_else(String::new, |seed| format!(" The slowest took {}.", timed(seed)));
    writeln!(
        page,
        "<h2>Speed</h2>\n<p>{} a second with {}. {} s were simulated in {}.{:02} s of CPU time, {} : 1.{slowest}</p>",
        counted(timings.seeds_per_second, "seed"),
        counted(timings.jobs, "thread"),
        summary.simulated_us / 1_000_000,
        timings.cpu_us / 1_000_000,
        timings.cpu_us / 10_000 % 100,
        timings.simulated_to_real
    )
}

fn marks(page: &mut String, summary: &Summary) -> fmt::Result {
    let reached = summary.marks.iter().filter(|mark| mark.hit > 0).count();
    writeln!(
        page,
        "<h2>Coverage marks: {reached} of {} reached</h2>\n<div class=\"wide\"><table><thead><tr><th>mark</th>\
         <th class=\"number\">times</th></tr></thead><tbody>",
        summary.marks.len()
    )?;
    for mark in &summary.marks {
        let class = if mark.hit == 0 { " class=\"missed\"" } else { "" };
        writeln!(
            page,
            "<tr{class}><td>{}</td><td class=\"number\">{}</td></tr>",
            Escaped(mark.mark),
            mark.hit
        )?;
    }
    page.push_str("</tbody></table></div>\n");
    Ok(())
}
