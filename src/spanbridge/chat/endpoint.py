"""A JSON interface over HTTP: answers of a bounded size, errors in plain words, no secrets."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.http import discreet, is_local, made, reason_of, seconds_to_wait
from spanbridge.core.secrets import OPEN, shown

if TYPE_CHECKING:
    import httpx

_LARGEST = 1 << 20  # bytes of an answer
_LONGEST, _WORDS = 1 << 14, 300  # bytes of an error that is read, letters that are told
# Answers to these are worth another try: too many requests, and servers that are not there yet.
_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_JSON = {"Content-Type": "application/json"}
_HOST = re.compile(r"([\w-]{1,63}\.)*[\w-]{1,63}\.?", re.ASCII)


class ServerError(Exception):
    """The server gave no answer that can be used.

    Attributes:
        why: the reason, with the server's own words.
        brief: the reason in words that many requests share, for counts.
        again: another try may succeed.
        wait: seconds that the server asks to wait before; 0 if it does not say.
    """

    def __init__(self, why: str, brief: str = "", *, again: bool = True, wait: float = 0) -> None:
        super().__init__(why)
        self.why, self.brief, self.again, self.wait = why, brief or why, again, wait


class Endpoint:
    """An address that takes and gives JSON.

    Redirections are not followed, so that neither text nor key goes to another address. Proxies are
    those of the environment (``HTTPS_PROXY``, ``NO_PROXY``); none stands before this machine's own
    servers. Certificates are checked against those of certifi, or of ``SSL_CERT_FILE``.

    Attributes:
        name: the address as it can be shown, without its secrets.
        target: the whole address of requests.

    Args:
        url: base of the interface; parameters after ``?`` are sent with every request.
        path: what is added to its path.
        key: sent as bearer token; empty for none.

    Raises:
        SpanbridgeError: the URL is no http(s) address, or names a user.
    """

    def __init__(self, url: str, path: str, key: str = "") -> None:
        import httpx

        self._key = key
        parameters = parse_qsl(url.partition("?")[2], keep_blank_values=True)
        self._secrets = [key, *(value for name, value in parameters if name not in OPEN)]
        self.name = self.told(url.rstrip("/").replace(",", "%2C"))
        try:
            found = httpx.URL(url)
            host = found.raw_host.decode("ascii")
            there = found.scheme in ("http", "https") and not found.fragment
            there = there and (found.port is None or 0 < found.port < 65536) and _is_host(host)
        except (httpx.InvalidURL, ValueError):
            there = False
        if not there:
            raise SpanbridgeError(
                f"{self.name} is no http address, such as http://localhost:11434/v1"
            )
        if found.userinfo:
            raise SpanbridgeError(f"{self.name} names a user; give a key in its place")
        raw, sign, query = found.raw_path.partition(b"?")
        target = raw.rstrip(b"/") + path.encode() + sign + query
        self.target = str(found.copy_with(raw_path=target))
        self._local = is_local(host)

    def told(self, text: str) -> str:
        """Words about it that can be shown and kept: one line, without secrets."""
        return " ".join(shown(text, self._secrets).split())

    @asynccontextmanager
    async def open(self) -> AsyncIterator[httpx.AsyncClient]:
        """Open connections for :meth:`post`. Raises SpanbridgeError for a proxy that is none."""
        import httpx

        headers = {"Accept-Encoding": "identity"}  # its size is known before it is unpacked
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        # no limit of its own for each read: the caller sets one for the whole of a request
        client = made(
            httpx.AsyncClient, self.told, local=self._local, headers=headers, timeout=None
        )
        with discreet(self.told):
            async with client:
                yield client

    async def post(self, client: httpx.AsyncClient, body: Any) -> Any:
        """Send a value and return the answered one; the caller sets the deadline.

        Raises:
            ServerError: there is no answer, or none that is JSON of a sound size.
        """
        import httpx

        sent = json.dumps(body).encode()
        try:
            async with client.stream("POST", self.target, content=sent, headers=_JSON) as answer:
                content = await _read(answer)
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, ValueError) as error:
            raise ServerError(f"no answer ({self.words(reason_of(error))})") from None
        if answer.status_code != 200:
            raise self._refusal(answer, content)
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            said = self.words(_message(content))
            why = f"it does not answer in JSON{f': {said}' if said else ''}"
            raise ServerError(why, "no JSON") from None

    def _refusal(self, answer: httpx.Response, content: bytes) -> ServerError:
        status, wait = answer.status_code, seconds_to_wait(answer.headers.get("Retry-After", ""))
        brief = f"it answers {status} {self.told(_code(content))}".rstrip()
        words = self.words(_message(content))
        if 300 <= status < 400:
            to = self.words(answer.headers.get("Location", "another address"))
            words = f"redirections, here to {to}, are not followed"
        elif wait:
            words = f"{words} (it asks to wait {wait:.0f} seconds)".lstrip()
        why = f"it answers {status}{f': {words}' if words else ''}"
        return ServerError(why, brief, again=status in _AGAIN, wait=wait)

    def words(self, text: str) -> str:
        """The beginning of what a server says."""
        words = self.told(text)
        return words if len(words) <= _WORDS else f"{words[:_WORDS]}..."


async def _read(answer: httpx.Response) -> bytes:
    if answer.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise ServerError("it compresses answers, which it was asked not to do")
    content = bytearray()
    async for chunk in answer.aiter_raw():
        content += chunk
        if len(content) > _LARGEST:
            raise ServerError("the answer is longer than 1 MiB")
    return bytes(content)


def _is_host(host: str) -> bool:
    if ":" not in host:
        return _HOST.fullmatch(host) is not None
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _message(content: bytes) -> str:
    """The message in the body of an error, wherever servers put it; or else the whole body."""
    if len(content) > _LONGEST:
        return ""
    text = content.decode("utf-8", "replace")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return re.sub(r"<[^<>]*>", " ", text)  # pages of proxies
    return said_in(found)


def said_in(found: Any) -> str:
    """The message in a decoded answer, wherever servers put it; or else the whole answer."""
    for _ in range(3):
        if not isinstance(found, dict):
            break
        keys = [k for k in ("error", "message", "detail", "msg") if found.get(k)]
        if not keys:
            break
        found = found[keys[0]]
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _code(content: bytes) -> str:
    """The name that a server gives to an error, if it is a name."""
    try:
        error = json.loads(content)["error"]
        code = error.get("code") or error.get("type") or ""
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return ""
    return code if isinstance(code, str) and re.fullmatch(r"[a-z][a-z_.-]{2,39}", code) else ""
