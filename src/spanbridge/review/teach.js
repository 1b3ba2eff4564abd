// Teaching: the server projects all other rows anew by the corrections; what that changes is shown.

const POLL = 700; // milliseconds between two questions how far it is, while its dialog is open
let made = 0; // results that this page knows of

async function openTeaching() {
  $("#teaching").showModal();
  await followTeaching();
}

// Draws what the server tells, again and again as long as it works and somebody looks.
async function followTeaching() {
  const plan = await ask("/teaching");
  drawTeaching(plan);
  tellTeaching(plan);
  if (plan.state === "running" && $("#teaching").open) setTimeout(() => followTeaching().catch(fail), POLL);
}

function drawTeaching({ state, why, origin, output, corrections, replaces, guidelines, doing, done, total, unit, error, changed, said }) {
  const running = state === "running";
  const told = why ?? [
    "All rows that nobody has accepted or corrected are projected anew, under the settings by which ", el("bdi", {}, origin), " was projected, and by what the corrections show. ",
    "The result goes to ", el("bdi", {}, output), replaces ? " (which is there already, and is replaced)" : "", ", the corrected rows to ", el("bdi", {}, corrections),
    ". This file and all that was reviewed stay as they are.",
  ];
  $("#teaching-told").replaceChildren(...[told].flat());
  drawSwitches(guidelines, origin);
  $("#teaching-far").hidden = !running;
  if (running && total) Object.assign($("#teaching-far"), { max: total, value: done });
  else $("#teaching-far").removeAttribute("value");
  const far = { none: "", failed: "", running: `${doing}${total ? `: ${count(done)} of ${count(total)} ${unit}` : ""} …`, done: `done: ${changedRows(changed)}` }[state];
  if ($("#teaching-state").textContent !== far) $("#teaching-state").textContent = far;
  $("#teaching-error").hidden = state !== "failed";
  $("#teaching-error").textContent = state === "failed" ? `It did not work: ${error}` : "";
  $("#teaching-said").replaceChildren(...said.map((text) => el("li", {}, text)));
  $("#teach-start").disabled = running || why !== null;
  $("#teach-show").hidden = state !== "done" || !changed;
}

// Each convention with its examples: proposed, decided by somebody, or settled by the projection. What has the focus keeps it.
function drawSwitches(guidelines, origin) {
  const key = JSON.stringify(guidelines);
  if ($("#switches").dataset.key === key) return;
  const focused = $("#switches").contains(document.activeElement) ? document.activeElement.id : null;
  $("#guidelines").hidden = !guidelines.length;
  $("#switches").dataset.key = key;
  $("#switches").replaceChildren(...guidelines.map((one) => drawSwitch(one, origin)));
  if (focused) document.getElementById(focused)?.focus();
}

function drawSwitch({ convention, options, decided, fixed, claim, examples, against, n_against: against_all, by, at }, origin) {
  const listed = (all) => el("ul", {}, ...all.map((text) => el("li", {}, el("bdi", {}, text))));
  const evidence = claim ? [
    listed(examples), ...(against_all ? [el("p", {}, `but not in ${count(against_all)}:`), listed(against)] : []),
  ] : [];
  const settled = fixed ? ["settled: ", el("b", {}, fixed), ", as when ", el("bdi", {}, origin), " was projected"]
    : decided === null ? ["not settled yet"]
    : ["settled: ", el("b", {}, decided || "no rule"), ", by ", el("bdi", {}, by), `, ${at.slice(0, 16).replace("T", " ")} UTC`];
  const choice = (value, ...text) => {
    const radio = el("input", { type: "radio", name: `rule-${convention}`, id: `rule-${convention}-${value || "none"}`, value });
    radio.checked = decided === value;
    radio.addEventListener("change", () => decide(convention, value.split("=")[1] ?? "").catch(failTeaching));
    return el("label", {}, radio, " ", ...text);
  };
  const choices = options.length || decided !== null ? [...options.map((value) => choice(value, "rule: ", el("b", {}, value))), choice("", "no rule")] : [];
  return el("fieldset", {}, el("legend", {}, claim ?? `no corrected span shows it now: ${convention}`), ...evidence,
    el("div.choices", {}, ...choices), el("p.muted.settled", {}, ...settled));
}

// Settles a convention; it is in the journal before the page says so.
async function decide(convention, place) {
  const plan = await send("/decide", { convention, place, by: me() });
  drawTeaching(plan);
  const told = plan.guidelines.find((one) => one.convention === convention);
  say(`settled: ${told?.decided || `${convention}: no rule`}`);
}

// What is on the page after a request of the dialog was refused: why, and all else as it is.
async function failTeaching(error) {
  delete $("#switches").dataset.key;
  drawTeaching({ ...(await ask("/teaching")), state: "failed", error: error.message });
}

const changedRows = (n) => (n === 1 ? "1 row is changed" : `${n ? count(n) : "no"} rows are changed`);

// What every page is told: that it goes on, and what has come out.
function tellTeaching({ state, made: results, changed, error }) {
  const busy = state === "running";
  $("#teach").setAttribute("aria-busy", busy);
  $("#teach-name").textContent = busy ? "Teaching…" : state === "failed" ? "Teach (failed)" : "Teach";
  if (state === "failed" && $("#teach").title !== error) say(`teaching did not work: ${error}`);
  $("#teach").title = state === "failed" ? error : "";
  if (state !== "done") return;
  $("#changed-filter").hidden = false;
  $("#changed-count").textContent = count(changed);
  if (results === made) return;
  made = results;
  say(`teaching is done: ${changedRows(changed)}`);
  rereadTaught().catch(fail);
}

// Rows that were fetched before do not know what is taught; nor do lists.
async function rereadTaught() {
  for (const [number, row] of rows) if (row !== now.row && !waiting(row)) rows.delete(number);
  list.parts.clear();
  await drawList();
  const { row } = now;
  if (!row || row.error) return;
  row.taught = (await ask("/row", { row: row.row })).taught;
  if (row === now.row) drawTaught(row);
}

async function startTeaching() {
  $("#teach-start").disabled = true;
  try {
    drawTeaching(await send("/teach", {}));
  } catch (error) {
    await failTeaching(error);
    return;
  }
  await followTeaching();
}

async function showChanged() {
  $("#teaching").close();
  for (const name of ["find", "label", "by"]) $(`#${name}`).value = "";
  Object.assign($("#below"), { value: 1 });
  $("#status").value = "any";
  $("#sort").value = "doubt";
  $("#changed").checked = true;
  await find();
  if (list.length) await goTo(0);
}

const has = (spans, span) => spans.some((one) => same(one, span));

// Under the spans of a row: what the corrections would make of them.
function drawTaught(row) {
  const node = $("#taught");
  const own = spansOf(row);
  const taught = row.taught ?? [];
  const lost = own.filter((span) => !has(taught, span));
  const gained = taught.filter((span) => !has(own, span));
  node.hidden = !row.taught;
  if (!row.taught) return;
  if (!lost.length && !gained.length) {
    node.replaceChildren("These are the spans that the corrections teach.");
    return;
  }
  const take = el("button", { type: "button", "aria-keyshortcuts": "e" }, "Take the new spans ", el("kbd", {}, "e"));
  take.addEventListener("click", takeTaught);
  node.replaceChildren("By the corrections: ", ...differences(lost.map(named), gained.map(named)), " ", take);
}

const named = (span) => [span[2], quoted(span)];

// Spans that are lost and gained, each as label and text.
function differences(lost, gained) {
  const one = (tag, name) => ([label, text]) => el(tag, {}, el("span.sr", {}, `${name} `), el("b", {}, el("bdi", {}, label)), " ", el("bdi", {}, text));
  const all = [...lost.map(one("del", "without")), ...gained.map(one("ins", "with"))];
  return all.flatMap((node, n) => (n ? [" ", node] : [node]));
}

function takeTaught() {
  const { row } = now;
  if (!row?.taught) say("the corrections change nothing in this row");
  if (!row?.taught || locked()) return;
  const spans = ordered(row.taught.map((span) => spansOf(row).find((one) => same(one, span)) ?? [...span.slice(0, 3), null, me()]));
  now.hand = undefined;
  change("teach", { spans });
  say("has the spans that the corrections teach");
}

function listenToTeaching() {
  $("#teach").addEventListener("click", () => openTeaching().catch(fail));
  $("#teach-start").addEventListener("click", () => startTeaching().catch(fail));
  $("#teach-show").addEventListener("click", () => showChanged().catch(fail));
}
