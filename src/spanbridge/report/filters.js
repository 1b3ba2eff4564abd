// Which rows are shown, and in which order: by text, status, labels, scores and verdicts.

const MARKS = /[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]/g; // accents, and vowel points
const fold = (text) => text.normalize("NFD").replace(MARKS, "").toLowerCase();
const head = (status) => status.split(":")[0].trim();
const chosen = { labels: new Set(), verdicts: new Set() }; // by name, so that they hold for all tabs

// The text that is searched; kept in the row once it is made.
const sentences = ({ source, target }) => (source ? [source, target] : [target]);
function hay(row) {
  row.hay ??= fold([row.id, ...sentences(row).map(plain)].join("\n"));
  return row.hay;
}

// Made while nothing else is to do, so that the first search need not wait for it.
function prepare(rows, from = 0) {
  const to = Math.min(rows.length, from + 1000);
  for (let i = from; i < to; i += 1) hay(rows[i]);
  if (to < rows.length) setTimeout(prepare, 0, rows, to);
}

function finder(query) {
  const text = fold(query);
  if (!text) return () => true;
  if (!UNSPACED.test(text)) return (row) => hay(row).includes(text);
  const close = text.replaceAll(" ", ""); // words of a corpus, where readers see none
  return (row) => hay(row).replaceAll(" ", "").includes(close);
}

function wanted(named) {
  const below = Number($("#below").value);
  return {
    text: $("#find").value.trim(),
    status: $("#status").value,
    below: below < 1 && named.scored ? below : undefined,
    errors: named.gold && $("#errors").checked,
    labels: chosen.labels,
    verdicts: named.gold ? chosen.verdicts : new Set(),
  };
}

// Whether a span is one of those that are looked for. Those of the source have but a label.
function passes(query, [, , label, score, verdict]) {
  return (!query.labels.size || query.labels.has(summary.labels[label].name))
    && (query.below === undefined || (score ?? 2) < query.below)
    && (!query.errors || isError(verdict))
    && (!query.verdicts.size || query.verdicts.has(summary.verdicts[verdict]));
}
const bySpan = (query) => query.labels.size || query.verdicts.size || query.errors || query.below !== undefined;

function matches(query) {
  const found = finder(query.text);
  const spans = bySpan(query);
  return (row) => {
    const status = summary.statuses[row.status];
    return (!query.status || status === query.status || head(status) === query.status)
      && (!spans || sentences(row).some((side) => side.spans.some((span) => passes(query, span))))
      && found(row);
  };
}

// How sure a row is, in [0, 1]: what is said of the row, else its least sure span. Where spans of
// the source have no counterpart and nothing is said of it, 0; where nothing is known, undefined.
function sureness(row) {
  if (row.sure !== undefined) return row.sure;
  const scores = row.target.spans.map(([, , , score]) => score).filter((score) => score !== null);
  if (scores.length) return Math.min(...scores);
  const empty = head(summary.statuses[row.status]) === "empty";
  return empty && row.source?.spans.length ? 0 : undefined;
}
const errorsOf = (row) => row.target.spans.filter(([, , , , verdict]) => isError(verdict)).length;

const SORTS = {
  doubt: { name: "most doubtful first", of: (row) => sureness(row) ?? 2 },
  errors: { of: (row) => 2 * -errorsOf(row) + Math.min(1, sureness(row) ?? 1) },
  file: { name: "as in the file", of: () => 0 },
};

// All rows in an order, made once per order.
function sorted(rows, by) {
  rows.orders ??= {};
  if (!rows.orders[by]) {
    const keys = Float64Array.from(rows, SORTS[by].of);
    rows.orders[by] = Array.from(keys.keys()).sort((a, b) => keys[a] - keys[b] || a - b);
  }
  return rows.orders[by];
}

// What a document lets its reader choose.
function features(rows) {
  rows.named ??= {
    linked: rows.some((row) => row.links),
    scored: rows.some((row) => row.target.spans.some(([, , , score]) => score !== null)),
    sure: rows.some((row) => sureness(row) !== undefined),
  };
  return rows.named;
}
