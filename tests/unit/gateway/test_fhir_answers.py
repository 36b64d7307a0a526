"""What a hospital may answer, and what the gateway makes of it: nothing about anybody else, nothing half understood."""

import hashlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from aiohttp import web

from tests.unit.gateway import fhir
from tests.unit.gateway.background import Running, Seen

Ask = Callable[..., httpx.Response]


@pytest.fixture
def known(running: Running) -> Running:
    """A hospital that knows one patient with one visit."""
    running.hospital.on("GET /fhir/Patient", fhir.bundle(fhir.patient()))
    running.hospital.on("GET /fhir/Patient/1", fhir.patient())
    running.hospital.on("GET /fhir/Encounter", fhir.bundle(fhir.encounter()))
    running.hospital.on("GET /fhir/Condition", fhir.bundle(fhir.condition()))
    return running


def visits(ask: Ask, purpose: str = "eligibility") -> httpx.Response:
    return ask("visits", purpose=purpose, patient_id="1", since="2026-11-01")


def code_of(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["code"]


def test_searches_are_strict_and_ask_for_nothing_compressed(known: Running, ask: Ask) -> None:
    assert visits(ask).status_code == 200

    [asked] = known.hospital.asked("GET", "/fhir/Encounter")
    assert asked.headers["prefer"] == "handling=strict"
    assert "accept-encoding" not in asked.headers
    assert "patient=Patient%2F1" in asked.target


def test_a_visit_comes_with_its_diagnosis(known: Running, ask: Ask) -> None:
    [visit] = visits(ask).json()["visits"]

    assert visit["diagnoses"] == [{"code": "I10.x00", "name": "高血压", "certainty": "confirmed", "rank": 1}]
    assert visit["day"] == "2026-11-12"


@pytest.mark.parametrize("kind", ["Encounter", "Condition"])
def test_an_entry_about_somebody_else_stops_everything(known: Running, ask: Ask, kind: str) -> None:
    make: Any = fhir.encounter if kind == "Encounter" else fhir.condition
    known.hospital.on(f"GET /fhir/{kind}", fhir.bundle(make(), make("x9", "Patient/2")))

    assert code_of(visits(ask)) == (502, "wrong_subject")
    assert hashlib.sha256(f"{kind}/x9".encode()).hexdigest() in known.audit()[-1]["reason"]


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "Patient/10",
        "Group/1",
        "https://elsewhere.example/other/Patient/1",
        "urn:uuid:1",
        "#1",
        "Patient/1/x",
    ],
)
def test_a_subject_must_be_the_very_patient(known: Running, ask: Ask, subject: str) -> None:
    known.hospital.on("GET /fhir/Encounter", fhir.bundle(fhir.encounter(subject=subject)))

    assert code_of(visits(ask)) == (502, "wrong_subject")


def test_an_absolute_subject_under_our_path_is_the_patient_whatever_host_it_names(
    known: Running, ask: Ask
) -> None:
    known.hospital.on(
        "GET /fhir/Encounter", fhir.bundle(fhir.encounter(subject="http://localhost:8090/fhir/Patient/1"))
    )

    assert len(visits(ask).json()["visits"]) == 1


@pytest.mark.parametrize("severity", ["error", "fatal", "warning"])
def test_a_search_that_was_not_carried_out_as_asked_is_no_answer(
    known: Running, ask: Ask, severity: str
) -> None:
    known.hospital.on(
        "GET /fhir/Condition", fhir.bundle(fhir.condition(), outcomes=(fhir.outcome(severity),))
    )

    assert code_of(visits(ask)) == (502, "hospital_answer_unusable")


def test_an_informational_outcome_is_not_taken_for_data(known: Running, ask: Ask) -> None:
    harmless = fhir.outcome("information", "informational")
    known.hospital.on("GET /fhir/Encounter", fhir.bundle(fhir.encounter(), harmless))

    assert len(visits(ask).json()["visits"]) == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"<html></html>", b"[]", b'{"resourceType":"Patient","id":"1"}', b'{"resourceType":"Bundle","type":"batch"}',
     b'{"resourceType":"Bundle","type":"searchset","entry":[{"resource":{"resourceType":"Encounter","id":7}}]}',
     b'{"resourceType":"Bundle","type":"searchset","entry":[{"resource":{"resourceType":"Patient","id":"1"}}]}',
     b"\xff\xfe", b'{"resourceType":"OperationOutcome","issue":[]}'],
)  # fmt: skip
def test_what_is_not_understood_is_not_passed_on(known: Running, ask: Ask, body: bytes) -> None:
    known.hospital.on("GET /fhir/Encounter", body)

    assert code_of(visits(ask)) == (502, "hospital_answer_unusable")


def test_pages_are_followed_whatever_host_they_name(known: Running, ask: Ask) -> None:
    def pages(seen: Seen) -> web.Response:
        first = "_offset" not in seen.target
        following = "http://localhost:8090/fhir/Encounter?patient=1&_offset=1" if first else ""
        page = fhir.bundle(fhir.encounter("e1" if first else "e2"), next_url=following)
        return web.json_response(page)

    known.hospital.answers["GET /fhir/Encounter"] = pages

    assert [one["visit_id"] for one in visits(ask).json()["visits"]] == ["e2", "e1"]


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/fhir/Patient?x=1", "/fhir/../secret?x=1", "http://127.0.0.1/other/Encounter?x=1",
     "file:///fhir/Encounter?x=1", "/fhir/Encounter", "/fhir/Encounter?x=ü", "//fhir/Encounter/1?x"],
)  # fmt: skip
def test_a_next_page_somewhere_else_is_not_followed(known: Running, ask: Ask, url: str) -> None:
    known.hospital.on("GET /fhir/Encounter", fhir.bundle(fhir.encounter(), next_url=url))

    assert code_of(visits(ask)) == (502, "hospital_answer_unusable")
    assert {one.target.split("?")[0] for one in known.hospital.seen} <= {
        "/fhir/Patient", "/fhir/Patient/1", "/fhir/Encounter", "/fhir/Condition",
    }  # fmt: skip


def test_pages_that_go_round_in_a_circle_end(known: Running, ask: Ask) -> None:
    known.hospital.on(
        "GET /fhir/Encounter", fhir.bundle(fhir.encounter(), next_url="/fhir/Encounter?again=1")
    )

    assert code_of(visits(ask)) == (502, "hospital_answer_unusable")
    assert len(known.hospital.asked("GET", "/fhir/Encounter")) == 2


def test_endless_pages_end(known: Running, ask: Ask) -> None:
    counted: list[int] = []

    def endless(_: Seen) -> web.Response:
        counted.append(1)
        page = fhir.bundle(
            fhir.encounter(f"e{len(counted)}"), next_url=f"/fhir/Encounter?page={len(counted)}"
        )
        return web.json_response(page)

    known.hospital.answers["GET /fhir/Encounter"] = endless

    assert code_of(visits(ask)) == (502, "hospital_answer_unusable")
    assert len(counted) == 20


@pytest.mark.parametrize(
    ("status", "expected"),
    [(400, (502, "hospital_answer_unusable")), (401, (502, "hospital_answer_unusable")),
     (302, (502, "hospital_answer_unusable")), (500, (502, "hospital_answer_unusable")),
     (502, (503, "hospital_unreachable")), (503, (503, "hospital_unreachable")), (429, (503, "hospital_unreachable")),
     (504, (504, "hospital_timeout"))],
)  # fmt: skip
def test_each_status_of_the_hospital_has_its_meaning(
    known: Running, ask: Ask, status: int, expected: tuple[int, str]
) -> None:
    known.hospital.on(
        "GET /fhir/Condition", fhir.outcome(), status=status, location="https://elsewhere.example/"
    )

    assert code_of(visits(ask)) == expected


def test_a_patient_of_another_number_is_not_taken_for_the_one_asked(running: Running, ask: Ask) -> None:
    running.hospital.on("GET /fhir/Patient", fhir.bundle(fhir.patient(number="310114199001019999")))

    reply = ask("find-patient", purpose="eligibility", id_number=fhir.NUMBER, name=fhir.NAME)

    assert code_of(reply) == (502, "hospital_answer_unusable")


def test_two_registrations_of_one_person_are_one_patient(running: Running, ask: Ask) -> None:
    running.hospital.on("GET /fhir/Patient", fhir.bundle(fhir.patient("7"), fhir.patient("3")))

    reply = ask("find-patient", purpose="eligibility", id_number=fhir.NUMBER, name=fhir.NAME)

    assert reply.json()["patient"]["patient_id"] == "3"
    assert reply.json()["patient"]["merged_ids"] == ["7"]


def test_reads_after_a_look_up_do_not_ask_who_she_is_again(known: Running, ask: Ask) -> None:
    found = ask("find-patient", purpose="eligibility", id_number=fhir.NUMBER, name=fhir.NAME).json()[
        "patient"
    ]

    assert len(visits(ask).json()["visits"]) == 1
    assert found["patient_id"] == "1"
    assert known.hospital.asked("GET", "/fhir/Patient/1") == []


def test_registrations_that_replace_one_another_in_a_circle_are_no_patient(
    running: Running, ask: Ask
) -> None:
    def replaced(by: str) -> list[dict[str, Any]]:
        return [{"other": {"reference": f"Patient/{by}"}, "type": "replaced-by"}]

    one, other = fhir.patient("1", link=replaced("2")), fhir.patient("2", link=replaced("1"))
    running.hospital.on("GET /fhir/Patient", fhir.bundle(one, other))

    reply = ask("find-patient", purpose="eligibility", id_number=fhir.NUMBER, name=fhir.NAME)

    assert code_of(reply) == (502, "hospital_answer_unusable")


def test_a_result_that_a_report_names_must_be_there(known: Running, ask: Ask) -> None:
    report = {
        "resourceType": "DiagnosticReport", "id": "r1", "status": "final", "subject": {"reference": "Patient/1"},
        "issued": "2026-11-12T10:00:00+08:00", "result": [{"reference": "Observation/o1"}],
    }  # fmt: skip
    for kind in ("AllergyIntolerance", "MedicationRequest", "Observation"):
        known.hospital.on(f"GET /fhir/{kind}", fhir.bundle())
    known.hospital.on("GET /fhir/DiagnosticReport", fhir.bundle(report))

    reply = ask("history", purpose="treatment", patient_id="1", since="2026-11-01")

    assert code_of(reply) == (502, "hospital_answer_unusable")


def test_digits_come_through_as_they_were_sent(known: Running, ask: Ask) -> None:
    contained = (
        b'{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"K"},'
        b'"valueQuantity":{"value":4.10,"unit":"mmol/L"},"referenceRange":[{"low":{"value":3.50},"high":{"value":5.3}}]}'
    )
    report = (
        b'{"resourceType":"DiagnosticReport","id":"r1","status":"final","subject":{"reference":"Patient/1"},'
        b'"issued":"2026-11-12T10:00:00+08:00","result":[{"reference":"#o1"}],"contained":['
        + contained
        + b"]}"
    )
    for kind in ("AllergyIntolerance", "MedicationRequest"):
        known.hospital.on(f"GET /fhir/{kind}", fhir.bundle())
    known.hospital.on(
        "GET /fhir/DiagnosticReport",
        b'{"resourceType":"Bundle","type":"searchset","entry":[{"resource":' + report + b"}]}",
    )

    reply = ask("history", purpose="treatment", patient_id="1", since="2026-11-01")

    [value] = reply.json()["reports"][0]["results"]
    assert (value["value"], value["reference_range"]) == ("4.10", "3.50-5.3")
