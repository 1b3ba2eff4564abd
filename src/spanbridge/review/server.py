"""The local server of a review: one page, and what it asks for, for those who know its token.

It listens on this machine alone. Every request must bring the token of the address, name this
machine as its host (so that no foreign name that was made to point here is served), and, if a page
sends it, come from the server's own page.
"""

from __future__ import annotations

import hmac
import json
import secrets
import socket
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import msgspec

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import reason
from spanbridge.projection.boundaries import Convention
from spanbridge.review.desk import Asked, ConflictError, Desk
from spanbridge.review.journal import DecidedPlace
from spanbridge.review.lists import Query
from spanbridge.review.page import page_of

HOST = "127.0.0.1"
_HOSTS = (HOST, "localhost")
_LONGEST_BODY = 4_000_000  # bytes
_PATIENCE = 60.0  # seconds that an open connection may say nothing
TOKEN_HEADER = "X-Review-Token"  # noqa: S105  # a name
T = TypeVar("T")

_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class ReviewServer(ThreadingHTTPServer):
    """The server of one desk.

    Args:
        desk: what it serves.
        name: the annotator, unless the page says otherwise.
        port: port to listen on; 0 for any that is free.
        token: what requests must bring; None for a new one.

    Attributes:
        token: the token.
        page: the page, with its policy.
        ended: True if nothing is answered any more, also on connections that are open.

    Raises:
        SpanbridgeError: the port cannot be had.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, desk: Desk, name: str, port: int = 0, token: str | None = None) -> None:
        self.desk, self.name = desk, name
        self.token = secrets.token_urlsafe(24) if token is None else token
        self.page = page_of(desk.about()["name"])
        self.ended = False
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            why = f"port {port} cannot be listened on ({reason(error)})"
            raise SpanbridgeError(f"{why}; name another by --port, or leave it out") from error

    @property
    def port(self) -> int:
        """The port."""
        return int(self.server_address[1])

    @property
    def address(self) -> str:
        """The address of the page, with the token."""
        return f"http://{HOST}:{self.port}/?token={self.token}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A page that went away while it was answered is no fault; all else is told."""
        import sys

        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Refused(Exception):
    """A request that is not answered; why, and the status."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    """One connection. Answers are JSON, but for the page."""

    server: ReviewServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "spanbridge", ""
    timeout = _PATIENCE

    def setup(self) -> None:
        super().setup()
        # answers are short, and not worth waiting for more
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_GET(self) -> None:
        """Answer a question."""
        self._answer(_QUESTIONS, b"")

    def do_POST(self) -> None:
        """Do what is asked for."""
        self._answer(_REQUESTS, None)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: addresses hold the token."""

    def _answer(self, known: Mapping[str, Any], body: bytes | None) -> None:
        try:
            if self.server.ended:
                raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE, "the review has ended")
            given = urlsplit(self.path)
            asked = {key: values[-1] for key, values in parse_qs(given.query).items()}
            self._check(asked.pop("token", ""))
            body = self._body() if body is None else body
            if given.path == "/" and known is _QUESTIONS:
                html, policy = self.server.page
                self._send(HTTPStatus.OK, html, "text/html", {"Content-Security-Policy": policy})
                return
            answer: Callable[..., Any] | None = known.get(given.path)
            if answer is None:
                raise _Refused(HTTPStatus.NOT_FOUND, f"there is no {given.path[:80]}")
            self._send_json(HTTPStatus.OK, answer(self.server, asked, body))
        except _Refused as error:
            self.close_connection = True  # its body was not read
            self._send_json(error.status, {"error": str(error)})
        except ConflictError as error:
            self._send_json(HTTPStatus.CONFLICT, {"error": str(error), **error.told})
        except InputError as error:
            self._send_json(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": str(error)})
        except (SpanbridgeError, msgspec.MsgspecError, ValueError) as error:
            self._send_json(HTTPStatus.BAD_REQUEST, {"error": str(error)})

    def _check(self, token: str) -> None:
        """Refuse a request that does not come from the page whose address was told."""
        hosts = {f"{host}:{self.server.port}" for host in _HOSTS}
        if self.headers.get("Host", "") not in hosts:
            raise _Refused(HTTPStatus.MISDIRECTED_REQUEST, "this is no name of this server")
        origin = self.headers.get("Origin")
        if origin is not None and origin not in {f"http://{host}" for host in hosts}:
            raise _Refused(HTTPStatus.FORBIDDEN, "the request comes from another page")
        brought = self.headers.get(TOKEN_HEADER) or token
        if not hmac.compare_digest(brought.encode("utf-8", "replace"), self.server.token.encode()):
            raise _Refused(HTTPStatus.FORBIDDEN, "the token of the address is missing or wrong")

    def _body(self) -> bytes:
        if self.headers.get("Content-Type", "").partition(";")[0] != "application/json":
            raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send application/json")
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()) or "Transfer-Encoding" in self.headers:
            raise _Refused(HTTPStatus.LENGTH_REQUIRED, "say the length of what is sent")
        if len(length) > 9 or int(length) > _LONGEST_BODY:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "that is too long")
        return self.rfile.read(int(length))

    def _send_json(self, status: HTTPStatus, value: Any) -> None:
        text = json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")
        self._send(status, text, "application/json", {})

    def _send(self, status: HTTPStatus, data: bytes, kind: str, more: Mapping[str, str]) -> None:
        self.send_response(status)
        headers = {**_HEADERS, **more, "Content-Type": f"{kind}; charset=utf-8"}
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)


class _Beat(msgspec.Struct, forbid_unknown_fields=True):
    session: str
    by: str
    row: int | None
    since: int


def _about(server: ReviewServer, asked: dict[str, str], body: bytes) -> Any:
    return {"annotator": server.name, **server.desk.about()}


def _row(server: ReviewServer, asked: dict[str, str], body: bytes) -> Any:
    return server.desk.row(_number(asked, "row"))


def _before(server: ReviewServer, asked: dict[str, str], body: bytes) -> Any:
    return server.desk.before(_number(asked, "row"), asked.get("by", ""))


def _part(server: ReviewServer, asked: dict[str, str], body: bytes) -> Any:
    found = server.desk.lists.part(
        asked.get("list", ""), _number(asked, "from"), _number(asked, "length")
    )
    return {"rows": found}


def _next(server: ReviewServer, asked: dict[str, str], body: bytes) -> Any:
    taken = {row - 1 for row in server.desk.claims.others(asked.get("session", ""))}
    found = server.desk.lists.following(asked.get("list", ""), _number(asked, "at"), taken)
    return {"at": None, "row": None} if found is None else {"at": found[0], "row": found[1]}


def _place(server: ReviewServer, asked: dict[str, str], body: bytes) -> Any:
    return {"at": server.desk.lists.place(asked.get("list", ""), _number(asked, "row") - 1)}


def _find(server: ReviewServer, asked: dict[str, str], body: bytes) -> Any:
    return server.desk.find(_decoded(body, Query))


def _act(server: ReviewServer, asked: dict[str, str], body: bytes) -> Any:
    return server.desk.act(_decoded(body, Asked))


def _beat(server: ReviewServer, asked: dict[str, str], body: bytes) -> Any:
    told = _decoded(body, _Beat)
    return server.desk.beat(told.session, told.by, told.row, told.since)


def _plan(server: ReviewServer, asked: dict[str, str], body: bytes) -> Any:
    return server.desk.teaching.plan()


def _teach(server: ReviewServer, asked: dict[str, str], body: bytes) -> Any:
    return server.desk.teach()


class _Decision(msgspec.Struct, forbid_unknown_fields=True):
    convention: Convention
    place: DecidedPlace
    by: str


def _decide(server: ReviewServer, asked: dict[str, str], body: bytes) -> Any:
    told = _decoded(body, _Decision)
    return server.desk.decide(told.convention, told.place, told.by)


def _write(server: ReviewServer, asked: dict[str, str], body: bytes) -> Any:
    return {"told": server.desk.write().text()}


_QUESTIONS = {
    "/about": _about,
    "/row": _row,
    "/before": _before,
    "/part": _part,
    "/next": _next,
    "/place": _place,
    "/teaching": _plan,
}
_REQUESTS = {
    "/find": _find,
    "/act": _act,
    "/beat": _beat,
    "/write": _write,
    "/teach": _teach,
    "/decide": _decide,
}


def _decoded(body: bytes, kind: type[T]) -> T:
    return msgspec.json.decode(body, type=kind)


def _number(asked: Mapping[str, str], name: str) -> int:
    text = asked.get(name, "")
    if not text.removeprefix("-").isdecimal() or len(text) > 12:
        raise SpanbridgeError(f"{name} is {text[:20]!r}; give a number")
    return int(text)
