"""Writes to hospitals that behave differently from the two of the contract tests."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from aiohttp import web

from tests.unit.gateway import fhir
from tests.unit.gateway.background import Running, Seen

Ask = Callable[..., httpx.Response]
REQUEST = "0199a000-0000-7000-8000-000000000001"
STATEMENT: dict[str, Any] = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": []}


@pytest.fixture
def known(running: Running) -> Running:
    """A hospital that knows one patient and stores what it gets, without conditional create."""
    running.hospital.on("GET /fhir/metadata", STATEMENT)
    running.hospital.on("GET /fhir/Patient", fhir.bundle(fhir.patient()))
    running.hospital.on("GET /fhir/Patient/1", fhir.patient())
    running.hospital.on("GET /fhir/Invoice", fhir.bundle())
    running.hospital.answers["POST /fhir/Invoice"] = stored
    return running


def stored(seen: Seen) -> web.Response:
    return web.json_response({**json.loads(seen.body), "id": "i1"}, status=201)


def charge(ask: Ask, **more: Any) -> httpx.Response:
    return ask(
        "write-charge",
        **{
            "purpose": "write_back", "request_id": REQUEST, "patient_id": "1", "appointment_id": REQUEST,
            "kind": "registration", "amount": 3050, "trade_number": "4200001", "paid_at": "2026-11-22T10:00:00Z", **more,
        },
    )  # fmt: skip


def test_a_hospital_without_conditional_create_is_searched_first(known: Running, ask: Ask) -> None:
    assert charge(ask).json()["reference"] == "Invoice/i1"

    [search] = known.hospital.asked("GET", "/fhir/Invoice")
    [create] = known.hospital.asked("POST", "/fhir/Invoice")
    assert REQUEST in search.target
    assert "if-none-exist" not in create.headers
    known.hospital.on("GET /fhir/Invoice", fhir.bundle({**json.loads(create.body), "id": "i1"}))

    assert charge(ask).json()["reference"] == "Invoice/i1"
    assert len(known.hospital.asked("POST", "/fhir/Invoice")) == 1


def test_a_hospital_with_conditional_create_is_asked_once(known: Running, ask: Ask) -> None:
    rest = [{"resource": [{"type": "Invoice", "conditionalCreate": True}]}]
    known.hospital.on("GET /fhir/metadata", {**STATEMENT, "rest": rest})

    assert charge(ask).status_code == 200

    [create] = known.hospital.asked("POST", "/fhir/Invoice")
    assert create.headers["if-none-exist"] == f"identifier=urn%3Ainternet-hospital%3Arequest%7C{REQUEST}"
    assert not known.hospital.asked("GET", "/fhir/Invoice")


def test_amounts_are_numbers_with_two_digits(known: Running, ask: Ask) -> None:
    charge(ask, amount=1)

    [create] = known.hospital.asked("POST", "/fhir/Invoice")
    assert b'"totalGross":{"value":0.01,"currency":"CNY"}' in create.body


def test_a_hospital_that_sends_no_body_is_understood_by_its_location(known: Running, ask: Ask) -> None:
    known.hospital.on(
        "POST /fhir/Invoice", b"", status=201, location="http://localhost:8090/fhir/Invoice/77/_history/1"
    )

    assert charge(ask).json()["reference"] == "Invoice/77"


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_a_refusal_is_for_a_desk_and_says_why(known: Running, ask: Ask, status: int) -> None:
    said = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "x", "diagnostics": "期已结账"}],
    }
    known.hospital.on("POST /fhir/Invoice", said, status=status)

    reply = charge(ask)

    assert (reply.status_code, reply.json()["code"]) == (422, "hospital_refused")
    assert "期已结账" in reply.json()["detail"]
    assert "期已结账" not in json.dumps(known.audit()[-1], ensure_ascii=False)


def test_a_write_is_sent_once_even_when_the_answer_is_lost(known: Running, ask: Ask) -> None:
    known.hospital.on("POST /fhir/Invoice", b"", status=503)

    assert charge(ask).json()["code"] == "hospital_unreachable"
    assert len(known.hospital.asked("POST", "/fhir/Invoice")) == 1


def test_what_comes_back_about_somebody_else_is_not_acknowledged(known: Running, ask: Ask) -> None:
    def foreign(seen: Seen) -> web.Response:
        changed = {**json.loads(seen.body), "id": "i1", "subject": {"reference": "Patient/2"}}
        return web.json_response(changed, status=201)

    known.hospital.answers["POST /fhir/Invoice"] = foreign

    assert charge(ask).json()["code"] == "wrong_subject"


def test_a_hospital_without_dispensing_gets_a_document(known: Running, ask: Ask) -> None:
    refused = fhir.outcome("error", "not-supported")
    known.hospital.on("GET /fhir/MedicationDispense", refused, status=404)
    for kind in ("Encounter", "DocumentReference"):
        known.hospital.on(f"GET /fhir/{kind}", fhir.bundle())
    known.hospital.answers["POST /fhir/DocumentReference"] = stored
    drug = {
        "drug_code": "YP001", "name": "氨氯地平片", "dosage": "每日一次", "route_code": "1", "days": 28, "quantity": 1,
        "pack_unit": "盒",
    }  # fmt: skip

    reply = ask(
        "write-dispense", purpose="write_back", request_id=REQUEST, patient_id="1", appointment_id=REQUEST,
        number="RX1", drugs=[drug], handed_over_at="2026-11-22T10:00:00Z", waybill="",
    )  # fmt: skip

    assert reply.json()["reference"] == "DocumentReference/i1"
    assert reply.json()["left_out"] == ["MedicationDispense"]


def test_a_record_stands_when_the_hospital_has_no_place_for_diagnoses(known: Running, ask: Ask) -> None:
    for kind in ("Encounter", "DocumentReference"):
        known.hospital.on(f"GET /fhir/{kind}", fhir.bundle())
    known.hospital.answers["POST /fhir/DocumentReference"] = stored
    diagnosis = {"code": "I10.x00", "name": "高血压", "certainty": "confirmed", "rank": 1}

    reply = ask(
        "write-record", purpose="write_back", request_id=REQUEST, patient_id="1", appointment_id=REQUEST,
        practitioner_code="D01", title="病历", content="e30=", signed_at="2026-11-22T10:00:00Z", diagnoses=[diagnosis],
        content_digest="44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    )  # fmt: skip

    assert reply.json()["left_out"] == ["Condition"]
    assert reply.json()["also"] == []


APPOINTMENT = "urn:internet-hospital:appointment"
SLOT: dict[str, Any] = {
    "purpose": "write_back", "request_id": REQUEST, "patient_id": "1", "appointment_id": REQUEST, "slot_id": "s1",
    "department_code": "0310", "practitioner_code": "D01", "starts_at": "2026-11-23T01:00:00Z",
    "ends_at": "2026-11-23T01:30:00Z", "serial_number": 3,
}  # fmt: skip


@pytest.fixture
def with_slots(known: Running) -> Running:
    """It has appointments as well."""
    for kind in ("Appointment", "Encounter"):
        known.hospital.on(f"GET /fhir/{kind}", fhir.bundle())
        known.hospital.answers[f"POST /fhir/{kind}"] = stored
    return known


def test_the_slot_is_taken_before_the_visit_is_written(with_slots: Running, ask: Ask) -> None:
    reply = ask("write-registration", **SLOT).json()

    [place] = with_slots.hospital.asked("POST", "/fhir/Appointment")
    [visit] = with_slots.hospital.asked("POST", "/fhir/Encounter")
    assert json.loads(place.body)["slot"] == [{"reference": "Slot/s1"}]
    assert json.loads(visit.body)["appointment"] == [{"reference": "Appointment/i1"}]
    assert (reply["also"], reply["left_out"]) == (["Appointment/i1"], [])


def test_a_slot_somebody_has_is_told_apart_from_other_refusals(with_slots: Running, ask: Ask) -> None:
    with_slots.hospital.on("POST /fhir/Appointment", fhir.outcome("error", "conflict"), status=409)
    taken = ask("write-registration", **SLOT)
    with_slots.hospital.on("POST /fhir/Appointment", fhir.outcome("error", "invalid"), status=422)
    refused = ask("write-registration", **SLOT)

    assert (taken.status_code, taken.json()["code"]) == (422, "place_taken")
    assert (refused.status_code, refused.json()["code"]) == (422, "hospital_refused")
    assert with_slots.hospital.asked("POST", "/fhir/Encounter") == []


def test_a_copy_of_the_same_request_that_was_faster_is_no_conflict(with_slots: Running, ask: Ask) -> None:
    def meanwhile(seen: Seen) -> web.Response:
        made = {**json.loads(seen.body), "id": "a1"}
        with_slots.hospital.on("GET /fhir/Appointment", fhir.bundle(made))
        return web.json_response(fhir.outcome("error", "duplicate"), status=409)

    with_slots.hospital.answers["POST /fhir/Appointment"] = meanwhile

    assert ask("write-registration", **SLOT).json()["also"] == ["Appointment/a1"]


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_hospital_that_refuses_appointments_altogether_gets_the_visit_alone(
    with_slots: Running, ask: Ask, status: int
) -> None:
    with_slots.hospital.on("POST /fhir/Appointment", fhir.outcome("error"), status=status)

    reply = ask("write-registration", **SLOT).json()

    assert (reply["reference"], reply["also"], reply["left_out"]) == ("Encounter/i1", [], ["Appointment"])


@pytest.mark.parametrize("operation", ["write-registration", "write-move", "write-cancellation"])
def test_a_hospital_that_lists_no_appointments_is_never_asked_for_one(
    with_slots: Running, ask: Ask, operation: str
) -> None:
    rest = [{"resource": [{"type": "Encounter", "conditionalCreate": False}]}]
    with_slots.hospital.on("GET /fhir/metadata", {**STATEMENT, "rest": rest})
    body = SLOT
    if operation == "write-cancellation":
        named = ("purpose", "request_id", "patient_id", "appointment_id", "slot_id")
        body = {
            **{name: SLOT[name] for name in named}, "cancelled_at": "2026-11-22T10:00:00Z", "reason": "患者取消",
        }  # fmt: skip

    reply = ask(operation, **body)

    assert (reply.status_code, reply.json()["left_out"]) == (200, ["Appointment"])
    for method in ("GET", "POST"):
        assert with_slots.hospital.asked(method, "/fhir/Appointment") == []


def test_a_change_that_somebody_was_faster_with_is_made_once_more(with_slots: Running, ask: Ask) -> None:
    visit = {
        **fhir.encounter(status="planned"), "identifier": [{"system": APPOINTMENT, "value": REQUEST}],
        "meta": {"versionId": "1"},
    }  # fmt: skip
    with_slots.hospital.on("GET /fhir/Encounter", fhir.bundle(visit))
    with_slots.hospital.on("GET /fhir/Encounter/e1", visit)

    def changed(seen: Seen) -> web.Response:
        with_slots.hospital.answers["PUT /fhir/Encounter/e1"] = stored
        with_slots.hospital.on("GET /fhir/Encounter/e1", {**visit, "meta": {"versionId": "2"}})
        return web.json_response(fhir.outcome("error", "conflict"), status=412)

    with_slots.hospital.answers["PUT /fhir/Encounter/e1"] = changed

    reply = ask("write-move", **{**SLOT, "slot_id": ""})

    assert reply.status_code == 200, reply.text
    puts = with_slots.hospital.asked("PUT", "/fhir/Encounter/e1")
    assert [put.headers["if-match"] for put in puts] == ['W/"1"', 'W/"2"']
    assert json.loads(puts[-1].body)["period"]["start"].startswith("2026-11-23")
