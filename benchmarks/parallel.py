"""Rows taken for no translations, in true bitexts and in ones of which a part is shifted by one.

Prints: for each data set and aligner, the percentage of rows below the least score: of the data as
    they are; and of a copy of which the targets of the middle half are those of the rows after, as
    by a line lost and another added: of its true rows, and of its shifted ones. All learn from the
    copy that they project. Rows are judged alike whatever the method, and alike with ``encoder``
    and ``fused``. ``links``: those of the aligner ``statistical``, as given ones, without an
    aligner.
Takes: some three minutes on two cores.
Data: Europarl-NER dev, MasakhaNER2 with human translations, machine-translated CoNLL-2003.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.real_data import conll_mt, europarl, masakhaner_parallel
from spanbridge import SentencePair, api
from spanbridge.alignment.base import Aligner
from spanbridge.alignment.encoder_aligner import EncoderAligner
from spanbridge.alignment.statistical import StatisticalAligner
from spanbridge.core.links import WordAlignment
from spanbridge.steps.fates import UNLIKELY

SETS = ("en-de", "en-es", "bam", "wol", "twi", "lug", "hau", "swa")


def rows_of(name: str, rows: int) -> list[SentencePair]:
    """Rows of a set, one more than asked for."""
    if "-" in name:
        return europarl(*name.split("-"))[: rows + 1]
    return (conll_mt(name) if name in ("hau", "swa") else masakhaner_parallel(name))[: rows + 1]


def unlikely(
    rows: Sequence[SentencePair], method: str, aligner: Aligner | str | None
) -> list[bool]:
    """Whether each row is taken for no translation; without an aligner, by given links."""
    if aligner is None:
        other = StatisticalAligner()
        other.fit(rows)
        found = zip(rows, other.align(rows), strict=True)
        rows = [row.replace(links=one) for row, one in found if isinstance(one, WordAlignment)]
        result = api.Projector(method, links="only").fit_run(rows)
    else:
        result = api.Projector(method, aligner).fit_run(rows)
    return [row.status == UNLIKELY for row in result]


def main(sets: Sequence[str] = SETS, rows: int = 200) -> None:
    """Print the table."""
    encoder = EncoderAligner()
    methods: dict[str, tuple[str, Aligner | str | None]] = {
        "greedy, encoder": ("greedy", encoder),
        "soft, statistical": ("soft", "statistical"),
        "greedy, links": ("greedy", None),
    }
    print("Rows below the least score, %: true data | true rows of the copy / shifted rows of it")
    print(f"{'':20}" + "".join(f"{name:>16}" for name in sets))
    for title, (method, aligner) in methods.items():
        line = ""
        for name in sets:
            given = rows_of(name, rows)
            true, n = given[:-1], len(given) - 1
            copy = [
                row._replace(target=given[k + 1].target) if n <= 4 * k < 3 * n else row
                for k, row in enumerate(true)
            ]
            before, after = (unlikely(some, method, aligner) for some in (true, copy))
            shifted = [one for k, one in enumerate(after) if n <= 4 * k < 3 * n]
            kept = [one for k, one in enumerate(after) if not n <= 4 * k < 3 * n]
            a, b, c = (100 * sum(part) / len(part) for part in (before, kept, shifted))
            line += f"{f'{a:.1f} | {b:.1f} / {c:.0f}':>16}"
        print(f"{title:<20}{line}", flush=True)


if __name__ == "__main__":
    main()
