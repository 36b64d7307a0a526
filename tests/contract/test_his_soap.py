"""What only a hospital that speaks SOAP can do to a gateway, and what such hospitals have of their own."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from standalone.certificates import Certificates
from tests.contract import hospitals
from tests.contract.hospitals import WORLD, Gateway, new_request
from tests.contract.soap_hospital import SoapHospital, soap
from tests.contract.test_his_places import a_slot, appointments, registered
from tests.contract.test_his_write_back import acknowledged, sample

pytestmark = pytest.mark.parametrize("gateway", ["soap"], indirect=True)

Faults = Callable[..., None]
PERSON = ("310114195809199069", "周桂珍")
OTHER_NAMES = {
    "Request": "QQ", "Response": "YD", "Head": "TB", "Body": "BT", "TradeCode": "JYDM", "MessageId": "XXID", "Sender": "FSF",
    "SendTime": "FSSJ", "ResultCode": "FHDM", "ResultText": "FHXX", "Total": "ZS", "Rows": "JLJ", "Row": "JL", "Page": "YM",
    "PageSize": "MYTS", "PatientNo": "病历号", "PatientName": "XM", "Sex": "XB", "BirthDate": "CSRQ", "CardKind": "ZJLX",
    "CardNo": "ZJHM", "State": "ZT", "VisitNo": "JZH", "VisitDate": "JZRQ", "Diagnoses": "ZDJ", "Diagnosis": "ZD",
    "DiagName": "ZDMC", "OuterNo": "WBDH", "RecordNo": "YWH",
}  # fmt: skip
"""Elements as another vendor would call them: initials of pinyin, as is usual, and a Chinese name, which XML allows."""
OTHER_PROFILE = """
[wire]
charset = "gbk"
cdata = true
[frame]
root = "QQ"
head = "TB"
body = "BT"
interface = "JYDM"
message_id = "XXID"
sender = "FSF"
sent_at = "FSSJ"
page = "YM"
page_size = "MYTS"
rows_per_page = 2
result_code = "TB/FHDM"
result_text = "TB/FHXX"
answered_id = "TB/XXID"
rows = "BT/JLJ/JL"
total = "BT/ZS"
[names]
patient_no = "病历号"
patient_name = "XM"
sex = "XB"
birth_date = "CSRQ"
id_kind = "ZJLX"
id_number = "ZJHM"
patient_state = "ZT"
entry_state = "ZT"
visit_no = "JZH"
visit_day = "JZRQ"
diagnoses = "ZDJ/ZD"
diagnosis_name = "ZDMC"
request_no = "WBDH"
written_no = "YWH"
"""


@pytest.fixture
def faults(gateway: Gateway) -> Iterator[Faults]:
    """Switch faults on; off again after the test."""

    def switch(**values: Any) -> None:
        answer = httpx.put(f"{gateway.hospital.health}/_test/faults", json=values)
        assert answer.status_code == 200, answer.text

    yield switch
    switch()


def visits(gateway: Gateway, patient: str) -> tuple[int, Any]:
    reply = gateway.ask("visits", purpose="treatment", patient_id=patient, since="2026-01-01")
    return reply.status_code, reply.json().get("code") or reply.json()["visits"]


@pytest.mark.parametrize("bomb", ["laughs", "external", "deep"])
def test_xml_that_hurts_a_careless_reader_hurts_nobody(gateway: Gateway, faults: Faults, bomb: str) -> None:
    patient = gateway.patient_id(*PERSON)
    faults(bomb=bomb)

    assert visits(gateway, patient) == (502, "hospital_answer_unusable")

    faults()
    assert visits(gateway, patient)[0] == 200


def test_a_soap_fault_is_unusable_and_its_text_stays_inside(gateway: Gateway, faults: Faults) -> None:
    patient = gateway.patient_id(*PERSON)
    faults(fault="System.NullReferenceException at Nanxiang.Dao")

    reply = gateway.ask("visits", purpose="treatment", patient_id=patient, since="2026-01-01")

    assert (reply.status_code, reply.json()["code"]) == (502, "hospital_answer_unusable")
    assert "Nanxiang" not in reply.text


def test_the_answer_of_another_call_is_not_taken(gateway: Gateway, faults: Faults) -> None:
    patient = gateway.patient_id(*PERSON)
    faults(other_answer=True)

    assert visits(gateway, patient) == (502, "hospital_answer_unusable")


def test_a_result_code_that_nobody_agreed_on_is_unusable(gateway: Gateway, faults: Faults) -> None:
    patient = gateway.patient_id(*PERSON)
    faults(result_code="777")

    assert visits(gateway, patient) == (502, "hospital_answer_unusable")


@pytest.mark.parametrize("charset", ["gbk", "gb2312", "gb18030", "utf-8"])
@pytest.mark.parametrize("cdata", [True, False])
def test_answers_mean_the_same_in_every_charset(
    gateway: Gateway, faults: Faults, charset: str, cdata: bool
) -> None:
    patient = gateway.patient_id(*PERSON)
    plain = visits(gateway, patient)

    faults(charset=charset, cdata=cdata)

    assert visits(gateway, patient) == plain
    assert plain[1][0]["department_name"]


def test_a_place_that_goes_meanwhile_is_refused_and_nothing_is_written(
    gateway: Gateway, faults: Faults
) -> None:
    slot = a_slot(gateway)
    body = sample(gateway, "write-registration", **slot)
    faults(taken=True)

    reply = gateway.ask("write-registration", **body)

    assert (reply.status_code, reply.json()["code"]) == (422, "place_taken")
    assert appointments(gateway, body) == {}
    faults()
    acknowledged(gateway.ask("write-registration", **body))
    assert appointments(gateway, body) == {slot["slot_id"]: "booked"}


@pytest.mark.parametrize(
    "operation",
    ["write-registration", "write-charge", "write-record", "write-prescription", "write-dispense"],
)
def test_a_write_whose_answer_was_lost_is_done_once(gateway: Gateway, faults: Faults, operation: str) -> None:
    body = sample(gateway, operation)
    faults(lose_write_answers=True)
    assert gateway.ask(operation, **body).json()["code"] == "hospital_unreachable"
    faults()

    done = acknowledged(gateway.ask(operation, **body))

    kind, _, number = done.reference.partition("/")
    [written] = gateway.hospital.resources(
        kind, identifier=f"urn:internet-hospital:request|{body['request_id']}"
    )
    assert number
    assert written


def test_a_visit_that_is_over_is_not_moved(gateway: Gateway) -> None:
    body = registered(gateway, {})
    acknowledged(
        gateway.ask("write-record", **sample(gateway, "write-record", appointment_id=body["appointment_id"]))
    )

    reply = gateway.ask("write-move", **sample(gateway, "write-move", appointment_id=body["appointment_id"]))

    assert (reply.status_code, reply.json()["code"]) == (422, "hospital_refused")
    assert "已结束" in reply.json()["detail"]


def test_an_appointment_of_somebody_else_is_not_written_to(gateway: Gateway) -> None:
    body = registered(gateway, {})
    other = gateway.patient_id("310114197406189367", "孙丽华")
    stolen = sample(gateway, "write-record", appointment_id=body["appointment_id"], patient_id=other)

    reply = gateway.ask("write-record", **stolen)

    assert (reply.status_code, reply.json()["code"]) == (422, "hospital_refused")


LACKING: dict[str, dict[str, Any]] = {
    "stock": {"purpose": "supply", "drug_codes": ["YP001"]},
    "prices": {"purpose": "supply", "codes": ["YP001"]},
    "lock-fee": {"purpose": "payment", "amount": 100, "until": "2026-12-01T10:00:00+08:00"},
    "unlock-fee": {"purpose": "payment"},
}  # fmt: skip


def test_what_a_hospital_does_not_offer_is_refused_in_words(
    gateway: Gateway, certificates: Certificates, tmp_path: Path
) -> None:
    empty = "".join(f'{one.replace("-", "_")} = ""\n' for one in LACKING)
    (tmp_path / "soap.toml").write_text(f"[interfaces]\n{empty}", encoding="utf-8")
    with hospitals.gateway_before(
        gateway.hospital, tmp_path, certificates, HIS_SYSTEMS=str(tmp_path / "soap.toml")
    ) as other:
        fee = {
            "request_id": new_request(), "patient_id": other.patient_id(*PERSON), "appointment_id": new_request(),
            "kind": "prescription",
        }  # fmt: skip
        for operation, body in LACKING.items():
            asked = body | (fee if body["purpose"] == "payment" else {})
            refused = other.worker.post(f"/his/v1/{operation}", json=asked)
            assert (refused.status_code, refused.json()["code"]) == (422, "hospital_refused")
            assert operation in refused.json()["detail"]


def test_the_wsdl_describes_the_method(gateway: Gateway, certificates: Certificates) -> None:
    tls = hospitals.identity(certificates, "gateway-a")

    answer = httpx.get(f"{gateway.hospital.url}/services/InternetHospital?wsdl", verify=tls)

    names = {one.get("name") for one in ET.fromstring(answer.content).iter()}
    assert {"Exchange", "ExchangeResponse", "requestXml", "ExchangeResult"} <= names


def test_a_hospital_of_other_words_is_only_another_profile(
    gateway: Gateway, certificates: Certificates, tmp_path: Path
) -> None:
    (tmp_path / "soap.toml").write_text(OTHER_PROFILE, encoding="utf-8")
    more = {"HIS_SYSTEMS": str(tmp_path / "soap.toml")}
    with (
        soap(tmp_path, certificates, OTHER_NAMES) as hospital,
        hospitals.gateway_before(hospital, tmp_path, certificates, **more) as other,
    ):
        patient = other.patient_id(*PERSON)
        assert visits(other, patient) == visits(gateway, gateway.patient_id(*PERSON))
        body = {**sample(other, "write-charge"), "request_id": new_request()}
        done = [acknowledged(other.ask("write-charge", **body)) for _ in range(2)]

    assert done[0] == done[1]


def test_the_hospital_keeps_what_it_has_over_a_restart(
    gateway: Gateway, certificates: Certificates, tmp_path: Path
) -> None:
    def here(hospital: SoapHospital, more: Path) -> str:
        more.mkdir()
        with hospitals.gateway_before(hospital, more, certificates) as other:
            return acknowledged(other.ask("write-charge", **body)).reference

    body = sample(gateway, "write-charge")
    with soap(tmp_path, certificates) as hospital:
        first = here(hospital, tmp_path / "1")
    with soap(tmp_path, certificates) as hospital:
        assert here(hospital, tmp_path / "2") == first


def test_the_world_is_the_one_of_the_other_hospitals(gateway: Gateway) -> None:
    assert isinstance(gateway.hospital, SoapHospital)
    one = json.loads((WORLD / "residents.json").read_text(encoding="utf-8"))[0]

    [patient] = gateway.hospital.entries("patient", number=one["id"])

    assert (patient["PatientName"], patient["CardNo"]) == (one["name"], one["id_number"])
