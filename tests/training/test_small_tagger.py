"""`make tagger` in small: the embedded encoder, few sentences, and no claim to be good."""

import os
from pathlib import Path

import pytest

from spanbridge import read_labelled
from spanbridge.evaluation import evaluate_spans
from spanbridge.tagging.checkpoint_tagger import CheckpointTagger

RECIPE = "--frozen-layers 4 --batch-tokens 512 --learning-rate 3e-4 --average 0.4"
# More steps, cheaper ones, and a classifier that is ready sooner.
SMALL = "--frozen-layers 8 --batch-tokens 128 --classifier-rate 30"


def head(source: Path, n: int, to: Path) -> Path:
    """The first sentences of a CoNLL file."""
    to.write_text("\n\n".join(source.read_text("utf-8").split("\n\n")[:n]) + "\n", "utf-8")
    return to


def test_the_recipe_is_that_of_the_makefile():
    makefile = Path(__file__).parents[2] / "Makefile"
    assert RECIPE in makefile.read_text("utf-8").replace("\\\n\t\t", "")


@pytest.mark.slow
@pytest.mark.apart
def test_a_small_tagger(real_data, spanbridge, tmp_path, monkeypatch):
    """150 sentences instead of 14,041: far below the whole one, far above nothing."""
    pytest.importorskip("torch")
    news = real_data / "news-ner" / "en"
    train = head(news / "train.txt", 150, tmp_path / "train.conll")
    dev = head(news / "dev.txt", 50, tmp_path / "dev.conll")
    labels = ("--labels", "LOC,ORG,PER")
    recipe = (*RECIPE.split(), *SMALL.split())
    done = spanbridge("train", "--train", train, "--dev", dev, *labels, *recipe, "-o", "t")
    assert "F1" in done.stderr
    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tmp_path / "cache"))  # half a gigabyte
    tagger = CheckpointTagger(str(tmp_path / "t"), threads=os.cpu_count())
    gold = [
        s.with_spans(tuple(span for span in s.spans if span.label != "MISC"))
        for s in read_labelled(dev)
    ]
    tagged = tagger.tag([s.words for s in gold])
    found = [g.with_spans(t.spans) for g, t in zip(gold, tagged, strict=True)]
    assert 0.3 < evaluate_spans(gold, found).micro.f1 < 0.9
