"""What helps a doctor to write without writing for her: templates, an earlier prescription, a calculator, the history beside it."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.on_the_phone import flaws
from tests.browser.test_doctor_pages import phone_of, visit_path, who_is_talking
from tests.world import World

pytestmark = pytest.mark.anyio


async def test_a_template_fills_what_is_empty_and_its_blanks_stop_the_signature(
    world: World, browser: Browser
) -> None:
    _, doctor, visit = await who_is_talking(world)
    async with phone_of(browser, world, doctor.person, visit_path(visit, "/record")) as page:
        complaint = await page.locator("[name=chief_complaint]").input_value()
        assert complaint
        await page.get_by_text("常见病模板").click()
        await page.get_by_role("link", name="高血压复诊").click()
        assert await page.locator("[name=chief_complaint]").input_value() == complaint
        assert "mmHg" in await page.locator("[name=present_history]").input_value()
        assert await flaws(page) == []

        await page.get_by_role("button", name="签名").click()

        await expect(page.get_by_text("模板里还有没填的【】").first).to_be_visible()
    found = await doctor.api.call("GET", f"/encounters/{visit['id']}/record")
    assert found["signed_at"] is None
    assert await doctor.api.call("GET", f"/encounters/{visit['id']}/prescriptions") == []


async def test_an_earlier_prescription_counts_line_by_line_and_only_when_confirmed(
    world: World, browser: Browser
) -> None:
    patient, doctor, visit = await who_is_talking(world)
    earlier = await doctor.prescribes(visit["id"], reason="续用原方案")
    await world.passes(earlier)
    await doctor.writes_record(visit["id"])
    await doctor.finishes(visit["id"])
    other = await world.doctor(doctor.person["department"])
    assert other.id != doctor.id
    again = await patient.sees_doctor(await patient.free_slot(doctor=other.id))
    await other.accepts(again["id"])

    async with phone_of(browser, world, other.person, visit_path(again, "/prescriptions/new")) as page:
        await expect(page.locator(".line")).to_have_count(0)
        await page.get_by_text("续方：参考既往处方").click()
        await expect(page.locator("#proposals")).to_contain_text("氨氯地平")
        await expect(page.locator(".line")).to_have_count(0)  # looking takes nothing over
        await page.get_by_role("button", name="采用这一行").first.click()
        await expect(page.locator(".line [name=dose]")).to_have_value("5")
        await expect(page.locator(".line-findings")).to_contain_text("须核对后勾选确认")
        await expect(page.locator("#keep")).to_be_disabled()
        await expect(page.locator("#sign")).to_be_disabled()
        await page.reload()
        await expect(page.locator("#sign")).to_be_disabled()  # nor does a reload confirm it
        assert await flaws(page) == []

        await page.locator(".line-confirm").check()

        await expect(page.locator("#keep")).to_be_enabled()
        await page.click("#keep")
        await expect(page.locator("#toast")).to_contain_text("草稿已保存")
        await page.reload()
        await expect(page.locator(".line-origin")).to_contain_text("续自处方")
    [made] = await other.api.call("GET", f"/encounters/{again['id']}/prescriptions")
    assert (made["state"], made["written"][0]["drug_code"]) == ("draft", "YP001")
    assert [(one["line"], one["prescription_id"]) for one in made["renews"]] == [(0, earlier)]


async def test_the_calculator_computes_and_fills_in_nothing(world: World, browser: Browser) -> None:
    _, doctor, visit = await who_is_talking(world)
    async with phone_of(browser, world, doctor.person, visit_path(visit, "/prescriptions/new")) as page:
        await expect(page.get_by_role("button", name="查看院内病历")).to_be_visible()
        await page.get_by_text("剂量计算").first.click()
        box = page.locator("#calculator")
        await box.locator("[name=age]").fill("40")
        await box.locator("[name=weight]").fill("60")
        await box.locator("[name=creatinine]").fill("88.4")
        await box.locator("[name=per_kg]").fill("10")
        await expect(page.locator("#computed")).to_contain_text("600")
        await expect(page.locator("#computed")).to_contain_text("肌酐清除率")
        await expect(page.locator(".line")).to_have_count(0)
        assert await flaws(page) == []

        await box.locator("[name=weight]").fill("0.2")

        await expect(page.locator("#computed")).to_contain_text("体重应在 1 到 300 千克之间")
