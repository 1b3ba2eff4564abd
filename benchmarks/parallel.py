"""Translation scores: rows taken for no translations, among true pairs and among shifted ones.

Prints: for each data set and aligner, the percentage of rows below the least score, as the data are
    and with every source beside the next row's target.
Takes: some ten minutes on two cores for all sets.
Data: Europarl-NER dev, MasakhaNER2 with human translations, machine-translated CoNLL-2003.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.real_data import conll_mt, europarl, masakhaner_parallel
from spanbridge import SentencePair, api
from spanbridge.alignment.encoder_aligner import EncoderAligner
from spanbridge.alignment.statistical import FusedAligner
from spanbridge.steps.fates import UNLIKELY

SETS = ("en-de", "en-es", "bam", "wol", "twi", "lug", "hau", "swa")


def rows_of(name: str) -> list[SentencePair]:
    """The rows of a set."""
    if "-" in name:
        return europarl(*name.split("-"))
    return conll_mt(name) if name in ("hau", "swa") else masakhaner_parallel(name)


def main(sets: Sequence[str] = SETS, rows: int = 400) -> None:
    """Print the table."""
    encoder = EncoderAligner()
    methods = {
        "corpus, fused": ("corpus", FusedAligner(encoder)),
        "corpus, statistical": ("corpus", "statistical"),
        "soft, encoder": ("soft", encoder),
        "greedy, encoder": ("greedy", encoder),
    }
    print("Rows below the least score, %: true pairs / shifted by one")
    print(f"{'':22}" + "".join(f"{name:>14}" for name in sets))
    for title, (method, aligner) in methods.items():
        line = ""
        for name in sets:
            true = rows_of(name)[:rows]
            projector = api.Projector(method, aligner).fit(true)
            after = [*true[1:], true[0]]
            shifted = [a._replace(target=b.target) for a, b in zip(true, after, strict=True)]
            shares = [
                100 * sum(row.status == UNLIKELY for row in projector.run(some)) / len(true)
                for some in (true, shifted)
            ]
            line += f"{f'{shares[0]:.1f} / {shares[1]:.0f}':>14}"
        print(f"{title:<22}{line}", flush=True)


if __name__ == "__main__":
    main()
