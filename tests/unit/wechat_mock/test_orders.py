from typing import Any

import httpx
import pytest

from tests.unit.wechat_mock.calls import move_clock
from tests.unit.wechat_mock.merchant import MCHID, Merchant

JSAPI = "/v3/pay/transactions/jsapi"
HOUR, DAY = 3600, 86_400


def close(merchant: Merchant, number: str) -> httpx.Response:
    return merchant.post(f"/v3/pay/transactions/out-trade-no/{number}/close", {"mchid": MCHID})


def test_an_order_is_paid_once(merchant: Merchant) -> None:
    number, prepay_id = merchant.order()

    assert prepay_id.startswith("wx")
    assert merchant.is_paid("o-patient", prepay_id) == "requestPayment:ok"
    assert merchant.is_paid("o-patient", prepay_id).startswith("requestPayment:fail ")
    assert merchant.query(number)["trade_state"] == "SUCCESS"


def test_of_an_unpaid_order_only_the_known_part_is_told(merchant: Merchant) -> None:
    number, _ = merchant.order(attach="附加")

    found = merchant.query(number)

    assert (found["trade_state"], found["attach"]) == ("NOTPAY", "附加")
    assert found["amount"]["total"] == 3000
    assert not {"transaction_id", "success_time", "bank_type", "trade_type"} & found.keys()


def test_a_paid_order_is_found_by_both_numbers(merchant: Merchant) -> None:
    number = merchant.paid_order()

    found = merchant.query(number)
    again = merchant.get(f"/v3/pay/transactions/id/{found['transaction_id']}?mchid={MCHID}").json()

    assert again == found
    assert len(found["transaction_id"]) == 28
    assert found["payer"] == {"openid": "o-patient"}
    assert found["amount"] == {
        "total": 3000, "payer_total": 3000, "currency": "CNY", "payer_currency": "CNY",
    }  # fmt: skip
    assert found["success_time"].endswith("+08:00")


def test_an_unknown_order_is_not_found(merchant: Merchant) -> None:
    answer = merchant.get(f"/v3/pay/transactions/out-trade-no/NONE01?mchid={MCHID}")

    assert (answer.status_code, answer.json()["code"]) == (404, "ORDER_NOT_EXIST")
    assert answer.headers["request-id"].endswith("-268512771")


def test_a_query_names_the_merchant(merchant: Merchant) -> None:
    number, _ = merchant.order()
    path = f"/v3/pay/transactions/out-trade-no/{number}"

    assert merchant.get(path).json()["code"] == "PARAM_ERROR"
    assert merchant.get(f"{path}?mchid=1900000009").json()["code"] == "PARAM_ERROR"


def test_the_same_order_again_has_another_prepay_id(merchant: Merchant) -> None:
    body = merchant.order_body()
    first = merchant.post(JSAPI, body).json()["prepay_id"]
    turned = dict(reversed(body.items()))

    second = merchant.post(JSAPI, turned).json()["prepay_id"]

    assert first != second
    assert merchant.is_paid("o-patient", first) == "requestPayment:ok"
    assert merchant.is_paid("o-patient", second).startswith("requestPayment:fail ")


def test_the_same_number_with_another_body_is_refused(merchant: Merchant) -> None:
    body = merchant.order_body()
    merchant.post(JSAPI, body)

    answer = merchant.post(JSAPI, body | {"amount": {"total": 2999, "currency": "CNY"}})

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")
    assert answer.headers["request-id"].endswith("-268498688")


def test_a_paid_order_cannot_be_placed_or_closed_again(merchant: Merchant) -> None:
    body = merchant.order_body()
    number = merchant.paid_order(**body)

    assert merchant.post(JSAPI, body).json()["code"] == "ORDERPAID"
    assert close(merchant, number).json()["code"] == "ORDERPAID"
    assert merchant.query(number)["trade_state"] == "SUCCESS"


def test_a_closed_order_cannot_be_paid_or_placed_again(merchant: Merchant) -> None:
    body = merchant.order_body()
    number, prepay_id = merchant.order(**body)
    assert close(merchant, number).status_code == 204

    assert close(merchant, number).status_code == 204
    assert merchant.query(number)["trade_state"] == "CLOSED"
    assert merchant.is_paid("o-patient", prepay_id) == "requestPayment:fail 订单已关闭，请重新下单"
    assert merchant.post(JSAPI, body).json()["code"] == "ORDER_CLOSED"


def test_an_order_left_unpaid_closes_after_seven_days(merchant: Merchant, wechat: httpx.Client) -> None:
    number, _ = merchant.order()
    merchant.seconds_off = 7 * DAY + 60
    move_clock(wechat, merchant.seconds_off)

    assert merchant.query(number)["trade_state"] == "CLOSED"


def test_a_prepay_id_lapses_after_two_hours_and_a_new_one_works(
    merchant: Merchant, wechat: httpx.Client
) -> None:
    body = merchant.order_body()
    _, old = merchant.order(**body)
    merchant.seconds_off = 2 * HOUR + 60
    move_clock(wechat, merchant.seconds_off)

    assert merchant.is_paid("o-patient", old).startswith("requestPayment:fail 订单已超过支付时间")
    _, new = merchant.order(**body)
    assert merchant.is_paid("o-patient", new) == "requestPayment:ok"


def test_passing_time_expire_forbids_paying_but_does_not_close(
    merchant: Merchant, wechat: httpx.Client
) -> None:
    number, prepay_id = merchant.order(time_expire=_in(merchant, 600))
    merchant.seconds_off = 700
    move_clock(wechat, 700)

    assert merchant.is_paid("o-patient", prepay_id).startswith("requestPayment:fail 订单已超过支付时间")
    assert merchant.query(number)["trade_state"] == "NOTPAY"


def test_the_orderer_alone_can_pay(merchant: Merchant) -> None:
    number, prepay_id = merchant.order()

    assert merchant.is_paid("o-other", prepay_id).startswith("requestPayment:fail ")
    assert merchant.query(number)["trade_state"] == "NOTPAY"


def test_leaving_the_cashier_is_a_cancel(merchant: Merchant, wechat: httpx.Client) -> None:
    number, prepay_id = merchant.order()

    answer = wechat.post("/phone/o-patient/pay", json=merchant.invocation(prepay_id) | {"cancel": True})

    assert answer.json() == {"result": "requestPayment:fail cancel"}
    assert merchant.query(number)["trade_state"] == "NOTPAY"


def test_the_phone_refuses_what_the_merchant_did_not_sign(merchant: Merchant, wechat: httpx.Client) -> None:
    number, prepay_id = merchant.order()
    _, other = merchant.order()
    good = merchant.invocation(prepay_id)

    for change in (
        {"package": f"prepay_id={other}"},
        {"nonceStr": "other"},
        {"timeStamp": "1"},
        {"paySign": "AAAA"},
        {"signType": "MD5"},
        {"appId": "wx-other"},
        {"package": prepay_id},
    ):
        said = wechat.post("/phone/o-patient/pay", json=good | change).json()["result"]
        assert said.startswith("requestPayment:fail "), change
    assert wechat.post("/phone/o-patient/pay", json=good | {"more": 1}).json()["field"]
    assert wechat.post("/phone/o-patient/pay", json={"package": "x"}).status_code == 400
    assert merchant.query(number)["trade_state"] == "NOTPAY"
    del good["appId"]  # a mini program leaves it out
    assert wechat.post("/phone/o-patient/pay", json=good).json() == {"result": "requestPayment:ok"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"description": None}, "/description"),
        ({"description": "长" * 128}, "/description"),
        ({"out_trade_no": "short"}, "/out_trade_no"),
        ({"out_trade_no": "with space1"}, "/out_trade_no"),
        ({"out_trade_no": "x" * 33}, "/out_trade_no"),
        ({"notify_url": "http://127.0.0.1/notify?x=1"}, "/notify_url"),
        ({"notify_url": "not an address"}, "/notify_url"),
        ({"notify_url": "http://127.0.0.1/" + "x" * 250}, "/notify_url"),
        ({"amount": {"total": 0, "currency": "CNY"}}, "/amount/total"),
        ({"amount": {"total": 10.5, "currency": "CNY"}}, "/amount/total"),
        ({"amount": {"total": "3000", "currency": "CNY"}}, "/amount/total"),
        ({"amount": {"total": 10**30}}, "/amount/total"),
        ({"amount": {"total": 1, "currency": "USD"}}, "/amount/currency"),
        ({"payer": {"openid": "o-nobody"}}, "/payer/openid"),
        ({"payer": None}, "/payer"),
        ({"attach": "x" * 129}, "/attach"),
        ({"time_expire": "2026-11-22 10:00:00"}, "/time_expire"),
        ({"time_expire": "2026-11-22T10:00:00"}, "/time_expire"),
        ({"time_expire": "2020-01-01T10:00:00+08:00"}, "/time_expire"),
        ({"mchid": "1900000009"}, "mchid"),
    ],
)
def test_a_wrong_field_is_named(merchant: Merchant, changes: dict[str, Any], field: str) -> None:
    answer = merchant.post(JSAPI, merchant.order_body(**changes))

    assert (answer.status_code, answer.json()["code"]) == (400, "PARAM_ERROR")
    assert answer.json()["detail"]["field"] == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"trade_type": "JSAPI"}, "/trade_type"),
        ({"amount": {"total": 1, "fee": 0}}, "/amount/fee"),
        ({"scene_info": {"payer_client_ip": "127.0.0.1", "browser": "x"}}, "/scene_info/browser"),
    ],
)
def test_an_unknown_field_is_refused(merchant: Merchant, changes: dict[str, Any], field: str) -> None:
    answer = merchant.post(JSAPI, merchant.order_body(**changes))

    assert (answer.status_code, answer.json()["code"]) == (400, "PARAM_ERROR")
    assert answer.json()["message"] == "参数中含有非法的额外参数"
    assert answer.json()["detail"]["field"] == field
    assert answer.headers["request-id"].endswith("-270924358")


def test_the_optional_fields_are_taken(merchant: Merchant) -> None:
    merchant.order(
        time_expire=_in(merchant, 3600),
        attach="visit",
        goods_tag="tag",
        support_fapiao=True,
        detail={
            "cost_price": 3000,
            "goods_detail": [{"merchant_goods_id": "1", "quantity": 1, "unit_price": 1}],
        },
        scene_info={"payer_client_ip": "127.0.0.1", "device_id": "1", "store_info": {"id": "1"}},
        settle_info={"profit_sharing": False},
    )


def test_another_appid_does_not_match_the_merchant(merchant: Merchant) -> None:
    answer = merchant.post(JSAPI, merchant.order_body(appid="wx-other"))

    assert (answer.status_code, answer.json()["code"]) == (400, "APPID_MCHID_NOT_MATCH")


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"x"', b"[" * 100_000, b"\xff\xfe"])
def test_a_body_that_is_no_order_is_refused(merchant: Merchant, raw: bytes) -> None:
    answer = merchant.send("POST", JSAPI, raw)

    assert (answer.status_code, answer.json()["code"]) == (400, "PARAM_ERROR")


def _in(merchant: Merchant, seconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(merchant.now() + seconds, UTC).isoformat()
