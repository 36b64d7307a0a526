"""The schedule desk without a browser: forms become the API's requests, refusals come back in place."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.account.model import Staff
from backend.account.service import hash_password
from backend.schedule.model import Slot
from backend.timetable.board import weekdays_in_words
from backend.timetable.model import CalendarDay, DaySession, PharmacistHours, WeeklySession
from foundation.db.unit_of_work import Database, unit_of_work
from tests.small_world import DOCTOR, PHARMACIST, TOTP_SECRET, Member
from tests.unit.desk.conftest import Browser, adapter, app, browser, browsers, context, desk_settings
from tests.unit.timetable.weeks import MONDAY, TODAY, an_empty_week, on_sale

__all__ = ["adapter", "app", "browser", "browsers", "context", "desk_settings"]
pytestmark = pytest.mark.anyio
MANAGER = Member("S01", "schedule_manager", "张排")
HERS = f"/desk/schedule/doctors/{DOCTOR.id}"
HOURS = {"begins": "08:00", "ends": "12:00", "segment": "60", "capacity": "6"}


@pytest.fixture
async def desk(browser: Browser, db: Database) -> Browser:
    """A schedule manager at work, and a doctor with an empty week."""
    async with unit_of_work(db) as session:
        await an_empty_week(session)
        session.add(
            Staff(id=MANAGER.id, login=MANAGER.login, role=MANAGER.role, display_name=MANAGER.name, openid="",
                  password_hash=hash_password(MANAGER.password), totp_secret=TOTP_SECRET, phone="19900000999", ca_holder="")
        )  # fmt: skip
    await browser.logs_in(MANAGER)
    return browser


async def sits(desk: Browser, **more: str) -> None:
    form = {
        "practitioner_id": str(DOCTOR.id),
        "department_code": "0310",
        "weekday": "1",
        "valid_from": str(TODAY),
    }
    answer = await desk.post(f"{HERS}/sessions", **(form | HOURS | more))
    assert answer.status_code == 303, re.findall(r"<strong>(.*?)</strong>", answer.text)


async def one(db: Database, model: Any) -> Any:
    async with unit_of_work(db) as session:
        return (await session.scalars(select(model))).one()


async def hers(db: Database) -> WeeklySession:
    """The doctor's session: the others of the small hospital sit around the clock."""
    async with unit_of_work(db) as session:
        query = select(WeeklySession).where(WeeklySession.practitioner_id == DOCTOR.id)
        return (await session.scalars(query)).one()


async def sold(db: Database, day: date) -> list[tuple[str, int]]:
    async with unit_of_work(db) as session:
        return await on_sale(session, day)


async def test_a_form_becomes_a_session_and_its_slots(desk: Browser, db: Database) -> None:
    await sits(desk, held_staff="2", on_holidays="1")

    row = await hers(db)
    assert (row.begins, row.ends, row.held_staff, row.on_holidays) == (480, 720, 2, True)
    assert len(await sold(db, MONDAY)) == 4
    text = (await desk.get(HERS)).text
    assert "08:00–12:00" in text
    assert "窗口 2" in text


async def test_a_refused_form_is_shown_again_with_what_was_typed(desk: Browser) -> None:
    answer = await desk.post(
        f"{HERS}/sessions", practitioner_id=str(DOCTOR.id), department_code="0700", weekday="1",
        valid_from=str(TODAY), begins="08:00", ends="12:05", segment="60", capacity="6",
    )  # fmt: skip

    assert answer.status_code == 403
    assert "该医生未在本科室备案" in answer.text
    assert 'value="12:05"' in answer.text


async def test_a_time_that_no_clock_shows_is_named(desk: Browser) -> None:
    answer = await desk.post(
        f"{HERS}/sessions", practitioner_id=str(DOCTOR.id), department_code="0310", weekday="1",
        valid_from=str(TODAY), begins="08:00", ends="29:99", segment="60", capacity="6",
    )  # fmt: skip

    assert answer.status_code == 422
    assert "时间格式应为 08:30" in answer.text


async def test_a_session_is_changed_and_ended_on_its_own_page(desk: Browser, db: Database) -> None:
    await sits(desk)
    page = f"{HERS}/sessions/{(await hers(db)).series_id}"

    changed = await desk.post(
        page, **(HOURS | {"capacity": "4", "valid_from": str(MONDAY + timedelta(days=7))})
    )
    text = (await desk.get(page)).text
    ended = await desk.post(f"{page}/end", last_day=str(MONDAY + timedelta(days=7)))

    assert (changed.status_code, ended.status_code) == (303, 303)
    assert "第 2 版" in text
    assert await sold(db, MONDAY) == [("08:00", 6), ("09:00", 6), ("10:00", 6), ("11:00", 6)]
    assert await sold(db, MONDAY + timedelta(days=7)) == [
        ("08:00", 4),
        ("09:00", 4),
        ("10:00", 4),
        ("11:00", 4),
    ]


async def test_a_day_is_changed_undone_and_added_to(desk: Browser, db: Database) -> None:
    await sits(desk)
    series, page = (await hers(db)).series_id, f"{HERS}/days/{MONDAY}"

    await desk.post(
        f"{page}/sessions/{series}", **(HOURS | {"ends": "10:00", "day": str(MONDAY), "reason": "开会"})
    )
    assert await sold(db, MONDAY) == [("08:00", 6), ("09:00", 6)]
    change = await one(db, DaySession)
    assert "开会" in (await desk.get(page)).text
    await desk.post(f"{page}/changes/{change.id}/undo")
    assert len(await sold(db, MONDAY)) == 4
    add = {"practitioner_id": str(DOCTOR.id), "department_code": "0310", "day": str(MONDAY), "reason": "加开"}
    await desk.post(
        f"{page}/add", **(add | {"begins": "14:00", "ends": "15:00", "segment": "30", "capacity": "1"})
    )
    assert (await sold(db, MONDAY))[4:] == [("14:00", 1), ("14:30", 1)]
    await desk.post(f"{page}/sessions/{series}/drop", day=str(MONDAY), reason="学习")
    assert await sold(db, MONDAY) == [("14:00", 1), ("14:30", 1)]


async def test_places_of_a_slot_are_changed_on_its_day(desk: Browser, db: Database) -> None:
    await sits(desk)
    async with unit_of_work(db) as session:
        query = (
            select(Slot.id)
            .where(Slot.practitioner_id == DOCTOR.id, Slot.day == MONDAY)
            .order_by(Slot.starts_at)
        )
        slot = await session.scalar(query.limit(1))

    answer = await desk.post(f"{HERS}/days/{MONDAY}/slots/{slot}/places", capacity="9")

    assert answer.headers["location"].startswith(f"{HERS}/days/{MONDAY}?said=")
    assert (await sold(db, MONDAY))[0] == ("08:00", 9)


async def test_holidays_and_pharmacists_are_kept_on_one_page(desk: Browser, db: Database) -> None:
    await desk.post("/desk/schedule-settings/days", day=str(MONDAY), kind="holiday", name="院庆")
    planned = await desk.post(
        "/desk/schedule-settings/pharmacists", practitioner_id=str(PHARMACIST.id), day=str(MONDAY), begins="22:00",
        ends="06:00", valid_from=str(TODAY),
    )  # fmt: skip
    text = (await desk.get("/desk/schedule-settings")).text

    assert planned.status_code == 303
    assert "院庆：放假" in text
    assert "22:00–次日 06:00" in text
    assert (await one(db, CalendarDay)).day == MONDAY
    async with unit_of_work(db) as session:
        query = select(PharmacistHours).where(PharmacistHours.day == MONDAY)
        assert (await session.scalars(query)).one().ends == 30 * 60


async def test_a_mirror_is_switched_on_and_shown_as_stale_until_it_is_read(desk: Browser) -> None:
    await desk.post("/desk/schedule-settings/sources", department_code="0310", source="his")

    text = (await desk.get("/desk/schedule")).text

    assert "院内号源没有按时同步" in text


async def test_the_log_shows_who_did_what_and_what_was_refused(desk: Browser) -> None:
    await sits(desk)
    await desk.post(f"{HERS}/sessions", **(HOURS | {
        "practitioner_id": str(DOCTOR.id), "department_code": "0310", "weekday": "1", "valid_from": str(TODAY),
    }))  # fmt: skip

    text = (await desk.get("/desk/schedule-log")).text

    assert text.index("被拒绝") < text.index("每周一 08:00–12:00 每 60 分钟 6 号")
    assert "张排" in text


def test_weekdays_are_said_as_people_say_them() -> None:
    assert weekdays_in_words([1, 2, 3, 4, 5, 6, 7]) == "每天"
    assert weekdays_in_words([3, 1, 2]) == "周一至周三"
    assert weekdays_in_words([1, 3, 5]) == "周一、周三、周五"
    assert weekdays_in_words([6, 7]) == "周六、周日"
