"""Holidays, pharmacists' hours and the hospital's own slots over the database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.policy import Policy, bind_policy, policy
from backend.practitioner.model import Practitioner
from backend.schedule import service as pool
from backend.schedule.model import Slot
from backend.timetable import keeping, mirroring, opening
from backend.timetable.model import PharmacistHours, ScheduleSource, WeeklySession
from backend.timetable.rules import Span
from contracts import his
from foundation.errors import Conflict, Forbidden, Invalid, NotFound
from tests.database import SharedClock, moves_on
from tests.small_world import CHILD_DOCTOR, DOCTOR, PHARMACIST, SECOND_DOCTOR
from tests.unit.timetable.weeks import MANAGER, MONDAY, TODAY, an_empty_week, on_sale, sell, sits, slots

pytestmark = pytest.mark.anyio
SATURDAY = MONDAY + timedelta(days=5)
EVENING = Span(1080, 1200, 60, 3)


@pytest.fixture(autouse=True)
async def week(session: AsyncSession) -> None:
    await an_empty_week(session, DOCTOR, SECOND_DOCTOR, CHILD_DOCTOR)


async def test_a_holiday_closes_what_nobody_has_and_waits_for_the_rest(session: AsyncSession) -> None:
    """practice.md 10."""
    await sits(session)
    await sits(session, SECOND_DOCTOR)

    await keeping.mark_day(session, MANAGER, MONDAY, kind="holiday", name="院庆")
    assert await on_sale(session, MONDAY) == await on_sale(session, MONDAY, SECOND_DOCTOR) == []

    await keeping.clear_day(session, MANAGER, MONDAY)
    assert len(await on_sale(session, MONDAY)) == len(await on_sale(session, MONDAY, SECOND_DOCTOR)) == 4
    await sell(session, (await slots(session, SECOND_DOCTOR, MONDAY))[0])
    with pytest.raises(Conflict) as error:
        await keeping.mark_day(session, MANAGER, MONDAY, kind="holiday", name="院庆")
    assert error.value.code == "places_sold"


async def test_a_make_up_saturday_opens_as_the_day_it_stands_for(session: AsyncSession) -> None:
    await sits(session)

    await keeping.mark_day(session, MANAGER, SATURDAY, kind="workday", name="调休", as_weekday=1)

    assert len(await on_sale(session, SATURDAY)) == 4
    with pytest.raises(Invalid):
        await keeping.mark_day(session, MANAGER, TODAY - timedelta(days=1), kind="holiday", name="昨天")
    with pytest.raises(NotFound):
        await keeping.clear_day(session, MANAGER, TODAY)


async def only_by_day(session: AsyncSession) -> None:
    """One pharmacist, from eight to seven in the evening."""
    await session.execute(delete(PharmacistHours))
    for weekday in range(1, 8):
        await keeping.plan_pharmacist(
            session,
            MANAGER,
            PHARMACIST.id,
            weekday=weekday,
            day=None,
            begins=480,
            ends=1140,
            valid_from=TODAY,
        )


async def test_slots_open_only_where_a_pharmacist_covers_their_end_and_the_review(
    session: AsyncSession,
) -> None:
    """practice.md 12."""
    await only_by_day(session)

    _, laid = await sits(session, span=Span(960, 1200, 60, 3))

    assert await on_sale(session, MONDAY) == [("16:00", 3), ("17:00", 3)]
    assert (laid.opened, laid.uncovered) == (4, 4)


async def test_planning_another_pharmacist_opens_the_rest(session: AsyncSession) -> None:
    await only_by_day(session)
    await sits(session, span=EVENING)

    await keeping.plan_pharmacist(
        session, MANAGER, PHARMACIST.id, weekday=None, day=MONDAY, begins=1080, ends=1500, valid_from=TODAY
    )
    await opening.open_coming_days(session, DOCTOR.id)

    assert await on_sale(session, MONDAY) == [("18:00", 3), ("19:00", 3)]
    assert await on_sale(session, MONDAY + timedelta(days=7)) == []


async def test_the_rule_about_pharmacists_can_be_switched_off(session: AsyncSession) -> None:
    await session.execute(delete(PharmacistHours))
    bind_policy(replace(Policy(), pharmacist_cover=False))
    try:
        _, laid = await sits(session)
    finally:
        bind_policy(Policy())

    assert laid.opened == 8


async def test_open_slots_that_lost_their_pharmacist_are_shown_and_closed_by_a_person(
    session: AsyncSession,
) -> None:
    await sits(session, span=EVENING)
    (six, seven) = await slots(session, day=MONDAY)
    await sell(session, six)
    await session.execute(delete(PharmacistHours))

    assert {one.id for one in await opening.uncovered(session)} >= {six.id, seven.id}
    await opening.close_uncovered(session, MANAGER)

    assert await on_sale(session, MONDAY) == [("18:00", 3)]
    assert [one.id for one in await opening.uncovered(session)] == [six.id]


async def test_only_pharmacists_are_planned_and_hours_make_sense(session: AsyncSession) -> None:
    with pytest.raises(NotFound):
        await keeping.plan_pharmacist(
            session, MANAGER, DOCTOR.id, weekday=1, day=None, begins=0, ends=60, valid_from=TODAY
        )
    with pytest.raises(Invalid) as error:
        await keeping.plan_pharmacist(
            session, MANAGER, PHARMACIST.id, weekday=1, day=MONDAY, begins=60, ends=60, valid_from=TODAY,
            valid_to=TODAY - timedelta(days=1),
        )  # fmt: skip
    assert [one.field for one in error.value.issues] == ["weekday", "ends", "valid_to"]


async def test_hours_that_end_are_held_for_the_last_time(session: AsyncSession) -> None:
    row = (await session.scalars(select(PharmacistHours))).first()
    assert row is not None

    await keeping.end_pharmacist(session, MANAGER, row.id, last_day=MONDAY)

    assert row.valid_to == MONDAY
    with pytest.raises(Conflict):
        await keeping.end_pharmacist(session, MANAGER, row.id, last_day=MONDAY)


def theirs(number: str, hour: int, status: str = "free", doctor: str = "D01") -> his.HospitalSlot:
    """A place of the hospital on Monday."""
    start = datetime(MONDAY.year, MONDAY.month, MONDAY.day, hour - 8, tzinfo=UTC)
    return his.HospitalSlot(number, doctor, "0310", start, start + timedelta(minutes=30), status)


async def mirrored(session: AsyncSession, practitioner: bool = False) -> ScheduleSource:
    return await mirroring.set_source(
        session,
        MANAGER,
        department_code="0310",
        practitioner_id=DOCTOR.id if practitioner else None,
        source="his",
    )


async def test_free_places_of_the_hospital_are_mirrored_and_sold_while_fresh(
    session: AsyncSession, clock: SharedClock
) -> None:
    source = await mirrored(session)

    done = await mirroring.mirror(
        session, source.id, [theirs("a", 8), theirs("b", 9, "busy"), theirs("c", 10, doctor="D99")]
    )

    assert (done.opened, done.problems) == (1, [])
    (slot,) = await slots(session)
    assert (slot.source, slot.capacity, slot.remaining) == ("his", 1, 1)
    assert slot.fresh_until is not None
    assert not mirroring.stale(source, clock.now())
    slot.released_at = None
    await session.flush()

    moves_on(clock, minutes=policy().his_fresh_minutes + 1)
    assert mirroring.stale(source, clock.now())
    assert await pool.take(session, slot.id) is None
    await mirroring.mirror(session, source.id, [theirs("a", 8)])
    assert await pool.take(session, slot.id) is not None


async def test_a_hospital_that_does_not_answer_leaves_the_mirror_to_grow_stale(
    session: AsyncSession, clock: SharedClock
) -> None:
    source = await mirrored(session)
    await mirroring.mirror(session, source.id, [theirs("a", 8)])
    (slot,) = await slots(session)
    before = slot.fresh_until
    moves_on(clock, minutes=5)

    await mirroring.not_read(session, source.id, "院内系统暂时不可用，请稍后再试")

    await session.refresh(slot)
    assert slot.fresh_until == before
    assert (source.problem, source.tried_at == source.read_at) == ("院内系统暂时不可用，请稍后再试", False)


async def test_the_mirror_follows_what_becomes_busy_free_or_disappears(session: AsyncSession) -> None:
    source = await mirrored(session)
    await mirroring.mirror(session, source.id, [theirs("a", 8), theirs("b", 9)])

    await mirroring.mirror(session, source.id, [theirs("a", 8, "busy")])
    assert await on_sale(session, MONDAY) == []

    done = await mirroring.mirror(session, source.id, [theirs("a", 11), theirs("b", 9)])
    assert (done.opened, done.changed) == (2, 1)
    assert await on_sale(session, MONDAY) == [("09:00", 1), ("11:00", 1)]


async def test_a_place_somebody_has_is_never_taken_away_by_the_mirror(session: AsyncSession) -> None:
    source = await mirrored(session)
    await mirroring.mirror(session, source.id, [theirs("a", 8), theirs("b", 9)])
    for slot in await slots(session):
        await sell(session, slot)

    done = await mirroring.mirror(session, source.id, [theirs("b", 14)])

    assert [one.split()[-1] for one in done.problems] == [
        "院内已取消，但有患者已预约",
        "院内改了时间，但有患者已预约",
    ]
    assert await on_sale(session, MONDAY) == [("08:00", 1), ("09:00", 1)]
    assert "院内已取消" in source.problem


async def test_a_place_that_was_sold_here_and_there_is_a_case_for_a_person(session: AsyncSession) -> None:
    source = await mirrored(session)
    await mirroring.mirror(session, source.id, [theirs("a", 8), theirs("b", 9)])
    sold, _ = await slots(session)
    await sell(session, sold)

    done = await mirroring.mirror(session, source.id, [theirs("a", 8, "busy"), theirs("b", 9, "busy")])

    assert [one.split(maxsplit=1)[1] for one in done.problems] == ["11-23 08:00 院内也已占用，但有患者已预约"]
    assert "院内也已占用" in source.problem
    assert (sold.stopped_at, done.closed) == (None, 1)
    assert (await mirroring.mirror(session, source.id, [theirs("a", 8), theirs("b", 9)])).problems == []
    sold.stopped_at = sold.starts_at
    assert (
        await mirroring.mirror(session, source.id, [theirs("a", 8, "busy"), theirs("b", 9)])
    ).problems == []


async def test_a_mirrored_department_opens_nothing_of_its_own_and_closes_what_nobody_has(
    session: AsyncSession,
) -> None:
    await sits(session)
    nine = (await slots(session, day=MONDAY))[1]
    await sell(session, nine)

    source = await mirrored(session)
    await opening.open_coming_days(session, DOCTOR.id)

    assert await on_sale(session, MONDAY) == [("09:00", 6)]
    await mirroring.mirror(session, source.id, [theirs("x", 8), theirs("y", 9)])
    assert await on_sale(session, MONDAY) == [("08:00", 1), ("09:00", 6)]

    await mirroring.set_source(session, MANAGER, department_code="0310", practitioner_id=None, source="own")
    assert await on_sale(session, MONDAY) == [("08:00", 6), ("09:00", 6), ("10:00", 6), ("11:00", 6)]


async def test_one_doctor_may_differ_from_her_department(session: AsyncSession) -> None:
    await sits(session)
    await sits(session, SECOND_DOCTOR)

    own = await mirrored(session, practitioner=True)
    assert await on_sale(session, MONDAY) == []
    assert len(await on_sale(session, MONDAY, SECOND_DOCTOR)) == 4

    await mirroring.mirror(session, own.id, [theirs("a", 8), theirs("b", 8, doctor="D02")])
    assert (await on_sale(session, MONDAY), len(await on_sale(session, MONDAY, SECOND_DOCTOR))) == (
        [("08:00", 1)],
        4,
    )
    with pytest.raises(Forbidden):
        await mirroring.set_source(
            session, MANAGER, department_code="0310", practitioner_id=CHILD_DOCTOR.id, source="his"
        )


async def test_mirrored_places_need_a_pharmacist_too(session: AsyncSession) -> None:
    source = await mirrored(session)
    await session.execute(delete(PharmacistHours))

    done = await mirroring.mirror(session, source.id, [theirs("a", 8)])

    assert done.opened == 0


async def test_places_of_the_hospital_are_resized_there(session: AsyncSession) -> None:
    source = await mirrored(session)
    await mirroring.mirror(session, source.id, [theirs("a", 8)])
    (slot,) = await slots(session)

    with pytest.raises(Conflict) as error:
        await opening.resize(session, MANAGER, slot.id, capacity=4)

    assert error.value.code == "slot_mirrored"


async def test_a_suspended_doctor_is_not_opened_by_the_daily_work(session: AsyncSession) -> None:
    await sits(session)
    assert DOCTOR.id in await opening.doctors_who_sit(session)

    await session.execute(update(Practitioner).where(Practitioner.id == DOCTOR.id).values(active=False))

    assert DOCTOR.id not in await opening.doctors_who_sit(session)
    assert await session.scalar(select(WeeklySession.id)) is not None
    assert await session.scalar(select(Slot.id)) is not None
