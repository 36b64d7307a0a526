"""A QR code, read again by a reader that shares no line with the writer (ISO/IEC 18004)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from foundation.qr import format_bits, matrix, svg

FORMATS_M = (
    "101010000010010", "101000100100101", "101111001111100", "101101101001011", "100010111111001", "100000011001110",
    "100111110010111", "100101010100000",
)  # fmt: skip
"""Level M with masks 0 to 7, from the table of the standard."""
SHAPES = {
    21: (1, 16, 10),
    25: (1, 28, 16),
    29: (1, 44, 26),
    33: (2, 32, 18),
    37: (2, 43, 24),
    41: (4, 27, 16),
}


def multiply(one: int, other: int) -> int:
    """In GF(2^8) modulo x^8+x^4+x^3+x^2+1, bit by bit."""
    result = 0
    while other:
        if other & 1:
            result ^= one
        one = (one << 1) ^ (0x11D if one & 0x80 else 0)
        other >>= 1
    return result


def is_function(y: int, x: int, size: int) -> bool:
    corner = (y < 9 and x < 9) or (y < 9 and x >= size - 8) or (y >= size - 8 and x < 9)
    aligned = size > 21 and size - 9 <= y <= size - 5 and size - 9 <= x <= size - 5
    return corner or aligned or y == 6 or x == 6


def flipped(mask: int, y: int, x: int) -> bool:
    return [
        (y + x) % 2, y % 2, x % 3, (y + x) % 3, (y // 2 + x // 3) % 2, (y * x) % 2 + (y * x) % 3,
        ((y * x) % 2 + (y * x) % 3) % 2, ((y + x) % 2 + (y * x) % 3) % 2,
    ][mask] == 0  # fmt: skip


def read(rows: list[list[bool]]) -> bytes:
    """What a reader sees: format, mask, codewords, syndromes, bytes."""
    size = len(rows)
    shown = "".join("1" if rows[8][x] else "0" for x in (0, 1, 2, 3, 4, 5, 7, 8))
    shown += "".join("1" if rows[y][8] else "0" for y in (7, 5, 4, 3, 2, 1, 0))
    again = "".join("1" if rows[size - 1 - step][8] else "0" for step in range(7))
    again += "".join("1" if rows[8][size - 8 + step] else "0" for step in range(8))
    assert shown == again
    mask = FORMATS_M.index(shown)
    bits, up, right = [], True, size - 1
    while right > 0:
        right -= right == 6
        for y in range(size - 1, -1, -1) if up else range(size):
            for x in (right, right - 1):
                if not is_function(y, x, size):
                    bits.append(rows[y][x] != flipped(mask, y, x))
        up, right = not up, right - 2
    words = [
        sum(bit << 7 - place for place, bit in enumerate(bits[at : at + 8]))
        for at in range(0, len(bits) - 7, 8)
    ]
    blocks, data, correction = SHAPES[size]
    data_part, check_part = words[: blocks * data], words[blocks * data : blocks * (data + correction)]
    message: list[int] = []
    for number in range(blocks):
        whole = data_part[number::blocks] + check_part[number::blocks]
        power = 1
        for _ in range(correction):
            value = 0
            for word in whole:
                value = multiply(value, power) ^ word
            assert value == 0, "a syndrome that is not zero"
            power = multiply(power, 2)
        message += data_part[number::blocks]
    stream = "".join(f"{word:08b}" for word in message)
    assert stream[:4] == "0100"
    length = int(stream[4:12], 2)
    return bytes(int(stream[12 + 8 * at : 20 + 8 * at], 2) for at in range(length))


def test_formats_are_those_of_the_standard() -> None:
    assert [f"{format_bits(mask):015b}" for mask in range(8)] == list(FORMATS_M)


@pytest.mark.parametrize("length", [1, 14, 15, 26, 42, 62, 63, 84, 106])
def test_every_size_is_read_again(length: int) -> None:
    text = ("https://hospital.example/pay/ABCDEFGHJK" * 3)[:length]

    assert read(matrix(text)) == text.encode()


@settings(deadline=None, max_examples=30)
@given(some.text(alphabet=some.characters(codec="utf-8"), min_size=1, max_size=25))
def test_any_short_text_is_read_again(text: str) -> None:
    assert read(matrix(text)) == text.encode()


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        matrix("x" * 107)


def test_the_picture_has_a_quiet_zone_and_no_script() -> None:
    drawn = svg("PAY")

    assert drawn.startswith('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 29 29"')
    assert "M4 4h1v1h-1z" in drawn
    assert "script" not in drawn
