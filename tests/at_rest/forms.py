"""The shapes in which a text may lie in a file, and a search for all of them."""

import base64
import binascii
import html
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

ENCODINGS = ("utf-8", "gb18030", "utf-16-le", "utf-16-be")
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){12,}")
LARGEST = 1 << 22
"""Bytes that are unpacked of one compressed stream."""
DEEPEST = 3


@dataclass(frozen=True)
class Marks:
    """Words or digits that every canary begins with."""

    words: tuple[str, ...]
    needles: dict[bytes, str] = field(init=False)

    def __post_init__(self) -> None:
        found = {needle: f"{name} of {word}" for word in self.words for name, needle in shapes(word)}
        object.__setattr__(self, "needles", found)

    def seen(self, content: bytes) -> list[str]:
        """Names of the shapes that are in `content` as it lies there."""
        return sorted({name for needle, name in self.needles.items() if content.find(needle) >= 0})

    def seen_within(self, content: bytes, depth: int = DEEPEST) -> list[str]:
        """Also inside compressed, base64 and hex parts, one within another."""
        found = self.seen(content)
        if not found and depth:
            found = [
                f"{kind}: {name}"
                for kind, inner in unpacked(content)
                for name in self.seen_within(inner, depth - 1)
            ]
        return found

    def seen_compressed(self, content: bytes) -> list[str]:
        """Inside compressed streams that begin anywhere in `content`."""
        return sorted({f"zlib: {name}" for inner in inflated(content) for name in self.seen(inner)})


def shapes(word: str) -> Iterator[tuple[str, bytes]]:
    """Every shape of a word by its name."""
    for encoding in ENCODINGS:
        raw = word.encode(encoding)
        yield encoding, raw
        yield f"hex of {encoding}", raw.hex().encode()
        yield f"hex of {encoding}", raw.hex().upper().encode()
        for turn in range(3):
            yield f"base64 of {encoding}", in_base64(raw, turn)
            yield f"base64 of {encoding}", in_base64(raw, turn).translate(bytes.maketrans(b"+/", b"-_"))
    if not word.isascii():
        escaped = json.dumps(word)[1:-1]
        upper = re.sub(r"\\u[0-9a-f]{4}", lambda found: "\\u" + found[0][2:].upper(), escaped)
        for text in (escaped, upper):
            yield "JSON escapes", text.encode()
            yield "JSON escapes twice", text.replace("\\", "\\\\").encode()
        for encoding in ENCODINGS[:2]:
            yield "percent escapes", quote(word, encoding=encoding).encode()
            yield "percent escapes", quote(word, encoding=encoding).lower().encode()
        yield "XML references", "".join(f"&#{ord(one)};" for one in word).encode()
        yield "XML references", "".join(f"&#x{ord(one):x};" for one in word).encode()
        yield "XML references", "".join(f"&#x{ord(one):X};" for one in word).encode()
        assert html.unescape("".join(f"&#{ord(one)};" for one in word)) == word


def in_base64(raw: bytes, turn: int) -> bytes:
    """The letters that stand for `raw` whatever is before and behind it, when `turn` bytes of a triple come before."""
    whole = base64.b64encode(bytes(turn) + raw)
    return whole[(0, 2, 3)[turn] : (turn + len(raw)) * 8 // 6]


def inflated(content: bytes) -> Iterator[bytes]:
    """What zlib and gzip streams anywhere in `content` hold."""
    for found in _ZLIB.finditer(content):
        engine = zlib.decompressobj(wbits=47)
        try:
            inner = engine.decompress(content[found.start() : found.start() + 512], 1024)
            if inner:
                engine = zlib.decompressobj(wbits=47)
                inner = engine.decompress(content[found.start() : found.start() + LARGEST], LARGEST)
        except zlib.error:
            continue
        if inner:
            yield inner


def unpacked(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Compressed, base64 and hex parts of `content`, all of one kind behind one another."""
    if inner := b"\n".join(inflated(content)):
        yield "zlib", inner
    if inner := b"\n".join(bytes.fromhex(found[0].decode()) for found in _HEX.finditer(content)):
        yield "hex", inner
    if inner := b"\n".join(_from_base64(found[0]) for found in _BASE64.finditer(content)):
        yield "base64", inner


def _from_base64(text: bytes) -> bytes:
    letters = text.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(letters + b"=" * (-len(letters) % 4))
    except binascii.Error:  # one letter too many: an id, no base64
        return b""
