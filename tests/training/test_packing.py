"""The packed tagger is the trained one, but for what four bits round."""

import numpy as np
import pytest
import torch

from spanbridge.core.errors import InputError
from spanbridge.core.records import write_record
from spanbridge.tagging import embedded_tagger
from spanbridge.tagging.base import iob2_classes
from spanbridge.tagging.checkpoint_tagger import CheckpointTagger
from spanbridge.tagging.embedded_tagger import EmbeddedTagger
from spanbridge.training.model import find_checkpoint, new_model, save_model
from spanbridge.training.packing import pack
from spanbridge.training.settings import Settings

SENTENCES = [["Angela", "Merkel", "visited", "Paris", "."], ["李明", "在", "北京"], []]


@pytest.mark.slow
def test_packed_and_trained_are_one_tagger(tmp_path, monkeypatch):
    """Weights of two layers are moved as fine-tuning moves them, by a few hundredths."""
    checkpoint = find_checkpoint("multilingual-e5-small")
    model, _ = new_model(checkpoint, iob2_classes(["LOC", "PER"]), Settings(device="cpu"))
    torch.manual_seed(1)
    with torch.no_grad():
        torch.nn.init.normal_(model.classifier.weight)
        for parameter in model.base_model.encoder.layer[10:].parameters():
            parameter += 0.02 * torch.randn_like(parameter) * parameter.abs().mean()
    trained, packed = tmp_path / "trained", tmp_path / "packed"
    for folder in (trained, packed):
        folder.mkdir()
    save_model(model, checkpoint, trained)
    write_record(trained / "training.json", {"signature": "s", "settings": {"frozen_layers": 10}})
    pack(trained, packed)
    monkeypatch.setattr(embedded_tagger, "FOLDER", packed)
    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tmp_path / "cache"))  # half a gigabyte each
    one = CheckpointTagger(str(trained), compute_type="float32").tag(SENTENCES)
    other = EmbeddedTagger("float32").tag(SENTENCES)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a.probabilities, b.probabilities, atol=0.02)
    assert [t.spans == () for t in one] == [t.spans == () for t in other]


def test_another_training_is_refused(tiny_tagger, tmp_path):
    folder = tiny_tagger("bert-tagger")
    with pytest.raises(InputError, match=r"training\.json: cannot be read .*; train again"):
        pack(folder, tmp_path)
    assert not list(tmp_path.iterdir())
