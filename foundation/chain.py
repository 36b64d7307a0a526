"""A hash chain over numbered entries: edit, delete, insert or reorder one, and every later link breaks."""

from collections.abc import Iterable
from dataclasses import dataclass

from foundation.canonical import sha256

GENESIS = bytes(32)


def link(previous: bytes, number: int, digest: bytes) -> bytes:
    """Head after entry `number` with `digest` (32 bytes) follows the head `previous` (32 bytes)."""
    return sha256(previous + number.to_bytes(8, "big") + digest)


@dataclass(frozen=True)
class Entry:
    """One link as it was stored."""

    number: int
    digest: bytes
    head: bytes


def first_break(entries: Iterable[Entry], *, start: bytes = GENESIS, first: int = 1) -> int | None:
    """Number of the first entry that does not follow the one before; None when the chain holds."""
    head, expected = start, first
    for entry in entries:
        if entry.number != expected or entry.head != link(head, entry.number, entry.digest):
            return expected
        head, expected = entry.head, expected + 1
    return None
