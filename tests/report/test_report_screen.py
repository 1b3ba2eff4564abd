"""The page as a person sees it, in a real browser."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from spanbridge.core.rows import SentencePair
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
    const shown = '.w, .tag, .ok, .bad, .legend button, .muted, .status, dt, code, li, label';
    return [...document.querySelectorAll(shown)].map(el => {
        const back = behind(el);
        const [a, b] = [light([...back, style(el).color]), light(back)];
        return [Math.max(a, b) / Math.min(a, b), el.className + ': ' + el.textContent];
    });
}"""


def rows(page):
    return page.locator(".row:visible")


def open_tab(page, name):
    page.get_by_role("tab", name=name).click()
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 400])
def test_looks_right(open_page, documents, tmp_path, scheme, width):
    page = open_page(documents, width, color_scheme=scheme)
    shot = tmp_path / f"{width}-{scheme}.png"
    for document in documents:
        open_tab(page, document.name)
        page.screenshot(path=shot, full_page=True)
        assert colours(shot) > 50
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        low = [found for found in page.evaluate(CONTRAST) if found[0] < 4.5]
        assert low == []
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (ground == "rgb(251, 250, 247)") == (scheme == "light")


def test_what_a_reader_sees(open_page, documents):
    page = open_page(documents)
    seen = page.inner_text("main")
    for said in ("ar-1", "أنجيلا ميركل", "PER", "0.93", "empty: no link", "rejected: length ratio"):
        assert said in seen
    assert "默克尔" not in seen
    open_tab(page, "English → Chinese")
    assert "默克尔" in page.inner_text("main")
    assert "安格拉·默克尔PER 0.88周一在柏林" in page.locator(".tgt:visible").inner_text()
    assert page.get_by_role("tab", selected=True).inner_text() == "English → Chinese"
    page.keyboard.press("ArrowRight")
    assert "Aufsichtsrat" in page.inner_text("main")


def test_marks_have_the_colour_of_their_label(open_page, documents):
    page = open_page(documents[:1])
    style = "[m.querySelector('b').innerText, getComputedStyle(m).backgroundColor]"
    marks = page.locator(".row").first.locator("mark")
    shown = marks.evaluate_all(f"all => all.map(m => {style})")
    assert [label for label, _ in shown] == ["PER", "ORG", "LOC", "PER", "ORG", "LOC"]
    assert len(set(map(tuple, shown))) == len({colour for _, colour in shown}) == 3
    assert not any("/" in colour or colour == "rgba(0, 0, 0, 0)" for _, colour in shown)


@pytest.mark.parametrize("width", [1200, 400])
def test_lines_join_the_right_words(open_page, documents, width):
    page = open_page(documents, width)

    for document in documents:
        open_tab(page, document.name)
        check_lines(rows(page).first, list(document.pairs)[0])
    page.set_viewport_size({"width": 650, "height": 900})
    page.wait_for_timeout(200)
    check_lines(rows(page).first, list(documents[-1].pairs)[0])


def test_lines_can_be_put_away_and_come_back_on_hover(open_page, turkish):
    page = open_page([Document("tr", [turkish])])
    page.locator("path").nth(10).wait_for(state="attached")
    assert len(drawn(page)) == 11
    page.get_by_label("Links").uncheck()
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
    arabic = page.locator(".row").first.locator(".tgt .w").evaluate_all(left)
    assert arabic == sorted(arabic, reverse=True)
    english = page.locator(".row").first.locator(".src .w").evaluate_all(left)
    assert english == sorted(english)
    # A Latin name first does not turn the sentence round, and New York reads as in English.
    google, *_, new, york = page.locator(".row").last.locator(".tgt .w").evaluate_all(left)
    assert new < york < google
    # The label stands after its words in reading order.
    word, tag = (
        page.locator(".row").first.locator(f".tgt mark:has-text('LOC') {part}").bounding_box()
        for part in (".w", ".tag")
    )
    assert tag["x"] + tag["width"] < word["x"]


def test_filters(open_page, documents):
    page = open_page(documents)
    assert rows(page).count() == 6
    page.get_by_label("Search").press_sequentially("universite")
    assert rows(page).count() == 0
    page.get_by_label("Search").fill("ÜNIVERSITY OF NEW")
    assert rows(page).locator(".id").all_inner_texts() == ["x-1", "x-4"]
    page.get_by_label("Status").select_option("empty")
    assert rows(page).locator(".id").all_inner_texts() == ["x-4"]
    assert "1 of 6 match the filters" in page.inner_text("main")
    page.get_by_role("button", name="Clear").click()
    rows(page).nth(5).wait_for()
    assert rows(page).count() == 6
    page.get_by_label("Status").select_option("rejected: length ratio")
    assert rows(page).locator(".id").all_inner_texts() == ["x-5"]


def test_filters_by_label_and_score(open_page, documents):
    page = open_page(documents)
    page.locator(".legend:visible button", has_text="MISC").click()
    assert rows(page).locator(".id").all_inner_texts() == ["x-3"]
    assert page.locator(".legend:visible [aria-pressed=true]").count() == 1
    page.locator(".legend:visible button", has_text="MISC").click()
    page.get_by_label("Score below").fill("0.4")
    assert rows(page).locator(".id").all_inner_texts() == ["ar-1", "x-3"]
    assert page.inner_text("output") == "0.40"
    assert page.locator(".row:visible .tgt mark:not(.dim)").evaluate_all(
        "all => all.map(m => m.dataset.s)"
    ) == ["0.34", "0.1"]
    page.locator(".legend:visible button", has_text="LOC").click()
    assert rows(page).locator(".id").all_inner_texts() == ["ar-1"]


def test_only_errors(open_page, documents, german, german_gold):
    right = SentencePair("fine", german.source, german.target, german.links, "projected")
    gold = [german_gold, right.target]
    page = open_page([documents[0], Document("de", [german, right], None, gold)])
    assert page.get_by_label("Only errors").is_disabled()
    open_tab(page, "de")
    page.get_by_label("Only errors").check()
    assert rows(page).locator(".id").all_inner_texts() == ["de-1"]
    assert "✗ wrong boundary" in page.locator(".row:visible .tgt").inner_text()
    assert (
        page.locator(".row:visible .findings").inner_text().splitlines()[1].startswith("✗ missed")
    )


def test_many_rows_are_quick(open_page, german):
    pairs = [
        SentencePair(str(i), german.source, german.target, german.links, "projected")
        for i in range(500)
    ]
    page = open_page([Document("d", pairs)])
    took = page.evaluate("""() => { const start = performance.now();
        const find = document.querySelector('#find');
        find.value = '499'; find.dispatchEvent(new Event('input', { bubbles: true }));
        document.body.getBoundingClientRect();
        return performance.now() - start; }""")
    assert rows(page).count() == 1
    assert took < 3000
    assert page.locator("path").count() < 100 * 12  # only what is near the window is drawn


def test_reads_without_scripts(open_page, documents):
    page = open_page(documents, java_script_enabled=False)
    assert page.locator(".doc:visible").count() == len(documents)
    assert page.locator("form:visible, .tabs:visible").count() == 0


def test_nothing_hostile_runs(open_page):
    from test_report_page import NASTY, nasty_pairs

    page = open_page([Document(text, nasty_pairs(), text) for text in NASTY])
    page.get_by_label("Search").fill("<script>")
    assert rows(page).count() == len(NASTY)
    page.locator("summary").first.click()
    page.locator(".list li").first.wait_for()
    assert NASTY[1] in page.locator(".list ul").first.inner_text()
    page.get_by_label("Status").select_option(f"empty: {NASTY[0]}")
    assert rows(page).locator(".id").all_inner_texts() == [NASTY[0]]
    assert page.locator("img, svg:not(.pair svg)").count() == 0


def test_prints(open_page, german):
    pairs = [SentencePair(str(i), german.source, german.target, german.links) for i in range(120)]
    page = open_page([Document("d", pairs)])
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("path").count() == 120 * 12  # all of it, and as wide as the paper
    assert abs(page.evaluate("document.body.getBoundingClientRect().width") - 178 / 25.4 * 96) < 1
    check_lines(page.locator(".row").last, german)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.pdf().startswith(b"%PDF")
