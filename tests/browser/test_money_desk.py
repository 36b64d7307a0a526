"""The money desk in a real browser: an order found by phone, a refund that two people decide, a price list that two people make."""

from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.screens import PHONE, WIDE, faults
from tests.browser.test_desks import at_the_desk, desk
from tests.world import World

pytestmark = pytest.mark.anyio


async def a_paid_visit(world: World) -> tuple[Any, str]:
    """Patient and bill."""
    patient, doctor = await world.a_patient(), await world.doctor()
    held = await patient.books(await patient.free_slot(doctor=doctor.id), await patient.asks())
    await patient.pays(held["payment_id"])
    return patient, str(held["payment_id"])


async def readable(page: Page) -> None:
    assert await faults(page) == [], page.url


async def test_a_refund_by_agreement_is_proposed_by_one_and_approved_by_another(
    world: World, browser: Browser
) -> None:
    patient, payment = await a_paid_visit(world)
    async with at_the_desk(browser, world, "clerk") as page:
        await page.goto(desk(world, "/desk/payments"))
        await page.fill("[name=q]", str(patient.person["phone"]))
        await page.get_by_role("button", name="查找").click()
        await page.locator(f'a[href="/desk/payments/{payment}"]').click()
        await readable(page)
        await page.get_by_role("link", name="提出协商退款").click()
        await readable(page)
        await page.fill("[name=yuan]", "10.50")
        await page.fill("[name=note]", "等候过久，协商退还部分诊查费")
        await page.get_by_role("button", name="提出退款").click()
        await expect(page.get_by_role("status")).to_contain_text("等待另一位工作人员审批")
        await page.get_by_role("row", name="¥10.50").get_by_role("link").first.click()
        await expect(page.get_by_text("须由另一位工作人员审批")).to_be_visible()
        address = page.url

    async with at_the_desk(browser, world, "admin", PHONE) as page:
        await page.goto(address)
        await readable(page)
        await page.get_by_role("button", name="同意退款 ¥10.50").click()
        await expect(page.get_by_role("status")).to_contain_text("已同意")
        await expect(page.locator(".deeds")).to_contain_text("同意退款")

    async def given_back() -> bool:
        bill = await patient.api.call("GET", f"/payments/{payment}")
        return [one["amount"] for one in bill["refunds"]] == [1050]

    await world.until(given_back, "the refund")


async def test_a_price_list_is_written_by_one_and_approved_by_another(world: World, browser: Browser) -> None:
    later = (world.clock.today() + timedelta(days=200)).isoformat()
    async with at_the_desk(browser, world, "clerk") as page:
        await page.goto(desk(world, "/desk/prices"))
        await page.get_by_text("编制新的价格表").click()
        await page.fill("[name=note]", "新增站点自提（示例）")
        await page.get_by_role("button", name="编制草稿").click()
        await expect(page.get_by_role("status")).to_contain_text("已编制草稿")
        await readable(page)
        await page.get_by_role("link", name="修改或批准").first.click()
        address = page.url
        await page.fill("input[list=codes]", "delivery.station")
        await page.fill("[name=name]", "站点自提服务费")
        await page.fill("[name=yuan]", "2.5")
        await page.get_by_role("button", name="保存这一项").click()
        await expect(page.get_by_role("row", name="站点自提服务费")).to_contain_text("新增")
        await expect(page.get_by_text("须由另一位工作人员批准")).to_be_visible()
        await readable(page)

    async with at_the_desk(browser, world, "admin", PHONE) as page:
        await page.goto(address)
        await readable(page)
        await page.fill("[name=effective_on]", later)
        await page.get_by_role("button", name="核对无误，批准").click()
        await expect(page.get_by_role("status")).to_contain_text("已批准")
        await page.get_by_role("button", name="撤回这一版").click()
        await expect(page.get_by_role("status")).to_contain_text("已撤回")


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
async def test_the_days_of_the_books_are_there_before_they_are_compared(
    world: World, browser: Browser, size: tuple[int, int]
) -> None:
    async with at_the_desk(browser, world, "clerk", size) as page:
        await page.goto(desk(world, "/desk/reconciliation"))
        await readable(page)
        await page.get_by_role("link", name="查看").first.click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text(
            world.clock.today().strftime("%Y-%m")
        )
        await readable(page)
