"""The hospital's supervision desk in a real browser, wide and on a phone: a system of its own, for its clock moves by a day."""

from collections.abc import AsyncIterator
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.screens import looks_right
from tests.browser.test_desks import at_the_desk, desk
from tests.world import World, running_world

pytestmark = pytest.mark.anyio

NEEDED = {"api", "worker", "gateway-a", "his", "supervision", "wechat", "identity", "ca", "adapter"}
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module")
async def hospital(worker: int) -> AsyncIterator[World]:
    """The feed alone."""
    async with running_world(worker, NEEDED) as world:
        yield world


async def a_rejected_record(world: World) -> None:
    """The platform sends somebody's real-name record back; a visit of somebody else goes through."""
    await world.until(lambda: _all_accepted(world), "the catalogue and the staff at the platform", 60)
    await world.faults("supervision", reject_every=1)
    try:
        await world.a_patient()
        await world.until(lambda: _rejected(world), "the rejection")
    finally:
        await world.faults("supervision")
    patient, doctor = await world.a_patient(), await world.doctor()
    await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))


async def _all_accepted(world: World) -> bool | None:
    found = await world.figures()
    return (found["received"] > 0 and found["missing"] == 0) or None


async def _rejected(world: World) -> bool | None:
    return (await world.figures())["rejected"] > 0 or None


async def shows(page: Page, world: World, path: str) -> None:
    await page.goto(desk(world, path))
    await looks_right(page)


async def test_a_person_sees_what_waits_carries_it_over_and_closes_the_day(
    hospital: World, browser: Browser
) -> None:
    world = hospital
    await a_rejected_record(world)
    async with at_the_desk(browser, world, "quality") as page:
        await shows(page, world, "/desk/supervision")
        await expect(page.get_by_text("各监管平台")).to_be_visible()

        await shows(page, world, "/desk/submissions")
        card = page.locator("section.card").first
        await expect(card).to_contain_text("实名认证")
        await card.get_by_text("处理").click()
        await looks_right(page)
        await card.locator("[name=reason]").last.fill("平台演练退回，已电话确认")
        await card.get_by_role("button", name="结转").click()
        await expect(page.get_by_role("status")).to_contain_text("已结转")
        await shows(page, world, "/desk/submissions?show=carried")
        await expect(page.get_by_text("平台演练退回，已电话确认")).to_be_visible()

        day = world.clock.now().astimezone(SHANGHAI)
        morning = (day + timedelta(days=1)).replace(hour=10, minute=0)
        await world.moves_on(seconds=(morning - day).total_seconds())
    async with at_the_desk(browser, world, "quality") as page:
        await closed(page, world, day.date().isoformat())
        await shows(page, world, "/desk/statements")
        await shows(page, world, f"/desk/statements/{day.date()}")
        await expect(page.get_by_text("三方一致")).to_be_visible()
        await expect(page.get_by_text("平台演练退回，已电话确认")).to_be_visible()


async def closed(page: Page, world: World, day: str) -> None:
    """As often as it takes: the worker tells, the platform states, a person counts."""
    for _ in range(20):
        await page.goto(desk(world, f"/desk/statements/{day}"))
        if await page.get_by_text("三方一致").count():
            return
        await looks_right(page)
        while await page.locator("[name=method]").count():
            count = (
                (await page.locator("[name=method] option").first.inner_text())
                .split("我方 ")[1]
                .split(" ")[0]
            )
            await page.fill("[name=count]", count)
            await page.get_by_role("button", name="登记", exact=True).click()
            await expect(page.get_by_role("status")).to_contain_text("已登记")
        if await page.get_by_role("button", name="现在对账").count():
            await page.get_by_role("button", name="现在对账").click()
        await world.moves_on(minutes=1)
    raise AssertionError(await page.locator("main").inner_text())


async def test_the_page_of_connections_names_every_certificate(hospital: World, browser: Browser) -> None:
    async with at_the_desk(browser, hospital, "quality") as page:
        await shows(page, hospital, "/desk/connections")

        await expect(page.get_by_text("日结签章（本院）")).to_be_visible()
        await expect(page.get_by_role("row", name="前置机 2").first).to_contain_text("不通")


async def test_the_desk_says_when_the_adapter_is_away(hospital: World, browser: Browser) -> None:
    await hospital.system.stop("adapter")
    try:
        async with at_the_desk(browser, hospital, "quality") as page:
            for path in ("supervision", "submissions", "statements"):
                await shows(page, hospital, f"/desk/{path}")
                await expect(page.get_by_role("alert")).to_contain_text("上报系统没有应答")
    finally:
        await hospital.system.start("adapter")
