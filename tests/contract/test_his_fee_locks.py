"""A fee that is about to be paid online is kept from the hospital's window, before every hospital.

The foreign hospital stores ChargeItems and has no window: what the window may charge is asked of ours only, by FHIR.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.contract.hospitals import Gateway, new_request
from tests.contract.test_his import the_id
from tests.contract.test_his_write_back import sample

pytestmark = pytest.mark.parametrize("gateway", ["simulator", "sekmet", "soap"], indirect=True)
WITH_RULES = ("simulator", "soap")


@pytest.fixture
def clock(gateway: Gateway) -> Iterator[Any]:
    """Moves the hospital's clock, in seconds."""

    def move(seconds: int) -> None:
        httpx.post(
            f"{gateway.hospital.health}/_test/clock", json={"offset_seconds": seconds}
        ).raise_for_status()

    yield move
    if gateway.hospital.health:
        move(0)


def body(gateway: Gateway, **more: Any) -> dict[str, Any]:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=15)
    return {
        "purpose": "payment", "request_id": new_request(), "patient_id": the_id(gateway, "P0000001"),
        "appointment_id": new_request(), "kind": "prescription", "amount": 12_345, "until": until.isoformat(), **more,
    }  # fmt: skip


def send(gateway: Gateway, operation: str, fields: dict[str, Any]) -> httpx.Response:
    return gateway.worker.post(f"/his/v1/{operation}", json=fields)


def locked(gateway: Gateway, fields: dict[str, Any]) -> dict[str, Any]:
    reply = send(gateway, "lock-fee", fields)
    if gateway.hospital.name != "simulator" and reply.status_code == 422:
        pytest.skip(f"{gateway.hospital.name} has no ChargeItem: {reply.json().get('detail')}")
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def unlock(gateway: Gateway, fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    asked = {name: fields[name] for name in ("purpose", "patient_id", "appointment_id", "kind")}
    reply = send(gateway, "unlock-fee", {**asked, "request_id": new_request(), **more})
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def at_the_window(gateway: Gateway, fields: dict[str, Any]) -> httpx.Response:
    if gateway.hospital.name != "simulator":
        pytest.skip("the foreign hospital has no window")
    asked = {
        "patient": fields["patient_id"], "appointment": fields["appointment_id"], "kind": fields["kind"],
        "fen": fields["amount"],
    }  # fmt: skip
    return httpx.post(f"{gateway.hospital.health}/_test/window-charges", json=asked)


def test_the_same_request_again_is_the_same_lock(gateway: Gateway) -> None:
    fields = body(gateway)

    first, second = locked(gateway, fields), locked(gateway, fields)

    assert first == second
    assert first["held"]
    assert datetime.fromisoformat(first["until"]) == datetime.fromisoformat(fields["until"])


def test_an_unlocked_fee_is_not_held_and_may_be_locked_again(gateway: Gateway) -> None:
    fields = body(gateway)
    reference = locked(gateway, fields)["reference"]

    assert unlock(gateway, fields)["reference"] == reference
    assert unlock(gateway, fields)["reference"] == ""
    assert not locked(gateway, fields)["held"]
    again = locked(gateway, {**fields, "request_id": new_request()})
    assert again["held"]
    assert again["reference"] != reference


def test_another_fee_of_the_visit_stays_locked(gateway: Gateway) -> None:
    fields = body(gateway)
    locked(gateway, fields)

    assert unlock(gateway, fields, kind="registration")["reference"] == ""
    assert locked(gateway, fields)["held"]


def test_two_prescriptions_of_a_visit_are_two_fees(gateway: Gateway) -> None:
    first = body(gateway, fee_number="RX-1")
    second = {**first, "request_id": new_request(), "fee_number": "RX-2"}
    locked(gateway, first)

    assert locked(gateway, second)["held"]
    unlock(gateway, first, fee_number="RX-1")
    assert locked(gateway, second)["held"]
    assert not locked(gateway, first)["held"]


def test_the_charge_of_one_prescription_leaves_the_other_locked(gateway: Gateway) -> None:
    first = body(gateway, fee_number="RX-1")
    second = {**first, "request_id": new_request(), "fee_number": "RX-2"}
    locked(gateway, first)
    locked(gateway, second)
    if gateway.hospital.name not in WITH_RULES:
        pytest.skip("the foreign hospital knows no rules for fees")

    charge = sample(
        gateway, "write-charge", patient_id=first["patient_id"], appointment_id=first["appointment_id"], kind=first["kind"],
        trade_number=new_request(), fee_number="RX-1",
    )  # fmt: skip

    assert gateway.ask("write-charge", **charge).status_code == 200

    assert not locked(gateway, first)["held"]
    assert locked(gateway, second)["held"]


def test_the_window_does_not_charge_what_is_locked(gateway: Gateway) -> None:
    fields = body(gateway)
    locked(gateway, fields)

    refused = at_the_window(gateway, fields)

    assert (refused.status_code, refused.json()["code"]) == (409, "LOCKED")
    unlock(gateway, fields)
    assert at_the_window(gateway, fields).status_code == 201


def test_what_the_window_has_charged_cannot_be_locked(gateway: Gateway) -> None:
    fields = body(gateway)
    assert at_the_window(gateway, fields).status_code == 201

    reply = send(gateway, "lock-fee", fields)

    assert (reply.status_code, reply.json()["code"]) == (422, "fee_taken")


def test_two_payments_of_one_fee_do_not_both_get_it(gateway: Gateway) -> None:
    if gateway.hospital.name not in WITH_RULES:
        pytest.skip("the foreign hospital knows no rules for fees")
    fields = body(gateway)
    locked(gateway, fields)

    reply = send(gateway, "lock-fee", {**fields, "request_id": new_request()})

    assert (reply.status_code, reply.json()["code"]) == (422, "fee_taken")


def test_a_lock_ends_by_itself(gateway: Gateway, clock: Any) -> None:
    fields = body(gateway)
    locked(gateway, fields)
    if gateway.hospital.name != "simulator":
        pytest.skip("the foreign hospital has no window")

    clock(15 * 60 + 5)

    assert at_the_window(gateway, fields).status_code == 201


def test_the_charge_ends_the_lock(gateway: Gateway) -> None:
    fields = body(gateway)
    locked(gateway, fields)
    if gateway.hospital.name not in WITH_RULES:
        pytest.skip("the foreign hospital knows no rules for fees")
    charge = sample(
        gateway, "write-charge", patient_id=fields["patient_id"], appointment_id=fields["appointment_id"], kind=fields["kind"],
        trade_number=new_request(),
    )  # fmt: skip

    assert gateway.ask("write-charge", **charge).status_code == 200

    assert not locked(gateway, fields)["held"]
    refused = send(gateway, "lock-fee", {**fields, "request_id": new_request()})
    assert (refused.status_code, refused.json()["code"]) == (422, "fee_taken")
    assert at_the_window(gateway, fields).json()["code"] == "CHARGED"


def test_nobody_keeps_a_fee_for_a_day(gateway: Gateway) -> None:
    if gateway.hospital.name not in WITH_RULES:
        pytest.skip("the foreign hospital knows no rules for fees")
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()

    reply = send(gateway, "lock-fee", body(gateway, until=until))

    assert (reply.status_code, reply.json()["code"]) == (422, "hospital_refused")


@pytest.mark.parametrize(
    "wrong", [{"amount": 0}, {"kind": "other"}, {"until": "2026-11-22T10:00:00"}, {"request_id": "1"}]
)
def test_a_lock_without_amount_kind_or_end_goes_no_further(gateway: Gateway, wrong: dict[str, Any]) -> None:
    assert send(gateway, "lock-fee", body(gateway, **wrong)).status_code == 422
