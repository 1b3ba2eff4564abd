"""What all that speaks HTTP shares: reasons in plain words, and logs without secrets."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from ipaddress import ip_address
from math import isfinite
from socket import gaierror
from ssl import SSLContext, SSLError
from typing import Any, TypeVar

from spanbridge.core.errors import SpanbridgeError

C = TypeVar("C")
# Loggers that write down addresses and what servers answer.
_LOGGERS = ("httpx", "httpcore.http11", "httpcore.proxy")


@contextmanager
def discreet(told: Callable[[str], str]) -> Iterator[None]:
    """Let what the HTTP client logs pass through a function that hides secrets."""

    def clean(record: logging.LogRecord) -> bool:
        record.msg, record.args = told(record.getMessage()), ()
        return True

    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addFilter(clean)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(clean)


def made(kind: Callable[..., C], told: Callable[[str], str], *, local: bool, **options: Any) -> C:
    """A client of httpx, with the environment's proxies and certificates, and no redirections.

    Args:
        kind: its class.
        told: function that hides secrets in messages.
        local: the server is this machine itself, before which no proxy stands.
        options: further ones of the class.

    Raises SpanbridgeError for a proxy or certificates that cannot be used.
    """
    import httpx

    try:
        secure = _certificates(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
        return kind(verify=secure, trust_env=not local, follow_redirects=False, **options)
    except (httpx.InvalidURL, ValueError, ImportError, OSError) as error:
        raise SpanbridgeError(
            f"the proxy or the certificates of the environment cannot be used: {told(str(error))}"
        ) from None


@cache  # to read them takes longer than all else that a client needs
def _certificates(file: str | None, folder: str | None) -> SSLContext:
    """Certificates that servers are checked against: the environment's, or certifi's."""
    import httpx

    return httpx.create_ssl_context()


def is_local(host: str) -> bool:
    """Check if a host is this machine itself."""
    return host == "localhost" or is_loopback(host)


def is_loopback(host: str) -> bool:
    """Check if a host is this machine itself, by its address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def seconds_to_wait(text: str) -> float:
    """Seconds of ``Retry-After``: a number, or a date; 0 for anything else."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            date = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return 0
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        seconds = (date - datetime.now(UTC)).total_seconds()
    return max(seconds, 0) if isfinite(seconds) else 0


def reason_of(error: BaseException) -> str:
    """The innermost reason of an error of the network, in the system's words."""
    inner: BaseException | None = error
    words = str(error) or type(error).__name__
    while inner is not None:
        if isinstance(inner, BaseExceptionGroup):
            inner = inner.exceptions[0]
        if isinstance(inner, OSError) and inner.strerror:
            # asyncio puts the address in the system's words' place
            own = isinstance(inner, gaierror | SSLError)
            words = inner.strerror if own else os.strerror(inner.errno or 0)
        inner = inner.__cause__ or inner.__context__
    return words[:1].lower() + words[1:]
