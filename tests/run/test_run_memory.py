"""Memory does not grow with the number of rows."""

import gc
import tracemalloc

import pytest
from toy_bitext import EqualWords, batches_of, project

from spanbridge.core import files as text_files

TAGS = ["B-PER", "I-PER", "O", "B-LOC"]


class Forgetful(EqualWords):
    """Keeps no record of its calls."""

    def align(self, pairs):
        self.calls.clear()
        return super().align(pairs)


def generate(folder, n_rows):
    """A bitext without a repeated word, two spans a row; and its links."""
    source, target, links = (folder / name for name in ("s.conll", "t.txt", "links.pharaoh"))
    with source.open("w") as s, target.open("w") as t:
        for row in range(n_rows):
            words = [f"w{row}x{i}" for i in range(len(TAGS))]
            s.write("".join(map("{}\t{}\n".format, words, TAGS)) + "\n")
            t.write(" ".join(words) + "\n")
    links.write_text("0-0 1-1 2-2 3-3\n" * n_rows)
    return str(source), str(target), str(links)


def peak(folder, n_rows, given):
    """Most bytes held at once while a generated bitext is projected."""
    source, target, links = generate(folder, n_rows)
    gc.collect()
    tracemalloc.start()
    try:
        how = {"links": links} if given else {"aligner": Forgetful()}
        run = project(source, target, str(folder / "out.conll"), least_parallel=0, **how)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert run.account.n_target_spans == 2 * n_rows
    return most


@pytest.mark.slow
@pytest.mark.parametrize(("given", "few", "many"), [(True, 600, 2_600), (False, 600, 2_600)])
def test_memory_is_bounded(given, few, many, tmp_path, monkeypatch):
    """Measured: 1.4 MB each. Rows held back would take about 1 kB each: 2 MB more."""
    monkeypatch.setattr(text_files, "_BATCH_BYTES", 1 << 14)  # a fraction of the smaller files
    batches_of(monkeypatch, 128)
    peak(tmp_path, 100, given)  # imports and caches
    small, large = peak(tmp_path, few, given), peak(tmp_path, many, given)
    assert small < 2_000_000
    assert large < small + 400_000
