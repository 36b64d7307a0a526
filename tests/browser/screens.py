"""What a screen must be whatever is on it: readable, inside its width, silent. Measured in the page itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Page, async_playwright
from playwright.async_api import Error as PlaywrightError

from tools import chromium

WIDE, PHONE = (1280, 800), (390, 844)
WAIT = 15_000
"""Milliseconds that a page may take on a busy machine."""

FLAGS = ["--disable-gpu", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required"]  # fmt: skip

MEASURE = """(least) => {
  const channel = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parse = (text) => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
  const over = ([r, g, b, a], under) => [r, g, b].map((v, i) => v * a + under[i] * (1 - a));
  const ground = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      const style = getComputedStyle(e);
      if (style.backgroundImage.includes("gradient")) return null;
      layers.push(parse(style.backgroundColor));
      if (layers.at(-1)[3] === 1) break;
    }
    return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), e = walker.currentNode.parentElement;
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    if (!text || ["SCRIPT", "STYLE", "NOSCRIPT", "OPTION"].includes(e.tagName) || e.closest("[disabled], [hidden]")) continue;
    if (box.width < 2 || box.height < 2 || style.visibility !== "visible" || box.right < 0) continue;
    const size = parseFloat(style.fontSize), under = ground(e);
    if (size < least) found.push(`${size}px: ${text.slice(0, 20)}`);
    if (!under) continue;
    const [a, b] = [light(over(parse(style.color), under)), light(under)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)}:1: ${text.slice(0, 20)}`);
  }
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide > 0) found.push(`${wide}px too wide`);
  return found;
}"""

SMALL = """(least) => [...document.querySelectorAll("button, a.button, input, select, textarea, nav a, summary, .weui-btn")]
  .filter((e) => e.type !== "hidden" && !e.closest("[hidden]") && e.getClientRects().length && getComputedStyle(e).opacity !== "0")
  .map((e) => [(["checkbox", "radio", "file"].includes(e.type) && e.closest("label") || e).getBoundingClientRect(), e])
  .filter(([box]) => box.height < least - 0.5)
  .map(([box, e]) => `${Math.round(box.height)}px: ${(e.textContent || e.name || e.className).trim().slice(0, 20)}`)"""


class Silence(list[str]):
    """What a page said on its console or broke; a good page says nothing."""

    def listen(self, page: Page) -> None:
        """From now on."""
        page.on("pageerror", lambda error: self.append(str(error)))
        page.on("console", lambda line: self.append(line.text) if line.type in ("error", "warning") else None)

    def of_the_page(self) -> list[str]:
        """Without what the browser itself notes about answers with an error status, which tests provoke."""
        return [line for line in self if not line.startswith("Failed to load resource")]


@asynccontextmanager
async def chrome() -> AsyncIterator[Browser]:
    """A browser with a fake camera and microphone."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium.find(), args=FLAGS)
        yield browser
        await browser.close()


@asynccontextmanager
async def a_page(browser: Browser, size: tuple[int, int] = PHONE, **more: Any) -> AsyncIterator[Page]:
    """A page of a person of her own; it must have been silent when the block ends. A failure says what it showed."""
    phone = {"has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    options: dict[str, Any] = {**more, **(phone if size == PHONE else {})}
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]}, locale="zh-CN", timezone_id="Asia/Shanghai", **options,
    )  # fmt: skip
    context.set_default_timeout(WAIT)
    page, silence = await context.new_page(), Silence()
    silence.listen(page)
    try:
        yield page
    except Exception as failure:
        failure.add_note(f"{page.url} showed: {await _shown(page)}")
        failure.add_note(f"and its console said: {silence}")
        raise
    await context.close()
    assert silence.of_the_page() == []


async def _shown(page: Page) -> str:
    try:
        text: str = await page.evaluate("() => document.body?.innerText ?? ''")
    except PlaywrightError as gone:  # on its way to another page: that must not hide the failure
        return f"({gone.message})"
    return " | ".join(text.split())[:1500]


async def looks_right(page: Page) -> None:
    """Without faults at a wide desk and on a narrow screen; wide afterwards."""
    for width, height in (PHONE, WIDE):
        await page.set_viewport_size({"width": width, "height": height})
        found = await faults(page)
        assert found == [], f"{page.url}, {width} wide: {found}"


async def faults(page: Page, *, least_text: float = 16, least_target: float = 44) -> list[str]:
    """Text too small or too pale, targets too low, and whatever sticks out to the right."""
    await page.wait_for_load_state()  # a page that has only just been asked for has no body
    found: list[str] = await page.evaluate(MEASURE, least_text)
    found += await page.evaluate(SMALL, least_target)
    return found
