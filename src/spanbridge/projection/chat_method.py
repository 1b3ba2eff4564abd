"""Projection by a chat model, where another method is not sure enough.

The method below it, the base, projects first. Source spans in which it is less confident than a
bound are asked about (:mod:`spanbridge.projection.chat_questions`); all others stay. The model
gives places only, so text never changes, and a place that crosses a surer span is not taken. Where
there is no usable answer, the base's result stays and is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any, ClassVar, Literal, Unpack

from pydantic import BeforeValidator

from spanbridge.chat.client import ChatClient, Dialogue, Message, Unanswered
from spanbridge.chat.options import URL, ChatOptions, ChatSettings
from spanbridge.chat.store import estimated_tokens
from spanbridge.core import registry
from spanbridge.core.errors import RowError, SpanbridgeError
from spanbridge.core.learned import Arrays
from spanbridge.core.rows import SentencePair
from spanbridge.core.settings import one_entry
from spanbridge.projection.chat_decision import Draft, decided, verdict
from spanbridge.projection.chat_examples import Example, examples_for
from spanbridge.projection.chat_questions import WAYS, Doubt, Pick, Picks, Place, Way, taggable
from spanbridge.projection.contract import checked_projections
from spanbridge.projection.corpus import digest
from spanbridge.projection.matcher import Matcher
from spanbridge.projection.method import Method, Projection, Reads, Row

# Parameters of every request; the server may refuse some, which are left out then.
PARAMETERS: dict[str, Any] = {"temperature": 0, "seed": 0}
# Rows of the sample that are looked at for examples, spread evenly.
LOOKED_AT = 1000
ASKED = "spans_asked_of_the_chat_model"
NONE_OF_THEM = "spans_for_which_the_chat_model_chose_no_candidate"
CHOOSE, INSERT = WAYS["choose"], WAYS["insert"]


def _checked(base: Any) -> Any:
    """A base that can be made. Raises ValueError if it cannot, or asks a model itself."""
    if isinstance(base, Method):
        part: Any = type(base)
    else:
        name, options = one_entry(base, "a method")
        try:
            part = registry.load("method", name)
        except SpanbridgeError as error:
            raise ValueError(str(error)) from error
        if not getattr(part, "asks", False):
            registry.check_options(part, name, options)
    if getattr(part, "asks", False):
        raise ValueError("asks a model itself; name another method")
    return base


class ChatMethod(Method):
    """Another method's projection, with doubtful spans decided by a chat model behind a server.

    All that is asked goes to that server, wherever it is.

    Args:
        model, url, more: as in :class:`spanbridge.chat.options.ChatSettings`.
        base: the method that projects first: name, or ``{name: options}``.
        below: spans with a lower confidence are asked about, in [0, 1]; 1 asks about all.
        way: ``choose`` among the base's best candidates, and ``insert`` tags into the target for
            spans that have none, or none that is right; or ``insert`` at once.
        options: candidates to choose among, at least 2.
        examples: questions with answers that the model is shown, from the surest rows of the
            bitext itself; 0 for none.
        reliability: probability that the model answers right, of which confidences are made where
            the server gives no log-probabilities; between 0 and 1.

    Attributes:
        below: as above; it may be changed from one run to the next.

    Raises:
        SpanbridgeError: an argument is out of range, or the base is no method that can be asked.
    """

    name, aligner, learns, slow = "chat", "fused", True, True
    reads: ClassVar[Reads] = "soft alignment"  # where the base is corpus
    requires, asks = ("anyio", "httpx"), True

    def __init__(
        self,
        model: str,
        url: str = URL,
        base: Annotated[str | dict[str, Any] | Method, BeforeValidator(_checked)] = "corpus",
        below: float = 1.0,
        way: Literal["choose", "insert"] = "choose",
        options: int = 6,
        examples: int = 4,
        reliability: float = 0.9,
        **more: Unpack[ChatOptions],
    ) -> None:
        if not (0 <= below <= 1 and 0 < reliability < 1 and options >= 2 and examples >= 0):
            raise SpanbridgeError(
                f"below={below}, reliability={reliability}, options={options}, "
                f"examples={examples}: out of range"
            )
        if isinstance(base, Method):
            self.base = base
        else:
            self.base = registry.build("method", *one_entry(base, "a method"))
        if way == "choose" and not isinstance(self.base, Matcher):
            raise SpanbridgeError(
                f"the method {self.base.name!r} has no candidates to choose among; take the way "
                "insert"
            )
        self.reads = self.base.reads  # type: ignore[misc]  # as the base does
        self.aligner = self.base.aligner  # type: ignore[misc]
        self.inserts = self.base.inserts  # type: ignore[misc]
        self._settings = ChatSettings(model, url, **more)
        self.licence = self._settings.licence
        self._ways = (CHOOSE, INSERT) if way == "choose" else (INSERT,)
        self._way_name, self.below = way, below
        self._options, self._n_examples, self._reliability = options, examples, reliability
        self._examples: dict[str, list[Example]] = {}  # by the name of the way
        self._told = self._client().describe()
        self._asking: ChatClient | None = None

    @cached_property
    def counts(self) -> Counter[str]:
        """Counts of the base, and of what was asked."""
        return self.base.counts

    def describe(self) -> str:
        """The base, the model, and all settings that the results depend on."""
        prompt = sha256("".join(way.prompt for way in self._ways).encode()).hexdigest()[:8]
        own = f"{self._told},below={self.below:g},{self._way_name},prompt={prompt}"
        own += f",options={self._options},examples={self._n_examples}"
        own += f",reliability={self._reliability:g},tries={self._settings.tries}"
        if self._settings.budget is not None:
            own += f",budget={self._settings.budget:g}"
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
        """Check the base; raises SpanbridgeError."""
        self.base.check()

    def max_confidence(self) -> float:
        """The greatest confidence: the base's, or that of an answer."""
        return max(self.base.max_confidence(), 0.999)

    def fit(self, rows: Sequence[Row]) -> None:
        """Let the base learn, and find examples."""
        self.base.conventions = self.conventions
        if self.base.learns:
            self.base.fit(rows)
        step = -(-len(rows) // LOOKED_AT) or 1
        looked_at = rows[::step]
        usable = [row for row in looked_at if row[0].source.spans and row[0].target.words]
        drafts = [one for one in self._drafts(usable) if isinstance(one, Draft)]
        self._settle(
            {
                way.name: examples_for(way, drafts, self._n_examples, self._best)
                for way in self._ways
            }
        )

    def teach(self, rows: Sequence[Row]) -> None:
        """Teach the base."""
        self.base.teach(rows)

    def learned(self) -> tuple[dict[str, Any], Arrays]:
        """The base's state, and the examples."""
        content, arrays = self.base.learned()
        return {"base": content, "examples": self._examples}, arrays

    def restore(self, content: Mapping[str, Any], arrays: Arrays) -> None:
        """Restore what was learned before."""
        if self.base.learns:
            self.base.restore(content["base"], arrays)
        self._settle(
            {
                way: [(str(a), str(b), str(c)) for a, b, c in examples]
                for way, examples in content["examples"].items()
            }
        )

    def project(self, rows: Sequence[Row]) -> list[Projection | RowError]:
        """Project by the base, and ask about doubtful spans of all rows, side by side."""
        self.base.conventions = self.conventions
        drafts = self._drafts(rows)
        picks: list[dict[int, Pick]] = [{} for _ in rows]
        wanted = [
            {doubt.entity: doubt for doubt in self._doubts(one)} if isinstance(one, Draft) else {}
            for one in drafts
        ]
        self.counts[ASKED] += sum(map(len, wanted))
        choices = [
            (n, [doubt]) for n, of in enumerate(wanted) for doubt in of.values() if doubt.options
        ]
        self._ask(CHOOSE, rows, choices, picks)
        insertions = []
        for n, of in enumerate(wanted):
            none = [e for e, pick in picks[n].items() if pick.place is None]
            self.counts[NONE_OF_THEM] += len(none)
            of |= {e: of[e]._replace(options=()) for e in none}
            if doubts := [doubt for doubt in of.values() if not doubt.options]:
                insertions.append((n, doubts))
        self._ask(INSERT, rows, insertions, picks)
        return [
            one if isinstance(one, RowError) else self._decided(one, picks[n], wanted[n])
            for n, one in enumerate(drafts)
        ]

    def _ask(
        self,
        way: Way,
        rows: Sequence[Row],
        questions: Sequence[tuple[int, list[Doubt]]],
        picks: Sequence[dict[int, Pick]],
    ) -> None:
        """Ask about doubts of rows, by their numbers; where there is no answer, no pick stands."""
        if self._asking is None:
            self._settle(self._examples)
        assert self._asking is not None
        used: Counter[str] = Counter()
        dialogues = [self._dialogue(way, rows[n][0], doubts, used) for n, doubts in questions]
        texts = ("" if way.each else rows[n][0].target.plain_text() for n, _ in questions)
        written = list(map(estimated_tokens, texts))
        answers = self._asking.hold(dialogues, way.parameters(), written)
        self.counts.update(used)
        for (n, doubts), answer in zip(questions, answers, strict=True):
            if not isinstance(answer, Unanswered | str):
                picks[n].update(answer)
                continue
            why = answer if isinstance(answer, str) else answer.why
            self.unsettled += isinstance(answer, Unanswered)
            self.counts[f"spans left as they were, unanswered: {why}"] += len(doubts)
            for doubt in doubts:
                picks[n].pop(doubt.entity, None)

    def _decided(
        self, one: Draft, picks: Mapping[int, Pick], doubts: Mapping[int, Doubt]
    ) -> Projection:
        if not picks:
            return one.projection
        verdicts = {
            e: verdict(one, doubts[e], pick, self._reliability) for e, pick in picks.items()
        }
        return decided(one, verdicts, self.below, self.counts)

    def _drafts(self, rows: Sequence[Row]) -> list[Draft | RowError]:
        found = checked_projections(self.base, rows, self.base.project(rows))
        return [
            one if isinstance(one, RowError) else Draft.of(row, one)
            for row, one in zip(rows, found, strict=True)
        ]

    def _settle(self, examples: Mapping[str, list[Example]]) -> None:
        """Take up examples; answers to requests with these stand in a file of their own."""
        self._examples = dict(examples)
        prompts = [way.prompt for way in self._ways]
        self._asking = self._client(self._told, prompts, self._examples)

    def _client(self, *job: Any) -> ChatClient:
        """A client, which keeps the answers of a job."""
        optional = (*PARAMETERS, *(name for way in self._ways for name in way.parameters()))
        return self._settings.client(PARAMETERS, optional, job)

    def _dialogue(
        self, way: Way, pair: SentencePair, doubts: Sequence[Doubt], used: Counter[str]
    ) -> Dialogue[Picks]:
        own = str(digest(pair))
        shown: list[Message] = []
        for row, question, answer in self._examples.get(way.name, ()):
            if row != own:
                shown.append({"role": "user", "content": question})
                shown.append({"role": "assistant", "content": answer})
        return way.dialogue(pair, doubts, shown, self._settings.tries, used)

    def _doubts(self, one: Draft) -> list[Doubt]:
        """What is asked of a row: with candidates, if any, where the model is to choose."""
        open_ = one.open(self.below)
        if not open_:
            return []
        fixed = one.fixed(self.below)
        found = {e: one.doubt(e) for e in open_}
        if CHOOSE in self._ways:
            best = self._best(one)
            for e in open_:
                own = [one.found[e][0]] if e in one.found else []
                others = [p for p in best[e] if one.fits(e, p, fixed) and p not in own]
                found[e] = one.doubt(e, [*own, *others][: self._options])
        bare = [e for e in open_ if not found[e].options]
        if bare and not taggable(one.row[0], [one.spans[e][0] for e in bare]):
            self.counts["spans left as they were: tags cannot be written around them"] += len(bare)
            found = {e: doubt for e, doubt in found.items() if doubt.options}
        return list(found.values())

    def _best(self, one: Draft) -> list[list[Place]]:
        """The best candidates of each place of a row."""
        assert isinstance(self.base, Matcher)
        return self.base.alternatives(one.row, self._options)
