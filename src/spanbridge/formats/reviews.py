"""What a person made of a row (its key ``review``), as a text for formats without other keys."""

from __future__ import annotations

import json
from typing import Any

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.rows import REVIEW, SentencePair
from spanbridge.formats.base import Counts
from spanbridge.formats.json_objects import parse_value


def review_text(pair: SentencePair) -> str | None:
    """The review of a row as JSON, in one line; None if it has none."""
    if REVIEW not in pair.extra:
        return None
    return json.dumps(pair.extra[REVIEW], ensure_ascii=False)


def with_review(text: str | None, counts: Counts) -> dict[str, Any]:
    """The keys of a row with such a text; one that is no JSON is counted."""
    if text is None:
        return {}
    try:
        return {REVIEW: parse_value(text)}
    except SpanbridgeError:
        counts.leave_out(f"values of {REVIEW} left out that are no JSON")
        return {}
