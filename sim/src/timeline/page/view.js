//! Which part of the time is in sight, and how it moves.

const view = { from: 0, to: END, left: 0, width: 1 };
const LEAST_US = 50;

const xOf = (us) => view.left + ((us - view.from) / (view.to - view.from)) * view.width;
const usOf = (x) => view.from + ((x - view.left) / view.width) * (view.to - view.from);

/// Called whenever the view moves. What was pointed at is then somewhere else.
let viewMoved = () => {};

function look(from, to) {
  const span = Math.min(Math.max(to - from, LEAST_US), END * 1.04);
  const middle = (from + to) / 2;
  const start = Math.min(Math.max(middle - span / 2, -END * 0.02), END * 1.02 - span);
  if (view.from === start && view.to === start + span) return;
  view.from = start;
  view.to = start + span;
  viewMoved();
}
const zoom = (by, around = (view.from + view.to) / 2) =>
  look(around - (around - view.from) * by, around + (view.to - around) * by);
const pan = (share) => {
  const by = (view.to - view.from) * share;
  look(view.from + by, view.to + by);
};
const lookAtAll = () => look(-END * 0.02, END * 1.02);

/// Around what leads to the breach: all of it if that is not too long, else its last two events.
function lookAtBreach() {
  if (breach < 0) return lookAtAll();
  const to = at[breach];
  const keys = chain.filter((link) => link.isKey).map((link) => at[link.place]);
  const all = chain.map((link) => at[link.place]);
  let from = Math.min(...all);
  const near = to - Math.min(...keys);
  if (to - from > Math.max(near * 8, 12e6)) from = Math.min(...keys);
  const span = Math.max(to - from, 20000);
  look(from - span * 0.08, to + span * 0.14);
}

function bringIntoView(us) {
  const margin = (view.to - view.from) * 0.06;
  if (us < view.from + margin || us > view.to - margin) {
    const span = view.to - view.from;
    look(us - span / 2, us + span / 2);
  }
}

/// A round step of time, so that ticks are about so many pixels apart.
function roundStep(pixels) {
  const wanted = ((view.to - view.from) * pixels) / view.width;
  const power = 10 ** Math.floor(Math.log10(Math.max(wanted, 1)));
  return [1, 2, 5, 10].map((each) => each * power).find((each) => each >= wanted);
}
