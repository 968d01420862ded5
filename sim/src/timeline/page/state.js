//! The state of the store and of each node just before and just after the selected event, and the difference between the two.

const changeList = document.getElementById("changes");
const stateTable = document.getElementById("state").tBodies[0];
const stateTitle = document.getElementById("state-title");

const writesOf = grouped(
  [...glyphNumber.keys()].filter((place) => process[place] >= 0 && [GLYPH.wrote, GLYPH.ended].includes(glyphNumber[place])),
  (place) => process[place],
);
const sentBy = grouped(raw.calls.filter(([sent]) => sent >= 0), ([sent]) => node[sent]);

/// Everything that is known of the state after the first n events: a name and a value for each part, in order.
function stateAt(n, us) {
  const parts = new Map();
  const put = (code, of, name, value) => {
    if (value !== null) parts.set(`${code} ${of} ${name}`, { code, of, name, value });
  };
  for (const of of processes) {
    const stored = storedAt(of, n, us);
    if (stored.status === "unknown") continue;
    put(store.code, of, "status", stored.status);
    put(store.code, of, "lease", stored.lease ? `fence ${stored.fence}, ${holderOf(stored.grant)}, until ${inMs((stored.expires_ms - raw.epoch_ms) * 1000, 0)}\u202fms` : "none");
    put(store.code, of, "writes taken", String(below(writesOf.get(of) ?? [], n)));
  }
  for (const each of [...hosts, ...workers]) {
    const still = (standstillsOf.get(each.code) ?? []).find((one) => stands(one, n));
    put(each.code, -1, "machine", still ? (still.is_down ? "down" : "paused") : "up");
    for (const of of processes) nodeState(put, each.code, of, n, us);
  }
  for (const of of processes) {
    const seen = seenOutside(of, n);
    if (seen !== null) put(ledger.code, of, "highest fence", String(seen));
  }
  return parts;
}

function nodeState(put, code, of, n, us) {
  const { held, running } = believedAt(code, of, n, us);
  const until = ({ belief }) => inMs(lastExtension(belief, n)[1]);
  if (beliefsOf.has(`${code} ${of}`)) put(code, of, "believes", held.map((each) => `fence ${each.fence} until ${until(each)}\u202fms`).join("; ") || "nothing");
  if (bodiesOf.has(`${code} ${of}`)) put(code, of, "runs", running.map((body) => `the body of fence ${fenceOf(body.grant)}`).join("; ") || "nothing");
  const crashes = (standstillsOf.get(code) ?? []).filter((each) => each.is_down && each.from < n);
  const isOpen = ([sent, , heard]) => sent < n && (heard < 0 || heard >= n) && !crashes.some((each) => each.from > sent);
  const calls = (sentBy.get(code) ?? []).filter((call) => process[call[0]] === of);
  if (calls.length) put(code, of, "calls under way", calls.filter(isOpen).map(([sent]) => phrase(sent)).join("; ") || "none");
}

/// The parts in order, each with its value before, if the event changed it.
function stateDiff(place) {
  const [before, after] = [stateAt(place, at[place]), stateAt(place + 1, at[place])];
  const all = new Map([...before, ...after]);
  return [...all].map(([key, part]) => {
    const [was, is] = [before.get(key)?.value ?? "not there", after.get(key)?.value ?? "not there"];
    return { ...part, was, is, isChanged: was !== is };
  });
}

let toldState = -1;
function tellState(place) {
  if (place === toldState) return;
  toldState = place;
  const parts = place < 0 ? [] : stateDiff(place);
  const changes = parts.filter((part) => part.isChanged);
  changeList.replaceChildren(...changes.map((part) => changeLine(part)));
  if (place >= 0 && !changes.length) changeList.append(element("li", "none", "It changed no state."));
  stateTitle.textContent = place < 0 ? "Select an event to see the state after it." : `After event ${place}, ${inMs(at[place])}\u202fms: ${changes.length || "no"} ${changes.length === 1 ? "change" : "changes"}. Expiries are by the clock of whoever holds the value.`;
  const isTold = (part) => part.isChanged || part.of < 0 || part.of === told;
  stateTable.replaceChildren(...parts.filter(isTold).map(stateRow));
}

const partName = (part) => `${part.of < 0 ? "" : `p${part.of} `}${part.name}`;

function changeLine(part) {
  const line = element("li", "");
  line.append(element("b", "", nodes.get(part.code).name), ` ${partName(part)}: `, element("del", "", part.was), " → ", element("ins", "", part.is));
  return line;
}

function stateRow(part, number, all) {
  const row = element("tr", part.isChanged ? "changed" : "");
  row.dataset.part = `${nodes.get(part.code).name} ${partName(part)}`;
  const isFirst = number === 0 || all[number - 1].code !== part.code;
  const head = element("th", "", isFirst ? nodes.get(part.code).name : "");
  head.scope = "row";
  const value = element("td", "");
  if (part.isChanged) value.append(element("del", "", part.was), element("ins", "", part.is));
  else value.append(part.is);
  row.append(head, element("td", "", partName(part)), value);
  return row;
}
