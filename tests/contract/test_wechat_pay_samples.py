"""The written samples of WeChat Pay v3, run through the mock: it answers as the documents say."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from miniapp_mock.wechat.app import create_app
from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.serving import in_background
from miniapp_mock.wechat.settings import Reader
from tests.unit.wechat_mock.merchant import PUBLIC_KEY_ID, Merchant, opened, private_key, serial_of
from tests.unit.wechat_mock.receiver import Receiver, receiving, wait_for
from tests.unit.wechat_mock.settings_of_a_mock import make_environment, make_keys

SAMPLES = Path(__file__).parent / "samples" / "wechat_pay"
VALUES: dict[str, dict[str, Any]] = json.loads((SAMPLES / "values.json").read_text("utf-8"))
REQUESTS = sorted(SAMPLES.glob("*/*-request.json"))
CALLS = [path for path in REQUESTS if path.parent.name != "notification"]
NOTIFICATIONS = [path for path in REQUESTS if path.parent.name == "notification"]
TOKEN = re.compile(r"\$[a-z_0-9]+")
Case = dict[str, Any]


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.name.removesuffix('-request.json')}"


def read(path: Path) -> Case:
    case: Case = json.loads(path.read_text("utf-8"))
    return case


ORDER = read(SAMPLES / "order" / "1-placed-request.json")["body"]
REFUND = read(SAMPLES / "refund" / "1-accepted-request.json")["body"]


@pytest.fixture(scope="module")
def merchant_of_the_samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Merchant]:
    folder = tmp_path_factory.mktemp("samples")
    make_keys(folder)
    app = create_app(Mock.from_environment(Reader(make_environment(folder, folder))))
    with in_background(app) as base, httpx.Client(trust_env=False, verify=False, timeout=20) as http:
        yield Merchant(
            base=base,
            http=http,
            key=private_key(folder / "merchant.key"),
            serial=serial_of(folder / "merchant.pem"),
            known={PUBLIC_KEY_ID: private_key(folder / "wechat.key").public_key()},
            notify_url="http://127.0.0.1:9/wechat/notify",
        )


@pytest.fixture
def merchant(merchant_of_the_samples: Merchant) -> Merchant:
    merchant = merchant_of_the_samples
    merchant.seconds_off = 0
    assert merchant.http.post(f"{merchant.base}/_test/forget").status_code == 204
    return merchant


@pytest.fixture
def notify() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.mark.parametrize("path", CALLS, ids=name_of)
def test_a_call_is_answered_as_written(merchant: Merchant, path: Path) -> None:
    case = read(path)
    values = given(merchant, case["given"])
    faults(merchant, **case.get("faults", {}))
    (written,) = path.parent.glob(path.name.replace("-request.json", "-response-*.json"))

    answer = send(merchant, filled(case, values))

    assert answer.status_code == int(written.stem[-3:]), answer.text
    expected = json.loads(written.read_text("utf-8"))
    if expected is None:
        assert answer.content == b""
    else:
        assert list(differences(expected, answer.json(), values)) == []
    assert merchant.verifies(answer.headers, answer.content) == (answer.status_code < 300)


@pytest.mark.parametrize("path", NOTIFICATIONS, ids=name_of)
def test_a_notification_is_sent_as_written(merchant: Merchant, notify: Receiver, path: Path) -> None:
    case = read(path)
    given(merchant, case["given"], notify.url)

    received = wait_for(lambda: events(notify).get(case["body"]["event_type"]), case["body"]["event_type"])

    headers, body = received
    assert merchant.verifies(headers, body)
    values: dict[str, str] = {}
    assert list(differences(case["body"], json.loads(body), values)) == []
    assert list(differences(case["plain"], opened(body), values)) == []


def test_every_operation_has_samples() -> None:
    assert len(CALLS) >= 45
    assert len(NOTIFICATIONS) == 4
    assert all(re.fullmatch(f"({one['pattern']})", str(one["example"])) for one in VALUES.values())


def test_a_difference_is_found() -> None:
    found: list[str] = []
    for got in ({"a": 1, "t": "x"}, {"a": 1}, {"a": 2, "t": ""}, {"a": 1, "t": "x", "b": 1}):
        found.append("; ".join(differences({"a": 1, "t": "$text"}, got, {})))

    assert found[0] == ""
    assert all(found[1:])


def events(notify: Receiver) -> dict[str, tuple[dict[str, str], bytes]]:
    return {json.loads(body)["event_type"]: (headers, body) for headers, body in notify.received}


def given(merchant: Merchant, what: str, notify_url: str | None = None) -> dict[str, str]:
    """Brings it about; → the values that are known by then."""
    order = ORDER | ({"notify_url": notify_url} if notify_url else {})
    refund = REFUND | ({"notify_url": notify_url} if notify_url else {})
    part = {"amount": {"refund": 1000, "total": 3000, "currency": "CNY"}}
    history: dict[str, Callable[[], dict[str, str]]] = {
        "nothing": dict,
        "order": lambda: placed(merchant, order),
        "paid": lambda: paid(merchant, order),
        "closed": lambda: closed(merchant, order),
        "refund-accepted": lambda: refunded(merchant, order, refund, "PROCESSING"),
        "part-refunded": lambda: refunded(merchant, order, refund | part, "PROCESSING"),
        "refund-success": lambda: refunded(merchant, order, refund, "SUCCESS"),
        "refund-abnormal": lambda: refunded(merchant, order, refund, "ABNORMAL"),
        "refund-closed": lambda: refunded(merchant, order, refund, "CLOSED"),
        "the-day-before": lambda: on_the_day_before(merchant, dict),
        "paid-the-day-before": lambda: on_the_day_before(merchant, lambda: paid(merchant, order)),
    }
    return history[what]()


def placed(merchant: Merchant, order: Case) -> dict[str, str]:
    merchant.order(**order)
    return {}


def paid(merchant: Merchant, order: Case) -> dict[str, str]:
    number = merchant.paid_order(**order)
    return {"$transaction_id": merchant.query(number)["transaction_id"]}


def closed(merchant: Merchant, order: Case) -> dict[str, str]:
    number, _ = merchant.order(**order)
    path = f"/v3/pay/transactions/out-trade-no/{number}/close"
    assert merchant.post(path, {"mchid": order["mchid"]}).status_code == 204
    return {}


def refunded(merchant: Merchant, order: Case, refund: Case, status: str) -> dict[str, str]:
    values = paid(merchant, order)
    if status == "PROCESSING":
        faults(merchant, refund_seconds=3600)
    else:
        faults(merchant, refund_outcome=status, refund_seconds=0)
    made = merchant.post("/v3/refund/domestic/refunds", refund).json()
    path = f"/v3/refund/domestic/refunds/{made['out_refund_no']}"
    wait_for(lambda: merchant.get(path).json()["status"] == status, f"the refund is {status}")
    return values | {"$refund_id": made["refund_id"]}


def on_the_day_before(merchant: Merchant, happened: Callable[[], dict[str, str]]) -> dict[str, str]:
    """It happens at noon today, and then it is noon tomorrow."""
    now = datetime.now(ZoneInfo("Asia/Shanghai"))
    values: dict[str, str] = {}
    for days in (0, 1):
        noon = (now + timedelta(days=days)).replace(hour=12, minute=0, second=0, microsecond=0)
        merchant.seconds_off = (noon - now).total_seconds()
        offset = {"offset_seconds": merchant.seconds_off}
        assert merchant.http.post(f"{merchant.base}/_test/clock", json=offset).status_code == 200
        values |= happened() if days == 0 else {}
    return values | {"$bill_date": now.date().isoformat()}


def faults(merchant: Merchant, **values: Any) -> None:
    assert merchant.http.put(f"{merchant.base}/_test/faults", json=values).status_code == 200


def send(merchant: Merchant, case: Case) -> httpx.Response:
    raw = json.dumps(case["body"], ensure_ascii=False).encode() if "body" in case else b""
    signed = merchant.authorization(case["method"], case["path"], raw + b" ")
    wrong = {"Authorization": signed} if case.get("signature") == "wrong" else {}
    return merchant.send(case["method"], case["path"], raw, **wrong)


def filled(value: Any, values: dict[str, str]) -> Any:
    """With the values that are known put in."""
    text = json.dumps(value, ensure_ascii=False)
    return json.loads(TOKEN.sub(lambda found: values.get(found[0], found[0]), text))


def differences(expected: Any, got: Any, values: dict[str, str], where: str = "") -> Iterator[str]:
    """A `$name` fits its pattern, and is the same value at its next place (`$text` and `$time` are not held to that)."""
    if isinstance(expected, str) and expected in VALUES:
        if not re.fullmatch(VALUES[expected]["pattern"], str(got)):
            yield f"{where} is {got!r}, not a {expected}"
        if expected not in {"$text", "$time"} and values.setdefault(expected, got) != got:
            yield f"{where} is {got!r}, was {values[expected]!r}"
    elif isinstance(expected, dict) and isinstance(got, dict):
        for name in sorted(expected.keys() ^ got.keys()):
            yield f"{where}/{name} is {'missing' if name in expected else 'too much'}"
        for name in expected.keys() & got.keys():
            yield from differences(expected[name], got[name], values, f"{where}/{name}")
    elif expected != got or type(expected) is not type(got):
        yield f"{where} is {got!r}, not {expected!r}"
