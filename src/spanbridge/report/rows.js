// Draws a row: both sentences with their spans, its status, and the gold spans of wrong ones.

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
  write(node, sentence, (span) => !bySpan(query) || passes(query, span));
  underline(node, sentence, query);
  return node;
}

function findingOf(target, [start, end, label, , verdict, gold], reference) {
  const quote = ([from, to, name]) => [
    el("bdi.lab", {}, summary.labels[name].name), " ", el("bdi.quote", {}, textOf(target, [from, to])),
  ];
  return el("li", {}, el("b.bad", {}, `${summary.sign} ${summary.verdicts[verdict]}`), " ", quote([start, end, label]),
    " ", el("span.muted", {}, el("bdi", {}, reference), ":"), " ", quote(gold));
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
  if (findings.length) node.append(el("ul.findings", {}, findings.map((span) => findingOf(row.target, span, named.reference))));
  return node;
}
