"""The backend's own client of WeChat Pay: before the mock, and before the written samples of both sides' words."""

import base64
import gzip
import hashlib
import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

from backend.outside.wechat_pay import BillNotReady, PayRefused, WeChatPay
from backend.outside.wechat_pay_crypto import NotWeChat
from backend.outside.wechat_pay_troubles import NotBelieved
from foundation.errors import Unavailable
from tests.builders.paying import client_of
from tests.contract.started import wait_until
from tests.contract.test_wechat_pay_samples import NOTIFICATIONS, SAMPLES, VALUES, Case, filled, name_of, read
from tests.database import MORNING, SharedClock, moves_on
from tests.town import Town
from tests.unit.outside import test_wechat_pay_bills as bills
from tests.unit.wechat_mock.merchant import APIV3_KEY, PUBLIC_KEY_ID, private_key
from tests.unit.wechat_mock.receiver import Receiver, receiving

pytestmark = pytest.mark.anyio

EXAMPLES = {name: str(one["example"]) for name, one in VALUES.items()}
EXPIRES = MORNING + timedelta(minutes=10)


def a_client(town: Town, clock: SharedClock, *, key: str = "merchant.key", base_url: str = "") -> WeChatPay:
    """In public-key mode; it does not pause before it asks again."""
    return client_of(town.keys, clock, base_url or town.wechat, key=key)


@pytest.fixture
async def pay(town: Town, clock: SharedClock, wechat: httpx.AsyncClient) -> AsyncIterator[WeChatPay]:
    client = a_client(town, clock)
    yield client
    await client.close()


async def ordered(
    pay: WeChatPay, number: str = "IH000001", *, amount: int = 3000, notify: str = "http://127.0.0.1:9/n"
) -> str:
    return await pay.order(
        out_trade_no=number, amount=amount, description="互联网复诊诊查费", openid="o-patient", notify_url=notify,
        expires=EXPIRES,
    )  # fmt: skip


async def paid(pay: WeChatPay, wechat: httpx.AsyncClient, number: str = "IH000001", **more: Any) -> None:
    invoked = pay.invoke(await ordered(pay, number, **more))
    answer = await wechat.post("/phone/o-patient/pay", json=invoked)
    assert answer.json()["result"] == "requestPayment:ok", answer.text


async def refunded(pay: WeChatPay, number: str = "IH000001", refund: str = "RF-1", amount: int = 3000) -> Any:
    return await pay.refund(
        out_trade_no=number, out_refund_no=refund, refund=amount, total=3000, reason="医生未接诊",
        notify_url="http://127.0.0.1:9/n",
    )  # fmt: skip


# Before the mock


async def test_an_order_is_placed_paid_and_found(pay: WeChatPay, wechat: httpx.AsyncClient) -> None:
    await ordered(pay, "IH000000")
    waiting = await pay.query("IH000000")
    await paid(pay, wechat)
    found = await pay.query("IH000001")

    assert waiting is not None
    assert (waiting.trade_state, waiting.transaction_id) == ("NOTPAY", "")
    assert found is not None
    assert (found.trade_state, found.amount.total, found.out_trade_no) == ("SUCCESS", 3000, "IH000001")
    assert found.success_time is not None
    assert found.transaction_id


async def test_the_same_order_again_is_the_same_order_and_another_amount_is_refused(
    pay: WeChatPay, wechat: httpx.AsyncClient
) -> None:
    await ordered(pay)
    await paid(pay, wechat)

    with pytest.raises(PayRefused) as again:
        await ordered(pay)
    assert again.value.code == "orderpaid"

    await ordered(pay, "IH000005")
    with pytest.raises(PayRefused) as refused:
        await ordered(pay, "IH000005", amount=1)
    assert refused.value.status == 502


async def test_an_order_nobody_placed_is_unknown(pay: WeChatPay) -> None:
    assert await pay.query("IH-NOTHING-1") is None
    assert await pay.query_refund("RF-NOTHING") is None


async def test_an_order_expires_when_the_hold_does(
    pay: WeChatPay, wechat: httpx.AsyncClient, clock: SharedClock
) -> None:
    invoked = pay.invoke(await ordered(pay))
    moves_on(clock, minutes=11)

    answer = await wechat.post("/phone/o-patient/pay", json=invoked)

    assert answer.json()["result"].startswith("requestPayment:fail")


async def test_an_unpaid_order_is_closed_and_a_paid_one_is_not(
    pay: WeChatPay, wechat: httpx.AsyncClient
) -> None:
    await ordered(pay, "IH000002")
    await pay.close_order("IH000002")
    closed = await pay.query("IH000002")
    assert closed is not None
    assert closed.trade_state == "CLOSED"

    await paid(pay, wechat)
    with pytest.raises(PayRefused) as refused:
        await pay.close_order("IH000001")
    assert refused.value.code == "orderpaid"


async def test_a_refund_is_accepted_and_arrives(
    pay: WeChatPay, wechat: httpx.AsyncClient, town: Town
) -> None:
    town.wechat_faults(refund_seconds=0)
    await paid(pay, wechat)

    accepted = await refunded(pay)

    assert (accepted.status, accepted.out_refund_no, accepted.amount.refund) == ("PROCESSING", "RF-1", 3000)

    for _ in range(500):
        found = await pay.query_refund("RF-1")
        if found is not None and found.status == "SUCCESS":
            break
    assert found is not None
    assert (found.status, found.refund_id) == ("SUCCESS", accepted.refund_id)
    order = await pay.query("IH000001")
    assert order is not None
    assert order.trade_state == "REFUND"


async def test_more_than_was_paid_does_not_go_back(pay: WeChatPay, wechat: httpx.AsyncClient) -> None:
    await paid(pay, wechat)

    with pytest.raises(PayRefused):
        await refunded(pay, amount=3001)


async def test_a_notification_is_verified_and_opened(
    pay: WeChatPay, wechat: httpx.AsyncClient, receiver: Receiver
) -> None:
    await paid(pay, wechat, notify=receiver.url)
    wait_until(lambda: len(receiver.received) >= 1, "the notification")
    headers, body = receiver.received[0]

    notification, hint = await pay.open_notification(headers, body)

    assert (notification.event_type, hint.out_trade_no, hint.out_refund_no) == (
        "TRANSACTION.SUCCESS",
        "IH000001",
        "",
    )


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    with receiving() as opened:
        yield opened


async def test_a_notification_that_was_changed_is_refused_whatever_was_changed(
    pay: WeChatPay, wechat: httpx.AsyncClient, receiver: Receiver
) -> None:
    await paid(pay, wechat, notify=receiver.url)
    wait_until(lambda: len(receiver.received) >= 1, "the notification")
    headers, body = receiver.received[0]
    changed = [
        (headers, body.replace(b"TRANSACTION.SUCCESS", b"TRANSACTION.success")),
        (headers, body + b" "),
        (headers | {"wechatpay-nonce": "another"}, body),
        (headers | {"wechatpay-timestamp": str(int(headers["wechatpay-timestamp"]) + 1)}, body),
        (headers | {"wechatpay-signature": "nonsense"}, body),
        (headers | {"wechatpay-signature": "签名"}, body),
        (headers | {"wechatpay-serial": "PUB_KEY_ID_9"}, body),
        (headers | {"wechatpay-timestamp": "²"}, body),
        ({name: value for name, value in headers.items() if not name.startswith("wechatpay")}, body),
    ]

    for wrong_headers, wrong_body in changed:
        with pytest.raises(NotWeChat):
            await pay.open_notification(wrong_headers, wrong_body)
    await pay.open_notification(headers, body)


@pytest.mark.parametrize(("seconds", "fresh"), [(290, True), (301, False), (-290, True), (-301, False)])
async def test_a_notification_is_fresh_for_five_minutes(
    pay: WeChatPay,
    wechat: httpx.AsyncClient,
    receiver: Receiver,
    clock: SharedClock,
    seconds: int,
    fresh: bool,
) -> None:
    await paid(pay, wechat, notify=receiver.url)
    wait_until(lambda: len(receiver.received) >= 1, "the notification")
    moves_on(clock, seconds=seconds)

    if fresh:
        await pay.open_notification(*receiver.received[0])
    else:
        with pytest.raises(NotWeChat, match="not fresh"):
            await pay.open_notification(*receiver.received[0])


async def test_the_probe_with_a_wrong_signature_is_refused_in_both_directions(
    pay: WeChatPay, wechat: httpx.AsyncClient, receiver: Receiver, town: Town
) -> None:
    """WeChat Pay's own test of its merchants: `WECHATPAY/SIGNTEST/` in place of a signature."""
    await paid(pay, wechat, "IH000003", notify="http://127.0.0.1:9/n")
    town.wechat_faults(signtest=1.0)
    with pytest.raises(Unavailable) as refused:
        await pay.query("IH000003")
    assert refused.value.code == "counterpart_unusable"

    town.wechat_faults()
    invoked = pay.invoke(await ordered(pay, "IH000004", notify=receiver.url))
    town.wechat_faults(signtest=1.0)
    await wechat.post("/phone/o-patient/pay", json=invoked)
    wait_until(lambda: len(receiver.received) >= 1, "the notification")
    assert "SIGNTEST" in receiver.received[0][0]["wechatpay-signature"]
    with pytest.raises(NotWeChat, match="wrong signature"):
        await pay.open_notification(*receiver.received[0])


async def test_a_stranger_with_another_key_is_turned_away(
    town: Town, clock: SharedClock, wechat: httpx.AsyncClient
) -> None:
    stranger = a_client(town, clock, key="wechat.key")
    with pytest.raises(NotBelieved) as refused:
        await stranger.query("IH000001")
    await stranger.close()

    assert refused.value.code == "wechat_pay_sign_error"


@pytest.mark.parametrize("faults", [{"server_error": 1.0}, {"too_many_requests": 1.0}, {"signtest": 1.0}])
async def test_what_cannot_be_believed_is_no_answer(
    pay: WeChatPay, town: Town, faults: dict[str, Any]
) -> None:
    await ordered(pay)
    town.wechat_faults(**faults)

    with pytest.raises(Unavailable):
        await pay.query("IH000001")


async def test_silence_is_no_answer(town: Town, clock: SharedClock) -> None:
    nobody = a_client(town, clock, base_url="http://127.0.0.1:9")
    with pytest.raises(Unavailable) as refused:
        await nobody.query("IH000001")
    await nobody.close()

    assert refused.value.code == "counterpart_unreachable"


# Before the written samples


class OnPaper:
    """WeChat Pay as the samples have it: takes exactly one written request and gives the written answer, signed.

    Where the answer is a link to a bill, the file lies there, unsigned.
    """

    def __init__(self, case: Case, answer: Any, status: int, key: RSAPrivateKey, now: int) -> None:
        self.case, self.answer, self.status, self.key, self.now = case, answer, status, key, now
        if status == 200 and "hash_value" in answer:
            answer["hash_value"] = hashlib.sha1(BILLS[operation_of(case)]).hexdigest()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        target = request.url.raw_path.decode()
        assert request.headers["authorization"].startswith("WECHATPAY2-SHA256-RSA2048 ")
        if self.status == 200 and "download_url" in self.answer and target == DOWNLOAD:
            return httpx.Response(200, content=gzip.compress(BILLS[operation_of(self.case)]))
        sent = json.loads(request.content) if request.content else None
        if isinstance(sent, dict):
            sent.pop("time_expire", None)
        assert (request.method, target, sent) == (
            self.case["method"], self.case["path"], self.case.get("body"),
        )  # fmt: skip
        raw = b"" if self.answer is None else json.dumps(filled(self.answer, EXAMPLES)).encode()
        headers = signed(self.key, raw, self.now) if self.status < 300 else {}
        return httpx.Response(self.status, content=raw, headers=headers)


BILLS = {
    "tradebill": bills.bill(bills.paid(), summary=bills.totals(1, 3000)),
    "fundflowbill": bills.file(
        bills.FLOW, bills.flow("交易", "收入", "30.00", "30.00"), bills.FLOW_SUMMARY,
        bills.line("1", "1", "30.00", "0", "0.00"),
    ),
}  # fmt: skip
DOWNLOAD = EXAMPLES["$url"].removeprefix("https://api.mch.weixin.qq.com")


def operation_of(case: Case) -> str:
    """The last word of the path."""
    name: str = case["path"].split("?")[0].rsplit("/", 1)[-1]
    return name


def signed(key: RSAPrivateKey, raw: bytes, now: int) -> dict[str, str]:
    message = f"{now}\nnonce\n".encode() + raw + b"\n"
    return {
        "wechatpay-timestamp": str(now), "wechatpay-nonce": "nonce", "wechatpay-serial": PUBLIC_KEY_ID,
        "wechatpay-signature": base64.b64encode(key.sign(message, PKCS1v15(), SHA256())).decode(),
    }  # fmt: skip


async def calls(pay: WeChatPay, case: Case, operation: str) -> Any:
    """What our client does where the sample has this request."""
    body, number = case.get("body", {}), case["path"].split("?")[0].rsplit("/", 1)[-1]
    if operation == "order":
        return await pay.order(
            out_trade_no=body["out_trade_no"], amount=body["amount"]["total"], description=body["description"],
            openid=body["payer"]["openid"], notify_url=body["notify_url"], expires=EXPIRES,
        )  # fmt: skip
    if operation == "close-order":
        return await pay.close_order(case["path"].rsplit("/", 2)[-2])
    if operation == "refund":
        return await pay.refund(
            out_trade_no=body["out_trade_no"], out_refund_no=body["out_refund_no"], refund=body["amount"]["refund"],
            total=body["amount"]["total"], reason=body["reason"], notify_url=body["notify_url"],
        )  # fmt: skip
    if operation == "abnormal-refund":
        refund_id = case["path"].rsplit("/", 2)[-2]
        return await pay.redirect_refund(refund_id=refund_id, out_refund_no=body["out_refund_no"], card=None)
    if operation == "bill":
        day = date.fromisoformat(EXAMPLES["$bill_date"])
        return await (pay.trade_bill(day) if number == "tradebill" else pay.fund_flow_bill(day))
    if "/id/" in case["path"]:
        return await pay.query_transaction(number)
    return await (pay.query_refund(number) if operation == "query-refund" else pay.query(number))


def ours(path: Path) -> bool:
    """Whether our client can send it: it never sends unknown or missing fields or another appid, and asks for zipped bills."""
    written = ("unknown-field", "field-missing", "other-appid", "wrong-signature", "link-is-over")
    operations = (
        "order", "query-order", "close-order", "refund", "query-refund", "transport", "abnormal-refund", "bill",
    )  # fmt: skip
    case = path.read_text("utf-8")
    unzipped = path.parent.name == "bill" and ("tar_type=GZIP" not in case or "bill_type=ALL" not in case)
    return (
        path.parent.name in operations
        and not any(word in path.name for word in written)
        and (not unzipped or "account_type=BASIC&tar_type=GZIP" in case)
    )


WRITTEN = [path for path in sorted(SAMPLES.glob("*/*-request.json")) if ours(path)]


@pytest.mark.parametrize("path", WRITTEN, ids=name_of)
async def test_our_client_sends_what_is_written_and_understands_the_written_answer(
    town: Town, clock: SharedClock, path: Path
) -> None:
    case = filled(read(path), EXAMPLES)
    (written,) = path.parent.glob(path.name.replace("-request.json", "-response-*.json"))
    status, answer = int(written.stem[-3:]), json.loads(written.read_text("utf-8"))
    pay = a_client(town, clock)
    await pay.close()
    paper = OnPaper(case, answer, status, private_key(town.keys / "wechat.key"), clock.timestamp())

    async with httpx.AsyncClient(transport=httpx.MockTransport(paper), base_url=town.wechat) as on_paper:
        pay.signed.exchange.hosts = [on_paper]
        if status >= 500 or status == 429:
            with pytest.raises(Unavailable):
                await calls(pay, case, path.parent.name)
        elif (
            status >= 400
            and answer["code"] in ("ORDER_NOT_EXIST", "RESOURCE_NOT_EXISTS")
            and case["method"] == "GET"
        ):
            assert await calls(pay, case, path.parent.name) is None
        elif status >= 400 and answer["code"] == "NO_STATEMENT_EXIST":
            assert (await calls(pay, case, path.parent.name)).exists is False
        elif status >= 400 and answer["code"] == "STATEMENT_CREATING":
            with pytest.raises(BillNotReady):
                await calls(pay, case, path.parent.name)
        elif status >= 400:
            with pytest.raises(PayRefused) as refused:
                await calls(pay, case, path.parent.name)
            assert refused.value.code == answer["code"].lower()
        else:
            understood(await calls(pay, case, path.parent.name), answer)


def understood(found: Any, answer: Any) -> None:
    """Every field of ours has what is written."""
    if answer is None:
        assert found is None
    elif "prepay_id" in answer:
        assert found == EXAMPLES["$prepay_id"]
    elif "download_url" in answer:
        assert (len(found.rows), found.mismatches) == (1, ())
    elif "trade_state" in answer:
        assert (found.trade_state, found.amount.total, found.out_trade_no) == (
            answer["trade_state"], answer["amount"]["total"], answer["out_trade_no"],
        )  # fmt: skip
        assert (found.success_time is not None) == ("success_time" in answer)
    else:
        assert (found.status, found.out_refund_no, found.amount.refund) == (
            answer["status"], answer["out_refund_no"], answer["amount"]["refund"],
        )  # fmt: skip
        assert found.refund_id == EXAMPLES["$refund_id"]


def test_most_samples_are_run_through_our_client() -> None:
    assert len(WRITTEN) >= 38


@pytest.mark.parametrize("path", NOTIFICATIONS, ids=name_of)
async def test_our_client_opens_every_written_notification(
    town: Town, clock: SharedClock, path: Path
) -> None:
    case = read(path)
    plain, body = filled(case["plain"], EXAMPLES), filled(case["body"], EXAMPLES)
    resource = body["resource"]
    sealed = AESGCM(APIV3_KEY.encode()).encrypt(
        resource["nonce"].encode(), json.dumps(plain).encode(), resource["associated_data"].encode()
    )
    resource["ciphertext"] = base64.b64encode(sealed).decode()
    raw = json.dumps(body).encode()
    pay = a_client(town, clock)
    headers = signed(private_key(town.keys / "wechat.key"), raw, clock.timestamp())

    notification, hint = await pay.open_notification(headers, raw)

    await pay.close()
    assert (notification.id, notification.event_type) == (EXAMPLES["$event_id"], case["body"]["event_type"])
    assert hint.out_trade_no == plain["out_trade_no"]
    assert hint.out_refund_no == plain.get("out_refund_no", "")
