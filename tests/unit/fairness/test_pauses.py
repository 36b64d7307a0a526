"""No-shows lead to a pause; staff lift it; whoever else does what she likes."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.fairness import queries, service
from backend.fairness.model import Absence
from foundation.db.audit import AuditEvent
from foundation.errors import Conflict
from foundation.ids import new_id
from tests.builders.visits import Patient, a_patient
from tests.database import SharedClock, moves_on
from tests.small_world import CLERK

pytestmark = pytest.mark.anyio


async def misses(session: AsyncSession, patient: Patient, clock: SharedClock, times: int = 1) -> None:
    for _ in range(times):
        moves_on(clock, days=1)
        await service.note_absence(session, patient.person.id, new_id())


async def test_the_third_absence_pauses_booking_and_says_until_when(
    session: AsyncSession, clock: SharedClock
) -> None:
    patient = await a_patient(session)
    await misses(session, patient, clock, times=2)
    await service.require_not_paused(session, patient.person.id)

    await misses(session, patient, clock)

    with pytest.raises(Conflict) as refused:
        await service.require_not_paused(session, patient.person.id)
    assert refused.value.code == "booking_paused"
    assert "12月23日" in refused.value.detail
    standing = await queries.standing(session, patient.person.id)
    assert standing.paused_until is not None
    assert abs(standing.paused_until - clock.now() - timedelta(days=30)) < timedelta(seconds=5)


async def test_the_same_visit_is_missed_once(session: AsyncSession) -> None:
    patient, visit = await a_patient(session), new_id()

    for _ in range(3):
        assert await service.note_absence(session, patient.person.id, visit) is None

    assert (await queries.standing(session, patient.person.id)).absences == 1


async def test_a_pause_ends_by_itself_and_its_absences_are_settled(
    session: AsyncSession, clock: SharedClock
) -> None:
    patient = await a_patient(session)
    await misses(session, patient, clock, times=3)

    moves_on(clock, days=30, minutes=1)

    await service.require_not_paused(session, patient.person.id)
    await misses(session, patient, clock, times=2)
    await service.require_not_paused(session, patient.person.id)


async def test_staff_lift_a_pause_with_a_reason_that_the_trail_keeps(
    session: AsyncSession, clock: SharedClock
) -> None:
    patient = await a_patient(session)
    await misses(session, patient, clock, times=3)
    (pause,) = await queries.pauses(session)

    for _ in range(2):
        await service.lift(session, CLERK.actor, pause.id, "住院期间未能到诊，已核对出院小结")

    await service.require_not_paused(session, patient.person.id)
    lines = select(AuditEvent).where(AuditEvent.action == "booking.lift_pause")
    (line,) = (await session.scalars(lines)).all()
    assert (line.actor_id, line.subject_id) == (CLERK.id, str(patient.person.id))
    assert line.detail["reason"].startswith("住院")
    assert await queries.pauses(session) == []


async def test_a_pause_is_one_persons_own(session: AsyncSession, clock: SharedClock) -> None:
    """Somebody else in the family may book."""
    patient = await a_patient(session)
    await misses(session, patient, clock, times=3)

    await service.require_not_paused(session, new_id())

    found: list[UUID | None] = list(await session.scalars(select(Absence.pause_id)))
    assert len(set(found)) == 1
