"""JSON of SQuAD: paragraphs with questions, whose answers are spans."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.rows import SentencePair, Side
from spanbridge.core.spans import Sentence
from spanbridge.formats.base import (
    DEFAULT_READING,
    Counts,
    Format,
    Reading,
    Write,
    enclosed,
    one_side,
)
from spanbridge.formats.exports import placed
from spanbridge.formats.json_objects import Object, parse_object, take_id, take_text, whole_object
from spanbridge.formats.json_spans import without_given_text, write_spans
from spanbridge.formats.json_values import shown
from spanbridge.formats.tokens import spans_in_text, with_text

# Label of answers that have none, as all but ours.
ANSWER = "ANSWER"
_DATA = re.compile(r'"data"\s*:\s*\[')
_SIZES = {"characters": ("utf-32-le", 4), "utf16": ("utf-16-le", 2), "bytes": ("utf-8", 1)}
_OWN = frozenset({"id", "context", "qas"})  # keys of a paragraph
# Key of a row for its questions without answers.
_UNANSWERED = "unanswered"


class Squad(Format):
    """One side of each row, a paragraph: its spans are the answers to its questions.

    Spans without a question are answers to one that is their label. The file is held whole when it
    is read.
    """

    name = "squad"
    suffixes = (".json",)
    sides = "one"
    holds_spans = True
    holds_nested = True
    keeps = frozenset({"ids", "text", "scores", "span_keys", "keys"})

    def keeps_key(self, key: str) -> bool:
        """Check for keys that are the format's own."""
        return key not in _OWN

    def sniff(self, head: Sequence[str], strict: bool = True) -> bool:
        """Check for an object with data and paragraphs."""
        text = "\n".join(head).lstrip()
        return text[:1] == "{" and '"paragraphs"' in text and _DATA.search(text) is not None

    def read(
        self,
        path: str | Path,
        side: Side = "target",
        how: Reading = DEFAULT_READING,
        counts: Counts | None = None,
    ) -> Iterator[tuple[int, SentencePair]]:
        """Read a row for each paragraph, with its number.

        Its id is its own, or else that of its first question. The id of a question and its text are
        keys of its answers.

        Raises InputError for JSON of another kind.
        """
        counts = Counts() if counts is None else counts
        number = 0
        try:
            whole = parse_object(whole_object(path))
            for article in _objects(whole, "data"):
                for paragraph in _objects(article, "paragraphs"):
                    number += 1
                    if (title := article.get("title")) not in (None, ""):
                        paragraph.setdefault("title", title)
                    yield number, _row(paragraph, number, side, how, counts)
        except InputError:
            raise
        except SpanbridgeError as error:
            where = number or None
            raise InputError(path, where, f"{error} (read as squad, by paragraphs)") from error

    @contextmanager
    def open(
        self, path: str | Path, side: Side = "target", *, scores: bool = False
    ) -> Iterator[Write]:
        """Open a file for rows, each of which is an article of one paragraph."""

        def text(pair: SentencePair) -> str:
            return json.dumps(_article(pair, side), ensure_ascii=False, allow_nan=False)

        with enclosed(path, '{"version": "v2.0", "data": [', ",", "]}", text) as write:
            yield write


def _objects(row: Object, key: str) -> list[Object]:
    found = row.get(key)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise SpanbridgeError(f"{key} is {shown(found)}; give a list of objects")
    return found


def _row(paragraph: Object, number: int, side: Side, how: Reading, counts: Counts) -> SentencePair:
    """The row of a paragraph, whose other keys it gets."""
    questions = _objects(paragraph, "qas")
    del paragraph["qas"]
    text = take_text(paragraph, "context")
    first = questions[0].get("id") if questions else None
    identity = take_id({"id": first} | paragraph, number)
    paragraph.pop("id", None)
    spans = []
    for question in questions:
        answers = _objects(question, "answers") if question.get("answers") else []
        if not answers:
            paragraph.setdefault(_UNANSWERED, []).append(question)
        others = question.keys() - {"id", "question", "answers", "is_impossible"}
        counts.leave_out("other keys of questions left out", len(others) if answers else 0)
        asked: Object = {key: question[key] for key in ("id", "question") if key in question}
        spans += [_span(answer, asked, identity, how) for answer in answers]
    # By place, as the questions group them by label.
    spans.sort(key=lambda span: (span["start"], span["end"], str(span["label"])))
    found = placed(text, spans, "answers", side, how, counts)
    bare = (without_given_text(one, found.text_of(*one[:2])) for one in found.spans)
    counts.n_rows += 1
    return one_side(identity, found.with_spans(tuple(bare)), side, paragraph)


def _span(answer: Object, asked: Object, identity: str, how: Reading) -> Object:
    """An answer as a span, with its question unless that is only its label."""
    text, start = answer.get("text"), answer.get("answer_start")
    if not isinstance(text, str) or type(start) is not int:
        raise SpanbridgeError(f"answers: {shown(answer)} wants text and answer_start")
    code, size = _SIZES[how.offsets.removesuffix("-inclusive")]
    end = start + len(text.encode(code)) // size - how.offsets.endswith("-inclusive")
    label = answer.get("label", ANSWER)
    rest = {key: value for key, value in answer.items() if key != "answer_start"}
    by_label = asked == _question_of(identity, label)
    return {**rest, **({} if by_label else asked), "start": start, "end": end, "label": label}


def _question_of(identity: str, label: str) -> Object:
    """The question to which spans of a label are answers."""
    return {"id": f"{identity}-{label}", "question": label}


def _article(pair: SentencePair, side: Side) -> Object:
    """A row as an article of one paragraph."""
    sentence = with_text(pair.side(side))
    keys = {key: value for key, value in pair.extra.items() if key not in _OWN}
    title, unanswered = keys.pop("title", ""), keys.pop(_UNANSWERED, [])
    if not isinstance(unanswered, list) or not all(isinstance(one, dict) for one in unanswered):
        raise SpanbridgeError(f"{_UNANSWERED} is {shown(unanswered)}; rename that key")
    questions = _questions(sentence, pair.id)
    paragraph = {"id": pair.id, **keys, "context": sentence.text, "qas": [*questions, *unanswered]}
    return {"title": title, "paragraphs": [paragraph]}


def _questions(sentence: Sentence, identity: str) -> list[Object]:
    """The questions to which the spans are answers, in the order of these."""
    text = sentence.text or ""
    found: dict[str, Object] = {}
    for span in write_spans(spans_in_text(sentence)):
        start, end, label = span.pop("start"), span.pop("end"), span.pop("label")
        own = isinstance(span.get("question"), str) and "id" in span
        asked = {key: span.pop(key) for key in ("id", "question")} if own else None
        asked = asked or _question_of(identity, label)
        question = found.setdefault(json.dumps(asked), {**asked, "answers": []})
        answer: Mapping[str, Any] = {"text": text[start:end], "answer_start": start}
        named = {} if label == ANSWER else {"label": label}
        question["answers"].append({**span, **answer, **named})
    return list(found.values())
