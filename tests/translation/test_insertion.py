"""Constrained decoding: the search for places of marks, beside enumeration."""

import math
import random
from collections import Counter
from shutil import copytree
from unicodedata import normalize
from zlib import crc32

import pytest
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from spanbridge.core.spans import Span
from spanbridge.formats.languages import find_language
from spanbridge.formats.tokens import tokenize
from spanbridge.translation import insertion
from spanbridge.translation.base import Translator
from spanbridge.translation.insertion import POSSIBLE, SCORED, MarkInserter
from spanbridge.translation.mark_styles import STYLES, contains
from spanbridge.translation.marks import mark
from spanbridge.translation.neural import NeuralTranslator

ENGLISH, SPANISH = find_language("en"), find_language("es")
SOURCE, SPAN = "she saw Berlin", (8, 14)


class Toy(Translator):
    """A translator whose log-probabilities are random, but depend on all that stands before."""

    licence, forces = "MIT", True

    def __init__(self, seed=0, glued=False):
        self.seed, self.glued = seed, glued

    def describe(self, source, target):
        return f"toy({self.seed})"

    def translate(self, sentences, source, target):
        raise NotImplementedError

    def subwords(self, text):
        """Pieces of up to three characters, also over the ends of words if they are glued."""
        text = text.replace(" ", "▁")
        chunks = [text] if self.glued else text.replace("▁", " ▁").split()
        return [chunk[at : at + 3] for chunk in chunks for at in range(0, len(chunk), 3)]

    def token_log_probabilities(self, pairs, source, target):
        return [
            [self.log(text, tokens[:n], token) for n, token in enumerate([*tokens, "</s>"])]
            for text, tokens in pairs
        ]

    def log(self, text, before, token):
        number = crc32(f"{self.seed} {text} {' '.join(before)} {token}".encode()) / 2**32
        return -6 * number**3


class Knows(Toy):
    """Puts brackets around one word, and would rather have them there than the text alone."""

    def __init__(self, word):
        super().__init__()
        self.word = word

    def subwords(self, text):
        return text.split()

    def log(self, text, before, token):
        marked, opened, closed = "[" in text, "[" in before, "]" in before
        if token == "[":
            return -12.0 if opened else -0.1 if before[-1:] == ["before"] else -8.0
        if token == "]":
            return -0.1 if opened and before[-1] == self.word else -8.0
        late = before[-1:] == ["before"] and not opened or before[-1:] == [self.word] and not closed
        return -4.0 if marked and late else -0.5


def ask(translator, target, style="brackets", n_best=1, exact=True, source=SOURCE, span=SPAN):
    """The best insertions into one text, and the counts."""
    _, words = tokenize(target)
    counts = Counter()
    inserter = MarkInserter(translator, ENGLISH, SPANISH)
    [found] = inserter.insert([(source, span, target, words)], style, n_best, exact, counts)
    return found, counts


def enumerated(translator, target, style, n_best, source=SOURCE, span=SPAN):
    """The best insertions of all, each marked text written and scored by itself."""
    _, words = tokenize(target)
    marked = mark(source, [Span(*span, "x")], style)
    scored = []
    for i in range(len(words)):
        for j in range(i, len(words)):
            text = mark(target, [Span(words[i][0], words[j][1], "x")], style)
            asked = [(marked, translator.subwords(normalize("NFC", text)))]
            [logs] = translator.token_log_probabilities(asked, ENGLISH, SPANISH)
            scored.append((-sum(logs), i, j + 1))
    return [(i, j, -minus) for minus, i, j in sorted(scored)[:n_best]]


def same(found, wanted, tolerance=1e-9):
    assert [place[:2] for place in found] == [place[:2] for place in wanted]
    assert [log for *_, log in found] == pytest.approx([log for *_, log in wanted], abs=tolerance)


def test_the_exact_search_equals_enumeration(monkeypatch):
    """500 random texts, tokenizers, styles and numbers of insertions."""
    choose = random.Random(7)
    total = Counter()
    for seed in range(500):
        monkeypatch.setattr(insertion, "BATCH", choose.choice((1, 2, 16)))
        words = ["".join(choose.choices("abć", k=choose.randint(1, 5))) for _ in range(6)]
        target = choose.choice((" ", " ", "")).join(words[: choose.randint(1, 6)])
        target += choose.choice(("", ".", " !"))
        translator = Toy(seed, choose.random() < 0.3)
        style, n_best = choose.choice(STYLES), choose.randint(1, 4)
        found, counts = ask(translator, target, style, n_best)
        same(found, enumerated(translator, target, style, n_best))
        total += counts
    assert total[SCORED] < 0.8 * total[POSSIBLE]  # the bound is of use


def test_the_published_search_finds_what_the_model_knows():
    target = "one two three before name four five six seven eight nine ten"
    wanted = [(4, 5)]
    for exact in (True, False):
        found, counts = ask(Knows("name"), target, n_best=1, exact=exact)
        assert [place[:2] for place in found] == wanted
        assert counts[POSSIBLE] == 78
        assert counts[SCORED] < (40 if exact else 20)


def test_the_published_search_opens_where_the_marks_change_something():
    found, counts = ask(Knows("name"), "x y before name z", n_best=30, exact=False)
    # "name" after "before", and "z" after "name", are less probable if the source is marked
    assert sorted({start for start, *_ in found}) == [3, 4]
    assert counts[SCORED] == 2 + 1
    everywhere, _ = ask(Knows("name"), "x y z", n_best=30, exact=False)
    assert len(everywhere) == 6  # nothing changes, so that every place is tried


@pytest.mark.parametrize(
    "target", ["x", "Angela Merkel vio Berlín.", "東京都 に", "e\u0301 a", "[x] <a> y"]
)
def test_places_of_any_text(target):
    """Marks of its own in the text do no harm, since no mark is looked for in it."""
    _, words = tokenize(target)
    for style in STYLES:
        found, _ = ask(Toy(), target, style, n_best=3)
        same(found, enumerated(Toy(), target, style, 3))
        assert all(contains((0, len(words)), place[:2]) for place in found)


def test_a_text_that_is_too_long_is_said():
    class Short(Toy):
        def token_log_probabilities(self, pairs, source, target):
            found = super().token_log_probabilities(pairs, source, target)
            return [logs if len(logs) < 9 else [] for logs in found]

    assert ask(Short(), "a b c d e f g h i j")[0] is None
    assert ask(Short(), "a b c d e f")[0] is None  # long with marks only
    found, _ = ask(Short(), "a b c")
    assert len(found) == 1


def test_questions_side_by_side_are_answered_as_alone(monkeypatch):
    monkeypatch.setattr(insertion, "SEARCHES", 2)
    targets = ["a b c", "d e", "f", "g h i j k"]
    questions = [(SOURCE, SPAN, target, tokenize(target)[1]) for target in targets]
    for exact in (True, False):
        inserter = MarkInserter(Toy(3), ENGLISH, SPANISH)
        found = inserter.insert(questions, "xml", 2, exact, Counter())
        assert found == [ask(Toy(3), target, "xml", 2, exact)[0] for target in targets]


@pytest.fixture(scope="module")
def sharp(folders, tmp_path_factory):
    """The tiny checkpoints with larger weights: probabilities depend on all that is read."""
    root = tmp_path_factory.mktemp("sharp")
    for kind, folder in folders.items():
        copytree(folder, root / kind)
        model = AutoModelForSeq2SeqLM.from_pretrained(folder)
        with torch.no_grad():
            for weights in model.parameters():
                if weights.dim() == 2:
                    weights *= 20
        model.save_pretrained(root / kind)
    return {kind: root / kind for kind in folders}


@pytest.mark.parametrize(
    "kind", ["nllb", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("m2m", "marian"))]
)
def test_real_architectures(sharp, kind):
    """Enumeration through the same translator; and the probability as transformers computes it."""
    source, span, target = "the city of Berlin", (12, 18), "la ciudad de Madrid."
    for compute_type, style in (("int8", "letters"), ("float32", "brackets")):
        translator = NeuralTranslator(str(sharp[kind]), compute_type)
        found, _ = ask(translator, target, style, 3, True, source, span)
        same(found, enumerated(translator, target, style, 3, source, span), 1e-3)
    start, end, log = found[0]
    _, words = tokenize(target)
    text = mark(target, [Span(words[start][0], words[end - 1][1], "x")], style)
    wanted = by_transformers(sharp[kind], kind, "the city of [ Berlin ]", text)
    assert log == pytest.approx(wanted, abs=1e-2)
    if kind == "marian":
        return
    other = NeuralTranslator(str(sharp[kind]), "float32", language_last=True)
    asked = [("the city of [ Berlin ]", other.subwords(text))]
    [logs] = other.token_log_probabilities(asked, ENGLISH, SPANISH)
    wanted = by_transformers(sharp[kind], kind, "the city of [ Berlin ]", text, last=True)
    assert sum(logs) == pytest.approx(wanted, abs=1e-2)
    assert sum(logs) != pytest.approx(log, abs=1e-2)
    assert other.describe(ENGLISH, SPANISH) != translator.describe(ENGLISH, SPANISH)


def by_transformers(folder, kind, source, target, last=False):
    """Log-probability of a whole translation, English into Spanish."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
    codes = {"nllb": ("eng_Latn", "spa_Latn"), "m2m": ("__en__", "__es__"), "marian": ((), ())}
    languages = [tokenizer.convert_tokens_to_ids([code] if code else []) for code in codes[kind]]
    end = tokenizer.eos_token_id
    # Marian has vocabularies of its own for both sides
    kinds = ("text", "text_target" if kind == "marian" else "text")
    read, wanted = (
        [*language, *tokenizer(**{k: text}, add_special_tokens=False)["input_ids"], end]
        for language, k, text in zip(languages, kinds, (source, target), strict=True)
    )
    if last:
        read = [*read[1:], read[0]]
    first = model.config.decoder_start_token_id if kind == "marian" else end
    with torch.no_grad():
        decoded = torch.tensor([[first, *wanted[:-1]]])
        logits = model(input_ids=torch.tensor([read]), decoder_input_ids=decoded).logits[0]
    if kind == "marian":  # its start token is never written
        logits[:, first] = -torch.inf
    logs = logits.log_softmax(-1)[range(len(wanted)), wanted]
    return float(logs[len(languages[1]) :].sum())  # the language is forced, so not scored


def test_spans_are_translated_back_by_themselves():
    """The sum of log-probabilities in the other direction, of composed characters."""

    class Back(Toy):
        def token_log_probabilities(self, pairs, source, target):
            assert (source, target) == (SPANISH, ENGLISH)
            assert pairs[:1] == [("Berl\u00edn", ["Ber", "lin"])]
            return [*super().token_log_probabilities(pairs[:1], source, target), []]

    translator = Back()
    found = MarkInserter(translator, ENGLISH, SPANISH).back(
        [("Berlin", "Berli\u0301n"), ("a", "b")]
    )
    tokens = ["Ber", "lin", "</s>"]
    logs = [translator.log("Berl\u00edn", tokens[:n], token) for n, token in enumerate(tokens)]
    assert found == [pytest.approx(sum(logs)), -math.inf]
