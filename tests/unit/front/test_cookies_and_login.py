"""The session is a cookie and nothing else; a login belongs to the browser that began it."""

from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from miniapp_mock.front import cookies
from miniapp_mock.front.settings import Driver
from tests.unit.front.backend import FRONT, WECHAT, Backend, opened
from tests.unit.front.browsing import TOKEN, log_in, submit

pytestmark = pytest.mark.anyio

LOGGED_IN = {"token": TOKEN, "id": "a", "role": "patient", "name": "", "phone_bound": True}


def set_by(answer: httpx.Response) -> SimpleCookie:
    found = SimpleCookie()
    for line in answer.headers.get_list("set-cookie"):
        found.load(line)
    return found


async def begin(browser: httpx.AsyncClient, following: str = "/visits") -> str:
    """Leave for WeChat; the state that went along."""
    answer = await browser.get("/wechat/login", params={"next": following})
    assert answer.headers["location"].startswith(f"{WECHAT}/authorize?")
    return parse_qs(urlsplit(answer.headers["location"]).query)["state"][0]


async def test_a_login_ends_in_a_cookie_that_scripts_cannot_read(
    browser: httpx.AsyncClient, backend: Backend
) -> None:
    backend.answers["POST /login/wechat"] = LOGGED_IN
    state = await begin(browser)

    answer = await browser.get("/wechat/return", params={"code": "c-1", "state": state})

    assert (answer.status_code, answer.headers["location"]) == (303, "/visits")
    assert backend.last("POST /login/wechat").json == {"code": "c-1"}
    cookie = set_by(answer)[cookies.PATIENT]
    assert cookie.value == TOKEN
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"], cookie["path"]) == (
        True,
        True,
        "lax",
        "/",
    )
    assert cookie["domain"] == ""


async def test_every_cookie_is_bound_to_this_host(browser: httpx.AsyncClient, backend: Backend) -> None:
    backend.answers["POST /login/wechat"] = LOGGED_IN
    answers = [await browser.get("/"), await submit(browser, "/care", on="1")]
    answers += [await browser.get("/wechat/login"), await browser.get("/wechat/return?state=x")]

    for answer in answers:
        for name, cookie in set_by(answer).items():
            assert name.startswith("__Host-")
            assert (cookie["secure"], cookie["httponly"], cookie["path"], cookie["domain"]) == (
                True,
                True,
                "/",
                "",
            )


async def test_the_token_goes_to_the_backend_and_into_no_page(
    browser: httpx.AsyncClient, backend: Backend
) -> None:
    log_in(browser)

    page = (await browser.get("/persons")).text

    assert backend.last("GET /persons").headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in page


async def test_a_new_browser_cookie_comes_with_the_login(
    browser: httpx.AsyncClient, backend: Backend
) -> None:
    backend.answers["POST /login/wechat"] = LOGGED_IN
    await browser.get("/")
    before = browser.cookies[cookies.BROWSER]

    await browser.get("/wechat/return", params={"code": "c", "state": await begin(browser)})

    assert browser.cookies[cookies.BROWSER] != before


@pytest.mark.parametrize("given", ["", "guessed"])
async def test_a_login_without_the_state_of_this_browser_is_refused(
    browser: httpx.AsyncClient, given: str
) -> None:
    await begin(browser)

    answer = await browser.get("/wechat/return", params={"code": "c", "state": given})

    assert answer.status_code == 403
    assert cookies.PATIENT not in browser.cookies


async def test_a_login_that_another_browser_began_is_refused(
    browser: httpx.AsyncClient, backend: Backend
) -> None:
    backend.answers["POST /login/wechat"] = LOGGED_IN
    async with opened(backend) as other:
        state = await begin(other)

    answer = await browser.get("/wechat/return", params={"code": "c", "state": state})

    assert answer.status_code == 403
    assert not [one for one in backend.asked if one.path == "/login/wechat"]


async def test_a_state_is_good_for_one_login(browser: httpx.AsyncClient, backend: Backend) -> None:
    backend.answers["POST /login/wechat"] = LOGGED_IN
    state = await begin(browser)
    await browser.get("/wechat/return", params={"code": "c", "state": state})

    assert (await browser.get("/wechat/return", params={"code": "d", "state": state})).status_code == 403


@pytest.mark.parametrize(
    "wanted", ["//evil.test", "https://evil.test/", "/\\evil.test", "javascript:alert(1)", "/a\nb"]
)
async def test_a_login_leads_nowhere_but_to_our_own_pages(
    browser: httpx.AsyncClient, backend: Backend, wanted: str
) -> None:
    backend.answers["POST /login/wechat"] = LOGGED_IN

    answer = await browser.get("/wechat/return", params={"code": "c", "state": await begin(browser, wanted)})

    assert answer.headers["location"] == "/"


async def test_without_a_phone_number_the_next_page_asks_for_it(
    browser: httpx.AsyncClient, backend: Backend
) -> None:
    backend.answers["POST /login/wechat"] = LOGGED_IN | {"phone_bound": False}

    answer = await browser.get("/wechat/return", params={"code": "c", "state": await begin(browser)})

    assert answer.headers["location"] == "/phone?next=%2Fvisits"


async def test_a_code_that_was_used_is_explained(browser: httpx.AsyncClient, backend: Backend) -> None:
    backend.refuses("POST /login/wechat", 422, "code_refused", "登录凭证已失效，请重新登录")

    answer = await browser.get("/wechat/return", params={"code": "c", "state": await begin(browser)})

    assert answer.status_code == 403
    assert "登录凭证已失效" in answer.text


async def test_logging_out_ends_the_session_here_and_there(
    browser: httpx.AsyncClient, backend: Backend
) -> None:
    backend.answers["POST /logout"] = None
    log_in(browser)

    answer = await submit(browser, "/logout")

    assert backend.last("POST /logout").headers["authorization"] == f"Bearer {TOKEN}"
    assert answer.headers["clear-site-data"] == '"storage"'
    assert set_by(answer)[cookies.PATIENT].value == ""
    assert set_by(answer)[cookies.PATIENT]["max-age"] == "0"


async def test_the_driver_of_wechats_own_browser_leaves_by_oauth(backend: Backend) -> None:
    async with opened(backend, wechat_driver=Driver.H5) as browser:
        address = (await browser.get("/wechat/login")).headers["location"]

    query = parse_qs(urlsplit(address).query)
    assert address.startswith(f"{WECHAT}/connect/oauth2/authorize?")
    assert (query["appid"], query["scope"], query["redirect_uri"]) == (
        ["wx1"],
        ["snsapi_base"],
        [f"{FRONT}/wechat/return"],
    )


async def test_the_phone_number_is_bound_by_wechats_code(
    browser: httpx.AsyncClient, backend: Backend
) -> None:
    backend.answers["POST /login/phone"] = {"phone": "199****0001"}
    log_in(browser)
    address = (await browser.get("/wechat/phone", params={"next": "/book"})).headers["location"]
    state = parse_qs(urlsplit(address).query)["state"][0]

    answer = await browser.get("/wechat/phone-return", params={"phone_code": "p-1", "state": state})

    assert address.startswith(f"{WECHAT}/authorize-phone?")
    assert answer.headers["location"] == "/book"
    assert backend.last("POST /login/phone").json == {"code": "p-1"}


async def test_who_gives_no_phone_number_is_told_what_that_means(
    browser: httpx.AsyncClient, backend: Backend
) -> None:
    backend.answers["GET /me"] = {"id": "a", "kind": "account", "roles": ["patient"], "name": "", "phone": ""}
    log_in(browser)
    state = parse_qs(urlsplit((await browser.get("/wechat/phone")).headers["location"]).query)["state"][0]

    answer = await browser.get(
        "/wechat/phone-return", params={"errMsg": "getPhoneNumber:fail user deny", "state": state}
    )

    assert "没有手机号不能实名和预约" in (await browser.get(answer.headers["location"])).text
