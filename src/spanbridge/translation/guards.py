"""Faults of translations that show without knowing the languages.

A translation that fails a guard keeps its text, and its status says ``suspect: ...``. Whether such
rows are left out is up to the user; they are counted in any case.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import isfinite

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.rows import OK
from spanbridge.formats.languages import Language
from spanbridge.translation.base import BLANK, Translation, Translator

# ISO 15924 scripts of the registered languages, and how the Unicode names of their letters begin.
_SCRIPTS = {
    "Arab": ("ARABIC",),
    "Armn": ("ARMENIAN",),
    "Beng": ("BENGALI",),
    "Cyrl": ("CYRILLIC",),
    "Deva": ("DEVANAGARI",),
    "Ethi": ("ETHIOPIC",),
    "Geor": ("GEORGIAN",),
    "Grek": ("GREEK",),
    "Gujr": ("GUJARATI",),
    "Guru": ("GURMUKHI",),
    "Hang": ("HANGUL",),
    "Hans": ("CJK",),
    "Hant": ("CJK",),
    "Hebr": ("HEBREW",),
    "Jpan": ("CJK", "HIRAGANA", "KATAKANA"),
    "Khmr": ("KHMER",),
    "Knda": ("KANNADA",),
    "Kore": ("HANGUL", "CJK"),
    "Laoo": ("LAO",),
    "Latn": ("LATIN",),
    "Mlym": ("MALAYALAM",),
    "Mymr": ("MYANMAR",),
    "Olck": ("OL CHIKI",),
    "Orya": ("ORIYA",),
    "Sinh": ("SINHALA",),
    "Taml": ("TAMIL",),
    "Telu": ("TELUGU",),
    "Tfng": ("TIFINAGH",),
    "Thai": ("THAI",),
    "Tibt": ("TIBETAN",),
}
_WORD = re.compile(r"\w+")
# Tokens of models' vocabularies, which stand in no text; those of languages too (__en__, >>eng<<).
_SPECIAL = re.compile(
    r"</?s>|<(?:unk|pad|mask|eos|bos|extra_id_\d+|2\w{2,3})>|\[(?:UNK|PAD|MASK|CLS|SEP)\]|<\|\w+\|>"
    r"|\u2047|\u2581|__[a-z]{2,3}__|>>\w+<<|\b[a-z]{3}_[A-Z][a-z]{3}\b"
)
# A run of words this long is repeated by no text that is sound; nor so many equal letters.
_LONG_RUN, _LONG_REPEATS = range(5, 41), 2
_LETTERS = re.compile(r"(\w{1,8}?)\1+")
_MANY_LETTERS = 8
# Least share of the original's letters in a translation of fewer sentences.
_MIN_SHARE = 0.65


@dataclass(frozen=True)
class Guards:
    """Bounds within which a text is taken for a translation.

    Attributes:
        max_ratio: greatest ratio of the longer text's letters to the other's, above 1; letters of
            scripts that write a syllable with one (Han, Kana, Hangul, Ethiopic) count thrice.
        min_script: least share of letters in the target's script, in [0, 1].
        max_repeats: greatest number of times that the same one to four words, or letters of one
            word, follow each other; five words and more may do so twice.
        min_letters: sentences with fewer letters on both sides are not judged by length.

    Raises:
        SpanbridgeError: a bound is out of range.
    """

    max_ratio: float = 4.0
    min_script: float = 0.5
    max_repeats: int = 4
    min_letters: int = 12

    def __post_init__(self) -> None:
        bounds = (self.max_ratio, self.min_script, self.max_repeats, self.min_letters)
        if not all(isfinite(bound) for bound in bounds) or self.max_repeats % 1:
            raise SpanbridgeError(f"{self} is out of range")
        if not self.max_ratio > 1 or not 0 <= self.min_script <= 1 or self.max_repeats < 1:
            raise SpanbridgeError(f"{self} is out of range")

    def describe(self) -> str:
        """Name and bounds, for the signature."""
        bounds = (self.max_ratio, self.min_script, self.max_repeats, self.min_letters)
        return f"guards({','.join(repr(bound) for bound in bounds)})"

    def check(self, text: str, found: Translation, target: Language) -> Translation:
        """The translation, with the first guard that it fails as its status."""
        if found.status != OK or not text.strip():
            return found
        status = self._fault(text, found.text, target)
        return found if status is None else replace(found, status=status)

    def _fault(self, text: str, translated: str, target: Language) -> str | None:
        if not translated.strip():
            return "failed: no translation"
        if _SPECIAL.search(translated) and not _SPECIAL.search(text):
            return "suspect: a model's special tokens"
        if self._copied(text, translated):
            return "suspect: a copy of the original"
        scripts = letters_by_script(translated)
        n_letters = sum(scripts.values())
        known = [_SCRIPTS.get(script) for script in sorted(target.scripts)]
        # a script that is not listed cannot be judged
        wanted = () if None in known else tuple(name for names in known for name in names or ())
        own = sum(n for name, n in scripts.items() if wanted and name.startswith(wanted))
        if wanted and n_letters >= self.min_letters and own < self.min_script * n_letters:
            return f"suspect: not in the script {target.script}"
        long, short = sorted((weight(text), weight(translated)), reverse=True)
        if long >= self.min_letters and long > self.max_ratio * max(short, 1):
            shorter = weight(translated) == short
            return f"suspect: much too {'short' if shorter else 'long'}"
        for most, count in (
            (self.max_repeats, repeats),
            (_LONG_REPEATS, partial(repeats, lengths=_LONG_RUN)),
            (self.max_repeats, letter_repeats),
        ):
            if count(translated) > max(most, count(text)):
                return "suspect: repeats itself"
        fewer = n_sentences(text) > n_sentences(translated)
        if fewer and weight(translated) < _MIN_SHARE * weight(text):
            return "suspect: sentences dropped"
        return None

    def _copied(self, text: str, translated: str) -> bool:
        """Check if a sentence, which names alone are not, was left as it is."""
        words = _WORD.findall(text)
        small = [word for word in words if not word[0].isupper() and not word[0].isdigit()]
        sentence = len(small) > 1 or weight(text) > 3 * self.min_letters
        same = list(map(str.casefold, words)) == list(map(str.casefold, _WORD.findall(translated)))
        return same and sentence and weight(text) >= self.min_letters


GUARDS = Guards()


def letters_by_script(text: str) -> Counter[str]:
    """Number of letters by the beginning of their Unicode names."""
    return Counter(unicodedata.name(c, "").partition(" LETTER")[0] for c in text if c.isalpha())


def weight(text: str) -> int:
    """Number of letters and digits; those that stand for a syllable or a word count thrice."""
    dense = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "ETHIOPIC")
    return sum(3 if unicodedata.name(c, "").startswith(dense) else 1 for c in text if c.isalnum())


def letter_repeats(text: str) -> int:
    """Number of times that one to eight letters follow each other in a word, in a long run."""
    runs = (m for m in _LETTERS.finditer(text.lower()) if not m[0].isdigit())
    return max((len(m[0]) // len(m[1]) for m in runs if len(m[0]) >= _MANY_LETTERS), default=1)


def repeats(text: str, lengths: range = range(1, 5)) -> int:
    """Number of times that the most repeated run of so many words occurs in a row."""
    words = _WORD.findall(text.lower())
    most = 1
    for n in lengths:
        run = [0] * len(words)
        for at in range(len(words) - n - 1, -1, -1):
            run[at] = run[at + 1] + 1 if words[at] == words[at + n] else 0
        # a run of k matches at distance n means k // n + 1 repetitions
        most = max(most, max((k // n + 1 for k in run), default=1))
    return most


def n_sentences(text: str) -> int:
    """Approximate number of sentences, by their closing marks."""
    return len(re.findall(r"[.!?\u061f\u06d4\u0964\u1362\u3002]+(?=\s|$)|\u3002", text)) or 1


def guarded(
    translator: Translator,
    sentences: Sequence[str],
    source: Language,
    target: Language,
    guards: Guards,
) -> list[Translation]:
    """Translate and check sentences; equal ones are asked for once, blank ones never.

    Args:
        translator: translates them.
        sentences: texts, blank ones among them.
        source, target: their language, and the one wanted.
        guards: bounds that the translations are checked against.

    Raises:
        UnsupportedPairError: the translator does not know the pair.
        SpanbridgeError: it gave another number of translations.
    """
    asked = list(dict.fromkeys(text for text in sentences if text.strip()))
    answers = translator.translate(asked, source, target)
    if len(answers) != len(asked):
        raise SpanbridgeError(
            f"the translator gave {len(answers)} translations of {len(asked)} sentences"
        )
    checked = {
        text: guards.check(text, answer, target)
        for text, answer in zip(asked, answers, strict=True)
    }
    return [checked.get(text, Translation("", status=BLANK)) for text in sentences]
