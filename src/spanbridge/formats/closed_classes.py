"""Words of closed classes, by language: what stands beside names and belongs to the sentence.

``closed_classes.tsv`` holds, after the closed classes of Universal Dependencies, the articles,
adpositions, conjunctions and particles (case markers and other postposed words) that can stand at
the edge of a name, titles, and suffixes that are written after an apostrophe. How a form is
written says whether raw text has to be cut before it:

| written | where it is |
|---|---|
| ``word`` | a word of its own |
| ``glued`` | at the end of a word: Korean ``서울에`` |
| ``apostrophe`` | after the apostrophe of a word: Turkish ``Ankara'da``; ``*`` stands for any |

``glued after consonant`` and ``glued after vowel`` are forms that depend on the sound before them,
``glued after another script`` those that follow Han, Katakana or digits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from spanbridge.core.scripts import script_prefix

# Classes whose place, inside spans or outside of them, is a convention of the annotation.
ARTICLE, PARTICLE, SUFFIX, TITLE = "article", "particle", "suffix", "title"
CONVENTIONS = (ARTICLE, PARTICLE, SUFFIX, TITLE)
# What a name names, written as its last word: 魁北克|省, 神奈川|県.
KIND = "kind"
# Forms that are cut off one word, at most: Korean 서울|에서|는.
MAX_CUTS = 3
# Syllables that Korean particles leave, at least: most shorter words are whole, as 인도 and 강의.
MIN_STEM = 2
# A language is guessed if so large a share of the words are of its closed classes, and if so many
# of their forms occur, and so large a share of them.
GUESS_SHARE, GUESS_FORMS, GUESS_FOUND = 0.04, 5, 0.4
# The language that is likely where its script is seen.
BY_SCRIPT = {
    "HANGUL": "kor",
    "THAI": "tha",
    "LAO": "lao",
    "KHMER": "khm",
    "MYANMAR": "mya",
    "CJK": "zho",
}
_HANGUL, _FINALS, _RIEUL = 0xAC00, 28, 8


@dataclass(frozen=True)
class ClosedClasses:
    """The closed classes of a language.

    Attributes:
        language: ISO 639-3.
        words: class of each form that is a word, in small letters.
        glued: condition (empty for none) and class of each form at the end of words.
        suffixes: suffixes after an apostrophe; ``*`` for any.
    """

    language: str
    words: Mapping[str, str] = field(default_factory=dict)
    glued: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    suffixes: frozenset[str] = frozenset()

    def class_of(self, word: str) -> str:
        """Class of a word; empty if it has none."""
        form = normal(word)
        if form[:1] == "'" and self.suffixes & {form[1:], "*"}:
            return SUFFIX
        return self.words.get(form) or self.glued.get(form, ("", ""))[1]

    def starts(self, word: str, left_whole: Iterable[str] = ()) -> list[int]:
        """Places in a word of raw text at which glued forms begin.

        Args:
            word: the word.
            left_whole: classes that are not cut off.
        """
        cuts: list[int] = []
        end, whole = len(word), frozenset(left_whole)
        longest = max(map(len, self.glued), default=0)
        for _ in range(MAX_CUTS if self.glued else 0):
            sizes = range(min(longest, end - 1), 0, -1)
            size = next((n for n in sizes if self._fits(word[:end], n, whole)), 0)
            if not size:
                break
            end -= size
            cuts.insert(0, end)
        return cuts

    def _fits(self, word: str, size: int, left_whole: frozenset[str]) -> bool:
        form = word[-size:]
        condition, kind = self.glued.get(form, ("", ""))
        before = word[-size - 1]
        if not kind or kind in left_whole or not before.isalnum():
            return False
        if condition == "after another script":
            return script_prefix(before) != script_prefix(form[0])
        final = (ord(before) - _HANGUL) % _FINALS if script_prefix(before) == "HANGUL" else None
        if final is not None and len(word) - size < MIN_STEM:
            return False
        if not condition or final is None:  # foreign letters do not tell how they are read
            return True
        # 로 follows a final ㄹ as it follows a vowel
        closed = final != 0 and not (final == _RIEUL and form.lstrip("으").startswith("로"))
        return closed == (condition == "after consonant")


@cache
def _table() -> dict[str, ClosedClasses]:
    lines = Path(__file__).with_suffix(".tsv").read_text("utf-8").splitlines()[1:]
    words: dict[str, dict[str, str]] = {}
    glued: dict[str, dict[str, tuple[str, str]]] = {}
    suffixes: dict[str, set[str]] = {}
    principal: dict[str, str] = {}  # of several codes in a line the first
    for line in lines:
        languages, kind, written, forms = line.split("\t")
        how, _, condition = written.partition(" ")
        code, *others = languages.split(",")
        principal |= {code: code, **dict.fromkeys(others, code)}
        for form in forms.split():
            if how == "word":
                words.setdefault(code, {}).setdefault(form, kind)
            elif how == "glued":
                glued.setdefault(code, {})[form] = (condition, kind)
            else:
                suffixes.setdefault(code, set()).add(form)
    made = {
        code: ClosedClasses(
            code, words.get(code, {}), glued.get(code, {}), frozenset(suffixes.get(code, ()))
        )
        for code in words.keys() | glued.keys() | suffixes.keys()
    }
    return {code: made[same] for code, same in principal.items()}


def closed_classes(iso3: str) -> ClosedClasses:
    """The closed classes of a language, by ISO 639-3; without any if it is not in the table."""
    return _table().get(iso3) or ClosedClasses(iso3)


@cache
def every_word() -> frozenset[str]:
    """The articles, adpositions, conjunctions and particles of all languages together."""
    return frozenset(
        word
        for known in _table().values()
        for word, kind in known.words.items()
        if kind not in (TITLE, KIND)
    )


@cache
def every_article() -> frozenset[str]:
    """The articles of all languages together."""
    return frozenset(
        word for known in _table().values() for word, kind in known.words.items() if kind == ARTICLE
    )


def by_script(text: str) -> str:
    """ISO 639-3 of the language that a text's script names; empty if it names none.

    Most letters are of that script; of Han and kana together, a tenth of kana makes Japanese.
    """
    letters = Counter(script_prefix(char) for char in text if char.isalpha())
    kana = letters["HIRAGANA"] + letters["KATAKANA"]
    seen = {**letters, "CJK": letters["CJK"] + kana}
    script = max(sorted(BY_SCRIPT), key=lambda name: seen.get(name, 0))
    if 2 * seen.get(script, 0) <= letters.total():
        return ""
    return "jpn" if script == "CJK" and 10 * kana >= seen["CJK"] else BY_SCRIPT[script]


def by_words(sentences: Iterable[Iterable[str]]) -> str:
    """ISO 639-3 of the language whose closed classes make up most of the words.

    Empty unless many of the language's forms occur. Relatives that are not in the table may be
    taken for a language that is: most of their small words are the same.
    """
    counts = Counter(normal(word) for words in sentences for word in words)
    total = sum(count for word, count in counts.items() if word[:1].isalpha())
    best: tuple[float, str] = (0.0, "")
    for code, known in sorted(_table().items()):
        small = [word for word, kind in known.words.items() if kind != TITLE]
        forms = [word for word in small if word in counts]
        share = sum(counts[word] for word in forms) / max(total, 1)
        enough = len(forms) >= max(GUESS_FORMS, GUESS_FOUND * len(small))
        if code == known.language and enough and share >= GUESS_SHARE and share > best[0]:
            best = (share, code)
    return best[1]


def normal(word: str) -> str:
    """A word as the table writes it: in small letters, with a straight apostrophe."""
    return word.lower().replace("\u2019", "'")
