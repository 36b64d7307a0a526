"""When the insurance fails her: paying all of it herself is offered with the amount, and waits for her word."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from backend.insurance.states import InsuranceState
from foundation.db.unit_of_work import unit_of_work
from tests.builders.insuring import Insured, parked, runs_due
from tests.database import SharedClock, moves_on
from tests.town import Town

pytestmark = pytest.mark.anyio


async def settles(she: Insured, clock: SharedClock, times: int = 4) -> None:
    """Jobs run, and again later."""
    for _ in range(times):
        await runs_due(she.context)
        moves_on(clock, seconds=70)


async def pays_all_herself(she: Insured) -> None:
    parameters = (await she.post("/prepay")).json()
    assert (await she.wechat.post("/phone/o-patient/pay", json=parameters)).json()[
        "result"
    ] == "requestPayment:ok"
    assert (await she.refresh())["state"] == "confirmed"
    assert await she.tenders() == {"wechat_cash": 5000}


async def test_an_insurance_that_refuses_leaves_the_choice_to_her(she: Insured, town: Town) -> None:
    town.wechat_faults(insurance_refuses="参保地系统维护")
    answer = await she.authorises()

    shown = await she.get("/insurance")

    assert answer.status_code == 409, answer.text
    assert "参保地系统维护" in answer.json()["detail"]
    assert (shown["state"], shown["choice_needed"], shown["full_amount"]) == ("failed", True, 5000)
    assert "参保地系统维护" in shown["failure"]
    assert await she.choices() == []


async def test_nothing_is_assumed_before_she_has_chosen(she: Insured, town: Town) -> None:
    town.wechat_faults(insurance_refuses="参保地系统维护")
    await she.authorises()

    refused = await she.post("/prepay")
    chosen = await she.post("/self-pay")

    assert (refused.status_code, refused.json()["code"]) == (409, "choice_needed")
    assert (chosen.status_code, chosen.json()["choice_needed"]) == (200, False)
    [(way, insurance, cash, instead)] = await she.choices()
    assert (way, insurance, cash) == ("self_pay", 0, 5000)
    assert "参保地系统维护" in instead
    await pays_all_herself(she)


async def test_choosing_twice_is_choosing_once(she: Insured, town: Town) -> None:
    town.wechat_faults(insurance_refuses="参保地系统维护")
    await she.authorises()

    for _ in range(2):
        assert (await she.post("/self-pay")).status_code == 200

    assert len(await she.choices()) == 1


async def test_a_bureau_that_does_not_answer_is_a_failure_in_plain_words(she: Insured, town: Town) -> None:
    code = await she.code()
    town.wechat_faults(insurance_down=True)

    answer = await she.post("/insurance", {"code": code})

    assert answer.status_code == 503
    assert "医保" in answer.json()["detail"]
    town.wechat_faults()
    await pays_all_herself(she)


async def test_she_may_try_again_after_a_failure(she: Insured, town: Town) -> None:
    town.wechat_faults(insurance_refuses="参保地系统维护")
    await she.authorises()
    town.wechat_faults()

    await she.pays()

    assert (await she.refresh())["state"] == "confirmed"
    assert [order.state for order in await she.orders()] == [InsuranceState.FAILED, InsuranceState.PAID]


async def test_a_bureau_whose_numbers_do_not_add_up_is_not_believed(she: Insured, town: Town) -> None:
    town.wechat_faults(insurance_split_off_by_one=True)

    answer = await she.authorises()

    assert answer.status_code >= 409
    assert (await she.get("/insurance"))["choice_needed"]
    assert await she.tenders() == {"wechat_cash": 5000}


async def test_turning_from_a_running_insurance_order_ends_it_first(she: Insured) -> None:
    parameters = await she.agrees()
    refused = await she.post("/prepay")

    chosen = await she.post("/self-pay")

    assert (refused.status_code, refused.json()["code"]) == (409, "choice_needed")
    assert chosen.status_code == 200, chosen.text
    assert [way for way, *_ in await she.choices()] == ["insurance", "self_pay"]
    assert await she.types_password(parameters) != "requestMedicalInsurancePay:ok"
    await pays_all_herself(she)
    [order] = await she.orders()
    payment = await she.payment()
    assert order.state in (InsuranceState.ABANDONED, InsuranceState.FAILED)
    assert payment.out_trade_no != order.out_trade_no


async def test_turning_from_an_order_that_is_all_insurance_takes_the_claim_back(
    she: Insured, town: Town
) -> None:
    town.wechat_faults(insurance_pays="all")
    parameters = await she.agrees()
    town.wechat_faults()

    assert (await she.post("/self-pay")).status_code == 200

    assert await she.types_password(parameters) != "requestMedicalInsurancePay:ok"
    await pays_all_herself(she)


async def test_who_has_paid_by_insurance_cannot_choose_otherwise(she: Insured) -> None:
    await she.pays()

    answer = await she.post("/self-pay")

    assert (answer.status_code, answer.json()["code"]) == (409, "payment_not_open")
    assert (await she.get())["state"] == "confirmed"


async def test_an_order_for_all_of_it_is_closed_before_insurance_opens(she: Insured) -> None:
    parameters = (await she.post("/prepay")).json()

    await she.pays()

    paid = (await she.wechat.post("/phone/o-patient/pay", json=parameters)).json()["result"]
    assert paid != "requestPayment:ok"
    assert (await she.refresh())["state"] == "confirmed"


async def test_cash_that_was_taken_without_the_insurance_goes_back_by_itself(
    she: Insured, town: Town, clock: SharedClock
) -> None:
    town.wechat_faults(insurance_settle_fails=True)
    said = await she.types_password(await she.agrees())
    assert said.startswith("requestMedicalInsurancePay:fail")
    town.wechat_faults()

    assert (await she.refresh())["state"] == "pending"
    shown = await she.get("/insurance")
    await settles(she, clock)

    assert (shown["state"], shown["choice_needed"]) == ("returning", True)
    [order] = await she.orders()
    assert order.state == InsuranceState.FAILED
    assert await she.money() == [("received", "wechat_cash", 700), ("refunded", "wechat_cash", 700)]
    assert await she.tenders() == {"wechat_cash": 5000}
    assert await parked(she.context) == []


async def test_after_cash_was_taken_in_vain_she_chooses_and_pays_anew(
    she: Insured, town: Town, clock: SharedClock
) -> None:
    town.wechat_faults(insurance_settle_fails=True)
    await she.types_password(await she.agrees())
    town.wechat_faults()
    await she.refresh()

    assert (await she.post("/prepay")).json()["code"] == "choice_needed"
    assert (await she.post("/self-pay")).status_code == 200
    await pays_all_herself(she)
    await settles(she, clock)

    assert sorted(await she.money()) == [
        ("received", "wechat_cash", 700), ("received", "wechat_cash", 5000), ("refunded", "wechat_cash", 700),
    ]  # fmt: skip


async def test_self_pay_cannot_be_chosen_for_a_bill_that_is_over(she: Insured, clock: SharedClock) -> None:
    moves_on(clock, hours=2)

    answer = await she.post("/self-pay")

    assert (answer.status_code, answer.json()["code"]) == (410, "payment_expired")


async def test_what_a_bill_is_paid_by_adds_up_or_the_database_refuses(she: Insured) -> None:
    with pytest.raises(IntegrityError, match="add up"):
        async with unit_of_work(she.context.db) as session:
            await session.execute(
                text("UPDATE tender SET amount = amount - 1 WHERE payment_id = :id"), {"id": she.bill}
            )
