// The page: counts, tabs, filters, and the list, which grows as its reader comes near its end.

const BATCH = 30; // rows that are drawn at a time
const PRINTED = 500; // rows that are drawn for print
const html = document.documentElement;
const shown = { document: 0, rows: [], order: [], drawn: 0, query: undefined, named: {} };

function grow(number = BATCH) {
  const { rows, order, query, named } = shown;
  const made = order.slice(shown.drawn, shown.drawn + number).map((n) => rows[n]);
  for (const row of made) {
    const node = drawRow(row, named, query);
    $("#rows").append(node);
    watch(node, row);
  }
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
  const scrolled = $("#rows").getBoundingClientRect().top < 0;
  $("#rows").replaceChildren();
  grow();
  if (scrolled) $("#rows").scrollIntoView();
  const all = `${count(rows.length)} row${rows.length === 1 ? "" : "s"}`;
  $("#matching").textContent = filtered ? `${count(shown.order.length)} of ${all} match` : all;
  if (!shown.order.length) $("#rows").append(el("p.muted", {}, filtered ? "No row matches." : "No rows."));
  $("#below-value").textContent = query.below === undefined ? "any" : query.below.toFixed(2);
  html.classList.toggle("unlinked", !$("#lines").checked);
  for (const chip of $$("#chips button")) {
    chip.setAttribute("aria-pressed", chosen[chip.dataset.kind].has(chip.dataset.name));
  }
  for (const button of $$("#counts button")) {
    button.setAttribute("aria-pressed", button.dataset.name === query.status);
  }
}

// Rows by status, which are buttons, and the scores.
function countsOf(told) {
  const stat = (name, value) => el("div", {}, el("dt", {}, name), el("dd", {}, value));
  const node = el("dl.stats", {});
  if (told.gold) {
    summary.scores.forEach((name, i) => node.append(stat(name, told.scores[i].toFixed(3))));
  }
  node.append(stat("rows", count(told.rows)), stat("spans", count(told.spans)));
  for (const [name, number] of told.given ? [] : told.heads) {
    const button = el("button", { type: "button", "data-name": name, "data-head": name }, count(number));
    node.append(stat(el("bdi", {}, name), button));
  }
  if (told.given) node.append(el("p.muted", {}, "Labels as they were given: not a result."));
  if (told.calibration) {
    node.append(el("p.muted", {}, "Confidences: ", el("bdi", {}, told.calibration.split(":")[0])));
  }
  return node;
}

function chip(kind, name, colour, ...told) {
  const attributes = { type: "button", "data-kind": kind, "data-name": name };
  const button = el(`button.${colour}`, attributes, el("b", {}, el("bdi", {}, name)), " ", el("span", {}, ...told));
  return el("li", {}, button);
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

// A line per label: how many spans, and the scores.
function tableOf(told) {
  const columns = [[told.given ? "given" : told.subject, 0], told.source && ["source", 1], told.gold && [told.reference, 2]];
  const counted = columns.filter(Boolean);
  const heads = ["label", ...counted.map(([name]) => el("bdi", {}, name)), ...(told.gold ? summary.scores : [])];
  const lines = told.labels.map(({ label, counts, scores = [] }) => {
    const cells = [...counted.map(([, n]) => count(counts[n])), ...scores.map((score) => score.toFixed(3))];
    const name = el("th", { scope: "row" }, el("bdi", {}, summary.labels[label].name));
    return el("tr", {}, name, cells.map((text) => el("td", {}, text)));
  });
  const headLine = el("tr", {}, heads.map((name) => el("th", { scope: "col" }, name)));
  return el("table", {}, el("thead", {}, headLine), el("tbody", {}, lines));
}

// All figures, and what the page means.
function aboutOf(told, named) {
  const low = summary.low.toFixed(2);
  const key = [
    told.given && "Labels as they were given: this is not a result, so it has no confidence and no links.",
    told.source && "Source above, translation below.",
    named.linked && "Lines join linked words: where a row fits on its lines, else in the row that you point at or focus.",
    (named.scored || named.linked) && `A dashed edge or line marks a score below ${low}.`,
    "Choose labels to filter by them. Keys: / searches, j and k go down and up, Escape clears",
    named.linked ? "; the arrow keys go from word to word." : ".",
  ];
  const reasons = told.reasons.map(([reason, n]) => el("li", {}, el("bdi", {}, reason), " ", el("b", {}, count(n))));
  return el("details.about", {}, el("summary", {}, "About this page"), el("p", {}, key.filter(Boolean).join(" ").replace(/ ([;.])/g, "$1")),
    told.labels.length > 0 && tableOf(told),
    reasons.length > 0 && el("ul.reasons", {}, reasons),
    told.calibration && el("p", {}, "Confidences: ", el("bdi", {}, told.calibration)),
    told.signature && el("p", {}, "Signature ", el("code", { dir: "ltr" }, told.signature)));
}

// What there is to choose for a document.
function offer(told, named) {
  const option = (value, text) => el("option", { value }, text);
  const sorts = [named.sure && "doubt", told.gold && "errors", "file"].filter(Boolean);
  const status = $("#status").value;
  const before = $("#sort").value;
  $("#sort").replaceChildren(...sorts.map((by) => option(by, SORTS[by].name ?? `most ${summary.errors} first`)));
  $("#sort").value = sorts.includes(before) ? before : sorts[0];
  const names = {
    labels: told.labels.map(({ label }) => summary.labels[label].name),
    verdicts: told.gold ? summary.verdicts : [],
  };
  for (const [kind, there] of Object.entries(names)) {
    for (const name of chosen[kind]) if (!there.includes(name)) chosen[kind].delete(name);
  }
  const statuses = [...told.heads, ...told.reasons];
  const offered = statuses.map(([name, n]) => option(name, `${name} (${count(n)})`));
  $("#status").replaceChildren(option("", "any"), ...offered);
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
  const named = { ...features(rows), gold: told.gold, reference: told.reference, given: told.given, source: told.source };
  Object.assign(shown, { rows, named });
  $("#counts").replaceChildren(countsOf(told));
  $("#chips").replaceChildren(chipsOf(told), aboutOf(told, named));
  $("#filters").hidden = false;
  $("#filters .errors span").textContent = summary.errors;
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
    const { kind, name } = button.dataset;
    if (!chosen[kind].delete(name)) chosen[kind].add(name);
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
    const printed = left ? `, of which the first ${count(shown.drawn)} are printed` : "";
    $("#printed").textContent = `${count(shown.order.length)} rows${printed}`;
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
    tab.addEventListener("click", () => show(n).catch(fail));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) show((n + step + documents.length) % documents.length, true).catch(fail);
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

function fail(error) {
  const problem = $("#problem");
  problem.hidden = false;
  problem.textContent = typeof DecompressionStream === "undefined"
    ? "This browser cannot unpack the rows; take Chrome or Edge 111, Firefox 113, Safari 16.4, or a later one."
    : `This file is damaged, so its rows cannot be shown; make the page again (${error.message}).`;
}
start().catch(fail);
