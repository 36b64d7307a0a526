"""Our client in bad weather: what it asks again at once, what it leaves to the jobs, and clocks that differ."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from backend.outside.wechat_pay import PayRefused, WeChatPay
from backend.outside.wechat_pay_troubles import NotBelieved
from foundation.clock import Clock
from foundation.errors import Unavailable
from tests.builders.paying import Noted, client_of
from tests.contract.test_wechat_pay_client import ordered, paid, refunded
from tests.database import SharedClock
from tests.town import Town

pytestmark = pytest.mark.anyio


@pytest.fixture
def noted() -> Noted:
    return Noted()


@pytest.fixture
async def pay(
    town: Town, clock: SharedClock, wechat: httpx.AsyncClient, noted: Noted
) -> AsyncIterator[WeChatPay]:
    client = client_of(town.keys, clock, town.wechat, watch=noted)
    yield client
    await client.close()


def counted(pay: WeChatPay) -> list[str]:
    """Every request from now on, as method and path."""
    seen: list[str] = []

    async def look(request: httpx.Request) -> None:
        seen.append(f"{request.method} {request.url.path}")

    pay.signed.exchange.hosts[0].event_hooks["request"].append(look)
    return seen


def clearing_after(pay: WeChatPay, town: Town, answers: int) -> None:
    """The faults go away after so many answers."""
    left = [answers]

    async def look(_: httpx.Response) -> None:
        left[0] -= 1
        if left[0] == 0:
            town.wechat_faults()

    pay.signed.exchange.hosts[0].event_hooks["response"].append(look)


@pytest.mark.parametrize(
    "faults",
    [{"server_error": 1.0}, {"server_error_after": 1.0}, {"too_many_requests": 1.0}, {"signtest": 1.0}],
)
async def test_an_order_survives_what_wechat_pay_did_not_decide(
    pay: WeChatPay, town: Town, wechat: httpx.AsyncClient, faults: dict[str, Any]
) -> None:
    """The same order again is the same order, done or not done the first time."""
    town.wechat_faults(**faults)
    clearing_after(pay, town, 2)
    seen = counted(pay)

    invoked = pay.invoke(await ordered(pay))

    assert len(seen) == 3
    assert (await wechat.post("/phone/o-patient/pay", json=invoked)).json()["result"] == "requestPayment:ok"


async def test_a_refund_whose_answer_was_lost_is_asked_for_once(
    pay: WeChatPay, town: Town, wechat: httpx.AsyncClient
) -> None:
    await paid(pay, wechat)
    town.wechat_faults(server_error_after=1.0, refund_seconds=3600)
    clearing_after(pay, town, 1)

    accepted = await refunded(pay)

    found = await pay.query_refund("RF-1")
    assert found is not None
    assert (found.refund_id, found.amount.refund) == (accepted.refund_id, 3000)


@pytest.mark.parametrize("fault", ["server_error", "too_many_requests", "signtest"])
async def test_it_gives_up_after_three_attempts_and_says_that_there_was_no_answer(
    pay: WeChatPay, town: Town, fault: str
) -> None:
    await ordered(pay)
    town.wechat_faults(**{fault: 1.0})
    seen = counted(pay)

    with pytest.raises(Unavailable) as refused:
        await pay.query("IH000001")

    assert len(seen) == 3
    assert not isinstance(refused.value, NotBelieved)
    if fault == "too_many_requests":
        assert refused.value.code == "wechat_pay_too_often"


async def test_a_decision_is_not_asked_for_twice(pay: WeChatPay) -> None:
    seen = counted(pay)

    with pytest.raises(PayRefused):
        await ordered(pay, "IH000001", amount=0)

    assert len(seen) == 1


async def test_every_attempt_is_signed_anew(pay: WeChatPay, town: Town) -> None:
    """A nonce is good once."""
    signatures: list[str] = []

    async def look(request: httpx.Request) -> None:
        signatures.append(request.headers["authorization"])

    pay.signed.exchange.hosts[0].event_hooks["request"].append(look)
    town.wechat_faults(server_error=1.0)
    with pytest.raises(Unavailable):
        await pay.query("IH000001")

    assert len(set(signatures)) == 3


async def test_the_second_host_is_asked_when_the_first_cannot_be_reached(
    town: Town, clock: SharedClock, wechat: httpx.AsyncClient
) -> None:
    pay = client_of(town.keys, clock, "http://127.0.0.1:9", town.wechat)

    await ordered(pay)

    assert await pay.query("IH000001") is not None
    await pay.close()


# Clocks


async def wechats_clock(wechat: httpx.AsyncClient, clock: SharedClock, seconds: float) -> None:
    """WeChat Pay's clock alone, so many seconds ahead of ours."""
    offset = (clock.now() - Clock().now()).total_seconds() + seconds
    assert (await wechat.post("/_test/clock", json={"offset_seconds": offset})).status_code == 200


@pytest.mark.parametrize(("ahead", "word"), [(120, "慢"), (-120, "快")])
async def test_clocks_that_begin_to_differ_raise_an_alarm_while_everything_still_works(
    pay: WeChatPay,
    town: Town,
    wechat: httpx.AsyncClient,
    clock: SharedClock,
    noted: Noted,
    ahead: int,
    word: str,
) -> None:
    await wechats_clock(wechat, clock, ahead)

    await ordered(pay)

    assert f"本机时钟比微信支付{word}" in noted.open["wechat_pay_clock"]
    assert any(f"{ahead_seen} 秒" in noted.open["wechat_pay_clock"] for ahead_seen in range(118, 123))
    await wechats_clock(wechat, clock, 0)
    await pay.query("IH000001")
    assert noted.open == {}


@pytest.mark.parametrize("ahead", [400, -400])
async def test_with_a_wrong_clock_nothing_is_believed_nothing_is_refused_and_a_person_is_told(
    pay: WeChatPay, town: Town, wechat: httpx.AsyncClient, clock: SharedClock, noted: Noted, ahead: int
) -> None:
    """Jobs must wait for the clock, not be given up: it is not their order that was refused."""
    await ordered(pay)
    await wechats_clock(wechat, clock, ahead)

    with pytest.raises(NotBelieved) as refused:
        await pay.query("IH000001")

    assert refused.value.code == "wechat_pay_clock"
    assert "请校准" in noted.open["wechat_pay_clock"]
    assert "wechat_pay_sign_error" not in noted.open


async def test_a_wrong_key_of_ours_is_an_alarm_and_not_a_refusal(
    town: Town, clock: SharedClock, wechat: httpx.AsyncClient, noted: Noted
) -> None:
    stranger = client_of(town.keys, clock, town.wechat, key="wechat.key", watch=noted)

    with pytest.raises(NotBelieved):
        await stranger.query("IH000001")

    assert "商户私钥" in noted.open["wechat_pay_sign_error"]
    await stranger.close()
