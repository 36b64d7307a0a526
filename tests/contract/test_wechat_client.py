"""The backend's own client of WeChat's open platform, before the mock: logins, phone numbers, tokens, messages."""

from collections.abc import AsyncIterator

import httpx
import pytest

from backend.notification import rules
from backend.outside.wechat import NO_CONSENT, WeChat, WeChatRefused
from foundation.errors import Invalid, Unauthenticated, Unavailable
from tests.database import SharedClock, moves_on
from tests.town import Town
from tests.unit.wechat_mock.merchant import APPID, SECRET

pytestmark = pytest.mark.anyio

ACCEPTED = {"thing1": "顾明远医生", "thing2": "医生已接诊", "thing3": "请点击进入问诊"}


@pytest.fixture
async def client(town: Town, clock: SharedClock, wechat: httpx.AsyncClient) -> AsyncIterator[WeChat]:
    made = WeChat(town.wechat, APPID, SECRET, clock)
    yield made
    await made.close()


async def a_code(wechat: httpx.AsyncClient, path: str = "login", openid: str = "o-patient") -> str:
    code: str = (await wechat.post(f"/phone/{openid}/{path}")).json()["code"]
    return code


async def allows(wechat: httpx.AsyncClient, *templates: str) -> None:
    answer = await wechat.post("/phone/o-patient/consent", json={"template_ids": list(templates)})
    assert answer.status_code == 200


async def inbox(wechat: httpx.AsyncClient, openid: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = (await wechat.get(f"/phone/{openid}/messages")).json()["messages"]
    return found


async def test_a_code_is_an_openid_once(client: WeChat, wechat: httpx.AsyncClient) -> None:
    code = await a_code(wechat)

    assert await client.login(code) == "o-patient"
    with pytest.raises(Unauthenticated) as refused:
        await client.login(code)
    assert refused.value.code == "login_code_refused"


async def test_a_code_is_too_old_after_five_minutes(
    client: WeChat, wechat: httpx.AsyncClient, clock: SharedClock
) -> None:
    code = await a_code(wechat)
    moves_on(clock, minutes=6)

    with pytest.raises(Unauthenticated):
        await client.login(code)


async def test_a_phone_number_comes_by_its_own_code_once(client: WeChat, wechat: httpx.AsyncClient) -> None:
    code = await a_code(wechat, "phone-code")

    assert await client.phone_number(code) == "19900000001"
    for refused_code in (code, "never-issued"):
        with pytest.raises(Invalid) as refused:
            await client.phone_number(refused_code)
        assert refused.value.issues[0].field == "code"


async def test_a_token_that_wechat_took_back_is_renewed_without_anybody_noticing(
    client: WeChat, wechat: httpx.AsyncClient, town: Town
) -> None:
    assert await client.phone_number(await a_code(wechat, "phone-code"))
    town.wechat_faults(revoke_token=True)

    assert await client.phone_number(await a_code(wechat, "phone-code")) == "19900000001"


async def test_a_token_is_renewed_before_it_is_over(
    client: WeChat, wechat: httpx.AsyncClient, clock: SharedClock
) -> None:
    assert await client.phone_number(await a_code(wechat, "phone-code"))
    moves_on(clock, hours=2, minutes=1)

    assert await client.phone_number(await a_code(wechat, "phone-code")) == "19900000001"


async def test_a_wrong_secret_is_not_the_patients_fault(
    town: Town, clock: SharedClock, wechat: httpx.AsyncClient
) -> None:
    stranger = WeChat(town.wechat, APPID, "another secret", clock)
    code = await a_code(wechat)
    for call in (stranger.login(code), stranger.phone_number(code)):
        with pytest.raises(Unavailable):
            await call
    await stranger.close()


async def test_a_busy_wechat_is_asked_again_later(
    client: WeChat, wechat: httpx.AsyncClient, town: Town
) -> None:
    town.wechat_faults(busy=1.0)

    with pytest.raises(Unavailable) as refused:
        await client.login(await a_code(wechat))
    assert refused.value.code == "counterpart_unavailable"


async def test_a_patient_gets_one_message_for_one_consent(client: WeChat, wechat: httpx.AsyncClient) -> None:
    await allows(wechat, rules.VISIT_ACCEPTED.id)

    await client.send_subscribe("o-patient", rules.VISIT_ACCEPTED.id, "/visits/1", ACCEPTED)

    assert [message["template"] for message in await inbox(wechat, "o-patient")] == [rules.VISIT_ACCEPTED.id]
    with pytest.raises(WeChatRefused) as refused:
        await client.send_subscribe("o-patient", rules.VISIT_ACCEPTED.id, "/visits/1", ACCEPTED)
    assert refused.value.code == NO_CONSENT == 43101


async def test_a_doctor_who_follows_the_account_gets_its_messages(
    client: WeChat, wechat: httpx.AsyncClient
) -> None:
    data = {"thing1": "林** 在线复诊", "time2": "2026-11-20 09:00", "thing3": "患者正在候诊，请点击接诊"}

    await client.send_template(
        "o-doctor", rules.VISIT_WAITING.id, "http://127.0.0.1:8000/doctor/visits/1", data
    )

    assert [message["template"] for message in await inbox(wechat, "o-doctor")] == [rules.VISIT_WAITING.id]


@pytest.mark.parametrize("template", rules.ALL, ids=lambda template: template.id)
async def test_every_template_of_ours_is_registered_with_its_fields(
    client: WeChat, wechat: httpx.AsyncClient, template: rules.Template
) -> None:
    samples = {"thing": "某事", "time": "2026-11-20 09:00", "amount": "¥30.00", "character_string": "SF0001"}
    data = rules.fits(template, {name: samples[name.rstrip("0123456789")] for name in template.fields})
    if template.audience == "staff":
        await client.send_template("o-doctor", template.id, "http://127.0.0.1:8000/", data)
    else:
        await allows(wechat, template.id)
        await client.send_subscribe("o-patient", template.id, "/visits/1", data)

    assert len(await inbox(wechat, "o-doctor" if template.audience == "staff" else "o-patient")) == 1
