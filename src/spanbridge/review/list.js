// The list of rows: however long it is, only what is seen is fetched and drawn.

const HEIGHT = 54; // pixels of an entry
const TALLEST = 8e6; // pixels; browsers have limits
const PART = 60; // entries that are fetched together
const KEPT_ROWS = 100;
const NEAR = 3; // rows after the one in hand that are fetched before they are asked for

const list = { name: "", length: 0, parts: new Map(), active: -1 };
const rows = new Map(); // rows that have been looked at, by number

const tall = () => Math.min(list.length * HEIGHT, TALLEST);

// Place of the row in hand in a list; -1 if it is not there.
async function placeOf(name) {
  return now.row ? (await ask("/place", { list: name, row: now.row.row })).at ?? -1 : -1;
}

async function find() {
  const form = Object.fromEntries(["label", "status", "by", "sort"].map((name) => [name, $(`#${name}`).value]));
  const below = Number($("#below").value);
  $("#below-value").textContent = below < 1 ? below.toFixed(2) : "any";
  const query = { ...form, text: $("#find").value, below, changed: $("#changed").checked };
  const asked = await send("/find", query);
  Object.assign(list, { name: asked.list, length: asked.length, parts: new Map(), active: await placeOf(asked.list) });
  $("#spacer").style.height = `${tall()}px`;
  $("#list").scrollTop = 0;
  $("#list").removeAttribute("aria-activedescendant");
  const all = list.length === about.rows ? "" : ` of ${count(about.rows)}`;
  $("#matching").textContent = `${count(list.length)}${all} row${list.length === 1 && !all ? "" : "s"}`;
  await drawList();
}

// Entries from a place on; those of a server that was started anew come from a list made anew.
async function part(n) {
  if (!list.parts.has(n)) {
    const { name } = list;
    const fetched = ask("/part", { list: name, from: n * PART, length: PART }).then(async (reply) => {
      if (reply.rows) return reply.rows;
      if (list.name === name) await find();
      return [];
    });
    list.parts.set(n, fetched);
    fetched.catch(() => list.parts.delete(n));
  }
  return list.parts.get(n);
}

async function entry(at) {
  return (await part(Math.floor(at / PART)))[at % PART];
}

// First place that is seen; in very long lists a pixel is more than its share of an entry.
function firstSeen() {
  const node = $("#list");
  const seen = Math.ceil(node.clientHeight / HEIGHT);
  const most = tall() - node.clientHeight;
  return most > 0 ? Math.round((node.scrollTop / most) * Math.max(0, list.length - seen)) : 0;
}

async function drawList() {
  const node = $("#list");
  const first = firstSeen();
  const seen = Math.ceil(node.clientHeight / HEIGHT) + 1;
  const places = Array.from({ length: Math.max(0, Math.min(seen, list.length - first)) }, (_, n) => first + n);
  const { name } = list;
  const entries = await Promise.all(places.map(entry));
  if (list.name !== name || firstSeen() !== first) return;
  const top = Math.min(node.scrollTop, tall() - Math.min(tall(), places.length * HEIGHT));
  $$(".entry", node).forEach((old) => old.remove());
  places.forEach((at, n) => entries[n] && node.append(entryNode(entries[n], at, Math.max(0, top) + n * HEIGHT)));
  node.setAttribute("aria-activedescendant", `entry-${list.active}`);
}

function entryNode({ row, id, text, sure, status, by, change }, at, top) {
  const attributes = {
    id: `entry-${at}`, role: "option", "aria-selected": String(at === list.active), "aria-setsize": list.length, "aria-posinset": at + 1, dir: direction(text),
  };
  const known = rows.get(row)?.state;
  const shown = known ? known.status : status;
  const told = el("span.line", { dir: "ltr" }, el("span.state", { "data-status": shown }, `${STATUS_SIGNS[shown]}`, el("span.sr", {}, ` ${STATUS_NAMES[shown]}`)),
    el("bdi.id", {}, id), (known?.by ?? by) && el("bdi.muted", {}, known?.by ?? by), el("span.sure", {}, sure === null ? "" : sure.toFixed(2)));
  const line = change && $("#changed").checked ? differences(change.lost, change.gained) : [text || "(no words)"];
  const node = el("div.entry", attributes, told, el("span.text", {}, ...line));
  node.style.top = `${top}px`;
  node.addEventListener("click", () => goTo(at).catch(fail));
  return node;
}

// Makes a place of the list the row in hand.
async function goTo(at) {
  if (at < 0 || at >= list.length) {
    say(at < 0 ? "this is the first row" : "this is the last row");
    return;
  }
  const found = await entry(at);
  if (!found) return;
  list.active = at;
  await showRow(found.row, at);
  const node = $("#list");
  const most = tall() - node.clientHeight;
  const seen = Math.floor(node.clientHeight / HEIGHT);
  const first = firstSeen();
  if (at < first || at >= first + seen) {
    const wanted = Math.max(0, Math.min(list.length - seen, at - Math.floor(seen / 3)));
    node.scrollTop = list.length > seen ? (wanted / (list.length - seen)) * most : 0;
  }
  await drawList();
  for (let n = at + 1; n <= at + NEAR && n < list.length; n += 1) {
    entry(n).then((near) => near && fetchRow(near.row)).catch(() => {});
  }
}

async function goNext() {
  const { at } = await ask("/next", { list: list.name, at: list.active, session });
  if (at === null) say("every row of this list is done");
  else await goTo(at);
}

// A row as the server knows it, kept for a while with what was done to it here.
async function fetchRow(number) {
  if (!rows.has(number)) {
    const row = await ask("/row", { row: number });
    if (rows.has(number)) return rows.get(number);
    if (!row.error) {
      row.n = row.state.n;
      cut(row.source, true);
      cut(row.target, row.raw);
    }
    rows.set(number, row);
    for (const [old, kept] of rows) {
      if (rows.size <= KEPT_ROWS) break;
      if (kept !== now.row && !waiting(kept)) rows.delete(old);
    }
  }
  return rows.get(number);
}

// Reads a row again, unless something that was done to it here is not saved yet.
async function reread(row) {
  const fresh = await ask("/row", { row: row.row });
  if (waiting(row) || fresh.error) return;
  row.state = fresh.state;
  row.n = fresh.state.n;
  if (row === now.row) {
    now.hand = undefined;
    drawCard();
  }
}
