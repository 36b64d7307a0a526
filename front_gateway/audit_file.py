"""The audit: one line a call, one file a day (Asia/Shanghai), each line linked to the one before (`foundation.chain`).

A line is JSON with `number`, what is known of the call, and `head`. Its digest is SHA-256 over the canonical JSON of the
line without `head`. The chain runs through all files of one gateway: the first line of a file is of kind `opened` and
names the file and head it follows. No personal data: paths are plain or blanked, persons appear as SHA-256 of the
hospital's "Patient/<id>" only, never by anything computed from an id number.

A line is written before its answer leaves. When it cannot be written nothing is let out.
"""

import fcntl
import json
import os
import re
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from foundation.canonical import sha256
from foundation.chain import GENESIS, link
from foundation.clock import Clock, local
from foundation.logs import log

SCHEMA = 1
_encoder = msgspec.json.Encoder(order="sorted")


class AuditUnusable(Exception):
    """The folder or file cannot be used; the message says why."""


def file_name(gateway: str, day: date) -> str:
    """`audit-a-2026-11-22.jsonl`."""
    return f"audit-{gateway}-{day.isoformat()}.jsonl"


def day_files(folder: Path, gateway: str) -> list[Path]:
    """The gateway's files, oldest first."""
    shape = re.compile(rf"audit-{re.escape(gateway)}-\d{{4}}-\d\d-\d\d\.jsonl")
    return sorted(path for path in folder.iterdir() if shape.fullmatch(path.name))


class AuditFile:
    """The open file of today. One process may write for one gateway name."""

    def __init__(self, folder: Path, gateway: str, clock: Clock) -> None:
        self._folder = folder
        self._gateway = gateway
        self._clock = clock
        self._lock = self._take_lock()
        self._number, self._head = 0, GENESIS
        self._day = clock.today()
        self._file: BinaryIO | None = None
        self._size = 0
        files = day_files(folder, gateway)
        if files:
            self._number, self._head = last_link(files[-1])
        self._open(self._day, files[-1].name if files else "")

    def write(self, entry: dict[str, Any]) -> int:
        """Append one line and give its number; `OSError` when it could not be written."""
        now = self._clock.now()
        today = local(now).date()
        if today > self._day:  # a clock set back keeps writing where it was, or the chain would run backwards
            previous = file_name(self._gateway, self._day)
            self.close_file()
            self._open(today, previous)
        return self._append({"kind": "call", "at": now.isoformat(timespec="milliseconds"), **entry})

    def sync(self) -> None:
        """Force what was written to the disk; called once a second, not for each line, and from another thread."""
        if self._file is not None:
            descriptor = os.dup(self._file.fileno())  # the day may end meanwhile
            try:
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)

    def close_file(self) -> None:
        """Close today's file."""
        if self._file is not None:
            self.sync()
            self._file.close()
            self._file = None

    def close(self) -> None:
        """Close the file and let another process have the name."""
        self.close_file()
        self._lock.close()

    def _open(self, day: date, previous: str) -> None:
        path = self._folder / file_name(self._gateway, day)
        fresh = not path.exists() or path.stat().st_size == 0
        self._file = path.open("ab", buffering=0)
        self._size = path.stat().st_size
        self._day = day
        if fresh:
            self._append(
                {
                    "kind": "opened",
                    "at": self._clock.now().isoformat(timespec="milliseconds"),
                    "schema": SCHEMA,
                    "gateway": self._gateway,
                    "follows": previous,
                    "follows_head": self._head.hex(),
                }
            )

    def _append(self, entry: dict[str, Any]) -> int:
        number = self._number + 1
        line = _line(number, entry)
        head = link(self._head, number, sha256(line))
        data = line[:-1] + b',"head":"' + head.hex().encode() + b'"}\n'
        if self._file is None:
            raise OSError("audit file is closed")
        try:
            if self._file.write(data) != len(data):
                raise OSError("line written in part")
        except OSError:
            os.ftruncate(self._file.fileno(), self._size)
            raise
        self._size += len(data)
        self._number, self._head = number, head
        return number

    def _take_lock(self) -> BinaryIO:
        path = self._folder / f"audit-{self._gateway}.lock"
        try:
            lock = path.open("ab")
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise AuditUnusable(f"another process writes the audit of gateway {self._gateway!r}") from None
        except OSError as error:
            raise AuditUnusable(f"audit folder cannot be written: {error.strerror}") from None
        return lock


def _line(number: int, entry: dict[str, Any]) -> bytes:
    """`canonical({"number": number, **entry})` of texts and whole numbers, by an encoder that takes a fifth of the time;
    a test holds the two together."""
    return _encoder.encode({"number": number, **entry})


def last_link(path: Path) -> tuple[int, bytes]:
    """Number and head of the last whole line. A torn line at the end (power cut) is moved to `<file>.torn`."""
    raw = path.read_bytes()
    whole, _, rest = raw.rpartition(b"\n")
    if rest:
        log.error("audit_line_torn", file=path.name, size=len(rest))
        with path.with_suffix(".jsonl.torn").open("ab") as torn:
            torn.write(rest + b"\n")
        os.truncate(path, len(whole) + 1 if whole else 0)
    if not whole:
        return 0, GENESIS
    try:
        last = json.loads(whole.rpartition(b"\n")[2])
        return int(last["number"]), bytes.fromhex(last["head"])
    except (ValueError, KeyError, TypeError):
        raise AuditUnusable(f"the last line of {path.name} is not an audit line") from None
