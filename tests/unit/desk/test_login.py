import httpx
import pytest

from tests.database import moves_on
from tests.small_world import CLERK, PHARMACIST, Member
from tests.unit.desk.conftest import Browser

pytestmark = pytest.mark.anyio

WRONG = "用户名、密码或动态码不正确"


async def test_password_and_code_open_the_desk(browser: Browser) -> None:
    answer = await browser.logs_in(PHARMACIST)

    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
    assert (await browser.get("/desk")).headers["location"] == "/desk/reviews"
    assert PHARMACIST.name in (await browser.get("/desk/reviews")).text


async def test_the_session_lives_in_a_cookie_that_scripts_and_other_hosts_cannot_see(
    browser: Browser,
) -> None:
    answer = await browser.logs_in(PHARMACIST)

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-desk=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}
    assert "max-age" not in cookie.lower()
    assert "domain" not in cookie.lower()


async def test_a_wrong_password_is_refused_and_not_shown_again(browser: Browser) -> None:
    answer = await browser.logs_in(PHARMACIST, password="not-my-password")

    assert answer.status_code == 401
    assert WRONG in answer.text
    assert "not-my-password" not in answer.text
    assert f'value="{PHARMACIST.login}"' in answer.text


async def test_nobody_learns_whether_a_login_exists(browser: Browser) -> None:
    known = await browser.logs_in(PHARMACIST, password="wrong")
    unknown = await browser.logs_in(Member("X99", "pharmacist", "没有"), password="wrong")

    def seen(answer: httpx.Response) -> tuple[int, bool]:
        return answer.status_code, WRONG in answer.text

    assert seen(known) == seen(unknown) == (401, True)


async def test_a_code_opens_the_desk_once(browser: Browser) -> None:
    await browser.logs_in(PHARMACIST)
    used = browser.clock.timestamp()
    moves_on(browser.clock, seconds=-31)

    answer = await browser.logs_in(PHARMACIST)

    assert browser.clock.timestamp() - used < 2
    assert (answer.status_code, WRONG in answer.text) == (401, True)


async def test_after_five_failures_the_login_is_locked_for_a_quarter_of_an_hour(browser: Browser) -> None:
    for _ in range(5):
        assert (await browser.logs_in(CLERK, password="wrong")).status_code == 401

    locked = await browser.logs_in(CLERK)
    assert (locked.status_code, "15 分钟后再试" in locked.text) == (429, True)

    moves_on(browser.clock, minutes=16)
    assert (await browser.logs_in(CLERK)).status_code == 303


async def test_fields_left_empty_are_named(browser: Browser) -> None:
    answer = await browser.post("/desk/login", csrf="", login="ph1", password="", totp="12345")

    assert answer.status_code == 422
    assert 'id="wrong-password"' in answer.text
    assert 'id="wrong-totp"' in answer.text


async def test_login_leads_back_to_the_page_that_was_asked_for(browser: Browser) -> None:
    asked = await browser.get("/desk/dispenses")
    assert asked.headers["location"] == "/desk/login?next=/desk/dispenses"

    answer = await browser.logs_in(PHARMACIST, following="/desk/dispenses")

    assert answer.headers["location"] == "/desk/dispenses"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.test/desk", "//evil.test", "/desk//evil.test", "/desk/\\evil", "/deskevil", "/api/v1/me"],
)
async def test_login_never_leads_to_another_place(browser: Browser, elsewhere: str) -> None:
    answer = await browser.logs_in(PHARMACIST, following=elsewhere)

    assert answer.headers["location"] == "/desk"


async def test_half_an_hour_without_a_touch_ends_the_session(browser: Browser) -> None:
    await browser.logs_in(PHARMACIST)
    moves_on(browser.clock, minutes=31)

    answer = await browser.get("/desk/reviews")

    assert answer.headers["location"] == "/desk/login?next=/desk/reviews&ended=1"
    assert "请重新登录" in (await browser.get(answer.headers["location"])).text


async def test_logging_out_makes_the_token_worthless(browser: Browser) -> None:
    await browser.logs_in(PHARMACIST)
    token = browser.http.cookies["__Host-desk"]

    assert (await browser.post("/desk/logout")).headers["location"] == "/desk/login"

    browser.http.cookies.set("__Host-desk", token)
    assert (await browser.get("/desk/reviews")).status_code == 303


async def test_the_cookie_opens_no_json_route_and_a_bearer_token_no_page(browser: Browser) -> None:
    await browser.logs_in(PHARMACIST)
    token = browser.http.cookies["__Host-desk"]
    assert (await browser.http.get("/api/v1/reviews")).status_code == 401

    browser.http.cookies.clear()
    bearer = {"authorization": f"Bearer {token}"}
    assert (await browser.http.get("/api/v1/reviews", headers=bearer)).status_code == 200
    assert (await browser.http.get("/desk/reviews", headers=bearer)).status_code == 303


async def test_the_shift_stands_above_every_page_of_those_who_sign(browser: Browser) -> None:
    await browser.logs_in(PHARMACIST)
    assert "未上班" in (await browser.get("/desk/dispenses")).text

    await browser.post("/desk/logout")
    await browser.logs_in(CLERK)
    assert "未上班" not in (await browser.get("/desk/dispenses")).text
