import base64
import json

from simulators.his.parameters import PARAMETERS, WRITABLE
from tests.unit.his.conftest import Server


def test_the_capability_statement_says_what_can_be_done(his: Server) -> None:
    statement = his.fhir.get("/metadata").json()

    resources = {one["type"]: one for one in statement["rest"][0]["resource"]}
    assert statement["fhirVersion"] == "4.0.1"
    assert resources.keys() == PARAMETERS.keys()
    for kind, one in resources.items():
        assert one["conditionalCreate"] is (kind in WRITABLE)
        assert {entry["name"] for entry in one["searchParam"]} == PARAMETERS[kind].keys()


def test_a_resource_is_read_with_its_version(his: Server) -> None:
    answer = his.fhir.get("/Patient/P0000001")

    assert answer.status_code == 200
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.headers["content-type"].startswith("application/fhir+json")
    assert answer.json()["meta"]["versionId"] == "1"
    assert his.fhir.get("/Patient/P0000001/_history/1").json() == answer.json()
    assert his.fhir.get("/Patient/P0000001/_history/2").status_code == 404


def test_every_refusal_is_an_operation_outcome(his: Server) -> None:
    answers = [
        his.fhir.get("/Patient/nobody"),
        his.fhir.get("/Spaceship/1"),
        his.fhir.get("/Spaceship"),
        his.fhir.get("/a/b/c/d/e"),
        his.fhir.delete("/Patient/P0000001"),
        his.fhir.get("/"),
        his.fhir.post(
            "/Observation",
            json={"resourceType": "Observation"},
            headers={"content-type": "application/fhir+json"},
        ),
        his.fhir.get("/Patient/P0000001/_history/x"),
        his.fhir.post(
            "/Patient", content=b" " * 1_000_001, headers={"content-type": "application/fhir+json"}
        ),
    ]

    assert [one.status_code for one in answers] == [404, 404, 404, 404, 405, 405, 405, 404, 413]
    for one in answers:
        assert one.json()["resourceType"] == "OperationOutcome"
        assert one.json()["issue"][0]["severity"] == "error"
        assert one.headers["content-type"].startswith("application/fhir+json")


def test_a_merged_number_leads_to_its_survivor(his: Server) -> None:
    part = his.demo["patient_merged"]
    survivor = his.fhir.get(f"/Patient/{part['id']}").json()
    former_id = survivor["link"][0]["other"]["reference"].partition("/")[2]
    former = his.fhir.get(f"/Patient/{former_id}").json()

    assert survivor["link"][0]["type"] == "replaces"
    assert former["active"] is False
    assert former["link"] == [{"other": {"reference": f"Patient/{part['id']}"}, "type": "replaced-by"}]
    assert his.find("Encounter", patient=part["id"]) == []
    assert len(his.find("Encounter", patient=f"{part['id']},{former_id}")) == 1
    assert len(his.find("Patient", identifier=f"urn:oid:2.16.156.10011.1.3|{part['id_number']}")) == 2


def test_diagnoses_show_how_certain_they_are_and_words_stay_words(his: Server) -> None:
    suspected = his.find("Condition", patient=his.demo["patient_suspected"]["id"])
    words = his.find("Condition", patient=his.demo["patient_text_only"]["id"])

    assert suspected[0]["verificationStatus"]["coding"][0]["code"] == "provisional"
    assert words[0]["code"] == {"text": "高血压病"}


def test_cancelled_visits_and_stays_are_told_apart(his: Server) -> None:
    cancelled = his.find("Encounter", patient=his.demo["patient_cancelled"]["id"])
    stay = his.find("Encounter", patient=his.demo["patient_inpatient"]["id"])

    assert cancelled[0]["status"] == "cancelled"
    assert stay[0]["class"]["code"] == "IMP"
    assert stay[0]["period"]["start"] < stay[0]["period"]["end"]


def test_reports_lead_to_their_results(his: Server) -> None:
    reports = his.find("DiagnosticReport", patient="P0000001", category="LAB")
    result = reports[-1]["result"][0]["reference"].partition("/")[2]

    observation = his.find("Observation", _id_=result) or [his.fhir.get(f"/Observation/{result}").json()]

    assert observation[0]["subject"]["reference"] == "Patient/P0000001"
    assert "valueQuantity" in observation[0]
    assert observation[0]["referenceRange"]


def test_every_canary_is_in_the_hospital_and_only_with_its_patient(his: Server) -> None:
    for canary in his.health.get("/_test/canaries").json()[:40]:
        texts = ""
        for kind in (
            "Encounter",
            "MedicationRequest",
            "DiagnosticReport",
            "AllergyIntolerance",
            "DocumentReference",
        ):
            found = his.fhir.get(f"/{kind}", params={"patient": canary["resident"], "_count": "200"}).json()
            texts += json.dumps(found, ensure_ascii=False)
            for entry in found.get("entry", []):
                for content in entry["resource"].get("content", []):
                    texts += base64.b64decode(content["attachment"]["data"]).decode()
        if not his.fhir.get(f"/Patient/{canary['resident']}").json().get("link"):
            assert canary["token"] in texts
