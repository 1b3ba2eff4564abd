"""Label Studio: tasks with their annotations as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.rows import Side
from spanbridge.core.spans import Sentence
from spanbridge.formats.base import Counts, Reading
from spanbridge.formats.exports import Records, placed
from spanbridge.formats.json_objects import Object
from spanbridge.formats.json_values import shown
from spanbridge.formats.parquet import SUFFIX
from spanbridge.formats.tokens import spans_in_text, with_text


class LabelStudio(Records):
    """Tasks of Label Studio: the first annotation of each, or else its first prediction."""

    name = "labelstudio"
    suffixes = (".json", ".jsonl", SUFFIX)

    def fits(self, row: Object) -> bool:
        """Check for data with annotations or predictions."""
        known = any(isinstance(row.get(key), list) for key in ("annotations", "predictions"))
        return isinstance(row.get("data"), dict) and known

    def take(self, row: Object, side: Side, how: Reading, counts: Counts) -> Sentence:
        """Take the text and the spans; relations and other results are left out."""
        data = row.pop("data", None)
        if not isinstance(data, dict):
            raise SpanbridgeError(
                f"data is {shown(data)}; give tasks of Label Studio, or the file's format "
                "(--format doccano, prodigy, hf or gliner)"
            )
        key = _text_key(data)
        rest = {name: value for name, value in data.items() if name != key}
        if rest:
            row["data"] = rest
        done = [one for one in _lists(row, "annotations") if not one.get("was_cancelled")]
        counts.leave_out("annotations left out after the first one of a task", len(done[1:]))
        chosen = done or _lists(row, "predictions")
        row.pop("annotations", None)
        row.pop("predictions", None)
        results = _lists(chosen[0], "result") if chosen else []
        labels = [one["value"] for one in results if _is_span(one)]
        counts.leave_out("relations and other results left out", len(results) - len(labels))
        return placed(data[key], labels, "result", side, how, counts)

    def give(self, sentence: Sentence, extra: Mapping[str, Any]) -> Object:
        """A task with one annotation."""
        whole = with_text(sentence)
        text = whole.text or ""
        result = [
            {
                "value": {"start": a, "end": b, "text": text[a:b], "labels": [label]},
                "from_name": "label",
                "to_name": "text",
                "type": "labels",
            }
            for a, b, label, *_ in spans_in_text(whole)
        ]
        given = extra.get("data")
        data = {**given, "text": text} if isinstance(given, Mapping) else {"text": text}
        return {**extra, "data": data, "annotations": [{"result": result}]}


def _text_key(data: Object) -> str:
    texts = [key for key, value in data.items() if isinstance(value, str)]
    if "text" in texts or len(texts) == 1:
        return "text" if "text" in texts else texts[0]
    raise SpanbridgeError(f"data has the keys {', '.join(data) or 'none'}; call the text 'text'")


def _lists(row: Object, key: str) -> list[Object]:
    found = row.get(key)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise SpanbridgeError(f"{key} is {shown(found)}; give a list of objects")
    return found


def _is_span(result: Object) -> bool:
    value = result.get("value")
    return isinstance(value, dict) and {"start", "end", "labels"} <= value.keys()
