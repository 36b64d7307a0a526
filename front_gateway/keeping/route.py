"""`PUT`, `HEAD` and `GET` of one kept object: bytes pass in pieces, what goes in is compared with its announced SHA-256 on the way."""

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator, AsyncIterator

from foundation.errors import Busy
from foundation.logs import log
from foundation.object_store import AlreadyThere, NotThere, check_key
from foundation.object_store.bucket import Stored, StoreRefused, StoreUnreachable
from foundation.object_store.digests import digest_of_stream
from front_gateway.breaker import Breaker
from front_gateway.call import Answer, Call
from front_gateway.keeping.port import KeptStore
from front_gateway.note import Note
from front_gateway.policy.lines import KEPT, Entry
from front_gateway.refusals import (
    BadTarget,
    DigestMismatch,
    KeptOtherwise,
    NotKept,
    Target,
    TooSlow,
    Unreachable,
    Unusable,
)

DIGEST = "x-content-sha256"
PURPOSE = "x-purpose"
PIECE_SECONDS = 60
"""A store that gives nothing for so long has broken off."""
READERS = 16
"""Objects going out at the same time: each may take minutes."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NO_STORE = ("cache-control", "no-store")


class Keeping:
    """Answers from the hospital's store; without one every call is refused with 503."""

    def __init__(self, store: KeptStore | None, breaker: Breaker | None = None) -> None:
        self.target = Target.STORE
        self.breaker = breaker or Breaker()
        self._store = store
        self._readers = 0

    async def reach(self) -> None:
        """Whether the store is there; nothing without one."""
        if self._store is not None:
            await self._store.reach()

    async def answer(self, entry: Entry, call: Call, announced: int, note: Note) -> Answer:
        """What the store says; every outcome is a code of its own."""
        key = _key_of(call.target)
        note.object = key
        if self._store is None:
            raise Unreachable(Target.STORE, "neither STORE_FOLDER nor STORE_URL is set")
        if not self.breaker.admit():
            raise Unreachable(Target.STORE, "breaker open", retry_after=self.breaker.retry_after())
        reported = False
        try:
            async with asyncio.timeout(entry.text.seconds):
                answer = await self._ask(self._store, entry, key, call, announced, note)
            reported = True
            self.breaker.succeeded()
        except (TimeoutError, StoreUnreachable, StoreRefused) as error:
            reported = True
            self.breaker.failed()
            log.warning("store_failed", error=str(error) or type(error).__name__)
            if isinstance(error, TimeoutError):
                raise TooSlow(Target.STORE) from None
            if isinstance(error, StoreRefused):
                raise Unusable(Target.STORE, f"store refuses us: {error}"[:200]) from None
            raise Unreachable(Target.STORE, str(error)[:200]) from None
        except NotThere:
            raise NotKept from None
        finally:
            if not reported:
                self.breaker.abandoned()
        return answer

    async def _ask(
        self, store: KeptStore, entry: Entry, key: str, call: Call, announced: int, note: Note
    ) -> Answer:
        if entry.method == "PUT":
            return await self._put(store, entry, key, call, announced, note)
        if entry.method == "HEAD":
            found = await _told(store, key)
            note.sha256 = found.sha256
            return Answer(200, (_NO_STORE, (DIGEST, found.sha256)), b"", length=found.size)
        if self._readers >= READERS:
            raise Busy("同时读取的文件过多，请稍后再试", retry_after=1)
        found, pieces = await store.stream(key)
        note.sha256 = found.sha256
        headers = [("content-type", "application/octet-stream"), _NO_STORE]
        headers += [(DIGEST, found.sha256)] if found.sha256 else []
        return Answer(200, tuple(headers), b"", length=found.size, stream=_Outgoing(self, pieces))

    async def _put(
        self, store: KeptStore, entry: Entry, key: str, call: Call, announced: int, note: Note
    ) -> Answer:
        wanted = call.header(DIGEST)
        if not _SHA256.fullmatch(wanted) or not announced:
            raise BadTarget("a copy without its digest or length")
        note.bytes_in, note.sha256 = announced, wanted
        try:
            await store.put(key, _checked(call.pieces(entry.text.max_body), wanted), wanted)
        except AlreadyThere:
            there = await _told(store, key)
            if (there.size, there.sha256) != (announced, wanted):
                raise KeptOtherwise from None
            return Answer(200, (_NO_STORE, (DIGEST, wanted)), b"")
        return Answer(201, (_NO_STORE, (DIGEST, wanted)), b"")

    def reading(self, change: int) -> None:
        """One reader more, or fewer."""
        self._readers += change


class _Outgoing:
    """An object on its way out; counted from the first piece to `aclose`."""

    def __init__(self, keeping: Keeping, pieces: AsyncIterator[bytes]) -> None:
        self._keeping, self._pieces = keeping, pieces
        self._open = True
        keeping.reading(1)

    def __aiter__(self) -> "_Outgoing":
        return self

    async def __anext__(self) -> bytes:
        async with asyncio.timeout(PIECE_SECONDS):
            return await anext(self._pieces)

    async def aclose(self) -> None:
        """No more of it; may be called twice."""
        if self._open:
            self._open = False
            self._keeping.reading(-1)
            if isinstance(self._pieces, AsyncGenerator):
                await self._pieces.aclose()


async def _checked(pieces: AsyncIterator[bytes], wanted: str) -> AsyncIterator[bytes]:
    digest = hashlib.sha256()
    async for piece in pieces:
        digest.update(piece)
        yield piece
    if digest.hexdigest() != wanted:
        raise DigestMismatch


async def _told(store: KeptStore, key: str) -> Stored:
    """Size and digest; read in full where the store does not remember the digest."""
    found = await store.head(key)
    if found.sha256:
        return found
    _, pieces = await store.stream(key)
    return Stored(*await digest_of_stream(pieces))


def _key_of(target: str) -> str:
    path = target.partition("?")[0]
    try:
        return check_key(path.removeprefix(KEPT))
    except ValueError:
        raise BadTarget("not the key of an object") from None
