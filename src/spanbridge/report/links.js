// Lines between linked words: always where both sentences stand in one line, else for the row that
// is pointed at or focused; and what the word pointed at is linked to.

const drawn = new WeakMap(); // words and links of each row on the page
let active; // the row pointed at, or else focused
let hot = []; // the word pointed at, then what it is linked to

function watch(node, row) {
  const words = [$$(".src .w", node), $$(".tgt .w", node)];
  const links = linksOf(row).filter(({ ends }) => ends.every((n, side) => words[side][n]));
  drawn.set(node, { pair: $(".pair", node), words, links, paths: [] });
  for (const sentence of $$(".linked .sent", node)) {
    const word = $(".w", sentence);
    if (word) word.tabIndex = 0;
  }
  if (links.length) near.observe(node);
}

const wraps = ({ words }) => words.some((side) => side.length
  && [...side.at(-1).getClientRects()].at(-1)?.top > side[0].getClientRects()[0]?.bottom);

function draw(node) {
  const parts = drawn.get(node);
  if (!parts?.links.length) return;
  const { pair, words, links } = parts;
  const wrapped = wraps(parts);
  const shown = !wrapped || node === active;
  parts.paths = paint(pair, shown ? links.map(({ ends: [i, j], score }) => {
    const ends = [words[0][i], words[1][j]];
    const [a, b] = ends.map((word) => word.closest("mark"));
    return {
      ends,
      label: a && b && a.dataset.l === b.dataset.l ? a.classList[0] : "",
      weak: Number(score ?? 1) < summary.low,
    };
  }) : []);
  parts.paths.forEach((path, n) => { path.dataset.ends = links[n].ends.join("-"); });
  node.classList.toggle("wraps", wrapped);
  if (hot[0] && node.contains(hot[0])) heat(hot[0]);
}

const resized = new ResizeObserver((entries) => entries.forEach(({ target }) => draw(target.parentElement)));
const near = new IntersectionObserver((entries) => entries.forEach(({ target, isIntersecting }) => {
  const { pair } = drawn.get(target);
  if (isIntersecting) resized.observe(pair);
  else resized.unobserve(pair);
}), { rootMargin: "300px" });

function activate(node) {
  if (node === active) return;
  const before = active;
  active = node;
  if (before?.isConnected) draw(before);
  if (node) draw(node);
}

// Pointing at a word, or walking there with the arrow keys, shows what it is linked to.
function heat(word) {
  hot.forEach((element) => element.classList.remove("hot"));
  hot = [];
  const parts = word && drawn.get(word.closest(".row"));
  if (!parts?.links.length) return;
  const { words, links, paths } = parts;
  const side = word.closest(".src") ? 0 : 1;
  const index = words[side].indexOf(word);
  const mine = links.map((_, n) => n).filter((n) => links[n].ends[side] === index);
  const others = mine.map((n) => words[1 - side][links[n].ends[1 - side]]);
  hot = [word, ...others, ...mine.map((n) => paths[n]).filter(Boolean)];
  hot.forEach((element) => element.classList.add("hot"));
  if (document.activeElement === word) {
    const linked = others.map((other) => other.textContent).join(", ");
    $("#said").textContent = linked ? `linked to ${linked}` : "not linked";
  }
}

function point(event) {
  const focused = document.activeElement?.closest(".row");
  activate(event.target.closest?.(".row") ?? focused ?? undefined);
  heat(event.target.closest?.(".w"));
}
document.addEventListener("pointerover", point);
document.addEventListener("focusin", point);

// The arrow keys walk from word to word.
document.addEventListener("keydown", (event) => {
  const word = event.target.closest?.(".w");
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!word || !step) return;
  const sentence = word.closest(".sent");
  const words = $$(".w", sentence);
  const next = words[words.indexOf(word) + (sentence.dir === "rtl" ? -step : step)];
  if (!next) return;
  event.preventDefault();
  word.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
});

document.addEventListener("toggle", (event) => {
  const list = event.target;
  if (!list.matches?.(".list") || !list.open) return;
  const { words, links } = drawn.get(list.closest(".row"));
  $("ul", list).replaceChildren(...links.map(({ ends: [i, j], score }) => {
    const names = [words[0][i], words[1][j]].map((word) => el("bdi", {}, word.textContent));
    return el("li", {}, names[0], " – ", names[1], score === undefined ? "" : ` ${score}`);
  }));
}, true);
