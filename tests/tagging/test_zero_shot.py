"""GLiNER and GLiNER2, by their packages, on tiny checkpoints of their architectures."""

import importlib.util
import json
import re
import shutil
from itertools import pairwise

import pytest
import tiny_gliners
from safetensors.numpy import load_file, save_file

from spanbridge.core import registry
from spanbridge.core.errors import InputError, MissingExtraError, SpanbridgeError
from spanbridge.core.spans import Span
from spanbridge.tagging.zero_shot import Gliner, Gliner2, Window, _disjoint

LABELS = ["person", "place"]
SENTENCES = [
    ["Angela", "Merkel", "besucht", "Berlin"],
    [],
    ["Berlin"],
    ["The", "quick-brown", "U.S.", "", "fox", "."],
]
LONG = "The quick brown fox jumps over the lazy dog in Berlin . Angela Merkel besucht heute".split()
KINDS = ["gliner", "gliner-token", "gliner2"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("gliners")
    saved = {}

    def get(kind):
        pytest.importorskip(kind.partition("-")[0])
        if kind not in saved:
            saved[kind] = tiny_gliners.save(root / kind, kind)
        return str(saved[kind])

    return get


def load(kind, folder, labels=LABELS, **options):
    return (Gliner2 if kind == "gliner2" else Gliner)(folder, labels, device="cpu", **options)


@pytest.mark.parametrize("kind", KINDS)
def test_spans_are_those_of_the_package(folders, kind):
    """Words that their own splitting leaves whole: there, the packages' own answers are ours."""
    words = ["Angela", "Merkel", "besucht", "Berlin", "heute"]
    least = 0.1
    tagger = load(kind, folders(kind), threshold=least)
    [found] = tagger.tag([words])
    text = " ".join(words)
    if kind == "gliner2":
        from gliner2 import AutoExtractor

        theirs = AutoExtractor.from_pretrained(folders(kind)).extract_entities(
            text, LABELS, threshold=least, include_confidence=True, include_spans=True
        )
        spans = [
            (one["start"], one["end"], label, one["confidence"])
            for label, ones in theirs["entities"].items()
            for one in ones
        ]
    else:
        from gliner import GLiNER

        theirs = GLiNER.from_pretrained(folders(kind))
        spans = [
            (one["start"], one["end"], one["label"], one["score"])
            for one in theirs.predict_entities(text, LABELS, threshold=least)
        ]
    assert spans
    starts = [text.index(word) for word in words]
    ends = {
        start + len(word): n + 1 for n, (start, word) in enumerate(zip(starts, words, strict=True))
    }
    # gliner2 finds names in the full stop, too, that it puts behind the text
    spans = [(a, min(b, len(text)), *more) for a, b, *more in spans if a < len(text)]
    expected = [Span(starts.index(a), ends[b], label, score) for a, b, label, score in spans]
    whole = Window(0, len(words))
    assert found.spans == _disjoint([(whole, span) for span in expected], LABELS)


@pytest.mark.parametrize("kind", KINDS)
def test_no_result_depends_on_the_other_sentences(folders, kind):
    tagger = load(kind, folders(kind), threshold=0.3)
    together = tagger.tag([*SENTENCES, LONG])
    assert together == [tagger.tag([one])[0] for one in [*SENTENCES, LONG]]
    assert [one.n_words for one in together] == [4, 0, 1, 6, len(LONG)]
    assert together[1].spans == ()
    assert {span.label for one in together for span in one.spans} <= {*LABELS}
    assert all(0 < span.score <= 1 for one in together for span in one.spans)


def test_long_sentences_are_read_in_windows(folders):
    """GLiNER itself reads the first ``max_len`` words and warns; here, no word is left out."""
    tagger = load("gliner", folders("gliner"), threshold=0.2)
    windows = list(tagger._windows(LONG))
    most = tiny_gliners.MAX_WORDS
    assert [window.end - window.start for window in windows][:-1] == [most] * (len(windows) - 1)
    assert {n for window in windows for n in range(*window)} == {*range(len(LONG))}
    assert [b.start - a.start for a, b in pairwise(windows)] == [3] * (len(windows) - 1)
    [found] = tagger.tag([LONG])
    assert max(span.end for span in found.spans) > most
    ordered = [(span.start, span.end) for span in found.spans]
    assert all(a[1] <= b[0] for a, b in pairwise(ordered))


def test_windows_have_room_for_the_labels(folders, monkeypatch):
    tagger = load("gliner", folders("gliner"))
    monkeypatch.setattr(tagger._tokenizer, "model_max_length", 40)
    ids = tagger._tokenizer(LABELS, add_special_tokens=False).input_ids
    room = 40 - 8 - sum(len(i) + 2 for i in ids)
    words = ["Universität"] * 9
    [size] = {len(i) for i in tagger._tokenizer(words, add_special_tokens=False).input_ids}
    windows = list(tagger._windows(words))
    assert {window.end - window.start for window in windows} <= {max(1, room // size)}
    assert windows[-1].end == 9
    monkeypatch.setattr(tagger._tokenizer, "model_max_length", 12)  # less than the labels need
    assert list(tagger._windows(["Universität", "in"])) == [(0, 1), (1, 2)]


def test_the_best_of_overlapping_spans_stays():
    """Each from the window in which it is farthest from an edge; worked by hand."""
    left, right = Window(0, 6), Window(3, 9)
    found = [
        (left, Span(4, 6, "place", 0.9)),  # at the edge of the left window
        (right, Span(4, 6, "place", 0.3)),  # one word from an edge
        (right, Span(5, 7, "person", 0.5)),
        (left, Span(0, 1, "person", 0.6)),
        (left, Span(0, 2, "place", 0.6)),
    ]
    assert _disjoint(found, LABELS) == (Span(0, 2, "place", 0.6), Span(5, 7, "person", 0.5))


@pytest.mark.parametrize("kind", ["gliner", "gliner2"])
def test_signature(folders, kind, tmp_path):
    tagger = load(kind, folders(kind), "person, place")
    assert re.fullmatch(
        rf"{kind}\({kind}@[0-9a-f]{{8}},cpu,threshold=0.5,labels=person\+place\)",
        tagger.describe(),
    )
    assert tagger.classes == ("O", "B-person", "I-person", "B-place", "I-place")
    assert tagger.licence == "unknown"
    assert not tagger.gives_probabilities


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"labels": ""}, r"labels are \[''\]; give names"),
        ({"labels": "person,person"}, "each once"),
        ({"labels": []}, "labels are"),
        ({"threshold": 1.0}, "threshold is 1.0, but lies in"),
        ({"device": "nowhere"}, "the device 'nowhere' cannot be used"),
    ],
)
def test_wrong_settings(folders, options, why):
    with pytest.raises(SpanbridgeError, match=why):
        Gliner(folders("gliner"), **{"labels": LABELS, "device": "cpu"} | options)


@pytest.mark.parametrize("kind", ["gliner", "gliner2"])
def test_damaged_models_are_refused(folders, kind, tmp_path):
    folder = shutil.copytree(folders(kind), tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    name = next(n for n in sorted(weights) if weights[n].ndim == 2)
    save_file({n: w for n, w in weights.items() if n != name}, folder / "model.safetensors")
    with pytest.raises(InputError, match=r"model"):
        load(kind, str(folder))
    (folder / "model.safetensors").write_bytes(b"\0" * 100)
    with pytest.raises(InputError, match=r"model\.safetensors: is not a safetensors file"):
        load(kind, str(folder))
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"pytorch_model\.bin: is a pickle"):
        load(kind, str(folder))
    (folder / "pytorch_model.bin").unlink()
    with pytest.raises(InputError, match=r"has no model\.safetensors"):
        load(kind, str(folder))


def test_a_model_of_the_other_package_is_refused(folders):
    with pytest.raises(InputError, match=r"has no config\.json; is it a model of gliner2\?"):
        load("gliner2", folders("gliner"))
    with pytest.raises(InputError, match=r"has no gliner_config\.json; is it a model of gliner\?"):
        load("gliner", folders("gliner2"))


def test_without_the_package(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "spanbridge.core.requirements.find_spec",
        lambda name: None if name.startswith("gliner") else find(name),
    )
    for name in ("gliner", "gliner2"):
        with pytest.raises(MissingExtraError, match=f"{name}.* needs {name}, which is not"):
            registry.build("tagger", name, {"model": "x", "labels": "y"})


@pytest.mark.parametrize("kind", ["gliner", "gliner2"])
def test_label_reads_the_text_itself(folders, spanbridge, tmp_path, kind):
    (tmp_path / "t.txt").write_text("Angela Merkel besucht Berlin .\n\nThe lazy dog\n", "utf-8")
    named = ("--tagger", kind, "--model", folders(kind), "--labels", "person,place")
    spanbridge("label", "t.txt", *named, "--from", "de", "-o", "o.jsonl", "--quiet")
    rows = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text("utf-8").splitlines()]
    sizes = [len(row["target_words"]) for row in rows]
    assert sizes == [5, 0, 3]
    labels = {span["label"] for row in rows for span in row["target_spans"]}
    assert labels
    assert labels <= {"person", "place"}


def test_tag_reads_a_source_side(folders, spanbridge, tmp_path):
    (tmp_path / "s.txt").write_text("Angela Merkel besucht Berlin .\n", "utf-8")
    named = ("--tagger", "gliner", "--model", folders("gliner"), "--labels", "person")
    spanbridge("tag", "--source", "s.txt", *named, "-o", "o.conll", "--quiet")
    assert "B-person" in (tmp_path / "o.conll").read_text("utf-8")


def test_wrong_requests(spanbridge, tmp_path):
    (tmp_path / "s.txt").write_text("a\n", "utf-8")
    one = ("tag", "--source", "s.txt", "-o", "o.conll")
    assert "labels" in spanbridge(*one, "--labels", "x", code=2).stderr
    both = ("--labels", "x", "--tagger-option", "labels=y", "--tagger", "gliner", "--model", "m")
    why = "--labels and --tagger-option labels=... are the same"
    assert why in spanbridge(*one, *both, code=2).stderr
