//! The history, unpacked from its columns, and what stood at each place of it. `n` always means "after the first n events",
//! so that the state just before event i is n = i, and just after it n = i + 1.

const raw = JSON.parse(document.getElementById("history").textContent);
const COUNT = raw.after_us.length;
const at = new Float64Array(COUNT);
for (let i = 0, us = 0; i < COUNT; i++) at[i] = us += raw.after_us[i];
const END = Math.max(COUNT ? at[COUNT - 1] : 0, 1000);
const glyphNumber = Uint8Array.from(raw.glyph);
const node = Uint8Array.from(raw.node);
const process = Int32Array.from(raw.process);
const grant = Int32Array.from(raw.grant);
const phraseNumber = Uint32Array.from(raw.phrase);
const GLYPH = Object.fromEntries(raw.glyphs.map((name, number) => [name, number]));
const NO_GRANT = 4294967295;

const nodes = new Map(raw.nodes.map((each) => [each.code, each]));
const store = raw.nodes.find((each) => each.role === "store");
const ledger = raw.nodes.find((each) => each.role === "ledger");
const workers = raw.nodes.filter((each) => each.role === "worker");
const hosts = raw.nodes.filter((each) => each.role === "host");
const chain = raw.chain.map(([place, role, isKey]) => ({ place, role, isKey }));
const breach = chain.length ? chain[chain.length - 1].place : -1;
const inChain = new Set(chain.map((link) => link.place));
const processes = [...new Set(process)].filter((each) => each >= 0).sort((a, b) => a - b);

const phrase = (place) => raw.phrases[phraseNumber[place]];
const fenceOf = (number) => (number < 0 || !raw.grants[number] ? null : raw.grants[number][1]);
const holderOf = (number) => nodes.get(raw.grants[number]?.[0])?.name ?? "nobody";
const timeOf = (place, otherwise) => (place === null || place < 0 ? otherwise : at[place]);

/// How many of a sorted list's values are at most this, or below it.
function upTo(list, value, of = (each) => each) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (of(list[middle]) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
const below = (list, value, of) => upTo(list, value - 0.5, of);

function grouped(list, key) {
  const groups = new Map();
  for (const each of list) {
    const name = key(each);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(each);
  }
  return groups;
}

const leasesOf = grouped(raw.leases, (lease) => lease.process);
const livesOf = grouped(raw.lives, (life) => life.process);
const beliefsOf = grouped(raw.beliefs, (belief) => `${belief.node} ${belief.process}`);
const bodiesOf = grouped(raw.bodies, (body) => `${body.node} ${body.process}`);
const overlapsOf = grouped(raw.overlaps, (overlap) => overlap.process);
const outsideOf = grouped(raw.outside, (seen) => seen[1]);
const standstillsOf = grouped(raw.standstills, (still) => still.node);

/// What a clock showed at an instant of true time; in integers, as the world counts.
function clockAt(code, us) {
  const stretches = nodes.get(code)?.clock ?? [];
  if (!stretches.length) return { wall_us: raw.epoch_ms * 1000 + us, elapsed_us: us, off_us: 0, drift_ppm: 0 };
  const stretch = stretches[Math.max(0, upTo(stretches, us, (each) => each.from_us) - 1)];
  const true_us = us - stretch.since_us;
  const passed_us = true_us + Math.trunc((true_us * stretch.drift_ppm) / 1e6);
  const wall_us = stretch.wall_us + passed_us;
  const elapsed_us = stretch.monotonic_us + passed_us;
  return { wall_us, elapsed_us, off_us: wall_us - raw.epoch_ms * 1000 - us, drift_ppm: stretch.drift_ppm };
}
const isTrueClock = (code) =>
  (nodes.get(code)?.clock ?? []).every(
    (each) => each.drift_ppm === 0 && each.wall_us === raw.epoch_ms * 1000 + each.since_us,
  );

const stands = (each, n) => each.from < n && (each.to === null || each.to >= n);

/// The last entry of an ordered list that had begun by then.
function lastBegun(list, n) {
  const found = below(list ?? [], n, (each) => each.from) - 1;
  return found < 0 ? null : list[found];
}
const lastExtension = (each, n) => each.extensions[below(each.extensions, n, (one) => one[0]) - 1];

/// What the store held for a process: a lease, live or run out by the registry's clock, or why there is none.
function storedAt(of, n, us) {
  const lease = lastBegun(leasesOf.get(of), n);
  const life = lastBegun(livesOf.get(of), n);
  const wall_ms = Math.floor(clockAt(store.code, us).wall_us / 1000);
  const status = !life ? "unknown" : life.to !== null && life.to < n ? "pruned" : life.ended !== null && life.ended < n ? raw.statuses[life.status] ?? "ended" : "running";
  if (!lease || !stands(lease, n)) return { lease: null, was: lease, status };
  const [, expires_ms] = lastExtension(lease, n);
  return { lease, grant: lease.grant, fence: fenceOf(lease.grant), left_ms: expires_ms - wall_ms, expires_ms, status };
}

/// What a worker believed of a process: the grants it held then, or the last one it gave up.
function believedAt(code, of, n, us) {
  const all = beliefsOf.get(`${code} ${of}`) ?? [];
  const { elapsed_us } = clockAt(code, us);
  const held = all.filter((belief) => stands(belief, n)).map((belief) => {
    const [, deadline_us] = lastExtension(belief, n);
    return { belief, grant: belief.grant, fence: fenceOf(belief.grant), left_us: deadline_us - elapsed_us };
  });
  const last = lastBegun(all, n);
  const running = (bodiesOf.get(`${code} ${of}`) ?? []).filter((body) => stands(body, n));
  const still = (standstillsOf.get(code) ?? []).find((each) => stands(each, n));
  return { held, last: held.length ? null : last, running, still };
}

/// The highest fence that something outside had seen.
function seenOutside(of, n) {
  const seen = (outsideOf.get(of) ?? []).filter(([place]) => place < n).pop();
  return seen ? seen[2] : null;
}

/// Milliseconds with so many digits after the point. What is finer is cut off, never rounded up, as in the page's head and in
/// the text report: one instant has one name everywhere.
const inMs = (us, digits = 1) => {
  const units = Math.trunc(Math.abs(us) / 10 ** (3 - digits));
  const text = String(units).padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits).replace(/\B(?=(\d{3})+$)/g, "\u202f");
  return (us < 0 && units ? "−" : "") + whole + (digits ? `.${text.slice(text.length - digits)}` : "");
};
/// Of a time that is left or over, the whole milliseconds: as the text report says it.
const wholeMs = (us) => inMs(Math.trunc(Math.abs(us) / 1000) * 1000, 0);
const signedMs = (us, digits = 1) => (Math.abs(us) < 10 ** (3 - digits) ? "±" : us > 0 ? "+" : "") + inMs(us, digits) + "\u202fms";
