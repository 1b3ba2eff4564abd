"""How long trainings take, by a few steps of each kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from spanbridge.core.spans import Sentence
from spanbridge.encode.tokenizer import HuggingFaceTokenizer
from spanbridge.formats import read_sentences
from spanbridge.tagging.base import Words, iob2_classes
from spanbridge.tagging.transformers_tagger import best_device, put_on
from spanbridge.training.adversarial import Adversary
from spanbridge.training.examples import Labelled, one_hot
from spanbridge.training.fine_tuning import Unlabelled, new_objective
from spanbridge.training.model import find_checkpoint, new_model
from spanbridge.training.recipe import Recipe
from spanbridge.training.trainer import Trainer

# Steps that are timed, sentences of a file that they are made of.
STEPS, SENTENCES = 4, 50


@dataclass(frozen=True)
class Head:
    """The beginning of a file.

    Attributes:
        sentences: words of its first rows.
        rows: number of all its rows.
    """

    sentences: Sequence[Words]
    rows: int


class Trials:
    """Estimates of trainings; steps that are alike but for their text are tried once."""

    def __init__(self) -> None:
        self._rates: dict[str, float] = {}
        self._tokenizers: dict[str, HuggingFaceTokenizer] = {}
        self._files: dict[str, Head] = {}

    def seconds(self, recipe: Recipe, made: Mapping[str, Head]) -> float:
        """Seconds of a training on this machine, without what teachers and evaluation take.

        Args:
            recipe: the training; its encoder is here.
            made: beginnings of the files that are still to be made, by their paths.

        Raises:
            SpanbridgeError: the encoder cannot be loaded, or a file not be read.
        """
        text = [] if recipe.unlabelled is None else [recipe.unlabelled]
        paths = [*recipe.train, *(path for path, _ in recipe.mix), *text]
        heads = [made[path] if path in made else self._read(path) for path in paths]
        heads = [head for head in heads if head.sentences]
        n = sum(self._tokens(recipe.encoder, one) * one.rows for one in heads)
        return n * recipe.settings.epochs * self._rate(recipe, heads, made)

    def _read(self, path: str) -> Head:
        if path not in self._files:
            sentences = [found.words for _, found in read_sentences(path)]
            self._files[path] = Head(sentences[:SENTENCES], len(sentences))
        return self._files[path]

    def _tokens(self, encoder: str, head: Head) -> float:
        """Subwords per sentence."""
        if encoder not in self._tokenizers:
            checkpoint = find_checkpoint(encoder)
            made = HuggingFaceTokenizer(checkpoint.tokenizer_file, checkpoint.n_ids)
            self._tokenizers[encoder] = made
        tokenizer = self._tokenizers[encoder]
        n = sum(len(word) for words in head.sentences for word in tokenizer.encode_words(words))
        return n / len(head.sentences)

    def _rate(self, recipe: Recipe, heads: Sequence[Head], made: Mapping[str, Head]) -> float:
        """Seconds per subword."""
        settings = replace(recipe.settings, seed=0, device=recipe.settings.device or best_device())
        hidden = bool(recipe.adversarial)
        level = recipe.adversarial_level or Adversary.level
        key = f"{recipe.encoder} {hidden and level} {replace(settings, epochs=1)}"
        if key not in self._rates:
            classes = iob2_classes(recipe.labels or ["PER"])
            model, tokenizer = new_model(find_checkpoint(recipe.encoder), classes, settings)
            objective = None
            if hidden:
                first = recipe.adversarial[0]
                text = made[first] if first in made else self._read(first)
                given = Unlabelled(adversary=Adversary(level=level), hidden=[text.sentences])
                objective = new_objective(given, model, tokenizer, settings)
            put_on(model, settings.device)
            words = [tuple(w) for head in heads for w in islice(head.sentences, SENTENCES)]
            learned = [Labelled(w, one_hot(Sentence(w), classes)) for w in words]
            trainer = Trainer(model, tokenizer, classes, settings, objective=objective)
            self._rates[key] = trainer.trial(learned, STEPS)
        return self._rates[key]
