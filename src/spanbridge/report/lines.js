// Lines between linked words of two sentences.

const SVG = "http://www.w3.org/2000/svg";

// From the foot of the source word to the head of the target word.
function lineOf([from, to], box) {
  if (!from || !to) return "";
  const round = (n) => Math.round(n * 10) / 10;
  const [x, y] = [from.x + from.width / 2 - box.x, from.bottom - box.y].map(round);
  const [u, v] = [to.x + to.width / 2 - box.x, to.top - box.y].map(round);
  const bend = (v - y) / 2;
  return `M${x} ${y}C${x} ${y + bend} ${u} ${v - bend} ${u} ${v}`;
}

// Draws lines anew: each joins two words, may have the class of a label, and may be weak.
function paint(pair, lines) {
  const box = pair.getBoundingClientRect();
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("aria-hidden", "true");
  const paths = lines.map(({ ends, label, weak }) => {
    const rects = ends.map((word) => [...word.getClientRects()]);
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", lineOf([rects[0].at(-1), rects[1][0]], box));
    if (label) path.classList.add(label);
    path.classList.toggle("weak", weak);
    svg.append(path);
    return path;
  });
  $("svg", pair)?.remove();
  if (lines.length) pair.prepend(svg);
  return paths;
}
