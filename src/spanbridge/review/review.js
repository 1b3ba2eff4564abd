// The page: its keys, filters, what others do meanwhile, and how it starts.

const BEAT = 4000; // milliseconds between two questions what others do
const KEYS = [
  ["Enter", "accept the row as it is now, and go to the next open one"],
  ["t / s", "the translation is wrong / the source is wrong"],
  ["d / r", "don’t know: skip / reopen"],
  ["j / k", "next / previous row of the list (also Page Down, Page Up)"],
  ["o", "next open row"],
  ["n / p", "take the next / previous span in hand"],
  ["← →", "move the end of the span in hand by a word, or by a character where no spaces are written"],
  ["Shift ← →", "move its start; without a span in hand: choose words"],
  ["Alt", "with these: by a character in any script (also while you drag)"],
  ["1 … 9, l", "label of the span in hand, or of a new span over what is chosen; l: any label"],
  ["Delete", "delete the span in hand"],
  ["Escape", "let go of the span; then the arrow keys move a caret, to choose words"],
  ["u, Shift u", "undo / redo (also Ctrl Z, Ctrl Y); where this page has done nothing yet, what was done before to this row"],
  ["c", "comment; Escape goes back"],
  ["/, f, g", "search / filters / go to a row by its number"],
  ["Shift t", "teach: project the other rows anew by the corrections"],
  ["e", "take the spans that the corrections teach"],
  ["w", "write the result, if a file was named"],
  ["?", "this list"],
];
let about;
let since = 0; // others' actions that are known
let shown = 0; // rows that were asked for, since a later one may come sooner

function fail(error) {
  const problem = $("#problem");
  problem.hidden = false;
  problem.textContent = error.status === 403
    ? "The address is not complete, or of a review that has ended; take the one that the command tells."
    : `That did not work: ${error.message}`;
}

async function showRow(number, at) {
  shown += 1;
  const turn = shown;
  const row = await fetchRow(number);
  if (turn !== shown) return;
  if (row !== now.row) Object.assign(now, { row, hand: undefined, caret: undefined, moving: undefined, holder: undefined });
  if (at === undefined) {
    const found = await ask("/place", { list: list.name, row: number });
    if (found.at !== null) {
      list.active = found.at;
      await drawList();
    }
  }
  banner();
  tellHolder();
  drawCard();
  if (!$("#side").contains(document.activeElement) || document.activeElement.id === "list") $("#card").focus({ preventScroll: true });
  document.body.classList.remove("listing");
  say(`row ${number}, ${row.error ? "cannot be read" : STATUS_NAMES[row.state.status]}`);
  beat().catch(() => {});
}

// Labels, counts and names, which any action may change.
function learn({ labels, counts, people, last, teaching }) {
  about.last = last;
  tellTeaching(teaching);
  const before = summary.labels.map(({ name }) => name);
  const names = new Set(labels.map(({ name }) => name));
  const own = summary.labels.filter(({ name }) => !names.has(name));
  // keys of labels stay as they are while the page is open
  const known = before.map((name) => labels.find((label) => label.name === name)).filter(Boolean);
  summary.labels = [...known, ...labels.filter(({ name }) => !before.includes(name)), ...own];
  const all = Object.values(counts).reduce((a, b) => a + b, 0);
  const done = all - counts[""] - counts.started;
  $("#progress i").style.width = `${(100 * done) / all}%`;
  $("#progress").setAttribute("aria-label", `${done} of ${all} rows are done`);
  $("#done").textContent = `${count(done)} of ${count(all)} done`;
  options("#label", [["", "any"], ...summary.labels.map(({ name }) => [name, name])]);
  options("#by", [["", "anybody"], ...people.map((name) => [name, name])]);
  const statuses = about.statuses.filter(Boolean).map((status) => [status, `${STATUS_NAMES[status]} (${count(counts[status])})`]);
  options("#status", [["any", "any"], ["open", `not done (${count(all - done)})`], ...statuses]);
}

function options(selector, wanted) {
  const node = $(selector);
  const { value } = node;
  const text = JSON.stringify(wanted);
  if (node.dataset.text === text) return;
  node.dataset.text = text;
  node.replaceChildren(...wanted.map(([name, told]) => el("option", { value: name }, told)));
  node.value = wanted.some(([name]) => name === value) ? value : wanted[0][0];
}

// The server has an action on its disk.
function saved(row, reply) {
  const before = summary.labels.length;
  learn(reply);
  if (row === now.row && !waiting(row) && !now.moving) {
    drawHead(row);
    drawTarget();
  }
  if (summary.labels.length !== before) drawPalette();
  drawList().catch(() => {});
}

async function beat() {
  const { row } = now;
  const reply = await send("/beat", { session, by: me(), row: row && !row.error ? row.row : null, since });
  since = reply.last;
  learn(reply);
  if (row !== now.row) return;
  const before = now.holder;
  now.holder = reply.holder ?? undefined;
  if (before !== now.holder) tellHolder();
  for (const { row: number } of reply.changed) {
    const known = rows.get(number);
    if (known && !known.error && !waiting(known)) await reread_if_other(known);
  }
  if (reply.changed.length) {
    list.parts.clear();
    await drawList();
  }
}

async function reread_if_other(row) {
  const fresh = await ask("/row", { row: row.row });
  if (waiting(row) || fresh.error || fresh.state.n <= row.n) return;
  Object.assign(row, { state: fresh.state, n: fresh.state.n });
  if (row !== now.row) return;
  now.hand = undefined;
  drawCard();
  say(`${row.state.by} has changed this row`);
}

const focusOn = (selector) => { document.body.classList.add("listing"); $(selector).focus(); };

// What keys do; those with a span in hand differ from those without.
const ACTIONS = {
  Enter: () => setStatus("accepted"), t: () => setStatus("rejected-translation"), s: () => setStatus("rejected-source"),
  d: () => setStatus("skipped"), r: () => setStatus(""),
  j: () => goTo(list.active + 1), k: () => goTo(list.active - 1), PageDown: () => goTo(list.active + 1), PageUp: () => goTo(list.active - 1),
  o: goNext, n: () => walkSpans(1), p: () => walkSpans(-1), l: askLabel, Delete: removeSpan, Backspace: removeSpan, Escape: letGo,
  u: undo, U: redo, c: () => $("#comment").focus(), "/": () => focusOn("#find"), f: () => focusOn("#sort"), g: () => focusOn("#go"),
  T: openTeaching, e: takeTaught, w: write_result, "?": () => $("#help").showModal(),
};

function arrow(event) {
  const step = (event.key === "ArrowRight" ? 1 : -1) * ($("#target").dir === "rtl" ? -1 : 1);
  if (now.hand !== undefined) moveEdge(event.shiftKey ? "start" : "end", step, event.altKey);
  else moveCaret(step, event.shiftKey, event.altKey);
}

// What a key means on any keyboard: where it writes no Latin letter, the one in that place.
function meaning({ key: name, code, shiftKey }) {
  if (name.length > 1 || /[ -~]/.test(name)) return name;
  if (code === "Slash") return shiftKey ? "?" : "/";
  const letter = code.match(/^(?:Key|Digit)(.)$/)?.[1] ?? name;
  return shiftKey ? letter : letter.toLowerCase();
}

// Enter where a row's number, or what is looked for, was typed.
async function enter(input) {
  const number = Number(input.value);
  if (input.id === "go" && !(number >= 1 && number <= about.rows)) {
    say(`there are rows 1 to ${about.rows}`);
    return;
  }
  $("#card").focus();
  if (input.id === "go") await showRow(number);
  else {
    await find();
    await goTo(0);
  }
}

function key(event) {
  if ($("dialog[open]") || event.isComposing) return;
  const typing = event.target.matches("input, textarea, select");
  if (typing) {
    if (event.key === "Escape") $("#card").focus();
    else if (event.key === "Enter" && event.target.matches("#go, #find")) enter(event.target).catch(fail);
    return;
  }
  const { ctrlKey, metaKey, shiftKey, altKey } = event;
  const name = meaning(event);
  if (ctrlKey || metaKey) {
    const again = name.toLowerCase() === "y" || (name.toLowerCase() === "z" && shiftKey);
    if (!again && name.toLowerCase() !== "z") return;
    event.preventDefault();
    (again ? redo : undo)().catch(fail);
    return;
  }
  if (!now.row) return;
  if (event.target.id === "list" && (name === "ArrowDown" || name === "ArrowUp")) {
    event.preventDefault();
    goTo(list.active + (name === "ArrowDown" ? 1 : -1)).catch(fail);
  } else if (name === "ArrowLeft" || name === "ArrowRight") {
    event.preventDefault(); // Alt and an arrow would leave the page
    if (!now.row.error) arrow(event);
  } else if (/^[1-9]$/.test(name) && !altKey) {
    setLabel(summary.labels[name - 1]?.name);
  } else if (ACTIONS[name] && !altKey) {
    if (event.target.matches("button") && name === "Enter") return;
    event.preventDefault();
    Promise.resolve(ACTIONS[name]()).catch(fail);
  }
}

async function write_result() {
  if (!about.output) return;
  $("#saved").textContent = "writing the result…";
  const { told } = await send("/write", {});
  tellSaved();
  say(told);
  banner(el("pre", {}, told));
}

function listen() {
  document.addEventListener("keydown", key);
  const again = () => find().catch(fail);
  let pause;
  $("#filters").addEventListener("input", (event) => {
    if (event.target.id === "go") return;
    clearTimeout(pause);
    pause = setTimeout(again, event.target.matches("[type=search], [type=range]") ? 200 : 0);
  });
  $("#filters").addEventListener("reset", () => setTimeout(again));
  $("#filters").addEventListener("submit", (event) => event.preventDefault());
  $("#list").addEventListener("scroll", () => drawList().catch(fail), { passive: true });
  $("#comment").addEventListener("change", (event) => setComment(event.target.value));
  $("#undo").addEventListener("click", () => undo().catch(fail));
  $("#redo").addEventListener("click", () => redo().catch(fail));
  $("#next").addEventListener("click", () => goTo(list.active + 1).catch(fail));
  $("#previous").addEventListener("click", () => goTo(list.active - 1).catch(fail));
  $("#delete").addEventListener("click", removeSpan);
  $("#write").addEventListener("click", () => write_result().catch(fail));
  $("#help-button").addEventListener("click", () => $("#help").showModal());
  $("#side-button").addEventListener("click", () => {
    const open = document.body.classList.toggle("listing");
    $("#side-button").setAttribute("aria-expanded", open);
    if (open) drawList().catch(fail);
  });
  for (const button of $$("#actions [data-status]")) {
    button.addEventListener("click", () => setStatus(button.dataset.status).catch(fail));
  }
  for (const button of $$("#tools [data-edge]")) {
    button.addEventListener("click", (event) => moveEdge(button.dataset.edge, Number(button.dataset.step), event.altKey));
  }
  $("#label-dialog").addEventListener("close", () => {
    if ($("#label-dialog").returnValue === "ok") setLabel($("#label-input").value.trim());
  });
  listenToTeaching();
  listenToHandles();
  listenToTarget();
}

async function start() {
  about = await ask("/about");
  summary = { labels: [], low: about.low, verdicts: [] };
  $("#who").value = about.annotator;
  $("#write").hidden = !about.output;
  $("#keys").append(el("dl", {}, KEYS.map(([keys, told]) => [el("dt", {}, el("kbd", {}, keys)), el("dd", {}, told)]).flat()));
  learn(about);
  since = about.last;
  listen();
  await find();
  const { at } = await ask("/next", { list: list.name, at: -1, session }); // not where others are
  if (list.length) await goTo(at ?? 0);
  if (about.notes.length) banner(about.notes.join(" "));
  setInterval(() => beat().catch(() => {}), BEAT);
}
start().catch(fail);
