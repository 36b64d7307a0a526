"""Our client of WeChat's medical-insurance payment and of the bureau behind it, before the mock, in good weather and bad."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest

from backend.outside.insurance import (
    Authorisation,
    Claim,
    ClaimLine,
    GivenBack,
    InsuranceRefused,
    MixedOrder,
    OrderType,
    Part,
    Quote,
    Split,
)
from backend.outside.insurance_bureau import Bureau
from backend.outside.med_ins import Partner, WeChatInsurance
from backend.outside.signed import SignedClient
from backend.outside.wechat_pay import PayRefused, WeChatPay
from foundation.errors import Unavailable
from tests.builders.paying import client_of
from tests.contract.test_wechat_pay_weather import clearing_after, counted
from tests.contract.written import listening, sample, unlike
from tests.database import MORNING, SharedClock, moves_on
from tests.town import Town
from tests.unit.wechat_mock.merchant import APPID
from tests.unit.wechat_mock.settings_of_a_mock import INSURANCE_KEY, INSURANCE_SECRET, INSURED

pytestmark = pytest.mark.anyio

NOTIFY = "http://127.0.0.1:9/n"
SPLIT = Split(gov=3500, self_=800, other=0, cash=700)
LINE = ClaimLine("DEMO-INT-REGISTRATION", "互联网挂号诊查费", "甲", 1, 5000, 5000)


@dataclass
class Counter:
    """The hospital's side; `order_type` is what is paid for."""

    insurance: WeChatInsurance
    pay: WeChatPay
    wechat: httpx.AsyncClient

    async def authorised(self) -> Authorisation:
        """She agrees on her phone."""
        answer = (await self.wechat.post("/phone/o-patient/med-ins-auth")).json()
        return await self.insurance.authorise(answer["authCode"], "o-patient")

    async def quoted(self, kind: OrderType = OrderType.REGISTRATION) -> tuple[Authorisation, Quote]:
        """What the bureau would pay."""
        found = await self.authorised()
        claim = Claim("SERIAL00000000000001", found.pay_auth_no, kind, [LINE])
        return found, await self.insurance.pre_settle(claim)

    async def ready(self, kind: OrderType = OrderType.REGISTRATION) -> MixedOrder:
        """An order that only has to be placed; its cash part stands."""
        found, quote = await self.quoted(kind)
        prepay_id = await self.pay.order(
            out_trade_no="IHMIX0001", amount=quote.split.cash, description="互联网挂号诊查费", openid="o-patient",
            notify_url=NOTIFY, expires=MORNING + timedelta(minutes=10),
        )  # fmt: skip
        return MixedOrder(
            out_trade_no="IHMIX0001", serial_no="SERIAL00000000000001", order_type=kind, openid="o-patient",
            name=str(INSURED[0]["name"]), id_number=str(INSURED[0]["id_number"]), pay_order_id=quote.pay_order_id,
            pay_auth_no=found.pay_auth_no, location=found.location, quoted_at=quote.made_at, split=quote.split,
            freight=0, prepay_id=prepay_id, callback_url=NOTIFY,
        )  # fmt: skip

    async def pays(self, mix_trade_no: str, prepay_id: str) -> str:
        """She types her password."""
        values = {"mixTradeNo": mix_trade_no, **self.pay.invoke(prepay_id)}
        answer = await self.wechat.post("/phone/o-patient/med-ins-pay", json=values)
        return str(answer.json()["result"])


@pytest.fixture
async def counter(town: Town, clock: SharedClock, wechat: httpx.AsyncClient) -> AsyncIterator[Counter]:
    pay = client_of(town.keys, clock, town.wechat)
    line = SignedClient(town.wechat, INSURANCE_KEY, INSURANCE_SECRET, clock, "医保系统")
    insurance = WeChatInsurance(
        APPID, pay.signed, Bureau(line, "H31011400001", "310100"), Partner(INSURANCE_KEY, INSURANCE_SECRET, "TEST"),
        town.wechat, "示范医院", clock,
    )  # fmt: skip
    yield Counter(insurance, pay, wechat)
    await insurance.close()
    await line.close()
    await pay.close()


async def test_a_registration_is_placed_as_written_and_paid_from_both_purses(counter: Counter) -> None:
    order = await counter.ready(OrderType.REGISTRATION)
    heard = listening(counter.pay.signed.exchange.hosts[0])

    mixed = await counter.insurance.place(order)

    said = next(asked for call, asked, *_ in heard if call == "POST /v3/med-ins/orders")
    assert unlike(sample("med_ins/place-order/1-registration-request.json"), said) == []
    assert (mixed.whole, mixed.split, mixed.cash) == (Part.CREATED, SPLIT, 700)
    assert await counter.pays(mixed.mix_trade_no, order.prepay_id) == "requestMedicalInsurancePay:ok"
    found = await counter.insurance.query("IHMIX0001")
    assert found is not None
    assert (found.whole, found.cash_part, found.insurance_part) == (Part.SUCCESS,) * 3


@pytest.mark.parametrize("kind", list(OrderType))
async def test_every_kind_of_order_of_an_internet_hospital_is_taken(
    counter: Counter, kind: OrderType
) -> None:
    mixed = await counter.insurance.place(await counter.ready(kind))

    assert mixed.whole is Part.CREATED


async def test_an_answer_has_the_written_fields_and_no_others(counter: Counter) -> None:
    order = await counter.ready()
    await counter.insurance.place(order)
    heard = listening(counter.pay.signed.exchange.hosts[0])

    await counter.insurance.query("IHMIX0001")

    [(_, _, status, answer)] = heard
    assert status == 200
    assert unlike(sample("med_ins/query-order/1-created-response-200.json"), answer) == []


async def test_an_order_that_wechat_never_heard_of_is_none(counter: Counter) -> None:
    assert await counter.insurance.query("IHMIX9999") is None


@pytest.mark.parametrize(
    "faults",
    [{"server_error": 1.0}, {"server_error_after": 1.0}, {"too_many_requests": 1.0}, {"signtest": 1.0}],
)
async def test_an_order_survives_what_wechat_did_not_decide(
    counter: Counter, town: Town, faults: dict[str, Any]
) -> None:
    """Whether it was done the first time or not: asked again, it is the one order."""
    order = await counter.ready()
    town.wechat_faults(**faults)
    clearing_after(counter.pay, town, 2)
    seen = counted(counter.pay)

    mixed = await counter.insurance.place(order)

    assert len(seen) == 3
    found = await counter.insurance.query("IHMIX0001")
    assert found is not None
    assert found.mix_trade_no == mixed.mix_trade_no


async def test_silence_is_neither_yes_nor_no(counter: Counter, town: Town) -> None:
    order = await counter.ready()
    town.wechat_faults(server_error=1.0)

    for ask in (counter.insurance.place(order), counter.insurance.query("IHMIX0001")):
        with pytest.raises(Unavailable):
            await ask


async def test_an_order_that_does_not_add_up_is_refused_once(counter: Counter) -> None:
    order = await counter.ready()
    wrong = MixedOrder(**{**vars(order), "split": Split(3400, 800, 0, 700)})
    seen = counted(counter.pay)

    with pytest.raises(PayRefused):
        await counter.insurance.place(wrong)

    assert seen.count("POST /v3/med-ins/orders") == 1


async def test_a_slow_bureau_is_waited_for(counter: Counter, town: Town) -> None:
    town.wechat_faults(insurance_slow_seconds=0.2)

    _, quote = await counter.quoted()

    assert quote.split == SPLIT


async def test_a_bureau_that_is_slower_than_we_wait_has_not_answered(counter: Counter, town: Town) -> None:
    """And asked again with the same claim, it gives the same split."""
    found = await counter.authorised()
    claim = Claim("SERIAL00000000000001", found.pay_auth_no, OrderType.REGISTRATION, [LINE])
    line = counter.insurance.bureau.client.http
    patience, line.timeout = line.timeout, httpx.Timeout(0.2)
    town.wechat_faults(insurance_slow_seconds=2)

    with pytest.raises(Unavailable):
        await counter.insurance.pre_settle(claim)

    line.timeout = patience
    town.wechat_faults()
    assert (await counter.insurance.pre_settle(claim)).split == SPLIT


async def test_a_claim_is_taken_back_until_it_is_settled(counter: Counter) -> None:
    order = await counter.ready()
    mixed = await counter.insurance.place(order)
    await counter.pays(mixed.mix_trade_no, order.prepay_id)

    assert not await counter.insurance.revoke(order.pay_order_id)


async def test_a_refund_at_the_bureau_is_told_to_wechat_as_often_as_we_like(
    counter: Counter, clock: SharedClock
) -> None:
    order = await counter.ready()
    mixed = await counter.insurance.place(order)
    await counter.pays(mixed.mix_trade_no, order.prepay_id)
    back = Split(3500, 800, 0, 0)
    first = await counter.insurance.refund(order.pay_order_id, "REFUND-0001", back, "停诊")
    moves_on(clock, minutes=1)

    again: GivenBack = await counter.insurance.refund(order.pay_order_id, "REFUND-0001", back, "停诊")
    assert again.refunded_at is not None
    for _ in range(2):
        await counter.insurance.tell_refunded(mixed.mix_trade_no, again)

    assert (again.refund_id, again.split) == (first.refund_id, back)
    found = await counter.insurance.query("IHMIX0001")
    assert found is not None
    assert found.insurance_part is Part.REFUND


async def test_a_bureau_says_no_in_words(counter: Counter, town: Town) -> None:
    town.wechat_faults(insurance_refuses="参保地系统维护")

    with pytest.raises(InsuranceRefused, match="参保地系统维护"):
        await counter.quoted()
