"""Taggers of Flair and Stanza as plug-ins: both get the words as they are, and give spans of words.

Both packages load models as pickles, which can run code: ``runs_code`` says so in the account.
"""

import hashlib
from importlib.metadata import version
from pathlib import Path

from spanbridge import Span, SpanbridgeError
from spanbridge.tagging.base import Tagged, Tagger, iob2_classes

NOTHING = "_"  # in the place of a word that has nothing to be seen


def words_of(sentence):
    """Words of a sentence, none of them empty."""
    return ["".join(word.split()) or NOTHING for word in sentence]


def disjoint(spans):
    """Spans in order, the first of those that overlap."""
    taken = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if not taken or span.start >= taken[-1].end:
            taken.append(span)
    return tuple(taken)


class Flair(Tagger):
    """A sequence tagger of Flair.

    Args:
        model: name of a published model, such as ``ner-multi``, or path of a ``.pt`` file.
    """

    requires = ("flair",)
    runs_code = True
    gives_probabilities = False

    def __init__(self, model: str) -> None:
        from flair.models import SequenceTagger

        try:
            self._model = SequenceTagger.load(model)
        except (OSError, ValueError, RuntimeError) as error:
            raise SpanbridgeError(f"flair cannot load {model!r}: {error}") from error
        labels = {tag.rpartition("-")[2] for tag in self._model.label_dictionary.get_items()}
        self.classes = iob2_classes(sorted(labels - {"O", "<unk>", "<START>", "<STOP>"}))
        self._model.eval()
        weights = hashlib.sha256()
        for name, values in sorted(self._model.state_dict().items()):
            weights.update(name.encode())
            weights.update(values.cpu().numpy().tobytes())
        self._digest = weights.hexdigest()[:8]

    def describe(self):
        """Package, its version, and a digest of the weights."""
        return f"flair({version('flair')}@{self._digest})"

    def tag(self, sentences):
        """Tag sentences one by one, so that none depends on another."""
        from flair.data import Sentence

        tagged = []
        for sentence in sentences:
            spans = []
            if sentence:
                text = Sentence(words_of(sentence), use_tokenizer=False)
                self._model.predict(text)
                for found in text.get_spans(self._model.label_type):
                    first, last = found.tokens[0].idx - 1, found.tokens[-1].idx
                    spans.append(Span(first, last, found.tag, min(1.0, max(found.score, 1e-12))))
            tagged.append(Tagged(len(sentence), disjoint(spans)))
        return tagged


class Stanza(Tagger):
    """The entities that a pipeline of Stanza finds.

    Args:
        language: Stanza's code of it, such as ``de``; its models are fetched on first use.
        folder: folder of the models; None for Stanza's own.
        package: name of the models of entities, such as ``conll03``; None for the usual ones.
    """

    requires = ("stanza",)
    runs_code = True
    gives_probabilities = False

    def __init__(
        self, language: str, folder: str | None = None, package: str | None = None
    ) -> None:
        import stanza
        from stanza.resources.common import DEFAULT_MODEL_DIR

        options = {"processors": "tokenize,ner", "tokenize_pretokenized": True, "verbose": False}
        options |= {"use_gpu": False, **({"dir": folder} if folder else {})}
        options |= {"package": {"ner": package}} if package else {}
        try:
            self._pipeline = stanza.Pipeline(language, **options)
        except Exception as error:  # Stanza raises anything
            raise SpanbridgeError(f"stanza has no models of {language!r}: {error}") from error
        place = Path(folder or DEFAULT_MODEL_DIR) / language / "ner"
        weights = hashlib.sha256()
        for path in sorted(place.glob(f"{package or '*'}.pt")):
            weights.update(path.read_bytes())
        self._name = f"{language},{package or 'usual'}@{weights.hexdigest()[:8]}"

    def describe(self):
        """Package, its version, language, models and a digest of them."""
        return f"stanza({version('stanza')},{self._name})"

    def tag(self, sentences):
        """Tag sentences one by one, so that none depends on another."""
        return [self._tag(sentence) for sentence in sentences]

    def _tag(self, sentence):
        if not sentence:
            return Tagged(0, ())
        document = self._pipeline([words_of(sentence)])
        # "id" counts tokens from 1; a token that several words share has a pair of them
        places = {id(token): n for n, token in enumerate(document.sentences[0].tokens)}
        spans = [
            Span(places[id(found.tokens[0])], places[id(found.tokens[-1])] + 1, found.type)
            for found in document.ents
        ]
        return Tagged(len(sentence), disjoint(spans))
