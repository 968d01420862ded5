//! Drawing: everything in sight, on one canvas. Each bar and mark that is drawn is also noted down with its place on the
//! canvas: whoever points at something, and whoever tests the page, looks it up there.

const canvas = document.getElementById("canvas");
const axis = document.getElementById("axis");
const scroller = document.getElementById("scroller");
const pen = canvas.getContext("2d");
const axisPen = axis.getContext("2d");
const FONT = '11px ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const SMALL = FONT.replace("11px", "10px");
const AXIS = { overview: 18, height: 44 };

let ink = {};
function readInk() {
  const style = getComputedStyle(document.documentElement);
  const names = ["paper", "band", "line", "grid", "faint", "muted", "text", "accent", "breach", "refuse", "fault", "still", "on-fence"];
  ink = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  ink.fences = [0, 1, 2, 3, 4, 5, 6, 7].map((each) => style.getPropertyValue(`--fence-${each}`).trim());
}
const fenceColour = (number) => {
  const fence = fenceOf(number);
  return fence === null ? ink.muted : ink.fences[Number((BigInt(fence) + 7n) % 8n)];
};

const noted = { bars: [], marks: [], joins: [], labels: [], words: [], badges: [], ticks: [] };
/// Names that stand over the lanes, where there is no room beside them.
let named = [];
const selected = { place: -1, us: null, hover: null };

function paint() {
  const [width, tall] = [canvas.clientWidth, canvas.clientHeight];
  const dots = window.devicePixelRatio || 1;
  // A scroll bar beside the lanes is not beside the axis.
  axis.style.width = `${width}px`;
  for (const [each, high] of [[canvas, tall], [axis, AXIS.height]]) {
    const [wide, deep] = [Math.round(width * dots), Math.round(high * dots)];
    if (each.width !== wide || each.height !== deep) [each.width, each.height] = [wide, deep];
  }
  for (const each of [pen, axisPen]) each.setTransform(dots, 0, 0, dots, 0, 0);
  for (const list of Object.values(noted)) list.length = 0;
  backedWords.length = 0;
  areLinesDrawn = false;
  pen.clearRect(0, 0, width, tall);
  pen.font = FONT;
  pen.textBaseline = "middle";
  pen.lineCap = "round";
  // Without names beside the lanes, what is at the run's very beginning still needs room for its sign.
  const beside = heads.classList.contains("over") ? 0 : heads.offsetWidth;
  view.left = beside || 10;
  view.width = Math.max(1, width - view.left - 10);
  const top = scroller.scrollTop;
  pen.save();
  pen.beginPath();
  pen.rect(beside, 0, width - beside, tall);
  pen.clip();
  pen.translate(0, -top);
  paintLanes(width);
  paintGrid();
  paintStandstills();
  if (isOn.plan) paintSteps();
  if (isOn.clocks) for (const lane of lanes) if (lane.node && lane.kind !== "ledger") paintRuler(lane);
  paintLives();
  paintCalls();
  areLinesDrawn = true;
  paintBackedWords();
  if (isOn.leases) paintLeases();
  if (isOn.beliefs) paintBeliefs();
  if (isOn.bodies) paintBodies();
  paintMarks();
  paintChain();
  paintSelection();
  pen.restore();
  paintAxis(width);
}

const inSight = (from, to) => to >= view.from && from <= view.to;
const clampX = (x) => Math.min(Math.max(x, view.left - 20), view.left + view.width + 30);

function bar(what, of, grantNumber, from, to, y, high, extra = {}) {
  const [x, end] = [xOf(from), xOf(to)];
  const box = { what, process: of, grant: grantNumber, fence: fenceOf(grantNumber), from, to, x, y: y - scroller.scrollTop, width: end - x, height: high, ...extra };
  noted.bars.push(box);
  const left = clampX(x);
  return { left, wide: Math.max(clampX(end) - left, 1.5) };
}

function roundRect(x, y, wide, high, radius = 3) {
  pen.beginPath();
  pen.roundRect(x, y, wide, high, Math.min(radius, wide / 2));
}

/// Text in a box, if enough of it fits; it stays in sight while the box is.
function label(text, left, wide, y, colour, pad = 6) {
  const start = Math.max(left, view.left);
  const room = left + wide - start - pad * 2;
  if (room < 14) return;
  let fitting = text;
  if (pen.measureText(fitting).width > room) {
    fitting = text.split(" · ")[0];
    if (pen.measureText(fitting).width > room) fitting = fitting.replace("fence ", "");
    if (pen.measureText(fitting).width > room) return;
  }
  pen.fillStyle = colour;
  write(fitting, start + pad, y);
}

let areLinesDrawn = false;
/// Text that nothing should hide.
function write(text, x, y) {
  pen.fillText(text, x, y);
  noted.words.push({ text, x, y: y - scroller.scrollTop, width: pen.measureText(text).width, isOverLines: areLinesDrawn });
}

/// Words in lanes that message lines cross. They are drawn after the lines, on paper of their own.
const backedWords = [];
const backed = (text, x, y, colour, font = FONT) => backedWords.push({ text, x, y, colour, font });

function paintBackedWords() {
  for (const { text, x, y, colour, font } of backedWords.splice(0)) {
    pen.font = font;
    const wide = pen.measureText(text).width;
    pen.fillStyle = ink.paper;
    pen.globalAlpha = 0.88;
    roundRect(x - 3, y - 6.5, wide + 6, 13);
    pen.fill();
    pen.globalAlpha = 1;
    pen.fillStyle = colour;
    write(text, x, y);
  }
  pen.font = FONT;
}

function paintLanes(width) {
  lanes.forEach((lane, number) => {
    if (number % 2 === 1) {
      pen.fillStyle = ink.band;
      pen.fillRect(0, lane.y, width, lane.height);
    }
    pen.fillStyle = ink.line;
    pen.fillRect(0, lane.y + lane.height - 0.5, width, 1);
  });
  const rows = laneOf.get(store.code).rows;
  let first = true;
  for (const row of rows.values()) {
    if (!first) {
      pen.fillStyle = ink.grid;
      pen.fillRect(0, row.y - 0.5, width, 1);
    }
    first = false;
  }
}

function paintGrid() {
  const step = roundStep(view.width < 500 ? 62 : 96);
  pen.fillStyle = ink.grid;
  for (let us = Math.ceil(view.from / step) * step; us <= view.to; us += step) {
    pen.fillRect(Math.round(xOf(us)), 0, 1, height);
  }
  pen.fillStyle = ink.line;
  for (const edge of [0, END]) if (inSight(edge, edge)) pen.fillRect(xOf(edge), 0, 1, height);
}

function paintStandstills() {
  for (const still of raw.standstills) {
    const lane = laneOf.get(still.node);
    const [from, to] = [at[still.from], timeOf(still.to, END)];
    if (!lane || !inSight(from, to)) continue;
    const [left, right] = [clampX(xOf(from)), clampX(xOf(to))];
    pen.save();
    pen.beginPath();
    pen.rect(left, lane.y, right - left, lane.height);
    pen.clip();
    pen.fillStyle = ink.still;
    pen.globalAlpha = still.is_down ? 0.3 : 0.13;
    pen.fillRect(left, lane.y, right - left, lane.height);
    pen.globalAlpha = 0.4;
    pen.strokeStyle = ink.still;
    pen.lineWidth = 1;
    pen.beginPath();
    const gap = still.is_down ? 6 : 9;
    for (let x = left - lane.height - ((left - lane.height) % gap); x < right; x += gap) {
      pen.moveTo(x, lane.y + lane.height);
      pen.lineTo(x + lane.height, lane.y);
    }
    pen.stroke();
    pen.restore();
    noted.bars.push({ what: still.is_down ? "down" : "paused", process: -1, grant: -1, fence: null, node: still.node, from, to, x: xOf(from), y: lane.y - scroller.scrollTop, width: xOf(to) - xOf(from), height: lane.height, under: true });
    const text = still.is_down ? "down" : "paused";
    const start = Math.max(left + 12, view.left + 6);
    const room = pen.measureText(text).width;
    if (right - start > room + 12) {
      const y = lane.kind === "worker" ? lane.y + lane.height - (isOn.clocks ? SIZE.ruler : 0) - 9 : lane.y + 9;
      backed(text, start + 1, y, ink.muted);
    }
  }
}

/// Pins: their heads on one line, their words in as many rows as there are, where they fit; faults first.
function paintSteps() {
  const lane = lanes[0];
  const rows = Array.from({ length: Math.max(1, Math.floor((lane.height - SIZE.name - 26) / 15)) }, () => []);
  const end = view.left + view.width;
  for (const step of raw.steps) if (step.for_us !== null) paintSpan(step, lane);
  const inOrder = [...raw.steps].sort((a, b) => glyphNumber[b.place] - glyphNumber[a.place] || a.place - b.place);
  for (const step of inOrder) {
    const x = xOf(at[step.place]);
    if (x < view.left || x > end) continue;
    const isFault = glyphNumber[step.place] === GLYPH.fault;
    const wide = pen.measureText(step.action).width;
    const start = x + 7 + wide > end ? Math.max(view.left, x - 7 - wide) : x + 7;
    const row = rows.findIndex((taken) => taken.every(([from, to]) => start - 12 > to || start + wide + 12 < from));
    if (row < 0) continue;
    rows[row].push([Math.min(start, x), start + wide]);
    const y = lane.y + SIZE.name + 11 + row * 15;
    pen.strokeStyle = isFault ? ink.fault : ink.faint;
    pen.globalAlpha = 0.45;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(x, y - 6);
    pen.lineTo(x, lane.y + lane.height - 14);
    pen.stroke();
    pen.globalAlpha = 1;
    // Stems of other pins pass behind the words.
    pen.fillStyle = ink.paper;
    pen.globalAlpha = 0.8;
    pen.fillRect(start - 2, y - 7, wide + 4, 14);
    pen.globalAlpha = 1;
    pen.fillStyle = isFault ? ink.fault : ink.muted;
    write(step.action, start, y);
  }
}

/// How long a fault lasts.
function paintSpan(step, lane) {
  const [from, to] = [at[step.place], Math.min(at[step.place] + step.for_us, END)];
  if (!inSight(from, to)) return;
  const y = lane.y + lane.height - 8;
  const { left, wide } = bar("step", -1, -1, from, to, y - 2, 9, { words: step.action, place: step.place });
  pen.fillStyle = ink.fault;
  pen.globalAlpha = 0.28;
  roundRect(left, y, wide, 5, 2);
  pen.fill();
  pen.globalAlpha = 1;
}

/// A clock's own readings, at true time; where it is not true, in words too.
function paintRuler(lane) {
  const y = rulerY(lane);
  const isTrue = isTrueClock(lane.node.code);
  const step = roundStep(view.width < 500 ? 62 : 96);
  const colour = isTrue ? ink.faint : ink.accent;
  pen.fillStyle = colour;
  pen.globalAlpha = isTrue ? 0.5 : 0.8;
  pen.fillRect(view.left, y + 3, view.width, 1);
  pen.font = SMALL;
  const stretches = lane.node.clock;
  stretches.forEach((stretch, number) => {
    const from = Math.max(stretch.from_us, view.from, 0);
    const to = Math.min(stretches[number + 1]?.from_us ?? END, view.to, END);
    if (from >= to) return;
    const rate = 1 + stretch.drift_ppm / 1e6;
    const base = stretch.wall_us - raw.epoch_ms * 1000;
    const read = (us) => base + (us - stretch.since_us) * rate;
    for (let shows = Math.ceil(read(from) / step) * step; shows <= read(to); shows += step) {
      const x = xOf(stretch.since_us + (shows - base) / rate);
      pen.fillRect(x - 0.5, y + 3, 1, 5);
      if (!isTrue) {
        const text = inMs(shows, step < 1000 ? 3 : 0);
        if (x + pen.measureText(text).width + 8 < view.left + view.width) backed(text, x + 3, y + 11, colour, SMALL);
      }
    }
    if (number > 0 && inSight(stretch.from_us, stretch.from_us)) {
      const x = xOf(stretch.from_us);
      pen.fillRect(x - 1, y - 2, 2, 12);
    }
  });
  pen.globalAlpha = 1;
  pen.font = FONT;
}

function paintLives() {
  for (const life of raw.lives) {
    const row = rowOf(life.process);
    const [from, to] = [at[life.from], timeOf(life.ended, timeOf(life.to, END))];
    if (!row || !inSight(from, to)) continue;
    pen.fillStyle = ink.line;
    const left = clampX(xOf(from));
    pen.fillRect(left, writesY(row) - 0.5, clampX(xOf(to)) - left, 1);
  }
}

function paintLeases() {
  for (const lease of raw.leases) {
    const row = rowOf(lease.process);
    const end = timeOf(lease.to, END);
    if (!row || !inSight(at[lease.from], end)) continue;
    const y = leaseY(row);
    const colour = fenceColour(lease.grant);
    const lastLive = lease.live_us.length ? lease.live_us[lease.live_us.length - 1][1] : at[lease.from];
    if (end > lastLive && inSight(lastLive, end)) {
      // Run out, and still stored.
      pen.strokeStyle = colour;
      pen.setLineDash([2, 4]);
      pen.lineWidth = 1.5;
      pen.beginPath();
      pen.moveTo(clampX(xOf(lastLive)), y + SIZE.lease / 2);
      pen.lineTo(clampX(xOf(end)), y + SIZE.lease / 2);
      pen.stroke();
      pen.setLineDash([]);
    }
    lease.live_us.forEach(([from, to], part) => {
      if (!inSight(from, to)) return;
      const { left, wide } = bar("lease", lease.process, lease.grant, from, to, y, SIZE.lease, { holder: holderOf(lease.grant), stored: [lease.from, lease.to], why: lease.why });
      pen.fillStyle = colour;
      roundRect(left, y, wide, SIZE.lease);
      pen.fill();
      if (isOn.renewals) paintRenewals(lease, from, to, y);
      label(`fence ${fenceOf(lease.grant)} · ${holderOf(lease.grant)}${part ? " · again" : ""}`, left, wide, y + SIZE.lease / 2 + 0.5, ink["on-fence"], 12);
    });
  }
}

function paintRenewals(lease, from, to, y) {
  pen.fillStyle = ink["on-fence"];
  let last = -9;
  const first = Math.max(1, below(lease.extensions, Math.max(from, view.from), (each) => at[each[0]]));
  for (let number = first; number < lease.extensions.length; number++) {
    const us = at[lease.extensions[number][0]];
    if (us > to || us > view.to) break;
    const x = xOf(us);
    if (x - last < 3) continue;
    last = x;
    pen.globalAlpha = 0.75;
    pen.fillRect(x - 0.75, y + SIZE.lease - 5, 1.5, 5);
  }
  pen.globalAlpha = 1;
}

function paintBeliefs() {
  for (const belief of raw.beliefs) {
    if (!shownProcesses.has(belief.process) || !laneOf.has(belief.node)) continue;
    const colour = fenceColour(belief.grant);
    const y = beliefY(belief.node, belief.grant);
    belief.lasted_us.forEach(([from, to], part) => {
      if (!inSight(from, to)) return;
      const isTold = belief.to !== null && to === at[belief.to] && part === belief.lasted_us.length - 1;
      const why = isTold ? belief.why : "its time was over by the worker's own clock";
      const { left, wide } = bar("belief", belief.process, belief.grant, from, to, y, 7, { node: belief.node, why });
      pen.fillStyle = colour;
      pen.globalAlpha = 0.2;
      roundRect(left, y, wide, 7, 2);
      pen.fill();
      pen.globalAlpha = 1;
      pen.strokeStyle = colour;
      pen.lineWidth = 1;
      pen.stroke();
      if (to < END) pen.fillRect(xOf(to) - 1, y - 2, 2, 11);
    });
  }
}

function paintBodies() {
  const drawn = [];
  for (const body of raw.bodies) {
    if (!shownProcesses.has(body.process) || !laneOf.has(body.node)) continue;
    const [from, to] = [at[body.from], timeOf(body.to, END)];
    if (!inSight(from, to)) continue;
    const y = slotY(body.node, body.grant);
    const { left, wide } = bar("body", body.process, body.grant, from, to, y, SIZE.body, { node: body.node });
    pen.fillStyle = fenceColour(body.grant);
    roundRect(left, y, wide, SIZE.body);
    pen.fill();
    drawn.push({ text: `p${body.process} runs · fence ${fenceOf(body.grant)}`, left, wide, y });
  }
  for (const [of, overlaps] of overlapsOf) paintOverlaps(rowOf(of), overlaps.filter((each) => inSight(each.from_us, each.to_us)));
  paintBackedWords();
  for (const { text, left, wide, y } of drawn) label(text, left, wide, y + SIZE.body / 2 + 0.5, ink["on-fence"], 11);
}

const overlapColour = () => (raw.overlaps_are_lawful ? ink.muted : ink.breach);

/// Two bodies at once: striped where they run, and side by side in their process's row. Red is for what no law allows.
function paintOverlaps(row, overlaps) {
  if (!row) return;
  const colour = overlapColour();
  for (const overlap of overlaps) paintOverlap(row, overlap, colour);
  nameOverlaps(row, overlaps, colour);
}

function paintOverlap(row, overlap, colour) {
  overlap.bodies.forEach((number, which) => {
    const body = raw.bodies[number];
    const extra = { node: body.node };
    const y = slotY(body.node, body.grant);
    const { left, wide } = bar("overlap", body.process, body.grant, overlap.from_us, overlap.to_us, y, SIZE.body, extra);
    pen.save();
    roundRect(left, y, wide, SIZE.body, 2);
    pen.clip();
    pen.strokeStyle = colour;
    pen.lineWidth = 2;
    pen.globalAlpha = 0.7;
    pen.beginPath();
    const bottom = y + SIZE.body;
    for (let x = left - SIZE.body; x < left + wide; x += 7) {
      pen.moveTo(x, bottom);
      pen.lineTo(x + 4, bottom - 4);
    }
    pen.stroke();
    pen.restore();
    pen.strokeStyle = colour;
    pen.lineWidth = 2;
    roundRect(left, y, wide, SIZE.body, 2);
    pen.stroke();
    const side = bar("overlap", body.process, body.grant, overlap.from_us, overlap.to_us, twinY(row, which), 7, extra);
    pen.fillStyle = colour;
    roundRect(side.left, twinY(row, which), side.wide, 6, 2);
    pen.fill();
  });
}

/// After or before its bars; where neither is free, pointing at them still tells.
function nameOverlaps(row, overlaps, colour) {
  const text = raw.overlaps_are_lawful ? "two bodies, within the bound" : "two bodies at once";
  const wide = pen.measureText(text).width;
  const bars = overlaps.map((each) => [clampX(xOf(each.from_us)), clampX(xOf(each.to_us))]);
  const taken = [...bars];
  const isFree = (x) => x > view.left && x + wide < view.left + view.width && taken.every(([from, to]) => x >= to + 5 || x + wide <= from - 5);
  for (const [from, to] of bars) {
    const x = [to + 6, from - 6 - wide].find(isFree);
    if (x === undefined) continue;
    taken.push([x, x + wide]);
    backed(text, x, twinY(row, 1), colour);
    noted.labels.push({ text, process: row.of, x, y: twinY(row, 1) - scroller.scrollTop, width: wide });
  }
}

/// Lines of one look are one path: a thousand paths take ten times as long to draw as one of a thousand lines.
class Lines {
  #paths = new Map();
  add(colour, width, alpha, isDashed, x, y, toX, toY) {
    const key = `${colour} ${width} ${alpha} ${isDashed}`;
    if (!this.#paths.has(key)) this.#paths.set(key, { colour, width, alpha, isDashed, path: new Path2D() });
    const { path } = this.#paths.get(key);
    path.moveTo(x, y);
    path.lineTo(toX, toY);
  }
  draw() {
    for (const { colour, width, alpha, isDashed, path } of this.#paths.values()) {
      [pen.strokeStyle, pen.lineWidth, pen.globalAlpha] = [colour, width, alpha];
      pen.setLineDash(isDashed ? [3, 3] : []);
      pen.stroke(path);
    }
    pen.setLineDash([]);
    pen.globalAlpha = 1;
  }
}

/// Beyond so many calls in sight, their answers are left out, and so are calls a few pixels from the last one.
const DENSE = 1500;

function paintCalls() {
  const seen = [];
  for (const call of raw.calls) {
    const [sent, decided, heard] = call;
    const [start, end] = [sent >= 0 ? sent : decided, heard >= 0 ? heard : Math.max(decided, sent)];
    if (!inSight(at[start], at[end])) continue;
    const isLinked = inChain.has(sent) || inChain.has(decided);
    const group = GROUPS[groupOf[glyphNumber[decided >= 0 ? decided : start]]].id;
    const everyday = group === "busy" || group === "reads" ? group : "messages";
    if (isLinked || (isOn[everyday] && (process[start] < 0 || shownProcesses.has(process[start])))) seen.push({ call, start, isLinked });
  }
  const isDense = seen.length > DENSE;
  const apart = isDense ? 4 : 1;
  const last = new Map();
  const lines = new Lines();
  for (const { call: [, decided, heard], start, isLinked } of seen) {
    const x = xOf(at[start]);
    const key = node[start] * 65536 + process[start];
    const place = Math.round(x / apart);
    if (!isLinked && last.get(key) === place) continue;
    last.set(key, place);
    const [y, storeY] = [senderY(node[start], grantNear(start)), decided >= 0 ? spotY(decided) : null];
    if (y === null) continue;
    const isRefused = decided >= 0 && (glyphNumber[decided] === GLYPH.refused || glyphNumber[decided] === GLYPH.failed);
    const isWrite = decided >= 0 && (glyphNumber[decided] === GLYPH.wrote || glyphNumber[decided] === GLYPH.ended);
    const isTold = isWrite || isRefused;
    const colour = isRefused ? ink.refuse : decided >= 0 && grant[decided] >= 0 ? fenceColour(grant[decided]) : ink.faint;
    const width = isLinked ? 1.8 : isTold ? 1.2 : 0.9;
    const alpha = isLinked ? 1 : (isTold ? 0.8 : 0.45) * (isDense ? 0.5 : 1);
    if (storeY !== null) {
      lines.add(colour, width, alpha, isRefused && !isDense, x, y, xOf(at[decided]), storeY);
      if (heard >= 0 && (!isDense || isLinked)) lines.add(colour, width, alpha * 0.6, true, xOf(at[decided]), storeY, xOf(at[heard]), y);
    } else if (decided < 0 && !isDense) {
      // On its way to nowhere.
      lines.add(ink.fault, width, alpha, true, x, y, x + 5, y + 15);
      lines.add(ink.fault, 1.2, alpha, false, x + 2, y + 15, x + 8, y + 21);
      lines.add(ink.fault, 1.2, alpha, false, x + 8, y + 15, x + 2, y + 21);
    }
  }
  lines.draw();
}

function cross(x, y, size, on = pen) {
  on.beginPath();
  on.moveTo(x - size, y - size);
  on.lineTo(x + size, y + size);
  on.moveTo(x + size, y - size);
  on.lineTo(x - size, y + size);
  on.stroke();
}

/// Marks are told apart by their shape; colour comes on top.
function glyph(on, name, x, y, colour, size = 4) {
  on.lineWidth = 1.5;
  on.fillStyle = on.strokeStyle = colour;
  on.beginPath();
  switch (name) {
    case "wrote":
      on.arc(x, y, size * 0.85, 0, 7);
      return on.fill();
    case "ended":
      on.rect(x - size * 0.9, y - size * 0.9, size * 1.8, size * 1.8);
      return on.fill();
    case "refused":
      on.arc(x, y, size * 1.15, 0, 7);
      on.fillStyle = ink.paper;
      on.fill();
      on.strokeStyle = ink.refuse;
      on.stroke();
      return cross(x, y, size * 0.5, on);
    case "failed":
      on.moveTo(x, y - size * 1.2);
      on.lineTo(x + size * 1.2, y);
      on.lineTo(x, y + size * 1.2);
      on.lineTo(x - size * 1.2, y);
      on.closePath();
      on.fillStyle = ink.paper;
      on.fill();
      return on.stroke();
    case "granted":
      on.rect(x - 1.25, y - SIZE.lease / 2 - 3, 2.5, SIZE.lease + 6);
      return on.fill();
    case "renewed":
      return;
    case "released":
      on.moveTo(x - size, y - size);
      on.lineTo(x, y - size);
      on.lineTo(x, y + size);
      on.lineTo(x - size, y + size);
      return on.stroke();
    case "step":
    case "fault":
      on.arc(x, y, size * 0.95, 0, 7);
      on.fillStyle = name === "fault" ? colour : ink.paper;
      on.fill();
      return on.stroke();
    case "asked":
    case "waited":
      on.moveTo(x - size, y - size * 0.7);
      on.lineTo(x + size, y - size * 0.7);
      on.lineTo(x, y + size * 0.9);
      on.closePath();
      on.fillStyle = ink.paper;
      on.fill();
      return on.stroke();
    case "effect-taken":
    case "effect-refused":
      on.moveTo(x - size, y + size * 0.8);
      on.lineTo(x + size, y + size * 0.8);
      on.lineTo(x, y - size);
      on.closePath();
      if (name === "effect-taken") return on.fill();
      on.fillStyle = ink.paper;
      on.fill();
      on.strokeStyle = ink.refuse;
      on.stroke();
      return cross(x, y + size * 0.2, size * 0.35, on);
    case "message-fault":
      return cross(x, y, size * 0.7, on);
    case "node":
    case "run":
      on.rect(x - 1, y - size * 1.3, 2, size * 2.6);
      return on.fill();
    case "busy":
      on.rect(x - size, y - 1, size * 2, 2);
      return on.fill();
    case "evidence":
      on.rect(x - 2, y - 2, 4, 4);
      return on.stroke();
    default:
      on.arc(x, y, 1.6, 0, 7);
      return on.fill();
  }
}

function glyphColour(place) {
  const name = raw.glyphs[glyphNumber[place]];
  if (name === "fault" || name === "failed" || name === "message-fault" || name === "node") return ink.fault;
  if (name === "step" || name === "asked" || name === "waited" || name === "run") return ink.muted;
  if (name === "read" || name === "evidence" || name === "busy") return ink.faint;
  if (name === "refused" || name === "effect-refused") return ink.refuse;
  return grant[place] >= 0 ? fenceColour(grant[place]) : ink.muted;
}

function paintMarks() {
  const margin = (8 / view.width) * (view.to - view.from);
  let number = below(shown, view.from - margin, (place) => at[place]);
  const drawn = new Set();
  const [linked, pins] = [[], []];
  const until = upTo(shown, view.to + margin, (place) => at[place]);
  const apart = until - number > 4000 ? 2.5 : 0.5;
  for (; number < shown.length; number++) {
    const place = shown[number];
    if (at[place] > view.to + margin) break;
    const y = spotY(place);
    if (y === null) continue;
    const x = xOf(at[place]);
    // One of many that fall on the same spot is enough, unless it matters.
    const key = (Math.round(x / apart) * 65536 + Math.round(y)) * 32 + glyphNumber[place];
    if (drawn.has(key) && !inChain.has(place) && place !== selected.place) continue;
    drawn.add(key);
    if (PINS.has(glyphNumber[place])) {
      pins.push({ place, x, y });
      continue;
    }
    noted.marks.push({ place, mark: raw.glyphs[glyphNumber[place]], x, y: y - scroller.scrollTop });
    if (inChain.has(place)) linked.push([place, x, y]);
    else glyph(pen, raw.glyphs[glyphNumber[place]], x, y, glyphColour(place));
  }
  paintPins(pins);
  // On top of what was decided in the same moment.
  for (const [place, x, y] of linked) glyph(pen, raw.glyphs[glyphNumber[place]], x, y, glyphColour(place), 5);
}

const PINS = new Set([GLYPH.step, GLYPH.fault]);
const PIN = { apart: 10, farthest: 30 };
/// Where those stand that had to make room.
let pinned = new Map();
const markX = (place) => pinned.get(place) ?? xOf(at[place]);

/// Pins of one moment stand side by side, faults first; where there are too many, faults are on top.
function paintPins(pins) {
  pinned = new Map();
  pins.sort((a, b) => a.x - b.x || glyphNumber[b.place] - glyphNumber[a.place]);
  let free = -Infinity;
  for (const pin of pins) {
    const x = Math.min(Math.max(pin.x, free), pin.x + PIN.farthest);
    pinned.set(pin.place, x);
    free = x + PIN.apart;
  }
  pins.sort((a, b) => glyphNumber[a.place] - glyphNumber[b.place]);
  for (const { place, y } of pins) {
    const [name, x] = [raw.glyphs[glyphNumber[place]], pinned.get(place)];
    noted.marks.push({ place, mark: name, x, y: y - scroller.scrollTop });
    glyph(pen, name, x, y, glyphColour(place), inChain.has(place) ? 5 : 4);
  }
}

/// The breach, joined to what it breaks: numbered as in the list at the top.
function paintChain() {
  if (!chain.length) return;
  const spots = chain.map((link) => ({ ...link, x: markX(link.place), y: spotY(link.place) })).filter((spot) => spot.y !== null);
  if (!spots.length) return;
  const end = spots[spots.length - 1];
  pen.strokeStyle = ink.breach;
  pen.lineWidth = 1;
  pen.globalAlpha = 0.45;
  pen.setLineDash([2, 3]);
  pen.beginPath();
  pen.moveTo(end.x, 0);
  pen.lineTo(end.x, height);
  pen.stroke();
  pen.setLineDash([]);
  pen.globalAlpha = 1;
  const keys = spots.filter((spot) => spot.isKey);
  pen.lineWidth = 2.2;
  for (let number = 1; number < keys.length; number++) {
    const [a, b] = [keys[number - 1], keys[number]];
    const bow = Math.min(46, 14 + Math.abs(b.x - a.x) * 0.12);
    // A curve reaches three quarters of the way to its handles. Below the last lane there is no room for it.
    const isBelow = Math.max(a.y, b.y) + bow * 0.75 + 3 < height;
    const handleY = isBelow ? Math.max(a.y, b.y) + bow : Math.min(a.y, b.y) - bow;
    pen.beginPath();
    pen.moveTo(a.x, a.y);
    pen.bezierCurveTo(a.x + (b.x - a.x) * 0.25, handleY, a.x + (b.x - a.x) * 0.75, handleY, b.x, b.y);
    pen.stroke();
    const farthest = isBelow ? Math.max(a.y, b.y) + bow * 0.75 : Math.min(a.y, b.y) - bow * 0.75;
    noted.joins.push({ from: a.place, to: b.place, x: a.x, y: a.y - scroller.scrollTop, toX: b.x, toY: b.y - scroller.scrollTop, farthestY: farthest - scroller.scrollTop });
  }
  spots.forEach((spot) => {
    pen.strokeStyle = ink.breach;
    pen.lineWidth = 2;
    pen.beginPath();
    pen.arc(spot.x, spot.y, spot.place === breach ? 8.5 : 6.5, 0, 7);
    pen.stroke();
  });
  for (const spot of spots) {
    const [x, y] = besides(spot);
    noted.badges.push({ place: spot.place, x, y: y - scroller.scrollTop });
    pen.beginPath();
    pen.arc(x, y, 8, 0, 7);
    pen.fillStyle = spot.isKey ? ink.breach : ink.paper;
    pen.fill();
    pen.lineWidth = 1.5;
    pen.stroke();
    pen.fillStyle = spot.isKey ? ink.paper : ink.breach;
    pen.textAlign = "center";
    pen.font = `bold ${FONT}`;
    pen.fillText(String(chain.findIndex((link) => link.place === spot.place) + 1), x, y + 0.5);
    pen.font = FONT;
    pen.textAlign = "left";
  }
}

/// Where a badge hides no sign: no mark that was drawn, no other badge, no word if that can be, and is not hidden by a
/// lane's name.
function besides({ x, y }) {
  const top = scroller.scrollTop;
  const isCovered = (left, high) =>
    noted.badges.some((other) => Math.hypot(other.x - left, other.y + top - high) < 18) ||
    noted.marks.some((each) => SIGNS.has(each.mark) && Math.hypot(each.x - left, each.y + top - high) < 14.5) ||
    named.some((head) => left - 9 < head.right && high + 9 > head.top && high - 9 < head.bottom) ||
    left < view.left + 9 || left > view.left + view.width;
  const hidesWord = (left, high) =>
    noted.words.some((word) => Math.abs(word.y + top - high) < 15 && left + 10 > word.x && left - 10 < word.x + word.width);
  const spots = [21, 28, 38, 50].flatMap((reach) => AROUND.map(([across, down]) => [x + across * reach, y + down * reach]));
  const free = spots.filter(([left, high]) => !isCovered(left, high));
  return free.find(([left, high]) => !hidesWord(left, high)) ?? free[0] ?? [x, y - 21];
}
const AROUND = [[0, -1], [0.8, -0.6], [-0.8, -0.6], [1, 0], [-1, 0], [0.8, 0.6], [-0.8, 0.6], [0, 1]];
/// What tells whether something was taken or refused.
const SIGNS = new Set(["wrote", "ended", "refused", "failed", "effect-taken", "effect-refused"]);

function paintSelection() {
  const us = selected.hover ?? (selected.place >= 0 ? at[selected.place] : null);
  if (us !== null && inSight(us, us)) {
    pen.fillStyle = ink.accent;
    pen.globalAlpha = selected.hover === null ? 0.9 : 0.55;
    pen.fillRect(xOf(us) - 0.5, 0, 1, height);
    pen.globalAlpha = 1;
  }
  if (selected.place < 0) return;
  const y = spotY(selected.place);
  if (y === null) return;
  pen.strokeStyle = ink.accent;
  pen.lineWidth = 2;
  pen.beginPath();
  pen.arc(markX(selected.place), y, 11, 0, 7);
  pen.stroke();
}

/// True time, and above it the whole run with the part that is in sight.
function paintAxis(width) {
  const on = axisPen;
  on.clearRect(0, 0, width, AXIS.height);
  on.font = FONT;
  on.textBaseline = "middle";
  const whole = (us) => view.left + (Math.min(Math.max(us, 0), END) / END) * view.width;
  on.fillStyle = ink.band;
  on.fillRect(view.left, 2, view.width, AXIS.overview - 4);
  paintDensity(on);
  const [left, right] = [whole(view.from), whole(view.to)];
  on.fillStyle = ink.accent;
  on.globalAlpha = 0.16;
  on.fillRect(left, 2, right - left, AXIS.overview - 4);
  on.globalAlpha = 1;
  on.strokeStyle = ink.accent;
  on.lineWidth = 1;
  on.strokeRect(left + 0.5, 2.5, Math.max(right - left - 1, 2), AXIS.overview - 5);
  if (breach >= 0) {
    on.fillStyle = ink.breach;
    on.fillRect(whole(at[breach]) - 1, 0, 2, AXIS.overview);
  }
  const step = roundStep(view.width < 500 ? 62 : 96);
  const digits = step < 100 ? 3 : step < 1000 ? 1 : 0;
  const flagged = selected.hover ?? (breach >= 0 ? at[breach] : null);
  let covered = [Infinity, -Infinity];
  if (flagged !== null && inSight(flagged, flagged)) covered = flag(on, flagged, selected.hover === null ? ink.breach : ink.accent, width);
  let last = -99;
  for (let us = Math.ceil(view.from / step) * step; us <= view.to; us += step) {
    const x = xOf(us);
    on.fillStyle = ink.faint;
    on.fillRect(Math.round(x), AXIS.height - 6, 1, 6);
    const text = inMs(us, digits);
    const wide = on.measureText(text).width;
    const start = Math.max(x - wide / 2, view.left + 2);
    const isCovered = start < covered[1] + 6 && start + wide > covered[0] - 6;
    if (us < 0 || start < last || x + wide / 2 > width || isCovered) continue;
    on.fillStyle = ink.muted;
    on.fillText(text, start, AXIS.overview + 11);
    noted.ticks.push({ text, x: start, width: wide });
    last = start + wide + 14;
  }
}

function flag(on, us, colour, width) {
  const text = inMs(us, 1);
  const wide = on.measureText(text).width + 12;
  const x = Math.min(Math.max(xOf(us) - wide / 2, view.left), width - wide);
  on.fillStyle = colour;
  on.beginPath();
  on.roundRect(x, AXIS.overview + 2, wide, 17, 3);
  on.fill();
  on.fillStyle = ink.paper;
  on.fillText(text, x + 6, AXIS.overview + 11);
  return [x, x + wide];
}

/// How many shown events there are in each part of the run; counted once for a width and a filter.
let density = { key: null, counts: [], most: 1 };
function paintDensity(on) {
  const places = Math.max(1, Math.floor(view.width / 2));
  if (density.key !== shown || density.counts.length !== places) {
    const counts = new Uint32Array(places);
    for (const place of shown) counts[Math.min(places - 1, Math.floor((at[place] / END) * places))]++;
    density = { key: shown, counts, most: counts.reduce((a, b) => Math.max(a, b), 1) };
  }
  on.fillStyle = ink.faint;
  const deep = AXIS.overview - 6;
  density.counts.forEach((count, place) => {
    if (!count) return;
    const high = Math.max(1.5, Math.sqrt(count / density.most) * deep);
    on.fillRect(view.left + place * 2, AXIS.overview - 3 - high, 1.5, high);
  });
}
