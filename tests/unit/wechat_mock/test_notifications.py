import json

import httpx
import pytest

from miniapp_mock.wechat.pay.notifications import REPEATS
from tests.unit.wechat_mock.calls import attempts, faults, move_clock
from tests.unit.wechat_mock.merchant import MCHID, Merchant, opened
from tests.unit.wechat_mock.receiver import Receiver, receiving, wait_for

SCHEDULE = "15s/15s/30s/3m/10m/20m/30m/30m/30m/60m/3h/3h/3h/6h/6h"


def test_a_payment_is_told_signed_and_encrypted(merchant: Merchant, notify: Receiver) -> None:
    number = merchant.paid_order(attach="visit-1")

    ((headers, body),) = notify.wait(1)

    assert merchant.verifies(headers, body)
    event = json.loads(body)
    assert event["event_type"] == "TRANSACTION.SUCCESS"
    assert event["resource_type"] == "encrypt-resource"
    assert event["resource"]["original_type"] == "transaction"
    assert event["resource"]["algorithm"] == "AEAD_AES_256_GCM"
    assert len(event["id"]) <= 36
    assert event["create_time"].endswith("+08:00")
    assert opened(body) == merchant.query(number)


def test_a_refund_is_told_with_its_own_words(
    merchant: Merchant, wechat: httpx.Client, notify: Receiver
) -> None:
    faults(wechat, refund_seconds=0)
    number = merchant.paid_order()
    refund = merchant.refund(number).json()

    headers, body = notify.told("REFUND.SUCCESS")

    assert merchant.verifies(headers, body)
    assert json.loads(body)["resource"]["original_type"] == "refund"
    plain = opened(body)
    assert plain["refund_status"] == "SUCCESS"
    assert "status" not in plain
    assert (plain["mchid"], plain["out_trade_no"]) == (MCHID, number)
    assert plain["refund_id"] == refund["refund_id"]
    assert plain["amount"] == {"total": 3000, "refund": 3000, "payer_total": 3000, "payer_refund": 3000}


@pytest.mark.parametrize("outcome", ["ABNORMAL", "CLOSED"])
def test_a_refund_that_fails_is_told_too(
    merchant: Merchant, wechat: httpx.Client, notify: Receiver, outcome: str
) -> None:
    faults(wechat, refund_outcome=outcome, refund_seconds=0)
    merchant.refund(merchant.paid_order())

    _, body = notify.told(f"REFUND.{outcome}")

    assert opened(body)["refund_status"] == outcome
    assert "success_time" not in opened(body)


def test_a_refund_without_an_address_is_told_to_nobody(
    merchant: Merchant, wechat: httpx.Client, notify: Receiver
) -> None:
    body = merchant.refund_body(merchant.paid_order())
    del body["notify_url"]
    merchant.post("/v3/refund/domestic/refunds", body)
    path = f"/v3/refund/domestic/refunds/{body['out_refund_no']}"
    wait_for(lambda: merchant.get(path).json()["status"] == "SUCCESS", "the refund")

    assert len(attempts(wechat)) == 1


def test_the_schedule_is_the_documented_one() -> None:
    units = {"s": 1, "m": 60, "h": 3600}

    assert [float(pause[:-1]) * units[pause[-1]] for pause in SCHEDULE.split("/")] == list(REPEATS)
    assert sum(REPEATS) == 24 * 3600 + 4 * 60


def test_what_is_not_accepted_comes_again_until_the_schedule_ends(
    merchant: Merchant, wechat: httpx.Client, notify: Receiver
) -> None:
    notify.answer = 500
    merchant.paid_order()

    offset = 0.0
    for n, pause in enumerate(REPEATS, start=1):
        notify.wait(n)
        wait_for(lambda n=n: len(attempts(wechat)[0]) == n, f"attempt {n} is recorded")  # type: ignore[misc]
        offset += pause + 1
        move_clock(wechat, offset)
    notify.wait(len(REPEATS) + 1)

    wait_for(lambda: len(attempts(wechat)[0]) == len(REPEATS) + 1, "the last attempt is recorded")
    (told,) = wechat.get("/_test/notifications").json()["notifications"]
    assert told["next_at"] is None
    assert told["accepted"] is False
    bodies = [json.loads(body) for _, body in notify.received]
    assert len({body["id"] for body in bodies}) == 1
    assert len({body["resource"]["nonce"] for body in bodies}) == len(bodies)


def test_a_moment_before_its_time_nothing_comes(
    merchant: Merchant, wechat: httpx.Client, notify: Receiver
) -> None:
    notify.answers = [500]
    number = merchant.paid_order()
    wait_for(lambda: attempts(wechat) == [["500"]], "the first attempt")

    move_clock(wechat, 13)
    merchant.seconds_off = 13
    merchant.paid_order(payer={"openid": "o-other"})  # delivered, so the worker has looked
    wait_for(lambda: attempts(wechat)[0] == ["204"], "the other notification")

    assert attempts(wechat, number) == [["500"]]
    move_clock(wechat, 16)
    wait_for(lambda: attempts(wechat, number) == [["500", "204"]], "the second attempt")


@pytest.mark.parametrize("status", [200, 204])
def test_200_and_204_are_acceptance(
    merchant: Merchant, wechat: httpx.Client, notify: Receiver, status: int
) -> None:
    notify.answer = status
    merchant.paid_order()
    wait_for(lambda: attempts(wechat) == [[str(status)]], "the attempt")

    told = wait_for(lambda: _accepted(wechat), "acceptance")

    assert told["next_at"] is None


@pytest.mark.parametrize("status", [201, 302, 401, 503])
def test_anything_else_is_not(
    merchant: Merchant, wechat: httpx.Client, notify: Receiver, status: int
) -> None:
    notify.answers = [status]
    merchant.paid_order()
    wait_for(lambda: attempts(wechat) == [[str(status)]], "the attempt")

    move_clock(wechat, 20)

    assert wait_for(lambda: _accepted(wechat), "acceptance of the second attempt")


def test_a_merchant_who_is_not_there_is_tried_again(
    merchant: Merchant, wechat: httpx.Client, notify: Receiver
) -> None:
    with receiving() as gone:
        address = gone.url
    number = merchant.paid_order(notify_url=address)

    wait_for(lambda: attempts(wechat) != [[]] and attempts(wechat), "the attempt")

    assert attempts(wechat)[0][0].startswith("failed: ")
    assert merchant.query(number)["trade_state"] == "SUCCESS"


def test_a_tester_can_ask_for_one_more(merchant: Merchant, wechat: httpx.Client, notify: Receiver) -> None:
    merchant.paid_order()
    told = wait_for(lambda: _accepted(wechat), "acceptance")

    assert wechat.post(f"/_test/notifications/{told['id']}/again").status_code == 204
    assert wechat.post("/_test/notifications/none/again").status_code == 404

    notify.wait(2)
    assert json.loads(notify.received[0][1])["id"] == json.loads(notify.received[1][1])["id"]


def _accepted(wechat: httpx.Client) -> dict[str, str | None] | None:
    (told,) = wechat.get("/_test/notifications").json()["notifications"]
    return told if told["accepted"] else None
