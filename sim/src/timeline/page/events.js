//! The events as a table: the text of what is drawn, for eyes and screen readers alike. Only the rows in sight exist.

const grid = document.getElementById("events");
const gridRows = document.getElementById("event-rows");
const gridCount = document.getElementById("event-count");
const ROW = 26;

function paintEvents() {
  gridCount.textContent = shown.length === COUNT ? `${COUNT} events` : `${shown.length} of ${COUNT} events`;
  grid.setAttribute("aria-rowcount", shown.length);
  grid.style.setProperty("--digits", String(COUNT).length);
  gridRows.style.height = `${shown.length * ROW}px`;
  const first = Math.max(0, Math.floor(grid.scrollTop / ROW) - 4);
  const last = Math.min(shown.length, Math.ceil((grid.scrollTop + grid.clientHeight) / ROW) + 4);
  const rows = [];
  for (let number = first; number < last; number++) rows.push(eventRow(number, shown[number]));
  gridRows.replaceChildren(...rows);
  foldLong(rows);
  const current = document.getElementById(`event-${selected.place}`);
  if (current) grid.setAttribute("aria-activedescendant", current.id);
  else grid.removeAttribute("aria-activedescendant");
}

/// The last words often decide; what has no room on one line stands on two small ones.
function foldLong(rows) {
  const cells = rows.map((row) => row.lastElementChild);
  const words = document.createRange();
  const isLong = (cell) => {
    words.selectNodeContents(cell);
    return cell.scrollWidth > cell.clientWidth || words.getBoundingClientRect().width > cell.getBoundingClientRect().width;
  };
  const long = cells.filter(isLong);
  for (const cell of long) cell.classList.add("long");
}

function eventRow(number, place) {
  const row = element("div", `event${inChain.has(place) ? " linked" : ""}${place === breach ? " breach" : ""}`);
  row.id = `event-${place}`;
  row.setAttribute("role", "row");
  row.setAttribute("aria-rowindex", number + 1);
  row.setAttribute("aria-selected", place === selected.place);
  row.style.transform = `translateY(${number * ROW}px)`;
  row.dataset.place = place;
  const cells = [[place, "no"], [inMs(at[place]), "ms"], [nodes.get(node[place])?.name ?? "?", "where"], [phrase(place), "what"]];
  for (const [text, name] of cells) {
    const cell = element("span", name, text);
    cell.setAttribute("role", "gridcell");
    cell.title = text;
    row.append(cell);
  }
  cellColour(row, place);
  return row;
}

function cellColour(row, place) {
  if (grant[place] >= 0) row.style.setProperty("--fence", fenceColour(grant[place]));
}

function bringRowIntoView() {
  if (selected.place < 0) return;
  const number = below(shown, selected.place);
  const top = number * ROW;
  const isAbove = top < grid.scrollTop;
  if (isAbove || top + ROW > grid.scrollTop + grid.clientHeight) grid.scrollTop = top - (grid.clientHeight - ROW) / 2;
}
