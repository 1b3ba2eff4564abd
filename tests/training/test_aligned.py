"""The training of the aligned encoder: its data, its masses, and a small training of it."""

import json
from pathlib import Path

import numpy as np
import pytest
import tiny_checkpoints
import torch
from one_pair import soft_links, with_neighbours, word_states

from spanbridge.alignment.soft import cosines
from spanbridge.core.progress import silent
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.encode import load_encoder
from spanbridge.encode.deltas import Deltas
from spanbridge.training.aligned import objective, tuning
from spanbridge.training.aligned.corpus import MANUALS, MIN_LINK
from spanbridge.training.aligned.examples import Bitext, Named, place_of, sure_spans
from spanbridge.training.aligned.markup import GNOME, HANDBOOK, Block
from spanbridge.training.aligned.preparing import prepare

MALLARD = '<page xmlns="http://projectmallard.org/1.0/">{}</page>'


def written(folder: Path, texts: dict[str, str], name: str) -> Path:
    for language, text in texts.items():
        (folder / language).mkdir()
        (folder / language / name).write_text(text, "utf-8")
    return folder


def spans_of(block: Block) -> list[tuple[str, str]]:
    return [(block.source[a:b], block.target[c:d]) for a, b, c, d in block.spans]


def test_elements_of_a_block_are_spans(tmp_path):
    english = (
        "<p>Click <gui style='button'>Next  page</gui>, then\n <link xref='x'>go on</link>.</p>"
    )
    german = "<p>Mit <link xref='x'>Weiter </link> nach <gui style='button'>Nächste</gui>.</p>"
    pages = {"C": MALLARD.format(english), "de": MALLARD.format(german)}
    [block] = GNOME.read(written(tmp_path, pages, "a.page"), "de")
    assert block.source == "Click Next page, then go on."
    assert block.target == "Mit Weiter nach Nächste."
    assert spans_of(block) == [("Next page", "Nächste"), ("go on", "Weiter")]


def test_what_is_not_known_to_correspond_is_left_out(tmp_path):
    two = "<p>Press <key>A</key> or <key>B</key> to go somewhere else.</p>"  # which is which?
    same = "<p>Run <cmd>ls</cmd> in a terminal.</p><p>An untranslated sentence.</p>"
    zwei = "<p>Drücken Sie <key>B</key> oder <key>C</key>, um fortzufahren.</p>"
    gleich = "<p>Führen Sie <cmd>ls</cmd> im Terminal aus.</p><p>An untranslated sentence.</p>"
    pages = {"C": MALLARD.format(two + same), "de": MALLARD.format(zwei + gleich)}
    blocks = list(GNOME.read(written(tmp_path, pages, "a.page"), "de"))
    assert [spans_of(block) for block in blocks] == [[], []]


def test_pages_that_differ_in_structure_are_left_out(tmp_path):
    pages = {
        "C": MALLARD.format("<p>One thing here.</p><note><p>Two.</p></note>"),
        "de": MALLARD.format("<note><p>Zwei.</p></note><p>Eine Sache.</p>"),
        "fr": "<page><p>broken",
    }
    folder = written(tmp_path, pages, "a.page")
    assert not list(GNOME.read(folder, "de")) + list(GNOME.read(folder, "fr"))
    assert not list(GNOME.read(folder, "xx"))


def test_the_handbooks_anchors_are_no_text(tmp_path):
    page = '<html><body><div class="para"><a id="x"></a>{}</div></body></html>'
    pages = {
        "en-US": page.format("The &mdash; <em>old</em> way of doing things"),
        "de-DE": page.format("Die <em>alte</em> Art"),
    }
    [block] = HANDBOOK.read(written(tmp_path, pages, "a.html"), "de-DE")
    assert block.source == "The \u2014 old way of doing things"
    assert spans_of(block) == [("old", "alte")]


def test_spans_whose_label_occurs_once():
    source = Sentence(("a", "b", "c"), (Span(0, 1, "X"), Span(1, 2, "Y"), Span(2, 3, "Z")))
    target = Sentence(("d", "e", "f"), (Span(0, 1, "Y"), Span(1, 2, "Y"), Span(2, 3, "Z")))
    pair = SentencePair("1", source, target)
    assert sure_spans(pair).tolist() == [[2, 3, 2, 3]]
    assert 0 <= place_of(pair) < 1


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tuning, "SPECIAL", (2, 3, 0))
    return tiny_checkpoints.save(tmp_path / "bert", "bert")


@pytest.fixture
def bitext(checkpoint):
    encoder = load_encoder(str(checkpoint), layer=2, compute_type="float32")
    sentences = [tuple(text.split()) for text in tiny_checkpoints.SENTENCES]
    pairs = [
        Named(
            "xsid/en2de" if n % 2 else "gnome/de",
            SentencePair(
                str(n),
                Sentence(one, (Span(1, 3, "A"), Span(4, 5, "B"))),
                Sentence(one[::-1], (Span(len(one) - 3, len(one) - 1, "A"), Span(0, 1, "B"))),
            ),
        )
        for n, one in enumerate(sentences)
        if len(one) > 4
    ]
    links = [np.array([[0, len(pair.target.words) - 1, 0.9]], np.float32) for _, pair in pairs]
    return encoder, pairs, Bitext.of(pairs, links, encoder)


def test_masses_are_those_of_the_aligner(checkpoint, bitext):
    encoder, pairs, arrays = bitext
    model = tuning.load_base(checkpoint, tuning.TuningSettings(layers=2), "cpu").eval()
    batch = objective.Batch(arrays, np.arange(len(pairs)), "cpu", tuning.SPECIAL)
    with torch.no_grad():
        found = objective.masses(model, batch)
    for n, (_, pair) in enumerate(pairs):
        one, two = (word_states(s) for s in encoder.encode([pair.source.words, pair.target.words]))
        expected = with_neighbours(*soft_links(cosines(one, two)))
        for got, wanted in zip(found, expected, strict=True):
            inside = got[n, : len(one), : len(two)].numpy()
            np.testing.assert_allclose(inside, wanted, atol=2e-3)
            assert abs(got[n].sum() - inside.sum()) < 1e-5  # padding has no mass


def test_the_choice_is_that_of_the_soft_score():
    """Two words each, and all mass on the first target word: both together are worth 2/3."""
    arrived, came = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 0.0]])
    at = [torch.tensor([value]) for value in (0, 1, 2)]
    got = objective._choice(arrived, came, at[0], at[1], at[2])
    scores = np.array([1.0, 2 / 3, 0.0])  # the first word, both, the second
    logits = scores / objective.CHOICE_TEMPERATURE
    assert got.item() == pytest.approx(np.log(np.exp(logits).sum()) - logits[0], rel=1e-4)


def test_a_small_training(checkpoint, bitext, tmp_path):
    """The loss falls, and the differences that are kept give the tuned weights."""
    _, pairs, arrays = bitext
    arrays.save(tmp_path / tuning.EXAMPLES)
    settings = tuning.TuningSettings(
        epochs=12, learning_rate=3e-3, layers=2, dropout=0.0, warmup=2, hold_out=0.0
    )
    tuning.tune(tmp_path, settings, checkpoint, "cpu")
    again = tmp_path / "again"
    again.mkdir()
    Bitext.load(tmp_path / tuning.EXAMPLES).save(again / tuning.EXAMPLES)
    tuning.tune(again, settings, checkpoint, "cpu")
    assert (again / tuning.TUNED).read_bytes() == (tmp_path / tuning.TUNED).read_bytes()
    with np.load(tmp_path / tuning.TUNED) as file:
        deltas = Deltas(tmp_path / tuning.TUNED, "x", dict(file))
    tuned = load_encoder(str(checkpoint), layer=2, compute_type="float32", deltas=deltas)
    before = load_encoder(str(checkpoint), layer=2, compute_type="float32")

    def mass(encoder):
        total = 0.0
        for _, pair in pairs:
            one, two = (
                word_states(s) for s in encoder.encode([pair.source.words, pair.target.words])
            )
            forward, _ = with_neighbours(*soft_links(cosines(one, two)))
            for e0, e1, c0, c1 in sure_spans(pair):
                total += forward[e0:e1, c0:c1].sum() / (e1 - e0)
        return total / len(pairs)

    assert mass(tuned) > mass(before) + 0.1


def test_what_is_held_out_and_left_out(bitext):
    _, pairs, arrays = bitext
    settings = tuning.TuningSettings(repeats=2)
    everything = tuning.choose(arrays, settings)
    gold = [n for n, (name, _) in enumerate(pairs) if name.startswith("xsid")]
    assert sorted(everything) == sorted([*range(len(pairs)), *gold])
    half = tuning.choose(arrays, tuning.TuningSettings(hold_out=1.0))
    assert not set(half) & set(gold)
    assert set(tuning.choose(arrays, tuning.TuningSettings(without=("gnome/*",)))) == set(gold)
    batches = list(tuning.batches(arrays, everything, np.random.default_rng(0)))
    assert sorted(np.concatenate(batches)) == sorted(everything)


@pytest.mark.slow
def test_examples_from_data_and_manuals(tmp_path):
    """A command and a page: their spans, their links, and the sets that they come from."""
    data, manuals, work = (tmp_path / name for name in ("data", "manuals", "work"))
    (data / "xsid").mkdir(parents=True)
    row = {
        "id": "1",
        "source_words": ["wake", "me", "at", "six"],
        "target_words": ["weck", "mich", "um", "sechs"],
        "source_spans": [{"start": 2, "end": 4, "label": "datetime"}],
        "gold_target_spans": [{"start": 2, "end": 4, "label": "datetime"}],
    }
    (data / "xsid" / "en2de.valid.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    pages = {
        "C": MALLARD.format("<p>Click <gui>Next page</gui> in the list.</p>"),
        "de": MALLARD.format("<p>Klicken Sie auf <gui>Nächste Seite</gui> in der Liste.</p>"),
    }
    for _, _, below in MANUALS:
        (manuals / below).mkdir(parents=True)
    written(manuals / MANUALS[0][2], pages, "a.page")
    prepare(data, manuals, work, silent)
    bitext = Bitext.load(work / tuning.EXAMPLES)
    assert bitext.sets.tolist() == ["xsid/en2de", "gnome/de"]
    assert bitext.parts["spans"][0].tolist() == [[2, 4, 2, 4], [1, 3, 3, 5]]
    found, begins = bitext.parts["links"]
    assert {(0, 0), (3, 3)} <= {(int(i), int(j)) for i, j, _ in found[: begins[1]]}
    assert found[:, 2].min() >= MIN_LINK
