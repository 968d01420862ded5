//! The timeline as one page for a browser: a single file with its style, its script and the whole history in it, so that it
//! opens from a CI artefact without a server or a network. The words at its top and the plan are written here and need no
//! script; what is drawn is worked out here too, and the script in `page/` draws it. `data.rs` is what the script gets.

use std::fmt::{self, Write};

use super::calls::calls;
use super::cause::{Link, chain};
use super::data::Data;
use crate::event::Kind;
use crate::history::History;
use crate::judge::Broken;
use crate::markup::Escaped;
use crate::plan::{Node, Plan};

/// With `{{slots}}`.
const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = concat!(include_str!("page/colours.css"), include_str!("page/page.css"));
const SCRIPT: &str = concat!(
    include_str!("page/history.js"),
    include_str!("page/filter.js"),
    include_str!("page/layout.js"),
    include_str!("page/view.js"),
    include_str!("page/paint.js"),
    include_str!("page/beliefs.js"),
    include_str!("page/events.js"),
    include_str!("page/page.js"),
);

/// The whole page.
pub fn draw(history: &History, broken: Option<&Broken>) -> String {
    let calls = calls(history);
    let links = broken.map_or_else(Vec::new, |broken| chain(history, &calls, broken));
    let data = Data::of(history, calls, &links).json();
    let mut page = String::with_capacity(data.len() + PAGE.len() + STYLE.len() + SCRIPT.len() + 16_384);
    for (number, part) in PAGE.split("{{").enumerate() {
        let (slot, rest) = match part.split_once("}}") {
            Some(split) if number > 0 => split,
            _ => ("", part),
        };
        match slot {
            "title" => page.push_str(&title(history, broken)),
            "style" => page.push_str(STYLE),
            "verdict" => verdict(&mut page, history, broken),
            "chain" => steps_to_breach(&mut page, history, &links),
            "plan" => plan(&mut page, history),
            "data" => page.push_str(&data),
            "script" => page.push_str(SCRIPT),
            _ => {}
        }
        page.push_str(rest);
    }
    page
}

/// True time as people read it here: milliseconds, with their thousands apart.
struct At(u64);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, tenth) = (self.0 / 1_000, self.0 / 100 % 10);
        let digits = whole.to_string();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                f.write_char('\u{202f}')?;
            }
            f.write_char(digit)?;
        }
        write!(f, ".{tenth}\u{202f}ms")
    }
}

fn title(history: &History, broken: Option<&Broken>) -> String {
    match broken {
        Some(broken) => format!("{} is broken · seed {}", Escaped(broken.law), history.plan.seed),
        None => format!("Every law holds · seed {}", history.plan.seed),
    }
}

fn verdict(page: &mut String, history: &History, broken: Option<&Broken>) {
    let _ = match broken {
        Some(broken) => write!(
            page,
            "<p class=\"verdict broken\"><span aria-hidden=\"true\">✕</span> Law broken</p>\
             <h1>{}</h1><p class=\"sentence\">{}.</p><p class=\"because\"><b>Here:</b> {}.</p>",
            Escaped(broken.law),
            Escaped(&capital(broken.sentence)),
            Escaped(&broken.because)
        ),
        None => write!(
            page,
            "<p class=\"verdict lawful\"><span aria-hidden=\"true\">✓</span> Lawful</p><h1>Every law holds</h1>\
             <p class=\"sentence\">No law is broken by any of the {} events of this run.</p>",
            history.events.len()
        ),
    };
    let end_us = history.events.last().map_or(0, |last| last.at_us);
    let _ = write!(
        page,
        "<dl class=\"facts\"><div><dt>seed</dt><dd>{}</dd></div><div><dt>events</dt><dd>{}</dd></div>\
         <div><dt>run</dt><dd>{}</dd></div><div><dt>hash</dt><dd>{:016x}</dd></div></dl>",
        history.plan.seed,
        history.events.len(),
        At(end_us),
        history.hash()
    );
}

/// The events that lead to the breach, in words.
fn steps_to_breach(page: &mut String, history: &History, links: &[Link]) {
    if links.is_empty() {
        return;
    }
    page.push_str("<ol class=\"chain\" aria-label=\"How it came to this\">");
    for (number, link) in links.iter().enumerate() {
        let event = &history.events[link.place];
        let _ = write!(
            page,
            "<li{}><button type=\"button\" data-place=\"{}\"><span class=\"badge\">{}</span>\
             <span class=\"when\">{} <i>{}</i></span><span class=\"said\">{}</span>\
             <span class=\"role\">{}</span></button></li>",
            if link.is_key { " class=\"key\"" } else { "" },
            link.place,
            number + 1,
            At(event.at_us),
            Node::from_code(event.node),
            Escaped(&history.said(event).to_string()),
            Escaped(link.role)
        );
    }
    page.push_str("</ol>");
}

/// The plan's header and steps. A step that was taken leads to where it was.
fn plan(page: &mut String, history: &History) {
    let plan = &history.plan;
    page.push_str("<dl class=\"world\">");
    let mut row = |name: &str, value: String| {
        let _ = write!(page, "<div><dt>{name}</dt><dd>{}</dd></div>", Escaped(&value));
    };
    row("lease", format!("{} ms, renewed every {} ms", plan.ttl_ms, plan.renew_ms));
    row("sweeps", format!("every {} ms, at most {} bodies a worker", plan.sweep_ms, plan.bound));
    row("workers", plan.workers.to_string());
    row("hosts", plan.hosts.to_string());
    row("messages", links(plan));
    for clock in &plan.clocks {
        row("clock", clock.to_string());
    }
    row("calm from", format!("{} ms", plan.horizon_ms));
    page.push_str("</dl><ol class=\"steps\">");
    let mut taken = vec![None; plan.steps.len()];
    for (place, event) in history.events.iter().enumerate().filter(|(_, event)| event.kind == Kind::StepTaken)
    {
        if let Some(slot) = usize::try_from(event.a).ok().and_then(|number| taken.get_mut(number)) {
            *slot = Some(place);
        }
    }
    for (step, taken) in plan.steps.iter().zip(taken) {
        let class = if step.action.is_fault() { "fault" } else { "work" };
        let line = step.to_string();
        let (at, action) = line.split_once(' ').unwrap_or(("", &line));
        let (at, action) = (Escaped(at), Escaped(action));
        let _ = match taken {
            Some(place) => write!(
                page,
                "<li class=\"{class}\"><button type=\"button\" data-place=\"{place}\"><i>{at}</i> {action}</button></li>"
            ),
            None => write!(
                page,
                "<li class=\"{class} untaken\"><span><i>{at}</i> {action} <em>(not taken)</em></span></li>"
            ),
        };
    }
    if plan.steps.is_empty() {
        page.push_str("<li class=\"work untaken\"><span>no steps</span></li>");
    }
    page.push_str("</ol>");
}

fn links(plan: &Plan) -> String {
    let links = plan.links;
    let mut said = format!("{} to {} µs", links.fastest_us, links.slowest_us);
    let mut share = |permille: u64, what: &str| {
        if permille > 0 {
            let _ = write!(said, ", {}.{} % {what}", permille / 10, permille % 10);
        }
    };
    share(links.loss_permille, "lost");
    share(links.repeat_permille, "repeated");
    share(links.late_permille, &format!("late by up to {} ms", links.late_ms));
    said
}

fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_milliseconds_with_their_thousands_apart() {
        assert_eq!(At(0).to_string(), "0.0\u{202f}ms");
        assert_eq!(At(3_110_234).to_string(), "3\u{202f}110.2\u{202f}ms");
        assert_eq!(At(1_000_000_000).to_string(), "1\u{202f}000\u{202f}000.0\u{202f}ms");
    }

    #[test]
    fn what_laws_say_cannot_become_part_of_the_page() {
        let history = History { plan: Plan::quiet(1), grants: Vec::new(), events: Vec::new() };
        let because = "<script>alert(\"{{data}}\")</script>".to_owned();
        let broken = Broken { law: "a<b", sentence: "x & 'y'", at: 7, because };
        let page = draw(&history, Some(&broken));
        assert!(page.contains("<h1>a&lt;b</h1>") && page.contains("X &amp; &#39;y&#39;."));
        assert!(page.contains("&lt;script&gt;alert(&quot;{{data}}&quot;)&lt;/script&gt;"));
        assert_eq!(page.matches("<script").count(), 2, "the data and the script");
    }

    #[test]
    fn the_page_asks_for_nothing_from_outside() {
        let history = History { plan: Plan::quiet(1), grants: Vec::new(), events: Vec::new() };
        let page = draw(&history, None);
        for reach in ["http:", "https:", "src=", "@import", "url(", "fetch(", "XMLHttpRequest", "import("] {
            assert!(!page.contains(reach), "the page says `{reach}`");
        }
        assert!(page.contains("default-src 'none'"));
    }
}
