import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulators.his.definitions import ELEMENTS
from simulators.his.parameters import WRITABLE
from tests.unit.his.conftest import FHIR, Server
from tests.unit.his.resources import (
    WRITER,
    Json,
    conditional,
    document,
    encounter,
    invoice,
    medication_request,
    new_identifier,
)


def test_a_write_back_is_stored_and_can_be_read(his: Server) -> None:
    answer = his.create(medication_request())

    assert answer.status_code == 201
    assert answer.headers["etag"] == 'W/"1"'
    assert his.fhir.get(answer.headers["location"]).json() == answer.json()
    number = answer.json()["id"]
    assert number in [one["id"] for one in his.find("MedicationRequest", patient=WRITER, status="active")]
    received = his.health.get("/_test/received", params={"type": "MedicationRequest"}).json()
    assert received[-1]["id"] == number
    assert received[-1]["resource"]["subject"]["reference"] == f"Patient/{WRITER}"
    assert his.health.get("/_test/received", params={"after": str(received[-1]["sequence"])}).json() == []


def _without(resource: Json, name: str) -> Json:
    return {key: value for key, value in resource.items() if key != name}


@pytest.mark.parametrize(
    ("resource", "at"),
    [
        (_without(medication_request(), "subject"), "MedicationRequest.subject"),
        (_without(medication_request(), "requester"), "MedicationRequest.requester"),
        (_without(medication_request(), "medicationCodeableConcept"), "MedicationRequest.medication"),
        (medication_request("P7777777"), "MedicationRequest.subject"),
        ({**medication_request(), "subject": {"display": "周"}}, "MedicationRequest.subject"),
        ({**medication_request(), "status": "perhaps"}, "MedicationRequest.status"),
        ({**medication_request(), "authoredOn": "yesterday"}, "MedicationRequest.authoredOn"),
        ({**medication_request(), "medicationCodeableConcept": {"text": "阿司匹林"}}, "MedicationRequest.medicationCodeableConcept"),
        (
            {**medication_request(), "medicationCodeableConcept": {"coding": [{"system": "urn:internet-hospital:drug", "code": "YP999"}]}},
            "MedicationRequest.medicationCodeableConcept",
        ),
        ({**medication_request(), "requester": {"reference": "Practitioner/D99"}}, "MedicationRequest.requester"),
        (
            {**encounter(), "participant": [{"individual": {"identifier": {"system": "urn:internet-hospital:practitioner", "value": "D99"}}}]},
            "Encounter.participant.individual",
        ),
        (_without(document(), "content"), "DocumentReference.content"),
        (document("P7777777"), "DocumentReference.subject"),
        ({**document(), "content": [{"attachment": {"contentType": "text/plain", "data": "***"}}]}, "DocumentReference.content.attachment"),
        ({**document(), "content": [{"attachment": {"contentType": "text/plain", "data": "e30=", "hash": "AAAA"}}]}, "DocumentReference.content.attachment"),
        (invoice(yuan=-1), "Invoice.totalGross"),
        (invoice(yuan=1.005), "Invoice.totalGross"),
        ({**invoice(), "totalGross": {"value": 1, "currency": "USD"}}, "Invoice.totalGross"),
        ({**invoice(), "totalGross": {"value": 1e300, "currency": "CNY"}}, "Invoice.totalGross"),
    ],
)  # fmt: skip
def test_a_breach_of_the_rules_is_422_and_says_where(his: Server, resource: Json, at: str) -> None:
    answer = his.create({**resource, "identifier": [new_identifier()]})

    assert answer.status_code == 422
    assert at in [place for issue in answer.json()["issue"] for place in issue["expression"]]
    assert his.find(resource["resourceType"], identifier="never") == []


def test_all_breaches_are_named_at_once(his: Server) -> None:
    resource = {**_without(medication_request(), "subject"), "status": "perhaps", "authoredOn": "never"}

    assert len(his.create(resource).json()["issue"]) >= 3


def test_a_refused_write_leaves_nothing_behind(his: Server) -> None:
    resource = {**medication_request(), "status": "perhaps"}

    his.create(resource)

    assert his.find("MedicationRequest", identifier=resource["identifier"][0]["value"]) == []


def test_nothing_is_written_for_a_merged_number(his: Server) -> None:
    survivor = his.demo["patient_merged"]["id"]
    former = his.fhir.get(f"/Patient/{survivor}").json()["link"][0]["other"]["reference"].partition("/")[2]

    answer = his.create(medication_request(former))

    assert answer.status_code == 422
    assert f"Patient/{survivor}" in answer.json()["issue"][0]["details"]["text"]


def test_one_patient_throughout(his: Server) -> None:
    visit = his.create(encounter("P0000101")).json()["id"]

    answer = his.create({**medication_request(), "encounter": {"reference": f"Encounter/{visit}"}})

    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[]", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b'{"resourceType":"Encounter"}', 400),
        (b'{"resourceType":"MedicationRequest","colour":"red"}', 400),
        (b'{"resourceType":"MedicationRequest","identifier":{}}', 400),
        (b'{"resourceType":"MedicationRequest","note":[]}', 400),
        (
            b'{"resourceType":"MedicationRequest","note":' + b'[{"a":' * 5_000 + b"1" + b"}]" * 5_000 + b"}",
            400,
        ),
    ],
)
def test_a_body_that_is_no_such_resource_is_400(his: Server, body: bytes, status: int) -> None:
    assert his.fhir.post("/MedicationRequest", content=body, headers=FHIR).status_code == status


def test_only_fhir_json_is_taken(his: Server) -> None:
    answer = his.fhir.post(
        "/MedicationRequest",
        content=b"<MedicationRequest/>",
        headers={"content-type": "application/fhir+xml"},
    )

    assert answer.status_code == 415


def test_the_same_identifier_twice_gives_what_is_there(his: Server) -> None:
    resource = medication_request()

    first = his.create(resource, **{"If-None-Exist": conditional(resource)})
    second = his.create(resource, **{"If-None-Exist": conditional(resource)})

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert second.headers["location"] == first.headers["location"]


def test_without_the_condition_a_second_one_is_a_conflict(his: Server) -> None:
    resource = medication_request()
    his.create(resource)

    assert his.create(resource).status_code == 409


def test_a_condition_that_fits_several_is_412_and_one_that_asks_nothing_400(his: Server) -> None:
    his.create(medication_request())
    his.create(medication_request())

    assert his.create(medication_request(), **{"If-None-Exist": f"patient={WRITER}"}).status_code == 412
    assert his.create(medication_request(), **{"If-None-Exist": "_count=1"}).status_code == 400
    assert his.create(medication_request(), **{"If-None-Exist": "colour=red"}).status_code == 400


def test_an_update_makes_a_version_and_only_on_the_one_that_was_read(his: Server) -> None:
    made = his.create(encounter()).json()
    finished = {**made, "status": "finished"}

    changed = his.fhir.put(f"/Encounter/{made['id']}", json=finished, headers={**FHIR, "If-Match": 'W/"1"'})
    late = his.fhir.put(f"/Encounter/{made['id']}", json=finished, headers={**FHIR, "If-Match": 'W/"1"'})

    assert changed.status_code == 200
    assert changed.headers["etag"] == 'W/"2"'
    assert late.status_code == 412
    assert his.fhir.get(f"/Encounter/{made['id']}/_history/1").json()["status"] == "planned"
    assert his.fhir.get(f"/Encounter/{made['id']}").json()["status"] == "finished"


def test_updates_that_make_no_sense_are_refused(his: Server) -> None:
    made = his.create(encounter()).json()

    def put(path: str, body: Json, **headers: str) -> int:
        return his.fhir.put(path, json=body, headers={**FHIR, **headers}).status_code

    assert put(f"/Encounter/{made['id']}", {**made, "id": "other"}) == 400
    assert put("/Encounter/new", {**made, "id": "new"}) == 404
    assert put(f"/Encounter/{made['id']}", made, **{"If-Match": "one"}) == 400
    assert put(f"/Encounter/{made['id']}", {**made, "status": "perhaps"}) == 422


def test_the_hospitals_own_records_are_read_only(his: Server) -> None:
    own = his.find("Encounter", patient="P0000001")[0]

    assert his.fhir.put(f"/Encounter/{own['id']}", json=own, headers=FHIR).status_code == 403


def test_what_is_answered_can_be_chosen(his: Server) -> None:
    minimal = his.create(encounter(), Prefer="return=minimal")
    told = his.create(encounter(), Prefer="return=OperationOutcome")

    assert (minimal.status_code, minimal.content) == (201, b"")
    assert minimal.headers["location"]
    assert told.json()["resourceType"] == "OperationOutcome"


def test_a_new_patient_gets_a_number(his: Server) -> None:
    person = {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:oid:2.16.156.10011.1.3", "value": "11010519491231002X"}],
        "name": [{"text": "样例"}],
        "gender": "female",
        "birthDate": "1949-12-31",
    }

    assert his.create({**person, "birthDate": "1949-12-30"}).status_code == 422
    assert his.create({**person, "gender": "male"}).status_code == 422
    made = his.create(person)
    assert made.status_code == 201
    assert any(one["system"] == "https://his.nanxiang.example/mrn" for one in made.json()["identifier"])
    assert his.create(person).status_code == 409


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["reference", "coding", "code", "system", "value", "identifier", "actor", "attachment", "data"]), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), kind=st.sampled_from(sorted(WRITABLE)))
def test_no_body_makes_the_hospital_stumble(his: Server, data: st.DataObject, kind: str) -> None:
    names = st.sampled_from(sorted(ELEMENTS[kind] - {"resourceType"}))
    body: dict[str, Any] = {**data.draw(st.dictionaries(names, _json, max_size=6)), "resourceType": kind}

    answer = his.fhir.post(f"/{kind}", content=json.dumps(body).encode(), headers=FHIR)

    assert answer.status_code in {201, 400, 409, 422}
