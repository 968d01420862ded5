//! The selected event stays in view, nothing that is drawn is covered or cut, and keys move the page without a click.

use fencepost_sim::history::event::EventKind;
use serde_json::{Value, json};

use super::driver::{Browser, Page};
use super::{bar, lane, regression, stale_writer};

/// A phone, a small window, a laptop's window, one that is wide and low, and a large one.
const SIZES: [(u32, u32); 5] = [(400, 800), (800, 700), (1100, 800), (1200, 640), (1600, 1000)];

/// Where the selected event's mark is in the window, and whether its row is inside the list.
const SELECTED: &str = "(() => { const { place } = fencepost.selected(); \
    const mark = fencepost.layout().marks.find((mark) => mark.place === place); \
    const canvas = document.getElementById('canvas').getBoundingClientRect(); \
    const list = document.getElementById('events').getBoundingClientRect(); \
    const row = document.querySelector('.event[aria-selected=true]')?.getBoundingClientRect(); \
    return { place, x: mark && mark.x, y: mark && canvas.top + mark.y, below: canvas.bottom, \
    width: canvas.width, window: innerHeight, \
    row: !!row && row.top >= list.top - 1 && row.bottom <= list.bottom + 1 }; })()";

fn expect_selected_in_view(page: &Page<'_>, when: &str) {
    let now = page.value(SELECTED);
    let number = |name: &str| now[name].as_f64().unwrap_or_else(|| panic!("{when}: there is no mark: {now}"));
    assert!((0.0..number("width")).contains(&number("x")), "{when}: {now}");
    assert!((0.0..number("window").min(number("below"))).contains(&number("y")), "{when}: {now}");
    assert_eq!(now["row"], true, "{when}: {now}");
}

#[test]
fn the_selected_event_is_in_view_in_a_window_of_any_size() {
    let Some(mut browser) = Browser::start() else { return };
    for name in ["stale-writer-refused-renew-then-write", "outside-sees-fences-in-order-stamped-ahead"] {
        let (history, broken) = regression(name, true);
        for (width, height) in SIZES {
            browser.resize(width, height);
            let page = browser.open(&history, broken.as_ref());
            page.until("document.querySelector('.event[aria-selected=true]') !== null");
            expect_selected_in_view(&page, &format!("{name} at {width}x{height}"));
            for _ in 0..15 {
                page.key("ArrowLeft", 37);
            }
            let now = page.value(SELECTED);
            assert!(now["y"].as_f64().unwrap() > 0.0 && now["y"].as_f64() < now["window"].as_f64(), "{now}");
            page.is_clean();
        }
    }
}

#[test]
fn the_selected_event_stays_in_view_when_the_window_changes() {
    let Some(mut browser) = Browser::start() else { return };
    let (history, broken) = stale_writer(true);
    browser.resize(1600, 1000);
    let page = browser.open(&history, broken.as_ref());
    for (width, height) in [(1000, 720), (1300, 740), (1600, 1000)] {
        page.resize(width, height);
        page.value("new Promise((go) => setTimeout(() => go(0), 100))");
        expect_selected_in_view(&page, &format!("made {width}x{height}"));
    }
    page.is_clean();
}

#[test]
fn an_event_of_a_group_that_is_off_is_shown_while_it_is_selected() {
    let Some(mut browser) = Browser::start() else { return };
    let (history, broken) = stale_writer(true);
    let read = history.events.iter().position(|event| event.kind() == EventKind::Showed).unwrap();
    let page = browser.open(&history, broken.as_ref());
    page.value(&format!("location.hash = 'select={read}'"));
    page.until(&format!("fencepost.selected().place === {read}"));
    assert_eq!(page.text(".event[aria-selected=true] .no"), read.to_string());
    page.is_clean();
}

#[test]
fn keys_work_before_anything_was_clicked() {
    let Some(mut browser) = Browser::start() else { return };
    let (history, broken) = stale_writer(true);
    let breach = broken.as_ref().unwrap().at;
    let page = browser.open(&history, broken.as_ref());
    assert_eq!(page.value("document.activeElement === document.body"), true);
    page.key("ArrowLeft", 37);
    let before = page.value("fencepost.selected().place").as_u64().unwrap();
    assert!(before < breach, "{before}");
    page.key("b", 66);
    assert_eq!(page.value("fencepost.selected().place"), breach);
    page.key("0", 48);
    let view = page.value("fencepost.layout().view");
    assert!(view["to_us"].as_f64().unwrap() > history.events.last().unwrap().at_us as f64);
    // A control keeps the keys that it needs itself.
    page.value("document.getElementById('process').focus()");
    page.key("ArrowLeft", 37);
    assert_eq!(page.value("fencepost.selected().place"), breach);
    page.is_clean();
}

#[test]
fn the_tooltip_goes_when_the_view_moves() {
    let Some(mut browser) = Browser::start() else { return };
    let (history, broken) = stale_writer(true);
    let page = browser.open(&history, broken.as_ref());
    let point_at_body = || {
        let body = bar(&page.value("fencepost.layout()"), "body", "1");
        let (x, y) = (body["x"].as_f64().unwrap() + 20.0, body["y"].as_f64().unwrap() + 6.0);
        // The pointer must move to be heard.
        page.point(x + 4.0, y);
        page.point(x, y);
        assert_eq!(page.value("document.getElementById('tip').hidden"), false);
        (x, y)
    };
    let is_gone = |how: &str| {
        page.value("new Promise((go) => requestAnimationFrame(() => go(0)))");
        assert_eq!(page.value("document.getElementById('tip').hidden"), true, "{how}");
    };
    let (x, y) = point_at_body();
    page.mouse("mouseWheel", x, y, json!({ "deltaX": 0, "deltaY": -120 }));
    is_gone("the wheel zooms");
    page.value("document.getElementById('fit-breach').click()");
    point_at_body();
    page.key("+", 187);
    is_gone("a key zooms");
    page.value("document.getElementById('fit-breach').click()");
    point_at_body();
    page.value("document.getElementById('pan-right').click()");
    is_gone("a button moves it");
    page.value("document.getElementById('fit-breach').click()");
    point_at_body();
    page.key("ArrowLeft", 37);
    is_gone("another event is selected");
    page.is_clean();
}

#[test]
fn message_lines_pass_under_the_words_of_lanes() {
    let Some(mut browser) = Browser::start() else { return };
    for name in ["stale-writer-refused-renew-then-write", "outside-sees-fences-in-order-stamped-ahead"] {
        let (history, broken) = regression(name, true);
        let page = browser.open(&history, broken.as_ref());
        let layout = page.value("fencepost.layout()");
        let plan = lane(&layout, "plan");
        let below_plan = plan["y"].as_f64().unwrap() + plan["height"].as_f64().unwrap();
        // No message is drawn in the plan's lane.
        let in_lanes = |word: &&Value| word["y"].as_f64().unwrap() > below_plan;
        let words: Vec<&Value> = layout["words"].as_array().unwrap().iter().filter(in_lanes).collect();
        assert!(words.len() > 2, "{words:?}");
        assert!(words.iter().all(|word| word["isOverLines"] == true), "{words:?}");
        page.is_clean();
    }
}

#[test]
fn a_legend_item_that_is_off_does_not_look_struck_out() {
    let Some(mut browser) = Browser::start() else { return };
    let (history, broken) = stale_writer(true);
    let page = browser.open(&history, broken.as_ref());
    let decoration = |state: &str| {
        page.value(&format!(
            "[...new Set([...document.querySelectorAll('#legend [aria-pressed={state}]')]\
             .map((each) => getComputedStyle(each).textDecorationLine))]"
        ))
    };
    assert_eq!(decoration("true"), json!(["none"]));
    assert_eq!(decoration("false"), json!(["none"]));
    page.is_clean();
}

#[test]
fn nothing_of_the_ledger_lane_is_cut() {
    let Some(mut browser) = Browser::start() else { return };
    let (history, broken) = regression("outside-sees-fences-in-order-stamped-ahead", true);
    for (width, height) in SIZES {
        browser.resize(width, height);
        let page = browser.open(&history, broken.as_ref());
        let layout = page.value("fencepost.layout()");
        let room = page.value("document.getElementById('canvas').clientHeight").as_f64().unwrap();
        let ledger = lane(&layout, "ledger");
        let end = ledger["y"].as_f64().unwrap() + ledger["height"].as_f64().unwrap();
        let can_scroll = page.value("scroller.scrollHeight > scroller.clientHeight + 1") == true;
        assert!(end <= room || can_scroll, "{width}x{height}: the ledger ends at {end} of {room}");
        let joins = layout["joins"].as_array().unwrap();
        assert!(!joins.is_empty());
        for join in joins {
            let farthest = join["farthestY"].as_f64().unwrap();
            assert!((0.0..=room).contains(&farthest), "{width}x{height}: {join} of {room}");
        }
        page.is_clean();
    }
}
