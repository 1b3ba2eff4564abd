"""Label Studio: tasks with their annotations or predictions as JSON."""

from __future__ import annotations

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.rows import SentencePair, Side
from spanbridge.core.signature import package_version
from spanbridge.core.spans import Sentence
from spanbridge.formats.base import Counts, Reading
from spanbridge.formats.exports import Records, number_or_name, placed
from spanbridge.formats.json_objects import Object
from spanbridge.formats.json_spans import without_given_text, write_spans
from spanbridge.formats.json_values import DECIMALS, shown
from spanbridge.formats.parquet import SUFFIX
from spanbridge.formats.tokens import spans_in_text, with_text

# Key of a row that holds what its annotation, or prediction, had beside its result, and data whose
# names are those of other keys.
_ABOUT = "label_studio"
_ANNOTATION, _PREDICTION, _DATA = "annotation", "prediction", "data"
# Keys that Label Studio itself gives to tasks; all others of a row are data.
_OF_TASKS = frozenset(
    (
        *("id", "annotations", "predictions", "drafts", "meta", "created_at", "updated_at"),
        *("inner_id", "total_annotations", "cancelled_annotations", "total_predictions"),
        *("comment_count", "unresolved_comment_count", "last_comment_updated_at", "project"),
        *("updated_by", "comment_authors", "file_upload", "is_labeled", "overlap"),
        *("allow_skip", "avg_lead_time", "agreement", "reviews", "reviewers", "annotators"),
    )
)
_LONGEST_KIND = 40  # characters
_OTHERWISE = frozenset({"text", "id", _ABOUT, *_OF_TASKS})


class LabelStudio(Records):
    """Tasks of Label Studio: the first annotation of each, or else its first prediction.

    Spans that a step found (with scores, or with a provenance) are written as a prediction, others
    as an annotation. Ids and other keys of rows are data, which Label Studio keeps and shows.
    """

    name = "labelstudio"
    suffixes = (".json", ".jsonl", SUFFIX)
    keeps = frozenset({"ids", "text", "scores", "span_keys", "keys"})
    own = frozenset({"text", "annotations", "predictions"})

    def fits(self, row: Object) -> bool:
        """Check for data with annotations or predictions."""
        known = any(isinstance(row.get(key), list) for key in ("annotations", "predictions"))
        return isinstance(row.get("data"), dict) and known

    def identity(self, row: Object, number: int) -> str:
        """The id in the data, since Label Studio numbers tasks anew; or else that of the task."""
        task = super().identity(row, number)
        data = row.get("data")
        own = data.get("id") if isinstance(data, dict) else None
        if not isinstance(data, dict) or type(own) not in (str, int):
            return task
        del data["id"]
        return str(own)

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
        row |= {name: value for name, value in rest.items() if name not in _OTHERWISE}
        about = {_DATA: {name: value for name, value in rest.items() if name in _OTHERWISE}}
        given = _lists(row, "annotations")
        done = [one for one in given if not one.get("was_cancelled")]
        counts.leave_out("cancelled annotations left out", len(given) - len(done))
        counts.leave_out("annotations left out after the first one of a task", len(done[1:]))
        chosen = done or _lists(row, "predictions", counts)
        row.pop("annotations", None)
        row.pop("predictions", None)
        first = chosen[0] if chosen else {}
        about[_ANNOTATION if done else _PREDICTION] = {
            name: value for name, value in first.items() if name not in ("id", "result")
        }
        if about := {name: value for name, value in about.items() if value}:
            row[_ABOUT] = about
        results = _lists(first, "result")
        labels = [_span(one) for one in results if _is_span(one)]
        for one in results:
            if not _is_span(one):
                counts.leave_out(f"results left out that are no spans of a text{_kind(one)}")
        found = placed(data[key], labels, "result", side, how, counts)
        spans = (without_given_text(one, found.text_of(*one[:2])) for one in found.spans)
        return found.with_spans(tuple(spans))

    def give(self, sentence: Sentence) -> Object:
        """The text, and the spans as results."""
        whole = with_text(sentence)
        text = whole.text or ""
        result = []
        for n, span in enumerate(write_spans(spans_in_text(whole)), 1):
            score = span.pop("score", None)
            start, end = span.pop("start"), span.pop("end")
            label = span.pop("label")
            covered = {"start": start, "end": end, "text": text[start:end], "labels": [label]}
            result.append(
                {
                    "id": str(n),
                    "from_name": "label",
                    "to_name": "text",
                    "type": "labels",
                    "value": {**span, **covered},
                    **({} if score is None else {"score": score}),
                }
            )
        return {"data": {"text": text}, "result": result}

    def to_object(self, pair: SentencePair, side: Side) -> Object:
        """A task with one annotation, or with one prediction."""
        given = self.give(pair.side(side))
        kept = {key: value for key, value in pair.extra.items() if self.keeps_key(key)}
        about = kept.pop(_ABOUT, {})
        if not (isinstance(about, dict) and all(isinstance(one, dict) for one in about.values())):
            raise SpanbridgeError(f"{_ABOUT} is {shown(about)}; rename that key")
        own = {key: value for key, value in kept.items() if key not in _OF_TASKS}
        data = {"id": number_or_name(pair.id), **own, **about.get(_DATA, {}), **given["data"]}
        task = {key: value for key, value in kept.items() if key in _OF_TASKS}
        if isinstance(data["id"], int):
            task = {"id": data["id"], **task}
        result = given["result"]
        found = side == "target" and pair.provenance is not None
        found = found or any("score" in one for one in result)
        if _ANNOTATION in about or not (found or _PREDICTION in about):
            annotation = {**about.get(_ANNOTATION, {}), "result": result}
            return {**task, "data": data, "annotations": [annotation]}
        scores = [one["score"] for one in result if "score" in one]
        score = pair.confidence if side == "target" else None
        score = min(scores, default=None) if score is None else round(score, DECIMALS)
        made: Object = {"model_version": f"spanbridge-{package_version()}"}
        made |= {} if score is None else {"score": score}
        prediction = {**about.get(_PREDICTION, made), "result": result}
        return {**task, "data": data, "predictions": [prediction]}


def _text_key(data: Object) -> str:
    texts = [key for key, value in data.items() if isinstance(value, str)]
    if "text" in texts or len(texts) == 1:
        return "text" if "text" in texts else texts[0]
    raise SpanbridgeError(f"data has the keys {', '.join(data) or 'none'}; call the text 'text'")


def _lists(row: Object, key: str, counts: Counts | None = None) -> list[Object]:
    """The objects of a list; exports hold some by number only, which may be counted."""
    found = row.get(key)
    if found is None:
        return []
    if counts is not None and isinstance(found, list):
        named = [one for one in found if type(one) is not int]
        counts.leave_out(
            "predictions left out that have only numbers here", len(found) - len(named)
        )
        found = named
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise SpanbridgeError(f"{key} is {shown(found)}; give a list of objects")
    return found


def _is_span(result: Object) -> bool:
    value = result.get("value")
    if not (isinstance(value, dict) and {"start", "end", "labels"} <= value.keys()):
        return False
    return bool(value["labels"] != [])  # as of a region whose label was taken away


def _kind(result: Object) -> str:
    """What a result that is no span calls itself, for counts."""
    kind = result.get("type")
    bare = ", but none given" if kind == "labels" else ""
    return f" ({kind[:_LONGEST_KIND]}{bare})" if isinstance(kind, str) else ""


def _span(result: Object) -> Object:
    """A span with the score that a model gave to its result."""
    score = result.get("score")
    return result["value"] if score is None else {**result["value"], "score": score}
