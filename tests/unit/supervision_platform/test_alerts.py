import pytest

from tests.unit.supervision_platform import tianjin_records
from tests.unit.supervision_platform.sender import Platform
from tests.unit.supervision_platform.shanghai_records import BOY, ORDER, Hospital


def test_a_journey_by_the_rules_raises_nothing(shanghai: Platform) -> None:
    hospital = Hospital()

    shanghai.send("uploadPractitioner", [hospital.filed()])
    shanghai.send("uploadRealName", [hospital.verified()])
    shanghai.send("uploadFollowUp", [hospital.eligible()])
    shanghai.send("uploadBooking", [hospital.booked()])
    shanghai.send("uploadFollowUp", [hospital.started()])
    shanghai.send("uploadRecordView", [hospital.viewed()])
    shanghai.send("uploadPrescription", [hospital.signed(), hospital.approved()])
    shanghai.send("uploadPayment", [hospital.paid()])

    assert shanghai.alerts() == []


def test_a_child_under_six_without_guardian_and_specialist_is_seen(shanghai: Platform) -> None:
    hospital = Hospital()

    shanghai.send("uploadPrescription", [hospital.signed(**BOY, guardianPresent="1")])
    assert shanghai.alerts() == ["under_six"]


def test_a_child_under_six_with_both_present_is_in_order(shanghai: Platform) -> None:
    shanghai.send(
        "uploadPrescription", [Hospital().signed(**BOY, guardianPresent="1", specialistPresent="1")]
    )

    assert shanghai.alerts() == []


def test_a_payment_before_its_review_is_seen(shanghai: Platform) -> None:
    hospital = Hospital()

    shanghai.send("uploadPrescription", [hospital.approved("2026-11-22T09:50:00+08:00")])
    shanghai.send("uploadPayment", [hospital.paid("2026-11-22T09:40:00+08:00")])

    assert shanghai.alerts() == ["late_review"]


def test_a_payment_that_arrives_before_its_review_is_cleared_by_it(shanghai: Platform) -> None:
    hospital = Hospital()
    approved, paid = hospital.approved(), hospital.paid()

    shanghai.send("uploadPayment", [paid])
    assert shanghai.alerts() == ["unreviewed"]
    shanghai.send("uploadPrescription", [approved])

    assert shanghai.alerts() == []


@pytest.mark.parametrize("drug", [{"controlClass": "2"}, {"drname": "盐酸曲马多缓释片"}])
def test_a_banned_drug_is_seen_by_class_or_by_name(shanghai: Platform, drug: dict[str, str]) -> None:
    shanghai.send("uploadPrescription", [Hospital().signed(orderList=[ORDER | drug])])

    assert shanghai.alerts() == ["banned_drug"]


@pytest.mark.parametrize(
    ("filing", "rule"),
    [
        ({"practiceScope": ["07"]}, "outside_licence"),
        ({"filedUntil": "2026-01-01"}, "filing_lapsed"),
        ({"status": "2"}, "filing_lapsed"),
        ({"staffId": "DOC-2"}, "not_filed"),
    ],
)
def test_a_doctor_is_held_to_the_filing(shanghai: Platform, filing: dict[str, object], rule: str) -> None:
    hospital = Hospital()

    shanghai.send("uploadPractitioner", [hospital.filed(**filing)])
    shanghai.send("uploadBooking", [hospital.booked()])

    assert shanghai.alerts() == [rule]


def test_a_visit_without_eligibility_is_seen_until_it_arrives(shanghai: Platform) -> None:
    hospital = Hospital()
    eligible, started = hospital.eligible(), hospital.started()

    shanghai.send("uploadFollowUp", [started])
    assert shanghai.alerts() == ["no_evidence"]
    shanghai.send("uploadFollowUp", [eligible])

    assert shanghai.alerts() == []


def test_a_refused_eligibility_is_no_evidence(shanghai: Platform) -> None:
    hospital = Hospital()
    refused = hospital.eligible(eligibilityResult="3", ineligibleReason="一个月内没有确诊")

    shanghai.send("uploadFollowUp", [refused, hospital.started()])

    assert shanghai.alerts() == ["no_evidence"]


def test_a_first_visit_is_seen_under_both_profiles(strict: Platform, shanghai: Platform) -> None:
    hospital = Hospital()

    shanghai.send("uploadFollowUp", [hospital.eligible(), hospital.started(referralFlag="0")])
    strict.send("uploadReferralIndicators", [tianjin_records.revisit(referralFlag="0")])

    assert shanghai.alerts() == ["first_visit"]


def test_too_many_visits_in_an_hour_are_seen_once(shanghai: Platform) -> None:
    hospital = Hospital()
    started = [
        hospital.started(f"V-{minute}", f"2026-11-22T09:{minute:02d}:00+08:00") for minute in range(2, 17)
    ]

    shanghai.send("uploadFollowUp", [hospital.eligible(), *started])

    assert shanghai.alerts() == ["too_many"]


def test_a_look_into_records_without_a_visit_is_seen(shanghai: Platform) -> None:
    hospital = Hospital()

    shanghai.send("uploadRecordView", [hospital.viewed(visitNo=None)])
    shanghai.send("uploadRecordView", [hospital.viewed(browseId="B-2", result="0", failReason="没有授权")])

    assert shanghai.alerts() == ["view_without_visit", "view_refused"]


def test_a_prescription_of_six_drugs_is_seen(shanghai: Platform) -> None:
    shanghai.send("uploadPrescription", [Hospital().signed(orderList=[ORDER] * 6)])

    assert shanghai.alerts() == ["too_many_drugs"]


@pytest.mark.parametrize(
    ("given", "seen"),
    [({}, ["long_supply"]), ({"longTermFlag": "1"}, []), ({"overLimitReason": "病情稳定，外出工作"}, [])],
)
def test_a_long_supply_needs_a_reason(shanghai: Platform, given: dict[str, str], seen: list[str]) -> None:
    shanghai.send("uploadPrescription", [Hospital().signed(orderList=[ORDER | {"useDays": 42}], **given)])

    assert shanghai.alerts() == seen


def test_a_doctor_who_reviews_her_own_prescription_is_seen(shanghai: Platform) -> None:
    hospital = Hospital()

    shanghai.send("uploadPrescription", [hospital.approved(auditDoctorId="DOC-1")])

    assert shanghai.alerts() == ["own_review"]


@pytest.mark.parametrize(("filed", "seen"), [("PH-1", []), ("PH-2", ["reviewer_not_filed"])])
def test_a_pharmacist_is_held_to_the_filing(shanghai: Platform, filed: str, seen: list[str]) -> None:
    hospital = Hospital()
    pharmacist = hospital.filed(staffId=filed, staffType="2", name="周药师", practiceScope=None)
    doctor = hospital.filed()

    shanghai.send("uploadPractitioner", [pharmacist, doctor])
    shanghai.send("uploadPrescription", [hospital.approved()])

    assert shanghai.alerts() == seen


def test_a_visit_of_nobody_who_was_verified_is_seen_until_the_verification_arrives(
    shanghai: Platform,
) -> None:
    hospital = Hospital()
    other, own = hospital.verified(personId="P-9", authId="I-9"), hospital.verified()

    shanghai.send("uploadRealName", [other])
    shanghai.send("uploadFollowUp", [hospital.eligible(), hospital.started()])
    assert shanghai.alerts() == ["unverified"]
    shanghai.send("uploadRealName", [own])

    assert shanghai.alerts() == []


def test_a_failed_verification_is_none(shanghai: Platform) -> None:
    hospital = Hospital()
    failed = hospital.verified(result="2", failReason="姓名与号码不一致", providerSerial=None)

    shanghai.send("uploadRealName", [failed])
    shanghai.send("uploadFollowUp", [hospital.eligible(), hospital.started()])

    assert shanghai.alerts() == ["unverified"]


@pytest.mark.parametrize(("severity", "seen"), [("2", []), ("3", ["severe_event"]), ("4", ["severe_event"])])
def test_a_severe_adverse_event_is_seen(shanghai: Platform, severity: str, seen: list[str]) -> None:
    hospital = Hospital()
    at = "2026-11-22T12:00:00+08:00"
    harmed = hospital.complained() | hospital.seal("adverse_event.reported", "event", at) | {
        "kind": "2", "recordNo": "E-1", "eventDate": at, "damageDegree": "住院", "takeSteps": "停药", "reportDept": "药剂科",
        "reportPerson": "周药师", "severity": severity,
    }  # fmt: skip

    shanghai.send("uploadComplaint", [harmed])

    assert shanghai.alerts() == seen
