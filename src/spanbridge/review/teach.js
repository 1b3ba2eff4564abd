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

function drawTeaching({ state, why, output, corrections, replaces, doing, done, total, unit, error, changed, said }) {
  const running = state === "running";
  const told = why ?? [
    "All rows that nobody has accepted or corrected are projected anew, under the settings that this file was made with and by what the corrections show. ",
    "The result goes to ", el("bdi", {}, output), replaces ? " (which is there already, and is replaced)" : "", ", the corrected rows to ", el("bdi", {}, corrections),
    ". This file and all that was reviewed stay as they are.",
  ];
  $("#teaching-told").replaceChildren(...[told].flat());
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
    drawTeaching({ ...(await ask("/teaching")), state: "failed", error: error.message });
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
