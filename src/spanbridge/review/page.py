"""The page of a review: a shell, one style and one script, which the static page shares."""

from __future__ import annotations

from spanbridge.report.shell import Shell, texts

_SHARED, _OWN = "spanbridge.report", "spanbridge.review"
# In this order, in one scope.
_SHARED_SCRIPTS = ("elements.js", "sentences.js", "lines.js")
_SCRIPTS = (
    *("talk.js", "pieces.js", "edits.js", "card.js", "pointing.js", "list.js", "teach.js"),
    "review.js",
)


def page_of(name: str) -> tuple[bytes, str]:
    """The page for a file of some name, and its Content-Security-Policy.

    It asks its own server for everything but itself; no text of the file but its name is in it.
    """
    style = texts(_SHARED, "shared.css") + texts(_OWN, "review.css")
    script = texts(_SHARED, *_SHARED_SCRIPTS) + texts(_OWN, *_SCRIPTS)
    shell = Shell(name, style, script)
    page = shell.fill(texts(_OWN, "page.html"))
    policy = f"{shell.policy}; connect-src 'self'; frame-ancestors 'none'"
    return page.encode("utf-8", "replace"), policy
