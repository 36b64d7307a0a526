"""What a browser does by itself: tokens of a page go into the next form, and the origin along with it."""

import re
from typing import Any

import httpx

from miniapp_mock.front import cookies
from tests.unit.front.backend import FRONT

TOKEN = "the-token-of-the-session"


def token_in(page: str) -> str:
    """The CSRF token of a page."""
    found = re.search(r'data-csrf="([0-9a-f]{64})"', page)
    assert found, page[:400]
    return found[1]


def log_in(browser: httpx.AsyncClient) -> None:
    """As if WeChat's login had been."""
    browser.cookies.set(cookies.PATIENT, TOKEN, domain="front.test", path="/")


async def submit(browser: httpx.AsyncClient, path: str, page: str = "/", **fields: str) -> httpx.Response:
    """Open `page`, then send a form from it."""
    token = token_in((await browser.get(page)).text)
    return await post(browser, path, {"csrf": token, **fields})


async def post(
    browser: httpx.AsyncClient, path: str, fields: dict[str, str] | None = None, **headers: Any
) -> httpx.Response:
    """Send a form with the origin of our own pages unless told otherwise."""
    sent = {"origin": FRONT, **headers}
    return await browser.post(path, data=fields or {}, headers={k: v for k, v in sent.items() if v})
