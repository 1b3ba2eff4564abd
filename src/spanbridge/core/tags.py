"""Conversion between tags and spans, in the schemes IOB1, IOB2 and BIOES.

Sources: IOB1 and IOB2 as in Tjong Kim Sang and Veenstra (1999, "Representing Text Chunks");
BIOES (also BILOU, BMES, BMEWO) as in Ratinov and Roth (2009).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.spans import Span

Scheme = Literal["iob1", "iob2", "bioes"]
OrphanPolicy = Literal["begin", "drop", "error"]
SCHEMES: tuple[Scheme, ...] = ("iob2", "iob1", "bioes")
ORPHAN_POLICIES: tuple[OrphanPolicy, ...] = ("begin", "drop", "error")

_PREFIXES: dict[str, frozenset[str]] = {
    "iob1": frozenset("BI"),
    "iob2": frozenset("BI"),
    "bioes": frozenset("BIESLUMW"),
}
_SAME = {"L": "E", "U": "S", "M": "I", "W": "S"}  # BILOU, BMES, BMEWO


class OrphanTagError(SpanbridgeError):
    """An inside tag continues no span, and the policy is ``error``."""


def split_tag(tag: str, scheme: Scheme = "iob2") -> tuple[str, str]:
    """Split ``B-LOC`` into ``("B", "LOC")``, ``O`` into ``("O", "")``. Labels keep their hyphens.

    Raises SpanbridgeError if the tag does not belong to the scheme.
    """
    if tag == "O":
        return "O", ""
    prefix, hyphen, label = tag.partition("-")
    if not hyphen or not label or prefix not in _PREFIXES[scheme]:
        allowed = ", ".join(f"{p}-LABEL" for p in sorted(_PREFIXES[scheme]))
        other = hyphen and label and prefix in _PREFIXES["bioes"]
        hint = "; the scheme bioes has it (--scheme bioes)" if other else ""
        raise SpanbridgeError(f"{tag!r} is not a tag of {scheme}; expected O, {allowed}{hint}")
    return _SAME.get(prefix, prefix), label


def spans_from_tags(
    tags: Sequence[str], scheme: Scheme = "iob2", orphans: OrphanPolicy = "begin"
) -> tuple[tuple[Span, ...], int]:
    """Read the spans of a tag sequence.

    An *orphan* is an inside (or end) tag that continues no open span of its label: ``I-LOC`` after
    ``O`` or after another label. IOB1 has none, since ``I-`` may begin a span there.

    Args:
        tags: one tag per word.
        scheme: scheme of the tags.
        orphans: ``begin`` starts a span there (as conlleval and seqeval's default mode do),
            ``drop`` leaves the orphan and its continuation unlabelled (as seqeval's strict mode
            does with IOB2), ``error`` raises.

    Returns:
        The spans in order, and the number of orphans.

    Raises:
        SpanbridgeError: a tag does not belong to the scheme.
        OrphanTagError: there is an orphan and ``orphans`` is ``error``.
    """
    spans: list[Span] = []
    n_orphans = 0
    start, open_label = -1, ""  # start < 0: no span is open
    for i, tag in enumerate(tags):
        if tag == "O":
            if start >= 0:
                spans.append(Span(start, i, open_label))
                start = -1
            continue
        prefix, label = split_tag(tag, scheme)
        if prefix in "IE" and start >= 0 and label == open_label:
            if prefix == "E":
                spans.append(Span(start, i + 1, label))
                start = -1
            continue
        if start >= 0:
            spans.append(Span(start, i, open_label))
            start = -1
        if prefix in "IE" and scheme != "iob1":
            n_orphans += 1
            if orphans == "error":
                raise OrphanTagError(
                    f"{tag} continues no {label} span; mend it, or choose what to do with such "
                    "tags (orphan policy begin or drop)"
                )
            if orphans == "drop":
                continue
        if prefix in "SE":
            spans.append(Span(i, i + 1, label))
        else:
            start, open_label = i, label
    if start >= 0:
        spans.append(Span(start, len(tags), open_label))
    return tuple(spans), n_orphans


def tags_from_spans(spans: Sequence[Span], n_words: int) -> list[str]:
    """Write spans as IOB2 tags. Raises SpanbridgeError if two spans overlap."""
    tags = ["O"] * n_words
    for start, end, label, *_ in spans:
        for i in range(start, end):
            if tags[i] != "O":
                raise SpanbridgeError(
                    f"spans overlap at word {i} ({tags[i][2:]} and {label}), which one tag per "
                    "word cannot hold; write JSON lines (.jsonl) instead"
                )
            tags[i] = f"I-{label}"
        tags[start] = f"B-{label}"
    return tags
