"""Fetching of files over HTTP: resumed where they broke off, checked, or refused in plain words."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import unwritable
from spanbridge.core.http import discreet, is_local, made, reason_of, seconds_to_wait
from spanbridge.core.records import file_digest
from spanbridge.core.secrets import shown
from spanbridge.core.temporary import place

if TYPE_CHECKING:
    import httpx

_SECONDS = 60.0  # without a byte
_TRIES, _PAUSE, _LONGEST_PAUSE = 5, 1.0, 30.0  # after a try that brought nothing
_REDIRECTIONS = 10
_MOVED = frozenset({301, 302, 303, 307, 308})
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_PAGE = re.compile(rb"\s*(?:<!doctype html|<html)", re.IGNORECASE)
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
HUB, TOKEN, MIRROR = "https://huggingface.co/", "HF_TOKEN", "HF_ENDPOINT"

# Function that is told how many bytes are here, and of how many, if that is known.
Tell = Callable[[int, int | None], None]


class _AgainError(Exception):
    """This try failed; another one may succeed, after so many seconds."""

    def __init__(self, why: str, wait: float = 0) -> None:
        super().__init__(why)
        self.why, self.wait = why, wait


@dataclass
class _Part:
    """What is here of a file: its bytes, and by what its source tells that it is the same file.

    Attributes:
        path: of the bytes.
        url: address of the file.
    """

    path: Path
    url: str

    @property
    def _about(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")

    def size(self) -> int:
        """Number of bytes that can be gone on from."""
        with suppress(OSError, ValueError):
            about = json.loads(self._about.read_text("utf-8"))
            if about["url"] == self._named():
                return self.path.stat().st_size
        return 0

    def mark(self) -> str | None:
        """What tells that the source has still the same file; None if it says nothing of that."""
        with suppress(OSError, ValueError, KeyError):
            found = json.loads(self._about.read_text("utf-8"))["mark"]
            return found if isinstance(found, str) else None
        return None

    def begin(self, mark: str | None) -> None:
        """Begin anew."""
        self.path.unlink(missing_ok=True)
        self._about.write_text(json.dumps({"url": self._named(), "mark": mark}), "utf-8")

    def remove(self) -> None:
        """Keep nothing."""
        for path in (self.path, self._about):
            path.unlink(missing_ok=True)

    def _named(self) -> str:
        return hashlib.sha256(self.url.encode()).hexdigest()  # addresses may hold keys


def fetch(
    url: str,
    destination: Path,
    sha256: str | None = None,
    tell: Tell | None = None,
    pause: float = _PAUSE,
) -> str:
    """Fetch a file; an earlier try that broke off is gone on from.

    Proxies and certificates are those of the environment (``HTTPS_PROXY``, ``SSL_CERT_FILE``).
    Redirections are followed, but not from https to http. ``HF_TOKEN`` is sent to the Hugging Face
    Hub alone, in whose place ``HF_ENDPOINT`` is asked.

    Args:
        url: its address.
        destination: where it goes, once it is whole; of two processes one has to wait.
        sha256: its digest, if that is known.
        tell: function that is told how far it is.
        pause: seconds after the first try that brought nothing; later ones wait longer.

    Returns:
        The SHA-256 of the file.

    Raises:
        SpanbridgeError: it is not to be had, with the reason; or it is another file than the digest
            says, of which nothing is kept.
        InputError: it cannot be written here.
    """
    fetching = _Fetching(url, destination, tell or (lambda done, total: None))
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        digest = fetching.run(pause)
        if sha256 is not None and digest != sha256:
            fetching.part.remove()
            raise SpanbridgeError(
                f"{fetching.name}: its SHA-256 is {digest}, but {sha256} was expected; it was "
                "changed where it comes from, or damaged on the way. Nothing of it was kept"
            )
        place(fetching.part.path, destination)
        fetching.part.remove()
    except (OSError, ValueError) as error:
        raise unwritable(destination, error) from error
    return digest


class _Fetching:
    """The fetching of one file."""

    def __init__(self, url: str, destination: Path, tell: Tell) -> None:
        hub = os.environ.get(MIRROR, "").rstrip("/")
        self._key = os.environ.get(TOKEN, "") if url.startswith(HUB) else ""
        self._url = f"{hub}/{url.removeprefix(HUB)}" if hub and url.startswith(HUB) else url
        self.name = self._told(urlunsplit(urlsplit(url)._replace(query="", fragment="")))
        self.part = _Part(destination.with_name(f".{destination.name}.part"), url)
        self._destination, self._tell = destination, tell

    def run(self, pause: float) -> str:
        """Fetch until it is whole; returns its digest."""
        n_failed = 0
        with self._client() as client:
            while True:
                before = self.part.size()
                try:
                    self._try(client)
                    return file_digest(self.part.path)
                except _AgainError as error:
                    more = self.part.size() > before
                    n_failed = 0 if more else n_failed + 1
                    if n_failed >= _TRIES:
                        kept = self.part.size()
                        rest = (
                            f"; {kept:,} bytes are kept, and the next try goes on" if kept else ""
                        )
                        raise self._error(f"{error.why}, {n_failed} times{rest}") from None
                    if not more:
                        wait = max(error.wait, pause * 2 ** (n_failed - 1))
                        time.sleep(min(wait, _LONGEST_PAUSE))

    def _try(self, client: httpx.Client) -> None:
        """One request, and all that it brings. Raises _AgainError."""
        import httpx

        have, mark = self.part.size(), self.part.mark()
        headers = {}
        if have:
            headers["Range"] = f"bytes={have}-"
            if mark:
                headers["If-Range"] = mark
        try:
            with self._answer(client, headers) as answer:
                if answer.status_code == 416:  # it has no more bytes, or other ones
                    if answer.headers.get("Content-Range") == f"bytes */{have}":
                        return
                    self.part.begin(None)
                    raise _AgainError("what is kept of it does not fit")
                self._check_status(answer)
                self._write(answer, have)
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            through = " through the proxy of the environment" if _proxied(self._url) else ""
            if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL):
                raise self._error(f"is no address ({self._told(str(error))})") from None
            why = self._told(reason_of(error))
            raise _AgainError(f"no answer{through} ({why})") from None

    @contextmanager
    def _answer(self, client: httpx.Client, headers: dict[str, str]) -> Iterator[httpx.Response]:
        """The answer at the end of all redirections."""
        if self._key:
            headers = headers | {"Authorization": f"Bearer {self._key}"}
        request = client.build_request("GET", self._url, headers=headers)
        for _ in range(_REDIRECTIONS):
            answer = client.send(request, stream=True)
            try:
                # the client leaves the key out where another host is asked
                following = answer.next_request if answer.status_code in _MOVED else None
                if following is None:
                    yield answer
                    return
                if request.url.scheme == "https" and following.url.scheme != "https":
                    to = self._told(str(following.url))
                    raise self._error(f"is sent on from https to {to}, which anybody can change")
                request = following
            finally:
                answer.close()
        raise self._error(f"is sent on more than {_REDIRECTIONS} times")

    def _check_status(self, answer: httpx.Response) -> None:
        status = answer.status_code
        if status in (200, 206):
            return
        words = {
            401: f"needs permission: accept its terms where it is published, and set {TOKEN}",
            403: f"refuses it: accept its terms where it is published, and set {TOKEN}",
            404: "has no such file; it was moved or removed where it comes from",
            407: "asks for a password of the proxy; set it in HTTPS_PROXY",
            410: "has no such file any more",
        }
        said = words.get(status, answer.reason_phrase.lower() or "it says no more")
        why = f"the server answers {status} ({self._told(said)})"
        if status in _AGAIN:
            raise _AgainError(why, seconds_to_wait(answer.headers.get("Retry-After", "")))
        raise self._error(why)

    def _write(self, answer: httpx.Response, have: int) -> None:
        """Write what comes to the part that is here."""
        encoded = answer.headers.get("Content-Encoding", "identity").strip().lower()
        if encoded not in ("", "identity"):
            raise self._error("the server compresses it, which it was asked not to do")
        known = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if answer.status_code == 206 and (known is None or int(known[1]) != have):
            self.part.begin(None)
            raise _AgainError("the server sends another part than was asked for")
        if answer.status_code == 200:
            have = 0
            mark = answer.headers.get("ETag") or answer.headers.get("Last-Modified")
            self.part.begin(None if mark is None or mark.startswith("W/") else mark)
        length = answer.headers.get("Content-Length", "")
        total = have + int(length) if length.isdecimal() else None
        self._check_room(total, have)
        with self.part.path.open("ab") as out:
            for chunk in answer.iter_raw():
                if not have and _PAGE.match(chunk) and not self._is_page():
                    self.part.remove()
                    raise self._error(
                        "is a web page in place of the file: of a log-in, a proxy, or a network "
                        "that asks for consent first"
                    )
                out.write(chunk)
                have += len(chunk)
                self._tell(have, total)

    def _check_room(self, total: int | None, have: int) -> None:
        free = shutil.disk_usage(self._destination.parent).free
        if total is not None and total - have > free:
            why = f"has no room: {total - have:,} bytes are to come, {free:,} are free"
            raise InputError(self._destination.parent, None, why)

    def _is_page(self) -> bool:
        return self._destination.suffix.lower() in (".html", ".htm", ".xml")

    @contextmanager
    def _client(self) -> Iterator[httpx.Client]:
        import httpx

        local = is_local(urlsplit(self._url).hostname or "")
        headers = {"Accept-Encoding": "identity", "User-Agent": "spanbridge"}
        client = made(httpx.Client, self._told, local=local, headers=headers, timeout=_SECONDS)
        with discreet(self._told), client:
            yield client

    def _error(self, why: str) -> SpanbridgeError:
        return SpanbridgeError(f"{self.name}: {why}")

    def _told(self, text: str) -> str:
        return " ".join(shown(text, [self._key] if self._key else []).split())


def _proxied(url: str) -> bool:
    """Check if the environment has a proxy for an address."""
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    host = parts.hostname or ""
    return bool({parts.scheme, "all"} & {*getproxies()}) and not (
        is_local(host) or proxy_bypass(host)
    )
