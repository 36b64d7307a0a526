"""How a day is told in figures that two sides can compare: heads of streams, digests of parts. Pure.

The rules are those of docs/profiles/shanghai.md (The day); the platform follows the text with code of its own.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from foundation.canonical import canonical

GENESIS = bytes(32)
LINES_IN_A_PART = 1_000
DEEPEST = 2
"""256 parts: their statement still passes the gateway in one request."""


@dataclass(frozen=True, order=True)
class Line:
    """One record that the platform has: its place in its stream, what kind it is, its event's number and digest, its receipt."""

    stream: str
    sequence: int
    method: str
    number: int
    digest: bytes
    receipt: str


def depth_for(events: int) -> int:
    """How many hexadecimal digits of a stream's hash name its part, so that a part has about a thousand lines."""
    depth = 0
    while depth < DEEPEST and events > LINES_IN_A_PART * 16**depth:
        depth += 1
    return depth


def part_of(stream: str, depth: int) -> str:
    """The part a stream belongs to: the first `depth` hexadecimal digits of the SHA-256 of its name."""
    return sha256(stream.encode()).hexdigest()[:depth]


@dataclass
class _Part:
    streams: int = 0
    records: int = 0
    digest: Any = field(default_factory=sha256)


@dataclass
class Fold:
    """Takes the lines of a day, by stream in byte order and in a stream by place and method, and keeps sums only."""

    depth: int
    methods: Counter[str] = field(default_factory=Counter)
    events: int = 0
    _parts: dict[str, _Part] = field(default_factory=dict)
    _stream: str | None = None
    _head: bytes = GENESIS
    _records: int = 0
    _last: int = 0

    def add(self, line: Line) -> None:
        """The next line."""
        if line.stream != self._stream:
            self._finish()
            self._stream, self._head, self._records, self._last = line.stream, GENESIS, 0, 0
        self.events += line.sequence != self._last
        self._last = line.sequence
        self._records += 1
        record = f"{line.method}\0{line.receipt}".encode()
        self._head = sha256(self._head + line.number.to_bytes(8, "big") + line.digest + record).digest()
        self.methods[line.method] += 1

    def _finish(self) -> None:
        if self._stream is None:
            return
        part = self._parts.setdefault(part_of(self._stream, self.depth), _Part())
        part.streams += 1
        part.records += self._records
        text = f"{self._stream}\t{self._records}\t{self._last}\t{self._head.hex()}\n"
        part.digest.update(text.encode())
        self._stream = None

    def totals(self) -> dict[str, Any]:
        """What both statements say in the same words: `events`, `records`, `streams`, `methods`, `parts`."""
        self._finish()
        parts = {
            name: {"digest": part.digest.hexdigest(), "records": part.records, "streams": part.streams}
            for name, part in self._parts.items()
        }
        return {
            "events": self.events,
            "records": sum(part.records for part in self._parts.values()),
            "streams": sum(part.streams for part in self._parts.values()),
            "methods": dict(self.methods),
            "parts": parts,
        }


def folded(lines: Iterable[Line], depth: int) -> dict[str, Any]:
    """`Fold` over lines in any order; the same record twice counts once."""
    fold = Fold(depth)
    for line in sorted(set(lines), key=lambda one: (one.stream.encode(), one.sequence, one.method.encode())):
        fold.add(line)
    return fold.totals()


SAME = ("events", "records", "streams", "methods", "parts")


def same(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """Whether both statements tell the same day."""
    head = theirs.get("chainHash")
    return all(ours[name] == theirs.get(name) for name in SAME) and head in ("", ours["chainHash"])


def differing_parts(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """Names of the parts that differ, in order."""
    mine, yours = ours["parts"], theirs.get("parts", {})
    return sorted(name for name in {*mine, *yours} if mine.get(name) != yours.get(name))


@dataclass(frozen=True)
class Holes:
    """Where two lists of lines differ: what only we have, what only they have."""

    missing: Sequence[Line]
    extra: Sequence[Line]


def holes(ours: Iterable[Line], theirs: Iterable[Line]) -> Holes:
    """The same place with another digest is in both lists."""
    mine, yours = set(ours), set(theirs)
    return Holes(sorted(mine - yours), sorted(yours - mine))


def ranges(numbers: Iterable[int], most: int = 100) -> list[list[int]]:
    """`[first, last]` of each run, the first `most` of them."""
    found: list[list[int]] = []
    for number in sorted(set(numbers)):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        elif len(found) == most:
            break
        else:
            found.append([number, number])
    return found


Record = list[Any]
"""`[number, profile, method, business number, state, receipt]`: a record as a bundle names it."""


class RecordsDigest:
    """Over records in their order, each as canonical JSON with a line feed behind it; `proving.py` computes it again."""

    def __init__(self) -> None:
        self.count = 0
        self._digest = sha256()

    def add(self, record: Record) -> None:
        """The next one."""
        self.count += 1
        self._digest.update(canonical(record) + b"\n")

    def as_text(self) -> dict[str, Any]:
        """As it stands in the closing."""
        return {"count": self.count, "digest": self._digest.hexdigest()}
