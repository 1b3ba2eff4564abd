"""The examples of the aligned encoder as arrays: subwords, spans and links of sentence pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spanbridge.core.learned import Arrays, write_arrays
from spanbridge.core.rows import SentencePair
from spanbridge.encode import Encoder

Ints = npt.NDArray[np.int64]
# Sets with gold spans, which are folders of the data.
LABELLED = ("xsid", "pud", "relx", "xquad", "abstrct")


class Named(NamedTuple):
    """A pair and the set that it comes from, such as ``xsid/en2tr`` or ``gnome/de``."""

    set: str
    pair: SentencePair


def sure_spans(pair: SentencePair) -> Ints:
    """Spans whose label occurs once on each side, [n, 4]: which is which is then known."""
    counts = [Counter(s.label for s in side.spans) for side in (pair.source, pair.target)]
    targets = {span.label: span for span in pair.target.spans}
    found = [
        (*source[:2], *targets[source.label][:2])
        for source in pair.source.spans
        if counts[0][source.label] == counts[1][source.label] == 1
    ]
    return np.array(found, np.int64).reshape(-1, 4)


def place_of(pair: SentencePair) -> float:
    """A number in [0, 1) that the English words give, to hold out a share of the sentences."""
    digest = blake2b(" ".join(pair.source.words).encode(), digest_size=1).digest()
    return digest[0] / 256


@dataclass
class Bitext:
    """Pairs as arrays: for each kind of thing all rows in one array, and where a pair's rows begin.

    Attributes:
        sets: name of each pair's set.
        places: as :func:`place_of` gives them.
        n_words: [n_pairs, 2].
        parts: by name (``source`` and ``target``: subwords as (id, first word, last word + 1);
            ``spans``; ``links``): the rows and the first row of each pair.
    """

    sets: npt.NDArray[np.str_]
    places: npt.NDArray[np.float64]
    n_words: Ints
    parts: dict[str, tuple[npt.NDArray[np.floating] | Ints, Ints]]

    @classmethod
    def of(
        cls,
        pairs: Sequence[Named],
        found_links: Sequence[npt.NDArray[np.float32]],
        encoder: Encoder,
    ) -> Bitext:
        """The arrays of pairs."""
        subwords = {
            side: [encoder.subwords(getattr(pair, side).words) for _, pair in pairs]
            for side in ("source", "target")
        }
        rows: dict[str, Sequence[npt.NDArray[Any]]] = {
            **subwords,
            "spans": [sure_spans(pair) for _, pair in pairs],
            "links": found_links,
        }
        parts = {}
        for name, arrays in rows.items():
            begins = np.cumsum([0, *(len(array) for array in arrays)])
            parts[name] = np.concatenate(list(arrays)), begins
        sizes = [(len(p.source.words), len(p.target.words)) for _, p in pairs]
        return cls(
            np.array([name for name, _ in pairs]),
            np.array([place_of(pair) for _, pair in pairs]),
            np.array(sizes, np.int64),
            parts,
        )

    def save(self, path: Path) -> None:
        """Write all to a file of NumPy's, which holds no pickles."""
        arrays: Arrays = {"sets": self.sets, "places": self.places, "n_words": self.n_words}
        for name, (rows, begins) in self.parts.items():
            arrays |= {name: rows, f"{name}_begins": begins}
        write_arrays(path, arrays)

    @classmethod
    def load(cls, path: Path) -> Bitext:
        """Read what :meth:`save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            parts = {
                name: (file[name], file[f"{name}_begins"])
                for name in ("source", "target", "spans", "links")
            }
            return cls(file["sets"], file["places"], file["n_words"], parts)
