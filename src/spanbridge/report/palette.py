"""Colours of labels: the same label has the same colour on every page."""

from __future__ import annotations

import zlib

N_COLOURS = 16  # the number that style.css defines
# Labels of the usual corpora (CoNLL, MasakhaNER, OntoNotes); those that mean the same share one.
_COMMON = (
    ("LOC", "LOCATION"),
    ("ORG", "ORGANIZATION", "ORGANISATION", "CORPORATION"),
    ("PER", "PERSON"),
    ("MISC", "NORP"),
    ("DATE", "TIME"),
    ("GPE",),
    ("EVENT", "EVT"),
    ("PRODUCT", "PROD"),
    ("FAC", "FACILITY"),
    ("WORK_OF_ART", "CREATIVE-WORK", "CW"),
    ("LANGUAGE", "LANG"),
    ("LAW",),
    ("MONEY", "PERCENT"),
    ("QUANTITY", "CARDINAL", "ORDINAL", "NUM"),
)
_COLOURS = {label: n for n, labels in enumerate(_COMMON) for label in labels}


def colour(label: str) -> int:
    """Number of a label's colour, from 0 to ``N_COLOURS - 1``; others share theirs by a hash."""
    known = _COLOURS.get(label.upper())
    if known is not None:
        return known
    return zlib.crc32(label.encode("utf-8", "replace")) % N_COLOURS
