"""A picture such as a phone sends: a real PNG, made without a library of pictures."""

import struct
import zlib

SIDE = 16
GREY_EIGHT_BITS = (8, 0, 0, 0, 0)


def a_picture() -> bytes:
    """A grey square (PNG, W3C Recommendation, chunks IHDR, IDAT and IEND)."""
    rows = (b"\x00" + bytes(range(0, SIDE * 8, 8))) * SIDE
    header = struct.pack(">IIBBBBB", SIDE, SIDE, *GREY_EIGHT_BITS)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
