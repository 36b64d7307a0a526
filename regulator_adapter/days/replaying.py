"""Sends again what the platform has lost: the record goes back to the start of its way and is mapped from the stored event.

Only while that event's content is here. Once it went with its day nothing can be made of it any more: such a record keeps its state
and its receipt, the one proof that is left, and people hear of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.actor import SYSTEM
from foundation.db.advance import advance_each
from foundation.db.audit import audit
from foundation.db.base import hospital_id
from foundation.db.guards import guarded
from foundation.db.unit_of_work import clock_of
from foundation.logs import log
from regulator_adapter.days.rules import Line
from regulator_adapter.model import ReceivedEvent, Submission
from regulator_adapter.profiles import Profile
from regulator_adapter.states import SubmissionState

AT_ONCE = 1_000
"""The next turn takes the rest."""


@dataclass(frozen=True)
class Replayed:
    """What the platform lacks, by whether its content is still here, and how many records went back on their way."""

    possible: Sequence[Line]
    gone: Sequence[Line]
    moved: int = 0


async def replay(session: AsyncSession, profile: Profile, missing: Sequence[Line]) -> Replayed:
    """Only where the platform knows an event again: elsewhere a second copy is worse."""
    gone = await _gone(session, missing)
    possible = [line for line in missing if line.number not in gone]
    left = [line for line in missing if line.number in gone]
    if not profile.deduplicates or not possible:
        return Replayed(possible, left)
    rows = await _to_move(session, profile, [(line.number, line.method) for line in possible[:AT_ONCE]])
    changes = {
        row.id: {
            "record": None, "receipt": "", "accepted_at": None, "claimed_until": None, "in_flight": False, "attempts": 0,
            "alone": False, "problems": "", "reply_code": "", "reply_text": "", "due_at": clock_of(session).now(),
        }
        for row in rows
    }  # fmt: skip
    moved = set(await advance_each(session, Submission, "replay", SYSTEM, changes))
    _note(session, [row for row in rows if row.id in moved])
    if moved:
        log.warning("records_replayed", profile=profile.name, count=len(moved))
    return Replayed(possible, left, len(moved))


def _note(session: AsyncSession, rows: Sequence[Any]) -> None:
    """The receipts they had, for they will have others."""
    for row in rows:
        detail = {"receipt": row.receipt, "number": str(row.number)}
        audit(session, SYSTEM, "submission.receipt_taken_back", "submission", row.id, detail=detail)


async def _gone(session: AsyncSession, missing: Sequence[Line]) -> set[int]:
    """Numbers of events without content. The others are locked, so that no content goes between this look and the move."""
    wanted = sorted({line.number for line in missing})
    found: set[int] = set()
    for at in range(0, len(wanted), AT_ONCE):
        query = (
            select(ReceivedEvent.number, ReceivedEvent.payload.is_(None))
            .where(
                ReceivedEvent.hospital_id == hospital_id(),
                ReceivedEvent.number.in_(wanted[at : at + AT_ONCE]),
            )
            .order_by(ReceivedEvent.id)
        )
        if guarded("content_lock"):
            query = query.with_for_update(read=True)
        found.update(number for number, gone in await session.execute(query) if gone)
    return found


async def _to_move(
    session: AsyncSession, profile: Profile, places: Sequence[tuple[int, str]]
) -> Sequence[Any]:
    query = select(Submission.id, Submission.number, Submission.receipt).where(
        Submission.hospital_id == hospital_id(),
        Submission.profile == profile.name,
        Submission.state == SubmissionState.ACCEPTED,
        Submission.number.in_({number for number, _ in places}),
        tuple_(Submission.number, Submission.method).in_(places),
    )
    return (await session.execute(query)).all()
