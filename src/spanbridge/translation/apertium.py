"""Apertium (Debian's ``apertium`` and pair packages): rule-based, small, no network, GPL programs.

The programs run as a process of their own, kept warm; a sentence takes a millisecond or two.
"""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.records import file_digest
from spanbridge.formats.languages import Language
from spanbridge.translation.base import Translation, Translator, UnsupportedPairError

PROGRAM = "apertium"
_APT = "apt install"  # of Debian and Ubuntu, which alone have packages of most pairs
FOLDERS = (Path("/usr/share/apertium/modes"), Path("/usr/local/share/apertium/modes"))
# Characters that mean something in Apertium's stream format.
_RESERVED = re.compile(r"([\\^$@*/<>\[\]{}])")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
# Stand-ins for ^, after which the programs wait for more, escaped or not.
_CARETS = "\uff3e\u2303\u02c6\u2038"
SECONDS = 30.0  # limit per sentence


class ApertiumTranslator(Translator):
    """Translates with an installed Apertium pair.

    A process that dies or takes too long is started again; the sentence that it happened with is
    tried once more and then given up, as ``failed``.

    Args:
        seconds: time limit per sentence, above 0.

    Raises:
        MissingExtraError: Apertium is not installed.
    """

    licence = "GPL-2.0-or-later"
    programs = MappingProxyType({PROGRAM: f"{_APT} {PROGRAM} apertium-eng-spa"})
    more_models = f"{_APT} apertium-eng-spa (a pair; apt search apertium- lists others)"

    def __init__(self, seconds: float = SECONDS) -> None:
        if not seconds > 0:
            raise SpanbridgeError(f"seconds is {seconds}, but must be above 0")
        self._seconds = seconds
        self._warm: dict[str, _Process] = {}

    def describe(self, source: Language, target: Language) -> str:
        """Name, version of the programs, the pair, and a fingerprint of its data."""
        name = self._pair(source, target)
        return f"apertium({_version()},{name}@{_fingerprint(pairs()[name])})"

    def translate(
        self, sentences: Sequence[str], source: Language, target: Language
    ) -> list[Translation]:
        """Translate sentences, one after the other."""
        name = self._pair(source, target)
        if name not in self._warm:
            self._warm[name] = _Process(pairs()[name], self._seconds)
        return [self._one(self._warm[name], sentence) for sentence in sentences]

    def _one(self, process: _Process, sentence: str) -> Translation:
        for _ in range(2):
            answer = process.ask(sentence)
            if answer is not None:
                return Translation(answer)
        return Translation("", status="failed: the translator died or took too long")

    def _pair(self, source: Language, target: Language) -> str:
        known = pairs()
        for s in (source.iso3, source.iso1):
            for t in (target.iso3, target.iso1):
                if f"{s}-{t}" in known:
                    return f"{s}-{t}"
        raise UnsupportedPairError(
            f"Apertium has no pair {source.iso3}-{target.iso3} here; installed: "
            f"{', '.join(sorted(known)) or 'none'}; more by {self.more_models}"
        )

    @classmethod
    def installed(cls) -> list[str]:
        """The pairs, each with its direction."""
        return sorted(pairs())

    def close(self) -> None:
        """End the processes."""
        for process in self._warm.values():
            process.stop()
        self._warm.clear()

    def __del__(self) -> None:
        if hasattr(self, "_warm"):
            self.close()


def pairs() -> dict[str, Path]:
    """The installed directions, each with its mode file, which lists the programs to run."""
    return {path.stem: path for folder in FOLDERS for path in sorted(folder.glob("*.mode"))}


def pipeline(mode: str) -> str:
    """A shell command out of a mode file: every program flushes at a zero byte (``-z``).

    The ``apertium`` script has an option for that, but other parts of its own pipeline hold back.
    """
    filled = mode.strip().replace("$1", "-n").replace("$2", "")  # -n: no marks on unknown words
    programs = (command.strip().partition(" ") for command in filled.split("|"))
    return " | ".join(f"{name} -z {arguments}" for name, _, arguments in programs)


def _fingerprint(mode: Path) -> str:
    """Eight hexadecimal digits of the digest of a pair's mode file and the data that it names."""
    data = (Path(name) for name in re.findall(r"'([^']+)'", mode.read_text("utf-8")))
    digests = "".join(file_digest(path) for path in (mode, *data) if path.is_file())
    return sha256(digests.encode()).hexdigest()[:8]


def _version() -> str:
    command = [PROGRAM, "-V"]  # nothing of the user's
    said = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return (said.stdout.split() or ["?"])[-1]


class _Process:
    """One pair's programs, asked one sentence after another."""

    def __init__(self, mode: Path, seconds: float) -> None:
        self._mode = mode
        self._seconds = seconds
        self._running: subprocess.Popen[bytes] | None = None

    def ask(self, sentence: str) -> str | None:
        """The translation, or None if the process died or took too long."""
        # a newline before the zero byte: some of the programs hold back the last word without it
        plain = " ".join(sentence.replace("\0", " ").split())
        caret = next((sign for sign in _CARETS if sign not in plain), _CARETS[0])
        swapped = "^" in plain
        text = _RESERVED.sub(r"\\\1", plain.replace("^", caret))
        if self._running is None or self._running.poll() is not None:
            self._start()
        running = self._running
        assert running is not None
        assert running.stdin is not None
        try:
            running.stdin.write(text.encode() + b"\n\0")
            running.stdin.flush()
        except OSError:
            self.stop()
            return None
        answer = self._read(running)
        if answer is None:
            self.stop()
            return None
        found = " ".join(_ESCAPED.sub(r"\1", answer).split())
        return found.replace(caret, "^") if swapped else found

    def _read(self, running: subprocess.Popen[bytes]) -> str | None:
        assert running.stdout is not None
        answer = b""
        with selectors.DefaultSelector() as ready:
            ready.register(running.stdout, selectors.EVENT_READ)
            while not answer.endswith(b"\0"):
                if not ready.select(self._seconds):
                    return None
                part = os.read(running.stdout.fileno(), 1 << 16)
                if not part:
                    return None
                answer += part
        return answer[:-1].decode("utf-8", "replace")

    def _start(self) -> None:
        self.stop()
        # what runs is what the installed pair's mode file says, none of the user's text
        self._running = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", pipeline(self._mode.read_text("utf-8"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a pipeline of ten programs, ended together
        )

    def stop(self) -> None:
        """End the process, with all that it started."""
        if self._running is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._running.pid, signal.SIGKILL)
        self._running.wait()
        for pipe in (self._running.stdin, self._running.stdout):
            if pipe is not None:
                pipe.close()
        self._running = None
