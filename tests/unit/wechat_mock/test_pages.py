import re

import httpx
import pytest

from tests.unit.wechat_mock.calls import consent, inbox, login_code, post, send_template, session, subscribe
from tests.unit.wechat_mock.merchant import APPID, Merchant
from tests.unit.wechat_mock.settings_of_a_mock import FRONT

BACK = f"{FRONT}/pay/1?tab=2"
ELSEWHERE = [
    "https://example.org/",
    "//example.org/",
    "http://127.0.0.1:8000.example.org/",
    "http://127.0.0.1:8000@example.org/",
    "http://127.0.0.1:80000/",
    "http://127.0.0.1:8001/",
    "https://127.0.0.1:8000/",
    "http://127.0.0.1:8000\\@example.org/",
    "javascript:alert(1)",
    "/local",
    "",
]


def location(answer: httpx.Response) -> httpx.URL:
    assert answer.status_code == 303, answer.text
    return httpx.URL(answer.headers["location"])


def cashier(wechat: httpx.Client, prepay_id: str, back: str = BACK, **more: str) -> httpx.Response:
    return wechat.get(f"/cashier/{prepay_id}", params={"return": back} | more)


def test_the_front_page_lists_the_phones_by_part(wechat: httpx.Client) -> None:
    page = wechat.get("/phone").text

    assert re.findall(r"<summary>(\w+)", page) == ["患者", "医生", "药师"]
    assert "林秀兰" in page
    assert location(wechat.get("/")).path == "/phone"


def test_choosing_a_phone_is_remembered_by_this_browser(wechat: httpx.Client) -> None:
    asked = {"redirect_uri": f"{FRONT}/login", "state": "s1"}
    to_choose = location(wechat.get("/authorize", params=asked))
    assert to_choose.path == "/phone"

    back = location(wechat.get("/phone/o-patient/use", params={"next": to_choose.params["next"]}))
    there = location(wechat.get(str(back)))

    assert (there.host, there.port, there.path) == ("127.0.0.1", 8000, "/login")
    assert there.params["state"] == "s1"
    assert session(wechat, there.params["code"])["openid"] == "o-patient"


@pytest.mark.parametrize("following", ["https://example.org", "//example.org", "/\\example.org", "x"])
def test_choosing_a_phone_leads_nowhere_else(wechat: httpx.Client, following: str) -> None:
    answer = wechat.get("/phone/o-patient/use", params={"next": following})

    assert answer.headers["location"] == "/phone/o-patient"


@pytest.mark.parametrize("address", ELSEWHERE)
def test_nobody_is_sent_to_another_place_than_the_front(
    wechat: httpx.Client, merchant: Merchant, address: str
) -> None:
    wechat.get("/phone/o-patient/use")
    _, prepay_id = merchant.order()

    for path in ("/authorize", "/authorize-phone", "/consent"):
        query = {"redirect_uri": address, "template_ids": "TPL_SHIPPED"}
        assert wechat.get(path, params=query).status_code == 400, path
        if path != "/authorize":
            assert wechat.post(path, data=query | {"decision": "allow"}).status_code == 400, path
    assert cashier(wechat, prepay_id, address).status_code == 400
    form = {"return": address, "decision": "pay"}
    assert wechat.post(f"/cashier/{prepay_id}", data=form).status_code == 400


def test_the_web_authorisation_checks_its_parameters(wechat: httpx.Client) -> None:
    wechat.get("/phone/o-patient/use")
    good = {
        "appid": APPID, "redirect_uri": f"{FRONT}/x", "response_type": "code", "scope": "snsapi_base",
    }  # fmt: skip

    assert wechat.get("/connect/oauth2/authorize", params=good).status_code == 303
    for change in ({"appid": "wx-other"}, {"response_type": "token"}, {"scope": "snsapi_userinfo"}):
        assert wechat.get("/connect/oauth2/authorize", params=good | change).status_code == 400


def test_the_number_is_given_by_a_tap_only(wechat: httpx.Client) -> None:
    wechat.get("/phone/o-patient/use")
    asked = {"redirect_uri": f"{FRONT}/bind", "state": "s"}
    page = wechat.get("/authorize-phone", params=asked)
    assert "199****0001" in page.text
    assert "19900000001" not in page.text

    allowed = location(wechat.post("/authorize-phone", data=asked | {"decision": "allow"}))
    denied = location(wechat.post("/authorize-phone", data=asked | {"decision": "deny"}))

    code = allowed.params["phone_code"]
    assert allowed.params["state"] == "s"
    found = post(wechat, "/wxa/business/getuserphonenumber", {"code": code})
    assert found["phone_info"]["phoneNumber"] == "19900000001"
    assert "phone_code" not in denied.params
    assert denied.params["errMsg"] == "getPhoneNumber:fail user deny"


def test_consent_is_given_for_what_is_ticked(wechat: httpx.Client) -> None:
    wechat.get("/phone/o-patient/use")
    asked = {"template_ids": "TPL_VISIT_ACCEPTED,TPL_SHIPPED", "redirect_uri": f"{FRONT}/x"}
    page = wechat.get("/consent", params=asked)
    assert page.text.count('type="checkbox"') == 2

    form = {"redirect_uri": f"{FRONT}/x", "decision": "allow", "accept": ["TPL_VISIT_ACCEPTED"]}
    back = location(wechat.post("/consent", data=form))

    assert back.params["accepted"] == "TPL_VISIT_ACCEPTED"
    assert subscribe(wechat)["errcode"] == 0
    denied = location(wechat.post("/consent", data=form | {"decision": "deny"}))
    assert denied.params["accepted"] == ""
    assert subscribe(wechat)["errcode"] == 43101


def test_asking_consent_for_nothing_known_returns_at_once(wechat: httpx.Client) -> None:
    wechat.get("/phone/o-patient/use")
    asked = {"template_ids": "TPL_NONE", "redirect_uri": f"{FRONT}/x"}

    assert (
        location(wechat.get("/consent", params=asked))
        .params["errMsg"]
        .startswith("requestSubscribeMessage:fail")
    )


def test_the_cashier_shows_what_is_paid_and_returns_with_the_result(
    wechat: httpx.Client, merchant: Merchant
) -> None:
    wechat.get("/phone/o-patient/use")
    number, prepay_id = merchant.order()
    page = cashier(wechat, prepay_id)
    assert "模拟收银台 · 不产生真实扣款" in page.text
    assert "30.00" in page.text

    cancelled = location(wechat.post(f"/cashier/{prepay_id}", data={"return": BACK, "decision": "cancel"}))
    assert cancelled.params["result"] == "requestPayment:fail cancel"
    assert merchant.query(number)["trade_state"] == "NOTPAY"
    paid = location(wechat.post(f"/cashier/{prepay_id}", data={"return": BACK, "decision": "pay"}))

    assert paid.params["result"] == "requestPayment:ok"
    assert paid.params["tab"] == "2"
    assert merchant.query(number)["trade_state"] == "SUCCESS"
    again = location(wechat.post(f"/cashier/{prepay_id}", data={"return": BACK, "decision": "pay"}))
    assert again.params["result"].startswith("requestPayment:fail 订单已支付")


def test_the_cashier_asks_whose_phone_it_is_and_refuses_another(
    wechat: httpx.Client, merchant: Merchant
) -> None:
    number, prepay_id = merchant.order()
    assert location(cashier(wechat, prepay_id)).path == "/phone"

    wechat.get("/phone/o-other/use")

    assert "下单的微信与当前微信不是同一个" in cashier(wechat, prepay_id).text
    wechat.post(f"/cashier/{prepay_id}", data={"return": BACK, "decision": "pay"})
    assert merchant.query(number)["trade_state"] == "NOTPAY"
    assert "没有这笔订单" in cashier(wechat, "wx-none").text


def test_a_cashier_called_with_wechats_five_values_checks_the_merchants_signature(
    wechat: httpx.Client, merchant: Merchant
) -> None:
    wechat.get("/phone/o-patient/use")
    number, prepay_id = merchant.order()
    values = merchant.invocation(prepay_id)
    del values["package"]

    assert "支付验证签名失败" in cashier(wechat, prepay_id, **values | {"paySign": "AAAA"}).text
    form = {"return": BACK, "decision": "pay"}
    failed = location(wechat.post(f"/cashier/{prepay_id}", data=form | values | {"nonceStr": "x"}))
    assert failed.params["result"] == "requestPayment:fail 支付验证签名失败"
    page = cashier(wechat, prepay_id, **values).text
    assert 'name="paySign"' in page
    wechat.post(f"/cashier/{prepay_id}", data=form | values)
    assert merchant.query(number)["trade_state"] == "SUCCESS"


def test_the_same_amount_within_a_minute_is_asked_about(wechat: httpx.Client, merchant: Merchant) -> None:
    wechat.get("/phone/o-patient/use")
    _, prepay_id = merchant.order()
    assert "重复付款" not in cashier(wechat, prepay_id).text

    merchant.paid_order()

    assert "重复付款" in cashier(wechat, prepay_id).text


def test_a_message_opens_where_it_leads_and_makes_this_the_current_phone(wechat: httpx.Client) -> None:
    consent(wechat)
    subscribe(wechat)
    (message,) = inbox(wechat)
    assert "医生已接诊" in wechat.get("/phone/o-patient").text

    there = location(wechat.get(f"/phone/o-patient/messages/{message['id']}/open"))

    assert str(there) == f"{FRONT}/visits/018f?from=notice"
    assert inbox(wechat)[0]["read"] is True
    code = location(wechat.get("/authorize", params={"redirect_uri": f"{FRONT}/x"})).params["code"]
    assert session(wechat, code)["openid"] == "o-patient"
    assert wechat.get(f"/phone/o-other/messages/{message['id']}/open").status_code == 404


def test_the_icon_opens_the_mini_program(wechat: httpx.Client) -> None:
    assert str(location(wechat.get("/phone/o-patient/open"))) == f"{FRONT}/"


def test_money_shows_on_the_phone(wechat: httpx.Client, merchant: Merchant) -> None:
    merchant.paid_order()

    page = wechat.get("/phone/o-patient").text

    assert "支付成功" in page
    assert "¥30.00" in page


def test_every_page_is_strict_about_what_runs_in_it(wechat: httpx.Client, merchant: Merchant) -> None:
    wechat.get("/phone/o-patient/use")
    _, prepay_id = merchant.order()
    pages = [
        wechat.get("/phone"),
        wechat.get("/phone/o-patient"),
        wechat.get("/console"),
        wechat.get("/authorize-phone", params={"redirect_uri": FRONT}),
        wechat.get("/consent", params={"redirect_uri": FRONT, "template_ids": "TPL_SHIPPED"}),
        cashier(wechat, prepay_id),
    ]

    for page in pages:
        assert page.status_code == 200
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert f"form-action 'self' {FRONT};" in policy
        assert not re.search(r"<style|style=|<script(?! src=)| on\w+=", page.text)
        assert wechat.get(re.findall(r'href="(/static/\w+\.css)"', page.text)[0]).status_code == 200


def test_what_somebody_wrote_stays_text(wechat: httpx.Client, merchant: Merchant) -> None:
    wechat.get("/phone/o-patient/use")
    _, prepay_id = merchant.order(description="<b>费用</b>")

    assert "&lt;b&gt;费用&lt;/b&gt;" in cashier(wechat, prepay_id).text


def test_another_sites_form_is_refused(wechat: httpx.Client, merchant: Merchant) -> None:
    wechat.get("/phone/o-patient/use")
    number, prepay_id = merchant.order()
    foreign = {"sec-fetch-site": "cross-site"}

    answer = wechat.post(f"/cashier/{prepay_id}", data={"return": BACK, "decision": "pay"}, headers=foreign)

    assert answer.status_code == 403
    assert wechat.post("/console/faults", data={}, headers=foreign).status_code == 403
    assert merchant.query(number)["trade_state"] == "NOTPAY"


def test_the_console_shows_what_happened_and_turns_switches(wechat: httpx.Client, merchant: Merchant) -> None:
    number = merchant.paid_order()
    form = {"signtest": "0.5", "paid_not_notified": "on", "refund_outcome": "CLOSED", "slow_seconds": ""}

    assert location(wechat.post("/console/faults", data=form)).path == "/console"

    assert wechat.get("/_test/faults").json() == {
        "signtest": 0.5, "paid_not_notified": True, "refund_outcome": "CLOSED",
    }  # fmt: skip
    page = wechat.get("/console").text
    assert number in page
    assert "TRANSACTION.SUCCESS" in page
    assert wechat.post("/console/faults", data={"signtest": "often"}).status_code == 400
    wechat.post("/console/faults", data={})
    assert wechat.get("/_test/faults").json() == {}


def test_the_console_sends_a_notification_again(wechat: httpx.Client, merchant: Merchant) -> None:
    merchant.paid_order()
    (told,) = wechat.get("/_test/notifications").json()["notifications"]

    assert location(wechat.post(f"/console/notifications/{told['id']}/again")).path == "/console"
    assert wechat.post("/console/notifications/none/again").status_code == 404


def test_a_login_code_of_one_phone_is_not_anothers(wechat: httpx.Client) -> None:
    assert session(wechat, login_code(wechat, "o-other"))["openid"] == "o-other"


def test_the_crowd_of_load_tests_has_phones_that_no_page_offers(wechat: httpx.Client) -> None:
    assert session(wechat, login_code(wechat, "o-crowd"))["openid"] == "o-crowd"
    assert "龚一" not in wechat.get("/phone").text
    assert send_template(wechat, touser="o-crowd")["errcode"] == 43004
