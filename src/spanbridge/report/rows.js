// Draws a row: both sentences with their spans, its status, and the gold spans of wrong ones.

const BIDI_CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const LONG_LABEL = 16;

function tagOf([, , label, score, verdict], whole) {
  const { name } = summary.labels[label];
  const tag = el(name.length > LONG_LABEL ? "bdi.tag.long" : "bdi.tag", {}, el("b", {}, name));
  if (!whole) {
    tag.append("…");
    return tag;
  }
  if (score !== null && score !== undefined) {
    const bar = el("i.bar", { "aria-hidden": "true" });
    bar.style.backgroundSize = `${100 * score}% 100%`;
    tag.append(" ", el("span.score", {}, score.toFixed(2)), bar);
  }
  if (isError(verdict)) tag.append(" ", el("span.bad", {}, `✗ ${summary.verdicts[verdict]}`));
  else if (verdict !== undefined) tag.append(" ", el("span.ok", {}, "✓", el("span.sr", {}, " right")));
  return tag;
}

function markOf([, , label, score, verdict], passed) {
  const mark = el(`mark.c${summary.labels[label].colour}`, { "data-l": label });
  mark.classList.toggle("low", (score ?? 1) < summary.low);
  mark.classList.toggle("err", isError(verdict));
  mark.classList.toggle("missed", isMissed(verdict));
  mark.classList.toggle("dim", !passed);
  return mark;
}

// Writes words, gaps and properly nested marks into a node; marks that cross are cut in two.
function write(node, sentence, query) {
  const names = summary.labels;
  const order = (a, b) => b[1] - a[1] || (names[a[2]].name < names[b[2]].name ? -1 : 1);
  const all = parts(sentence);
  const open = []; // the marks around the present word, with their spans
  const inside = () => open.at(-1)?.mark ?? node;
  const close = (i) => {
    const first = open.findIndex(({ span }) => span[1] === i);
    const closed = first < 0 ? [] : open.splice(first);
    for (const { mark, span } of closed) mark.append(tagOf(span, span[1] === i));
    return closed.map(({ span }) => span).filter((span) => span[1] !== i);
  };
  for (let i = 0; 2 * i < all.length; i += 1) {
    const reopened = close(i);
    if (i) inside().append(all[2 * i - 1] || el("span.thin"));
    const starting = sentence.spans.filter((span) => span[0] === i);
    for (const span of [...reopened, ...starting].sort(order)) {
      const mark = markOf(span, !bySpan(query) || passes(query, span));
      inside().append(mark);
      open.push({ mark, span });
    }
    const word = all[2 * i];
    inside().append(el(BIDI_CONTROLS.test(word) ? "bdi.w" : "span.w", {}, word));
  }
  close((all.length + 1) / 2);
  if (!all.length) node.append(el("span.none", { dir: "ltr" }, "(no words)"));
}

// Shows which words the text that is searched for was found in.
function underline(node, sentence, query) {
  const text = fold(query.text);
  if (!text) return;
  const close = UNSPACED.test(text) ? (part) => fold(part).replaceAll(" ", "") : fold;
  const folded = parts(sentence).map(close);
  const whole = folded.join("");
  const looked = close(text);
  const words = $$(".w", node);
  const starts = [];
  folded.reduce((start, part) => (starts.push(start), start + part.length), 0);
  let i = 0; // the first part that may hold the place; places come in order
  for (let at = whole.indexOf(looked); at >= 0; at = whole.indexOf(looked, at + 1)) {
    while (starts[i] + folded[i].length <= at) i += 1;
    for (let j = i; starts[j] < at + looked.length; j += 1) {
      if (j % 2 === 0 && folded[j]) words[j / 2].classList.add("found");
    }
  }
}

function drawSentence(side, name, sentence, query) {
  const node = el(`p.sent.${side}`, { dir: direction(plain(sentence)) }, el("span.sr", {}, `${name}: `));
  write(node, sentence, query);
  underline(node, sentence, query);
  return node;
}

function findingOf(target, [start, end, label, , verdict, gold]) {
  const quote = ([from, to, name]) => [
    el("bdi.lab", {}, summary.labels[name].name), " ", el("bdi.quote", {}, textOf(target, [from, to])),
  ];
  return el("li", {}, el("b.bad", {}, `✗ ${summary.verdicts[verdict]}`), " ", quote([start, end, label]),
    " ", el("span.muted", {}, "gold:"), " ", quote(gold));
}

function headOf(row, named) {
  const status = summary.statuses[row.status];
  const links = linksOf(row);
  const node = el("header", {}, el("bdi.id", {}, row.id));
  if (!named.given) node.append(el("bdi.status", { "data-head": head(status) }, status));
  if (row.sure !== undefined) {
    const title = "probability that all spans of the row are right";
    node.append(el("span.sure", { title }, `confidence ${row.sure.toFixed(2)}`));
  }
  if (links.length) {
    const summed = `${count(links.length)} link${links.length === 1 ? "" : "s"}`;
    node.append(el("details.list", {}, el("summary", {}, summed), el("ul")));
  } else if (named.source && named.linked) {
    node.append(el("span.nolinks", {}, row.links === undefined ? "no links kept in this file" : "no links"));
  }
  return node;
}

function drawRow(row, named, query) {
  const pair = el(row.links ? "div.pair.linked" : "div.pair");
  if (named.source) pair.append(drawSentence("src", "Source", row.source, query));
  pair.append(drawSentence("tgt", named.source ? "Translation" : "Text", row.target, query));
  const node = el("article.row", { tabindex: "-1" }, headOf(row, named), pair);
  const findings = row.target.spans.filter(([, , , , , gold]) => gold); // others stand in the text
  if (findings.length) node.append(el("ul.findings", {}, findings.map((span) => findingOf(row.target, span))));
  return node;
}
