"""UIMA CAS: as other tools make it, and as dkpro-cassis reads what is written."""

import json

import pytest

cassis = pytest.importorskip("cassis")

from spanbridge.core.errors import InputError, MissingExtraError, SpanbridgeError  # noqa: E402
from spanbridge.core.rows import SentencePair  # noqa: E402
from spanbridge.core.spans import ABSENT, Span  # noqa: E402
from spanbridge.formats import (  # noqa: E402
    Counts,
    Reading,
    find_format,
    named_format,
    open_writer,
    read_rows,
    write_pairs,
)
from spanbridge.formats.offsets import place_spans  # noqa: E402

TEXT = "👩🏽‍🚒 Łódź is.\nAnn Roe-Smith left. Rest"
DKPRO = "de.tudarmstadt.ukp.dkpro.core.api"
ENTITY = f"{DKPRO}.ner.type.NamedEntity"
SENTENCE = f"{DKPRO}.segmentation.type.Sentence"


def read(path, **how):
    counts = Counts()
    return [row for _, row in read_rows(path, how=Reading(**how), counts=counts)], counts


def found(row):
    return [(row.target.text_of(*span[:2]), span.label) for span in row.target.spans]


def document(*, sentences=True, custom=False):
    """A CAS of INCEpTION: entities of DKPro, and a layer of its own."""
    types = cassis.load_dkpro_core_typesystem()
    if custom:
        layer = types.create_type("webanno.custom.Role", "uima.tcas.Annotation")
        types.create_feature(layer, "kind", "uima.cas.String")
        types.create_feature(layer, "n", "uima.cas.Integer")
    cas = cassis.Cas(types)
    cas.sofa_string = TEXT

    def add(name, words, **features):
        at = TEXT.index(words)
        cas.add(types.get_type(name)(begin=at, end=at + len(words), **features))

    if sentences:
        add(SENTENCE, TEXT.split("\n")[0], id="s1")
        add(SENTENCE, "Ann Roe-Smith left.")
        for token in ("Ann", "Roe-Smith", "left", "."):
            at = TEXT.index(token, 12 if token != "." else TEXT.index("left."))
            cas.add(
                types.get_type(f"{DKPRO}.segmentation.type.Token")(begin=at, end=at + len(token))
            )
    add(ENTITY, "Łódź", value="LOC", identifier="http://www.wikidata.org/entity/Q580")
    add(ENTITY, "Ann Roe", value="PER")
    add(ENTITY, "Ann")
    add(ENTITY, "is.\nAnn", value="X")
    if custom:
        add("webanno.custom.Role", "left", kind="Event", n=1)
    return cas


def put(tmp_path, cas, name):
    path = tmp_path / name
    if name.endswith(".xmi"):
        cas.to_xmi(path)
        cas.typesystem.to_xml(tmp_path / "TypeSystem.xml")
    else:
        cas.to_json(path, pretty_print=True)
    return path


@pytest.mark.parametrize("name", ["a.xmi", "a.json"])
def test_documents_of_inception(tmp_path, name):
    path = put(tmp_path, document(custom=True), name)
    assert find_format(path).name == {"a.xmi": "xmi", "a.json": "uima-json"}[name]
    rows, counts = read(path)
    assert [row.id for row in rows] == ["s1", "2"]
    assert rows[0].target.text == TEXT.split("\n")[0]
    assert found(rows[0]) == [("Łódź", "LOC")]
    link = {"identifier": "http://www.wikidata.org/entity/Q580"}
    assert json.loads(rows[0].target.spans[0].extra) == link
    assert rows[1].target.words == ("Ann", "Roe-Smith", "left", ".")
    assert found(rows[1]) == [("Ann Roe-Smith", "PER")]
    assert counts.left_out == {
        "annotations of other layers left out (webanno.custom.Role)": 1,
        "annotations without a label or words left out": 1,
        "spans over several sentences, or outside of them, left out": 1,
    }
    for layer in ("Role", "webanno.custom.Role|kind"):
        rows, _ = read(path, tag_column=layer)
        assert [found(row) for row in rows] == [[], [("left", "Event")]]
    with pytest.raises(
        InputError, match=r"there is no layer Rule; there are .*webanno.custom.Role"
    ):
        read(path, tag_column="Rule")
    (row,), counts = read(put(tmp_path, document(sentences=False), name))
    assert row.target.text == TEXT
    assert counts.guessed == {"documents without sentences, of which each is one row": 1}


@pytest.mark.parametrize("name", ["a.xmi", "a.json"])
def test_the_library_reads_what_is_written(tmp_path, name):
    spans = Span(5, 9, "LOC", None, json.dumps({"identifier": "Q580"})), Span(0, 9, "X")
    one = place_spans(TEXT, spans, "target", "spans", "characters")
    rows = [SentencePair("a", ABSENT, one), SentencePair("b", ABSENT, ABSENT)]
    write_pairs(tmp_path / name, rows, format=find_format_name(name))
    if name == "a.xmi":
        types = cassis.load_typesystem(tmp_path / "a.typesystem.xml")
        cas = cassis.load_cas_from_xmi(tmp_path / name, types)
    else:
        cas = cassis.load_cas_from_json((tmp_path / name).read_text())
    assert cas.sofa_string == TEXT + "\n"
    covered = [(one.get_covered_text(), one.value, one.identifier) for one in cas.select(ENTITY)]
    assert covered == [(TEXT[:9], "X", None), ("Łódź", "LOC", "Q580")]
    assert [one.id for one in cas.select(SENTENCE)] == ["a", "b"]
    assert not cas.typecheck()
    first = (tmp_path / name).read_bytes()
    write_pairs(tmp_path / name, rows, format=find_format_name(name))
    assert (tmp_path / name).read_bytes() == first
    bad = SentencePair("c", ABSENT, place_spans("a\x08b", (), "target", "spans", "characters"))
    with pytest.raises(SpanbridgeError, match="U.0008 cannot be held by XML"):
        write_pairs(tmp_path / name, [bad], format=find_format_name(name))


def find_format_name(name):
    return "xmi" if name.endswith(".xmi") else "uima-json"


@pytest.mark.parametrize("name", ["a.xmi", "a.json"])
def test_reviews_are_metadata_of_their_sentences(tmp_path, name):
    reviews = [
        {"status": "accepted", "comment": 'ja\n"<&>" 👩🏽‍🚒'},
        None,
        {"status": "rejected-source"},
    ]
    rows = [
        SentencePair(str(n), ABSENT, place_spans(text, (), "target", "spans", "characters"))
        for n, text in enumerate(["👩🏽‍🚒 is", "Ann left.", ""])
    ]
    rows = [
        row.replace(extra={} if told is None else {"review": told})
        for row, told in zip(rows, reviews, strict=True)
    ]
    write_pairs(tmp_path / name, rows, format=find_format_name(name))
    again, counts = read(tmp_path / name)
    assert [dict(row.extra) for row in again] == [dict(row.extra) for row in rows]
    assert not counts.left_out
    with open_writer(tmp_path / name, name=find_format_name(name)) as write:
        with pytest.raises(SpanbridgeError, match="U.FFFE cannot be held by XML"):
            write(rows[0].replace(extra={"review": {"comment": "\ufffe"}}))
        write(rows[1])
    (row,), _ = read(tmp_path / name)  # nothing of the refused one is left
    assert (row.target.text, row.target.words) == ("Ann left.", ("Ann", "left", "."))
    cas = document()  # of another tool: a field of the document, a broken one, and one of no row
    field = cas.typesystem.get_type(f"{DKPRO}.metadata.type.MetaDataStringField")
    end = TEXT.index("\n")
    for place, key, value in (
        ((0, len(TEXT)), "author", "Ann"),
        ((0, end), "review", "quite good"),
        ((1, 2), "review", "{}"),
    ):
        cas.add(field(begin=place[0], end=place[1], key=key, value=value))
    again, counts = read(put(tmp_path, cas, f"b{name[1:]}"))
    assert [dict(row.extra) for row in again] == [{}, {}]
    assert counts.left_out["fields of metadata left out"] == 2
    assert counts.left_out["values of review left out that are no JSON"] == 1
    assert not any("layers" in what for what in counts.left_out)


@pytest.mark.parametrize("name", ["a.xmi", "a.json"])
def test_what_was_read_before_changes_nothing(tmp_path, name):
    """Documents share their type systems, which those of others and broken ones leave alone."""
    one = place_spans(TEXT, [Span(5, 9, "LOC")], "target", "spans", "characters")
    rows = [SentencePair("a", ABSENT, one)]

    def written():
        write_pairs(tmp_path / f"out-{name}", rows, format=find_format_name(name))
        return [path.read_bytes() for path in sorted(tmp_path.glob("out-*"))]

    plain = document()
    own = document(custom=True)
    lemma = own.typesystem.get_type(f"{DKPRO}.segmentation.type.Lemma")
    with pytest.warns(UserWarning, match="reserved name in Python"):
        own.typesystem.create_feature(lemma, "self", "uima.cas.String")
    folders = [tmp_path / str(n) for n in range(3)]
    for folder, cas in zip(folders, (plain, own, plain), strict=True):
        folder.mkdir()
        put(folder, cas, name)
    broken = folders[2] / name
    broken.write_text(broken.read_text().replace("LOC", "PLACE").replace("end=", "start="))
    bytes_before = written()
    before = [read(folder / name) for folder in folders[:2]]
    assert not any("unknown" in what for what in before[1][1].left_out)
    for _ in range(2):
        if name == "a.xmi":
            with pytest.raises(InputError):
                read(broken)
        else:
            assert found(read(broken)[0][0]) == [("Łódź", "PLACE")]
        assert [read(folder / name) for folder in folders[:2]] == before
        assert written() == bytes_before


@pytest.mark.slow
def test_hostile_documents(tmp_path):
    path = put(tmp_path, document(), "a.xmi")
    types = tmp_path / "TypeSystem.xml"
    whole, known = path.read_text(), types.read_text()
    declared = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    for where, text, why in [
        (path, declared + whole.partition("?>")[2], "declares or uses entities"),
        (types, declared + known.partition("?>")[2], "TypeSystem.xml:1: declares or uses entities"),
        (path, "<html/>", "is XML of <html>"),
        (path, whole[:-20], "is no XML"),
        (path, whole.replace("begin=", "start="), "is no CAS that can be read"),
        (path, whole.replace('end="', 'end="9'), r"a\.xmi"),
        (path, "", "is no XML"),
    ]:
        path.write_text(whole)
        types.write_text(known)
        where.write_text(text)
        with pytest.raises(InputError, match=why):
            read(path)
    path.write_text(whole)
    types.unlink()  # DKPro's types are known
    assert len(read(path)[0]) == 2
    path = put(tmp_path, document(), "a.json")
    text = path.read_text()
    for wrong, why in [
        ('{"%TYPES": {}, "%FEATURE_STRUCTURES": []}', "holds no text|is no CAS"),
        ('{"%TYPES": 1, "%FEATURE_STRUCTURES": 2, "%VIEWS": {}}', "is no CAS"),
        ('{"%TYPES": ' + "[" * 9999, "is not JSON|is nested"),
        (text.replace('"begin"', '"b"'), "is no CAS"),
        (text.replace('"end": ', '"end": 9'), "is no CAS|outside"),
    ]:
        path.write_text(wrong)
        with pytest.raises(InputError, match=rf"a\.json:.*({why})"):
            read(path, format="uima-json")


def test_without_the_package(monkeypatch):
    monkeypatch.setattr("spanbridge.core.requirements.missing", lambda modules: list(modules))
    named_format.cache_clear()
    with pytest.raises(MissingExtraError, match="needs cassis, which is not installed"):
        named_format("xmi")
