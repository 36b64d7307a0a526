"""影像资料: the hospital's pictures on the doctor's and on the patient's screen, and on nobody else's."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.on_the_phone import CARE, becomes, flaws, front, on_the_phone_of
from tests.browser.test_doctor_pages import phone_of, visit_path, who_waits
from tests.world import World

pytestmark = pytest.mark.anyio

DRAWN = "document.querySelector('#images .picture img')?.naturalWidth > 0"


async def photograph(page: Page, name: str) -> None:
    """Kept where PICTURES says; nowhere otherwise."""
    if folder := os.environ.get("PICTURES"):
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


async def first_picture(page: Page, world: World) -> None:
    """From the list to the first picture of the first study."""
    await page.locator(".studies .row").first.click()
    await expect(page.locator("#images .picture img")).to_be_visible()
    await becomes(page, world, DRAWN)


async def test_a_doctor_opens_a_study_and_pages_through_it(world: World, browser: Browser) -> None:
    _, doctor, visit = await who_waits(world)
    async with phone_of(browser, world, doctor.person, visit_path(visit)) as page:
        await page.get_by_role("button", name="查看院内病历").click()
        assert await page.locator("#images .row").count() == 0  # nobody looks by accident
        await page.get_by_role("link", name="查看影像资料").click()
        await expect(page.locator(".studies")).to_contain_text("胸部CT平扫")
        await photograph(page, "doctor-list")
        assert await flaws(page) == []

        await first_picture(page, world)
        await expect(page.locator("#images")).to_contain_text("第 1/3 幅")
        await expect(page.locator("#images")).to_contain_text("不用于诊断")
        first = await page.locator(".picture img").get_attribute("src")
        await photograph(page, "doctor-picture")
        assert await flaws(page) == []
        await page.locator("label.chip", has_text="放大 2 倍").click()
        await page.get_by_role("link", name="下一幅").click()
        await expect(page.locator("#images")).to_contain_text("第 2/3 幅")
        await becomes(page, world, DRAWN)
        assert await page.locator(".picture img").get_attribute("src") != first
        await expect(page.locator("[name=zoom][value='2']")).to_be_checked()
        await page.get_by_role("link", name="骨窗").click()
        await expect(page.locator("a.chip[aria-current]", has_text="骨窗")).to_be_visible()
        await page.get_by_role("link", name="序列 2").click()
        await expect(page.locator("#images")).to_contain_text("第 1/2 帧")
        await page.get_by_role("link", name="下一幅").click()
        await expect(page.locator("#images")).to_contain_text("第 2/2 帧")

        reported = await world.reported(visit["appointment_id"], doctor)
    assert reported.count("record.viewed") == 3  # the history, the list of studies, one study


async def test_a_patient_sees_her_own_pictures_and_that_they_are_no_diagnosis(
    world: World, browser: Browser
) -> None:
    patient, doctor, visit = await who_waits(world)
    path = f"/visits/{visit['appointment_id']}"
    async with on_the_phone_of(browser, world, patient) as page:
        await page.goto(front(world, path))
        await page.get_by_role("link", name="影像资料").click()
        await expect(page).to_have_url(front(world, f"{path}/images"))
        await expect(page.locator("#images")).to_contain_text("不作为诊断依据")
        await photograph(page, "patient-list")
        assert await flaws(page) == []

        await first_picture(page, world)
        await photograph(page, "patient-picture")
        assert await flaws(page) == []

        reported = await world.reported(visit["appointment_id"], doctor)
    assert reported.count("record.viewed") == 2


async def test_pictures_need_no_script(world: World, browser: Browser) -> None:
    patient, _, visit = await who_waits(world)
    context = await browser.new_context(java_script_enabled=False)
    async with on_the_phone_of(browser, world, patient) as logged_in:
        await context.add_cookies(await logged_in.context.cookies())  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(front(world, f"/visits/{visit['appointment_id']}/images"))
    await page.locator(".studies .row").first.click()
    await page.get_by_role("link", name="下一幅").click()

    await expect(page.locator("#images")).to_contain_text("第 2/3 幅")
    await expect(page.locator(".picture img")).to_be_visible()
    await context.close()


async def test_in_large_print_the_page_is_as_good(world: World, browser: Browser) -> None:
    patient, _, visit = await who_waits(world)
    async with on_the_phone_of(browser, world, patient) as page:
        await page.goto(front(world, f"/visits/{visit['appointment_id']}/images"))
        await page.locator("summary", has=page.locator("svg")).first.click()
        await page.get_by_role("button", name="切换长辈版").click()
        await expect(page.locator("html.care")).to_have_count(1)
        assert await flaws(page, CARE) == []
        await first_picture(page, world)
        await photograph(page, "patient-picture-large")
        assert await flaws(page, CARE) == []


async def test_nobody_else_sees_them(world: World, browser: Browser) -> None:
    patient, doctor, visit = await who_waits(world)
    stranger, _, hers = await who_waits(world)
    other = await world.doctor()
    studies: Any = await patient.api.call("GET", f"/encounters/{visit['id']}/images")
    study = studies["studies"][0]["study_id"]

    async with on_the_phone_of(browser, world, stranger) as page:
        for path in (
            f"/visits/{visit['appointment_id']}/images",
            f"/visits/{visit['appointment_id']}/images/{study}",
            f"/visits/{hers['appointment_id']}/images/{study}",
        ):
            await page.goto(front(world, path))
            await expect(page.locator("#main")).to_contain_text("没有找到")
            assert await page.locator(".picture img").count() == 0
    if other.id != doctor.id:
        async with phone_of(browser, world, other.person, visit_path(visit, f"/images/{study}")) as page:
            await expect(page.locator("#main")).to_contain_text("没有找到")
            assert await page.locator(".picture img").count() == 0
