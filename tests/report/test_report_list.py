"""The list of rows in a real browser: order, filters, search over all rows, keys."""

from __future__ import annotations

import pytest

from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.report.page import Document

pytestmark = pytest.mark.slow


def rows(page):
    return page.locator(".row")


def ids(page):
    return page.locator(".row .id").all_text_contents()


def find(page, text):
    page.get_by_label("Search").fill(text)


def plain(id_, text, **fields):
    return SentencePair(id_, Sentence(()), Sentence(tuple(text.split())), **fields)


def test_the_most_doubtful_row_comes_first(open_page, documents):
    page = open_page(documents)
    # lost its spans; least score .1; .34; .5; then those of which nothing is known
    assert ids(page) == ["x-4", "x-3", "ar-1", "x-1", "x-2", "x-5"]
    page.get_by_label("Sort").select_option("as in the file")
    assert ids(page) == ["ar-1", "x-1", "x-2", "x-3", "x-4", "x-5"]


def test_the_confidence_of_a_row_counts_more_than_its_spans(open_page):
    target = Sentence(("a",), (Span(0, 1, "X", 0.2),))
    sure = {"1": 0.9, "2": None, "3": 0.1}
    pairs = [SentencePair(n, Sentence(()), target, confidence=p) for n, p in sure.items()]
    page = open_page([Document("d", pairs)])
    assert ids(page) == ["3", "2", "1"]
    assert "confidence 0.10" in page.inner_text("main")


def test_most_errors_first(open_page, german, german_gold):
    fine = german._replace(id="fine", confidence=0.1)
    gold = [fine.target, german_gold]
    page = open_page([Document("de", [fine, german], None, gold)])
    assert ids(page) == ["fine", "de-1"]
    page.get_by_label("Sort").select_option("most errors first")
    assert ids(page) == ["de-1", "fine"]


def test_given_labels_are_shown_as_such(open_page, german_gold, turkish):
    bare = SentencePair("1", Sentence(()), german_gold)
    result = Document("tr", [turkish])
    page = open_page([Document("gold.conll", [bare] * 3, has_source=False), result])
    assert "not a result" in page.inner_text("header")
    assert "status" not in page.inner_text("main")
    for name in ("Sort", "Status", "Score below", "Only errors", "Links"):
        assert page.get_by_label(name, exact=True).is_hidden()
    page.get_by_role("tab", name="tr").click()
    page.get_by_text("projected").first.wait_for()
    assert page.get_by_label("Status").is_visible()
    assert "not a result" not in page.inner_text("header")


def test_the_first_row_is_seen_at_once(open_page, documents, german, german_gold):
    labels = [f"LABEL-{n}" for n in range(12)]
    many = Sentence(("w",) * 12, tuple(Span(n, n + 1, x, 0.5) for n, x in enumerate(labels)))
    gold = [german_gold, many]
    pairs = [german, SentencePair("2", Sentence(()), many)]
    crowded = Document("English → German", pairs, "task:projection", gold)
    page = open_page([crowded, *documents], 1280, height=720)
    assert rows(page).first.bounding_box()["y"] < 500


def test_search(open_page, documents):
    page = open_page(documents)
    assert rows(page).count() == 6
    page.get_by_label("Search").press_sequentially("universite")
    assert rows(page).count() == 0
    assert "No row matches" in page.inner_text("main")
    find(page, "ÜNIVERSITY OF NEW")
    assert ids(page) == ["x-4", "x-1"]
    assert page.locator(".found").all_text_contents() == 2 * ["University", "of", "New"]
    page.get_by_label("Status").select_option("empty")
    assert ids(page) == ["x-4"]
    assert page.inner_text("#matching") == "1 of 6 rows match"
    page.get_by_role("button", name="Clear").click()
    rows(page).nth(5).wait_for()
    page.get_by_label("Status").select_option("rejected: length ratio")
    assert ids(page) == ["x-5"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("osun", ["yo"]),
        ("Ọ̀ṣun", ["yo"]),
        ("柏林会见", ["zh"]),  # two words of the corpus
        ("柏林 会见", ["zh"]),
        ("محمد", ["ar"]),  # written with vowel points
        ("की", ["hi"]),  # vowel signs are letters
        ("zh", ["zh"]),
        ("\\", []),
        ("  ", ["yo", "zh", "ar", "hi", "k"]),
    ],
)
def test_what_search_finds(open_page, query, found):
    texts = {
        "yo": "Ìpínlẹ̀ Ọ̀ṣun ni",
        "zh": "在 柏林 会见 了",
        "ar": "مُحَمَّد هنا",
        "hi": "राम की किताब",
        "k": "क",
    }
    page = open_page([Document("d", [plain(n, text) for n, text in texts.items()])])
    find(page, query)
    assert ids(page) == found


def test_filters_by_label_and_score(open_page, documents):
    page = open_page(documents)
    chips = page.locator("#chips button")
    chips.filter(has_text="MISC").click()
    assert ids(page) == ["x-3"]
    assert page.locator("#chips [aria-pressed=true]").count() == 1
    chips.filter(has_text="MISC").click()
    page.get_by_label("Score below").fill("0.4")
    assert ids(page) == ["x-3", "ar-1"]
    assert page.inner_text("#below-value") == "0.40"
    kept = page.locator(".row .tgt mark:not(.dim) .score").all_text_contents()
    assert kept == ["0.10", "0.34"]
    chips.filter(has_text="LOC").click()
    assert ids(page) == ["ar-1"]
    page.get_by_role("tab", name="Turkish").click()  # what was chosen goes on, where it can
    page.get_by_text("No row matches").wait_for()


def test_only_errors_and_only_failed_rows(open_page, documents, german, german_gold):
    right = SentencePair("fine", german.source, german.target, german.links, "projected")
    failed = plain("lost", "x", status="failed: translation: timeout")
    gold = [german_gold, right.target, failed.target]
    page = open_page([documents[0], Document("de", [german, right, failed], None, gold)])
    assert page.get_by_label("Only errors").is_hidden()
    page.get_by_role("tab", name="de").click()
    page.get_by_label("Only errors").check()
    assert ids(page) == ["de-1"]
    page.get_by_label("Only errors").uncheck()
    page.locator(".stats button[data-name=failed]").click()
    assert ids(page) == ["lost"]
    assert page.locator(".stats [aria-pressed=true]").count() == 1
    page.locator(".stats button[data-name=failed]").click()
    assert len(ids(page)) == 3


def test_rows_are_drawn_as_they_are_looked_at(open_page, german):
    pairs = [german._replace(id=f"row-{i}") for i in range(5000)]
    page = open_page([Document("d", [*pairs, plain("last", "Schluss")])])
    assert page.inner_text("#matching") == "5,001 rows"
    assert rows(page).count() <= 60
    for drawn in (30, 60):
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.locator(".row").nth(drawn).wait_for(state="attached")
    find(page, "schluss")
    assert ids(page) == ["last"]
    find(page, "row-4321")
    assert ids(page) == ["row-4321"]
    assert page.evaluate("scrollY") == 0
    page.get_by_role("button", name="Clear").click()
    page.get_by_label("Sort").select_option("as in the file")
    assert ids(page)[:2] == ["row-0", "row-1"]


def test_keys(open_page, documents):
    page = open_page(documents[:1])
    focused = "document.activeElement.querySelector('.id')?.textContent"
    order = ids(page)
    for press, id_ in [("j", order[0]), ("j", order[1]), ("k", order[0]), ("k", order[0])]:
        page.keyboard.press(press)
        assert page.evaluate(focused) == id_
    page.keyboard.press("/")
    page.keyboard.type("jk/")
    assert page.get_by_label("Search").input_value() == "jk/"
    assert rows(page).count() == 0
    page.keyboard.press("Escape")
    rows(page).nth(5).wait_for()
    assert page.get_by_label("Search").input_value() == ""
