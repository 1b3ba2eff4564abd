"""Valid inputs: rows with all fields, and what each format makes of them."""

import tempfile
from pathlib import Path

from spanbridge.core import registry
from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SIDES, SentenceOf, SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats.lookup import named_format
from spanbridge.formats.tokens import raw_sentence

_SOURCE = Sentence(("Anna", "Roe", "lives", "in", "Paris"), (Span(0, 2, "PER"), Span(4, 5, "LOC")))
_TARGET = Sentence(("Anna", "Roe", "habite", "à", "Paris"))
_TEXT = "Η Άννα ζει στο 東京。"
ROWS = [
    SentencePair("1", _SOURCE, _TARGET.with_spans((Span(0, 2, "PER", 0.5),))),
    SentencePair("2", _SOURCE, _TARGET, WordAlignment.of([(0, 0), (1, 1), (4, 4)], 5, 5)),
    SentencePair(
        "a-3",
        _SOURCE,
        raw_sentence(_TEXT).with_spans((Span(1, 2, "PER", 0.25),)),
        WordAlignment.of([(0, 1), (4, 4)], 5, 7, [0.5, 0.75]),
        "projected",
        0.25,
        "project",
        ("PER: links",),
        "ok",
        -0.5,
        "suspect: copy",
        "Anna",
        SentenceOf("7", "target", 3, _TEXT),
        "Ã¤",
        "Î—",
        ("too long",),
        0.75,
        {"url": "https://example.org", "meta": {"n": [1, 2.5, None]}},
    ),
    SentencePair("4", Sentence(()), Sentence((), empty_probability=0.5), extra={"x": "\u2028"}),
]

CONLL = [
    b"-DOCSTART-\tO\n\n# id 1\nAnna\tB-PER\nRoe\tI-PER\nlives\tO\n\nParis\tB-LOC\n\n\nO\tO\n\n",
    b"1 Anna B-PER O\n2 Roe I-PER O\n3 Bank O B-ORG\n\n1 von O O\n2 Ulm B-LOC O\n\n",
    b"Anna PRP * (PER*\nRoe NNP * *)\n.\t.\n",
    b"en:Anna B-PER\nen:Roe I-PER\nen:sings O\n\nen:Paris B-LOC\n\n",
    "# text = Anna\n1-2\tAnna’s\t_\tO\n1\tAnna\t_\tB-PER\n2\t’s\t_\tO\n\n".encode(),
    b"Anna PER-B\nRoe PER-I\nsings o\n\nAnna PER-S\nsings O\n\n",
    b"Anna\nsings\n\nParis\n\n",
]
TEXT = [
    "Anna Roe habite\u00a0à Paris .\n\n東京 へ\n".encode(),
    b"a\nb\nc d e\n",
    "\ufeffÇa\r\nva\r\n".encode(),
]
PARALLEL = ["Anna sings ||| Anna chante\n||| \nin Paris ||| à Paris\n".encode()]
LINKS = [b"0-0 1-1 4-4\n\n0-0:0.5 1-1:1 2-0:0.25\n4-4\n", b"[(0, 0), (1, 1)]\n\n\n0-1\n"]
GOLD = [b"1-1 2p2 3?1\n\n1-2\n4-4\n"]
GIVEN = ["Anna sings\tAnna chante\nParis ||| 巴黎\n\na\tb\n".encode()]


SQUAD = [
    b'{"data": [{"title": "T", "paragraphs": [{"context": "Anna sings", "qas": [{"id": "1", '
    b'"question": "Who?", "answers": [{"text": "Anna", "answer_start": 0}]}, {"id": "2", '
    b'"question": "Why?", "answers": [], "is_impossible": true}]}]}]}\n',
]
TMX = [
    b'<tmx version="1.4"><header srclang="en"/><body><tu tuid="1"><prop type="x-json-a">[1]</prop>'
    b'<tuv xml:lang="en"><seg>a <hi>b</hi><ph/> c</seg></tuv><tuv xml:lang="de"><seg>x</seg></tuv>'
    b"</tu></body></tmx>"
]
XLIFF = [
    b'<xliff version="2.0" srcLang="en" trgLang="de"><file id="f"><unit id="u"><notes><note>n'
    b'</note></notes><segment><source>a<cp hex="001F"/></source><target>b</target></segment>'
    b"<segment><source>c</source></segment></unit></file></xliff>"
]
BRAT_TEXT = "Anna Roe sings\nin Paris\n"
BRAT = [b"T1\tPER 0 8\tAnna Roe\nT2\tLOC 18 23\tParis\nR1\tIn Arg1:T1 Arg2:T2\n#1\tNote T1\tx\n"]
CSV = [
    'id,text,url\n1,"Anna singt, heute",x\n2,"zwei\nZeilen",\n3,東京,y\n'.encode(),
    b"text;spans\na b;[[0, 1, 'X']]\n",
    b'id\ttext\tspans\tn\n1\tAnna Roe\t[{"start": 0, "end": 4, "label": "PER"}]\t7\n',
]


def file_of(name: str, folder: Path) -> Path:
    """A file of a format, or a folder."""
    endings = {"moses": ".en-de.en", "brat-folder": "", "multiclinai": ""}
    suffix = next(iter(named_format(name).suffixes), f".{name}")
    return folder / f"x{endings.get(name, suffix)}"


def written(name: str) -> list[bytes]:
    """The rows that a format of the registry can hold, written in it: a file for each side."""
    files, known = [], named_format(name)
    for side in SIDES:
        with tempfile.TemporaryDirectory() as folder:
            path = file_of(name, Path(folder))
            with known.open(path, side) as write:
                for row in ROWS:
                    short = Sentence(("a", "b"))
                    for one in (
                        row,
                        row._replace(source=short, target=short, links=None, extra={}),
                    ):
                        try:
                            write(one)
                            break
                        except SpanbridgeError:
                            continue
            files.append(path.read_bytes())
    return files


def of_formats() -> list[tuple[str, str, list[bytes]]]:
    """Each format of one file with sentences: its name, a suffix, and valid files."""
    own = {"conll": CONLL, "text": TEXT, "parallel": PARALLEL, "csv": CSV, "brat": BRAT}
    own |= {"squad": SQUAD, "tmx": TMX, "xliff": XLIFF}
    found = []
    for name in registry.names("format"):
        known = named_format(name)
        if known.sides != "none" and known.suffixes:
            files = [] if name == "brat" else written(name)
            for suffix in known.suffixes:
                if suffix == ".parquet":  # another carrier of the same objects, read by pyarrow
                    continue
                found.append((name, suffix, [*files, *own.get(name, [])]))
    return found
