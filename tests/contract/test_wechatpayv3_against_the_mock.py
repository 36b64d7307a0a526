"""The mock before a client that nobody here wrote: PyPI's wechatpayv3, with a public key and with certificates."""

import gzip
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
import wechatpayv3.core
import wechatpayv3.utils
from wechatpayv3 import WeChatPay, WeChatPayType

from miniapp_mock.wechat.app import create_app
from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.serving import in_background
from miniapp_mock.wechat.settings import Reader
from tests.unit.wechat_mock.merchant import APIV3_KEY, APPID, MCHID, PUBLIC_KEY_ID, serial_of
from tests.unit.wechat_mock.receiver import Receiver, receiving
from tests.unit.wechat_mock.settings_of_a_mock import make_environment, make_keys

BY_PUBLIC_KEY, BY_CERTIFICATE = "new", "old"
WHOLE = {"refund": 3000, "total": 3000, "currency": "CNY"}


@dataclass
class Shop:
    """A merchant who uses wechatpayv3, and its surroundings."""

    pay: Any
    base: str
    http: httpx.Client
    notify: Receiver
    clock: "MovedClock"

    def order(self, number: str) -> str:
        """→ prepay_id."""
        status, text = self.pay.pay(
            description="在线复诊诊查费",
            out_trade_no=number,
            amount={"total": 3000, "currency": "CNY"},
            payer={"openid": "o-patient"},
        )
        assert status == 200, text
        prepay_id: str = json.loads(text)["prepay_id"]
        return prepay_id

    def is_paid(self, prepay_id: str) -> str:
        stamp, package = str(int(time.time())), f"prepay_id={prepay_id}"
        signature = self.pay.sign([APPID, stamp, "nonce", package])
        body = {
            "appId": APPID,
            "timeStamp": stamp,
            "nonceStr": "nonce",
            "package": package,
            "signType": "RSA",
            "paySign": signature,
        }
        result: str = self.http.post("/phone/o-patient/pay", json=body).json()["result"]
        return result

    def paid(self, number: str) -> None:
        assert self.is_paid(self.order(number)) == "requestPayment:ok"

    def told(self, count: int) -> dict[str, Any]:
        """The last of so many notifications, verified and opened by wechatpayv3; one that is told again is one."""
        arrived, different = count, dict[str, tuple[Any, Any]]()
        while len(different) < count:
            for headers, body in self.notify.wait(arrived):
                different.setdefault(json.loads(body)["id"], (headers, body))
            arrived += 1
        headers, body = list(different.values())[count - 1]
        opened = self.pay.callback(headers, body)
        assert opened, "wechatpayv3 refuses the notification"
        event: dict[str, Any] = opened
        return event

    def faults(self, **values: Any) -> None:
        assert self.http.put("/_test/faults", json=values).status_code == 200

    def is_noon(self, days: int) -> str:
        """Of the day after so many days, for both sides; → today."""
        now = datetime.now(ZoneInfo("Asia/Shanghai"))
        noon = (now + timedelta(days=days)).replace(hour=12, minute=0, second=0, microsecond=0)
        self.clock.offset = (noon - now).total_seconds()
        body = {"offset_seconds": self.clock.offset}
        assert self.http.post("/_test/clock", json=body).status_code == 200
        return now.date().isoformat()


@dataclass
class MovedClock:
    """Stands where wechatpayv3 looks for the module `time`."""

    offset: float = 0

    def time(self) -> float:
        return time.time() + self.offset


@pytest.fixture(params=[BY_PUBLIC_KEY, BY_CERTIFICATE])
def kind(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    folder.mkdir()
    make_keys(folder)
    return folder


@pytest.fixture
def shop(kind: str, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    clock = MovedClock()
    monkeypatch.setattr(wechatpayv3.utils, "time", clock)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    app = create_app(Mock.from_environment(Reader(make_environment(keys, tmp_path, kind))))
    with (
        in_background(app) as base,
        receiving() as notify,
        httpx.Client(base_url=base, trust_env=False, verify=False, timeout=20) as http,
    ):
        pay = client(base, kind, keys, notify.url, monkeypatch)
        yield Shop(pay, base, http, notify, clock)


def client(base: str, kind: str, keys: Path, notify_url: str, patch: pytest.MonkeyPatch) -> Any:
    """wechatpayv3 has no setting for the address; certificates are fetched by its constructor already."""

    class Redirected(wechatpayv3.core.Core):  # type: ignore[misc]
        _gate_way = property(lambda _: base, lambda _, __: None)

    patch.setattr(wechatpayv3.core, "Core", Redirected)
    by_public_key = kind == BY_PUBLIC_KEY
    return WeChatPay(
        wechatpay_type=WeChatPayType.MINIPROG,
        mchid=MCHID,
        private_key=(keys / "merchant.key").read_text(),
        cert_serial_no=serial_of(keys / "merchant.pem"),
        appid=APPID,
        apiv3_key=APIV3_KEY,
        notify_url=notify_url,
        public_key=(keys / "wechat.pub").read_text() if by_public_key else None,
        public_key_id=PUBLIC_KEY_ID if by_public_key else None,
    )


def answered(answer: tuple[int, str]) -> dict[str, Any]:
    status, text = answer
    assert status == 200, text
    body: dict[str, Any] = json.loads(text)
    return body


def test_an_order_lives_from_paying_to_the_bill(shop: Shop) -> None:
    shop.is_noon(days=0)
    shop.faults(refund_seconds=0)

    shop.paid("IH-ORACLE-1")

    paid = shop.told(1)
    assert paid["event_type"] == "TRANSACTION.SUCCESS"
    found = answered(shop.pay.query(out_trade_no="IH-ORACLE-1"))
    assert found == paid["resource"]
    assert found["trade_state"] == "SUCCESS"
    assert answered(shop.pay.query(transaction_id=found["transaction_id"])) == found

    asked = {"out_refund_no": "RF-ORACLE-1", "amount": WHOLE, "out_trade_no": "IH-ORACLE-1", "reason": "退号"}
    refund = answered(shop.pay.refund(**asked))
    assert answered(shop.pay.refund(**asked))["refund_id"] == refund["refund_id"]
    refunded = shop.told(2)
    assert refunded["event_type"] == "REFUND.SUCCESS"
    assert refunded["resource"]["refund_status"] == "SUCCESS"
    assert answered(shop.pay.query_refund("RF-ORACLE-1"))["status"] == "SUCCESS"
    assert answered(shop.pay.query(out_trade_no="IH-ORACLE-1"))["trade_state"] == "REFUND"

    prepay_id = shop.order("IH-ORACLE-2")
    assert shop.pay.close("IH-ORACLE-2")[0] == 204
    assert answered(shop.pay.query(out_trade_no="IH-ORACLE-2"))["trade_state"] == "CLOSED"
    assert shop.is_paid(prepay_id).startswith("requestPayment:fail")

    day = shop.is_noon(days=1)
    for link in (answered(shop.pay.trade_bill(day)), answered(shop.pay.fundflow_bill(day))):
        status, zipped = shop.pay.download_bill(link["download_url"])
        assert status == 200
        bill = gzip.decompress(zipped)
        assert hashlib.sha1(bill).hexdigest() == link["hash_value"]
        assert b"IH-ORACLE-1" in bill
        assert b"RF-ORACLE-1" in bill
        assert b"IH-ORACLE-2" not in bill


def test_what_is_refused_is_refused_for_wechatpayv3_too(shop: Shop) -> None:
    shop.paid("IH-ORACLE-3")
    asked = {"out_refund_no": "RF-ORACLE-3", "out_trade_no": "IH-ORACLE-3"}

    assert shop.pay.query(out_trade_no="IH-NOTHING")[0] == 404
    assert shop.pay.close("IH-ORACLE-3")[0] == 400
    assert shop.pay.refund(amount=WHOLE | {"refund": 3001}, **asked)[0] == 400


@pytest.mark.filterwarnings("ignore:Properties that return a na")  # wechatpayv3 asks cryptography the old way
def test_an_abnormal_refund_goes_to_a_card_with_encrypted_fields(shop: Shop) -> None:
    shop.faults(refund_outcome="ABNORMAL", refund_seconds=0)
    shop.paid("IH-ORACLE-4")
    refund = answered(shop.pay.refund(out_refund_no="RF-ORACLE-4", out_trade_no="IH-ORACLE-4", amount=WHOLE))
    assert shop.told(2)["event_type"] == "REFUND.ABNORMAL"

    again = answered(
        shop.pay.abnormal_refund(
            refund_id=refund["refund_id"],
            out_refund_no="RF-ORACLE-4",
            type="USER_BANK_CARD",
            bank_type="ICBC_DEBIT",
            bank_account="6200000000000009999",
            real_name="林秀兰",
        )
    )

    assert again["status"] == "PROCESSING"
    assert again["user_received_account"] == "用户银行卡(9999)"
    assert shop.told(3)["event_type"] == "REFUND.SUCCESS"


def test_wechatpayv3_refuses_a_probe_and_a_notification_that_was_changed(shop: Shop) -> None:
    shop.paid("IH-ORACLE-5")
    headers, body = shop.notify.wait(1)[0]
    changed = body.replace(b"TRANSACTION.SUCCESS", b"TRANSACTION.success")

    assert shop.pay.callback(headers, changed) is None
    shop.faults(signtest=True)
    with pytest.raises(Exception, match="failed to verify the signature"):
        shop.pay.query(out_trade_no="IH-ORACLE-5")


@pytest.mark.parametrize("kind", [BY_CERTIFICATE])
def test_wechatpayv3_follows_a_certificate_that_changes(shop: Shop) -> None:
    shop.paid("IH-ORACLE-6")
    shop.faults(rotated_key=True)

    assert answered(shop.pay.query(out_trade_no="IH-ORACLE-6"))["trade_state"] == "SUCCESS"


def test_wechatpayv3_with_another_key_is_turned_away(
    shop: Shop, kind: str, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (keys / "merchant.key").write_bytes((keys / "wechat.key").read_bytes())
    if kind == BY_CERTIFICATE:
        with pytest.raises(Exception, match="No wechatpay platform certificate"):
            client(shop.base, kind, keys, shop.notify.url, monkeypatch)
        return

    stranger = client(shop.base, kind, keys, shop.notify.url, monkeypatch)

    status, text = stranger.query(out_trade_no="IH-ORACLE-7")
    assert (status, json.loads(text)["code"]) == (401, "SIGN_ERROR")


def test_wechatpayv3_refuses_a_forgery_and_takes_the_true_notification_behind_it(shop: Shop) -> None:
    shop.faults(forge_notifications=True)
    shop.paid("IH-ORACLE-8")
    forged, true = shop.notify.wait(2)[:2]

    assert shop.pay.callback(*forged) is None
    assert shop.pay.callback(*true)["resource"]["out_trade_no"] == "IH-ORACLE-8"


def test_an_abnormal_refund_may_go_to_the_merchants_own_account(shop: Shop) -> None:
    shop.faults(refund_outcome="ABNORMAL", refund_seconds=0)
    shop.paid("IH-ORACLE-9")
    refund = answered(shop.pay.refund(out_refund_no="RF-ORACLE-9", out_trade_no="IH-ORACLE-9", amount=WHOLE))
    assert shop.told(2)["event_type"] == "REFUND.ABNORMAL"
    asked = {"refund_id": refund["refund_id"], "out_refund_no": "RF-ORACLE-9", "type": "MERCHANT_BANK_CARD"}

    assert answered(shop.pay.abnormal_refund(**asked))["status"] == "PROCESSING"
    assert shop.told(3)["event_type"] == "REFUND.SUCCESS"
    assert shop.pay.abnormal_refund(**asked)[0] == 400


def test_a_bill_that_is_late_missing_or_damaged_is_seen_by_wechatpayv3_too(shop: Shop) -> None:
    shop.is_noon(days=0)
    shop.paid("IH-ORACLE-10")
    day = shop.is_noon(days=1)

    shop.faults(bill_creating=True)
    early = shop.pay.trade_bill(day)
    shop.faults(bill_missing=True)
    missing = shop.pay.fundflow_bill(day)
    shop.faults(bill_damaged=True)
    link = answered(shop.pay.trade_bill(day, bill_type="ALL"))
    content = gzip.decompress(shop.pay.download_bill(link["download_url"])[1])

    assert (early[0], json.loads(early[1])["code"]) == (400, "STATEMENT_CREATING")
    assert (missing[0], json.loads(missing[1])["code"]) == (400, "NO_STATEMENT_EXIST")
    assert hashlib.sha1(content).hexdigest() != link["hash_value"]


@pytest.mark.parametrize("kind", [BY_PUBLIC_KEY])
def test_in_public_key_mode_answers_keep_to_the_named_key_and_notifications_do_not(shop: Shop) -> None:
    shop.faults(rotated_key=True)
    shop.paid("IH-ORACLE-11")

    assert answered(shop.pay.query(out_trade_no="IH-ORACLE-11"))["trade_state"] == "SUCCESS"
    headers, body = shop.notify.wait(1)[0]
    assert headers["wechatpay-serial"] != PUBLIC_KEY_ID
    assert shop.pay.callback(headers, body) is None
