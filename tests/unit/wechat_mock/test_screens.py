"""The pages in a browser of a phone's size: they work under their own policy, and an old person can use them."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from miniapp_mock.wechat.app import create_app
from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.serving import in_background
from miniapp_mock.wechat.settings import Reader
from tests.unit.wechat_mock.calls import consent, subscribe
from tests.unit.wechat_mock.merchant import Merchant
from tests.unit.wechat_mock.receiver import wait_for
from tools import chromium

pytestmark = pytest.mark.browser

# Every visible piece of text and every target of the page: size, colours, box.
MEASURE = """() => {
  const shown = (e) => { const b = e.getBoundingClientRect(); return b.width > 0 && b.height > 0; };
  const numbers = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const c = numbers(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const light = (c) => {
    const [r, g, b] = c.map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const texts = [...document.querySelectorAll("body *")]
    .filter((e) => shown(e) && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()))
    .map((e) => {
      const style = getComputedStyle(e);
      const [a, b] = [light(numbers(style.color)), light(ground(e))].sort((x, y) => y - x);
      return { text: e.textContent.trim().slice(0, 20), size: parseFloat(style.fontSize), contrast: (a + 0.05) / (b + 0.05) };
    });
  const targets = [...document.querySelectorAll("a, button, summary, label")].filter(shown)
    .map((e) => { const b = e.getBoundingClientRect(); return { text: e.textContent.trim().slice(0, 20), width: b.width, height: b.height }; });
  return { texts, targets, wide: document.documentElement.scrollWidth - document.documentElement.clientWidth };
}"""


@pytest.fixture(scope="module")
def front() -> Iterator[str]:
    """An empty page wherever one looks."""

    async def page(_: Request) -> Response:
        return HTMLResponse('<!doctype html><link rel="icon" href="data:,"><title>front</title>')

    with in_background(Starlette(routes=[Route("/{rest:path}", page)])) as address:
        yield address


@pytest.fixture
def base(front: str, environment: dict[str, str]) -> Iterator[str]:
    """A mock that leads to that front."""
    mock = Mock.from_environment(Reader(environment | {"WECHAT_FRONT_URL": front}))
    with in_background(create_app(mock)) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, base: str) -> Iterator[Page]:
    """A phone's browser; a word on the console fails the test."""
    said: list[str] = []
    context = browser.new_context(
        base_url=base,
        viewport={"width": 390, "height": 844},
        device_scale_factor=2,
        is_mobile=True,
        has_touch=True,
    )
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda problem: said.append(str(problem)))
    yield page
    context.close()
    assert said == []


def assert_usable(page: Page) -> None:
    measured: dict[str, Any] = page.evaluate(MEASURE)

    assert measured["texts"]
    assert [one for one in measured["texts"] if one["size"] < 17] == []
    assert [one for one in measured["texts"] if one["contrast"] < 4.5] == []
    assert [one for one in measured["targets"] if one["height"] < 44 or one["width"] < 44] == []
    assert measured["wide"] <= 0


def test_somebody_without_a_phone_chooses_one_and_pays(page: Page, front: str, merchant: Merchant) -> None:
    number, prepay_id = merchant.order()
    page.goto(f"/cashier/{prepay_id}?return={front}/pay/1")
    assert_usable(page)
    page.get_by_text("林秀兰").tap()
    expect(page.locator("#amount")).to_have_text("¥30.00")
    assert_usable(page)

    page.get_by_role("button", name="确认支付").tap()

    page.wait_for_url(f"{front}/pay/1?result=requestPayment%3Aok")
    assert merchant.query(number)["trade_state"] == "SUCCESS"


def test_a_payment_that_cannot_be_made_leads_back(page: Page, front: str, merchant: Merchant) -> None:
    _, prepay_id = merchant.order()
    page.goto("/phone/o-other/use")
    page.goto(f"/cashier/{prepay_id}?return={front}/pay/1")
    assert_usable(page)

    page.get_by_role("link", name="返回商家").tap()

    page.wait_for_url(f"{front}/pay/1?result=requestPayment*")


def test_a_new_message_appears_by_itself_and_opens_the_front(
    page: Page, front: str, wechat: httpx.Client
) -> None:
    consent(wechat)
    page.goto("/phone/o-patient")
    expect(page.get_by_text("还没有消息")).to_be_visible()
    assert_usable(page)

    subscribe(wechat)
    expect(page.get_by_text("医生已接诊", exact=True)).to_be_visible(timeout=10_000)
    assert_usable(page)
    page.get_by_role("link", name="进入小程序查看").tap()

    page.wait_for_url(f"{front}/visits/018f?from=notice")


def test_number_and_consent_are_given_on_sheets(page: Page, front: str, wechat: httpx.Client) -> None:
    page.goto("/phone/o-patient/use")
    page.goto(f"/authorize-phone?redirect_uri={front}/bind&state=s")
    assert_usable(page)
    page.get_by_role("button", name="允许").tap()
    page.wait_for_url(f"{front}/bind?phone_code=*&state=s")

    page.goto(f"/consent?template_ids=TPL_VISIT_ACCEPTED,TPL_SHIPPED&redirect_uri={front}/x")
    assert_usable(page)
    page.get_by_label("药品已发货").uncheck()
    page.get_by_role("button", name="允许").tap()

    page.wait_for_url(f"{front}/x?accepted=TPL_VISIT_ACCEPTED")
    assert subscribe(wechat)["errcode"] == 0


def test_the_console_turns_a_switch(page: Page, wechat: httpx.Client, merchant: Merchant) -> None:
    merchant.paid_order()
    page.goto("/console")
    assert_usable(page)
    page.get_by_label("已付款但从不通知").check()

    page.get_by_role("button", name="按此设置").tap()

    expect(page.get_by_text("1 项已打开")).to_be_visible()
    assert wechat.get("/_test/faults").json() == {"paid_not_notified": True}
    page.get_by_role("button", name="全部关闭").tap()
    wait_for(lambda: wechat.get("/_test/faults").json() == {}, "all switches off")


def test_a_page_that_cannot_be_opened_says_so(base: str, wechat: httpx.Client) -> None:
    answer = wechat.get("/u/none")

    assert answer.status_code == 404
    assert "链接不存在或已过期" in answer.text
