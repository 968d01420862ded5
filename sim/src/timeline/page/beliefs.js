//! The belief table: who believed what at one instant - the store, each worker by its own clock, what stands outside - and
//! what the selected event says. Of an event it shows what stood just before it; what the event changed comes after it.

const beliefTable = document.getElementById("beliefs");
const beliefRows = beliefTable.tBodies[0];
const instant = document.getElementById("instant");
const eventSaid = document.getElementById("event-said");
const eventNote = document.getElementById("event-note");
const processChoice = document.getElementById("process");
const announcer = document.getElementById("announcer");

let told = ofBreach[0] ?? processes[0] ?? -1;
for (const each of processes) processChoice.add(new Option(`p${each}`, each));

/// What stands at the selected event, or at the instant that is pointed at.
function tell() {
  const place = selected.hover === null ? selected.place : selected.hoverPlace ?? -1;
  const us = selected.hover ?? (place >= 0 ? at[place] : Math.max(view.from, 0));
  const n = place >= 0 ? place : upTo(at, us);
  if (place >= 0 && process[place] >= 0) told = process[place];
  processChoice.value = told;
  instant.textContent = `${inMs(us)}\u202fms`;
  eventSaid.textContent = place >= 0 ? `${nodes.get(node[place])?.name}: ${phrase(place)}` : "no event: this is what stood then";
  eventSaid.className = place === breach && place >= 0 ? "broken" : "";
  eventNote.replaceChildren(...noteOf(place, us));
  const rows = rowsAt(told, n, us, place);
  beliefRows.replaceChildren(...rows.map(rowElement));
  tellState(place);
  return { place, us, rows };
}

function noteOf(place, us) {
  if (place < 0) return [];
  const lines = [];
  const link = chain.findIndex((each) => each.place === place);
  if (link >= 0) lines.push(element("b", "link", `${link + 1} of ${chain.length}: ${chain[link].role}`));
  const kind = raw.glyphs[glyphNumber[place]];
  if (grant[place] >= 0 && ["wrote", "ended", "refused", "renewed"].includes(kind)) {
    const stored = storedAt(process[place], place, us);
    const isStale = !stored.lease || stored.grant !== grant[place] || stored.left_ms <= 0;
    const held = !stored.lease ? "the store held no lease" : `the store held fence ${stored.fence}${stored.left_ms <= 0 ? ", run out" : ""}`;
    const line = element("span", isStale && kind !== "refused" ? "stale" : "", `on the strength of fence ${fenceOf(grant[place])}; ${held}`);
    lines.push(line);
  }
  return lines;
}

/// Each row: who, what, until when, its clock; whether it agrees with the store.
function rowsAt(of, n, us, place) {
  const rows = [];
  const stored = storedAt(of, n, us);
  const isLive = stored.lease && stored.left_ms > 0;
  const clock = clockAt(store.code, us);
  rows.push({
    who: "store", code: store.code, fence: stored.lease ? stored.fence : null, grant: stored.grant,
    what: stored.lease ? `fence ${stored.fence}` : "no lease",
    more: stored.lease ? holderOf(stored.grant) : stored.status === "running" && stored.was ? `fence ${fenceOf(stored.was.grant)}: ${stored.was.why}` : stored.status,
    until: stored.lease ? (isLive ? `${inMs(stored.left_ms * 1000, 0)}\u202fms left` : `ran out ${inMs(-stored.left_ms * 1000, 0)}\u202fms ago`) : "",
    isOver: stored.lease && !isLive, clock, then: place >= 0 ? change(of, place) : null,
  });
  for (const each of workers) {
    const believed = believedAt(each.code, of, n, us);
    const badges = [];
    if (believed.still) badges.push(believed.still.is_down ? "down" : "paused");
    const base = { who: each.name, code: each.code, clock: clockAt(each.code, us), badges };
    const runs = (number) => believed.running.filter((body) => body.grant === number).map(() => "body runs");
    const dropped = [...new Set(believed.running.map((body) => body.grant))].filter((number) => !believed.held.some((held) => held.grant === number));
    for (const number of dropped) {
      const last = believed.last;
      rows.push({ ...base, badges: [...badges, `the body of fence ${fenceOf(number)} runs`], fence: null, what: "nothing", more: last ? `gave up fence ${fenceOf(last.grant)}: ${last.why}` : "", until: "" });
    }
    if (!believed.held.length && !dropped.length) {
      const last = believed.last;
      rows.push({ ...base, what: "nothing", fence: null, more: last ? `gave up fence ${fenceOf(last.grant)}: ${last.why}` : "", until: "" });
    }
    for (const held of believed.held) {
      const believes = held.left_us > 0;
      const agrees = isLive && stored.grant === held.grant;
      rows.push({
        ...base, badges: [...badges, ...runs(held.grant)], fence: held.fence, grant: held.grant, what: `fence ${held.fence}`,
        until: believes ? `${wholeMs(held.left_us)}\u202fms left` : `ran out ${wholeMs(held.left_us)}\u202fms ago`,
        isOver: !believes, more: believes && !agrees ? "the store does not" : "", verdict: believes ? (agrees ? "agrees" : "differs") : "",
      });
    }
  }
  const seen = seenOutside(of, n);
  if (seen !== null) rows.push({ who: "outside", code: ledger.code, fence: null, what: `saw fence ${seen}`, more: "", until: "" });
  return rows;
}

/// What an event changed in the store.
function change(of, place) {
  if (process[place] !== of) return null;
  const [before, after] = [storedAt(of, place, at[place]), storedAt(of, place + 1, at[place])];
  if (before.grant === after.grant && before.expires_ms === after.expires_ms) return null;
  if (!after.lease) return `then no lease: ${before.lease?.why || after.status}`;
  return `then fence ${after.fence}, ${inMs(after.left_ms * 1000, 0)}\u202fms left`;
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function rowElement(row) {
  const line = element("tr", row.verdict || "");
  line.dataset.who = row.who;
  if (row.fence !== null) line.dataset.fence = row.fence;
  const head = element("th", "", row.who);
  head.scope = "row";
  for (const badge of row.badges ?? []) head.append(element("span", "badge", badge));
  const what = element("td", row.isOver ? "over" : "");
  if (row.grant !== undefined && row.fence !== null) {
    const chip = element("span", "chip");
    chip.style.background = fenceColour(row.grant);
    what.append(chip);
  }
  what.append(row.what);
  if (row.more) what.append(element("small", "", row.more));
  if (row.then) what.append(element("small", "then", row.then));
  const until = element("td", row.isOver ? "over" : "", row.until);
  const clock = element("td", "clock");
  if (row.clock) {
    clock.append(inMs(row.clock.elapsed_us));
    if (Math.abs(row.clock.off_us) >= 100) clock.append(element("small", "off", `wall ${signedMs(row.clock.off_us)}`));
    if (row.clock.drift_ppm) clock.append(element("small", "off", `${row.clock.drift_ppm > 0 ? "+" : "−"}${Math.abs(row.clock.drift_ppm)}\u202fppm`));
  }
  line.append(head, what, until, clock);
  return line;
}

/// The same in one sentence, for those who hear the page.
function announce({ place, us, rows }) {
  const said = rows.map((row) => [row.who, ...(row.badges ?? []), row.what, row.until, row.more, row.then].filter(Boolean).join(", "));
  announcer.textContent = `${place >= 0 ? `Event ${place}, ` : ""}${inMs(us)} milliseconds. ${place >= 0 ? eventSaid.textContent + ". " : ""}${said.join(". ")}.`;
}
