"""The published figures are those of the rows, add up, and name nobody."""

from datetime import timedelta

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment.model import Appointment
from backend.context import Context
from backend.fairness.model import BookingPause, ReleaseDraw
from backend.fairness_report import service
from backend.fairness_report.model import FairnessReport
from backend.fairness_report.queries import shares
from backend.fairness_report.wire import FairnessView, Share
from backend.schedule.model import Slot
from backend.wiring import handlers, standing
from foundation.actor import NOBODY
from foundation.clock import local_day_start
from foundation.db.audit import audit
from foundation.db.base import hospital_id
from foundation.db.intents import Intent, due_ids, intend, run_one
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import NotFound
from foundation.ids import new_id
from tests.builders.visits import a_patient, a_slot, booked
from tests.database import SharedClock, moves_on
from tests.small_world import DAUGHTER, DOCTOR, OTHER, PATIENT, SECOND_DOCTOR

pytestmark = pytest.mark.anyio


def counts(found: list[Share]) -> dict[str, int]:
    return {one.key: one.count for one in found if one.count}


async def test_who_got_the_places(session: AsyncSession, context: Context, clock: SharedClock) -> None:
    """N7: share by channel, by helper, by repeat, by first time, by time since the release."""
    regular, once = await a_patient(session, PATIENT), await a_patient(session, OTHER)
    slot = await a_slot(session, hours=2)
    released = clock.now() - timedelta(minutes=5)
    await session.execute(update(Slot).where(Slot.id == slot.id).values(released_at=released))
    await booked(session, context, regular, slot)
    second = await booked(session, context, regular, await a_slot(session, SECOND_DOCTOR, hours=3))
    await session.execute(update(Slot).where(Slot.id == second.slot_id).values(released_at=None))
    await booked(session, context, once, slot)
    session.add(
        ReleaseDraw(
            id=new_id(), practitioner_id=DOCTOR.id, day=slot.day, released_at=released, closes_at=released,
            tickets=20, given=6, resolved_at=clock.now(),
        )
    )  # fmt: skip
    session.add(
        BookingPause(id=new_id(), person_id=once.person.id, starts_at=clock.now(), ends_at=clock.now())
    )
    audit(session, NOBODY, "appointment.request", "appointment", "", outcome="refused", code="quota_used")
    await session.flush()
    moves_on(clock, seconds=1)

    found = (await service.report(session)).figures

    assert (found.places, found.persons, found.most_of_one) == (3, 2, 2)
    assert counts(found.by_channel) == {"general": 3}
    assert counts(found.by_helper) == {"self": 3}
    assert counts(found.by_repeat) == {"1": 1, "2-3": 2}
    assert counts(found.by_first) == {"first": 3}
    assert counts(found.by_release) == {"10m": 2, "open": 1}
    assert (found.draws.count, found.draws.tickets, found.draws.given) == (1, 20, 6)
    assert counts(found.refused) == {"quota_used": 1}
    assert (found.pauses, found.pauses_lifted) == (1, 0)


async def test_who_booked_before_the_period_is_no_newcomer(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    patient = await a_patient(session)
    first = await booked(session, context, patient)
    await session.execute(
        update(Appointment)
        .where(Appointment.id == first.id)
        .values(booked_at=clock.now() - timedelta(days=200))
    )
    await booked(session, context, patient, await a_slot(session, SECOND_DOCTOR, hours=3))
    moves_on(clock, seconds=1)

    found = (await service.report(session)).figures

    assert (found.places, counts(found.by_first)) == (1, {"again": 1})


async def test_a_held_place_that_nobody_paid_is_nobodys(session: AsyncSession) -> None:
    found = (await service.report(session)).figures

    assert found.places == 0
    assert all(one.percent == "0.0" for one in found.by_channel)


async def test_the_report_is_made_once_for_all_its_readers(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    before = await service.report(session)
    await booked(session, context, await a_patient(session, DAUGHTER))
    moves_on(clock, minutes=9)
    assert await service.report(session) == before

    moves_on(clock, minutes=2)

    after = await service.report(session)
    assert (before.figures.places, after.figures.places) == (0, 1)
    assert len((await session.scalars(select(FairnessReport))).all()) == 1


async def test_a_past_days_report_stays_as_it_was(session: AsyncSession, clock: SharedClock) -> None:
    day = clock.today()
    before = await service.report(session)
    moves_on(clock, days=1)

    assert (await service.report(session, day)).figures == before.figures
    with pytest.raises(NotFound):
        await service.report(session, day - timedelta(days=1))


async def run_due(running: Context) -> None:
    for intent_id in await due_ids(running.db):
        await run_one(running.db, running, handlers(), intent_id)


async def test_a_day_that_nobody_read_has_its_report_all_the_same(
    running: Context, clock: SharedClock
) -> None:
    """Published means every day, also those that a worker slept through; what came after a day is not in it."""
    first = clock.today()
    async with unit_of_work(running.db) as session:
        patient = await a_patient(session)
        await booked(session, running, patient, await a_slot(session, hours=48))
        assert (await service.report(session)).figures.places == 1
        await booked(session, running, patient, await a_slot(session, SECOND_DOCTOR, hours=48))
        await intend(session, service.KEEP, hospital_id())
    await run_due(running)

    moves_on(clock, days=3)
    await run_due(running)

    async with unit_of_work(running.db) as session:
        found = [await service.report(session, first + timedelta(days=n)) for n in range(3)]
        assert [one.figures.places for one in found] == [2, 2, 2]
        assert [one.last_day for one in found] == [first + timedelta(days=n) for n in range(3)]
        due = select(Intent.due_at).where(Intent.kind == service.KEEP, Intent.done_at.is_(None))
        (again,) = await session.scalars(due)
    assert again == local_day_start(clock.today() + timedelta(days=1)) + service.AFTER_MIDNIGHT


async def test_a_finished_report_is_not_made_again(running: Context, clock: SharedClock) -> None:
    async with unit_of_work(running.db) as session:
        assert await service.unfinished(session) == [clock.today() - timedelta(days=1)]
        await service.finish(session, clock.today() - timedelta(days=1))

        assert await service.unfinished(session) == []


def test_its_work_never_ends() -> None:
    assert service.KEEP in standing()


async def test_anybody_may_read_it_and_nobody_is_in_it(api: httpx.AsyncClient, running: Context) -> None:
    answer = await api.get("/fairness")

    assert answer.status_code == 200
    view = msgspec.json.decode(answer.content, type=FairnessView)
    assert view.rules.places_per_doctor_and_day == 1
    assert "_id" not in answer.text
    assert (await api.get("/fairness?day=x")).status_code == 422


@settings(deadline=None)
@given(some.dictionaries(some.sampled_from("abcd"), some.integers(0, 10**6)))
def test_shares_add_up_as_far_as_one_decimal_can(parts: dict[str, int]) -> None:
    found = shares(dict.fromkeys("abcd", ""), parts)

    assert sum(one.count for one in found) == sum(parts.values())
    tenths = sum(int(one.percent.replace(".", "")) for one in found)
    assert abs(tenths - 1000) <= 2 or not sum(parts.values())
