"""The schedule desk in a real browser: plan a week, change a day, see who is affected, stop and move."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from foundation.clock import local
from standalone.journey import Doctor, Patient
from tests.browser.on_the_phone import CARE, NORMAL, flaws, front, on_the_phone_of
from tests.browser.screens import WIDE, a_page, looks_right
from tests.browser.signing_in import fill_login
from tests.world import World

pytestmark = pytest.mark.anyio


def desk(world: World, path: str = "/desk") -> str:
    return world.places.api + path


@asynccontextmanager
async def at_the_desk(browser: Browser, world: World, size: tuple[int, int] = WIDE) -> AsyncIterator[Page]:
    async with a_page(browser, size) as page:
        await page.goto(desk(world))
        await fill_login(page, world, world.demo["schedule_manager"])
        yield page


async def a_booking(world: World, place: int = 3) -> tuple[Patient, Doctor, dict[str, Any], dict[str, Any]]:
    """A patient who has paid for an hour to come."""
    patient, doctor = await world.a_patient(), await world.doctor()
    slot = (await patient.times(doctor=doctor.id))[place]
    held = await patient.books(slot, await patient.asks())
    await patient.pays(held["payment_id"])
    await patient.phone.allow(["TPL_CANCELLED", "TPL_MOVED"])
    return patient, doctor, slot, held


def hours(slot: dict[str, Any]) -> tuple[str, str, str]:
    """Day, begin and end in Shanghai."""
    starts, ends = (local(datetime.fromisoformat(slot[name])) for name in ("starts_at", "ends_at"))
    return (
        f"{starts:%Y-%m-%d}",
        f"{starts:%H:%M}",
        f"{ends:%H:%M}" if ends.date() == starts.date() else "24:00",
    )


async def fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        await page.locator(f"[name={name}]").first.fill(value)


async def test_a_manager_stops_an_hour_after_seeing_whom_it_reaches(world: World, browser: Browser) -> None:
    patient, doctor, slot, held = await a_booking(world)
    day, begins, ends = hours(slot)
    async with at_the_desk(browser, world) as page:
        await page.goto(desk(world, f"/desk/schedule/doctors/{doctor.id}/days/{day}"))
        await page.get_by_role("link", name="这一天停诊或改约").click()
        await fill(page, begins=begins, ends=ends)
        await page.get_by_role("button", name="查看影响").click()
        await expect(page.locator(".tile-bad")).to_contain_text("1")
        await expect(page.get_by_role("row").filter(has_text="退款")).to_have_count(1)
        assert (await patient.appointment(held["id"]))["state"] == "booked"

        await page.fill("[name=reason]", "医生外出")
        await page.get_by_role("button", name="确认停诊").click()

        await expect(page.get_by_role("status")).to_contain_text("正在逐一通知")
        await patient.phone.message("TPL_CANCELLED", held["id"])
        await page.goto(desk(world, "/desk/schedule-log"))
        await expect(page.locator("tbody tr").first).to_contain_text("停诊")
        await expect(page.locator("tbody tr").first).to_contain_text("医生外出")
    assert (await patient.appointment(held["id"]))["cancel_reason"] == "doctor_cancelled"


async def test_a_moved_patient_sees_her_choices_on_the_phone(world: World, browser: Browser) -> None:
    patient, doctor, slot, held = await a_booking(world)
    day, begins, ends = hours(slot)
    to_day = hours((await patient.times(doctor=doctor.id))[1])[0]
    address = (
        f"/desk/schedule-changes/new?practitioner_id={doctor.id}&first_day={day}&begins={begins}&ends={ends}"
    )
    async with at_the_desk(browser, world) as page:
        await page.goto(desk(world, f"{address}&to_day={to_day}"))
        await page.fill("[name=reason]", "医生外出")
        await page.get_by_role("button", name="确认改约").click()
        await patient.phone.message("TPL_MOVED", held["id"])
    async with on_the_phone_of(browser, world, patient) as page:
        for look in (NORMAL, CARE):
            if look is CARE:
                await page.goto(front(world))
                await page.get_by_role("button", name="长辈版").first.click()
            await page.goto(front(world, f"/visits/{held['id']}"))
            await expect(page.get_by_text("就诊时间有变，请您确认")).to_be_visible()
            assert await flaws(page, look) == []
        await page.get_by_role("button", name="接受新时间").click()
        await expect(page.get_by_text("本次预约由医院改期")).to_be_visible()
    assert (await patient.appointment(held["id"]))["answer_by"] is None


async def test_a_manager_plans_a_week_and_is_told_what_cannot_be(world: World, browser: Browser) -> None:
    doctor = await world.doctor("0310")
    async with at_the_desk(browser, world) as page:
        await page.goto(desk(world, f"/desk/schedule/doctors/{doctor.id}"))
        await page.get_by_text("新增每周出诊").click()
        await page.select_option("[name=department_code]", "0700")
        await page.get_by_role("button", name="新增并开放近期号源").click()
        await expect(page.get_by_role("alert")).to_contain_text("未在本科室备案")
        await expect(page.locator("#wrong-department_code")).to_be_visible()

        await page.select_option("[name=department_code]", "0310")
        await page.get_by_role("button", name="新增并开放近期号源").click()
        await expect(page.get_by_role("alert")).to_contain_text("重叠")


async def test_places_of_an_hour_are_changed_where_they_are_seen(world: World, browser: Browser) -> None:
    patient, doctor, slot, _ = await a_booking(world)
    day = hours(slot)[0]
    async with at_the_desk(browser, world) as page:
        await page.goto(desk(world, f"/desk/schedule/doctors/{doctor.id}/days/{day}"))
        places = page.locator(f"#places-{slot['id']}")
        await places.fill("0")
        await places.press("Enter")
        await expect(page.get_by_role("alert")).to_contain_text("不能少于 1 个号")
        await page.locator(f"#places-{slot['id']}").fill("9")
        await page.locator(f"#places-{slot['id']}").press("Enter")
        await expect(page.get_by_role("status")).to_contain_text("号数已调整")
    found = await patient.times(doctor=doctor.id)
    assert next(one for one in found if one["id"] == slot["id"])["capacity"] == 9


async def test_every_page_of_the_schedule_desk_is_readable(world: World, browser: Browser) -> None:
    _, doctor, slot, _ = await a_booking(world, place=2)
    day, begins, ends = hours(slot)
    manager = await world.staff("schedule_manager")
    (first, *_) = await manager.api.call("GET", f"/timetable/sessions?practitioner={doctor.id}")
    hers = f"/desk/schedule/doctors/{doctor.id}"
    async with at_the_desk(browser, world) as page:
        for path in (
            "/desk/schedule", hers, f"{hers}/days/{day}", f"{hers}/sessions/{first['series_id']}", "/desk/schedule-settings",
            "/desk/schedule-log", "/desk/schedule-changes", "/desk/schedule-changes/new",
            f"/desk/schedule-changes/new?practitioner_id={doctor.id}&first_day={day}&begins={begins}&ends={ends}",
            f"/desk/schedule-changes/slots/{slot['id']}?capacity=0",
        ):  # fmt: skip
            answer = await page.goto(desk(world, path))
            assert answer is not None
            assert answer.status == 200, path
            for details in await page.locator("main details").all():
                await details.evaluate("one => one.open = true")
            await looks_right(page)


async def test_a_mirror_that_is_not_read_raises_a_banner(world: World, browser: Browser) -> None:
    manager = await world.staff("schedule_manager")
    await world.faults("his", down=True)
    body = {"department_code": "0403", "source": "his"}
    try:
        await manager.api.call("PUT", "/timetable/sources", body)
        async with at_the_desk(browser, world) as page:
            await page.goto(desk(world, "/desk/schedule?department=0403"))
            await expect(page.get_by_role("alert")).to_contain_text("没有按时同步")
            await page.goto(desk(world, "/desk/schedule-settings"))
            await expect(page.get_by_text("未按时同步")).to_be_visible()
    finally:
        await world.faults("his")
        await manager.api.call("PUT", "/timetable/sources", body | {"source": "own"})
