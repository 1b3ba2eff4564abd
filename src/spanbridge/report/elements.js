// Elements, texts and their directions: what both pages are made with.

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

// Labels with their colours, the score that counts as low, names of verdicts.
let summary;

// Words and the gaps between them, by turns.
const parts = ({ text }) => (typeof text === "string" ? text.split(/( )/) : text);
const plain = ({ text }) => (typeof text === "string" ? text : text.join(""));
const textOf = (sentence, [start, end]) => parts(sentence).slice(2 * start, 2 * end - 1).join("");
const count = (number) => number.toLocaleString("en");
const UNSPACED = /\p{sc=Han}|\p{sc=Hira}|\p{sc=Kana}|\p{sc=Thai}|\p{sc=Lao}|\p{sc=Khmr}|\p{sc=Mymr}|\p{sc=Tibt}/u;
const RTL = /(?=\p{L})[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/gu;

// Direction of most letters; HTML's "auto" looks at the first one only.
function direction(text) {
  const rtl = text.match(RTL)?.length ?? 0;
  return rtl && 2 * rtl > text.match(/\p{L}/gu).length ? "rtl" : "ltr";
}
