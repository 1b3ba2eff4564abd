"""Constrained decoding in pipelines and by the command, on tiny checkpoints: places are noise."""

import json

import pytest
import tiny_translators
import toy_pipeline as toy
from fake_chat import says, serving
from toy_bitext import rows

from spanbridge import SpanbridgeError
from spanbridge.translation.base import Translator

ENGLISH = (
    "she\tO\nvisited\tO\nBerlin\tB-LOC\n.\tO\n\nthe\tO\ncompany\tO\n\n"
    "Angela\tB-PER\nMerkel\tI-PER\nmet\tO\nPedro\tB-PER\n\nMadrid\tB-LOC\n\n"
)
SPANISH = ["visitó  Berlín [la ciudad].", "la empresa", "Angela Merkel vio a <b>Pedro</b>.", ""]


@pytest.fixture
def place(tmp_path):
    (tmp_path / "en.conll").write_text(ENGLISH, encoding="utf-8")
    (tmp_path / "es.txt").write_text("\n".join(SPANISH) + "\n", encoding="utf-8")
    return tmp_path


def settings(place, kind, **options):
    folder = place / kind
    if kind == "marian":  # knows one direction
        options["rerank"] = False
    model = str(folder if folder.is_dir() else tiny_translators.save(folder, kind))
    return {
        "input": {"source": str(place / "en.conll"), "target": str(place / "es.txt")},
        "languages": {"source": "en", "target": "es"},
        "output": str(place / "o.jsonl"),
        "steps": [
            {
                "project": {
                    "method": {"codec": options},
                    "translator": {"neural": {"model": model}},
                }
            }
        ],
    }


@pytest.mark.parametrize(
    "kind", ["nllb", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("m2m", "marian"))]
)
@pytest.mark.parametrize("options", [{}, {"exact": True, "style": "letters", "n_best": 100}])
def test_the_text_never_changes_and_every_row_comes_out(place, kind, options):
    given = settings(place, kind, **options)
    done, [*_, report] = toy.run(given)
    found = rows(place / "o.jsonl")
    assert [row["target_text"] for row in found] == SPANISH
    statuses = [row["status"] for row in found]
    assert statuses == [
        *("projected", "empty: no source span", "projected", "empty: no target word")
    ]
    notes = report.account.notes
    # words of rows 1 and 3: 7 and 13; the latter has two places
    possible = 7 * 8 // 2 + 2 * (13 * 14 // 2)
    assert notes["insertions_of_marks_possible"] == possible
    assert notes["insertions_of_marks_scored"] <= possible
    if options:
        assert notes["insertions_of_marks_scored"] == possible  # as many are asked for
    assert "codec(" in done.signature
    assert "nothing is known of the method codec" in report.account.calibration
    first = (place / "o.jsonl").read_bytes()
    again = {**given, "work": str(place / "other"), "shard_rows": 1}
    assert toy.run(again)[0].signature == done.signature
    assert (place / "o.jsonl").read_bytes() == first


def test_by_the_command(spanbridge, place):
    model = tiny_translators.save(place / "m2m", "m2m")
    common = "project --source en.conll --target es.txt --method codec -o o.jsonl"
    languages = f"--translator-model {model} --from en --to es"
    options = "--translator-option compute_type=float32 --method-option style=xml --explain x.txt"
    done = spanbridge(*common.split(), *languages.split(), *options.split())
    assert "codec(xml,exact=False,n_best=5,rerank=True,neural(m2m@" in done.stderr
    assert ",float32," in done.stderr
    assert "4 rows = 2 projected" in done.stderr
    assert "licence of the translator: mit" in done.stderr
    assert "uncalibrated: nothing is known of the method codec" in done.stderr
    assert "log-probability" in (place / "x.txt").read_text("utf-8")
    toy_rows = [json.loads(line) for line in (place / "o.jsonl").read_text("utf-8").splitlines()]
    assert [row["target_text"] for row in toy_rows] == SPANISH
    for extra, why in (
        ("", "needs a translator that was trained on marks"),
        (f"{languages} --aligner lexical", "--method codec reads no alignment"),
        (
            f"{languages} --method-option style=stars",
            "style: must be 'brackets', 'xml', ",
        ),
        (f"{languages} --method-option n_best=0", "n_best is 0"),
        (f"{languages} --weight spelling=1", "takes no weights"),
        ("--translator-option beam=1", "--translator-option does nothing without"),
        (f"{languages} --translator-option beams=1", "neural: beams: there is no such setting"),
        (f"--translator-model {model} --to es", "the source's language is not given"),
    ):
        assert why in spanbridge(*common.split(), *extra.split(), code=2).stderr


def test_options_are_checked_before_the_translator_is_looked_for(place):
    given = settings(place, "m2m")
    [step] = given["steps"]
    for method, why in (
        ({"codec": {"n_best": 0}}, "n_best is 0"),
        ({"codec": {"style": "stars"}}, "codec: style: must be"),
        ({"codec": {"exact": "maybe"}}, "codec: exact: must be true or false"),
        ({"chat": {"model": "m", "base": "codec"}}, "'codec' has no candidates to choose among"),
        ({"t-projection": {"generator": "/no", "beam": 0}}, "beam=0"),
    ):
        step["project"] = {"method": method, "translator": {"neural": {"model": "/no/model"}}}
        with pytest.raises(SpanbridgeError, match=why):
            toy.run(given)
    step["project"] = {"method": {"t-projection": {"generator": "/no/model"}}}
    with pytest.raises(SpanbridgeError, match="'t-projection' needs a translator to rank"):
        toy.run(given)


@pytest.mark.parametrize("refines", [False, True])
def test_a_chat_model_refines_it(place, refines):
    """It is handed the translator, whichever of both is named as the method."""
    given = settings(place, "m2m")
    [step] = given["steps"]
    with serving(lambda body, n: says("no idea")) as (url, seen):
        chat = {"model": "m", "url": url, "cache": str(place / "kept"), "pause": 0, "tries": 1}
        chat["way"] = "insert"
        if refines:
            step["project"] |= {"refine": {"chat": chat}, "below": 1.0}
        else:
            step["project"]["method"] = {"chat": {**chat, "base": "codec"}}
        _, [*_, report] = toy.run(given)
    assert len(seen) == report.account.notes["requests_to_the_chat_model"] == 2
    assert report.account.notes["insertions_of_marks_scored"] > 0
    assert [row["target_text"] for row in rows(place / "o.jsonl")] == SPANISH


class Silent(Translator):
    """Translates, and says nothing of how probable a given translation is."""

    licence = "MIT"

    def describe(self, source, target):
        return "silent"

    def translate(self, sentences, source, target):
        raise NotImplementedError


def test_translators_that_cannot_score(place):
    given = settings(place, "m2m")
    given["steps"][0]["project"]["translator"] = Silent()
    with pytest.raises(SpanbridgeError, match="Silent cannot score a given translation"):
        toy.run(given)
    for ask in (lambda: Silent().subwords("a"), lambda: Silent().token_log_probabilities([], 0, 0)):
        with pytest.raises(SpanbridgeError, match="Silent cannot score a given translation"):
            ask()
