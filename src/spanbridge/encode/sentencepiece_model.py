"""Conversion of a vocabulary to a SentencePiece model: pieces and scores to ``ModelProto`` bytes.

SentencePiece's own library then tokenises, so that its normalisation (``nmt_nfkc``) and its Viterbi
search are not reimplemented here. The fields used, of ``sentencepiece_model.proto``:
``ModelProto.pieces = 1`` with ``piece = 1, score = 2, type = 3``; the normaliser is a ready-made
proto from the library, and concatenating protos merges them.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

NORMAL, UNKNOWN, CONTROL = 1, 2, 3


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _message(field: int, payload: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(payload)) + payload


def build_model(
    pieces: Sequence[str], scores: Sequence[float], unk: int, specials: set[int]
) -> bytes:
    """Serialise a unigram model with the ``nmt_nfkc`` normalisation of XLM-R's vocabulary.

    Args:
        pieces: index = id.
        scores: log-probability of each piece.
        unk: id of the unknown token.
        specials: ids that never match text (``<s>``, ``</s>``, ``<pad>``, ``<mask>``).

    Returns:
        The bytes of a ``.model`` file.
    """
    parts = []
    for i, (piece, score) in enumerate(zip(pieces, scores, strict=True)):
        kind = UNKNOWN if i == unk else CONTROL if i in specials else NORMAL
        body = _message(1, piece.encode()) + _varint(2 << 3 | 5) + struct.pack("<f", score)
        parts.append(_message(1, body + _varint(3 << 3) + _varint(kind)))
    parts.append(_normaliser())
    return b"".join(parts)


def _normaliser() -> bytes:
    """``ModelProto`` that holds only ``nmt_nfkc``."""
    import sentencepiece

    made = sentencepiece.SentencePieceNormalizer(rule_name="nmt_nfkc")
    return bytes(made.serialized_model_proto())


def character_map() -> bytes:
    """SentencePiece's compiled ``nmt_nfkc``: ``precompiled_charsmap = 2`` in a ``ModelProto``."""
    return _field(_field(_normaliser(), 3), 2)


def _field(message: bytes, number: int) -> bytes:
    """Length-delimited field of a protocol buffer."""
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        if key & 7 == 2:
            size, at = _read_varint(message, at)
            if key >> 3 == number:
                return message[at : at + size]
            at += size
        elif key & 7 == 0:
            _, at = _read_varint(message, at)
        else:
            at += 4 if key & 7 == 5 else 8
    raise ValueError(f"no field {number}; is sentencepiece a newer version?")


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return value, at
        shift += 7
