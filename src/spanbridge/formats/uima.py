"""UIMA CAS as XMI and as JSON, which INCEpTION and other tools of UIMA export."""

from __future__ import annotations

import json
import re
import warnings
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import atomic_bytes, reading
from spanbridge.core.rows import REVIEW, SentencePair, Side
from spanbridge.core.spans import Sentence, Span
from spanbridge.core.standard import is_standard
from spanbridge.formats.base import (
    DEFAULT_READING,
    Counts,
    Format,
    Reading,
    Write,
    one_side,
    row_writer,
)
from spanbridge.formats.json_objects import parse_object, whole_object
from spanbridge.formats.offsets import place_spans
from spanbridge.formats.reviews import review_text, with_review
from spanbridge.formats.tokens import spans_in_text, with_text
from spanbridge.formats.uima_types import dkpro_types, dkpro_xml, types_of_json, types_of_xml
from spanbridge.formats.xml_elements import elements, escaped

_DKPRO = "de.tudarmstadt.ukp.dkpro.core.api"
_SENTENCE, _TOKEN = f"{_DKPRO}.segmentation.type.Sentence", f"{_DKPRO}.segmentation.type.Token"
_ENTITY = f"{_DKPRO}.ner.type.NamedEntity"
_FIELD = f"{_DKPRO}.metadata.type.MetaDataStringField"  # a key and its value
# Types of UIMA itself and of what INCEpTION says of a document, which are no annotations of words.
_NO_LAYER = re.compile(
    r"uima\..*|.*\.(?:DocumentMetaData|MetaDataStringField|TagDescription|TagsetDescription)"
)
_OF_NAMES = re.compile(r"NamedEntity|\bNER\b|entit", re.IGNORECASE)
_LABEL, _LINK = "value", "identifier"
_FAULTS = (
    *(ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError),
    SyntaxError,  # of lxml
)


class Uima(Format):
    """One side of each row, a sentence of one document with its tokens, which is held whole.

    Spans are the named entities of DKPro, or another layer, which ``tag_column`` names. A position
    that is left out is 0, the default of numbers in UIMA, whose writers may leave it out.
    """

    sides = "one"
    holds_spans = True
    holds_nested = True
    requires = ("cassis",)
    keeps = frozenset({"ids", "words", "text"})

    def keeps_key(self, key: str) -> bool:
        """A review is a field of metadata over its sentence."""
        return key == REVIEW

    def keeps_span_key(self, key: str) -> bool:
        """Links to a knowledge base are written."""
        return key == _LINK

    @abstractmethod
    def load(self, path: str | Path, counts: Counts) -> Any:
        """Read a CAS. Raises InputError, and what its library raises."""

    @abstractmethod
    def dump(self, cas: Any, path: str | Path) -> None:
        """Write a CAS. Raises InputError."""

    def read(
        self,
        path: str | Path,
        side: Side = "target",
        how: Reading = DEFAULT_READING,
        counts: Counts | None = None,
    ) -> Iterator[tuple[int, SentencePair]]:
        """Read a row for each sentence, with its number; the whole text is one if there is none.

        Raises InputError if the file is no CAS, or if no layer is plainly meant.
        """
        from cassis.typesystem import TypeNotFoundError

        counts = Counts() if counts is None else counts
        try:
            document = _Document(self.load(path, counts), how, counts)
            rows = list(document.rows(side))
        except SpanbridgeError as error:
            raise (
                error if isinstance(error, InputError) else InputError(path, None, str(error))
            ) from error
        except (*_FAULTS, TypeNotFoundError) as error:
            # what Python says of these is about the library's code, and not about the file
            lacks = isinstance(error, AttributeError | TypeError | LookupError)
            said = "a part of one is missing, or is something else" if lacks else error
            why = f"is no CAS that can be read ({said}); export it again"
            raise InputError(path, None, why) from error
        for number, (identity, sentence, review) in enumerate(rows, 1):
            counts.n_rows += 1
            extra = with_review(review, counts)
            yield number, one_side(identity or str(number), sentence, side, extra)

    @contextmanager
    def open(
        self, path: str | Path, side: Side = "target", *, scores: bool = False
    ) -> Iterator[Write]:
        """Open a file for rows; the text of the document is a line for each."""
        from cassis import Cas

        cas = Cas(dkpro_types())
        made = {
            name: cas.typesystem.get_type(name) for name in (_SENTENCE, _TOKEN, _ENTITY, _FIELD)
        }
        texts: list[str] = []
        at = 0

        def write(pair: SentencePair) -> None:
            nonlocal at
            whole = with_text(pair.side(side))
            text = _checked(whole.text or "")
            spans = [(span, _link(span)) for span in spans_in_text(whole)]
            for span, _ in spans:
                _checked(span.label)
            if any(start == end for start, end in whole.offsets or ()):
                raise SpanbridgeError("a word is empty, which a CAS has none of")
            row = made[_SENTENCE](begin=at, end=at + len(text), id=_checked(pair.id))
            tokens = [made[_TOKEN](begin=at + a, end=at + b) for a, b in whole.offsets or ()]
            entities = [
                made[_ENTITY](
                    begin=at + span.start, end=at + span.end, value=span.label, identifier=link
                )
                for span, link in spans
            ]
            review = review_text(pair)
            place = {"begin": row.begin, "end": row.end, "key": REVIEW}
            fields = [] if review is None else [made[_FIELD](**place, value=_checked(review))]
            cas.add_all([row, *tokens, *entities, *fields])
            texts.append(text)
            at += len(text) + 1

        yield row_writer(write)
        cas.sofa_string = "\n".join(texts)
        cas.sofa_mime = "text/plain"
        self.dump(cas, path)


class UimaXmi(Uima):
    """XMI, with the type system beside: ``NAME.typesystem.xml``, or ``TypeSystem.xml``."""

    name = "xmi"
    suffixes: ClassVar[tuple[str, ...]] = (".xmi",)

    def beside(self, path: str | Path) -> tuple[Path, ...]:
        """The file of the type system; standard output, where DKPro's types do, has none."""
        if is_standard(path):
            return ()
        return (Path(path).with_suffix(".typesystem.xml"),)

    def load(self, path: str | Path, counts: Counts) -> Any:
        """Read a CAS; without a type system, annotations of unknown types are left out."""
        from cassis import load_cas_from_xmi

        own = [*self.beside(path), Path(path).with_name("TypeSystem.xml")]
        there = next((one for one in own if one.exists()), None)
        if there is None:
            types = dkpro_types()
        else:
            types = types_of_xml(_safe(there, "typeSystemDescription"))
        data = _safe(path, "XMI")
        with _heeded(counts):
            return load_cas_from_xmi(BytesIO(data), types, lenient=there is None, trusted=True)

    def dump(self, cas: Any, path: str | Path) -> None:
        """Write a CAS and its type system."""
        for types in self.beside(path):
            with atomic_bytes(types) as out:
                out.write(dkpro_xml())
        with atomic_bytes(path) as out:
            out.write(cas.to_xmi().encode())


class UimaJson(Uima):
    """JSON, which holds its type system."""

    name = "uima-json"
    suffixes = (".json",)

    def sniff(self, head: Sequence[str], strict: bool = True) -> bool:
        """Check for the keys of a CAS."""
        text = "\n".join(head).lstrip()
        return text[:1] == "{" and ('"%TYPES"' in text or '"%FEATURE_STRUCTURES"' in text)

    def load(self, path: str | Path, counts: Counts) -> Any:
        """Read a CAS."""
        from cassis import load_cas_from_json

        text = whole_object(path)
        given = parse_object(text)  # whose errors are clear
        types = types_of_json(json.dumps(given["%TYPES"]))
        with _heeded(counts):
            return load_cas_from_json(text, types, merge_typesystem=False)

    def dump(self, cas: Any, path: str | Path) -> None:
        """Write a CAS."""
        with atomic_bytes(path) as out:
            out.write(f"{cas.to_json()}\n".encode())


@contextmanager
def _heeded(counts: Counts) -> Iterator[None]:
    """Count what the library only warns of. Raises SpanbridgeError for positions that are none."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        yield
    for warning in told:
        if not issubclass(warning.category, UserWarning):
            continue
        if "offset" in str(warning.message):
            raise SpanbridgeError(f"is no CAS that can be read ({warning.message})")
        what = "annotations of unknown types left out (TypeSystem.xml is not beside the file)"
        counts.leave_out(what)


def _safe(path: str | Path, root: str) -> bytes:
    """A file of XML without entities. Raises InputError."""
    for _ in elements(path, root, frozenset()):
        pass
    with reading(path) as file:
        return file.read()


def _checked(text: str) -> str:
    """A text that XML can hold. Raises SpanbridgeError."""
    escaped(text)
    return text


def _link(span: Span) -> str | None:
    link = None if span.extra is None else json.loads(span.extra).get(_LINK)
    return None if link is None else _checked(str(link))


class _Document:
    """The rows of a CAS. Raises SpanbridgeError if it has no text, or no layer is plainly meant."""

    def __init__(self, cas: Any, how: Reading, counts: Counts) -> None:
        self._cas, self._how, self._counts = cas, how, counts
        self._text = cas.sofa_string
        if not isinstance(self._text, str):
            raise SpanbridgeError("holds no text")
        counts.leave_out("further views of the text left out", len(cas.views) - 1)
        self._layer, self._feature = self._choose() if how.tags else ("", "")

    def rows(self, side: Side) -> Iterator[tuple[str | None, Sentence, str | None]]:
        """Id, sentence and review of each row."""
        found = self._of(_SENTENCE)
        places = [(one.begin, one.end, getattr(one, "id", None)) for one in found]
        if not places:
            self._counts.guess("documents without sentences, of which each is one row")
            places = [(0, len(self._text), None)]
        tokens = [(one.begin, one.end) for one in self._of(_TOKEN)]
        spans = self._spans()
        fields, n_read = self._of(_FIELD), 0
        reviews = {
            (one.begin, one.end): str(one.value)
            for one in fields
            if getattr(one, "key", None) == REVIEW and getattr(one, "value", None)
        }
        at = n_token = 0
        for start, end, identity in places:
            own, words = [], []
            while n_token < len(tokens) and tokens[n_token][0] < end:
                first, last = tokens[n_token]
                n_token += 1
                if start <= first < last <= end:
                    words.append((first - start, last - start))
            while at < len(spans) and spans[at].start < max(end, start + 1):
                span = spans[at]
                at += 1
                if span.start < start or span.end > end:
                    what = "spans over several sentences, or outside of them, left out"
                    self._counts.leave_out(what)
                    continue
                own.append(span._replace(start=span.start - start, end=span.end - start))
            text = self._text[start:end]
            places_of = self._counts.places[side]
            known = tuple(words) if words and _in_order(words) else None
            sentence = place_spans(text, own, side, "spans", "characters", places_of, known)
            review = reviews.get((start, end))
            n_read += review is not None
            yield identity, sentence, review
        self._counts.leave_out("fields of metadata left out", len(fields) - n_read)
        self._counts.leave_out(
            "spans over several sentences, or outside of them, left out", len(spans) - at
        )

    def _of(self, name: str) -> list[Any]:
        """The annotations of a type, in their order."""
        known = self._cas.typesystem
        return self._cas.select(name) if known.contains_type(name) else []

    def _spans(self) -> list[Span]:
        found = []
        for one in self._of(self._layer) if self._layer else ():
            label = getattr(one, self._feature, None)
            if not label or one.begin >= one.end:
                self._counts.leave_out("annotations without a label or words left out")
                continue
            link = getattr(one, _LINK, None)
            extra = json.dumps({_LINK: link}, ensure_ascii=False) if link else None
            found.append(Span(one.begin, one.end, str(label), None, extra))
        return found

    def _choose(self) -> tuple[str, str]:
        """The layer and the feature that are read: both are empty if there are no layers."""
        from cassis import is_annotation

        n_of: dict[str, int] = {}
        for one in self._cas.select_all_fs():
            name = one.type.name
            if is_annotation(one) and not _NO_LAYER.fullmatch(name):
                n_of[name] = n_of.get(name, 0) + 1
        layers = [name for name in n_of if name not in (_SENTENCE, _TOKEN)]
        listed = ", ".join(layers) or "none"
        wanted, _, feature = str(self._how.tag_column or "").partition("|")
        if wanted:
            named = [name for name in layers if wanted in (name, name.rpartition(".")[2])]
            if len(named) != 1:
                raise SpanbridgeError(f"there is no layer {wanted}; there are {listed}")
        elif not (named := [name for name in layers if name == _ENTITY]):
            named = [name for name in layers if _OF_NAMES.search(name)] or layers
            if len(named) > 1:
                why = f"holds several layers; name one: --tag-column LAYER ({listed})"
                raise SpanbridgeError(why)
        for name in layers:
            if name not in named:
                self._counts.leave_out(f"annotations of other layers left out ({name})", n_of[name])
        return (named[0], feature or self._label_of(named[0])) if named else ("", "")

    def _label_of(self, layer: str) -> str:
        """The feature that holds the label: ``value``, or the only one that is a string."""
        features = self._cas.typesystem.get_type(layer).all_features
        texts = [one.name for one in features if one.rangeType.name == "uima.cas.String"]
        if _LABEL in texts or len(texts) == 1:
            return _LABEL if _LABEL in texts else texts[0]
        listed = ", ".join(texts) or "none"
        why = (
            f"the layer {layer} has several features or none; name one: --tag-column LAYER|FEATURE"
        )
        raise SpanbridgeError(f"{why} ({listed})")


def _in_order(places: Sequence[tuple[int, int]]) -> bool:
    """Check that words do not overlap."""
    edges = [edge for place in places for edge in place]
    return edges == sorted(edges)
