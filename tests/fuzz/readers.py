"""Fuzzer of everything that reads rows: formats, pairs of files, links, tags and translations."""

import io
import sys
import tempfile
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

from spanbridge.core import registry
from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.rows import SentencePair
from spanbridge.core.tags import ORPHAN_POLICIES, SCHEMES
from spanbridge.formats import Reading, read_labelled, read_pairs, read_rows
from spanbridge.formats.jsonl import read_jsonl
from spanbridge.formats.lookup import named_format
from spanbridge.formats.pharaoh import read_gold_links, read_links
from spanbridge.formats.reading import has_labels, read_sentences
from spanbridge.formats.shard_files import read_shard, write_shard
from spanbridge.tagging.given import GivenTagger
from spanbridge.training.training_sets import Filter, read_set
from spanbridge.translation.given import GivenTranslator

from . import harness, seeds
from .harness import Target
from .mutations import mutated

DEFAULT = 10_000


def _reading(rng: Random) -> Reading:
    columns = [None, None, None, 1, 2, 3, 7, "Word", "x"]
    return Reading(
        rng.choice(list(SCHEMES)),
        rng.choice(list(ORPHAN_POLICIES)),
        rng.random() < 0.8,
        rng.random() < 0.5,
        word_column=rng.choice(columns),
        tag_column=rng.choice(columns),
        text_column=rng.choice([None, None, "x", "en:de"]),
    )


def _usual(path: Path, rng: Random) -> Reading:
    """The usual settings for a valid file, any for a mutated one."""
    return _reading(rng) if rng.random() < 0.5 else Reading()


def through_files(rows: Sequence[SentencePair], folder: Path, sharded: bool) -> None:
    """Write rows that were read, in all formats, and read the lossless ones again."""
    write = named_format("jsonl").writer(out := io.StringIO())
    for row in rows:
        write(row)
    again = folder / "again.jsonl"
    again.write_text(out.getvalue(), "utf-8")
    if rows:
        read = [row for _, row in read_jsonl(again)]
        assert [row.source.words for row in read] == [row.source.words for row in rows]
        assert [row.target.spans for row in read] == [_rounded(row) for row in rows]
        assert [row.extra for row in read] == [row.extra for row in rows]
    if sharded:
        shard = folder / "again.gz"
        write_shard(shard, rows)
        assert read_shard(shard) == list(rows)
    for name in registry.names("format"):
        with (
            tempfile.TemporaryDirectory(dir=folder) as other,
            named_format(name).open(seeds.file_of(name, Path(other)), "target") as write,
        ):
            for row in rows:
                with suppress(SpanbridgeError):
                    write(row)


def _rounded(row: SentencePair) -> tuple[object, ...]:
    return tuple(
        span._replace(score=None if span.score is None else round(span.score, 4))
        for span in row.target.spans
    )


def _rows(path: Path, rng: Random) -> None:
    side = rng.choice(["source", "target"])
    rows = [row for _, row in read_rows(path, side, _usual(path, rng))]
    through_files(rows, path.parent, rng.random() < 0.2)


def _pairs(folder: Path, role: str) -> Callable[[Path, Random], None]:
    def check(path: Path, rng: Random) -> None:
        files = {"source": folder / "s.conll", "target": folder / "t.txt", "links": folder / "l"}
        files[role] = path
        for one_based in (False, True):
            try:
                for _ in read_pairs(**files, how=_usual(path, rng), one_based=one_based):
                    pass
            except SpanbridgeError as error:
                if not any(str(file) in str(error) for file in files.values()):
                    raise ValueError("no file is named") from error

    return check


def _in_memory(path: Path, rng: Random) -> None:
    for _ in read_labelled(path, _usual(path, rng)):
        pass


def _unlabelled(path: Path, rng: Random) -> None:
    has_labels(path)
    for _ in read_sentences(path):
        pass


def _set(path: Path, rng: Random) -> None:
    keep = Filter(rng.random() < 0.5, rng.choice([0, 0.5]), rng.choice([0, 0.5]), True)
    read_set(str(path), keep=keep, labels=rng.choice([None, ["PER"]]))


def _translator(path: Path, rng: Random) -> None:
    GivenTranslator(str(path)).translate(["Anna sings", ""], None, None)  # type: ignore[arg-type]


def _in_zlib(data: bytes, rng: Random, valid: list[bytes]) -> bytes:
    """A DocBin whose content is mutated, rather than its packing."""
    return zlib.compress(mutated(zlib.decompress(data), rng, [*map(zlib.decompress, valid)]))


def targets(folder: Path) -> list[Target]:
    """Everything that reads rows."""
    (folder / "s.conll").write_bytes(b"Anna\tB-PER\nsings\tO\n\nin\tO\n\n\nParis\tB-LOC\n")
    (folder / "t.txt").write_bytes(b"Anna chante\ndans\n\nParis\n")
    (folder / "l").write_bytes(b"0-0 1-1\n0-0\n\n0-0\n")
    found = []
    formats = seeds.of_formats()
    for name, suffix, contents in formats:
        found.append(Target(f"format {name}", f"{name}-rows{suffix}", contents, _rows))
        if name == "brat":
            (folder / "brat-rows.txt").write_text(seeds.BRAT_TEXT, "utf-8")
    both = seeds.written("jsonl")
    every = sorted({one for _, _, contents in formats for one in contents})
    conll, three = seeds.CONLL[:2], [b"a\tB-X\n\nb\tO\n\n\nc\tO\n"]
    found += [
        Target("sniffed", "rows.dat", every, _unlabelled),
        Target("sniffed text", "rows.txt", every, _unlabelled),
        Target("labelled", "rows.bio", conll, _in_memory),
        Target("source of two files", "s2.conll", three, _pairs(folder, "source")),
        Target("target of two files", "t2.txt", [b"a\nb\n\nc d\n"], _pairs(folder, "target")),
        Target("links of two files", "l2", [b"0-0 1-1\n0-0\n\n0-0:0.5\n"], _pairs(folder, "links")),
        Target("links", "x.links", seeds.LINKS, lambda path, rng: [*read_links(path)]),
        Target("gold links", "x.gold", seeds.GOLD, lambda path, rng: [*read_gold_links(path)]),
        Target("given tags", "g.jsonl", both, lambda path, rng: GivenTagger(str(path))),
        Target("given CoNLL", "g.conll", conll, lambda path, rng: GivenTagger(str(path))),
        Target("given translations", "g.tsv", seeds.GIVEN, _translator),
        Target("DocBin, unpacked", "x.spacy", seeds.written("spacy"), _rows, _in_zlib),
        Target("training set", "set.jsonl", both, _set),
        Target("training set, CoNLL", "set.conll", conll, _set),
    ]  # fmt: skip
    return found


def main(argv: Sequence[str]) -> int:
    """Run the fuzzer; returns the exit code."""
    return harness.main("readers", targets, DEFAULT, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
