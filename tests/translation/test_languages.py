"""One registry, whatever the code; each model's entry is found by its language alone."""

import json
from collections import Counter
from pathlib import Path

import pytest

from spanbridge import SpanbridgeError
from spanbridge.formats.languages import FLORES, INDIVIDUAL, choose, find_language
from spanbridge.translation.base import UnsupportedPairError, entry_of

LISTS = json.loads((Path(__file__).parent / "model_languages.json").read_text("utf-8"))
LISTS = {"nllb": sorted(FLORES), "m2m": LISTS["m2m"], "opus": LISTS["opus"]}


def chosen(code, entries):
    return choose(find_language(code), entries)


@pytest.mark.parametrize(
    ("codes", "tag", "iso3", "flores"),
    [
        ("sw swa swh swh_Latn sw-KE", "sw", "swa", "swh_Latn"),
        ("zh zho zho_Hans zh-CN cmn cmn_Hans chi", "zh", "zho", "zho_Hans"),
        ("zh-Hant zho_Hant zh-TW", "zh-Hant", "zho", "zho_Hant"),
        ("tw twi twi_Latn", "tw", "twi", "twi_Latn"),
        ("no nor nob_Latn", "no", "nor", "nob_Latn"),
        ("fa fas pes_Arab", "fa", "fas", "pes_Arab"),
        ("prs prs_Arab", "prs", "prs", "prs_Arab"),
        ("sr srp srp_Cyrl", "sr", "srp", "srp_Cyrl"),
        ("ko kor ko-KR", "ko", "kor", "kor_Hang"),
        ("sr-Latn", "sr-Latn", "srp", None),
        ("pt pt-BR por_Latn", "pt", "por", "por_Latn"),
        ("eu eus", "eu", "eus", "eus_Latn"),
        ("bbj", "bbj", "bbj", None),
    ],
)
def test_codes_of_one_language(codes, tag, iso3, flores):
    for code in codes.split():
        found = find_language(code)
        assert (found.tag, found.iso3) == (tag, iso3), code
        assert choose(found, FLORES) == ((flores,) if flores else ())


@pytest.mark.parametrize("code", ["hbs", "sh"])
def test_serbo_croatian_is_three_entries(code):
    assert (find_language(code).tag, find_language(code).iso3) == ("sr-Latn", "hbs")
    assert chosen(code, FLORES) == ("bos_Latn", "hrv_Latn", "srp_Cyrl")


def test_every_flores_code_is_found():
    assert len(FLORES) == 202  # those of the NLLB-200 checkpoints
    for code in FLORES:
        assert code.endswith(find_language(code).script)
    assert {f"{individual}_" for individual in INDIVIDUAL.values()} <= {c[:4] for c in FLORES}


def test_lists_are_those_of_the_tokenizers():
    nllb = pytest.importorskip("transformers.models.nllb.tokenization_nllb")
    assert set(nllb.FAIRSEQ_LANGUAGE_CODES) == FLORES
    m2m = pytest.importorskip("transformers.models.m2m_100.tokenization_m2m_100")
    assert sorted(m2m.FAIRSEQ_LANGUAGE_CODES["m2m100"]) == LISTS["m2m"]


@pytest.mark.parametrize("name", LISTS)
def test_every_entry_is_reached(name):
    """By its code; by its language alone, in any form, where no other entry has that language."""
    entries = LISTS[name]
    readable = {entry: find_language(entry) for entry in entries}
    of_language = Counter(found.code for found in readable.values())
    for entry, found in readable.items():
        assert choose(found, entries) == (entry,)
        if of_language[found.code] == 1:
            for code in {entry.partition("_")[0], found.code}:
                assert chosen(code, entries) == (entry,), code
        if of_language[found.code] == sum(x.iso3 == found.iso3 for x in readable.values()) == 1:
            for code in (found.iso3, found.iso1):
                assert chosen(code, entries) == (entry,), code


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("nllb", "que:quy_Latn ful:fuv_Latn pus:pbt_Arab tmh:taq_Latn ekk:est_Latn aka:aka_Latn"),
        ("nllb", "ace:ace_Latn bjn:bjn_Latn ks:kas_Arab kr:knc_Latn zh:zho_Hans sat:sat_Beng"),
        ("m2m", "fil:tl tgl:tl nso:ns nb:no nob:no arb:ar cmn:zh zh-Hant:zh he:he iw:he"),
        ("opus", "zh:cmn_Hans zh-TW:cmn_Hant sr:srp_Cyrl sr-Latn:srp_Latn ms:zsm_Latn arb:ara"),
        ("opus", "tg:tgk_Cyrl tl:tgl_Latn bg:bul la:lat uz:uzb_Latn yue:yue_Hant fa:pes no:nob"),
    ],
)
def test_bare_codes(name, codes):
    """Of the usual member of a macrolanguage; in the script that CLDR calls usual."""
    for code, entry in (pair.split(":") for pair in codes.split()):
        assert chosen(code, LISTS[name]) == (entry,), code


def test_countries():
    entries = ["por", "pt_br", "fr", "fr_BE", "zh_CN", "en_XX", "ar_AR", "es_MX", "es_ES"]
    wanted = "pt:por pt-BR:pt_br pt-PT:por fr-BE:fr_BE fr-CA:fr zh:zh_CN en:en_XX ar-EG:ar_AR"
    for code, entry in (pair.split(":") for pair in wanted.split()):
        assert chosen(code, entries) == (entry,), code
    assert chosen("zh-TW", entries) == ()  # is another script


def test_no_entry_stands_for_another_language():
    """A neighbour in its macrolanguage is no substitute."""
    for name, codes in (("m2m", "prs acq nn yue bbj"), ("nllb", "quz vro bbj sr-Latn nan")):
        for code in codes.split():
            assert chosen(code, LISTS[name]) == (), code
    with pytest.raises(UnsupportedPairError, match="m does not know prs; it knows: af, am, "):
        entry_of(find_language("prs"), LISTS["m2m"], "m")
    with pytest.raises(UnsupportedPairError, match="several entries for sr-Latn: bos_Latn, hrv"):
        entry_of(find_language("sh"), FLORES, "m")


def test_scripts():
    """Where CLDR knows none, that of FLORES-200 or the macrolanguage; a guard takes both."""
    found = {c: find_language(c).script for c in ("acm", "acq", "ajp", "azb", "prs", "pbt", "afb")}
    assert set(found.values()) == {"Arab"}
    assert find_language("tzm").scripts == {"Latn", "Tfng"}
    assert find_language("tzm_Tfng").scripts == {"Tfng"}
    assert find_language("crh").scripts == {"Cyrl", "Latn"}


@pytest.mark.parametrize("code", ["", "xx", "english", "swh_", "und", "en_", "e n", "x" * 50])
def test_no_language(code):
    with pytest.raises(SpanbridgeError, match="is no (language )?code"):
        find_language(code)
