"""Projection by a chat model, where another method is not sure enough.

The method below it, the base, projects first. Source spans in which it is less confident than a
bound are asked about (:mod:`spanbridge.projection.chat_questions`); all others stay. The model
gives places only, so text never changes, and a place that crosses a surer span is not taken. Where
there is no usable answer, the base's result stays and is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, Literal

from spanbridge.chat.client import (
    ChatClient,
    Dialogue,
    Message,
    Unanswered,
    estimated,
    first_messages,
)
from spanbridge.chat.store import Price, Store, estimated_tokens
from spanbridge.core import registry
from spanbridge.core.errors import RowError, SpanbridgeError
from spanbridge.core.learned import Arrays
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import nesting
from spanbridge.encode.cache import cache_folder
from spanbridge.projection.chat_decision import Draft, confidence, decided
from spanbridge.projection.chat_questions import WAYS, Doubt, Pick, Picks, taggable
from spanbridge.projection.contract import checked_projections
from spanbridge.projection.corpus import digest
from spanbridge.projection.matcher import Matcher
from spanbridge.projection.method import Method, Projection, Reads, Row

# Parameters of every request; the server may refuse some, which are left out then.
PARAMETERS: dict[str, Any] = {"temperature": 0, "seed": 0}
# Rows of the sample that are looked at for examples and for the forecast, spread evenly.
LOOKED_AT = 1000
# Confidence in every span of a row that can be an example, and words of its longer side at most.
SURE, SHORT = 0.9, 40
# Tokens of an answer beside the text in it.
ANSWER = 10
ASKED = "spans_asked_of_the_chat_model"


class ChatMethod(Method):
    """Another method's projection, with doubtful spans decided by a chat model behind a server.

    All that is asked goes to that server, wherever it is. Its key, if it wants one, is taken from
    ``SPANBRIDGE_CHAT_KEY``.

    Args:
        model: name by which the server knows it.
        url: base of its OpenAI-compatible interface.
        base: the method that projects first: name, or ``{name: options}``.
        below: spans with a lower confidence are asked about, in [0, 1]; 1 asks about all.
        way: ``choose`` among the base's best candidates, or ``insert`` tags into the target.
        options: candidates to choose among, at least 2.
        examples: questions with answers that the model is shown, from the surest rows of the
            bitext itself; 0 for none.
        reliability: probability that the model answers right, of which confidences are made where
            the server gives no log-probabilities; between 0 and 1.
        licence: of the model, for the record.
        leave_out: parameters of requests that the server refuses, by name, with commas between
            them; it is found out by itself where the server names the parameter.
        tries, seconds, parallel, pause: as in :class:`spanbridge.chat.client.ChatClient`.
        cache: folder for answers; by default one in the user's cache folder.
        price: money for a million tokens sent, and received: ``0.15/0.60``, or one number.
        budget: most money that is spent, at that price, on the same settings, examples and cache;
            what was spent in earlier runs counts.

    Raises:
        SpanbridgeError: an argument is out of range, or the base is no method that can be asked.
    """

    name, aligner, learns, slow = "chat", "fused", True, True
    reads: ClassVar[Reads] = "soft alignment"  # where the base is corpus
    requires = ("anyio", "httpx")

    def __init__(
        self,
        model: str,
        url: str = "http://localhost:11434/v1",
        base: str | dict[str, Any] | Method = "corpus",
        below: float = 1.0,
        way: Literal["choose", "insert"] = "choose",
        options: int = 6,
        examples: int = 4,
        reliability: float = 0.9,
        licence: str = "unknown",
        leave_out: str | list[str] = "",
        tries: int = 3,
        seconds: float = 120.0,
        parallel: int = 4,
        pause: float = 1.0,
        cache: str = "",
        price: str | float | None = None,
        budget: float | None = None,
    ) -> None:
        if not (0 <= below <= 1 and 0 < reliability < 1 and options >= 2 and examples >= 0):
            raise SpanbridgeError(
                f"below={below}, reliability={reliability}, options={options}, "
                f"examples={examples}: out of range"
            )
        self.base = _made(base)
        self.reads = self.base.reads  # type: ignore[misc]  # as the base does
        self.aligner = self.base.aligner  # type: ignore[misc]
        self.licence = licence
        self._way, self._way_name, self._below = WAYS[way], way, below
        self._options, self._n_examples, self._reliability = options, examples, reliability
        self._price = None if price is None else Price.parse(price)
        self._budget = budget
        self._tries = tries
        self._folder = Path(cache) if cache else cache_folder() / "chat"
        self._client = partial(
            ChatClient,
            model,
            url,
            {**PARAMETERS, **self._way.parameters()},
            leave_out=leave_out,
            optional=(*PARAMETERS, *self._way.parameters()),
            tries=tries,
            seconds=seconds,
            parallel=parallel,
            pause=pause,
            price=self._price,
            budget=budget,
        )
        self._examples: list[tuple[str, str, str]] = []  # digest of the row, question, answer
        self._rates = dict.fromkeys(("requests", "sent", "received"), 0.0)  # of each row
        self._told = self._client(store=Store(None)).describe()
        self._asking: ChatClient | None = None

    @cached_property
    def counts(self) -> Counter[str]:
        """Counts of the base, and of what was asked."""
        return self.base.counts

    def describe(self) -> str:
        """The base, the model, and all settings that the results depend on."""
        prompt = sha256(self._way.prompt.encode()).hexdigest()[:8]
        own = f"{self._told},below={self._below:g},{self._way_name},prompt={prompt}"
        own += f",options={self._options},examples={self._n_examples}"
        own += f",reliability={self._reliability:g},tries={self._tries}"
        if self._budget is not None:
            own += f",budget={self._budget:g}"
        return f"chat({own},base={self.base.describe()})"

    def components(self) -> tuple[object, ...]:
        """The method, and the parts of its base."""
        return (self, *self.base.components())

    def add_scores(self, weights: Any = None, tagger: Any = None, scorer: Any = None) -> None:
        """Add scores to the base's."""
        self.base.add_scores(weights, tagger, scorer)

    def score_names(self) -> frozenset[str]:
        """Names of the base's scores."""
        return self.base.score_names()

    def check(self) -> None:
        """Check the base, and that it can be asked; raises SpanbridgeError."""
        self.base.check()
        if self._way.each and not isinstance(self.base, Matcher):
            raise SpanbridgeError(
                f"the method {self.base.name!r} has no candidates to choose among; take the way "
                "insert"
            )

    def max_confidence(self) -> float:
        """The greatest confidence: the base's, or that of an answer."""
        return max(self.base.max_confidence(), 0.999)

    def fit(self, rows: Sequence[Row]) -> None:
        """Let the base learn; find examples, and how many requests rows need."""
        self.base.conventions = self.conventions
        if self.base.learns:
            self.base.fit(rows)
        step = -(-len(rows) // LOOKED_AT) or 1
        looked_at = rows[::step]
        usable = [row for row in looked_at if row[0].source.spans and row[0].target.words]
        drafts = [one for one in self._drafts(usable) if isinstance(one, Draft)]
        self._settle(self._found_examples(drafts))
        sent = received = n = 0
        for one in drafts:
            for doubts in self._questions(one):
                n += 1
                sent += estimated(first_messages(self._dialogue(one.row[0], doubts, Counter())))
                text = 0 if self._way.each else estimated_tokens(one.row[0].target.plain_text())
                received += text + ANSWER
        share = max(len(looked_at), 1)
        self._rates = {"requests": n / share, "sent": sent / share, "received": received / share}

    def teach(self, rows: Sequence[Row]) -> None:
        """Teach the base."""
        self.base.teach(rows)

    def learned(self) -> tuple[dict[str, Any], Arrays]:
        """The base's state, the examples, and how many requests rows need."""
        content, arrays = self.base.learned()
        return {"base": content, "examples": self._examples, "rates": self._rates}, arrays

    def restore(self, content: Mapping[str, Any], arrays: Arrays) -> None:
        """Restore what was learned before."""
        if self.base.learns:
            self.base.restore(content["base"], arrays)
        self._rates = {name: float(content["rates"][name]) for name in self._rates}
        self._settle([(str(a), str(b), str(c)) for a, b, c in content["examples"]])

    def forecast(self, n_rows: int) -> str:
        """Requests, tokens and money for so many rows, by those of the rows learned from."""
        n, sent, received = (self._rates[name] * n_rows for name in self._rates)
        told = (
            f"about {n:,.0f} requests to {self._told.partition(',')[0]}, {sent:,.0f} tokens sent "
            f"and {received:,.0f} received"
        )
        if self._price is not None:
            told += f", {self._price.of(sent, received):,.4g} by the price given"
        if self._budget is not None:
            told += f" (the budget is {self._budget:,g})"
        return f"{told}; answers that are kept from earlier runs cost nothing again"

    def project(self, rows: Sequence[Row]) -> list[Projection | RowError]:
        """Project by the base, and ask about doubtful spans of all rows, side by side."""
        self.base.conventions = self.conventions
        drafts = self._drafts(rows)
        asked = [
            (n, doubts)
            for n, one in enumerate(drafts)
            if isinstance(one, Draft)
            for doubts in self._questions(one)
        ]
        if self._asking is None:
            self._settle(self._examples)
        assert self._asking is not None
        used: Counter[str] = Counter()
        dialogues = [self._dialogue(rows[n][0], doubts, used) for n, doubts in asked]
        answers = self._asking.hold(dialogues)
        self.counts.update(used)
        picks: list[dict[int, Pick]] = [{} for _ in rows]
        wanted: list[dict[int, Doubt]] = [{} for _ in rows]
        for (n, doubts), answer in zip(asked, answers, strict=True):
            wanted[n] |= {doubt.entity: doubt for doubt in doubts}
            self.counts[ASKED] += len(doubts)
            if isinstance(answer, Unanswered | str):
                why = answer if isinstance(answer, str) else answer.why
                self.unsettled += isinstance(answer, Unanswered)
                self.counts[f"spans left as they were, unanswered: {why}"] += len(doubts)
            else:
                picks[n] |= answer
        return [
            one if isinstance(one, RowError) else self._decided(one, picks[n], wanted[n])
            for n, one in enumerate(drafts)
        ]

    def _decided(
        self, one: Draft, picks: Mapping[int, Pick], doubts: Mapping[int, Doubt]
    ) -> Projection:
        if not picks:
            return one.projection
        sure = {e: confidence(one, doubts[e], pick, self._reliability) for e, pick in picks.items()}
        return decided(one, picks, sure, self._below, self.counts)

    def _drafts(self, rows: Sequence[Row]) -> list[Draft | RowError]:
        found = checked_projections(self.base, rows, self.base.project(rows))
        return [
            one if isinstance(one, RowError) else Draft.of(row, one)
            for row, one in zip(rows, found, strict=True)
        ]

    def _settle(self, examples: list[tuple[str, str, str]]) -> None:
        """Take up examples; answers to requests with these stand in a file of their own."""
        self._examples = examples
        job = f"{self._told}|{self._way.prompt}|{examples!r}"
        name = sha256(job.encode("utf-8", "backslashreplace")).hexdigest()[:16]
        self._asking = self._client(store=Store(self._folder / f"{name}.jsonl"))

    def _dialogue(
        self, pair: SentencePair, doubts: Sequence[Doubt], used: Counter[str]
    ) -> Dialogue[Picks]:
        own = str(digest(pair))
        shown: list[Message] = []
        for row, question, answer in self._examples:
            if row != own:
                shown.append({"role": "user", "content": question})
                shown.append({"role": "assistant", "content": answer})
        return self._way.dialogue(pair, doubts, shown, self._tries, used)

    def _questions(self, one: Draft) -> Iterator[list[Doubt]]:
        """Yield the doubts of a row, those of one question together."""
        if one.projection.spans and not one.projection.origins:
            return  # it is not known which source spans they belong to
        fixed = one.fixed(self._below)
        open_ = [e for e in range(len(one.spans)) if e not in fixed]
        if not open_:
            return
        if not self._way.each:
            if taggable(one.row[0], [one.spans[e][0] for e in open_]):
                yield [one.doubt(e) for e in open_]
            else:
                self.counts["spans left as they were: tags cannot be written around them"] += len(
                    open_
                )
            return
        assert isinstance(self.base, Matcher)
        best = self.base.alternatives(one.row, self._options)
        for e in open_:
            own = [one.found[e][0]] if e in one.found else []
            fitting = [place for place in best[e] if one.fits(e, place, fixed) and place not in own]
            options = [*own, *fitting][: self._options]
            if options:
                yield [one.doubt(e, options)]

    def _found_examples(self, drafts: Sequence[Draft]) -> list[tuple[str, str, str]]:
        """The surest short rows as questions with answers, first one for each label."""
        found: list[tuple[str, str, str]] = []
        sure = []
        for one in drafts:
            pair = one.row[0]
            words = max(len(pair.source.words), len(pair.target.words))
            if len(one.found) == len(one.spans) and words <= SHORT:
                least = min(score for _, score in one.found.values())
                if least >= SURE and taggable(pair, [same[0] for same in one.spans]):
                    sure.append((-least, digest(pair), one))
        sure.sort(key=lambda item: item[:2])
        seen: set[str] = set()
        taken: set[int] = set()
        for new in (True, False):
            for _, number, one in sure:
                labels = {span.label for same in one.spans for span in same}
                if len(found) == self._n_examples:
                    return found
                if number in taken or (new and not labels - seen):
                    continue
                if (example := self._example(one, seen if new else set())) is not None:
                    found.append((str(number), *example))
                    taken.add(number)
                    seen |= labels
        return found

    def _example(self, one: Draft, seen: set[str]) -> tuple[str, str] | None:
        """A sure row as a question with its answer, on a label that is not seen yet if it can."""
        pair = one.row[0]
        doubts = [one.doubt(e) for e in range(len(one.spans))]
        if self._way.each:
            assert isinstance(self.base, Matcher)
            e = next((d.entity for d in doubts if set(d.labels) - seen), 0)
            best = self.base.alternatives(one.row, self._options)[e]
            right = one.found[e][0]
            others = [place for place in best if place != right][: self._options - 1]
            if not others:
                return None
            doubts = [one.doubt(e, [right, *others])]
        targets = [one.found[doubt.entity][0] for doubt in doubts]
        if nesting(targets)[1]:
            return None
        return self._way.question(pair, doubts), self._way.answer(pair, doubts, targets)


def _made(base: str | dict[str, Any] | Method) -> Method:
    """The base. Raises SpanbridgeError if it is no method, or asks a model itself."""
    made: Any = base
    if isinstance(base, dict):
        if len(base) != 1:
            raise SpanbridgeError("the base is written as NAME or as {NAME: {OPTION: VALUE}}")
        ((name, options),) = base.items()
        made = registry.build("method", name, options or {})
    elif isinstance(base, str):
        made = registry.build("method", base, {})
    if not isinstance(made, Method) or isinstance(made, ChatMethod):
        raise SpanbridgeError("the base is a method other than chat")
    return made
