"""The page as a person sees it, in a real browser."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from random import Random

import pytest

from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.report.page import Document

pytestmark = pytest.mark.slow

# Every drawn line with its ends on screen, and the boxes of the words it should join.
LINES = """row => [...row.querySelectorAll('path')].map(path => {
    const at = (length) => {
        const point = path.getPointAtLength(length).matrixTransform(path.getScreenCTM());
        return [point.x, point.y];
    };
    const [i, j] = path.dataset.ends.split('-').map(Number);
    const box = (side, n) => {
        const word = row.querySelectorAll(side + ' .w')[n];
        const { left, right, top, bottom } = word.getBoundingClientRect();
        return [left, right, top, bottom];
    };
    return [path.dataset.ends, at(0), at(path.getTotalLength()), box('.src', i), box('.tgt', j)];
})"""
# The words that each label covers, and how many of its marks say the whole label, row by row.
MARKED = """() => [...document.querySelectorAll('.sent')].map(sentence => {
    const covered = {}, whole = {};
    const own = (mark) => [...mark.children].find(child => child.matches('.tag'));
    [...sentence.querySelectorAll('.w')].forEach((word, n) => {
        for (let at = word.parentElement; at !== sentence; at = at.parentElement) {
            (covered[own(at).querySelector('b').textContent] ??= []).push(n);
        }
    });
    for (const mark of sentence.querySelectorAll('mark')) {
        const label = own(mark).querySelector('b').textContent;
        whole[label] = (whole[label] ?? 0) + !own(mark).textContent.includes('…');
    }
    return [covered, whole];
})"""
# Contrast of text with the colours behind it, as WCAG computes it; colours read from a canvas.
CONTRAST = """() => {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    const light = (colours) => {
        canvas.clearRect(0, 0, 1, 1);
        colours.forEach(colour => { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); });
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
    };
    const style = (el) => getComputedStyle(el);
    const behind = (el) => el ? [...behind(el.parentElement), style(el).backgroundColor] : [];
    const shown = '.w, .tag, .ok, .bad, button, .muted, .status, dt, dd, th, td, code, li, label';
    return [...document.querySelectorAll(shown)].filter(el => el.checkVisibility()).map(el => {
        const back = behind(el);
        const [a, b] = [light([...back, style(el).color]), light(back)];
        return [Math.max(a, b) / Math.min(a, b), el.className + ': ' + el.textContent];
    });
}"""


def rows(page):
    return page.locator(".row")


def row(page, id_):
    return rows(page).filter(has=page.get_by_text(id_, exact=True))


def ids(page):
    return page.locator(".row .id").all_text_contents()


def open_tab(page, name):
    tab = page.get_by_role("tab", name=name)
    tab.click()
    page.wait_for_timeout(200)  # lines are drawn once the row has come into view


def check_lines(row, pair):
    lines = row.evaluate(LINES)
    assert [line[0] for line in lines] == [f"{i}-{j}" for i, j in pair.links.pairs]
    for _, (x, y), (u, v), source, target in lines:
        assert source[0] <= x <= source[1]
        assert abs(y - source[3]) < 1.5  # the foot of the source word
        assert target[0] <= u <= target[1]
        assert abs(v - target[2]) < 1.5  # the head of the target word


def drawn(page):
    shown = "all => all.filter(p => getComputedStyle(p).display != 'none').map(p => p.dataset.ends)"
    return page.locator("path").evaluate_all(shown)


def colours(png: Path) -> int:
    """How many different scan lines a screenshot has: a blank one has a single kind."""
    data, packed, at = png.read_bytes(), b"", 8
    while at < len(data):
        (size,), kind = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
        packed += data[at + 8 : at + 8 + size] if kind == b"IDAT" else b""
        at += size + 12
    return len(set(zlib.decompress(packed)))


# what a width changes, a scheme does not
@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (400, "dark")])
def test_looks_right(open_page, documents, tmp_path, scheme, width):
    page = open_page(documents, width, color_scheme=scheme)
    shot = tmp_path / f"{width}-{scheme}.png"
    for document in documents:
        open_tab(page, document.name)
        page.locator(".about summary").click()
        page.screenshot(path=shot, full_page=True)
        assert colours(shot) > 50
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert [found for found in page.evaluate(CONTRAST) if found[0] < 4.5] == []
        for button in page.locator(".stats button, #chips button").all():
            button.click()
            assert button.get_attribute("aria-pressed") == "true"
            assert [found for found in page.evaluate(CONTRAST) if found[0] < 4.5] == []
            button.click()
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (ground == "rgb(251, 250, 247)") == (scheme == "light")


def test_what_a_reader_sees(open_page, documents):
    page = open_page(documents)
    seen = page.inner_text("main")
    for said in ("ar-1", "أنجيلا ميركل", "PER", "0.93", "empty: no link", "rejected: length ratio"):
        assert said in seen
    for said in ("no links kept in this file", "(no words)", "no links"):
        assert said in seen
    assert "默克尔" not in seen
    open_tab(page, "English → Chinese")
    assert "默克尔" in page.inner_text("main")
    assert "安格拉·默克尔PER 0.88周一在柏林" in page.locator(".tgt").inner_text()
    assert page.get_by_role("tab", selected=True).inner_text() == "English → Chinese"
    page.keyboard.press("ArrowRight")
    page.get_by_text("Aufsichtsrat").wait_for()
    page.locator(".about summary").click()
    told = page.inner_text(".about")
    assert "task:projection|aligner:encoder" in told
    assert "ORG\t1\t1\t1\t0.000\t0.000\t0.000" in told


def test_scores_and_findings(open_page, german, german_gold):
    page = open_page([Document("de", [german], None, [german_gold])])
    stats = page.inner_text(".stats").split()
    shown = dict(zip(stats[::2], stats[1::2], strict=True))
    scores = {"precision": "0.667", "recall": "0.500", "F1": "0.571"}
    assert shown == scores | {"rows": "1", "spans": "3", "projected": "1"}
    text = " ".join(page.inner_text("main").split())
    assert "✗ wrong boundary ORG von Siemens gold: ORG Siemens" in text
    assert "DATE ✗ missed" in text
    assert "✓" in row(page, "de-1").locator(".tgt mark").first.inner_text()
    page.get_by_role("button", name="missed 1").click()
    assert page.locator(".tgt mark:not(.dim)").all_inner_texts() == ["MontagDATE ✗ missed"]


def test_what_confidences_hold_for_stands_beside_the_counts(open_page, german):
    known = "uncalibrated: a tagger's own probabilities"
    page = open_page([Document("de", [german], calibration=known), Document("en", [german])])
    assert page.locator("#counts").inner_text().endswith("Confidences: uncalibrated")
    open_tab(page, "en")
    assert "Confidences" not in page.locator("#counts").inner_text()


def test_marks_have_the_colour_of_their_label(open_page, documents):
    page = open_page(documents[:1])
    style = "[m.querySelector('b').innerText, getComputedStyle(m).backgroundColor]"
    marks = row(page, "ar-1").locator("mark")
    shown = marks.evaluate_all(f"all => all.map(m => {style})")
    assert [label for label, _ in shown] == ["PER", "ORG", "LOC", "PER", "ORG", "LOC"]
    assert len(set(map(tuple, shown))) == len({colour for _, colour in shown}) == 3
    assert not any("/" in colour or colour == "rgba(0, 0, 0, 0)" for _, colour in shown)


def test_every_mark_covers_its_words_and_closes_once(open_page):
    """Also where marks cross: then one is cut in two, and its first part says so."""
    random = Random(5)
    made = []
    for _ in range(60):
        places = [sorted(random.sample(range(8), 2)) for _ in range(random.randrange(6))]
        spans = [Span(a, b, f"L{i}") for i, (a, b) in enumerate(places)]
        made.append(Sentence(tuple("abcdefg"), tuple(spans)))
    made.append(Sentence(tuple("abcd"), (Span(0, 3, "X"), Span(1, 4, "Y"))))
    pairs = [SentencePair(str(n), Sentence(()), sentence) for n, sentence in enumerate(made)]
    page = open_page([Document("d", pairs, has_source=False)])
    while page.locator(".row").count() < len(pairs):
        page.mouse.wheel(0, 5000)
        page.wait_for_timeout(50)
    found = page.evaluate(MARKED)
    for sentence, (covered, whole) in zip(made, found, strict=True):
        wanted = {span.label: list(range(span.start, span.end)) for span in sentence.spans}
        assert {label: sorted(words) for label, words in covered.items()} == wanted
        assert whole == {span.label: 1 for span in sentence.spans}
    text = page.locator(".row").last.locator(".sent").evaluate("p => p.textContent")
    assert text == "Text: a b cY…X dY"


@pytest.mark.parametrize("width", [1200, 400])
def test_lines_join_the_right_words(open_page, documents, width):
    page = open_page(documents, width)
    for document in documents:
        open_tab(page, document.name)
        pair = next(iter(document.pairs))
        shown = row(page, pair.id)
        shown.locator(".id").hover()
        check_lines(shown, pair)
    page.set_viewport_size({"width": 650, "height": 900})
    rows(page).first.locator(".id").hover()
    page.wait_for_timeout(200)
    check_lines(rows(page).first, list(documents[-1].pairs)[0])


def test_wrapped_rows_have_lines_only_where_one_points(open_page, turkish):
    page = open_page([Document("tr", [turkish, turkish._replace(id="2")])], 500)
    page.wait_for_timeout(200)
    assert drawn(page) == []
    for n in (0, 1):
        rows(page).nth(n).locator(".id").hover()
        assert rows(page).nth(n).locator("path").count() == len(drawn(page)) == 11
    page.mouse.move(1, 1)
    assert drawn(page) == []
    page.keyboard.press("j")
    assert rows(page).first.locator("path").count() == len(drawn(page)) == 11


def test_lines_can_be_put_away_and_come_back_on_hover(open_page, turkish):
    page = open_page([Document("tr", [turkish])])
    page.locator("path").nth(10).wait_for(state="attached")
    assert len(drawn(page)) == 11
    page.get_by_label("Links").uncheck()
    page.wait_for_timeout(200)
    assert drawn(page) == []
    page.locator(".src .w", has_text="board").hover()
    assert drawn(page) == ["4-6", "4-7"]
    assert page.locator(".tgt .hot").all_inner_texts() == ["yönetim", "kuruluyla"]
    page.locator(".src .w").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".tgt .hot").all_inner_texts() == ["Merkel"]
    assert page.inner_text("#said") == "linked to Merkel"
    page.get_by_text("11 links").click()
    page.locator(".list li").first.wait_for()
    assert "Berlin – Berlin'de 0." in page.locator(".list ul").inner_text()


def test_right_to_left_words_run_right_to_left(open_page, documents):
    page = open_page(documents[:1])
    left = "all => all.map(w => w.getBoundingClientRect().left)"
    arabic = row(page, "ar-1").locator(".tgt .w").evaluate_all(left)
    assert arabic == sorted(arabic, reverse=True)
    english = row(page, "ar-1").locator(".src .w").evaluate_all(left)
    assert english == sorted(english)
    # A Latin name first does not turn the sentence round, and New York reads as in English.
    google, *_, new, york = row(page, "x-5").locator(".tgt .w").evaluate_all(left)
    assert new < york < google
    # The label stands after its words in reading order.
    word, tag = (
        row(page, "ar-1").locator(f".tgt mark:has-text('LOC') {part}").bounding_box()
        for part in (".w", ".tag")
    )
    assert tag["x"] + tag["width"] < word["x"]


def test_direction_is_that_of_most_letters(open_page):
    texts = ["Google أعلنت عن افتتاح", "שלום international", "12 .", "", "ߒߞߏ", "𞤀𞤣", "a\u202eb c"]
    sentences = [Sentence(tuple(text.split())) for text in texts]
    pairs = [SentencePair(str(n), Sentence(()), s) for n, s in enumerate(sentences)]
    page = open_page([Document("d", pairs, has_source=False)])
    shown = page.locator(".sent").evaluate_all("all => all.map(p => p.dir)")
    assert shown == ["rtl", "ltr", "ltr", "ltr", "rtl", "rtl", "ltr"]
    assert page.locator("bdi.w").all_inner_texts() == ["a\u202eb"]


def test_nothing_hostile_runs(open_page):
    from test_report_page import NASTY, nasty_pairs

    page = open_page([Document(text, nasty_pairs(), text) for text in NASTY])
    page.get_by_label("Search").fill("<script>")
    assert rows(page).count() == len(NASTY)
    page.locator(".row summary").first.click()
    page.locator(".list li").first.wait_for()
    assert NASTY[1] in page.locator(".list ul").first.inner_text()
    page.locator(".about summary").click()
    page.get_by_role("button", name=NASTY[0]).first.click()
    page.get_by_label("Status").select_option(f"empty: {NASTY[0]}")
    assert ids(page) == [NASTY[0]]
    assert page.locator("img, svg:not(.pair svg)").count() == 0
    assert page.locator("script").count() == len(NASTY)  # ours, and the rows of unopened tabs


def test_prints(open_page, german):
    word = Sentence(("Berlin",), (Span(0, 1, "LOC"),))
    short = [SentencePair(str(i), word, word) for i in range(519)]
    page = open_page([Document("d", [german, *short])])
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert rows(page).count() == 500
    assert abs(page.evaluate("document.body.getBoundingClientRect().width") - 178 / 25.4 * 96) < 1
    assert "520 rows, of which the first 500 are printed" in page.inner_text("body")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.pdf().startswith(b"%PDF")


def test_without_scripts_the_page_says_so(open_page, documents):
    page = open_page(documents, java_script_enabled=False)
    assert "only JavaScript can unpack them" in page.inner_text("body")
    assert page.locator("form:visible, button:visible").count() == 0


def test_a_damaged_file_says_so(open_page, german, tmp_path):
    page = open_page([Document("d", [german])])
    path = tmp_path / "page.html"
    path.write_text(path.read_text("utf-8").replace('class="rows-0">', 'class="rows-0">AAAA'))
    page.reload()
    page.get_by_text("This file is damaged").wait_for()
