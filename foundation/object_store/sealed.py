"""The sealed file: a header with the wrapped data key, then chunks of AES-256-GCM.

```
"IHO1" | length of wrapped key (2) | wrapped key            the data key, random per file, sealed by the keyring
then, per chunk:  final flag (1 bit) and length of the ciphertext (31 bits) | ciphertext with tag
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
from typing import BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from foundation.crypto import CannotOpenError, Keyring
from foundation.object_store.port import Damaged

MAGIC = b"IHO1"
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


class SealedReader:
    """Reads one sealed file from `file`. `complete` and `end` (bytes of file that are whole) are known after a full pass."""

    def __init__(self, file: BinaryIO, keyring: Keyring, key: str) -> None:
        self._file = file
        head = file.read(6)
        if len(head) < 6 or head[:4] != MAGIC:
            raise Damaged("not a sealed file")
        wrapped = file.read(int.from_bytes(head[4:], "big"))
        try:
            self._cipher = AESGCM(keyring.open(wrapped, f"object:{key}"))
        except (CannotOpenError, ValueError) as error:
            raise Damaged("the data key does not open") from error
        self.complete = False
        self.end = 6 + len(wrapped)

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
