"""Text from elsewhere, fit for screens, logs and records: one line, no control characters, no keys.

Servers repeat the keys that they are sent, addresses hold passwords, and an escape character from
either can rewrite a terminal.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

_HIDDEN = "***"
OPEN = ("api-version",)  # parameters of an address that are no secrets
_STYLE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")  # colours and movements of terminals
_JOINERS = "\u200c\u200d"  # which words of many languages hold

_NAMED = r"(?:api[-_ ]?|access[-_ ]?|secret[-_ ]?)key|(?:\w+[-_])?token|secret|passw(?:or)?d"
_SECRETS = (
    # the user and the password of an address: all up to the last @, since passwords hold slashes
    (
        re.compile(r"(\b[a-z][a-z0-9+.-]{0,20}://)[^\s,\"'<>()]{0,500}@", re.IGNORECASE),
        rf"\1{_HIDDEN}@",
    ),
    # "api_key": "...", token=..., Authorization: Bearer ...
    (
        re.compile(rf"(\b(?:{_NAMED})[\"']?(?:=|\"\s*:|'\s*:)\s*[\"']?)[^\s\"'&]+", re.IGNORECASE),
        rf"\1{_HIDDEN}",
    ),
    (re.compile(r"\b((?:bearer|basic) +)[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1{_HIDDEN}"),
    # keys by the letters with which well-known services begin them
    (re.compile(r"\b(?:sk|pk|hf|gsk|xai|ghp)[-_][\w*-]{8,}"), _HIDDEN),
)
_QUERY = re.compile(
    r"(\bhttps?://[^\s?\"'<>]{0,500}\?)([^\s,\"'<>#)]+?)(?=[:.;]*(?:[\s,\"'<>#)]|$))", re.I
)


def without_secrets(value: Any) -> Any:
    """A value of JSON with keys and passwords :func:`hidden`. Raises TypeError if it is none."""
    if isinstance(value, str):
        return hidden(value)
    if isinstance(value, Mapping):
        return {key: without_secrets(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_secrets(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    raise TypeError(f"{type(value).__name__} is no value of JSON")


def shown(text: str, secrets: Iterable[str] = ()) -> str:
    """A text as one line that can be shown and kept, with keys and passwords replaced by ``***``.

    Line breaks become spaces; other control and invisible characters are dropped.

    Args:
        text: from anywhere.
        secrets: what is replaced beside all that looks like a secret.
    """
    line = "".join(map(_visible, _STYLE.sub("", text)))
    for secret in secrets:
        line = without(line, secret)
    return hidden(line)


def hidden(text: str) -> str:
    """A text with keys and passwords replaced by ``***``."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return _QUERY.sub(lambda found: found[1] + _open(found[2]), text)


def without(text: str, secret: str) -> str:
    """A text with a secret replaced by ``***``, also where it is quoted as in addresses.

    One of fewer than four letters stays, since it stands in any word.
    """
    for form in (quote(secret, safe=""), secret):
        if len(secret) > 3:
            text = re.sub(re.escape(form), _HIDDEN, text, flags=re.IGNORECASE)
    return text


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Cs":
        return "\ufffd"
    if category in ("Cc", "Zl", "Zp"):
        return " " if char.isspace() else ""
    return "" if category == "Cf" and char not in _JOINERS else char


def _open(query: str) -> str:
    """The parameters of an address, with the values of all but those that are no secrets."""
    pairs = (parameter.partition("=") for parameter in query.split("&"))
    return "&".join(
        f"{name}={value if name in OPEN else _HIDDEN}" if sign else _HIDDEN
        for name, sign, value in pairs
    )
