"""Translators: Apertium for real where it is installed, and translations from a file."""

import os
import shutil
import signal
import time

import pytest

from spanbridge import InputError, SpanbridgeError
from spanbridge.formats.languages import find_language
from spanbridge.translation.apertium import ApertiumTranslator, pairs, pipeline
from spanbridge.translation.base import UnsupportedPairError
from spanbridge.translation.given import GivenTranslator

SPANISH, ENGLISH = find_language("es"), find_language("en")
needs_apertium = pytest.mark.skipif(
    shutil.which("apertium") is None or "spa-eng" not in pairs(),
    reason="needs Debian's apertium and apertium-eng-spa",
)


@pytest.fixture
def apertium():
    translator = ApertiumTranslator()
    yield translator
    translator.close()


@needs_apertium
def test_apertium(apertium):
    """Its own characters, line breaks and zero bytes go through; rows do not run together."""
    texts = [
        "El presidente Pedro Sánchez llegó ayer a Madrid.",
        "Hola [mundo] y $5 ^x^ a/b <b>Pedro</b> {1} @foo \\ *hola",
        "La Comisión Europea",
        "x\0y\nz",
        "👩‍👩‍👧 أحمد [ENTITY_1]",
        "a" * 20_000,
    ]
    found = [t.text for t in apertium.translate(texts, SPANISH, ENGLISH)]
    assert found[0] == "The president Pedro Sánchez arrived yesterday to Madrid."
    assert found[2] == "The European Commission"
    for sign in "[ ] $5 ^x^ <b>Pedro</b> {1} @foo \\ *".split():
        assert sign in found[1]
    assert found[4:] == texts[4:]
    alone = [apertium.translate([text], SPANISH, ENGLISH)[0].text for text in texts]
    assert alone == found


@needs_apertium
def test_a_process_that_dies_is_started_again(apertium):
    apertium.translate(["hola"], SPANISH, ENGLISH)
    process = apertium._warm["spa-eng"]
    os.killpg(process._running.pid, signal.SIGKILL)
    time.sleep(0.1)
    assert apertium.translate(["La casa"], SPANISH, ENGLISH)[0].text == "The house"


@needs_apertium
def test_a_sentence_that_takes_too_long_fails_alone():
    slow = ApertiumTranslator(seconds=1e-6)
    [found] = slow.translate(["La casa"], SPANISH, ENGLISH)
    assert (found.text, found.status) == ("", "failed: the translator died or took too long")
    slow.close()


@needs_apertium
def test_unknown_pairs_list_what_is_there(apertium):
    with pytest.raises(UnsupportedPairError, match=r"no pair wol-eng here; installed: .*spa-eng"):
        apertium.translate(["x"], find_language("wo"), ENGLISH)


def test_a_mode_becomes_a_pipeline_that_flushes():
    mode = "lt-proc 'a b.bin' | apertium-tagger -g $2 'p' | lt-proc $1 'g'\n"
    assert pipeline(mode) == (
        "lt-proc -z 'a b.bin' | apertium-tagger -z -g  'p' | lt-proc -z -n 'g'"
    )


def test_without_apertium(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SpanbridgeError, match="apt install apertium"):
        ApertiumTranslator()


def test_given_translations(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text("La casa\tThe house\nEl  mar ||| The sea\n\n", encoding="utf-8")
    translator = GivenTranslator(str(path))
    found = translator.translate(["El mar", "La  casa", "Otra"], SPANISH, ENGLISH)
    assert [t.text for t in found] == ["The sea", "The house", ""]
    assert found[2].status == "failed: the file has no translation of it"
    assert translator.licence == "unknown"
    assert GivenTranslator(str(path), licence="CC0-1.0").licence == "CC0-1.0"


def test_a_translator_that_does_not_score_says_so(tmp_path):
    (tmp_path / "t.tsv").write_text("La casa\tThe house\n", encoding="utf-8")
    translator = GivenTranslator(str(tmp_path / "t.tsv"))
    assert not translator.multilingual
    with pytest.raises(SpanbridgeError, match="GivenTranslator gives no translation scores"):
        translator.log_probabilities([("La casa", "The house")], SPANISH, ENGLISH)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("La casa\n", r"t\.tsv:1: 1 columns"),
        ("a\tb\tc\n", r"t\.tsv:1: 3 columns"),
        ("a\tb\na\tc\n", r"t\.tsv:2: 'a' has two different translations"),
        ("\n\n", "holds no translation"),
    ],
)
def test_wrong_files(tmp_path, text, why):
    (tmp_path / "t.tsv").write_text(text, encoding="utf-8")
    with pytest.raises(SpanbridgeError, match=why):
        GivenTranslator(str(tmp_path / "t.tsv"))
    with pytest.raises(InputError):
        GivenTranslator(str(tmp_path / "nosuch"))


@needs_apertium
def test_signs_that_its_programs_wait_at():
    texts = ["Hola Madrid ^^", "^& x", "a ^", "\uff3e ^"]
    found = ApertiumTranslator(5).translate(texts, find_language("es"), find_language("en"))
    assert [t.status for t in found] == ["ok"] * 4
    assert found[0].text == "Hello Madrid ^^"
