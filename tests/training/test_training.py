"""Fine-tuning on a tiny checkpoint: it learns, it goes on after being killed, it refuses."""

import json
import random
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_checkpoints
import torch
from safetensors.numpy import load_file

from spanbridge import read_labelled
from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import alone
from spanbridge.evaluation import evaluate_spans
from spanbridge.tagging.checkpoint_tagger import CheckpointTagger
from spanbridge.tagging.transformers_tagger import TransformersTagger
from spanbridge.training import trainer as loop
from spanbridge.training.examples import Piece
from spanbridge.training.fine_tuning import train
from spanbridge.training.settings import Settings
from spanbridge.training.training_sets import read_set

NAMES = {"PER": ["Angela", "Merkel"], "LOC": ["Berlin", "München"]}
FILLERS = ["fox", "jumps", "over", "the", "lazy", "dog", "heute", "besucht", ","]
QUICK = Settings(epochs=3, learning_rate=3e-3, batch_tokens=64, threads=1, dropout=0.1)
ENOUGH = Settings(epochs=16, learning_rate=3e-3, batch_tokens=48, threads=1, dropout=0.0)


def conll(n, seed):
    """Sentences in which some words are always names."""
    rng = random.Random(seed)
    rows = []
    for _ in range(n):
        row = []
        for _ in range(rng.randint(2, 7)):
            if rng.random() < 0.3:
                label = rng.choice(sorted(NAMES))
                row.append(f"{rng.choice(NAMES[label])}\tB-{label}")
                row.append(f"{rng.choice(FILLERS)}\tO")
            else:
                row.append(f"{rng.choice(FILLERS)}\tO")
        rows.append("\n".join(row) + "\n\n")
    return "".join(rows)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return str(tiny_checkpoints.save(tmp_path_factory.mktemp("base") / "tiny", "distilbert"))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    for name, n in (("train", 120), ("dev", 40)):
        (folder / f"{name}.conll").write_text(conll(n, name), encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def tagger_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tmp_path_factory.getbasetemp() / "tagger-cache"))


def run(base, files, output, settings=QUICK, **options):
    options = {"dev": str(files / "dev.conll"), **options}
    sets = [read_set(str(files / "train.conll"))]
    return train(sets, str(output), encoder=base, settings=settings, **options)


def weights(folder):
    return load_file(Path(folder) / "model.safetensors")


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, values in one.items():
        np.testing.assert_array_equal(values, other[name], err_msg=name)


@pytest.fixture(scope="module")
def trained(base, files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "out"
    return run(base, files, folder)


@pytest.mark.slow
def test_it_learns(base, files, tmp_path):
    """And the folder is for every tagger."""
    done = run(base, files, tmp_path / "out", ENOUGH)
    [dev] = done.scores
    assert dev.f1 > 0.7
    assert dev.low <= dev.f1 <= dev.high
    assert done.history[-1]["loss"] < done.history[0]["loss"] / 2
    assert max(row["dev_f1"] for row in done.history) == pytest.approx(dev.f1)
    tagger = CheckpointTagger(done.folder, compute_type="float32")
    assert tagger.classes == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    gold = list(read_labelled(files / "dev.conll"))
    tagged = tagger.tag([sentence.words for sentence in gold])
    found = [g.with_spans(t.spans) for g, t in zip(gold, tagged, strict=True)]
    assert evaluate_spans(gold, found).micro.f1 == pytest.approx(dev.f1)


def test_model_card_and_record(trained, files):
    card = (Path(trained.folder) / "README.md").read_text("utf-8")
    assert "library_name: transformers" in card
    assert f"{trained.scores[0].f1:.4f}" in card
    assert trained.signature in card
    about = json.loads((Path(trained.folder) / "training.json").read_text("utf-8"))
    assert about["signature"] == trained.signature
    assert len(about["history"]) == QUICK.epochs
    assert not (Path(trained.folder) / "resume").exists()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights(trained, base, files, tmp_path):
    again = run(base, files, tmp_path / "again")
    assert_same(weights(again.folder), weights(trained.folder))
    assert again.signature == trained.signature


@pytest.mark.slow
def test_another_seed_gives_others(trained, base, files, tmp_path):
    other = run(base, files, tmp_path / "other", Settings(**{**vars_of(QUICK), "seed": 1}))
    name = "classifier.weight"
    assert (weights(other.folder)[name] != weights(trained.folder)[name]).any()


def vars_of(settings):
    return {name: getattr(settings, name) for name in settings.__dataclass_fields__}


class Killed(Exception):
    pass


def killed_at(share, tasks=None):
    """A progress that ends the process, as it were, once that share of the steps is done."""

    def progress(steps, task):
        for n, step in enumerate(noted(tasks)(steps, task)):
            if n > share * task.total:
                raise Killed
            yield step

    return progress


def noted(tasks):
    """A progress that keeps the tasks in a list."""

    def progress(steps, task):
        if tasks is not None:
            tasks.append(task)
        return steps

    return progress


@pytest.mark.slow
@pytest.mark.parametrize("at", [0.1, 0.5, 0.95])
def test_a_killed_training_ends_with_the_same_weights(
    trained, base, files, tmp_path, monkeypatch, at
):
    """Killed in the middle of an epoch, the last state being a few batches old."""
    monkeypatch.setattr(loop, "SAVE_SECONDS", -1.0)  # after every batch

    tasks = []
    with pytest.raises(Killed):
        run(base, files, tmp_path / "out", progress=killed_at(at, tasks))
    assert (tmp_path / "out" / "resume" / "state.json").is_file()
    again = run(base, files, tmp_path / "out", progress=noted(tasks))
    whole, rest = tasks
    assert rest.total <= (1 - at / 2) * whole.total  # it did not begin anew
    assert_same(weights(again.folder), weights(trained.folder))


@pytest.fixture(scope="module")
def killed(base, files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed") / "out"
    with pytest.raises(Killed):
        run(base, files, folder, progress=killed_at(0.5))
    return folder


@pytest.fixture
def broken_off(killed, tmp_path):
    """The folder of a training that was killed, the test's own."""
    return shutil.copytree(killed, tmp_path / "out")


@pytest.mark.parametrize("kind", ["safetensors", "json"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "edited"])
def test_a_damaged_state_is_named(broken_off, base, files, kind, damage):
    (path,) = (broken_off / "resume").glob(f"state*.{kind}")
    data = bytearray(path.read_bytes())
    if damage == "edited" and kind == "json":
        path.write_bytes(data.replace(b'"epoch": 1', b'"epoch": 2'))
    elif damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "edited":
        path.unlink()
    else:
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    with pytest.raises(InputError, match=rf"state.*\.{kind}: .*delete .* to begin anew"):
        run(base, files, broken_off)


def test_a_state_of_another_training_is_not_taken_up(broken_off, base, files):
    with pytest.raises(SpanbridgeError, match="holds the state of another training"):
        run(base, files, broken_off, Settings(**{**vars_of(QUICK), "seed": 3}))


def test_a_folder_with_other_files(base, files, tmp_path):
    (tmp_path / "thesis.tex").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match="holds other files"):
        run(base, files, tmp_path)


@pytest.mark.slow
def test_early_stopping(base, files, tmp_path):
    settings = Settings(**{**vars_of(QUICK), "epochs": 40, "patience": 2, "learning_rate": 1e-6})
    done = run(base, files, tmp_path / "out", settings)
    scores = [row["dev_f1"] for row in done.history]
    assert len(scores) < 40
    assert scores.index(max(scores)) == len(scores) - 3


@pytest.mark.slow
def test_frozen_parts_stay(trained, base, files, tmp_path):
    settings = Settings(**{**vars_of(QUICK), "epochs": 1, "frozen_layers": 2})
    done = run(base, files, tmp_path / "out", settings)
    before = load_file(Path(base) / "model.safetensors")
    after = weights(done.folder)
    for name, values in before.items():
        frozen = name.startswith(("embeddings", "transformer.layer.0.", "transformer.layer.1."))
        # the keys' biases move all scores of a query alike, so they have no gradient to speak of
        if frozen or not name.endswith("k_lin.bias"):
            assert (after[f"distilbert.{name}"] == values).all() == frozen, name


def test_a_finished_training_is_not_done_again(trained, base, files):
    """But scored on other files; and another training does not take its folder."""
    before = (Path(trained.folder) / "model.safetensors").stat().st_mtime_ns
    tasks = []
    again = run(
        base,
        files,
        trained.folder,
        tests=[str(files / "train.conll")],
        progress=noted(tasks),
    )
    assert not tasks
    assert (Path(trained.folder) / "model.safetensors").stat().st_mtime_ns == before
    assert [Path(s.path).name for s in again.scores] == ["dev.conll", "train.conll"]
    assert again.scores[0] == trained.scores[0]
    assert again.history == trained.history
    with pytest.raises(InputError, match="holds the tagger of another training"):
        run(base, files, trained.folder, replace(QUICK, seed=5))


def test_a_damaged_account_is_named(trained, base, files, tmp_path):
    (tmp_path / "training.json").write_text('{"scores": 3}', encoding="utf-8")
    with pytest.raises(InputError, match=r"training\.json: is damaged, .*; delete the folder"):
        run(base, files, tmp_path)


@pytest.mark.parametrize("kind", [CheckpointTagger, TransformersTagger])
@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "training.json"])
def test_a_damaged_tagger_tags_nothing(trained, tmp_path, kind, name):
    folder = shutil.copytree(trained.folder, tmp_path / "copy")
    data = bytearray((folder / name).read_bytes())
    data[-20] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(InputError, match=rf"{name}: is damaged.*; train again, or delete") as error:
        kind(str(folder))
    assert error.value.file == str(folder / name)
    (folder / "training.json").unlink()  # it was changed on purpose
    if name == "training.json":
        kind(str(folder))


def test_a_second_training_in_one_folder_is_refused(base, files, tmp_path):
    (tmp_path / "out").mkdir()
    # another file description, as in another process
    with alone(tmp_path / "out" / "training.json"), pytest.raises(InputError, match="another run"):
        run(base, files, tmp_path / "out")


@pytest.mark.slow
def test_averaged_weights(base, files, tmp_path, monkeypatch):
    """The mean of the last steps by hand; a killed training comes to the same."""
    settings = replace(QUICK, average=0.5)
    monkeypatch.setattr(loop, "AVERAGE_EVERY", 1)
    monkeypatch.setattr(loop.Trainer, "f1", lambda self, sentences: 0.5)
    seen = []
    learn = loop.Trainer._learn

    def watch(self, *args):
        loss = learn(self, *args)
        seen.append(self.model.classifier.bias.detach().numpy().copy())
        return loss

    monkeypatch.setattr(loop.Trainer, "_learn", watch)
    without_dev = run(base, files, tmp_path / "one", settings, dev=None)
    half = [bias for n, bias in enumerate(seen, 1) if n > len(seen) / 2]
    expected = np.mean(half, axis=0)
    found = weights(without_dev.folder)["classifier.bias"]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)

    monkeypatch.setattr(loop, "SAVE_SECONDS", -1.0)

    with pytest.raises(Killed):
        run(base, files, tmp_path / "two", settings, dev=None, progress=killed_at(0.8))
    again = run(base, files, tmp_path / "two", settings, dev=None)
    assert_same(weights(again.folder), weights(without_dev.folder))


@pytest.mark.parametrize(("mean", "kept"), [(0.9, "mean"), (0.5, "epoch")])
@pytest.mark.slow
def test_the_mean_is_taken_where_it_is_better(base, files, tmp_path, monkeypatch, mean, kept):
    scores = iter([0.6, 0.4, 0.4, mean])
    monkeypatch.setattr(loop.Trainer, "f1", lambda self, sentences: next(scores))
    chosen = []
    restore = loop.Trainer._restore
    monkeypatch.setattr(
        loop.Trainer, "_restore", lambda self, v: (chosen.append(v), restore(self, v))
    )
    done = run(base, files, tmp_path / "out", replace(QUICK, average=0.9))
    assert [row["dev_f1"] for row in done.history] == [0.6, 0.4, 0.4, mean]
    assert done.history[-1]["averaged"] >= 1
    assert len(chosen) == {"mean": 1, "epoch": 2}[kept]


def test_class_weights_by_hand():
    classes = ["O", "B-A", "I-A", "B-B", "I-B"]
    np.testing.assert_array_equal(
        loop.class_weights(classes, [("O", 0.5), ("B", 3.0)]),
        np.array([0.5, 1, 1, 3, 3], np.float32),
    )
    with pytest.raises(SpanbridgeError, match="no label is named 'C'; there are: O, A, B"):
        loop.class_weights(classes, [("C", 2.0)])
    with pytest.raises(SpanbridgeError, match="the weight of A is -1"):
        Settings(class_weights=(("A", -1.0),))
    # two words, of O and of A; A counts three times: (ln 4 + 3 ln 4/3) / 4, each by its own odds
    logits = torch.log(torch.tensor([[[0.25, 0.75], [0.25, 0.75]]]))
    piece = Piece((0, 0), np.array([0, 1]), np.eye(2, dtype=np.float32), 1.0)
    loss = loop.label_loss(logits, [piece], torch.tensor([1.0, 3.0]))
    assert float(loss) == pytest.approx((np.log(4) + 3 * np.log(4 / 3)) / 4)


def test_nothing_to_learn(base, tmp_path):
    (tmp_path / "o.conll").write_text("a\tO\n\n", encoding="utf-8")
    sets = [read_set(str(tmp_path / "o.conll"))]
    with pytest.raises(SpanbridgeError, match="no sentence has a label"):
        train(sets, str(tmp_path / "out"), encoder=base, settings=QUICK)


@pytest.mark.parametrize(
    "wrong",
    [{"epochs": 0}, {"dropout": 1.0}, {"learning_rate": float("nan")}, {"precision": "int8"}],
)
def test_settings_out_of_range(wrong):
    with pytest.raises(SpanbridgeError, match=next(iter(wrong))):
        Settings(**wrong)
