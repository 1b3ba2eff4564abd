"""Pages as one file: a shell of HTML, a style, a script, and a policy that lets no other in."""

from __future__ import annotations

import base64
import hashlib
import html
from importlib.resources import files
from string import Template

# The script and the style by their hashes, and nothing else from anywhere.
_POLICY = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; base-uri 'none'; "
    "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


def texts(package: str, *names: str) -> str:
    """Files of a package, one after the other."""
    return "".join(files(package).joinpath(name).read_text(encoding="utf-8") for name in names)


class Shell:
    """What a page consists of but for its data.

    Args:
        title: its title, the only text that is not ours.
        style: its style.
        script: its script, whose parts share one scope.

    Attributes:
        policy: its Content-Security-Policy.
    """

    def __init__(self, title: str, style: str, script: str) -> None:
        script = f'\n"use strict";\n(() => {{\n{script}}})();\n'
        self.policy = _POLICY.format(script=_hash(script), style=_hash(style))
        self._filled = {
            "title": html.escape(title.encode("utf-8", "replace").decode()),
            "style": style,
            "script": script,
            "policy": self.policy,
        }

    def fill(self, template: str) -> str:
        """A piece of the page's HTML, with ``$title``, ``$style``, ``$script``, ``$policy``."""
        return Template(template).substitute(self._filled)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
