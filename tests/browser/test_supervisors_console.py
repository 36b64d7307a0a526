"""The city's console in a real browser: by day and by night, at a desk and on a phone, with and without scripts."""

import dataclasses
import json
import re
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.screens import PHONE, WAIT, WIDE, a_page, looks_right
from tests.unit.supervision_platform import certificates
from tests.unit.supervision_platform.a_busy_day import send_a_busy_day
from tests.unit.supervision_platform.at_the_console import FIRST, ORDER, SECOND
from tests.unit.supervision_platform.conftest import platform_in
from tests.unit.supervision_platform.sender import Platform

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """With a busy day behind it."""
    tls = certificates.make(tmp_path_factory.mktemp("tls"))
    for running in platform_in(tmp_path_factory.mktemp("platform"), tls):
        platform = dataclasses.replace(running.platform, path="/shanghai/api")
        send_a_busy_day(platform)
        yield platform


@asynccontextmanager
async def signed_in(
    browser: Browser, platform: Platform, who: dict[str, str] = FIRST, **more: object
) -> AsyncIterator[Page]:
    async with a_page(browser, WIDE, base_url=platform.console, **more) as page:
        await page.goto("/login")
        for name, value in who.items():
            await page.fill(f"[name={name}]", value)
        await page.get_by_role("button", name="登录").click()
        await expect(page.get_by_role("heading", name="监管看板")).to_be_visible()
        yield page


PAGES = [
    "/", "/concerns", "/alerts", "/visits", "/visits?live=1", "/visits/V-3", "/visits/V-3/replay?step=5", "/records",
    "/records/30", "/complaints", "/matters", "/staff", "/samples", "/reveals", "/feed", "/trail",
    "/days", "/days/2026-11-22", "/refusals", "/alerts/explained",
]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_is_readable_by_day_and_by_night(
    browser: Browser, platform: Platform, scheme: str
) -> None:
    async with signed_in(browser, platform, color_scheme=scheme) as page:
        for path in PAGES:
            await page.goto(path)
            await looks_right(page)


async def test_the_board_draws_and_counts_by_itself(browser: Browser, platform: Platform) -> None:
    async with signed_in(browser, platform) as page:
        await expect(page.locator(".plot canvas")).to_have_count(3)
        before = int(await page.locator("[data-figure=started] dd").inner_text())
        await page.locator("[data-figure=started] a").click()

        await expect(page.locator("[data-total]")).to_have_text(str(before))


async def test_the_board_says_when_it_is_cut_off(browser: Browser, platform: Platform) -> None:
    async with signed_in(browser, platform) as page:
        await expect(page.locator(".plot canvas")).to_have_count(3)
        await page.route("**/live.json*", lambda route: route.abort())

        await expect(page.locator("[data-state]")).to_have_text("连接中断，正在重试", timeout=WAIT)
        await page.unroute("**/live.json*")
        await expect(page.locator("[data-state]")).to_have_text("每 5 秒更新", timeout=WAIT)


async def test_the_filter_leads_every_number_to_its_department(browser: Browser, platform: Platform) -> None:
    async with signed_in(browser, platform) as page:
        await page.locator(".narrow summary").click()
        await page.get_by_label("科室").select_option(label="皮肤科")
        await page.get_by_role("button", name="查询").click()
        shown = await page.locator("[data-figure=started] dd").inner_text()
        await page.locator("[data-figure=started] a").click()

        await expect(page.locator("[data-total]")).to_have_text(shown)
        assert all("皮肤科" in one for one in await page.locator(".cards .card").all_inner_texts())
        await page.locator(".narrow summary").click()
        await looks_right(page)


async def test_a_visit_plays_itself_to_its_end(browser: Browser, platform: Platform) -> None:
    async with signed_in(browser, platform) as page:
        await page.goto("/visits/V-3/replay?step=7")
        await expect(page.locator(".states")).to_contain_text("待药师审核")
        await page.get_by_role("button", name="播放").click()

        await expect(page.locator("#stage")).to_have_attribute("data-place", "9")
        await expect(page.locator(".states")).to_contain_text("已收25.80元")
        await page.locator("#step").fill("2")
        await expect(page.locator(".states")).to_contain_text("未收")


async def test_without_scripts_a_replay_is_links(browser: Browser, platform: Platform) -> None:
    async with signed_in(browser, platform, java_script_enabled=False) as page:
        await page.goto("/visits/V-3/replay")
        await page.get_by_role("link", name="下一步").click()

        await expect(page.get_by_text("第 2 步，共 9 步")).to_be_visible()
        await expect(page.get_by_role("button", name="播放")).to_be_hidden()


async def test_an_alert_is_worked_on_a_phone(browser: Browser, platform: Platform) -> None:
    async with signed_in(browser, platform) as page:
        await page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        await page.goto("/alerts?standing=new")
        await page.get_by_role("button", name="办理").first.click()
        await page.fill("[name=note]", "先核对处方笺")
        await page.get_by_role("button", name="标为已查看").click()
        await expect(page.locator(".path [aria-current]")).to_have_text("已查看")
        await page.get_by_role("button", name="办结").click()
        await expect(page.get_by_text("办结需要写明说明")).to_be_visible()
        await looks_right(page)
        await page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        await page.fill("[name=note]", "已核对，不是违规")
        await page.get_by_role("button", name="办结").click()

        await expect(page.locator(".path [aria-current]")).to_have_text("已办结")
        await looks_right(page)


async def test_a_sample_is_drawn_judged_and_becomes_a_matter(browser: Browser, platform: Platform) -> None:
    async with signed_in(browser, platform) as page:
        await page.goto("/samples")
        await page.fill("[name=wanted]", "3")
        await page.fill("[name=seed]", "2026-11-23")
        await page.fill("[name=reason]", "季度抽查")
        await page.get_by_role("button", name="取样").click()
        await expect(page.get_by_role("heading", name="抽中 3 件")).to_be_visible()
        await page.locator("[name=note]").first.fill("病历过于简单")
        await page.get_by_role("button", name="发现问题").first.click()

        await expect(page.locator(".cards")).to_contain_text("病历过于简单")
        await looks_right(page)
        await page.goto("/matters")
        await expect(page.get_by_text("抽查发现问题（就诊）")).to_be_visible()


async def test_two_supervisors_reveal_a_person_and_one_exports(browser: Browser, platform: Platform) -> None:
    async with signed_in(browser, platform) as first, signed_in(browser, platform, SECOND) as second:
        await first.goto("/visits/V-4")
        await first.get_by_text("查看未脱敏的身份信息").click()
        for name, text in ORDER.items():
            await first.fill(f"#reveal-{name}", text)
        await first.get_by_label("同时申请导出未脱敏的证据包").check()
        await looks_right(first)
        await first.get_by_role("button", name="申请查看").click()
        await expect(first.get_by_text("等待另一名监管人员批准")).to_be_visible()
        await looks_right(first)
        await second.goto(first.url)
        await second.fill("[name=note]", "同意")
        await expect(second.get_by_text("并导出未脱敏的证据包（全部记录原文）")).to_be_visible()
        await looks_right(second)
        await second.get_by_role("button", name="批准", exact=True).click()
        await expect(second.get_by_text("可查看", exact=True)).to_be_visible()

        await first.reload()
        await first.get_by_role("button", name="查看", exact=True).click()
        await expect(first.get_by_text("王小丽")).to_be_visible()
        await looks_right(first)
        await first.goto("/visits/V-4")
        await first.get_by_text("导出证据包").click()
        for name, text in ORDER.items():
            await first.fill(f"#evidence-{name}", text)
        async with first.expect_download() as download:
            await first.get_by_role("button", name="导出", exact=True).click()
        with zipfile.ZipFile(await (await download.value).path()) as archive:
            assert "verify.py" in archive.namelist()
            assert json.loads(archive.read("manifest.json"))["masked"]
        await first.get_by_text("查看未脱敏的身份信息").click()
        await looks_right(first)
        async with first.expect_download() as download:
            await first.get_by_role("button", name="导出未脱敏的证据包").click()
        with zipfile.ZipFile(await (await download.value).path()) as archive:
            assert not json.loads(archive.read("manifest.json"))["masked"]


async def test_a_refused_form_keeps_what_was_typed(browser: Browser, platform: Platform) -> None:
    async with signed_in(browser, platform) as page:
        await page.goto("/visits/V-5")
        await page.get_by_text("导出证据包").click()
        await page.fill(
            "#evidence-authority", "    12    "
        )  # long enough for the browser, not for the platform
        await page.fill("#evidence-reason", ORDER["reason"])
        await page.get_by_role("button", name="导出", exact=True).click()

        await expect(page.get_by_role("alert")).to_have_text(re.compile("请填写检查文书号"))
        await expect(page.locator("#evidence-reason")).to_have_value(ORDER["reason"])
        await looks_right(page)


async def test_a_form_on_another_site_does_nothing(browser: Browser, platform: Platform) -> None:
    async with signed_in(browser, platform) as page:
        elsewhere = platform.console.replace("127.0.0.1", "localhost")
        await page.route(
            f"{elsewhere}/trap",
            lambda route: route.fulfill(
                content_type="text/html",
                body=f'<form method="post" action="{platform.console}/logout"><button>Win</button></form>',
            ),
        )
        await page.goto(f"{elsewhere}/trap")
        await page.get_by_role("button", name="Win").click()

        await expect(page.get_by_role("heading", name="页面来源不正确")).to_be_visible()
        await looks_right(page)
        await page.get_by_role("link", name="回到看板").click()
        await expect(page.get_by_role("heading", name="监管看板")).to_be_visible()


async def test_the_keyboard_reaches_what_the_pointer_does(browser: Browser, platform: Platform) -> None:
    async with signed_in(browser, platform) as page:
        await page.goto("/concerns")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")

        assert page.url.endswith("#content")
        names = await page.locator("a, button, input, select, summary").evaluate_all(
            "all => all.filter((e) => e.type !== 'hidden' && !(e.labels?.length || e.textContent.trim() || e.ariaLabel)).length"
        )
        assert names == 0
        assert re.search(r"五类关注", await page.title())
