from typing import Any

from tests.unit.his.conftest import FHIR, Server
from tests.unit.his.resources import Json, conditional, document, encounter, medication_request


def _entry(resource: Json, url: str, **request: str) -> Json:
    return {
        "fullUrl": url,
        "resource": resource,
        "request": {"method": "POST", "url": resource["resourceType"], **request},
    }


def _send(his: Server, entries: list[Any], kind: str = "transaction") -> Any:
    bundle = {"resourceType": "Bundle", "type": kind, "entry": entries}
    return his.fhir.post("/", json=bundle, headers=FHIR)


def test_entries_may_refer_to_one_another_in_any_order(his: Server) -> None:
    visit = "urn:uuid:00000000-0000-4000-8000-000000000001"
    request = {**medication_request(), "encounter": {"reference": visit}}

    answer = _send(his, [_entry(request, "urn:uuid:2"), _entry(encounter(), visit)])

    assert answer.status_code == 200
    first, second = answer.json()["entry"]
    assert first["response"]["status"] == "201 Created"
    assert first["resource"]["encounter"]["reference"] == f"Encounter/{second['resource']['id']}"


def test_all_or_nothing(his: Server) -> None:
    good, bad = encounter(), {**medication_request(), "status": "perhaps"}

    answer = _send(his, [_entry(good, "urn:uuid:1"), _entry(bad, "urn:uuid:2")])

    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"][0].startswith("Bundle.entry[1]")
    assert his.find("Encounter", identifier=good["identifier"][0]["value"]) == []


def test_a_batch_does_what_it_can(his: Server) -> None:
    answer = _send(
        his,
        [
            _entry(encounter(), "urn:uuid:1"),
            _entry({**medication_request(), "status": "perhaps"}, "urn:uuid:2"),
            {"request": {"method": "GET", "url": "Patient/P0000001"}},
            {"request": {"method": "GET", "url": "Encounter?patient=P0000001&_count=2"}},
            {"request": {"method": "DELETE", "url": "Patient/P0000001"}},
            {"request": {"method": "GET", "url": "Spaceship/1"}},
            "nonsense",
        ],
        "batch",
    )

    statuses = [entry["response"]["status"] for entry in answer.json()["entry"]]
    assert statuses == ["201 Created", "422", "200", "200", "400", "400", "400"]
    assert answer.json()["entry"][2]["resource"]["id"] == "P0000001"


def test_conditions_hold_inside_a_transaction(his: Server) -> None:
    resource = encounter()
    his.create(resource)
    visit = "urn:uuid:1"
    record = {**document(), "context": {"encounter": [{"reference": visit}]}}

    answer = _send(
        his, [_entry(resource, visit, ifNoneExist=conditional(resource)), _entry(record, "urn:uuid:2")]
    )

    first, second = answer.json()["entry"]
    assert first["response"]["status"] == "200 OK"
    assert (
        second["resource"]["context"]["encounter"][0]["reference"] == f"Encounter/{first['resource']['id']}"
    )


def test_a_reference_may_be_a_question(his: Server) -> None:
    number = his.demo["patient_expired"]["id_number"]
    record = {**document(), "subject": {"reference": f"Patient?identifier={number}"}}
    lost = {**document(), "subject": {"reference": "Patient?identifier=nobody"}}

    found = _send(his, [_entry(record, "urn:uuid:1")])

    assert (
        found.json()["entry"][0]["resource"]["subject"]["reference"]
        == f"Patient/{his.demo['patient_expired']['id']}"
    )
    assert _send(his, [_entry(lost, "urn:uuid:1")]).status_code == 412


def test_updates_belong_to_the_transaction(his: Server) -> None:
    made = his.create(encounter()).json()
    finished = {**made, "status": "finished"}
    update = {
        "resource": finished,
        "request": {"method": "PUT", "url": f"Encounter/{made['id']}", "ifMatch": 'W/"1"'},
    }

    assert _send(his, [update]).status_code == 200
    assert _send(his, [update]).status_code == 412


def test_what_is_no_transaction_is_refused(his: Server) -> None:
    assert _send(his, [], "collection").status_code == 400
    assert his.fhir.post("/", json={"resourceType": "Patient"}, headers=FHIR).status_code == 400
    assert (
        his.fhir.post(
            "/", json={"resourceType": "Bundle", "type": "batch", "entry": 5}, headers=FHIR
        ).status_code
        == 400
    )
    assert _send(his, [{"request": {"method": "POST", "url": "Encounter"}}]).status_code == 400
