// Mouse, pen and finger: words are chosen by drawing over them, edges are moved by their handles.

const FAR = 3; // how much further lines apart are than words, to find the nearest
const handles = ["start", "end"].map((edge) => el(`i.handle.${edge}`, { "data-edge": edge, "aria-hidden": "true" }));

function placeHandles(pieces, dir) {
  const pair = $("#pair");
  if (now.hand === undefined || !pieces.length) {
    handles.forEach((handle) => handle.remove());
    return;
  }
  const rects = [pieces[0].element.getClientRects()[0], [...pieces.at(-1).element.getClientRects()].at(-1)];
  handles.forEach((handle, n) => {
    if (!rects[n]) return;
    stand(handle, rects[n], (n === 1) === (dir === "ltr"));
    if (handle.parentElement !== pair) pair.append(handle);
  });
}

// Rectangles of the units of the target; fine ones are looked for inside the words.
function boxes(fine) {
  return drawnTarget.flatMap(({ a, b, element }) => {
    if (!fine) return [...element.getClientRects()].map((rect) => ({ a, b, rect }));
    let at = 0;
    const node = element.firstChild;
    return charactersOf(now.row.target, [a, b]).flatMap(([from, to]) => {
      const range = document.createRange();
      range.setStart(node, at);
      at += between(now.row.target, [from, to]).length;
      range.setEnd(node, at);
      return [...range.getClientRects()].map((rect) => ({ a: from, b: to, rect }));
    });
  });
}

// The unit nearest to a point, its rectangle, and whether the point lies in the second half of it.
function nearest(x, y, fine) {
  const off = (from, to, at) => Math.max(from - at, 0, at - to);
  let best;
  for (const box of boxes(fine && now.row.raw)) {
    const { left, right, top, bottom } = box.rect;
    const distance = off(left, right, x) + FAR * off(top, bottom, y);
    if (!best || distance < best.distance) best = { ...box, distance };
  }
  if (!best) return undefined;
  const later = (x > (best.rect.left + best.rect.right) / 2) === ($("#target").dir === "ltr");
  return { unit: [best.a, best.b], rect: best.rect, later };
}

// Places of the span in hand with an edge where the pointer is; the text stays as it is drawn, so
// that nothing moves under the pointer, and only the handle goes along.
function dragTo(handle, edge, event) {
  const found = nearest(event.clientX, event.clientY, event.altKey);
  if (!found) return;
  const { unit, later, rect } = found;
  const [a, b] = inHand();
  const { target } = now.row;
  let place = edge === "end" ? unit[1] : unit[0];
  if (edge === "end" && !later) place = stepped(target, "end", place, -1, event.altKey) ?? place;
  if (edge === "start" && later) place = stepped(target, "start", place, 1, event.altKey) ?? place;
  const moved = edge === "end" ? [a, place] : [place, b];
  if (moved[0] >= moved[1]) return;
  now.moving = moved;
  stand(handle, rect, later === ($("#target").dir === "ltr"));
  for (const piece of drawnTarget) {
    piece.element.classList.toggle("held", moved[0] < piece.b && piece.a < moved[1]);
  }
}

// Puts a handle at one side of a rectangle.
function stand(handle, rect, right) {
  const box = $("#pair").getBoundingClientRect();
  handle.style.left = `${(right ? rect.right : rect.left) - box.left}px`;
  handle.style.top = `${rect.top - box.top}px`;
  handle.style.height = `${rect.height}px`;
}

function listenToHandles() {
  for (const handle of handles) {
    const { edge } = handle.dataset;
    handle.addEventListener("pointerdown", (event) => {
      if (locked()) return;
      event.preventDefault();
      event.stopPropagation();
      handle.setPointerCapture(event.pointerId);
      now.moving = inHand().slice(0, 2);
    });
    handle.addEventListener("pointermove", (event) => {
      if (now.moving) dragTo(handle, edge, event);
    });
    handle.addEventListener("pointerup", () => {
      const place = now.moving;
      if (!place) return;
      now.moving = undefined;
      placeEdge(edge, place[edge === "start" ? 0 : 1]);
      drawTarget();
    });
    handle.addEventListener("pointercancel", () => {
      now.moving = undefined;
      drawTarget();
    });
  }
}

// A tap takes the innermost span there, and the next outer one each further time; drawing chooses.
function listenToTarget() {
  const pair = $("#pair");
  let from;
  pair.addEventListener("pointerdown", (event) => {
    if (!event.target.closest("#target") || event.button) return;
    from = nearest(event.clientX, event.clientY, event.altKey)?.unit;
    $("#target").focus({ preventScroll: true });
    if (from) pair.setPointerCapture(event.pointerId);
  });
  pair.addEventListener("pointermove", (event) => {
    if (!from) return;
    const to = nearest(event.clientX, event.clientY, event.altKey)?.unit;
    if (!to || (to[0] === from[0] && !now.caret)) return;
    now.hand = undefined;
    now.caret = { from, to };
    drawTarget();
  });
  pair.addEventListener("pointerup", () => {
    if (!from) return;
    const unit = from;
    from = undefined;
    if (now.caret && now.caret.to !== now.caret.from && now.caret.from === unit && now.hand === undefined) {
      say(`chosen: ${quoted(chosen())}`);
      return;
    }
    tap(unit);
  });
  pair.addEventListener("pointercancel", () => { from = undefined; });
}

function tap(unit) {
  const around = spansOf(now.row).map(([a, b], n) => ({ n, a, b })).filter(({ a, b }) => a <= unit[0] && unit[1] <= b);
  around.sort((x, y) => (x.b - x.a) - (y.b - y.a));
  if (!around.length) {
    now.hand = undefined;
    now.caret = { from: unit, to: unit };
    drawTarget();
    return;
  }
  const at = around.findIndex(({ n }) => n === now.hand);
  takeSpan(around[(at + 1) % around.length].n);
}

window.addEventListener("resize", () => now.row && !now.row.error && drawTarget());
