// Talks with the server. Actions are sent one after the other, and again until they are saved.

const token = new URLSearchParams(location.search).get("token") ?? "";
const session = [...crypto.getRandomValues(new Uint8Array(12))].map((n) => n.toString(16).padStart(2, "0")).join("");
const RETRY = 1500; // milliseconds
const queue = []; // actions that the server has not confirmed
let asked = 0; // actions so far
let sending = false;

async function request(path, options) {
  const answer = await fetch(path, { ...options, headers: { "X-Review-Token": token, ...options.headers } });
  const value = await answer.json();
  if (answer.ok) return value;
  throw Object.assign(new Error(value.error), { status: answer.status, value });
}

const ask = (path, values = {}) => request(`${path}?${new URLSearchParams(values)}`, {});
const send = (path, value, more = {}) => request(path, {
  method: "POST", body: JSON.stringify(value), headers: { "Content-Type": "application/json" }, ...more,
});

// What stands in the place of "saved": nothing says so before the server has it on the disk.
function tellSaved(trouble) {
  const node = $("#saved");
  const n = queue.length;
  const text = trouble ? `NOT SAVED (${count(n)}): ${trouble}` : n ? "saving…" : "all saved";
  if (node.textContent !== text) node.textContent = text;
  node.className = trouble ? "bad" : "";
}

// An action on a row that is known: sent as soon as those before it are saved.
function enqueue(row, action) {
  asked += 1;
  const body = { session, key: `${session}-${asked}`, by: me(), row: row.row, ...action };
  queue.push({ row, body });
  tellSaved();
  flush();
}

async function flush() {
  if (sending) return;
  sending = true;
  while (queue.length) {
    const { row, body } = queue[0];
    try {
      const reply = await send("/act", { ...body, was: row.n });
      queue.shift();
      document.body.dataset.saved = row.n = reply.state.n;
      if (!waiting(row)) row.state = reply.state;
      tellSaved();
      saved(row, reply);
    } catch (error) {
      if (error.status === 409 || error.status === 400) refuse(row, error);
      else {
        tellSaved(error.status ? error.message : "the server does not answer; it is tried again");
        await new Promise((done) => setTimeout(done, RETRY));
      }
    }
  }
  sending = false;
}

const waiting = (row) => queue.some((one) => one.row === row);

// The server will not have it: what the row had waiting is taken back, and its state is shown.
function refuse(row, error) {
  const own = row.state;
  const mine = queue.filter((one) => one.row === row);
  mine.forEach((one) => queue.splice(queue.indexOf(one), 1));
  tellSaved();
  refused(row, error, own);
}

window.addEventListener("beforeunload", (event) => {
  if (queue.length) event.preventDefault();
});
window.addEventListener("pagehide", () => {
  send("/beat", { session, by: me(), row: null, since: 0 }, { keepalive: true }).catch(() => {});
});
