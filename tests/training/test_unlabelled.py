"""Teachers and adversaries: what a student learns from, and that training with them goes on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from test_ensembles import SHORT, SURE, Says
from test_training import (
    FILLERS,
    NAMES,
    QUICK,
    Killed,
    assert_same,
    base,
    conll,
    files,
    killed_at,
    weights,
)

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.tagging.base import Tagged, iob2_classes
from spanbridge.tagging.checkpoint_tagger import CheckpointTagger
from spanbridge.tagging.ensemble_tagger import EnsembleTagger
from spanbridge.training import selection
from spanbridge.training import trainer as loop
from spanbridge.training.adversarial import AdversarialObjective, Adversary, _Reverse
from spanbridge.training.examples import Piece
from spanbridge.training.fine_tuning import Unlabelled, train
from spanbridge.training.teachers import Distillation, distil
from spanbridge.training.training_sets import read_set

__all__ = ["base", "files"]  # fixtures
CLASSES = iob2_classes(["A"])
TEXT = [tuple(NAMES["PER"] + FILLERS[:3]), tuple(FILLERS), tuple(NAMES["LOC"])] * 10


@pytest.fixture(autouse=True)
def tagger_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tmp_path_factory.getbasetemp() / "tagger-cache"))


class Unread(Says):
    """Reads nothing, and says why."""

    def tag(self, sentences):
        return [Tagged(len(words), (), fault="no answer") for words in sentences]


def test_nothing_is_learned_of_what_a_teacher_did_not_read():
    """Not that it has no spans."""
    assert distil(Unread(SURE), [("x", "y")], CLASSES, Distillation("hard")) == []
    both = EnsembleTagger([Says(SURE), Unread(SURE)], "agreement")
    [found] = both.tag([("x", "y")])
    assert (found.spans, found.fault) == ((), "no answer")


def test_soft_targets_are_the_probabilities():
    [made] = distil(Says(SURE), [("x", "y")], CLASSES, Distillation(weight=0.5))
    np.testing.assert_allclose(made.targets, SURE, rtol=1e-6)
    assert made.weight == 0.5


def test_unsure_words_are_not_learned_from():
    [made] = distil(Says(SURE), [("x", "y")], CLASSES, Distillation(min_confidence=0.85))
    np.testing.assert_allclose(made.targets, [SURE[0], [0, 0, 0]], rtol=1e-6)
    assert distil(Says(SURE), [("x", "y")], CLASSES, Distillation(min_confidence=0.95)) == []


def test_hard_targets_by_hand():
    [made] = distil(Says(SURE), [("x", "y")], CLASSES, Distillation("hard"))
    np.testing.assert_array_equal(made.targets, [[0, 1, 0], [0, 0, 1]])
    # the span's score is .9 * .8
    [made] = distil(Says(SHORT), [("x", "y")], CLASSES, Distillation("hard", 0.9))
    np.testing.assert_array_equal(made.targets, [[0, 1, 0], [1, 0, 0]])
    assert distil(Says(SURE), [("x", "y")], CLASSES, Distillation("hard", 0.9)) == []


def test_teachers_of_other_labels():
    with pytest.raises(SpanbridgeError, match="the student learns O, B-X, I-X"):
        distil(Says(SURE), [("x", "y")], iob2_classes(["X"]), Distillation())


@pytest.mark.parametrize("wrong", [("medium",), ("soft", 2.0), ("soft", 0.0, 0.0)])
def test_distillation_out_of_range(wrong):
    with pytest.raises(SpanbridgeError):
        Distillation(*wrong)


@pytest.mark.parametrize("wrong", [(0.0,), (0.1, "word")])
def test_adversary_out_of_range(wrong):
    with pytest.raises(SpanbridgeError):
        Adversary(*wrong)


def test_the_gradient_is_reversed():
    states = torch.ones(2, 3, requires_grad=True)
    (_Reverse.apply(states, 0.5) * 4).sum().backward()
    assert (states.grad == -0.5 * 4).all()


def piece(*ids):
    return Piece(ids, np.arange(len(ids)), np.zeros((len(ids), 1), np.float32), 1.0)


def test_every_text_takes_its_turn_and_begins_anew():
    texts = [[piece(1, 2), piece(3, 4)], [piece(5, 6, 7)]]
    objective = AdversarialObjective(texts, 4, Adversary(), 2, seed=0)
    drawn = [objective._batch(step % 2, step)[0].ids for step in range(8)]
    assert drawn[1::2] == [(5, 6, 7)] * 4
    assert sorted(drawn[0:4:2]) == sorted(drawn[4::2]) == [(1, 2), (3, 4)]
    again = AdversarialObjective(texts, 4, Adversary(), 2, seed=0)
    assert again._batch(0, 6)[0].ids == drawn[6]


def test_a_text_without_words():
    with pytest.raises(SpanbridgeError, match="has no words"):
        AdversarialObjective([[]], 4, Adversary(), 8, seed=0)


@pytest.mark.slow
@pytest.mark.parametrize("level", ["token", "sentence", "both"])
def test_an_adversarial_training(base, files, tmp_path, level):
    """It says how well the language can still be told, and changes the encoder."""
    sets = [read_set(str(files / "train.conll"))]
    made = {}
    for name, unlabelled in (
        ("plain", None),
        ("hidden", Unlabelled(adversary=Adversary(0.5, level), hidden=[TEXT])),
    ):
        made[name] = train(
            sets, str(tmp_path / name), encoder=base, settings=QUICK, unlabelled=unlabelled
        )
    accuracies = [row["discriminator_accuracy"] for row in made["hidden"].history]
    assert all(0 < a <= 1 for a in accuracies)
    name = "distilbert.transformer.layer.2.ffn.lin1.weight"
    plain, hidden = (weights(done.folder)[name] for done in made.values())
    assert (plain != hidden).any()
    assert set(weights(made["hidden"].folder)) == set(weights(made["plain"].folder))


@pytest.mark.slow
def test_sentences_selected_by_the_discriminator(base, files, tmp_path):
    """The least sure ones, in their order; it can tell text it was shown from the labelled one."""
    sets = [read_set(str(files / "train.conll"))]
    other = [("zwei", "drei", "vier")] * 20
    weak = Unlabelled(adversary=Adversary(1e-3, "both"), hidden=[other])
    settings = replace(QUICK, epochs=15)
    done = train(sets, str(tmp_path / "t"), encoder=base, settings=settings, unlabelled=weak)
    texts = [*other[:3], *[s.words for s, _ in sets[0].sentences[:3]], *other[:2]]
    p = selection._labelled_language(Path(done.folder), texts)
    assert min(p[3:6]) > max(p[:3])
    assert p[0] == p[1] == p[7]
    sure = sorted(range(8), key=lambda k: (abs(p[k] - 0.5), k))
    for share, n in ((0.01, 1), (0.5, 4), (0.51, 5), (1.0, 8)):
        kept = selection.language_independent(["nowhere", done.folder], texts, share)
        assert kept == [texts[k] for k in sorted(sure[:n])]


def test_selection_refuses(tmp_path):
    for share in (0.0, 1.5):
        with pytest.raises(SpanbridgeError, match="lies in"):
            selection.language_independent([str(tmp_path)], [("a",)], share)
    with pytest.raises(SpanbridgeError, match=r"holds a discriminator\.safetensors"):
        selection.language_independent([str(tmp_path)], [("a",)], 0.5)
    (tmp_path / selection.DISCRIMINATOR).write_bytes(b"no tensors")
    with pytest.raises(InputError, match=r"discriminator\.safetensors: is no discriminator"):
        selection.language_independent([str(tmp_path)], [("a",)], 0.5)


@pytest.mark.slow
def test_a_killed_adversarial_training_ends_the_same(base, files, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "SAVE_SECONDS", -1.0)
    sets = [read_set(str(files / "train.conll"))]
    options = {
        "encoder": base,
        "settings": QUICK,
        "unlabelled": Unlabelled(adversary=Adversary(), hidden=[TEXT, TEXT[1:]]),
    }
    whole = train(sets, str(tmp_path / "whole"), **options)

    with pytest.raises(Killed):
        train(sets, str(tmp_path / "out"), progress=killed_at(0.6), **options)
    again = train(sets, str(tmp_path / "out"), **options)
    assert_same(weights(again.folder), weights(whole.folder))


@pytest.mark.slow
def test_students_from_the_command_line(spanbridge, base, files, tmp_path):
    """Two teachers of other seeds, one student; the whole way a user goes."""
    (tmp_path / "dev.conll").write_text(conll(20, "dev"), encoding="utf-8")
    sets = [read_set(str(files / "train.conll"))]
    for seed in (1, 2):
        train(sets, str(tmp_path / f"t{seed}"), encoder=base, settings=replace(QUICK, seed=seed))
    text = "".join(" ".join(words) + "\n" for words in TEXT)
    (tmp_path / "text.txt").write_text(text, encoding="utf-8")
    common = f"--encoder {base} --epochs 2 --learning-rate 3e-3 --batch-tokens 64 --threads 1"
    args = f"train --teachers t1,t2 --unlabelled text.txt --dev dev.conll -o student {common}"
    done = spanbridge(*args.split())
    assert "dev.conll: F1" in done.stderr
    config = load_file(Path(tmp_path) / "student" / "model.safetensors")
    assert config["classifier.bias"].shape == (5,)
    assert CheckpointTagger(str(tmp_path / "student")).tag(TEXT)[0].n_words == len(TEXT[0])
    assert "go together" in spanbridge("train", "--teachers", "t1", "-o", "x", code=2).stderr
