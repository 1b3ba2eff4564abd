// Writes a sentence with its spans, which may nest and cross.

// The first verdict says that spans are equal, the last one that only the other side has one.
const isError = (verdict) => verdict !== undefined && verdict !== 0;
const isMissed = (verdict) => verdict !== undefined && verdict === summary.verdicts.length - 1;
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
  if (isError(verdict)) tag.append(" ", el("span.bad", {}, `${summary.sign} ${summary.verdicts[verdict]}`));
  else if (verdict !== undefined) tag.append(" ", el("span.ok", {}, "✓", el("span.sr", {}, ` ${summary.verdicts[0]}`)));
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

// Writes words, gaps and properly nested marks into a node; marks that cross are cut in two, and
// those that have not passed a filter are dimmed.
function write(node, sentence, passed) {
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
      const mark = markOf(span, passed(span));
      inside().append(mark);
      open.push({ mark, span });
    }
    const word = all[2 * i];
    inside().append(el(BIDI_CONTROLS.test(word) ? "bdi.w" : "span.w", {}, word));
  }
  close((all.length + 1) / 2);
  if (!all.length) node.append(el("span.none", { dir: "ltr" }, "(no words)"));
}
