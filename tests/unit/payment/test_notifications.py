"""What WeChat Pay tells: only hints, each written down once."""

from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from backend.alarm.model import Alarm
from backend.alarm.service import open_alarm
from backend.appointment import service as booking
from backend.appointment.model import Appointment
from backend.context import Context
from backend.payment import tasks
from backend.payment.model import Payment, Refund
from backend.payment.rules import RefundReason
from foundation.actor import SYSTEM
from foundation.db.audit import AuditEvent
from foundation.db.inbox import ExternalEvent
from foundation.db.intents import Work
from foundation.db.unit_of_work import unit_of_work
from tests.builders.requests import Headers
from tests.builders.visits import Patient
from tests.contract.started import wait_until
from tests.database import SharedClock, moves_on
from tests.town import Town
from tests.unit.payment.paying import again, money, pays, runs_due, woken
from tests.unit.wechat_mock.receiver import Receiver, receiving

pytestmark = pytest.mark.anyio


@pytest.fixture
def receiver() -> Any:
    with receiving() as opened:
        yield opened


async def ordered(running: Context, receiver: Receiver, payment: Payment) -> dict[str, str]:
    """What the phone pays with; WeChat Pay tells the receiver."""
    prepay_id = await running.pay.order(
        out_trade_no=payment.out_trade_no, amount=payment.amount, description="诊查费", openid="o-patient",
        notify_url=receiver.url, expires=payment.expires_at,
    )  # fmt: skip
    return running.pay.invoke(prepay_id)


async def notified(
    running: Context, wechat: httpx.AsyncClient, receiver: Receiver, payment: Payment
) -> tuple[dict[str, str], bytes]:
    """The notification of a paid order, as it came."""
    await pays(wechat, await ordered(running, receiver, payment))
    wait_until(lambda: len(receiver.received) >= 1, "the notification")
    return receiver.received[0]


PATH = "http://test/notify/wechat-pay/payment"


async def test_a_notification_only_wakes_and_the_query_decides(
    api: httpx.AsyncClient, running: Context, wechat: httpx.AsyncClient, held: Payment, receiver: Receiver
) -> None:
    headers, body = await notified(running, wechat, receiver, held)

    answer = await api.post(PATH, content=body, headers=headers)

    assert answer.status_code == 204
    assert (await again(running, held)).state == "created"
    await runs_due(running)
    assert (await again(running, held)).state == "confirmed"


async def test_the_same_notification_again_changes_nothing(
    api: httpx.AsyncClient, running: Context, wechat: httpx.AsyncClient, held: Payment, receiver: Receiver
) -> None:
    """Design 2, row 6."""
    headers, body = await notified(running, wechat, receiver, held)
    for _ in range(3):
        assert (await api.post(PATH, content=body, headers=headers)).status_code == 204
        await runs_due(running)

    assert await money(running, held) == [("received", 5000)]
    async with unit_of_work(running.db) as session:
        assert await session.scalar(select(func.count()).select_from(ExternalEvent)) == 1


async def test_a_notification_that_is_not_wechats_is_refused_and_written_down(
    api: httpx.AsyncClient, running: Context, wechat: httpx.AsyncClient, held: Payment, receiver: Receiver
) -> None:
    headers, body = await notified(running, wechat, receiver, held)
    raw = {name.encode(): value.encode() for name, value in headers.items()}

    answers = [
        await api.post(PATH, content=body + b" ", headers=headers),
        await api.post(PATH, content=body, headers=headers | {"wechatpay-serial": "x"}),
        await api.post(PATH, content=body, headers=raw | {b"wechatpay-timestamp": b"\xb2"}),
        await api.post(PATH, content=body),
        await api.post(PATH, content=b""),
    ]

    assert [answer.status_code for answer in answers] == [401] * 5
    assert answers[0].json()["code"] == "FAIL"
    assert await woken(running) == []
    async with unit_of_work(running.db) as session:
        lines = (await session.scalars(select(AuditEvent).where(AuditEvent.code == "not_wechat"))).all()
    assert len(lines) == 5


async def test_a_stale_notification_is_refused(
    api: httpx.AsyncClient, running: Context, wechat: httpx.AsyncClient, held: Payment, receiver: Receiver,
    clock: SharedClock,
) -> None:  # fmt: skip
    headers, body = await notified(running, wechat, receiver, held)
    moves_on(clock, minutes=6)

    assert (await api.post(PATH, content=body, headers=headers)).status_code == 401


async def test_a_notification_about_an_order_we_do_not_know_wakes_nobody(
    api: httpx.AsyncClient, running: Context, wechat: httpx.AsyncClient, held: Payment, receiver: Receiver
) -> None:
    headers, body = await notified(running, wechat, receiver, held)
    async with unit_of_work(running.db) as session:
        (await session.get_one(Payment, held.id)).out_trade_no = "another"

    assert (await api.post(PATH, content=body, headers=headers)).status_code == 204
    assert await woken(running) == []
    async with unit_of_work(running.db) as session:
        rung = (await session.scalars(select(Alarm))).one()
    assert (rung.kind, rung.subject) == ("payment_unknown_order", held.out_trade_no)


async def test_a_refund_that_somebody_made_elsewhere_rings(
    api: httpx.AsyncClient, running: Context, wechat: httpx.AsyncClient, held: Payment, receiver: Receiver
) -> None:
    """On the merchant's own platform, past this system: the day's reconciliation will show it as well."""
    await notified(running, wechat, receiver, held)
    await running.pay.refund(
        out_trade_no=held.out_trade_no, out_refund_no="BY-HAND-1", refund=100, total=5000, reason="手工",
        notify_url=receiver.url,
    )  # fmt: skip
    headers, body = receiver.wait(2)[1]

    answer = await api.post("http://test/notify/wechat-pay/refund", content=body, headers=headers)

    assert answer.status_code == 204
    async with unit_of_work(running.db) as session:
        assert await open_alarm(session, "refund_unknown", "BY-HAND-1") is not None


async def test_a_probe_is_refused_and_what_comes_after_it_is_taken(
    api: httpx.AsyncClient, running: Context, wechat: httpx.AsyncClient, held: Payment, receiver: Receiver, town: Town,
    clock: SharedClock,
) -> None:  # fmt: skip
    """签名探测: answered 4xx; WeChat Pay comes again with a good signature."""
    receiver.answers = [401]
    invoked = await ordered(running, receiver, held)
    town.wechat_faults(signtest=1.0)
    await pays(wechat, invoked)
    probe = receiver.wait(1)[0]
    assert (await api.post(PATH, content=probe[1], headers=probe[0])).status_code == 401
    town.wechat_faults()
    moves_on(clock, seconds=16)
    true = receiver.wait(2)[1]

    assert (await api.post(PATH, content=true[1], headers=true[0])).status_code == 204
    await runs_due(running)
    assert (await again(running, held)).state == "confirmed"


async def test_a_forgery_with_the_true_ones_id_does_not_take_its_place(
    api: httpx.AsyncClient,
    running: Context,
    wechat: httpx.AsyncClient,
    held: Payment,
    receiver: Receiver,
    town: Town,
) -> None:
    town.wechat_faults(forge_notifications=True)
    forged = await notified(running, wechat, receiver, held)
    true = receiver.wait(2)[1]

    answers = [
        (await api.post(PATH, content=body, headers=headers)).status_code for headers, body in (forged, true)
    ]

    assert answers == [401, 204]
    await runs_due(running)
    assert (await again(running, held)).state == "confirmed"


async def test_a_refunds_notice_that_overtakes_the_payments_harms_neither(
    api: httpx.AsyncClient, running: Context, wechat: httpx.AsyncClient, mother: tuple[Patient, Headers], held: Payment,
    receiver: Receiver, town: Town,
) -> None:  # fmt: skip
    """Reordered: what counts is what the query says, whichever notice came first."""
    town.wechat_faults(refund_seconds=0)
    paid = await notified(running, wechat, receiver, held)
    await tasks.settle(Work(running, held.id))
    async with unit_of_work(running.db) as session:
        row = await session.get_one(Appointment, held.subject_id)
        await booking.cancel(session, SYSTEM, row, RefundReason.DOCTOR_CANCELLED, "system")
        refund = (await session.scalars(select(Refund))).one()
    await running.pay.refund(
        out_trade_no=held.out_trade_no, out_refund_no=refund.out_refund_no, refund=5000, total=5000, reason="医生停诊",
        notify_url=receiver.url,
    )  # fmt: skip
    refunded = receiver.wait(2)[1]

    for headers, body in (refunded, paid, refunded, paid):
        assert (await api.post(PATH, content=body, headers=headers)).status_code == 204
        await runs_due(running)

    assert await money(running, held) == [("received", 5000), ("refunded", 5000)]


async def test_a_notification_over_the_limit_is_refused(api: httpx.AsyncClient) -> None:
    assert (await api.post(PATH, content=b"x" * 64_001)).status_code == 413
