//! The page: pointing, keys, buttons, the legend, the theme. Everything that changes what is seen ends in `refresh`.

const heads = document.getElementById("heads");
const tall = document.getElementById("tall");
const tip = document.getElementById("tip");
const fillsWindow = window.matchMedia("(min-width: 1000px) and (min-height: 720px)");
const narrow = window.matchMedia("(max-width: 640px)");

let isDue = false;
function refresh() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    paint();
  });
}

/// After the filter or the size changed.
function rebuild() {
  refilter();
  spread(fillsWindow.matches ? scroller.clientHeight : 0, narrow.matches);
  tall.style.height = `${height}px`;
  heads.classList.toggle("over", narrow.matches);
  paintHeads();
  fitCanvas();
  paint();
  paintEvents();
}

function fitCanvas() {
  const room = fillsWindow.matches ? scroller.clientHeight : height;
  canvas.style.height = `${Math.max(Math.min(height, room), 40)}px`;
}

function paintHeads() {
  const parts = [];
  const head = (text, y, high, className) => {
    const made = element("div", `head ${className}`, text);
    made.style.top = `${y}px`;
    made.style.height = `${high}px`;
    parts.push(made);
  };
  for (const lane of lanes) {
    head(lane.name, lane.y, lane.height, lane.kind);
    if (isOn.clocks && lane.node?.clock.length && !narrow.matches) {
      const isTrue = isTrueClock(lane.node.code);
      const now = selected.hover ?? (selected.place >= 0 ? at[selected.place] : 0);
      head(isTrue ? "clock" : signedMs(clockAt(lane.node.code, now).off_us, 0), rulerY(lane), SIZE.ruler, isTrue ? "ruler" : "ruler bent");
    }
    if (lane.rows) for (const row of lane.rows.values()) head(`p${row.of}`, row.y, row.height, ofBreach.includes(row.of) ? "row main" : "row");
  }
  heads.replaceChildren(...parts);
  const isOver = heads.classList.contains("over");
  named = isOver ? parts.map((each) => ({ right: each.offsetWidth, top: each.offsetTop, bottom: each.offsetTop + each.offsetHeight })) : [];
}

function select(place, { move = true, say = true } = {}) {
  selected.place = Math.min(Math.max(place, -1), COUNT - 1);
  selected.hover = null;
  selected.hoverPlace = null;
  tip.hidden = true;
  if (selected.place >= 0) {
    // An event whose group is off is shown while it is selected.
    if (shown[below(shown, selected.place)] !== selected.place) refilter();
    if (move) {
      bringIntoView(at[selected.place]);
      bringLaneIntoView();
    }
    remember(`select=${selected.place}`);
  }
  paintHeads();
  paint();
  const now = tell();
  // What is told takes its room first: only then is it known which rows are in sight.
  if (selected.place >= 0) bringRowIntoView();
  paintEvents();
  if (say) announce(now);
}

function bringLaneIntoView() {
  const y = selected.place < 0 ? null : spotY(selected.place);
  if (y === null) return;
  const isAbove = y < scroller.scrollTop + 20;
  if (isAbove || y > scroller.scrollTop + canvas.clientHeight - 20) scroller.scrollTop = y - canvas.clientHeight / 2;
}

/// In a page that scrolls as a whole, the lanes may be above or below the window. It scrolls as little as it must.
function bringPageIntoView() {
  const y = selected.place < 0 ? null : spotY(selected.place);
  if (y === null || fillsWindow.matches) return;
  const [now, edge] = [canvas.getBoundingClientRect().top + y, 40];
  if (now < edge) window.scrollBy(0, now - edge);
  else if (now > window.innerHeight - edge) window.scrollBy(0, now - window.innerHeight + edge);
}

/// The address names what is selected, so that it can be sent to somebody.
function remember(fragment) {
  try {
    window.history.replaceState(null, "", `#${fragment}`);
  } catch {
    // Some browsers forbid it for files; nothing is lost.
  }
}

function stepBy(by) {
  if (!shown.length) return;
  const now = selected.place < 0 ? below(shown, view.from, (place) => at[place]) - (by > 0 ? 1 : 0) : by > 0 ? upTo(shown, selected.place) - 1 : below(shown, selected.place);
  select(shown[Math.min(Math.max(now + by, 0), shown.length - 1)]);
}

/// The nearest event in time that stands higher or lower.
function stepAcross(by) {
  if (selected.place < 0) return stepBy(1);
  const y = spotY(selected.place);
  let best = null;
  const start = below(shown, selected.place);
  for (let reach = 1; reach < 4000; reach++) {
    for (const number of [start - reach, start + reach]) {
      const place = shown[number];
      if (place === undefined) continue;
      const its = spotY(place);
      if (its === null || (its - y) * by < 5) continue;
      const far = Math.abs(at[place] - at[selected.place]) / (view.to - view.from) + Math.abs(its - y) / 400;
      if (!best || far < best.far) best = { place, far };
    }
    if (best && reach > 200) break;
  }
  if (best) select(best.place);
}

const KEYS = {
  ArrowRight: () => stepBy(1),
  ArrowLeft: () => stepBy(-1),
  ArrowDown: () => stepAcross(1),
  ArrowUp: () => stepAcross(-1),
  Home: () => shown.length && select(shown[0]),
  End: () => shown.length && select(shown[shown.length - 1]),
  PageDown: () => (pan(0.8), paint()),
  PageUp: () => (pan(-0.8), paint()),
  "+": () => zoomBy(0.6),
  "=": () => zoomBy(0.6),
  "-": () => zoomBy(1 / 0.6),
  0: () => (lookAtAll(), paint()),
  b: () => breach >= 0 && (lookAtBreach(), select(breach)),
  Escape: () => select(-1),
};
const zoomBy = (by) => {
  zoom(by, selected.place >= 0 && inSight(at[selected.place], at[selected.place]) ? at[selected.place] : undefined);
  paint();
};

function onKey(event, inGrid) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  let act = KEYS[event.key];
  if (inGrid && event.key === "ArrowDown") act = () => stepBy(1);
  if (inGrid && event.key === "ArrowUp") act = () => stepBy(-1);
  if (inGrid && event.key.startsWith("Page")) act = () => stepBy((event.key === "PageDown" ? 1 : -1) * Math.max(1, Math.floor(grid.clientHeight / ROW) - 1));
  if (!inGrid && event.shiftKey && event.key === "ArrowRight") act = () => (pan(0.15), paint());
  if (!inGrid && event.shiftKey && event.key === "ArrowLeft") act = () => (pan(-0.15), paint());
  if (!act) return;
  event.preventDefault();
  pointAway();
  act();
  if (!inGrid) bringPageIntoView();
}
canvas.addEventListener("keydown", (event) => onKey(event, false));
grid.addEventListener("keydown", (event) => onKey(event, true));

/// Keys work wherever the focus is, except where a control needs them itself. A page that scrolls keeps the keys that scroll it.
const SCROLLING = new Set(["ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End"]);
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.target.closest("canvas, #events, input, select, summary, [role=tab]")) return;
  if (SCROLLING.has(event.key) && !fillsWindow.matches) return;
  onKey(event, false);
});

/// What is drawn at a spot: the nearest mark, else the topmost bar.
function under(x, y) {
  let nearest = null;
  for (const each of noted.marks) {
    const far = Math.hypot(each.x - x, each.y - y);
    if (far < 10 && (!nearest || far < nearest.far - 0.5 || (inChain.has(each.place) && far <= nearest.far + 4))) nearest = { far, mark: each };
  }
  if (nearest) return nearest.mark;
  const inside = (box) => x >= box.x - 1 && x <= box.x + box.width + 1 && y >= box.y - 1 && y <= box.y + box.height + 1;
  const boxes = noted.bars.filter(inside);
  return boxes.filter((box) => !box.under).pop() ?? boxes.pop() ?? null;
}

function describe(found) {
  if (found.mark) return [`${inMs(at[found.place])} ms · ${nodes.get(node[found.place])?.name}`, phrase(found.place)];
  const span = `${inMs(found.from)} to ${inMs(found.to)} ms`;
  const who = nodes.get(found.node)?.name;
  switch (found.what) {
    case "lease":
      return [`the store holds p${found.process} for ${found.holder}, fence ${found.fence}`, `live ${span}${found.why ? `; then ${found.why}` : ""}`];
    case "belief":
      return [`${who} may believe it holds p${found.process}, fence ${found.fence}`, `${span}; then ${found.why}`];
    case "body":
      return [`${who} runs p${found.process} under fence ${found.fence}`, span];
    case "overlap":
      return [`two bodies of p${found.process} run at once${raw.overlaps_are_lawful ? ", within the bound" : ""}`, `${span}; this one on ${who}, fence ${found.fence}${raw.overlaps_are_lawful ? `. ${BOUND}` : ""}`];
    case "step":
      return [found.words, span];
    default:
      return [`${who} is ${found.what}`, span];
  }
}

function pointAt(x, y) {
  const found = x >= view.left ? under(x, y) : null;
  selected.hoverPlace = found?.mark ? found.place : null;
  selected.hover = x < view.left ? null : found?.mark ? at[found.place] : Math.min(Math.max(usOf(x), 0), END);
  if (found && found.process >= 0) told = found.process;
  const row = [...laneOf.get(store.code).rows.values()].find((each) => y + scroller.scrollTop >= each.y && y + scroller.scrollTop < each.y + each.height);
  if (!found && row) told = row.of;
  canvas.style.cursor = found?.mark ? "pointer" : "";
  showTip(found, x, y);
  tell();
  refresh();
}

function showTip(found, x, y) {
  tip.hidden = !found;
  if (!found) return;
  const [first, second] = describe(found);
  tip.replaceChildren(element("b", "", first), element("span", "", second));
  const room = scroller.getBoundingClientRect();
  const [wide, high] = [tip.offsetWidth, tip.offsetHeight];
  tip.style.left = `${Math.max(4, Math.min(x + 14, room.width - wide - 6))}px`;
  tip.style.top = `${canvas.offsetTop - scroller.scrollTop + AXIS.height + (y + high + 26 > canvas.clientHeight ? y - high - 12 : y + 16)}px`;
}

function pointAway() {
  tip.hidden = true;
  if (selected.hover === null) return;
  selected.hover = selected.hoverPlace = null;
  tell();
  refresh();
}

viewMoved = pointAway;

const pointers = new Map();
let dragged = 0;
canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
  dragged = 0;
});
canvas.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) {
    if (event.pointerType === "mouse") pointAt(event.offsetX, event.offsetY);
    return;
  }
  const others = [...pointers].filter(([id]) => id !== event.pointerId).map(([, spot]) => spot);
  const now = { x: event.offsetX, y: event.offsetY };
  if (others.length) {
    const [was, is] = [Math.abs(before.x - others[0].x), Math.abs(now.x - others[0].x)];
    if (was > 8 && is > 8) zoom(was / is, usOf((now.x + others[0].x) / 2));
    dragged = 99;
  } else {
    dragged += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
    if (dragged > 4) {
      pan(-(now.x - before.x) / view.width);
      if (event.pointerType === "mouse") scroller.scrollTop -= now.y - before.y;
    }
  }
  pointers.set(event.pointerId, now);
  refresh();
});
const lift = (event) => {
  const was = pointers.delete(event.pointerId);
  if (!was || event.type === "pointercancel" || dragged > 4) return;
  const found = under(event.offsetX, event.offsetY);
  canvas.focus({ preventScroll: true });
  if (found?.mark) select(found.place, { move: false });
  else if (event.pointerType === "mouse") select(-1, { move: false });
  else pointAt(event.offsetX, event.offsetY);
};
canvas.addEventListener("pointerup", lift);
canvas.addEventListener("pointercancel", lift);
canvas.addEventListener("pointerleave", pointAway);

scroller.addEventListener("wheel", (event) => {
  const x = event.clientX - canvas.getBoundingClientRect().left;
  if (x < view.left || event.altKey) return;
  const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
  // A page that scrolls keeps its wheel; zooming there takes the control key.
  if (!sideways && !event.ctrlKey && !fillsWindow.matches) return;
  event.preventDefault();
  const by = (event.deltaMode === 1 ? 24 : 1) * (sideways && !event.deltaX ? event.deltaY : sideways ? event.deltaX : event.deltaY);
  if (sideways) pan(by / view.width);
  else zoom(Math.exp(Math.min(Math.max(by, -240), 240) * 0.0022), usOf(x));
  refresh();
}, { passive: false });
scroller.addEventListener("scroll", () => {
  pointAway();
  refresh();
}, { passive: true });

/// On the overview: look there.
function lookThere(event) {
  if (event.offsetY > AXIS.overview || !(event.buttons & 1)) return;
  const us = ((event.offsetX - view.left) / view.width) * END;
  const half = (view.to - view.from) / 2;
  look(us - half, us + half);
  refresh();
}
axis.addEventListener("pointerdown", lookThere);
axis.addEventListener("pointermove", lookThere);

document.getElementById("zoom-in").onclick = () => zoomBy(0.6);
document.getElementById("zoom-out").onclick = () => zoomBy(1 / 0.6);
document.getElementById("pan-left").onclick = () => (pan(-0.3), paint());
document.getElementById("pan-right").onclick = () => (pan(0.3), paint());
document.getElementById("fit-all").onclick = () => (lookAtAll(), paint());
const fitBreach = document.getElementById("fit-breach");
fitBreach.hidden = document.getElementById("key-breach").hidden = breach < 0;
fitBreach.onclick = () => (lookAtBreach(), paint());
processChoice.onchange = () => {
  told = Number(processChoice.value);
  const { rows, us } = tell();
  announce({ place: -1, us, rows });
};
for (const button of document.querySelectorAll("[data-place]")) {
  button.addEventListener("click", () => {
    select(Number(button.dataset.place));
    bringPageIntoView();
  });
}
gridRows.addEventListener("click", (event) => {
  const row = event.target.closest("[data-place]");
  if (row) select(Number(row.dataset.place));
});
grid.addEventListener("scroll", paintEvents, { passive: true });

/// Of a run without a breach: the first write under a fence that was refused, since that is what fences are for; else the
/// first grant.
function telling() {
  const first = (name) => shown.find((place) => glyphNumber[place] === GLYPH[name] && grant[place] >= 0);
  return first("refused") ?? first("granted") ?? -1;
}

/// The legend is the filter.
function paintLegend() {
  const legend = document.getElementById("legend");
  const dots = window.devicePixelRatio || 1;
  legend.replaceChildren(...GROUPS.map((group) => {
    const button = element("button", "");
    button.type = "button";
    button.dataset.group = group.id;
    button.title = group.tells;
    button.setAttribute("aria-pressed", isOn[group.id]);
    const sample = element("canvas", "");
    [sample.width, sample.height] = [22 * dots, 14 * dots];
    sample.setAttribute("aria-hidden", "true");
    const on = sample.getContext("2d");
    on.scale(dots, dots);
    paintSample(on, group.id);
    button.append(sample, group.label);
    button.onclick = () => {
      isOn[group.id] = !isOn[group.id];
      button.setAttribute("aria-pressed", isOn[group.id]);
      rebuild();
    };
    return button;
  }));
}

function paintSample(on, id) {
  const [a, b] = [ink.fences[0], ink.fences[1]];
  const box = (colour, x, y, wide, high, alpha = 1) => {
    on.globalAlpha = alpha;
    on.fillStyle = colour;
    on.beginPath();
    on.roundRect(x, y, wide, high, 2);
    on.fill();
    on.globalAlpha = 1;
  };
  switch (id) {
    case "leases":
      box(a, 0, 3, 11, 9);
      return box(b, 13, 3, 9, 9);
    case "renewals":
      box(a, 0, 3, 22, 9);
      for (const x of [6, 12, 18]) box(ink["on-fence"], x, 8, 1.5, 4);
      return;
    case "taken":
      glyph(on, "wrote", 6, 7, a);
      return glyph(on, "ended", 16, 7, a);
    case "refused":
      glyph(on, "refused", 6, 7, ink.refuse);
      return glyph(on, "failed", 16, 7, ink.fault);
    case "bodies":
      box(a, 0, 1, 13, 6);
      box(b, 6, 8, 16, 6);
      box(overlapColour(), 6, 1, 7, 6, 0.6);
      return box(overlapColour(), 6, 8, 7, 6, 0.6);
    case "beliefs":
      box(a, 0, 4, 20, 6, 0.25);
      on.strokeStyle = a;
      on.strokeRect(0.5, 4.5, 19, 5);
      return box(a, 19, 2, 2, 10);
    case "messages":
      on.strokeStyle = a;
      on.lineWidth = 1.2;
      on.beginPath();
      on.moveTo(2, 1);
      on.lineTo(10, 13);
      on.stroke();
      on.setLineDash([2, 2]);
      on.beginPath();
      on.moveTo(10, 13);
      on.lineTo(19, 1);
      return on.stroke();
    case "message-faults":
      return glyph(on, "message-fault", 11, 7, ink.fault);
    case "effects":
      glyph(on, "effect-taken", 6, 7, a);
      return glyph(on, "effect-refused", 16, 7, ink.refuse);
    case "asked":
      return glyph(on, "asked", 11, 7, ink.muted);
    case "plan":
      glyph(on, "step", 6, 7, ink.muted);
      return glyph(on, "fault", 16, 7, ink.fault);
    case "clocks":
      box(ink.accent, 0, 4, 22, 1);
      for (const x of [3, 10, 17]) box(ink.accent, x, 4, 1, 6);
      return;
    case "busy":
      return glyph(on, "busy", 11, 7, ink.faint);
    case "reads":
      return glyph(on, "read", 11, 7, ink.faint);
    default:
      return glyph(on, "evidence", 11, 7, ink.faint);
  }
}

function paintProcesses() {
  const place = document.getElementById("processes");
  const summary = document.getElementById("processes-summary");
  place.closest("details").hidden = processes.length < 2;
  const count = () => {
    summary.textContent = shownProcesses.size === processes.length ? `all ${processes.length} processes` : `${shownProcesses.size} of ${processes.length} processes`;
  };
  const choose = (name, which) => {
    const button = element("button", "plain", name);
    button.type = "button";
    button.onclick = () => {
      shownProcesses.clear();
      which.forEach((each) => shownProcesses.add(each));
      paintProcesses();
      rebuild();
    };
    return button;
  };
  const boxes = processes.map((each) => {
    const label = element("label", ofBreach.includes(each) ? "main" : "");
    const box = element("input", "");
    box.type = "checkbox";
    box.checked = shownProcesses.has(each);
    box.onchange = () => {
      if (box.checked) shownProcesses.add(each);
      else shownProcesses.delete(each);
      count();
      rebuild();
    };
    label.append(box, `p${each}`);
    return label;
  });
  place.replaceChildren(choose("all", processes), choose("none", []), ...(ofBreach.length ? [choose("the breach's", ofBreach)] : []), ...boxes);
  count();
}

for (const tab of document.querySelectorAll("[role=tab]")) {
  const open = () => {
    for (const each of document.querySelectorAll("[role=tab]")) {
      each.setAttribute("aria-selected", each === tab);
      each.tabIndex = each === tab ? 0 : -1;
      document.getElementById(each.getAttribute("aria-controls")).hidden = each !== tab;
    }
    paintEvents();
    bringRowIntoView();
  };
  tab.onclick = open;
  tab.onkeydown = (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const all = [...document.querySelectorAll("[role=tab]")];
    const next = all[(all.indexOf(tab) + by + all.length) % all.length];
    next.focus();
    next.click();
  };
}

const THEMES = ["as the system", "light", "dark"];
const theme = document.getElementById("theme");
let themeNumber = 0;
function paintTheme() {
  document.documentElement.dataset.theme = ["", "light", "dark"][themeNumber];
  theme.textContent = ["◐", "☀", "☾"][themeNumber];
  theme.setAttribute("aria-label", `Colours: ${THEMES[themeNumber]}`);
  theme.title = `colours: ${THEMES[themeNumber]}`;
  readInk();
  paintLegend();
}
theme.onclick = () => {
  themeNumber = (themeNumber + 1) % THEMES.length;
  paintTheme();
  paint();
  paintEvents();
  tell();
};
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  paintTheme();
  paint();
  paintEvents();
  tell();
});

const evidence = document.getElementById("clock-evidence");
evidence.textContent = raw.differing
  ? `${raw.differing} of ${raw.readings} clock readings in the events are not what these clocks show.`
  : `All ${inMs(raw.readings * 1000, 0)} clock readings in the events are what these clocks show.`;
evidence.className = raw.differing ? "differing" : "";

/// For tests: what is drawn and where, in pixels of the canvas.
window.fencepost = {
  layout: () => ({
    view: { from_us: view.from, to_us: view.to, left: view.left, width: view.width },
    lanes: lanes.map((lane) => ({ kind: lane.kind, name: lane.name, y: lane.y - scroller.scrollTop, height: lane.height })),
    bars: noted.bars.map((each) => ({ ...each })),
    marks: noted.marks.map((each) => ({ ...each })),
    joins: noted.joins.map((each) => ({ ...each })),
    labels: noted.labels.map((each) => ({ ...each })),
    words: noted.words.map((each) => ({ ...each })),
    badges: noted.badges.map((each) => ({ ...each })),
    ticks: noted.ticks.map((each) => ({ ...each })),
    named: named.map((each) => ({ ...each })),
  }),
  selected: () => ({ ...selected }),
  paintedMs: 0,
};

paintTheme();
paintProcesses();
rebuild();
lookAtBreach();
const asked = /select=(\d+)/.exec(window.location.hash);
if (asked) select(Number(asked[1]), { say: false });
else select([cutAt, breach, telling()].find((place) => place >= 0) ?? -1, { say: false });
bringPageIntoView();
new ResizeObserver(() => {
  fitCanvas();
  rebuild();
  keepSelectionInView();
}).observe(scroller);
new ResizeObserver(() => {
  bringRowIntoView();
  paintEvents();
}).observe(grid);
function keepSelectionInView() {
  bringLaneIntoView();
  paint();
}
narrow.addEventListener("change", rebuild);
fillsWindow.addEventListener("change", rebuild);
window.addEventListener("hashchange", () => {
  const place = /select=(\d+)/.exec(window.location.hash);
  if (place && Number(place[1]) !== selected.place) select(Number(place[1]));
});
window.fencepost.paintedMs = performance.now();
