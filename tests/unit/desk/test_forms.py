from collections.abc import Callable
from uuid import UUID

import pytest

from backend.complaint.model import Complaint
from foundation.db.unit_of_work import Database, unit_of_work
from tests.small_world import CLERK, PHARMACIST, QUALITY
from tests.unit.desk.complaints import a_complaint
from tests.unit.desk.conftest import SITE, Browser

pytestmark = pytest.mark.anyio

ANSWER = "我们已经联系医生，抱歉让您久等。"


async def state_of(db: Database, complaint_id: UUID) -> str:
    async with unit_of_work(db) as session:
        return (await session.get_one(Complaint, complaint_id)).state


async def test_a_form_of_this_session_is_carried_out_and_said(browser: Browser, db: Database) -> None:
    complaint = await a_complaint(db)
    await browser.logs_in(CLERK)

    answer = await browser.post(f"/desk/complaints/{complaint}/answer", text=ANSWER)

    assert answer.status_code == 303
    assert await state_of(db, complaint) == "answered"
    page = (await browser.get(answer.headers["location"])).text
    assert "已答复。" in page
    assert ANSWER in page


async def test_a_form_without_its_token_changes_nothing(browser: Browser, db: Database) -> None:
    complaint = await a_complaint(db)
    await browser.logs_in(CLERK)

    answer = await browser.post(f"/desk/complaints/{complaint}/answer", csrf="", text=ANSWER)

    assert (answer.status_code, "页面已过期" in answer.text) == (403, True)
    assert await state_of(db, complaint) == "open"


async def test_the_token_of_another_session_is_worth_nothing(
    browsers: Callable[[], Browser], db: Database
) -> None:
    complaint = await a_complaint(db)
    mine, other = browsers(), browsers()
    await mine.logs_in(CLERK)
    await other.logs_in(QUALITY)

    answer = await mine.post(f"/desk/complaints/{complaint}/answer", csrf=await other.csrf(), text=ANSWER)

    assert answer.status_code == 403
    assert await state_of(db, complaint) == "open"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.test", "sec-fetch-site": "cross-site"},
        {"origin": SITE, "sec-fetch-site": "same-site"},
        {"origin": "null"},
        {},
    ],
)
async def test_another_site_cannot_send_our_forms(
    browser: Browser, db: Database, headers: dict[str, str]
) -> None:
    complaint = await a_complaint(db)
    await browser.logs_in(CLERK)
    data = {"csrf": await browser.csrf(), "text": ANSWER}

    answer = await browser.http.post(f"/desk/complaints/{complaint}/answer", data=data, headers=headers)

    assert (answer.status_code, "页面来源不正确" in answer.text) == (403, True)
    assert await state_of(db, complaint) == "open"


async def test_another_site_cannot_log_anybody_in(browser: Browser) -> None:
    data = {"login": CLERK.login, "password": CLERK.password, "totp": "000000"}

    answer = await browser.http.post("/desk/login", data=data, headers={"origin": "https://evil.test"})

    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


async def test_what_was_typed_stays_when_a_field_is_wrong(browser: Browser, db: Database) -> None:
    complaint = await a_complaint(db)
    await browser.logs_in(CLERK)

    answer = await browser.post(f"/desk/complaints/{complaint}/answer", text="好的")

    assert answer.status_code == 422
    assert "至少 5 个字" in answer.text
    assert ">好的</textarea>" in answer.text
    assert await state_of(db, complaint) == "open"


async def test_a_form_left_empty_says_what_is_missing(browser: Browser, db: Database) -> None:
    complaint = await a_complaint(db)
    await browser.logs_in(CLERK)

    answer = await browser.post(f"/desk/complaints/{complaint}/answer")

    assert (answer.status_code, 'id="wrong-text"' in answer.text, "必填" in answer.text) == (422, True, True)


async def test_what_the_table_of_states_refuses_is_said_on_the_page(browser: Browser, db: Database) -> None:
    complaint = await a_complaint(db)
    await browser.logs_in(CLERK)

    answer = await browser.post(f"/desk/complaints/{complaint}/close")

    assert answer.status_code == 409
    assert "当前是“处理中”，不能进行此操作" in answer.text
    assert "等了很久" in answer.text


async def test_an_id_that_is_none_is_simply_not_found(browser: Browser) -> None:
    await browser.logs_in(CLERK)

    assert (await browser.get("/desk/complaints/nonsense")).status_code == 404
    assert (await browser.post("/desk/complaints/nonsense/answer", text=ANSWER)).status_code == 404


async def test_only_small_forms_are_read(browser: Browser, db: Database) -> None:
    complaint = await a_complaint(db)
    await browser.logs_in(CLERK)
    path = f"/desk/complaints/{complaint}/answer"

    assert (await browser.post(path, text="长" * 50_000)).status_code == 413
    headers = {"origin": SITE, "sec-fetch-site": "same-origin"}
    assert (await browser.http.post(path, json={"text": ANSWER}, headers=headers)).status_code == 400
    raw = {**headers, "content-type": "application/x-www-form-urlencoded"}
    assert (await browser.http.post(path, content=b"text=%ff%fe", headers=raw)).status_code == 400


async def test_a_session_that_is_over_asks_for_a_login_and_changes_nothing(
    browser: Browser, db: Database
) -> None:
    complaint = await a_complaint(db)
    await browser.logs_in(CLERK)
    token = await browser.csrf()
    browser.http.cookies.clear()

    answer = await browser.post(f"/desk/complaints/{complaint}/answer", csrf=token, text=ANSWER)

    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/login?next=/desk")
    assert await state_of(db, complaint) == "open"


async def test_signing_needs_a_shift_and_the_page_says_where_it_begins(
    browser: Browser,
) -> None:
    await browser.logs_in(PHARMACIST)

    page = (await browser.get("/desk/reviews")).text

    assert "您还没有开始上班" in page
    assert 'href="/desk/shift"' in page
