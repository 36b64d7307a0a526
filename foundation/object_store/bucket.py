"""A bucket of an S3-compatible service, as plain bytes (obstore, docs/decisions/0092). What is sealed is sealed above it.

An object appears with its last byte or not at all: a stream that raises leaves nothing that can be read. Never overwritten: asked
before, and `If-None-Match` where the service honours it (not all do; names here are used once). Keys and secrets stay in this process.
"""

import contextlib
import io
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, cast

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    GenericError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import S3Store as Client

from foundation.logs import log
from foundation.object_store.port import AlreadyThere, NotThere, ObjectStoreError

PART = 8 * 1024 * 1024
PIECE = 256 * 1024
DIGEST = "sha256"
"""The attribute (x-amz-meta-sha256) under which the digest of the stored bytes travels."""


class StoreUnreachable(ObjectStoreError):
    """The service does not answer, or not in time."""


class StoreRefused(ObjectStoreError):
    """The service does not let us in."""


@dataclass(frozen=True, kw_only=True)
class BucketAddress:
    """Where the bucket is, and the key for it; `prefix` when it is not ours alone, `seconds` for one part or one whole reading.

    `url` is without the bucket's name: path style is what every service speaks.
    """

    url: str
    bucket: str
    key_id: str
    secret: str
    region: str = "us-east-1"
    prefix: str = ""
    seconds: float = 900.0


@dataclass(frozen=True)
class Stored:
    """Size of the stored bytes, and their SHA-256 (hex) as whoever stored them said; empty where the service forgot it."""

    size: int
    sha256: str


class Bucket:
    """One bucket; safe to use from several tasks and threads."""

    def __init__(self, address: BucketAddress) -> None:
        self._client = Client(
            address.bucket, endpoint=address.url.rstrip("/"), access_key_id=address.key_id, secret_access_key=address.secret,
            region=address.region, virtual_hosted_style_request=False, prefix=address.prefix or None,
            client_options={
                "allow_http": address.url.startswith("http:"), "connect_timeout": timedelta(seconds=3),
                "timeout": timedelta(seconds=address.seconds),
            },
            retry_config={"max_retries": 1, "retry_timeout": timedelta(seconds=5)},
        )  # fmt: skip

    async def put(self, key: str, pieces: AsyncIterable[bytes], sha256: str = "") -> None:
        """Store a stream; what it raises is raised here, and nothing is stored. `AlreadyThere`."""
        with _translated(key):
            if await self._there(key):
                raise AlreadyThere(key)
            attributes = {DIGEST: sha256} if sha256 else {}
            await obstore.put_async(
                self._client, key, aiter(pieces), attributes=cast(Any, attributes), mode="create", chunk_size=PART,
                max_concurrency=2,
            )  # fmt: skip

    def put_file(self, key: str, path: Path) -> None:
        """Store a file; blocking. `AlreadyThere`."""
        with _translated(key):
            if self.there(key):
                raise AlreadyThere(key)
            obstore.put(self._client, key, path, mode="create", chunk_size=PART, max_concurrency=2)

    async def head(self, key: str) -> Stored:
        """What is stored, unread. `NotThere`."""
        with _translated(key):
            found = await obstore.get_async(self._client, key)  # a HEAD of this library shows no attributes
            return Stored(found.meta["size"], _digest(found.attributes))

    async def stream(self, key: str) -> tuple[Stored, AsyncIterator[bytes]]:
        """The whole object in pieces. `NotThere`."""
        with _translated(key):
            found = await obstore.get_async(self._client, key)
        return Stored(found.meta["size"], _digest(found.attributes)), _pieces(key, found)

    def open(self, key: str) -> BinaryIO:
        """For reading, seekable; blocking. `NotThere`."""
        with _translated(key):
            size = obstore.head(self._client, key)["size"]
        return cast(BinaryIO, io.BufferedReader(_Ranges(self._client, key, size), buffer_size=4 * PIECE))

    def there(self, key: str) -> bool:
        """Whether the object is there; blocking."""
        with _translated(key):
            try:
                obstore.head(self._client, key)
            except FileNotFoundError:
                return False
        return True

    async def _there(self, key: str) -> bool:
        try:
            await obstore.head_async(self._client, key)
        except FileNotFoundError:
            return False
        return True

    def delete(self, key: str) -> None:
        """Remove it; blocking. `NotThere`: services say nothing about deleting what is not there, so it is asked first."""
        if not self.there(key):
            raise NotThere(key)
        with _translated(key):
            obstore.delete(self._client, key)

    def listed(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        """Keys below `prefix` and when each was stored; blocking."""
        with _translated(prefix):
            for page in obstore.list(self._client, prefix):
                for one in page:
                    yield one["path"], one["last_modified"]

    async def reach(self) -> None:
        """Ask for something that need not be there; `StoreUnreachable` or `StoreRefused` when that is no answer."""
        with _translated(""):
            await self._there("there-is-no-such-object")

    async def overwrites(self, key: str) -> bool:
        """Whether the service overwrites in spite of `If-None-Match`: two objects are written under `key`, once for a bucket."""
        with _translated(key), contextlib.suppress(AlreadyExistsError, PreconditionError):
            await obstore.put_async(self._client, key, b"1", mode="create")
        try:
            with _translated(key):
                await obstore.put_async(self._client, key, b"2", mode="create")
        except AlreadyThere:
            return False
        return True


class _Ranges(io.RawIOBase):
    """An object read by ranges; from a service that does not know ranges (it happens) it is fetched whole, sealed as it is."""

    def __init__(self, client: Client, key: str, size: int) -> None:
        self._client, self._key, self._size = client, key, size
        self._at = 0
        self._whole: BinaryIO | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        end = min(self._at + len(buffer), self._size)
        if end <= self._at:
            return 0
        data = self._read(self._at, end)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _read(self, start: int, end: int) -> bytes:
        if self._whole is None:
            with _translated(self._key):
                try:
                    return bytes(obstore.get_range(self._client, self._key, start=start, end=end))
                except GenericError as error:
                    log.info("store_without_ranges", error=str(error)[:120])
                    self._whole = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the reader
                    for piece in obstore.get(self._client, self._key).stream(min_chunk_size=PIECE):
                        self._whole.write(bytes(piece))
        self._whole.seek(start)
        return self._whole.read(end - start)

    def close(self) -> None:
        if self._whole is not None:
            self._whole.close()
        super().close()


async def _pieces(key: str, found: Any) -> AsyncIterator[bytes]:
    with _translated(key):
        async for piece in found.stream(min_chunk_size=PIECE):
            yield bytes(piece)


def _digest(attributes: Any) -> str:
    said = str(attributes.get(DIGEST, ""))
    return said if len(said) == 64 else ""


@contextlib.contextmanager
def _translated(key: str) -> Iterator[None]:
    """obstore's errors as the port's."""
    try:
        yield
    except (AlreadyExistsError, PreconditionError):
        raise AlreadyThere(key) from None
    except FileNotFoundError:
        raise NotThere(key) from None
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise StoreRefused(str(error).partition("\n")[0][:200]) from None
    except BaseError as error:
        raise StoreUnreachable(str(error).partition("\n")[0][:200]) from None
