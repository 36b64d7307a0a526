"""A hospital in trouble: what the simulators' faults look like from the cloud's side of the gateway."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.contract.hospitals import Gateway, new_request

Faults = Callable[..., None]
PERSON = ("310114195809199069", "周桂珍")
WRITTEN = ("310114195604189908", "赵秀珍")


@pytest.fixture
def faults(gateway: Gateway) -> Iterator[Faults]:
    """Switch faults on; off again after the test. Only our simulators have such switches."""
    if not gateway.hospital.health:
        pytest.skip("this hospital has no fault switches")

    def switch(**values: Any) -> None:
        answer = httpx.put(f"{gateway.hospital.health}/_test/faults", json=values)
        assert answer.status_code == 200, answer.text

    yield switch
    switch()


def visits(gateway: Gateway, patient: str) -> tuple[int, str]:
    reply = gateway.ask("visits", purpose="eligibility", patient_id=patient, since="2026-10-22")
    return reply.status_code, reply.json().get("code", "ok")


def registration(patient: str) -> dict[str, Any]:
    return {
        "purpose": "write_back", "request_id": new_request(), "patient_id": patient, "appointment_id": new_request(),
        "department_code": "0310", "practitioner_code": "D01", "starts_at": "2026-12-01T01:00:00Z",
        "ends_at": "2026-12-01T01:30:00Z", "serial_number": 1,
    }  # fmt: skip


def test_somebody_else_s_resources_are_not_passed_on(gateway: Gateway, faults: Faults) -> None:
    patient = gateway.patient_id(*PERSON)
    faults(wrong_patient=True)

    status, code = visits(gateway, patient)

    assert (status, code) in {(502, "wrong_subject"), (502, "hospital_answer_unusable")}


def test_garbage_is_not_passed_on(gateway: Gateway, faults: Faults) -> None:
    patient = gateway.patient_id(*PERSON)
    faults(garbage=True)

    assert visits(gateway, patient) == (502, "hospital_answer_unusable")


def test_a_hospital_that_is_down_is_unreachable_and_comes_back(gateway: Gateway, faults: Faults) -> None:
    patient = gateway.patient_id(*PERSON)
    faults(down=True)
    assert visits(gateway, patient) == (503, "hospital_unreachable")

    faults()

    assert visits(gateway, patient) == (200, "ok")


def test_a_write_whose_answer_was_lost_is_found_again(gateway: Gateway, faults: Faults) -> None:
    body = registration(gateway.patient_id(*WRITTEN))
    faults(lose_write_answers=True)
    assert gateway.ask("write-registration", **body).json()["code"] == "hospital_unreachable"
    faults()

    again = gateway.ask("write-registration", **body)

    assert again.status_code == 200
    identifier = f"urn:internet-hospital:request|{body['request_id']}"
    assert len(gateway.hospital.resources("Encounter", identifier=identifier)) == 1


def test_a_refused_write_says_why(gateway: Gateway, faults: Faults) -> None:
    body = registration(gateway.patient_id(*WRITTEN))
    faults(refuse_writes="当日已结账")

    reply = gateway.ask("write-registration", **body)

    assert (reply.status_code, reply.json()["code"]) == (422, "hospital_refused")
    assert "当日已结账" in reply.json()["detail"]


def test_a_doctor_that_the_hospital_does_not_know_is_refused_with_its_words(
    gateway: Gateway, faults: Faults
) -> None:
    faults()
    body = {**registration(gateway.patient_id(*WRITTEN)), "practitioner_code": "D99"}

    reply = gateway.ask("write-registration", **body)

    assert (reply.status_code, reply.json()["code"]) == (422, "hospital_refused")
    assert "D99" in reply.json()["detail"]
