//! The timeline as one page for a browser: a single file with its style, its script and the whole history in it, so that it
//! opens from a CI artefact without a server or a network. The words at its top and the plan are written here and need no
//! script. The script in `page/` draws the data that `data.rs` prepares.

use std::fmt::{self, Write};

use crate::history::History;
use crate::history::event::What;
use crate::judge::Breach;
use crate::plan::{Node, Plan};
use crate::support::markup::Escaped;
use crate::timeline::calls::calls;
use crate::timeline::cause::{CauseLink, chain};
use crate::timeline::data::PageData;
use crate::timeline::page_head::{PageHead, Ruling};

/// With `{{slots}}`.
const PAGE: &str = include_str!("page/page.html");
/// The colours of pages, light and dark, as CSS variables.
pub const COLOURS: &str = include_str!("page/colours.css");
const STYLE: &str = concat!(include_str!("page/colours.css"), include_str!("page/page.css"));
const SCRIPT: &str = concat!(
    include_str!("page/history.js"),
    include_str!("page/filter.js"),
    include_str!("page/layout.js"),
    include_str!("page/view.js"),
    include_str!("page/paint.js"),
    include_str!("page/beliefs.js"),
    include_str!("page/state.js"),
    include_str!("page/events.js"),
    include_str!("page/page.js"),
);

/// The whole page.
pub fn draw(history: &History, head: &PageHead<'_>) -> String {
    let calls = calls(history);
    let links = head.ruling.broken().map_or_else(Vec::new, |broken| chain(history, &calls, broken));
    let is_cut = (history.events.len() as u64) < head.events;
    let data = PageData::of(history, calls, &links, is_cut).json();
    let mut page = String::with_capacity(data.len() + PAGE.len() + STYLE.len() + SCRIPT.len() + 16_384);
    for (number, part) in PAGE.split("{{").enumerate() {
        let (slot, rest) = match part.split_once("}}") {
            Some(split) if number > 0 => split,
            _ => ("", part),
        };
        match slot {
            "title" => title(&mut page, history, head),
            "style" => page.push_str(STYLE),
            "verdict" => {
                verdict(&mut page, history, &head.ruling);
                facts(&mut page, history, head);
            }
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

/// True time in milliseconds, with the thousands apart.
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

/// A tab is one among many, so its title begins with the result.
fn title(page: &mut String, history: &History, head: &PageHead<'_>) {
    let _ = write!(
        page,
        "{} · {} · {} · {}",
        Escaped(&headline(&head.ruling)),
        Escaped(head.subject),
        Escaped(head.plan),
        history.plan.store.name()
    );
}

fn headline(ruling: &Ruling<'_>) -> String {
    match ruling {
        Ruling::Broken(broken) => broken.law.to_owned(),
        Ruling::NotReached(_) => "The breach is not reached".to_owned(),
        Ruling::Undecided(laws) => {
            let names: Vec<&str> = laws.iter().map(|(law, _)| *law).collect();
            match names.as_slice() {
                [law] => format!("It cannot be told whether {law} holds"),
                _ => format!("It cannot be told whether {} laws hold", names.len()),
            }
        }
        Ruling::Holds => "Every law holds".to_owned(),
    }
}

fn verdict(page: &mut String, history: &History, ruling: &Ruling<'_>) {
    let (class, sign, word) = match ruling {
        Ruling::Broken(_) => ("broken", '✕', "Law broken".to_owned()),
        Ruling::NotReached(_) => {
            ("open", '…', format!("Cut at event {}", history.events.len().saturating_sub(1)))
        }
        Ruling::Undecided(_) => ("open", '?', "Undecided".to_owned()),
        Ruling::Holds => ("lawful", '✓', "Lawful".to_owned()),
    };
    let _ = write!(
        page,
        "<p class=\"verdict {class}\"><span aria-hidden=\"true\">{sign}</span> {word}</p><h1>{}</h1>",
        Escaped(&headline(ruling))
    );
    let mut say = |class: &str, lead: &str, said: &str| {
        let lead = if lead.is_empty() { String::new() } else { format!("<b>{}:</b> ", Escaped(lead)) };
        let _ = write!(page, "<p class=\"{class}\">{lead}{}.</p>", Escaped(said));
    };
    match ruling {
        Ruling::Broken(broken) => {
            say("sentence", "", &capital(broken.sentence));
            say("because", "Here", &broken.because);
        }
        Ruling::NotReached(broken) => {
            let Breach { law, at, .. } = broken;
            say(
                "sentence",
                "",
                &format!("{law} is broken at event {at}, which comes after what is drawn here"),
            );
        }
        Ruling::Undecided(laws) => {
            say(
                "sentence",
                "",
                "No law is seen to be broken, and this run is no evidence that all of them hold",
            );
            laws.iter().for_each(|(law, because)| say("because", law, because));
        }
        Ruling::Holds => say("sentence", "", "No law is broken by any event of this run"),
    }
}

/// The facts of the run, and how much of it is drawn.
fn facts(page: &mut String, history: &History, head: &PageHead<'_>) {
    let drawn = history.events.len();
    let events = match usize::try_from(head.events) {
        Ok(whole) if whole > drawn => format!("{drawn} of {whole}"),
        _ => drawn.to_string(),
    };
    let end_us = history.events.last().map_or(0, |last| last.at_us);
    let rows = [
        ("subject", head.subject.to_owned()),
        ("events", events),
        ("plan", head.plan.to_owned()),
        ("run", At(end_us).to_string()),
        ("store", history.plan.store.name().to_owned()),
        ("hash", format!("{:016x}", head.hash)),
    ];
    page.push_str("<dl class=\"facts\">");
    for (name, value) in rows {
        let _ = write!(page, "<div><dt>{name}</dt><dd>{}</dd></div>", Escaped(&value));
    }
    page.push_str("</dl>");
}

/// The events that lead to the breach, in words.
fn steps_to_breach(page: &mut String, history: &History, links: &[CauseLink]) {
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
            Escaped(&history.phrase(event).to_string()),
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
    row("seed", plan.seed.to_string());
    row("lease", format!("{} ms, renewed every {} ms", plan.ttl_ms, plan.renew_ms));
    for lease in &plan.leases {
        row("lease", lease.to_string());
    }
    row("sweeps", format!("every {} ms, at most {} bodies a worker", plan.sweep_ms, plan.bound));
    row("workers", plan.workers.to_string());
    row("hosts", plan.hosts.to_string());
    row("messages", links(plan));
    for clock in &plan.clocks {
        row("clock", clock.to_string());
    }
    row("faults end at", format!("{} ms", plan.horizon_ms));
    page.push_str("</dl><ol class=\"steps\">");
    let mut taken = vec![None; plan.steps.len()];
    for (place, event) in history.events.iter().enumerate() {
        let What::StepTaken { step } = event.what() else { continue };
        if let Some(slot) = usize::try_from(step).ok().and_then(|step| taken.get_mut(step)) {
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
    use fencepost::model::process::RecoveryDisposition;

    use crate::timeline::test_events::{NO_GRANT, event};

    #[test]
    fn times_are_milliseconds_with_their_thousands_apart() {
        assert_eq!(At(0).to_string(), "0.0\u{202f}ms");
        assert_eq!(At(3_110_234).to_string(), "3\u{202f}110.2\u{202f}ms");
        assert_eq!(At(1_000_000_000).to_string(), "1\u{202f}000\u{202f}000.0\u{202f}ms");
    }

    fn empty() -> History {
        History { plan: Plan::quiet(1), grants: Vec::new(), events: Vec::new(), notes: Vec::new() }
    }

    fn head(ruling: Ruling<'_>) -> PageHead<'_> {
        PageHead { subject: "renew-then-write", plan: "seed 6", events: 0, hash: 0xabc, ruling }
    }

    #[test]
    fn what_laws_say_cannot_become_part_of_the_page() {
        let because = "<script>alert(\"{{data}}\")</script>".to_owned();
        let broken = Breach { law: "a<b", sentence: "x & 'y'", at: 7, because };
        let page = draw(&empty(), &head(Ruling::Broken(&broken)));
        assert!(page.contains("<h1>a&lt;b</h1>") && page.contains("X &amp; &#39;y&#39;."));
        assert!(page.contains("&lt;script&gt;alert(&quot;{{data}}&quot;)&lt;/script&gt;"));
        assert_eq!(page.matches("<script").count(), 2, "the data and the script");
    }

    #[test]
    fn the_page_names_what_was_run_and_no_name_becomes_part_of_it() {
        let page = draw(&empty(), &head(Ruling::Holds));
        assert!(page.contains("<title>Every law holds · renew-then-write · seed 6 · memory</title>"));
        for fact in ["subject</dt><dd>renew-then-write<", "plan</dt><dd>seed 6<", "store</dt><dd>memory<"] {
            assert!(page.contains(fact), "{fact}");
        }
        let page = draw(&empty(), &PageHead { subject: "<b>", plan: "</title>.toml", ..head(Ruling::Holds) });
        assert!(page.contains("· &lt;b&gt; · &lt;/title&gt;.toml · memory</title>"));
        assert!(!page.contains("<dd><b>"));
    }

    #[test]
    fn the_page_says_no_more_of_the_laws_than_is_known() {
        let registered = What::Registered { disposition: RecoveryDisposition::Rerunnable, is_new: false };
        let event = event(1, 1, 1, NO_GRANT, registered);
        let history = History { events: vec![event; 3], ..empty() };
        let said = |ruling| {
            let page = draw(&history, &PageHead { events: 9, ..head(ruling) });
            let (_, rest) = page.split_once("<div class=\"verdicts\">").unwrap();
            rest.split_once("</div>\n").unwrap().0.to_owned()
        };
        let broken = Breach { law: "ends-once", sentence: "it ends once", at: 2, because: "it ended".into() };
        let reached = said(Ruling::Broken(&broken));
        assert!(reached.contains("<h1>ends-once</h1>") && reached.contains("<b>Here:</b> it ended."));
        let later = Breach { at: 7, ..broken.clone() };
        let cut = said(Ruling::NotReached(&later));
        assert!(cut.contains("Cut at event 2</p><h1>The breach is not reached</h1>"), "{cut}");
        assert!(cut.contains("ends-once is broken at event 7") && cut.contains("<dd>3 of 9</dd>"), "{cut}");
        let undecided = said(Ruling::Undecided(vec![("linearizable", "too many orders")]));
        assert!(undecided.contains("<h1>It cannot be told whether linearizable holds</h1>"), "{undecided}");
        assert!(undecided.contains("<b>linearizable:</b> too many orders."), "{undecided}");
        assert!(said(Ruling::Holds).contains("<h1>Every law holds</h1>"));
        for other in [reached, cut, undecided] {
            assert!(!other.contains("Lawful") && !other.contains("Every law holds"), "{other}");
        }
    }

    #[test]
    fn the_page_asks_for_nothing_from_outside() {
        let page = draw(&empty(), &head(Ruling::Holds));
        for reach in ["http:", "https:", "src=", "@import", "url(", "fetch(", "XMLHttpRequest", "import("] {
            assert!(!page.contains(reach), "the page says `{reach}`");
        }
        assert!(page.contains("default-src 'none'"));
    }
}
