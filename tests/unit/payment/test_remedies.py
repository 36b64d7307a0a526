"""An abnormal refund: to a card of the patient's, or to the hospital and from there to her; never done before she has it."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from backend.account.model import Staff
from backend.alarm.service import open_alarm
from backend.context import Context
from backend.outside.wechat_pay import Amount, RefundAnswer, UserCard
from backend.payment import queries, tasks
from backend.payment.model import Payment, Refund, Remedy
from backend.payment.rules import balance
from backend.payment.service import refund_answered
from backend.wiring import handlers
from foundation.db.audit import AuditEvent
from foundation.db.intents import TryLater, Work, due_ids, run_one
from foundation.db.outbox import OutboxEvent
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Unavailable
from tests.builders.requests import Headers, staff_session
from tests.builders.visits import Patient
from tests.database import SharedClock, moves_on
from tests.small_world import CLERK, DOCTOR, QUALITY, Member
from tests.town import Town
from tests.unit.payment.paying import a_refund, money

pytestmark = pytest.mark.anyio

OTHER_EYES = QUALITY
"""An administrator in these tests: a second person at the money desk."""
CARD = {
    "way": "user_card",
    "bank_type": "ICBC_DEBIT",
    "card_number": "6200000000000009999",
    "card_holder": "林秀兰",
}
HOSPITAL = {"way": "hospital"}
HER_CARD = UserCard("ICBC_DEBIT", "6200000000000009999", "林秀兰")


async def driven(running: Context, clock: SharedClock, times: int = 4) -> None:
    """So many turns of the sweep, half an hour apart."""
    for _ in range(times):
        for intent_id in await due_ids(running.db):
            await run_one(running.db, running, handlers(), intent_id)
        moves_on(clock, minutes=31)


async def sent(running: Context, clock: SharedClock, refund_id: UUID) -> None:
    """Until WeChat Pay has answered to the redirecting."""
    for _ in range(5):
        await driven(running, clock, 1)
        remedy = await remedy_of(running, refund_id)
        if remedy.accepted_at or remedy.done_at:
            return
    raise AssertionError("the redirecting was never answered")


@pytest.fixture
async def abnormal(
    api: httpx.AsyncClient, running: Context, wechat: httpx.AsyncClient, mother: tuple[Patient, Headers], held: Payment,
    town: Town, clock: SharedClock,
) -> UUID:  # fmt: skip
    """A refund that WeChat Pay could not deliver."""
    town.wechat_faults(refund_outcome="ABNORMAL", refund_seconds=0)
    refund_id = await a_refund(api, running, wechat, mother, held)
    with pytest.raises(TryLater, match="on its way"):
        await tasks.drive_refund(Work(running, refund_id))
    moves_on(clock, minutes=1)
    with pytest.raises(TryLater, match="abnormal"):
        await tasks.drive_refund(Work(running, refund_id))
    return refund_id


Post = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def posts(api: httpx.AsyncClient, running: Context) -> Post:
    """A member of staff does something to a refund."""
    async with unit_of_work(running.db) as session:
        (await session.get_one(Staff, OTHER_EYES.id)).role = "admin"

    async def post(refund_id: UUID, verb: str, body: dict[str, str], who: Member = CLERK) -> httpx.Response:
        session = await staff_session(running, who)
        return await api.post(f"/refunds/{refund_id}/{verb}", json=body, headers=session)

    return post


async def refund_of(running: Context, refund_id: UUID) -> Refund:
    async with unit_of_work(running.db) as session:
        return await session.get_one(Refund, refund_id)


async def remedy_of(running: Context, refund_id: UUID) -> Remedy:
    async with unit_of_work(running.db) as session:
        return (await queries.remedies(session, refund_id))[-1]


async def rings(running: Context, kind: str, refund_id: UUID) -> bool:
    async with unit_of_work(running.db) as session:
        return await open_alarm(session, kind, refund_id) is not None


async def published(running: Context) -> int:
    async with unit_of_work(running.db) as session:
        found = await session.scalars(select(OutboxEvent).where(OutboxEvent.type == "refund.succeeded"))
        return len(found.all())


async def test_an_abnormal_refund_rings_until_a_card_of_hers_has_the_money(
    abnormal: UUID, posts: Post, running: Context, held: Payment, clock: SharedClock
) -> None:
    assert await rings(running, "refund_abnormal", abnormal)

    answer = await posts(abnormal, "redirect", CARD)

    assert (answer.status_code, answer.json()["card_tail"]) == (202, "9999")
    assert CARD["card_number"] not in answer.text
    assert (await refund_of(running, abnormal)).state == "abnormal"
    await sent(running, clock, abnormal)
    assert (await refund_of(running, abnormal)).state == "processing"
    assert not await rings(running, "refund_abnormal", abnormal)
    await driven(running, clock)
    assert (await refund_of(running, abnormal)).state == "succeeded"
    assert await money(running, held) == [("received", 5000), ("refunded", 5000)]
    assert await published(running) == 1
    assert (await remedy_of(running, abnormal)).outcome == "已到账"


async def test_the_card_is_forgotten_as_soon_as_wechat_pay_has_it(
    abnormal: UUID, posts: Post, running: Context, clock: SharedClock
) -> None:
    await posts(abnormal, "redirect", CARD)
    before = await remedy_of(running, abnormal)
    await sent(running, clock, abnormal)
    after = await remedy_of(running, abnormal)

    assert (before.card_number, before.card_holder) == (CARD["card_number"], CARD["card_holder"])
    assert (after.card_number, after.card_holder, after.card_tail) == (None, None, "9999")
    async with unit_of_work(running.db) as session:
        lines = (
            await session.scalars(select(AuditEvent).where(AuditEvent.subject_id == str(abnormal)))
        ).all()
    assert not any("9999" in str(line.detail) for line in lines)


async def test_what_came_back_to_the_hospital_is_no_success_before_the_patient_has_it(
    abnormal: UUID, posts: Post, running: Context, held: Payment, clock: SharedClock
) -> None:
    """Proven twice: by WeChat Pay that the hospital has it, by a second person that she has."""
    await posts(abnormal, "redirect", HOSPITAL)
    early = await posts(abnormal, "hand-over", {"evidence": "转账 20261120-0001"}, OTHER_EYES)
    await driven(running, clock)

    assert (early.status_code, early.json()["code"]) == (409, "nothing_to_hand_over")
    assert (await refund_of(running, abnormal)).state == "abnormal"
    assert await rings(running, "refund_to_hand_over", abnormal)
    assert await money(running, held) == [("received", 5000), ("refunded", 5000)]
    assert await published(running) == 0

    own = await posts(abnormal, "hand-over", {"evidence": "转账 20261120-0001"})
    other = await posts(abnormal, "hand-over", {"evidence": "转账 20261120-0001"}, OTHER_EYES)

    assert (own.status_code, own.json()["code"]) == (403, "four_eyes")
    assert (other.status_code, other.json()["state"]) == (200, "succeeded")
    assert not await rings(running, "refund_to_hand_over", abnormal)
    assert await published(running) == 1
    assert balance(await money(running, held)) == 0
    assert (await remedy_of(running, abnormal)).evidence == "转账 20261120-0001"


async def test_a_card_that_does_not_work_either_may_be_followed_by_another_way(
    abnormal: UUID,
    posts: Post,
    running: Context,
    clock: SharedClock,
    wechat: httpx.AsyncClient,
    held: Payment,
) -> None:
    await posts(abnormal, "redirect", CARD)
    await sent(running, clock, abnormal)
    async with unit_of_work(running.db) as session:
        row = await session.get_one(Refund, abnormal)
        again = RefundAnswer(
            refund_id=row.provider_refund_id,
            out_refund_no=row.out_refund_no,
            status="ABNORMAL",
            amount=Amount(refund=5000),
        )
        await refund_answered(session, running, abnormal, again)

    assert (await remedy_of(running, abnormal)).outcome == "仍未到账"
    assert await rings(running, "refund_abnormal", abnormal)
    assert (await posts(abnormal, "redirect", HOSPITAL)).status_code == 202


async def test_one_way_at_a_time(abnormal: UUID, posts: Post, running: Context) -> None:
    first = await posts(abnormal, "redirect", CARD)
    second = await posts(abnormal, "redirect", HOSPITAL)
    third = await posts(abnormal, "give-up", {"note": "患者书面放弃"})

    assert first.status_code == 202
    assert (second.status_code, second.json()["code"]) == (409, "remedy_running")
    assert (third.status_code, third.json()["code"]) == (409, "remedy_running")


async def test_a_lost_answer_is_not_sent_again_but_asked_about(
    abnormal: UUID, posts: Post, running: Context, town: Town, clock: SharedClock, held: Payment
) -> None:
    """The second would be refused, and the refusal taken for the truth."""
    await posts(abnormal, "redirect", CARD)
    remedy = await remedy_of(running, abnormal)
    town.wechat_faults(server_error_after=1.0, only_path="apply-abnormal-refund", refund_seconds=3600)
    with pytest.raises(Unavailable):
        await tasks.redirect_refund(Work(running, remedy.id))
    town.wechat_faults(refund_seconds=3600)

    await tasks.redirect_refund(Work(running, remedy.id))

    after = await remedy_of(running, abnormal)
    assert (after.accepted_at is not None, after.card_number) == (True, None)
    assert (await refund_of(running, abnormal)).state == "processing"


async def test_what_wechat_pay_refuses_is_told_and_may_be_tried_anew(
    abnormal: UUID, posts: Post, running: Context, clock: SharedClock
) -> None:
    await posts(abnormal, "redirect", CARD | {"bank_type": "ICBC_DEBIT"})
    async with unit_of_work(running.db) as session:
        remedy = (await queries.remedies(session, abnormal))[-1]
        remedy.bank_type = ""  # as if WeChat Pay did not know the bank
    await sent(running, clock, abnormal)

    after = await remedy_of(running, abnormal)
    assert after.done_at is not None
    assert "微信支付" in after.outcome
    assert after.card_number is None
    assert await rings(running, "refund_abnormal", abnormal)
    assert (await posts(abnormal, "redirect", CARD)).status_code == 202


async def test_money_that_arrived_meanwhile_is_not_sent_elsewhere(
    abnormal: UUID,
    posts: Post,
    running: Context,
    clock: SharedClock,
    wechat: httpx.AsyncClient,
    held: Payment,
) -> None:
    """Somebody redirected it on the merchant's platform before our job ran."""
    await posts(abnormal, "redirect", HOSPITAL)
    row = await refund_of(running, abnormal)
    await running.pay.redirect_refund(
        refund_id=row.provider_refund_id, out_refund_no=row.out_refund_no, card=HER_CARD
    )
    moves_on(clock, seconds=5)

    await driven(running, clock)

    assert (await remedy_of(running, abnormal)).outcome in ("已到账", "无需改退，款项已有结果")
    assert (await refund_of(running, abnormal)).state == "succeeded"


async def test_what_somebody_sent_to_the_hospital_on_wechats_own_platform_is_owed_to_the_patient(
    abnormal: UUID, posts: Post, running: Context, clock: SharedClock
) -> None:
    """WeChat Pay's receipt names the account: the merchant's own is not the patient's."""
    row = await refund_of(running, abnormal)
    await running.pay.redirect_refund(
        refund_id=row.provider_refund_id, out_refund_no=row.out_refund_no, card=None
    )
    await driven(running, clock)

    assert (await refund_of(running, abnormal)).state == "abnormal"
    assert await rings(running, "refund_to_hand_over", abnormal)
    handed = await posts(abnormal, "hand-over", {"evidence": "签收单 0007"})
    assert (handed.status_code, handed.json()["state"]) == (200, "succeeded")


async def test_a_refund_given_up_is_closed_with_the_reason_and_rings_no_more(
    abnormal: UUID, posts: Post, running: Context, held: Payment
) -> None:
    answer = await posts(abnormal, "give-up", {"note": "患者书面放弃"})

    assert (answer.status_code, answer.json()["state"]) == (200, "closed")
    assert not await rings(running, "refund_abnormal", abnormal)
    row = await refund_of(running, abnormal)
    assert (row.decision_note, row.decided_by) == ("患者书面放弃", CLERK.id)
    assert balance(await money(running, held)) == 5000


async def test_a_refund_that_arrives_after_it_was_given_up_counts(
    abnormal: UUID, posts: Post, running: Context, held: Payment, clock: SharedClock
) -> None:
    await posts(abnormal, "give-up", {"note": "患者书面放弃"})
    row = await refund_of(running, abnormal)
    await running.pay.redirect_refund(
        refund_id=row.provider_refund_id, out_refund_no=row.out_refund_no, card=HER_CARD
    )
    moves_on(clock, minutes=5)

    await tasks.drive_refund(Work(running, abnormal))

    assert (await refund_of(running, abnormal)).state == "succeeded"
    assert balance(await money(running, held)) == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (CARD | {"card_number": "62000x"}, "card_number"),
        (CARD | {"card_number": ""}, "card_number"),
        (CARD | {"bank_type": "icbc"}, "bank_type"),
        (CARD | {"card_holder": "  "}, "card_holder"),
        ({"way": "cash"}, "way"),
    ],
)
async def test_a_wrong_card_is_named_by_its_field(
    abnormal: UUID, posts: Post, body: dict[str, str], field: str
) -> None:
    answer = await posts(abnormal, "redirect", body)

    assert answer.status_code == 422
    assert [issue["field"] for issue in answer.json()["issues"]] == [field]
    assert CARD["card_number"] not in answer.text


async def test_only_the_money_desk_redirects_and_only_what_is_abnormal(
    abnormal: UUID,
    posts: Post,
    running: Context,
    api: httpx.AsyncClient,
    clock: SharedClock,
    mother: tuple[Patient, Headers],
) -> None:
    for verb, body in (
        ("redirect", CARD),
        ("hand-over", {"evidence": "转账 0001"}),
        ("give-up", {"note": "患者书面放弃"}),
    ):
        assert (await posts(abnormal, verb, body, DOCTOR)).status_code == 403
        assert (
            await api.post(f"/refunds/{abnormal}/{verb}", json=body, headers=mother[1])
        ).status_code == 403
    await posts(abnormal, "redirect", CARD)
    await driven(running, clock)

    for verb, body in (
        ("redirect", CARD),
        ("hand-over", {"evidence": "转账 0001"}),
        ("give-up", {"note": "患者书面放弃"}),
    ):
        answer = await posts(abnormal, verb, body)
        assert (answer.status_code, answer.json()["code"]) == (409, "refund_not_abnormal"), verb
    nobody = await posts(running.settings.hospital_id, "redirect", CARD)
    assert nobody.status_code == 404
