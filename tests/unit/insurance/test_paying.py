"""A bill paid by insurance: authorise, be shown the split, agree, pay both purses, be asked about."""

import httpx
import pytest
from sqlalchemy import ColumnElement, and_, select

from backend.account.model import Account
from backend.insurance.states import InsuranceState
from backend.patient.model import PersonGrant
from foundation.db.audit import AuditEvent
from foundation.db.unit_of_work import unit_of_work
from tests.builders.insuring import PARTS, SPLIT, Insured, runs_due
from tests.builders.requests import a_person
from tests.database import SharedClock, moves_on
from tests.small_world import DAUGHTER
from tests.town import Town

pytestmark = pytest.mark.anyio


async def test_before_anything_she_is_invited_and_shown_the_full_amount(she: Insured) -> None:
    shown = await she.get("/insurance")

    assert shown["offered"]
    assert (shown["why_not"], shown["full_amount"]) == ("", 5000)
    assert shown["invitation"]["bizType"] == "04107"
    assert (shown["state"], shown["split"], shown["choice_needed"]) == ("", None, False)


async def test_after_her_authorisation_she_sees_who_would_pay_what(she: Insured) -> None:
    answer = await she.authorises()

    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert shown["state"] == "quoted"
    assert shown["split"] == SPLIT | {"freight": 0, "insurance": 4300, "to_pay": 700, "total": 5000}
    assert await she.choices() == []
    assert await she.tenders() == {"wechat_cash": 5000}


async def test_agreeing_is_written_down_with_what_she_was_shown(she: Insured) -> None:
    parameters = await she.agrees()

    assert parameters["mixTradeNo"]
    assert parameters["paySign"]
    assert await she.choices() == [("insurance", 4300, 700, "")]
    assert await she.tenders() == PARTS
    [order] = await she.orders()
    payment = await she.payment()
    assert (order.state, order.out_trade_no) == (InsuranceState.PLACED, payment.out_trade_no)


async def test_she_agrees_to_what_she_was_shown_and_to_nothing_else(she: Insured) -> None:
    await she.authorises()

    answer = await she.post("/insurance/confirm", SPLIT | {"gov": 3600, "cash": 600})

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["issues"]] == ["split"]
    assert await she.choices() == []


async def test_nobody_agrees_before_the_bureau_has_answered(she: Insured) -> None:
    answer = await she.post("/insurance/confirm", SPLIT)

    assert (answer.status_code, answer.json()["code"]) == (409, "insurance_not_quoted")


async def test_both_purses_paid_and_asked_about_confirm_the_bill(she: Insured) -> None:
    await she.pays()

    assert (await she.refresh())["state"] == "confirmed"

    assert await she.tenders() == PARTS
    assert sorted(await she.money()) == [
        ("received", "ins_gov", 3500), ("received", "ins_self", 800), ("received", "wechat_cash", 700),
    ]  # fmt: skip
    [order] = await she.orders()
    assert order.state == InsuranceState.PAID


async def test_a_second_look_finds_the_same_money_once(she: Insured) -> None:
    await she.pays()

    for _ in range(2):
        assert (await she.refresh())["state"] == "confirmed"

    assert len(await she.money()) == 3


async def test_money_is_found_without_any_notice(she: Insured, town: Town, clock: SharedClock) -> None:
    town.wechat_faults(paid_not_notified=True)
    await she.pays()
    moves_on(clock, seconds=10)

    await runs_due(she.context)

    assert (await she.get())["state"] == "confirmed"


async def test_the_phones_word_is_only_a_hint(she: Insured) -> None:
    await she.agrees()

    assert (await she.refresh())["state"] == "pending"
    assert await she.money() == []


async def test_who_agrees_twice_gets_the_same_order(she: Insured) -> None:
    split = await she.quoted()

    first, second = [(await she.post("/insurance/confirm", split)).json() for _ in range(2)]

    assert (first["mixTradeNo"], first["package"]) == (second["mixTradeNo"], second["package"])
    assert len(await she.choices()) == 1


async def test_an_order_whose_answer_was_lost_is_placed_once(she: Insured, town: Town) -> None:
    split = await she.quoted()
    town.wechat_faults(server_error_after=True, only_path="/v3/med-ins/orders")
    lost = await she.post("/insurance/confirm", split)
    town.wechat_faults()

    again = await she.post("/insurance/confirm", split)

    assert lost.status_code >= 500
    assert again.status_code == 200
    assert await she.types_password(again.json()) == "requestMedicalInsurancePay:ok"
    assert (await she.refresh())["state"] == "confirmed"
    assert await she.tenders() == PARTS


async def test_an_insurance_that_pays_everything_leaves_no_cash_to_pay(she: Insured, town: Town) -> None:
    town.wechat_faults(insurance_pays="all")
    parameters = await she.agrees()

    assert (parameters["package"], parameters["paySign"]) == ("", "")
    assert await she.types_password(parameters) == "requestMedicalInsurancePay:ok"
    assert (await she.refresh())["state"] == "confirmed"
    assert await she.tenders() == {"ins_gov": 5000}


async def test_an_insurance_that_pays_nothing_leaves_everything_to_her(she: Insured, town: Town) -> None:
    town.wechat_faults(insurance_pays="none")

    await she.pays()

    assert (await she.refresh())["state"] == "confirmed"
    assert await she.tenders() == {"wechat_cash": 5000}


async def test_another_persons_authorisation_is_refused_and_written_down(she: Insured) -> None:
    async with unit_of_work(she.context.db) as session:
        (await session.get_one(Account, she.patient.account)).openid = "o-other"

    answer = await she.authorises("o-other")

    assert answer.status_code == 422
    assert [error["code"] for error in answer.json()["issues"]] == ["somebody_else"]
    assert await she.orders() == []
    async with unit_of_work(she.context.db) as session:
        query = select(AuditEvent.outcome).where(AuditEvent.action.contains("insurance"))
        assert "refused" in set(await session.scalars(query))


async def test_who_acts_for_her_cannot_use_her_insurance(she: Insured) -> None:
    async with unit_of_work(she.context.db) as session:
        grant = (await session.scalars(select(PersonGrant).where(_of(she)))).one()
        grant.kind, grant.scope = "guardian", []

    shown = await she.get("/insurance")
    answer = await she.post("/insurance", {"code": "whatever"})

    assert "本人" in shown["why_not"]
    assert shown["invitation"] == {}
    assert (answer.status_code, answer.json()["code"]) == (403, "insurance_not_herself")


def _of(she: Insured) -> ColumnElement[bool]:
    return and_(PersonGrant.person_id == she.patient.person.id, PersonGrant.account_id == she.patient.account)


async def test_a_stranger_sees_nothing_of_it(she: Insured, api: httpx.AsyncClient) -> None:
    _, headers = await a_person(she.context, DAUGHTER)

    for method, path, body in (
        ("GET", "/insurance", None),
        ("POST", "/insurance", {"code": "x"}),
        ("POST", "/insurance/confirm", SPLIT),
        ("POST", "/self-pay", None),
    ):
        answer = await api.request(method, f"/payments/{she.bill}{path}", headers=headers, json=body)
        assert answer.status_code == 404, (path, answer.text)


async def test_amounts_other_than_agreed_confirm_nothing_and_wait_for_a_person(
    she: Insured, town: Town, clock: SharedClock
) -> None:
    await she.pays()
    async with unit_of_work(she.context.db) as session:
        [order] = await she.orders()
        found = await session.get_one(type(order), order.id)
        found.gov, found.cash = 3400, 800
    moves_on(clock, seconds=10)

    await runs_due(she.context)

    assert (await she.get())["state"] == "pending"
    assert await she.money() == []


async def test_a_bill_that_expires_unpaid_closes_its_insurance_order_as_well(
    she: Insured, clock: SharedClock
) -> None:
    await she.agrees()
    moves_on(clock, minutes=40)

    for _ in range(3):
        await runs_due(she.context)
        moves_on(clock, minutes=1)

    [order] = await she.orders()
    assert (await she.payment()).state in ("cancelled", "failed")
    assert order.state in (InsuranceState.FAILED, InsuranceState.ABANDONED)
    assert await she.money() == []


async def test_the_audit_trail_tells_of_authorisation_and_choice(she: Insured) -> None:
    await she.agrees()

    async with unit_of_work(she.context.db) as session:
        query = select(AuditEvent.action).where(AuditEvent.subject_id == str(she.bill))
        actions = set(await session.scalars(query))

    assert {"insurance.authorise", "payment.choose"} <= actions
