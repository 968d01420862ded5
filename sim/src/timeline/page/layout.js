//! Where things stand from top to bottom: the plan, hosts, workers, the store with a row for each process, the ledger. From
//! left to right is time, which is `view.js`'s.

/// In pixels. Where there is room to spare, `spread` opens it out, and where a little is missing, it draws the lanes together;
/// where names stand over the lanes, it makes place for them.
const LEAST = { plan: 58, host: 26, slot: 34, pad: 7, name: 0, ruler: 17, head: 20, row: 44, twin: 20, ledger: 30, body: 13, lease: 15 };
const SIZE = { ...LEAST };
const [LEAST_SPREAD, MOST_SPREAD] = [0.72, 1.75];

function spread(room, isNarrow) {
  Object.assign(SIZE, LEAST, isNarrow ? { name: 16, head: 10, host: 35, plan: 71 } : {});
  arrange();
  if (!room) return;
  const by = Math.min(MOST_SPREAD, room / height);
  if (by >= 1 && by <= 1.02) return;
  if (by < LEAST_SPREAD) return;
  // Bars keep the height of the words in them.
  const names = by > 1 ? ["plan", "host", "slot", "row", "ledger", "body", "lease", "pad"] : ["plan", "host", "slot", "row", "ledger", "pad", "head"];
  for (const name of names) SIZE[name] = Math.max(NARROWEST[name] ?? 0, Math.floor(LEAST[name] * by));
  arrange();
}
const NARROWEST = { plan: 46, host: 19, slot: 29, row: 38, ledger: 24, pad: 2, head: 8 };

let lanes = [];
let laneOf = new Map();
let height = 0;

/// Bodies and beliefs of one grant on one worker stand in one slot; those at the same time in slots of their own.
let slots = new Map();
const slotKey = (code, number) => `${code} ${number}`;

function arrange() {
  slots = new Map();
  lanes = [];
  laneOf = new Map();
  height = 4;
  const add = (lane) => {
    lane.y = height;
    height += lane.height;
    lanes.push(lane);
    if (lane.node) laneOf.set(lane.node.code, lane);
    return lane;
  };
  const ruler = isOn.clocks ? SIZE.ruler : 0;
  add({ kind: "plan", name: "plan", height: isOn.plan ? SIZE.plan : 22 });
  for (const each of hosts) add({ kind: "host", name: each.name, node: each, height: SIZE.host + ruler });
  for (const each of workers) {
    const count = Math.max(1, fillSlots(each.code));
    add({ kind: "worker", name: each.name, node: each, height: SIZE.name + SIZE.pad * 2 + count * SIZE.slot + ruler });
  }
  const rows = processesInOrder().map((of) => ({ of, twins: overlapsOf.has(of) && isOn.bodies }));
  const storeLane = add({ kind: "store", name: store.name, node: store, height: 0 });
  storeLane.rows = new Map();
  height += SIZE.head;
  for (const row of rows) {
    storeLane.rows.set(row.of, Object.assign(row, { y: height, height: SIZE.name + SIZE.row + (row.twins ? SIZE.twin : 0) }));
    height += row.height;
  }
  height += ruler + 6;
  storeLane.height = height - storeLane.y;
  if (raw.outside.length) add({ kind: "ledger", name: ledger.name, node: ledger, height: SIZE.name + SIZE.ledger });
  height += 6;
}

function fillSlots(code) {
  const spans = new Map();
  const widen = (each, from, to) => {
    if (!shownProcesses.has(each.process)) return;
    const known = spans.get(each.grant);
    if (known) Object.assign(known, { from: Math.min(known.from, from), to: Math.max(known.to, to) });
    else spans.set(each.grant, { grant: each.grant, from, to });
  };
  for (const body of raw.bodies) if (body.node === code) widen(body, at[body.from], timeOf(body.to, END));
  for (const belief of raw.beliefs) if (belief.node === code) widen(belief, at[belief.from], beliefEnd(belief));
  const free = [];
  for (const span of [...spans.values()].sort((a, b) => a.from - b.from)) {
    let slot = free.findIndex((until) => until <= span.from);
    if (slot < 0) slot = free.push(0) - 1;
    free[slot] = span.to;
    slots.set(slotKey(code, span.grant), slot);
  }
  return free.length;
}

const beliefEnd = (belief) => belief.lasted_us[belief.lasted_us.length - 1]?.[1] ?? at[belief.from];

const slotY = (code, number) => {
  const lane = laneOf.get(code);
  return lane.y + SIZE.name + SIZE.pad + (slots.get(slotKey(code, number)) ?? 0) * SIZE.slot;
};
const rowOf = (of) => laneOf.get(store.code).rows.get(of);
const leaseY = (row) => row.y + SIZE.name + 8;
const writesY = (row) => leaseY(row) + SIZE.lease + 12;
const twinY = (row, which) => writesY(row) + 9 + which * 8;
const beliefY = (code, number) => slotY(code, number) + SIZE.body + 4;
const hostY = (lane) => lane.y + SIZE.name + (lane.height - SIZE.name - (isOn.clocks ? SIZE.ruler : 0)) / 2;
const rulerY = (lane) => lane.y + lane.height - SIZE.ruler;

/// Where a worker's or host's end of a call is.
function senderY(code, number) {
  const lane = laneOf.get(code);
  if (!lane) return null;
  if (lane.kind !== "worker") return hostY(lane);
  return beliefY(code, number) + 12;
}

const AT_SENDER = new Set(["sent", "heard", "message-fault", "body-began", "body-ended", "effect-sent", "node", "waited"].map((name) => GLYPH[name]));
const ON_BAR = new Set([GLYPH.granted, GLYPH.renewed]);

/// The height at which an event is drawn, or null if it has no place.
function spotY(place) {
  const [kind, code, of] = [glyphNumber[place], node[place], process[place]];
  if (kind === GLYPH.step || kind === GLYPH.fault || kind === GLYPH.run) return lanes[0].y + lanes[0].height - 12;
  if (code === ledger.code) return laneOf.has(code) ? laneOf.get(code).y + SIZE.name + SIZE.ledger / 2 : null;
  const lane = laneOf.get(code);
  if (!lane) return null;
  const isSenders = AT_SENDER.has(kind) || isHeardOrSent.has(place);
  if (kind === GLYPH["body-began"] || kind === GLYPH["body-ended"]) return slotY(code, grant[place]) + SIZE.body / 2;
  if (isSenders || lane.kind === "store") {
    if (kind === GLYPH.node) return lane.kind === "worker" ? lane.y + SIZE.name + SIZE.pad + SIZE.body / 2 : lane.kind === "store" ? lane.y + 4 : hostY(lane);
    return lane.kind === "store" ? lane.y + 4 : senderY(code, grantNear(place));
  }
  const row = of < 0 ? null : rowOf(of);
  if (!row) return of < 0 ? laneOf.get(store.code).y + 4 : null;
  return ON_BAR.has(kind) ? leaseY(row) + SIZE.lease / 2 : writesY(row);
}

/// Events at a caller's end of a call, whatever mark they make.
const isHeardOrSent = new Set();
const callOf = new Map();
raw.calls.forEach(([sent, decided, heard], number) => {
  for (const place of [sent, heard]) if (place >= 0) isHeardOrSent.add(place);
  for (const place of [sent, decided, heard]) if (place >= 0) callOf.set(place, number);
});

/// The grant whose slot an event at a worker stands in: its own, or the one the worker then had of the process.
function grantNear(place) {
  if (grant[place] >= 0) return grant[place];
  const beliefs = beliefsOf.get(`${node[place]} ${process[place]}`);
  if (!beliefs) return -1;
  const before = lastBegun(beliefs, place + 1);
  if (before && (before.to === null || before.to >= place)) return before.grant;
  const call = raw.calls[callOf.get(place)];
  const decided = call && call[1] >= 0 ? grant[call[1]] : -1;
  return decided >= 0 && slots.has(slotKey(node[place], decided)) ? decided : before?.grant ?? -1;
}
