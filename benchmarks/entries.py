"""Entries of the leaderboard that are made here: aligners of others, with the paper's heuristic.

Prints: the files that it writes, `leaderboard/SYSTEM/SET.jsonl`: spans without text.
Takes: about ten minutes of one core. Needs simalign (with the embedded encoder's weights, layer 7,
    itermax), and eflomal (both directions, intersected) on the PATH.
Data: what `spanbridge study studies/leaderboard.yaml --write-inputs FOLDER` wrote.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.encoding import LAYER, quiet
from benchmarks.projection import plain_heuristic
from spanbridge import SentencePair, Span
from spanbridge.core.files import atomic_output
from spanbridge.encode.export import export_embedded
from spanbridge.formats import read_rows
from spanbridge.formats.tokens import spans_in_text
from spanbridge.projection.method import in_order

FOLDER = Path("leaderboard")
WAYS = ("forward", "reverse")
Links = list[tuple[int, int]]


def simalign(pairs: Sequence[SentencePair]) -> Iterable[Links]:
    """Links of SimAlign."""
    from simalign import SentenceAligner

    quiet()
    aligner = SentenceAligner(
        model=str(export_embedded()), token_type="bpe", matching_methods="i", layer=LAYER
    )
    for pair in pairs:
        both = list(pair.source.words), list(pair.target.words)
        yield aligner.get_word_aligns(*both)["itermax"]


def eflomal(pairs: Sequence[SentencePair]) -> Iterable[Links]:
    """Links of eflomal, which learns them from these pairs alone."""
    program = shutil.which("eflomal-align")
    if program is None:
        raise SystemExit("eflomal-align is not on the PATH; pip install eflomal")
    with TemporaryDirectory() as name:
        folder = Path(name)
        for side in ("source", "target"):
            lines = (" ".join(pair.side(side).words).lower() + "\n" for pair in pairs)
            (folder / side).write_text("".join(lines), encoding="utf-8")
        files = zip(("-s", "-t", "-f", "-r"), ("source", "target", *WAYS), strict=True)
        options = [part for option, file in files for part in (option, f"{name}/{file}")]
        subprocess.run([program, *options], check=True, capture_output=True)
        both = [(folder / way).read_text("utf-8").splitlines() for way in WAYS]
    for forward, reverse in zip(*both, strict=True):
        common = set(forward.split()) & set(reverse.split())
        yield sorted((int(i), int(j)) for i, j in (link.split("-") for link in common))


ALIGNERS: dict[str, Callable[[Sequence[SentencePair]], Iterable[Links]]] = {
    "simalign": simalign,
    "eflomal": eflomal,
}


def spans_of(pair: SentencePair, links: Links) -> list[list[int | str]]:
    """Spans that the heuristic finds: in words, or in characters of raw text."""
    found = plain_heuristic(in_order(pair.source.spans), links, len(pair.target.words))
    target = pair.target.with_spans(tuple(Span(*span) for span in found))
    spans = target.spans if target.text is None else spans_in_text(target)
    return [[span.start, span.end, span.label] for span in spans]


def main(aligners: Sequence[str] = tuple(ALIGNERS), inputs: str = "inputs") -> None:
    """Write the entries."""
    for name in aligners:
        for path in sorted(Path(inputs).glob("*.jsonl")):
            pairs = [row for _, row in read_rows(path)]
            output = FOLDER / f"{name}-heuristic" / path.name
            output.parent.mkdir(parents=True, exist_ok=True)
            with atomic_output(output) as out:
                for pair, links in zip(pairs, ALIGNERS[name](pairs), strict=True):
                    out.write(json.dumps({"id": pair.id, "spans": spans_of(pair, links)}) + "\n")
            print(output, flush=True)
