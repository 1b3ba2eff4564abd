"""The page as text: what it says, that it is closed to injection, that it is the same twice."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest
from report_samples import render, shown_text, unpacked

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.evaluation import evaluate_spans
from spanbridge.report.page import Document
from spanbridge.report.palette import N_COLOURS
from spanbridge.report.tally import shown_status

NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script>",
    "</style><svg onload=alert(1)>",
    "' autofocus onfocus='alert(1)",
    "{{ 7 * 7 }} ${alert(1)} $title",
    "<!--",
    "&lt;b&gt;",
    "--> \\u003c ]]>\u2028\0",
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

    def count(self, tag: str) -> int:
        return sum(t == tag for t, _ in self.elements)


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
    plain = Reader(render([Document("d", nasty_pairs()) for _ in NASTY]))
    shell = [element for element in reader.elements if element[1].get("type") != "text/plain"]
    assert shell == [e for e in plain.elements if e[1].get("type") != "text/plain"]
    for text in NASTY:
        assert text in reader.text  # the title
    summary, documents = unpacked(page)
    assert [document["name"] for document in summary["documents"]] == NASTY
    assert [[row["id"] for row in rows] for rows in documents] == [NASTY] * len(NASTY)
    packed = re.findall('<script type="text/plain" class="([^"]*)">([^<]*)</script>\n', page)
    assert len(packed) == len(NASTY) + 1
    assert all(re.fullmatch(r"rows-\d+|summary", name) for name, _ in packed)
    assert all(re.fullmatch(r"[A-Za-z0-9+/=]+", data) for _, data in packed)


def test_the_script_makes_texts_never_markup():
    folder = files("spanbridge.report")
    scripts = {path.name: path.read_text("utf-8") for path in folder.iterdir() if path.is_file()}
    script = "".join(text for name, text in scripts.items() if name.endswith(".js"))
    assert script
    ways = (
        r"\.(inner|outer)HTML|insertAdjacent|document\.write|\beval\b|Function\(|srcdoc|DOMParser"
    )
    assert not re.search(ways, script)
    assert not re.search(
        r"\bfetch\(|XMLHttp|WebSocket|import\(|\blocation\b|\.(src|href) =", script
    )
    assert not re.search(r"</|<!--", script)
    assert len(re.findall(r"\.c\d+ \{", scripts["shared.css"])) == N_COLOURS


def test_the_policy_lets_in_nothing_from_outside():
    page = render([])
    policy = re.search(r'Security-Policy" content="([^"]*)"', page)[1]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"""(?:src|href|srcset|action)\s*=|url\(|@import|\sstyle=""", page)


def test_the_title(german):
    def titled(*names, **options):
        page = render([Document(name, [german]) for name in names], **options)
        return re.search("<title>(.*)</title>", page)[1]

    assert titled("a.jsonl") == "a.jsonl"
    assert titled("a", "b", "c", "d", "e") == "a, b, c and 2 more"
    assert titled("a", title="My & your rows") == "My &amp; your rows"
    assert titled("\udcff<") == "?&lt;"
    assert titled() == "No documents"


def test_tagged_rows_have_the_status_of_the_account():
    def row(spans, **given):
        return SentencePair("1", Sentence(()), Sentence(("Ana",), spans), **given)

    ana = (Span(0, 1, "PER", 0.9),)
    assert shown_status(row(ana, provenance="tag")) == "tagged"
    assert shown_status(row((), provenance="tag")) == "empty: no span found"
    assert shown_status(row(ana, provenance="tag", status="failed: x")) == "failed: x"
    assert shown_status(row(ana)) == "no status"


def test_counts(documents):
    summary, [rows] = unpacked(render(documents[:1]))
    told = summary["documents"][0]
    assert (told["rows"], told["spans"], len(rows)) == (6, 7, 6)
    assert told["heads"] == [["projected", 2], ["empty", 1], ["rejected", 1], ["no status", 2]]
    assert told["reasons"] == [["empty: no link", 1], ["rejected: length ratio", 1]]
    counts = {summary["labels"][one["label"]]["name"]: one["counts"] for one in told["labels"]}
    assert counts == {
        "GPE": [1, 0, 0],
        "LOC": [2, 4, 0],
        "MISC": [1, 0, 0],
        "ORG": [2, 4, 0],
        "PER": [1, 4, 0],
    }
    assert told["signature"].startswith("task:projection|aligner:encoder")
    assert not told["given"]


def test_scores_are_those_of_the_evaluation(german, german_gold, documents):
    predicted = [german, *list(documents[0].pairs)]
    twice = german_gold.with_spans((*german_gold.spans, *german_gold.spans))
    gold = [twice, *(pair.target for pair in predicted[1:])]
    summary, _ = unpacked(render([Document("de", predicted, None, gold)]))
    report = evaluate_spans(gold, [pair.target for pair in predicted])
    told = summary["documents"][0]
    micro = report.micro
    assert told["scores"] == pytest.approx([micro.precision, micro.recall, micro.f1])
    for one in told["labels"]:
        counts = report.per_label[summary["labels"][one["label"]]["name"]]
        assert one["scores"] == pytest.approx([counts.precision, counts.recall, counts.f1])
    verdicts = dict(zip(summary["verdicts"], told["verdicts"], strict=True))
    assert verdicts == {
        "right": micro.tp,
        "wrong boundary": 1,
        "wrong label": 0,
        "wrong label and boundary": 0,
        "spurious": 0,
        "missed": 1,
    }


def test_given_labels_are_no_result(german, german_gold):
    bare = SentencePair("1", Sentence(()), german_gold)
    told = unpacked(render([Document("gold", [bare])]))[0]["documents"][0]
    assert told["given"]
    assert not told["source"]
    for document in (
        Document("d", [german]),
        Document("d", [bare], "task:projection"),
        Document("d", [bare], gold=[german_gold]),
        Document("d", [bare, bare._replace(provenance="tag")]),
    ):
        assert not unpacked(render([document]))[0]["documents"][0]["given"]


@pytest.mark.parametrize(("pairs", "gold"), [(2, 1), (1, 2)])
def test_gold_must_go_with_the_rows(german, german_gold, pairs, gold):
    with pytest.raises(SpanbridgeError, match="end after row 1"):
        render([Document("d", [german] * pairs, None, [german_gold] * gold)])


def test_gold_must_have_the_same_words(german):
    with pytest.raises(SpanbridgeError, match=r"row de-1: the gold sentence has 1 words"):
        render([Document("d", [german], None, [Sentence(("x",))])])


def test_all_rows_are_there_and_the_page_is_small():
    rows = (SentencePair(str(i), Sentence(()), Sentence(("w",))) for i in range(4321))
    page = render([Document("d", rows)])
    assert [row["id"] for row in unpacked(page)[1][0]] == [str(i) for i in range(4321)]
    assert page.count('class="rows-0"') == 3
    assert len(page) < 100_000


def test_the_same_input_gives_the_same_bytes(documents):
    assert render(documents) == render(documents)
    assert "أنجيلا" in shown_text(render(documents))
