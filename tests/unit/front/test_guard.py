"""Nobody else's page acts in a user's name."""

from collections.abc import AsyncIterator

import httpx
import pytest

from miniapp_mock.front import cookies
from tests.unit.front.backend import FRONT, Backend, opened
from tests.unit.front.browsing import log_in, post, submit, token_in

pytestmark = pytest.mark.anyio


async def test_a_form_of_our_own_page_goes_through(browser: httpx.AsyncClient) -> None:
    answer = await submit(browser, "/care", on="1", next="/prices")

    assert (answer.status_code, answer.headers["location"]) == (303, "/prices")


async def test_a_form_without_the_token_is_refused(browser: httpx.AsyncClient) -> None:
    await browser.get("/")

    answer = await post(browser, "/care", {"on": "1"})

    assert answer.status_code == 403
    assert "请刷新后再试" in answer.text


async def test_a_token_of_another_browser_is_refused(browser: httpx.AsyncClient, backend: Backend) -> None:
    async with opened(backend) as other:
        foreign = token_in((await other.get("/")).text)
    await browser.get("/")

    assert (await post(browser, "/care", {"csrf": foreign})).status_code == 403


async def test_a_token_from_before_the_login_is_refused_after_it(browser: httpx.AsyncClient) -> None:
    before = token_in((await browser.get("/")).text)

    log_in(browser)

    assert (await post(browser, "/care", {"csrf": before})).status_code == 403
    assert token_in((await browser.get("/")).text) != before


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.test"},
        {"origin": "null"},
        {"origin": "http://front.test"},
        {"origin": "", "sec-fetch-site": "cross-site"},
        {"origin": "", "sec-fetch-site": "same-site"},
        {"origin": ""},
    ],
)
async def test_another_origin_is_refused_even_with_the_token(
    browser: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    token = token_in((await browser.get("/")).text)

    answer = await post(browser, "/care", {"csrf": token}, **headers)

    assert answer.status_code == 403


async def test_a_browser_that_sends_no_origin_is_known_by_the_fetch_site(browser: httpx.AsyncClient) -> None:
    token = token_in((await browser.get("/")).text)

    assert (
        await post(browser, "/care", {"csrf": token}, **{"origin": "", "sec-fetch-site": "same-origin"})
    ).status_code == 303


async def test_scripts_send_the_token_in_a_header(browser: httpx.AsyncClient, backend: Backend) -> None:
    log_in(browser)
    visit = "/encounters/01a20299-7d43-735a-9b83-5e7844395b47"
    backend.answers[f"POST {visit}/tickets"] = (
        201,
        {"ticket": "t", "url": "wss://api.test/x", "seconds": 60},
    )
    headers = {"origin": FRONT, "accept": "application/json"}

    refused = await browser.post(f"{visit}/tickets", json={"purpose": "chat"}, headers=headers)
    token = token_in((await browser.get("/")).text)
    given = await browser.post(
        f"{visit}/tickets", json={"purpose": "chat"}, headers=headers | {"x-csrf-token": token}
    )

    assert (refused.status_code, refused.json()["code"]) == (403, "csrf")
    assert given.json()["ticket"] == "t"
    assert backend.last(f"POST {visit}/tickets").json == {"purpose": "chat"}


async def test_a_page_cannot_be_made_to_accept_a_token_without_the_browser_cookie(
    browser: httpx.AsyncClient,
) -> None:
    token = token_in((await browser.get("/")).text)
    browser.cookies.delete(cookies.BROWSER)

    assert (await post(browser, "/care", {"csrf": token})).status_code == 403


async def test_a_body_over_a_megabyte_is_refused(browser: httpx.AsyncClient) -> None:
    answer = await submit(browser, "/care", next="x" * 1_000_001)

    assert answer.status_code == 413
    assert "1 MB" in answer.text


async def in_pieces() -> AsyncIterator[bytes]:
    for _ in range(11):
        yield b"a" * 100_000


async def test_a_body_that_does_not_say_how_long_it_is_is_refused_as_well(browser: httpx.AsyncClient) -> None:
    headers = {"origin": FRONT, "content-type": "application/x-www-form-urlencoded"}

    answer = await browser.post("/care", content=in_pieces(), headers=headers)

    assert answer.status_code == 413


async def test_a_picture_may_be_larger_than_a_form(browser: httpx.AsyncClient, backend: Backend) -> None:
    log_in(browser)
    path = "/encounters/01a20299-7d43-735a-9b83-5e7844395b47/attachments"
    backend.answers[f"POST {path}"] = (201, {"id": "a", "media_type": "image/jpeg", "size": 3})
    token = token_in((await browser.get("/")).text)
    headers = {
        "origin": FRONT,
        "x-csrf-token": token,
        "content-type": "image/jpeg",
        "accept": "application/json",
    }

    fits = await browser.post(path, content=b"x" * 4_000_000, headers=headers)
    too_large = await browser.post(path, content=b"x" * 5_000_001, headers=headers)

    assert (fits.status_code, too_large.status_code) == (200, 413)
    assert len(backend.last(f"POST {path}").body) == 4_000_000
