"""The page a linguist reads: sentence pairs, projected spans, links and gold, in one HTML file."""

from spanbridge.report.page import Document, write_page

__all__ = ["Document", "write_page"]
