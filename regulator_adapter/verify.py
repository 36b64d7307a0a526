"""Proves from what is stored: nothing missing, nothing altered, and the receiver has what was sent."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.chain import GENESIS, link
from foundation.db.audit import AuditEvent
from foundation.db.audit import digest_of as audit_digest_of
from foundation.db.outbox import digest_of
from foundation.db.sealer import ChainHead
from foundation.db.unit_of_work import Database, unit_of_work
from regulator_adapter import profiles
from regulator_adapter.days.counting import PEOPLE
from regulator_adapter.days.verifying import Said, said
from regulator_adapter.inbox import stops_of
from regulator_adapter.model import ReceivedEvent, Submission
from regulator_adapter.routing import Routing, Stop
from regulator_adapter.states import SubmissionState

T = TypeVar("T")
PAGE = 500
SHOWN = 20


class Proof(msgspec.Struct):
    """The finding. `holds` is all of it; lists show the first twenty. `dropped` events have no payload any more, which only those of
    a closed day may lack (`dropped_open`); their digests stand in its statement. `gaps` reach up to the highest number that the
    backend or a statement spoke of. `not_routed` names events that lack a record they became, or should have become; after
    the table was changed also those of open days that came before. `days`: where a closed day is not what is here."""

    events: int = 0
    head: str = ""
    gaps: list[int] = []
    broken_links: list[int] = []
    altered_events: list[int] = []
    dropped: int = 0
    dropped_open: list[int] = []
    not_routed: list[str] = []
    days: list[str] = []
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
            self.gaps or self.broken_links or self.altered_events or self.dropped_open or self.not_routed or self.days
            or self.without_receipt or self.audit_break is not None or self.records != self.with_receipt + self.carried_over
        )  # fmt: skip


async def verify(db: Database, table: Routing) -> Proof:
    """Reads everything, page by page; digests and routes are worked out anew from the stored payloads, by `table`."""
    proof = Proof()
    async with unit_of_work(db) as session:
        spoken = await said(session)
        _note(proof.days, *spoken.problems)
        _note(proof.not_routed, *spoken.vanished)
        await _events(session, proof, spoken, table)
        await _records(session, proof)
        await _audit(session, proof)
    return proof


async def _pages(session: AsyncSession, model: Any, key: Any) -> AsyncIterator[Sequence[Any]]:
    last = 0
    while True:
        rows = (await session.scalars(select(model).where(key > last).order_by(key).limit(PAGE))).all()
        if rows:
            yield rows
        if len(rows) < PAGE:
            return
        last = getattr(rows[-1], key.key)
        session.expunge_all()


async def _events(session: AsyncSession, proof: Proof, spoken: Said, table: Routing) -> None:
    head: bytes | None = GENESIS
    expected = 1
    async for page in _pages(session, ReceivedEvent, ReceivedEvent.number):
        for row in page:
            proof.events += 1
            if row.number != expected:
                _note(proof.gaps, *range(expected, min(row.number, expected + SHOWN)))
                head = None
            if head is not None and row.head != link(head, row.number, row.digest):
                _note(proof.broken_links, row.number)
            if row.payload is None:
                proof.dropped += 1
                if not spoken.settles(row.number, row.occurred_at):
                    _note(proof.dropped_open, row.number)
            elif row.digest != _digest(row):
                _note(proof.altered_events, row.number)
            head, expected = row.head, row.number + 1
        await _routes(session, proof, page, spoken, table)
    if spoken.last >= expected:  # a tail that is gone leaves a whole chain behind: somebody spoke of more
        _note(proof.gaps, *range(expected, min(spoken.last + 1, expected + SHOWN)))
        head = None
    proof.head = head.hex() if head else ""


async def _routes(
    session: AsyncSession, proof: Proof, page: Sequence[Any], spoken: Said, table: Routing
) -> None:
    """Whether each event has the records it became on arrival, and, while its day is open, those that its content asks for."""
    row = Submission
    query = select(row.event_id, row.profile, row.method, row.business_number)
    here: dict[UUID, set[Stop]] = {}
    for event_id, *stop in await session.execute(
        query.where(row.event_id.in_([one.event_id for one in page]))
    ):
        here.setdefault(event_id, set()).add(Stop(*stop))
    for event in page:
        found = here.get(event.event_id, set())
        whole = len(found) >= max(1, event.records or 0)
        if event.payload is not None and not spoken.settles(event.number, event.occurred_at):
            whole = whole and found.issuperset(stops_of(table, event.event_id, event.type, event.payload))
        if not whole:
            _note(proof.not_routed, str(event.event_id))


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
    storing_twice = [name for name in profiles.NAMES if not profiles.profile(name).deduplicates]
    twice = (
        select(Submission.id)
        .where(Submission.ambiguous > 0, Submission.profile.in_(storing_twice))
        .limit(SHOWN)
    )
    proof.possibly_twice = [str(row_id) for row_id in await session.scalars(twice)]


async def _audit(session: AsyncSession, proof: Proof) -> None:
    """Up to where the sealer stood when this began; more may be sealed meanwhile."""
    stands = await session.scalar(select(ChainHead).where(ChainHead.chain == "audit"))
    last, last_head = (stands.number, stands.head) if stands else (0, GENESIS)
    head, expected = GENESIS, 1
    async for page in _pages(session, AuditEvent, AuditEvent.sealed_number):
        for row in page:
            proof.audit_lines += 1
            whole = row.digest == audit_digest_of(row) and row.head == link(head, expected, row.digest)
            if row.sealed_number != expected or not whole or (expected == last and row.head != last_head):
                proof.audit_break = expected
                return
            head, expected = row.head, expected + 1
    if expected <= last:
        proof.audit_break = expected


def _note(found: list[T], *more: T) -> None:
    found.extend(more[: SHOWN - len(found)])
