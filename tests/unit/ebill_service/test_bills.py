"""The stand-in of the e-bill platform: issued once, reversed once, and never without its mark."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulators.ebill.app import create_app, declared_faults
from simulators.ebill.service import NOTICE
from simulators.ebill.settings import read
from simulators.server import Clock, Listener, Reader, in_background
from tests.unit.signed_calls import KEY, SECRET, call

BILL: dict[str, Any] = {
    "request_id": "BILL-0001",
    "payer": "林秀兰",
    "trade_number": "4200000000000001",
    "paid_at": "2026-11-22T09:00:00+08:00",
    "items": [{"name": "西药费", "amount": 3005}, {"name": "其他费用（配送）", "amount": 500}],
    "amounts": {"total": 3505, "gov": 2032, "self": 800, "other": 0, "cash": 673},
}
RED = {"request_id": "RED-0001", "reason": "药品缺货，已退款"}


@pytest.fixture
def base(tmp_path: Path) -> Iterator[str]:
    environment = {"ENV": "test", "EBILL_DATA": str(tmp_path), "EBILL_APP_KEY": KEY, "EBILL_SECRET": SECRET}
    app = create_app(read(Reader(environment)), Clock(), declared_faults())
    with in_background([Listener(app, "127.0.0.1", 0)]) as (address,):
        yield address


def issued(base: str, **changes: Any) -> dict[str, Any]:
    answer = call(base, "POST", "/v1/bills", BILL | changes)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def place(bill: dict[str, Any]) -> str:
    return f"/v1/bills/{bill['code']}/{bill['number']}"


def faults(base: str, **values: Any) -> None:
    assert httpx.put(f"{base}/_test/faults", json=values, trust_env=False).status_code == 200


def test_a_bill_has_code_number_and_check_code_and_says_that_it_is_none(base: str) -> None:
    bill = issued(base)

    assert (len(bill["code"]), len(bill["number"]), len(bill["check_code"])) == (8, 10, 6)
    assert (bill["kind"], bill["state"], bill["total"], bill["notice"]) == ("blue", "valid", 3505, NOTICE)


def test_the_same_request_is_the_same_bill_and_with_other_content_refused(base: str) -> None:
    first = issued(base)

    again = call(base, "POST", "/v1/bills", BILL)
    other = call(base, "POST", "/v1/bills", BILL | {"payer": "何家宁"})

    assert (again.status_code, again.json()["number"]) == (200, first["number"])
    assert (other.status_code, other.json()["code"]) == (409, "REQUEST_ID_USED")


def test_a_red_bill_reverses_the_whole_and_only_once(base: str) -> None:
    bill = issued(base)

    red = call(base, "POST", f"{place(bill)}/red", RED)
    again = call(base, "POST", f"{place(bill)}/red", RED)
    twice = call(base, "POST", f"{place(bill)}/red", RED | {"request_id": "RED-0002"})

    assert (red.status_code, red.json()["kind"], red.json()["total"]) == (201, "red", -3505)
    assert (again.status_code, again.json()["number"]) == (200, red.json()["number"])
    assert (twice.status_code, twice.json()["code"]) == (409, "ALREADY_RED")
    shown = call(base, "GET", place(bill)).json()
    assert (shown["state"], shown["red_number"]) == ("reversed", red.json()["number"])


def test_a_red_bill_cannot_be_reversed(base: str) -> None:
    red = call(base, "POST", f"{place(issued(base))}/red", RED).json()

    answer = call(base, "POST", f"{place(red)}/red", RED | {"request_id": "RED-0002"})

    assert answer.json()["code"] == "IS_RED"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amounts": BILL["amounts"] | {"cash": 672}}, "amounts"),
        ({"items": BILL["items"][:1]}, "items"),
        ({"items": []}, "items"),
        ({"payer": ""}, "payer"),
        ({"invented": 1}, "invented"),
    ],
)
def test_a_bill_that_cannot_be_is_refused_by_field(base: str, changes: dict[str, Any], field: str) -> None:
    answer = call(base, "POST", "/v1/bills", BILL | changes)

    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_a_lost_answer_is_found_by_its_request(base: str) -> None:
    assert call(base, "GET", "/v1/requests/BILL-0001").status_code == 404
    faults(base, lose_answers=True)
    assert call(base, "POST", "/v1/bills", BILL).status_code == 503
    faults(base)

    found = call(base, "GET", "/v1/requests/BILL-0001")

    assert (found.status_code, found.json()["kind"]) == (200, "blue")


def test_a_refusal_has_words_and_an_outage_none(base: str) -> None:
    faults(base, refuse="票据库存不足")
    refused = call(base, "POST", "/v1/bills", BILL)
    assert (refused.status_code, refused.json()["message"]) == (422, "票据库存不足")

    faults(base, down=True)
    assert call(base, "POST", "/v1/bills", BILL).status_code == 503


def test_anybody_verifies_a_bill_by_all_three_numbers_and_sees_its_mark(base: str) -> None:
    bill = issued(base)
    asked = {"code": bill["code"], "number": bill["number"], "check": bill["check_code"]}

    page = httpx.get(f"{base}/verify", params=asked, trust_env=False)
    wrong = httpx.get(f"{base}/verify", params=asked | {"check": "000000"}, trust_env=False)

    assert page.status_code == 200
    assert page.text.count(NOTICE) >= 2
    assert "35.05" in page.text
    assert (wrong.status_code, "林秀兰" in wrong.text) == (404, False)
    assert NOTICE in wrong.text


def test_without_a_signature_nothing_is_issued(base: str) -> None:
    assert httpx.post(f"{base}/v1/bills", json=BILL, trust_env=False).status_code == 401
