"""Pharmacists and hospital staff at their desks, in a real browser."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from standalone.journey.people import AMLODIPINE
from tests.browser.at_the_bench import packs_and_checks
from tests.browser.screens import PHONE, WIDE, a_page, faults, looks_right
from tests.browser.signing_in import fill_login
from tests.world import World

pytestmark = pytest.mark.anyio

REASON = "续用 <b>原方案</b>，患者要求"


def desk(world: World, path: str = "/desk") -> str:
    return world.places.api + path


@asynccontextmanager
async def at_the_desk(
    browser: Browser, world: World, part: str, size: tuple[int, int] = WIDE
) -> AsyncIterator[Page]:
    person: Mapping[str, Any] = world.demo[part]
    async with a_page(browser, size) as page:
        await page.goto(desk(world))
        await fill_login(page, world, person)
        yield page


async def on_shift(page: Page, world: World, part: str) -> None:
    await page.goto(desk(world, "/desk/shift"))
    if await page.get_by_role("button", name="开始上班").count():
        await page.fill("[name=pin]", str(world.demo[part]["pin"]))
        await page.get_by_role("button", name="开始上班").click()
    await expect(page.get_by_text("您正在上班")).to_be_visible()


async def a_signed_prescription(world: World) -> tuple[Any, Any, str, str]:
    """Patient, doctor, visit, prescription."""
    patient, doctor = await world.a_patient(), await world.doctor()
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    await doctor.accepts(visit["id"])
    prescription = await doctor.prescribes(visit["id"], [AMLODIPINE], reason=REASON)
    return patient, doctor, visit["id"], prescription


async def test_a_wrong_pin_begins_no_shift_and_the_right_one_does(world: World, browser: Browser) -> None:
    async with at_the_desk(browser, world, "second_pharmacist") as page:
        await page.goto(desk(world, "/desk/shift"))
        if await page.get_by_role("button", name="结束上班").count():
            await page.get_by_role("button", name="结束上班").click()

        await page.fill("[name=pin]", "9999999")
        await page.get_by_role("button", name="开始上班").click()
        await expect(page.get_by_role("alert")).to_contain_text("密码")
        await on_shift(page, world, "second_pharmacist")

        await expect(page.locator(".chip")).to_contain_text("上班至")


async def test_a_pharmacist_returns_a_prescription_and_approves_the_mended_one(
    world: World, browser: Browser
) -> None:
    patient, doctor, visit, prescription = await a_signed_prescription(world)
    other = await world.pharmacist()
    async with at_the_desk(browser, world, "second_pharmacist") as page:
        await on_shift(page, world, "second_pharmacist")
        await page.goto(desk(world, f"/desk/reviews/{prescription}"))
        await expect(page.get_by_text("签名有效")).to_be_visible()
        await expect(page.locator(".reason")).to_contain_text(REASON)
        await page.get_by_text("退回医生").first.click()
        await page.select_option("[name=category]", "appropriateness")
        await page.select_option("[name=item]", "0")
        await page.fill("[name=reason]", "请改用小剂量")
        await page.get_by_role("button", name="退回医生").click()
        await expect(page.get_by_role("status")).to_contain_text("已退回医生")

        shown = await doctor.api.call("GET", f"/prescriptions/{prescription}")
        assert (shown["state"], shown["return_category"], shown["return_reason"]) == (
            "returned", "appropriateness", "请改用小剂量",
        )  # fmt: skip
        link = page.locator(f'a.button[href$="{prescription}"]')
        await expect(link).to_have_count(0)

        codes = [one["code"] for one in shown["diagnoses"]]
        body = {"items": [{**AMLODIPINE, "dose": "2.5"}], "diagnosis_codes": codes, "reason": REASON}
        await doctor.api.call("PUT", f"/prescriptions/{prescription}", body)
        await doctor.api.call("POST", f"/prescriptions/{prescription}/sign")
        await expect(link).to_have_count(1)  # by itself: nobody reloads a queue
        await link.click()
        await expect(page.get_by_text("请改用小剂量")).to_be_visible()
        await page.get_by_role("button", name="签名通过").click()

        await expect(page.get_by_role("status")).to_contain_text("已签名通过")
    assert (await other.approves(prescription))[
        "state"
    ] == "approved"  # a reason was written: two of them look
    seen = await patient.api.call("GET", f"/prescriptions/{prescription}")
    assert seen["state"] == "approved"
    assert visit == seen["encounter_id"]


async def test_paid_drugs_are_packed_handed_over_and_followed(world: World, browser: Browser) -> None:
    patient, _, _, prescription = await a_signed_prescription(world)
    await world.passes(prescription)
    ordered = await patient.orders(prescription)
    await patient.pays(ordered["payment_id"])
    path = f"/desk/dispenses/{ordered['dispense_id']}"
    async with at_the_desk(browser, world, "second_pharmacist") as page:
        await on_shift(page, world, "second_pharmacist")
        await page.goto(desk(world, "/desk/dispenses"))
        await page.locator(f'a[href="{path}"]').click()
        await expect(page.locator(".times")).to_have_text("× 1盒")
        for secret in (str(patient.person["phone"]), "1 号 101 室"):
            assert secret not in await page.content()
        await packs_and_checks(page)
        await page.get_by_role("button", name="已核对，交快递").click()
        await expect(page.get_by_role("status")).to_contain_text("已发药")

        parcel = await world.until(lambda: _with_waybill(patient, prescription), "a waybill")
        await world.courier().reports(parcel["waybill"], "collected")
        await world.until(lambda: _collected(patient, prescription), "the courier's word")
        await page.reload()

        await expect(page.locator(".way li").first).to_contain_text("已揽收")


async def test_what_was_not_compared_does_not_leave_and_who_picks_up_shows_her_code(
    world: World, browser: Browser
) -> None:
    patient, _, _, prescription = await a_signed_prescription(world)
    await world.passes(prescription)
    ordered = await patient.orders(prescription, "pickup")
    await patient.pays(ordered["payment_id"])
    code = (await patient.dispense(prescription))["pickup_code"]
    async with at_the_desk(browser, world, "second_pharmacist") as page:
        await on_shift(page, world, "second_pharmacist")
        await page.goto(desk(world, f"/desk/dispenses/{ordered['dispense_id']}"))
        assert code not in await page.content()
        await packs_and_checks(page)
        await page.get_by_label("临床诊断").uncheck()
        await page.fill("[name=pickup_code]", code)
        await page.get_by_role("button", name="已核对，交给患者").click()
        await expect(page.get_by_text("请核对临床诊断").first).to_be_visible()
        await page.get_by_label("临床诊断").check()
        await page.get_by_role("button", name="已核对，交给患者").click()
        await expect(page.get_by_role("status")).to_contain_text("已发药")
    assert (await patient.dispense(prescription))["state"] == "completed"


async def test_a_second_pharmacist_confirms_what_needed_a_reason(world: World, browser: Browser) -> None:
    """practice.md 12."""
    patient, _, _, prescription = await a_signed_prescription(world)
    async with at_the_desk(browser, world, "second_pharmacist") as page:
        await on_shift(page, world, "second_pharmacist")
        first = await world.pharmacist()
        assert (await first.approves(prescription))["state"] == "checking"
        await page.goto(desk(world, "/desk/reviews"))
        row = page.locator("tr", has=page.locator(f'a[href$="{prescription}"]'))
        await expect(row).to_contain_text("待复核")
        await row.get_by_role("link", name="复核").click()
        await expect(page.get_by_text("第二药师复核。")).to_be_visible()
        await page.get_by_role("button", name="复核并签名").click()
        await expect(page.get_by_role("status")).to_contain_text("已签名")
    seen = await patient.api.call("GET", f"/prescriptions/{prescription}")
    assert (seen["state"], seen["second_eyes"], seen["confirmed"]) == ("approved", "pharmacist", True)


async def test_the_schedule_manager_puts_a_pharmacist_on_call(world: World, browser: Browser) -> None:
    async with at_the_desk(browser, world, "schedule_manager") as page:
        await page.goto(desk(world, "/desk/on-call"))
        await page.fill("[name=day]", "2031-01-15")
        await page.get_by_role("button", name="安排", exact=True).click()
        await expect(page.get_by_role("status")).to_contain_text("已安排听班")
        await page.get_by_role("button", name="安排", exact=True).wait_for()
        assert await faults(page) == []
        await page.locator("tr", has_text="01-15").get_by_role("button", name="取消").click()

        await expect(page.get_by_role("status")).to_contain_text("已取消听班")


async def _with_waybill(patient: Any, prescription: str) -> Any:
    found = await patient.dispense(prescription)
    return found if found["waybill"] else None


async def _collected(patient: Any, prescription: str) -> Any:
    found = await patient.dispense(prescription)
    return found if found["parcel_status"] == "collected" else None


async def test_drugs_that_cannot_be_had_are_declined_and_the_money_goes_back(
    world: World, browser: Browser
) -> None:
    patient, _, _, prescription = await a_signed_prescription(world)
    await world.passes(prescription)
    ordered = await patient.orders(prescription)
    await patient.pays(ordered["payment_id"])
    async with at_the_desk(browser, world, "second_pharmacist") as page:
        await page.goto(desk(world, f"/desk/dispenses/{ordered['dispense_id']}"))
        await page.get_by_text("无法配药").first.click()
        await page.fill("[name=reason]", "本批次缺货")
        await page.get_by_role("button", name="登记无法配药").click()
        await expect(page.get_by_role("status")).to_contain_text("原路退回")

    async def refunded() -> bool | None:
        bill = await patient.api.call("GET", f"/payments/{ordered['payment_id']}")
        return True if [one["state"] for one in bill["refunds"]] == ["succeeded"] else None

    assert await world.until(refunded, "the refund")
    async with at_the_desk(browser, world, "clerk") as page:
        await page.goto(desk(world, f"/desk/payments/{ordered['payment_id']}"))
        await expect(page.get_by_text("药品缺货")).to_be_visible()
        await expect(page.get_by_text("余额")).to_be_visible()
        assert "氨氯地平" not in await page.content()


async def test_a_complaint_is_answered_at_the_desk(world: World, browser: Browser) -> None:
    patient = await world.a_patient()
    words = {"person_id": patient.person_id, "text": "<i>电话</i>一直没有人接。"}
    complaint = await patient.api.call("POST", "/complaints", words)
    async with at_the_desk(browser, world, "clerk", PHONE) as page:
        await page.goto(desk(world, "/desk/complaints"))
        await page.locator(f'a[href$="{complaint["id"]}"]').click()
        await expect(page.locator("blockquote")).to_have_text("<i>电话</i>一直没有人接。")
        await page.fill("[name=text]", "已经增派人手接听，抱歉。")
        await page.get_by_role("button", name="发送答复").click()
        await expect(page.get_by_role("status")).to_contain_text("已答复")

    [seen] = await patient.api.call("GET", "/complaints")
    assert (seen["state"], seen["answer"]) == ("answered", "已经增派人手接听，抱歉。")


async def test_an_adverse_event_is_reported_at_the_desk_and_accepted_by_the_quality_department(
    world: World, browser: Browser
) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    words = {"description": "服药后 <i>皮疹</i>", "measures": "停药观察", "improvements": "加强过敏史询问"}
    async with at_the_desk(browser, world, "clerk", PHONE) as page:
        await page.goto(desk(world, f"/desk/adverse-events?visit={visit['appointment_id']}"))
        await expect(page.get_by_text("患者：")).to_be_visible()
        await looks_right(page)
        await page.select_option("[name=kind]", "drug")
        await page.fill("[name=happened_at]", f"{world.clock.now() - timedelta(days=1):%Y-%m-%dT%H:%M}")
        await page.select_option("[name=damage]", "severe")
        for name, text in (words | {"cause": "不明"}).items():
            await page.fill(f"[name={name}]", text)
        await page.get_by_role("button", name="上报", exact=True).click()
        await expect(page.locator("#wrong-cause")).to_contain_text("待查")
        await looks_right(page)
        await expect(page.locator("[name=measures]")).to_have_value(words["measures"])
        await page.fill("[name=cause]", "药品过敏，待查")
        await page.get_by_role("button", name="上报", exact=True).click()
        await expect(page.get_by_role("status")).to_contain_text("已上报")
        await page.get_by_role("link", name="查看").first.click()
        await expect(page.get_by_text("服药后 <i>皮疹</i>").first).to_be_visible()
        await looks_right(page)
        event = page.url
    async with at_the_desk(browser, world, "quality") as page:
        await page.goto(desk(world, "/desk/alarms"))
        await page.locator(f'a[href="{event.removeprefix(desk(world, ""))}"]').click()
        await looks_right(page)
        await page.select_option("[name=grade]", "2")
        await page.fill("[name=note]", "已组织讨论并整改")
        await page.get_by_role("button", name="受理").click()
        await expect(page.get_by_role("status")).to_contain_text("已受理")
        await looks_right(page)


@pytest.mark.parametrize("part", ["second_pharmacist", "clerk", "quality"])
async def test_every_page_of_a_desk_is_readable(world: World, browser: Browser, part: str) -> None:
    if part == "second_pharmacist":
        await a_signed_prescription(world)
    async with a_page(browser, WIDE) as page:
        await page.goto(desk(world))
        await looks_right(page)
        await fill_login(page, world, world.demo[part])
        todo, seen = await _links(page), set[str]()
        while todo - seen:
            path = sorted(todo - seen)[0]
            seen.add(path)
            await page.goto(desk(world, path))
            await looks_right(page)
            todo |= {one for one in await _links(page) if _kind(one) not in {_kind(old) for old in seen}}
        assert len(seen) >= 2


async def _links(page: Page) -> set[str]:
    script = "all => all.map(a => a.getAttribute('href')).filter(h => h.startsWith('/desk/'))"
    found: list[str] = await page.eval_on_selector_all("nav a, main a", script)
    return set(found)


def _kind(path: str) -> str:
    """One page of a kind is enough: `/desk/reviews/*`."""
    parts = path.split("/")
    return "/".join([*parts[:3], "*"] if len(parts) > 3 else parts)
