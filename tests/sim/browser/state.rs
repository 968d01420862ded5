//! The state that the page shows at an event: who runs what, what the event changed, and at which time.

use fencepost_sim::history::History;
use fencepost_sim::history::event::{
    BodyOutcome, CallKind, CallResult, Context, Event, GrantName, GrantNo, NO_PROCESS, What,
};
use fencepost_sim::plan::Plan;
use serde_json::{Value, json};

use super::driver::Browser;
use super::{EPOCH_MS, stale_writer};

/// Worker-1 is granted p1 twice. The body of fence 1 has ended, the body of fence 2 runs.
fn two_grants_of_one_worker() -> History {
    let event = |at_ms: u64, grant: GrantNo, what: What| {
        let process = if what == What::Finished { NO_PROCESS } else { 1 };
        let event = Event::new(Context { at_us: at_ms * 1_000, clock: 0, node: 1, process, grant }, what);
        let is_decision = event.kind().is_decided();
        event.with_clock(if is_decision { EPOCH_MS + at_ms } else { at_ms * 1_000 })
    };
    let name = |fence: u64| GrantName {
        process: 1,
        node: 1,
        fence,
        incarnation: "worker-1".to_owned(),
        token: String::new(),
        was_granted: true,
    };
    let call = CallKind::Claim;
    let heard = |number| What::Heard { call, result: CallResult::Done, number };
    let (first, second) = (GrantNo(0), GrantNo(1));
    let began = What::BodyBegan { fence: 0 };
    let events = vec![
        event(100, GrantNo::NONE, What::Sent { call, number: 1 }),
        event(105, first, What::Granted { expires_ms: EPOCH_MS + 405, fence: 1 }),
        event(110, first, heard(1)),
        event(120, first, began),
        event(300, first, What::BodyEnded { outcome: BodyOutcome::Output, output: 0 }),
        event(700, GrantNo::NONE, What::Sent { call, number: 2 }),
        event(705, second, What::Granted { expires_ms: EPOCH_MS + 1_005, fence: 2 }),
        event(710, second, heard(2)),
        event(720, second, began),
        event(900, GrantNo::NONE, What::Finished),
    ];
    History { plan: Plan::quiet(1), grants: vec![name(1), name(2)], events, notes: Vec::new() }
}

#[test]
fn a_body_is_said_to_run_beside_its_own_fence_alone() {
    let Some(mut browser) = Browser::start() else { return };
    let page = browser.open(&two_grants_of_one_worker(), None);
    page.value("location.hash = 'select=9'");
    page.until("fencepost.selected().place === 9");
    let rows = page.value(
        "[...document.querySelectorAll('tr[data-who=worker-1]')].map((row) => \
         [row.dataset.fence, [...row.querySelectorAll('.badge')].map((badge) => badge.textContent)])",
    );
    assert_eq!(rows, json!([["1", []], ["2", ["body runs"]]]));
    page.is_clean();
}

#[test]
fn the_selected_event_tells_what_it_changed() {
    let Some(mut browser) = Browser::start() else { return };
    let (history, broken) = stale_writer(true);
    let page = browser.open(&history, broken.as_ref());
    let changes = |page: &super::Page<'_>| -> Vec<String> {
        let lines =
            page.value("[...document.querySelectorAll('#changes li')].map((line) => line.textContent)");
        let line = |line: &Value| line.as_str().unwrap().replace('\u{202f}', " ");
        lines.as_array().unwrap().iter().map(line).collect()
    };
    // The late write of worker-1 ended the process, although worker-2 held the lease.
    let at_breach = changes(&page);
    assert_eq!(at_breach[0], "registry p1 status: running → completed");
    assert!(at_breach[1].starts_with("registry p1 lease: fence 2, worker-2, until "), "{at_breach:?}");
    assert!(at_breach[1].ends_with(" → none"), "{at_breach:?}");
    assert_eq!(at_breach[2], "registry p1 writes taken: 2 → 3");
    assert_eq!(at_breach.len(), 3, "{at_breach:?}");
    // The tab of the state shows the same, with what stayed as it was.
    page.value("document.getElementById('tab-state').click()");
    let part = |name: &str| page.text(&format!("tr[data-part=\"{name}\"] td:last-child"));
    assert_eq!(part("registry p1 status"), "runningcompleted");
    assert_eq!(part("worker-1 machine"), "paused");
    assert_eq!(part("worker-2 p1 runs"), "the body of fence 2");
    assert_eq!(part("ledger p1 highest fence"), "2");
    let changed = page.value("document.querySelectorAll('#state .changed').length");
    assert_eq!(changed, 3);

    // Under the true system the same write is refused and changes nothing.
    let (history, _) = stale_writer(false);
    let page = browser.open(&history, None);
    assert!(page.text("#event-said").contains("complete refused"));
    assert_eq!(changes(&page), ["It changed no state."]);
    page.is_clean();
}

/// Milliseconds with one digit, the rest cut off.
fn cut(at_us: u64) -> String {
    format!("{}.{}", at_us / 1_000, at_us / 100 % 10)
}

#[test]
fn an_instant_has_one_name_wherever_it_stands() {
    let Some(mut browser) = Browser::start() else { return };
    let (history, broken) = stale_writer(true);
    let page = browser.open(&history, broken.as_ref());
    let plain = |value: Value| value.as_str().unwrap().replace(['\u{202f}', ' '], "");
    // An event that rounding would move to the next tenth of a millisecond.
    let is_close = |at_us: u64| at_us % 100 >= 50;
    let rows = page.value(
        "[...document.querySelectorAll('.event')].map((row) => [row.dataset.place, \
         row.querySelector('.ms').textContent])",
    );
    let mut close = 0;
    for row in rows.as_array().unwrap() {
        let place: usize = row[0].as_str().unwrap().parse().unwrap();
        let at_us = history.events[place].at_us;
        assert_eq!(plain(row[1].clone()), cut(at_us), "event {place}");
        close += usize::from(is_close(at_us));
    }
    assert!(close > 2, "{close}");
    // The list at the top, the selected instant and the breach's flag say the same of the same event.
    let at_us = history.events[usize::try_from(broken.unwrap().at).unwrap()].at_us;
    assert_eq!(page.text("#instant").replace('\u{202f}', ""), format!("{}ms", cut(at_us)));
    let last = page.text(".chain li:last-child .when").replace('\u{202f}', "");
    assert!(last.starts_with(&format!("{}ms", cut(at_us))), "{last}");
    page.is_clean();
}
