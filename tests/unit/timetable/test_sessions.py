"""Weekly sessions and single days over the database: what is opened, what is refused, and that nobody loses a place."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.policy import policy
from backend.practitioner.model import Filing, Practitioner
from backend.timetable import opening, service
from backend.timetable.model import WeeklySession
from backend.timetable.rules import Span, released_at
from backend.timetable.service import Period
from foundation.db.audit import AuditEvent
from foundation.errors import Conflict, Forbidden, Invalid, NotFound
from foundation.ids import new_id
from tests.database import SharedClock, moves_on
from tests.small_world import CHILD_DOCTOR, DOCTOR, SECOND_DOCTOR
from tests.unit.timetable.weeks import (
    MANAGER,
    MONDAY,
    MORNING,
    TODAY,
    an_empty_week,
    on_sale,
    sell,
    sits,
    slots,
)

pytestmark = pytest.mark.anyio
WEEK = timedelta(days=7)
FOUR = [("08:00", 6), ("09:00", 6), ("10:00", 6), ("11:00", 6)]


@pytest.fixture(autouse=True)
async def week(session: AsyncSession) -> None:
    await an_empty_week(session)


async def test_a_session_opens_its_slots_as_far_ahead_as_the_policy_says(session: AsyncSession) -> None:
    _, laid = await sits(session)

    assert laid.opened == 8
    assert await on_sale(session, MONDAY) == await on_sale(session, MONDAY + WEEK) == FOUR
    assert {one.day for one in await slots(session)} == {MONDAY, MONDAY + WEEK}
    (first, *_) = await slots(session)
    assert (first.source, first.mode, first.price_code) == ("own", "any", "visit.follow_up.senior")
    assert first.released_at == released_at(MONDAY, policy())
    assert (first.remaining, first.taken) == (6, 0)


async def test_each_day_one_more_day_is_opened(session: AsyncSession, clock: SharedClock) -> None:
    await sits(session)
    third = MONDAY + 2 * WEEK
    moves_on(clock, days=(third - TODAY).days - policy().open_days)

    laid = await opening.open_coming_days(session, DOCTOR.id)
    again = await opening.open_coming_days(session, DOCTOR.id)

    assert (laid.opened, again.opened) == (4, 0)
    assert await on_sale(session, third) == FOUR


async def test_the_daily_opening_leaves_alone_what_is_there(session: AsyncSession) -> None:
    await sits(session)
    nine = (await slots(session, day=MONDAY))[1]
    nine.capacity = nine.remaining = 9
    ten = (await slots(session, day=MONDAY))[2]
    await opening.resize(session, MANAGER, ten.id, capacity=2)

    assert (await opening.open_coming_days(session, DOCTOR.id)).opened == 0

    assert await on_sale(session, MONDAY) == [("08:00", 6), ("09:00", 9), ("10:00", 2), ("11:00", 6)]


async def test_shares_are_kept_until_a_day_before(session: AsyncSession) -> None:
    await sits(session, span=replace(MORNING, held_follow_up=2, held_staff=1, held_referral=1))
    await sits(session, weekday=5, span=Span(600, 660, 60, 6, held_staff=1))

    (first, *_) = await slots(session, day=MONDAY)
    assert (first.held_follow_up, first.held_staff, first.held_referral) == (2, 1, 1)
    assert first.shares_end_at == first.starts_at - timedelta(hours=24)
    (today,) = await slots(session, day=TODAY)
    assert (today.held_staff, today.remaining) == (0, 6)


async def test_a_doctor_not_filed_for_a_department_cannot_open_there(session: AsyncSession) -> None:
    """诊疗办法 Art 14; design NX22."""
    with pytest.raises(Forbidden) as error:
        await sits(session, department="0700")

    assert (error.value.code, [one.field for one in error.value.issues]) == (
        "not_licensed",
        ["department_code"],
    )
    assert (
        await session.scalar(select(WeeklySession.id).where(WeeklySession.practitioner_id == DOCTOR.id))
        is None
    )


async def test_a_suspended_doctor_cannot_open_anything(session: AsyncSession) -> None:
    await session.execute(update(Practitioner).where(Practitioner.id == DOCTOR.id).values(active=False))

    with pytest.raises(Forbidden) as error:
        await sits(session)

    assert [one.field for one in error.value.issues] == ["practitioner_id"]


async def test_nothing_is_opened_after_the_filing_ends(session: AsyncSession) -> None:
    """医院办法 Art 16: only filed doctors."""
    ends = (
        update(Filing)
        .where(Filing.practitioner_id == DOCTOR.id)
        .values(filed_until=MONDAY + timedelta(days=1))
    )
    await session.execute(ends)

    _, laid = await sits(session)

    assert laid.opened == 4
    assert await on_sale(session, MONDAY + WEEK) == []


async def test_a_form_that_makes_no_sense_is_refused_with_every_field(session: AsyncSession) -> None:
    wrong = Span(480, 725, 60, 2, held_staff=3, price_code="no.such.price")

    with pytest.raises(Invalid) as error:
        await sits(session, span=wrong, since=TODAY - timedelta(days=1), until=TODAY - timedelta(days=2))

    assert [one.field for one in error.value.issues] == [
        "segment", "held_staff", "valid_from", "valid_to", "price_code",
    ]  # fmt: skip


async def test_two_sessions_of_a_doctor_never_meet(session: AsyncSession) -> None:
    await sits(session)
    for span in (Span(700, 760, 60, 1), Span(420, 900, 60, 1), MORNING):
        with pytest.raises(Conflict) as error:
            await sits(session, span=span)
        assert (error.value.code, error.value.issues[0].field) == ("sessions_overlap", "begins")

    await sits(session, span=Span(720, 780, 60, 1))
    await sits(session, weekday=2)
    await sits(session, SECOND_DOCTOR)


async def test_a_session_that_has_ended_makes_room(session: AsyncSession) -> None:
    row, _ = await sits(session)
    await service.end_session(session, MANAGER, row.series_id, last_day=MONDAY)

    _, laid = await sits(session, since=MONDAY + timedelta(days=1), span=Span(480, 600, 30, 3))

    assert laid.opened + laid.changed == 4
    assert await on_sale(session, MONDAY) == FOUR
    assert await on_sale(session, MONDAY + WEEK) == [("08:00", 3), ("08:30", 3), ("09:00", 3), ("09:30", 3)]


async def test_a_new_version_holds_from_its_day_and_the_old_one_until_then(session: AsyncSession) -> None:
    row, _ = await sits(session)

    new, laid = await service.change_session(
        session,
        MANAGER,
        row.series_id,
        span=replace(MORNING, ends=600, capacity=4),
        period=Period(MONDAY + WEEK),
    )

    assert (new.version, new.series_id, row.valid_to) == (2, row.series_id, MONDAY + WEEK - timedelta(days=1))
    assert (laid.changed, laid.closed) == (2, 2)
    assert await on_sale(session, MONDAY) == FOUR
    assert await on_sale(session, MONDAY + WEEK) == [("08:00", 4), ("09:00", 4)]


async def test_a_change_that_would_touch_a_place_somebody_has_is_refused_as_a_whole(
    session: AsyncSession,
) -> None:
    row, _ = await sits(session)
    nine = (await slots(session, day=MONDAY))[1]
    await sell(session, nine, 3)

    for span in (Span(480, 540, 60, 6), replace(MORNING, capacity=2), replace(MORNING, segment=30)):
        with pytest.raises(Conflict) as error:
            await service.change_session(session, MANAGER, row.series_id, span=span, period=Period(TODAY))
        assert error.value.code == "places_sold"
        assert [one.field for one in error.value.issues] == [f"slots.{nine.id}"]
        assert "3" in error.value.detail


async def test_places_may_be_changed_around_those_that_are_sold(session: AsyncSession) -> None:
    row, _ = await sits(session)
    nine = (await slots(session, day=MONDAY))[1]
    await sell(session, nine, 3)

    await service.change_session(
        session, MANAGER, row.series_id, span=replace(MORNING, capacity=3), period=Period(TODAY)
    )

    assert await on_sale(session, MONDAY) == [("08:00", 3), ("09:00", 3), ("10:00", 3), ("11:00", 3)]
    await session.refresh(nine)
    assert (nine.remaining, nine.taken) == (0, 3)


async def test_a_day_can_be_different_and_be_as_the_week_has_it_again(session: AsyncSession) -> None:
    row, _ = await sits(session)

    changed, _ = await service.change_day(
        session, MANAGER, row.series_id, MONDAY, span=Span(540, 660, 60, 2), reason="上午开会"
    )
    assert await on_sale(session, MONDAY) == [("09:00", 2), ("10:00", 2)]
    assert await on_sale(session, MONDAY + WEEK) == FOUR

    await service.undo_day(session, MANAGER, changed.id)
    assert await on_sale(session, MONDAY) == FOUR


async def test_a_day_can_be_left_out_before_anybody_has_a_place(session: AsyncSession) -> None:
    row, _ = await sits(session)

    await service.change_day(session, MANAGER, row.series_id, MONDAY, span=None, reason="外出学习")

    assert await on_sale(session, MONDAY) == []
    assert all(one.stopped_at is not None for one in await slots(session, day=MONDAY))
    await sell(session, (await slots(session, day=MONDAY + WEEK))[0])
    with pytest.raises(Conflict):
        await service.change_day(session, MANAGER, row.series_id, MONDAY + WEEK, span=None, reason="外出学习")


async def test_a_day_beyond_the_horizon_is_remembered_until_it_is_opened(
    session: AsyncSession, clock: SharedClock
) -> None:
    row, _ = await sits(session)
    far = MONDAY + 4 * WEEK

    _, laid = await service.change_day(
        session, MANAGER, row.series_id, far, span=Span(480, 540, 60, 1), reason="少开"
    )
    assert laid.opened == 0

    moves_on(clock, days=(far - TODAY).days - 3)
    await opening.open_coming_days(session, DOCTOR.id)
    assert await on_sale(session, far) == [("08:00", 1)]


async def test_one_more_session_on_one_day(session: AsyncSession) -> None:
    await sits(session)

    async def adds(span: Span) -> None:
        await service.add_day(
            session,
            MANAGER,
            practitioner_id=DOCTOR.id,
            department_code="0310",
            day=MONDAY,
            span=span,
            reason="加开",
        )

    await adds(Span(840, 900, 30, 2))

    assert await on_sale(session, MONDAY) == [*FOUR, ("14:00", 2), ("14:30", 2)]
    with pytest.raises(Conflict) as error:
        await adds(Span(690, 750, 30, 2))
    assert error.value.code == "sessions_overlap"


async def test_what_is_not_there_is_not_found(session: AsyncSession) -> None:
    row, _ = await sits(session)

    with pytest.raises(NotFound):
        await service.end_session(session, MANAGER, new_id(), last_day=MONDAY)
    with pytest.raises(NotFound):
        await service.undo_day(session, MANAGER, new_id())
    with pytest.raises(NotFound):  # no Monday before it was made
        await service.change_day(session, MANAGER, row.series_id, date(2026, 1, 5), span=None, reason="x")


async def test_a_single_slot_never_has_fewer_places_than_were_sold(session: AsyncSession) -> None:
    await sits(session, span=replace(MORNING, held_staff=3))
    (first, *_) = await slots(session, day=MONDAY)
    await sell(session, first, 3)

    with pytest.raises(Conflict) as error:
        await opening.resize(session, MANAGER, first.id, capacity=2)
    assert (error.value.code, error.value.issues[0].field) == ("places_sold", "capacity")

    await opening.resize(session, MANAGER, first.id, capacity=4)
    assert (first.capacity, first.remaining, first.held_staff) == (4, 1, 1)


async def test_a_slot_that_runs_is_not_arranged_any_more(session: AsyncSession, clock: SharedClock) -> None:
    row, _ = await sits(session, weekday=5)
    moves_on(clock, minutes=20)
    assert await on_sale(session, TODAY) == [("09:00", 6), ("10:00", 6), ("11:00", 6)]

    await service.change_session(
        session, MANAGER, row.series_id, span=replace(MORNING, segment=30, capacity=2), period=Period(TODAY)
    )

    assert (await on_sale(session, TODAY))[:3] == [("09:00", 6), ("10:00", 2), ("10:30", 2)]


async def test_who_did_what_is_written_down_in_words(session: AsyncSession) -> None:
    row, _ = await sits(session)
    await service.end_session(session, MANAGER, row.series_id, last_day=MONDAY)

    query = select(AuditEvent).where(AuditEvent.subject_kind == "timetable").order_by(AuditEvent.ordinal)
    await session.flush()
    lines = [
        (one.action, one.actor_id, one.detail["who"], one.detail["what"])
        for one in await session.scalars(query)
    ]
    assert lines == [
        ("timetable.add_session", MANAGER.id, "顾明远", "每周一 08:00–12:00 每 60 分钟 6 号"),
        (
            "timetable.end_session",
            MANAGER.id,
            "顾明远",
            f"每周一 08:00–12:00 每 60 分钟 6 号，最后一次 {MONDAY}",
        ),
    ]


async def test_another_department_has_its_own_doctors(session: AsyncSession) -> None:
    await an_empty_week(session, CHILD_DOCTOR)

    _, laid = await sits(session, CHILD_DOCTOR, department="0700")

    assert laid.opened == 8
