"""A refusal is said in the user's words, names the field, and takes nothing away that was typed."""

import httpx
import pytest
from starlette.responses import Response

from foundation.settings import Env
from miniapp_mock.front import cookies
from tests.unit.front.backend import PERSON_ID, Backend, opened
from tests.unit.front.browsing import log_in, submit, token_in

pytestmark = pytest.mark.anyio

VISIT = "01a20299-6b59-70b5-a644-2e8871b9add7"


async def test_a_wrong_field_is_named_and_what_was_typed_stays(
    browser: httpx.AsyncClient, backend: Backend
) -> None:
    log_in(browser)
    backend.refuses(
        "POST /persons", 422, "invalid", "填写有误，请检查", id_number="身份证号校验位不正确，请核对"
    )

    answer = await submit(browser, "/persons/new?kind=self", name="周桂珍", id_number="310114195809199068")

    assert answer.status_code == 422
    assert 'aria-invalid="true" aria-describedby="error-id_number"' in answer.text
    assert "身份证号校验位不正确，请核对" in answer.text
    assert 'value="310114195809199068"' in answer.text
    assert 'value="周桂珍"' in answer.text


async def test_several_wrong_fields_are_all_named(browser: httpx.AsyncClient, backend: Backend) -> None:
    log_in(browser)
    backend.refuses(
        "POST /persons", 422, "invalid", "填写有误，请检查", name="请填写姓名", id_number="应为 18 位"
    )

    answer = await submit(browser, "/persons/new?kind=self", name="", id_number="1")

    assert "<li>请填写姓名</li><li>应为 18 位</li>" in answer.text


async def test_a_form_sent_twice_has_one_idempotency_key(
    browser: httpx.AsyncClient, backend: Backend
) -> None:
    log_in(browser)
    backend.answers[f"POST /persons/{PERSON_ID}/consents"] = (201, {"id": "c"})

    await submit(browser, f"/persons/{PERSON_ID}/consent", once="key-1", version="1.0", content_hash="00")

    asked = backend.last(f"POST /persons/{PERSON_ID}/consents")
    assert asked.headers["idempotency-key"] == "key-1"


async def test_an_ended_session_leads_to_the_login_and_back(
    browser: httpx.AsyncClient, backend: Backend
) -> None:
    log_in(browser)
    backend.refuses("GET /persons", 401, "session_ended", "登录已失效，请重新登录")

    answer = await browser.get("/persons")

    assert answer.headers["location"] == "/login?next=%2Fpersons"
    assert any(line.startswith(f'{cookies.PATIENT}=""') for line in answer.headers.get_list("set-cookie"))


async def test_a_part_of_a_page_takes_the_whole_page_to_the_login(
    browser: httpx.AsyncClient, backend: Backend
) -> None:
    log_in(browser)
    backend.refuses("GET /appointments", 401, "session_ended", "登录已失效，请重新登录")
    headers = {"hx-request": "true", "hx-current-url": "https://front.test/visits?x=1"}

    answer = await browser.get("/home/today", headers=headers)

    assert answer.headers["hx-redirect"] == "/login?next=%2Fvisits%3Fx%3D1"


async def test_a_script_gets_the_words_as_json(browser: httpx.AsyncClient, backend: Backend) -> None:
    log_in(browser)
    path = f"/encounters/{VISIT}/tickets"
    backend.refuses(f"POST {path}", 409, "encounter_not_running", "问诊未在进行中")
    token = token_in((await browser.get("/")).text)
    headers = {"origin": "https://front.test", "x-csrf-token": token, "accept": "application/json"}

    answer = await browser.post(path, json={"purpose": "chat"}, headers=headers)

    assert answer.status_code == 409
    assert answer.json() == {
        "status": 409, "code": "encounter_not_running", "detail": "问诊未在进行中", "request_id": "r-1"
    }  # fmt: skip


async def test_with_the_backend_down_there_is_a_plain_page_with_a_telephone_number(
    browser: httpx.AsyncClient, backend: Backend
) -> None:
    await browser.get("/")
    backend.down = True

    answer = await browser.get("/prices")

    assert answer.status_code == 503
    assert "系统正在维护" in answer.text
    assert 'href="tel:19900000900"' in answer.text
    assert "重试" in answer.text


async def test_the_first_page_opens_even_while_the_backend_is_down(
    browser: httpx.AsyncClient, backend: Backend
) -> None:
    backend.down = True

    answer = await browser.get("/")

    assert answer.status_code == 200
    assert "互联网医院" in answer.text
    assert (await browser.get("/readyz")).status_code == 503


async def test_an_answer_that_is_none_of_the_api_counts_as_down(
    browser: httpx.AsyncClient, backend: Backend
) -> None:
    for garbage in (Response("<html>gateway</html>", 502), Response("<html>", 200)):
        backend.answers["GET /prices"] = garbage

        assert (await browser.get("/prices")).status_code == 503


async def test_a_part_of_a_page_can_be_tried_again(browser: httpx.AsyncClient, backend: Backend) -> None:
    log_in(browser)
    backend.refuses(
        f"GET /persons/{PERSON_ID}/diagnoses", 503, "his_unavailable", "院内系统不可用，请稍后再试"
    )

    answer = await browser.get(f"/book/{PERSON_ID}/diagnoses", headers={"hx-request": "true"})

    assert answer.status_code == 503
    assert "院内系统不可用" in answer.text
    assert f'hx-get="/book/{PERSON_ID}/diagnoses"' in answer.text


@pytest.mark.parametrize(
    "path", ["/nowhere", "/visits/1", "/payments/..%2Fpersons", "/persons/%00", "/book/x/doctors"]
)
async def test_an_address_that_leads_nowhere_is_a_readable_page(
    browser: httpx.AsyncClient, path: str
) -> None:
    log_in(browser)

    answer = await browser.get(path)

    assert answer.status_code == 404
    assert "没有找到" in answer.text


async def test_a_wrong_method_is_no_crash(browser: httpx.AsyncClient) -> None:
    assert (await submit(browser, "/prices")).status_code == 405


async def test_another_persons_visit_looks_like_none(browser: httpx.AsyncClient) -> None:
    log_in(browser)

    answer = await browser.get(f"/visits/{VISIT}")

    assert (answer.status_code, "没有找到" in answer.text) == (404, True)


async def test_the_clock_moves_under_test_and_in_no_other_kind_of_running(backend: Backend) -> None:
    shift = {"offset_seconds": 3600}
    async with opened(backend, env=Env.TEST) as browser:
        moved = await browser.post("/_test/clock", json=shift)
    async with opened(backend) as browser:
        refused = await browser.post("/_test/clock", json=shift)

    assert (moved.status_code, refused.status_code) == (200, 404)
