"""One registry, whatever the code; FLORES-200 codes come back as they went in."""

import pytest

from spanbridge import SpanbridgeError
from spanbridge.formats.languages import FLORES, INDIVIDUAL, find_language


@pytest.mark.parametrize(
    ("codes", "tag", "iso3", "flores"),
    [
        ("sw swa swh_Latn sw-KE", "sw", "swa", "swh_Latn"),
        ("zh zho zho_Hans zh-CN", "zh", "zho", "zho_Hans"),
        ("zh-Hant zho_Hant zh-TW", "zh-Hant", "zho", "zho_Hant"),
        ("tw twi twi_Latn", "tw", "twi", "twi_Latn"),
        ("no nor nob_Latn", "no", "nor", "nob_Latn"),
        ("fa fas pes_Arab", "fa", "fas", "pes_Arab"),
        ("sr srp srp_Cyrl", "sr", "srp", "srp_Cyrl"),
        ("sr-Latn", "sr-Latn", "srp", None),
        ("hbs sh", "sr-Latn", "hbs", None),
        ("pt pt-BR por_Latn", "pt", "por", "por_Latn"),
        ("eu eus", "eu", "eus", "eus_Latn"),
        ("bbj", "bbj", "bbj", None),
    ],
)
def test_codes_of_one_language(codes, tag, iso3, flores):
    for code in codes.split():
        found = find_language(code)
        assert (found.tag, found.iso3, found.flores) == (tag, iso3, flores)


def test_every_flores_code_is_found():
    assert len(FLORES) == 202  # those of the NLLB-200 checkpoints
    for code in FLORES:
        found = find_language(code)
        assert found.flores == code
        assert code.endswith(found.script)
    assert {f"{individual}_" for individual in INDIVIDUAL.values()} <= {c[:4] for c in FLORES}


def test_flores_codes_are_those_of_the_tokenizer():
    nllb = pytest.importorskip("transformers.models.nllb.tokenization_nllb")
    assert set(nllb.FAIRSEQ_LANGUAGE_CODES) == FLORES


@pytest.mark.parametrize("code", ["", "xx", "english", "swh_", "und", "en_", "e n", "x" * 50])
def test_no_language(code):
    with pytest.raises(SpanbridgeError, match="is no (language )?code"):
        find_language(code)
