"""Drawn pictures: 8-bit stored values, made row by row from spans of ellipses, windowed and written as PNG."""

import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from math import sin, sqrt

_LETTERS = {
    "D": ("1110", "1001", "1001", "1001", "1110"),
    "E": ("1111", "1000", "1110", "1000", "1111"),
    "M": ("10001", "11011", "10101", "10001", "10001"),
    "O": ("0110", "1001", "1001", "1001", "0110"),
}
_MARK = tuple("0".join(_LETTERS[letter][row] for letter in "DEMO") for row in range(5))
_BOLD = 2
STEP, FLOOR = 8, -1_024
"""A stored value v stands for v * STEP + FLOOR in the unit of the window (for CT: Hounsfield)."""


@dataclass(frozen=True)
class Ellipse:
    """Filled with `value`; sizes are parts of the picture's side."""

    x: float
    y: float
    wide: float
    high: float
    value: int


def size_of(modality: str) -> tuple[int, int]:
    """(columns, rows)."""
    return {"CT": (256, 256), "MR": (256, 256), "US": (320, 240)}.get(modality, (400, 480))


@lru_cache(maxsize=8)
def drawn(modality: str, place: float) -> tuple[bytes, ...]:
    """Rows of stored values; `place` from 0 to 1 is where in the body, or in time, the picture is."""
    columns, rows = size_of(modality)
    shapes = _shapes(modality, place)
    made = []
    for y in range(rows):
        row = bytearray(columns)
        for shape in shapes:
            across = 1 - ((y / rows - shape.y) / shape.high) ** 2
            if across > 0:
                half = shape.wide * sqrt(across)
                left = max(0, int((shape.x - half) * columns))
                right = min(columns, int((shape.x + half) * columns))
                row[left:right] = _graded(shape.value, y, right - left)
        made.append(row)
    _sign(made)
    return tuple(bytes(row) for row in made)


def png(
    rows: tuple[bytes, ...], window: tuple[float, float] | None, viewport: tuple[int, int] | None
) -> bytes:
    """8-bit grey; `window` is (centre, width), `viewport` (columns, rows) that it is fitted into."""
    if viewport is not None:
        rows = _fitted(rows, *viewport)
    if window is not None:
        table = bytes(_windowed(value, *window) for value in range(256))
        rows = tuple(row.translate(table) for row in rows)
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 6)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _shapes(modality: str, place: float) -> list[Ellipse]:
    if modality in ("CT", "MR"):
        lung = 0.17 * sin(0.35 + 2.4 * place)
        return [
            Ellipse(0.5, 0.52, 0.42, 0.32, 118), Ellipse(0.5, 0.52, 0.39, 0.29, 135),
            Ellipse(0.31, 0.50, lung, lung * 1.25, 24), Ellipse(0.69, 0.50, lung, lung * 1.25, 24),
            Ellipse(0.54, 0.46, 0.09 + 0.03 * place, 0.10, 142), Ellipse(0.5, 0.74, 0.06, 0.06, 220),
            Ellipse(0.5, 0.74, 0.02, 0.02, 130), Ellipse(0.27 + 0.1 * place, 0.45, 0.012, 0.012, 140),
        ]  # fmt: skip
    if modality == "US":
        beat = 0.03 * sin(6.28 * place)
        return [
            Ellipse(0.5, 0.5, 0.46, 0.48, 96), Ellipse(0.45, 0.5, 0.20 + beat, 0.22 + beat, 30),
            Ellipse(0.62, 0.42, 0.07, 0.06 - beat, 150), Ellipse(0.36, 0.62, 0.05, 0.04, 190),
        ]  # fmt: skip
    ribs = [Ellipse(0.5, 0.18 + 0.085 * number, 0.38, 0.012, 165) for number in range(8)]
    return [
        Ellipse(0.5, 0.55, 0.45, 0.60, 120), Ellipse(0.30, 0.47, 0.15, 0.32, 45), Ellipse(0.70, 0.47, 0.15, 0.32, 45),
        *ribs, Ellipse(0.5, 0.5, 0.035, 0.55, 205), Ellipse(0.57, 0.60, 0.13, 0.15, 175),
    ]  # fmt: skip


def _graded(value: int, y: int, length: int) -> bytes:
    """A span with some grain, so that a picture has something to compress and to look at."""
    grain = bytes(max(0, min(255, value + (x * 7 + y * 13) % 9 - 4)) for x in range(16))
    return (grain * (length // 16 + 1))[: max(0, length)]


def _sign(rows: list[bytearray]) -> None:
    for line, bits in enumerate(_MARK):
        for place, bit in enumerate(bits):
            if bit == "1":
                for row in rows[8 + line * _BOLD : 8 + (line + 1) * _BOLD]:
                    row[8 + place * _BOLD : 8 + (place + 1) * _BOLD] = b"\xff" * _BOLD


def _fitted(rows: tuple[bytes, ...], most_columns: int, most_rows: int) -> tuple[bytes, ...]:
    columns, count = len(rows[0]), len(rows)
    scale = min(most_columns / columns, most_rows / count)
    wide, high = max(1, round(columns * scale)), max(1, round(count * scale))
    picks = [int(x * columns / wide) for x in range(wide)]
    return tuple(bytes(rows[int(y * count / high)][x] for x in picks) for y in range(high))


def _windowed(value: int, centre: float, width: float) -> int:
    """PS3.3 C.11.2.1.2.1, linear."""
    stored = value * STEP + FLOOR
    return max(0, min(255, round(((stored - (centre - 0.5)) / max(1.0, width - 1) + 0.5) * 255)))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
