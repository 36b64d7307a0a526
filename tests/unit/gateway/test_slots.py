"""Slots of the hospital's own schedule: who sits is known by identifier, times are exact, nobody's patient is in it."""

from typing import Any

import httpx
import pytest

from tests.unit.gateway import fhir
from tests.unit.gateway.background import Running
from tests.unit.gateway.conftest import Caller

PRACTITIONER = "urn:internet-hospital:practitioner"


def schedule(number: str = "s1", doctor: str = "Practitioner/7", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Schedule",
        "id": number,
        "active": True,
        "actor": [{"reference": doctor}],
        **more,
    }


def slot(
    number: str, hour: int, status: str = "free", of: str = "Schedule/s1", **more: Any
) -> dict[str, Any]:
    return {
        "resourceType": "Slot", "id": number, "schedule": {"reference": of}, "status": status,
        "start": f"2026-11-23T{hour:02d}:00:00+08:00", "end": f"2026-11-23T{hour:02d}:30:00+08:00", **more,
    }  # fmt: skip


def practitioner(code: str = "D01") -> dict[str, Any]:
    identifier = [{"system": "urn:other", "value": "x"}, {"system": PRACTITIONER, "value": code}]
    return {"resourceType": "Practitioner", "id": "7", "identifier": identifier}


@pytest.fixture
def hospital(running: Running) -> Running:
    running.hospital.on("GET /fhir/Schedule", fhir.bundle(schedule()))
    running.hospital.on("GET /fhir/Practitioner/7", practitioner())
    running.hospital.on("GET /fhir/Slot", fhir.bundle(slot("b", 9, "busy"), slot("a", 8)))
    return running


def ask(caller: Caller, as_who: str = "backend-worker", **more: Any) -> httpx.Response:
    body = {"purpose": "schedule", "department_code": "0310", "first": "2026-11-23", "last": "2026-11-24"}
    return caller(as_who).post("/his/v1/slots", json=body | more)


def test_slots_come_earliest_first_with_the_doctors_code(hospital: Running, caller: Caller) -> None:
    reply = ask(caller)

    assert reply.status_code == 200, reply.text
    assert [(one["slot_id"], one["status"], one["practitioner_code"]) for one in reply.json()["slots"]] == [
        ("a", "free", "D01"), ("b", "busy", "D01"),
    ]  # fmt: skip
    assert reply.json()["slots"][0]["starts_at"] == "2026-11-23T00:00:00Z"
    [asked] = hospital.hospital.asked("GET", "/fhir/Slot")
    assert "schedule=Schedule%2Fs1" in asked.target
    assert asked.headers["prefer"] == "handling=strict"


def test_a_doctor_is_looked_up_once(hospital: Running, caller: Caller) -> None:
    for _ in range(3):
        ask(caller)

    assert len(hospital.hospital.asked("GET", "/fhir/Practitioner/7")) == 1


def test_one_doctors_slots_can_be_asked_for(hospital: Running, caller: Caller) -> None:
    assert ask(caller, practitioner_code="D02").json() == {"slots": []}
    assert len(ask(caller, practitioner_code="D01").json()["slots"]) == 2


def test_what_belongs_to_nobody_we_know_is_left_out(hospital: Running, caller: Caller) -> None:
    hospital.hospital.on("GET /fhir/Practitioner/7", {"resourceType": "Practitioner", "id": "7"})

    assert ask(caller).json() == {"slots": []}


def test_a_schedule_that_is_not_active_and_a_slot_of_another_day_are_left_out(
    hospital: Running, caller: Caller
) -> None:
    late = slot("c", 8) | {"start": "2026-11-25T00:30:00+08:00", "end": "2026-11-25T01:00:00+08:00"}
    hospital.hospital.on("GET /fhir/Slot", fhir.bundle(slot("a", 8), late, slot("d", 10, "entered-in-error")))
    assert [one["slot_id"] for one in ask(caller).json()["slots"]] == ["a"]

    hospital.hospital.on("GET /fhir/Schedule", fhir.bundle(schedule(active=False)))
    assert ask(caller).json() == {"slots": []}


def test_an_actor_may_be_named_by_identifier_alone(hospital: Running, caller: Caller) -> None:
    by_identifier = [{"identifier": {"system": PRACTITIONER, "value": "D09"}}]
    hospital.hospital.on("GET /fhir/Schedule", fhir.bundle(schedule(actor=by_identifier)))

    assert {one["practitioner_code"] for one in ask(caller).json()["slots"]} == {"D09"}


def test_only_the_worker_reads_schedules(hospital: Running, caller: Caller) -> None:
    reply = ask(caller, "backend-api")

    assert (reply.status_code, reply.json()["code"]) == (403, "not_listed")
