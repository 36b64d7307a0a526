"""The pharmacy's bench in a browser."""

from uuid import uuid4

from playwright.async_api import Page, expect


async def packs_and_checks(page: Page) -> None:
    """Scans a code for each pack of each line, packs, ticks the ten comparisons."""
    lines = await page.locator("form.scan").count()
    for line in range(lines):
        form = page.locator("form.scan").nth(line)
        wanted = int((await form.locator("span").inner_text()).split("/")[1].split(" ")[0])
        await form.locator("textarea").fill("\n".join(f"{uuid4().int % 10**20:020d}" for _ in range(wanted)))
        await form.get_by_role("button", name="登记这一行").click()
        await expect(page.get_by_role("status")).to_contain_text("已登记追溯码")
    await page.get_by_role("button", name="调配完成").click()
    await expect(page.get_by_role("status")).to_contain_text("请核对后发药")
    for box in await page.locator("#check input[type=checkbox]").all():
        await box.check()
