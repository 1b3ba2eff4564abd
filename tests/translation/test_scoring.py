"""Direct NMTScore, beside the definition computed with transformers."""

import math

import pytest
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from spanbridge.formats.languages import find_language
from spanbridge.translation.neural import NeuralTranslator
from spanbridge.translation.scoring import TranslationScorer

SPANISH, ENGLISH = find_language("es"), find_language("en")
PAIRS = [
    ("la ciudad de Madrid", "the city of Berlin"),
    ("Madrid", "Berlin"),
    ("Madrid", "the president of the company"),
    ("Madrid", "Berlin"),
]


@pytest.mark.parametrize("kind", ["nllb", "m2m"])
def test_as_defined(folders, kind):
    """Vamvas and Sennrich 2022: p(a | b) / p(a | a), both ways; p is a geometric mean."""
    folder = folders[kind]
    scorer = TranslationScorer(NeuralTranslator(str(folder), "float32"), SPANISH, ENGLISH)
    found = scorer.score(PAIRS)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
    codes = {"nllb": ("spa_Latn", "eng_Latn"), "m2m": ("__es__", "__en__")}[kind]

    def ids(text):
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    def likelihood(given, text, sides):
        a, b = (tokenizer.convert_tokens_to_ids(codes[side]) for side in sides)
        end = tokenizer.eos_token_id
        wanted = [b, *ids(text), end]
        with torch.no_grad():
            logits = model(
                input_ids=torch.tensor([[a, *ids(given), end]]),
                decoder_input_ids=torch.tensor([[end, *wanted[:-1]]]),
            ).logits[0]
        logs = logits.log_softmax(-1)[range(len(wanted)), wanted]
        return math.exp(logs[1:].mean())  # the language is forced, so not scored

    for (a, b), value in zip(PAIRS, found, strict=True):
        one = min(likelihood(b, a, (1, 0)) / likelihood(a, a, (0, 0)), 1)
        other = min(likelihood(a, b, (0, 1)) / likelihood(b, b, (1, 1)), 1)
        assert value == pytest.approx((one + other) / 2, abs=1e-4)
    assert found[1] == found[3]
    assert scorer.score(PAIRS[2:3]) == found[2:3]
    long = " ".join(["ciudad"] * 2000)
    assert scorer.score([(long, "Berlin")]) == [0.0]
    assert scorer.describe().startswith("nmtscore(direct,neural(")
