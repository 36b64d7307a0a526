"""Paying by insurance on a phone: the split before paying, the choice, the e-bill; each screen as it is and in large print."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.on_the_phone import CARE, NORMAL, flaws, front, on_the_phone_of
from tests.browser.screens import PHONE, WIDE, faults
from tests.browser.test_desks import at_the_desk, desk
from tests.world import World

pytestmark = pytest.mark.anyio


async def in_both_prints(page: Page, world: World, path: str) -> None:
    """As it is, in large print, and as it was again."""
    assert await flaws(page, NORMAL) == []
    await page.goto(front(world))
    await page.get_by_role("button", name="长辈版").first.click()
    await page.goto(front(world, path))
    assert await flaws(page, CARE) == []
    await page.goto(front(world))
    await page.get_by_role("button", name="标准版").first.click()
    await page.goto(front(world, path))


async def test_a_patient_sees_the_split_and_pays_by_insurance(world: World, browser: Browser) -> None:
    patient, doctor = world.patient_named("patient"), await world.doctor()
    await patient.is_ready()
    booked = await patient.books((await patient.times(doctor=doctor.id))[-1], await patient.asks())
    path = f"/payments/{booked['payment_id']}"
    async with on_the_phone_of(browser, world, patient) as page:
        await page.goto(front(world, path))
        await expect(page.get_by_role("button", name="全部自费 ¥")).to_be_visible()
        await in_both_prints(page, world, path)

        await page.get_by_role("button", name="医保支付").click()
        await page.click("#allow")
        await expect(page.locator("#split")).to_contain_text("医保统筹支付")
        await expect(page.locator("#split")).to_contain_text("您还要付")
        await expect(page.get_by_role("button", name="全部自费 ¥")).to_be_visible()
        await in_both_prints(page, world, path)

        await page.get_by_role("button", name="确认，").click()
        await page.wait_for_url("**/med-ins-cashier/**")
        await page.click("#pay")
        await expect(page.get_by_role("heading", name="支付成功")).to_be_visible()
        await expect(page.locator(".result")).to_contain_text("医保统筹")
        assert await flaws(page, NORMAL) == []

        await page.goto(front(world, path))
        await expect(page.get_by_text("怎样支付的")).to_be_visible()

        async def issued() -> bool | None:
            found = await patient.api.call("GET", f"{path}/e-bills")
            return (found and found[0]["state"] == "issued") or None

        await world.until(issued, "the e-bill")
        await page.goto(front(world, f"{path}/e-bills"))
        await expect(page.get_by_text("演示票据，非有效票据")).to_be_visible()
        await in_both_prints(page, world, f"{path}/e-bills")


async def test_a_failed_insurance_leaves_the_choice_to_her(world: World, browser: Browser) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()
    booked = await patient.books((await patient.times(doctor=doctor.id))[-1], await patient.asks())
    path = f"/payments/{booked['payment_id']}"
    async with on_the_phone_of(browser, world, patient) as page:
        await page.goto(front(world, path))
        await page.get_by_role("button", name="医保支付").click()
        await world.faults("wechat", insurance_refuses="参保地系统维护")
        try:
            await page.click("#allow")
            await expect(page.get_by_role("alert")).to_contain_text("参保地系统维护")
        finally:
            await world.faults("wechat")
        await page.goto(front(world, path))
        await expect(page.get_by_role("alert")).to_contain_text("请您选择")
        await in_both_prints(page, world, path)

        await page.get_by_role("button", name="全部自费 ¥").click()
        await page.wait_for_url("**/cashier/**")
        await page.click("#pay")
        await expect(page.get_by_role("heading", name="支付成功")).to_be_visible()


async def test_who_declines_the_authorisation_is_back_at_her_bill(world: World, browser: Browser) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()
    booked = await patient.books((await patient.times(doctor=doctor.id))[-1], await patient.asks())
    async with on_the_phone_of(browser, world, patient) as page:
        await page.goto(front(world, f"/payments/{booked['payment_id']}"))
        await page.get_by_role("button", name="医保支付").click()
        await page.click("#deny")

        await expect(page.get_by_role("alert")).to_contain_text("没有完成医保授权")
        await expect(page.get_by_role("button", name="全部自费 ¥")).to_be_visible()


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "narrow"])
async def test_the_desk_sees_purses_numbers_and_the_e_bill(
    world: World, browser: Browser, size: tuple[int, int]
) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()
    booked = await patient.books((await patient.times(doctor=doctor.id))[-1], await patient.asks())
    await world.faults("ebill", refuse="开票点已停用")
    try:
        await patient.pays_by_insurance(booked["payment_id"])
        async with at_the_desk(browser, world, "clerk", size) as page:
            waiting = page.locator("tr", has=page.locator(f'a[href="/desk/payments/{booked["payment_id"]}"]'))
            await page.goto(desk(world, "/desk/e-bills"))
            await expect(waiting).to_contain_text("开票点已停用")
            assert await faults(page) == []

            await page.goto(desk(world, f"/desk/payments/{booked['payment_id']}"))
            await expect(page.get_by_text("医保支付单号")).to_be_visible()
            await expect(page.get_by_text("混合订单号")).to_be_visible()
            assert await faults(page) == []

            await world.faults("ebill")
            await page.goto(desk(world, "/desk/e-bills"))
            await waiting.get_by_role("button").click()
            await expect(waiting).to_have_count(0)
            await page.goto(desk(world, f"/desk/payments/{booked['payment_id']}"))
            await expect(page.get_by_text("票据号码", exact=True)).to_be_visible()
            assert await faults(page) == []
    finally:
        await world.faults("ebill")
