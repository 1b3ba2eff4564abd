"""Words of column files that are pieces of raw text, with punctuation attached, as in ``Paris.``"""

from __future__ import annotations

from collections.abc import Sequence

from spanbridge.core.spans import Sentence, Span
from spanbridge.formats.offsets import place_spans
from spanbridge.formats.tokenised import is_abbreviated
from spanbridge.formats.tokens import raw_sentence, spans_in_text, with_text

_QUOTES = "\"'\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a\u300c\u300d\u300e\u300f"
_BRACKETS = dict(zip(")]}\uff09\u3011\u300b\u3009", "([{\uff08\u3010\u300a\u3008", strict=True))
_OPENERS = frozenset((*_QUOTES, *_BRACKETS.values(), *"\u00bf\u00a1"))
_CLOSERS = frozenset((*_QUOTES, *_BRACKETS))
# Signs that end no name; and those that end sentences, but may be part of a name.
_SIGNS = frozenset(
    ",;:\u060c\u061b\u06d4\u0964\u0965\u1362\u1363\u3001\u3002\uff0c\uff1b\uff1a\u104a\u104b"
)
_STOPS = frozenset(".!?\u2026\u061f\uff01\uff1f")


def cut(words: Sequence[str], spans: Sequence[Span]) -> tuple[Sentence, int]:
    """Cut the pieces of a raw text into words, and take attached punctuation out of its spans.

    Brackets and quotes stay where their other half is in the span too (``Rothschild (UK)``), and
    so do full stops of abbreviations (``U.S.``, ``Inc.``) and signs inside a sentence (``Yahoo!``).

    Args:
        words: the pieces.
        spans: spans over them, half-open.

    Returns:
        The sentence, whose text is the pieces with spaces between, and the number of spans that
        lost punctuation.
    """
    if not spans:
        return raw_sentence(" ".join(words)), 0
    whole = with_text(Sentence(tuple(words), tuple(spans)))
    text = whole.plain_text()
    given = spans_in_text(whole)
    bare = [
        span._replace(start=start, end=end)
        for span in given
        for start, end in [_bare(text, span.start, span.end)]
    ]
    n_changed = sum(one[:2] != other[:2] for one, other in zip(given, bare, strict=True))
    return place_spans(text, bare, "source", "tags", "characters"), n_changed


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    """A span without the punctuation attached to its ends, unless it is nothing else."""
    first, last = start, end
    while last - first > 1:
        inner, closer = text[first : last - 1], text[last - 1]
        opener, rest = text[first], text[first + 1 : last]
        if opener in _OPENERS and closer in _CLOSERS and _match(opener, closer):
            first, last = first + 1, last - 1
        elif not inner[-1].isspace() and _ends(inner, closer, text[last:]):
            last -= 1
        elif opener in _OPENERS and not rest[0].isspace() and not _is_closed(opener, rest):
            first += 1
        else:
            return first, last
    return (first, last) if any(map(str.isalnum, text[first:last])) else (start, end)


def _match(opener: str, closer: str) -> bool:
    """Check if two signs are a pair; quotes are of so many styles that any two of them are."""
    return _BRACKETS.get(closer) == opener or (opener in _QUOTES and closer in _QUOTES)


def _ends(inner: str, sign: str, after: str) -> bool:
    """Check if the last sign of a span is no part of the name before it."""
    if sign in _CLOSERS:
        before = " " + inner  # an apostrophe inside a word opens nothing
        return not any(
            _match(one, sign) and (one not in _QUOTES or before[n].isspace())
            for n, one in enumerate(inner)
        )
    if sign in _STOPS:
        following = after.lstrip()[:1]
        inside = following.islower() or following.isdecimal()
        return not inside and not (sign == "." and is_abbreviated(inner.split()[-1]))
    return sign in _SIGNS


def _is_closed(opener: str, rest: str) -> bool:
    """Check if the other half of a sign follows."""
    after = rest[1:] + " "
    return any(
        _match(opener, one) and (one not in _QUOTES or not after[n].isalnum())
        for n, one in enumerate(rest)
    )
