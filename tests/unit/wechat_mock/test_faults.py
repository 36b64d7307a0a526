import json

import httpx
import pytest

from tests.unit.wechat_mock.calls import attempts, faults, move_clock
from tests.unit.wechat_mock.merchant import MCHID, Merchant, opened
from tests.unit.wechat_mock.receiver import Receiver, wait_for

JSAPI = "/v3/pay/transactions/jsapi"


def test_faults_are_set_as_a_whole_and_shown(wechat: httpx.Client) -> None:
    faults(wechat, signtest=0.5, paid_not_notified=True, refund_outcome="CLOSED", slow_seconds=0)
    shown = wechat.get("/_test/faults").json()
    assert shown["signtest"] == 0.5

    faults(wechat, server_error=True)

    assert wechat.get("/_test/faults").json() == {"server_error": 1.0}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("unheard_of", True),
        ("signtest", 2),
        ("signtest", "often"),
        ("paid_not_notified", 1),
        ("refund_outcome", "LOST"),
        ("slow_seconds", -1),
    ],
)
def test_a_wrong_fault_is_named(wechat: httpx.Client, name: str, value: object) -> None:
    answer = wechat.put("/_test/faults", json={name: value})

    assert (answer.status_code, answer.json()["field"]) == (400, name)


def test_a_lost_notification_comes_with_the_next_attempt(
    merchant: Merchant, wechat: httpx.Client, notify: Receiver
) -> None:
    faults(wechat, lose_notifications=True)
    merchant.paid_order()
    wait_for(lambda: attempts(wechat) == [["lost"]], "the loss")
    assert notify.received == []

    faults(wechat)
    move_clock(wechat, 16)

    notify.wait(1)
    wait_for(lambda: attempts(wechat) == [["lost", "204"]], "the second attempt")


def test_a_lost_answer_brings_the_notification_again(
    merchant: Merchant, wechat: httpx.Client, notify: Receiver
) -> None:
    faults(wechat, lose_answers=True)
    merchant.paid_order()
    notify.wait(1)
    wait_for(lambda: attempts(wechat) == [["204, answer lost"]], "the attempt")

    faults(wechat)
    move_clock(wechat, 16)

    notify.wait(2)


def test_a_duplicated_notification_comes_twice_with_one_id(
    merchant: Merchant, wechat: httpx.Client, notify: Receiver
) -> None:
    faults(wechat, duplicate_notifications=True)
    merchant.paid_order()

    first, second = notify.wait(2)

    assert json.loads(first[1])["id"] == json.loads(second[1])["id"]


def test_reordered_notifications_change_places(
    merchant: Merchant, wechat: httpx.Client, notify: Receiver
) -> None:
    faults(wechat, reorder_notifications=True)
    first = merchant.paid_order()
    second = merchant.paid_order(payer={"openid": "o-other"})

    bodies = [body for _, body in notify.wait(2)]

    assert [opened(body)["out_trade_no"] for body in bodies] == [second, first]


def test_a_delayed_notification_waits_by_the_clock_of_the_mock(
    merchant: Merchant, wechat: httpx.Client, notify: Receiver
) -> None:
    faults(wechat, delay_notifications_seconds=600)
    merchant.paid_order()
    assert attempts(wechat) == [[]]

    move_clock(wechat, 601)

    notify.wait(1)


def test_paid_but_never_told_shows_only_in_a_query(merchant: Merchant, wechat: httpx.Client) -> None:
    faults(wechat, paid_not_notified=True)

    number = merchant.paid_order()

    assert merchant.query(number)["trade_state"] == "SUCCESS"
    assert attempts(wechat) == []


def test_a_wrong_amount_stands_in_the_notification_only(
    merchant: Merchant, wechat: httpx.Client, notify: Receiver
) -> None:
    faults(wechat, wrong_amount=True)
    number = merchant.paid_order()
    merchant.refund(number)

    paid, refunded = notify.wait(2)

    assert opened(paid[1])["amount"]["total"] == 3001
    assert opened(refunded[1])["amount"]["refund"] == 3001
    assert merchant.query(number)["amount"]["total"] == 3000


def test_a_probe_of_the_signature_comes_once_and_must_be_refused(
    merchant: Merchant, wechat: httpx.Client, notify: Receiver
) -> None:
    number, prepay_id = merchant.order()
    faults(wechat, signtest=True)
    notify.answers = [401]

    probed = merchant.get(f"/v3/pay/transactions/out-trade-no/{number}?mchid={MCHID}")
    merchant.is_paid("o-patient", prepay_id)
    ((headers, body),) = notify.wait(1)

    assert probed.headers["wechatpay-signature"].startswith("WECHATPAY/SIGNTEST/")
    assert headers["wechatpay-signature"].startswith("WECHATPAY/SIGNTEST/")
    assert not merchant.verifies(probed.headers, probed.content)
    assert not merchant.verifies(headers, body)
    wait_for(lambda: attempts(wechat) == [["401"]], "the refusal")
    move_clock(wechat, 16)
    again = notify.wait(2)[1]
    assert merchant.verifies(*again)


def test_a_merchant_who_accepts_a_probe_is_found_out(
    merchant: Merchant, wechat: httpx.Client, notify: Receiver
) -> None:
    faults(wechat, signtest=True)
    merchant.paid_order()
    wait_for(lambda: attempts(wechat) == [["204"]], "the attempt")

    (told,) = wechat.get("/_test/notifications").json()["notifications"]

    assert told["attempts"][0]["note"].startswith("probe accepted")


def test_an_error_before_the_work_leaves_nothing_behind(merchant: Merchant, wechat: httpx.Client) -> None:
    body = merchant.order_body()
    faults(wechat, server_error=True)

    answer = merchant.post(JSAPI, body)

    assert (answer.status_code, answer.json()["code"]) == (500, "SYSTEM_ERROR")
    faults(wechat)
    path = f"/v3/pay/transactions/out-trade-no/{body['out_trade_no']}?mchid={MCHID}"
    assert merchant.get(path).status_code == 404


def test_an_error_after_the_work_hides_what_was_done(merchant: Merchant, wechat: httpx.Client) -> None:
    number = merchant.paid_order()
    body = merchant.refund_body(number)
    faults(wechat, server_error_after=True, refund_seconds=60)

    answer = merchant.post("/v3/refund/domestic/refunds", body)

    assert answer.status_code == 500
    faults(wechat)
    again = merchant.post("/v3/refund/domestic/refunds", body)
    assert again.status_code == 200
    assert merchant.query(number)["trade_state"] == "REFUND"


def test_too_many_requests_may_strike_one_path_only(merchant: Merchant, wechat: httpx.Client) -> None:
    faults(wechat, too_many_requests=True, only_path="/refund/")

    number = merchant.paid_order()
    answer = merchant.refund(number)

    assert (answer.status_code, answer.json()["code"]) == (429, "FREQUENCY_LIMITED")


def test_a_new_key_signs_and_a_merchant_who_knows_only_the_old_one_refuses(
    merchant: Merchant, wechat: httpx.Client, notify: Receiver
) -> None:
    faults(wechat, rotated_key=True)
    number = merchant.paid_order()

    ((headers, body),) = notify.wait(1)

    assert not merchant.verifies(headers, body)
    successors = wechat.get("/_test/keys").json()["successors"]
    assert headers["wechatpay-serial"] in successors
    merchant.names_key = headers["wechatpay-serial"]
    answer = merchant.get(f"/v3/pay/transactions/out-trade-no/{number}?mchid={MCHID}")
    assert answer.headers["wechatpay-serial"] == headers["wechatpay-serial"]


def test_the_clock_refuses_what_is_no_number(wechat: httpx.Client) -> None:
    for offset in ("x", True, None, 1e300):
        assert wechat.post("/_test/clock", json={"offset_seconds": offset}).status_code == 400
    assert wechat.post("/_test/clock", content=b"[]").status_code == 400


def test_a_forged_notification_comes_first_and_carries_the_true_ones_id(
    merchant: Merchant, wechat: httpx.Client, notify: Receiver
) -> None:
    faults(wechat, forge_notifications=True)
    merchant.paid_order()

    forged, true = notify.wait(2)[:2]

    assert json.loads(forged[1])["id"] == json.loads(true[1])["id"]
    assert not merchant.verifies(*forged)
    assert merchant.verifies(*true)
    (notice,) = wechat.get("/_test/notifications").json()["notifications"]
    assert notice["attempts"][0]["note"].startswith("forgery accepted")  # the receiver takes everything


def test_a_merchant_may_become_another_kind_while_the_mock_runs(
    merchant: Merchant, wechat: httpx.Client
) -> None:
    assert merchant.get("/v3/certificates").status_code == 404

    faults(wechat, merchant_kind="migrating")
    assert len(merchant.get("/v3/certificates").json()["data"]) == 1
    faults(wechat, merchant_kind="old")
    assert merchant.get("/v3/certificates").json()["detail"]["issue"] == "unknown"
    merchant.names_key = None
    assert merchant.get("/v3/certificates").status_code == 200

    faults(wechat)
    assert merchant.get("/v3/certificates").status_code == 400
