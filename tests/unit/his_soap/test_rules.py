"""The rules of the simulated SOAP hospital: what it refuses, and that a refused write leaves nothing."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from simulators.his_soap.hospital import Hospital
from simulators.his_soap.messages import Malformed, decode, element, parse
from simulators.server import Clock

WORLD = Path(__file__).parents[2] / "contract" / "samples" / "his" / "world"
PATIENT, MERGED = "P0000201", "P9000015"


@pytest.fixture
def hospital(tmp_path: Path) -> Iterator[Hospital]:
    made = Hospital(WORLD, tmp_path, Clock())
    made.open()
    yield made
    made.store.close()


def said(hospital: Hospital, trade: str, body: dict[str, Any]) -> tuple[str, str, list[ET.Element]]:
    """Result code, text and rows."""
    head = {"TradeCode": trade, "MessageId": "m", "Sender": "HLWYY", "SendTime": "2026-11-23 09:00:00"}
    answer = hospital.answer(element("Request", {"Head": head, "Body": body}))
    rows = answer.findall("Body/Rows/Row")
    return answer.findtext("Head/ResultCode", ""), answer.findtext("Head/ResultText", ""), rows


def registration(**more: str) -> dict[str, Any]:
    return {
        "OuterNo": str(uuid.uuid4()), "PatientNo": PATIENT, "AppointmentNo": str(uuid.uuid4()), "DeptCode": "0310",
        "DoctorCode": "D01", "StartTime": "2026-11-23 09:00:00", "EndTime": "2026-11-23 09:30:00", "SerialNo": "1",
        "SlotNo": "", **more,
    }  # fmt: skip


def charge(**more: str) -> dict[str, Any]:
    return {
        "OuterNo": str(uuid.uuid4()), "PatientNo": PATIENT, "AppointmentNo": "a", "ChargeKind": "01", "Amount": "30.50",
        "TradeNo": "4200", "OccurTime": "2026-11-23 09:00:00", **more,
    }  # fmt: skip


def record(**more: str) -> dict[str, Any]:
    return {
        "OuterNo": str(uuid.uuid4()), "PatientNo": PATIENT, "AppointmentNo": "a", "DoctorCode": "D01", "Title": "病历",
        "Content": "e30=", "Sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        "OccurTime": "2026-11-23 09:00:00", **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("trade", "body", "code", "words"),
    [
        ("5001", registration(PatientNo="P1"), "301", "P1 不存在"),
        ("5001", registration(PatientNo=MERGED), "300", "已合并，请使用 P0000015"),
        ("5001", registration(DoctorCode="PH1"), "301", "医生 PH1"),
        ("5001", registration(DeptCode="9999"), "301", "科室 9999"),
        ("5001", registration(SlotNo="HY1"), "301", "号源 HY1"),
        ("5001", registration(EndTime="2026-11-23 09:00:00"), "300", "结束时间"),
        ("5001", registration(StartTime="2026-11-23T09:00:00"), "300", "StartTime 不是时间"),
        ("5001", registration(OuterNo=""), "901", "缺少 OuterNo"),
        ("5002", registration(), "100", "不存在"),
        ("5101", charge(Amount="30.5"), "300", "两位小数"),
        ("5101", charge(Amount="-1.00"), "300", "两位小数"),
        ("5101", charge(ChargeKind="09"), "300", "收费类别"),
        ("5201", record(Content="e3"), "300", "base64"),
        ("5201", record(Content="e30K"), "300", "摘要"),
        ("5202", record(PharmacistCode="D01"), "301", "药师 D01"),
        ("2001", {"PatientNo": PATIENT, "Page": "1", "PageSize": "101"}, "901", "页码"),
        ("3001", {"DeptCode": "0310", "BeginDate": "2026-11-23"}, "901", "缺少 EndDate"),
    ],
)
def test_a_breach_is_answered_with_its_code_and_leaves_nothing(
    hospital: Hospital, trade: str, body: dict[str, Any], code: str, words: str
) -> None:
    got, text, rows = said(hospital, trade, body)

    assert (got, rows) == (code, [])
    assert words in text
    assert hospital.store.written(str(body.get("OuterNo", ""))) is None
    assert hospital.store.by_key("visit", str(body.get("AppointmentNo", "none"))) == []


def test_an_external_number_is_unique_whatever_brought_it(hospital: Hospital) -> None:
    body = charge()

    assert said(hospital, "5101", body)[0] == "0"
    assert said(hospital, "5101", body)[0] == "201"
    assert said(hospital, "5001", registration(OuterNo=str(body["OuterNo"])))[0] == "201"
    assert len(hospital.store.by_outer("charge", str(body["OuterNo"]))) == 1


def test_a_slot_has_one_booking_and_is_free_again_after_the_cancellation(hospital: Hospital) -> None:
    slot = next(one for one in hospital.store.by_key("slot", "0310") if one.body["SlotState"] == "0")
    first = registration(SlotNo=slot.number)

    assert said(hospital, "5001", first)[0] == "0"
    assert said(hospital, "5001", registration(SlotNo=slot.number))[0] == "202"
    over = {**first, "OuterNo": "c", "OccurTime": "2026-11-23 08:00:00", "Reason": "患者取消"}
    assert said(hospital, "5003", over)[0] == "0"
    assert said(hospital, "5003", {**over, "OuterNo": "d"})[0] == "203"
    assert said(hospital, "5001", registration(SlotNo=slot.number))[0] == "0"


def test_pages_cut_and_say_how_many_there_are(hospital: Hospital) -> None:
    for _ in range(3):
        said(hospital, "5001", registration())
    asked = {"PatientNo": PATIENT, "BeginTime": "2026-11-20", "PageSize": "2"}

    sizes = [len(said(hospital, "2001", {**asked, "Page": page})[2]) for page in ("1", "2", "3")]

    assert sizes == [2, 1, 0]


def test_slots_grow_with_the_days(hospital: Hospital) -> None:
    before = len(hospital.store.by_key("slot", "0310"))
    hospital.clock.set_offset(3 * 86_400)

    said(hospital, "3001", {"DeptCode": "0310", "BeginDate": "2026-01-01", "EndDate": "2027-01-01"})

    assert len(hospital.store.by_key("slot", "0310")) > before


@pytest.mark.parametrize("text", ['<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "<a>", "", "<a/><b/>"])
def test_the_hospital_trusts_no_xml_either(text: str) -> None:
    with pytest.raises(Malformed):
        parse(text)


def test_an_unknown_trade_and_half_a_head_are_malformed(hospital: Hospital) -> None:
    with pytest.raises(Malformed, match="7777"):
        said(hospital, "7777", {})
    with pytest.raises(Malformed, match="报文头"):
        hospital.answer(parse("<Request><Head/><Body/></Request>"))


def test_bytes_are_read_as_they_are_declared() -> None:
    assert decode('<?xml version="1.0" encoding="GBK"?><a>陈</a>'.encode("gbk"), "").endswith("陈</a>")
    with pytest.raises(Malformed):
        decode("陈".encode("gbk"), "text/xml; charset=utf-8")
