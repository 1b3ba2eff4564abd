"""The Python face: objects that keep their models, results saved as the commands do."""

import subprocess
import sys
from itertools import pairwise

import pytest
from toy_bitext import EqualWords, dump, invented_bitext, rows

from spanbridge import InputError, Sentence, SentencePair, Span, SpanbridgeError, api
from spanbridge.api import Labeller, Loaded, Projector, as_rows, read_pairs
from spanbridge.projection.presets import GreedyMethod


@pytest.fixture
def pairs(write):
    return read_pairs(*[write(name, text) for name, text in invented_bitext(120).items()])


NAMES = """
import {first}
import spanbridge

spanbridge.Projector("greedy", "lexical")
wrong = [name for name in spanbridge.__all__ if type(getattr(spanbridge, name)) is type(spanbridge)]
assert not wrong, wrong
"""


@pytest.mark.parametrize(
    "first", ["spanbridge", pytest.param("spanbridge.projection.presets", marks=pytest.mark.slow)]
)
def test_public_functions_are_no_modules(first):
    """In a fresh interpreter, whatever was imported or done before."""
    code = NAMES.format(first=first)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr.splitlines()[-1]


def test_pairs_can_be_read_twice(pairs):
    first = list(pairs)
    assert list(pairs) == first
    assert len(first) == 120
    assert pairs.counts.n_rows == 120


def test_one_pair_by_itself():
    projector = Projector("greedy", "lexical")
    source = Sentence(("Ana", "sings"), (Span(0, 1, "PER"),))
    pair = SentencePair("x", source, Sentence(("canta", "Ana")))
    done = projector(pair)
    assert [span[:3] for span in done.target.spans] == [(1, 2, "PER")]
    assert (done.id, done.status, done.provenance) == ("x", "projected", "project")
    assert projector(pair) == done
    assert projector.run([pair])[0] == done


def test_parts_that_were_made_already():
    projector = Projector(GreedyMethod(n_proj=2), EqualWords())
    pair = SentencePair("1", Sentence(("a",), (Span(0, 1, "X"),)), Sentence(("a", "b", "a")))
    assert [span[:2] for span in projector(pair).target.spans] == [(0, 1), (2, 3)]
    result = projector.run([pair])
    assert "aligner:equal(fitted=0)|method:greedy(ngrams=any,greedy,n_proj<=2" in result.signature


def test_what_has_to_learn_says_so(pairs):
    projector = Projector("corpus", "statistical")
    with pytest.raises(SpanbridgeError, match="has to learn first: call fit"):
        projector.run(pairs)
    assert projector.fit(pairs) is projector
    assert "|learned_on:120_rows|" in projector.run(pairs).signature


@pytest.mark.parametrize(
    "aligner", [pytest.param("statistical", marks=pytest.mark.slow), "lexical"]
)
def test_saved_and_loaded_it_gives_the_same_rows(pairs, tmp_path, aligner):
    projector = Projector("corpus", aligner).fit(pairs)
    before = projector.run(pairs)
    projector.save(tmp_path / "fit")
    after = Projector.load(tmp_path / "fit").run(pairs)
    assert list(after) == list(before)
    assert after.account == before.account
    assert "|applied:" in after.signature
    one = next(iter(pairs))
    assert Projector.load(tmp_path / "fit")(one) == before[0]
    sure = Projector.load(tmp_path / "fit", min_confidence=0.5).run(pairs)
    assert sure.account.n_target_spans <= before.account.n_target_spans
    assert "|min_confidence:0.5|" in sure.signature


def test_the_command_applies_what_python_has_learned(pairs, tmp_path, command):
    projector = Projector("corpus", "statistical").fit(pairs)
    projector.save(tmp_path / "fit")
    projector.run(pairs).save(tmp_path / "python.jsonl")
    command(*"project --source s.conll --target t.txt --apply fit -o command.jsonl".split())
    files = [(tmp_path / f"{name}.jsonl").read_bytes() for name in ("python", "command")]
    assert files[0] == files[1]


def test_a_fit_keeps_weights(pairs, tmp_path):
    projector = Projector("corpus", "statistical", weights={"spelling": 2.0, "soft": 0}).fit(pairs)
    before = projector.run(pairs)
    projector.save(tmp_path / "fit")
    loaded = Projector.load(tmp_path / "fit")
    assert list(loaded.run(pairs)) == list(before)
    assert "+2*spelling" in loaded.run(pairs).signature
    loaded.save(tmp_path / "again")
    assert list(Projector.load(tmp_path / "again").run(pairs)) == list(before)


def test_a_fit_keeps_no_tagger(pairs, tmp_path):
    tagger = {"given": {"model": str(tmp_path / "s.conll")}}
    projector = Projector({"match": {"candidates": "tagger"}}, "lexical", tagger=tagger)
    with pytest.raises(SpanbridgeError, match="a fit keeps no tagger; leave it out"):
        projector.save(tmp_path / "fit")


@pytest.mark.slow
def test_a_labeller_finds_words_by_dictionary_where_there_are_no_spaces(route):
    tagger, translator = route
    for language, wanted in (("zh", True), ("th", True), ("es", False)):
        how = {"tagger": tagger, "translator": translator, "route": "translate"}
        steps = [step.name for step in Labeller(language, **how)._steps]
        assert ("segment" in steps) == wanted
    assert "segment" not in [s.name for s in Labeller("zh", **how, segment=False)._steps]


def test_no_fit_there(tmp_path):
    with pytest.raises(InputError, match="no such folder; make it with project --fit"):
        Projector.load(tmp_path / "nosuch")


@pytest.mark.parametrize("suffix", ["jsonl", "conll"])
def test_a_result_is_saved_as_the_command_does(bitext, tmp_path, command, suffix):
    """With rejects and manifest: an aligner rejects a row of the toy bitext, whose links lack."""
    given = [
        {"id": "a", "source_words": ["Ana"], "target_words": ["Ana"], "links": [[0, 0]]},
        {"id": "b", "source_words": ["Ana"], "target_words": ["Ana"]},
    ]
    for row in given:
        row["source_spans"] = [{"start": 0, "end": 1, "label": "PER"}]
    (tmp_path / "in.jsonl").write_text(dump(*given), "utf-8")
    (tmp_path / "only.yaml").write_text(
        f"input: {{source: in.jsonl}}\noutput: c.{suffix}\nsteps: [{{project: {{links: only}}}}]\n"
    )
    command("run", "only.yaml")
    result = api.project(read_pairs(tmp_path / "in.jsonl"), links="only")
    run = result.save(tmp_path / f"p.{suffix}")
    for beside in ("", ".rejects.jsonl"):
        made = [(tmp_path / f"{name}.{suffix}{beside}").read_bytes() for name in "cp"]
        assert made[0] == made[1]
    assert rows(run.rejects) == [{"id": "b", "reason": "no links given, and no aligner asked for"}]
    assert [row.id for row in result] == ["a", "b"]
    assert len(result) == len(result[:5]) == 2
    assert result.account.statuses["projected"] == 1
    assert [report.rows for report in result.reports] == [2]


def test_what_commands_save_has_spans_of_the_other_side(pairs, tmp_path):
    tagged = api.tag(pairs, {"given": {"model": str(tmp_path / "s.conll")}})
    tagged.save(tmp_path / "tags.conll", side="source")
    assert (tmp_path / "tags.conll").read_text() == (tmp_path / "s.conll").read_text()


def test_a_result_is_not_saved_where_the_command_would_not(pairs, tmp_path):
    links = api.align(pairs, "lexical")
    with pytest.raises(SpanbridgeError, match=r"conll, which holds no links; write \.jsonl or"):
        links.save(tmp_path / "o.conll")
    with pytest.raises(SpanbridgeError, match="is both input and output"):
        links.save(tmp_path / "t.txt")
    links.save(tmp_path / "o.links")
    assert (tmp_path / "o.links").read_text().splitlines()[0][:3] == "2-2"
    spans = api.project(pairs, "greedy", "lexical")
    for name in ("o.pharaoh", "o.txt"):
        with pytest.raises(SpanbridgeError, match=r"holds no spans; write \.jsonl or \.conll"):
            spans.save(tmp_path / name)
    assert not (tmp_path / "o.txt").exists()


PAIR = SentencePair("1", Sentence(("a",)), Sentence(("b",)))
WRONG = {
    "rows is a str; give an iterable of SentencePair": lambda: api.project("in.jsonl", "greedy"),
    "rows is a SentencePair; give an": lambda: Projector("greedy", "lexical").run(PAIR),
    "rows is a int; give an": lambda: Projector("greedy", "lexical").run(3),
    "row 2 is a dict; give": lambda: Projector("greedy", "lexical").run([PAIR, {"id": "x"}]),
    "texts is one string": lambda: list(as_rows("Ana canta.")),
    "text 1 is a int": lambda: list(as_rows([3])),
    "steps is a str; give a list of steps": lambda: Loaded("align"),
    "steps is a dict; give a list of steps": lambda: Loaded({"align": {"aligner": "lexical"}}),
    "has to learn first": lambda: Projector("corpus", "statistical").save("fit"),
    "row 1 is a dict; give a file, or a list": lambda: api.evaluate([{"a": 1}], [PAIR]),
    "row 1 is a SentencePair; give a file": lambda: api.evaluate(PAIR, PAIR),
    "row 1 is a int; give a file": lambda: api.evaluate(3, [PAIR]),
    "scheme is 'iob9', but must be one of": lambda: api.evaluate([PAIR], [PAIR], scheme="iob9"),
    "strict is defined for iob2": lambda: api.evaluate(
        [PAIR], [PAIR], scheme="bioes", protocol="strict"
    ),
    "is no path of a file": lambda: read_pairs(["en.conll"], "de.txt"),
    "side is 'left', but must be": lambda: api.write_pairs("o.conll", [PAIR], "left"),
    "limit is 0, but must be 1 or more": lambda: api.align([PAIR], "lexical", fit_rows=0),
}


@pytest.mark.parametrize("why", WRONG)
def test_wrong_arguments(why):
    with pytest.raises(SpanbridgeError, match=why):
        WRONG[why]()


TEXT = "Pedro vive en Lugar1."


@pytest.fixture
def route(write):
    """Translator and tagger of the one text."""
    translations = write("t.tsv", f"{TEXT}\tPedro lives in Lugar1.\n")
    tags = "Pedro\tB-PER\nlives\tO\nin\tO\nLugar1\tB-LOC\n.\tO\n\n"
    tagger = {"given": {"model": write("en.conll", tags)}}
    return tagger, {"given": {"model": translations}}


def test_a_labeller_of_one_text(route):
    tagger, translator = route
    how = {"tagger": tagger, "translator": translator, "route": "translate"}
    labeller = Labeller("es", **how, method="greedy", aligner="lexical")
    assert labeller.choice.why == "as asked"
    found = labeller(TEXT)
    spans = [(found.target.text_of(s.start, s.end), s.label) for s in found.target.spans]
    assert spans == [("Pedro", "PER"), ("Lugar1", "LOC")]
    assert (found.target.text, found.source.text) == (TEXT, "Pedro lives in Lugar1.")
    assert (found.status, found.translation_status) == ("projected", "ok")
    missing = labeller("Otro texto.")
    assert missing.status == "failed: translation: the file has no translation of it"
    assert (missing.confidence, missing.target.spans) == (None, ())
    assert labeller("").target.spans == ()
    assert labeller(TEXT) == found


def test_label_is_the_labeller_on_many_texts(route):
    tagger, translator = route
    how = {"method": "greedy", "aligner": "lexical", "route": "translate"}
    how |= {"tagger": tagger, "translator": translator}
    result = api.label([TEXT, "", TEXT], "es", **how)
    one = Labeller("es", **how)(TEXT)
    assert [row.target for row in result] == [one.target, Sentence((), (), "", ()), one.target]
    assert [row.id for row in result] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: Projector("nosuch"), "method: no method is named 'nosuch'"),
        (lambda: Projector({"greedy": {"n_proj": "x"}}), "n_proj: must be a whole number"),
        (lambda: Projector("greedy", min_confidence=2), "min_confidence: must be at most"),
        (lambda: Projector("greedy", nosuch=1), "nosuch: there is no such setting"),
        (lambda: Loaded([]), "steps: "),
        (lambda: Loaded(["splt"]), "no step is named 'splt'"),
        (lambda: Labeller("xx"), "'xx' is no language code"),
        (lambda: Labeller(tagger="given"), "model: is missing"),
        (lambda: Loaded(["translate"]), "the target's language is not given"),
    ],
)
def test_settings_that_are_wrong(make, why):
    with pytest.raises(SpanbridgeError, match=why):
        make()


def test_commercial_use_is_asked_for_in_python_too(route):
    tagger, _ = route
    with pytest.raises(SpanbridgeError, match="the licence of the tagger given is unknown"):
        Loaded([{"tag": {"tagger": tagger}}], commercial=True)
    (options,) = tagger.values()
    free = {"given": {**options, "licence": "CC0-1.0"}}
    assert Loaded([{"tag": {"tagger": free}}], commercial=True)


def test_progress_is_told(pairs):
    seen = []

    def watch(items, task):
        seen.append((task.doing, task.total))
        return items

    api.project(pairs, "corpus", "statistical", fit_rows=50, progress=watch)
    assert seen == [("learn words", 50), ("learn spans", 50), ("run", 120)]


def test_texts_are_numbered():
    made = list(as_rows(["a b", ""]))
    assert [(row.id, row.target.words) for row in made] == [("1", ("a", "b")), ("2", ())]
    assert all(int(a.id) + 1 == int(b.id) for a, b in pairwise(made))
