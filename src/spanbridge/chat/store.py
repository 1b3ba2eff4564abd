"""Answers on disk, found again by the content of their requests, and what they cost together.

One file of lines of JSON, each an answer with the digest of its request; the request itself is not
kept. Any number of processes may add lines to it, each line at once under the kernel's lock. A line
that a killed process left unfinished is no answer, and is asked for again.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from spanbridge.chat.answer import Answer
from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import reason
from spanbridge.core.temporary import try_lock


class Price:
    """The price of tokens.

    Args:
        sent, received: money for a million tokens of requests, and of answers; at least 0.

    Raises:
        SpanbridgeError: a price is negative or no number.
    """

    def __init__(self, sent: float = 0.0, received: float = 0.0) -> None:
        if not (0 <= sent < 1e9 and 0 <= received < 1e9):
            raise SpanbridgeError(f"the price {sent}/{received} is out of range")
        self.sent, self.received = sent, received

    @classmethod
    def parse(cls, text: str | float) -> Price:
        """The price in ``SENT/RECEIVED``, or in one number for both.

        Raises SpanbridgeError if it is neither.
        """
        first, sign, second = str(text).partition("/")
        try:
            return cls(float(first), float(second if sign else first))
        except ValueError as error:
            raise SpanbridgeError(
                f"the price {text!r} is not SENT/RECEIVED, such as 0.15/0.60 for a million tokens"
            ) from error

    def of(self, sent: float, received: float) -> float:
        """Money for so many tokens."""
        return (sent * self.sent + received * self.received) / 1e6


class Store:
    """Answers by the keys of their requests.

    Args:
        path: the file, which is made when the first answer comes; None keeps all in memory.

    Attributes:
        sent, received: tokens of all answers that are known to be in it.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._read = 0  # bytes of the file that are known
        self._there: dict[bytes, tuple[int, int]] = {}  # place and length of each line
        self._kept: dict[bytes, Answer] = {}  # without a file
        self.sent = self.received = 0
        self.refresh()

    def __len__(self) -> int:
        return len(self._there) + len(self._kept)

    def get(self, key: bytes) -> Answer | None:
        """The answer of a request."""
        if self._path is None:
            return self._kept.get(key)
        if key not in self._there:
            return None
        start, length = self._there[key]
        try:
            with self._path.open("rb") as file:
                file.seek(start)
                found = _parsed(file.read(length))
        except OSError:
            return None
        return found[1] if found is not None and found[0] == key else None

    def put(self, key: bytes, answer: Answer) -> None:
        """Add an answer. Raises InputError if the file cannot be written to."""
        if self._path is None:
            self._kept[key] = answer
            self._count(answer)
            return
        told = {k: v for k, v in asdict(answer).items() if v or k == "content"}
        line = json.dumps({"key": key.hex(), **told}, ensure_ascii=True).encode() + b"\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            number = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                try_lock(number, wait=True)
                size = os.fstat(number).st_size
                whole = not size or os.pread(number, 1, size - 1) == b"\n"
                os.write(number, line if whole else b"\n" + line)
            finally:
                os.close(number)
        except (OSError, ValueError) as error:
            why = f"cannot be written to ({reason(error)}); name another folder (cache)"
            raise InputError(self._path, None, why) from error
        self.refresh()

    def refresh(self) -> None:
        """Take notice of what has been added to the file, also by other processes."""
        if self._path is None or not self._path.exists():
            return
        try:
            with self._path.open("rb") as file:
                file.seek(self._read)
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    if (found := _parsed(line)) is not None:
                        self._there[found[0]] = self._read, len(line)
                        self._count(found[1])
                    self._read += len(line)
        except OSError as error:
            raise InputError(self._path, None, f"cannot be read ({reason(error)})") from error

    def _count(self, answer: Answer) -> None:
        self.sent += answer.sent
        self.received += answer.received


def key_of(*parts: Any) -> bytes:
    """Digest of values for JSON, the same in every run."""
    return sha256(json.dumps(parts, sort_keys=True, ensure_ascii=True).encode()).digest()


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has: one for each three and a half bytes."""
    return -(-len(text.encode("utf-8", "replace")) * 2 // 7)


def _parsed(line: bytes) -> tuple[bytes, Answer] | None:
    """Key and answer of a line; None if it is damaged."""
    try:
        given: Mapping[str, Any] = json.loads(line)
        key = bytes.fromhex(given["key"])
        logprobs = tuple((str(t), float(v)) for t, v in given.get("logprobs", ()))
        counts = Counter({k: int(given.get(k, 0)) for k in ("sent", "received")})
        content, fault = str(given["content"]), str(given.get("fault", ""))
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    return key, Answer(content, fault, counts["sent"], counts["received"], logprobs)
