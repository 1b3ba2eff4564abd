"""A chat model of stated quality, simulated: it answers from gold, and errs as it is told to.

It reads the requests of ``--refine chat`` (both ways), of the chat tagger and of the chat
translator, and looks the right answer up in rows with gold spans on both sides. How often it is
right depends on how hard a span is; what else it says, and what happens on the way, is drawn by a
seed and by what is asked, so that equal requests are answered alike in every run.

What it is good for: to see how routing, budgets and recovery behave, and what a model of some
quality would be worth on some text. It says nothing of the quality of any real model.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from math import exp, log
from random import Random
from typing import Any

from benchmarks.chat_server import CLOSE, Body, Reply, says
from benchmarks.gold_places import GoldRow, Place, Side, bare, found_in, likeness
from spanbridge import SentencePair
from spanbridge.chat.store import estimated_tokens
from spanbridge.formats.tokens import raw_sentence

# The share of right answers that language models are reported to give on doubtful spans.
PUBLISHED = 0.92
# What a wrong answer is, and how often: a place beside the right one, one that overlaps it, none.
ERRORS = {"beside": 0.4, "edge": 0.45, "none": 0.15}
# What else may happen to a request; each is given a probability.
FAULTS = ("malformed", "slow", "limited", "failing", "dying", "hanging")
# A side of a row, the other one, and the place there of each span of the first.
_View = tuple[Side, Side, list[Place | None]]
_MARKED = re.compile(r"(.*?)\[\[(.*)\]\](.*)")
_TAG = re.compile(r"<(/?)e(\d+)>")


class SimulatedModel:
    """Answers requests, for :func:`benchmarks.chat_server.serving`.

    Args:
        rows: rows with gold spans on both sides. Links tell which spans belong together, where two
            of a row have one label; without links letters and positions do.
        right: probability of a right answer on a span of mean hardness, between 0 and 1.
        slope: by how much the log-odds of that fall from the easiest spans to the hardest ones.
        errors: kinds of wrong answers, ``beside``, ``edge``, ``none``, with weights.
        faults: ``malformed`` answers, ``slow`` ones, ``limited`` (429, with Retry-After),
            ``failing`` (500), ``dying`` (the connection is closed) and ``hanging`` requests, each
            with its probability; they add up to 1 at most. A request that is repeated has another
            chance.
        pause: seconds that slow answers take; hanging ones take ten times as long, and end without
            an answer. What is limited is to wait so long, too.
        logprobs: answers come with log-probabilities, which tell the truth about ``right``.
        seed: of all that is drawn.

    Attributes:
        told: number of right answers, and of wrong ones by kind; each question counts once.
    """

    def __init__(
        self,
        rows: Iterable[SentencePair],
        *,
        right: float = PUBLISHED,
        slope: float = 1.0,
        errors: Mapping[str, float] = ERRORS,
        faults: Mapping[str, float] | None = None,
        pause: float = 0.05,
        logprobs: bool = False,
        seed: int = 0,
    ) -> None:
        self._pairs = list(rows)
        self.rows = [GoldRow.of(row) for row in self._pairs]
        self._odds, self._slope, self._errors = log(right / (1 - right)), slope, dict(errors)
        self._faults = dict(faults or {})
        if unknown := self._faults.keys() - set(FAULTS):
            raise ValueError(f"there is no fault {min(unknown)!r}; there are: {', '.join(FAULTS)}")
        self._pause, self._logprobs, self._seed = pause, logprobs, seed
        self._judged: dict[str, str] = {}

    def link(self, rows: Iterable[SentencePair]) -> None:
        """Take the links of the same rows, as something has aligned them.

        They tell which spans belong together, where two of a row have one label.
        """
        linked = [own._replace(links=row.links) for own, row in zip(self._pairs, rows, strict=True)]
        self.rows = [GoldRow.of(row) for row in linked]
        for name in ("_by_text", "_by_side", "_mean_hardness"):
            self.__dict__.pop(name, None)

    @property
    def told(self) -> Counter[str]:
        """What the answers were."""
        return Counter(self._judged.values())

    def __call__(self, body: Body, n: int) -> Reply:
        """The reply to a request that came ``n`` times before."""
        fault = self._fault(body["messages"], n)
        if fault == "limited":
            return Reply(429, "too many requests", headers={"Retry-After": f"{self._pause:g}"})
        if fault == "failing":
            return Reply(500, "something broke")
        if fault in ("dying", "hanging"):
            return CLOSE._replace(wait=10 * self._pause if fault == "hanging" else 0)
        content, certainty = self.answer(body["messages"])
        if fault == "malformed":
            content = content[: len(content) // 2]
        asked = sum(4 + estimated_tokens(m["content"]) for m in body["messages"])
        tokens = None
        if self._logprobs and body.get("logprobs") and certainty is not None:
            tokens = [(part, 0.0) for part in re.split(r"(\d+)", content)]
            tokens[1:2] = [(tokens[1][0], log(certainty))] if len(tokens) > 1 else []
        said = says(content, logprobs=tokens, usage=(asked, estimated_tokens(content)))
        return said._replace(wait=self._pause if fault == "slow" else 0)

    def answer(self, messages: Sequence[Mapping[str, str]]) -> tuple[str, float | None]:
        """What is said, and the probability that it is right, if that is a matter of one span."""
        system = messages[0]["content"]
        asked = next(
            (m["content"] for m in reversed(messages) if m["content"].startswith("Text: ")),
            messages[-1]["content"],
        )
        lines = asked.split("\n")
        if len(lines) > 3 and "[[" in lines[0]:
            return self._chosen(lines)
        if len(lines) == 3 and lines[2].startswith("Translation: "):
            return self._inserted(lines), None
        text = lines[0].removeprefix("Text: ")
        if '"phrases"' in system:
            return self._paired(text, [line.partition(": ")[2] for line in lines[2:]]), None
        if '"entities"' in system:
            return self._tagged(text, '"translation"' in system), None
        if '"translation"' in system:
            told = {"translation": self._row(asked)[1].text}
            return json.dumps(told, ensure_ascii=False), None
        return "OK", None

    # -- the ways of --refine chat

    def _chosen(self, lines: Sequence[str]) -> tuple[str, float]:
        before, phrase, after = (bare(part) for part in _parts(lines[0].partition(": ")[2]))
        target = bare(lines[2].partition(": ")[2])
        place = (len(before), len(before) + len(phrase))
        gold = self._gold(before + phrase + after, place, target)
        options = [self._option(line.partition(": ")[2], target) for line in lines[3:]]
        at = next((n for n, option in enumerate(options, 1) if gold in option), 0)
        p, kind = self._judge(f"{lines[0]}|{lines[2]}", phrase, gold, target)
        others = [n for n in range(len(options) + 1) if n != at]
        wanted: dict[str, list[int]] = {
            "beside": [n for n in others if n and not _overlaps(options[n - 1], gold)],
            "edge": [n for n in others if n and _overlaps(options[n - 1], gold)],
            "none": [n for n in others if not n],
        }
        choice = at
        if kind != "right" and others:
            choice = min((abs(n - at), n) for n in wanted[kind] or others)[1]
        return json.dumps({"choice": choice}), p if kind == "right" else 1 - p

    @staticmethod
    def _option(shown: str, target: str) -> list[Place]:
        """The places that an option may stand for: its words may stand in the target twice."""
        before, phrase, after = (bare(part) for part in _parts(shown))
        starts = [at + len(before) for at in found_in(before + phrase + after, target)]
        return [(start, start + len(phrase)) for start in starts]

    def _inserted(self, lines: Sequence[str]) -> str:
        source, _, shown = (line.partition(": ")[2] for line in lines)
        target, places = bare(shown), _tagged_places(source)
        text = bare(_TAG.sub("", source))
        found: dict[int, Place] = {}
        for number, place in places.items():
            gold = self._gold(text, place, target)
            _, kind = self._judge(f"{text}{place}{target}", text[slice(*place)], gold, target)
            said = self._wrong(kind, gold, self._words(target))
            if said is not None:
                found[number] = said
        absent = sorted(places.keys() - found.keys())
        written = json.dumps({"text": _with_tags(shown, found), "absent": absent})
        return json.dumps(json.loads(written), ensure_ascii=False)

    # -- tagger and translator

    def _tagged(self, text: str, translated: bool) -> str:
        own, other, places = self._row(text)
        entities: list[dict[str, str]] = []
        for (place, label), gold in zip(own.spans, places, strict=True):
            phrase = own.bare[slice(*place)]
            _, kind = self._judge(f"{own.bare}{place}", phrase, gold or place, other.bare)
            said = self._wrong(kind, place, own.words)
            if said is not None:
                there = {} if not translated else {"translation": _shown(other.text, gold)}
                entities.append({"text": _shown(own.text, said), "label": label, **there})
        found: dict[str, Any] = {"translation": other.text} if translated else {}
        return json.dumps({**found, "entities": entities}, ensure_ascii=False)

    def _paired(self, text: str, phrases: Sequence[str]) -> str:
        own, other, places = self._row(text)
        known = {
            own.bare[slice(*place)]: gold
            for (place, _), gold in zip(own.spans, places, strict=True)
            if gold is not None
        }
        found = []
        for number, phrase in enumerate(phrases, 1):
            gold = known.get(bare(phrase))
            _, kind = self._judge(f"{own.bare}|{phrase}", phrase, gold, other.bare)
            said = _shown(other.text, self._wrong(kind, gold, other.words))
            found.append({"number": number, "text": said})
        return json.dumps({"translation": other.text, "phrases": found}, ensure_ascii=False)

    # -- what is right, and whether it is said

    def _gold(self, text: str, place: Place, target: str) -> Place | None:
        """Where what stands at a place of a shown source is in a shown target."""
        for row in self._rows_of(text, target):
            for a in found_in(text, row.source.bare):
                if (there := row.target_of((place[0] + a, place[1] + a))) is None:
                    continue
                for b in found_in(target, row.target.bare):
                    start, end = there[0] - b, there[1] - b
                    if start >= 0 and end <= len(target):
                        return start, end
        return None

    def _rows_of(self, text: str, target: str) -> list[GoldRow]:
        """The rows with these texts, or, of long rows that are shown in parts, that hold them."""
        found = self._by_text.get((text, target))
        if found is None:
            held = [r for r in self.rows if text in r.source.bare and target in r.target.bare]
            found = self._by_text[text, target] = held
        return found

    @cached_property
    def _by_text(self) -> dict[tuple[str, str], list[GoldRow]]:
        found: dict[tuple[str, str], list[GoldRow]] = {}
        for row in self.rows:
            found.setdefault((row.source.bare, row.target.bare), []).append(row)
        return found

    @cached_property
    def _by_side(self) -> dict[str, _View]:
        found: dict[str, _View] = {}
        for row in self.rows:
            own, other = row.source, row.target
            places = [row.target_of(place) for place, _ in own.spans]
            found.setdefault(own.bare, (own, other, places))
            back = {m: own.spans[n][0] for n, m in enumerate(row.counterpart) if m is not None}
            found.setdefault(
                other.bare, (other, own, [back.get(m) for m in range(len(other.spans))])
            )
        return found

    def _row(self, text: str) -> _View:
        """What is known of a text, on whatever side it stands; a strange one is its translation."""
        strange = Side.of(raw_sentence(text))
        return self._by_side.get(bare(text), (strange, strange, []))

    def _words(self, target: str) -> list[Place]:
        """The places of the words of a target that is shown."""
        for row in self.rows:
            if (at := row.target.bare.find(target)) >= 0:
                words = ((a - at, b - at) for a, b in row.target.words)
                return [(a, b) for a, b in words if a >= 0 and b <= len(target)]
        return []

    @cached_property
    def _mean_hardness(self) -> float:
        found = [
            _hardness(row.source.bare[slice(*place)], row.target_of(place), row.target.bare)
            for row in self.rows
            for place, _ in row.source.spans
        ]
        return sum(found) / max(len(found), 1)

    def _judge(self, key: str, phrase: str, gold: Place | None, target: str) -> tuple[float, str]:
        """The probability of a right answer, and whether it is one: ``right``, or how it errs."""
        above = _hardness(phrase, gold, target) - self._mean_hardness
        p = 1 / (1 + exp(self._slope * above - self._odds))
        draw = self._random("judge", key)
        kind = "right"
        if draw.random() >= p:
            kind = draw.choices(list(self._errors), list(self._errors.values()))[0]
        self._judged[key] = kind
        return p, kind

    def _wrong(self, kind: str, gold: Place | None, words: Sequence[Place]) -> Place | None:
        """The place that is said, where that may be any: the right one, or another."""
        inside = [n for n, (a, b) in enumerate(words) if gold and gold[0] < b and a < gold[1]]
        if kind == "right" or not inside:
            return gold
        first, last = inside[0], inside[-1]
        if kind == "edge":
            if last > first:
                return words[first][0], words[last - 1][1]
            return words[first][0], words[min(last + 1, len(words) - 1)][1]
        if kind == "beside" and len(words) > last + 1:
            return words[last + 1]
        return None

    def _fault(self, messages: Any, n: int) -> str | None:
        draw = self._random("fault", f"{json.dumps(messages)}|{n}").random()
        for name in FAULTS:
            draw -= self._faults.get(name, 0.0)
            if draw < 0:
                return name
        return None

    def _random(self, *parts: str) -> Random:
        key = "|".join((str(self._seed), *parts))
        return Random(sha256(key.encode("utf-8", "backslashreplace")).digest())


def _hardness(phrase: str, gold: Place | None, target: str) -> float:
    """How hard a span is, in [0, 1]: the longer, and the less alike in its letters; 1 if lost."""
    if gold is None:
        return 1.0
    length = min(gold[1] - gold[0], 40) / 40
    return (1 - likeness(phrase, target[slice(*gold)]) + length) / 2


def _parts(shown: str) -> tuple[str, ...]:
    found = _MARKED.fullmatch(shown)
    return found.groups() if found else (shown, "", "")


def _overlaps(places: Sequence[Place], gold: Place | None) -> bool:
    return gold is not None and any(a < gold[1] and gold[0] < b for a, b in places)


def _tagged_places(text: str) -> dict[int, Place]:
    """The place between each pair of tags of a text, in its characters without spaces and tags."""
    found: dict[int, Place] = {}
    at = n = 0
    for tag in _TAG.finditer(text):
        n += len(bare(text[at : tag.start()]))
        at, number = tag.end(), int(tag[2])
        found[number] = (found[number][0], n) if tag[1] else (n, n)
    return found


def _with_tags(text: str, places: Mapping[int, Place]) -> str:
    """A text with tags around places, which may cross, as with a model that errs."""
    spots = [n for n, char in enumerate(text) if not char.isspace()]
    edges = []
    for number, (start, end) in places.items():
        edges.append((spots[start], 1, -end, f"<e{number}>"))
        edges.append((spots[end - 1] + 1, 0, -start, f"</e{number}>"))
    edges.sort(key=lambda edge: edge[:3])
    parts, at = [], 0
    for place, _, _, tag in edges:
        parts += [text[at:place], tag]
        at = place
    return "".join([*parts, text[at:]])


def _shown(text: str, place: Place | None) -> str:
    """What stands at a place of a text; nothing for none."""
    if place is None:
        return ""
    spots = [n for n, char in enumerate(text) if not char.isspace()]
    return text[spots[place[0]] : spots[place[1] - 1] + 1]
