"""The pages on the phone: authorising, and the insurance cashier."""

import httpx
import pytest

from tests.unit.wechat_mock.insurance import Insurance
from tests.unit.wechat_mock.merchant import APPID, Merchant
from tests.unit.wechat_mock.settings_of_a_mock import FRONT

BACK = f"{FRONT}/payments/1/insurance/return?state=s1"
ASKED = {
    "authType": "2", "isDepart": "2", "bizType": "04107", "appid": APPID, "cityCode": "310100", "channel": "CH",
    "orgChnlCrtfCodg": "OC", "orgCodg": "H31011400001", "orgAppId": "OA", "redirectUrl": BACK,
}  # fmt: skip


@pytest.fixture
def insurance(merchant: Merchant) -> Insurance:
    return Insurance(merchant)


@pytest.fixture
def phone(wechat: httpx.Client) -> httpx.Client:
    """The browser plays the patient's phone."""
    wechat.cookies.set("wechat_mock_phone", "o-patient")
    return wechat


def location(answer: httpx.Response) -> httpx.URL:
    assert answer.status_code == 303, answer.text
    return httpx.URL(answer.headers["location"])


def test_the_page_says_that_it_is_no_real_insurance_and_who_authorises(phone: httpx.Client) -> None:
    page = phone.get("/oauth/code", params=ASKED).text

    assert "模拟医保授权 · 不是真实医保" in page
    assert "**兰" in page
    assert "林秀兰" not in page.split("当前手机")[0]


def test_agreeing_leads_back_with_a_code_and_refusing_without(
    phone: httpx.Client, insurance: Insurance
) -> None:
    agreed = location(phone.post("/oauth/code", data={"redirectUrl": BACK, "decision": "allow"}))
    refused = location(phone.post("/oauth/code", data={"redirectUrl": BACK, "decision": "deny"}))

    assert (agreed.params["retCode"], agreed.params["state"]) == ("0", "s1")
    assert insurance.user_query(agreed.params["authCode"])["pay_auth_no"].startswith("AUTH")
    assert refused.params["retCode"] == "-1"
    assert "authCode" not in refused.params


def test_who_is_not_bound_is_told_so(phone: httpx.Client) -> None:
    phone.cookies.set("wechat_mock_phone", "o-crowd")

    page = phone.get("/oauth/code", params=ASKED).text

    assert "没有绑定医保电子凭证" in page
    assert "同意授权" not in page


@pytest.mark.parametrize(
    "changes", [{"redirectUrl": "https://example.org/"}, {"bizType": ""}, {"orgCodg": ""}]
)
def test_a_page_that_was_called_wrongly_asks_nothing(phone: httpx.Client, changes: dict[str, str]) -> None:
    answer = phone.get("/oauth/code", params=ASKED | changes)

    assert answer.status_code == 400
    assert "同意授权" not in answer.text


def test_the_cashier_shows_the_split_and_pays(phone: httpx.Client, insurance: Insurance) -> None:
    order = insurance.placed()
    address = f"/med-ins-cashier/{order['mix_trade_no']}"
    signed = insurance.merchant.invocation(order["prepay_id"])

    page = phone.get(address, params={"return": BACK} | signed).text
    assert all(words in page for words in ("医保统筹", "¥20.32", "个人账户", "¥8.00", "微信自费", "¥6.73"))
    assert "不产生真实扣款" in page

    left = location(phone.post(address, data={"return": BACK, "decision": "cancel"} | signed))
    assert left.params["result"] == "requestMedicalInsurancePay:fail cancel"
    paid = location(phone.post(address, data={"return": BACK, "decision": "pay"} | signed))
    assert paid.params["result"] == "requestMedicalInsurancePay:ok"
    assert insurance.states(order)[0] == "MIX_PAY_SUCCESS"


def test_the_cashier_does_not_take_a_cash_part_that_nobody_signed(
    phone: httpx.Client, insurance: Insurance
) -> None:
    order = insurance.placed()
    address = f"/med-ins-cashier/{order['mix_trade_no']}"

    assert "缺少参数" in phone.get(address, params={"return": BACK}).text
    wrong = insurance.merchant.invocation(order["prepay_id"]) | {"paySign": "AAAA"}
    answer = location(phone.post(address, data={"return": BACK, "decision": "pay"} | wrong))

    assert answer.params["result"] == "requestMedicalInsurancePay:fail 支付验证签名失败"
    assert insurance.states(order)[0] == "MIX_PAY_CREATED"
