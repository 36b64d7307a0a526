import httpx
import pytest
from sqlalchemy import select

from backend.account.model import Account
from backend.context import Context
from foundation.db.audit import AuditEvent
from foundation.db.unit_of_work import unit_of_work
from tests.small_world import DOCTOR, TOTP_SECRET
from tests.town import Town
from tests.unit.account.authenticator import code_at

pytestmark = pytest.mark.anyio


async def a_code(wechat: httpx.AsyncClient, openid: str = "o-patient") -> str:
    code: str = (await wechat.post(f"/phone/{openid}/login")).json()["code"]
    return code


async def a_phone_code(wechat: httpx.AsyncClient, openid: str = "o-patient") -> str:
    code: str = (await wechat.post(f"/phone/{openid}/phone-code")).json()["code"]
    return code


async def logged_in(
    api: httpx.AsyncClient, wechat: httpx.AsyncClient, openid: str = "o-patient"
) -> dict[str, str]:
    answer = await api.post("/login/wechat", json={"code": await a_code(wechat, openid)})
    assert answer.status_code == 200, answer.text
    return {"authorization": f"Bearer {answer.json()['token']}"}


async def test_a_patient_logs_in_by_wechat_and_binds_her_phone(
    api: httpx.AsyncClient, wechat: httpx.AsyncClient, running: Context
) -> None:
    me = await logged_in(api, wechat)
    before = (await api.get("/me", headers=me)).json()

    bound = await api.post("/login/phone", json={"code": await a_phone_code(wechat)}, headers=me)

    assert (before["phone"], before["roles"]) == ("", ["patient"])
    assert bound.json() == {"phone": "199****0001"}
    assert (await api.get("/me", headers=me)).json()["phone"] == "199****0001"
    async with unit_of_work(running.db) as session:
        assert (await session.scalars(select(Account))).one().phone == "19900000001"


async def test_a_login_code_can_be_used_once(api: httpx.AsyncClient, wechat: httpx.AsyncClient) -> None:
    code = await a_code(wechat)
    assert (await api.post("/login/wechat", json={"code": code})).status_code == 200

    again = await api.post("/login/wechat", json={"code": code})

    assert (again.status_code, again.json()["code"]) == (401, "login_code_refused")


async def test_a_phone_code_that_is_none_is_refused_by_its_field(
    api: httpx.AsyncClient, wechat: httpx.AsyncClient
) -> None:
    me = await logged_in(api, wechat)

    refused = await api.post("/login/phone", json={"code": "never-issued"}, headers=me)

    assert (refused.status_code, refused.json()["issues"][0]["field"]) == (422, "code")


async def test_a_wechat_that_does_not_answer_is_not_a_refused_code(
    api: httpx.AsyncClient, wechat: httpx.AsyncClient, town: Town
) -> None:
    town.wechat_faults(busy=1.0)

    answer = await api.post("/login/wechat", json={"code": await a_code(wechat)})

    assert answer.status_code == 503


async def test_staff_log_in_and_out(api: httpx.AsyncClient, running: Context) -> None:
    body = {
        "login": DOCTOR.login, "password": DOCTOR.password, "totp": code_at(TOTP_SECRET, running.clock.timestamp()),
    }  # fmt: skip
    answer = await api.post("/login/staff", json=body)
    me = {"authorization": f"Bearer {answer.json()['token']}"}

    assert (answer.status_code, answer.json()["name"]) == (200, DOCTOR.name)
    assert (await api.post("/logout", headers=me)).status_code == 204
    assert (await api.get("/me", headers=me)).status_code == 401


async def test_a_refused_login_is_in_the_audit_trail_without_the_password(
    api: httpx.AsyncClient, running: Context
) -> None:
    body = {"login": DOCTOR.login, "password": "guess-4711", "totp": "000000"}

    assert (await api.post("/login/staff", json=body)).status_code == 401

    async with unit_of_work(running.db) as session:
        query = select(AuditEvent).where(AuditEvent.outcome == "refused")
        line = (await session.scalars(query)).one()
    assert (line.action, line.code) == ("account.login", "login_refused")
    assert "4711" not in str(line.detail)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"login": "d01"}, {"password", "totp"}),
        ({"login": "", "password": "x", "totp": "12345"}, {"login", "totp"}),
        ({"login": "d01", "password": "x", "totp": "123456", "remember": True}, {"remember"}),
        ({"login": "d\u0000", "password": "x", "totp": "123456"}, {"login"}),
    ],
)
async def test_a_malformed_login_names_its_fields(
    api: httpx.AsyncClient, body: dict[str, object], fields: set[str]
) -> None:
    answer = await api.post("/login/staff", json=body)

    assert answer.status_code == 422
    assert {issue["field"] for issue in answer.json()["issues"]} == fields
