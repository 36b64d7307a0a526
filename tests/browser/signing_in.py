"""Members of staff at a login page: password and a one-time code that was not used yet."""

from collections.abc import Mapping
from typing import Any

import pyotp
from playwright.async_api import Page

from tests.world import World


async def fill_login(page: Page, world: World, person: Mapping[str, Any]) -> None:
    """Fill the form and send it. A minute goes by first: codes open a session once, and the client of the API uses them too."""
    await world.moves_on(seconds=61)
    await page.fill("[name=login]", str(person["login"]))
    await page.fill("[name=password]", str(person["password"]))
    await page.fill("[name=totp]", pyotp.TOTP(str(person["totp_secret"])).at(int(world.clock.timestamp())))
    await page.press("[name=totp]", "Enter")
    await page.wait_for_url(lambda url: "login" not in url)
