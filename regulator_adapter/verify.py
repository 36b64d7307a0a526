"""Proves from what is stored: nothing missing, nothing altered, and the receiver has what was sent."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.chain import GENESIS, link
from foundation.db.audit import AuditEvent
from foundation.db.audit import digest_of as audit_digest_of
from foundation.db.outbox import digest_of
from foundation.db.unit_of_work import Database, unit_of_work
from regulator_adapter import profiles
from regulator_adapter.days.counting import PEOPLE
from regulator_adapter.model import ReceivedEvent, Submission
from regulator_adapter.states import SubmissionState

PAGE = 500
SHOWN = 20


class Proof(msgspec.Struct):
    """The finding. `holds` is all of it; lists show the first twenty. `dropped` events have no payload any more: their day is
    closed, and their digests stand in its statement."""

    events: int = 0
    head: str = ""
    gaps: list[int] = []
    broken_links: list[int] = []
    altered_events: list[int] = []
    dropped: int = 0
    not_routed: list[str] = []
    records: int = 0
    with_receipt: int = 0
    carried_over: int = 0
    without_receipt: list[str] = []
    possibly_twice: list[str] = []
    audit_lines: int = 0
    audit_break: int | None = None

    @property
    def holds(self) -> bool:
        """Chain whole, every record with a receipt, or carried over by a named person. What may have arrived twice is shown, not
        counted as missing."""
        return not (
            self.gaps or self.broken_links or self.altered_events or self.not_routed or self.without_receipt
            or self.audit_break is not None or self.records != self.with_receipt + self.carried_over
        )  # fmt: skip


async def verify(db: Database) -> Proof:
    """Reads everything, page by page; digests are recomputed from the stored payloads."""
    proof = Proof()
    async with unit_of_work(db) as session:
        await _events(session, proof)
        await _records(session, proof)
        await _audit(session, proof)
    return proof


async def _pages(session: AsyncSession, model: Any, key: Any) -> AsyncIterator[Any]:
    last = 0
    while True:
        rows = (await session.scalars(select(model).where(key > last).order_by(key).limit(PAGE))).all()
        for row in rows:
            yield row
        if len(rows) < PAGE:
            return
        last = getattr(rows[-1], key.key)
        session.expunge_all()


async def _events(session: AsyncSession, proof: Proof) -> None:
    head: bytes | None = GENESIS
    expected = 1
    async for row in _pages(session, ReceivedEvent, ReceivedEvent.number):
        proof.events += 1
        if row.number != expected:
            _note(proof.gaps, *range(expected, min(row.number, expected + SHOWN)))
            head = None
        if head is not None and row.head != link(head, row.number, row.digest):
            _note(proof.broken_links, row.number)
        if row.payload is None:
            proof.dropped += 1
        elif row.digest != _digest(row):
            _note(proof.altered_events, row.number)
        head, expected = row.head, row.number + 1
    proof.head = head.hex() if head else ""


def _digest(row: ReceivedEvent) -> bytes:
    return digest_of(
        event_id=row.event_id, stream=row.stream, sequence=row.sequence, kind=row.type, version=row.version,
        occurred_at=row.occurred_at, payload=row.payload,
    )  # fmt: skip


async def _records(session: AsyncSession, proof: Proof) -> None:
    with_receipt = (Submission.state == SubmissionState.ACCEPTED) & (Submission.receipt != "")
    carried = Submission.state.in_(PEOPLE) & Submission.carried_at.is_not(None)
    query = select(func.count(), func.count().filter(with_receipt), func.count().filter(carried))
    proof.records, proof.with_receipt, proof.carried_over = (
        await session.execute(query.select_from(Submission))
    ).one()
    missing = select(Submission).where(~with_receipt, ~carried).order_by(Submission.number).limit(SHOWN)
    proof.without_receipt = [
        f"{row.id} {row.profile} {row.method} {row.state.value} {row.reply_code}".strip()
        for row in await session.scalars(missing)
    ]
    unrouted = (
        select(ReceivedEvent.event_id)
        .outerjoin(Submission, Submission.event_id == ReceivedEvent.event_id)
        .where(Submission.id.is_(None))
        .limit(SHOWN)
    )
    proof.not_routed = [str(event_id) for event_id in await session.scalars(unrouted)]
    storing_twice = [name for name in profiles.NAMES if not profiles.profile(name).deduplicates]
    twice = (
        select(Submission.id)
        .where(Submission.ambiguous > 0, Submission.profile.in_(storing_twice))
        .limit(SHOWN)
    )
    proof.possibly_twice = [str(row_id) for row_id in await session.scalars(twice)]


async def _audit(session: AsyncSession, proof: Proof) -> None:
    head, expected = GENESIS, 1
    async for row in _pages(session, AuditEvent, AuditEvent.sealed_number):
        proof.audit_lines += 1
        whole = row.digest == audit_digest_of(row) and row.head == link(head, expected, row.digest)
        if row.sealed_number != expected or not whole:
            proof.audit_break = expected
            return
        head, expected = row.head, expected + 1


def _note(found: list[int], *numbers: int) -> None:
    found.extend(numbers[: SHOWN - len(found)])
