"""Sends again what the platform has lost: the record goes back to the start of its way and is mapped from the stored event."""

from collections.abc import Sequence

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.actor import SYSTEM
from foundation.db.advance import advance_each
from foundation.db.base import hospital_id
from foundation.db.unit_of_work import clock_of
from foundation.logs import log
from regulator_adapter.days.rules import Line
from regulator_adapter.model import Submission
from regulator_adapter.profiles import Profile
from regulator_adapter.states import SubmissionState

AT_ONCE = 1_000
"""The next turn takes the rest."""


async def replay(session: AsyncSession, profile: Profile, missing: Sequence[Line]) -> int:
    """How many went back on their way. Only where the platform knows an event again: elsewhere a second copy is worse."""
    if not profile.deduplicates or not missing:
        return 0
    places = [(line.number, line.method) for line in missing[:AT_ONCE]]
    query = select(Submission.id).where(
        Submission.hospital_id == hospital_id(),
        Submission.profile == profile.name,
        Submission.state == SubmissionState.ACCEPTED,
        Submission.number.in_({number for number, _ in places}),
        tuple_(Submission.number, Submission.method).in_(places),
    )
    changes = {
        row_id: {
            "record": None, "receipt": "", "accepted_at": None, "claimed_until": None, "in_flight": False, "attempts": 0,
            "alone": False, "problems": "", "reply_code": "", "reply_text": "", "due_at": clock_of(session).now(),
        }
        for row_id in await session.scalars(query)
    }  # fmt: skip
    moved = await advance_each(session, Submission, "replay", SYSTEM, changes)
    if moved:
        log.warning("records_replayed", profile=profile.name, count=len(moved))
    return len(moved)
