// Draws the row in hand: both sentences, its spans, labels to choose from, what has come of it.

const STATUS_NAMES = {
  "": "open", started: "changed, not accepted", accepted: "accepted", corrected: "corrected",
  "rejected-source": "source is wrong", "rejected-translation": "translation is wrong", skipped: "skipped",
};
const STATUS_SIGNS = {
  "": "○", started: "◐", accepted: "✓", corrected: "✎", "rejected-source": "✗", "rejected-translation": "✗", skipped: "–",
};
const KEYED = 9; // labels that have a number as their key
let drawnTarget = []; // pieces of the target with their elements

function drawCard() {
  const { row } = now;
  $("#card").classList.toggle("wrong", Boolean(row.error));
  if (row.error) {
    $("#head").replaceChildren(el("p.bad", {}, `Row ${count(row.row)} cannot be read: ${row.error}`));
    for (const part of ["#pair", "#spans", "#palette", "#taught"]) $(part).replaceChildren();
    return;
  }
  drawHead(row);
  drawSource(row);
  drawTarget();
  drawPalette();
  if (document.activeElement !== $("#comment")) $("#comment").value = row.state.comment;
}

function drawHead(row) {
  const { status, by, at } = row.state;
  const when = at && new Date(at);
  const parts = [
    el("b", {}, `Row ${count(row.row)}`), el("bdi.id", {}, row.id),
    el("span.state", { "data-status": status }, `${STATUS_SIGNS[status]} ${STATUS_NAMES[status]}`),
    by && el("span.muted", {}, "by ", el("bdi", {}, by), when && ` · ${when.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" })}`),
    row.sure !== null && el("span.sure", { title: "probability that all spans of the row are right" }, `confidence ${row.sure.toFixed(2)}`),
    row.status && row.status !== "projected" && el("bdi.muted", {}, row.status),
  ];
  $("#head").replaceChildren(...parts.filter(Boolean));
  for (const button of $$("#actions [data-status]")) {
    const is = button.dataset.status === status || (button.dataset.status === "accepted" && status === "corrected");
    if (button.dataset.status) button.setAttribute("aria-pressed", is);
  }
}

function sentenceNode(kind, side, { pieces, sentence }, name) {
  const node = el(`p.sent.${kind}`, { dir: direction(side.text) }, el("span.sr", {}, `${name}: `));
  write(node, sentence, () => true);
  return { node, pieces: $$(".w", node).map((element, n) => ({ ...pieces[n], element })) };
}

function drawSource(row) {
  const { node, pieces } = sentenceNode("src", row.source, written(row.source, row.source.spans), "Source");
  row.source.pieces = pieces;
  $("#pair .src")?.remove();
  node.hidden = !row.source.text;
  $("#pair").prepend(node);
}

function drawTarget() {
  const { row } = now;
  const { spans } = row.state;
  const { node, pieces } = sentenceNode("tgt", row.target, written(row.target, spans), "Translation");
  drawnTarget = pieces;
  node.id = "target";
  node.tabIndex = 0;
  node.setAttribute("role", "group");
  node.setAttribute("aria-label", "Translation; n and p take a span, arrow keys move its end or the caret");
  const had = document.activeElement?.id === "target";
  $("#target")?.remove();
  $("#pair").append(node);
  if (had) node.focus({ preventScroll: true });
  const place = now.hand === undefined ? chosen() : spans[now.hand].slice(0, 2);
  const within = ({ a, b }) => place && place[0] <= a && b <= place[1];
  for (const piece of pieces) piece.element.classList.toggle(now.hand === undefined ? "chosen" : "held", Boolean(within(piece)));
  drawLinks(row, pieces, within);
  placeHandles(pieces.filter(within), node.dir);
  drawSpans(row);
}

// Lines from the words of the span in hand, or of what is chosen, and those that they are linked with.
function drawLinks(row, pieces, within) {
  const words = new Set(pieces.filter(within).map(({ word }) => word));
  const links = row.links.map((ends, n) => ({ ends, score: row.link_scores?.[n] })).filter(({ ends }) => words.has(ends[1]));
  const linked = new Set(links.map(({ ends }) => ends[0]));
  for (const { word, element } of row.source.pieces) element.classList.toggle("hot", linked.has(word));
  const first = (all, word) => all.find((piece) => piece.word === word)?.element;
  const label = inHand() && `c${summary.labels[numberOf(inHand()[2])].colour}`;
  const lines = links.map(({ ends: [i, j], score }) => ({
    ends: [first(row.source.pieces, i), first(pieces, j)], label, weak: Number(score ?? 1) < summary.low,
  }));
  paint($("#pair"), lines.filter(({ ends }) => ends.every(Boolean)));
}

// The spans as a list: each can be taken in hand there, however they nest.
function drawSpans(row) {
  $("#spans").replaceChildren(...row.state.spans.map((span, n) => {
    const [, , label, score, by] = span;
    const { colour } = summary.labels[numberOf(label)];
    const told = [el("b", {}, el("bdi", {}, label)), " ", el("bdi", {}, quoted(span))];
    if (typeof score === "number") told.push(" ", el("span.score", {}, score.toFixed(2)));
    if (by) told.push(" ", el("span.muted", {}, el("bdi", {}, by)));
    const low = (score ?? 1) < summary.low ? ".low" : "";
    const button = el(`button.c${colour}${low}`, { type: "button", "aria-pressed": String(n === now.hand) }, ...told);
    button.addEventListener("click", () => takeSpan(n === now.hand ? undefined : n));
    return el("li", {}, button);
  }));
  if (!row.state.spans.length) $("#spans").append(el("li.muted", {}, "no spans"));
  drawTaught(row);
  for (const button of $$("#tools button")) button.disabled = now.hand === undefined;
}

function drawPalette() {
  const made = summary.labels.map(({ name, colour }, n) => {
    const key = n < KEYED ? { "aria-keyshortcuts": n + 1 } : {};
    const button = el(`button.c${colour}`, { type: "button", ...key }, n < KEYED && el("kbd", {}, n + 1), " ", el("bdi", {}, name));
    button.addEventListener("click", () => setLabel(name));
    return button;
  });
  const other = el("button", { type: "button", "aria-keyshortcuts": "l" }, "Other label ", el("kbd", {}, "l"));
  other.addEventListener("click", askLabel);
  $("#palette").replaceChildren(...made, other);
}

function askLabel() {
  if (locked()) return;
  $("#label-names").replaceChildren(...summary.labels.map(({ name }) => el("option", { value: name })));
  $("#label-input").value = inHand()?.[2] ?? "";
  $("#label-dialog").returnValue = "no";
  $("#label-dialog").showModal();
  $("#label-input").select();
}

// What stands above a row: that somebody has it open, or has changed it.
function banner(...told) {
  $("#banner").replaceChildren(...told);
  $("#banner").hidden = !told.length;
}

// An action was refused: the row was changed by somebody else, or the request was wrong.
function refused(row, error, mine) {
  for (const steps of [done, undone]) steps.splice(0, steps.length, ...steps.filter((step) => step.row !== row));
  const { state, holder } = error.value ?? {};
  if (holder) {
    if (row === now.row) {
      now.holder = holder;
      tellHolder();
    }
    reread(row);
    return;
  }
  if (!state) {
    reread(row);
    banner(el("span", {}, `That was not possible: ${error.message}`));
    return;
  }
  row.state = state;
  row.n = state.n;
  if (row !== now.row) return;
  now.hand = undefined;
  drawCard();
  const keep = el("button", { type: "button" }, "Put mine in its place");
  const take = el("button", { type: "button" }, "Leave theirs");
  keep.addEventListener("click", () => { banner(); change("status", { spans: mine.spans, status: mine.status, comment: mine.comment }); });
  take.addEventListener("click", () => banner());
  banner(el("b", {}, el("bdi", {}, state.by ?? "Somebody"), " has changed this row meanwhile. "), "You see that version; yours was not saved: ",
    el("bdi.mine", {}, mine.spans.map((span) => `${span[2]} “${quoted(span)}”`).join(", ") || "no spans"), " ", keep, " ", take);
}

function tellHolder() {
  $("#card").classList.toggle("locked", Boolean(now.holder));
  const who = now.holder === me() ? "Another page of yours" : el("bdi", {}, now.holder ?? "");
  if (now.holder) banner(el("span.holder", {}, who, " has this row open. You can look at it, and change it when it is free."));
  else if ($("#banner .holder")) banner();
}
