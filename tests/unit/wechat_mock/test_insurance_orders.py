"""Mixed orders at the mock: fields that go together, sums, the payer, paying, telling, giving back."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.unit.wechat_mock.insurance import CREATED_AT, Insurance, faults, moves_clock
from tests.unit.wechat_mock.merchant import Merchant, opened
from tests.unit.wechat_mock.receiver import Receiver, wait_for


@pytest.fixture
def insurance(merchant: Merchant) -> Insurance:
    return Insurance(merchant)


def test_a_mixed_order_is_placed_paid_told_and_found(insurance: Insurance, notify: Receiver) -> None:
    order = insurance.placed(freight=600)
    assert insurance.states(order) == ("MIX_PAY_CREATED", "SELF_PAY_CREATED", "MED_INS_PAY_CREATED")

    assert insurance.pays(order) == "requestMedicalInsurancePay:ok"

    assert insurance.states(order) == ("MIX_PAY_SUCCESS", "SELF_PAY_SUCCESS", "MED_INS_PAY_SUCCESS")
    told = wait_for(lambda: of_insurance(notify), "MEDICAL_INSURANCE.SUCCESS")
    assert told["mix_trade_no"] == order["mix_trade_no"]
    assert told["mix_pay_status"] == "MIX_PAY_SUCCESS"
    assert "transaction_id" not in told
    assert "payer" not in told
    assert insurance.merchant.query(order["out_trade_no"])["amount"]["total"] == order["wechat_pay_cash_fee"]


def of_insurance(notify: Receiver) -> dict[str, Any] | None:
    found = [opened(body) for _, body in notify.received if b"MEDICAL_INSURANCE.SUCCESS" in body]
    return found[0] if found else None


def test_what_the_insurance_pays_alone_has_no_cash_part(insurance: Insurance) -> None:
    faults(insurance, insurance_pays="all")
    order = insurance.placed()
    assert order["mix_pay_type"] == "INSURANCE_ONLY"

    assert "不应携带" in insurance.pays(order, package="prepay_id=x", timeStamp="1")
    assert insurance.pays(order) == "requestMedicalInsurancePay:ok"

    assert insurance.states(order) == ("MIX_PAY_SUCCESS", "NO_SELF_PAY", "MED_INS_PAY_SUCCESS")


def test_a_claim_that_the_insurance_does_not_pay_is_a_mixed_order_too(insurance: Insurance) -> None:
    faults(insurance, insurance_pays="none")
    order = insurance.placed()

    assert insurance.pays(order) == "requestMedicalInsurancePay:ok"
    assert insurance.states(order)[0] == "MIX_PAY_SUCCESS"


@pytest.mark.parametrize(
    ("changes", "errno"),
    [
        ({"total_fee": 3506}, 268529477),
        ({"med_ins_cash_fee": 600}, 268529476),
        ({"pay_order_id": None}, 268529475),
        ({"prepay_id": None}, 268529475),
        ({"geo_location": None}, 268529475),
        ({"mix_pay_type": "INSURANCE_ONLY"}, 268529475),
        ({"mix_pay_type": "CASH_ONLY"}, 268529474),
        ({"serial_no": "another"}, 268510610),
        ({"pay_auth_no": "AUTH-of-nobody"}, 268547120),
        ({"pay_for_relatives": True}, 268545964),
        ({"openid": "o-nobody"}, 268510603),
    ],
)
def test_an_order_that_does_not_fit_is_refused(
    insurance: Insurance, changes: dict[str, Any], errno: int
) -> None:
    answer = insurance.place(insurance.order_body(insurance.presettled()) | changes)

    assert answer.status_code in (400, 403)
    assert answer.headers["request-id"].endswith(f"-{errno}"), answer.text


@pytest.mark.parametrize(
    ("payer", "errno"),
    [
        ({"name": "别人"}, 268545962),
        ({"id_number": "310114198507019046"}, 268545961),
    ],
)
def test_the_payer_must_be_the_owner_of_the_credential(
    insurance: Insurance, payer: dict[str, str], errno: int
) -> None:
    body = insurance.order_body(insurance.presettled(), payer=insurance.payer(**payer))

    assert insurance.place(body).headers["request-id"].endswith(f"-{errno}")


def test_a_name_in_plain_text_is_refused(insurance: Insurance) -> None:
    plain = {"name": "林秀兰", "id_digest": "09eb26e839ff3a2e3980352ae45ef09e", "card_type": "ID_CARD"}

    answer = insurance.place(insurance.order_body(insurance.presettled(), payer=plain))

    assert (answer.status_code, answer.json()["detail"]["field"]) == (400, "/payer/name")


def test_amounts_other_than_the_bureau_s_are_refused(insurance: Insurance) -> None:
    claim = insurance.presettled()
    claim |= {"gov": claim["gov"] - 1, "cash": claim["cash"] + 1}

    answer = insurance.place(insurance.order_body(claim))

    assert (answer.status_code, answer.json()["code"]) == (403, "RULE_LIMIT")
    assert answer.headers["request-id"].endswith("-268510610")


def test_a_number_is_good_for_one_order(insurance: Insurance) -> None:
    body = insurance.order_body(insurance.presettled())
    assert insurance.place(body).status_code == 200

    answer = insurance.place(body)

    assert (answer.status_code, answer.json()["code"]) == (400, "ALREADY_EXISTS")


def test_an_order_nobody_placed_is_not_found(insurance: Insurance) -> None:
    for path in ("mix-trade-no/0000", "out-trade-no/never-placed"):
        answer = insurance.merchant.get(f"/v3/med-ins/orders/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


def test_a_settlement_that_fails_leaves_the_cash_paid_and_says_why(insurance: Insurance) -> None:
    order = insurance.placed()
    faults(insurance, insurance_settle_fails=True)

    assert insurance.pays(order).startswith("requestMedicalInsurancePay:fail 医保支付失败")

    assert insurance.states(order) == ("MIX_PAY_FAIL", "SELF_PAY_SUCCESS", "MED_INS_PAY_FAIL")
    assert insurance.query(order)["med_ins_fail_reason"] == "预结算金额不匹配"


def test_an_order_whose_cash_part_was_closed_has_failed(insurance: Insurance) -> None:
    order = insurance.placed()
    number = order["out_trade_no"]
    closed = insurance.merchant.post(
        f"/v3/pay/transactions/out-trade-no/{number}/close", {"mchid": "1900000001"}
    )
    assert closed.status_code == 204

    assert "失效" in insurance.pays(order)
    assert insurance.states(order) == ("MIX_PAY_FAIL", "SELF_PAY_FAIL", "MED_INS_PAY_CREATED")


def test_another_phone_cannot_pay_it(insurance: Insurance) -> None:
    order = insurance.placed()

    assert "不是同一个" in insurance.pays(order, "o-other")
    assert insurance.states(order)[0] == "MIX_PAY_CREATED"


def test_paying_twice_is_paying_once(insurance: Insurance) -> None:
    order = insurance.paid()

    assert "请勿重复付款" in insurance.pays(order)


def test_a_notification_is_given_up_after_half_a_minute(insurance: Insurance, notify: Receiver) -> None:
    notify.answer = 500
    insurance.paid()
    listed = insurance.merchant.http.get
    base = insurance.merchant.base

    def attempts() -> list[int]:
        found = listed(f"{base}/_test/notifications").json()["notifications"]
        return [len(one["attempts"]) for one in found if one["event_type"] == "MEDICAL_INSURANCE.SUCCESS"]

    for tried, seconds in ((1, 4), (2, 11), (3, 24), (4, 600)):
        wait_for(partial(_same, attempts, [tried]), f"{tried} attempts")
        moves_clock(insurance, seconds)
    assert attempts() == [4]


def _same(found: Callable[[], list[int]], wanted: list[int]) -> bool:
    return found() == wanted


def test_both_parts_given_back_make_a_refunded_order(insurance: Insurance) -> None:
    order = insurance.paid()
    cash = order["wechat_pay_cash_fee"]
    back = insurance.merchant.refund(
        order["out_trade_no"], amount={"refund": cash, "total": cash, "currency": "CNY"}
    )
    assert back.status_code == 200, back.text
    moves_clock(insurance, 2)
    assert insurance.states(order)[:2] in {
        ("MIX_PAY_SUCCESS", "SELF_PAY_REFUND"),
        ("MIX_PAY_SUCCESS", "SELF_PAY_SUCCESS"),
    }

    assert insurance.tells_refund(order).status_code == 204
    assert insurance.tells_refund(order).status_code == 204

    wait_for(lambda: insurance.states(order)[0] == "MIX_PAY_REFUND", "refund of both parts")
    assert insurance.states(order) == ("MIX_PAY_REFUND", "SELF_PAY_REFUND", "MED_INS_PAY_REFUND")


@pytest.mark.parametrize(
    "changes",
    [
        {"med_refund_total_fee": 1},
        {"med_refund_gov_fee": 9_999, "med_refund_total_fee": 9_999 + 800},
        {"refund_time": "2026-11-22T09:00:00Z"},
    ],
)
def test_a_refund_that_cannot_be_is_not_noted(insurance: Insurance, changes: dict[str, Any]) -> None:
    order = insurance.paid()

    assert insurance.tells_refund(order, **changes).status_code in (400, 403)
    assert insurance.states(order)[2] == "MED_INS_PAY_SUCCESS"


def test_an_unknown_field_is_refused(insurance: Insurance) -> None:
    body = insurance.order_body(insurance.presettled()) | {"invented": 1, "refund_time": CREATED_AT}

    assert insurance.place(body).headers["request-id"].endswith("-270924358")
