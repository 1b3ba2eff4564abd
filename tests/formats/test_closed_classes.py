"""The table of closed classes."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from spanbridge.formats import closed_classes as cc
from spanbridge.formats.languages import find_language

LINES = [
    line.split("\t")
    for line in Path(cc.__file__).with_suffix(".tsv").read_text("utf-8").splitlines()[1:]
]


def test_the_table_is_well_formed():
    kinds = {"article", "adposition", "conjunction", "particle", "suffix", "title", "kind"}
    ways = {"word", "glued", "glued after consonant", "glued after vowel"}
    for languages, kind, written, forms in LINES:
        assert kind in kinds
        assert written in ways | {"glued after another script", "apostrophe"}
        assert len(languages.split(",")[0]) == 3
        words = forms.split()
        assert words == list(dict.fromkeys(words)), (languages, kind)
        assert all(cc.normal(word) == word == unicodedata.normalize("NFC", word) for word in words)


@pytest.mark.parametrize(
    "code", ["de", "nb", "no", "zh", "zh-Hant", "ja", "ko", "sr", "hr", "tr", "fa", "et"]
)
def test_codes_are_those_of_languages(code):
    assert cc.closed_classes(find_language(code).iso3).words


def test_classes_of_words():
    assert cc.closed_classes("deu").class_of("Die") == "article"
    assert cc.closed_classes("fra").class_of("L\u2019") == "article"
    assert cc.closed_classes("jpn").class_of("さん") == "title"
    assert cc.closed_classes("tur").class_of("'nda") == "suffix"
    assert cc.closed_classes("eng").class_of("'re") == ""
    assert cc.closed_classes("xyz").class_of("die") == ""


@pytest.mark.parametrize(
    ("language", "word", "starts"),
    [
        ("kor", "과정은", [2]),
        ("kor", "평가", []),  # 가 follows vowels
        ("kor", "학교로", [2]),
        ("kor", "도서관으로", [3]),
        ("kor", "인도", []),
        ("kor", "인도는", [2]),
        ("kor", "안카라는", [3]),
        ("kor", "지하철로", [3]),  # 로 follows ㄹ
        ("kor", "MATLAB의", [6]),
        ("kor", "은", []),
        ("jpn", "時に", [1]),
        ("jpn", "すべて", []),
        ("jpn", "ロンドンの", [4]),
        ("zho", "我的", [1]),
        ("deu", "dasder", []),
    ],
)
def test_glued_forms(language, word, starts):
    assert cc.closed_classes(language).starts(word) == starts


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("北京", "zho"),
        ("東京の", "jpn"),
        ("서울", "kor"),
        ("Seoul 서울", ""),
        ("", ""),
        ("Иван", ""),
    ],
)
def test_scripts_that_name_a_language(text, language):
    assert cc.by_script(text) == language
