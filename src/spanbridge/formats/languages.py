"""Registry of languages by BCP-47, ISO 639-1, ISO 639-3 and FLORES-200 codes.

``sw``, ``swa``, ``swh_Latn`` and ``sw-KE`` are all Swahili; each translation system gets the code
that it knows. Names and likely scripts come from the ``langcodes`` package (CLDR).
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.requirements import require
from spanbridge.core.similar import closest

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
_MACRO |= {"cmn": "zho", "ekk": "est"}  # FLORES-200 names the macrolanguages
# Serbo-Croatian: a macrolanguage that translators know, but BCP-47 replaces by Serbian in Latin.
_KEPT = ("hbs", "sh")
# Codes of models' own: Northern Sotho in M2M-100.
_OWN = {"ns": "nso"}
# Scripts that hold others (ISO 15924).
_PARTS = {"Kore": ("Hang",), "Jpan": ("Hira", "Kana"), "Hani": ("Hans", "Hant")}


@dataclass(frozen=True)
class Language:
    """A language and its script.

    Attributes:
        tag: shortest BCP-47 tag: ``sw``, ``zh-Hant``.
        iso3: ISO 639-3 (of the macrolanguage if the tag names one): ``swa``.
        script: ISO 15924: ``Latn``.
        code: ISO 639-3 of exactly what the code names: ``swh`` for ``swh_Latn``.
        told: the script where the code names it, or a country that writes another than the usual.
        region: ISO 3166 of the country where the code names one.
    """

    tag: str
    iso3: str
    script: str
    code: str = field(default="", compare=False)
    told: str | None = field(default=None, compare=False)
    region: str | None = field(default=None, compare=False)

    @property
    def iso1(self) -> str:
        """ISO 639-1 code if the language has one, else ISO 639-3."""
        return self.tag.partition("-")[0]

    @property
    def scripts(self) -> frozenset[str]:
        """Scripts that its texts may be in: the one told, or else the usual ones."""
        entries = () if self.told else choose(self, FLORES)
        return frozenset([self.script, *(entry[4:] for entry in entries)])


@cache
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

    name, mark, rest = code.strip().replace("_", "-").removesuffix("-XX").partition("-")
    name = _OWN.get(name, name)
    try:
        normal = langcodes.Language.get(name)
        own = langcodes.Language.get(name, normalize=False).to_alpha3()
        # BCP-47 replaces some languages by a variety of another: Dari by Persian of Afghanistan
        replaced = bool(normal.territory or normal.script) and name not in _KEPT
        exact = own if replaced or name in _KEPT or own in _MACRO else normal.to_alpha3()
        short = name if replaced else _MACRO.get(name, name)
        given = langcodes.Language.get(f"{short}{mark}{rest}", normalize=not replaced)
        iso3 = own if name in _KEPT else given.to_alpha3()
    except (LookupError, ValueError) as error:
        raise SpanbridgeError(
            f"{code!r} is no language code{_meant(code)}; give ISO 639 (sw, swa), BCP-47 (zh-Hant) "
            "or FLORES-200 (swh_Latn)"
        ) from error
    if not (given.is_valid() and given.language) or code.strip().endswith(("_", "-")):
        raise SpanbridgeError(f"{code!r} is no code of a language that is known{_meant(code)}")
    usual = _usual_script(given.language, exact)
    known = given.language in _likely()
    writing = given.script or (given.maximize().script if known else None) or usual
    tag = given.language if writing == usual else f"{given.language}-{writing}"
    told = None if name in _KEPT else given.script or (writing if writing != usual else None)
    return Language(tag, iso3, writing, exact, told, given.territory)


@cache
def language_names() -> dict[str, str]:
    """English names of languages by their shortest codes, from CLDR (Unicode License V3)."""
    lines = Path(__file__).with_name("language_names.tsv").read_text("utf-8").splitlines()
    return dict(line.split("\t") for line in lines)


def _meant(text: str) -> str:
    """The language whose name or code is most like a text, for messages; or nothing."""
    found = language_names()
    codes = {name.casefold(): code for code, name in found.items()} | {c: c for c in found}
    near = closest(text.strip(), codes)
    return f" (did you mean {codes[near]}, {found[codes[near]]}?)" if near else ""


def choose(language: Language, entries: Iterable[str]) -> tuple[str, ...]:
    """The entries of a model's list that stand for a language; one, unless it has to be named.

    An entry of just that language comes first, then one of its macrolanguage where the language is
    the usual member (or the other way round), then any member of a macrolanguage. Of several, those
    of the script and country that the code names are taken; a bare code takes an entry without
    either, or else the usual ones (CLDR).

    Args:
        language: the language wanted.
        entries: codes of languages, in any form that :func:`find_language` reads.

    Returns:
        None of them if no entry fits; several if the code does not tell them apart.
    """
    known = [(entry, found) for entry in sorted(entries) if (found := _read(entry)) is not None]
    principal, members = _macrolanguages()
    wanted = language.code
    for same in (
        lambda code: code == wanted,
        lambda code: principal.get(code) == wanted or principal.get(wanted) == code,
        lambda code: members.get(code) == wanted,
    ):
        if fitting := [(entry, found) for entry, found in known if same(found.code)]:
            break
    if len({found.code for _, found in fitting}) == 1:
        fitting = _of_region(language, _of_script(language, fitting))
    return tuple(entry for entry, _ in fitting)


def the_entry(language: Language, entries: Collection[str], who: str) -> str:
    """The entry of a model's list that stands for a language.

    Raises:
        SpanbridgeError: none does, or several do, which the language's code does not tell apart;
            the message lists them.
    """
    found = choose(language, entries)
    if len(found) == 1:
        return found[0]
    if found:
        raise SpanbridgeError(
            f"{who} has several entries for {language.tag}: {', '.join(found)}; name one of them"
        )
    known = ", ".join(sorted(entries))
    raise SpanbridgeError(f"{who} does not know {language.tag}; it knows: {known}")


_Entries = list[tuple[str, Language]]


def _of_script(language: Language, entries: _Entries) -> _Entries:
    def script(found: Language) -> str | None:
        return found.told or (found.script if found.region else None)

    wanted = language.told or language.script
    scripts = (wanted, *_PARTS.get(wanted, ()))
    written = [pair for pair in entries if script(pair[1]) in scripts]
    bare = [pair for pair in entries if script(pair[1]) is None]
    if language.told:
        return written or bare
    if len(entries) < 2:
        return entries
    unnamed = bare + [pair for pair in written if pair[1].told is None]
    return unnamed or written or entries


def _of_region(language: Language, entries: _Entries) -> _Entries:
    if len(entries) < 2:
        return entries
    import langcodes

    usual = langcodes.Language.get(language.tag).maximize().territory
    for region in (language.region, None, usual):
        if found := [pair for pair in entries if pair[1].region == region]:
            return found
    return entries


def _read(entry: str) -> Language | None:
    try:
        return find_language(entry)
    except SpanbridgeError:  # a family of languages, or a code of the model's own
        return None


def _usual_script(language: str, code: str) -> str:
    """By CLDR; where that knows nothing, by FLORES-200; else that of the macrolanguage."""
    import langcodes

    if language not in _likely():
        scripts = [entry[4:] for entry in FLORES if entry[:3] == code]
        if len(scripts) == 1:
            return scripts[0]
        language = _macrolanguages()[1].get(code, language)
    return str(langcodes.Language.get(language).maximize().script)


def _likely() -> Container[str]:
    from langcodes.data_dicts import LIKELY_SUBTAGS

    return LIKELY_SUBTAGS


@cache
def _macrolanguages() -> tuple[dict[str, str], dict[str, str]]:
    """ISO 639-3 codes of languages -> of their macrolanguages: of its usual member, and of all."""
    import langcodes
    from langcodes.data_dicts import MACROLANGUAGES, NORMALIZED_MACROLANGUAGES

    def alpha3(table: Mapping[str, str]) -> dict[str, str]:
        return {
            langcodes.Language.get(a, normalize=False).to_alpha3(): langcodes.Language.get(
                b, normalize=False
            ).to_alpha3()
            for a, b in table.items()
            if a not in ("bh", "tw", "fat")  # a family; and Akan and Twi are entries of their own
        }

    usual = alpha3(NORMALIZED_MACROLANGUAGES)
    return {**usual, **_MACRO}, {**alpha3(MACROLANGUAGES), **usual, **_MACRO}
