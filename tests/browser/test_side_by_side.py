"""Patient and doctor side by side in two browsers, from login to the delivered parcel; then the supervisor looks.

Nothing here uses the API: every step is a tap on somebody's screen.
"""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.at_the_bench import packs_and_checks
from tests.browser.on_the_phone import becomes, front, pay
from tests.browser.screens import PHONE, WIDE, a_page
from tests.browser.signing_in import fill_login
from tests.world import HYPERTENSION, World

pytestmark = pytest.mark.anyio

MEDIA = {"permissions": ["camera", "microphone"]}
COMPLAINT = "近一周早上血压 150/95"


async def test_from_login_to_the_parcel_and_the_supervisors_console(world: World, browser: Browser) -> None:
    person = world.person(code=HYPERTENSION)
    async with a_page(browser, PHONE, **MEDIA) as patient, a_page(browser, PHONE, **MEDIA) as doctor:
        await becomes_known(patient, world, person)
        name = await books_and_waits(patient)
        chosen = next(one for one in world.demo["doctors"] if one["name"] == name)
        await comes_from_the_notice(doctor, world, chosen)
        await accepts(doctor)

        await patient.wait_for_url("**/chat")
        await talk(patient, doctor)
        await see_each_other(patient, doctor, world)
        await writes_and_signs(doctor)
        await prescribes_and_finishes(doctor)

        await review(browser, world, person)
        await pays_for_the_drugs(patient)
        async with a_page(browser, WIDE) as desk:
            await begins_at_the_desk(desk, world, world.demo["pharmacist"])
            await hands_over(desk, world)
        async with a_page(browser, PHONE) as courier:
            await delivers(courier, world, await waybill(patient))
        await expect(patient.get_by_text("已取到药")).to_be_visible()
    async with a_page(browser, WIDE) as console:
        await the_supervisor_sees_it(console, world, name)


async def becomes_known(page: Page, world: World, person: Mapping[str, Any]) -> None:
    """Login, phone, real name, consent."""
    await page.goto(f"{world.places.wechat}/phone/{person['openid']}/use")
    await page.goto(front(world))
    await page.get_by_role("link", name="我要复诊").click()
    await page.click("[data-wx=login]")
    await page.click("[data-wx=phone]")
    await page.click("#allow, [value=allow]")
    await page.fill("[name=name]", str(person["name"]))
    await page.fill("[name=id_number]", str(person["id_number"]))
    await page.get_by_role("button", name="开始认证").click()
    await page.locator(".agree input").check()
    await page.get_by_role("button", name="同意并继续").click()


async def books_and_waits(page: Page) -> str:
    """Diagnosis, doctor, time, fee, waiting room; the doctor's name."""
    await page.get_by_role("button", name="复诊这种病").first.click()
    await page.locator("a.card-link", has=page.locator(".tag-good")).first.click()
    await page.locator("a.slot").first.click()
    await page.fill("[name=complaint]", COMPLAINT)
    await page.get_by_role("button", name="提交预约").click()
    await pay(page)
    await page.get_by_role("link", name="查看预约").click()
    await page.get_by_role("button", name="开始候诊").click()
    await expect(page.locator("#ahead")).to_be_visible()
    return (await page.locator("main .head .title").first.inner_text()).strip()


async def comes_from_the_notice(page: Page, world: World, doctor: Mapping[str, Any]) -> None:
    """The notice on the doctor's phone leads through login and PIN to that very visit."""
    inbox = f"{world.places.wechat}/phone/{doctor['openid']}"

    async def noticed() -> bool:
        await page.goto(inbox)
        return bool(await page.get_by_role("link", name="查看详情").count())

    await page.goto(f"{inbox}/use")
    await world.until(noticed, "the notice on the doctor's phone")
    await page.get_by_role("link", name="查看详情").first.click()
    await page.wait_for_url("**/doctor/login**")
    await fill_login(page, world, doctor)
    if "/doctor/shift" in page.url:  # no shift is open yet: the PIN comes first
        await page.fill("[name=pin]", str(doctor["pin"]))
        await page.get_by_role("button", name="开始上班").click()
    await page.wait_for_url("**/doctor/visits/**")
    await expect(page.get_by_text(COMPLAINT)).to_be_visible()


async def accepts(page: Page) -> None:
    """Reads the hospital's records and takes the visit."""
    await page.get_by_role("button", name="查看院内病历").click()
    await expect(page.locator("#history")).to_contain_text("高血压")
    await page.locator("[name=follow_up_confirmed]").check()
    await page.get_by_role("button", name="接诊", exact=True).click()
    await expect(page.locator("#say-text")).to_be_visible()


async def talk(patient: Page, doctor: Page) -> None:
    """A word each way."""
    await doctor.fill("#say-text", "您好，按时吃药了吗？")
    await doctor.get_by_role("button", name="发送").click()
    await expect(patient.locator(".bubble", has_text="按时吃药")).to_be_visible()
    await patient.fill("#say-text", "每天早上都吃。")
    await patient.get_by_role("button", name="发送").click()
    await expect(doctor.locator(".bubble", has_text="每天早上")).to_be_visible()


async def see_each_other(patient: Page, doctor: Page, world: World) -> None:
    """Recording consent, then a call: both see frames of the other that were decoded, not merely a connection."""
    await patient.goto(patient.url.replace("/chat", "/video"))
    await patient.get_by_role("button", name="同意录像").click()
    await patient.click("#call-start")
    await doctor.get_by_role("link", name="视频").first.click()
    await doctor.click("#call-start")
    for page in (patient, doctor):
        await becomes(page, world, "document.getElementById('remote').videoWidth > 0")
        before = await page.evaluate(
            "document.getElementById('remote').getVideoPlaybackQuality().totalVideoFrames"
        )
        await becomes(
            page,
            world,
            f"document.getElementById('remote').getVideoPlaybackQuality().totalVideoFrames > {before + 10}",
        )
    await patient.click("#key-end")
    await doctor.click("#key-end")
    await patient.wait_for_url("**/chat")


async def writes_and_signs(page: Page) -> None:
    """The record."""
    await page.get_by_role("link", name="病历").first.click()
    await page.fill("[name=chief_complaint]", "复诊，血压偏高一周")
    await page.fill("[name=present_history]", "规律服药，晨起血压偏高，无头晕。")
    await page.fill("[name=opinion]", "继续目前治疗，监测血压。")
    await page.get_by_role("button", name="签名", exact=True).click()
    await expect(page.locator("a", has_text="病历").first).to_contain_text("已签名")


async def prescribes_and_finishes(page: Page) -> None:
    """One drug with the engine's word beside it, signed; then the end."""
    visit = page.url
    await page.goto(f"{visit}/prescriptions/new")
    await page.fill("#find", "苯磺酸氨氯")
    await page.locator("#found [role=option]", has_text="苯磺酸氨氯地平片").first.click()
    await page.fill("[name=dose]", "100")
    await expect(page.locator(".line-findings")).to_contain_text("超过最大")
    await page.fill("[name=dose]", "5")
    await expect(page.locator(".line-findings")).not_to_contain_text("超过最大")
    await page.fill("#allergies", "无")
    await page.fill("#reason", "家中余药不多，病情稳定，续用原方案")  # she may still have some of it
    await page.click("#sign")
    await page.wait_for_url(lambda url: "/prescriptions" not in url)  # saved is one address, signed the next
    page.once("dialog", lambda dialog: dialog.accept())
    await page.goto(visit)
    await page.get_by_role("button", name="结束问诊").click()
    await expect(page.get_by_text("已完成").first).to_be_visible()


async def review(browser: Browser, world: World, person: Mapping[str, Any]) -> None:
    """A pharmacist approves, and where the doctor had to give a reason another one after her."""
    async with a_page(browser, WIDE) as desk:
        await begins_at_the_desk(desk, world, world.demo["second_pharmacist"])
        await desk.goto(f"{world.places.api}/desk/reviews")
        row = desk.locator("tr, article, li", has_text=str(person["name"])[:1])
        await row.get_by_role("link").last.click()
        address = desk.url
        await approves(desk)
        await desk.goto(address)
        again = await desk.get_by_text("待第二药师复核").count()
    if again:
        async with a_page(browser, WIDE) as other:
            await begins_at_the_desk(other, world, world.demo["pharmacist"])
            await other.goto(address)
            await approves(other)


async def begins_at_the_desk(page: Page, world: World, pharmacist: Mapping[str, Any]) -> None:
    """Signed in, on shift."""
    await page.goto(f"{world.places.api}/desk")
    await fill_login(page, world, pharmacist)
    await page.goto(f"{world.places.api}/desk/shift")
    if await page.get_by_role("button", name="开始上班").count():
        await page.fill("[name=pin]", str(pharmacist["pin"]))
        await page.get_by_role("button", name="开始上班").click()
        await page.wait_for_load_state()


async def approves(page: Page) -> None:
    """Sees that the doctor's signature is good, and signs."""
    await expect(page.get_by_text("签名有效").first).to_be_visible()
    await page.get_by_role("button", name=re.compile("签名通过|复核并签名")).click()
    await expect(page.get_by_role("status")).to_contain_text("已签名通过")


async def pays_for_the_drugs(page: Page) -> None:
    """From the visit to the prescription, an address, and WeChat's cashier."""
    await page.get_by_role("link", name="查看病历和处方").click()
    await page.locator("a[href^='/prescriptions/']").first.click()
    await page.fill("[name='receiver.phone']", "19900000001")
    await page.fill("[name='receiver.address']", "嘉定区示范路 1 号 101 室")
    await page.get_by_role("button", name="确认，去支付").click()
    await pay(page)
    await page.get_by_role("link", name="查看配药进度").click()
    await expect(page.get_by_text("药房正在配药")).to_be_visible()


async def hands_over(page: Page, world: World) -> None:
    """Packed and given to the courier."""
    await page.goto(f"{world.places.api}/desk/dispenses")
    await page.get_by_role("link", name="配药", exact=True).last.click()
    await packs_and_checks(page)
    await page.get_by_role("button", name="已核对，交快递").click()
    await expect(page.get_by_role("status")).to_contain_text("已发药")


async def waybill(page: Page) -> str:
    """The number on the patient's screen."""
    number = page.locator(".hint", has_text="运单号").locator(".number")
    await expect(number).to_be_visible()
    return (await number.inner_text()).strip()


async def delivers(page: Page, world: World, number: str) -> None:
    """The courier's hand-held, station by station."""
    await page.goto(f"{world.places.courier}/operator/shipments/{number}")
    for _ in range(4):
        await page.locator("button.main").click()


async def the_supervisor_sees_it(page: Page, world: World, doctor: str) -> None:
    """The console shows the visit, step by step, with the person masked."""
    supervisor = world.demo["supervisor"]
    await page.goto(world.places.supervision)
    await page.fill("[name=login]", str(supervisor["login"]))
    await page.fill("[name=password]", str(supervisor["password"]))
    await page.press("[name=password]", "Enter")
    await expect(page.get_by_role("heading", name="监管看板")).to_be_visible()
    await expect(page.locator("main")).to_contain_text("处方")
