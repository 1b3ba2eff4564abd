"""What a training must not do in silence: learn from nothing, ignore an option, drop a label."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import tiny_checkpoints
import torch
from click.testing import CliRunner
from safetensors.torch import load_file, save_file
from test_training import QUICK, base, conll, files

from spanbridge.cli.train import command
from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.tagging.encoder_tagger import softmax
from spanbridge.tagging.transformers_tagger import TransformersTagger, load_classifier
from spanbridge.training.fine_tuning import train
from spanbridge.training.training_sets import Filter, leave_out_repeats, read_set

__all__ = ["base", "files"]  # fixtures


def text_of(result) -> str:
    return result.output + str(result.exception or "")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("--distil hard", "--distil does nothing without --teachers"),
        ("--select-share 0.5", "--select-share does nothing without --teachers"),
        ("--adversarial-level both", "does nothing without --adversarial"),
        ("--complete", "--complete does nothing without a .jsonl"),
        ("--min-score 0.5", "--min-score does nothing without a .jsonl"),
        ("--teachers a,b --unlabelled x --combine agreement", "learn them with --distil hard"),
        ("--mix {files}/dev.conll inf", "must be above 0 and finite"),
        ("--patience 2", "give a dev file"),
        ("--seed 99999999999999999999", "seed is 99999999999999999999"),
        ("--labels PER,PER", "name each once"),
        ("--labels PER,", "name each once"),
        ("--labels PER,O", "and not O"),
        ("--labels PER,ORG", "has a span of ORG"),
        ("--device meta", "holds no numbers"),
    ],
)
def test_refused(base, files, tmp_path, options, why):
    line = f"--train {files}/train.conll --encoder {base} --epochs 1 -q -o {tmp_path}/t {options}"
    result = CliRunner().invoke(command, line.format(files=files).split())
    assert result.exit_code
    assert isinstance(result.exception, (SystemExit, SpanbridgeError))
    assert why in text_of(result)
    assert not (tmp_path / "t" / "training.json").exists()


def test_a_dev_file_without_words_is_refused_before_the_training(base, files, tmp_path):
    blank = tmp_path / "blank.conll"
    blank.write_text("\n\n", encoding="utf-8")
    sets = [read_set(str(files / "train.conll"))]
    with pytest.raises(InputError, match=r"blank\.conll: holds no sentence with a word|is empty"):
        train(sets, str(tmp_path / "t"), encoder=base, settings=QUICK, dev=str(blank))


def test_labels_that_the_tagger_does_not_know_are_counted(base, files, tmp_path):
    sets = [read_set(str(files / "train.conll"), labels=["PER"])]
    dev, n = str(files / "dev.conll"), (files / "dev.conll").read_text("utf-8").count("B-LOC")
    once = replace(QUICK, epochs=1)
    done = train(sets, str(tmp_path / "t"), encoder=base, settings=once, dev=dev)
    assert done.scores[0].unknown == {"LOC": n}
    assert f"; {n} LOC spans left out" in (tmp_path / "t" / "README.md").read_text("utf-8")


def test_the_scheme_holds_for_dev_too(base, files, tmp_path):
    bioes = tmp_path / "bioes.conll"
    text = conll(10, "bioes")  # all spans are of one word
    bioes.write_text(text.replace("B-", "S-"), encoding="utf-8")
    kinds = ["--scheme", "bioes", "--epochs", "1", "--encoder", base, "--threads", "1"]
    line = ["--train", str(bioes), "--dev", str(bioes), "-o", str(tmp_path / "t"), *kinds]
    result = CliRunner().invoke(command, line)
    assert result.exit_code == 0, text_of(result)


def test_repeats_are_left_out_once_and_said(files):
    sets = [read_set(str(files / "train.conll"), weight=w) for w in (1.0, 0.5)]
    n = len(sets[0].sentences)
    for _ in range(2):
        leave_out_repeats(sets)
        assert (len(sets[0].sentences), len(sets[1].sentences)) == (n, 0)
        assert sets[1].text().endswith(f"; {n} left out: in an earlier set")


def test_complete_means_every_label():
    source = Sentence(("a", "b"), (Span(0, 1, "PER"), Span(1, 2, "LOC")))
    for labels, reason in ((("LOC", "PER"), None), (("PER", "PER"), "not complete")):
        spans = tuple(Span(n, n + 1, label) for n, label in enumerate(labels))
        pair = SentencePair("1", source, Sentence(("x", "y"), spans))
        assert Filter(complete=True).reason(pair) == reason


def test_a_loss_that_is_no_number_ends_the_training(base, files, tmp_path):
    sets = [read_set(str(files / "train.conll"))]
    once = replace(QUICK, epochs=1)
    weights = load_file(Path(base) / "model.safetensors")
    first = next(n for n, t in sorted(weights.items()) if n.endswith("lin1.weight"))
    broken = tiny_checkpoints.save(tmp_path / "broken", "distilbert")
    weights[first] = torch.full_like(weights[first], float("nan"))
    save_file(weights, broken / "model.safetensors", {"format": "pt"})
    with pytest.raises(SpanbridgeError, match="loss of step 1 is nan"):
        train(sets, str(tmp_path / "t"), encoder=str(broken), settings=once)


def test_half_precision_is_trained_in_float32(base, tmp_path):
    half = tiny_checkpoints.save(tmp_path / "half", "distilbert")
    weights = load_file(half / "model.safetensors")
    save_file(
        {n: t.half() for n, t in weights.items()}, half / "model.safetensors", {"format": "pt"}
    )
    config = json.loads((half / "config.json").read_text("utf-8"))
    config |= {"dtype": "float16", "torch_dtype": "float16"}
    (half / "config.json").write_text(json.dumps(config), encoding="utf-8")
    model = load_classifier(half, new_head=True)
    assert {p.dtype for p in model.parameters()} == {torch.float32}


def test_weights_of_another_size_are_refused(base, tmp_path):
    other = tiny_checkpoints.save(tmp_path / "other", "distilbert")
    config = json.loads((other / "config.json").read_text("utf-8"))
    config["vocab_size"] += 1000
    (other / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(InputError, match="vocab_size. is .*, which fits no tensor"):
        load_classifier(other, new_head=True)


def test_heads_that_do_not_divide(base, tmp_path):
    other = tiny_checkpoints.save(tmp_path / "other", "distilbert")
    config = json.loads((other / "config.json").read_text("utf-8"))
    config["n_heads"] = 5
    (other / "config.json").write_text(json.dumps(config), encoding="utf-8")
    from spanbridge.encode.checkpoint import Checkpoint

    with pytest.raises(InputError, match="5 heads do not divide"):
        Checkpoint(other)


def test_softmax_takes_numbers_only():
    import numpy as np

    with pytest.raises(SpanbridgeError, match="not finite"):
        softmax(np.array([[0.0, np.nan]], np.float32))
    assert softmax(np.zeros((0, 3), np.float32)).shape == (0, 3)


def test_models_are_told_apart(base, files, tmp_path):
    sets = [read_set(str(files / "train.conll"))]
    lines = set()
    for seed in (0, 1):
        place = tmp_path / str(seed) / "t"
        place.parent.mkdir()
        settings = replace(QUICK, epochs=1, seed=seed)
        train(sets, str(place), encoder=base, settings=settings)
        lines.add(TransformersTagger(str(place), device="cpu").describe())
    assert len(lines) == 2
