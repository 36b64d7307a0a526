"""The sealed file: a header with the wrapped data key, then chunks of AES-256-GCM.

```
"IHO1" | length of wrapped key (2) | wrapped key            the data key, random per file, sealed by the keyring
then, per chunk:  final flag (1 bit) and length of the ciphertext (31 bits) | ciphertext with tag
```

A copy that leaves for the hospital has another head before the same chunks (`kept`), with a second recipient:

```
"IHO2" | length (1) | object key | length (2) | wrapped key, as above | length (2) | the data key for the hospital's own key
```

The data key is wrapped for the object's key, so a file under another name does not open. A chunk's nonce is its index
(the data key is used for this file alone); index and final flag are associated data: chunks cannot be exchanged,
repeated or dropped, and only a chunk that was sealed as the last one ends the file. Chunks differ in length: a flush
closes one early. Writing after a cut is impossible on purpose.
"""

import hashlib
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from foundation.crypto import CannotOpenError, Keyring
from foundation.object_store.port import Damaged

MAGIC = b"IHO1"
MAGIC_KEPT = b"IHO2"
CHUNK = 64 * 1024
TAG = 16
FINAL = 0x8000_0000
_LENGTH = struct.Struct(">I")


def _nonce(index: int) -> bytes:
    return index.to_bytes(12, "big")


def _associated(index: int, final: bool) -> bytes:
    return MAGIC + index.to_bytes(8, "big") + bytes([final])


class Sink(Protocol):
    """An unbuffered binary file: `write` may take less than it is given."""

    def write(self, data: memoryview, /) -> int | None:
        """Bytes taken."""


class SealedWriter:
    """Writes one sealed file to `file`, which is empty and unbuffered; `size` and `digest` are of the plain content."""

    def __init__(self, file: Sink, keyring: Keyring, key: str) -> None:
        data_key = os.urandom(32)
        wrapped = keyring.seal(data_key, f"object:{key}")
        self._file = file
        self._write_all(MAGIC + len(wrapped).to_bytes(2, "big") + wrapped)
        self._cipher = AESGCM(data_key)
        self._pending = bytearray()
        self._index = 0
        self._digest = hashlib.sha256()
        self.size = 0

    @property
    def digest(self) -> str:
        """SHA-256 of the plain bytes taken so far, hex."""
        return self._digest.hexdigest()

    def write(self, data: bytes) -> int:
        """Take bytes; whole chunks go out at once."""
        self._digest.update(data)
        self.size += len(data)
        self._pending += data
        while len(self._pending) >= CHUNK:
            self._seal(bytes(self._pending[:CHUNK]), final=False)
            del self._pending[:CHUNK]
        return len(data)

    def flush(self) -> None:
        """Seal what is pending as a chunk of its own."""
        if self._pending:
            self._seal(bytes(self._pending), final=False)
            self._pending.clear()

    def finish(self) -> None:
        """Seal the rest, possibly nothing, as the final chunk."""
        self._seal(bytes(self._pending), final=True)
        self._pending.clear()

    def _seal(self, plain: bytes, *, final: bool) -> None:
        sealed = self._cipher.encrypt(_nonce(self._index), plain, _associated(self._index, final))
        self._write_all(_LENGTH.pack(len(sealed) | (FINAL if final else 0)) + sealed)
        self._index += 1

    def _write_all(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) or 0 :]


@dataclass(frozen=True)
class Head:
    """What stands before the chunks; `name` and `second` are empty in a file that has not left the cloud."""

    wrapped: bytes
    name: str = ""
    second: bytes = b""


def read_head(file: BinaryIO) -> Head:
    """The head of a sealed file; `file` stands behind it afterwards. `Damaged` for what is none."""
    magic = file.read(4)
    if magic == MAGIC:
        return Head(_counted(file, 2))
    if magic != MAGIC_KEPT:
        raise Damaged("not a sealed file")
    name = _counted(file, 1)
    if not name.isascii():
        raise Damaged("not a sealed file")
    return Head(name=name.decode("ascii"), wrapped=_counted(file, 2), second=_counted(file, 2))


def _counted(file: BinaryIO, width: int) -> bytes:
    length = file.read(width)
    value = file.read(int.from_bytes(length, "big"))
    if len(length) < width or len(value) < int.from_bytes(length, "big"):
        raise Damaged("the head is cut off")
    return value


def data_key(file: BinaryIO, keyring: Keyring, key: str) -> bytes:
    """The data key by our own ring; `file` stands behind its head afterwards. `Damaged` when it does not open for `key`."""
    head = read_head(file)
    if head.name not in ("", key):
        raise Damaged("a copy of another object")
    try:
        opened = keyring.open(head.wrapped, f"object:{key}")
    except (CannotOpenError, ValueError) as error:
        raise Damaged("the data key does not open") from error
    if len(opened) != 32:
        raise Damaged("the data key does not open")
    return opened


class SealedReader:
    """Reads one sealed file from `file`. `complete` and `end` (bytes of file that are whole) are known after a full pass."""

    def __init__(self, file: BinaryIO, keyring: Keyring, key: str) -> None:
        self._take(file, data_key(file, keyring, key))

    @classmethod
    def of(cls, file: BinaryIO, key: bytes) -> "SealedReader":
        """A reader for whoever has the data key; `file` stands behind its head."""
        made = cls.__new__(cls)
        made._take(file, key)
        return made

    def _take(self, file: BinaryIO, key: bytes) -> None:
        self._file = file
        self._cipher = AESGCM(key)
        self.complete = False
        self.end = file.tell()

    def chunks(self, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Plain pieces from byte `start`, at most `length` bytes; chunks outside the range are skipped unread."""
        position, stop = 0, None if length is None else start + length
        index = 0
        while not self.complete and (stop is None or position < stop):
            header = self._file.read(4)
            if len(header) < 4:
                return
            (word,) = _LENGTH.unpack(header)
            size, final = word & ~FINAL, bool(word & FINAL)
            if not TAG <= size <= CHUNK + TAG:
                raise Damaged(f"chunk {index} has an impossible length")
            if not final and position + size - TAG <= start:
                self._file.seek(size, os.SEEK_CUR)
                position += size - TAG
            else:
                sealed = self._file.read(size)
                if len(sealed) < size:
                    return
                plain = self._open(sealed, index, final=final)
                self.complete, self.end = final, self._file.tell()
                low = max(start - position, 0)
                piece = plain[low : None if stop is None else stop - position]
                position += len(plain)
                if piece:
                    yield piece
            index += 1
        if self.complete and self._file.read(1):
            raise Damaged("bytes after the end")

    def _open(self, sealed: bytes, index: int, *, final: bool) -> bytes:
        try:
            return self._cipher.decrypt(_nonce(index), sealed, _associated(index, final))
        except InvalidTag as error:
            raise Damaged(f"chunk {index} was changed") from error
