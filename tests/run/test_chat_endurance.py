"""A chat model that fails, stalls, lies and dies at random: rows, texts, bytes and money.

SPANBRIDGE_LONG=1: 5,000 rows; some minutes.
"""

import os

import pytest
from benchmarks.chat_server import CLOSE, serving
from benchmarks.simulated_model import SimulatedModel

from spanbridge import SpanbridgeError, api
from spanbridge.chat.store import Price, Store
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span

LONG = bool(os.environ.get("SPANBRIDGE_LONG"))
N = 5000 if LONG else 250
FAULTS = {
    "malformed": 0.1,
    "slow": 0.05,
    "limited": 0.1,
    "failing": 0.1,
    "dying": 0.1,
    "hanging": 0.01,
}
PARALLEL, PRICE = 8, Price(1000.0, 2000.0)
ANSWERED = "spans left as they were, unanswered: "


def gold(n):
    """A person and a place; the place comes first in the target, and links to the person lack."""
    source = (f"Anna{n}", "Lee", f"met{n}", f"Bo{n}", "in", f"New{n}", "York")
    target = ("in", f"New{n}", "York", f"traf{n}", "Anna", f"Li{n}", f"Bo{n}")
    links = [(2, 3), (3, 6), (5, 1), *([(6, 2)] if n % 3 else []), *([(0, 4)] if n % 2 else [])]
    return SentencePair(
        str(n + 1),
        Sentence(source, (Span(0, 2, "PER"), Span(3, 4, "PER"), Span(5, 7, "LOC"))),
        Sentence(target, (Span(4, 6, "PER"), Span(6, 7, "PER"), Span(1, 3, "LOC"))),
        links=WordAlignment.of(links, 7, 7),
    )


GOLD = [gold(n) for n in range(N)]
ROWS = [pair._replace(target=pair.target.with_spans(())) for pair in GOLD]


@pytest.mark.slow
def test_rows_texts_bytes_and_budget_whatever_the_server_does(tmp_path):
    model = SimulatedModel(GOLD, right=0.85, faults=FAULTS, pause=0.01)
    cache = tmp_path / "kept"

    def run(url, name, **options):
        chat = {"model": "m", "url": url, "cache": str(cache), "tries": 5, "seconds": 20}
        chat |= {"pause": 0, "parallel": PARALLEL, "price": f"{PRICE.sent}/{PRICE.received}"}
        found = api.project(
            ROWS,
            "soft",
            refine={"chat": {**chat, **options}},
            below=0.85,
            links="only",
            least_parallel=0.0,
        )
        found.save(tmp_path / name)
        assert [pair.id for pair in found] == [pair.id for pair in ROWS]
        assert [pair.source for pair in found] == [pair.source for pair in ROWS]
        assert [pair.target.words for pair in found] == [pair.target.words for pair in ROWS]
        assert sum(found.account.statuses.values()) == len(ROWS)
        return found.account, (tmp_path / name).read_bytes()

    def spent():
        [path] = cache.glob("*.jsonl")
        store = Store(path)
        return PRICE.of(store.sent, store.received), len(store)

    with serving(model) as (url, seen):
        budget = N / 20
        account, first = run(url, "first.jsonl", budget=budget)
        assert account.notes[f"{ANSWERED}the budget is spent"] > 0
        money, n_answers = spent()
        most = max(sum(len(m["content"]) for m in body["messages"]) for body in seen)
        assert budget <= money < budget + PARALLEL * PRICE.of(most, 100)

        n = len(seen)
        _, same = run(url, "again.jsonl", budget=budget)
        assert (same, len(seen)) == (first, n)

        for _ in range(9):  # what failed for good is asked again
            account, whole = run(url, "whole.jsonl")
            if not any(name.startswith(f"{ANSWERED}the server") for name in account.notes):
                break
        n = len(seen)
        again, same = run(url, "again.jsonl")
        assert (again, same, len(seen)) == (account, whole, n)
        assert n > spent()[1] > n_answers
        told = model.told
        assert told["right"] / told.total() == pytest.approx(0.85, abs=0.06)

    # the server is gone for good; what it said before is still there, and costs nothing
    with serving(lambda body, n: CLOSE) as (other, seen):
        _, same = run(url, "again.jsonl")
        assert same == whole
        assert not seen
        with pytest.raises(SpanbridgeError, match="no answer"):
            run(other, "none.jsonl")
