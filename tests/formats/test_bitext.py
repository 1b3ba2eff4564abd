"""Bitext as TMX, XLIFF and pairs of files: what it looks like, there and back, hostile XML."""

import json

import pytest

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Span
from spanbridge.formats import Counts, Reading, find_format, read_rows, write_pairs
from spanbridge.formats.tokens import raw_sentence
from spanbridge.run.converting import convert


def read(path, name=None, **how):
    counts = Counts()
    rows = [row for _, row in read_rows(path, how=Reading(format=name, **how), counts=counts)]
    return rows, counts


def texts(rows):
    return [(row.source.plain_text(), row.target.plain_text()) for row in rows]


def pair(identity, source, target, **keys):
    return SentencePair(identity, raw_sentence(source), raw_sentence(target), extra=keys)


NASTY = [
    pair("1", "Ann  Roe\tleft.\r\n <b>&amp;", 'Ann "Roe" ging. ]]>', domain="news"),
    pair("a b", "👩🏽‍🚒 né\u0301e", "ذهبَ محمد", n=[1, {"b": None}], source_language="en"),
    pair("3", "", "北京", note=["x", " y "], state="final", empty="", target_language="zh"),
    pair("4", "a", "", note={"k": "v"}, state=7, target_language="de", source_language="en"),
    pair("5", "b\u0085\u2028", "c\n", note="one"),
    pair("6", "d", "e", note=["one"]),
    pair("7", "d", "e", note=[]),
]


@pytest.mark.parametrize("name", ["a.tmx", "a.xlf", "a.xliff.gz", "a.tmx.gz"])
def test_texts_ids_and_keys_come_back(tmp_path, name):
    write_pairs(tmp_path / name, NASTY)
    assert read(tmp_path / name)[0] == NASTY
    first = (tmp_path / name).read_bytes()
    write_pairs(tmp_path / name, NASTY)
    assert (tmp_path / name).read_bytes() == first


@pytest.mark.parametrize("name", ["a.tmx", "a.xlf"])
def test_what_xml_cannot_hold_is_refused(tmp_path, name):
    rows = [pair("1", "a\x08b", "c"), pair("2", "a", "b")]
    source = tmp_path / "in.jsonl"
    write_pairs(source, rows)
    run = convert(str(source), str(tmp_path / name))
    (why,) = [why for why in run.account.statuses if why.startswith("rejected")]
    assert "the character U+0008 cannot be held by XML" in why
    assert texts(read(tmp_path / name)[0]) == [("", ""), ("a", "b")]
    spans = rows[1].target.with_spans((Span(0, 1, "X"),))
    with pytest.raises(SpanbridgeError, match="spans cannot be held by bitext"):
        write_pairs(tmp_path / name, [rows[1].replace(target=spans)])


TMX = """<?xml version="1.0" encoding="ENCODING"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<tmx version="1.4"><header srclang="EN-us" datatype="html"><note>all</note></header><body>
<tu tuid="7"><prop type="Domain">law</prop><note>hm</note>
 <tuv xml:lang="de"><seg>Das <bpt i="1">&lt;b></bpt>Haus<ept i="1">&lt;/b></ept></seg></tuv>
 <tuv xml:lang="en_US"><seg>The <hi>ho<hi>use</hi></hi><ph x="1"/> &#x263A;</seg></tuv>
 <tuv xml:lang="fr"><seg>La maison</seg></tuv></tu>
<tu><tuv xml:lang="en-US"><seg>Two</seg></tuv><tuv xml:lang="fr"><seg>Deux</seg></tuv></tu>
</body></tmx>
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_memories_of_several_languages(tmp_path, encoding):
    path = tmp_path / "a.tmx"
    path.write_bytes(TMX.replace("ENCODING", encoding).encode(encoding))
    rows, counts = read(path)
    assert texts(rows) == [("The house ☺", "Das Haus"), ("Two", "")]
    assert [row.id for row in rows] == ["7", "2"]
    known = {"source_language": "en_US", "target_language": "de"}
    assert rows[0].extra == {**known, "Domain": "law", "note": "hm"}
    assert counts.left_out == {
        "inline codes left out of texts": 3,
        "texts in further languages left out (fr)": 2,
        "units without a text in de": 1,
    }
    rows, counts = read(path, text_column="fr:en")
    assert texts(rows) == [("La maison", "The house ☺"), ("Deux", "Two")]
    with pytest.raises(SpanbridgeError, match="name two languages, such as en:fr"):
        read(path, text_column="fr")


@pytest.mark.parametrize("source", ["en", "*all*"])
def test_two_texts_of_a_language_are_no_translations(tmp_path, source):
    """An alternative of the source does not make it the language of all targets."""

    def unit(**texts_of):
        tuvs = (f'<tuv xml:lang="{of}"><seg>{text}</seg></tuv>' for of, text in texts_of.items())
        return f"<tu>{''.join(tuvs)}</tu>"

    units = unit(en="Hi", en_GB="Hello", fr="Salut") + unit(en="Two", fr="Deux")
    path = tmp_path / "a.tmx"
    head = f'<tmx version="1.4"><header srclang="{source}"/><body>'
    path.write_text(f"{head}{units}</body></tmx>", "utf-8")
    rows, counts = read(path)
    assert texts(rows) == [("Hi", "Salut"), ("Two", "Deux")]
    assert counts.left_out == {"texts in further languages left out (en_GB)": 1}


XLIFF_1 = """<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2" xmlns:o="urn:o">
<file source-language="en" target-language="de" original="x"><header/><body><group>
<trans-unit id="a"><source>One <g id="1">two</g><x id="2"/></source>
<seg-source><mrk mtype="seg" mid="0">One</mrk></seg-source>
<target state="translated"><mrk mtype="seg" mid="0">Eins</mrk> zwei</target>
<note from="me">n</note><context-group><context context-type="line">3</context></context-group>
<alt-trans><target>Ein</target></alt-trans><o:more/></trans-unit>
<trans-unit id="b"><source>Three</source></trans-unit></group></body></file></xliff>
"""
XLIFF_2 = """<xliff version="2.0" srcLang="en" trgLang="de"
xmlns="urn:oasis:names:tc:xliff:document:2.0">
<file id="f"><unit id="u"><notes><note>n</note></notes><originalData><data id="d">x</data>
</originalData><segment id="s" state="final"><source>One <pc id="1">two</pc><ph id="2"/></source>
<target>Eins<cp hex="001F"/></target></segment><ignorable><source> </source></ignorable>
<segment><source>Three</source></segment></unit></file></xliff>
"""


def test_no_value_of_a_key_is_lost_for_another(tmp_path):
    unit = UNIT.format("a").replace("<tuv", "<prop type='x-source_language'>q</prop><tuv", 1)
    (tmp_path / "a.tmx").write_text(f"<tmx><header srclang='en'/><body>{unit}</body></tmx>")
    ((_, row),) = read_rows(tmp_path / "a.tmx")
    assert row.extra["source_language"] == ["en", "q"]


def test_both_kinds_of_xliff(tmp_path):
    (tmp_path / "a.xlf").write_text(XLIFF_1)
    rows, counts = read(tmp_path / "a.xlf")
    assert texts(rows) == [("One two", "Eins zwei"), ("Three", "")]
    known = {"source_language": "en", "target_language": "de"}
    assert rows[0].extra == {**known, "state": "translated", "note": "n", "line": "3"}
    assert counts.left_out == {
        "inline codes left out of texts": 1,
        "proposals of translations left out": 1,
    }
    write_pairs(tmp_path / "b.xlf", rows)
    assert read(tmp_path / "b.xlf")[0] == rows
    (tmp_path / "a.xliff").write_text(XLIFF_2)
    rows, counts = read(tmp_path / "a.xliff")
    assert texts(rows) == [("One two", "Eins\x1f"), ("Three", "")]
    assert [row.id for row in rows] == ["u-s", "u-2"]
    assert rows[0].extra == {**known, "note": "n", "state": "final"}
    assert counts.left_out["pieces between segments left out"] == 1


@pytest.mark.parametrize(
    ("name", "text", "left_out"),
    [
        (
            "a.tmx",
            '<tmx><header srclang="en"/><body><tu tuid="1" creationid="ann" usagecount="3">'
            '<tuv xml:lang="en" changeid="ben"><note>n</note><seg>a</seg></tuv>'
            '<tuv xml:lang="de"><seg>b</seg></tuv></tu></body></tmx>',
            {
                "attributes of units and their texts left out": 3,
                "notes and properties of single texts left out": 1,
            },
        ),
        (
            "a.xlf",
            '<xliff version="1.2"><file source-language="en" target-language="de"><body>'
            '<trans-unit id="1" approved="yes" xml:space="preserve"><source>a</source>'
            '<target state="final" state-qualifier="x">b</target></trans-unit>'
            "</body></file></xliff>",
            {"attributes of units and their texts left out": 2},
        ),
        (
            "b.xlf",
            '<xliff version="2.0" srcLang="en" trgLang="de"><file><unit id="u" name="x">'
            '<segment id="s" state="final" subState="a:b"><source>a</source><target>b</target>'
            "</segment></unit></file></xliff>",
            {"attributes of units and their texts left out": 2},
        ),
    ],
)
def test_what_units_say_beside_their_keys_is_counted(tmp_path, name, text, left_out):
    (tmp_path / name).write_text(text)
    rows, counts = read(tmp_path / name)
    assert texts(rows) == [("a", "b")]
    assert counts.left_out == left_out
    write_pairs(tmp_path / f"again-{name}", rows)
    assert not read(tmp_path / f"again-{name}")[1].left_out


LAUGHS = '<!DOCTYPE tmx [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
FETCHED = '<!DOCTYPE tmx [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
PARAMETER = '<!DOCTYPE tmx [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;]>'
UNIT = '<tu><tuv xml:lang="en"><seg>{}</seg></tuv><tuv xml:lang="de"><seg>x</seg></tuv></tu>'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"{LAUGHS}<tmx><body>{UNIT.format('&b;')}</body></tmx>", "declares or uses entities"),
        (f"{FETCHED}<tmx><body>{UNIT.format('&a;')}</body></tmx>", "declares or uses entities"),
        (f"{PARAMETER}<tmx><body>{UNIT.format('a')}</body></tmx>", "declares or uses entities"),
        (
            f'<!DOCTYPE tmx SYSTEM "t.dtd"><tmx><body>{UNIT.format("&a;")}</body></tmx>',
            "declares or uses entities",
        ),
        (f"<tmx><body>{UNIT.format('&a;')}</body></tmx>", r"a\.tmx:1: is no XML \(undefined"),
        ("<html><body>x</body></html>", "is XML of <html>; this format begins with <tmx>"),
        ("{}", r"a\.tmx:1: is no XML"),
        ("", r"a\.tmx:1: is no XML \(no element found"),
        ("<tmx>\n<body>", r"a\.tmx:2: is no XML"),
        (f"<tmx>{'<a>' * 200}", "nested more than 100 levels"),
        ("<?xml version='1.0' encoding='klingon'?><tmx/>", "is no XML"),
        ("<tmx><body/></tmx>", "holds no row"),
        (f"<tmx>{UNIT.format('x' * 10_000_001)}</tmx>", "longer than 10000000 characters"),
        ("<tmx><tu><prop type='x-json-a'>{</prop></tu></tmx>", "a is no JSON"),
        ("<tmx><tu><tuv><seg><cp hex='zz'/></seg></tuv></tu></tmx>", "which is no character"),
        ("<tmx><tu><tuv><seg><cp hex='D800'/></seg></tuv></tu></tmx>", "which is no character"),
        ("<tmx><tu><prop type='x-json-a'>NaN</prop></tu></tmx>", "a is no JSON"),
        ("<tmx><tu><prop type='x-json-a'>\"\\ud800\"</prop></tu></tmx>", "a is no JSON"),
        (f"<tmx><tu><prop type='x-json-a'>{'[' * 99_999}</prop></tu></tmx>", "a is no JSON"),
    ],
)
def test_hostile_xml(tmp_path, text, why):
    (tmp_path / "a.tmx").write_text(text)
    with pytest.raises(InputError, match=why):
        read(tmp_path / "a.tmx")
    (tmp_path / "a.tmx").write_bytes(b"\x00\xff\xfe" * 99)
    with pytest.raises(InputError, match="is no XML"):
        read(tmp_path / "a.tmx")


def test_two_files_of_lines(tmp_path, spanbridge):
    rows = [pair("1", "Ann left .", "Ann ging ."), pair("2", "", "x")]
    write_pairs(tmp_path / "c.en-de.en", rows, format="moses")
    assert (tmp_path / "c.en-de.en").read_text() == "Ann left .\n\n"
    assert (tmp_path / "c.en-de.de").read_text() == "Ann ging .\nx\n"
    assert texts(read(tmp_path / "c.en-de.en", "moses")[0]) == texts(rows)
    turned = [(target, source) for source, target in texts(rows)]
    assert texts(read(tmp_path / "c.en-de.de", "moses")[0]) == turned
    (tmp_path / "a.en").write_text("one\ntwo\n")
    with pytest.raises(SpanbridgeError, match="does not tell the file of the other side"):
        read(tmp_path / "a.en", "moses")
    (tmp_path / "a.de").write_text("eins\nzwei\n")
    (tmp_path / "a.jsonl").write_text("{}\n")
    assert texts(read(tmp_path / "a.en", "moses")[0]) == [("one", "eins"), ("two", "zwei")]
    (tmp_path / "a.fr").write_text("un\n")
    with pytest.raises(SpanbridgeError, match=r"there are a\.de, a\.fr; name both"):
        read(tmp_path / "a.en", "moses")
    (tmp_path / "c.en-de.de").write_text("eins\n")
    with pytest.raises(InputError, match="this row has no counterpart"):
        read(tmp_path / "c.en-de.en", "moses")
    with pytest.raises(InputError, match="name both languages, and that of the source"):
        write_pairs(tmp_path / "a.en", rows, format="moses")
    with pytest.raises(InputError, match="does not tell the file of the other side"):
        write_pairs(tmp_path / "b.en-en.en", rows, format="moses")  # both sides would be one file
    write_pairs(tmp_path / "in.jsonl", rows)
    spanbridge("convert", "in.jsonl", "d.en-de.en", "--to", "moses")
    told = json.loads((tmp_path / "d.en-de.en.run.json").read_text())
    assert set(told["files"]) == {"d.en-de.en", "d.en-de.de"}
    spanbridge("convert", "d.en-de.en", "d.tmx", "--from", "moses")
    assert find_format(tmp_path / "d.tmx").name == "tmx"
    spanbridge("align", "--source", "d.tmx", "--aligner", "lexical", "-o", "d.links")
    assert (tmp_path / "d.links").read_text() == "0-0 2-2\n\n"
