"""What a SOAP hospital may answer, and what the caller then hears. The hospital is made by hand, the wire is real."""

import asyncio
import hashlib
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
from aiohttp import web

from contracts import his
from foundation.clock import Clock
from front_gateway.deadline import Deadline
from front_gateway.note import Note
from front_gateway.policy.reading import DEFAULT, Policy, parse_policy
from front_gateway.refusals import HospitalRefused, Target
from front_gateway.settings import HisDialect
from front_gateway.speaking import speaker
from front_gateway.upstream import Upstream
from standalone.certificates import Certificates
from tests.unit.gateway import soap
from tests.unit.gateway.background import Running, gateway
from tests.unit.gateway.soap import PATIENT, SoapSide, done, field, result, string

Ask = Callable[..., httpx.Response]
REQUEST = "0199a000-0000-7000-8000-000000000001"
VISIT = {
    "VisitNo": "V1", "PatientNo": "1", "VisitKind": "1", "VisitDate": "2026-11-12", "Status": "2", "DeptName": "老年科",
    "DoctorName": "向莹", "Diagnoses": {"Diagnosis": [{"DiagCode": "I10.x00", "DiagName": "高血压", "Certainty": "1"}]},
}  # fmt: skip


POOR = '[interfaces]\nreports = ""\nslots = ""\nwrite_dispense = ""\n[frame]\npage = ""\nanswered_id = ""\n'
"""A profile of a hospital that lacks what may be lacking."""


@pytest.fixture
def policy(request: pytest.FixtureRequest) -> Policy:
    """The shipped one; a test may name how many seconds a write has."""
    text = DEFAULT.read_text(encoding="utf-8")
    return parse_policy(
        tomllib.loads(text.replace("seconds = 9", f"seconds = {getattr(request, 'param', 9)}"))
    )


@pytest.fixture
def running(
    request: pytest.FixtureRequest, policy: Policy, certificates: Certificates, tmp_path: Path
) -> Iterator[Running]:
    """With the shipped profile, or with the one that a test names as parameter."""
    profile = tmp_path / "soap.toml"
    profile.write_text(getattr(request, "param", ""), encoding="utf-8")
    with gateway(policy, certificates, tmp_path, his_base="", speaks=speaker(HisDialect.SOAP, profile)) as up:
        yield up


@pytest.fixture
def hospital(running: Running) -> SoapSide:
    return SoapSide(running.hospital)


def visits(ask: Ask) -> tuple[int, Any]:
    reply = ask("visits", purpose="treatment", patient_id="1", since="2026-11-01")
    body = reply.json()
    return reply.status_code, body.get("code") or body["visits"]


def charge(ask: Ask, **more: Any) -> tuple[int, Any]:
    body = {
        "purpose": "write_back", "request_id": REQUEST, "patient_id": "1", "appointment_id": REQUEST,
        "kind": "registration", "amount": 3050, "trade_number": "4200001", "paid_at": "2026-11-22T10:00:00Z", **more,
    }  # fmt: skip
    reply = ask("write-charge", **body)
    return reply.status_code, reply.json().get("code") or reply.json()["reference"]


def test_a_visit_is_understood(hospital: SoapSide, ask: Ask) -> None:
    hospital.rows("2001", VISIT)

    status, [visit] = visits(ask)

    assert (status, visit["status"], visit["kind"], visit["source"]) == (
        200,
        "finished",
        "outpatient",
        "offline",
    )
    assert visit["diagnoses"] == [{"code": "I10.x00", "name": "高血压", "certainty": "confirmed", "rank": 1}]
    [asked] = hospital.asked["2001"]
    assert [field(asked, name) for name in ("PatientNo", "BeginTime", "Page", "Sender")] == [
        "1", "2026-11-01", "1", "HLWYY",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"Status": "8"}, {"VisitKind": ""}, {"VisitDate": "12.11.2026"}, {"VisitNo": ""}, {"PatientNo": ""},
        {"Diagnoses": {"Diagnosis": [{"DiagName": "x", "Rank": "first"}]}},
    ],
)  # fmt: skip
def test_a_visit_that_cannot_be_read_is_not_guessed(
    hospital: SoapSide, ask: Ask, change: dict[str, Any]
) -> None:
    hospital.rows("2001", {**VISIT, **change})

    assert visits(ask) == (502, "hospital_answer_unusable")


def test_one_row_about_somebody_else_and_nothing_is_passed_on(
    running: Running, hospital: SoapSide, ask: Ask
) -> None:
    hospital.rows("2001", VISIT, {**VISIT, "VisitNo": "V2", "PatientNo": "2"})

    assert visits(ask) == (502, "wrong_subject")
    assert running.audit()[-1]["reason"].endswith(hashlib.sha256(b"Encounter/V2").hexdigest())


def test_an_unconfirmed_diagnosis_of_an_unknown_code_is_suspected(hospital: SoapSide, ask: Ask) -> None:
    lines = [{"DiagName": "甲", "Certainty": "7"}, {"DiagName": "乙", "Certainty": "9"}]
    hospital.rows("2001", {**VISIT, "Diagnoses": {"Diagnosis": lines}})

    _, [visit] = visits(ask)

    assert [(one["name"], one["certainty"]) for one in visit["diagnoses"]] == [("甲", "suspected")]


@pytest.mark.parametrize(
    ("code", "heard"),
    [
        ("300", (422, "hospital_refused")), ("202", (422, "place_taken")), ("900", (503, "hospital_unreachable")),
        ("901", (502, "hospital_answer_unusable")), ("", (502, "hospital_answer_unusable")),
        ("100", (200, [])),
    ],
)  # fmt: skip
def test_result_codes_are_what_the_profile_says(
    hospital: SoapSide, ask: Ask, code: str, heard: tuple[int, Any]
) -> None:
    hospital.each("2001", result(code, "停诊"))

    assert visits(ask) == heard


def test_the_hospitals_own_words_reach_the_caller_shortened(hospital: SoapSide, ask: Ask) -> None:
    hospital.each("2001", result("300", "停诊" * 200))

    reply = ask("visits", purpose="treatment", patient_id="1", since="2026-11-01")

    assert "停诊停诊" in reply.json()["detail"]
    assert len(reply.json()["detail"]) < 230


def test_an_answer_to_another_call_is_never_taken(hospital: SoapSide, ask: Ask) -> None:
    hospital.each("2001", lambda _: soap.envelope(string("somebody else's", VISIT)))

    assert visits(ask) == (502, "hospital_answer_unusable")


@pytest.mark.parametrize("status", [404, 500])
def test_an_error_page_is_unusable(hospital: SoapSide, ask: Ask, status: int) -> None:
    hospital.each("2001", lambda _: web.Response(status=status, body=b"<html>IIS</html>"))

    assert visits(ask) == (502, "hospital_answer_unusable")


def test_pages_are_followed_until_the_total_is_there(hospital: SoapSide, ask: Ask) -> None:
    def page(asked: str) -> bytes:
        first = (int(field(asked, "Page")) - 1) * 50
        rows = [{**VISIT, "VisitNo": f"V{number}"} for number in range(first, min(first + 50, 101))]
        return soap.envelope(string(field(asked, "MessageId"), *rows, total=101))

    hospital.each("2001", page)

    assert len(visits(ask)[1]) == 101
    assert len(hospital.asked["2001"]) == 3


def test_pages_that_repeat_themselves_are_unusable(hospital: SoapSide, ask: Ask) -> None:
    hospital.rows("2001", VISIT, total=7)

    assert visits(ask) == (502, "hospital_answer_unusable")
    assert len(hospital.asked["2001"]) == 2


def test_too_many_charges_are_told_as_incomplete(hospital: SoapSide, ask: Ask) -> None:
    def page(asked: str) -> bytes:
        row = {
            "ChargeNo": field(asked, "Page"), "ChargeKind": "01", "TradeNo": "4", "Amount": "1.00", "OccurTime": "2031-01-01 10:00:00",
        }  # fmt: skip
        return soap.envelope(string(field(asked, "MessageId"), row, total=1_000_000))

    hospital.each("4001", page)

    reply = ask("charges", purpose="payment", since="2031-01-01T00:00:00Z", until="2031-01-02T00:00:00Z")

    assert reply.json() == {"charges": [], "complete": False}


@pytest.mark.parametrize("amount", ["30.505", "-1.00", "1e3", "", "३.00"])
def test_an_amount_that_is_none_is_unusable(hospital: SoapSide, ask: Ask, amount: str) -> None:
    hospital.rows(
        "4001",
        {
            "ChargeNo": "1",
            "ChargeKind": "01",
            "TradeNo": "4",
            "Amount": amount,
            "OccurTime": "2031-01-01 10:00:00",
        },
    )

    reply = ask("charges", purpose="payment", since="2031-01-01T00:00:00Z", until="2031-01-02T00:00:00Z")

    assert (reply.status_code, reply.json()["code"]) == (502, "hospital_answer_unusable")


def find(ask: Ask) -> tuple[int, Any]:
    reply = ask("find-patient", purpose="eligibility", id_number=soap.NUMBER, name=soap.NAME)
    return reply.status_code, reply.json().get("code") or reply.json()["patient"]


def test_a_patient_with_another_card_makes_the_answer_unusable(hospital: SoapSide, ask: Ask) -> None:
    hospital.rows("1001", {**PATIENT, "CardNo": "310114195604189908"})

    assert find(ask) == (502, "hospital_answer_unusable")


def test_a_number_merged_twice_is_followed_to_the_one_that_counts(hospital: SoapSide, ask: Ask) -> None:
    numbers = {
        "1": {**PATIENT, "State": "0", "MergedInto": "2"},
        "2": {**PATIENT, "PatientNo": "2", "State": "0", "MergedInto": "3"},
        "3": {**PATIENT, "PatientNo": "3"},
    }
    hospital.rows("1001", numbers["1"])
    hospital.each(
        "1002",
        lambda asked: soap.envelope(string(field(asked, "MessageId"), numbers[field(asked, "PatientNo")])),
    )

    status, patient = find(ask)

    assert (status, patient["patient_id"], patient["merged_ids"]) == (200, "3", ["1", "2"])


def test_numbers_merged_in_a_circle_are_nobodys(hospital: SoapSide, ask: Ask) -> None:
    one = {**PATIENT, "State": "0", "MergedInto": "2"}
    other = {**PATIENT, "PatientNo": "2", "State": "0", "MergedInto": "1"}
    hospital.rows("1001", one, other)

    assert find(ask) == (502, "hospital_answer_unusable")


def test_a_void_registration_is_nobody(hospital: SoapSide, ask: Ask) -> None:
    hospital.rows("1001", {**PATIENT, "State": "9"})
    hospital.rows("1002", {**PATIENT, "State": "9"})

    assert find(ask) == (200, None)
    assert visits(ask) == (404, "patient_not_found")


# writing


def test_before_a_write_the_hospital_is_asked_what_it_has(hospital: SoapSide, ask: Ask) -> None:
    hospital.each("5101", done("5101"))

    assert charge(ask) == (200, "Invoice/SF1")

    [asked], [wrote] = hospital.asked["9001"], hospital.asked["5101"]
    assert field(asked, "OuterNo") == field(wrote, "OuterNo") == REQUEST
    assert [field(wrote, name) for name in ("PatientNo", "ChargeKind", "Amount", "TradeNo", "OccurTime")] == [
        "1", "01", "30.50", "4200001", "2026-11-22 18:00:00",
    ]  # fmt: skip


def test_what_is_there_is_not_written_again(hospital: SoapSide, ask: Ask) -> None:
    hospital.each("9001", done("5101"))

    assert charge(ask) == (200, "Invoice/SF1")
    assert not hospital.asked["5101"]


def test_a_write_that_broke_off_is_found_by_the_next_try(hospital: SoapSide, ask: Ask) -> None:
    hospital.each("5101", lambda _: web.Response(status=500, body=b"<html>ORA-03113</html>"))
    assert charge(ask) == (502, "hospital_answer_unusable")
    hospital.each("9001", done("5101"))

    assert charge(ask) == (200, "Invoice/SF1")
    assert len(hospital.asked["5101"]) == 1


@pytest.mark.parametrize("policy", [3], indirect=True)
def test_a_write_that_got_no_answer_in_time_is_asked_for_before_it_is_tried_again(
    hospital: SoapSide, ask: Ask
) -> None:
    hospital.each("5101", soap.never)
    assert charge(ask) == (504, "hospital_timeout")
    hospital.each("9001", done("5101"))

    assert charge(ask) == (200, "Invoice/SF1")
    assert len(hospital.asked["5101"]) == 1


def test_somebody_faster_is_confirmed_to_be_us(hospital: SoapSide, ask: Ask) -> None:
    hospital.each("9001", soap.nothing, done("5101"))
    hospital.each("5101", result("201", "外部单号已存在"))

    assert charge(ask) == (200, "Invoice/SF1")


def test_a_number_that_is_somebody_elses_after_all_is_no_success(hospital: SoapSide, ask: Ask) -> None:
    hospital.each("9001", soap.nothing, done("5101", PatientNo="2"))
    hospital.each("5101", result("201", "外部单号已存在"))

    assert charge(ask) == (502, "wrong_subject")


def test_exists_and_is_not_there_is_no_success(hospital: SoapSide, ask: Ask) -> None:
    hospital.each("5101", result("201", "外部单号已存在"))

    assert charge(ask) == (502, "hospital_answer_unusable")


@pytest.mark.parametrize(
    "row", [{"OuterNo": "another"}, {"OuterTrade": "5102"}, {"RecordNo": ""}, {"RecordTime": "today"}]
)
def test_an_answer_that_does_not_fit_the_write_is_unusable(
    hospital: SoapSide, ask: Ask, row: dict[str, str]
) -> None:
    hospital.each("5101", done("5101", **row))

    assert charge(ask) == (502, "hospital_answer_unusable")


def test_a_hospital_that_says_done_and_no_more_is_asked_for_the_number(hospital: SoapSide, ask: Ask) -> None:
    hospital.each("9001", soap.nothing, done("5101"))
    hospital.each("5101", result("0", "成功"))

    assert charge(ask) == (200, "Invoice/SF1")


def test_a_refused_write_keeps_the_hospitals_words(hospital: SoapSide, ask: Ask) -> None:
    hospital.each("5101", result("300", "当日已结账"))

    assert charge(ask) == (422, "hospital_refused")


def test_a_write_to_a_merged_number_goes_to_the_one_that_counts(hospital: SoapSide, ask: Ask) -> None:
    hospital.rows("1002", {**PATIENT, "State": "0", "MergedInto": "2"})
    hospital.rows("1001", {**PATIENT, "PatientNo": "2"})
    hospital.each("5101", done("5101", PatientNo="2"))

    assert charge(ask) == (200, "Invoice/SF1")
    assert field(hospital.asked["5101"][0], "PatientNo") == "2"


def test_a_text_that_no_xml_can_hold_is_the_callers_mistake(hospital: SoapSide, ask: Ask) -> None:
    reply = ask(
        "write-charge", purpose="write_back", request_id=REQUEST, patient_id="1", appointment_id=REQUEST,
        kind="registration", amount=1, trade_number="42\u0007", paid_at="2026-11-22T10:00:00Z",
    )  # fmt: skip

    assert (reply.status_code, reply.json()["issues"][0]["field"]) == (422, "trade_no")


def test_what_looks_like_xml_stays_text(hospital: SoapSide, ask: Ask) -> None:
    hospital.each("5101", done("5101"))

    text = "</TradeNo><Amount>0.01</Amount><TradeNo>"
    charge(ask, trade_number=text)

    [asked] = hospital.asked["5101"]
    assert field(asked, "TradeNo") == text
    assert asked.count("<Amount>") == 1


def test_a_kind_of_charge_that_has_no_code_is_the_callers_mistake(hospital: SoapSide, ask: Ask) -> None:
    assert charge(ask, kind="parking") == (422, "invalid")
    assert not hospital.asked["5101"]


# a hospital that lacks something


@pytest.mark.parametrize("running", [POOR], indirect=True)
def test_a_hospital_without_a_pharmacy_interface_gets_the_list_as_a_document(
    hospital: SoapSide, ask: Ask
) -> None:
    hospital.each("5201", done("5201"))

    reply = ask(
        "write-dispense", purpose="write_back", request_id=REQUEST, patient_id="1", appointment_id=REQUEST, number="RX1",
        handed_over_at="2026-11-22T10:00:00Z", waybill="", drugs=[
            {
                "drug_code": "YP001", "name": "甲", "dosage": "乙", "route_code": "1", "days": 28, "quantity": 1,
                "pack_unit": "盒",
            }
        ],
    ).json()  # fmt: skip

    assert (reply["reference"], reply["left_out"]) == ("DocumentReference/SF1", ["MedicationDispense"])
    assert field(hospital.asked["5201"][0], "Title") == "发药单 RX1"


@pytest.mark.parametrize("running", [POOR], indirect=True)
def test_a_hospital_without_a_laboratory_interface_has_a_history_without_reports(
    hospital: SoapSide, ask: Ask
) -> None:
    hospital.rows("2001", VISIT)

    reply = ask("history", purpose="treatment", patient_id="1", since="2026-11-01")

    assert (len(reply.json()["visits"]), reply.json()["reports"]) == (1, [])
    assert field(hospital.asked["2001"][0], "Page") == ""


def test_an_operation_that_the_dialect_does_not_have_is_refused_in_words() -> None:
    class Telepathy(his.HisRequest, frozen=True):
        OPERATION: ClassVar[str] = "telepathy"

    dialect = speaker(HisDialect.SOAP, None)(Upstream(Target.HIS, "http://127.0.0.1:9", None), Clock())

    with pytest.raises(HospitalRefused, match="telepathy"):
        asyncio.run(dialect.answer(Telepathy(purpose="treatment"), Deadline(1), Note()))
