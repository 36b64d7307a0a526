"""What the gateway's typed operations answer, before two hospitals of ours (FHIR, SOAP) and one that nobody here wrote."""

import hashlib
import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contracts import his
from tests.contract.hospitals import SAMPLES, WORLD, Gateway, new_request

PEOPLE = {one["id"]: one for one in json.loads((WORLD / "residents.json").read_text(encoding="utf-8"))}
PAIRS = sorted(SAMPLES.glob("*/*-request.json"))


def the_id(gateway: Gateway, resident: str) -> str:
    return gateway.patient_id(PEOPLE[resident]["id_number"], PEOPLE[resident]["name"])


def visits_of(
    gateway: Gateway, resident: str, since: str = "2026-01-01", purpose: str = "eligibility"
) -> list[his.HospitalVisit]:
    reply = gateway.ask("visits", purpose=purpose, patient_id=the_id(gateway, resident), since=since)
    assert reply.status_code == 200, reply.text
    return msgspec.json.decode(reply.content, type=his.VisitsReply).visits


def history_of(gateway: Gateway, resident: str, since: str = "2026-01-01") -> his.HistoryReply:
    reply = gateway.ask("history", purpose="treatment", patient_id=the_id(gateway, resident), since=since)
    assert reply.status_code == 200, reply.text
    return msgspec.json.decode(reply.content, type=his.HistoryReply)


@pytest.mark.parametrize("request_file", PAIRS, ids=lambda path: f"{path.parent.name}/{path.name[:-13]}")
def test_samples_are_answered_as_written(gateway: Gateway, request_file: Path) -> None:
    [response_file] = request_file.parent.glob(request_file.name.replace("-request.json", "-response-*.json"))
    body = filled(gateway, json.loads(request_file.read_text(encoding="utf-8")))

    reply = gateway.ask(request_file.parent.name, **body)

    assert reply.status_code == int(response_file.stem[-3:]), reply.text
    expected = filled(gateway, json.loads(response_file.read_text(encoding="utf-8")))
    assert not list(differences(expected, reply.json(), "")), reply.text


def test_a_number_under_another_name_is_nobody(gateway: Gateway) -> None:
    reply = gateway.ask(
        "find-patient", purpose="eligibility", id_number=PEOPLE["P0000001"]["id_number"], name="张某某"
    )

    assert reply.json() == {"patient": None}


def test_a_name_is_compared_without_spaces(gateway: Gateway) -> None:
    spaced = " ".join(PEOPLE["P0000001"]["name"])

    assert gateway.patient_id(PEOPLE["P0000001"]["id_number"], spaced) == the_id(gateway, "P0000001")


def test_visits_come_newest_first_with_confirmed_diagnoses(gateway: Gateway) -> None:
    visits = visits_of(gateway, "P0000001")

    expected = sorted((date.fromisoformat(one["date"]) for one in PEOPLE["P0000001"]["visits"]), reverse=True)
    assert [one.day for one in visits] == expected
    newest = visits[0].diagnoses
    assert [(one.code, one.certainty, one.rank) for one in newest] == [
        (one["code"], one["certainty"], one["rank"]) for one in PEOPLE["P0000001"]["visits"][-1]["diagnoses"]
    ]


def test_visits_before_the_day_asked_for_are_left_out(gateway: Gateway) -> None:
    newest = PEOPLE["P0000001"]["visits"][-1]["date"]

    assert [one.day.isoformat() for one in visits_of(gateway, "P0000001", since=newest)] == [newest]


def test_for_eligibility_the_doctors_name_stays_inside(gateway: Gateway) -> None:
    assert {one.doctor_name for one in visits_of(gateway, "P0000001")} == {""}
    assert {one.doctor_name for one in visits_of(gateway, "P0000001", purpose="treatment")} != {""}


def test_a_suspected_diagnosis_is_not_confirmed(gateway: Gateway) -> None:
    assert [one.certainty for one in visits_of(gateway, "P0000011")[0].diagnoses] == ["suspected"]


def test_a_cancelled_visit_says_so(gateway: Gateway) -> None:
    assert [one.status for one in visits_of(gateway, "P0000012")] == ["cancelled"]


def test_a_diagnosis_of_words_only_has_no_code(gateway: Gateway) -> None:
    [diagnosis] = visits_of(gateway, "P0000013")[0].diagnoses

    assert (diagnosis.code, diagnosis.name, diagnosis.certainty) == ("", "高血压病", "confirmed")


def test_an_inpatient_counts_from_the_day_of_discharge(gateway: Gateway) -> None:
    [visit] = visits_of(gateway, "P0000014")

    assert (visit.kind, visit.day.isoformat()) == (
        "inpatient",
        PEOPLE["P0000014"]["visits"][0]["discharged_on"],
    )


def test_visits_filed_under_a_merged_number_are_found(gateway: Gateway) -> None:
    reply = gateway.ask(
        "find-patient",
        purpose="eligibility",
        id_number=PEOPLE["P0000015"]["id_number"],
        name=PEOPLE["P0000015"]["name"],
    )

    assert len(reply.json()["patient"]["merged_ids"]) == 1
    assert [one.day.isoformat() for one in visits_of(gateway, "P0000015")] == [
        PEOPLE["P0000015"]["visits"][0]["date"]
    ]


def test_the_merged_number_leads_to_the_same_person(gateway: Gateway) -> None:
    reply = gateway.ask(
        "find-patient",
        purpose="eligibility",
        id_number=PEOPLE["P0000015"]["id_number"],
        name=PEOPLE["P0000015"]["name"],
    )
    old = reply.json()["patient"]["merged_ids"][0]

    under_old = gateway.ask("visits", purpose="eligibility", patient_id=old, since="2026-01-01")

    assert len(under_old.json()["visits"]) == 1


def test_a_resource_hash_is_the_digest_of_type_and_id(gateway: Gateway) -> None:
    visit = visits_of(gateway, "P0000014")[0]

    assert visit.resource_hash == hashlib.sha256(f"Encounter/{visit.visit_id}".encode()).hexdigest()


def test_history_has_the_allergy_with_its_group(gateway: Gateway) -> None:
    [allergy] = history_of(gateway, "P0000007").allergies

    assert (allergy.code, allergy.group) == ("penicillin", "penicillin")


def test_history_has_every_drug_of_the_period(gateway: Gateway) -> None:
    wanted = [
        (item["drug"], item["name"], item["days"])
        for visit in PEOPLE["P0000001"]["visits"]
        for prescription in visit.get("prescriptions", [])
        for item in prescription["items"]
    ]

    found = [(one.code, one.name, one.days) for one in history_of(gateway, "P0000001").medications]

    assert sorted(found) == sorted(wanted)
    assert all(one.dosage for one in history_of(gateway, "P0000001").medications)


def test_history_has_every_value_of_the_reports(gateway: Gateway) -> None:
    wanted = {
        (report["name"], item["name"], Decimal(item["value"]), item.get("flag", ""))
        for visit in PEOPLE["P0000001"]["visits"]
        for report in visit.get("reports", [])
        for item in report.get("items", [])
    }
    reports = history_of(gateway, "P0000001").reports

    assert {
        (one.title, line.name, Decimal(line.value), line.flag) for one in reports for line in one.results
    } == wanted
    assert {one.category for one in reports} <= {"laboratory", "imaging"}
    assert all(line.unit or not line.reference_range for one in reports for line in one.results)


def test_nobody_else_s_drugs_are_in_a_history(gateway: Gateway) -> None:
    assert history_of(gateway, "P0000003") == his.HistoryReply([], [], [], [])


def test_a_patient_that_the_hospital_does_not_know_is_not_found(gateway: Gateway) -> None:
    for unknown in ("does-not-exist", "../Patient/1", "P0000001/_history/1"):
        reply = gateway.ask("visits", purpose="eligibility", patient_id=unknown, since="2026-01-01")

        assert (reply.status_code, reply.json()["code"]) == (404, "patient_not_found")


def test_many_pages_are_followed(gateway: Gateway) -> None:
    patient = the_id(gateway, "P0000204")
    before = len(
        gateway.ask("visits", purpose="eligibility", patient_id=patient, since="2025-01-01").json()["visits"]
    )

    for number in range(103):  # a page has 100
        written = gateway.ask("write-registration", **registration(patient, minute=number % 60))
        assert written.status_code == 200, written.text

    after = gateway.ask("visits", purpose="eligibility", patient_id=patient, since="2025-01-01").json()[
        "visits"
    ]
    assert len(after) == before + 103
    assert {one["source"] for one in after} == {"online"}


def registration(patient: str, minute: int = 0) -> dict[str, Any]:
    return {
        "purpose": "write_back",
        "request_id": new_request(),
        "patient_id": patient,
        "appointment_id": new_request(),
        "department_code": "0310",
        "practitioner_code": "D01",
        "starts_at": f"2025-06-22T01:{minute:02}:00Z",
        "ends_at": f"2025-06-22T02:{minute:02}:00Z",
        "serial_number": 3,
    }


ANY = "$any"


def filled(gateway: Gateway, value: Any) -> Any:
    """`$patient:P0000001` becomes the id that this hospital gives the person."""
    if isinstance(value, dict):
        return {name: filled(gateway, one) for name, one in value.items()}
    if isinstance(value, list):
        return [filled(gateway, one) for one in value]
    if isinstance(value, str) and (named := re.fullmatch(r"\$patient:(P\d+)", value)):
        return the_id(gateway, named[1])
    return value


def differences(expected: Any, found: Any, place: str) -> Any:
    """Places where `found` is not as written; `$any` fits everything that is there."""
    if expected == ANY:
        return
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in sorted(expected.keys() | found.keys()):
            if name not in expected or name not in found:
                yield f"{place}.{name}"
            else:
                yield from differences(expected[name], found[name], f"{place}.{name}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from differences(one, other, f"{place}.{number}")
    elif expected != found:
        yield place
