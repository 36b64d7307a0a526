"""The hospital's history and what is still taken, beside the prescription editor."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.on_the_phone import flaws
from tests.browser.screens import WIDE
from tests.browser.test_doctor_pages import phone_of, visit_path, who_is_talking
from tests.world import World

pytestmark = pytest.mark.anyio


async def test_on_a_wide_screen_history_stands_beside_what_is_written(world: World, browser: Browser) -> None:
    _, doctor, visit = await who_is_talking(world)
    await doctor.prescribes(visit["id"], reason="续用原方案")
    async with phone_of(browser, world, doctor.person, visit_path(visit)) as page:
        await page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
        await page.get_by_role("button", name="查看院内病历").click()
        await expect(page.locator(".tab-visits")).to_be_visible()
        await page.goto(page.url + "/prescriptions/new")

        # looked at once in this visit: here it opens by itself
        await expect(page.locator("#beside .tab-visits")).to_contain_text(visit["original_diagnosis"]["name"])
        await expect(page.locator("#taking-now")).to_contain_text("本次就诊的另一张处方")
        await page.fill("#find", "氯雷他定")
        await page.locator("#found").get_by_role("option").first.click()
        side, form = page.locator("#beside"), page.locator("#rx")
        left, right = await side.bounding_box(), await form.bounding_box()
        assert left is not None
        assert right is not None
        assert left["x"] + left["width"] <= right["x"]
        await page.locator(".tabs-in label", has_text="用药").click()
        await expect(page.locator(".tab-medications")).to_be_visible()
        await expect(page.locator(".line")).to_have_count(1)  # the editor was not left
        await page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        await expect(side).to_be_in_viewport()


async def test_on_a_phone_it_stands_above_and_folds_away(world: World, browser: Browser) -> None:
    _, doctor, visit = await who_is_talking(world)
    async with phone_of(browser, world, doctor.person, visit_path(visit, "/prescriptions/new")) as page:
        assert "record.viewed" not in await world.reported(visit["appointment_id"], doctor)
        await page.get_by_role("button", name="查看院内病历").click()
        await expect(page.locator("#beside .tab-visits")).to_contain_text(visit["original_diagnosis"]["name"])
        side, form = await page.locator("#beside").bounding_box(), await page.locator("#rx").bounding_box()
        assert side is not None
        assert form is not None
        assert side["y"] + side["height"] <= form["y"]
        assert await flaws(page) == []

        await page.locator("#beside > summary").click()

        await expect(page.locator("#history")).to_be_hidden()
        await expect(page.locator("#find")).to_be_visible()
        reported = await world.reported(visit["appointment_id"], doctor)
    assert reported.count("record.viewed") == 1
