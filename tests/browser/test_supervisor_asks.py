"""A supervisor's question on both sides' screens: the city's console, the quality department's desk, and back."""

from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.screens import WAIT, WIDE, a_page, looks_right
from tests.browser.test_desks import at_the_desk, desk
from tests.world import World

pytestmark = pytest.mark.anyio
ANSWER = "当日候诊人多，已增派医师并致歉。"


async def at_the_console(stack: AsyncExitStack, browser: Browser, world: World) -> Page:
    page = await stack.enter_async_context(a_page(browser, WIDE, base_url=world.places.supervision))
    await page.goto("/login")
    for name in ("login", "password"):
        await page.fill(f"[name={name}]", str(world.demo["supervisor"][name]))
    await page.get_by_role("button", name="登录").click()
    await expect(page.get_by_role("heading", name="监管看板")).to_be_visible()
    return page


async def a_complaint(world: World) -> str:
    """Filed by a patient: her words."""
    patient = await world.a_patient()
    words = f"等候时间太长，没有人说明原因（{patient.person_id[-6:]}）。"
    await patient.api.call("POST", "/complaints", {"person_id": str(patient.person_id), "text": words})
    return words


async def test_a_question_is_asked_answered_and_closed(world: World, browser: Browser) -> None:
    words = await a_complaint(world)
    async with AsyncExitStack() as stack:
        console = await at_the_console(stack, browser, world)
        card = console.locator(".cards .card", has_text=words)
        for _ in range(30):
            await console.goto("/complaints")
            if await card.count():
                break
            await console.wait_for_timeout(500)
        await looks_right(console)
        await card.get_by_role("button", name="办理").click()
        await console.fill("[name=authority]", "沪卫监〔2026〕12号")
        await console.fill("[name=words]", f"请说明原因：{words}")
        await console.get_by_role("button", name="送出").click()
        await expect(console.get_by_text("已送达，等待答复")).to_be_visible()
        await looks_right(console)

        page = await stack.enter_async_context(at_the_desk(browser, world, "quality"))
        await page.goto(desk(world, "/desk/inquiries"))
        await looks_right(page)
        await page.get_by_role("link", name="答复", exact=True).last.click()
        await expect(page.get_by_text(words)).to_be_visible()
        await page.fill("[name=text]", "嗯")
        await page.get_by_role("button", name="提交答复").click()
        await expect(page.locator("#wrong-text")).to_be_visible()
        await page.fill("[name=text]", ANSWER)
        await looks_right(page)
        await page.get_by_role("button", name="提交答复").click()
        await expect(page.get_by_role("status")).to_contain_text("已答复")
        await looks_right(page)

        await console.get_by_role("button", name="查看有无答复").click()
        await expect(console.locator("h3", has_text="医院答复")).to_be_visible(timeout=WAIT)
        await expect(console.locator(".card p", has_text=ANSWER).first).to_be_visible()
        await console.fill("[name=note]", "答复属实")
        await console.get_by_role("button", name="办结").click()
        await expect(console.locator(".path [aria-current]")).to_have_text("已办结")
        await looks_right(console)


async def test_a_look_in_and_a_conversation_are_readable_by_day_and_by_night(
    world: World, browser: Browser
) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    await doctor.accepts(visit["id"])
    await patient.api.call("POST", f"/encounters/{visit['id']}/recording-consent")
    await doctor.says(visit["id"], "您好，最近血压怎么样？")
    await world.reported(visit["appointment_id"], doctor)
    path = f"/visits/{visit['appointment_id']}"
    async with AsyncExitStack() as stack:
        console = await at_the_console(stack, browser, world)
        for scheme, ask in (("light", "查阅文字记录"), ("dark", "旁看视频")):
            await console.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            await console.goto(path)
            await console.get_by_text("旁看视频、查阅文字记录").click()
            await console.fill("#ask-authority", "沪卫监〔2026〕12号")
            await console.fill("#ask-reason", "日常监督检查")
            await looks_right(console)
            await console.get_by_role("button", name=ask).click()
            if ask == "查阅文字记录":
                await expect(console.get_by_text("您好，最近血压怎么样？")).to_be_visible()
                await looks_right(console)
        await expect(console.locator("video")).to_have_count(2)
        await looks_right(console)
        await console.get_by_role("button", name="结束旁看").click()
        await expect(console.get_by_role("heading", name="就诊")).to_be_visible()
        await console.goto("/visits?live=1")
        await expect(console.locator(f'a[href="{path}"]')).to_have_count(1)
        await console.goto("/trail")
        await expect(console.locator(".cards")).to_contain_text("旁看视频")
