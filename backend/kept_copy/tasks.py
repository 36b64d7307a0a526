"""Making one copy, step by step; and the sweep: what was not asked for yet, what may be dropped."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from backend.context import Context
from backend.kept_copy import queries, rules, service
from backend.kept_copy.model import KeptCopy
from backend.kept_copy.service import BATCH, DRIVE
from backend.kept_copy.states import KeptState
from backend.outside.kept import KEEPING, KeptRefused, NotLetThrough
from backend.record.model import MedicalRecord
from foundation.actor import SYSTEM
from foundation.canonical import canonical
from foundation.db.advance import advance
from foundation.db.columns import keyring
from foundation.db.intents import Handler, TryLater, Work, intend
from foundation.db.locks import lock
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import NotFound
from foundation.logs import log
from foundation.object_store import AlreadyThere, Damaged, NotThere
from foundation.object_store.digests import digest_of, digest_of_stream
from foundation.object_store.kept import Recipient, kept_head, kept_pieces

SWEEP, EVERY = "kept_copy.sweep", timedelta(minutes=10)
SHUT = timedelta(minutes=30)
"""How long to wait when the gateway's whitelist has no line that is open."""


async def drive(work: Work[Context]) -> None:
    """Copy, compare, read back. Every step is a state, so that a worker that dies goes on where it was; two at once do it once."""
    context, recipient = work.context, work.context.settings.recipient()
    async with unit_of_work(context.db) as session:
        row = await session.get_one(KeptCopy, work.subject)
    if recipient is None or row.state not in (KeptState.REQUESTED, KeptState.COPIED):
        return
    refused = ""
    try:
        if row.state is KeptState.REQUESTED:
            row = await _prepared(context, row, recipient)
            await _upload(context, row)
            await _advance(context, row.id, "copy")
        await _read_back(context, row)
        await _advance(context, row.id, "verify")
    except NotLetThrough:
        raise TryLater("no line of the gateway's whitelist is open for it", SHUT) from None
    except KeptRefused as error:
        refused = error.code
    except NotThere:
        refused = rules.GONE
    except Damaged:
        refused = rules.CHANGED
    if refused:
        async with unit_of_work(context.db) as session:
            await service.refuse(session, await session.get_one(KeptCopy, work.subject), refused)


async def _prepared(context: Context, row: KeptCopy, recipient: Recipient) -> KeptCopy:
    """The file is there, is what was registered, and the copy has its head."""
    async with unit_of_work(context.db) as session:
        expected = await queries.expected_digest(session, row)
        record = await session.get(MedicalRecord, row.subject_id) if row.kind == rules.Kind.RECORD else None
    if record is not None and record.content is not None:
        await _write(context, row.object_key, canonical(record.content))
    info = await context.objects.info(row.object_key)
    if expected and info.sha256 != expected:
        raise Damaged("not what was registered")
    if row.head:
        return row
    made = await asyncio.to_thread(_head, context, row.object_key, recipient)
    async with unit_of_work(context.db) as session:
        return await service.head_of(session, row.id, *made)


def _head(context: Context, key: str, recipient: Recipient) -> tuple[bytes, int, str]:
    with context.objects.sealed(key) as file:
        head = kept_head(file, keyring(), key, recipient)
    return head, *digest_of(kept_pieces(context.objects, key, head))


async def _write(context: Context, key: str, content: bytes) -> None:
    """A record has no file in the cloud: one is made to be copied, and goes with the content."""

    async def whole() -> AsyncIterator[bytes]:
        yield content

    try:
        await context.objects.put(key, whole())
    except AlreadyThere:
        return


async def _upload(context: Context, row: KeptCopy) -> None:
    """Unless it is there: then it is compared all the same."""
    wanted = (row.size, row.sha256)
    if await _there(context, row.object_key) != wanted:

        async def content() -> AsyncIterator[bytes]:
            pieces = kept_pieces(context.objects, row.object_key, row.head)
            while piece := await asyncio.to_thread(next, pieces, b""):
                yield piece

        await context.hospital_store.put(row.object_key, row.size, row.sha256, content)
        if await context.hospital_store.head(row.object_key) != wanted:
            raise KeptRefused(code=rules.DIFFERS)


async def _there(context: Context, key: str) -> tuple[int, str]:
    try:
        return await context.hospital_store.head(key)
    except KeptRefused as error:
        if error.code == "not_kept":
            return 0, ""
        raise


async def _read_back(context: Context, row: KeptCopy) -> None:
    """All of it, once: what cannot be read at the hospital may not be dropped here."""
    there = await digest_of_stream(context.hospital_store.get(row.object_key, KEEPING))
    if there != (row.size, row.sha256):
        raise KeptRefused(code=rules.DIFFERS)


async def _advance(context: Context, row_id: UUID, verb: str) -> None:
    now = context.clock.now()
    changes: dict[str, Any] = {"copied_at": now} if verb == "copy" else {"verified_at": now}
    async with unit_of_work(context.db) as session:
        row = await lock(
            session, KeptCopy, row_id
        )  # or the other worker could be through between the look and the move
        if row.state is not KeptState.VERIFIED:
            await advance(session, row, verb, SYSTEM, **changes)


async def sweep(work: Work[Context]) -> None:
    """Ask for what is not asked for yet, drop what may go; then again later."""
    context = work.context
    if context.settings.kept_public_key is not None:
        asked = await _ask(context)
        dropped = await _drop(context) if context.settings.keep_content_days else 0
        if asked or dropped:
            log.info("kept_copies_swept", asked=asked, dropped=dropped)
    async with unit_of_work(context.db) as session:
        await intend(session, SWEEP, work.subject, due=context.clock.now() + EVERY)


async def _ask(context: Context) -> int:
    asked = 0
    while True:
        async with unit_of_work(context.db) as session:
            new = await service.ask(session, await queries.unasked(session, None, BATCH))
        asked += new
        if not new:
            return asked


async def _drop(context: Context) -> int:
    dropped = 0
    before = context.clock.now() - timedelta(days=context.settings.keep_content_days)
    while True:
        async with unit_of_work(context.db) as session:
            due = await queries.droppable(session, before, BATCH)
        went = 0
        for row_id in due:
            try:
                async with unit_of_work(context.db) as session:
                    went += await service.drop(session, context, row_id)
            except NotFound:
                continue
            except Exception as error:  # one bad file must not keep all others
                log.error("content_not_dropped", copy=str(row_id), exc_info=error)
        dropped += went
        if not went:
            return dropped


HANDLERS: dict[str, Handler] = {DRIVE: drive, SWEEP: sweep}
STANDING = (SWEEP,)
