"""What the hospital's systems and the patient's own papers say, on the two phones: papers, new results, silent systems, the shelf."""

import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.async_api import Browser, expect

from tests.browser.on_the_phone import becomes, flaws, front, on_the_phone_of
from tests.browser.test_chat_under_strain import a_picture
from tests.browser.test_doctor_pages import phone_of, visit_path, who_is_talking, who_waits
from tests.browser.test_images import photograph
from tests.journeys.test_laboratory_speaks import number_of
from tests.journeys.test_three_outcomes import waits_with
from tests.world import World

pytestmark = pytest.mark.anyio

LOADED = "[...document.querySelectorAll('.row-picture')].every((one) => one.naturalWidth > 0)"


async def test_a_paper_goes_from_the_patients_phone_to_the_doctors(
    world: World, browser: Browser, tmp_path: Path
) -> None:
    patient = world.patient_named("patient_without_history")
    await patient.is_ready()
    doctor = await world.doctor("0310")
    day = world.clock.today() - timedelta(days=7)
    async with on_the_phone_of(browser, world, patient) as page:
        await page.goto(front(world, f"/book/{patient.person_id}/papers?code=I10.x00&name=高血压"))
        await page.set_input_files("#paper-file", a_picture(tmp_path))
        await expect(page.locator("#toast")).to_contain_text("请先填写材料上的日期")

        await page.fill("#dated", day.isoformat())
        await page.set_input_files("#paper-file", a_picture(tmp_path))
        await expect(page.locator(".row-picture")).to_have_count(1)
        await becomes(page, world, LOADED)
        assert await flaws(page) == []
        await photograph(page, "patient-papers")

        await page.fill("#dated", day.isoformat())
        await page.set_input_files("#paper-file", a_picture(tmp_path))
        await expect(page.locator(".row-picture")).to_have_count(2)
        await page.get_by_role("button", name=re.compile("^删除这份")).first.click()
        await expect(page.locator(".row-picture")).to_have_count(1)

        await page.get_by_role("button", name="提交，请医生判断").click()
        await expect(page).to_have_url(re.compile("/doctors[?].*decides=1"))
        decision = parse_qs(urlsplit(page.url).query)["decision"][0]
        await photograph(page, "patient-papers-asked")
        assert await flaws(page) == []

    _, visit = await waits_with(patient, {"id": decision}, doctor)
    async with phone_of(browser, world, doctor.person, visit_path(visit)) as page:
        basis = page.locator("#basis")
        await expect(basis).to_contain_text("患者上传的材料")
        await expect(basis).to_contain_text("患者填写，请核对")
        await basis.scroll_into_view_if_needed()
        await becomes(page, world, LOADED)
        assert await flaws(page) == []
        await photograph(page, "doctor-papers")


async def test_new_results_are_told_and_a_silent_system_is_named(world: World, browser: Browser) -> None:
    patient, doctor, visit = await who_waits(world)
    number = await number_of(world, str(patient.person["id_number"]))
    async with phone_of(browser, world, doctor.person, visit_path(visit)) as page:
        await expect(page.locator("#state")).to_contain_text("等候接诊")
        await expect(page.locator("#state")).not_to_contain_text("新检验或检查结果")
        async with httpx.AsyncClient(base_url=world.system.health_url("lis_ris"), timeout=10) as laboratory:
            await laboratory.post("/_test/push", json={"kind": "ORU^R01", "number": number})

        await expect(page.locator("#state")).to_contain_text("新检验或检查结果")
        assert await flaws(page) == []
        await photograph(page, "doctor-news")

        await world.faults("lis_ris", down=True)
        try:
            await page.get_by_role("button", name="查看院内病历").click()
            for name in ("检验系统", "检查系统"):
                await expect(page.locator("#history")).to_contain_text(f"{name}暂时无法查询，报告可能不全")
            assert await flaws(page) == []
            await photograph(page, "doctor-missing")
        finally:
            await world.faults("lis_ris")
        async with httpx.AsyncClient(base_url=world.system.health_url("lis_ris"), timeout=10) as laboratory:
            await laboratory.post("/_test/push", json={"kind": "ORU^R01", "number": number})
        await page.reload()
        await expect(page.locator("#state")).to_contain_text(
            "新检验或检查结果"
        )  # what was missed is new still
        await world.moves_on(seconds=5)  # what came while the answer was on its way would be news still
        await page.get_by_role("button", name="查看院内病历").click()
        await expect(page.get_by_role("button", name="查看院内病历")).to_have_count(0)
        await expect(page.locator("#history")).not_to_contain_text("暂时无法查询")
        await page.reload()
        await expect(page.locator("#state")).not_to_contain_text("新检验或检查结果")


async def test_the_shelf_stands_beside_a_drug_with_the_time_of_its_reading(
    world: World, browser: Browser
) -> None:
    _, doctor, visit = await who_is_talking(world)

    async def read() -> bool | None:
        found = await doctor.api.call("GET", "/drugs/availability?codes=YP001")
        return True if found[0]["hospital"] else None

    await world.until(read, "the hospital's shelf")
    async with phone_of(browser, world, doctor.person, visit_path(visit, "/prescriptions/new")) as page:
        await page.fill("#find", "aldp")
        option = page.get_by_role("option", name="苯磺酸氨氯地平片")
        await expect(option).to_contain_text(re.compile(r"院内药房 \d+ .（更新于 .*\d\d:\d\d）"))
        assert await flaws(page) == []
        await photograph(page, "doctor-shelf")
        await option.click()
        await expect(page.locator(".line-about")).to_contain_text("院内药房")
        assert await flaws(page) == []
