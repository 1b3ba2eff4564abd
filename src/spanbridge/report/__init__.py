"""HTML report for people: sentence pairs, projected spans, links and gold, in one file."""

from spanbridge.report.page import Document, write_page

__all__ = ["Document", "write_page"]
