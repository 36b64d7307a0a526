from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from contracts import events
from regulator_adapter.mapping.local import age, valid_days
from regulator_adapter.routing import Stop, routing
from tests.builders import events as b
from tests.unit.regulator_adapter.mapped import all_records, record, source


def one(event: Any, method: str, earlier: list[Any] | None = None) -> tuple[dict[str, Any], list[str]]:
    given = source(b.Feed().envelope("visit:1", event), earlier)
    stop = next(stop for stop in routing().stops(event.TYPE, given.event) if stop.method == method)
    made, issues = record(stop, given)
    return made, [f"{issue.field} {issue.code}" for issue in issues]


def test_every_record_of_every_event_is_complete() -> None:
    made = all_records(b.Feed().envelopes(b.one_of_each()))

    wrong = {(envelope.type, stop.method): issues for envelope, stop, _, issues in made if issues}
    assert wrong == {}
    assert {envelope.type for envelope, *_ in made} == set(events.BY_TYPE)


def test_a_booking_tells_the_slot_the_price_in_yuan_and_shanghai_time() -> None:
    visit = b.a_visit()
    made, _ = one(b.appointment_booked(visit), "uploadAppointRecord")

    assert made["workDate"] == "2026-11-20 09:00-09:15"
    assert made["price"] == "30.00"
    assert made["bussID"] == str(visit.appointment_id)
    assert (made["sex"], made["age"], made["patientCertType"]) == ("2", 56, "1")
    assert made["organID"] == "12310114425001234X"


def test_a_follow_up_that_nobody_accepted_costs_what_the_booking_cost() -> None:
    visit = b.a_visit()
    made, issues = one(b.encounter_declined(visit), "uploadReferralIndicators", [b.appointment_booked(visit)])

    assert issues == []
    assert (made["answerFlag"], made["refuseType"], made["returnVisitPrice"]) == ("0", "2", "30.00")
    assert (made["thisDiagnosis"], made["referralFlag"]) == ("无", "0")


def test_without_the_booking_the_missing_fields_are_named() -> None:
    _, issues = one(b.encounter_declined(b.a_visit()), "uploadReferralIndicators")

    assert issues == ["applyDate missing", "returnVisitPrice missing"]


def test_another_visit_of_the_same_stream_lends_nothing() -> None:
    _, issues = one(
        b.encounter_declined(b.a_visit()), "uploadReferralIndicators", [b.appointment_booked(b.a_visit())]
    )

    assert "returnVisitPrice missing" in issues


def test_a_consultation_has_its_own_record_with_the_platforms_spelling() -> None:
    visit = b.a_visit(kind="consultation")

    made, issues = one(b.consultation_completed(visit), "uploadConsultIndicators")

    assert issues == []
    assert (made["onsultationAttribute"], made["consultationType"]) == ("1", "3")
    assert made["content"] == "咨询：饮食上要注意什么；答复：少盐，多吃蔬菜，规律运动。"
    assert not any("diagnos" in name.lower() or "icd" in name.lower() for name in made)


@pytest.mark.parametrize("ended", [b.consultation_declined, b.consultation_discontinued])
def test_a_consultation_that_came_to_nothing_is_told_with_what_was_booked(ended: Any) -> None:
    visit = b.a_visit(kind="consultation")

    made, issues = one(ended(visit), "uploadConsultIndicators", [b.appointment_booked(visit)])

    assert issues == []
    assert made["answerFlag"] == ("0" if ended is b.consultation_declined else "1")


def test_a_long_question_makes_room_for_its_answer() -> None:
    event = msgspec.structs.replace(
        b.consultation_completed(b.a_visit(kind="consultation")), question="问" * 500, answer="答" * 400
    )

    made, _ = one(event, "uploadConsultIndicators")

    assert len(made["content"]) == 500
    assert made["content"].endswith("答" * 400)


def test_a_consultation_that_cost_nothing_is_told_so() -> None:
    event = msgspec.structs.replace(
        b.consultation_completed(b.a_visit(kind="consultation")), payment=events.Money(0, "9", "", "2026.1")
    )

    made, issues = one(event, "uploadConsultIndicators")

    assert issues == []
    assert (made["paymentChannel"], made["consultationPrice"]) == ("9", "0.00")


def test_a_child_under_six_needs_her_guardian() -> None:
    alone, with_mother = b.a_visit(b.CHILD), b.a_visit(b.CHILD, b.GUARDIAN)

    _, missing = one(b.appointment_booked(alone), "uploadAppointRecord")
    made, none = one(b.appointment_booked(with_mother), "uploadAppointRecord")

    assert missing == ["guardianCertID missing", "guardianName missing"]
    assert none == []
    assert made["guardianName"] == b.GUARDIAN.name


def test_a_dispensed_prescription_is_paid_and_verified() -> None:
    visit, prescription = b.a_visit(), b.a_prescription()
    made, issues = one(
        b.dispense_completed(visit, prescription),
        "uploadRecipeIndicators",
        [b.prescription_signed(visit, prescription)],
    )

    assert issues == []
    assert (made["isPay"], made["verificationStatus"], made["rationalFlag"]) == ("1", "1", "0")
    assert made["datein"] == "2026-11-20 09:10:00"
    assert made["effectivePeriod"] == 1
    assert made["orderList"][0]["dosageTotal"] == "1"
    assert made["auditDoctor"] == b.PHARMACIST.name


def test_an_expired_prescription_is_fulfilled_by_itself() -> None:
    event = b.prescription_expired(b.a_visit(), b.a_prescription())
    made, issues = one(event, "uploadRecipeVerificationIndicators")
    prescription, _ = one(event, "uploadRecipeIndicators")

    assert issues == []
    assert (made["deliveryType"], made["isPay"]) == ("4", "0")
    assert (prescription["isPay"], prescription["verificationStatus"]) == ("0", "0")


def test_findings_of_the_review_are_told() -> None:
    event = msgspec.structs.replace(
        b.dispense_completed(b.a_visit(), b.a_prescription()), findings=["甲", "乙"]
    )
    made, _ = one(event, "uploadRecipeIndicators")

    assert (made["rationalFlag"], made["rationalDrug"]) == ("1", "甲；乙")


def test_at_the_counter_the_receiver_stands_for_the_courier() -> None:
    event = msgspec.structs.replace(
        b.dispense_completed(b.a_visit(), b.a_prescription()), delivery_type="0", carrier="", carrier_person="",
    )  # fmt: skip
    made, issues = one(event, "uploadRecipeVerificationIndicators")

    assert issues == []
    assert (made["deliveryType"], made["deliveryPeople"]) == ("0", b.PATIENT.name)


def test_stars_without_words_are_an_evaluation() -> None:
    event = msgspec.structs.replace(b.evaluation_submitted(b.a_visit()), text="  ")
    made, issues = one(event, "uploadBusinessInfoAfter")

    assert issues == []
    assert made["evaluation"] == "未填写文字评价"


@pytest.mark.parametrize(
    ("event", "method", "field"),
    [
        (msgspec.structs.replace(b.dispense_completed(b.a_visit(), b.a_prescription()), delivery_type="3"),
         "uploadRecipeVerificationIndicators", "deliveryType"),
        (b.appointment_booked(b.a_visit(msgspec.structs.replace(b.PATIENT, sex="x"))), "uploadAppointRecord", "sex"),
        (b.appointment_booked(b.a_visit(msgspec.structs.replace(b.PATIENT, id_kind="08"))), "uploadAppointRecord",
         "patientCertType"),
        (msgspec.structs.replace(b.identity_verified(), method="guess"), "uploadRealName", "authMethod"),
        (msgspec.structs.replace(b.record_viewed(b.a_visit()), archives=["EMR", "DIARY"]), "uploadRecordView", "archiveTypes"),
        (msgspec.structs.replace(b.record_viewed(b.a_visit()), purpose="curiosity"), "uploadRecordView", "purpose"),
    ],
)  # fmt: skip
def test_an_unknown_code_is_an_error_and_never_a_blank(event: Any, method: str, field: str) -> None:
    _, issues = one(event, method)

    assert f"{field} unknown_code" in issues


def test_a_patient_who_looks_is_the_viewer_herself() -> None:
    event = msgspec.structs.replace(
        b.record_viewed(b.a_visit()), viewer=None, seen_by=b.PATIENT, purpose="patient", archives=["PACS"]
    )
    made, issues = one(event, "uploadRecordView")

    assert issues == []
    assert (made["viewerType"], made["viewerId"], made["viewerName"]) == (
        "3",
        str(b.PATIENT.person_id),
        b.PATIENT.name,
    )
    assert (made["purpose"], made["archiveTypes"]) == ("5", ["3"])


def test_an_unknown_code_is_shown_to_people() -> None:
    event = msgspec.structs.replace(b.identity_verified(), method="guess")
    given = source(b.Feed().envelope("person:1", event))
    _, issues = record(Stop("shanghai", "uploadRealName", "1"), given)

    assert "guess" in issues[0].message


def test_a_mismatch_says_why() -> None:
    event = msgspec.structs.replace(b.identity_verified(), result="mismatch", provider_serial="")
    made, issues = one(event, "uploadRealName")

    assert issues == []
    assert (made["result"], made["failReason"]) == ("2", "姓名与身份证号不一致")


@pytest.mark.parametrize(("earlier", "active", "change"), [
    (None, True, "1"), (True, True, "2"), (True, False, "3"), (False, True, "4"),
])  # fmt: skip
def test_a_change_of_staff_is_told_by_the_one_before(earlier: bool | None, active: bool, change: str) -> None:
    event = msgspec.structs.replace(b.practitioner_changed(), active=active)
    before = [] if earlier is None else [msgspec.structs.replace(b.practitioner_changed(), active=earlier)]
    made, issues = one(event, "uploadPractitioner", before)

    assert issues == []
    assert made["changeType"] == change


def test_a_cancelled_place_is_told_with_what_was_booked() -> None:
    visit = b.a_visit()
    made, issues = one(b.appointment_cancelled(visit), "uploadBooking", [b.appointment_booked(visit)])

    assert issues == []
    assert (made["bookingStatus"], made["cancelledBy"], made["priceFen"]) == ("2", "1", 3000)


def test_empty_tenders_are_left_out() -> None:
    made, _ = one(b.payment_confirmed(b.a_visit(), b.a_visit().appointment_id), "uploadPayment")

    assert made["tenders"] == [{"tender": "wechat_cash", "amountFen": 3000}]


def test_a_link_has_a_place_and_nothing_of_a_person() -> None:
    made, issues = one(b.appointment_booked(b.a_visit()), "uploadChainLink")

    assert issues == []
    assert made["reportedBy"] == "tianjin-1.0"
    assert b.PATIENT.name not in str(made)
    assert b.PATIENT.id_number not in str(made)


def test_a_birthday_counts_on_the_day() -> None:
    assert age(date(2020, 11, 20), date(2026, 11, 19)) == 5
    assert age(date(2020, 11, 20), date(2026, 11, 20)) == 6


@pytest.mark.parametrize(("hours", "days"), [(1, 1), (15, 1), (16, 2), (15 + 24, 2), (15 + 48, 3)])
def test_an_end_at_midnight_belongs_to_the_day_before(hours: int, days: int) -> None:
    assert valid_days(b.MORNING, b.MORNING + timedelta(hours=hours)) == days


def test_a_visit_names_the_eligibility_it_rests_on_from_the_booking_to_the_end() -> None:
    """The city finds the decision by its number, and what an older event did not say is left out."""
    decided = msgspec.structs.replace(b.eligibility_decided(), evidence_hash="ab" * 32)
    visit = msgspec.structs.replace(b.a_visit(), eligibility_id=decided.decision_id)
    number = str(decided.decision_id)

    phases = [one(made, "uploadFollowUp")[0] for made in (decided, b.encounter_started(visit))]
    booked, issues = one(b.appointment_cancelled(visit), "uploadBooking", [b.appointment_booked(visit)])
    older, _ = one(b.encounter_started(b.a_visit()), "uploadFollowUp")

    assert [made["eligibilityNo"] for made in (*phases, booked)] == [number] * 3
    assert phases[0]["evidenceHash"] == "ab" * 32
    assert issues == []
    assert "eligibilityNo" not in older


def test_what_was_paid_for_is_named_as_the_prescription_is() -> None:
    visit, prescription = b.a_visit(), b.a_prescription()
    paid = msgspec.structs.replace(
        b.payment_confirmed(visit, prescription.prescription_id),
        subject_kind="prescription", subject_id=prescription.prescription_id,
    )  # fmt: skip
    signed = b.prescription_signed(visit, prescription)

    known, issues = one(paid, "uploadPayment", [signed])
    booking, _ = one(b.payment_confirmed(visit, visit.appointment_id), "uploadPayment", [signed])

    assert issues == []
    assert known["subjectNo"] == prescription.lookup_id
    assert booking["subjectNo"] == str(visit.appointment_id)


@pytest.mark.parametrize("confirmed", [True, False])
def test_a_childs_prescription_says_who_was_beside_her(confirmed: bool) -> None:
    """诊疗办法 Art 19: the doctor confirmed guardian and specialist in one word when she accepted."""
    visit, prescription = b.a_visit(b.CHILD, b.GUARDIAN), b.a_prescription()
    started = msgspec.structs.replace(b.encounter_started(visit), guardian_present=confirmed)

    made, issues = one(b.prescription_signed(visit, prescription), "uploadPrescription", [started])
    grown_up, _ = one(b.prescription_signed(b.a_visit(), prescription), "uploadPrescription")

    assert issues == []
    assert made["guardianPresent"] == made["specialistPresent"] == ("1" if confirmed else "0")
    assert "guardianPresent" not in grown_up


@pytest.mark.parametrize(
    ("kind", "mode", "business"),
    [
        ("follow_up", "video", "4"), ("consultation", "text", "1"), ("consultation", "phone", "2"), ("consultation", "video", "3"),
    ],
)  # fmt: skip
def test_an_adverse_event_names_the_business_of_its_visit(kind: str, mode: str, business: str) -> None:
    visit = msgspec.structs.replace(b.a_visit(kind=kind), mode=mode)

    made, issues = one(b.adverse_event_reported(visit), "pushMedicalDispute")

    assert (made["businessType"], issues) == (business, [])


def test_an_adverse_event_without_a_visit_is_some_other_business() -> None:
    event = msgspec.structs.replace(b.adverse_event_reported(b.a_visit()), visit=None)

    made, issues = one(event, "pushMedicalDispute")

    assert (made["businessType"], issues) == ("99", [])
