// Unpacks what rows.py and page.py have packed, and names what is in it.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// An element of ours: texts become text, never markup.
function el(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const node = document.createElement(tag);
  if (classes.length) node.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(key, "");
    else if (value !== false && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.flat().filter((child) => (child ?? false) !== false));
  return node;
}

async function unpack(element) {
  const raw = atob(element.textContent);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const value = await new Response(stream).json();
  element.remove(); // the packed text is not needed twice in memory
  return value;
}

let summary; // of all documents: their counts, and the names of labels, statuses and verdicts
const loaded = new Map(); // promises of the rows of each document that has been opened

function rowsOf(n) {
  if (!loaded.has(n)) {
    const blocks = $$(`script.rows-${n}`).map(unpack);
    loaded.set(n, Promise.all(blocks).then((all) => all.flat()));
  }
  return loaded.get(n);
}

// Words and the gaps between them, by turns.
const parts = ({ text }) => (typeof text === "string" ? text.split(/( )/) : text);
const plain = ({ text }) => (typeof text === "string" ? text : text.join(""));
const textOf = (sentence, [start, end]) => parts(sentence).slice(2 * start, 2 * end - 1).join("");
const isError = (verdict) => verdict !== undefined && summary.verdicts[verdict] !== "right";
const isMissed = (verdict) => summary.verdicts[verdict] === "missed";
const count = (number) => number.toLocaleString("en");
const RTL = /(?=\p{L})[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/gu;

// Direction of most letters; HTML's "auto" looks at the first one only.
function direction(text) {
  const rtl = text.match(RTL)?.length ?? 0;
  return rtl && 2 * rtl > text.match(/\p{L}/gu).length ? "rtl" : "ltr";
}

function linksOf(row) {
  return (row.links ?? "").split(" ").filter(Boolean).map((link) => {
    const [ends, score] = link.split(":");
    return { ends: ends.split("-").map(Number), score };
  });
}
