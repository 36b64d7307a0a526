"""A doctor's day on her phone, in a real browser at 390 × 844."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from standalone.journey import Doctor, Patient
from standalone.journey.people import AMLODIPINE
from tests.browser.on_the_phone import CARE, NORMAL, flaws, flaws_by_day_and_night, front
from tests.browser.screens import a_page
from tests.browser.signing_in import fill_login
from tests.world import World

pytestmark = pytest.mark.anyio

OTHER_REASON = "合并高血压，一并续药"


async def who_waits(world: World, department: str = "") -> tuple[Patient, Doctor, dict[str, Any]]:
    """Somebody in the waiting room of a doctor on duty."""
    doctor = await world.doctor(department)
    patient = await world.a_patient()
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    return patient, doctor, visit


async def who_is_talking(world: World) -> tuple[Patient, Doctor, dict[str, Any]]:
    patient, doctor, visit = await who_waits(world)
    await doctor.accepts(visit["id"])
    return patient, doctor, visit


@asynccontextmanager
async def phone_of(
    browser: Browser, world: World, person: Mapping[str, Any], path: str = "/doctor", **more: Any
) -> AsyncIterator[Page]:
    """Her phone, opened at `path`, where the login stands first."""
    async with a_page(browser, **more) as page:
        await page.goto(front(world, path))
        await fill_login(page, world, person)
        yield page


def visit_path(visit: Mapping[str, Any], part: str = "") -> str:
    return f"/doctor/visits/{visit['id']}{part}"


async def test_a_notice_leads_through_the_login_to_its_visit(world: World, browser: Browser) -> None:
    _, doctor, visit = await who_waits(world)
    assert doctor.phone is not None
    notice = await doctor.phone.message("TPL_VISIT_WAITING", visit["id"])
    assert notice["url"].endswith(visit_path(visit))

    async with a_page(browser) as page:
        await page.goto(front(world, visit_path(visit)))
        await expect(page).to_have_title("医生登录")
        await fill_login(page, world, doctor.person)

        await expect(page).to_have_url(front(world, visit_path(visit)))
        await expect(page.locator("#state")).to_contain_text("等候接诊")
        await expect(page.locator("#state")).to_contain_text(visit["original_diagnosis"]["name"])


async def test_a_doctor_reports_an_adverse_event_of_her_visit(world: World, browser: Browser) -> None:
    _, doctor, visit = await who_is_talking(world)
    words = {
        "description": "服药后皮疹 <b>全身</b>",
        "measures": "停药观察",
        "improvements": "加强过敏史询问",
    }
    async with phone_of(browser, world, doctor.person, visit_path(visit)) as page:
        await page.get_by_role("link", name="上报不良事件").click()
        await page.select_option("[name=kind]", "drug")
        await page.select_option("[name=damage]", "mild")
        await page.fill("[name=happened_at]", f"{world.clock.now() - timedelta(days=1):%Y-%m-%dT%H:%M}")
        for name, text in (words | {"cause": "不明"}).items():
            await page.fill(f"[name={name}]", text)
        await page.get_by_role("button", name="上报").click()
        await expect(page.locator("#error-cause")).to_contain_text("待查")
        assert await flaws(page) == []
        await expect(page.locator("[name=description]")).to_have_value(words["description"])
        await page.fill("[name=cause]", "药品过敏，待查")
        await page.get_by_role("button", name="上报").click()
        await expect(page.locator("#reported")).to_be_visible()
        assert await flaws(page) == []

    told = await doctor.api.call("GET", "/adverse-events")
    [mine] = [one for one in told if one["encounter_id"] == visit["id"]]
    assert (mine["state"], mine["reports"]) == ("reported", 1)


async def test_nobody_but_the_doctor_of_the_visit_gets_in(world: World, browser: Browser) -> None:
    patient, _, visit = await who_waits(world)
    stranger = await world.doctor()
    async with phone_of(browser, world, stranger.person, visit_path(visit)) as page:
        for part in ("", "/chat", "/video", "/record", "/diagnoses", "/prescriptions/new"):
            await page.goto(front(world, visit_path(visit, part)))
            await expect(page.get_by_role("heading", name="没有找到")).to_be_visible()
            assert str(patient.person["name"]) not in await page.content()


async def test_a_pharmacist_cannot_log_in_here(world: World, browser: Browser) -> None:
    async with a_page(browser) as page:
        await page.goto(front(world, "/doctor"))
        await world.moves_on(seconds=61)
        await fill_login_without_success(page, world, world.demo["second_pharmacist"])
        await expect(page.get_by_role("alert")).to_contain_text("您不是医生")
        await page.goto(front(world, "/doctor"))
        await expect(page).to_have_title("医生登录")


async def fill_login_without_success(page: Page, world: World, person: Mapping[str, Any]) -> None:
    with pytest.raises(Exception, match="Timeout"):
        page.set_default_timeout(3000)
        await fill_login(page, world, person)
    page.set_default_timeout(15_000)


async def test_accepting_asks_for_the_shift_and_for_the_doctors_own_word(
    world: World, browser: Browser
) -> None:
    patient, doctor, visit = await who_waits(world)
    await doctor.api.call("DELETE", "/shifts/current")
    async with phone_of(browser, world, doctor.person, visit_path(visit)) as page:
        await expect(page).to_have_title("班次与账号")
        await page.fill("[name=pin]", str(doctor.person["pin"]))
        await page.get_by_role("button", name="开始上班").click()
        await expect(page).to_have_url(front(world, visit_path(visit)))

        accept = page.get_by_role("button", name="接诊", exact=True)
        await accept.click()
        await expect(page.locator("[name=follow_up_confirmed]:invalid")).to_have_count(1)
        await page.check("[name=follow_up_confirmed]")
        await accept.click()

        await expect(page).to_have_url(front(world, visit_path(visit, "/chat")))
        await patient.says(visit["id"], "医生您好，<b>早上</b>血压 150/95。")
        await expect(page.locator(".say-line").first).to_contain_text("<b>早上</b>血压")
        await page.fill("#say-text", "有没有头晕？")
        await page.click(".say-send")
        await expect(page.locator(".say-mine")).to_contain_text("有没有头晕？")
        await expect(page.locator("[data-pending]")).to_have_count(0)
    said = await patient.api.call("GET", f"/encounters/{visit['id']}/messages")
    assert [(one["sender"], one["body"]) for one in said if one["sender"] == "doctor"] == [
        ("doctor", "有没有头晕？")
    ]


async def test_declining_says_that_the_fee_goes_back_and_so_it_does(world: World, browser: Browser) -> None:
    patient, doctor, visit = await who_waits(world)
    async with phone_of(browser, world, doctor.person, visit_path(visit)) as page:
        await page.locator("#decline summary").click()
        await expect(page.locator("#decline")).to_contain_text("诊查费将全额原路退还患者")
        await page.check("[name=not_a_follow_up]")
        await page.fill("#decline [name=reason]", "不")
        await page.get_by_role("button", name="不接诊，退还费用").click()
        await expect(page.locator("#decline .field-error")).to_contain_text("至少 2 个字")
        await expect(page.locator("#decline [name=reason]")).to_have_value("不")
        await page.fill("#decline [name=reason]", "新出现的症状，请到门诊就诊")
        await page.get_by_role("button", name="不接诊，退还费用").click()

        await expect(page.locator("#state")).to_contain_text("新出现的症状")

    async def refunded() -> bool | None:
        booked = await patient.appointment(visit["appointment_id"])
        bill = await patient.api.call("GET", f"/payments/{booked['payment_id']}")
        return [one["state"] for one in bill["refunds"]] == ["succeeded"] or None

    assert await world.until(refunded, "the refund")


async def test_the_list_shows_who_waits_without_being_asked(world: World, browser: Browser) -> None:
    doctor, patient = await world.doctor(), await world.a_patient()
    async with phone_of(browser, world, doctor.person) as page:
        await expect(page.locator("#list")).to_contain_text("等候接诊")
        assert str(patient.person["name"]) not in await page.locator("#list").inner_text()

        visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
        card = page.locator(f'#list a[href="{visit_path(visit)}"]')
        await expect(card).to_contain_text(str(patient.person["name"]))
        await expect(card).to_contain_text("已等 0 分钟")

        await patient.api.call("POST", f"/appointments/{visit['appointment_id']}/cancel")
        await expect(card).not_to_contain_text("已等")


async def test_the_hospitals_records_are_read_only_when_the_doctor_asks(
    world: World, browser: Browser
) -> None:
    _, doctor, visit = await who_waits(world)
    async with phone_of(browser, world, doctor.person, visit_path(visit)) as page:
        assert "record.viewed" not in await world.reported(visit["appointment_id"], doctor)

        await page.get_by_role("button", name="查看院内病历").click()
        await expect(page.locator(".tab-visits")).to_contain_text(visit["original_diagnosis"]["name"])
        await page.locator(".tabs-in label", has_text="用药").click()
        await expect(page.locator(".tab-medications")).to_be_visible()
        await expect(page.locator(".tab-visits")).to_be_hidden()
        assert await flaws(page) == []

        reported = await world.reported(visit["appointment_id"], doctor)
    assert reported.count("record.viewed") == 1


async def test_a_record_is_kept_while_it_is_written_and_signed_when_it_is_complete(
    world: World, browser: Browser
) -> None:
    patient, doctor, visit = await who_is_talking(world)
    path = f"/encounters/{visit['id']}/record"
    async with phone_of(browser, world, doctor.person, visit_path(visit, "/record")) as page:
        await expect(page.locator("[name=chief_complaint]")).to_have_value(visit["complaint"])
        await page.get_by_role("button", name="签名").click()
        await expect(page.locator("#error-present_history")).to_contain_text("请填写现病史")
        await expect(page.locator("#error-opinion")).to_contain_text("请填写诊疗意见")
        assert await flaws(page) == []

        await page.fill("[name=present_history]", "规律服药，<i>无</i>头晕。")
        await expect(page.locator("#kept")).to_contain_text("草稿已保存")
        assert (await doctor.api.call("GET", path))["present_history"] == "规律服药，<i>无</i>头晕。"
        await page.reload()
        await page.fill("[name=opinion]", "继续原方案。")
        await page.get_by_role("button", name="签名").click()

        await expect(page).to_have_url(front(world, visit_path(visit)))
        await expect(page.get_by_role("button", name="结束问诊")).to_be_enabled()
        page.on("dialog", lambda dialog: dialog.accept())
        await page.get_by_role("button", name="结束问诊").click()
        await expect(page.locator("#state")).to_contain_text("已完成")
    assert (await patient.api.call("GET", path))["opinion"] == "继续原方案。"


async def test_diagnoses_are_found_by_name_and_confirmed(world: World, browser: Browser) -> None:
    _, doctor, visit = await who_is_talking(world)
    original = visit["original_diagnosis"]["name"]
    other = next(name for name in ("变应性鼻炎", "支气管扩张") if name != original)
    async with phone_of(browser, world, doctor.person, visit_path(visit, "/diagnoses")) as page:
        await page.fill("#q", other)
        await page.locator("#found button").first.click()
        await expect(page.locator("#chosen .row")).to_have_count(2)
        assert await flaws(page) == []
        await page.get_by_role("button", name=f"去掉{original}").click()
        await expect(page.locator("#chosen .row")).to_have_count(1)
        await page.locator("#chosen button").click()

        await expect(page.get_by_role("alert")).to_contain_text("诊断")
    shown = await doctor.api.call("GET", f"/encounters/{visit['id']}")
    assert [one["name"] for one in shown["diagnoses"]] == [other]


async def test_the_engine_speaks_beside_the_line_while_drugs_are_chosen(
    world: World, browser: Browser
) -> None:
    _, doctor, visit = await who_is_talking(world)
    path = visit_path(visit, "/prescriptions/new")
    async with phone_of(browser, world, doctor.person, path) as page:
        sign = page.locator("#sign")
        await expect(sign).to_be_disabled()
        await page.fill("#find", "aldp")
        await page.get_by_role("option", name="苯磺酸氨氯地平片").click()
        await expect(page.locator(".line [name=quantity]")).to_have_value("1")

        await page.fill(".line [name=dose]", "50")
        await expect(page.locator(".line-findings")).to_contain_text("超过最大 10mg")
        await expect(sign).to_be_disabled()
        await page.fill(".line [name=dose]", "5")
        await page.fill(".line [name=days]", "28")
        await expect(page.locator(".line-findings")).to_contain_text("超过 7 天，请注明理由")
        await expect(sign).to_be_disabled()
        assert await flaws(page) == []

        await page.fill("#reason", OTHER_REASON)
        await expect(sign).to_be_enabled()
        await sign.click()
        await expect(page.locator("#toast")).to_contain_text("请向患者核实过敏史")
        await page.fill("#allergies", "无")
        await expect(sign).to_be_enabled()
        await sign.click()
        await expect(page).to_have_url(front(world, visit_path(visit)))
        await expect(page.locator("#state")).to_contain_text("待药师审核")
    [made] = await doctor.api.call("GET", f"/encounters/{visit['id']}/prescriptions")
    assert (made["state"], made["reason"]) == ("in-review", OTHER_REASON)
    assert [(one["dose"], one["days"], one["quantity"]) for one in made["items"]] == [("5", 28, 1)]


async def test_lines_that_were_not_saved_survive_a_reload(world: World, browser: Browser) -> None:
    _, doctor, visit = await who_is_talking(world)
    path = visit_path(visit, "/prescriptions/new")
    async with phone_of(browser, world, doctor.person, path) as page:
        await page.fill("#find", "氨氯地平")
        await page.get_by_role("option", name="苯磺酸氨氯地平片").click()
        await page.fill(".line [name=note]", "晨起服用")
        await page.reload()
        await expect(page.locator(".line [name=note]")).to_have_value("晨起服用")

        await page.click("#keep")
        await expect(page.locator("#toast")).to_contain_text("草稿已保存")
        await page.wait_for_url("**/doctor/prescriptions/*")
    [made] = await doctor.api.call("GET", f"/encounters/{visit['id']}/prescriptions")
    assert (made["state"], made["written"][0]["note"]) == ("draft", "晨起服用")


async def test_a_returned_prescription_is_found_mended_and_signed_again(
    world: World, browser: Browser
) -> None:
    _, doctor, visit = await who_is_talking(world)
    prescription = await doctor.prescribes(visit["id"], [AMLODIPINE], reason=OTHER_REASON)
    await doctor.writes_record(visit["id"])
    await doctor.finishes(visit["id"])
    await (await world.pharmacist()).returns(prescription, "请改用小剂量")
    async with phone_of(browser, world, doctor.person) as page:
        await page.locator("#returned a", has_text="请改用小剂量").click()
        await expect(page.locator(".note-bad")).to_contain_text("药师退回（适宜性，第 1 行）")
        await expect(page.locator(".line-returned")).to_have_count(1)
        await page.fill(".line [name=dose]", "2.5")
        await page.fill("#allergies", "无")
        await expect(page.locator("#sign")).to_be_enabled()
        assert await flaws(page) == []
        await page.click("#sign")
        await expect(page.locator("#state")).to_contain_text("待药师审核")
    shown = await doctor.api.call("GET", f"/prescriptions/{prescription}")
    assert (shown["state"], shown["written"][0]["dose"]) == ("in-review", "2.5")


async def test_stopping_sends_the_patient_to_the_hospital_with_a_reason(
    world: World, browser: Browser
) -> None:
    patient, doctor, visit = await who_is_talking(world)
    async with phone_of(browser, world, doctor.person, visit_path(visit)) as page:
        await page.locator("#refer summary").click()
        await page.fill("#refer [name=reason]", "胸痛加重，请立即到急诊")
        await page.get_by_role("button", name="中止并转线下").click()
        await expect(page.locator("#state")).to_contain_text("已转线下")
    shown = await patient.api.call("GET", f"/encounters/{visit['id']}")
    assert (shown["state"], shown["end_reason"]) == ("discontinued", "胸痛加重，请立即到急诊")


async def test_a_child_under_six_is_accepted_only_with_the_guardian_there(
    world: World, browser: Browser
) -> None:
    guardian, child = world.patient_named("guardian"), world.demo["child_under_six"]
    await guardian.logs_in()
    await guardian.verifies()
    await guardian.verifies("guardian", child, "父亲")
    await guardian.consents()
    doctor = await world.doctor_new_to(child)
    slot = await guardian.free_slot(child["department"], doctor.id)
    booked = await guardian.books(slot, await guardian.asks(child["asks_for"]))
    await guardian.pays(booked["payment_id"])
    visit = await guardian.waits(booked["id"])
    async with phone_of(browser, world, doctor.person, visit_path(visit)) as page:
        await expect(page.locator("#state")).to_contain_text("6 岁以下儿童")
        await page.check("[name=follow_up_confirmed]")
        await page.get_by_role("button", name="接诊", exact=True).click()
        await expect(page.locator("[name=guardian_present]:invalid")).to_have_count(1)
        await page.check("[name=guardian_present]")
        await page.get_by_role("button", name="接诊", exact=True).click()
        await expect(page).to_have_url(front(world, visit_path(visit, "/chat")))


async def test_video_begins_when_the_patient_has_agreed(world: World, browser: Browser) -> None:
    patient, doctor, visit = await who_is_talking(world)
    async with phone_of(browser, world, doctor.person, visit_path(visit, "/video")) as page:
        await expect(page.get_by_role("heading", name="患者还没有同意视频")).to_be_visible()
        await patient.api.call("POST", f"/encounters/{visit['id']}/recording-consent")
        await page.get_by_role("link", name="患者已同意，重新进入").click()
        await page.click("#call-start")
        await expect(page.locator("#call")).to_have_attribute("data-state", "connected", timeout=20_000)
        await expect(page.locator("#call-state")).to_contain_text(f"等待{patient.person['name']}进入")
        await expect(page.locator("#call-rec")).to_have_text("录像中")
        await page.click("#key-end")
        await expect(page).to_have_url(front(world, visit_path(visit, "/chat")))


async def test_the_call_ends_with_the_visit(world: World, browser: Browser) -> None:
    patient, doctor, visit = await who_is_talking(world)
    await patient.api.call("POST", f"/encounters/{visit['id']}/recording-consent")
    async with phone_of(browser, world, doctor.person, visit_path(visit, "/video")) as page:
        await page.click("#call-start")
        await expect(page.locator("#call")).to_have_attribute("data-state", "connected", timeout=20_000)
        await doctor.api.call("POST", f"/encounters/{visit['id']}/refer-offline", {"reason": "请到急诊就诊"})
        await expect(page.locator("#call-words")).to_have_text("问诊已结束，视频已关闭")
        await expect(page).to_have_url(front(world, visit_path(visit, "/chat")))


@pytest.mark.parametrize("care", [False, True], ids=["normal", "care"])
async def test_every_screen_of_a_doctor_is_readable(world: World, browser: Browser, *, care: bool) -> None:
    _, doctor, running = await who_is_talking(world)
    prescription = await doctor.prescribes(running["id"], [AMLODIPINE], reason=OTHER_REASON)
    other = await world.a_patient()
    waiting = await other.sees_doctor(await other.free_slot(doctor=doctor.id))
    least = CARE if care else NORMAL
    async with a_page(browser) as page:
        await page.goto(front(world, "/doctor"))
        assert await flaws_by_day_and_night(page) == []
        await fill_login(page, world, doctor.person)
        if care:
            await page.get_by_label("更多").click()
            await page.get_by_role("button", name="大字号").click()
            await expect(page.locator("html.care")).to_have_count(1)
        for path in (
            "/doctor", "/doctor/shift", "/doctor/income", visit_path(waiting), visit_path(running), visit_path(running, "/chat"),
            visit_path(running, "/record"), visit_path(running, "/diagnoses"), visit_path(running, "/video"),
            visit_path(running, "/prescriptions/new"), f"/doctor/prescriptions/{prescription}",
        ):  # fmt: skip
            await page.goto(front(world, path))
            await expect(page.locator(".loading")).to_have_count(0)
            assert await flaws_by_day_and_night(page, least) == [], path
