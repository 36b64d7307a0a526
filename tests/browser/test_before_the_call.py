"""The check before a call: what it finds, what it refuses, and where it leads instead."""

import re
from typing import Any, Self

import pytest
from playwright.async_api import Browser, CDPSession, Page, expect

from standalone.journey import Refused
from tests.browser.on_the_phone import CARE, NORMAL, becomes, flaws, front, on_the_phone_of
from tests.browser.screens import PHONE, a_page
from tests.world import World

pytestmark = pytest.mark.anyio

DEVICES = ["camera", "microphone"]
NO_CAMERA = """{ const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (what) => {
    if (what.video) throw new DOMException("", "NotFoundError");
    return real(what);
  }; }"""
DENIED = """navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("", "NotAllowedError"); };"""
SHIFTS = """{ window.shifts = [];
  new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map((one) => one.value)))
    .observe({ type: "layout-shift", buffered: true }); }"""
WECHAT = "Mozilla/5.0 (Linux; Android 9) AppleWebKit/537.36 Chrome/66.0 Mobile MicroMessenger/7.0.3 {}"


async def who_may_call(world: World) -> tuple[Any, dict[str, Any], str]:
    """A patient in a visit, her consent to the recording given, and the page of the call."""
    patient, doctor = await world.a_patient(), await world.doctor()
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    await doctor.accepts(visit["id"])
    await patient.api.call("POST", f"/encounters/{visit['id']}/recording-consent")
    return patient, visit, f"/visits/{visit['appointment_id']}/video"


class Line:
    """The network of a page. Chromium limits WebSockets with the rest, though not WebRTC."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session

    @classmethod
    async def of(cls, page: Page) -> Self:
        """One for the whole test: what one session limits no other can lift."""
        return cls(await page.context.new_cdp_session(page))

    async def carries(self, kilobits: int) -> None:
        """From now on so much a second each way; 0: no limit."""
        speed = kilobits * 1000 / 8 if kilobits else -1
        limits = {"offline": False, "latency": 0, "downloadThroughput": speed, "uploadThroughput": speed}
        await self._session.send("Network.enable")
        await self._session.send("Network.emulateNetworkConditions", limits)


def found(page: Page, name: str) -> Any:
    """A line of the check."""
    return page.locator(f"[data-check={name}]")


async def test_a_check_shows_picture_level_and_network_and_leads_into_the_call_by_keyboard(
    world: World, browser: Browser
) -> None:
    patient, _, place = await who_may_call(world)
    async with on_the_phone_of(browser, world, patient, permissions=DEVICES) as page:
        await page.add_init_script(SHIFTS)
        await page.goto(front(world, place))

        for name in ("browser", "camera", "microphone", "network"):
            await expect(found(page, name)).to_have_attribute("data-state", "ok")
        await expect(found(page, "network")).to_contain_text("网络良好")
        await expect(found(page, "microphone")).to_contain_text("声音正常")
        await becomes(page, world, "document.getElementById('check-view').videoWidth > 0")
        await expect(page.locator("#call-words")).to_contain_text("都准备好了")
        assert sum(await page.evaluate("window.shifts")) < 0.01

        await page.focus("#call-start")
        await page.keyboard.press("Enter")
        await expect(page.locator("#call")).to_have_attribute("data-state", "connected")


async def test_under_the_set_bitrate_page_and_server_refuse_and_writing_is_one_tap_away(
    world: World, browser: Browser
) -> None:
    patient, visit, place = await who_may_call(world)
    room = f"/encounters/{visit['id']}/room"
    async with on_the_phone_of(browser, world, patient, permissions=DEVICES) as page:
        await page.goto(front(world, place))
        await expect(found(page, "network")).to_have_attribute("data-state", "ok")
        line = await Line.of(page)
        await line.carries(120)
        await page.reload()

        await expect(found(page, "network")).to_have_attribute("data-state", "bad")
        await expect(page.locator("#call-words")).to_contain_text("网络太慢")
        await expect(page.locator("#call-start")).to_be_hidden()
        with pytest.raises(Refused) as refused:
            await patient.api.call("POST", room)
        assert refused.value.code == "network_too_slow"

        await line.carries(0)
        await page.get_by_role("button", name="重新检测").click()
        await expect(found(page, "network")).to_have_attribute("data-state", "ok")
        await expect(page.locator("#call-start")).to_be_enabled()
        await patient.api.call("POST", room)

        await page.get_by_role("link", name="继续文字问诊").click()
        await expect(page.locator("#say-text")).to_be_visible()


async def test_without_a_camera_the_voice_alone_goes_in(world: World, browser: Browser) -> None:
    patient, _, place = await who_may_call(world)
    async with on_the_phone_of(browser, world, patient, permissions=DEVICES) as page:
        await page.add_init_script(NO_CAMERA)
        await page.goto(front(world, place))
        await expect(found(page, "camera")).to_contain_text("没有找到，可以只用语音")

        await page.get_by_role("button", name="只用语音进入").click()

        await expect(page.locator("#call")).to_have_attribute("data-state", "connected")


async def test_who_has_no_microphone_is_told_how_and_may_see_listen_and_write(
    world: World, browser: Browser
) -> None:
    patient, _, place = await who_may_call(world)
    async with on_the_phone_of(browser, world, patient) as page:
        await page.add_init_script(DENIED)
        await page.goto(front(world, place))

        await expect(found(page, "microphone")).to_have_attribute("data-state", "bad")
        await expect(found(page, "microphone")).to_contain_text("设置里打开")
        await expect(page.get_by_role("button", name="重新检测")).to_be_visible()
        await expect(page.locator("#call-words")).to_contain_text("可以进入看和听医生，您的话用文字发送")

        await page.get_by_role("button", name="只看只听进入").click()

        await expect(page.locator("#call")).to_have_attribute("data-state", "connected")
        for key in ("#key-mic", "#key-camera"):
            await expect(page.locator(key)).to_be_hidden()
        await page.locator("#key-chat").click()
        await expect(page.locator("#say-text")).to_be_visible()


async def test_a_network_that_cannot_be_measured_keeps_nobody_out(world: World, browser: Browser) -> None:
    patient, _, place = await who_may_call(world)
    async with on_the_phone_of(browser, world, patient, permissions=DEVICES) as page:
        await page.route("**/probe", lambda route: route.abort())
        await page.goto(front(world, place))
        await expect(found(page, "network")).to_have_attribute("data-state", "poor")

        await page.click("#call-start")

        await expect(page.locator("#call")).to_have_attribute("data-state", "connected")


@pytest.mark.parametrize(("more", "instead"), [("", "在浏览器中打开"), ("miniProgram", "请更新微信")])
async def test_an_old_browser_of_wechat_is_told_what_to_use_instead(
    world: World, browser: Browser, more: str, instead: str
) -> None:
    patient, _, place = await who_may_call(world)
    async with on_the_phone_of(browser, world, patient, user_agent=WECHAT.format(more)) as page:
        await page.add_init_script("delete window.RTCPeerConnection")
        await page.goto(front(world, place))

        await expect(found(page, "browser")).to_have_attribute("data-state", "bad")
        await expect(page.locator("#call-words")).to_contain_text(instead)
        await expect(page.locator("#call-words")).to_contain_text("继续用文字交流")
        await expect(page.locator("#call-start")).to_be_hidden()


async def test_without_scripts_the_page_says_what_video_needs_and_leads_to_writing(
    world: World, browser: Browser
) -> None:
    patient, _, place = await who_may_call(world)
    async with on_the_phone_of(browser, world, patient) as page:
        known = await page.context.storage_state()
    async with a_page(browser, PHONE, storage_state=known, java_script_enabled=False) as page:
        await page.goto(front(world, place))

        await expect(page.locator("#call-words")).to_be_visible()
        await expect(page.locator("#call-words")).to_contain_text("JavaScript")
        await expect(page.locator("#call-start")).to_be_hidden()
        await page.get_by_role("link", name="继续文字问诊").click()
        await expect(page).to_have_url(re.compile("/chat$"))


@pytest.mark.parametrize("least", [NORMAL, CARE])
async def test_check_and_refusal_are_readable_on_a_narrow_phone(
    world: World, browser: Browser, least: tuple[float, float]
) -> None:
    patient, _, place = await who_may_call(world)
    async with on_the_phone_of(browser, world, patient, permissions=DEVICES) as page:
        if least == CARE:
            await page.get_by_role("button", name="长辈版").first.click()
        await page.set_viewport_size({"width": 360, "height": 640})
        await page.goto(front(world, place))
        await expect(page.locator("#call-words")).to_contain_text("都准备好了")
        assert await flaws(page, least) == []

        await (await Line.of(page)).carries(120)
        await page.reload()
        await expect(page.locator("#call-words")).to_contain_text("网络太慢")
        assert await flaws(page, least) == []
