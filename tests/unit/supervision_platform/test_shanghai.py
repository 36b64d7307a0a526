import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.supervision_platform.sender import Platform
from tests.unit.supervision_platform.shanghai_records import BOY, Hospital

Made = Callable[[Hospital], dict[str, Any]]
EVENTS: dict[str, tuple[str, Made]] = {
    "verified": ("uploadRealName", lambda hospital: hospital.verified()),
    "booked": ("uploadBooking", lambda hospital: hospital.booked()),
    "cancelled": (
        "uploadBooking",
        lambda hospital: hospital.booked() | {
            "eventType": "appointment.cancelled", "bookingStatus": "2", "cancelReason": "临时有事", "cancelledBy": "1",
            "cancelledAt": "2026-11-21T21:00:00+08:00",
        },
    ),
    "viewed": ("uploadRecordView", lambda hospital: hospital.viewed()),
    "eligible": ("uploadFollowUp", lambda hospital: hospital.eligible()),
    "started": ("uploadFollowUp", lambda hospital: hospital.started()),
    "declined": (
        "uploadFollowUp",
        lambda hospital: hospital.started() | {
            "eventType": "encounter.declined", "phase": "3", "refuseTime": "2026-11-22T09:40:00+08:00",
            "refuseReason": "无人接诊", "refuseType": "2",
        },
    ),
    "discontinued": (
        "uploadFollowUp",
        lambda hospital: hospital.started() | {
            "eventType": "encounter.discontinued", "phase": "4", "endDate": "2026-11-22T09:10:00+08:00",
            "discontinueReason": "病情变化", "referredOffline": "1",
        },
    ),
    "completed": (
        "uploadFollowUp",
        lambda hospital: hospital.started() | {
            "eventType": "encounter.completed", "phase": "5", "endDate": "2026-11-22T09:20:00+08:00",
            "thisDiagnosis": "高血压|高脂血症", "returnVisitPriceFen": 2500,
        },
    ),
    "signed": ("uploadPrescription", lambda hospital: hospital.signed()),
    "approved": ("uploadPrescription", lambda hospital: hospital.approved()),
    "paid": ("uploadPayment", lambda hospital: hospital.paid()),
    "filed": ("uploadPractitioner", lambda hospital: hospital.filed()),
    "complained": ("uploadComplaint", lambda hospital: hospital.complained()),
    "link": ("uploadChainLink", lambda hospital: hospital.link()),
}  # fmt: skip


@pytest.mark.parametrize("name", list(EVENTS))
def test_every_kind_of_event_is_accepted_with_a_receipt(shanghai: Platform, name: str) -> None:
    method, make = EVENTS[name]

    answer = shanghai.send(method, [make(Hospital())])["body"]

    assert (answer["msgCode"], answer["msg"]) == (200, "操作成功")
    (receipt,) = answer["receipts"]
    assert receipt["eventId"] == "event-1"
    assert receipt["receipt"].startswith("SH20")
    assert receipt["duplicate"] is False


def test_an_event_is_kept_once_and_answered_with_its_first_receipt(shanghai: Platform) -> None:
    booked = Hospital().booked()

    first = shanghai.send("uploadBooking", [booked])["body"]["receipts"][0]
    again = shanghai.send("uploadBooking", [booked | {"doctorName": ""}])["body"]["receipts"][0]

    assert again == first | {"duplicate": True}
    assert len(shanghai.stored(event_id="event-1")) == 1
    counts = shanghai.summary()["profiles"]["shanghai"]["uploadBooking"]
    assert counts == {"accepted": 1, "duplicates": 1, "rejected": 0}


def test_the_same_event_with_another_chain_value_is_refused(shanghai: Platform) -> None:
    booked = Hospital().booked()
    shanghai.send("uploadBooking", [booked])

    assert shanghai.result("uploadBooking", [booked | {"chainHash": "0" * 64}]) == (
        -1,
        "chainHash与已接收的同一事件不一致",
    )


def test_the_first_bad_record_is_named_and_those_before_it_have_receipts(shanghai: Platform) -> None:
    hospital = Hospital()
    records = [hospital.booked("V-1"), hospital.booked("V-2", doctorId=""), hospital.booked("V-3")]

    answer = shanghai.send("uploadBooking", records)["body"]

    assert (answer["msgCode"], answer["msg"]) == (-99, "doctorId")
    assert (answer["failedIndex"], answer["failedEventId"]) == (1, "event-2")
    assert [one["eventId"] for one in answer["receipts"]] == ["event-1"]
    assert [row["visit_no"] for row in shanghai.stored()] == ["V-1"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"favourite": "x"}, "favourite未定义的字段"),
        ({"eventType": "payment.confirmed"}, "eventType不属于uploadBooking"),
        ({"bookingStatus": "2", "cancelReason": "x", "cancelledBy": "1", "cancelledAt": "2026-11-22T09:00:00Z"},
         "bookingStatus与eventType不一致"),
        ({"occurredAt": "2026-11-22T09:00:00"}, "occurredAt应为带时区的ISO 8601时间"),
        ({"occurredAt": "0001-01-01T00:00:00+14:00"}, "occurredAt应为带时区的ISO 8601时间"),
        ({"chainHash": "AB" * 32}, "chainHash应为64位小写十六进制"),
        ({"hospitalSeq": 0}, "hospitalSeq超出范围"),
        ({"hospitalSeq": 2**63}, "hospitalSeq超出范围"),
        ({"streamSeq": True}, "streamSeq应为整数"),
        ({"priceFen": 25.5}, "priceFen应为以分计的非负整数"),
        ({"birthDate": "1980-1-1"}, "birthDate应为yyyy-MM-dd"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused(shanghai: Platform, changes: dict[str, Any], message: str) -> None:
    assert shanghai.result("uploadBooking", [Hospital().booked() | changes]) == (-1, message)


def test_tenders_add_up_to_the_amount(shanghai: Platform) -> None:
    payment = Hospital().paid(tenders=[{"tender": "wechat_cash", "amountFen": 2000}])

    assert shanghai.result("uploadPayment", [payment]) == (-1, "tenders合计与amountFen不一致")


def test_a_refund_needs_no_tenders(shanghai: Platform) -> None:
    refund = Hospital().paid() | {
        "eventType": "refund.succeeded", "direction": "2", "refundNo": "F-1", "refundReason": "医师未接诊",
        "refundedAt": "2026-11-22T10:00:00+08:00",
    }  # fmt: skip
    del refund["tenders"]

    assert shanghai.result("uploadPayment", [refund])[0] == 200


def test_a_child_under_six_needs_a_guardian_once_there_is_a_visit(shanghai: Platform) -> None:
    hospital = Hospital()
    alone: dict[str, Any] = {name: value for name, value in BOY.items() if not name.startswith("guardian")}

    assert shanghai.result("uploadFollowUp", [hospital.eligible(**alone)])[0] == 200
    assert shanghai.result("uploadFollowUp", [hospital.started(**alone)]) == (
        -99,
        "guardianName|guardianCertID|guardianMobile|guardianRelation",
    )


def test_a_tianjin_method_is_not_served_under_this_path(shanghai: Platform) -> None:
    assert shanghai.send("uploadDrugCatalogue", [{}])["code"] == 40006


@pytest.mark.parametrize("event_id", [1, None, "", ["x"], {"a": 1}])
def test_an_event_id_must_be_text(shanghai: Platform, event_id: Any) -> None:
    assert shanghai.result("uploadBooking", [Hospital().booked() | {"eventId": event_id}])[0] in (-1, -99)


def test_an_eligibility_and_a_payment_find_their_visit_by_shared_numbers(shanghai: Platform) -> None:
    hospital = Hospital()
    shanghai.send("uploadFollowUp", [hospital.eligible()])
    shanghai.send("uploadPayment", [hospital.paid()])
    shanghai.send("uploadPrescription", [hospital.approved()])
    shanghai.send("uploadBooking", [hospital.booked(eligibilityNo="Q-1")])
    shanghai.send("uploadPayment", [hospital.paid(paymentNo="PAY-2")])

    assert {row["visit_no"] for row in shanghai.stored()} == {"V-1"}


def test_records_may_come_in_any_order(shanghai: Platform) -> None:
    hospital = Hospital()
    records = [hospital.booked(f"V-{index}") for index in range(1, 6)]

    for record in reversed(copy.deepcopy(records)):
        assert shanghai.result("uploadBooking", [record])[0] == 200

    summary = shanghai.summary()
    assert summary["gaps"]["hospital"] == []
    assert (summary["chain"]["good"], summary["chain"]["open"], summary["chain"]["broken"]) == (5, 0, 0)
    assert summary["chain"]["head"] == hospital.head.hex()
