"""The doctor states what she knows of the patient; the engine answers at once, and the pharmacist reads it."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.on_the_phone import flaws
from tests.browser.test_desks import at_the_desk, desk
from tests.browser.test_doctor_pages import phone_of, visit_path, who_is_talking
from tests.world import World

pytestmark = pytest.mark.anyio
FORBIDDEN = "肾小球滤过率低于 30禁用"


async def chooses(page: Page, words: str, name: str) -> None:
    await page.fill("#find", words)
    await page.locator("#found").get_by_role("option", name=name).first.click()


async def test_a_stated_kidney_forbids_a_drug_at_once_and_the_pharmacist_reads_it(
    world: World, browser: Browser
) -> None:
    _, doctor, visit = await who_is_talking(world)
    async with phone_of(browser, world, doctor.person, visit_path(visit, "/prescriptions/new")) as page:
        facts = page.locator("#stated")
        await expect(facts.locator("[name=egfr]")).to_be_hidden()  # folded while nothing is stated
        await expect(page.locator("#stated-count")).to_have_text("未注明")
        hers = visit["patient_sex"] == "female" and 12 <= visit["patient_age"] < 60
        await expect(facts.locator("[name=pregnancy]")).to_have_count(3 if hers else 0)
        await chooses(page, "二甲双胍", "盐酸二甲双胍片")
        await page.fill("#reason", "续用原方案")
        await page.fill("#allergies", "无")
        await expect(page.locator(".line-findings")).not_to_contain_text(FORBIDDEN)

        await facts.locator("summary").click()
        await facts.locator("[name=egfr]").fill("20")
        await expect(page.locator(".line-findings")).to_contain_text(FORBIDDEN)
        await expect(page.locator("#sign")).to_be_disabled()
        await facts.locator("[name=weight_kg]").fill("999")
        await expect(facts.locator("[data-fact=weight_kg] .field-error")).to_contain_text("不超过 300")
        await expect(page.locator("#keep")).to_be_disabled()
        await facts.locator("[name=egfr]").fill("75")
        await facts.locator("[name=weight_kg]").fill("61.5")
        await page.fill("#taking-find", "氯雷他定")
        await page.locator("#taking-found").get_by_role("option").first.click()
        await expect(page.locator("#stated-count")).to_have_text("已注明 3 项")
        await expect(page.locator(".line-findings")).not_to_contain_text(FORBIDDEN)
        assert await flaws(page) == []
        await page.reload()
        await expect(facts.locator("[name=egfr]")).to_have_value("75")

        await expect(page.locator("#sign")).to_be_enabled()
        await page.click("#sign")
        await page.wait_for_url(lambda url: "/prescriptions" not in url)
        [made] = await doctor.api.call("GET", f"/encounters/{visit['id']}/prescriptions")
        await page.goto(page.url.partition("/doctor/")[0] + f"/doctor/prescriptions/{made['id']}")
        await expect(page.locator("#stated")).to_contain_text("体重：61.5 kg")
        await expect(page.locator("#stated")).to_contain_text(made["prescriber"])
    assert (made["stated"]["egfr"], made["stated"]["weight_kg"]) == (75, "61.5")
    assert len(made["stated"]["taking"]) == 1

    async with at_the_desk(browser, world, "second_pharmacist") as page:
        await page.goto(desk(world, f"/desk/reviews/{made['id']}"))
        await expect(page.locator("#stated")).to_contain_text("肾小球滤过率（eGFR）：75")
        await expect(page.locator("#stated")).to_contain_text("氯雷他定")
        await expect(page.locator("#stated")).to_contain_text(made["prescriber"])


async def test_every_frequency_of_the_engine_is_offered_and_counted(world: World, browser: Browser) -> None:
    _, doctor, visit = await who_is_talking(world)
    known = await doctor.api.call("GET", f"/encounters/{visit['id']}/prescribing")
    async with phone_of(browser, world, doctor.person, visit_path(visit, "/prescriptions/new")) as page:
        await chooses(page, "阿莫西林胶囊", "阿莫西林胶囊")
        often = page.locator(".line [name=frequency]")
        offered = await often.locator("option").evaluate_all("all => all.map((one) => one.value)")
        assert offered == [one["code"] for one in known["frequencies"]]
        assert {"q6h", "once"} <= set(offered)

        await often.select_option("q6h")
        await page.fill(".line [name=days]", "7")
        four_a_day = int(await page.locator(".line [name=quantity]").input_value())
        await often.select_option("once")

        await expect(page.locator(".line [name=days]")).to_have_value("1")
        await expect(page.locator(".line [name=quantity]")).to_have_value("1")
        assert four_a_day > 1
