"""A little bitext with its links."""

from __future__ import annotations

import pytest

SOURCE = (
    "Angela\tB-PER\nMerkel\tI-PER\nvisited\tO\nParis\tB-LOC\n.\tO\n\n"
    "It\tO\nrained\tO\n.\tO\n\n"
    "Paris\tB-LOC\nloves\tO\nParis\tB-LOC\n\n"
)
TARGET = "Gestern besuchte Angela Merkel Paris .\n\nParis liebt Paris\n"
LINKS = "0-2 1-3 2-1 3-4 4-5\n\n0-0 1-1 2-2\n"


@pytest.fixture
def bitext(tmp_path):
    (tmp_path / "s.conll").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "t.txt").write_text(TARGET, encoding="utf-8")
    (tmp_path / "l.pharaoh").write_text(LINKS, encoding="utf-8")
    return tmp_path
