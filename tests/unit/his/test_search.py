import urllib.parse
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulators.his.parameters import PARAMETERS
from tests.unit.his.conftest import STRICT, Server


def test_a_patient_is_found_by_identity_card_by_name_and_birth_date(his: Server) -> None:
    part = his.demo["patient"]
    number = f"urn:oid:2.16.156.10011.1.3|{part['id_number']}"

    assert [one["id"] for one in his.find("Patient", identifier=number)] == [part["id"]]
    assert [one["id"] for one in his.find("Patient", identifier=part["id_number"])] == [part["id"]]
    assert his.find("Patient", identifier=f"urn:other|{part['id_number']}") == []
    assert part["id"] in [
        one["id"] for one in his.find("Patient", name=part["name"], birthdate=part["birth_date"])
    ]
    assert part["id"] in [
        one["id"] for one in his.find("Patient", name=part["name"][0], birthdate=part["birth_date"])
    ]
    assert [one["id"] for one in his.find("Patient", phone=part["phone"])] == [part["id"]]
    assert his.find("Patient", birthdate="gt2200-01-01") == []


def test_a_number_need_not_stand_in_an_address(his: Server) -> None:
    part = his.demo["patient"]

    answer = his.fhir.post("/Patient/_search", data={"identifier": part["id_number"]}, headers=STRICT)

    assert [entry["resource"]["id"] for entry in answer.json()["entry"]] == [part["id"]]


def test_visits_are_narrowed_by_day(his: Server) -> None:
    day = his.today - timedelta(days=10)

    assert len(his.find("Encounter", patient="P0000001")) == 4
    for text, number in (
        ("ge", 1),
        ("sa", 0),
        ("gt", 0),
        ("le", 4),
        ("lt", 3),
        ("eb", 3),
        ("ne", 3),
        ("eq", 1),
        ("", 1),
    ):
        assert len(his.find("Encounter", patient="Patient/P0000001", date=f"{text}{day}")) == number, text


def test_two_conditions_on_one_parameter_both_hold(his: Server) -> None:
    low, high = his.today - timedelta(days=140), his.today - timedelta(days=60)

    answer = his.fhir.get(f"/Encounter?patient=P0000001&date=ge{low}&date=le{high}", headers=STRICT)

    assert answer.json()["total"] == 2


def test_a_stay_counts_on_each_of_its_days(his: Server) -> None:
    patient = his.demo["patient_inpatient"]["id"]

    assert len(his.find("Encounter", patient=patient, date=f"ge{his.today - timedelta(days=12)}")) == 1
    assert his.find("Encounter", patient=patient, date=f"ge{his.today - timedelta(days=11)}") == []


@pytest.mark.parametrize(
    "question",
    ["unheard=1", "patient.name=x", "_elements=id", "_sort=colour", "_include=Encounter:colour", "_summary=text", "_has:Condition:patient:code=x"],
)  # fmt: skip
def test_what_is_unknown_is_refused_when_strict_and_reported_when_not(his: Server, question: str) -> None:
    strict = his.fhir.get(f"/Encounter?patient=P0000001&{question}", headers=STRICT)
    lenient = his.fhir.get(f"/Encounter?patient=P0000001&{question}")

    assert strict.status_code == 400
    assert lenient.status_code == 200
    last = lenient.json()["entry"][-1]
    assert last["search"]["mode"] == "outcome"
    assert last["resource"]["issue"][0]["severity"] == "warning"
    assert len(lenient.json()["entry"]) == 5


@pytest.mark.parametrize(
    "question",
    ["date=yesterday", "date=2026-13-01", "date=ge", "patient:near=1", "status:text=x", "_count=x", "_count=-1", "patient=", "patient:missing=maybe"],
)  # fmt: skip
def test_what_is_malformed_is_refused_in_any_case(his: Server, question: str) -> None:
    assert his.fhir.get(f"/Encounter?{question}").status_code == 400


def test_pages_follow_one_another_without_gap_or_repetition(his: Server) -> None:
    everybody = his.fhir.get("/Patient?_summary=count").json()["total"]
    seen: list[str] = []
    where = "/Patient?_count=97"
    while where:
        page = his.fhir.get(where).json()
        seen += [entry["resource"]["id"] for entry in page["entry"]]
        where = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
        assert urllib.parse.urlsplit(where).path in {"/Patient", ""}

    assert len(seen) == len(set(seen)) == everybody >= 1_000


def test_a_forgotten_page_is_gone(his: Server) -> None:
    url = next(
        link["url"] for link in his.fhir.get("/Patient?_count=1").json()["link"] if link["relation"] == "next"
    )

    assert his.fhir.get("/Patient?_getpages=unknown&_getpagesoffset=1").status_code == 410
    assert his.fhir.get(url.replace("/Patient", "/Encounter")).status_code == 410
    his.health.post("/_test/clock", json={"offset_seconds": 601})
    assert his.fhir.get(url).status_code == 410


def test_what_belongs_together_comes_together(his: Server) -> None:
    found = his.fhir.get(
        "/Encounter?patient=P0000001&_revinclude=Condition:encounter&_include=Encounter:patient"
    ).json()

    kinds = [(entry["resource"]["resourceType"], entry["search"]["mode"]) for entry in found["entry"]]
    assert kinds.count(("Encounter", "match")) == 4
    assert kinds.count(("Condition", "include")) == 7
    assert kinds.count(("Patient", "include")) == 1
    assert found["total"] == 4


def test_results_can_be_sorted(his: Server) -> None:
    upwards = [one["period"]["start"] for one in his.find("Encounter", patient="P0000001", _sort="date")]
    downwards = [one["period"]["start"] for one in his.find("Encounter", patient="P0000001", _sort="-date")]

    assert upwards == sorted(upwards) == downwards[::-1]


def test_tokens_compare_system_and_code(his: Server) -> None:
    icd = "http://hl7.org/fhir/sid/icd-10"

    assert len(his.find("Condition", patient="P0000001", code=f"{icd}|I10.x00")) == 4
    assert len(his.find("Condition", patient="P0000001", code="I10.x00,E11.900")) == 7
    assert len(his.find("Condition", patient="P0000001", code=f"{icd}|")) == 7
    assert his.find("Condition", patient="P0000001", code="urn:x|I10.x00") == []
    answer = his.fhir.get("/Condition", params={"patient": "P0000001", "code:not": "I10.x00"}, headers=STRICT)
    assert answer.json()["total"] == 3
    answer = his.fhir.get(
        "/Condition", params={"patient": "P0000001", "onset-date:missing": "true"}, headers=STRICT
    )
    assert answer.json()["total"] == 7


def test_resources_are_found_by_their_encounter_alone(his: Server) -> None:
    visit = his.find("Encounter", patient="P0000001", _sort="-date")[0]["id"]

    assert len(his.find("Condition", encounter=visit)) == 2
    assert len(his.find("MedicationRequest", encounter=f"Encounter/{visit}")) == 2
    assert len(his.find("DiagnosticReport", encounter=visit)) == 3


def test_medications_allergies_and_documents_are_found(his: Server) -> None:
    since = his.today - timedelta(days=30)

    assert (
        len(his.find("MedicationRequest", patient="P0000001", authoredon=f"ge{since}", status="completed"))
        == 2
    )
    allergy = his.find("AllergyIntolerance", patient=his.demo["allergic_patient"]["id"])[0]
    assert {one["code"] for one in allergy["code"]["coding"]} == {"penicillin"}
    assert len(his.find("DocumentReference", patient="P0000001", type="34108-1")) == 4
    assert [one["code"]["coding"][0]["display"] for one in his.find("Medication", code="YP001")] == [
        "苯磺酸氨氯地平片"
    ]


_names = st.sampled_from(sorted({name for own in PARAMETERS.values() for name in own}))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(sorted(PARAMETERS)),
    name=_names,
    modifier=st.sampled_from(["", ":not", ":missing", ":x"]),
    value=st.text(max_size=30),
)
def test_no_question_makes_the_hospital_stumble(
    his: Server, kind: str, name: str, modifier: str, value: str
) -> None:
    query = urllib.parse.urlencode({name + modifier: value}, errors="surrogatepass")

    assert his.fhir.get(f"/{kind}?{query}&_count=1").status_code in {200, 400}
