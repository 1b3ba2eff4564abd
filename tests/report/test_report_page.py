"""The page as text: what it says, that it is closed to injection, that it is the same twice."""

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from report_samples import render

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.report.page import N_COLOURS, Document

NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script>",
    "</style><svg onload=alert(1)>",
    "' autofocus onfocus='alert(1)",
    "{{ 7 * 7 }}",
    "<!--",
    "&lt;b&gt;",
    "--> \\u003c ]]>",
]


class Reader(HTMLParser):
    """Elements, attributes and text as a browser would see them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.inside: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.inside.append(tag)

    def handle_endtag(self, tag):
        if tag in self.inside:
            while self.inside.pop() != tag:
                pass

    def handle_data(self, data):
        if not {"script", "style"} & set(self.inside):
            self.text += data

    def count(self, tag: str, **attributes: str) -> int:
        return sum(t == tag and attributes.items() <= a.items() for t, a in self.elements)


def numbers(page: str) -> dict[str, str]:
    found = re.findall(r"<dt[^>]*><bdi>(.*?)</bdi></dt><dd>(.*?)</dd>", page)
    return {html.unescape(name): number for name, number in found}


def nasty_pairs() -> list[SentencePair]:
    spans = tuple(Span(i, i + 1, label, i / 10) for i, label in enumerate(NASTY))
    sentence = Sentence(tuple(NASTY), spans)
    links = WordAlignment.of([(i, i) for i in range(len(NASTY))], len(NASTY), len(NASTY))
    return [SentencePair(text, sentence, sentence, links, f"empty: {text}") for text in NASTY]


def nasty_page() -> str:
    gold = [Sentence(tuple(NASTY), (Span(0, 3, text),)) for text in NASTY]
    documents = [Document(text, nasty_pairs(), text, gold) for text in NASTY]
    return render(documents, title=" ".join(NASTY))


def test_nothing_untrusted_becomes_markup():
    page = nasty_page()
    reader = Reader(page)
    assert reader.count("script") == reader.count("style") == 1
    assert not reader.count("img")
    assert not reader.count("svg")
    assert not any(name.startswith("on") for _, attrs in reader.elements for name in attrs)
    assert page.count("</script>") == page.count("</style>") == 1
    for text in NASTY:
        assert text in reader.text
    assert "49" not in reader.text.split("{{ 7 * 7 }}")[1][:9]


def test_classes_never_come_from_labels():
    classes = {
        c for _, attrs in Reader(nasty_page()).elements for c in (attrs.get("class") or "").split()
    }
    assert all(re.fullmatch(r"[a-z]+\d*", name) for name in classes)
    labels = [f"L{i}" for i in range(3 * N_COLOURS)]
    words = Sentence(("w",) * len(labels), tuple(Span(i, i + 1, s) for i, s in enumerate(labels)))
    page = render([Document("d", [SentencePair("1", words, words)])])
    colours = {int(c) for c in re.findall(r'class="c(\d+)', page)}
    assert colours == set(range(N_COLOURS))
    assert all(f".c{i} {{" in page for i in colours)


def test_the_policy_lets_in_nothing_from_outside():
    page = render([])
    policy = re.search(r'Security-Policy" content="([^"]*)"', page)[1].replace("&#39;", "'")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.search(r"""(?:src|href|srcset|action)\s*=|url\(|@import|\sstyle=""", page)
    assert "No documents." in page


def test_counts(documents):
    page = render(documents[:1])
    assert numbers(page) == {
        "rows": "6",
        "projected spans": "7",
        "rows: projected": "2",
        "rows: empty": "1",
        "rows: rejected": "1",
        "rows: no status": "2",
    }
    text = " ".join(Reader(page).text.split())
    assert "empty: no link 1 · rejected: length ratio 1" in text
    assert "GPE 1 / 0 LOC 2 / 4 MISC 1 / 0 ORG 2 / 4 PER 1 / 4" in text
    assert "task:projection|aligner:encoder|layer:8|method:greedy|version:0.1.0" in text
    for said in ("no links kept in this file", "(no words)", "empty: no link", "0.93", "0.34"):
        assert said in text


def test_gold_marks(german, german_gold):
    page = render([Document("de", [german], None, [german_gold])])
    assert numbers(page) | {"rows": "", "projected spans": "", "rows: projected": ""} == {
        "rows": "",
        "projected spans": "",
        "rows: projected": "",
        "✓ right": "2",
        "✗ wrong boundary": "1",
        "✗ wrong label": "0",
        "✗ wrong label and boundary": "0",
        "✗ spurious": "0",
        "✗ missed": "1",
    }
    text = " ".join(Reader(page).text.split())
    assert "✗ wrong boundary ORG von Siemens gold: ORG Siemens" in text
    assert "✗ missed DATE Montag" in text
    assert "DATE ✗ missed" in text
    assert "0.97 ✓ right" in text
    assert "DATE 0 / 0 / 1" in text
    assert Reader(render([Document("de", [german])])).count("input", id="errors") == 0


@pytest.mark.parametrize(("pairs", "gold"), [(2, 1), (1, 2)])
def test_gold_must_go_with_the_rows(german, german_gold, pairs, gold):
    with pytest.raises(SpanbridgeError, match="end after row 1"):
        render([Document("d", [german] * pairs, None, [german_gold] * gold)])


def test_gold_must_have_the_same_words(german):
    with pytest.raises(SpanbridgeError, match=r"row de-1: the gold sentence has 1 words"):
        render([Document("d", [german], None, [Sentence(("x",))])])


def test_rows_left_out_are_counted_and_said_so(german):
    def many() -> Iterator[SentencePair]:
        for i in range(12345):
            yield SentencePair(str(i), german.source, german.target, None, "projected")

    reader = Reader(render([Document("d", many())]))
    assert reader.count("article") == 500
    assert "showing 500 of 12,345 rows" in reader.text
    reader = Reader(render([Document("d", many()), Document("e", [german])], max_rows=0))
    assert "showing 0 of 12,345 rows" in reader.text
    assert "37,035" in reader.text
    assert "showing" not in Reader(render([Document("d", [german])])).text
    with pytest.raises(SpanbridgeError, match="max_rows"):
        render([], max_rows=-1)


def test_target_only(german):
    page = render(
        [Document("d", [german, SentencePair("2", Sentence(()), german.target)], has_source=False)]
    )
    reader = Reader(page)
    assert "Source" not in reader.text.replace("Source above", "")
    assert "no links" not in reader.text
    assert "(no words)" not in reader.text
    assert "in the source" not in reader.text
    assert reader.count("mark") == 6


def test_the_same_input_gives_the_same_bytes(documents):
    assert render(documents) == render(documents)
