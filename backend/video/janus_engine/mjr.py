"""Janus' recording files: RTP packets with the time of their arrival, read while they grow.

```
"MJR00002" | length (2) | JSON {"t": "a"|"v", "u": µs of the first packet since 1970, …}
then per packet: "MEET" | ms since the first packet (4) | length (2) | packet
```
"""

import contextlib
import ctypes
import json
import os
import struct
from collections.abc import Iterator
from pathlib import Path

_MAGIC, _MARK = b"MJR00002", b"MEET"
_HEAD = struct.Struct(">IH")
_READ = 1 << 18
_KEEP_SIZE, _PUNCH_HOLE = 1, 2
_LIBC = ctypes.CDLL(None, use_errno=True)


class NotARecording(Exception):
    """The file is not what Janus writes."""


class MjrReader:
    """One file: every call of `packets` gives what was added since. What was read is freed: the file is a pipe in memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._read = 0
        self._rest = b""
        self._began: float | None = None

    def packets(self) -> Iterator[tuple[float, bytes]]:
        """(seconds since 1970 of the arrival, RTP packet). `NotARecording`."""
        self._rest += self._more()
        position = 0
        try:
            position = self._header()
            if self._began is None:
                return
            while len(self._rest) - position >= 10:
                if self._rest[position : position + 4] != _MARK:
                    raise NotARecording(str(self._path.name))
                milliseconds, size = _HEAD.unpack_from(self._rest, position + 4)
                end = position + 10 + size
                if end > len(self._rest):
                    return
                packet = self._rest[position + 10 : end]
                position = end
                yield self._began + milliseconds / 1000, packet
        finally:
            self._rest = self._rest[position:]

    def close(self) -> None:
        """Forget the file and remove it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._path.unlink(missing_ok=True)

    def _header(self) -> int:
        if self._began is not None:
            return 0
        if len(self._rest) < 10:
            return 0
        if self._rest[:8] != _MAGIC:
            raise NotARecording(str(self._path.name))
        end = 10 + int.from_bytes(self._rest[8:10], "big")
        if len(self._rest) < end:
            return 0
        try:
            self._began = json.loads(self._rest[10:end])["u"] / 1e6
        except (ValueError, KeyError, TypeError) as error:
            raise NotARecording(str(self._path.name)) from error
        return end

    def _more(self) -> bytes:
        if self._file is None:
            try:
                self._file = os.open(self._path, os.O_RDWR)
            except FileNotFoundError:
                return b""
        pieces = []
        while piece := os.pread(self._file, _READ, self._read):
            self._read += len(piece)
            pieces.append(piece)
        if pieces:
            self._free()
        return b"".join(pieces)

    def _free(self) -> None:
        """Give the memory of what was read back; a file system that cannot keeps it until the end."""
        whole = ctypes.c_longlong(self._read - self._read % 4096)
        with contextlib.suppress(AttributeError):
            _LIBC.fallocate(self._file, _KEEP_SIZE | _PUNCH_HOLE, ctypes.c_longlong(0), whole)
