"""WeChat, then a text message, then a person at the counter; every attempt is written down (practice.md 9)."""

import httpx
import pytest
from sqlalchemy import select

from backend.account.model import Staff
from backend.context import Context
from backend.notification.model import Delivery, Message
from backend.notification.rules import ALL, REFUNDED, VISIT_WAITING, Template, sms_params
from backend.notification.service import called, tell
from backend.notification.tasks import deliver, report
from backend.outside.sms import NoSms
from foundation.db.intents import TryLater, Work
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Unavailable
from foundation.ids import new_id
from tests.builders.requests import a_person
from tests.database import moves_on
from tests.small_world import CLERK, DOCTOR
from tests.town import Town

pytestmark = pytest.mark.anyio

DATA = {
    "thing1": "林** 在线复诊", "time2": "2026-11-20 09:10", "thing3": "请点击", "amount1": "¥50.00",
    "thing2": "x", "character_string1": "SF1",
}  # fmt: skip


async def told(context: Context, template: Template = REFUNDED, openid: str = "o-doctor") -> Message:
    patient, _ = await a_person(context)
    recipient = DOCTOR.id if template.audience == "staff" else patient.account
    async with unit_of_work(context.db) as session:
        (await session.get_one(Staff, DOCTOR.id)).openid = openid
        message_id = await tell(session, recipient, template, DATA, link="/visits/1", subject_id=new_id())
        return await session.get_one(Message, message_id)


async def attempts(context: Context) -> list[tuple[str, str, str]]:
    async with unit_of_work(context.db) as session:
        query = select(Delivery).order_by(Delivery.at, Delivery.id)
        return [(one.channel, one.outcome, one.detail) for one in await session.scalars(query)]


async def fresh(context: Context, message: Message) -> Message:
    async with unit_of_work(context.db) as session:
        return await session.get_one(Message, message.id)


async def texts(town: Town, phone: str) -> list[str]:
    async with httpx.AsyncClient(trust_env=False) as client:
        found = (await client.get(f"{town.sms}/phones/{phone}/messages")).json()
    return [one["text"] for one in found["messages"]]


async def the_sms(context: Context) -> Delivery:
    async with unit_of_work(context.db) as session:
        return (await session.scalars(select(Delivery).where(Delivery.channel == "sms"))).one()


async def test_a_doctor_who_follows_gets_a_wechat_message(
    running: Context, wechat: httpx.AsyncClient
) -> None:
    message = await told(running, VISIT_WAITING)

    await deliver(Work(running, message.id))

    assert await attempts(running) == [("wechat", "sent", "")]
    assert (await fresh(running, message)).delivered_at is not None


async def test_without_consent_left_the_patient_gets_a_text_message(
    running: Context, wechat: httpx.AsyncClient, town: Town
) -> None:
    message = await told(running)

    await deliver(Work(running, message.id))

    assert await attempts(running) == [("wechat", "refused", "no_consent"), ("sms", "sent", "")]
    (text,) = await texts(town, "19900000001")
    assert text.startswith("【示范医院】您有一笔退款已到账")
    assert "/visits/1" in text


async def test_what_arrived_is_known_and_what_did_not_goes_on_to_the_counter(
    running: Context, wechat: httpx.AsyncClient, town: Town
) -> None:
    town.faults["sms"].replace({"undelivered": True})
    message = await told(running)
    await deliver(Work(running, message.id))
    sms = await the_sms(running)
    with pytest.raises(TryLater):
        await report(Work(running, sms.id))

    moves_on(running.clock, seconds=5)
    await report(Work(running, sms.id))
    assert (await fresh(running, message)).delivered_at is None
    await deliver(Work(running, message.id))

    assert await attempts(running) == [
        ("wechat", "refused", "no_consent"), ("sms", "undelivered", "手机停机或不在服务区"), ("call_list", "listed", ""),
    ]  # fmt: skip
    found = await fresh(running, message)
    assert (found.channel, found.gave_up, found.called_at) == ("call_list", "no_consent", None)


async def test_a_text_that_arrived_is_marked_so(running: Context, wechat: httpx.AsyncClient) -> None:
    message = await told(running)
    await deliver(Work(running, message.id))
    moves_on(running.clock, seconds=5)

    await report(Work(running, (await the_sms(running)).id))
    await report(Work(running, (await the_sms(running)).id))

    assert (await the_sms(running)).outcome == "delivered"


async def test_a_hospital_without_a_text_company_calls(running: Context, wechat: httpx.AsyncClient) -> None:
    running.sms = NoSms()
    message = await told(running)

    await deliver(Work(running, message.id))

    assert await attempts(running) == [
        ("wechat", "refused", "no_consent"), ("sms", "no_address", "no_provider"), ("call_list", "listed", ""),
    ]  # fmt: skip


async def test_a_channel_that_does_not_answer_is_tried_three_times_and_then_passed_over(
    running: Context, wechat: httpx.AsyncClient, town: Town
) -> None:
    town.wechat_faults(busy=1.0)
    message = await told(running)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await deliver(Work(running, message.id))

    await deliver(Work(running, message.id))

    assert [one[:2] for one in await attempts(running)] == [("wechat", "unreachable")] * 3 + [("sms", "sent")]


async def test_a_doctor_whom_nothing_reaches_is_given_up_and_not_called(
    running: Context, wechat: httpx.AsyncClient
) -> None:
    """The duty desk hears of it by the next rung of the ladder."""
    running.sms = NoSms()
    message = await told(running, VISIT_WAITING, openid="")

    await deliver(Work(running, message.id))

    found = await fresh(running, message)
    assert (found.gave_up, found.delivered_at) == ("no_openid", None)
    assert [one[0] for one in await attempts(running)] == ["wechat", "sms"]


async def test_delivering_twice_sends_once(running: Context, wechat: httpx.AsyncClient) -> None:
    message = await told(running, VISIT_WAITING)

    await deliver(Work(running, message.id))
    await deliver(Work(running, message.id))

    assert len(await attempts(running)) == 1


async def test_who_was_rung_up_leaves_the_list(running: Context, wechat: httpx.AsyncClient) -> None:
    running.sms = NoSms()
    message = await told(running)
    await deliver(Work(running, message.id))

    async with unit_of_work(running.db) as session:
        row = await called(session, CLERK.actor, message.id)

    assert (row.called_by, row.called_at is not None) == (CLERK.id, True)


@pytest.mark.parametrize("template", ALL, ids=lambda one: one.id)
def test_text_messages_of_patients_carry_nothing_but_a_link(template: Template) -> None:
    """practice.md 9: never a diagnosis or a drug."""
    params = sms_params(template, "https://example/visits/1", 1)

    assert template.sms
    assert set(params) == ({"link", "count"} if template.audience == "staff" else {"link"})
