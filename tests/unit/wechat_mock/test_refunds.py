import base64
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.hashes import SHA1

from tests.unit.wechat_mock.calls import faults, move_clock
from tests.unit.wechat_mock.merchant import PUBLIC_KEY_ID, Merchant
from tests.unit.wechat_mock.receiver import wait_for

REFUNDS = "/v3/refund/domestic/refunds"
DAY = 86_400


def found(merchant: Merchant, number: str) -> dict[str, Any]:
    body: dict[str, Any] = merchant.get(f"{REFUNDS}/{number}").json()
    return body


def part(fen: int, total: int = 3000) -> dict[str, Any]:
    return {"amount": {"refund": fen, "total": total, "currency": "CNY"}}


def to_time(merchant: Merchant, wechat: httpx.Client, seconds: float) -> None:
    """Both clocks."""
    merchant.seconds_off = seconds
    move_clock(wechat, seconds)


def test_a_refund_is_accepted_first_and_succeeds_later(merchant: Merchant, wechat: httpx.Client) -> None:
    faults(wechat, refund_seconds=60)
    number = merchant.paid_order()

    asked = merchant.refund(number)

    assert asked.status_code == 200
    refund = asked.json()
    assert refund["status"] == "PROCESSING"
    assert "success_time" not in refund
    assert refund["amount"]["refund"] == refund["amount"]["payer_refund"] == 3000
    assert refund["channel"] == "ORIGINAL"
    assert merchant.query(number)["trade_state"] == "REFUND"
    to_time(merchant, wechat, 61)
    assert found(merchant, refund["out_refund_no"])["status"] == "SUCCESS"
    assert found(merchant, refund["out_refund_no"])["success_time"]


def test_the_same_refund_again_is_the_same_refund(merchant: Merchant) -> None:
    body = merchant.refund_body(merchant.paid_order())

    first, second = merchant.post(REFUNDS, body), merchant.post(REFUNDS, body)
    other = merchant.post(REFUNDS, body | part(1))

    assert second.status_code == 200
    assert first.json()["refund_id"] == second.json()["refund_id"]
    assert (other.status_code, other.json()["code"]) == (400, "INVALID_REQUEST")


def test_parts_are_a_minute_apart_and_never_more_than_was_paid(
    merchant: Merchant, wechat: httpx.Client
) -> None:
    number = merchant.paid_order()
    assert merchant.refund(number, **part(1000)).status_code == 200

    hasty = merchant.refund(number, **part(1000))
    assert (hasty.status_code, hasty.json()["code"]) == (429, "FREQUENCY_LIMITED")
    to_time(merchant, wechat, 61)
    assert merchant.refund(number, **part(1000)).status_code == 200
    to_time(merchant, wechat, 122)
    too_much = merchant.refund(number, **part(1001))
    assert (too_much.status_code, too_much.json()["code"]) == (400, "INVALID_REQUEST")
    assert merchant.refund(number, **part(1000)).status_code == 200


def test_fifty_parts_are_the_most(merchant: Merchant, wechat: httpx.Client) -> None:
    number = merchant.paid_order()
    for n in range(50):
        to_time(merchant, wechat, 61 * n)
        assert merchant.refund(number, **part(1)).status_code == 200

    to_time(merchant, wechat, 61 * 50)
    assert merchant.refund(number, **part(1)).json()["message"] == "部分退款次数超过50次"


def test_what_was_not_paid_or_is_too_old_or_unknown_is_not_refunded(
    merchant: Merchant, wechat: httpx.Client
) -> None:
    unpaid, _ = merchant.order()
    paid = merchant.paid_order()

    assert merchant.refund(unpaid).json()["code"] == "INVALID_REQUEST"
    assert merchant.refund("NONE01").status_code == 404
    assert merchant.refund(paid, **part(1, total=2999)).json()["message"] == "您的请求参数与订单信息不一致"
    to_time(merchant, wechat, 366 * DAY)
    assert merchant.refund(paid).json()["code"] == "INVALID_REQUEST"


def test_an_order_is_named_by_one_number_or_by_two_that_agree(merchant: Merchant) -> None:
    one, other = merchant.paid_order(), merchant.paid_order()
    transaction = merchant.query(one)["transaction_id"]

    def ask(**names: str) -> httpx.Response:
        body = merchant.refund_body(one)
        del body["out_trade_no"]
        return merchant.post(REFUNDS, body | names)

    assert ask().json()["detail"]["field"] == "/transaction_id"
    assert ask(transaction_id=transaction, out_trade_no=other).json()["code"] == "INVALID_REQUEST"
    assert ask(transaction_id=transaction).status_code == 200


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"out_refund_no": "has space"}, "/out_refund_no"),
        ({"out_refund_no": "x" * 65}, "/out_refund_no"),
        ({"reason": "长" * 81}, "/reason"),
        ({"notify_url": "http://127.0.0.1/?x=1"}, "/notify_url"),
        ({"amount": {"refund": 0, "total": 1, "currency": "CNY"}}, "/amount/refund"),
        ({"amount": {"refund": 1, "total": 1, "currency": "EUR"}}, "/amount/currency"),
        ({"amount": {"refund": 1, "total": 1}}, "/amount/currency"),
        ({"funds_account": "PIGGY_BANK"}, "/funds_account"),
        ({"unheard_of": 1}, "/unheard_of"),
    ],
)
def test_a_wrong_field_of_a_refund_is_named(merchant: Merchant, changes: dict[str, Any], field: str) -> None:
    answer = merchant.refund("NONE01", **changes)

    assert (answer.status_code, answer.json()["code"]) == (400, "PARAM_ERROR")
    assert answer.json()["detail"]["field"] == field


def test_an_unknown_refund_is_not_found(merchant: Merchant) -> None:
    answer = merchant.get(f"{REFUNDS}/NONE")

    assert (answer.status_code, answer.json()["code"]) == (404, "RESOURCE_NOT_EXISTS")


def test_an_empty_account_refunds_nothing(merchant: Merchant, wechat: httpx.Client) -> None:
    number = merchant.paid_order()
    faults(wechat, not_enough=True)

    answer = merchant.refund(number)

    assert (answer.status_code, answer.json()["code"]) == (403, "NOT_ENOUGH")
    assert merchant.query(number)["trade_state"] == "SUCCESS"


def test_a_refund_that_stays_in_processing_closes_after_seven_days_and_needs_a_new_number(
    merchant: Merchant, wechat: httpx.Client
) -> None:
    faults(wechat, refund_outcome="PROCESSING")
    number = merchant.paid_order()
    body = merchant.refund_body(number)
    merchant.post(REFUNDS, body)

    to_time(merchant, wechat, 6 * DAY)
    assert found(merchant, body["out_refund_no"])["status"] == "PROCESSING"
    to_time(merchant, wechat, 7 * DAY + 60)
    assert found(merchant, body["out_refund_no"])["status"] == "CLOSED"
    assert merchant.query(number)["trade_state"] == "SUCCESS"
    faults(wechat)
    assert merchant.post(REFUNDS, body).json()["status"] == "CLOSED"
    assert merchant.refund(number).json()["status"] == "PROCESSING"


def test_an_abnormal_refund_goes_to_a_card_in_the_end(merchant: Merchant, wechat: httpx.Client) -> None:
    faults(wechat, refund_outcome="ABNORMAL", refund_seconds=0)
    refund = merchant.refund(merchant.paid_order()).json()
    number, path = refund["out_refund_no"], f"{REFUNDS}/{refund['refund_id']}/apply-abnormal-refund"
    assert wait_for(lambda: found(merchant, number)["status"] == "ABNORMAL", "the refund is abnormal")

    sealed = {
        name: base64.b64encode(
            merchant.known[PUBLIC_KEY_ID].encrypt(text.encode(), OAEP(MGF1(SHA1()), SHA1(), None))
        ).decode()
        for name, text in (("bank_account", "6200000000000009999"), ("real_name", "林秀兰"))
    }
    asked = {"out_refund_no": number, "type": "USER_BANK_CARD", "bank_type": "ICBC_DEBIT"}
    plain = merchant.post(path, asked | {"bank_account": "6200000000000009999", "real_name": "林秀兰"})
    assert plain.json()["detail"]["field"] == "/bank_account"
    assert merchant.post(path, asked).json()["detail"]["field"] == "/bank_account"
    assert merchant.post(path, asked | {"out_refund_no": "other"}).status_code == 404

    assert merchant.post(path, asked | sealed).json()["status"] == "PROCESSING"
    wait_for(lambda: found(merchant, number)["status"] == "SUCCESS", "the card got the money")
    assert found(merchant, number)["user_received_account"] == "用户银行卡(9999)"
    assert merchant.post(path, asked | sealed).json()["code"] == "INVALID_REQUEST"


def test_an_abnormal_refund_may_go_back_to_the_merchant(merchant: Merchant, wechat: httpx.Client) -> None:
    faults(wechat, refund_outcome="ABNORMAL", refund_seconds=0)
    refund = merchant.refund(merchant.paid_order()).json()
    number, path = refund["out_refund_no"], f"{REFUNDS}/{refund['refund_id']}/apply-abnormal-refund"
    wait_for(lambda: found(merchant, number)["status"] == "ABNORMAL", "the refund is abnormal")

    unheard = merchant.post(path, {"out_refund_no": number, "type": "PIGGY_BANK"})
    assert unheard.json()["detail"]["field"] == "/type"
    merchant.post(path, {"out_refund_no": number, "type": "MERCHANT_BANK_CARD"})
    wait_for(lambda: found(merchant, number)["status"] == "SUCCESS", "the merchant got the money")
