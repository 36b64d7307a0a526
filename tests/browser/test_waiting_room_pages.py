"""The waiting room and the draw on a phone, and who got the places."""

import asyncio
from datetime import datetime
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from standalone.journey import Doctor
from tests.browser.on_the_phone import CARE, NORMAL, flaws, front, on_the_phone_of
from tests.browser.screens import PHONE, a_page
from tests.browser.test_patient_pages import a_visit
from tests.world import World

pytestmark = pytest.mark.anyio


async def looks_right(page: Page, world: World, path: str) -> None:
    """As it is, and then for the rest of the test in large print."""
    assert await flaws(page, NORMAL) == []
    await page.goto(front(world))
    await page.get_by_role("button", name="长辈版").first.click()
    await page.goto(front(world, path))
    assert await flaws(page, CARE) == []


async def sends_away_all_but(doctor: Doctor, encounter_id: str) -> None:
    """Whom earlier tests left in this doctor's waiting room."""
    for one in await doctor.api.call("GET", "/doctor/encounters"):
        if one["state"] == "planned" and one["id"] != encounter_id:
            body = {"reason": "候诊室清空", "not_a_follow_up": False}
            await doctor.api.call("POST", f"/encounters/{one['id']}/decline", body)


async def test_who_waits_sees_her_place_and_an_honest_range(world: World, browser: Browser) -> None:
    first, doctor, visit = await a_visit(world, accepted=False)
    await sends_away_all_but(doctor, visit["id"])
    second = await world.a_patient()
    later = await second.sees_doctor(await first.free_slot(doctor=doctor.id))
    path = f"/visits/{later['appointment_id']}"
    async with on_the_phone_of(browser, world, second) as page:
        await page.goto(front(world, path))
        await expect(page.locator("#ahead")).to_have_text("1")
        await expect(page.locator("#wait")).to_contain_text("分钟")
        await expect(page.locator("#clock")).to_contain_text("自动取消并全额退款")
        await looks_right(page, world, path)

        await doctor.accepts(visit["id"])

        await expect(page.locator("#ahead")).to_have_text("下一位就是您")
        await expect(page.locator("#wait")).to_contain_text("医生还在为前一位患者看诊")
        await expect(page.locator("#clock")).to_contain_text("医生看诊期间不计时")


async def test_a_late_doctor_is_waited_for_or_left(world: World, browser: Browser) -> None:
    patient, _, visit = await a_visit(world, accepted=False)
    path = f"/visits/{visit['appointment_id']}"
    await world.moves_on(minutes=21)

    async def offered() -> bool | None:
        found = await patient.api.call("GET", f"/appointments/{visit['appointment_id']}/waiting")
        return found["late"] or None

    await world.until(offered, "the offer")
    async with on_the_phone_of(browser, world, patient) as page:
        await page.goto(front(world, path))
        await expect(page.get_by_text("让您久等了")).to_be_visible()
        await looks_right(page, world, path)
        await page.get_by_role("button", name="继续等候，保留我的位置").click()
        await expect(page.locator("#clock")).to_contain_text("位置为您保留")
        await expect(page.get_by_text("让您久等了")).to_have_count(0)

        await page.get_by_role("button", name="取消预约").click()
        await page.locator("dialog.question").get_by_role("button", name="取消预约").click()
        await expect(page.get_by_role("heading", name="预约已取消")).to_be_visible()


async def test_just_after_a_release_the_page_draws_a_ticket_and_leads_to_the_bill(
    world: World, browser: Browser
) -> None:
    """正在排队: nothing to press, nothing to win by pressing."""
    doctor, patient = await world.doctor(), await world.a_patient()
    slots = await world.api().call("GET", f"/slots?practitioner={doctor.id}")
    slot = next(one for one in slots if one["why"] == "not_released")
    left = (datetime.fromisoformat(slot["released_at"]) - world.clock.now()).total_seconds()
    await world.moves_on(seconds=max(left - 60, 0))
    decision = await patient.asks()
    place = f"/book/{patient.person_id}/doctors/{doctor.id}/slots/{slot['id']}?decision={decision['id']}"
    async with on_the_phone_of(browser, world, patient) as page:
        await page.goto(front(world, place))
        left = (datetime.fromisoformat(slot["released_at"]) - world.clock.now()).total_seconds()
        await world.moves_on(seconds=max(left - 0.2, 0))
        await _on_sale(world, slot)

        await page.get_by_role("button", name="提交预约").click()

        await expect(page.get_by_text("正在排队")).to_be_visible()
        assert await flaws(page, NORMAL) == []
        await page.wait_for_url("**/payments/**")
        await expect(page.locator("[data-left]")).to_be_visible()


async def _on_sale(world: World, slot: dict[str, Any]) -> None:
    async with asyncio.timeout(20):
        while True:
            found = await world.api().call("GET", f"/slots?practitioner={slot['practitioner_id']}")
            if next(one for one in found if one["id"] == slot["id"])["on_sale"]:
                return


async def test_everybody_may_read_who_got_the_places(world: World, browser: Browser) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()
    held = await patient.books(await patient.free_slot(doctor=doctor.id), await patient.asks())
    await patient.pays(held["payment_id"])
    await world.moves_on(minutes=11)
    async with a_page(browser, PHONE) as page:
        await page.goto(front(world, "/fairness"))

        await expect(page.get_by_role("heading", name="约到的号来自哪里")).to_be_visible()
        await expect(page.locator("meter").first).to_be_visible()
        await expect(page.get_by_text("一起抽签")).to_be_visible()
        await looks_right(page, world, "/fairness")
