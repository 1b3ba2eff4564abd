// Unpacks what rows.py and page.py have packed.

async function unpack(element) {
  const raw = atob(element.textContent);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const value = await new Response(stream).json();
  element.remove(); // the packed text is not needed twice in memory
  return value;
}

const loaded = new Map(); // promises of the rows of each document that has been opened

function rowsOf(n) {
  if (!loaded.has(n)) {
    const blocks = $$(`script.rows-${n}`).map(unpack);
    loaded.set(n, Promise.all(blocks).then((all) => all.flat()));
  }
  return loaded.get(n);
}

function linksOf(row) {
  return (row.links ?? "").split(" ").filter(Boolean).map((link) => {
    const [ends, score] = link.split(":");
    return { ends: ends.split("-").map(Number), score };
  });
}
