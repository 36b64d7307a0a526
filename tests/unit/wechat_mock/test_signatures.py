import json
import re
from pathlib import Path

import httpx
import pytest

from tests.unit.wechat_mock.merchant import MCHID, Merchant, private_key

NOTHING = f"/v3/pay/transactions/out-trade-no/NONE01?mchid={MCHID}"


def refused(answer: httpx.Response) -> tuple[int, str]:
    assert "wechatpay-signature" not in answer.headers
    return answer.status_code, answer.json()["code"]


def test_the_bytes_that_were_sent_are_what_counts(merchant: Merchant) -> None:
    body = merchant.order_body()
    loose = json.dumps(body, ensure_ascii=False, indent=2).encode()

    assert merchant.send("POST", "/v3/pay/transactions/jsapi", loose).status_code == 200


def test_a_body_that_was_changed_on_the_way_is_refused(merchant: Merchant) -> None:
    raw = json.dumps(merchant.order_body()).encode()
    signed = merchant.authorization("POST", "/v3/pay/transactions/jsapi", raw)

    answer = merchant.send("POST", "/v3/pay/transactions/jsapi", raw + b" ", Authorization=signed)

    assert refused(answer) == (401, "SIGN_ERROR")
    detail = answer.json()["detail"]
    assert answer.json()["message"] == "错误的签名，验签失败"
    assert detail["field"] == "signature"
    assert detail["detail"] == {"issue": "sign not match"}
    assert detail["sign_information"]["url"] == "/v3/pay/transactions/jsapi"
    assert detail["sign_information"]["truncated_sign_message"].startswith("POST\n/v3/pay/")
    assert answer.headers["request-id"].endswith("-268443699")


def test_path_and_query_are_signed_as_they_are_sent(merchant: Merchant) -> None:
    other = merchant.authorization("GET", "/v3/pay/transactions/out-trade-no/NONE02?mchid=1", b"")

    assert refused(merchant.send("GET", NOTHING, Authorization=other)) == (401, "SIGN_ERROR")
    escaped = f"/v3/pay/transactions/out-trade-no/A%7CB%2A12?mchid={MCHID}"
    assert refused(merchant.get(escaped)) == (404, "ORDER_NOT_EXIST")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", "Http头缺少Authorization"),
        ("Basic abc", "Http头Authorization认证类型不正确"),
        ("WECHATPAY2-SHA256-RSA2048 mchid=1", "Http头Authorization值格式错误"),
        ('WECHATPAY2-SHA256-RSA2048 mchid="1",nonce_str="2"', "Http头Authorization值格式错误"),
    ],
)
def test_a_malformed_header_is_named(merchant: Merchant, header: str, message: str) -> None:
    answer = merchant.send("GET", NOTHING, Authorization=header)

    assert refused(answer) == (401, "SIGN_ERROR")
    assert answer.json()["message"].startswith(message)


def test_the_order_of_the_five_fields_is_free(merchant: Merchant) -> None:
    scheme, _, fields = merchant.authorization("GET", NOTHING, b"").partition(" ")
    turned = ",".join(reversed(fields.split(",")))

    answer = merchant.send("GET", NOTHING, Authorization=f"{scheme} {turned}")

    assert answer.json()["code"] == "ORDER_NOT_EXIST"


@pytest.mark.parametrize("seconds", [-310, 310])
def test_a_clock_five_minutes_off_is_refused(merchant: Merchant, seconds: int) -> None:
    merchant.seconds_off = seconds

    assert refused(merchant.get(NOTHING)) == (401, "SIGN_ERROR")
    merchant.seconds_off = seconds * 0.9
    assert refused(merchant.get(NOTHING)) == (404, "ORDER_NOT_EXIST")


def test_a_nonce_is_good_once(merchant: Merchant) -> None:
    merchant.nonce = "0123456789ABCDEF"

    assert refused(merchant.get(NOTHING)) == (404, "ORDER_NOT_EXIST")
    assert refused(merchant.get(NOTHING)) == (401, "SIGN_ERROR")


def test_somebody_elses_key_serial_or_number_is_refused(merchant: Merchant, keys: Path) -> None:
    merchant.key = private_key(keys / "platform.key")
    assert refused(merchant.get(NOTHING)) == (401, "SIGN_ERROR")
    merchant.key, serial = private_key(keys / "merchant.key"), merchant.serial

    merchant.serial = "0A"
    assert refused(merchant.get(NOTHING)) == (401, "SIGN_ERROR")
    merchant.serial = serial
    other = merchant.authorization("GET", NOTHING, b"").replace(MCHID, "1900000009")
    assert refused(merchant.send("GET", NOTHING, Authorization=other)) == (400, "MCH_NOT_EXISTS")


def test_the_headers_of_the_rules_are_needed(merchant: Merchant) -> None:
    for name in ("User-Agent", "Accept"):
        answer = merchant.send("GET", NOTHING, b"", **{name: ""})
        assert refused(answer) == (400, "PARAM_ERROR")
        assert answer.json()["detail"]["field"] == name
    raw = json.dumps(merchant.order_body()).encode()
    answer = merchant.send("POST", "/v3/pay/transactions/jsapi", raw, **{"Content-Type": "text/plain"})
    assert refused(answer) == (400, "PARAM_ERROR")


def test_what_succeeds_is_signed_over_the_bytes_of_the_answer(merchant: Merchant) -> None:
    answer = merchant.post("/v3/pay/transactions/jsapi", merchant.order_body())

    assert answer.status_code == 200
    assert merchant.verifies(answer.headers, answer.content)
    assert not merchant.verifies(answer.headers, answer.content + b" ")
    assert answer.headers["wechatpay-signature-type"] == "WECHATPAY2-SHA256-RSA2048"
    assert re.fullmatch(r"[0-9A-F]{40}-0", answer.headers["request-id"])


def test_an_empty_answer_is_signed_too(merchant: Merchant) -> None:
    number, _ = merchant.order()

    answer = merchant.post(f"/v3/pay/transactions/out-trade-no/{number}/close", {"mchid": MCHID})

    assert (answer.status_code, answer.content) == (204, b"")
    assert merchant.verifies(answer.headers, b"")


def test_a_body_over_a_megabyte_is_refused(merchant: Merchant) -> None:
    answer = merchant.send("POST", "/v3/pay/transactions/jsapi", b" " * 1_000_001)

    assert answer.status_code == 413


def test_an_unknown_path_is_not_found(merchant: Merchant) -> None:
    assert refused(merchant.get("/v3/pay/transactions/app")) == (404, "RESOURCE_NOT_EXISTS")
