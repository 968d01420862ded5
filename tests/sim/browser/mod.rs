//! The timeline's page, opened from its file by a real browser: what it draws is held against the events themselves, and it
//! is used as people use it, with a mouse and with keys. Without Chromium these tests say so and show nothing.

mod driver;
mod in_view;
mod state;

use std::path::Path;
use std::sync::Arc;

use fencepost_sim::generate::{WorldSize, generate, generate_of_size};
use fencepost_sim::history::History;
use fencepost_sim::history::event::{
    BodyOutcome, CallKind, Context, Event, EventKind, GrantName, GrantNo, NO_PROCESS, What,
};
use fencepost_sim::judge::{Breach, judge, record};
use fencepost_sim::plan::chance::Seed;
use fencepost_sim::plan::{Plan, Store};
use fencepost_sim::regressions;
use fencepost_sim::subject::Subject;
use fencepost_sim::timeline::html;
use fencepost_sim::timeline::page_head::{PageHead, Ruling};
use fencepost_sim::timeline::snapshot::Snapshot;
use serde_json::{Value, json};

use driver::{Browser, Page};

const EPOCH_MS: u64 = 1_700_000_000_000;

fn stale_writer(is_broken: bool) -> (History, Option<Breach>) {
    regression("stale-writer-refused-renew-then-write", is_broken)
}

/// The regression, under the subject that breaks its law or under the true system.
fn regression(name: &str, is_broken: bool) -> (History, Option<Breach>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../regressions");
    let path = folder.join(format!("{name}.toml"));
    let (plan, regression) = regressions::load(&path).unwrap();
    let (plan, regression) = (Arc::new(plan), regression.unwrap());
    let subject = if is_broken { regression.subject(&path).unwrap() } else { Subject::fencepost() };
    let verdict = judge(&plan, &subject);
    // The subject may break other laws before the one that the regression is about.
    let broken = if is_broken { verdict.breach_of(&regression.law) } else { verdict.broken() };
    assert_eq!(broken.is_some(), is_broken);
    (record(&plan, &subject), broken)
}

/// The first event of this kind under this fence, from a place on.
fn place_of(history: &History, kind: EventKind, fence: u64) -> usize {
    let found = |event: &Event| event.kind() == kind && history.fence(event) == Some(fence);
    history.events.iter().position(found).unwrap()
}

#[test]
fn a_broken_run_opens_from_its_file_and_shows_what_was_where() {
    let Some(mut browser) = Browser::start() else { return };
    let (history, broken) = stale_writer(true);
    let page = browser.open(&history, broken.as_ref());
    let breach = broken.unwrap().at as usize;
    let at_us = |place: usize| history.events[place].at_us;

    let layout = page.value("fencepost.layout()");
    let lanes: Vec<&str> =
        layout["lanes"].as_array().unwrap().iter().map(|lane| lane["name"].as_str().unwrap()).collect();
    assert_eq!(lanes, ["plan", "host-1", "worker-1", "worker-2", "registry", "ledger"]);

    // Leases are where the store says, to the expiry that was last set or the end of the process.
    let (first, second) =
        (place_of(&history, EventKind::Granted, 1), place_of(&history, EventKind::Granted, 2));
    let last_renewal = history
        .events
        .iter()
        .rfind(|event| event.kind() == EventKind::Renewed && history.fence(event) == Some(1));
    let Some(What::Renewed { expires_ms, .. }) = last_renewal.map(Event::what) else { panic!("no renewal") };
    let expiry_us = (expires_ms - EPOCH_MS) * 1_000;
    expect_bar(&layout, "lease", "1", "registry", at_us(first), expiry_us);
    expect_bar(&layout, "lease", "2", "registry", at_us(second), at_us(breach));

    // Bodies are in the lane of the worker that ran them.
    let began = place_of(&history, EventKind::BodyBegan, 1);
    let ended = place_of(&history, EventKind::BodyEnded, 1);
    expect_bar(&layout, "body", "1", "worker-1", at_us(began), at_us(ended));

    // A belief lasts a ttl from the sending of the last call that is known to have extended the lease.
    let heard = place_of(&history, EventKind::Heard, 1);
    let sent = history.events.iter().rfind(|event| {
        matches!(event.what(), What::Sent { call: CallKind::Renew, .. }) && history.fence(event) == Some(1)
    });
    let until_us = sent.unwrap().at_us + history.plan.ttl_ms * 1_000;
    expect_bar(&layout, "belief", "1", "worker-1", at_us(heard), until_us);

    // The breach is joined to the grant that had taken its place, between where both are drawn.
    let joins = layout["joins"].as_array().unwrap();
    assert_eq!(joins.len(), 1, "{joins:?}");
    assert_eq!(
        (joins[0]["from"].as_u64(), joins[0]["to"].as_u64()),
        (Some(second as u64), Some(breach as u64))
    );
    assert!(near(&joins[0]["x"], x_of(&layout, at_us(second))));
    assert!(near(&joins[0]["toX"], x_of(&layout, at_us(breach))));

    // At the breach: the store had fence 2 in hand, worker-1 stood still with a belief that had run out.
    assert_eq!(page.text("#event-said"), "worker-1: completed p1 fence 1");
    assert!(page.text("#event-note").contains("fence 1; the store held fence 2"));
    assert_eq!(
        page.belief("store"),
        (Some("2".into()), "fence 2worker-2then no lease: the process ended".into())
    );
    let (fence, _) = page.belief("worker-1");
    assert_eq!(fence.as_deref(), Some("1"));
    assert!(page.text("tr[data-who=worker-1]").contains("paused"));
    assert!(page.text("tr[data-who=worker-1]").contains("ran out"));
    assert_eq!(page.text("h1"), "stale-writer-refused");
    assert_eq!(page.value("document.querySelectorAll('.chain li').length"), 4);
    assert_ne!(page.value("document.getElementById('key-breach').offsetWidth"), 0);

    // Each of the four has its number beside it, and no number hides what was taken or refused.
    let badges = layout["badges"].as_array().unwrap();
    assert_eq!(badges.len(), 4, "{badges:?}");
    let signs = ["wrote", "ended", "refused", "failed"];
    let marks = layout["marks"].as_array().unwrap();
    for mark in marks.iter().filter(|mark| signs.contains(&mark["mark"].as_str().unwrap())) {
        assert!(badges.iter().all(|badge| distance(badge, mark) > 14.0), "{mark} {badges:?}");
    }
    for word in layout["words"].as_array().unwrap() {
        let hides = |badge: &&Value| {
            let number = |each: &Value, name: &str| each[name].as_f64().unwrap();
            let right = number(word, "x") + number(word, "width");
            (number(badge, "y") - number(word, "y")).abs() < 14.0
                && (number(word, "x") - 8.0..right + 8.0).contains(&number(badge, "x"))
        };
        assert_eq!(badges.iter().find(hides), None, "it hides {word}");
    }
    page.is_clean();
}

#[test]
fn pointing_shows_who_believed_what_then() {
    let Some(mut browser) = Browser::start() else { return };
    let (history, broken) = stale_writer(true);
    let page = browser.open(&history, broken.as_ref());
    let layout = page.value("fencepost.layout()");
    let registry = lane(&layout, "registry");
    let y = registry["y"].as_f64().unwrap() + 3.0;

    // While worker-1 holds the lease and knows it.
    page.point(x_of(&layout, 1_000_000), y);
    assert_eq!(page.belief("store").0.as_deref(), Some("1"));
    assert_eq!(page.belief("worker-1").0.as_deref(), Some("1"));
    assert_eq!(page.value("document.querySelector('tr[data-who=worker-1]').className"), "agrees");
    assert_eq!(page.belief("worker-2").0, None);

    // After its lease ran out and before anybody else's.
    page.point(x_of(&layout, 2_480_000), y);
    assert_eq!(page.belief("store").0.as_deref(), Some("1"));
    assert!(page.text("tr[data-who=store]").contains("ran out"));

    // Worker-2 was granted the lease, and has not heard of it: 2516.3 to 2517.3 ms.
    page.value("document.getElementById('canvas').focus()");
    let granted = place_of(&history, EventKind::Granted, 2);
    page.value(&format!("location.hash = 'select={}'", granted + 1));
    page.until(&format!("fencepost.selected().place === {}", granted + 1));
    assert_eq!(page.belief("store").0.as_deref(), Some("2"));
    assert_eq!(page.belief("worker-2").0, None);

    // The wheel zooms around the pointer, and dragging moves.
    let under = |layout: &Value, x: f64| {
        let view = |name: &str| layout["view"][name].as_f64().unwrap();
        view("from_us") + (x - view("left")) / view("width") * (view("to_us") - view("from_us"))
    };
    page.mouse("mouseWheel", 600.0, y, json!({ "deltaX": 0, "deltaY": -240 }));
    let narrower = page.value("fencepost.layout()");
    assert!((under(&narrower, 600.0) - under(&layout, 600.0)).abs() < 8_000.0, "{}", narrower["view"]);
    assert!(x_of(&narrower, 1_000_000) < x_of(&layout, 1_000_000) - 50.0);
    page.mouse("mousePressed", 600.0, y, json!({ "button": "left", "clickCount": 1 }));
    page.mouse("mouseMoved", 700.0, y, json!({ "button": "left", "buttons": 1 }));
    page.mouse("mouseReleased", 700.0, y, json!({ "button": "left", "clickCount": 1 }));
    let moved = page.value("fencepost.layout()");
    assert!((under(&moved, 700.0) - under(&narrower, 600.0)).abs() < 8_000.0, "{}", moved["view"]);
    // The list at the top leads there and back.
    page.value("document.querySelector('.chain button').click()");
    let granted = place_of(&history, EventKind::Granted, 1);
    assert_eq!(page.value("fencepost.selected().place"), granted);
    page.value("document.getElementById('fit-breach').click()");
    assert_eq!(page.value("fencepost.layout().view"), layout["view"]);

    // A mark says what it is.
    let body = bar(&page.value("fencepost.layout()"), "body", "1");
    page.point(body["x"].as_f64().unwrap() + 30.0, body["y"].as_f64().unwrap() + 6.0);
    assert!(page.text("#tip").starts_with("worker-1 runs p1 under fence 1"), "{}", page.text("#tip"));
    page.is_clean();
}

#[test]
fn keys_alone_lead_through_the_run() {
    let Some(mut browser) = Browser::start() else { return };
    let (history, broken) = stale_writer(true);
    let breach = broken.as_ref().unwrap().at;
    let page = browser.open(&history, broken.as_ref());
    let mut tabs = 0;
    while page.value("document.activeElement.id") != "canvas" {
        page.key("Tab", 9);
        tabs += 1;
        assert!(tabs < 80, "the timeline is not reached by Tab");
    }
    page.key("Home", 36);
    assert_eq!(page.value("fencepost.selected().place"), 0);
    let (mut before, mut one_back) = (0, 0);
    for _ in 0..12 {
        page.key("ArrowRight", 39);
        let place = page.value("fencepost.selected().place").as_u64().unwrap();
        assert!(place > before);
        (before, one_back) = (place, before);
        let event = &history.events[place as usize];
        assert!(page.text("#event-said").ends_with(&format!(": {}", history.phrase(event))));
        let said = page.text("#announcer");
        assert!(said.starts_with(&format!("Event {place}, ")) && said.contains("store, "), "{said}");
    }
    page.key("ArrowLeft", 37);
    assert_eq!(page.value("fencepost.selected().place"), one_back);
    page.key("b", 66);
    assert_eq!(page.value("fencepost.selected().place"), breach);
    assert!(page.text("#announcer").contains("worker-1, paused, fence 1, ran out"));
    page.key("ArrowUp", 38);
    let above = page.value("fencepost.selected().place").as_u64().unwrap();
    assert_ne!(above, breach);
    let mark = |place: u64| {
        let marks = page.value("fencepost.layout().marks");
        let found = marks.as_array().unwrap().iter().find(|mark| mark["place"] == place).cloned().unwrap();
        found["y"].as_f64().unwrap()
    };
    assert!(mark(above) < mark(breach));

    // Zooming keeps what is selected in sight, and the whole run comes back.
    let span = |page: &Page<'_>| {
        let view = page.value("fencepost.layout().view");
        view["to_us"].as_f64().unwrap() - view["from_us"].as_f64().unwrap()
    };
    let wide = span(&page);
    page.key("+", 187);
    assert!(span(&page) < wide * 0.7);
    page.key("0", 48);
    assert!(span(&page) > history.events.last().unwrap().at_us as f64);

    // The table of events goes with it.
    page.value("document.getElementById('events').focus()");
    let before = page.value("fencepost.selected().place").as_u64().unwrap();
    page.key("ArrowDown", 40);
    let after = page.value("fencepost.selected().place").as_u64().unwrap();
    assert!(after > before);
    assert_eq!(
        page.value("document.querySelector('.event[aria-selected=true]').dataset.place"),
        after.to_string()
    );
    page.is_clean();
}

#[test]
fn a_lawful_run_says_so_and_shows_the_write_that_was_refused() {
    let Some(mut browser) = Browser::start() else { return };
    let (history, broken) = stale_writer(false);
    let page = browser.open(&history, broken.as_ref());
    assert_eq!(page.text("h1"), "Every law holds");
    assert_eq!(page.value("document.querySelectorAll('.chain').length"), 0);
    assert_eq!(page.value("document.getElementById('key-breach').offsetWidth"), 0, "there is none to go to");
    let layout = page.value("fencepost.layout()");
    assert_eq!(layout["joins"], json!([]));
    let refused = history
        .events
        .iter()
        .position(|event| matches!(event.what(), What::Refused { call: CallKind::Complete, .. }));
    let refused = refused.unwrap();
    let marks = layout["marks"].as_array().unwrap();
    let mark = marks.iter().find(|mark| mark["place"] == refused).unwrap();
    assert_eq!(mark["mark"], "refused");
    assert!(near(&mark["x"], x_of(&layout, history.events[refused].at_us)));
    assert!(page.text("#event-said").contains("complete refused: superseded p1 fence 1"));

    // Reads are noise until somebody asks for them.
    let rows = "Number(document.getElementById('events').getAttribute('aria-rowcount'))";
    let (quiet, all) = (page.value(rows).as_u64().unwrap(), history.events.len() as u64);
    page.value("document.querySelector('[data-group=reads]').click()");
    let with_reads = page.value(rows).as_u64().unwrap();
    for group in ["busy", "evidence"] {
        page.value(&format!("document.querySelector('[data-group={group}]').click()"));
    }
    assert!(quiet < with_reads && page.value(rows).as_u64() == Some(all), "{quiet} {with_reads} {all}");
    page.value("document.querySelector('[data-group=bodies]').click()");
    let layout = page.value("fencepost.layout()");
    assert!(layout["bars"].as_array().unwrap().iter().all(|bar| bar["what"] != "body"));
    page.is_clean();
}

#[test]
fn pins_of_one_moment_stand_side_by_side_with_faults_first() {
    let Some(mut browser) = Browser::start() else { return };
    let steps = ["0ms register p1 rerunnable 6 steps of 200ms", "0ms hold complete p1 until expiry +700ms"];
    let steps = steps.iter().map(|step| step.parse().unwrap()).collect();
    let history = record(&Arc::new(Plan { steps, ..Plan::quiet(1) }), &Subject::fencepost());
    let page = browser.open(&history, None);
    let layout = page.value("fencepost.layout()");
    let marks = layout["marks"].as_array().unwrap();
    let pin = |name: &str| marks.iter().find(|mark| mark["mark"] == name).unwrap();
    let (fault, step) = (pin("fault"), pin("step"));
    assert!(near(&fault["x"], x_of(&layout, 0)), "{fault}");
    assert!(distance(fault, step) > 8.0 && fault["y"] == step["y"], "{fault} {step}");
    page.is_clean();
}

#[test]
fn a_run_that_is_cut_opens_at_the_event_that_was_asked_for() {
    let Some(mut browser) = Browser::start() else { return };
    let (mut history, _) = stale_writer(true);
    let (events, hash) = (history.events.len() as u64, history.hash());
    let read = history.events.iter().rposition(|event| event.kind() == EventKind::Showed).unwrap();
    history.events.truncate(read + 1);
    let head = PageHead { subject: "some", plan: "seed 1", events, hash, ruling: Ruling::Holds };
    let page = browser.open_drawn(&html::draw(&history, &head));
    assert_eq!(page.value("fencepost.selected().place"), read);
    let selected = page.text(".event[aria-selected=true] .what");
    assert_eq!(selected, history.phrase(&history.events[read]).to_string());
    page.is_clean();
}

#[test]
fn no_event_in_the_list_loses_its_last_words() {
    let Some(mut browser) = Browser::start() else { return };
    let (history, broken) = stale_writer(false);
    let screen = json!({ "width": 1400, "height": 900, "deviceScaleFactor": 1, "mobile": false });
    browser.call("Emulation.setDeviceMetricsOverride", &screen);
    let page = browser.open(&history, broken.as_ref());
    assert!(page.text("#event-said").contains("complete refused: superseded p1 fence 1"));
    let cut = page.value(
        "[...document.querySelectorAll('.event .what')].filter((each) => \
         each.scrollWidth > each.clientWidth || each.scrollHeight > each.clientHeight + 1 && each.scrollHeight > 26)\
         .map((each) => each.textContent)",
    );
    assert_eq!(cut, json!([]));
    assert!(page.value("document.querySelectorAll('.event .what.long').length").as_u64().unwrap() > 0);
    page.is_clean();
}

/// The page's table and the text report show the same state at the same instant.
#[test]
fn the_page_and_the_text_tell_of_the_same_time_that_is_left() {
    let Some(mut browser) = Browser::start() else { return };
    let (history, broken) = stale_writer(true);
    let page = browser.open(&history, broken.as_ref());
    let (mut left, mut over) = (0, 0);
    let of_process = |place: &usize| history.events[*place].process == 1;
    // Not all of them: a browser lets a page change its address two hundred times in a row.
    for place in (0..history.events.len()).rev().filter(of_process).step_by(3) {
        let moment = Snapshot::before(&history, place, Some(1)).unwrap();
        page.value(&format!("location.hash = 'select={place}'"));
        page.until(&format!("fencepost.selected().place === {place}"));
        for (node, said) in &moment.believed {
            let told = page.text(&format!("tr[data-who={node}] td:nth-child(3)")).replace('\u{202f}', "");
            let ms = |before: &str, after: &str| {
                said.split_once(before)
                    .and_then(|(_, rest)| rest.split_once(after))
                    .map(|(ms, _)| ms.to_owned())
            };
            let wanted = match (ms(", for ", " ms more"), ms(" lapsed ", " ms ago")) {
                (Some(ms), _) => format!("{ms}ms left"),
                (_, Some(ms)) => format!("ran out {ms}ms ago"),
                _ => String::new(),
            };
            left += u32::from(wanted.ends_with("left"));
            over += u32::from(wanted.ends_with("ago"));
            assert_eq!(told, wanted, "at event {place}, of {node}: {said}");
        }
    }
    assert!(left > 10 && over > 0, "{left} {over}");
    page.is_clean();
}

#[test]
fn two_bodies_at_once_are_red_where_they_run_and_side_by_side_in_their_row() {
    let Some(mut browser) = Browser::start() else { return };
    let page = browser.open(&two_bodies(), None);
    let layout = page.value("fencepost.layout()");
    let overlaps: Vec<&Value> =
        layout["bars"].as_array().unwrap().iter().filter(|bar| bar["what"] == "overlap").collect();
    assert_eq!(overlaps.len(), 4);
    let inside = |name: &str| {
        let lane = lane(&layout, name);
        let (y, height) = (lane["y"].as_f64().unwrap(), lane["height"].as_f64().unwrap());
        let within = |bar: &&&Value| (y..y + height).contains(&bar["y"].as_f64().unwrap());
        overlaps.iter().filter(within).count()
    };
    assert_eq!((inside("worker-1"), inside("worker-2"), inside("registry")), (1, 1, 2));
    for bar in overlaps {
        assert!(near(&bar["x"], x_of(&layout, 400_000)));
        assert!(
            (bar["width"].as_f64().unwrap() - (x_of(&layout, 600_000) - x_of(&layout, 400_000))).abs() < 1.0
        );
    }
    assert_eq!(layout["labels"].as_array().unwrap().len(), 1);
    assert_eq!(layout["labels"][0]["text"], "two bodies at once");
    // Worker-1's clock is a quarter of a second ahead: its ruler and its row say so.
    page.value("location.hash = 'select=3'");
    page.until("fencepost.selected().place === 3");
    assert!(page.text("tr[data-who=worker-1]").contains("wall +250.0"));
    page.is_clean();
}

#[test]
fn two_bodies_within_the_bound_are_said_to_be_so() {
    let Some(mut browser) = Browser::start() else { return };
    let page = browser.open(&bodies_at_once(&[(400, 403)]), None);
    let layout = page.value("fencepost.layout()");
    let labels = layout["labels"].as_array().unwrap();
    assert!(labels.iter().all(|label| label["text"] == "two bodies, within the bound"), "{labels:?}");
    assert_eq!(labels.len(), 1);
    let legend = page.value("document.querySelector('[data-group=bodies]').title");
    assert!(legend.as_str().unwrap().contains("within the bound"), "{legend}");
    let bars = layout["bars"].as_array().unwrap();
    let overlap = bars.iter().rfind(|bar| bar["what"] == "overlap").unwrap();
    let middle =
        |from: &str, size: &str| overlap[from].as_f64().unwrap() + overlap[size].as_f64().unwrap() / 2.0;
    page.point(middle("x", "width"), middle("y", "height"));
    let tip = page.text("#tip");
    assert!(tip.contains("run at once, within the bound") && tip.contains("stands still"), "{tip}");
    page.is_clean();
}

#[test]
fn labels_of_bodies_at_once_that_are_near_each_other_do_not_cover_each_other() {
    let Some(mut browser) = Browser::start() else { return };
    let page = browser.open(&bodies_at_once(&[(400, 420), (440, 460), (480, 500), (700, 720)]), None);
    let layout = page.value("fencepost.layout()");
    let span = |each: &Value| {
        let x = each["x"].as_f64().unwrap();
        (x, x + each["width"].as_f64().unwrap())
    };
    let labels: Vec<_> = layout["labels"].as_array().unwrap().iter().map(span).collect();
    assert!((2..4).contains(&labels.len()), "{labels:?}");
    let row = lane(&layout, "registry")["y"].as_f64().unwrap();
    let bars = layout["bars"].as_array().unwrap().iter();
    let bars = bars.filter(|bar| bar["what"] == "overlap" && bar["y"].as_f64().unwrap() > row).map(span);
    let all: Vec<_> = labels.iter().copied().chain(bars.step_by(2)).collect();
    for (number, label) in labels.iter().enumerate() {
        for (_, other) in all.iter().enumerate().filter(|(at, _)| *at != number) {
            assert!(label.1 < other.0 || other.1 < label.0, "{label:?} {other:?}");
        }
    }
    page.is_clean();
}

#[test]
fn on_a_phone_the_lanes_come_first_and_nothing_is_cut_or_covered() {
    let Some(mut browser) = Browser::start() else { return };
    let screen = json!({ "width": 400, "height": 800, "deviceScaleFactor": 2, "mobile": true });
    browser.call("Emulation.setDeviceMetricsOverride", &screen);
    for is_broken in [true, false] {
        let (history, broken) = stale_writer(is_broken);
        let page = browser.open(&history, broken.as_ref());
        let top = page.value("document.getElementById('canvas').getBoundingClientRect().top");
        assert!(top.as_f64().unwrap() < 430.0, "the lanes begin at {top}");
        let legend = page.value(
            "[...document.querySelectorAll('#legend button')].every((each) => { const box = \
             each.getBoundingClientRect(); return box.left >= 0 && box.right <= innerWidth; })",
        );
        assert_eq!(legend, true, "the legend is cut");
        let layout = page.value("fencepost.layout()");
        let number = |each: &Value, name: &str| each[name].as_f64().unwrap();
        for head in layout["named"].as_array().unwrap() {
            for list in ["marks", "badges"] {
                let is_covered = |each: &&Value| {
                    let (x, y) = (number(each, "x"), number(each, "y"));
                    x - 4.0 < number(head, "right")
                        && y + 4.0 > number(head, "top")
                        && y - 4.0 < number(head, "bottom")
                };
                let covered = layout[list].as_array().unwrap().iter().find(is_covered);
                assert!(covered.is_none(), "{head} covers {covered:?}");
            }
        }
        assert!(!layout["named"].as_array().unwrap().is_empty());
        page.value("document.getElementById('fit-all').click()");
        let first = page.value("fencepost.layout().ticks[0]");
        assert!(first["text"] == "0" && number(&first, "x") >= 0.0, "{first}");
        page.is_clean();
    }
}

#[test]
fn a_phone_has_no_sideways_scrolling_and_the_dark_is_dark() {
    let Some(mut browser) = Browser::start() else { return };
    let (history, broken) = stale_writer(true);
    let screen = json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true });
    browser.call("Emulation.setDeviceMetricsOverride", &screen);
    let dark = json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
    browser.call("Emulation.setEmulatedMedia", &dark);
    let page = browser.open(&history, broken.as_ref());
    assert_eq!(page.value("document.documentElement.scrollWidth"), 390);
    let paper = page.value("getComputedStyle(document.body).backgroundColor");
    assert_eq!(paper, "rgb(22, 23, 26)");
    let layout = page.value("fencepost.layout()");
    assert_eq!(layout["view"]["left"], 10);
    expect_bar(
        &layout,
        "lease",
        "2",
        "registry",
        history.events[place_of(&history, EventKind::Granted, 2)].at_us,
        history.events[broken.unwrap().at as usize].at_us,
    );
    page.is_clean();
}

/// Needs no browser: the rulers are drawn from the plan, and every event of a node or a decision has read a clock.
#[test]
fn the_clocks_that_are_drawn_are_those_that_every_event_read() {
    let (mut readings, mut bent) = (0, 0);
    for seed in 0..60 {
        let history = record(&Arc::new(generate(Seed(seed), Store::Memory)), &Subject::fencepost());
        let page = drawn(&history, None);
        let (_, rest) = page.split_once("type=\"application/json\">").unwrap();
        let data: Value = serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap();
        assert_eq!(data["differing"], 0, "seed {seed}");
        let of_ledger = history.events.iter().filter(|event| event.node == 255).count();
        assert_eq!(data["readings"].as_u64().unwrap() as usize, history.events.len() - of_ledger);
        readings += data["readings"].as_u64().unwrap();
        let clocks = data["nodes"].as_array().unwrap().iter().filter_map(|node| node["clock"].as_array());
        bent += clocks.filter(|stretches| stretches.len() > 1).count();
    }
    assert!(readings > 10_000 && bent > 20, "{readings} readings, {bent} bent clocks");
}

/// Measured, and not judged: machines differ.
#[test]
fn a_hundred_thousand_events_open() {
    let size = WorldSize::Fixed { workers: 4, processes: 120, seconds: 1_200, faults: 150 };
    let plan = Arc::new(generate_of_size(Seed(5), Store::Memory, size));
    let mut history = record(&plan, &Subject::fencepost());
    assert!(history.events.len() >= 100_000, "{} events", history.events.len());
    history.events.truncate(100_000);
    let page = drawn(&history, None);
    assert!(page.len() < 8_000_000, "{} bytes", page.len());
    eprintln!("100000 events are a page of {} bytes", page.len());

    let Some(mut browser) = Browser::start() else { return };
    let page = browser.open(&history, None);
    let painted = page.value("Math.round(fencepost.paintedMs)");
    page.value("document.getElementById('fit-all').click()");
    let again = page.value(
        "(() => { const t = performance.now(); document.getElementById('fit-all').click(); \
         return Math.round(performance.now() - t); })()",
    );
    eprintln!(
        "they are drawn {painted} ms after the page was asked for, and all of them again in {again} ms"
    );
    assert!(page.value("fencepost.layout().marks.length").as_u64().unwrap() > 1_000);
    page.is_clean();
}

/// Bodies of p1 on two workers, at once for two tenths of a second; worker-1's wall clock is ahead.
fn two_bodies() -> History {
    let mut history = bodies_at_once(&[(400, 600)]);
    history.plan.clocks.push("worker-1 +250ms +0ppm".parse().unwrap());
    history
}

/// A body of p1 on worker-1, and beside it, in these spans of ms, others on worker-2; the last of them runs on.
fn bodies_at_once(spans: &[(u64, u64)]) -> History {
    let event = |at_ms: u64, node: u8, grant: GrantNo, what: What| {
        let process = if what == What::Finished { NO_PROCESS } else { 1 };
        let event = Event::new(Context { at_us: at_ms * 1_000, clock: 0, node, process, grant }, what);
        let is_decision = event.kind().is_decided();
        event.with_clock(if is_decision { EPOCH_MS + at_ms } else { at_ms * 1_000 })
    };
    let name = |node: u8, fence: u64| GrantName {
        process: 1,
        node,
        fence,
        incarnation: format!("worker-{node}"),
        token: String::new(),
        was_granted: true,
    };
    let until = |at_ms: u64| EPOCH_MS + at_ms + 300;
    let began = |fence| What::BodyBegan { fence };
    let ended = What::BodyEnded { outcome: BodyOutcome::Output, output: 0 };
    let end_ms = spans.last().unwrap().1;
    let mut grants = vec![name(1, 1)];
    let mut events = vec![
        event(100, 1, GrantNo(0), What::Granted { expires_ms: until(100), fence: 1 }),
        event(110, 1, GrantNo(0), began(0)),
        event(end_ms, 1, GrantNo(0), ended),
        event(end_ms + 300, 0, GrantNo::NONE, What::Finished),
    ];
    for ((from_ms, to_ms), grant) in spans.iter().copied().zip(1..) {
        let (fence, grant) = (u64::from(grant) + 1, GrantNo(grant));
        let ended_ms = if to_ms == end_ms { end_ms + 100 } else { to_ms };
        grants.push(name(2, fence));
        events.push(event(
            from_ms - 10,
            2,
            grant,
            What::Reclaimed { expires_ms: until(from_ms - 10), fence },
        ));
        events.push(event(from_ms, 2, grant, began(0)));
        events.push(event(ended_ms, 2, grant, ended));
    }
    events.sort_by_key(|event| event.at_us);
    History { plan: Plan::quiet(1), grants, events, notes: Vec::new() }
}

fn distance(one: &Value, other: &Value) -> f64 {
    let apart = |axis: &str| one[axis].as_f64().unwrap() - other[axis].as_f64().unwrap();
    apart("x").hypot(apart("y"))
}

fn drawn(history: &History, broken: Option<&Breach>) -> String {
    let (events, hash) = (history.events.len() as u64, history.hash());
    let ruling = broken.map_or(Ruling::Holds, Ruling::Broken);
    html::draw(history, &PageHead { subject: "some", plan: "seed 1", events, hash, ruling })
}

fn x_of(layout: &Value, at_us: u64) -> f64 {
    let view = |name: &str| layout["view"][name].as_f64().unwrap();
    view("left") + (at_us as f64 - view("from_us")) / (view("to_us") - view("from_us")) * view("width")
}

fn near(value: &Value, wanted: f64) -> bool {
    (value.as_f64().unwrap() - wanted).abs() < 1.0
}

fn lane(layout: &Value, name: &str) -> Value {
    layout["lanes"].as_array().unwrap().iter().find(|lane| lane["name"] == name).unwrap().clone()
}

fn bar(layout: &Value, what: &str, fence: &str) -> Value {
    let bars = layout["bars"].as_array().unwrap();
    let found = bars.iter().find(|bar| bar["what"] == what && bar["fence"] == fence);
    found.unwrap_or_else(|| panic!("there is no {what} of fence {fence}: {bars:#?}")).clone()
}

fn expect_bar(layout: &Value, what: &str, fence: &str, in_lane: &str, from_us: u64, to_us: u64) {
    let found = bar(layout, what, fence);
    let (x, to_x) = (x_of(layout, from_us), x_of(layout, to_us));
    assert!(
        near(&found["x"], x) && near(&found["width"], to_x - x),
        "{what} {fence}: {x} to {to_x}, {found}"
    );
    let lane = lane(layout, in_lane);
    let top = lane["y"].as_f64().unwrap();
    let y = found["y"].as_f64().unwrap();
    assert!((top..top + lane["height"].as_f64().unwrap()).contains(&y), "{what} {fence}: {found} in {lane}");
}
