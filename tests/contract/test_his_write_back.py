"""Writing back, step by step, before every hospital; what the hospital then has is read from it directly."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from contracts import his
from tests.contract.hospitals import SAMPLES, Gateway, new_request

REQUEST = "urn:internet-hospital:request"
WRITTEN = ("310114195312089833", "董金龙")
"""Number and name of the person whose visits are written; nobody else's tests read hers."""
MERGED = ("310114197412079287", "赵敏娟")
CREATES = (
    "write-registration", "write-charge", "write-record", "write-prescription", "write-dispense", "write-refund", "write-move",
)  # fmt: skip


def sample(gateway: Gateway, operation: str, **more: Any) -> dict[str, Any]:
    """The request of the first sample, as a fresh request for a fresh appointment."""
    [file] = (SAMPLES / operation).glob("1-*-request.json")
    body = json.loads(file.read_text(encoding="utf-8"))
    body["patient_id"] = gateway.patient_id(*WRITTEN)
    return {**body, "request_id": new_request(), "appointment_id": new_request(), **more}


def acknowledged(reply: httpx.Response) -> his.Acknowledged:
    assert reply.status_code == 200, reply.text
    return msgspec.json.decode(reply.content, type=his.Acknowledged)


def bearing(gateway: Gateway, reference: str, request_id: str) -> list[dict[str, Any]]:
    """What the hospital has of this type with the request's identifier."""
    return gateway.hospital.resources(
        reference.split("/", maxsplit=1)[0], identifier=f"{REQUEST}|{request_id}"
    )


@pytest.mark.parametrize("operation", CREATES)
def test_the_same_request_again_has_no_second_effect(gateway: Gateway, operation: str) -> None:
    body = sample(gateway, operation)

    first = acknowledged(gateway.ask(operation, **body))
    again = acknowledged(gateway.ask(operation, **body))

    assert (again.reference, again.also) == (first.reference, first.also)
    assert len(bearing(gateway, first.reference, body["request_id"])) == 1


def test_a_registration_is_an_online_visit_from_then_on(gateway: Gateway) -> None:
    body = sample(gateway, "write-registration")

    reference = acknowledged(gateway.ask("write-registration", **body)).reference

    visits = gateway.ask(
        "visits", purpose="eligibility", patient_id=body["patient_id"], since="2026-11-20"
    ).json()
    [written] = [one for one in visits["visits"] if f"Encounter/{one['visit_id']}" == reference]
    assert (written["source"], written["status"], written["day"]) == ("online", "planned", "2026-11-23")


def test_a_signed_record_ends_the_visit_and_brings_its_diagnoses(gateway: Gateway) -> None:
    registration = sample(gateway, "write-registration")
    reference = acknowledged(gateway.ask("write-registration", **registration)).reference
    record = sample(gateway, "write-record", appointment_id=registration["appointment_id"])

    done = acknowledged(gateway.ask("write-record", **record))

    visits = gateway.ask(
        "visits", purpose="eligibility", patient_id=record["patient_id"], since="2026-11-20"
    ).json()
    [written] = [one for one in visits["visits"] if f"Encounter/{one['visit_id']}" == reference]
    assert done.left_out == []
    assert (written["status"], [one["code"] for one in written["diagnoses"]]) == ("finished", ["I10.x00"])


def test_the_record_lies_in_the_hospital_byte_for_byte(gateway: Gateway) -> None:
    content = '{"opinion":"血压平稳"}'.encode()
    body = sample(
        gateway,
        "write-record",
        content=base64.b64encode(content).decode(),
        content_digest=hashlib.sha256(content).hexdigest(),
    )

    done = acknowledged(gateway.ask("write-record", **body))

    [document] = bearing(gateway, done.reference, body["request_id"])
    assert base64.b64decode(document["content"][0]["attachment"]["data"]) == content
    assert {one["value"] for one in document["identifier"]} == {body["request_id"], body["content_digest"]}


def test_the_charge_says_how_much_was_paid(gateway: Gateway) -> None:
    body = sample(gateway, "write-charge")

    done = acknowledged(gateway.ask("write-charge", **body))

    [invoice] = bearing(gateway, done.reference, body["request_id"])
    assert (invoice["totalGross"], invoice["status"]) == ({"value": 30.5, "currency": "CNY"}, "balanced")


def test_charges_and_refunds_of_a_day_are_told_without_a_name(gateway: Gateway) -> None:
    """What the daily reconciliation asks for."""
    day = UUID(new_request()).int % 300
    at = datetime(2031, 1, 1, 10, tzinfo=UTC) + timedelta(days=day)
    paid = sample(gateway, "write-charge", paid_at=at.isoformat(), trade_number=f"42{day}")
    back = sample(
        gateway, "write-refund", refunded_at=(at + timedelta(hours=1)).isoformat(), refund_number=f"50{day}",
        amount=1525,
    )  # fmt: skip
    acknowledged(gateway.ask("write-charge", **paid))
    acknowledged(gateway.ask("write-refund", **back))

    reply = gateway.ask(
        "charges", purpose="payment", since=at.isoformat(), until=(at + timedelta(hours=2)).isoformat()
    )

    found = msgspec.json.decode(reply.content, type=his.ChargesReply)
    assert [(one.kind, one.number, one.amount, one.at) for one in found.charges] == [
        ("registration", f"42{day}", 3050, at), ("refund", f"50{day}", 1525, at + timedelta(hours=1)),
    ]  # fmt: skip
    assert found.complete
    assert "董金龙" not in reply.text
    short = gateway.ask(
        "charges", purpose="payment", since=at.isoformat(), until=(at + timedelta(hours=1)).isoformat()
    ).json()
    assert [one["number"] for one in short["charges"]] == [f"42{day}"]


def test_the_api_asks_for_no_charges(gateway: Gateway) -> None:
    body = {"purpose": "payment", "since": "2031-01-01T00:00:00Z", "until": "2031-01-02T00:00:00Z"}

    assert gateway.api.post("/his/v1/charges", json=body).status_code == 403


def test_prescribed_drugs_are_in_the_next_history(gateway: Gateway) -> None:
    body = sample(gateway, "write-prescription")

    done = acknowledged(gateway.ask("write-prescription", **body))

    history = gateway.ask(
        "history", purpose="treatment", patient_id=body["patient_id"], since="2026-11-23"
    ).json()
    found = {one["resource_hash"]: one for one in history["medications"]}
    mine = [found[hashlib.sha256(one.encode()).hexdigest()] for one in done.also]
    assert [(one["code"], one["days"]) for one in mine] == [("YP001", 28), ("YP022", 30)]


def test_what_was_dispensed_names_prescription_and_waybill(gateway: Gateway) -> None:
    body = sample(gateway, "write-dispense")

    done = acknowledged(gateway.ask("write-dispense", **body))

    [first] = bearing(gateway, done.reference, body["request_id"])
    assert {body["number"], body["waybill"]} <= {one["value"] for one in first["identifier"]}


def test_a_write_for_a_merged_number_goes_to_the_number_that_counts(gateway: Gateway) -> None:
    found = gateway.ask("find-patient", purpose="eligibility", id_number=MERGED[0], name=MERGED[1]).json()
    body = sample(gateway, "write-registration", patient_id=found["patient"]["merged_ids"][0])

    done = acknowledged(gateway.ask("write-registration", **body))

    [encounter] = bearing(gateway, done.reference, body["request_id"])
    assert encounter["subject"]["reference"] == f"Patient/{found['patient']['patient_id']}"


def test_a_request_id_of_another_patients_write_is_not_answered(gateway: Gateway) -> None:
    body = sample(gateway, "write-registration")
    acknowledged(gateway.ask("write-registration", **body))
    other = gateway.patient_id("310114197406189367", "孙丽华")

    reply = gateway.ask("write-registration", **{**body, "patient_id": other})

    assert (reply.status_code, reply.json()["code"]) == (502, "wrong_subject")


def test_the_api_may_not_write(gateway: Gateway) -> None:
    reply = gateway.api.post("/his/v1/write-registration", json=sample(gateway, "write-registration"))

    assert (reply.status_code, reply.json()["code"]) == (403, "not_listed")
