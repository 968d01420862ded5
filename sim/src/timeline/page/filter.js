//! What is shown: groups of glyphs, which are the legend, and processes. What leads to the breach is always shown.

/// Why bodies may run at once at all.
const BOUND = "No longer than clocks allow, not counting the time in which a worker stands still.";

const GROUPS = [
  { id: "leases", label: "leases", glyphs: ["granted", "released"], tells: "what the store holds, coloured by fence" },
  { id: "renewals", label: "renewals", glyphs: ["renewed"], tells: "notches on a lease" },
  { id: "taken", label: "writes", glyphs: ["wrote", "ended"], tells: "writes that were taken: a dot; a square for the end of a process" },
  { id: "refused", label: "refused", glyphs: ["refused", "failed"], tells: "writes that were refused: a crossed ring; a diamond where the store failed" },
  { id: "bodies", label: "bodies", glyphs: ["body-began", "body-ended"], tells: `a process's work, on its worker; ${raw.overlaps_are_lawful ? `striped where two run at once, within the bound. ${BOUND}` : "red where two run at once"}` },
  { id: "beliefs", label: "beliefs", glyphs: [], tells: "how long a worker may believe in its lease, by its own clock" },
  { id: "messages", label: "messages", glyphs: ["sent", "heard"], tells: "a call on its way and its answer" },
  { id: "message-faults", label: "lost", glyphs: ["message-fault"], tells: "messages that never arrived, or arrived twice" },
  { id: "effects", label: "effects", glyphs: ["effect-sent", "effect-taken", "effect-refused"], tells: "what the ledger outside took or refused" },
  { id: "asked", label: "requests", glyphs: ["asked", "waited"], tells: "of hosts: registrations, cancels, signals, waits" },
  { id: "plan", label: "plan", glyphs: ["step", "fault", "node", "run"], tells: "the plan's steps as pins: hollow for work, filled for faults; crashes, pauses, the calm" },
  { id: "clocks", label: "clocks", glyphs: [], off: raw.nodes.every((each) => isTrueClock(each.code)), tells: "a ruler per clock: its own readings at true time" },
  { id: "busy", label: "busy", glyphs: ["busy"], off: true, tells: "claims that were kept out: a sweep came while another held the lease" },
  { id: "reads", label: "reads", glyphs: ["read"], off: true, tells: "lists and reads, and what they showed" },
  { id: "evidence", label: "evidence", glyphs: ["evidence"], off: true, tells: "gathered beside decisions, for laws" },
];

const groupOf = new Uint8Array(raw.glyphs.length);
GROUPS.forEach((group, number) => group.glyphs.forEach((name) => (groupOf[GLYPH[name]] = number)));
const isOn = Object.fromEntries(GROUPS.map((group) => [group.id, !group.off]));

/// With many processes, the breach's own and those that stand in its line are enough to begin with.
const MANY = 10;
const ofBreach = [...new Set(chain.map((link) => process[link.place]).filter((each) => each >= 0))];
const shownProcesses = new Set(processes.length > MANY && ofBreach.length ? ofBreach : processes.slice(0, 60));
const processesInOrder = () => [
  ...ofBreach.filter((each) => shownProcesses.has(each)),
  ...processes.filter((each) => shownProcesses.has(each) && !ofBreach.includes(each)),
];

/// The event that the run was cut at, because somebody asked for it.
const cutAt = raw.is_cut ? COUNT - 1 : -1;

let shown = new Int32Array(0);
const isShown = (place) => {
  if (inChain.has(place) || place === cutAt || place === selected.place) return true;
  const of = process[place];
  return isOn[GROUPS[groupOf[glyphNumber[place]]].id] && (of < 0 || shownProcesses.has(of));
};

function refilter() {
  const found = new Int32Array(COUNT);
  let count = 0;
  for (let place = 0; place < COUNT; place++) if (isShown(place)) found[count++] = place;
  shown = found.slice(0, count);
}
