"""Bodies that are streamed: begun before the answer is, so that what is not there is a problem body and no broken answer."""

from collections.abc import AsyncIterator


async def begun(content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes, of which the first have already come; raises here what the beginning raises."""
    first = await anext(content, b"")

    async def whole() -> AsyncIterator[bytes]:
        if first:
            yield first
        async for piece in content:
            yield piece

    return whole()
