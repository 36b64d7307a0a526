"""One kind of record: which numbers an event reports under it, and how the record is built."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from regulator_adapter.mapping.source import Source

Numbers = Callable[[Any], Sequence[str]]
Build = Callable[[Source[Any], str], dict[str, Any]]


@dataclass(frozen=True)
class RecordKind:
    """`numbers(event)` are the business numbers to report, none when the event has nothing for this method.

    `build(source, number)` makes the record of one of them; missing values are None, unknown codes `codesets.Unknown`.
    `looks_back`: it reads earlier events of the stream, so it waits until they are all here.
    `settles`: what it says may still change until it goes out, so it is made again then, with what came later in the stream.
    """

    profile: str
    method: str
    numbers: Numbers
    build: Build
    looks_back: bool = False
    settles: bool = False
