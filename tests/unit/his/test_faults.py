import json
import time

import pytest

from tests.unit.his.conftest import STRICT, Server
from tests.unit.his.resources import conditional, encounter


def test_a_hospital_that_is_down_says_503_to_everything(his: Server) -> None:
    his.faults(down=True)

    for answer in (his.fhir.get("/metadata"), his.fhir.get("/Patient/P0000001"), his.create(encounter())):
        assert answer.status_code == 503
        assert answer.json()["resourceType"] == "OperationOutcome"
    assert his.health.get("/healthz").status_code == 200


def test_a_slow_hospital_is_slow(his: Server) -> None:
    his.faults(slow_seconds=0.2)
    started = time.monotonic()

    his.fhir.get("/Patient/P0000001")

    assert time.monotonic() - started >= 0.2


def test_writes_are_refused_with_the_reason_while_reading_goes_on(his: Server) -> None:
    his.faults(refuse_writes="日结中")

    refused = his.create(encounter())

    assert refused.status_code == 422
    assert refused.json()["issue"][0]["details"]["text"] == "日结中"
    assert his.fhir.get("/Patient/P0000001").status_code == 200
    assert his.fhir.post("/Patient/_search", data={"identifier": "x"}, headers=STRICT).status_code == 200


def test_an_answer_may_be_lost_after_the_write(his: Server) -> None:
    resource = encounter()
    his.faults(lose_write_answers=True)
    assert his.create(resource, **{"If-None-Exist": conditional(resource)}).status_code == 503

    his.faults()

    assert his.create(resource, **{"If-None-Exist": conditional(resource)}).status_code == 200


@pytest.mark.parametrize(
    "kind", ["Encounter", "Condition", "MedicationRequest", "DiagnosticReport", "DocumentReference"]
)
def test_a_mixed_up_hospital_answers_about_somebody_else(his: Server, kind: str) -> None:
    his.faults(wrong_patient=True)

    found = his.find(kind, patient="P0000001")

    assert found
    assert all(one["subject"]["reference"] != "Patient/P0000001" for one in found)


def test_a_mixed_up_hospital_finds_somebody_else(his: Server) -> None:
    his.faults(wrong_patient=True)

    found = his.find("Patient", identifier=his.demo["patient"]["id_number"])

    assert [one["id"] for one in found] != [his.demo["patient"]["id"]]
    assert his.fhir.get("/Patient/P0000001").json()["id"] != "P0000001"


def test_garbage_is_no_json(his: Server) -> None:
    his.faults(garbage=True)

    answer = his.fhir.get("/Patient/P0000001")

    assert answer.status_code == 200
    with pytest.raises((json.JSONDecodeError, UnicodeDecodeError)):
        answer.json()


def test_a_resource_can_be_planted_against_all_rules(his: Server) -> None:
    condition = {
        "resourceType": "Condition",
        "id": "planted-1",
        "code": {"text": "待查"},
        "subject": {"reference": f"Patient/{his.demo['patient_without_history']['id']}"},
    }

    assert his.health.put("/_test/resources", json=condition).status_code == 201
    assert his.health.put("/_test/resources", json=condition).json() == {"version": 2}
    assert len(his.find("Condition", patient=his.demo["patient_without_history"]["id"])) == 1
    assert (
        his.health.put("/_test/resources", json={"resourceType": "Spaceship", "id": "1"}).status_code == 400
    )
    assert his.health.put("/_test/resources", json={"resourceType": "Condition"}).status_code == 400
