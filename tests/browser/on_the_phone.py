"""A patient at her phone: WeChat's login in a real browser, and what every screen of hers must be."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Page, expect

from tests.browser.screens import PHONE, WAIT, a_page, faults
from tests.world import World

NORMAL, CARE = (17.0, 44.0), (21.0, 60.0)
"""Smallest text and smallest target, in CSS pixels."""

expect.set_options(timeout=WAIT)

TARGETS = """(least) => [...document.querySelectorAll("a, button, input, textarea, select, summary, label.chip, label.choice, label.say-tool")]
  .filter((e) => e.type !== "hidden" && !e.matches(".skip, label input") && e.checkVisibility())
  .map((e) => [e.getBoundingClientRect(), e])
  .filter(([box]) => box.height < least - 0.5 || box.width < Math.min(least, 44) - 0.5)
  .map(([box, e]) => `${Math.round(box.width)}x${Math.round(box.height)}: ${(e.textContent || e.name || e.className).trim().slice(0, 20)}`)"""

COVERED = """() => {
  const found = [];
  for (const e of document.querySelectorAll("main a, main button, main input, main textarea")) {
    if (e.type === "hidden" || !e.checkVisibility() || e.disabled) continue;
    for (const block of ["end", "start"]) {
      e.scrollIntoView({ block, inline: "center", behavior: "instant" });
      const box = e.getBoundingClientRect();
      const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
      if (top && top !== e && !e.contains(top) && !top.contains(e)) found.push(`${e.textContent.trim().slice(0, 20)} under ${top.className || top.tagName}`);
    }
  }
  return found;
}"""


OUTSIDE = """() => [...document.querySelectorAll("body *")]
  .filter((e) => e.checkVisibility() && !e.closest(".scroll, .skip, .for-readers, svg") && getComputedStyle(e).position !== "fixed")
  .map((e) => [e.getBoundingClientRect(), e])
  .filter(([box]) => box.width && (box.right > document.documentElement.clientWidth + 1 || box.left < -1))
  .map(([box, e]) => `from ${Math.round(box.left)} to ${Math.round(box.right)}: ${e.textContent.trim().slice(0, 20) || e.className}`)"""
"""A phone zooms out instead of showing a scroll bar: what sticks out is measured piece by piece."""


def front(world: World, path: str = "/") -> str:
    """An address of the front."""
    return world.system.url("front") + path


async def log_in(page: Page, world: World, openid: str, following: str = "/") -> None:
    """Take the phone, press the button."""
    await page.goto(f"{world.places.wechat}/phone/{openid}/use")
    await page.goto(front(world, f"/login?next={following}"))
    await page.click("[data-wx=login]")
    await page.wait_for_url(front(world, "/**"))
    await expect(page.locator("[data-wx=login]")).to_have_count(0)


@asynccontextmanager
async def on_the_phone_of(browser: Browser, world: World, patient: Any, **more: Any) -> AsyncIterator[Page]:
    """A page of this patient, logged in."""
    async with a_page(browser, PHONE, **more) as page:
        await log_in(page, world, str(patient.person["openid"]))
        yield page


async def becomes(page: Page, world: World, expression: str) -> None:
    """Wait until a script sees it; asked from outside, because the policy lets nobody evaluate text inside the page."""

    async def look() -> bool | None:
        return bool(await page.evaluate(expression)) or None

    await world.until(look, expression)


async def pay(page: Page) -> None:
    """From the bill through WeChat's cashier to the good news, all of it by herself."""
    await page.click("[data-wx=pay], [data-wx=selfpay]")
    await page.wait_for_url("**/cashier/**")
    await page.click("#pay")
    await expect(page.get_by_role("heading", name="支付成功")).to_be_visible()


async def flaws_by_day_and_night(page: Page, least: tuple[float, float] = NORMAL) -> list[str]:
    """By night, only what a colour can spoil is measured again."""
    await page.emulate_media(color_scheme="light")
    seen = await flaws(page, least)
    await page.emulate_media(color_scheme="dark")
    return seen + [f"by night: {one}" for one in await faults(page, least_text=least[0], least_target=0)]


async def flaws(page: Page, least: tuple[float, float] = NORMAL) -> list[str]:
    """Text too small or pale, targets too small, anything too wide, and buttons that a bar covers."""
    text, target = least
    found = await faults(page, least_text=text, least_target=0)
    found += await page.evaluate(OUTSIDE)
    found += await page.evaluate(TARGETS, target)
    found += await page.evaluate(COVERED)
    return found
