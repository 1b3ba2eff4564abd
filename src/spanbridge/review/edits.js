// The row in hand, what is done to it, and how that is undone.

const now = {
  row: undefined, // as the server sent it, with its state and n, its last action that we know of
  at: 0, // place in the list
  hand: undefined, // number of the span in hand
  caret: undefined, // two units between which lies what is chosen: { from, to }
  holder: undefined, // who else has the row open
  moving: undefined, // places of the span in hand while its edge is dragged
};
const done = []; // what can be undone: { row, what, before, after }
const undone = [];

const me = () => $("#who").value.trim() || "annotator";
const spansOf = (row) => row.state.spans;
const inHand = () => (now.hand === undefined ? undefined : spansOf(now.row)[now.hand]);
const quoted = ([a, b]) => between(now.row.target, [a, b]);
const say = (text) => { $("#said").textContent = text; };
const snapshot = ({ state: { spans, status, comment } }) => ({ spans, status, comment });

function locked() {
  if (now.row?.error || !now.row) return true;
  if (now.holder) say(`${now.holder} has this row open`);
  return Boolean(now.holder);
}

// Puts a row into another state, and sends that.
function put(row, what, { spans, status, comment }) {
  row.state = { ...row.state, spans, status, comment };
  enqueue(row, { do: what, status, comment, spans: spans.map((span) => span.slice(0, 3)) });
}

// Does something to the row in hand; an edit of a row that is not done makes it a started one.
function change(what, values) {
  const { row } = now;
  const before = snapshot(row);
  const edited = values.spans && !["accepted", "corrected"].includes(before.status);
  const after = { ...before, ...(edited ? { status: "started" } : {}), ...values };
  done.push({ row, what, before, after });
  undone.length = 0;
  put(row, what, after);
  drawCard();
}

// Spans in the order of their places, outer ones first.
const ordered = (spans) => [...spans].sort((x, y) => x[0] - y[0] || y[1] - x[1] || (x[2] < y[2] ? -1 : 1));
const same = (x, y) => x[0] === y[0] && x[1] === y[1] && x[2] === y[2];

function replaceSpan(what, span) {
  const others = spansOf(now.row).filter((_, n) => n !== now.hand);
  if (others.some((other) => same(other, span))) {
    say("there is such a span already");
    return false;
  }
  const spans = ordered([...others, span]);
  now.hand = spans.indexOf(span);
  now.caret = undefined;
  change(what, { spans });
  return true;
}

function moveEdge(edge, step, fine) {
  const span = inHand();
  if (!span || locked()) return;
  const place = stepped(now.row.target, edge, span[edge === "start" ? 0 : 1], step, fine);
  if (place !== undefined) placeEdge(edge, place);
}

function placeEdge(edge, place) {
  const [a, b, label] = inHand();
  const moved = edge === "start" ? [place, b, label, null, me()] : [a, place, label, null, me()];
  if (moved[0] >= moved[1]) say("a span has at least one character");
  else if (!same(moved, inHand()) && replaceSpan("edge", moved)) say(`${label}: ${quoted(moved)}`);
}

// Gives the span in hand a label, or makes a span of what is chosen.
function setLabel(label) {
  if (locked() || !label) return;
  const span = inHand();
  if (span) {
    if (span[2] !== label && replaceSpan("label", [span[0], span[1], label, null, me()])) say(`now ${label}`);
    return;
  }
  const place = chosen();
  if (!place) say("take a span, or choose words first");
  else if (replaceSpan("add", [...place, label, null, me()])) say(`added ${label}: ${quoted(place)}`);
}

function removeSpan() {
  const span = inHand();
  if (!span || locked()) return;
  now.hand = undefined;
  change("delete", { spans: spansOf(now.row).filter((one) => one !== span) });
  say(`deleted ${span[2]}: ${quoted(span)}`);
}

async function setStatus(status) {
  if (locked()) return;
  if (status === "" && now.row.state.status === "") return;
  change("status", { status });
  say(status ? STATUS_NAMES[now.row.state.status] : "open again");
  if (status) await goNext();
}

function setComment(comment) {
  if (!now.row || now.row.error || comment === now.row.state.comment || locked()) return;
  const { status } = now.row.state;
  change("comment", { comment, status: status === "" ? "started" : status });
}

// What was done last to the row in hand, by the same person, before this page was opened.
async function earlier() {
  const { row } = now;
  for (let n = 0; row && waiting(row) && n < 100; n += 1) await new Promise((done) => setTimeout(done, 50));
  if (!row || row.error || row !== now.row || waiting(row)) return undefined;
  const { do: what, state } = await ask("/before", { row: row.row, by: me() });
  return what ? { row, what, before: snapshot({ state }), after: snapshot(row) } : undefined;
}

// Undoes the last action of this page, wherever it was done, then shows that row; where there is
// none, the last one that the journal has of the row in hand.
async function goBack(from, to, what) {
  const step = from.at(-1) ?? (what === "undo" ? await earlier() : undefined);
  if (!step) {
    say(`nothing to ${what}`);
    return;
  }
  if (step.row !== now.row) await showRow(step.row.row);
  if (locked()) return;
  from.pop();
  to.push(step);
  const row = now.row;
  now.hand = undefined;
  put(row, what, what === "undo" ? step.before : step.after);
  drawCard();
  say(`${what}: ${step.what}`);
}
let turn = Promise.resolve(); // keys may be pressed faster than the journal answers
const inTurn = (...given) => {
  turn = turn.catch(() => {}).then(() => goBack(...given));
  return turn;
};
const undo = () => inTurn(done, undone, "undo");
const redo = () => inTurn(undone, done, "redo");

// Places of what is chosen without a span in hand.
function chosen() {
  if (!now.caret) return undefined;
  const { from, to } = now.caret;
  return [Math.min(from[0], to[0]), Math.max(from[1], to[1])];
}

function moveCaret(step, extend, fine) {
  const side = now.row.target;
  const units = fine ? side.fine : side.units;
  if (!units.length) return;
  const at = now.caret?.to;
  let to = step > 0 ? units.find((unit) => at && unit[0] >= at[1]) : units.findLast((unit) => at && unit[1] <= at[0]);
  if (!at) to = step > 0 ? units[0] : units.at(-1);
  to ??= at;
  now.caret = { from: extend && now.caret ? now.caret.from : to, to };
  drawTarget();
  const place = chosen();
  const around = spansOf(now.row).filter(([a, b]) => a <= place[0] && place[1] <= b).map(([, , label]) => label);
  say([quoted(place), ...around].join(", "));
}

function takeSpan(n) {
  now.hand = n;
  now.caret = undefined;
  drawTarget();
  const span = inHand();
  if (span) say(`${span[2]}: ${quoted(span)}; ${n + 1} of ${spansOf(now.row).length}`);
}

function walkSpans(step) {
  const n = spansOf(now.row).length;
  if (!n) say("no spans");
  else if (now.hand === undefined) takeSpan(step > 0 ? 0 : n - 1);
  else takeSpan((now.hand + step + n) % n);
}

function letGo() {
  const span = inHand();
  const unit = span && now.row.target.units.find(([, b]) => b > span[0]);
  now.hand = undefined;
  now.caret = unit && { from: unit, to: unit };
  drawTarget();
}
