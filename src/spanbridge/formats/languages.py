"""Registry of languages by BCP-47, ISO 639-1, ISO 639-3 and FLORES-200 codes.

``sw``, ``swa``, ``swh_Latn`` and ``sw-KE`` are all Swahili; each translation system gets the code
that it knows. Names and likely scripts come from the ``langcodes`` package (CLDR).
"""

from __future__ import annotations

from dataclasses import dataclass

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.requirements import require

# Codes of FLORES-200 (NLLB Team 2022, table 1), as in the NLLB-200 checkpoints.
FLORES = frozenset(
    """
    ace_Arab ace_Latn acm_Arab acq_Arab aeb_Arab afr_Latn ajp_Arab aka_Latn als_Latn amh_Ethi
    apc_Arab arb_Arab ars_Arab ary_Arab arz_Arab asm_Beng ast_Latn awa_Deva ayr_Latn azb_Arab
    azj_Latn bak_Cyrl bam_Latn ban_Latn bel_Cyrl bem_Latn ben_Beng bho_Deva bjn_Arab bjn_Latn
    bod_Tibt bos_Latn bug_Latn bul_Cyrl cat_Latn ceb_Latn ces_Latn cjk_Latn ckb_Arab crh_Latn
    cym_Latn dan_Latn deu_Latn dik_Latn dyu_Latn dzo_Tibt ell_Grek eng_Latn epo_Latn est_Latn
    eus_Latn ewe_Latn fao_Latn fij_Latn fin_Latn fon_Latn fra_Latn fur_Latn fuv_Latn gaz_Latn
    gla_Latn gle_Latn glg_Latn grn_Latn guj_Gujr hat_Latn hau_Latn heb_Hebr hin_Deva hne_Deva
    hrv_Latn hun_Latn hye_Armn ibo_Latn ilo_Latn ind_Latn isl_Latn ita_Latn jav_Latn jpn_Jpan
    kab_Latn kac_Latn kam_Latn kan_Knda kas_Arab kas_Deva kat_Geor kaz_Cyrl kbp_Latn kea_Latn
    khk_Cyrl khm_Khmr kik_Latn kin_Latn kir_Cyrl kmb_Latn kmr_Latn knc_Arab knc_Latn kon_Latn
    kor_Hang lao_Laoo lij_Latn lim_Latn lin_Latn lit_Latn lmo_Latn ltg_Latn ltz_Latn lua_Latn
    lug_Latn luo_Latn lus_Latn lvs_Latn mag_Deva mai_Deva mal_Mlym mar_Deva min_Latn mkd_Cyrl
    mlt_Latn mni_Beng mos_Latn mri_Latn mya_Mymr nld_Latn nno_Latn nob_Latn npi_Deva nso_Latn
    nus_Latn nya_Latn oci_Latn ory_Orya pag_Latn pan_Guru pap_Latn pbt_Arab pes_Arab plt_Latn
    pol_Latn por_Latn prs_Arab quy_Latn ron_Latn run_Latn rus_Cyrl sag_Latn san_Deva sat_Beng
    scn_Latn shn_Mymr sin_Sinh slk_Latn slv_Latn smo_Latn sna_Latn snd_Arab som_Latn sot_Latn
    spa_Latn srd_Latn srp_Cyrl ssw_Latn sun_Latn swe_Latn swh_Latn szl_Latn tam_Taml taq_Latn
    taq_Tfng tat_Cyrl tel_Telu tgk_Cyrl tgl_Latn tha_Thai tir_Ethi tpi_Latn tsn_Latn tso_Latn
    tuk_Latn tum_Latn tur_Latn twi_Latn tzm_Tfng uig_Arab ukr_Cyrl umb_Latn urd_Arab uzn_Latn
    vec_Latn vie_Latn war_Latn wol_Latn xho_Latn ydd_Hebr yor_Latn yue_Hant zho_Hans zho_Hant
    zsm_Latn zul_Latn
    """.split()  # noqa: SIM905  # 202 quoted strings would not be easier to read
)
# FLORES-200 names the individual language where ISO 639-1 names a macrolanguage (SIL's table).
INDIVIDUAL = {
    "ara": "arb",
    "aym": "ayr",
    "aze": "azj",
    "din": "dik",
    "fas": "pes",
    "fil": "tgl",
    "ful": "fuv",
    "kau": "knc",
    "kur": "kmr",
    "lav": "lvs",
    "mlg": "plt",
    "mon": "khk",
    "msa": "zsm",
    "nep": "npi",
    "nor": "nob",
    "ori": "ory",
    "orm": "gaz",
    "pus": "pbt",
    "que": "quy",
    "sqi": "als",
    "swa": "swh",
    "uzb": "uzn",
    "yid": "ydd",
}
_MACRO = {individual: macro for macro, individual in INDIVIDUAL.items()}
# Serbo-Croatian: a macrolanguage that translators know, but BCP-47 replaces by Serbian in Latin.
_KEPT = {"hbs": "hbs", "sh": "hbs"}


@dataclass(frozen=True)
class Language:
    """A language and its script.

    Attributes:
        tag: shortest BCP-47 tag: ``sw``, ``zh-Hant``.
        iso3: ISO 639-3 (of the macrolanguage if the tag names one): ``swa``.
        script: ISO 15924: ``Latn``.
        flores: FLORES-200, such as ``swh_Latn``; None if it has none.
    """

    tag: str
    iso3: str
    script: str
    flores: str | None

    @property
    def iso1(self) -> str:
        """ISO 639-1 code if the language has one, else ISO 639-3."""
        return self.tag.partition("-")[0]


def find_language(code: str) -> Language:
    """Find the language of a code.

    Args:
        code: BCP-47 (``pt-BR``), ISO 639-1 or -3 (``pt``, ``por``), or FLORES-200 (``por_Latn``).

    Raises:
        SpanbridgeError: no language has that code.
        MissingExtraError: ``langcodes`` is not installed.
    """
    require("langcodes", by="a language code")
    import langcodes

    name, _, script = code.strip().partition("_")
    whole = f"{_MACRO.get(name, name)}-{script}" if script else _MACRO.get(name, name)
    try:
        given = langcodes.Language.get(whole)
        full, iso3 = given.maximize(), given.to_alpha3()
    except (LookupError, ValueError) as error:
        raise SpanbridgeError(
            f"{code!r} is no language code; give ISO 639 (sw, swa), BCP-47 (zh-Hant) or FLORES-200 "
            "(swh_Latn)"
        ) from error
    writing = full.script
    if not (given.is_valid() and given.language and writing) or code.strip().endswith("_"):
        raise SpanbridgeError(f"{code!r} is no code of a language that is known")
    usual = langcodes.Language.get(given.language).maximize().script
    tag = given.language if writing == usual else f"{given.language}-{writing}"
    individual = name if name in _MACRO else INDIVIDUAL.get(iso3, iso3)
    flores = code if code in FLORES else f"{individual}_{writing}"
    return Language(tag, _KEPT.get(name, iso3), writing, flores if flores in FLORES else None)
