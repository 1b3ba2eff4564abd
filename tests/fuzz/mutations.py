"""Mutations of valid inputs: of bytes, lines, tokens and JSON values, by a seeded generator."""

import json
import struct
from random import Random

# What readers have stumbled over elsewhere: numbers, names, invisible and broken characters.
ODD = [
    *("0", "-1", "1e999", "-1e-999", "9" * 25, "9" * 5000, "2147483648", "18446744073709551616"),
    *("NaN", "Infinity", "-Infinity", "1.5", "0x_", "0b", "1:30", "2024-02-30", "true", "null"),
    *("", " ", "\t", "\t\t", "|||", "-", ":", ",", '"', "'", "\\", "\\u0000", "\\ud800", "#", "%s"),
    *("\0", "\x07", "\x1b[2J", "\x85", "\xa0", "\xad", "\u200b", "\u200d", "\u2028", "\u202e"),
    *("\u3000", "\ufeff", "\ufffe", "\U000e0001", "e\u0301", "\U0001f469\u200d\U0001f680", "ﬁ"),
    *("O", "B-", "I-X", "B-LOC;B-ORG", "-DOCSTART-", "B-\u202eX", "0-0", "7-99999999999", "a:b"),
    *("!!bool x", "!!python/object:os.system", "&a [*a]", "*a", "<<: {}", "? [a]", "- - - -", "|"),
    *("/dev/null", "../..", "a" * 5000, "{", "}", "[", "]", "[" * 3000, '{"a":' * 2000, "(0, 1)"),
]
_NUMBERS = [
    0,
    1,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0xFFFF,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**63 - 1,
    2**64 - 1,
]
_SEPARATORS = " \t\n,:;|-\"'[]{}()"


def mutated(seed: bytes, rng: Random, others: list[bytes]) -> bytes:
    """A seed after one to four mutations; now and then only random bytes."""
    if rng.random() < 0.02:
        return rng.randbytes(rng.choice([0, 1, 7, 300]))
    data = seed
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        data = rng.choice(_WAYS)(data, rng, others)
    return data[:200_000]


def _bits(data: bytes, rng: Random, others: list[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 3, 16])):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _cut(data: bytes, rng: Random, others: list[bytes]) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _slice(data: bytes, rng: Random) -> tuple[int, int]:
    a = rng.randrange(len(data) + 1)
    return a, min(len(data), a + rng.choice([1, 2, 8, 64, 1000]))


def _removed(data: bytes, rng: Random, others: list[bytes]) -> bytes:
    a, b = _slice(data, rng)
    return data[:a] + data[b:]


def _repeated(data: bytes, rng: Random, others: list[bytes]) -> bytes:
    a, b = _slice(data, rng)
    return data[:b] + data[a:b] * rng.choice([1, 1, 50]) + data[b:]


def _inserted(data: bytes, rng: Random, others: list[bytes]) -> bytes:
    a = rng.randrange(len(data) + 1)
    piece = rng.choice(ODD).encode("utf-8") if rng.random() < 0.8 else rng.randbytes(3)
    return data[:a] + piece + data[a:]


def _number(data: bytes, rng: Random, others: list[bytes]) -> bytes:
    """Another number of one, two, four or eight bytes, as in the head of a binary file."""
    size = rng.choice([1, 2, 4, 8])
    near = rng.random() < 0.5  # heads stand at the beginning
    a = rng.randrange(max(1, min(len(data), 200 if near else len(data))))
    number = rng.choice(_NUMBERS) & (256**size - 1)
    return data[:a] + struct.pack("<Q", number)[:size] + data[a + size :]


def _spliced(data: bytes, rng: Random, others: list[bytes]) -> bytes:
    other = rng.choice(others)
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


def _lines(data: bytes, rng: Random, others: list[bytes]) -> bytes:
    lines = data.split(b"\n")
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    way = rng.randrange(6)
    if way == 0:
        del lines[a]
    elif way == 1:
        lines.insert(b, lines[a])
    elif way == 2:
        lines[a], lines[b] = lines[b], lines[a]
    elif way == 3:
        rng.shuffle(lines)
    elif way == 4:
        lines.insert(a, rng.choice([b"", b" ", b"\r", b"\t", b"# x"]))
    return (b"\r\n" if way == 5 else b"\n").join(lines)


def _token(data: bytes, rng: Random, others: list[bytes]) -> bytes:
    """An odd string in place of what stands between two separators."""
    text = data.decode("utf-8", "surrogateescape")
    if not text:
        return data
    a = b = rng.randrange(len(text))
    while a > 0 and text[a - 1] not in _SEPARATORS:
        a -= 1
    while b < len(text) and text[b] not in _SEPARATORS:
        b += 1
    return (text[:a] + rng.choice(ODD) + text[b:]).encode("utf-8", "surrogateescape")


def _json(data: bytes, rng: Random, others: list[bytes]) -> bytes:
    """Another value at some path of the JSON in a line, or in the whole file."""
    for pieces in ([data], data.split(b"\n")):
        n = rng.randrange(len(pieces))
        try:
            value = json.loads(pieces[n])
        except (ValueError, RecursionError):
            continue
        written = json.dumps(other_value(value, rng), ensure_ascii=rng.random() < 0.5)
        if rng.random() < 0.1:  # a key twice
            written = written.replace("{", '{"id": 1, "id": 2, ', 1)
        pieces[n] = written.encode("utf-8", "surrogatepass")
        return b"\n".join(pieces)
    return _token(data, rng, others)


def other_value(value: object, rng: Random) -> object:
    """The same value of JSON with another one somewhere in it."""
    inner = list(value) if isinstance(value, dict) else range(len(value or ())) if isinstance(value, list) else ()  # fmt: skip  # noqa: E501
    if not inner or rng.random() < 0.15:
        return _odd_value(value, rng)
    assert isinstance(value, dict | list)
    key = rng.choice(list(inner))
    copy = value.copy()
    way = rng.random()
    if way < 0.1:
        del copy[key]
    elif way < 0.2 and isinstance(copy, dict):
        copy[rng.choice([*ODD, *copy])] = copy.pop(key)
    elif way < 0.2 and isinstance(copy, list):
        copy.insert(key, rng.choice(copy))
    else:
        copy[key] = other_value(copy[key], rng)
    return copy


def _odd_value(value: object, rng: Random) -> object:
    deep: object = 0
    if rng.random() < 0.05:
        for _ in range(rng.choice([30, 300])):
            deep = {"a": deep} if rng.random() < 0.5 else [deep]
        return deep
    if type(value) in (int, float) and rng.random() < 0.5:
        return rng.choice([-1, 0, 1, 2, 3, 1000, 2**31, 2**63, 10**30, 1e308, -0.0, 0.5])
    return rng.choice(
        [None, True, False, 0, -1, 2**31, 2**64, 10**25, 0.5, -1.5, 1e308, float("nan"),
         float("inf"), [], {}, [[]], [None], {"": None}, [value], [value] * 3, {"a": value},
         str(value)[:1000], rng.choice(ODD)]
    )  # fmt: skip


_WAYS = [_bits, _cut, _removed, _repeated, _inserted, _number, _spliced, _lines, _token, _token]
_WAYS += [_json, _json, _json]
