// The page: counts, tabs, filters, and the list, which grows as its reader comes near its end.

const BATCH = 30; // rows that are drawn at a time
const PRINTED = 500; // rows that are drawn for print
const html = document.documentElement;
const shown = { document: 0, rows: [], order: [], drawn: 0, query: undefined, named: {} };

function grow(number = BATCH) {
  const { rows, order, query, named } = shown;
  const made = order.slice(shown.drawn, shown.drawn + number).map((n) => [drawRow(rows[n], named, query), rows[n]]);
  $("#rows").append(...made.map(([node]) => node));
  made.forEach(([node, row]) => watch(node, row));
  shown.drawn += made.length;
  $("#next").hidden = shown.drawn >= order.length;
  atEnd.unobserve($("#next")); // it tells only of changes, and the end may still be near
  atEnd.observe($("#next"));
}
const atEnd = new IntersectionObserver((entries) => {
  if (entries.at(-1).isIntersecting && shown.drawn < shown.order.length) grow();
}, { rootMargin: "1200px" });

// Draws the list anew, by the filters.
function list() {
  const { rows, named } = shown;
  const query = wanted(named);
  const match = matches(query);
  const filtered = query.text || query.status || bySpan(query);
  const order = sorted(rows, $("#sort").value);
  shown.query = query;
  shown.order = filtered ? order.filter((n) => match(rows[n])) : order;
  shown.drawn = 0;
  near.disconnect();
  resized.disconnect();
  active = undefined;
  $("#rows").replaceChildren();
  if ($("#rows").getBoundingClientRect().top < 0) $("#filters").scrollIntoView();
  grow();
  const all = `${count(rows.length)} row${rows.length === 1 ? "" : "s"}`;
  $("#matching").textContent = filtered ? `${count(shown.order.length)} of ${all} match` : all;
  if (!shown.order.length) $("#rows").append(el("p.muted", {}, filtered ? "No row matches." : "No rows."));
  $("#below-value").textContent = query.below === undefined ? "any" : query.below.toFixed(2);
  html.classList.toggle("unlinked", !$("#lines").checked);
  for (const chip of $$("#chips button")) {
    chip.setAttribute("aria-pressed", chosen[chip.dataset.kind].has(chip.dataset.name));
  }
  for (const chip of $$("#counts button")) chip.setAttribute("aria-pressed", chip.dataset.name === query.status);
}

// Rows by status, which are buttons, and the scores.
function countsOf(told) {
  const stat = (name, value) => el("div", {}, el("dt", {}, name), el("dd", {}, value));
  const node = el("dl.stats", {});
  if (told.gold) {
    ["precision", "recall", "F1"].forEach((name, i) => node.append(stat(name, told.scores[i].toFixed(3))));
  }
  node.append(stat("rows", count(told.rows)), stat("spans", count(told.spans)));
  for (const [name, number] of told.given ? [] : told.heads) {
    const button = el("button", { type: "button", "data-name": name, "data-head": name }, count(number));
    node.append(stat(el("bdi", {}, name), button));
  }
  if (told.given) node.append(el("p.muted", {}, "Labels as they were given: not a result."));
  return node;
}

function chip(kind, name, colour, ...told) {
  const attributes = { type: "button", "data-kind": kind, "data-name": name, "aria-pressed": "false" };
  return el("li", {}, el(`button.${colour}`, attributes, el("b", {}, el("bdi", {}, name)), " ", el("span", {}, ...told)));
}

function chipsOf(told) {
  const labels = told.labels.map(({ label, counts, scores }) => {
    const { name, colour } = summary.labels[label];
    return chip("labels", name, `c${colour}`, count(counts[0]), scores && ` · F1 ${scores[2].toFixed(2)}`);
  });
  const verdicts = (told.verdicts ?? []).map((number, n) => {
    const name = summary.verdicts[n];
    return number ? chip("verdicts", name, isError(n) ? "bad" : "ok", count(number)) : undefined;
  });
  return el("ul.chips", { "aria-label": "Labels and verdicts to filter by" }, labels, verdicts.filter(Boolean));
}

// All figures, and what the page means.
function aboutOf(told, named) {
  const columns = [[told.given ? "given" : "spans", 0], told.source && ["source", 1], told.gold && ["gold", 2]].filter(Boolean);
  const scores = told.gold ? ["precision", "recall", "F1"] : [];
  const cells = (of, head) => [...columns.map(([name, n]) => (head ? name : count(of.counts[n]))),
    ...scores.map((name, n) => (head ? name : of.scores[n].toFixed(3)))];
  const table = el("table", {},
    el("thead", {}, el("tr", {}, el("th", {}, "label"), cells(null, true).map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, told.labels.map((of) => el("tr", {},
      el("th", { scope: "row" }, el("bdi", {}, summary.labels[of.label].name)), cells(of).map((text) => el("td", {}, text))))));
  const reasons = told.reasons.map(([reason, n]) => el("li", {}, el("bdi", {}, reason), " ", el("b", {}, count(n))));
  const key = [
    told.given && "Labels as they were given: this is not a result, so it has no confidence and no links.",
    told.source && "Source above, translation below.",
    named.linked && "Lines join linked words: at once where a row fits on its lines, else in the row that you point at or focus.",
    (named.scored || named.linked) && `A dashed edge or line marks a score below ${summary.low.toFixed(2)}.`,
    "Choose labels to filter by them. Keys: / searches, j and k go down and up, arrow keys go from word to word, Escape clears.",
  ].filter(Boolean).join(" ");
  return el("details.about", {}, el("summary", {}, "About this page"), el("p", {}, key),
    told.labels.length > 0 && table, reasons.length > 0 && el("ul.reasons", {}, reasons),
    told.signature && el("p", {}, "Signature ", el("code", { dir: "ltr" }, told.signature)));
}

// What there is to choose for a document.
function offer(told, named) {
  const option = (value, text) => el("option", { value }, text);
  const sorts = [named.sure && "doubt", told.gold && "errors", "file"].filter(Boolean);
  const status = $("#status").value;
  const before = $("#sort").value;
  $("#sort").replaceChildren(...sorts.map((by) => option(by, SORTS[by].name)));
  $("#sort").value = sorts.includes(before) ? before : sorts[0];
  for (const [kind, names] of [["labels", told.labels.map(({ label }) => summary.labels[label].name)], ["verdicts", told.gold ? summary.verdicts : []]]) {
    for (const name of chosen[kind]) if (!names.includes(name)) chosen[kind].delete(name);
  }
  const statuses = [...told.heads, ...told.reasons];
  $("#status").replaceChildren(option("", "any"), ...statuses.map(([name, n]) => option(name, `${name} (${count(n)})`)));
  $("#status").value = statuses.some(([name]) => name === status) ? status : "";
  const there = { ".below": named.scored, ".errors": told.gold, ".lines": named.linked };
  for (const [name, is] of Object.entries(there)) $(`#filters ${name}`).hidden = !is;
  $("#status").parentElement.hidden = told.given;
  $("#sort").parentElement.hidden = sorts.length < 2;
}

async function show(n, focus) {
  const told = summary.documents[n];
  shown.document = n;
  $$("#tabs button").forEach((tab, i) => {
    tab.setAttribute("aria-selected", i === n);
    tab.tabIndex = i === n ? 0 : -1;
    if (focus && i === n) tab.focus();
  });
  const rows = await rowsOf(n);
  if (shown.document !== n) return; // another tab was opened meanwhile
  const named = { ...features(rows), gold: told.gold, given: told.given, source: told.source };
  Object.assign(shown, { rows, named });
  $("#counts").replaceChildren(countsOf(told));
  $("#chips").replaceChildren(chipsOf(told), aboutOf(told, named));
  $("#filters").hidden = false;
  offer(told, named);
  list();
  prepare(rows);
}

// Keys for the whole page: / to search, j and k to go from row to row, Escape to clear.
function key(event) {
  const typing = event.target.matches("input[type=search], select");
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") $("#filters").reset();
  if (typing) return;
  const step = { j: 1, k: -1 }[event.key];
  if (event.key === "/") {
    event.preventDefault();
    $("#find").focus();
  } else if (step) {
    const rows = $$("#rows .row");
    const now = document.activeElement?.closest(".row");
    const next = rows[now ? rows.indexOf(now) + step : 0];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }
}

function listen() {
  const form = $("#filters");
  form.addEventListener("input", list);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => {
    const by = $("#sort").value;
    Object.values(chosen).forEach((names) => names.clear());
    setTimeout(() => { $("#sort").value = by; list(); });
  });
  $("#chips").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const names = chosen[button.dataset.kind];
    if (!names.delete(button.dataset.name)) names.add(button.dataset.name);
    list();
  });
  $("#counts").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    $("#status").value = $("#status").value === button.dataset.name ? "" : button.dataset.name;
    list();
  });
  $("#next").addEventListener("click", () => grow());
  document.addEventListener("keydown", key);
  window.addEventListener("beforeprint", () => {
    html.classList.add("printing");
    if (shown.drawn < PRINTED) grow(PRINTED - shown.drawn);
    const left = shown.order.length > shown.drawn;
    $("#printed").textContent = `${count(shown.order.length)} rows${left ? `, of which the first ${count(shown.drawn)} are printed` : ""}`;
    $$("#rows .row").forEach(draw);
  });
  window.addEventListener("afterprint", () => {
    html.classList.remove("printing");
    $$("#rows .row").forEach(draw);
  });
}

function tabsOf(documents) {
  const tabs = $("#tabs");
  documents.forEach(({ name }, n) => {
    const tab = el("button", { type: "button", role: "tab", "aria-controls": "rows" }, el("bdi", {}, name));
    tab.addEventListener("click", () => show(n));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) show((n + step + documents.length) % documents.length, true);
    });
    tabs.append(tab);
  });
  tabs.hidden = documents.length < 2;
}

async function start() {
  summary = await unpack($("script.summary"));
  $("#more").open = window.matchMedia("(min-width: 60rem)").matches;
  tabsOf(summary.documents);
  listen();
  if (summary.documents.length) await show(0);
  else $("#rows").append(el("p.muted", {}, "No documents."));
}

start().catch((error) => {
  const problem = $("#problem");
  problem.hidden = false;
  problem.textContent = typeof DecompressionStream === "undefined"
    ? "This browser cannot unpack the rows; take Chrome or Edge 111, Firefox 113, Safari 16.4, or a later one."
    : `This file is damaged, so its rows cannot be shown; make the page again (${error.message}).`;
});
