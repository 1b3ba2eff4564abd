"""Real data, Europarl-NER dev, human entities on both sides: along links, and the same bytes."""

from pathlib import Path

import pytest
from toy_bitext import batches_of, project

from spanbridge import read_labelled
from spanbridge.alignment.encoder_aligner import EncoderAligner
from spanbridge.evaluation import evaluate_spans

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(real_data):
    return real_data / "europarl-ner"


def test_f1(real_data, tmp_path):
    """Measured: .923. Spanish, and the other methods, are in the README's table."""
    paths = [str(real_data / "europarl-ner" / f"{language}.dev.conll") for language in ("en", "de")]
    output = str(tmp_path / "out.conll")
    account = project(*paths, output, aligner=EncoderAligner()).account
    gold, found = (list(read_labelled(path)) for path in (paths[1], output))
    assert [row.words for row in found] == [row.words for row in gold]
    assert sum(account.statuses.values()) == 400
    assert account.n_source_spans == account.n_target_spans + sum(account.dropped.values())
    assert evaluate_spans(gold, found).micro.f1 >= 0.90


def head(path, n_rows):
    return "\n\n".join(path.read_text("utf-8").split("\n\n")[:n_rows]) + "\n\n"


METHODS = [(30, "greedy", "encoder"), (120, "corpus", "fused")]


@pytest.mark.parametrize(("n_rows", "method", "name"), METHODS, ids=["links", "corpus"])
def test_same_bytes_for_any_batch_and_any_number_of_threads(
    n_rows, method, name, folder, tmp_path, monkeypatch
):
    """A new encoder each time, since one remembers what it has encoded."""
    for side in ("en", "de"):
        (tmp_path / f"{side}.conll").write_text(head(folder / f"{side}.dev.conll", n_rows), "utf-8")
    paths = [str(tmp_path / place) for place in ("en.conll", "de.conll", "out.jsonl")]
    made = set()
    settings = [(1, 1), (7, 1), (2048, 1), (2048, 2)]
    for size, threads in settings if n_rows < 100 else settings[1::2]:
        batches_of(monkeypatch, size)
        run = project(*paths, method=method, aligner={name: {"threads": threads}})
        account = run.account
        assert sum(account.statuses.values()) == n_rows
        assert account.n_source_spans == account.n_target_spans + sum(account.dropped.values())
        made.add((Path(run.output).read_bytes(), run.signature))
    assert len(made) == 1
