"""Rows that are no translations are told by what the rest of the bitext says of their words."""

import numpy as np
import pytest

import spanbridge
from spanbridge import Projector, Sentence, SentencePair, Span, WordAlignment
from spanbridge.alignment.judging import MIN_ROWS, Judge
from spanbridge.alignment.lexical_aligner import LexicalAligner
from spanbridge.run.memory import in_memory
from spanbridge.steps.base import Context
from spanbridge.steps.fates import UNLIKELY
from spanbridge.steps.projecting import Project

ROWS, FIRST, LAST, WORDS = 120, 60, 90, 30


class Vectors(LexicalAligner):
    """Sentences are alike by their words' numbers, beside much that all sentences share."""

    def sentence_vectors(self, sentences):
        found = np.full((len(sentences), WORDS), 5, np.float32)
        for row, words in enumerate(sentences):
            for word in words:
                found[row, int(word[1:])] += 1
        return found


def toy(n=ROWS):
    """Random sentences and their translations word by word, of which one in six is lost."""
    chance, rows = np.random.default_rng(0), []
    for k in range(n):
        numbers = chance.integers(0, WORDS, 7)
        kept = numbers[chance.random(7) > 1 / 6]
        source = Sentence(tuple(f"s{n}" for n in numbers), (Span(0, 1, "X"),))
        rows.append(SentencePair(str(k + 1), source, Sentence(tuple(f"q{n}" for n in kept))))
    return rows


def shifted(rows):
    """The same with the targets of rows FIRST to LAST moved by one."""
    return [
        row._replace(target=rows[k + 1].target) if FIRST <= k < LAST else row
        for k, row in enumerate(rows)
    ]


def low(scores):
    """Whether each score is below the least."""
    return np.array([score < 0.05 for score in scores])


@pytest.mark.parametrize("aligner", [None, Vectors()], ids=["words", "words and sentences"])
def test_a_shift_is_found_in_the_bitext_that_is_learned_from(aligner):
    rows, judge = shifted(toy()), Judge()
    judge.fit(rows, aligner)
    found = low(judge.scores(rows, aligner))
    assert found[FIRST:LAST].mean() > (0.6 if aligner is None else 0.8)
    assert not np.delete(found, range(FIRST, LAST)).any()


def test_nothing_is_unlikely_in_a_true_bitext_and_nothing_judged_by_words_met_once():
    rows = toy()
    chance = [
        row._replace(target=Sentence(tuple(f"q{k}{n}" for n in range(5))))
        for k, row in enumerate(rows)
    ]
    judge = Judge()
    judge.fit(rows, None)
    assert not low(judge.scores(rows, None)).any()
    judge.fit(chance, None)
    assert set(judge.scores(chance, None)) == {None}


def test_scores_do_not_depend_on_the_batch_and_survive_saving(tmp_path):
    rows, aligner, judge = shifted(toy()), Vectors(), Judge()
    judge.fit(rows, aligner)
    judge.save(tmp_path)
    whole = judge.scores(rows, aligner)
    other = Judge().load(tmp_path)
    assert [score for row in rows for score in other.scores([row], aligner)] == whole


def test_rows_without_words_and_small_bitexts_have_no_score():
    rows, judge = toy(), Judge()
    judge.fit(rows, None)
    empty = rows[0]._replace(target=Sentence(()))
    assert judge.scores([empty], None) == [None]
    judge.fit(rows[: MIN_ROWS - 1], None)
    assert judge.scores(rows[:2], None) == [None, None]


@pytest.mark.parametrize("links", ["keep", "only"])
def test_what_learns_nothing_else_is_judged_by_the_bitext_too(links, tmp_path):
    """With links that are no evidence: as surely as if method or aligner learned."""
    rows = [
        row.replace(links=WordAlignment.of([(k, k) for k in range(min(n))], *n))
        for row in shifted(toy())
        for n in [(len(row.source.words), len(row.target.words))]
    ]
    aligner = {} if links == "only" else {"aligner": "lexical"}
    given = {"method": "greedy", "links": links, **aligner}
    result = spanbridge.project(rows, **given)
    found = np.array([row.status == UNLIKELY for row in result])
    assert found[FIRST:LAST].mean() > 0.6
    assert not np.delete(found, range(FIRST, LAST)).any()
    assert f"|learned_on:{ROWS}_rows|" in result.signature
    alone = Projector(**given).run(rows)  # not fitted: each row by its own links
    assert not any(row.status == UNLIKELY for row in alone)
    assert "|learned_on:0_rows|" in alone.signature
    fitted = Projector(**given).fit(rows)
    fitted.save(tmp_path / "fit")
    again = Projector.load(tmp_path / "fit", links=links).run(rows)
    assert list(again) == list(fitted.run(rows)) == list(result)
    every = spanbridge.project(rows, **given, least_parallel=0)
    assert list(every) == list(Projector(**given, least_parallel=0).run(rows))
    assert "learned_on" not in every.signature


def test_the_account_names_the_run_by_its_first_row():
    step = Project(method="soft", aligner="statistical")
    step.open(Context())
    done, [report], _ = in_memory([step], shifted(toy()), fit=True)
    [(first, *_, last, _, n)] = report.account.shifts()
    assert FIRST < first <= FIRST + 5
    assert LAST - 5 <= last <= LAST
    assert n == sum(row.status == UNLIKELY for row in done)
