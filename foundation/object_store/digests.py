"""Size and SHA-256 of content that comes in pieces."""

import hashlib
from collections.abc import AsyncIterable, Iterable


def digest_of(pieces: Iterable[bytes]) -> tuple[int, str]:
    """Size and SHA-256 (hex) of all of them; blocking where their source is."""
    size, digest = 0, hashlib.sha256()
    for piece in pieces:
        size += len(piece)
        digest.update(piece)
    return size, digest.hexdigest()


async def digest_of_stream(pieces: AsyncIterable[bytes]) -> tuple[int, str]:
    """The same of a stream."""
    size, digest = 0, hashlib.sha256()
    async for piece in pieces:
        size += len(piece)
        digest.update(piece)
    return size, digest.hexdigest()
