// Texts cut into what edges of spans may stand beside. Places are code points, as in the journal.

// Places [a, b) of the characters in a place of a side, as readers see them: the server tells which
// are several code points.
function charactersOf(side, [a, b]) {
  const found = [];
  for (let at = a; at < b; at = found.at(-1)[1]) found.push([at, side.clusters.get(at) ?? at + 1]);
  return found;
}

// Units of a side: words, or characters in scripts without spaces; fine ones are always characters.
function cut(side, raw) {
  side.chars = [...side.text];
  side.clusters = new Map(side.clusters);
  const textAt = ([a, b]) => side.chars.slice(a, b).join("");
  side.fine = side.words.flatMap((word) => (raw ? charactersOf(side, word) : [word]));
  side.units = side.words.flatMap((word) => {
    const text = textAt(word);
    return raw && UNSPACED.test(text) ? charactersOf(side, word) : [word];
  });
  return side;
}

const between = (side, [a, b]) => side.chars.slice(a, b).join("");

// Pieces that are drawn: units, cut where spans end inside them; each knows its word.
function piecesOf(side, spans) {
  const edges = spans.flatMap(([a, b]) => [a, b]);
  let word = 0;
  return side.units.flatMap(([a, b]) => {
    while (side.words[word][1] <= a && word + 1 < side.words.length) word += 1;
    const inside = [...new Set(edges.filter((edge) => a < edge && edge < b))].sort((x, y) => x - y);
    const cuts = [a, ...inside, b];
    return cuts.slice(1).map((end, n) => ({ a: cuts[n], b: end, word }));
  });
}

// Pieces and spans as sentences.js writes them: texts and gaps by turns, spans by pieces.
function written(side, spans) {
  const pieces = piecesOf(side, spans);
  const text = pieces.flatMap((piece, n) => {
    const gap = n ? [between(side, [pieces[n - 1].b, piece.a])] : [];
    return [...gap, between(side, [piece.a, piece.b])];
  });
  const starts = new Map(pieces.map((piece, n) => [piece.a, n]));
  const ends = new Map(pieces.map((piece, n) => [piece.b, n + 1]));
  const placed = spans.map(([a, b, label, score]) => [starts.get(a), ends.get(b), numberOf(label), score ?? null]);
  return { pieces, sentence: { text, spans: placed } };
}

// Number of a label in the summary, which shows those too that the server does not know yet.
function numberOf(label) {
  const n = summary.labels.findIndex(({ name }) => name === label);
  if (n >= 0) return n;
  summary.labels.push({ name: label, colour: 0 });
  return summary.labels.length - 1;
}

// Where an edge may go from a place: one step on or back, by units or by characters.
function stepped(side, edge, place, step, fine) {
  const which = edge === "start" ? 0 : 1;
  const places = (fine ? side.fine : side.units).map((unit) => unit[which]);
  return step > 0 ? places.find((at) => at > place) : places.findLast((at) => at < place);
}
