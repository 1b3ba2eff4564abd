"""The picture of the page that ``spanbridge view`` makes, docs/images/page.png.

It shows the page of ``spanbridge demo``. Needs Chromium; fonts and its version change the picture.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from spanbridge.demo.sample import LANGUAGES, run

PNG = Path(__file__).parents[1] / "docs" / "images" / "page.png"
CHROMIUM = "/usr/bin/chromium"
SIZE = (1280, 800)
SHOWN = LANGUAGES["tr"]


def main() -> None:
    """Run the demo, open its page and keep what is seen."""
    with TemporaryDirectory() as folder, sync_playwright() as driver:
        _, made = run(Path(folder), lambda text: None)
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        view = chromium.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
        view.goto(made.as_uri())
        view.get_by_role("tab", name=SHOWN).click()
        view.locator("#rows > *").first.wait_for()
        view.screenshot(path=PNG, animations="disabled")
        chromium.close()


if __name__ == "__main__":
    main()
