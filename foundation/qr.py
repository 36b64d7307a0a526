"""QR codes (ISO/IEC 18004): a short text in byte mode at error correction level M, versions 1 to 6. Drawn as SVG, no picture needed."""

from collections.abc import Iterator, Sequence

LEVEL_M = 0b00
BLOCKS: tuple[tuple[int, int, int], ...] = (
    (1, 16, 10), (1, 28, 16), (1, 44, 26), (2, 32, 18), (2, 43, 24), (4, 27, 16),
)  # fmt: skip
"""Per version: blocks, data codewords of each, error correction codewords of each (ISO/IEC 18004, table 9)."""
QUIET = 4

Matrix = list[list[bool]]


def _field() -> tuple[list[int], list[int]]:
    powers, logs, value = [0] * 512, [0] * 256, 1
    for exponent in range(255):
        powers[exponent] = powers[exponent + 255] = value
        logs[value] = exponent
        value = value << 1 ^ (0x11D if value & 0x80 else 0)
    return powers, logs


_POWERS, _LOGS = _field()


def _times(one: int, other: int) -> int:
    return _POWERS[_LOGS[one] + _LOGS[other]] if one and other else 0


def _remainder(data: Sequence[int], count: int) -> list[int]:
    """Reed–Solomon: `count` error correction codewords."""
    generator = [1]
    for exponent in range(count):
        longer = [*generator, 0]
        for place, factor in enumerate(generator):
            longer[place + 1] ^= _times(factor, _POWERS[exponent])
        generator = longer
    rest = [*data, *[0] * count]
    for place in range(len(data)):
        lead = rest[place]
        for step, factor in enumerate(generator):
            rest[place + step] ^= _times(factor, lead)
    return rest[len(data) :]


def codewords(text: bytes) -> tuple[int, list[int]]:
    """The version that is large enough and its codewords in the order in which they are drawn; `ValueError` over 106 bytes."""
    fitting = (number for number, (blocks, data, _) in enumerate(BLOCKS, 1) if len(text) + 2 <= blocks * data)
    version = next(fitting, 0)
    if not version:
        raise ValueError("too long for a QR code of version 6")
    blocks, size, correction = BLOCKS[version - 1]
    bits = f"0100{len(text):08b}" + "".join(f"{byte:08b}" for byte in text) + "0000"
    bits = bits[: blocks * size * 8]
    bits += "0" * (-len(bits) % 8)
    data = [int(bits[place : place + 8], 2) for place in range(0, len(bits), 8)]
    data += [(0xEC, 0x11)[number % 2] for number in range(blocks * size - len(data))]
    parts = [data[number * size : (number + 1) * size] for number in range(blocks)]
    checks = [_remainder(part, correction) for part in parts]
    return version, [
        one[place] for group in (parts, checks) for place in range(len(group[0])) for one in group
    ]


def matrix(text: str) -> Matrix:
    """Rows of modules, dark ones true, without the quiet zone."""
    version, words = codewords(text.encode())
    size = 17 + 4 * version
    fixed = _fixed(version, size)
    bits = [bool(word >> shift & 1) for word in words for shift in range(7, -1, -1)]
    places = [place for place in _zigzag(size) if place not in fixed]
    bits += [False] * (len(places) - len(bits))
    drawn = [_masked(size, fixed, dict(zip(places, bits, strict=True)), mask) for mask in range(8)]
    return min(drawn, key=_penalty)


def svg(text: str) -> str:
    """The code with its quiet zone as an SVG element of one path; black on white in every scheme."""
    rows = matrix(text)
    size = len(rows) + 2 * QUIET
    path = "".join(
        f"M{x + QUIET} {y + QUIET}h1v1h-1z"
        for y, row in enumerate(rows)
        for x, dark in enumerate(row)
        if dark
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" shape-rendering="crispEdges" role="img">'
        f'<rect width="{size}" height="{size}" fill="#fff"/><path d="{path}" fill="#000"/></svg>'
    )


def _fixed(version: int, size: int) -> dict[tuple[int, int], bool]:
    """Finders, alignment, timing, the dark module, and room for the format."""
    found: dict[tuple[int, int], bool] = {}
    for top, left in ((0, 0), (0, size - 7), (size - 7, 0)):
        for y in range(-1, 8):
            for x in range(-1, 8):
                if 0 <= top + y < size and 0 <= left + x < size:
                    ring = max(abs(y - 3), abs(x - 3))
                    found[top + y, left + x] = ring in (0, 1, 3)
    if version > 1:
        middle = size - 7
        for y in range(-2, 3):
            for x in range(-2, 3):
                found[middle + y, middle + x] = max(abs(y), abs(x)) != 1
    for place in range(8, size - 8):
        found[6, place] = found[place, 6] = place % 2 == 0
    for one in (*_format_places(size)[0], *_format_places(size)[1]):
        found.setdefault(one, False)
    found[size - 8, 8] = True
    return found


def _format_places(size: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Where the fifteen format bits stand, most significant first, twice."""
    first = [(8, x) for x in (0, 1, 2, 3, 4, 5, 7, 8)] + [(y, 8) for y in (7, 5, 4, 3, 2, 1, 0)]
    second = [(size - 1 - step, 8) for step in range(7)] + [(8, size - 8 + step) for step in range(8)]
    return first, second


def format_bits(mask: int) -> int:
    """Level and mask with their BCH code (15, 5), masked."""
    data = LEVEL_M << 3 | mask
    rest = data << 10
    for shift in range(4, -1, -1):
        if rest >> shift + 10 & 1:
            rest ^= 0x537 << shift
    return (data << 10 | rest) ^ 0x5412


def _zigzag(size: int) -> Iterator[tuple[int, int]]:
    """Two columns at a time from the right, up and down; the timing column is left out."""
    upward = True
    for right in range(size - 1, 0, -2):
        column = right - 1 if right <= 6 else right
        for step in range(size):
            y = size - 1 - step if upward else step
            yield y, column
            yield y, column - 1
        upward = not upward


MASKS = (
    lambda y, x: (y + x) % 2 == 0,
    lambda y, x: y % 2 == 0,
    lambda y, x: x % 3 == 0,
    lambda y, x: (y + x) % 3 == 0,
    lambda y, x: (y // 2 + x // 3) % 2 == 0,
    lambda y, x: y * x % 2 + y * x % 3 == 0,
    lambda y, x: (y * x % 2 + y * x % 3) % 2 == 0,
    lambda y, x: ((y + x) % 2 + y * x % 3) % 2 == 0,
)


def _masked(
    size: int, fixed: dict[tuple[int, int], bool], data: dict[tuple[int, int], bool], mask: int
) -> Matrix:
    cells = fixed | {place: bit ^ MASKS[mask](*place) for place, bit in data.items()}
    word = format_bits(mask)
    for places in _format_places(size):
        for number, place in enumerate(places):
            cells[place] = bool(word >> 14 - number & 1)
    cells[size - 8, 8] = True
    return [[cells[y, x] for x in range(size)] for y in range(size)]


def _penalty(rows: Matrix) -> int:
    """How hard a mask makes it for a reader (ISO/IEC 18004, 7.8.3)."""
    size, total = len(rows), 0
    for lines in (rows, [list(column) for column in zip(*rows, strict=True)]):
        for line in lines:
            text = "".join("1" if dark else "0" for dark in line)
            runs = [len(run) for run in text.replace("01", "0 1").replace("10", "1 0").split()]
            total += sum(run - 2 for run in runs if run >= 5)
            total += 40 * sum(text.startswith(("10111010000", "00001011101"), place) for place in range(size))
    for y in range(size - 1):
        for x in range(size - 1):
            total += 3 * (rows[y][x] == rows[y][x + 1] == rows[y + 1][x] == rows[y + 1][x + 1])
    dark = sum(map(sum, rows))
    return total + abs(dark * 20 // (size * size) - 10) * 10
