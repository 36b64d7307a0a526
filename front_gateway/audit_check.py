"""Checks an audit file against its own chain and against the file before it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from foundation.canonical import canonical, sha256
from foundation.chain import GENESIS, Entry, first_break
from front_gateway.audit_file import file_name


@dataclass(frozen=True)
class Verdict:
    """`problem` is empty when the chain holds; `lines` and `head` are what was read."""

    lines: int
    head: str
    problem: str = ""


def verify_day(folder: Path, gateway: str, day: date) -> Verdict:
    """The verdict on one day's file of one gateway."""
    path = folder / file_name(gateway, day)
    try:
        lines = list(_lines(path))
    except FileNotFoundError:
        return Verdict(0, "", f"there is no file {path.name}")
    except ValueError as error:
        return Verdict(0, "", str(error))
    if not lines or lines[0].get("kind") != "opened":
        return Verdict(len(lines), "", "the first line is not the opening one")
    try:
        entries = [_entry(line) for line in lines]
        start = bytes.fromhex(str(lines[0]["follows_head"]))
        broken = first_break(entries, start=start, first=entries[0].number)
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        return Verdict(len(lines), "", f"a line has no usable number, head or content ({error!r})")
    if broken is not None:
        return Verdict(len(lines), "", f"the chain breaks at line number {broken}")
    return Verdict(len(lines), entries[-1].head.hex(), _before(folder, lines[0], entries[0].number))


def _before(folder: Path, opening: dict[str, Any], number: int) -> str:
    """What is wrong with how the file follows the one before it."""
    follows = str(opening.get("follows", ""))
    if not follows:
        first = number == 1 and opening["follows_head"] == GENESIS.hex()
        return "" if first else "the file follows nothing but does not begin the chain"
    try:
        last = list(_lines(folder / Path(follows).name))[-1]
    except (FileNotFoundError, IndexError):
        return f"the file before it, {follows}, is missing"
    except ValueError as error:
        return str(error)
    if last.get("head") != opening["follows_head"] or last.get("number") != number - 1:
        return f"it does not follow the last line of {follows}"
    return ""


def _entry(line: dict[str, Any]) -> Entry:
    bare = {name: value for name, value in line.items() if name != "head"}
    return Entry(int(line["number"]), sha256(canonical(bare)), bytes.fromhex(line["head"]))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for position, raw in enumerate(file, 1):
            try:
                line = json.loads(raw)
            except ValueError:
                raise ValueError(f"line {position} of {path.name} is not JSON") from None
            if not isinstance(line, dict):
                raise ValueError(f"line {position} of {path.name} is not an object")
            yield line
