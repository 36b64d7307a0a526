"""The conversation when time runs out, and over a line of 64 kbit/s that breaks: nothing is lost and nothing comes twice."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from standalone.journey import Doctor, Patient
from tests.browser.on_the_phone import flaws, front, log_in, on_the_phone_of
from tests.browser.screens import PHONE, a_page
from tests.browser.signing_in import fill_login
from tests.unit.chat.material import noise
from tests.world import World

pytestmark = pytest.mark.anyio

THIN: dict[str, Any] = {
    "offline": False, "latency": 300, "downloadThroughput": 64_000 / 8, "uploadThroughput": 64_000 / 8,
}  # fmt: skip
LONG = 90_000
"""Milliseconds that a picture may take over a thin line on a busy machine."""
TEXT = "这几天早上血压都在 150 以上"
OVER = "问诊时间已到，医生延长后会自动发送"


async def who_is_talking(world: World) -> tuple[Patient, Doctor, dict[str, Any]]:
    doctor, patient = await world.doctor(), await world.a_patient()
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    await doctor.accepts(visit["id"])
    return patient, doctor, visit


def a_picture(folder: Path) -> Path:
    """Some sixty thousand bytes when the phone has made it ready to send."""
    path = folder / "blood.png"
    path.write_bytes(noise(300, 220))
    return path


async def writes(page: Page, text: str) -> None:
    await page.fill("#say-text", text)
    await page.get_by_role("button", name="发送").click()


async def comes_with_her_pin(page: Page, world: World, doctor: Doctor, path: str) -> None:
    """Login and, where the shift ran out meanwhile, the PIN: then the page she wanted."""
    await page.goto(front(world, path))
    await fill_login(page, world, doctor.person)
    if "/doctor/shift" in page.url:
        await page.fill("[name=pin]", str(doctor.person["pin"]))
        await page.get_by_role("button", name="开始上班").click()
    await page.wait_for_url(f"**{path}")


async def test_when_time_is_over_what_was_written_waits_until_the_doctor_prolongs_it(
    world: World, browser: Browser, tmp_path: Path
) -> None:
    """practice.md 8; nothing typed, drawn or spoken is ever lost."""
    patient, doctor, visit = await who_is_talking(world)
    async with on_the_phone_of(browser, world, patient) as page, a_page(browser) as hers:
        await page.goto(front(world, f"/visits/{visit['appointment_id']}/chat"))
        await world.moves_on(minutes=51)
        await expect(page.locator("#chat")).to_contain_text("本次问诊还剩")
        await world.moves_on(minutes=10)
        await expect(page.locator("#chat")).to_contain_text("本次问诊时间已到")

        await writes(page, TEXT)
        await page.set_input_files("#say-image", a_picture(tmp_path))
        states = page.locator("[data-pending] .say-state")
        await expect(states).to_have_text([OVER, OVER])
        await page.reload()
        await expect(states).to_have_text([OVER, OVER])
        await expect(page.locator("#chat-top")).to_contain_text("时间已到，等医生延长")
        assert await flaws(page) == []

        await comes_with_her_pin(hers, world, doctor, f"/doctor/visits/{visit['id']}")
        await expect(hers.locator("#time")).to_contain_text("时间已到，双方不能再发消息")
        await hers.get_by_role("button", name=re.compile("延长问诊时间")).click()

        await expect(page.locator("#chat")).to_contain_text("医生延长了问诊时间")
        await expect(page.locator("[data-pending]")).to_have_count(0, timeout=LONG)
        await expect(page.locator("[data-mine] .bubble img")).to_have_count(1)
    said = await patient.api.call("GET", f"/encounters/{visit['id']}/messages")
    assert sorted(one["kind"] for one in said if one["sender"] == "patient") == ["image", "text"]


async def test_over_64_kbit_text_and_picture_arrive_once_though_the_line_breaks(
    world: World, browser: Browser, tmp_path: Path
) -> None:
    """Offline and a reload in the middle of the picture: it goes on where it was."""
    patient, doctor, visit = await who_is_talking(world)
    context = await browser.new_context(
        viewport={"width": PHONE[0], "height": PHONE[1]}, locale="zh-CN", timezone_id="Asia/Shanghai"
    )
    page = await context.new_page()  # its console may say that the network is gone
    await log_in(page, world, str(patient.person["openid"]))
    await page.goto(front(world, f"/visits/{visit['appointment_id']}/chat"))
    await expect(page.locator("#say-text")).to_be_visible()
    safe: list[str] = []
    page.on(
        "response",
        lambda answer: (
            safe.append(answer.request.headers["upload-offset"])
            if answer.request.method == "PATCH" and answer.ok
            else None
        ),
    )
    line = await context.new_cdp_session(page)
    await line.send("Network.enable")
    await line.send("Network.emulateNetworkConditions", THIN)

    await writes(page, TEXT)
    await page.set_input_files("#say-image", a_picture(tmp_path))
    part = page.locator(".say-state", has_text=re.compile("上传 [1-9]"))
    await expect(part).to_be_visible(timeout=LONG)
    await line.send("Network.emulateNetworkConditions", {**THIN, "offline": True})
    await page.wait_for_timeout(2000)
    await line.send("Network.emulateNetworkConditions", THIN)
    await page.reload(timeout=LONG)

    mine = page.locator("[data-mine]")
    await expect(page.locator("[data-pending]")).to_have_count(0, timeout=LONG)
    await expect(mine.locator(".bubble", has_text=TEXT)).to_have_count(1)
    await expect(mine.locator(".bubble img")).to_have_count(1)
    await expect(mine).to_have_count(2)
    await doctor.says(visit["id"], "收到，请每天早晚各量一次血压。")
    await expect(page.locator(".bubble", has_text="早晚各量一次")).to_have_count(1, timeout=LONG)
    assert len(safe) == len(set(safe)) > 1
    await context.close()

    async with a_page(browser) as hers:
        await comes_with_her_pin(hers, world, doctor, f"/doctor/visits/{visit['id']}/chat")
        await expect(hers.locator(".bubble", has_text=TEXT)).to_have_count(1)
        await expect(hers.locator(".bubble img")).to_have_count(1)
    said = await patient.api.call("GET", f"/encounters/{visit['id']}/messages")
    assert [one["kind"] for one in said if one["sender"] == "patient"] == ["text", "image"]
    assert len(said) == 3


async def test_who_stops_a_visit_is_shown_whether_it_looks_advised_and_decides_it_herself(
    world: World, browser: Browser
) -> None:
    """practice.md 17: stop-and-refer before and after advice."""
    patient, doctor, visit = await who_is_talking(world)
    await doctor.says(visit["id"], "您好，建议低盐饮食，继续原来的药。")
    async with a_page(browser) as hers:
        await comes_with_her_pin(hers, world, doctor, f"/doctor/visits/{visit['id']}")
        await hers.locator("#refer summary").click()
        await expect(hers.locator("#refer [name=advice_given][value='1']")).to_be_checked()
        await expect(hers.locator("#refer")).to_contain_text("系统判断为已经给出")
        assert await flaws(hers) == []

        await hers.get_by_text("还没有，诊查费全额退还患者").click()
        await hers.fill("#refer [name=reason]", "需要当面检查，请到门诊就诊")
        await hers.get_by_role("button", name="中止并转线下").click()
        await expect(hers.locator("#state")).to_contain_text("已转线下")

    async def refunded() -> bool | None:
        booked = await patient.appointment(visit["appointment_id"])
        bill = await patient.api.call("GET", f"/payments/{booked['payment_id']}")
        return [one["state"] for one in bill["refunds"]] == ["succeeded"] or None

    assert await world.until(refunded, "the refund")
