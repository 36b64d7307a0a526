"""The counter, the pauses and the duty desk's waiting room, in a real browser; and the daughter who pays by a code."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.on_the_phone import NORMAL, flaws, front, on_the_phone_of, pay
from tests.browser.screens import looks_right
from tests.browser.test_desks import at_the_desk, desk
from tests.browser.test_patient_pages import a_visit
from tests.world import World

pytestmark = pytest.mark.anyio


async def test_a_clerk_books_for_somebody_without_a_phone_and_her_daughter_pays(
    world: World, browser: Browser
) -> None:
    """N14."""
    person, daughter = world.person(), await world.a_patient()
    async with at_the_desk(browser, world, "clerk") as page:
        await page.goto(desk(world, "/desk/counter"))
        await page.fill("[name=name]", str(person["name"]))
        await page.fill("[name=id_number]", str(person["id_number"]))
        await page.select_option("[name=authority]", "phone")
        await page.get_by_role("button", name="核对身份").click()
        await expect(page.locator("#wrong-callback_phone")).to_contain_text("回拨号码")
        await page.select_option("[name=authority]", "in_person")
        await page.get_by_role("button", name="核对身份").click()
        await expect(page.get_by_role("status")).to_contain_text("身份已核对")
        await looks_right(page)
        await page.get_by_role("link", name="打开").first.click()

        await page.get_by_role("button", name="登记").click()
        await expect(page.locator("#wrong-signed")).to_contain_text("签名")
        await page.locator(".tick input").check()
        await page.get_by_role("button", name="登记").click()
        await expect(page.get_by_text("已签署现行版本")).to_be_visible()
        await page.get_by_role("link", name="查询本院诊断").click()
        await page.get_by_role("button", name="核对").first.click()
        await page.get_by_role("link", name="为此病选号").first.click()
        await page.fill("[name=complaint]", "头晕三天，不会用手机")
        await looks_right(page)
        await page.get_by_role("button", name="代为预约").click()

        await expect(page.get_by_role("status")).to_contain_text("缴费码")
        await expect(page.locator(".qr svg")).to_be_visible()
        code = (await page.locator(".big.code").inner_text()).strip()
        await looks_right(page)

        async with on_the_phone_of(browser, world, daughter) as phone:
            await phone.goto(front(world, "/pay"))
            await phone.fill("[name=code]", "AAAAA AAAAA")
            await phone.get_by_role("button", name="查看账单").click()
            await expect(phone.get_by_role("alert")).to_contain_text("没有这个缴费码")
            assert await flaws(phone, NORMAL) == []
            await phone.fill("[name=code]", code.lower())
            await phone.get_by_role("button", name="查看账单").click()
            await expect(phone.get_by_text("我来支付")).to_be_visible()
            assert await flaws(phone, NORMAL) == []
            await phone.get_by_role("button", name="我来支付").click()
            await pay(phone)
            await expect(phone.get_by_role("link", name="完成")).to_be_visible()

        await page.reload()
        await expect(page.get_by_role("button", name="本人已到")).to_be_visible()
        await expect(page.locator(".qr")).to_have_count(0)


async def test_the_duty_desk_asks_the_patient_about_a_colleague(world: World, browser: Browser) -> None:
    """practice.md 7: handed over only if she agrees."""
    patient, _, visit = await a_visit(world, accepted=False)
    await world.moves_on(minutes=6)
    async with at_the_desk(browser, world, "duty_desk") as page:
        await page.goto(desk(world, "/desk/waiting"))
        await expect(page.get_by_role("heading", name="候诊")).to_be_visible()
        await looks_right(page)
        seen = await patient.api.call("GET", f"/appointments/{visit['appointment_id']}/waiting")

        assert seen["waited_minutes"] >= 6
        await expect(page.locator("table.list")).to_contain_text("分钟")


async def test_a_clerk_reads_who_may_not_book(world: World, browser: Browser) -> None:
    async with at_the_desk(browser, world, "clerk") as page:
        await page.goto(desk(world, "/desk/pauses"))

        await expect(page.get_by_text("次未到，暂停预约")).to_be_visible()
        await looks_right(page)
