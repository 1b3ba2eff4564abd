"""Real data, Europarl-NER dev, human entities on both sides: along links, and learning from it."""

from functools import partial
from pathlib import Path

import pytest

from spanbridge import (
    CorpusMethod,
    EncoderAligner,
    FusedAligner,
    GreedyMethod,
    StatisticalAligner,
    evaluate_spans,
    read_labelled,
)
from spanbridge.pipeline import files as pipeline_files
from spanbridge.steps.projection_old import align_pairs


@pytest.fixture(scope="module")
def folder(real_data):
    return real_data / "europarl-ner"


@pytest.fixture(scope="module")
def aligner():
    return EncoderAligner()


@pytest.mark.parametrize("language", ["de", "es"])
def test_f1(language, folder, aligner, tmp_path):
    """Measured: .923 for both. All 799 sentences with torch: .920 and .910 (data's README)."""
    output = str(tmp_path / "out.conll")
    run = pipeline_files.project_files(
        str(folder / "en.dev.conll"),
        str(folder / f"{language}.dev.conll"),
        output,
        projector=GreedyMethod(),
        make_aligner=lambda: aligner,
    )
    gold, found = (list(read_labelled(p)) for p in (folder / f"{language}.dev.conll", output))
    assert [row.words for row in found] == [row.words for row in gold]
    assert evaluate_spans(gold, found).micro.f1 >= 0.90
    account = run.account
    assert sum(account.statuses.values()) == 400
    assert account.n_source_spans == account.n_target_spans + sum(account.dropped.values())


def corpus_f1(folder, tmp_path, source, target, make_aligner):
    """Of the corpus method; the account adds up."""
    paths = [str(folder / f"{language}.dev.conll") for language in (source, target)]
    output = str(tmp_path / f"{source}-{target}.conll")
    run = pipeline_files.project_files(
        *paths, output, projector=CorpusMethod(), make_aligner=make_aligner
    )
    account = run.account
    assert account.n_source_spans == account.n_target_spans + sum(account.dropped.values())
    assert "fitted_on=400_pairs" in run.signature
    return evaluate_spans(list(read_labelled(paths[1])), list(read_labelled(output))).micro.f1


@pytest.mark.parametrize(
    ("source", "target", "least"),
    [("en", "de", 0.94), ("en", "es", 0.95), ("de", "en", 0.89)],
)
def test_f1_of_the_corpus_method(source, target, least, folder, aligner, tmp_path):
    """The defaults of the command line. The encoder remembers the sentences of the tests before."""
    made = partial(FusedAligner, aligner)
    assert corpus_f1(folder, tmp_path, source, target, made) >= least


def test_f1_without_an_encoder(folder, tmp_path):
    """German and Spanish together: each by itself moves more with every change."""
    scores = [corpus_f1(folder, tmp_path, "en", x, StatisticalAligner) for x in ("de", "es")]
    assert sum(scores) / 2 >= 0.90


def head(path, n_rows):
    return "\n\n".join(path.read_text("utf-8").split("\n\n")[:n_rows]) + "\n\n"


METHODS = [(30, GreedyMethod, EncoderAligner), (120, CorpusMethod, FusedAligner)]


@pytest.mark.parametrize(("n_rows", "method", "make"), METHODS, ids=["links", "corpus"])
def test_same_bytes_for_any_chunk_and_any_number_of_threads(
    n_rows, method, make, folder, tmp_path, monkeypatch
):
    """A new encoder each time, since one remembers what it has encoded."""
    for side in ("en", "de"):
        (tmp_path / f"{side}.conll").write_text(head(folder / f"{side}.dev.conll", n_rows), "utf-8")
    made = set()
    settings = [(1, 1), (7, 1), (2048, 1), (2048, 2)]
    for chunk, threads in settings if n_rows < 100 else settings[1::2]:
        monkeypatch.setattr(pipeline_files, "align_pairs", partial(align_pairs, chunk=chunk))
        run = pipeline_files.project_files(
            str(tmp_path / "en.conll"),
            str(tmp_path / "de.conll"),
            str(tmp_path / "out.jsonl"),
            projector=method(),
            make_aligner=partial(make, threads=threads),
        )
        assert sum(run.account.statuses.values()) == n_rows
        made.add((Path(run.output).read_bytes(), run.signature))
    assert len(made) == 1
