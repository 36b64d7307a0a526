"""What the hospital's store must be able to do: a folder of the inner zone, or an S3-compatible bucket."""

from collections.abc import AsyncIterable, AsyncIterator
from typing import Protocol

from foundation.object_store.bucket import Stored


class KeptStore(Protocol):
    """Keys are checked by the caller. Raises the errors of `foundation.object_store`: `NotThere`, `AlreadyThere`,
    `StoreUnreachable`, `StoreRefused`."""

    async def put(self, key: str, pieces: AsyncIterable[bytes], sha256: str = "") -> None:
        """Store a whole stream, never over another one. What `pieces` raises is raised, and nothing is stored."""

    async def head(self, key: str) -> Stored:
        """What is stored; its digest may be empty."""

    async def stream(self, key: str) -> tuple[Stored, AsyncIterator[bytes]]:
        """The whole object in pieces."""

    async def reach(self) -> None:
        """Whether the store is there."""
